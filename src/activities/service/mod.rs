//! What can be done with activities: writing them down, and the moves of their lives.

mod checking;
mod clock;
mod editing;
mod followed;
mod moves;
mod policies;
mod writing;

use std::collections::HashSet;

use chrono::TimeDelta;

use super::enrolments;
use super::model::{Activity, ActivityId};
use super::rules::{self, ActivityRules, MOVES, Relation};
use super::store;
use crate::error::{Code, Error, Problem, Result};
use crate::identity::{AccountId, Caller, Role};
use crate::notifications::{Kind, Notice, notify};
use crate::organizations::OrganizationId;
use crate::platform::db::{Conn, Tx};
use crate::platform::journal::{Actor, Change};
use crate::platform::lifecycle;
use crate::{organizations, projects, regions};

pub(in crate::activities) use checking::check;
pub use clock::{react, sweep};
pub use editing::{EditActivity, edit};
pub use followed::{JOBS, perform};
pub(in crate::activities) use followed::{follow_later, look_again_later};
pub use moves::{
    approve, cancel, close_enrolment, publish, reopen_enrolment, revise, send_back, settle,
};
pub use policies::{SetPolicy, set_policy};
pub use writing::{Copied, NewActivity, NewShift, copy, create};
pub(in crate::activities) use writing::{copied, may_organize};

/// What every write of this room needs beside its transaction.
#[derive(Clone)]
pub struct Desk {
    /// The room's numbers.
    pub rules: ActivityRules,
    /// What projects' writes need: the vetting, and what opens a Party membership.
    pub projects: projects::Desk,
}

/// How a caller stands to an activity.
///
/// # Errors
/// Those of the database.
pub fn relation(conn: &mut Conn, caller: Option<&Caller>, activity: &Activity) -> Result<Relation> {
    let Some(caller) = caller else {
        return Ok(Relation::default());
    };
    let reviewer = caller.holds_in_region(conn, &[Role::RegionAdmin], activity.region_id)?;
    let participant = enrolments::ever_in(conn, activity.id, caller.account)?;
    Ok(stands(caller, activity, reviewer, participant))
}

fn stands(caller: &Caller, activity: &Activity, reviewer: bool, participant: bool) -> Relation {
    let organizer = organizes(caller, activity);
    let belongs = |id: OrganizationId| caller.holds(Role::OrganizationMember, id.0);
    let member = activity.organization_id.is_some_and(belongs);
    let wrote = activity.author_id == caller.account;
    Relation {
        organizer,
        member,
        reviewer,
        reviews_own: reviewer && (wrote || organizer || member),
        participant,
    }
}

/// How a caller stands to several activities, asked for at once.
///
/// # Errors
/// Those of the database.
pub fn relations(
    conn: &mut Conn,
    caller: Option<&Caller>,
    activities: &[Activity],
) -> Result<Vec<Relation>> {
    let Some(caller) = caller else {
        return Ok(vec![Relation::default(); activities.len()]);
    };
    let ids: Vec<_> = activities.iter().map(|activity| activity.id).collect();
    let participated = enrolments::ever_among(conn, &ids, caller.account)?;
    let administered = caller.regions(&[Role::RegionAdmin]);
    let regions: Vec<_> = activities
        .iter()
        .map(|activity| activity.region_id)
        .collect();
    let reviewed = match administered.is_empty() {
        true => HashSet::new(),
        false => regions::those_within(conn, &regions, &administered)?,
    };
    let relation = |activity: &Activity| {
        let reviewer = reviewed.contains(&activity.region_id);
        stands(
            caller,
            activity,
            reviewer,
            participated.contains(&activity.id),
        )
    };
    Ok(activities.iter().map(relation).collect())
}

/// Whether a caller organises an activity: runs the organisation that does, or claimed its project.
pub(in crate::activities) fn organizes(caller: &Caller, activity: &Activity) -> bool {
    let runs = |id: OrganizationId| caller.holds(Role::OrganizationManager, id.0);
    activity.organization_id.is_some_and(runs) || activity.leader_id == Some(caller.account)
}

/// An activity and how the caller stands to it; nothing of one the caller may not see.
///
/// # Errors
/// `not_found`.
pub fn visible(
    conn: &mut Conn,
    caller: Option<&Caller>,
    id: ActivityId,
) -> Result<(Activity, Relation)> {
    let activity = store::activity(conn, id)?;
    let relation = relation(conn, caller, &activity)?;
    if relation.may_see(activity.status) {
        Ok((activity, relation))
    } else {
        Err(Code::NotFound.into())
    }
}

/// Everything about an activity and who stands in it waits here for each other. Whoever holds several
/// takes them in the order of their ids; a person's own lock comes after.
pub(in crate::activities) fn serialize(tx: &mut Tx<'_>, id: ActivityId) -> Result<()> {
    tx.serialize_on(&format!("activity:{id}"))
}

/// Those who come to an activity go side by side, and wait only for who has it to themselves ([`serialize`]).
pub(in crate::activities) fn share(tx: &mut Tx<'_>, id: ActivityId) -> Result<()> {
    tx.share(&format!("activity:{id}"))
}

