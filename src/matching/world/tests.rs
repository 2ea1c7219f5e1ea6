use super::*;
use crate::matching::samples::{TODAY, need, person, weights};
use crate::matching::{Hours, Located, Site, Span, Spot, Wanted, Whereabouts};
use crate::taxonomies::LifeCycle;
use chrono::TimeDelta;
use proptest::prelude::*;
use std::collections::BTreeMap;
use uuid::Uuid;

fn terms() -> Terms {
    Terms {
        weights: weights(),
        today: TODAY,
    }
}

fn a_site() -> impl Strategy<Value = Site> {
    (0_i32..4, 0_i32..4, prop_oneof![Just(800.0), Just(5_000.0)]).prop_map(|(x, y, radius_m)| {
        Site {
            spot: Spot {
                longitude: 121.85 + 0.01 * f64::from(x),
                latitude: 29.91 + 0.01 * f64::from(y),
            },
            radius_m,
        }
    })
}

fn some_skills() -> impl Strategy<Value = BTreeMap<String, i32>> {
    let code = prop::sample::select(vec![
        "health",
        "health.first_aid",
        "health.cpr_aed",
        "law.contracts",
        "no.such_skill",
    ]);
    prop::collection::btree_map(code.prop_map(str::to_owned), 1_i32..=3, 0..3)
}

fn some_hours() -> impl Strategy<Value = Hours> {
    let span = (1_i32..=2, 0_i32..6, 1_i32..200).prop_map(|(day, from, long)| {
        Span::of_weekday(day, 540 + 25 * from, 540 + 25 * from + long)
    });
    prop::collection::vec(span, 0..3).prop_map(Hours::weekly)
}

/// People and needs with few different scores, so that there are many ties, and some of every kind.
fn a_person(n: u128) -> impl Strategy<Value = Person> {
    let places = prop::collection::vec(a_site(), 0..3);
    let rest = (
        0_u32..12,
        any::<(bool, bool, bool)>(),
        prop::option::of(0_i64..3),
    );
    (some_skills(), some_hours(), places, rest).prop_map(move |(skills, free, places, rest)| {
        let (commitments, (agrees, is_party_member, cares), vetted) = rest;
        Person {
            skills: skills.into_iter().collect(),
            free,
            places,
            commitments,
            agrees: agrees || commitments > 2,
            is_party_member,
            interests: if cares {
                vec![LifeCycle::OldAge]
            } else {
                vec![LifeCycle::Health]
            },
            vetted_until: vetted.map(|days| TODAY + TimeDelta::days(days - 1)),
            qualifications: vetted
                .map(|days| ("lawyer".to_owned(), Some(TODAY + TimeDelta::days(days - 1))))
                .into_iter()
                .collect(),
            ..person(n)
        }
    })
}

fn a_need(n: u128) -> impl Strategy<Value = Need> {
    let whereabouts = prop_oneof![
        1 => Just(Whereabouts::Remote),
        1 => Just(Whereabouts::Unknown),
        6 => a_site().prop_map(|site| Whereabouts::At(site, Located::Own)),
    ];
    let wanted = (some_skills(), prop::option::of(1_i32..=3), 1.0..3.0_f64);
    let rest = (
        0_u32..12,
        any::<(bool, bool)>(),
        prop::option::of(0_i64..3),
        0_u8..6,
    );
    (some_skills(), wanted, some_hours(), whereabouts, rest).prop_map(
        move |(required, (wanted, level, weight), hours, whereabouts, rest)| {
            let (filled, (party, minors), starts, kind) = rest;
            let wanted = wanted.into_keys().map(|skill| Wanted {
                skill,
                weight,
                level,
            });
            Need {
                required: if kind < 2 {
                    required.into_iter().collect()
                } else {
                    Vec::new()
                },
                wanted: wanted.collect(),
                hours: if kind < 4 { hours } else { Hours::default() },
                whereabouts,
                filled,
                places: 10,
                party_only: party && kind == 3,
                minors: minors && kind == 4,
                qualifications: if kind == 5 {
                    vec!["lawyer".to_owned()]
                } else {
                    Vec::new()
                },
                starts_at: starts.and_then(|day| Instant::from_micros(day * 86_400_000_000)),
                ..need(n)
            }
        },
    )
}

fn each<T: std::fmt::Debug, S: Strategy<Value = T>>(
    most: usize,
    one: impl Fn(u128) -> S + Clone,
) -> impl Strategy<Value = Vec<T>> {
    (0..most).prop_flat_map(move |count| (1..=count as u128).map(one.clone()).collect::<Vec<_>>())
}

