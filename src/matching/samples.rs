//! A person and a need that fit each other, for the room's tests.

use chrono::NaiveDate;
use uuid::Uuid;

use super::{Hours, Located, Need, NeedId, NeedKind, Person, Site, Spot, Weights, Whereabouts};
use crate::identity::AccountId;
use crate::regions::RegionId;
use crate::taxonomies::LifeCycle;

pub const TODAY: NaiveDate = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();

fn site(longitude: f64, latitude: f64) -> Site {
    Site {
        spot: Spot {
            longitude,
            latitude,
        },
        radius_m: 5000.0,
    }
}

pub fn weights() -> Weights {
    Weights {
        skills: 35.0,
        distance: 25.0,
        availability: 20.0,
        interest: 10.0,
        fairness: 10.0,
    }
}

pub fn person(n: u128) -> Person {
    Person {
        id: AccountId(Uuid::from_u128(n)),
        skills: Default::default(),
        qualifications: Vec::new(),
        interests: Vec::new(),
        free: Hours::default(),
        places: vec![site(121.85, 29.92)],
        birth_date: None,
        is_party_member: false,
        vetted_until: None,
        agrees: true,
        commitments: 0,
    }
}

pub fn need(n: u128) -> Need {
    Need {
        id: NeedId {
            id: Uuid::from_u128(n),
            kind: NeedKind::Wish,
        },
        project: None,
        title: "示例".to_owned(),
        region: RegionId(Uuid::from_u128(1)),
        regions: [RegionId(Uuid::from_u128(1))].into(),
        public_regions: [RegionId(Uuid::from_u128(1))].into(),
        street: None,
        life_cycle: LifeCycle::OldAge,
        whereabouts: Whereabouts::At(site(121.85, 29.91), Located::Own),
        scale_m: 2000.0,
        hours: Hours::default(),
        starts_at: None,
        first_day: None,
        required: Vec::new(),
        wanted: Vec::new(),
        qualifications: Vec::new(),
        party_only: false,
        minors: false,
        last_day: None,
        min_age: None,
        least_known_age: None,
        places: 1,
        filled: 0,
        owners: Vec::new(),
    }
}

/// Has a person learn a skill up to a level.
pub fn learn(person: &mut Person, code: &str, level: i32) {
    let known: Vec<_> = person
        .skills
        .iter()
        .map(|(code, level)| (code.to_owned(), level))
        .collect();
    let all = known.into_iter().chain([(code.to_owned(), level)]);
    person.skills = all.collect();
}
