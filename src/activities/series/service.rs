//! What can be done with series.

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use validator::Validate;

use super::model::{Series, SeriesId};
use super::rules::{Recurrence, instants};
use super::store;
use crate::activities::model::{Activity, ActivityId, ActivityStatus};
use crate::activities::rules::{By, MOVES};
use crate::activities::service::{self, Desk, alone, check, copied, may_organize, serialize};
use crate::activities::store as activities;
use crate::error::{Code, Problem, Result};
use crate::identity::Caller;
use crate::platform::columns::Json;
use crate::platform::db::{Conn, Tx};
use crate::platform::http::IfMatch;
use crate::platform::lifecycle::{self, ActsAs};

/// When the activities of a series are, by RFC 5545. The draft it is made of is the first of them
/// (`DTSTART`), in the district's time zone.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = NewActivitySeries)]
pub struct NewSeries {
    /// The value of `RRULE`: daily at most, and with an end (`COUNT`, or `UNTIL` in UTC).
    #[validate(length(min = 1, max = 300))]
    #[schema(example = "FREQ=WEEKLY;BYDAY=SA;COUNT=10")]
    pub rule: String,
    /// Days of the rule on which it does not come (`EXDATE`).
    #[serde(default)]
    #[validate(length(max = 100))]
    pub exdates: Vec<NaiveDate>,
    /// Further days on which it comes (`RDATE`), at the same time of the day.
    #[serde(default)]
    #[validate(length(max = 100))]
    pub rdates: Vec<NaiveDate>,
}

/// A series with its activities, as far as the caller sees them; nothing of one that shows none.
///
/// # Errors
/// `not_found`.
pub fn visible(
    conn: &mut Conn,
    caller: Option<&Caller>,
    id: SeriesId,
) -> Result<(Series, Vec<Activity>)> {
    let series = store::series(conn, id)?;
    let all = activities::of_series(conn, id)?;
    let relations = service::relations(conn, caller, &all)?;
    let mut seen = Vec::new();
    for (activity, relation) in all.into_iter().zip(relations) {
        if relation.may_see(activity.status) {
            seen.push(activity);
        }
    }
    if seen.is_empty() {
        return Err(Code::NotFound.into());
    }
    Ok((series, seen))
}

/// Makes a series out of a draft: as many drafts like it as the rule gives, each at its time.
///
/// # Errors
/// `invalid` with every wrong field; `forbidden`, `in_series`, `move_not_allowed` once it was handed in or
/// published.
pub fn repeat(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: ActivityId,
    new: &NewSeries,
) -> Result<Series> {
    let (first, relation) = alone(tx, caller, id)?;
    relation.acts_as(By::Organizer)?;
    if first.series_id.is_some() {
        return Err(Code::InSeries.into());
    }
    if first.status != ActivityStatus::Draft {
        return Err(service::refusal(tx.conn, &first, caller.actor()));
    }
    may_organize(tx, caller, &first)?;
    let recurrence = Recurrence {
        rule: &new.rule,
        exdates: &new.exdates,
        rdates: &new.rdates,
    };
    let most = desk.rules.series_length;
    let instants = instants(recurrence, first.starts_at, most, tx.zone).map_err(|errors| {
        let mut wrong = Problem::new(Code::Invalid);
        wrong.errors = errors;
        wrong
    })?;
    let series = Series {
        id: SeriesId::new(),
        author_id: caller.account,
        rule: new.rule.clone(),
        exdates: Json(new.exdates.clone()),
        rdates: Json(new.rdates.clone()),
        version: 1,
        created_at: tx.now,
    };
    store::insert(tx.conn, &series)?;
    let shifts = activities::shifts(tx.conn, id)?;
    for at in instants.iter().skip(1) {
        let (copy, shifts) = copied(tx, caller, (&first, &shifts), *at);
        let copy = Activity {
            series_id: Some(series.id),
            recurs_at: Some(*at),
            ..copy
        };
        check(tx, desk, &copy, Some(first.region_id), &shifts)?;
        activities::insert(tx.conn, &copy, &shifts)?;
        let from = json!({ "from": id, "series_id": series.id });
        tx.journal(service::change(&copy, caller.actor(), "create").payload(from))?;
    }
    let first = Activity {
        recurs_at: Some(first.starts_at),
        series_id: Some(series.id),
        ..first
    };
    if !activities::save(tx.conn, &first)? {
        return Err(Code::VersionMismatch.into());
    }
    let what = json!({ "series_id": series.id, "activities": instants.len() });
    tx.journal(service::change(&first, caller.actor(), "repeat").payload(what))?;
    Ok(series)
}