/// Half of it built at once, the rest put in place, changed and removed one by one.
fn a_register() -> impl Strategy<Value = Register> {
    let people = (each(60, a_person), each(60, a_person));
    let needs = (each(60, a_need), each(60, a_need));
    (people, needs, 1_u128..9).prop_map(|((people, others), (needs, more), step)| {
        let mut register = Register::of(people, needs);
        let before = register.world();
        let people: Vec<Person> = before.people().map(|person| (**person).clone()).collect();
        others
            .into_iter()
            .for_each(|person| register.put_person(person));
        more.into_iter().for_each(|need| register.put_need(need));
        for n in (1..40).step_by(step as usize) {
            register.remove_person(AccountId(Uuid::from_u128(n)));
            register.remove_need(need(n + 1).id);
        }
        // of some, only what is taken on is new, or only the places
        let all: Vec<Person> = register.people.all().map(|p| (**p).clone()).collect();
        for (n, mut person) in all.into_iter().enumerate() {
            match n % 4 {
                0 => person.commitments += 2,
                1 => person
                    .places
                    .iter_mut()
                    .for_each(|place| place.spot.latitude += 0.01),
                _ => continue,
            }
            register.put_person(person);
        }
        let stays = before.people().map(|person| &**person).eq(&people);
        assert!(stays, "a snapshot stays as it was");
        register
    })
}

fn a_world() -> impl Strategy<Value = World> {
    a_register().prop_map(|register| register.world())
}

proptest! {
    #[test]
    fn a_new_order_changes_nothing(register in a_register()) {
        prop_assert!(register.ordered_anew().world() == register.world());
    }
}

proptest! {
    #[test]
    fn the_best_are_the_first_of_all_sorted(
        world in a_world(),
        need in a_need(1000),
        k in 0_usize..50,
    ) {
        let mut all: Vec<_> = world
            .people
            .all()
            .filter(|person| score::is_eligible(person, &need, TODAY))
            .map(|person| {
                let factors = score::factors(person, &need, Side::People);
                (score::score(&factors, &weights()), person.id)
            })
            .collect();
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        all.truncate(k);
        let found: Vec<_> = world
            .people_for(&need, &terms(), k)
            .into_iter()
            .map(|hit| (hit.score, hit.what.id))
            .collect();
        prop_assert_eq!(found, all);
    }

    #[test]
    fn needs_come_by_score_then_start_then_id(
        world in a_world(),
        person in a_person(1000),
        k in 0_usize..50,
    ) {
        let mut all: Vec<_> = world
            .needs
            .all()
            .filter(|need| score::is_eligible(&person, need, TODAY))
            .map(|need| {
                let factors = score::factors(&person, need, Side::Needs);
                let start = need.starts_at.map_or(i64::MAX, |at| at.timestamp_micros());
                (score::score(&factors, &weights()), start, need.id.id)
            })
            .collect();
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        all.truncate(k);
        let found: Vec<_> = world
            .needs_for(&person, &Wanting::default(), &terms(), k)
            .into_iter()
            .map(|hit| {
                let start = hit.what.starts_at.map_or(i64::MAX, |at| at.timestamp_micros());
                (hit.score, start, hit.what.id.id)
            })
            .collect();
        prop_assert_eq!(found, all);
    }

    #[test]
    fn pages_hold_every_open_need_once_in_order(world in a_world(), size in 1_usize..7) {
        let mut after = None;
        let mut seen = Vec::new();
        loop {
            let page = world.listed(&Wanting::default(), TODAY, after, size);
            let Some(last) = page.last() else { break };
            after = Some(place(last));
            seen.extend(page.iter().map(|need| place(need)));
        }
        let open = world.needs.all().filter(|need| need.filled < need.places);
        let mut expected: Vec<_> = open.map(|need| place(need)).collect();
        expected.sort();
        prop_assert_eq!(seen, expected);
    }
}

#[test]
fn a_query_narrows_by_kind_and_region() {
    let mut register = Register::default();
    let mut other = need(2);
    other.id.kind = NeedKind::ProjectRole;
    // what the public knows of where it is: a query by anything else finds nothing
    other.regions = [RegionId(Uuid::from_u128(78)), RegionId(Uuid::from_u128(77))].into();
    other.public_regions = [RegionId(Uuid::from_u128(77))].into();
    other.whereabouts = Whereabouts::Remote;
    register.put_need(need(1));
    register.put_need(other.clone());
    let world = register.world();
    let found = |wanting: Wanting| -> Vec<_> {
        let listed = world
            .listed(&wanting, TODAY, None, 10)
            .into_iter()
            .map(|n| n.id.id);
        let best = world.needs_for(&person(1), &wanting, &terms(), 10);
        let mut best: Vec<_> = best.into_iter().map(|hit| hit.what.id.id).collect();
        best.sort();
        let listed: Vec<_> = listed.collect();
        assert_eq!(listed, best);
        listed
    };
    assert_eq!(found(Wanting::default()).len(), 2);
    let roles = Wanting {
        kind: Some(NeedKind::ProjectRole),
        ..Wanting::default()
    };
    assert_eq!(found(roles), [other.id.id]);
    let there = Wanting {
        region: Some(other.public_regions[0]),
        ..Wanting::default()
    };
    assert_eq!(found(there), [other.id.id]);
    let closer = Wanting {
        region: Some(other.regions[0]),
        ..Wanting::default()
    };
    assert!(found(closer).is_empty());
    let except = Wanting {
        except: vec![NeedKind::ProjectRole],
        ..Wanting::default()
    };
    assert_eq!(found(except), [need(1).id.id]);
}
