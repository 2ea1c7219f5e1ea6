//! From a plan to invitations, and from their answers to the next plan. Nobody is assigned: a pair of
//! the plan is an invitation, which the person accepts or not.

use std::collections::{BTreeMap, HashMap};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::model::{
    Assignment, BatchRound, BatchRoundId, RoundInvitation, RoundInvitationStatus, RoundStatus,
};
use super::planning::{PLAN, Planning};
use super::rules::{MOVES, Relation, readable, tally};
use super::service::{advance, current, is_repeat, relation, seen};
use super::store;
use crate::error::{Code, Error, FieldError, Problem, Result};
use crate::identity::{AccountId, Caller};
use crate::matching::NeedId;
use crate::matching::invitations::{self, Asker, Asking, Desk, Origin, Room};
use crate::matching::model::NeedKind;
use crate::matching::score;
use crate::matching::service::bars;
use crate::matching::store::{Batch, source};
use crate::notifications::{Kind, Notice, notify};
use crate::platform::columns::Uid;
use crate::platform::db::{Conn, Tx};
use crate::platform::journal::{Actor, Entry};
use crate::platform::lifecycle;
use crate::projects::RoleId;
use crate::projects::claims::ClaimId;

/// The job that sends the invitations of a plan.
pub const SEND: &str = "round.send";
/// Pairs that are invited in one transaction.
const PAIRS: i64 = 50;

/// What is to be sent.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Sending {
    /// Of which round.
    pub round_id: BatchRoundId,
    /// Which of its plans.
    pub number: i32,
}

/// How far the sending of a plan is.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// Pairs up to here were looked at; -1 before the first.
    pub up_to: i32,
    /// Whether some of them are to be asked another day.
    pub put_off: bool,
    /// Whether there are no more.
    pub is_all: bool,
}

impl Sent {
    /// Before the first pair.
    pub const NONE: Self = Self {
        up_to: -1,
        put_off: false,
        is_all: false,
    };
}

/// How the people of a plan are to be invited.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = RoundCommitment)]
pub struct Commitment {
    /// Hours in which an invitation may be answered; as many as is usual when left out.
    pub answer_hours: Option<i32>,
    /// Whether places that are declined are planned again and sent by themselves, as often as is
    /// configured, once everybody has answered.
    #[serde(default)]
    pub automatic: bool,
    /// What there is to say.
    #[serde(default)]
    #[validate(length(max = 500))]
    pub note: String,
}

/// Turns the plan into invitations, which the worker sends.
///
/// # Errors
/// `not_found`, `move_not_allowed`; `plan_outdated` where terms or locks were changed since; `nothing_planned` for
/// a plan without a pair; `invalid` for hours out of bounds.
pub fn commit(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: BatchRoundId,
    how: &Commitment,
) -> Result<BatchRound> {
    let round = seen(tx, caller, id)?;
    let relation = relation(tx.conn, caller, &round)?;
    lifecycle::may(MOVES, relation, "commit")?;
    if is_repeat(tx, &round, "commit", caller)? {
        return Ok(round);
    }
    lifecycle::step(MOVES, relation, round.status, "commit")?;
    let rules = &desk.matching.setting().matching.invitations;
    let (usual, most) = (rules.answer_hours, rules.longest_hours);
    let resolves = desk.matching.setting().matching.rounds.resolves;
    let hours = how.answer_hours.unwrap_or(usual);
    if !(1..=most).contains(&hours) {
        let mut field = FieldError::new("/answer_hours", Code::Range);
        field
            .detail
            .zh
            .push_str(&format!("（应在 1 到 {most} 之间）"));
        field
            .detail
            .en
            .push_str(&format!(" It must be between 1 and {most}."));
        let mut wrong = Problem::new(Code::Invalid);
        wrong.errors.push(field);
        return Err(wrong.into());
    }
    if round.is_edited {
        return Err(Code::PlanOutdated.into());
    }
    if current(tx.conn, &round)?.assigned == 0 {
        return Err(Code::NothingPlanned.into());
    }
    let by = (caller.actor(), caller.account);
    begin(tx, &round, by, |round| {
        round.answer_hours = hours;
        round.resolves_left = resolves;
        round.is_automatic = how.automatic;
        round.note.clone_from(&how.note);
    })
}

