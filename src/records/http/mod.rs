//! Service records and hours over HTTP.

mod hours;
mod moves;

use std::collections::HashMap;

use actix_web::get;
use actix_web::web::{Data, Json, Path};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::model::{ConfirmedBy, Entry, EntryId, EntryKind, Record, RecordId, RecordStatus, Track};
use super::rules::{self, Relation};
use super::service::{self, Desk};
use super::store::{self, Of};
use crate::activities::{self, ActivityId, ShiftId};
use crate::error::{Code, Result};
use crate::identity::{self, AccountId, Caller};
use crate::organizations::OrganizationId;
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::db::Conn;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::{Cursor, List, Page, Params, ProblemBody};
use crate::projects::ProjectId;
use crate::regions::RegionId;

/// The room's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(my_records)
        .service(records_of_activity)
        .service(read_record);
    moves::routes(config);
    hours::routes(config);
}

/// A row of the ledger.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HourEntry)]
pub struct EntryView {
    /// Its id.
    pub id: EntryId,
    /// The day on the wall.
    #[schema(value_type = String, format = Date)]
    pub day: NaiveDate,
    /// What it does.
    pub kind: EntryKind,
    /// Minutes; fewer than none when it takes some back.
    pub minutes: i32,
    /// The entry that it takes back.
    pub counters_id: Option<EntryId>,
    /// Why, in the words of who made it.
    pub reason: Option<String>,
    /// When it was made.
    pub made_at: Instant,
}

/// What somebody did in a shift, from when to when.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ServiceRecord)]
pub struct RecordView {
    /// Its id.
    pub id: RecordId,
    /// Who did it.
    pub account_id: AccountId,
    /// What the person is called; empty for somebody who is gone.
    pub name: String,
    /// In which activity.
    pub activity_id: ActivityId,
    /// What the activity is called.
    pub title: String,
    /// In which of its shifts.
    pub shift_id: ShiftId,
    /// Which organisation records it; none where the region's staff do.
    pub organization_id: Option<OrganizationId>,
    /// For which project.
    pub project_id: Option<ProjectId>,
    /// Where.
    pub region_id: RegionId,
    /// Why: by their own will, or under an order.
    pub track: Track,
    /// Where it stands.
    pub status: RecordStatus,
    /// Since when.
    pub status_since: Instant,
    /// From when on; none while it is not known.
    pub starts_at: Option<Instant>,
    /// Until when, not included; none while it is not known.
    pub ends_at: Option<Instant>,
    /// Whether somebody has to say when the person went before it can be confirmed.
    pub needs_minutes: bool,
    /// Minutes that count, or before it is confirmed would.
    pub minutes: i32,
    /// Minutes that the daily cap cut away.
    pub capped_minutes: i32,
    /// What confirmed it.
    pub confirmed_by: Option<ConfirmedBy>,
    /// From when on it was, as the person says.
    pub claimed_from: Option<Instant>,
    /// Until when it was, as the person says.
    pub claimed_until: Option<Instant>,
    /// Why it stands there, in the words of who moved it.
    pub reason: Option<String>,
    /// Its rows in the ledger, the oldest first.
    pub entries: Vec<EntryView>,
    /// The moves that are the caller's now; a rule may still refuse one.
    pub moves: Vec<&'static str>,
    /// When it was made.
    pub created_at: Instant,
}

impl RecordView {
    fn all(
        conn: &mut Conn,
        rows: Vec<Record>,
        caller: &Caller,
        (desk, now): (&Desk, Instant),
    ) -> Result<Vec<Self>> {
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        let people: Vec<_> = rows.iter().map(|row| row.account_id).collect();
        let mut entries = store::entries(conn, &ids)?;
        let names = identity::names(conn, &people)?;
        let mut titles = HashMap::new();
        let mut views = Vec::new();
        for row in rows {
            let title: &String = match titles.entry(row.activity_id) {
                std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::hash_map::Entry::Vacant(new) => {
                    new.insert(activities::activity(conn, row.activity_id)?.title)
                }
            };
            let relation = service::relation(conn, caller, &row)?;
            let name = names.get(&row.account_id).cloned().unwrap_or_default();
            let moves = rules::moves(&row, relation, &desk.rules, now);
            let entries = entries.remove(&row.id).unwrap_or_default();
            views.push(Self::of(row, (name, title.clone()), entries, moves));
        }
        Ok(views)
    }

    fn one(conn: &mut Conn, row: Record, caller: &Caller, with: (&Desk, Instant)) -> Result<Self> {
        let mut views = Self::all(conn, vec![row], caller, with)?;
        views.pop().ok_or_else(|| Code::NotFound.into())
    }

