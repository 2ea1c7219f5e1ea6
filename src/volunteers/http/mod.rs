//! One's profile and certificates, the marks beside declared skills, and the review.

mod profile;
mod qualifications;
mod review;
mod skills;

use utoipa_actix_web::service_config::ServiceConfig;

/// The room's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(profile::read_profile)
        .service(profile::write_profile);
    config
        .service(skills::list_skills)
        .service(skills::verify_skill)
        .service(skills::unverify_skill);
    config
        .service(qualifications::submit)
        .service(qualifications::list_own)
        .service(qualifications::add_document)
        .service(qualifications::show_document)
        .service(qualifications::withdraw);
    config
        .service(review::list_of_region)
        .service(review::verify)
        .service(review::reject)
        .service(review::revoke);
}
