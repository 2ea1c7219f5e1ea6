//! What volunteers declare to be able to do, and what staff have verified of it.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, get, post};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::super::model::SkillLevel;
use super::super::service;
use crate::error::Result;
use crate::identity::{AccountId, Caller, Command, Made};
use crate::platform::Platform;
use crate::platform::http::{List, Page, ProblemBody};

/// List a volunteer's skills
///
/// Each with whether it is verified or self-declared; for the person and the staff of the region.
#[utoipa::path(tag = "volunteers", params(("id" = AccountId, Path, description = "The volunteer")), responses(
    (status = 200, description = "By their codes", body = Page<SkillLevel>),
    (status = 404, description = "No such volunteer, or not of the caller's region", body = ProblemBody)))]
#[get("/volunteers/{id}/skills")]
pub(super) async fn list_skills(
    caller: Caller,
    platform: Data<Platform>,
    id: Path<AccountId>,
) -> Result<List<Page<SkillLevel>>> {
    let items = platform
        .db
        .read(move |conn| service::skills(conn, &caller, *id))
        .await?;
    Ok(List(Page { items, next: None }))
}

/// What staff have seen of a declared skill.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = SeenSkill)]
pub(super) struct Seen {
    /// The level at which it was declared then: when it is another one by now, nothing is done.
    #[validate(range(min = 1, max = 3))]
    level: Option<i32>,
}

macro_rules! marks {
    ($($(#[$doc:meta])* $name:ident $path:literal $verified:literal);+ $(;)?) => { $(
        $(#[$doc])*
        #[utoipa::path(tag = "volunteers", request_body = Seen,
            params(("id" = AccountId, Path, description = "The volunteer"), ("skill" = String, Path, description = "The skill's code")), responses(
            (status = 200, description = "Done; also when it was so before", body = SkillLevel),
            (status = 403, description = "One's own", body = ProblemBody),
            (status = 404, description = "Not declared, or not of the caller's region", body = ProblemBody),
            (status = 412, description = "Declared at another level by now", body = ProblemBody)))]
        #[post($path)]
        pub(super) async fn $name(command: Command<Seen>, path: Path<(AccountId, String)>) -> Result<HttpResponse> {
            let (of, skill) = path.into_inner();
            command
                .run(move |tx, caller, seen| {
                    let marked = service::mark(tx, caller, of, &skill, seen.level, $verified)?;
                    Ok(Made::changed(marked))
                })
                .await
        }
    )+ };
}

marks! {
    /// Verify a volunteer's skill
    ///
    /// The mark lasts as long as the person declares the skill at this level.
    verify_skill "/volunteers/{id}/skills/{skill}/verify" true;
    /// Take the verification of a volunteer's skill back
    ///
    /// It counts as self-declared again.
    unverify_skill "/volunteers/{id}/skills/{skill}/unverify" false;
}