    fn of(
        row: Record,
        (name, title): (String, String),
        entries: Vec<Entry>,
        moves: Vec<&'static str>,
    ) -> Self {
        let entries = entries.into_iter().map(|entry| EntryView {
            id: entry.id,
            day: entry.day,
            kind: entry.kind,
            minutes: entry.minutes,
            counters_id: entry.counters_id,
            reason: entry.reason,
            made_at: entry.made_at,
        });
        Self {
            name,
            title,
            entries: entries.collect(),
            moves,
            needs_minutes: row.status == RecordStatus::Proposed && row.starts_at.is_none(),
            id: row.id,
            account_id: row.account_id,
            activity_id: row.activity_id,
            shift_id: row.shift_id,
            organization_id: row.organization_id,
            project_id: row.project_id,
            region_id: row.region_id,
            track: row.track,
            status: row.status,
            status_since: row.status_since,
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            minutes: row.minutes,
            capped_minutes: row.capped_minutes,
            confirmed_by: row.confirmed_by,
            claimed_from: row.claimed_from,
            claimed_until: row.claimed_until,
            reason: row.reason,
            created_at: row.created_at,
        }
    }
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only those that stand here.
    status: Option<RecordStatus>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

async fn listed(
    platform: &Platform,
    desk: Data<Desk>,
    caller: Caller,
    which: Which,
    of: Of,
) -> Result<List<Page<RecordView>>> {
    let before = Cursor::decode(which.cursor.as_deref())?;
    let limit = which.limit.unwrap_or(DEFAULT_LIMIT);
    let now = platform.clock.now();
    let found = platform.db.read(move |conn| {
        if let Of::Activity(id) = of {
            may_list(conn, &caller, id)?;
        }
        let rows = store::list(conn, of, which.status, before, limit)?;
        let page = Page::of(rows, limit, |row| row.id);
        Ok(Page {
            items: RecordView::all(conn, page.items, &caller, (desk.as_ref(), now))?,
            next: page.next,
        })
    });
    Ok(List(found.await?))
}

/// The records of an activity are for those who record them, and the region's staff.
fn may_list(conn: &mut Conn, caller: &Caller, id: ActivityId) -> Result<()> {
    activities::activity(conn, id)?;
    let Some(record) = store::list(conn, Of::Activity(id), None, None, 1)?.pop() else {
        return Err(Code::NotFound.into());
    };
    let relation = service::relation(conn, caller, &record)?;
    let Relation {
        recorder, staff, ..
    } = relation;
    if recorder || staff {
        Ok(())
    } else {
        Err(Code::NotFound.into())
    }
}

/// List one's service records
#[utoipa::path(tag = "records", params(Which), responses(
    (status = 200, description = "The newest first", body = Page<RecordView>),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/me/service-records")]
async fn my_records(
    caller: Caller,
    platform: Data<Platform>,
    desk: Data<Desk>,
    query: Params<Which>,
) -> Result<List<Page<RecordView>>> {
    let of = Of::Account(caller.account);
    listed(&platform, desk, caller, query.0, of).await
}

/// List the service records of an activity
///
/// For those who record them, and the region's staff.
#[utoipa::path(tag = "records", params(("id" = ActivityId, Path, description = "The activity"), Which), responses(
    (status = 200, description = "The newest first", body = Page<RecordView>),
    (status = 404, description = "No such activity, no record of it yet, or not for the caller's eyes", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/service-records/activities/{id}")]
async fn records_of_activity(
    caller: Caller,
    platform: Data<Platform>,
    desk: Data<Desk>,
    id: Path<ActivityId>,
    query: Params<Which>,
) -> Result<List<Page<RecordView>>> {
    listed(&platform, desk, caller, query.0, Of::Activity(*id)).await
}

/// Read a service record
///
/// For the person, those who record it, and the region's staff.
#[utoipa::path(tag = "records", params(("id" = RecordId, Path, description = "The record")), responses(
    (status = 200, description = "The record, with its rows in the ledger", body = RecordView),
    (status = 404, description = "No such record, or not for the caller's eyes", body = ProblemBody)))]
#[get("/service-records/{id}")]
async fn read_record(
    caller: Caller,
    platform: Data<Platform>,
    desk: Data<Desk>,
    id: Path<RecordId>,
) -> Result<Json<RecordView>> {
    let now = platform.clock.now();
    let read = platform.db.point(move |conn| {
        let (record, _) = service::visible(conn, &caller, *id)?;
        RecordView::one(conn, record, &caller, (desk.as_ref(), now))
    });
    Ok(Json(read.await?))
}