fn begin(
    tx: &mut Tx<'_>,
    round: &BatchRound,
    (actor, by): (Actor, AccountId),
    terms: impl FnOnce(&mut BatchRound),
) -> Result<BatchRound> {
    let moved = advance(tx, round, "commit", actor, None, |round| {
        round.committed_by = Some(by);
        terms(round);
    })?;
    let job = Sending {
        round_id: round.id,
        number: round.plan_number,
    };
    tx.enqueue(SEND, &job, tx.now)?;
    Ok(moved)
}

/// Goes on by itself with a plan that was made anew after answers: sends it, or ends the round where
/// it has nothing more to send.
pub(super) fn go_on(tx: &mut Tx<'_>, round: &BatchRound, assigned: i32) -> Result<()> {
    let Some(by) = round.committed_by.filter(|_| round.goes_on) else {
        return Ok(());
    };
    // in whose name it goes on must still be entitled to it
    let coordinator = Caller::acting(tx.conn, by)?;
    if assigned == 0 || relation(tx.conn, &coordinator, round)? == Relation::default() {
        return finish(tx, round);
    }
    begin(tx, round, (Actor::System, by), |round| {
        round.goes_on = false
    })
    .map(|_| ())
}

/// Ends a round that has nothing more to plan, and tells who opened it.
pub(super) fn finish(tx: &mut Tx<'_>, round: &BatchRound) -> Result<()> {
    advance(tx, round, "finish", Actor::System, None, |round| {
        round.goes_on = false;
    })?;
    tell_figures(tx, round)
}

fn tell_figures(tx: &mut Tx<'_>, round: &BatchRound) -> Result<()> {
    let counts = store::counts(tx.conn, round.id)?;
    let of = |status| tally(&counts, &[status]);
    let (accepted, declined) = (
        of(RoundInvitationStatus::Accepted),
        of(RoundInvitationStatus::Declined),
    );
    let all: i64 = counts.iter().map(|(_, count)| count).sum();
    let subject = ("round", round.id.0);
    let told = Notice::titled(round.created_by, Kind::RoundFinished, subject, &round.title)
        .with("accepted", accepted.to_string())
        .with("declined", declined.to_string())
        .with("left", (all - accepted - declined).to_string());
    notify(tx, &told)
}

/// Sends the next invitations of a plan. Sending again goes on where it stopped. Who was asked often
/// enough today, or for a project that is suspended, is asked tomorrow, by another job.
///
/// # Errors
/// Those of the database.
pub fn send_some(tx: &mut Tx<'_>, desk: &Desk, job: Sending, sent: Sent) -> Result<Sent> {
    let over = Sent {
        is_all: true,
        ..sent
    };
    tx.serialize_on(&format!("round:{}", job.round_id))?;
    let round = store::round(tx.conn, job.round_id)?;
    let (Some(by), RoundStatus::Committed) = (round.committed_by, round.status) else {
        return Ok(over);
    };
    if round.plan_number != job.number {
        return Ok(over);
    }
    let plan = current(tx.conn, &round)?;
    let pairs = store::unsent(tx.conn, round.id, plan.id, sent.up_to, PAIRS)?;
    let mut sent = Sent {
        up_to: pairs.last().map_or(sent.up_to, |pair| pair.number),
        is_all: (pairs.len() as i64) < PAIRS,
        ..sent
    };
    let mut by_need: BTreeMap<NeedId, Vec<Assignment>> = BTreeMap::new();
    for pair in pairs {
        let need = NeedId {
            id: pair.need_id.0,
            kind: pair.need_kind,
        };
        by_need.entry(need).or_default().push(pair);
    }
    for (need, pairs) in by_need {
        sent.put_off |= invite(tx, desk, &round, by, need, pairs)?;
    }
    if sent.is_all {
        if sent.put_off {
            let (_, tomorrow) = invitations::day_of(tx.now, tx.zone);
            tx.enqueue(SEND, &job, tomorrow)?;
        }
        settle(tx, &round)?;
    }
    Ok(sent)
}

