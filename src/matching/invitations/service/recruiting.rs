//! Asking people in waves.

use chrono::TimeDelta;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::asking::check_may_invite;
use super::{Asking, Desk, Origin, about, organizes, send};
use crate::error::{Code, Error, Problem, Result};
use crate::identity::Caller;
use crate::matching::NeedId;
use crate::matching::invitations::model::{Recruitment, RecruitmentId, RecruitmentStatus};
use crate::matching::invitations::rules::{RECRUITMENT, Relation, Step, chosen, next};
use crate::matching::invitations::store::{self, Asker, day_of};
use crate::matching::service::{self, Moment, check_may_ask};
use crate::matching::store::source;
use crate::notifications::{Kind, Notice, notify};
use crate::platform::clock::Instant;
use crate::platform::columns::Uid;
use crate::platform::db::{Conn, Tx};
use crate::platform::journal::{Actor, Change};
use crate::platform::lifecycle;
use crate::projects::claims::ClaimId;

/// Why a recruitment stops by itself once who began it has lost the right to.
const NOT_IN_CHARGE: &str =
    "发起人不再负责该需求 / who began it is not in charge of the need any more";

/// A recruitment as it is begun.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewRecruitment {
    /// For which crew, of a role: the claim, one that the caller leads. None for a wish.
    pub claim_id: Option<ClaimId>,
    /// How many people are asked at once; as configured when left out.
    pub size: Option<i32>,
    /// Hours in which each may answer; as configured when left out.
    pub hours: Option<i32>,
    /// How many waves at the most; as configured when left out.
    pub max_waves: Option<i32>,
    /// What there is to say to those invited.
    #[serde(default)]
    #[validate(length(max = 500))]
    pub note: String,
}

/// Begins to ask people for a need, the best first, and sends the first wave. The same again, while
/// it goes on, is answered as the first time.
///
/// # Errors
/// Those of [`check_may_invite`], `recruiting_already`, and `invalid` with every number out of bounds.
pub fn start(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    need: NeedId,
    new: &NewRecruitment,
) -> Result<Recruitment> {
    let rules = &desk.matching.setting().matching.invitations;
    let mut wrong = Problem::new(Code::Invalid);
    let size = (rules.wave_size, rules.largest_wave);
    let size = chosen(&mut wrong, "/size", new.size, size);
    let hours = (rules.answer_hours, rules.longest_hours);
    let hours = chosen(&mut wrong, "/hours", new.hours, hours);
    let waves = (rules.waves, rules.most_waves);
    let max_waves = chosen(&mut wrong, "/max_waves", new.max_waves, waves);
    if !wrong.errors.is_empty() {
        return Err(wrong.into());
    }
    let organization_id = check_may_invite(tx, caller, need, new.claim_id)?;
    tx.serialize_on(&format!("recruitments:{}", need.id))?;
    if let Some(running) = store::running(tx.conn, need, new.claim_id)? {
        let is_same = running.started_by == caller.account
            && (running.size, running.hours, running.max_waves) == (size, hours, max_waves)
            && running.note == new.note;
        return match is_same {
            true => Ok(running),
            false => Err(Code::RecruitingAlready.into()),
        };
    }
    let recruitment = Recruitment {
        id: RecruitmentId::new(),
        need_kind: need.kind,
        need_id: Uid(need.id),
        claim_id: new.claim_id,
        started_by: caller.account,
        organization_id,
        size,
        hours,
        note: new.note.clone(),
        max_waves,
        wave: 0,
        status: RecruitmentStatus::Running,
        status_since: tx.now,
        reason: None,
        due_at: Some(tx.now),
        version: 1,
        created_at: tx.now,
    };
    store::insert_recruitment(tx.conn, &recruitment)?;
    let entry = change(tx.conn, &recruitment, caller.actor(), "start")?;
    tx.journal(entry)?;
    move_on(tx, desk, recruitment)
}

/// Moves a recruitment on, if it is due: one transaction of whichever worker comes first.
///
/// # Errors
/// Those of the database.
pub fn step(tx: &mut Tx<'_>, desk: &Desk, id: RecruitmentId) -> Result<()> {
    tx.serialize_on(&format!("recruitment:{id}"))?;
    // read once nobody else moves it
    let seen = store::recruitment(tx.conn, id)?;
    let is_due = seen.due_at.is_some_and(|due| due <= tx.now);
    if seen.status == RecruitmentStatus::Running && is_due {
        move_on(tx, desk, seen)?;
    }
    Ok(())
}

