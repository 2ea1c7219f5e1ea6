//! The engine beside a scan over everybody, in random worlds that change.

use proptest::prelude::*;

use super::*;

/// The score by its definition (matching, domain §4), with none of the engine's parts.
fn by_hand(profile: &Profile, query: &Query, shares: Shares, load: u8) -> Option<f64> {
    let Shares(shares) = shares;
    let has = |t: &u16| profile.traits.contains(t);
    if !query.required.iter().all(has) || query.flags & !profile.flags != 0 {
        return None;
    }
    let free = |hour: u8| profile.hours[usize::from(hour / 64)] >> (hour % 64) & 1 == 1;
    let share = |all: f64, had: f64, is_none: bool| if is_none { 1.0 } else { had / all };
    let hours = &query.hours;
    if !hours.is_empty() && !hours.iter().any(|(hour, _)| free(*hour)) {
        return None;
    }
    let availability = share(
        hours.iter().map(|(_, weight)| weight).sum(),
        hours
            .iter()
            .filter(|(hour, _)| free(*hour))
            .map(|(_, weight)| weight)
            .sum(),
        hours.is_empty(),
    );
    let wanted = &query.wanted;
    let skills = share(
        wanted.iter().map(|(_, weight)| weight).sum(),
        wanted
            .iter()
            .filter(|(t, _)| has(t))
            .map(|(_, weight)| weight)
            .sum(),
        wanted.is_empty(),
    );
    let near = match query.site {
        None => 1.0,
        Some(site) => {
            let passing = profile.sites.iter().filter_map(|own| {
                let metres = haversine(site.point, own.point);
                (metres <= f64::from(site.radius_m.min(own.radius_m))).then_some(metres)
            });
            1.0 / (1.0 + passing.reduce(f64::min)? / query.scale_m)
        }
    };
    let cares = query
        .interest
        .is_none_or(|kind| profile.interests == 0 || profile.interests >> kind & 1 == 1);
    let interest = if cares { 1.0 } else { 0.0 };
    let fairness = 1.0 / (1.0 + f64::from(load.min(7)));
    Some(
        shares[0] * skills
            + shares[1] * near
            + shares[2] * availability
            + shares[3] * interest
            + shares[4] * fairness,
    )
}

fn haversine(a: Point, b: Point) -> f64 {
    let (p, q) = (a.latitude.to_radians(), b.latitude.to_radians());
    let half = |degrees: f64| (degrees.to_radians() / 2.0).sin().powi(2);
    let hav = half(b.latitude - a.latitude) + p.cos() * q.cos() * half(b.longitude - a.longitude);
    2.0 * RADIUS_M * hav.sqrt().min(1.0).asin()
}

/// Scores that agree within this are the same: sums in another order.
const SAME: f64 = 1e-7;

/// Both found as good ones at every rank, and nobody who is not there.
fn agree(found: &[Found<u32>], all: &[(u32, f64)], k: usize) -> Result<(), TestCaseError> {
    let mut best = all.to_vec();
    best.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    prop_assert_eq!(found.len(), best.len().min(k));
    for (rank, (hit, (_, score))) in found.iter().zip(&best).enumerate() {
        prop_assert!(
            (hit.score - score).abs() < SAME,
            "rank {}: {} not {}",
            rank,
            hit.score,
            score
        );
        let own = all
            .iter()
            .find(|(key, _)| *key == hit.key)
            .map(|(_, score)| *score);
        prop_assert!(
            own.is_some_and(|own| (own - hit.score).abs() < SAME),
            "{:?}",
            hit
        );
    }
    let mut keys: Vec<_> = found.iter().map(|hit| hit.key).collect();
    keys.sort_unstable();
    keys.dedup();
    prop_assert_eq!(keys.len(), found.len(), "each once");
    for pair in found.windows(2) {
        let in_order = (pair[1].score, pair[0].key) < (pair[0].score, pair[1].key);
        prop_assert!(in_order || pair[0].score > pair[1].score);
    }
    Ok(())
}

const TRAITS: u16 = 70;

/// Around a town, a pole or the date line, or anywhere.
fn a_point() -> impl Strategy<Value = Point> {
    let around = |latitude: f64, longitude: f64| {
        (-0.2..0.2_f64, -0.2..0.2_f64).prop_map(move |(up, aside)| {
            let east = longitude + aside;
            Point {
                latitude: (latitude + up).clamp(-90.0, 90.0),
                longitude: if east > 180.0 { east - 360.0 } else { east },
            }
        })
    };
    prop_oneof![
        6 => around(29.9, 121.8),
        1 => around(90.0, 10.0),
        1 => around(-89.9, -170.0),
        2 => around(5.0, 180.0),
        1 => (-90.0..=90.0, -180.0..=180.0).prop_map(|(latitude, longitude)| Point { latitude, longitude }),
        1 => Just(Point { latitude: 29.9, longitude: 121.8 }),
    ]
}

