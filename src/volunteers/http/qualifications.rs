//! One's certificates.

use actix_multipart::form::MultipartForm;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get, post};
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::model::{Qualification, QualificationId, QualificationStatus};
use super::super::rules::{MOVES, Relation};
use super::super::service::{self, Desk, NewQualification};
use super::super::store;
use crate::error::Result;
use crate::identity::{AccountId, Caller, Command, Made};
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::http::upload::{ScanForm, keep, show};
use crate::platform::http::valid::Nothing;
use crate::platform::http::{List, Page, ProblemBody};
use crate::platform::lifecycle;

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
    /// What the holder is called, in lists for reviewers; null elsewhere.
    pub holder_name: Option<String>,
    /// In lists for reviewers, whether another account handed in the same kind and number, too,
    /// whatever became of that: a warning. Null elsewhere.
    pub number_known_elsewhere: Option<bool>,
    /// The certificate's date.
    pub issued_on: NaiveDate,
    /// The last day on which it counts.
    pub expires_on: Option<NaiveDate>,
    /// Where its document is, for the holder and the reviewers; null without one.
    pub document_url: Option<String>,
    /// Where it stands.
    pub status: QualificationStatus,
    /// The moves that are the caller's to make now.
    pub moves: Vec<&'static str>,
    /// When it was reviewed, or revoked.
    pub reviewed_at: Option<Instant>,
    /// Why it was rejected or revoked.
    pub reason: Option<String>,
    /// When it was submitted.
    pub created_at: Instant,
}

/// A certificate without what is sealed.
pub(super) fn view(row: Qualification, relation: Relation) -> QualificationView {
    let document_url = row
        .document
        .as_ref()
        .map(|_| format!("/api/v1/qualifications/{}/document", row.id));
    QualificationView {
        id: row.id,
        account_id: row.account_id,
        kind: row.kind,
        number: None,
        holder_name: None,
        number_known_elsewhere: None,
        issued_on: row.issued_on,
        expires_on: row.expires_on,
        document_url,
        moves: lifecycle::open_to(MOVES, relation, row.status),
        status: row.status,
        reviewed_at: row.reviewed_at,
        reason: row.reason,
        created_at: row.created_at,
    }
}

/// How a holder stands to the own certificate.
const OWN: Relation = Relation {
    holder: true,
    reviewer: false,
};

/// Submit a certificate
///
/// The same kind and number once, while it waits or is in force; again from the day on which one is
/// reminded that it ends.
#[utoipa::path(tag = "volunteers", request_body = NewQualification, responses(
    (status = 201, description = "Submitted", body = QualificationView),
    (status = 409, description = "Without a volunteer profile, or submitted before", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/me/qualifications")]
pub(super) async fn submit(
    command: Command<NewQualification>,
    desk: Data<Desk>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let row = service::submit(tx, &desk, caller, input)?;
            Ok(Made::new(
                view(row, OWN),
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
) -> Result<List<Page<QualificationView>>> {
    let items = platform
        .db
        .read(move |conn| store::of_volunteer(conn, caller.account))
        .await?;
    let listed = |row: Qualification| {
        let number = Some(service::number(&platform.vault, &row)?);
        Ok(QualificationView {
            number,
            ..view(row, OWN)
        })
    };
    Ok(List(Page { items, next: None }.try_map(listed)?))
}

/// Add the document of a certificate
///
/// A PDF, or a photo, which is written anew without metadata; taken for what its content is. It takes
/// the place of the one before, as long as the certificate waits for its review.
#[utoipa::path(tag = "volunteers", request_body(content = ScanForm, content_type = "multipart/form-data"),
    params(("id" = QualificationId, Path, description = "The certificate")), responses(
    (status = 201, description = "Added", body = QualificationView),
    (status = 404, description = "Not a certificate of the caller's", body = ProblemBody),
    (status = 409, description = "Reviewed already", body = ProblemBody),
    (status = 422, description = "No document, or an unreadable photo", body = ProblemBody)))]
#[post("/me/qualifications/{id}/document")]
pub(super) async fn add_document(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<QualificationId>,
    form: MultipartForm<ScanForm>,
) -> Result<HttpResponse> {
    let (asking, id) = (caller.clone(), *id);
    let row = keep(
        &platform,
        form.into_inner(),
        move |conn, _| service::may_attach(conn, &asking, id).map(|_| ()),
        move |tx, key| service::attach(tx, &caller, id, key),
    );
    let row = row.await?;
    let place = format!("/api/v1/qualifications/{id}/document");
    Ok(HttpResponse::Created()
        .insert_header(("location", place))
        .json(view(row, OWN)))
}

/// Show the document of a certificate
///
/// To its holder and the staff of the holder's region. The holder sees that staff read it.
#[utoipa::path(tag = "volunteers", params(("id" = QualificationId, Path, description = "The certificate")), responses(
    (status = 200, description = "The document", body = Vec<u8>, content_type = "application/octet-stream"),
    (status = 404, description = "No such certificate, without a document, or not of the caller's region", body = ProblemBody)))]
#[get("/qualifications/{id}/document")]
pub(super) async fn show_document(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<QualificationId>,
) -> Result<HttpResponse> {
    let key = platform
        .db
        .write(move |tx| service::document(tx, &caller, *id))
        .await?;
    Ok(show(platform.files.get(&key).await?))
}

/// Take a certificate back
///
/// Whether it waits or is in force; then it counts no more.
#[utoipa::path(tag = "volunteers", request_body = Nothing, params(("id" = QualificationId, Path, description = "The certificate")), responses(
    (status = 200, description = "Taken back; also when it was already", body = QualificationView),
    (status = 403, description = "Not one's own", body = ProblemBody),
    (status = 404, description = "No such certificate, or not of the caller's region", body = ProblemBody),
    (status = 409, description = "Rejected or revoked", body = ProblemBody)))]
#[post("/qualifications/{id}/withdraw")]
pub(super) async fn withdraw(
    command: Command<Nothing>,
    id: Path<QualificationId>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, _| {
            let row = service::withdraw(tx, caller, *id)?;
            Ok(Made::changed(view(row, OWN)))
        })
        .await
}