/// Invites the people of one need, into crews that have room; whether some are to be asked another day.
fn invite(
    tx: &mut Tx<'_>,
    desk: &Desk,
    round: &BatchRound,
    by: AccountId,
    need: NeedId,
    pairs: Vec<Assignment>,
) -> Result<bool> {
    let Some(mut rooms) = rooms(tx, round, need)? else {
        return Ok(true);
    };
    let mut put_off = false;
    let mut groups: HashMap<Option<ClaimId>, Vec<Assignment>> = HashMap::new();
    let world = desk.matching.world();
    // much may have happened since it was planned
    let batch = Batch {
        people: pairs.iter().map(|pair| pair.account_id).collect(),
        needs: vec![need.id],
        now: tx.now,
    };
    let blocks = invitations::blocks_of(tx.conn, &batch.people)?;
    let barred: HashMap<_, _> = bars(tx.conn, &desk.matching, need.kind, &batch)?
        .into_iter()
        .map(|bar| (bar.person, bar.code))
        .collect();
    for pair in pairs {
        let is_fit = world.need(need).zip(world.person(pair.account_id));
        let is_fit =
            is_fit.is_some_and(|(need, person)| score::is_eligible(&person, &need, tx.today()));
        let bar = match barred.get(&pair.account_id) {
            Some(code) => Some(*code),
            None => (!is_fit).then_some(Code::NotAvailable),
        };
        let with_room = rooms.iter_mut().filter(|crew| crew.places > 0);
        let (blocked, free): (Vec<_>, Vec<_>) =
            with_room.partition(|crew| blocks.hold(pair.account_id, &crew.leader));
        let crew = free.into_iter().max_by_key(|crew| crew.places);
        match (crew, bar) {
            (None, _) if blocked.is_empty() => {
                note(tx, round, &pair, None, Err(Code::CapacityFull))?;
            }
            (None, _) => note(tx, round, &pair, None, Err(Code::Blocked))?,
            (Some(_), Some(code)) => note(tx, round, &pair, None, Err(code))?,
            (Some(crew), None) => {
                crew.places -= 1;
                groups.entry(crew.claim).or_default().push(pair);
            }
        }
    }
    for (claim, pairs) in groups {
        let asking = Asking {
            need,
            claim,
            origin: Origin::ByHand,
            by,
            organization: None,
            note: round.note.clone(),
            expires_at: tx.now + TimeDelta::hours(round.answer_hours.into()),
        };
        let people: Vec<_> = pairs
            .iter()
            .map(|pair| (pair.account_id, Some(pair.score)))
            .collect();
        let sent: HashMap<_, _> = invitations::send(tx, desk, &asking, &people)?
            .into_iter()
            .collect();
        for pair in &pairs {
            match sent.get(&pair.account_id).copied() {
                // asked often enough today
                Some(Err(Code::DailyCap)) => put_off = true,
                Some(outcome) => note(tx, round, pair, claim, outcome.map(|id| id.0))?,
                None => note(tx, round, pair, claim, Err(Code::NotAvailable))?,
            }
        }
    }
    Ok(put_off)
}

/// A crew that people of a round go to.
struct CrewRoom {
    /// Of which claim; none for a wish.
    claim: Option<ClaimId>,
    /// Who leads it.
    leader: Asker,
    /// The places it has.
    places: i64,
}

/// The crews that a need's people go to, with the places each has beside the round's open invitations;
/// a wish is one without a crew. None while nobody is taken, but may be later.
fn rooms(tx: &mut Tx<'_>, round: &BatchRound, need: NeedId) -> Result<Option<Vec<CrewRoom>>> {
    let crews: Vec<(Option<ClaimId>, Asker)> = match need.kind {
        NeedKind::Wish => vec![(None, Asker::default())],
        NeedKind::ProjectRole => store::crews_of(tx.conn, RoleId(need.id))?
            .iter()
            .map(|claim| (Some(claim.id), Asker::from(claim)))
            .collect(),
    };
    let waiting = store::waiting_by_crew(tx.conn, round.id, need)?;
    let mut rooms = Vec::with_capacity(crews.len());
    for (claim, leader) in crews {
        let room = (source(need.kind)?.room)(tx.conn, need.id, claim, tx.today())?;
        let places = match room {
            Room::Places(places) => i64::from(places),
            Room::Gone => 0,
            Room::Paused => return Ok(None),
        };
        let taken = waiting.iter().filter(|of| **of == claim).count() as i64;
        rooms.push(CrewRoom {
            claim,
            leader,
            places: places - taken,
        });
    }
    Ok(Some(rooms))
}

