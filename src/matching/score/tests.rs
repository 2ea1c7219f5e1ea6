use super::*;
use crate::matching::samples::{TODAY, learn, need, person, weights};
use crate::matching::{Hours, Located, Site, Span, Wanted};
use chrono::Datelike;
use proptest::prelude::*;

const CODES: [&str; 4] = [
    "health.first_aid",
    "health.cpr_aed",
    "law.contracts",
    "law.labour",
];

fn refused(person: &Person, need: &Need) -> Vec<Code> {
    FILTERS
        .iter()
        .filter_map(|filter| refusal(*filter, person, need, TODAY))
        .collect()
}

fn at(longitude: f64, latitude: f64, radius_m: f64) -> Site {
    Site {
        spot: Spot {
            longitude,
            latitude,
        },
        radius_m,
    }
}

#[test]
fn the_formula_is_the_one_that_is_written_down() {
    let (mut person, mut need) = (person(1), need(1));
    need.wanted = vec![
        Wanted {
            skill: "health.first_aid".into(),
            weight: 3.0,
            level: Some(3),
        },
        Wanted {
            skill: "law".into(),
            weight: 1.0,
            level: None,
        },
    ];
    learn(&mut person, "health.first_aid", 2);
    need.hours = Hours::weekly([Span::of_weekday(6, 540, 720)]);
    person.free = Hours::weekly([Span::of_weekday(6, 600, 800)]);
    person.commitments = 9;
    let d = match distance(&person, &need) {
        Distance::Within(d) => d,
        other => panic!("{other:?}"),
    };
    assert!((d - 1111.95).abs() < 0.1, "a hundredth of a degree: {d}");
    let expected = [
        3.0 * (2.0 / 3.0) / 4.0,
        1.0 / (1.0 + d / 2000.0),
        120.0 / 180.0,
        1.0,
        1.0 / 8.0,
    ];
    let found = factors(&person, &need, Side::People);
    assert_eq!(found, expected);
    let by_hand = 35.0 * expected[0] + 25.0 * expected[1] + 20.0 * expected[2] + 10.0 + 1.25;
    assert!((score(&found, &weights()) - by_hand).abs() < 1e-9);
    need.filled = 3;
    assert_eq!(factors(&person, &need, Side::Needs)[4], 0.25);
    learn(&mut person, "law.labour", 1);
    assert_eq!(
        factors(&person, &need, Side::Needs)[0],
        0.75,
        "by its parent"
    );
}

#[test]
fn every_filter_has_its_code() {
    let (p, n) = (person(1), need(1));
    assert_eq!(refused(&p, &n), []);
    let with = |change: fn(&mut Person, &mut Need)| {
        let (mut p, mut n) = (p.clone(), n.clone());
        change(&mut p, &mut n);
        refused(&p, &n)
    };
    assert_eq!(with(|p, _| p.agrees = false), [Code::ConsentMissing]);
    assert_eq!(with(|_, n| n.filled = n.places), [Code::CapacityFull]);
    assert_eq!(with(|p, _| p.places.clear()), [Code::LocationMissing]);
    assert_eq!(
        with(|_, n| n.whereabouts = Whereabouts::Unknown),
        [Code::LocationMissing]
    );
    assert_eq!(
        with(|p, _| p.places[0].radius_m = 1000.0),
        [Code::DistanceOverLimit]
    );
    assert_eq!(with(|_, n| n.party_only = true), [Code::PartyOnly]);
    assert_eq!(with(|_, n| n.minors = true), [Code::VettingMissing]);
    assert_eq!(with(|_, n| n.min_age = Some(18)), [Code::Age]);
    assert_eq!(with(|p, n| n.owners = vec![p.id]), [Code::OwnNeed]);
    assert_eq!(
        with(|_, n| n.required = vec![("law.labour".into(), 1)]),
        [Code::SkillMissing]
    );
    assert_eq!(
        with(|_, n| n.qualifications = vec!["lawyer".into()]),
        [Code::QualificationMissing]
    );
    assert_eq!(
        with(|_, n| n.hours = Hours::weekly([Span::of_weekday(1, 0, 60)])),
        [Code::NoCommonHours]
    );
}

#[test]
fn remote_needs_have_no_distance() {
    let (mut p, mut n) = (person(1), need(1));
    n.whereabouts = Whereabouts::Remote;
    p.places.clear();
    assert_eq!(refused(&p, &n), []);
    assert_eq!(factors(&p, &n, Side::Needs)[1], 1.0);
}