/// Makes a move of all activities of a series that stand where it is open; of none, where it is open to
/// none. Whatever keeps one of them from it keeps all. Where the caller has made it before it is answered as
/// then; a review wants to have `seen` the series as it is, once nobody else is about to change it.
fn all(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: SeriesId,
    verbs: &[&str],
    seen_at: Option<&IfMatch>,
    mut one: impl FnMut(&mut Tx<'_>, &Activity) -> Result<Activity>,
) -> Result<Series> {
    let (_, mut seen) = visible(tx.conn, Some(caller), id)?;
    seen.sort_by_key(|activity| activity.id);
    for activity in &seen {
        serialize(tx, activity.id)?;
    }
    let series = store::series(tx.conn, id)?;
    let mut open = Vec::new();
    let mut over = Vec::new();
    for activity in seen {
        let activity = activities::activity(tx.conn, activity.id)?;
        let allowed = lifecycle::allowed(MOVES, activity.status);
        // what is going on is cancelled by itself, not with the rest of its series
        let is_ahead = activity.status != ActivityStatus::Ongoing;
        match is_ahead && verbs.iter().any(|verb| allowed.contains(verb)) {
            true => open.push(activity),
            false => over.push(activity),
        }
    }
    if open.is_empty() {
        for activity in &over {
            for verb in verbs {
                if service::is_repeat(tx.conn, activity, verb, caller)? {
                    return Ok(series);
                }
            }
        }
    }
    if let Some(seen_at) = seen_at {
        seen_at.expect(series.version)?;
    }
    match over.last() {
        Some(last) if open.is_empty() => {
            return Err(service::refusal(tx.conn, last, caller.actor()));
        }
        _ => {}
    }
    for activity in &open {
        one(tx, activity)?;
    }
    store::series(tx.conn, id)
}

/// Publishes the drafts of a series, or hands them in where their region demands a review.
///
/// # Errors
/// `not_found`, `move_not_allowed` where there are none, and whatever keeps one of them from it.
pub fn publish(tx: &mut Tx<'_>, caller: &Caller, id: SeriesId) -> Result<Series> {
    let verbs = &["publish", "submit"];
    all(tx, caller, id, verbs, None, |tx, activity| {
        service::publish(tx, caller, activity.id)
    })
}

/// Approves those of a series that wait for the review, by whoever has read it as it is.
///
/// # Errors
/// As of [`publish`]; `version_required`, `version_mismatch`.
pub fn approve(tx: &mut Tx<'_>, caller: &Caller, id: SeriesId, seen: &IfMatch) -> Result<Series> {
    all(tx, caller, id, &["approve"], Some(seen), |tx, activity| {
        service::approve(tx, caller, activity.id, &IfMatch::Any)
    })
}

/// Sends those of a series back that wait for the review, with a reason.
///
/// # Errors
/// As of [`approve`].
pub fn send_back(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: SeriesId,
    seen: &IfMatch,
    reason: &str,
) -> Result<Series> {
    all(tx, caller, id, &["return"], Some(seen), |tx, activity| {
        service::send_back(tx, caller, activity.id, &IfMatch::Any, reason)
    })
}

/// Cancels what is left of a series; everybody concerned is told why.
///
/// # Errors
/// As of [`publish`].
pub fn cancel(tx: &mut Tx<'_>, caller: &Caller, id: SeriesId, reason: &str) -> Result<Series> {
    all(tx, caller, id, &["cancel"], None, |tx, activity| {
        service::cancel(tx, caller, activity.id, reason)
    })
}
