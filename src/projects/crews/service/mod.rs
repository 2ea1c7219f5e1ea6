//! What can be done with places in crews.

mod answers;

use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::model::{CrewMember, CrewMemberId, CrewStatus};
use super::people::may_work;
use super::rules::{MOVES, Relation};
use super::store;
use crate::error::{Code, Problem, Result};
use crate::identity::{self, AccountId, Caller};
use crate::notifications::{Kind, notify};
use crate::platform::db::{Conn, Tx};
use crate::platform::journal::{self, Actor, Change};
use crate::platform::lifecycle;
use crate::projects::claims::rules::{LIVE, has_run_out};
use crate::projects::claims::{self, ClaimId, ProjectClaim};
use crate::projects::model::{Project, ProjectRole, RoleId};
use crate::projects::rules::is_over;
use crate::projects::service::{Desk, notice, tell};
use crate::projects::store as projects;

pub use answers::{accept, decline, leave, remove};

/// A place in a crew that is asked for: by the volunteer, or by the leader for somebody.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCrewMember)]
pub struct NewMember {
    /// In which role.
    pub role_id: RoleId,
    /// Whom the leader invites; the caller itself applies when left out.
    pub account_id: Option<AccountId>,
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

/// Whether the person of a place applied or accepted at some time: who was only asked is not named.
///
/// # Errors
/// Those of the database.
pub(super) fn came_forward(conn: &mut Conn, place: &CrewMember) -> Result<bool> {
    Ok(match place.status {
        CrewStatus::Invited | CrewStatus::Refused | CrewStatus::Cancelled => false,
        CrewStatus::Disbanded => {
            let last = journal::last_of(conn, "crew_member", place.id.0, &["disband"])?;
            let before = last.and_then(|entry| entry.from_state);
            before.as_deref() != Some(CrewStatus::Invited.into())
        }
        _ => true,
    })
}

/// Applies for a role in the crew of a claim.
///
/// # Errors
/// `not_found`, `crew_closed`, `project_over`, `capacity_full`, and what keeps the person from the
/// role.
pub fn apply(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: ClaimId,
    new: &NewMember,
) -> Result<CrewMember> {
    let (claim, project, _) = claims::alone(tx, caller, id)?;
    ask(
        tx,
        desk,
        &claim,
        &project,
        caller.actor(),
        caller.account,
        new,
        CrewStatus::Applied,
    )
}

/// Invites somebody into a role of one's crew. Nothing is asked about the person that the inviter
/// is not to know: what keeps somebody from the role is found, and said, as that person accepts.
///
/// # Errors
/// `not_found`, `forbidden`, `crew_closed`, `project_over`, `capacity_full`, `in_crew_already`.
pub fn invite(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: ClaimId,
    who: AccountId,
    new: &NewMember,
) -> Result<CrewMember> {
    let (claim, project, relation) = claims::alone(tx, caller, id)?;
    if !relation.claimant {
        return Err(Code::Forbidden.into());
    }
    if identity::account(tx.conn, who).is_err() {
        let unknown = Problem::new(Code::Invalid).field("/account_id", Code::UnknownReference);
        return Err(unknown.into());
    }
    ask(
        tx,
        desk,
        &claim,
        &project,
        caller.actor(),
        who,
        new,
        CrewStatus::Invited,
    )
}

#[allow(clippy::too_many_arguments)] // the two ways in differ in who asks, and in nothing else
fn ask(
    tx: &mut Tx<'_>,
    desk: &Desk,
    claim: &ProjectClaim,
    project: &Project,
    by: Actor,
    who: AccountId,
    new: &NewMember,
    status: CrewStatus,
) -> Result<CrewMember> {
    takes_people(tx, claim, project)?;
    let role = projects::role(tx.conn, new.role_id)
        .ok()
        .filter(|role| role.project_id == project.id)
        .ok_or_else(|| Problem::new(Code::Invalid).field("/role_id", Code::UnknownReference))?;
    if let Some(known) = store::standing(tx.conn, claim.id, who)? {
        return if known.role_id == role.id && known.status == status {
            Ok(known)
        } else {
            Err(Code::InCrewAlready.into())
        };
    }
    has_seat(tx.conn, claim.id, &role)?;
    if status == CrewStatus::Applied {
        may_work(tx, desk, project, &role, who)?;
    }
    let place = CrewMember {
        id: CrewMemberId::new(),
        claim_id: claim.id,
        role_id: role.id,
        account_id: who,
        note: new.note.clone(),
        status,
        status_since: tx.now,
        ended_at: None,
        created_at: tx.now,
    };
    store::insert(tx.conn, &place)?;
    let verb = if status == CrewStatus::Invited {
        "invite"
    } else {
        "apply"
    };
    tx.journal(change(project, &place, by, verb))?;
    if status == CrewStatus::Invited {
        let told = notice(project, who, Kind::CrewInvitation);
        notify(tx, &told.with("role", role.name.as_str()))?;
    } else {
        let name = identity::account(tx.conn, who)?.display_name;
        let params = [("name", name.as_str()), ("role", role.name.as_str())];
        tell_leaders(tx, project, claim, Kind::CrewApplied, &params)?;
    }
    Ok(place)
}

fn tell_leaders(
    tx: &mut Tx<'_>,
    project: &Project,
    claim: &ProjectClaim,
    kind: Kind,
    params: &[(&'static str, &str)],
) -> Result<()> {
    let to = claims::leaders(tx.conn, claim)?;
    tell(tx, project, &to, kind, params)
}

/// Whether a crew takes people at all: its claim lives, and the project is not over.
fn takes_people(tx: &Tx<'_>, claim: &ProjectClaim, project: &Project) -> Result<()> {
    if !LIVE.contains(&claim.status) || has_run_out(claim, tx.now) {
        return Err(Code::CrewClosed.into());
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
    let to = lifecycle::step(MOVES, seen.status, verb)?;
    if !store::advance(tx, seen, to)? {
        let now = store::member(tx.conn, seen.id)?;
        return Err(lifecycle::refusal(MOVES, now.status));
    }
    tx.journal(
        change(project, seen, by, verb)
            .states(seen.status.into(), to.into())
            .reason(reason),
    )?;
    store::member(tx.conn, seen.id).map(Some)
}

/// Lets a crew go whose claim has ended; returns whose places there were, to be told why.
pub(in crate::projects) fn disband(
    tx: &mut Tx<'_>,
    project: &Project,
    claim: ClaimId,
) -> Result<Vec<AccountId>> {
    let places = store::open_ones(tx.conn, claim)?;
    for place in &places {
        advance(tx, project, place, "disband", Actor::System, None)?;
    }
    Ok(places.into_iter().map(|place| place.account_id).collect())
}
