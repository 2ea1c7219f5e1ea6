//! Searching over HTTP.

mod finding;
mod saved;

use utoipa_actix_web::service_config::ServiceConfig;

/// The room's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(finding::find).service(finding::suggest);
    config
        .service(saved::list)
        .service(saved::save)
        .service(saved::read)
        .service(saved::edit)
        .service(saved::delete);
}
