//! What can be done with places in crews.

mod answers;
mod lapses;

use chrono::TimeDelta;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::model::{CrewMember, CrewMemberId, CrewStatus};
use super::people::{has_no_place_beside, may_work};
use super::rules::{MOVES, Relation};
use super::store;
use crate::error::{Code, Error, Problem, Result};
use crate::identity::{self, AccountId, Caller};
use crate::notifications::{Kind, notify};
use crate::platform::columns::Uid;
use crate::platform::db::{Conn, Tx};
use crate::platform::journal::{Actor, Change};
use crate::platform::lifecycle;
use crate::projects::claims::rules::{LIVE, has_run_out};
use crate::projects::claims::{self, ClaimId, ProjectClaim};
use crate::projects::model::{Project, ProjectRole, ProjectStatus, RoleId};
use crate::projects::rules::is_over;
use crate::projects::service::{Desk, notice};
use crate::projects::store as projects;

pub use answers::{accept, decline, leave, remove};
pub use lapses::react;

/// A place in a crew that a volunteer asks for.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCrewMember)]
pub struct NewMember {
    /// In which role.
    pub role_id: RoleId,
    /// What there is to say.
    #[serde(default)]
    #[validate(length(max = 500))]
    pub note: String,
}

/// Whether the caller may look for people for a role: who leads a crew of its project, or publishes
/// it.
///
/// # Errors
/// `not_found`, and those of the database.
pub fn may_look_for_people(conn: &mut Conn, caller: &Caller, role: RoleId) -> Result<bool> {
    let project = projects::role(conn, role)?.project_id;
    let project = projects::project(conn, project)?;
    for claim in claims::holders(conn, project.id)? {
        let relation = claims::relation(conn, Some(caller), &project, &claim)?;
        if relation.claimant || relation.publisher || relation.reviewer {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A place with its claim and project, and how the caller stands to it.
struct Seen {
    place: CrewMember,
    claim: ProjectClaim,
    project: Project,
    relation: Relation,
}

/// How a caller stands to a place in the crew of a claim.
pub(super) fn relation(caller: &Caller, place: &CrewMember, claim: &ProjectClaim) -> Relation {
    Relation {
        leader: claims::is_claimant(caller, claim),
        person: place.account_id == caller.account,
    }
}

fn look(conn: &mut Conn, caller: &Caller, id: CrewMemberId) -> Result<Seen> {
    let place = store::member(conn, id)?;
    let claim = claims::claim(conn, place.claim_id)?;
    let project = projects::project(conn, claim.project_id)?;
    let relation = relation(caller, &place, &claim);
    if relation.is_involved() {
        Ok(Seen {
            place,
            claim,
            project,
            relation,
        })
    } else {
        Err(Code::NotFound.into())
    }
}

/// A place for those who have to do with it, once nobody else is about to change who holds its
/// project or works in it.
fn seen(tx: &mut Tx<'_>, caller: &Caller, id: CrewMemberId) -> Result<Seen> {
    let first = look(tx.conn, caller, id)?;
    claims::serialize(tx, first.project.id)?;
    look(tx.conn, caller, id)
}

/// Applies for a role in the crew of a claim.
///
/// # Errors
/// `not_found`, `crew_closed`, `project_over`, `capacity_full`, `in_crew_already`, and what keeps the
/// person from the role.
pub fn apply(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: ClaimId,
    new: &NewMember,
) -> Result<CrewMember> {
    let (claim, project, _) = claims::alone(tx, caller, id)?;
    takes_people(tx, &claim, &project)?;
    let role = role_of(tx.conn, &project, new.role_id)?;
    if let Some(known) = store::standing(tx.conn, claim.id, caller.account)? {
        return if known.role_id == role.id && known.status == CrewStatus::Applied {
            Ok(known)
        } else {
            Err(Code::InCrewAlready.into())
        };
    }
    has_no_place_beside(tx, (project.id, claim.id), caller.account)?;
    has_seat(tx.conn, claim.id, &role)?;
    may_work(tx, desk, &project, &role, caller.account)?;
    let status = CrewStatus::Applied;
    let place = put(tx, claim.id, role.id, caller.account, &new.note, status)?;
    tx.journal(change(&project, &place, caller.actor(), "apply"))?;
    let name = identity::account(tx.conn, caller.account)?.display_name;
    let params = [("name", name.as_str()), ("role", role.name.as_str())];
    tell_leaders(tx, &project, &claim, Kind::CrewApplied, &params)?;
    Ok(place)
}

/// Refuses whoever may not invite people into a role of a crew, and everybody while the crew takes
/// nobody into it. Nothing is asked about a person: what keeps somebody from the role is found, and
/// said, as that person accepts.
///
/// # Errors
/// `not_found`, `forbidden`, `crew_closed`, `project_over`, `capacity_full`, and `invalid` for a role
/// of another project.
pub fn check_may_invite(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: ClaimId,
    role: RoleId,
) -> Result<ProjectClaim> {
    let (claim, project, relation) = claims::alone(tx, caller, id)?;
    if !relation.claimant {
        return Err(Code::Forbidden.into());
    }
    takes_people(tx, &claim, &project)?;
    let role = role_of(tx.conn, &project, role)?;
    has_seat(tx.conn, claim.id, &role)?;
    Ok(claim)
}

/// Takes a place in a crew by an invitation of `invited_by`, who speaks for its leader. An application
/// that waits for the leader is accepted by it.
///
/// # Errors
/// `not_found`, `crew_closed`, `project_over`, `capacity_full`, `in_crew_already`, and what keeps the
/// person from the role.
pub fn join(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: ClaimId,
    role: RoleId,
    invited_by: AccountId,
) -> Result<CrewMember> {
    let (claim, project, _) = claims::alone(tx, caller, id)?;
    takes_people(tx, &claim, &project)?;
    let role = role_of(tx.conn, &project, role)?;
    let known = store::standing(tx.conn, claim.id, caller.account)?;
    let applied = match known {
        Some(known) if known.role_id == role.id && known.status == CrewStatus::Applied => {
            Some(known)
        }
        Some(_) => return Err(Code::InCrewAlready.into()),
        None => None,
    };
    has_no_place_beside(tx, (project.id, claim.id), caller.account)?;
    has_seat(tx.conn, claim.id, &role)?;
    may_work(tx, desk, &project, &role, caller.account)?;
    let place = match applied {
        Some(place) => {
            let leader = Actor::Account(Uid(invited_by.0));
            advance(tx, &project, &place, "accept", leader, None)?.unwrap_or(place)
        }
        None => {
            let status = CrewStatus::Active;
            let place = put(tx, claim.id, role.id, caller.account, "", status)?;
            tx.journal(change(&project, &place, caller.actor(), "join"))?;
            place
        }
    };
    let name = identity::account(tx.conn, caller.account)?.display_name;
    let params = [("name", name.as_str()), ("role", role.name.as_str())];
    tell_leaders(tx, &project, &claim, Kind::CrewJoined, &params)?;
    Ok(place)
}

fn role_of(conn: &mut Conn, project: &Project, id: RoleId) -> Result<ProjectRole> {
    let role = projects::role(conn, id).ok();
    let role = role.filter(|role| role.project_id == project.id);
    role.ok_or_else(|| {
        let unknown = Problem::new(Code::Invalid).field("/role_id", Code::UnknownReference);
        unknown.into()
    })
}

fn put(
    tx: &mut Tx<'_>,
    claim_id: ClaimId,
    role_id: RoleId,
    account_id: AccountId,
    note: &str,
    status: CrewStatus,
) -> Result<CrewMember> {
    let place = CrewMember {
        id: CrewMemberId::new(),
        claim_id,
        role_id,
        account_id,
        note: note.to_owned(),
        status,
        status_since: tx.now,
        ended_at: None,
        created_at: tx.now,
    };
    store::insert(tx.conn, &place)?;
    Ok(place)
}

/// One mail tells the leader of what comes within so long: whoever applies and takes it back again and
/// again fills an inbox, not a mailbox.
const MAIL_PAUSE: TimeDelta = TimeDelta::hours(1);

fn tell_leaders(
    tx: &mut Tx<'_>,
    project: &Project,
    claim: &ProjectClaim,
    kind: Kind,
    params: &[(&'static str, &str)],
) -> Result<()> {
    for to in claims::leaders(tx.conn, claim)? {
        let told = notice(project, to, kind).with_all(params);
        notify(tx, &told.mailed_once_in(MAIL_PAUSE))?;
    }
    Ok(())
}

/// Whether a crew takes people at all: its claim lives, and the project is neither suspended nor over.
fn takes_people(tx: &Tx<'_>, claim: &ProjectClaim, project: &Project) -> Result<()> {
    if !LIVE.contains(&claim.status) || has_run_out(claim, tx.now) {
        return Err(Code::CrewClosed.into());
    }
    if project.status == ProjectStatus::Suspended {
        return Err(Code::ProjectSuspended.into());
    }
    if is_over(project, tx.today()) {
        return Err(Code::ProjectOver.into());
    }
    Ok(())
}

fn has_seat(conn: &mut Conn, claim: ClaimId, role: &ProjectRole) -> Result<()> {
    let filled = store::filled(conn, claim)?;
    let taken = filled
        .iter()
        .find(|(id, _)| *id == role.id)
        .map_or(0, |(_, count)| *count);
    if taken < i64::from(role.seats) {
        Ok(())
    } else {
        Err(Code::CapacityFull.into())
    }
}

fn change(project: &Project, place: &CrewMember, by: Actor, verb: &str) -> Change {
    Change::new(by, format!("crew_member.{verb}"), place.id.0)
        .region(project.region_id.0)
        .payload(serde_json::json!({ "role_id": place.role_id, "claim_id": place.claim_id }))
}

fn advance(
    tx: &mut Tx<'_>,
    project: &Project,
    seen: &CrewMember,
    verb: &str,
    by: Actor,
    reason: Option<&str>,
) -> Result<Option<CrewMember>> {
    let subject = ("crew_member", seen.id.0);
    if lifecycle::is_repeat(tx.conn, MOVES, subject, seen.status, verb, by)? {
        return Ok(None);
    }
    let to = lifecycle::next(MOVES, seen.status, verb);
    let to = to.ok_or_else(|| refusal(tx.conn, seen, by))?;
    if !store::advance(tx, seen, to)? {
        let now = store::member(tx.conn, seen.id)?;
        return Err(refusal(tx.conn, &now, by));
    }
    tx.journal(
        change(project, seen, by, verb)
            .states(seen.status.into(), to.into())
            .reason(reason),
    )?;
    store::member(tx.conn, seen.id).map(Some)
}

/// The refusal of a move that the table does not have, with those that are the mover's.
fn refusal(conn: &mut Conn, place: &CrewMember, by: Actor) -> Error {
    let stands = claims::claim(conn, place.claim_id).and_then(|claim| {
        let caller = Caller::of(conn, by)?;
        Ok(caller.map_or_else(Relation::default, |caller| relation(&caller, place, &claim)))
    });
    match stands {
        Ok(stands) => lifecycle::refusal(MOVES, stands, place.status),
        Err(error) => error,
    }
}

/// Lets a crew go whose claim has ended; returns whose places there were, to be told why.
pub(in crate::projects) fn disband(
    tx: &mut Tx<'_>,
    project: &Project,
    claim: ClaimId,
) -> Result<Vec<AccountId>> {
    let places = store::open_ones(tx.conn, claim)?;
    let_go(tx, project, places)
}

/// Ends the applications that wait in the crew of a claim that is fulfilled; returns whose they were,
/// to be told. Who works in the crew stays in it.
pub(in crate::projects) fn close(
    tx: &mut Tx<'_>,
    project: &Project,
    claim: ClaimId,
) -> Result<Vec<AccountId>> {
    let mut places = store::open_ones(tx.conn, claim)?;
    places.retain(|place| place.status == CrewStatus::Applied);
    let_go(tx, project, places)
}

fn let_go(tx: &mut Tx<'_>, project: &Project, places: Vec<CrewMember>) -> Result<Vec<AccountId>> {
    for place in &places {
        advance(tx, project, place, "disband", Actor::System, None)?;
    }
    Ok(places.into_iter().map(|place| place.account_id).collect())
}