fn a_site() -> impl Strategy<Value = Site> {
    let radius = prop_oneof![
        Just(0.0_f32),
        100.0..5_000.0_f32,
        5_000.0..60_000.0_f32,
        Just(3e7)
    ];
    (a_point(), radius).prop_map(|(point, radius_m)| Site { point, radius_m })
}

fn a_week() -> impl Strategy<Value = Week> {
    prop_oneof![
        Just([0; 3]),
        Just([u64::MAX, u64::MAX, (1 << 40) - 1]),
        proptest::collection::vec(0..168_usize, 0..20).prop_map(|hours| {
            let mut week = [0; 3];
            hours
                .into_iter()
                .for_each(|hour| week[hour / 64] |= 1 << (hour % 64));
            week
        }),
    ]
}

fn some_traits(most: usize) -> impl Strategy<Value = Vec<u16>> {
    // the first are common, as some skills are
    let one = prop_oneof![3 => 0..6_u16, 1 => 0..TRAITS];
    proptest::collection::btree_set(one, 0..=most).prop_map(|set| set.into_iter().collect())
}

fn a_profile() -> impl Strategy<Value = Profile> {
    (
        proptest::collection::vec(a_site(), 0..3),
        some_traits(6),
        a_week(),
        0..4_u8,
        prop_oneof![Just(0_u8), 0..128_u8],
        0..9_u8,
    )
        .prop_map(|(sites, traits, hours, flags, interests, load)| Profile {
            sites,
            traits,
            hours,
            flags,
            interests,
            load,
        })
}

fn a_query() -> impl Strategy<Value = Query> {
    let weight = prop_oneof![Just(1.0), 0.1..5.0_f64];
    let hours = proptest::collection::btree_map(0..168_u8, weight.clone(), 0..14);
    let wanted = proptest::collection::btree_map(0..8_u16, weight, 0..5);
    (
        proptest::option::weighted(0.9, a_site()),
        prop_oneof![Just(2_000.0), Just(5_000.0)],
        some_traits(2),
        wanted,
        prop_oneof![Just(Default::default()), hours],
        prop_oneof![4 => Just(0_u8), 1 => 0..4_u8],
        proptest::option::of(0..7_u8),
    )
        .prop_map(
            |(site, scale_m, required, wanted, hours, flags, interest)| Query {
                site,
                scale_m,
                required,
                wanted: wanted.into_iter().collect(),
                hours: hours.into_iter().collect(),
                flags,
                interest,
            },
        )
}

fn a_demand() -> impl Strategy<Value = Demand> {
    (a_query(), 0..9_u8).prop_map(|(mut query, filled)| {
        for (_, weight) in &mut query.wanted {
            *weight = f64::from(*weight as f32); // as it is kept
        }
        Demand { query, filled }
    })
}

fn some_shares() -> impl Strategy<Value = Shares> {
    let weights = prop_oneof![
        3 => Just([35.0, 25.0, 20.0, 10.0, 10.0]),
        1 => [0.0..1.0, 0.0..1.0, 0.0..1.0, 0.0..1.0, 0.1..1.0],
        1 => Just([0.0, 0.0, 0.0, 0.0, 1.0]),
        1 => Just([1.0, 0.0, 1.0, 0.0, 0.0]),
    ];
    weights.prop_map(Shares::of)
}

#[derive(Clone, Debug)]
enum Change<T> {
    Put(u32, T),
    Remove(u32),
    Move(u32, Point),
    Load(u32, u8),
}

