//! Changing an activity: a draft in all of it, one that is published in its time, place and places.

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use validator::Validate;

use super::super::model::{Activity, ActivityId, ActivityStatus, Shift};
use super::super::rules::{self, AHEAD, By};
use super::super::{enrolments, series, store};
use super::followed::follow_later;
use super::moves::refuse;
use super::writing::{NewShift, as_shifts, span};
use super::{Desk, alone, change, check, refusal};
use crate::error::{Code, Problem, Result};
use crate::identity::Caller;
use crate::platform::clock::Instant;
use crate::platform::db::Tx;
use crate::platform::http::IfMatch;
use crate::platform::http::valid::given;
use crate::platform::lifecycle::ActsAs;
use crate::regions::RegionId;
use crate::taxonomies::LifeCycle;

/// What an organiser changes about an activity. Absent keys leave a value alone, null removes it where
/// an activity can be without; shifts are given whole. Once it is published, only its place, times, notices,
/// insurance and shifts change.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct EditActivity {
    /// In a few words.
    #[validate(length(min = 2, max = 120))]
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub title: Option<String>,
    /// In more words.
    #[validate(length(min = 2, max = 5000))]
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub summary: Option<String>,
    /// The livelihood goal it serves first.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub life_cycle: Option<LifeCycle>,
    /// The address.
    #[validate(length(min = 2, max = 200))]
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub place: Option<String>,
    /// Where people meet there.
    #[validate(length(max = 200))]
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub meeting_point: Option<String>,
    /// Where it is, degrees east.
    #[validate(range(min = -180.0, max = 180.0))]
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<f64>)]
    pub longitude: Option<Option<f64>>,
    /// Where it is, degrees north.
    #[validate(range(min = -90.0, max = 90.0))]
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<f64>)]
    pub latitude: Option<Option<f64>>,
    /// What volunteers must know before they come.
    #[validate(length(max = 5000))]
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub risk_notice: Option<String>,
    /// Whether it is work with minors.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub minors: Option<bool>,
    /// Whether it is dangerous.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub dangerous: Option<bool>,
    /// Whether it is an internal Party activity.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub party_only: Option<bool>,
    /// The insurance policy, for dangerous work.
    #[validate(length(min = 1, max = 200))]
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<String>)]
    pub insurance_policy: Option<Option<String>>,
    /// The first day it covers.
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<NaiveDate>)]
    pub insurance_from: Option<Option<NaiveDate>>,
    /// The last day it covers.
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<NaiveDate>)]
    pub insurance_until: Option<Option<NaiveDate>>,
    /// The least age on its day, in years.
    #[validate(range(min = 1, max = 120))]
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<i32>)]
    pub min_age: Option<Option<i32>>,
    /// The greatest age on its day, in years.
    #[validate(range(min = 1, max = 120))]
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<i32>)]
    pub max_age: Option<Option<i32>>,
    /// Only for volunteers who live in this region or below it.
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<RegionId>)]
    pub volunteers_region_id: Option<Option<RegionId>>,
    /// From when on people enrol.
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<Instant>)]
    pub enrolment_opens_at: Option<Option<Instant>>,
    /// Until when people enrol, not included.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub enrolment_closes_at: Option<Instant>,
    /// Hours before a shift from which on withdrawing is late.
    #[validate(range(min = 0, max = 720))]
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub withdrawal_hours: Option<i32>,
    /// Its shifts, whole: those that are named by their id stay, the others are new.
    #[validate(length(min = 1, max = 50), nested)]
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub shifts: Option<Vec<NewShift>>,
}

impl EditActivity {
    /// What people have relied on since it was published, and the review has seen.
    fn settled(&self) -> Problem {
        let mut wrong = Problem::new(Code::Invalid);
        for (pointer, is_given) in [
            ("/title", self.title.is_some()),
            ("/summary", self.summary.is_some()),
            ("/life_cycle", self.life_cycle.is_some()),
            ("/minors", self.minors.is_some()),
            ("/dangerous", self.dangerous.is_some()),
            ("/party_only", self.party_only.is_some()),
            ("/min_age", self.min_age.is_some()),
            ("/max_age", self.max_age.is_some()),
            ("/volunteers_region_id", self.volunteers_region_id.is_some()),
        ] {
            if is_given {
                wrong = wrong.field(pointer, Code::SettledByPublishing);
            }
        }
        wrong
    }

