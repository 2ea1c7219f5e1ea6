//! The job that plans a round: off the request path, without a lock over its work, and never taken
//! over twice. What is read is read in batches, the solver has a thread of its own, and what comes out
//! is written in parts, so that others write between them; the last write takes the plan over, if the
//! round still waits for just this planning.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::columns;
use super::model::{
    Assignment, BatchRound, BatchRoundId, ColumnPart, Lock, LockId, NeedRow, PersonRow,
    RoundInvitationStatus, RoundPlan, RoundPlanId, RoundStatus,
};
use super::planner::{self, Bars, Former, Held, Material, Outcome, UNITS};
use super::rules::readable;
use super::sending;
use super::service::{self, advance, check_size, refusal};
use super::store;
use crate::error::{Code, Error, Result};
use crate::identity::AccountId;
use crate::matching::invitations::{self, Asker};
use crate::matching::model::{Need, Person};
use crate::matching::projection::Matching;
use crate::matching::service::{bars, bars_to_asking};
use crate::matching::store::{Batch, SOURCES};
use crate::matching::world::Terms;
use crate::notifications::{Kind, Notice, notify};
use crate::platform::Platform;
use crate::platform::columns::{Json, Uid};
use crate::platform::db::Tx;
use crate::platform::journal::Actor;

/// The job.
pub const PLAN: &str = "round.plan";

/// People whose bars are asked for at once.
const PEOPLE: usize = 500;
/// Rows that are written at once.
const ROWS: usize = 1_000;

/// What is to be planned.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Planning {
    /// Which round.
    pub round_id: BatchRoundId,
    /// Its version while it waits for this planning.
    pub version: i32,
}

/// What the database says of a round.
struct Seen {
    round: BatchRound,
    locks: Vec<Lock>,
    people: Vec<AccountId>,
    needs: Vec<Arc<Need>>,
    former: planner::Formers,
    sent: Vec<store::Sent>,
}

/// Plans a round, if it still waits for this planning.
///
/// # Errors
/// What is worth another try. What another try would not mend is told to who opened the round.
pub async fn perform(platform: &Platform, matching: &Matching, job: Planning) -> Result<()> {
    let planned = plan(platform, matching, job).await;
    let Err(error) = planned else { return Ok(()) };
    let is_passing = matches!(error.code(), Code::Overloaded | Code::InternalError);
    if is_passing {
        return Err(error);
    }
    let code = refusal(error)?;
    platform.db.write(move |tx| fail(tx, job, code)).await
}

/// Ends a planning that failed too often.
///
/// # Errors
/// Those of the database.
pub fn give_up(tx: &mut Tx<'_>, job: Planning) -> Result<()> {
    fail(tx, job, Code::InternalError)
}

/// The round, while it waits for this planning.
fn waiting(tx: &mut Tx<'_>, job: Planning) -> Result<Option<BatchRound>> {
    tx.serialize_on(&format!("round:{}", job.round_id))?;
    let round = store::round(tx.conn, job.round_id)?;
    Ok(waits(&round, job).then_some(round))
}

fn waits(round: &BatchRound, job: Planning) -> bool {
    round.status == RoundStatus::Planning && round.version == job.version
}

fn fail(tx: &mut Tx<'_>, job: Planning, code: Code) -> Result<()> {
    let Some(round) = waiting(tx, job)? else {
        return Ok(());
    };
    let is_over = matches!(code, Code::RoundWithoutNeeds | Code::RoundWithoutPeople);
    if round.goes_on && is_over {
        return sending::finish(tx, &round);
    }
    advance(tx, &round, "fail", Actor::System, None, |round| {
        round.failure = Some(code.as_str().to_owned());
    })?;
    let (zh, en) = code.title();
    let notice = notice(&round, Kind::RoundPlanFailed);
    notify(tx, &notice.with("reason_zh", zh).with("reason_en", en))
}

fn notice(round: &BatchRound, kind: Kind) -> Notice {
    Notice::titled(round.created_by, kind, ("round", round.id.0), &round.title)
}

async fn plan(platform: &Platform, matching: &Matching, job: Planning) -> Result<()> {
    // a process that only works has not built the world yet
    matching.follow();
    matching.until_ready().await;
    matching.until_current().await?;
    let Some(seen) = look(platform, matching, job).await? else {
        return Ok(());
    };
    let round = seen.round.clone();
    let locks: Vec<_> = seen.locks.iter().map(|lock| lock.id).collect();
    let material = gather(platform, matching, seen).await?;
    let clock = platform.clock.clone();
    let solving = tokio::task::spawn_blocking(move || planner::plan(&material, || clock.now()));
    let outcome = solving.await.map_err(Error::internal)?;
    keep(platform, matching, job, &round, &locks, outcome).await
}

