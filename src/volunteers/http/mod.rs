//! One's profile and certificates, and their review.

mod profile;
mod qualifications;

use utoipa_actix_web::service_config::ServiceConfig;

/// The room's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(profile::read_profile)
        .service(profile::write_profile);
    config
        .service(qualifications::submit)
        .service(qualifications::list_own)
        .service(qualifications::list_of_region)
        .service(qualifications::verify)
        .service(qualifications::reject);
}