#[test]
fn the_best_passing_place_counts() {
    let (mut p, mut n) = (person(1), need(1));
    n.whereabouts = Whereabouts::At(at(121.85, 29.91, 5000.0), Located::Own);
    // the nearest one does not reach so far
    p.places = vec![
        at(121.85, 29.92, 500.0),
        at(121.85, 29.93, 9000.0),
        at(121.85, 29.94, 9000.0),
    ];
    assert!(matches!(distance(&p, &n), Distance::Within(d) if (2200.0..2300.0).contains(&d)));
}

#[test]
fn skills_have_levels_and_parents() {
    let (mut p, mut n) = (person(1), need(1));
    learn(&mut p, "health.first_aid", 2);
    for (skill, level, fits) in [
        ("health.first_aid", 2, true),
        ("health.first_aid", 3, false),
        ("health", 2, true),
        ("health", 3, false),
        ("heal", 1, false),
        ("health.first", 1, false),
    ] {
        n.required = vec![(skill.to_owned(), level)];
        assert_eq!(refused(&p, &n).is_empty(), fits, "{skill} {level}");
    }
}

#[test]
fn qualifications_end_and_include_others() {
    let (mut p, mut n) = (person(1), need(1));
    n.qualifications = vec!["legal_worker".to_owned()];
    p.qualifications = vec![("lawyer".to_owned(), Some(TODAY))];
    assert_eq!(refused(&p, &n), []);
    p.qualifications[0].1 = TODAY.pred_opt();
    assert_eq!(refused(&p, &n), [Code::QualificationMissing]);
}

#[test]
fn nothing_is_wanted_after_the_last_day() {
    let (p, mut n) = (person(1), need(1));
    n.last_day = Some(TODAY);
    assert_eq!(refused(&p, &n), []);
    n.last_day = TODAY.pred_opt();
    assert_eq!(refused(&p, &n), [Code::ProjectOver]);
}

#[test]
fn an_age_that_nobody_knows_is_enough_only_where_it_may_be() {
    let (mut p, mut n) = (person(1), need(1));
    n.least_known_age = Some(18);
    assert_eq!(refused(&p, &n), []);
    p.birth_date = TODAY.with_year(TODAY.year() - 17);
    assert_eq!(refused(&p, &n), [Code::Age]);
}

#[test]
fn ages_turn_on_the_birthday() {
    let (mut p, mut n) = (person(1), need(1));
    n.min_age = Some(18);
    p.birth_date = TODAY.with_year(TODAY.year() - 18);
    assert_eq!(refused(&p, &n), []);
    p.birth_date = p.birth_date.and_then(|day| day.succ_opt());
    assert_eq!(refused(&p, &n), [Code::Age]);
}

#[test]
fn a_need_shorter_than_an_hour_must_fit_whole() {
    let (mut p, mut n) = (person(1), need(1));
    n.hours = Hours::weekly([Span::of_weekday(2, 600, 630)]);
    p.free = Hours::weekly([Span::of_weekday(2, 600, 630)]);
    assert_eq!(refused(&p, &n), []);
    p.free = Hours::weekly([Span::of_weekday(2, 600, 620)]);
    assert_eq!(refused(&p, &n), [Code::NoCommonHours]);
    n.hours = Hours::weekly([Span::of_weekday(2, 600, 900)]);
    p.free = Hours::weekly([Span::of_weekday(2, 500, 659)]);
    assert_eq!(refused(&p, &n), [Code::NoCommonHours], "59 minutes");
}

fn a_person() -> impl Strategy<Value = Person> {
    let skills = prop::collection::btree_map(
        prop::sample::select(CODES.map(str::to_owned).to_vec()),
        1..=3,
        0..4,
    );
    let window = (1..=7, 0..1300, 1..140);
    (
        skills,
        prop::collection::vec(window, 0..5),
        0_u32..12,
        -180.0..=180.0,
        -90.0..=90.0,
        any::<bool>(),
    )
        .prop_map(|(skills, windows, commitments, lon, lat, party)| {
            let windows = windows
                .into_iter()
                .map(|(day, from, length)| Span::of_weekday(day, from, from + length));
            Person {
                skills: skills.into_iter().collect(),
                free: Hours::weekly(windows),
                commitments,
                is_party_member: party,
                places: vec![at(lon, lat, 3e7)],
                ..person(1)
            }
        })
}