    /// What would become another than a review has seen.
    fn reviewed(&self, before: &Activity) -> Vec<&'static str> {
        let mut pointers = Vec::new();
        for (pointer, changes) in [
            (
                "/place",
                self.place.as_ref().is_some_and(|new| *new != before.place),
            ),
            (
                "/longitude",
                self.longitude.is_some_and(|new| new != before.longitude),
            ),
            (
                "/latitude",
                self.latitude.is_some_and(|new| new != before.latitude),
            ),
            (
                "/risk_notice",
                self.risk_notice
                    .as_ref()
                    .is_some_and(|new| *new != before.risk_notice),
            ),
        ] {
            if changes {
                pointers.push(pointer);
            }
        }
        pointers
    }

    fn apply(self, before: &Activity, shifts: &[Shift]) -> Activity {
        let (starts_at, ends_at) = span(shifts);
        let old = before.clone();
        // enrolment that ends with the beginning goes on doing so, and never ends after it
        let closes_at = match self.enrolment_closes_at {
            Some(at) => at,
            // reopened while it is held up, and not moved
            None if rules::is_held_up(&old) && starts_at == old.starts_at => {
                old.enrolment_closes_at
            }
            None if old.enrolment_closes_at >= old.starts_at => starts_at,
            None => old.enrolment_closes_at.min(starts_at),
        };
        Activity {
            title: self.title.unwrap_or(old.title),
            summary: self.summary.unwrap_or(old.summary),
            life_cycle: self.life_cycle.unwrap_or(old.life_cycle),
            place: self.place.unwrap_or(old.place),
            meeting_point: self.meeting_point.unwrap_or(old.meeting_point),
            longitude: self.longitude.unwrap_or(old.longitude),
            latitude: self.latitude.unwrap_or(old.latitude),
            risk_notice: self.risk_notice.unwrap_or(old.risk_notice),
            minors: self.minors.unwrap_or(old.minors),
            dangerous: self.dangerous.unwrap_or(old.dangerous),
            party_only: self.party_only.unwrap_or(old.party_only),
            insurance_policy: self.insurance_policy.unwrap_or(old.insurance_policy),
            insurance_from: self.insurance_from.unwrap_or(old.insurance_from),
            insurance_until: self.insurance_until.unwrap_or(old.insurance_until),
            min_age: self.min_age.unwrap_or(old.min_age),
            max_age: self.max_age.unwrap_or(old.max_age),
            volunteers_region_id: self
                .volunteers_region_id
                .unwrap_or(old.volunteers_region_id),
            enrolment_opens_at: self.enrolment_opens_at.unwrap_or(old.enrolment_opens_at),
            enrolment_closes_at: closes_at,
            withdrawal_hours: self.withdrawal_hours.unwrap_or(old.withdrawal_hours),
            starts_at,
            ends_at,
            ..old
        }
    }
}