fn move_on(tx: &mut Tx<'_>, desk: &Desk, seen: Recruitment) -> Result<Recruitment> {
    let (need, today) = (seen.need(), tx.today());
    if seen.organization_id.is_none() {
        // an organisation goes on whoever began it; who asked in person must still be entitled to
        let starter = Caller::acting(tx.conn, seen.started_by)?;
        if !organizes(tx.conn, &starter, need, seen.started_by, None)? {
            return end(tx, seen, "stop", Actor::System, Some(NOT_IN_CHARGE));
        }
    }
    let room = (source(need.kind)?.room)(tx.conn, need.id, seen.claim_id, today)?;
    let (open, first_ends) = store::open_of(tx.conn, seen.id)?;
    let size = usize::try_from(seen.size).unwrap_or(0);
    match next(room, open, size, (seen.wave, seen.max_waves)) {
        Step::Wait => wait(tx, seen, first_ends),
        Step::End(verb) => end(tx, seen, verb, Actor::System, None),
        Step::Ask(more) => ask(tx, desk, seen, (open, first_ends), more),
    }
}

fn ask(
    tx: &mut Tx<'_>,
    desk: &Desk,
    seen: Recruitment,
    (open, first_ends): (usize, Option<Instant>),
    more: usize,
) -> Result<Recruitment> {
    let matching = &desk.matching;
    let Some(need) = matching.world().need(seen.need()) else {
        // what is open is not in the world yet
        let soon = tx.now + TimeDelta::seconds(5);
        return wait(tx, seen, Some(soon));
    };
    let asker = Asker {
        accounts: vec![seen.started_by],
        organizations: seen.organization_id.into_iter().collect(),
    };
    let moment = Moment::at(matching, tx.now);
    let found = service::people_for(tx.conn, matching, &need, &moment, &asker, more)?;
    let wave = seen.wave + 1;
    let asking = Asking {
        need: seen.need(),
        claim: seen.claim_id,
        origin: Origin::Wave(seen.id, wave),
        by: seen.started_by,
        organization: seen.organization_id,
        note: seen.note.clone(),
        expires_at: tx.now + TimeDelta::hours(seen.hours.into()),
    };
    let people: Vec<_> = found
        .hits
        .iter()
        .map(|hit| (hit.what.id, Some(hit.score)))
        .collect();
    let sent = send(tx, desk, &asking, &people)?;
    if sent.iter().any(|(_, sent)| sent.is_ok()) {
        let asked = Recruitment {
            wave,
            ..seen.clone()
        };
        let entry = change(tx.conn, &asked, Actor::System, "wave")?;
        tx.journal(entry)?;
        let first_ends = first_ends.unwrap_or(asking.expires_at);
        return wait(tx, asked, Some(first_ends.min(asking.expires_at)));
    }
    // somebody who was asked for something else at this very moment may be asked tomorrow
    if found.put_off || !people.is_empty() {
        let (_, tomorrow) = day_of(tx.now, tx.zone);
        let first_ends = first_ends.unwrap_or(tomorrow);
        return wait(tx, seen, Some(first_ends.min(tomorrow)));
    }
    if open == 0 {
        return end(tx, seen, "exhaust", Actor::System, None);
    }
    wait(tx, seen, first_ends)
}

/// Waits until then, or until something happens.
fn wait(tx: &mut Tx<'_>, seen: Recruitment, until: Option<Instant>) -> Result<Recruitment> {
    let waiting = Recruitment {
        due_at: until,
        ..seen
    };
    if !store::save(tx.conn, &waiting)? {
        return Err(overtaken(tx, waiting.id, Actor::System)?);
    }
    store::recruitment(tx.conn, waiting.id)
}

/// The refusal of a move of a recruitment that somebody else moved meanwhile.
fn overtaken(tx: &mut Tx<'_>, id: RecruitmentId, by: Actor) -> Result<Error> {
    let now = store::recruitment(tx.conn, id)?;
    refusal(tx.conn, &now, by)
}

/// The refusal of a move that the table does not have, with those that are the mover's.
fn refusal(conn: &mut Conn, seen: &Recruitment, by: Actor) -> Result<Error> {
    let stands = match Caller::of(conn, by)? {
        Some(caller) => recruiter(conn, &caller, seen)?,
        None => Relation::default(),
    };
    Ok(lifecycle::refusal(RECRUITMENT, stands, seen.status))
}

