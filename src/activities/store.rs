//! The SQL of activities and their shifts; enrolments and series have their own.

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;
use diesel::dsl::exists;
use diesel::prelude::*;

use super::model::{Activity, ActivityId, ActivityStatus, Policy, Shift, ShiftId};
use super::rules::{AHEAD, LIVE};
use super::series::SeriesId;
use crate::each;
use crate::error::{Code, Result};
use crate::identity::AccountId;
use crate::organizations::OrganizationId;
use crate::platform::clock::Instant;
use crate::platform::columns::{like, lower};
use crate::platform::db::{Conn, Prepared};
use crate::projects::ProjectId;
use crate::projects::claims::ClaimId;
use crate::regions::{self, RegionId};
use crate::schema::{activities, activity_policies, activity_shifts, region_ancestors};
use crate::taxonomies::LifeCycle;

/// An activity.
///
/// # Errors
/// `not_found`.
pub fn activity(conn: &mut Conn, id: ActivityId) -> Result<Activity> {
    activities::table
        .find(id)
        .select(Activity::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| Code::NotFound.into())
}

/// Several activities, by their ids.
pub fn activities_of(conn: &mut Conn, ids: &[ActivityId]) -> Result<HashMap<ActivityId, Activity>> {
    let rows: Vec<Activity> = activities::table
        .filter(activities::id.eq_any(ids.to_vec()))
        .select(Activity::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

pub fn insert(conn: &mut Conn, activity: &Activity, shifts: &[Shift]) -> Result<()> {
    diesel::insert_into(activities::table)
        .values(activity)
        .execute(conn)?;
    shifts
        .iter()
        .try_for_each(|shift| insert_shift(conn, shift))
}

/// Writes the row and counts its version up, if it is still the version that was read.
pub fn save(conn: &mut Conn, changed: &Activity) -> Result<bool> {
    let next = Activity {
        version: changed.version + 1,
        ..changed.clone()
    };
    let same = activities::table
        .filter(activities::id.eq(changed.id))
        .filter(activities::version.eq(changed.version));
    Ok(diesel::update(same).set(&next).execute(conn)? > 0)
}

/// Notes that an activity was found not fit to begin. No version is counted: nobody changed it.
pub fn hold_up(conn: &mut Conn, id: ActivityId, at: Instant) -> Result<()> {
    diesel::update(activities::table.find(id))
        .set(activities::held_up_at.eq(Some(at)))
        .execute(conn)?;
    Ok(())
}

// ---- shifts

/// The shifts of an activity, in their order.
///
/// # Errors
/// Those of the database.
pub fn shifts(conn: &mut Conn, of: ActivityId) -> Result<Vec<Shift>> {
    Ok(activity_shifts::table
        .filter(activity_shifts::activity_id.eq(of))
        .order((activity_shifts::place, activity_shifts::id))
        .select(Shift::as_select())
        .load(conn)?)
}

/// The shifts of several activities, each in their order.
pub fn shifts_of(conn: &mut Conn, of: &[ActivityId]) -> Result<HashMap<ActivityId, Vec<Shift>>> {
    let rows: Vec<Shift> = activity_shifts::table
        .filter(activity_shifts::activity_id.eq_any(of.to_vec()))
        .order((activity_shifts::place, activity_shifts::id))
        .select(Shift::as_select())
        .load(conn)?;
    let mut shifts: HashMap<_, Vec<_>> = HashMap::new();
    for shift in rows {
        shifts.entry(shift.activity_id).or_default().push(shift);
    }
    Ok(shifts)
}

/// Several shifts, by their ids.
pub fn shifts_named(conn: &mut Conn, ids: &[ShiftId]) -> Result<HashMap<ShiftId, Shift>> {
    let rows: Vec<Shift> = activity_shifts::table
        .filter(activity_shifts::id.eq_any(ids.to_vec()))
        .select(Shift::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

pub fn shift(conn: &mut Conn, id: ShiftId) -> Result<Shift> {
    activity_shifts::table
        .find(id)
        .select(Shift::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| Code::NotFound.into())
}

pub fn insert_shift(conn: &mut Conn, shift: &Shift) -> Result<()> {
    diesel::insert_into(activity_shifts::table)
        .values(shift)
        .execute(conn)?;
    Ok(())
}

/// Writes a shift anew but for the seats that are taken; false when more are than there would be.
pub fn update_shift(conn: &mut Conn, shift: &Shift) -> Result<bool> {
    let fits = activity_shifts::table
        .filter(activity_shifts::id.eq(shift.id))
        .filter(activity_shifts::taken.le(shift.seats));
    let written = diesel::update(fits)
        .set((
            activity_shifts::place.eq(shift.place),
            activity_shifts::name.eq(&shift.name),
            activity_shifts::starts_at.eq(shift.starts_at),
            activity_shifts::ends_at.eq(shift.ends_at),
            activity_shifts::seats.eq(shift.seats),
            activity_shifts::held.eq(shift.held),
            activity_shifts::qualification.eq(&shift.qualification),
            activity_shifts::skills.eq(&shift.skills),
        ))
        .execute(conn)?;
    Ok(written > 0)
}

pub fn delete_shift(conn: &mut Conn, id: ShiftId) -> Result<()> {
    diesel::delete(activity_shifts::table.find(id)).execute(conn)?;
    Ok(())
}

/// Takes a seat, if one is free.
pub fn take_seat(conn: &mut Conn, id: ShiftId) -> Result<bool> {
    let free = activity_shifts::table
        .filter(activity_shifts::id.eq(id))
        .filter(activity_shifts::taken.lt(activity_shifts::seats));
    let take = diesel::update(free).set(activity_shifts::taken.eq(activity_shifts::taken + 1));
    Ok(each!(conn, c => Prepared::new(take).execute(c))? > 0)
}

/// Gives a seat back.
pub fn free_seat(conn: &mut Conn, id: ShiftId) -> Result<()> {
    diesel::update(activity_shifts::table.find(id))
        .set(activity_shifts::taken.eq(activity_shifts::taken - 1))
        .execute(conn)?;
    Ok(())
}

/// The next number in the line of a shift: in the order in which people came to it, whenever their requests
/// began.
pub fn next_in_line(conn: &mut Conn, id: ShiftId) -> Result<i32> {
    let next = diesel::update(activity_shifts::table.find(id))
        .set(activity_shifts::queued.eq(activity_shifts::queued + 1))
        .returning(activity_shifts::queued);
    Ok(each!(conn, c => Prepared::new(next).get_result(c))?)
}

/// Says whether a shift of work with minors is held.
pub fn set_held(conn: &mut Conn, id: ShiftId, is_held: bool) -> Result<()> {
    diesel::update(activity_shifts::table.find(id))
        .set(activity_shifts::held.eq(Some(is_held)))
        .execute(conn)?;
    Ok(())
}

// ---- lists

/// What a list of activities asks for.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Only those that stand in one of these.
    pub statuses: Vec<ActivityStatus>,
    /// Only those in this region or below it.
    pub within: Option<RegionId>,
    /// Only those of this project.
    pub project: Option<ProjectId>,
    /// Only those of this organisation.
    pub organization: Option<OrganizationId>,
    /// Only those that this person, or one of these organisations, organises.
    pub organizers: Option<(AccountId, Vec<OrganizationId>)>,
    /// Only those that serve this goal.
    pub life_cycle: Option<LifeCycle>,
    /// Only those whose title, summary or place holds this text.
    pub text: Option<String>,
    /// Only those that end after this instant.
    pub from: Option<Instant>,
    /// Only those that begin before this instant.
    pub until: Option<Instant>,
    /// Only those between these degrees: west, south, east, north.
    pub inside: Option<(f64, f64, f64, f64)>,
    /// Only those with a free seat.
    pub with_seats: bool,
    /// Only those after this one.
    pub after: Option<(Instant, ActivityId)>,
    /// Rows a page holds; one more is answered where there is one.
    pub limit: i64,
}

/// The soonest first.
///
/// # Errors
/// Those of the database.
pub fn list(conn: &mut Conn, query: &Query) -> Result<Vec<Activity>> {
    let mut rows = activities::table
        .filter(activities::status.eq_any(query.statuses.clone()))
        .select(Activity::as_select())
        .into_boxed();
    if let Some(region) = query.within {
        rows = rows.filter(activities::region_id.eq_any(regions::within(region)));
    }
    if let Some(project) = query.project {
        rows = rows.filter(activities::project_id.eq(project));
    }
    if let Some(organization) = query.organization {
        rows = rows.filter(activities::organization_id.eq(organization));
    }
    if let Some((person, organizations)) = &query.organizers {
        let led = activities::leader_id.eq(*person).assume_not_null();
        let run = activities::organization_id
            .eq_any(organizations.clone())
            .assume_not_null();
        let is_run = activities::organization_id.is_not_null().and(run);
        let is_led = activities::leader_id.is_not_null().and(led);
        rows = rows.filter(is_led.or(is_run));
    }
    if let Some(life_cycle) = query.life_cycle {
        rows = rows.filter(activities::life_cycle.eq(life_cycle));
    }
    if let Some(text) = &query.text {
        let like = like(text);
        let holds = lower(activities::title).like(like.clone()).escape('\\');
        let holds = holds.or(lower(activities::summary).like(like.clone()).escape('\\'));
        rows = rows.filter(holds.or(lower(activities::place).like(like).escape('\\')));
    }
    if let Some(from) = query.from {
        rows = rows.filter(activities::ends_at.gt(from));
    }
    if let Some(until) = query.until {
        rows = rows.filter(activities::starts_at.lt(until));
    }
    if let Some((west, south, east, north)) = query.inside {
        rows = rows
            .filter(activities::longitude.between(west, east))
            .filter(activities::latitude.between(south, north));
    }
    if query.with_seats {
        let free = activity_shifts::table
            .filter(activity_shifts::activity_id.eq(activities::id))
            .filter(activity_shifts::taken.lt(activity_shifts::seats));
        rows = rows.filter(exists(free));
    }
    if let Some((starts_at, id)) = query.after {
        let later = activities::starts_at.gt(starts_at);
        let beside = activities::starts_at.eq(starts_at);
        rows = rows.filter(later.or(beside.and(activities::id.gt(id))));
    }
    Ok(rows
        .order((activities::starts_at, activities::id))
        .limit(query.limit + 1)
        .load(conn)?)
}

/// The ids of the activities of a series.
pub fn ids_of_series(conn: &mut Conn, series: SeriesId) -> Result<Vec<ActivityId>> {
    Ok(activities::table
        .filter(activities::series_id.eq(series))
        .select(activities::id)
        .load(conn)?)
}

/// The activities of a series, in the order of its rule.
pub fn of_series(conn: &mut Conn, series: SeriesId) -> Result<Vec<Activity>> {
    Ok(activities::table
        .filter(activities::series_id.eq(series))
        .order((activities::recurs_at, activities::id))
        .select(Activity::as_select())
        .load(conn)?)
}

/// The activities that the clock moves on by now: whose enrolment closes, that begin or end, of which a shift
/// with minors begins, and those that ended before `settled` and that nobody has settled. One that was found
/// not fit to begin is looked at again once that is as old as `tried_before`.
pub fn due(
    conn: &mut Conn,
    now: Instant,
    (tried_before, settled): (Instant, Instant),
    limit: i64,
) -> Result<Vec<ActivityId>> {
    let closes = activities::status
        .eq(ActivityStatus::Published)
        .and(activities::enrolment_closes_at.le(now));
    let tried = activities::held_up_at
        .is_null()
        .or(activities::held_up_at.le(tried_before).assume_not_null());
    let begins = activities::status
        .eq_any(AHEAD.to_vec())
        .and(activities::starts_at.le(now))
        .and(tried);
    let ends = activities::status
        .eq(ActivityStatus::Ongoing)
        .and(activities::ends_at.le(now));
    let session = activity_shifts::table
        .filter(activity_shifts::activity_id.eq(activities::id))
        .filter(activity_shifts::starts_at.le(now))
        .filter(activity_shifts::held.is_null());
    let goes_on = activities::status
        .eq(ActivityStatus::Ongoing)
        .and(activities::minors)
        .and(exists(session));
    let settles = activities::status
        .eq(ActivityStatus::Finished)
        .and(activities::ends_at.le(settled));
    Ok(activities::table
        .filter(closes.or(begins).or(ends).or(goes_on).or(settles))
        .order(activities::id)
        .limit(limit)
        .select(activities::id)
        .load(conn)?)
}

/// How long after an activity was found not fit to begin it is looked at again.
pub const AGAIN: TimeDelta = TimeDelta::minutes(5);

/// Has an activity that is held up looked at again at once.
pub fn try_again(conn: &mut Conn, activity: &Activity) -> Result<()> {
    let tried = activity.held_up_at.map(|at| at - AGAIN);
    diesel::update(activities::table.find(activity.id))
        .set(activities::held_up_at.eq(tried))
        .execute(conn)?;
    Ok(())
}

/// The activities of a project at which somebody may still wait for a place.
pub fn live_of_project(conn: &mut Conn, of: ProjectId) -> Result<Vec<ActivityId>> {
    Ok(activities::table
        .filter(activities::project_id.eq(of))
        .filter(activities::status.eq_any(LIVE.to_vec()))
        .order(activities::id)
        .select(activities::id)
        .load(conn)?)
}

/// The activities of an organisation that have not begun and are handed in or published.
pub fn ahead_of_organization(conn: &mut Conn, of: OrganizationId) -> Result<Vec<ActivityId>> {
    Ok(activities::table
        .filter(activities::organization_id.eq(of))
        .filter(activities::status.eq_any(stopped_with_others()))
        .order(activities::id)
        .select(activities::id)
        .load(conn)?)
}

/// The activities of a claim that have not begun, drafts included.
pub fn ahead_of_claim(conn: &mut Conn, of: ClaimId) -> Result<Vec<ActivityId>> {
    let mut statuses = stopped_with_others();
    statuses.extend([ActivityStatus::Draft, ActivityStatus::Returned]);
    Ok(activities::table
        .filter(activities::claim_id.eq(of))
        .filter(activities::status.eq_any(statuses))
        .order(activities::id)
        .select(activities::id)
        .load(conn)?)
}

fn stopped_with_others() -> Vec<ActivityStatus> {
    let mut statuses = AHEAD.to_vec();
    statuses.push(ActivityStatus::Submitted);
    statuses
}

// ---- policies

/// Whether a region demands a review of activities: as the nearest region says that says anything, from
/// itself upwards.
///
/// # Errors
/// Those of the database.
pub fn demands_review(conn: &mut Conn, region: RegionId) -> Result<bool> {
    Ok(demanding(conn, &[region])?.contains(&region))
}

/// Those of these regions that demand a review, as [`demands_review`] says it of one.
///
/// # Errors
/// Those of the database.
pub fn demanding(conn: &mut Conn, among: &[RegionId]) -> Result<HashSet<RegionId>> {
    // the nearest comes last and has the last word
    let said: Vec<(RegionId, bool)> = activity_policies::table
        .inner_join(
            region_ancestors::table
                .on(region_ancestors::ancestor_id.eq(activity_policies::region_id)),
        )
        .filter(region_ancestors::region_id.eq_any(among.to_vec()))
        .order(region_ancestors::distance.desc())
        .select((region_ancestors::region_id, activity_policies::review))
        .load(conn)?;
    let says: HashMap<_, _> = said.into_iter().collect();
    let demanding = says.into_iter().filter(|(_, review)| *review);
    Ok(demanding.map(|(region, _)| region).collect())
}

/// What a region itself says.
pub fn policy(conn: &mut Conn, region: RegionId) -> Result<Option<Policy>> {
    Ok(activity_policies::table
        .find(region)
        .select(Policy::as_select())
        .first(conn)
        .optional()?)
}

pub fn set_policy(conn: &mut Conn, policy: &Policy) -> Result<()> {
    diesel::delete(activity_policies::table.find(policy.region_id)).execute(conn)?;
    diesel::insert_into(activity_policies::table)
        .values(policy)
        .execute(conn)?;
    Ok(())
}