fn a_need() -> impl Strategy<Value = Need> {
    let wanted = (
        prop::sample::select(vec!["health", "law", "health.first_aid", "law.labour"]),
        0.1..10.0,
        prop::option::of(1..=3),
    );
    let window = (1..=7, 0..1300, 1..140);
    (
        prop::collection::vec(wanted, 0..4),
        prop::collection::vec(window, 0..4),
        0_u32..9,
        -180.0..=180.0,
        -90.0..=90.0,
    )
        .prop_map(|(wanted, windows, filled, lon, lat)| {
            let wanted = wanted.into_iter().map(|(skill, weight, level)| Wanted {
                skill: skill.to_owned(),
                weight,
                level,
            });
            let windows = windows
                .into_iter()
                .map(|(day, from, length)| Span::of_weekday(day, from, from + length));
            Need {
                wanted: wanted.collect(),
                hours: Hours::weekly(windows),
                filled,
                places: 9,
                whereabouts: Whereabouts::At(at(lon, lat, 3e7), Located::Own),
                ..need(1)
            }
        })
}

fn a_side() -> impl Strategy<Value = Side> {
    prop::sample::select(vec![Side::People, Side::Needs])
}

proptest! {
    #[test]
    fn the_parts_sum_to_the_score_and_it_lies_within_its_bounds(
        person in a_person(), need in a_need(), side in a_side(),
    ) {
        let found = factors(&person, &need, side);
        prop_assert!(found.iter().all(|f| (0.0..=1.0).contains(f)), "{:?}", found);
        let score = score(&found, &weights());
        prop_assert!((0.0..=100.0).contains(&score), "{}", score);
        let parts: f64 = contributions(&found, &weights()).iter().map(|(_, part)| part).sum();
        prop_assert!((parts - score).abs() < 1e-9);
    }

    #[test]
    fn one_more_skill_never_lowers_the_score_or_refuses(
        person in a_person(), need in a_need(), side in a_side(),
        skill in prop::sample::select(CODES.to_vec()), more in 1_i32..=3,
    ) {
        let mut better = person.clone();
        let level = better.skills.level(skill).unwrap_or(0);
        learn(&mut better, skill, more.max(level));
        let of = |person: &Person| score(&factors(person, &need, side), &weights());
        prop_assert!(of(&better) >= of(&person));
        prop_assert!(!is_eligible(&person, &need, TODAY) || is_eligible(&better, &need, TODAY));
    }

    #[test]
    fn political_status_never_ranks(person in a_person(), need in a_need(), side in a_side()) {
        let mut other = person.clone();
        other.is_party_member = !person.is_party_member;
        prop_assert_eq!(factors(&person, &need, side), factors(&other, &need, side));
        prop_assert_eq!(refused(&person, &need), refused(&other, &need));
    }

    #[test]
    fn distances_are_finite_and_symmetric_everywhere(
        a in (prop_oneof![Just(-180.0), Just(180.0), -180.0..=180.0], prop_oneof![Just(-90.0), Just(90.0), -90.0..=90.0]),
        b in (prop_oneof![Just(-180.0), Just(180.0), -180.0..=180.0], prop_oneof![Just(-90.0), Just(90.0), -90.0..=90.0]),
    ) {
        let spot = |(longitude, latitude)| Spot { longitude, latitude };
        let d = distance_m(spot(a), spot(b));
        prop_assert!(d.is_finite() && (0.0..=20_015_115.0).contains(&d), "{}", d);
        prop_assert!((d - distance_m(spot(b), spot(a))).abs() < 1e-6);
    }

    #[test]
    fn minutes_in_common_are_those_that_a_clock_counts(person in a_person(), need in a_need()) {
        let inside = |spans: &[Span], minute: u32| spans.iter().any(|s| s.from <= minute && minute < s.to);
        let counted = (0..7 * 1440)
            .filter(|m| inside(need.hours.spans(), *m) && inside(person.free.spans(), *m))
            .count();
        prop_assert_eq!(counted as u32, common_minutes(&person, &need));
    }
}

#[test]
fn the_antimeridian_and_the_poles_are_no_edges() {
    let spot = |longitude, latitude| Spot {
        longitude,
        latitude,
    };
    assert!(distance_m(spot(180.0, 0.0), spot(-180.0, 0.0)) < 1e-6);
    assert!((distance_m(spot(179.995, 0.0), spot(-179.995, 0.0)) - 1111.95).abs() < 0.1);
    assert!(distance_m(spot(12.0, 90.0), spot(-170.0, 90.0)) < 1e-6);
}