/// An activity as it is [`visible`], once nobody else is about to change it or who stands in it.
pub(in crate::activities) fn alone(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: ActivityId,
) -> Result<(Activity, Relation)> {
    serialize(tx, id)?;
    visible(tx.conn, Some(caller), id)
}

/// An activity for a caller whose move it is.
fn to_move(tx: &mut Tx<'_>, caller: &Caller, id: ActivityId, verb: &str) -> Result<Activity> {
    let (activity, relation) = alone(tx, caller, id)?;
    lifecycle::may(MOVES, relation, verb)?;
    if verb == "cancel" {
        rules::cancels(activity.status, relation)?;
    }
    Ok(activity)
}

pub(in crate::activities) fn change(activity: &Activity, actor: Actor, verb: &str) -> Change {
    Change::new(actor, format!("activity.{verb}"), activity.id.0).region(activity.region_id.0)
}

/// Makes one move: by the table, by compare-and-set, into the journal. What else changed in `wanted`
/// is written with it.
fn advance(
    tx: &mut Tx<'_>,
    wanted: &Activity,
    verb: &str,
    by: Actor,
    reason: Option<&str>,
) -> Result<Activity> {
    let to = lifecycle::next(MOVES, wanted.status, verb);
    let to = to.ok_or_else(|| refusal(tx.conn, wanted, by))?;
    let moved = Activity {
        status: to,
        status_since: tx.now,
        reason: reason.map(str::to_owned),
        ..wanted.clone()
    };
    if !store::save(tx.conn, &moved)? {
        // somebody was faster: say where it stands now
        let now = store::activity(tx.conn, wanted.id)?;
        return Err(refusal(tx.conn, &now, by));
    }
    tx.journal(
        change(wanted, by, verb)
            .states(wanted.status.into(), to.into())
            .reason(reason),
    )?;
    store::activity(tx.conn, wanted.id)
}

/// The refusal of a move that the table does not have, with those that are the mover's.
pub(in crate::activities) fn refusal(conn: &mut Conn, activity: &Activity, by: Actor) -> Error {
    let caller = Caller::of(conn, by);
    let stands = caller.and_then(|caller| relation(conn, caller.as_ref(), activity));
    let moves = stands.and_then(|stands| {
        let review = store::demands_review(conn, activity.region_id)?;
        Ok(rules::moves(activity, stands, review))
    });
    match moves {
        Ok(moves) => Problem::refused_move(activity.status.into(), moves).into(),
        Err(error) => error,
    }
}

pub(in crate::activities) fn is_repeat(
    conn: &mut Conn,
    activity: &Activity,
    verb: &str,
    caller: &Caller,
) -> Result<bool> {
    let subject = ("activity", activity.id.0);
    lifecycle::is_repeat(conn, MOVES, subject, activity.status, verb, caller.actor())
}

/// Those who organise an activity.
pub(in crate::activities) fn organizers(
    conn: &mut Conn,
    activity: &Activity,
) -> Result<Vec<AccountId>> {
    match activity.organization_id {
        Some(organization) => organizations::managers(conn, organization),
        None => Ok(activity.leader_id.into_iter().collect()),
    }
}

pub(in crate::activities) fn notice(activity: &Activity, to: AccountId, kind: Kind) -> Notice {
    Notice::titled(to, kind, ("activity", activity.id.0), &activity.title)
}

/// Tells people about an activity.
pub(in crate::activities) fn tell(
    tx: &mut Tx<'_>,
    activity: &Activity,
    to: &[AccountId],
    kind: Kind,
    params: &[(&'static str, &str)],
) -> Result<()> {
    for to in to {
        notify(tx, &filled(activity, *to, kind, params))?;
    }
    Ok(())
}

fn filled(
    activity: &Activity,
    to: AccountId,
    kind: Kind,
    params: &[(&'static str, &str)],
) -> Notice {
    let notice = notice(activity, to, kind);
    params
        .iter()
        .fold(notice, |told, (gap, text)| told.with(gap, *text))
}

/// How long what becomes of other activities of the same series comes without a mail of its own.
const SERIES_PAUSE: TimeDelta = TimeDelta::hours(1);

/// Tells people what became of an activity. Of those of one series that go the same way together, each stands
/// in the inbox, and one comes by mail.
pub(in crate::activities) fn broadcast(
    tx: &mut Tx<'_>,
    activity: &Activity,
    to: &[AccountId],
    kind: Kind,
    params: &[(&'static str, &str)],
) -> Result<()> {
    let Some(series) = activity.series_id else {
        return tell(tx, activity, to, kind, params);
    };
    // what is told of the others at this very moment is seen before
    tx.serialize_on(&format!("news of series:{series}"))?;
    let alike: Vec<_> = store::ids_of_series(tx.conn, series)?
        .into_iter()
        .map(|id| id.0)
        .collect();
    for to in to {
        let notice = filled(activity, *to, kind, params);
        notify(tx, &notice.mailed_once_of(alike.clone(), SERIES_PAUSE))?;
    }
    Ok(())
}
