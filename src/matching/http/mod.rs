//! Recommendations, candidates, and why.

use utoipa_actix_web::service_config::ServiceConfig;

use super::projection::Matching;
use super::service::Moment;
use crate::platform::Platform;
use crate::platform::http::page::DEFAULT_LIMIT;

mod needs;
mod recommendations;

/// The room's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(recommendations::recommend)
        .service(needs::candidates)
        .service(needs::explain);
    super::rounds::http::routes(config);
    super::invitations::http::routes(config);
}

pub(super) fn moment(platform: &Platform, matching: &Matching) -> Moment {
    Moment::at(matching, platform.clock.now())
}

fn rows(limit: Option<i64>) -> usize {
    usize::try_from(limit.unwrap_or(DEFAULT_LIMIT)).unwrap_or(1)
}
