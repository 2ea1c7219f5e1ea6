//! One's certificates, and their review.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get, post};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::super::model::{Qualification, QualificationId, QualificationStatus};
use super::super::service::{self, NewQualification};
use super::super::store;
use crate::error::{Code, Error, Result};
use crate::identity::{self, AccountId, Caller, Command, DataUse, Made, Reader, Role, Sensitive};
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::valid::{Nothing, Reason};
use crate::platform::http::{Cursor, Page, Params, ProblemBody};
use crate::platform::token::Vault;
use crate::regions::RegionId;

/// A certificate and where its review stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Qualification)]
pub struct QualificationView {
    /// Its id.
    pub id: QualificationId,
    /// Whose.
    pub account_id: AccountId,
    /// A code of the taxonomy.
    pub kind: String,
    /// The certificate's number, in lists for its holder and the reviewers; null in the answers to
    /// moves, which may be kept for an idempotency key, while numbers are kept sealed only.
    pub number: Option<String>,
    /// The certificate's date.
    pub issued_on: NaiveDate,
    /// The last day on which it counts.
    pub expires_on: Option<NaiveDate>,
    /// Where it stands.
    pub status: QualificationStatus,
    /// When it was reviewed.
    pub reviewed_at: Option<Instant>,
    /// Why it was rejected.
    pub reason: Option<String>,
    /// When it was submitted.
    pub created_at: Instant,
}

fn listed(vault: &Vault, row: Qualification) -> Result<QualificationView> {
    let number = String::from_utf8(vault.open(&row.number)?).map_err(Error::internal)?;
    Ok(QualificationView {
        number: Some(number),
        ..moved(row)
    })
}

fn moved(row: Qualification) -> QualificationView {
    QualificationView {
        id: row.id,
        account_id: row.account_id,
        kind: row.kind,
        number: None,
        issued_on: row.issued_on,
        expires_on: row.expires_on,
        status: row.status,
        reviewed_at: row.reviewed_at,
        reason: row.reason,
        created_at: row.created_at,
    }
}

/// Submit a certificate
#[utoipa::path(tag = "volunteers", request_body = NewQualification, responses(
    (status = 201, description = "Submitted", body = QualificationView),
    (status = 409, description = "Without a volunteer profile", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/me/qualifications")]
pub(super) async fn submit(
    command: Command<NewQualification>,
    platform: Data<Platform>,
) -> Result<HttpResponse> {
    let vault = platform.vault.clone();
    command
        .run(move |tx, caller, input| {
            let row = service::submit_qualification(tx, &vault, caller, input)?;
            Ok(Made::new(
                moved(row),
                "/api/v1/me/qualifications".to_owned(),
            ))
        })
        .await
}

/// List one's certificates
#[utoipa::path(tag = "volunteers", responses((status = 200, description = "Oldest first", body = Page<QualificationView>)))]
#[get("/me/qualifications")]
pub(super) async fn list_own(
    caller: Caller,
    platform: Data<Platform>,
) -> Result<Json<Page<QualificationView>>> {
    let rows = platform
        .db
        .read(move |conn| store::of_volunteer(conn, caller.account))
        .await?;
    Ok(Json(
        Page {
            items: rows,
            next: None,
        }
        .try_map(|row| listed(&platform.vault, row))?,
    ))
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OfRegion {
    /// Of volunteers who live in this region or below it.
    region_id: RegionId,
    /// Where they stand; those that wait when left out.
    status: Option<QualificationStatus>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List a region's certificates for its staff
///
/// Oldest first. Their owners see that staff read the numbers.
#[utoipa::path(tag = "volunteers", params(OfRegion), responses(
    (status = 200, description = "A page of certificates", body = Page<QualificationView>),
    (status = 404, description = "Not a region of the caller's", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/staff/qualifications")]
pub(super) async fn list_of_region(
    caller: Caller,
    platform: Data<Platform>,
    query: Params<OfRegion>,
) -> Result<Json<Page<QualificationView>>> {
    let Params(query) = query;
    let after = Cursor::decode(query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    let status = query.status.unwrap_or(QualificationStatus::Submitted);
    let page = platform.db.write(move |tx| {
        if !caller.holds_in_region(tx.conn, &[Role::RegionAdmin], query.region_id)? {
            return Err(Code::NotFound.into());
        }
        let rows = store::in_region(tx.conn, query.region_id, status, after, limit)?;
        let page = Page::of(rows, limit, |row| row.id);
        for row in &page.items {
            let (what, why) = (Sensitive::CertificateNumber, DataUse::Verification);
            identity::disclosed(tx, &caller, row.account_id, what, Reader::RegionStaff, why)?;
        }
        Ok(page)
    });
    Ok(Json(
        page.await?.try_map(|row| listed(&platform.vault, row))?,
    ))
}

/// Verify a certificate
#[utoipa::path(tag = "volunteers", request_body = Nothing, params(("id" = QualificationId, Path, description = "The certificate")), responses(
    (status = 200, description = "Verified", body = QualificationView),
    (status = 403, description = "One's own", body = ProblemBody),
    (status = 404, description = "No such certificate, or not of the caller's region", body = ProblemBody),
    (status = 409, description = "Reviewed already", body = ProblemBody)))]
#[post("/qualifications/{id}/verify")]
pub(super) async fn verify(command: Command<Nothing>, id: Path<QualificationId>) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, _| {
            let row = service::review_qualification(tx, caller, *id, None)?;
            Ok(Made::changed(moved(row)))
        })
        .await
}

/// Reject a certificate
#[utoipa::path(tag = "volunteers", request_body = Reason, params(("id" = QualificationId, Path, description = "The certificate")), responses(
    (status = 200, description = "Rejected", body = QualificationView),
    (status = 403, description = "One's own", body = ProblemBody),
    (status = 404, description = "No such certificate, or not of the caller's region", body = ProblemBody),
    (status = 409, description = "Reviewed already", body = ProblemBody),
    (status = 422, description = "Without a reason", body = ProblemBody)))]
#[post("/qualifications/{id}/reject")]
pub(super) async fn reject(command: Command<Reason>, id: Path<QualificationId>) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let row = service::review_qualification(tx, caller, *id, Some(&input.reason))?;
            Ok(Made::changed(moved(row)))
        })
        .await
}