async fn look(platform: &Platform, matching: &Matching, job: Planning) -> Result<Option<Seen>> {
    let (matching, zone, now) = (matching.clone(), platform.zone, platform.clock.now());
    let read = platform.db.read(move |conn| {
        let round = store::round(conn, job.round_id)?;
        if !waits(&round, job) {
            return Ok(None);
        }
        let locks = store::locks(conn, round.id)?;
        let people = store::volunteers_of(conn, round.people_region_id)?;
        let roles = service::roles(conn, &round)?;
        let today = now.with_timezone(&zone).date_naive();
        let needs = service::needs(&matching, &round, &roles, today);
        let former = match store::plan(conn, round.id, round.plan_number)? {
            Some(plan) => store::chosen(conn, plan.id)?,
            None => Vec::new(),
        };
        let sent = store::sent(conn, round.id)?;
        // what was sent is no change of the plan
        let known: HashSet<_> = sent
            .iter()
            .map(|(person, need, _)| (*person, *need))
            .collect();
        let former = former
            .into_iter()
            .filter(|(person, need, _)| !known.contains(&(*person, *need)));
        let former = former.map(|(person, need, row)| {
            let former = Former {
                title: row.title,
                score: row.score,
                factors: row.factors.0,
            };
            ((person, need), former)
        });
        Ok(Some(Seen {
            locks,
            people,
            needs,
            former: former.collect(),
            sent,
            round,
        }))
    });
    read.await
}

async fn gather(platform: &Platform, matching: &Matching, seen: Seen) -> Result<Material> {
    let world = matching.world();
    let people: Vec<Arc<Person>> = seen
        .people
        .iter()
        .filter_map(|id| world.person(*id))
        .collect();
    drop(world);
    let setting = matching.setting();
    check_size(
        &setting.matching.rounds,
        people.len() as i64,
        seen.needs.len(),
    )?;
    let now = platform.clock.now();
    let asker = Asker {
        accounts: vec![seen.round.committed_by.unwrap_or(seen.round.created_by)],
        organizations: Vec::new(),
    };
    let mut barred = Bars::default();
    for source in SOURCES {
        let of_kind = seen.needs.iter().filter(|need| need.id.kind == source.kind);
        let needs: Vec<_> = of_kind.map(|need| need.id.id).collect();
        if needs.is_empty() {
            continue;
        }
        let of_kind = needs.clone();
        let leaders = platform
            .db
            .read(move |conn| (source.askers)(conn, &of_kind));
        let leaders = Arc::new(leaders.await?);
        for some in people.chunks(PEOPLE) {
            let batch = Batch {
                people: some.iter().map(|person| person.id).collect(),
                needs: needs.clone(),
                now,
            };
            let (matching, kind) = (matching.clone(), source.kind);
            let (asker, leaders) = (asker.clone(), leaders.clone());
            let read = platform.db.read(move |conn| {
                let mut found = bars(conn, &matching, kind, &batch)?;
                // who was asked often enough today may be asked when the plan is sent
                let not_asked = bars_to_asking(conn, &matching, &batch, &asker)?;
                let lasting = not_asked
                    .into_iter()
                    .filter(|bar| bar.code != Code::DailyCap);
                found.extend(lasting);
                // the coordinator asks, and one would join those who lead the crew
                found.extend(invitations::barred_by_crews(conn, &batch, &leaders)?);
                Ok(found)
            });
            barred.add(kind, read.await?);
        }
    }
    let held = |lock: &Lock| Held {
        kind: lock.kind,
        person: lock.account_id,
        need: lock.need(),
    };
    let (mut busy, mut reserved) = (HashMap::new(), HashMap::new());
    let (mut sent, mut open) = (HashSet::new(), HashSet::new());
    for (person, need, status) in seen.sent {
        if matches!(
            status,
            RoundInvitationStatus::Open | RoundInvitationStatus::Accepted
        ) {
            *busy.entry(person).or_default() += 1;
        }
        if status == RoundInvitationStatus::Open {
            *reserved.entry(need).or_default() += 1;
            open.insert((person, need));
        }
        // what the organiser or others ended, and what never went out, may be asked again
        if !matches!(
            status,
            RoundInvitationStatus::Ended | RoundInvitationStatus::NotSent
        ) {
            sent.insert((person, need));
        }
    }
    let rules = &setting.matching.rounds;
    Ok(Material {
        people,
        needs: seen.needs,
        bars: barred,
        locks: seen.locks.iter().map(held).collect(),
        former: seen.former,
        busy,
        reserved,
        sent,
        open,
        places: u32::try_from(seen.round.places_per_person).unwrap_or(1),
        terms: Terms {
            weights: setting.matching.weights,
            today: now.with_timezone(&platform.zone).date_naive(),
        },
        candidates_per_person: rules.candidates_per_person,
        candidates_per_need: rules.candidates_per_need,
    })
}

