//! The documents of an organisation: for its members and the staff of its regions.

use actix_multipart::form::MultipartForm;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, delete, get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::super::model::{Document, DocumentId, DocumentKind, OrganizationId};
use super::super::service::{self, Desk};
use super::super::store;
use crate::error::{Code, Result};
use crate::identity::{Caller, Command, Made};
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::db::Conn;
use crate::platform::http::upload::{DocumentForm, keep, show};
use crate::platform::http::valid::Nothing;
use crate::platform::http::{List, Page, Params, ProblemBody};

/// A document of an organisation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrganizationDocument)]
pub struct DocumentView {
    /// Its id.
    pub id: DocumentId,
    /// What it is.
    pub kind: DocumentKind,
    /// What its content is, such as `application/pdf`.
    pub content_type: String,
    /// Bytes.
    pub size: i64,
    /// Where it is.
    pub url: String,
    /// When it was added.
    pub created_at: Instant,
}

impl From<Document> for DocumentView {
    fn from(row: Document) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            content_type: row.content_type,
            size: row.size,
            url: format!(
                "/api/v1/organizations/{}/documents/{}",
                row.organization_id, row.id
            ),
            created_at: row.created_at,
        }
    }
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct What {
    /// What the document is.
    kind: DocumentKind,
}

/// Add a document
///
/// The organisation has another version then.
#[utoipa::path(tag = "organizations", request_body(content = DocumentForm, content_type = "multipart/form-data"),
    params(("id" = OrganizationId, Path, description = "The organisation"), What), responses(
    (status = 201, description = "Added", body = DocumentView),
    (status = 403, description = "Not one of its managers", body = ProblemBody),
    (status = 404, description = "No such organisation", body = ProblemBody),
    (status = 409, description = "It has ended, or has as many documents as it may", body = ProblemBody),
    (status = 412, description = "It moved at the same moment", body = ProblemBody),
    (status = 422, description = "No document", body = ProblemBody)))]
#[post("/organizations/{id}/documents")]
pub(super) async fn add_document(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<OrganizationId>,
    desk: Data<Desk>,
    what: Params<What>,
    form: MultipartForm<DocumentForm>,
) -> Result<HttpResponse> {
    let (who, rules, id) = (caller.clone(), desk.clone(), *id);
    let row = keep(
        &platform,
        form.into_inner(),
        move |conn, _| service::may_add_document(conn, &rules, &who, id).map(|_| ()),
        move |tx, stored| service::add_document(tx, &desk, &caller, id, what.0.kind, stored),
    );
    let row = row.await?;
    let view = DocumentView::from(row);
    Ok(HttpResponse::Created()
        .insert_header(("location", view.url.clone()))
        .json(view))
}

fn entitled(conn: &mut Conn, caller: &Caller, id: OrganizationId) -> Result<()> {
    let (_, relation) = service::visible(conn, Some(caller), id)?;
    if relation.is_involved() {
        Ok(())
    } else {
        Err(Code::Forbidden.into())
    }
}

/// List the documents
#[utoipa::path(tag = "organizations", params(("id" = OrganizationId, Path, description = "The organisation")), responses(
    (status = 200, description = "The oldest first", body = Page<DocumentView>),
    (status = 403, description = "Neither member nor staff", body = ProblemBody),
    (status = 404, description = "No such organisation", body = ProblemBody)))]
#[get("/organizations/{id}/documents")]
pub(super) async fn list_documents(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<OrganizationId>,
) -> Result<List<Page<DocumentView>>> {
    let rows = platform.db.read(move |conn| {
        entitled(conn, &caller, *id)?;
        store::documents(conn, *id)
    });
    let items = rows.await?.into_iter().map(Into::into).collect();
    Ok(List(Page { items, next: None }))
}

/// Show a document
#[utoipa::path(tag = "organizations", params(("id" = OrganizationId, Path, description = "The organisation"),
    ("document_id" = DocumentId, Path, description = "The document")), responses(
    (status = 200, description = "The document", body = Vec<u8>, content_type = "application/octet-stream"),
    (status = 403, description = "Neither member nor staff", body = ProblemBody),
    (status = 404, description = "No such document", body = ProblemBody)))]
#[get("/organizations/{id}/documents/{document_id}")]
pub(super) async fn show_document(
    caller: Caller,
    platform: Data<Platform>,
    path: Path<(OrganizationId, DocumentId)>,
) -> Result<HttpResponse> {
    let (id, document) = path.into_inner();
    let row = platform.db.read(move |conn| {
        entitled(conn, &caller, id)?;
        store::document(conn, id, document)
    });
    Ok(show(platform.files.get(&row.await?.file).await?))
}

/// Take a document out of a draft
#[utoipa::path(tag = "organizations", request_body = Nothing, params(("id" = OrganizationId, Path, description = "The organisation"),
    ("document_id" = DocumentId, Path, description = "The document")), responses(
    (status = 204, description = "Gone"),
    (status = 403, description = "Not one of its managers", body = ProblemBody),
    (status = 404, description = "No such document", body = ProblemBody),
    (status = 412, description = "It moved at the same moment", body = ProblemBody),
    (status = 422, description = "It was reviewed", body = ProblemBody)))]
#[delete("/organizations/{id}/documents/{document_id}")]
pub(super) async fn delete_document(
    command: Command<Nothing>,
    path: Path<(OrganizationId, DocumentId)>,
    desk: Data<Desk>,
) -> Result<HttpResponse> {
    let (id, document) = path.into_inner();
    command
        .run(move |tx, caller, _| {
            service::delete_document(tx, &desk, caller, id, document)?;
            Ok(Made::<()>::nothing())
        })
        .await
}
