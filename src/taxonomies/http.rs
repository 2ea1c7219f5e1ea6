//! Reading the taxonomies is public.

use actix_web::get;
use actix_web::web::Json;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{Taxonomies, taxonomies};

/// The room's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(read);
}

/// Read the taxonomies
///
/// Skills, qualifications, fields, livelihood goals and beneficiary groups, with their codes and
/// both names.
#[utoipa::path(tag = "taxonomies", security(()), responses((status = 200, description = "All of them", body = Taxonomies)))]
#[get("/taxonomies")]
async fn read() -> Json<&'static Taxonomies> {
    Json(taxonomies())
}
