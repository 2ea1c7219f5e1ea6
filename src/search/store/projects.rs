//! Projects from their opening on, as the public sees them in their list.

use chrono::NaiveDate;
use diesel::prelude::*;
use uuid::Uuid;

use super::{Source, public_ids};
use crate::error::Result;
use crate::platform::clock::Instant;
use crate::platform::db::Conn;
use crate::projects::{PUBLIC, ProjectId, ProjectStatus};
use crate::regions::RegionId;
use crate::schema::{project_claims, projects};
use crate::search::model::{Document, SearchKind, SearchState};
use crate::taxonomies::{BeneficiaryGroup, LifeCycle};

pub const SOURCE: Source = Source {
    kind: SearchKind::Project,
    ids,
    load,
    noun: "project",
    touched,
    is_public: |state| PUBLIC.iter().any(|public| public.as_str() == state),
};

public_ids!(projects, ProjectId, projects::status.eq_any(PUBLIC));

#[derive(Queryable)]
struct Row {
    id: ProjectId,
    title: String,
    summary: String,
    region_id: RegionId,
    field: String,
    life_cycle: LifeCycle,
    beneficiary_group: Option<BeneficiaryGroup>,
    longitude: Option<f64>,
    latitude: Option<f64>,
    ends_on: NaiveDate,
    status: ProjectStatus,
    published_at: Option<Instant>,
    created_at: Instant,
}

/// The state as a search names it; none where the public finds nothing.
fn state(status: ProjectStatus) -> Option<SearchState> {
    match status {
        ProjectStatus::Open => Some(SearchState::Open),
        ProjectStatus::Claimed => Some(SearchState::Claimed),
        ProjectStatus::Running => Some(SearchState::Running),
        ProjectStatus::Suspended => Some(SearchState::Suspended),
        ProjectStatus::Completing => Some(SearchState::Completing),
        ProjectStatus::Completed => Some(SearchState::Completed),
        ProjectStatus::Archived => Some(SearchState::Archived),
        ProjectStatus::Draft
        | ProjectStatus::Submitted
        | ProjectStatus::Returned
        | ProjectStatus::Approved
        | ProjectStatus::Cancelled => None,
    }
}

fn load(conn: &mut Conn, ids: &[Uuid]) -> Result<Vec<Document>> {
    let ids: Vec<_> = ids.iter().map(|id| ProjectId(*id)).collect();
    let rows: Vec<Row> = projects::table
        .filter(projects::id.eq_any(ids))
        .filter(projects::status.eq_any(PUBLIC))
        .select((
            projects::id,
            projects::title,
            projects::summary,
            projects::region_id,
            projects::field,
            projects::life_cycle,
            projects::beneficiary_group,
            projects::longitude,
            projects::latitude,
            projects::ends_on,
            projects::status,
            projects::published_at,
            projects::created_at,
        ))
        .load(conn)?;
    let document = |row: Row| {
        let state = state(row.status)?;
        Some(Document {
            kind: SearchKind::Project,
            id: row.id.0,
            title: row.title,
            text: row.summary,
            region: row.region_id,
            field: Some(row.field),
            life_cycle: Some(row.life_cycle),
            group: row.beneficiary_group,
            state,
            place: row.longitude.zip(row.latitude),
            // nobody can claim an open one any more
            last_day: (state == SearchState::Open).then_some(row.ends_on),
            published_at: row.published_at.unwrap_or(row.created_at),
        })
    };
    Ok(rows.into_iter().filter_map(document).collect())
}

fn touched(conn: &mut Conn, noun: &str, subjects: &[Uuid]) -> Result<Vec<Uuid>> {
    match noun {
        "project_claim" => {
            let ids = subjects
                .iter()
                .map(|id| crate::projects::claims::ClaimId(*id));
            let of: Vec<ProjectId> = project_claims::table
                .filter(project_claims::id.eq_any(ids.collect::<Vec<_>>()))
                .select(project_claims::project_id)
                .distinct()
                .load(conn)?;
            Ok(of.into_iter().map(|id| id.0).collect())
        }
        _ => Ok(Vec::new()),
    }
}