/// Ends a recruitment, and tells who began it unless that is who ends it. Where nobody is wanted any
/// more, those who have not answered are not waited for.
fn end(
    tx: &mut Tx<'_>,
    seen: Recruitment,
    verb: &'static str,
    by: Actor,
    reason: Option<&str>,
) -> Result<Recruitment> {
    let Some(to) = lifecycle::next(RECRUITMENT, seen.status, verb) else {
        return Err(refusal(tx.conn, &seen, by)?);
    };
    let ended = Recruitment {
        status: to,
        status_since: tx.now,
        reason: reason.map(str::to_owned),
        due_at: None,
        ..seen.clone()
    };
    if !store::save(tx.conn, &ended)? {
        return Err(overtaken(tx, seen.id, by)?);
    }
    let entry = change(tx.conn, &ended, by, verb)?
        .states(seen.status.into(), to.into())
        .reason(reason);
    tx.journal(entry)?;
    let open = store::open_of_need(tx.conn, seen.need())?;
    super::answers::close_where_full(tx, &open)?;
    let told = |kind: Kind, title: &str| {
        let subject = ("recruitment", seen.id.0);
        Notice::titled(seen.started_by, kind, subject, title)
    };
    let title = about(tx.conn, seen.need())?.title;
    match to {
        RecruitmentStatus::Filled => notify(tx, &told(Kind::RecruitmentFilled, &title))?,
        RecruitmentStatus::NobodyLeft
        | RecruitmentStatus::LastWaveOver
        | RecruitmentStatus::NeedClosed => {
            let (zh, en) = why(to);
            let told = told(Kind::RecruitmentEnded, &title);
            notify(tx, &told.with("reason_zh", zh).with("reason_en", en))?;
        }
        RecruitmentStatus::Running | RecruitmentStatus::Stopped => {}
    }
    store::recruitment(tx.conn, seen.id)
}

/// Why a recruitment ended before the places were filled, in words.
fn why(status: RecruitmentStatus) -> (&'static str, &'static str) {
    match status {
        RecruitmentStatus::NobodyLeft => ("合适的人都已邀请过", "everybody who fits was invited"),
        RecruitmentStatus::LastWaveOver => ("已发出全部批次", "its last wave is over"),
        _ => ("该需求已不再招募", "nobody is wanted any more"),
    }
}

/// Stops a recruitment. Those who were asked may answer as long as they were told.
///
/// # Errors
/// `not_found`, `forbidden`, `move_not_allowed`.
pub fn stop(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: RecruitmentId,
    reason: &str,
) -> Result<Recruitment> {
    tx.serialize_on(&format!("recruitment:{id}"))?;
    let seen = store::recruitment(tx.conn, id)?;
    let relation = recruiter(tx.conn, caller, &seen)?;
    lifecycle::may(RECRUITMENT, relation, "stop")?;
    let subject = ("recruitment", id.0);
    let actor = caller.actor();
    if lifecycle::is_repeat(tx.conn, RECRUITMENT, subject, seen.status, "stop", actor)? {
        return Ok(seen);
    }
    end(tx, seen, "stop", actor, Some(reason))
}

/// How a caller stands to a recruitment; nothing of one the caller has nothing to do with.
///
/// # Errors
/// `not_found`.
pub fn recruiter(conn: &mut Conn, caller: &Caller, seen: &Recruitment) -> Result<Relation> {
    let need = seen.need();
    let organizer = organizes(conn, caller, need, seen.started_by, seen.organization_id)?;
    if organizer || check_may_ask(conn, caller, need).is_ok() {
        Ok(Relation {
            organizer,
            ..Relation::default()
        })
    } else {
        Err(Code::NotFound.into())
    }
}

fn change(conn: &mut Conn, of: &Recruitment, by: Actor, verb: &str) -> Result<Change> {
    let about = about(conn, of.need())?;
    let change = Change::new(by, format!("recruitment.{verb}"), of.id.0);
    Ok(change.region(about.region.0).payload(serde_json::json!({
        "need_kind": of.need_kind,
        "need_id": of.need_id,
        "claim_id": of.claim_id,
        "wave": of.wave,
    })))
}