fn a_change<T: std::fmt::Debug>(
    one: impl Strategy<Value = T>,
    keys: u32,
) -> impl Strategy<Value = Change<T>> {
    prop_oneof![
        2 => (0..keys, one).prop_map(|(key, one)| Change::Put(key, one)),
        1 => (0..keys).prop_map(Change::Remove),
        2 => (0..keys, a_point()).prop_map(|(key, point)| Change::Move(key, point)),
        2 => (0..keys, 0..9_u8).prop_map(|(key, load)| Change::Load(key, load)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(debug_assertions) { 12 } else { 96 }, ..ProptestConfig::default() })]

    #[test]
    fn people_are_found_as_by_a_scan(
        profiles in proptest::collection::vec(a_profile(), 0..1_200),
        changes in proptest::collection::vec(a_change(a_profile(), 1_300), 0..400),
        queries in proptest::collection::vec((a_query(), 0..40_usize), 1..12),
        shares in some_shares(),
    ) {
        let mut world: Vec<Option<Profile>> = profiles.into_iter().map(Some).collect();
        let built = world.len() as u32;
        let mut people = People::build(usize::from(TRAITS), built, |key, profile| {
            world[key as usize].as_ref().map(|person| profile.clone_from(person)).is_some()
        });
        world.resize(1_300, None);
        let before = people.crowd().clone();
        let old = world.clone();
        for change in changes {
            match change {
                Change::Put(key, profile) => {
                    people.put(key, &profile);
                    world[key as usize] = Some(profile);
                }
                Change::Remove(key) => {
                    people.remove(key);
                    world[key as usize] = None;
                }
                Change::Move(key, point) => {
                    people.move_to(key, point);
                    if let Some(person) = &mut world[key as usize]
                        && let [site] = person.sites.as_mut_slice()
                    {
                        site.point = point;
                    }
                }
                Change::Load(key, load) => {
                    people.set_load(key, load);
                    if let Some(person) = &mut world[key as usize] {
                        person.load = load;
                    }
                }
            }
        }
        prop_assert_eq!(people.len(), world.iter().flatten().count());
        // a snapshot stays as it was, and what is built anew is the same as what was changed
        let anew = People::build(usize::from(TRAITS), 1_300, |key, profile| {
            world[key as usize].as_ref().map(|person| profile.clone_from(person)).is_some()
        });
        for (crowd, world) in [(&before, &old), (people.crowd(), &world), (anew.crowd(), &world)] {
            for (query, k) in &queries {
                let found = crowd.search(query, shares, *k, &mut AsIs);
                let all: Vec<_> = world
                    .iter()
                    .enumerate()
                    .filter_map(|(key, person)| {
                        let person = person.as_ref()?;
                        Some((key as u32, by_hand(person, query, shares, person.load)?))
                    })
                    .collect();
                agree(&found, &all, *k)?;
            }
        }
    }

    #[test]
    fn needs_are_found_as_by_a_scan(
        demands in proptest::collection::vec(a_demand(), 0..600),
        changes in proptest::collection::vec(a_change(a_demand(), 700), 0..300),
        seekers in proptest::collection::vec((a_profile(), 0..40_usize), 1..12),
        shares in some_shares(),
    ) {
        let mut world: Vec<Option<Demand>> = demands.into_iter().map(Some).collect();
        let listed = world.iter().flatten().cloned().enumerate();
        let mut needs = Needs::build(listed.map(|(key, demand)| (key as u32, demand)));
        world.resize(700, None);
        for change in changes {
            let (key, new) = match change {
                Change::Put(key, demand) => (key, Some(demand)),
                Change::Remove(key) => (key, None),
                Change::Move(key, point) => {
                    let mut moved = world[key as usize].clone();
                    if let Some(site) = moved.as_mut().and_then(|demand| demand.query.site.as_mut()) {
                        site.point = point;
                    }
                    (key, moved)
                }
                Change::Load(key, filled) => {
                    (key, world[key as usize].clone().map(|demand| Demand { filled, ..demand }))
                }
            };
            match &new {
                Some(demand) => needs.put(key, demand),
                None => needs.remove(key),
            }
            world[key as usize] = new;
        }
        prop_assert_eq!(needs.len(), world.iter().flatten().count());
        for (profile, k) in seekers {
            let found = needs.board().search(&profile, shares, k, &mut AsIs);
            let all: Vec<_> = world
                .iter()
                .enumerate()
                .filter_map(|(key, demand)| {
                    let demand = demand.as_ref()?;
                    Some((key as u32, by_hand(&profile, &demand.query, shares, demand.filled)?))
                })
                .collect();
            agree(&found, &all, k)?;
        }
    }

    #[test]
    fn bounds_are_never_farther_than_what_they_hold(
        points in proptest::collection::vec(a_point(), 1..20),
        from in a_point(),
    ) {
        let mut bounds = sphere::Bounds::EMPTY;
        points.iter().for_each(|point| bounds.add(*point));
        let least = sphere::Origin::from(from).at_least(
            bounds.south, bounds.north, bounds.west, bounds.east, sphere::least_cos(&bounds),
        );
        for point in points {
            let metres = haversine(from, point);
            prop_assert!(f64::from(least) <= metres, "{} > {}", least, metres);
            let chord = distance(&from.vector(), &point.vector());
            prop_assert!((chord - metres).abs() < 1e-3 + metres * 1e-6, "{} {}", chord, metres);
        }
    }
}

/// Halves every score of an even key and refuses every third.
struct Strict;

impl Judge for Strict {
    type Tie = std::cmp::Reverse<u32>;

    fn judge(&mut self, key: u32, score: f64) -> Option<(f64, Self::Tie)> {
        let score = if key.is_multiple_of(2) {
            score / 2.0
        } else {
            score
        };
        (!key.is_multiple_of(3)).then_some((score, std::cmp::Reverse(key)))
    }
}

#[test]
fn a_judge_lowers_scores_refuses_and_breaks_ties() {
    let profile = Profile::default();
    let people = People::build(1, 3_000, |_, blank| {
        blank.clone_from(&profile);
        true
    });
    let query = Query {
        site: None,
        scale_m: 2_000.0,
        required: Vec::new(),
        wanted: Vec::new(),
        hours: Vec::new(),
        flags: 0,
        interest: None,
    };
    let shares = Shares::of([1.0; 5]);
    let found = people.crowd().search(&query, shares, 4, &mut Strict);
    let keys: Vec<_> = found.iter().map(|hit| hit.key).collect();
    assert_eq!(keys, [2_999, 2_995, 2_993, 2_989]);
    assert!(found.iter().all(|hit| (hit.score - 100.0).abs() < SAME));
}
