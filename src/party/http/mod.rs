//! Branches, one's own membership, and the secretary's list.

mod branches;
mod memberships;

use utoipa_actix_web::service_config::ServiceConfig;

/// The room's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(branches::list_branches)
        .service(branches::read_branch)
        .service(branches::create_branch)
        .service(branches::rename_branch)
        .service(branches::dissolve_branch);
    config
        .service(memberships::declare)
        .service(memberships::read_own)
        .service(memberships::end_own)
        .service(memberships::read_members)
        .service(memberships::verify)
        .service(memberships::reject)
        .service(memberships::end);
}
