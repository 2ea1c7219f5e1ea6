//! What becomes of a place in a crew that was asked for.

use super::super::model::{CrewMember, CrewMemberId, CrewStatus};
use super::super::people::may_work;
use super::super::rules::{self, MOVES};
use super::{Seen, advance, has_seat, seen, takes_people, tell_leaders};
use crate::error::{Code, Error, Result};
use crate::identity::{self, Caller};
use crate::notifications::{Kind, notify};
use crate::platform::db::Tx;
use crate::platform::lifecycle;
use crate::projects::service::{Desk, notice};
use crate::projects::store as projects;

/// Says yes to an application.
///
/// # Errors
/// `not_found`, `forbidden`, `crew_closed`, `project_over`, `capacity_full`, `move_not_allowed`, and
/// `not_available` for whatever keeps the person from the role, unless the person leads the crew.
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
    lifecycle::may(MOVES, relation, "accept")?;
    let role = projects::role(tx.conn, place.role_id)?;
    if place.status == CrewStatus::Applied {
        takes_people(tx, &claim, &project)?;
        has_seat(tx.conn, claim.id, &role)?;
        let may = may_work(tx, desk, &project, &role, place.account_id);
        may.map_err(|error| match error {
            Error::Problem(_) if !relation.person => Code::NotAvailable.into(),
            error => error,
        })?;
    }
    let Some(moved) = advance(tx, &project, &place, "accept", caller.actor(), None)? else {
        return Ok(place);
    };
    let told = notice(&project, place.account_id, Kind::CrewAccepted);
    notify(tx, &told.with("role", role.name.as_str()))?;
    Ok(moved)
}

/// Says no to an application.
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
        project,
        relation,
        ..
    } = seen(tx, caller, id)?;
    lifecycle::may(MOVES, relation, "decline")?;
    let actor = caller.actor();
    let Some(moved) = advance(tx, &project, &place, "decline", actor, Some(reason))? else {
        return Ok(place);
    };
    let told = notice(&project, place.account_id, Kind::CrewDeclined);
    notify(tx, &told.with("reason", reason))?;
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

/// Sends a member away, with a reason.
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
    lifecycle::may(MOVES, relation, "remove")?;
    let actor = caller.actor();
    let Some(moved) = advance(tx, &project, &place, "remove", actor, Some(reason))? else {
        return Ok(place);
    };
    let told = notice(&project, place.account_id, Kind::CrewRemoved);
    notify(tx, &told.with("reason", reason))?;
    Ok(moved)
}
