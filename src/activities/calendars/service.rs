//! Making and ending secret addresses, and what is fetched at them.

use std::collections::HashMap;

use chrono::TimeDelta;

use super::ics;
use super::model::{Calendar, CalendarId, Owner};
use super::rules::{self, Event, Words};
use super::store;
use crate::activities::enrolments::Enrolment;
use crate::activities::model::{Activity, ActivityId, ActivityStatus, ShiftId};
use crate::activities::rules::ActivityRules;
use crate::activities::service::visible;
use crate::activities::store as activities;
use crate::error::{Code, Result};
use crate::identity::{self, AccountId, Caller, Role};
use crate::organizations::{self, OrganizationId};
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Tx};
use crate::platform::journal::{self, Change};
use crate::platform::lang::Lang;
use crate::platform::token;

/// A calendar as it is fetched, and when anything in it last changed.
pub struct Feed {
    /// The calendar in iCalendar.
    pub body: String,
    /// When it last changed.
    pub modified_at: Instant,
}

/// Whether a caller may make and end the address of a calendar.
///
/// # Errors
/// `forbidden` for who belongs to the organisation and does not run it, else `not_found`.
pub fn may_manage(caller: &Caller, owner: Owner) -> Result<()> {
    let Owner::Organization(id) = owner else {
        return Ok(());
    };
    if caller.holds(Role::OrganizationManager, id.0) {
        Ok(())
    } else if caller.holds(Role::OrganizationMember, id.0) {
        Err(Code::Forbidden.into())
    } else {
        Err(Code::NotFound.into())
    }
}

/// Makes a new address; one from before ends. Returns the secret in it, which is kept nowhere.
///
/// # Errors
/// `not_found`, `forbidden`.
pub fn renew(tx: &mut Tx<'_>, caller: &Caller, owner: Owner) -> Result<(Calendar, String)> {
    end(tx, caller, owner)?;
    let secret = token::random_token()?;
    let (account_id, organization_id) = match owner {
        Owner::Person(id) => (Some(id), None),
        Owner::Organization(id) => (None, Some(id)),
    };
    let calendar = Calendar {
        id: CalendarId::new(),
        account_id,
        organization_id,
        secret_hash: token::digest(secret.as_bytes()).to_vec(),
        made_by: caller.account,
        made_at: tx.now,
    };
    store::insert(tx.conn, &calendar)?;
    tx.journal(Change::new(caller.actor(), "calendar.made", calendar.id.0))?;
    Ok((calendar, secret))
}

/// Ends an address, if there is one.
///
/// # Errors
/// `not_found`, `forbidden`.
pub fn end(tx: &mut Tx<'_>, caller: &Caller, owner: Owner) -> Result<()> {
    may_manage(caller, owner)?;
    tx.serialize_on(&format!("calendar of:{owner:?}"))?;
    if let Some(calendar) = store::of_owner(tx.conn, owner)? {
        store::delete(tx.conn, &calendar)?;
        tx.journal(Change::new(caller.actor(), "calendar.ended", calendar.id.0))?;
    }
    Ok(())
}

/// What is fetched at a secret address.
///
/// # Errors
/// `not_found`.
pub fn fetch(
    conn: &mut Conn,
    rules: &ActivityRules,
    secret: &str,
    (words, now): (Words<'_>, Instant),
) -> Result<Feed> {
    let calendar = store::by_secret(conn, &token::digest(secret.as_bytes()))?;
    let after = now - TimeDelta::days(rules.calendar_days);
    let (name, events) = match calendar.owner() {
        Some(Owner::Person(who)) => of_person(conn, who, after, words)?,
        Some(Owner::Organization(id)) => of_organization(conn, id, after, words)?,
        None => return Err(Code::NotFound.into()),
    };
    let changes = events.iter().map(|event| event.modified_at);
    Ok(Feed {
        body: ics::write(Some(&name), &events),
        modified_at: changes.fold(calendar.made_at, Instant::max),
    })
}

fn of_person(
    conn: &mut Conn,
    who: AccountId,
    after: Instant,
    words: Words<'_>,
) -> Result<(String, Vec<Event>)> {
    if !identity::can_sign_in(conn, who)? {
        return Err(Code::NotFound.into());
    }
    let lang = Lang::from_tag(&identity::account(conn, who)?.language);
    let words = Words { lang, ..words };
    let places = store::places(conn, who, after)?;
    let ids: Vec<_> = places.iter().map(|place| place.id.0).collect();
    let in_activities: Vec<_> = places.iter().map(|place| place.activity_id).collect();
    let in_shifts: Vec<_> = places.iter().map(|place| place.shift_id).collect();
    let activities_of = activities::activities_of(conn, &in_activities)?;
    let shifts = activities::shifts_named(conn, &in_shifts)?;
    let changed = last_changes(conn, activities_of.values())?;
    let moved = journal::last_changes(conn, "enrolment", &ids)?;
    let event = |place: &Enrolment| {
        let activity = activities_of.get(&place.activity_id)?;
        let shift = shifts.get(&place.shift_id)?;
        let moved = moved.get(&place.id.0).copied().unwrap_or(place.created_at);
        let modified_at = changed[&activity.id].max(moved);
        Some(rules::of_place(place, activity, shift, modified_at, words))
    };
    let name = lang.pick("益起来：我的活动", "Yiqilai: my activities");
    Ok((name.to_owned(), places.iter().filter_map(event).collect()))
}

fn of_organization(
    conn: &mut Conn,
    id: OrganizationId,
    after: Instant,
    words: Words<'_>,
) -> Result<(String, Vec<Event>)> {
    let organization = organizations::organization(conn, id)?;
    let mut organized = store::organized(conn, id, after)?;
    let ids: Vec<_> = organized.iter().map(|activity| activity.id.0).collect();
    // what was cancelled before anybody saw it, nobody sees
    let published = journal::ever_done(conn, "activity", &ids, &["publish", "approve"])?;
    organized.retain(|activity| {
        activity.status != ActivityStatus::Cancelled || published.contains(&activity.id.0)
    });
    let changed = last_changes(conn, organized.iter())?;
    let event = |activity: &Activity| rules::of_activity(activity, changed[&activity.id], words);
    Ok((organization.name, organized.iter().map(event).collect()))
}

/// When each of these activities last changed.
fn last_changes<'a>(
    conn: &mut Conn,
    of: impl Iterator<Item = &'a Activity> + Clone,
) -> Result<HashMap<ActivityId, Instant>> {
    let ids: Vec<_> = of.clone().map(|activity| activity.id.0).collect();
    let changed = journal::last_changes(conn, "activity", &ids)?;
    let at = |activity: &Activity| {
        let changed = changed.get(&activity.id.0);
        (activity.id, *changed.unwrap_or(&activity.created_at))
    };
    Ok(of.map(at).collect())
}

/// An activity, or one of its shifts, as a file for a calendar program.
///
/// # Errors
/// `not_found`.
pub fn file(
    conn: &mut Conn,
    caller: Option<&Caller>,
    (id, shift): (ActivityId, Option<ShiftId>),
    words: Words<'_>,
) -> Result<String> {
    let (activity, _) = visible(conn, caller, id)?;
    let modified_at = last_changes(conn, [&activity].into_iter())?[&id];
    let event = match shift {
        None => rules::of_activity(&activity, modified_at, words),
        Some(shift) => {
            let shift = activities::shift(conn, shift)?;
            if shift.activity_id != id {
                return Err(Code::NotFound.into());
            }
            rules::of_shift(&activity, &shift, modified_at, words)
        }
    };
    Ok(ics::write(None, &[event]))
}