fn count(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

fn codes(codes: &[Code]) -> Json<Vec<String>> {
    Json(codes.iter().map(|code| code.as_str().to_owned()).collect())
}

/// Writes what came out, in parts, and takes it over.
async fn keep(
    platform: &Platform,
    matching: &Matching,
    job: Planning,
    round: &BatchRound,
    locks: &[LockId],
    outcome: Outcome,
) -> Result<()> {
    let (db, vault) = (&platform.db, &platform.vault);
    let setting = matching.setting();
    let plan_id = RoundPlanId::new();
    let (kept, kept_total) = outcome.kept;
    let assigned = kept + outcome.solved.chosen.len();
    let free = outcome
        .needs
        .iter()
        .map(|need| i64::from(need.places - need.assigned));
    let row = RoundPlan {
        id: plan_id,
        round_id: round.id,
        number: None,
        people: count(outcome.people.len()),
        needs: count(outcome.needs.len()),
        pairs: outcome.problem.pairs.len() as i64,
        assigned: count(assigned),
        kept: count(kept),
        without_place: count(outcome.people.iter().filter(|p| p.assigned == 0).count()),
        free_places: free.sum(),
        total: outcome.solved.total + kept_total,
        kept_total,
        upper_bound: outcome.solved.upper_bound + kept_total as f64,
        greedy_assigned: count(outcome.greedy.0),
        greedy_total: outcome.greedy.1,
        seconds: outcome.seconds,
        weights_version: i32::try_from(setting.matching.weights_version).unwrap_or(i32::MAX),
        weights: Json(setting.matching.weights),
        created_at: platform.clock.now(),
    };
    let plan = row.clone();
    db.write(move |tx| store::insert_plan(tx.conn, &row))
        .await?;
    let columns = columns::of(&outcome.problem, &outcome.solved);
    let people: Vec<_> = (0..)
        .zip(outcome.people)
        .map(|(number, person)| PersonRow {
            plan_id,
            number,
            account_id: person.id,
            pseudonym: service::pseudonym(vault, round.id, person.id),
            places: i32::try_from(person.places).unwrap_or(i32::MAX),
            assigned: i32::try_from(person.assigned).unwrap_or(i32::MAX),
            candidates: count(person.candidates),
            reason: person.reason,
            codes: codes(&person.codes),
        })
        .collect();
    for rows in people.chunks(ROWS).map(<[_]>::to_vec) {
        db.write(move |tx| store::insert_people(tx.conn, &rows))
            .await?;
    }
    let needs: Vec<_> = (0..)
        .zip(outcome.needs)
        .map(|(number, need)| NeedRow {
            plan_id,
            number,
            need_kind: need.id.kind,
            need_id: Uid(need.id.id),
            title: need.title,
            places: i32::try_from(need.places).unwrap_or(i32::MAX),
            assigned: i32::try_from(need.assigned).unwrap_or(i32::MAX),
            candidates: count(need.candidates),
            price: need.price,
            reason: need.reason,
            codes: codes(&need.codes),
        })
        .collect();
    for rows in needs.chunks(ROWS).map(<[_]>::to_vec) {
        db.write(move |tx| store::insert_needs(tx.conn, &rows))
            .await?;
    }
    // by need, the best first
    let mut pairs = outcome.pairs;
    pairs.sort_by(|a, b| {
        let key = (a.need, b.need, a.person, b.person);
        key.0
            .cmp(&key.1)
            .then(b.score.total_cmp(&a.score))
            .then(key.2.cmp(&key.3))
    });
    let pairs: Vec<_> = (0..)
        .zip(pairs)
        .map(|(number, pair)| Assignment {
            plan_id,
            number,
            account_id: pair.person,
            need_kind: pair.need.kind,
            need_id: Uid(pair.need.id),
            title: pair.title,
            score: pair.score,
            factors: Json(pair.factors),
            in_plan: pair.in_plan,
            in_greedy: pair.in_greedy,
            in_former: pair.in_former,
            is_kept: pair.is_kept,
        })
        .collect();
    for rows in pairs.chunks(ROWS).map(<[_]>::to_vec) {
        db.write(move |tx| store::insert_assignments(tx.conn, &rows))
            .await?;
    }
    for (name, column) in &columns {
        for (part, data) in columns::parts(column) {
            let part = ColumnPart {
                plan_id,
                name: (*name).to_owned(),
                part,
                data: data.to_vec(),
            };
            db.write(move |tx| store::insert_column(tx.conn, &part))
                .await?;
        }
    }
    let dropped = outcome.dropped.into_iter().filter_map(|(n, code)| {
        let lock = locks.get(n)?;
        Some((*lock, readable(code).as_str()))
    });
    let dropped: Vec<_> = dropped.collect();
    db.write(move |tx| take_over(tx, job, &plan, &dropped))
        .await
}

/// Makes the plan the one that holds, unless the round does not wait for it any more.
fn take_over(
    tx: &mut Tx<'_>,
    job: Planning,
    plan: &RoundPlan,
    dropped: &[(LockId, &'static str)],
) -> Result<()> {
    let Some(round) = waiting(tx, job)? else {
        return Ok(());
    };
    store::number_plan(tx.conn, plan.id, round.plan_number + 1)?;
    store::note_refusals(tx.conn, round.id, dropped)?;
    let round = advance(tx, &round, "solve", Actor::System, None, |round| {
        round.plan_number += 1;
        round.is_edited = false;
    })?;
    let told = notice(&round, Kind::RoundPlanned)
        .with("assigned", plan.assigned.to_string())
        .with("left", plan.without_place.to_string())
        .with("free", plan.free_places.to_string())
        .with("total", format!("{:.1}", plan.total as f64 / UNITS));
    notify(tx, &told)?;
    sending::go_on(tx, &round, plan.assigned)
}
