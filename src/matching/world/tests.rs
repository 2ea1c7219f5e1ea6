use super::*;
use crate::matching::samples::{TODAY, need, person, weights};
use crate::matching::{Hours, Whereabouts};
use proptest::prelude::*;
use uuid::Uuid;

fn terms() -> Terms {
    Terms {
        weights: weights(),
        today: TODAY,
    }
}

/// People and needs with few different scores, so that there are many ties.
fn a_world() -> impl Strategy<Value = World> {
    let people = prop::collection::vec((0_u32..3, any::<bool>(), any::<bool>()), 0..40);
    let needs = prop::collection::vec((0_u32..3, prop::option::of(0_i64..3)), 0..40);
    (people, needs).prop_map(|(people, needs)| {
        let mut world = World::default();
        for (n, (commitments, agrees, near)) in people.into_iter().enumerate() {
            let mut person = person(n as u128 + 1);
            person.commitments = commitments;
            person.agrees = agrees;
            if !near {
                person.places.clear();
            }
            world.put_person(person);
        }
        for (n, (filled, starts)) in needs.into_iter().enumerate() {
            let mut need = need(n as u128 + 1);
            need.filled = filled;
            need.places = 2;
            need.hours = Hours::default();
            need.starts_at = starts.and_then(|day| Instant::from_micros(day * 86_400_000_000));
            world.put_need(need);
        }
        world
    })
}

proptest! {
    #[test]
    fn the_best_are_the_first_of_all_sorted(world in a_world(), k in 0_usize..50) {
        let need = need(1000);
        let mut all: Vec<_> = world
            .people
            .values()
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
    fn needs_come_by_score_then_start_then_id(world in a_world(), k in 0_usize..50) {
        let person = person(1000);
        let mut all: Vec<_> = world
            .needs
            .values()
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
        let open = world.needs.values().filter(|need| need.filled < need.places);
        let mut expected: Vec<_> = open.map(|need| place(need)).collect();
        expected.sort();
        prop_assert_eq!(seen, expected);
    }
}

#[test]
fn a_query_narrows_by_kind_and_region() {
    let mut world = World::default();
    let mut other = need(2);
    other.id.kind = NeedKind::ProjectRole;
    other.regions = vec![RegionId(Uuid::from_u128(77))];
    other.whereabouts = Whereabouts::Remote;
    world.put_need(need(1));
    world.put_need(other.clone());
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
        region: Some(other.regions[0]),
        ..Wanting::default()
    };
    assert_eq!(found(there), [other.id.id]);
    let except = Wanting {
        except: vec![NeedKind::ProjectRole],
        ..Wanting::default()
    };
    assert_eq!(found(except), [need(1).id.id]);
}
