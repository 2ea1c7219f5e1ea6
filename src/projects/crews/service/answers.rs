//! What becomes of a place in a crew that was asked for.

use super::super::model::{CrewMember, CrewMemberId, CrewStatus};
use super::super::people::may_work;
use super::super::rules::{self, MOVES};
use super::{Seen, advance, has_seat, seen, takes_people, tell_leaders};
use crate::error::{Code, Error, Result};
use crate::identity::{self, Caller};
use crate::notifications::{Kind, notify};
use crate::platform::db::Tx;
use crate::platform::journal;
use crate::platform::lifecycle;
use crate::projects::service::{Desk, notice};
use crate::projects::store as projects;

/// Says yes: to an application as the leader, to an invitation as the person.
///
/// # Errors
/// `not_found`, `forbidden`, `crew_closed`, `project_over`, `capacity_full`, `move_not_allowed`, and
/// what keeps the person from the role: to the person as it is, to the leader `not_available`.
pub fn accept(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: CrewMemberId,
) -> Result<CrewMember> {
    let Seen {
        place,
        claim,
        project,
        relation,
    } = seen(tx, caller, id)?;
    let last = journal::last_move(tx.conn, "crew_member", id.0)?;
    let join = ("crew_member.join".to_owned(), caller.actor());
    let verb = if last == Some(join) {
        "join"
    } else {
        rules::answer(place.status, true)
    };
    lifecycle::may(MOVES, relation, verb)?;
    let role = projects::role(tx.conn, place.role_id)?;
    if matches!(place.status, CrewStatus::Applied | CrewStatus::Invited) {
        takes_people(tx, &claim, &project)?;
        has_seat(tx.conn, claim.id, &role)?;
        let may = may_work(tx, desk, &project, &role, place.account_id);
        may.map_err(|error| match error {
            Error::Problem(_) if !relation.person => Code::NotAvailable.into(),
            error => error,
        })?;
    }
    let Some(moved) = advance(tx, &project, &place, verb, caller.actor(), None)? else {
        return Ok(place);
    };
    if verb == "accept" {
        let told = notice(&project, place.account_id, Kind::CrewAccepted);
        notify(tx, &told.with("role", role.name.as_str()))?;
    } else {
        let name = identity::account(tx.conn, place.account_id)?.display_name;
        let params = [("name", name.as_str()), ("role", role.name.as_str())];
        tell_leaders(tx, &project, &claim, Kind::CrewJoined, &params)?;
    }
    Ok(moved)
}

/// Says no: to an application as the leader, to an invitation as the person.
///
/// # Errors
/// `not_found`, `forbidden`, `move_not_allowed`.
pub fn decline(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: CrewMemberId,
    reason: &str,
) -> Result<CrewMember> {
    let Seen {
        place,
        claim,
        project,
        relation,
    } = seen(tx, caller, id)?;
    let verb = rules::answer(place.status, false);
    lifecycle::may(MOVES, relation, verb)?;
    let Some(moved) = advance(tx, &project, &place, verb, caller.actor(), Some(reason))? else {
        return Ok(place);
    };
    if verb == "decline" {
        let told = notice(&project, place.account_id, Kind::CrewDeclined);
        notify(tx, &told.with("reason", reason))?;
    } else {
        let role = projects::role(tx.conn, place.role_id)?;
        let params = [("role", role.name.as_str()), ("reason", reason)];
        tell_leaders(tx, &project, &claim, Kind::CrewRefused, &params)?;
    }
    Ok(moved)
}

/// Goes: takes the application back, or leaves the crew.
///
/// # Errors
/// `not_found`, `forbidden`, `move_not_allowed`.
pub fn leave(tx: &mut Tx<'_>, caller: &Caller, id: CrewMemberId) -> Result<CrewMember> {
    let Seen {
        place,
        claim,
        project,
        relation,
    } = seen(tx, caller, id)?;
    let verb = rules::going(place.status);
    lifecycle::may(MOVES, relation, verb)?;
    let Some(moved) = advance(tx, &project, &place, verb, caller.actor(), None)? else {
        return Ok(place);
    };
    let name = identity::account(tx.conn, place.account_id)?.display_name;
    if verb == "leave" {
        tell_leaders(tx, &project, &claim, Kind::CrewLeft, &[("name", &name)])?;
    } else {
        let role = projects::role(tx.conn, place.role_id)?;
        let params = [("name", name.as_str()), ("role", role.name.as_str())];
        tell_leaders(tx, &project, &claim, Kind::CrewWithdrawn, &params)?;
    }
    Ok(moved)
}

/// Sends somebody away: takes the invitation back, or removes a member, with a reason.
///
/// # Errors
/// `not_found`, `forbidden`, `move_not_allowed`.
pub fn remove(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: CrewMemberId,
    reason: &str,
) -> Result<CrewMember> {
    let Seen {
        place,
        project,
        relation,
        ..
    } = seen(tx, caller, id)?;
    let verb = rules::sending_away(place.status);
    lifecycle::may(MOVES, relation, verb)?;
    let Some(moved) = advance(tx, &project, &place, verb, caller.actor(), Some(reason))? else {
        return Ok(place);
    };
    let told = notice(&project, place.account_id, Kind::CrewRemoved);
    notify(tx, &told.with("reason", reason))?;
    Ok(moved)
}
