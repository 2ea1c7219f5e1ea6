//! What can be wrong in any activity, whoever writes it.

use chrono::Timelike;

use super::super::model::{Activity, Shift};
use super::super::rules;
use super::Desk;
use crate::error::{Code, Problem, Result};
use crate::platform::db::Tx;
use crate::projects::is_plausible;
use crate::regions::{self, RegionId};
use crate::{organizations, projects, taxonomies};

/// Checks what can be wrong in any activity. The region that is `kept` may have ended.
pub(in crate::activities) fn check(
    tx: &mut Tx<'_>,
    desk: &Desk,
    activity: &Activity,
    kept: Option<RegionId>,
    shifts: &[Shift],
) -> Result<()> {
    let (today, zone) = (tx.today(), tx.zone);
    let mut wrong = Problem::new(Code::Invalid);
    if let Err(code) = regions::current(tx.conn, activity.region_id, kept, today)? {
        wrong = wrong.field("/region_id", code);
    }
    if let Some(id) = activity.organization_id
        && organizations::organization(tx.conn, id).is_err()
    {
        wrong = wrong.field("/organization_id", Code::UnknownReference);
    }
    for (pointer, code) in misplaced(tx, activity)? {
        wrong = wrong.field(pointer, code);
    }
    if let Some(id) = activity.volunteers_region_id
        && regions::by_id(tx.conn, id).is_err()
    {
        wrong = wrong.field("/volunteers_region_id", Code::UnknownReference);
    }
    let project = match activity.project_id {
        Some(id) => Some(projects::project(tx.conn, id)?),
        None => None,
    };
    for (n, shift) in shifts.iter().enumerate() {
        let at = |field: &str| format!("/shifts/{n}/{field}");
        for (field, instant) in [("starts_at", shift.starts_at), ("ends_at", shift.ends_at)] {
            if instant.second() != 0 || instant.nanosecond() != 0 {
                wrong = wrong.field(at(field), Code::Format);
            } else if !is_plausible(rules::day_of(instant, zone), today) {
                wrong = wrong.field(at(field), Code::Range);
            }
        }
        if shift.ends_at <= shift.starts_at {
            wrong = wrong.field(at("ends_at"), Code::EndsBeforeItBegins);
        } else if !rules::is_within_a_day(shift.starts_at, shift.ends_at, zone) {
            wrong = wrong.field(at("ends_at"), Code::Range);
        } else if rules::minutes_by_day(shift.starts_at, shift.ends_at, zone)
            .iter()
            .any(|(_, minutes)| *minutes > desk.rules.daily_minutes)
        {
            wrong = wrong.field(at("ends_at"), Code::DailyCap);
        }
        if let Some(project) = &project {
            let days = project.starts_on..=project.ends_on;
            if !days.contains(&rules::day_of(shift.starts_at, zone)) {
                wrong = wrong.field(at("starts_at"), Code::Range);
            }
        }
        if let Some(kind) = &shift.qualification
            && taxonomies::qualification(kind).is_none()
        {
            wrong = wrong.field(at("qualification"), Code::UnknownQualification);
        }
        for (pointer, code) in projects::check_skills(&shift.skills.0) {
            wrong = wrong.field(at(&pointer), code);
        }
    }
    for (pointer, day) in [
        ("/insurance_from", activity.insurance_from),
        ("/insurance_until", activity.insurance_until),
    ] {
        if day.is_some_and(|day| !is_plausible(day, today)) {
            wrong = wrong.field(pointer, Code::Range);
        }
    }
    let latest = match rules::is_held_up(activity) {
        true => activity.ends_at,
        false => activity.starts_at,
    };
    if activity.enrolment_closes_at > latest {
        wrong = wrong.field("/enrolment_closes_at", Code::Range);
    } else if activity
        .enrolment_opens_at
        .is_some_and(|at| at >= activity.enrolment_closes_at)
    {
        wrong = wrong.field("/enrolment_closes_at", Code::EndsBeforeItBegins);
    }
    if activity
        .max_age
        .is_some_and(|max| activity.min_age.is_some_and(|min| max < min))
    {
        wrong = wrong.field("/max_age", Code::Range);
    }
    if activity.longitude.is_some() != activity.latitude.is_some() {
        wrong = wrong.field("/longitude", Code::Required);
    }
    if wrong.errors.is_empty() {
        Ok(())
    } else {
        Err(wrong.into())
    }
}

/// What is wrong with the region of an activity, which says whether it is reviewed and by whom: it lies in
/// that of its project or, of an organisation's own work, of the organisation; one that is smaller is shown by
/// the place, as far as outlines are known.
fn misplaced(tx: &mut Tx<'_>, activity: &Activity) -> Result<Vec<(&'static str, Code)>> {
    let region = activity.region_id;
    let home = match (activity.project_id, activity.organization_id) {
        (Some(project), _) => Some(projects::project(tx.conn, project)?.region_id),
        (None, Some(id)) => organizations::organization(tx.conn, id)
            .ok()
            .map(|organization| organization.region_id),
        (None, None) => None,
    };
    let Some(home) = home else {
        return Ok(Vec::new()); // said elsewhere
    };
    if !regions::contains(tx.conn, home, region)? {
        return Ok(vec![("/region_id", Code::OutsideItsRegion)]);
    }
    let (Some(longitude), Some(latitude)) = (activity.longitude, activity.latitude) else {
        return Ok(match region == home {
            true => Vec::new(),
            false => vec![("/longitude", Code::Required)],
        });
    };
    let Some(found) = regions::holding(tx.conn, longitude, latitude)? else {
        return Ok(Vec::new());
    };
    // a region without an outline of its own may lie anywhere in the one that is found
    let is_there = regions::contains(tx.conn, region, found.id)?
        || (regions::contains(tx.conn, found.id, region)?
            && !regions::has_outline(tx.conn, region)?);
    Ok(match is_there {
        true => Vec::new(),
        false => vec![("/region_id", Code::PlaceElsewhere)],
    })
}
