//! Photos that show a delivery.

use actix_multipart::form::MultipartForm;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::error::{Code, Result};
use crate::identity::Caller;
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::http::upload::{PhotoForm, keep, show};
use crate::platform::http::{Params, ProblemBody};
use crate::wishes::model::{Evidence, EvidenceId, WishId};
use crate::wishes::service::{self, Desk};
use crate::wishes::store::{self};

/// A photo that shows a delivery.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WishEvidence)]
pub struct EvidenceView {
    /// Its id.
    pub id: EvidenceId,
    /// When it was added.
    pub created_at: Instant,
    /// Where the photo is; with `?thumbnail=true` the small one.
    pub photo_url: String,
}

impl From<Evidence> for EvidenceView {
    fn from(evidence: Evidence) -> Self {
        let photo_url = format!(
            "/api/v1/wishes/{}/evidence/{}",
            evidence.wish_id, evidence.id
        );
        Self {
            id: evidence.id,
            created_at: evidence.created_at,
            photo_url,
        }
    }
}

/// Add a photo of the delivery
///
/// Taken for what its content is; written anew without metadata. The same photo is added once.
#[utoipa::path(tag = "wishes", request_body(content = PhotoForm, content_type = "multipart/form-data"),
    params(("id" = WishId, Path, description = "The wish")), responses(
    (status = 201, description = "Added", body = EvidenceView),
    (status = 403, description = "Not the claimant", body = ProblemBody),
    (status = 404, description = "No such wish", body = ProblemBody),
    (status = 409, description = "Its state does not allow it, or it has as many photos as it may", body = ProblemBody),
    (status = 422, description = "No photo, an unreadable one, or one from before the dispute", body = ProblemBody)))]
#[post("/wishes/{id}/evidence")]
pub(super) async fn add_evidence(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<WishId>,
    desk: Data<Desk>,
    form: MultipartForm<PhotoForm>,
) -> Result<HttpResponse> {
    let (who, rules, id) = (caller.clone(), desk.clone(), *id);
    let evidence = keep(
        &platform,
        form.into_inner(),
        move |conn, now| service::may_add_evidence(conn, now, &rules, &who, id).map(|_| ()),
        move |tx, stored| service::add_evidence(tx, &desk, &caller, id, stored),
    );
    let view = EvidenceView::from(evidence.await?);
    Ok(HttpResponse::Created()
        .insert_header(("location", view.photo_url.clone()))
        .json(view))
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Size {
    /// The small one.
    thumbnail: Option<bool>,
}

/// Show a photo of a delivery
///
/// To those whom the wish concerns.
#[utoipa::path(tag = "wishes", params(("id" = WishId, Path, description = "The wish"),
    ("evidence_id" = EvidenceId, Path, description = "The photo"), Size), responses(
    (status = 200, description = "The photo", body = Vec<u8>, content_type = "image/jpeg"),
    (status = 403, description = "Not of the caller's concern", body = ProblemBody),
    (status = 404, description = "No such photo", body = ProblemBody)))]
#[get("/wishes/{id}/evidence/{evidence_id}")]
pub(super) async fn show_evidence(
    caller: Caller,
    platform: Data<Platform>,
    path: Path<(WishId, EvidenceId)>,
    size: Params<Size>,
) -> Result<HttpResponse> {
    let (id, evidence_id) = path.into_inner();
    let evidence = platform
        .db
        .read(move |conn| {
            let (_, relation) = service::visible(conn, Some(&caller), id)?;
            if !relation.may_follow() {
                return Err(Code::Forbidden.into());
            }
            store::one_evidence(conn, id, evidence_id)
        })
        .await?;
    shown(&platform, evidence, &size.0).await
}

/// The photo, or the small one, as an answer.
pub(super) async fn shown(
    platform: &Platform,
    evidence: Evidence,
    size: &Size,
) -> Result<HttpResponse> {
    let key = if size.thumbnail == Some(true) {
        evidence.thumbnail
    } else {
        evidence.photo
    };
    Ok(show(platform.files.get(&key).await?))
}