/// Changes an activity. When its time or place changes those who stand in it and whom that concerns follow:
/// they are told, and may go without its being late for a while; who cannot come at the new time, or may not
/// on the new day, is let go. Where its region demands a review, what was reviewed of place and risks stays.
///
/// # Errors
/// `invalid` with every wrong field; `version_required`, `version_mismatch`; `move_not_allowed` while it is
/// reviewed and once it has begun; `forbidden`; `shift_in_use`.
pub fn edit(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: ActivityId,
    seen: &IfMatch,
    edit: &EditActivity,
) -> Result<Activity> {
    let (before, relation) = alone(tx, caller, id)?;
    relation.acts_as(By::Organizer)?;
    seen.expect(before.version)?;
    let is_published = AHEAD.contains(&before.status);
    if !is_published && before.status != ActivityStatus::Draft {
        return Err(refusal(tx.conn, &before, caller.actor()));
    }
    let known = store::shifts(tx.conn, id)?;
    let mut shifts = match &edit.shifts {
        Some(shifts) => as_shifts(id, shifts),
        None => known.clone(),
    };
    if let Some(project) = before.project_id {
        keeps_rules_of_project(tx, project, edit)?;
    }
    let mut wrong = match is_published {
        true => edit.settled(),
        false => Problem::new(Code::Invalid),
    };
    if is_published && store::demands_review(tx.conn, before.region_id)? {
        for pointer in edit.reviewed(&before) {
            wrong = wrong.field(pointer, Code::SettledByReview);
        }
    }
    for (n, shift) in shifts.iter_mut().enumerate() {
        let is_named = edit.shifts.as_ref().is_some_and(|all| all[n].id.is_some());
        let Some(old) = known.iter().find(|old| old.id == shift.id) else {
            if is_named {
                wrong = wrong.field(format!("/shifts/{n}/id"), Code::UnknownReference);
            }
            continue;
        };
        shift.taken = old.taken;
        shift.queued = old.queued;
        let stays = (old.starts_at, old.ends_at) == (shift.starts_at, shift.ends_at);
        shift.held = old.held.filter(|_| stays);
        if is_published && shift.qualification != old.qualification {
            let pointer = format!("/shifts/{n}/qualification");
            wrong = wrong.field(pointer, Code::SettledByPublishing);
        }
    }
    if !wrong.errors.is_empty() {
        return Err(wrong.into());
    }
    let twice = |(n, shift): (usize, &Shift)| shifts[..n].iter().any(|other| other.id == shift.id);
    if let Some(n) = shifts.iter().enumerate().position(twice) {
        let repeated = Problem::new(Code::Invalid).field(format!("/shifts/{n}/id"), Code::Repeated);
        return Err(repeated.into());
    }
    let mut after = edit.clone().apply(&before, &shifts);
    let has_moved = shifts.iter().any(|shift| {
        let mut old = known.iter().filter(|old| old.id == shift.id);
        old.any(|old| (old.starts_at, old.ends_at) != (shift.starts_at, shift.ends_at))
    });
    if has_moved {
        after.held_up_at = None;
    }
    check(tx, desk, &after, Some(before.region_id), &shifts)?;
    let is_elsewhere = (
        &after.place,
        &after.meeting_point,
        after.longitude,
        after.latitude,
    ) != (
        &before.place,
        &before.meeting_point,
        before.longitude,
        before.latitude,
    );
    let is_news = is_published && (has_moved || is_elsewhere);
    if is_published {
        // what has passed and stays as it is keeps nothing else from being changed
        let stays = |pointer: &str| match pointer {
            "/enrolment_closes_at" => after.enrolment_closes_at == before.enrolment_closes_at,
            "/shifts" => after.starts_at == before.starts_at,
            _ => false,
        };
        let mut missing = rules::misses(&after, &shifts, tx.now, tx.zone);
        missing.retain(|miss| miss.code != Code::InThePast || !stays(&miss.pointer));
        refuse(missing)?;
    }
    if is_news {
        after.changed_at = Some(tx.now);
        after.news += i32::from(is_elsewhere);
    }
    write_shifts(tx, &known, &shifts)?;
    if !store::save(tx.conn, &after)? {
        return Err(Code::VersionMismatch.into());
    }
    if let Some(series) = after.series_id {
        series::touch(tx.conn, series)?;
    }
    let what = json!({ "time": has_moved, "place": is_elsewhere });
    tx.journal(change(&after, caller.actor(), "edit").payload(what))?;
    if is_published {
        follow_later(tx, id)?;
    }
    store::activity(tx.conn, id)
}

/// What a project is about, so are its activities.
fn keeps_rules_of_project(
    tx: &mut Tx<'_>,
    id: crate::projects::ProjectId,
    edit: &EditActivity,
) -> Result<()> {
    let project = crate::projects::project(tx.conn, id)?;
    let mut wrong = Problem::new(Code::Invalid);
    for (pointer, of_project, asked) in [
        ("/minors", project.minors, edit.minors),
        ("/dangerous", project.dangerous, edit.dangerous),
        ("/party_only", project.party_only, edit.party_only),
    ] {
        if of_project && asked == Some(false) {
            wrong = wrong.field(pointer, Code::SettledByProject);
        }
    }
    if wrong.errors.is_empty() {
        Ok(())
    } else {
        Err(wrong.into())
    }
}

/// Puts shifts in the place of those that are known: what is not named any more goes, unless somebody
/// ever stood in it.
fn write_shifts(tx: &mut Tx<'_>, known: &[Shift], shifts: &[Shift]) -> Result<()> {
    for old in known {
        if shifts.iter().any(|shift| shift.id == old.id) {
            continue;
        }
        if enrolments::any_in(tx.conn, old.id)? {
            return Err(Code::ShiftInUse.into());
        }
        store::delete_shift(tx.conn, old.id)?;
    }
    for shift in shifts {
        if !known.iter().any(|old| old.id == shift.id) {
            store::insert_shift(tx.conn, shift)?;
        } else if !store::update_shift(tx.conn, shift)? {
            return Err(Code::ShiftInUse.into());
        }
    }
    Ok(())
}