/// Notes what became of a pair: the invitation, or why there is none.
fn note(
    tx: &mut Tx<'_>,
    round: &BatchRound,
    pair: &Assignment,
    claim: Option<ClaimId>,
    outcome: Result<uuid::Uuid, Code>,
) -> Result<()> {
    let row = RoundInvitation {
        round_id: round.id,
        plan_number: round.plan_number,
        number: pair.number,
        account_id: pair.account_id,
        need_kind: pair.need_kind,
        need_id: pair.need_id,
        title: pair.title.clone(),
        score: pair.score,
        claim_id: claim.filter(|_| outcome.is_ok()),
        invitation_id: outcome.ok().map(Uid),
        code: outcome.err().map(|code| readable(code).as_str().to_owned()),
        status: match outcome {
            Ok(_) => RoundInvitationStatus::Open,
            Err(_) => RoundInvitationStatus::NotSent,
        },
        status_since: tx.now,
    };
    store::insert_invitation(tx.conn, &row)
}

/// Whether an invitation was sent by a round.
///
/// # Errors
/// Those of the database.
pub fn has_sent(conn: &mut Conn, invitation: uuid::Uuid) -> Result<bool> {
    Ok(store::round_of_invitation(conn, Uid(invitation))?.is_some())
}

/// A reaction: what becomes of the round's invitations is noted, and once all are answered the round
/// goes on. Reacting twice is reacting once.
///
/// # Errors
/// Those of the database.
pub fn react(tx: &mut Tx<'_>, entry: &Entry) -> Result<()> {
    let status = match entry.kind.as_str() {
        "invitation.accept" => RoundInvitationStatus::Accepted,
        "invitation.decline" | "invitation.dismiss" | "invitation.block" => {
            RoundInvitationStatus::Declined
        }
        "invitation.expire" => RoundInvitationStatus::Expired,
        "invitation.cancel" | "invitation.close" => RoundInvitationStatus::Ended,
        _ => return Ok(()),
    };
    let Some(id) = store::round_of_invitation(tx.conn, entry.subject_id)? else {
        return Ok(());
    };
    tx.serialize_on(&format!("round:{id}"))?;
    if !store::answer(tx.conn, entry.subject_id, status, tx.now)? {
        return Ok(());
    }
    let round = store::round(tx.conn, id)?;
    settle(tx, &round)
}

/// Goes on once all invitations of a round are sent and answered: plans what is left anew, as often as
/// is wanted, or tells the figures.
fn settle(tx: &mut Tx<'_>, round: &BatchRound) -> Result<()> {
    if round.status != RoundStatus::Committed {
        return Ok(());
    }
    let plan = current(tx.conn, round)?;
    let counts = store::counts(tx.conn, round.id)?;
    let is_open = tally(&counts, &[RoundInvitationStatus::Open]) > 0
        || !store::unsent(tx.conn, round.id, plan.id, Sent::NONE.up_to, 1)?.is_empty();
    if is_open {
        return Ok(());
    }
    if !round.is_automatic {
        return tell_figures(tx, round);
    }
    let all: i64 = counts.iter().map(|(_, count)| count).sum();
    let is_left = tally(&counts, &[RoundInvitationStatus::Accepted]) < all || plan.free_places > 0;
    if !is_left || round.resolves_left <= 0 {
        return finish(tx, round);
    }
    let moved = advance(tx, round, "plan", Actor::System, None, |round| {
        round.goes_on = true;
        round.resolves_left -= 1;
        round.failure = None;
    })?;
    let job = Planning {
        round_id: round.id,
        version: moved.version,
    };
    tx.enqueue(PLAN, &job, tx.now)?;
    Ok(())
}

/// Ends a round. Who was invited may answer as long as they were told.
///
/// # Errors
/// `not_found`, `move_not_allowed`.
pub fn close(tx: &mut Tx<'_>, caller: &Caller, id: BatchRoundId) -> Result<BatchRound> {
    let round = seen(tx, caller, id)?;
    lifecycle::may(MOVES, relation(tx.conn, caller, &round)?, "close")?;
    if is_repeat(tx, &round, "close", caller)? {
        return Ok(round);
    }
    advance(tx, &round, "close", caller.actor(), None, |round| {
        round.goes_on = false;
    })
}

/// Sends all invitations of a plan, so many in a transaction that others write between.
///
/// # Errors
/// Those of the database.
pub async fn send(desk: &Desk, db: &crate::platform::db::Db, job: Sending) -> Result<()> {
    desk.matching.follow();
    desk.matching.until_ready().await;
    desk.matching.until_current().await?;
    let mut sent = Sent::NONE;
    loop {
        let desk = desk.clone();
        match db.write(move |tx| send_some(tx, &desk, job, sent)).await {
            Ok(Sent { is_all: true, .. }) => return Ok(()),
            Ok(some) => sent = some,
            Err(Error::Problem(problem)) if problem.code == Code::NotFound => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}
