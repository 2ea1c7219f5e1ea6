//! The review of certificates by the staff of a region.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use super::super::model::{QualificationId, QualificationStatus};
use super::super::rules::Relation;
use super::super::service::{self, Desk, ForReview};
use super::qualifications::{QualificationView, view};
use crate::error::Result;
use crate::identity::{Caller, Command, Made};
use crate::platform::Platform;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::valid::{Nothing, Reason};
use crate::platform::http::{Cursor, List, Page, Params, ProblemBody};
use crate::regions::RegionId;

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
/// Oldest first. Their holders see that staff read names and numbers.
#[utoipa::path(tag = "volunteers", params(OfRegion), responses(
    (status = 200, description = "A page of certificates", body = Page<QualificationView>),
    (status = 404, description = "Not a region of the caller's", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/staff/qualifications")]
pub(super) async fn list_of_region(
    caller: Caller,
    platform: Data<Platform>,
    query: Params<OfRegion>,
) -> Result<List<Page<QualificationView>>> {
    let Params(query) = query;
    let after = Cursor::decode(query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    let status = query.status.unwrap_or(QualificationStatus::Submitted);
    let page = platform
        .db
        .write(move |tx| service::of_region(tx, &caller, query.region_id, status, after, limit))
        .await?;
    let listed = |shown: ForReview| {
        let number = Some(service::number(&platform.vault, &shown.row)?);
        Ok(QualificationView {
            number,
            holder_name: shown.holder_name,
            number_known_elsewhere: Some(shown.number_known_elsewhere),
            ..view(shown.row, shown.relation)
        })
    };
    Ok(List(page.try_map(listed)?))
}

/// How whoever made a reviewer's move stands to the certificate.
const REVIEWER: Relation = Relation {
    holder: false,
    reviewer: true,
};

macro_rules! reviews {
    ($($(#[$doc:meta])* $name:ident $path:literal $body:ty, |$tx:ident, $desk:ident, $caller:ident, $id:ident, $input:ident| $do:expr);+ $(;)?) => { $(
        $(#[$doc])*
        #[utoipa::path(tag = "volunteers", request_body = $body, params(("id" = QualificationId, Path, description = "The certificate")), responses(
            (status = 200, description = "Moved; also when it was moved so before by the same caller", body = QualificationView),
            (status = 403, description = "One's own", body = ProblemBody),
            (status = 404, description = "No such certificate, or not of the caller's region", body = ProblemBody),
            (status = 409, description = "Its state does not allow it", body = ProblemBody),
            (status = 422, description = "Without a reason, where there must be one", body = ProblemBody)))]
        #[post($path)]
        pub(super) async fn $name(command: Command<$body>, id: Path<QualificationId>, desk: Data<Desk>) -> Result<HttpResponse> {
            command
                .run(move |$tx, $caller, $input| {
                    let ($id, $desk) = (*id, desk.as_ref());
                    let row = $do?;
                    Ok(Made::changed(view(row, REVIEWER)))
                })
                .await
        }
    )+ };
}

reviews! {
    /// Verify a certificate
    verify "/qualifications/{id}/verify" Nothing, |tx, desk, caller, id, _input| service::verify(tx, desk, caller, id);
    /// Reject a certificate
    reject "/qualifications/{id}/reject" Reason, |tx, _desk, caller, id, input| service::reject(tx, caller, id, &input.reason);
    /// Revoke a verified certificate
    ///
    /// It counts no more, from this moment on.
    revoke "/qualifications/{id}/revoke" Reason, |tx, _desk, caller, id, input| service::revoke(tx, caller, id, &input.reason);
}
