//! The one routing table, and the specification made from it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use actix_multipart::MultipartError;
use actix_multipart::form::MultipartFormConfig;
use actix_web::guard::fn_guard;
use actix_web::http::Method;
use actix_web::web::{self, Data, ServiceConfig as ActixConfig};
use actix_web::{HttpRequest, HttpResponse};
use utoipa::OpenApi;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa_actix_web::scope;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::App;
use crate::error::{Code, Error, Problem, Result};
use crate::platform::http::ProblemBody;
use crate::platform::http::problem::PROBLEM_JSON;
use crate::platform::lifecycle;
use crate::{
    activities, branches, identity, imports, matching, notifications, organizations, party,
    projects, records, regions, search, server, taxonomies, volunteers, wishes,
};

/// The rooms' routes under `/api/v1`: with [`operations`], every route of the product.
const ROOMS: &[fn(&mut ServiceConfig<'_>)] = &[
    regions::http::routes,
    identity::http::routes,
    notifications::http::routes,
    taxonomies::http::routes,
    organizations::http::routes,
    volunteers::http::routes,
    party::http::routes,
    projects::http::routes,
    wishes::http::routes,
    activities::http::routes,
    records::http::routes,
    matching::http::routes,
    search::http::routes,
    imports::http::routes,
];

const ROOT: &str = "/api/v1";

fn operations(config: &mut ServiceConfig<'_>) {
    config
        .service(server::livez)
        .service(server::readyz)
        .service(server::metrics);
    config.service(identity::http::jwks);
}

/// Every route together with its documentation.
fn documented(config: &mut ServiceConfig<'_>) {
    operations(config);
    config.service(scope(ROOT).configure(|config: &mut ServiceConfig<'_>| {
        ROOMS.iter().for_each(|routes| routes(config));
    }));
}

/// The same routes for a server, which has the documentation of its own: each room's is dropped
/// before the next one's is made. Kept together they would leave some twenty megabytes of freed
/// memory behind in each worker.
///
/// actix tries routes one after the other, so a room is only entered by requests whose address
/// begins as one of its own.
fn served(config: &mut ActixConfig) {
    operations(&mut ServiceConfig::new(config));
    config.service(web::scope(ROOT).configure(|config| {
        for (routes, openings) in ROOMS.iter().zip(OPENINGS.iter()) {
            let room = web::scope("")
                .guard(fn_guard(|ctx| {
                    openings.contains(opening(ctx.head().uri.path()))
                }))
                .configure(|config| routes(&mut ServiceConfig::new(config)));
            config.service(room);
        }
    }));
}

/// How the addresses of each of [`ROOMS`] begin. No two rooms share one: a request that enters a
/// room does not leave it for the next.
static OPENINGS: LazyLock<Vec<BTreeSet<String>>> = LazyLock::new(|| {
    let of_room = |routes: &fn(&mut ServiceConfig<'_>)| {
        use utoipa_actix_web::AppExt;
        let (_, spec) = actix_web::App::new()
            .into_utoipa_app()
            .configure(routes)
            .split_for_parts();
        let paths = spec.paths.paths.into_keys();
        paths.map(|path| opening(&path).to_owned()).collect()
    };
    ROOMS.iter().map(of_room).collect()
});

/// The first part of an address below [`ROOT`], and the second where the first is shared by rooms.
fn opening(path: &str) -> &str {
    let path = path.strip_prefix(ROOT).unwrap_or(path);
    let path = path.trim_start_matches('/');
    let end = |from: usize| path[from..].find('/').map_or(path.len(), |n| from + n);
    let first = end(0);
    match &path[..first] {
        "me" | "staff" if first < path.len() => &path[..end(first + 1)],
        opening => opening,
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "益起来 Yiqilai",
        description = "Volunteer matching and public-benefit projects of a district. See docs/api-design.md for the conventions.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/", description = "This server")),
    security(("bearer" = [])),
    tags(
        (name = "operations", description = "Health and figures of the process"),
        (name = "identity", description = "Signing up and in, one's own account, roles"),
        (name = "notifications", description = "One's inbox, and what comes by mail"),
        (name = "organizations", description = "Registration and filing, review, members"),
        (name = "projects", description = "Campaigns, batches, projects, their claims and crews"),
        (name = "activities", description = "Activities and their shifts, series, enrolments, attendance"),
        (name = "records", description = "Service records, the ledger of hours and its sums"),
        (name = "wishes", description = "Micro-wishes, from the draft to the confirmation"),
        (name = "matching", description = "What fits whom, and why"),
        (name = "search", description = "Finding by words and filters, saved searches"),
        (name = "imports", description = "Foreign data by mapping files"),
        (name = "volunteers", description = "Profiles, verified skills and qualifications"),
        (name = "party", description = "Party branches and verified membership"),
        (name = "taxonomies", description = "Skills, qualifications and classifications"),
        (name = "regions", description = "District, streets, areas, communities and grids"),
    ),
    components(schemas(ProblemBody)),
)]
struct Head;

/// The specification, as `openapi.yaml` holds it.
pub fn specification() -> utoipa::openapi::OpenApi {
    use utoipa_actix_web::AppExt;
    let (_, mut spec) = actix_web::App::new()
        .into_utoipa_app()
        .openapi(Head::openapi())
        .configure(documented)
        .split_for_parts();
    let components = spec.components.get_or_insert_default();
    components.security_schemes.insert(
        "bearer".to_owned(),
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format("JWT")
                .build(),
        )
        .into(),
    );
    for item in spec.paths.paths.values_mut() {
        let reads = [&mut item.get];
        let writes = [
            &mut item.post,
            &mut item.put,
            &mut item.patch,
            &mut item.delete,
        ];
        reads
            .into_iter()
            .flatten()
            .for_each(|operation| add_what_all_share(operation, false));
        writes
            .into_iter()
            .flatten()
            .for_each(|operation| add_what_all_share(operation, true));
    }
    spec
}

/// The lifecycles as diagrams, as `docs/lifecycles.md` holds them.
pub fn lifecycles() -> String {
    let drawn = [
        ("Wish 微心愿", lifecycle::mermaid(wishes::rules::MOVES)),
        (
            "Organization 社会组织",
            lifecycle::mermaid(organizations::rules::MOVES),
        ),
        (
            "Membership 组织成员",
            lifecycle::mermaid(organizations::rules::MEMBERSHIP),
        ),
        (
            "Project 惠民项目",
            lifecycle::mermaid(projects::rules::MOVES),
        ),
        (
            "Project claim 项目认领",
            lifecycle::mermaid(projects::claims::rules::MOVES),
        ),
        (
            "Crew member 项目队员",
            lifecycle::mermaid(projects::crews::rules::MOVES),
        ),
        (
            "Activity 活动",
            lifecycle::mermaid(activities::rules::MOVES),
        ),
        (
            "Enrolment 活动报名",
            lifecycle::mermaid(activities::enrolments::rules::MOVES),
        ),
        (
            "Safety incident 安全事件",
            lifecycle::mermaid(activities::incidents::rules::MOVES),
        ),
        (
            "Attendance 签到签退",
            lifecycle::mermaid(activities::attendance::rules::MOVES),
        ),
        (
            "Service record 服务记录",
            lifecycle::mermaid(records::rules::MOVES),
        ),
        (
            "Invitation to a need 需求邀请",
            lifecycle::mermaid(matching::invitations::rules::INVITATION),
        ),
        (
            "Recruitment 招募",
            lifecycle::mermaid(matching::invitations::rules::RECRUITMENT),
        ),
        (
            "Batch round 集中匹配",
            lifecycle::mermaid(matching::rounds::rules::MOVES),
        ),
        (
            "Qualification 资质",
            lifecycle::mermaid(volunteers::rules::MOVES),
        ),
        (
            "Party membership 党员身份",
            lifecycle::mermaid(party::rules::MOVES),
        ),
        (
            "Party branch 党支部",
            lifecycle::mermaid(branches::rules::MOVES),
        ),
    ];
    let mut out = String::from(
        "# Lifecycles\n\nDrawn from the same tables that the code uses: `yiqilai lifecycles > docs/lifecycles.md`.\n",
    );
    for (title, diagram) in drawn {
        out.push_str(&format!("\n## {title}\n\n{diagram}"));
    }
    out
}

/// Writes whose answer is not kept for an idempotency key: request or answer hold what is stored
/// sealed only, or doing it twice is the same as once by itself.
const NOT_KEPT: &[&str] = &[
    "activities_add_incident_photo",
    "activities_renew_calendar",
    "activities_renew_organization_calendar",
    "identity_begin_contact_change",
    "identity_change_password",
    "identity_confirm_contact_change",
    "imports_run",
    "organizations_add_document",
    "party_declare",
    "projects_add_photo",
    "volunteers_add_document",
    "wishes_add_evidence",
    "wishes_read_contact",
];

/// The answers that any operation may give, and the header that every move takes.
fn add_what_all_share(operation: &mut Operation, writes: bool) {
    let tag = operation
        .tags
        .as_ref()
        .and_then(|tags| tags.first())
        .map_or("", String::as_str);
    let handler = operation.operation_id.as_deref().unwrap_or_default();
    operation.operation_id = Some(format!("{tag}_{handler}"));
    let is_public = operation.security.is_some();
    let mut shared = vec![
        ("400", "The request could not be understood"),
        ("503", "Busy: try again shortly"),
    ];
    let takes_a_token = operation
        .security
        .as_ref()
        .is_none_or(|ways| ways.len() > 1);
    if takes_a_token {
        shared.push(("401", "Not signed in"));
    }
    if is_public && writes {
        shared.push(("429", "Too many requests"));
    }
    if writes && !is_public {
        shared.push((
            "409",
            "The state does not allow it, or the same request is still running",
        ));
        shared.push((
            "422",
            "A rule or a field forbids it, or the Idempotency-Key was used for another request",
        ));
    }
    if operation.request_body.is_some() {
        shared.push(("413", "The body is too large"));
        shared.push(("415", "The body is not of a type that is taken"));
        shared.push(("422", "Some fields are wrong"));
    }
    let is_kept = !NOT_KEPT.contains(&operation.operation_id.as_deref().unwrap_or_default());
    if writes && !is_public && is_kept {
        let key = ParameterBuilder::new()
            .name("Idempotency-Key")
            .parameter_in(ParameterIn::Header)
            .description(Some(
                "1 to 100 visible characters; the same request with the same key is done once",
            ))
            .schema(Some(
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .max_length(Some(100)),
            ))
            .build();
        operation
            .parameters
            .get_or_insert_default()
            .push(key.into());
    }
    for (status, response) in &mut operation.responses.responses {
        if status.as_str() >= "400"
            && let RefOr::T(response) = response
            && let Some(content) = response.content.shift_remove("application/json")
        {
            response.content.insert(PROBLEM_JSON.to_owned(), content);
        }
    }
    for (status, description) in shared {
        operation
            .responses
            .responses
            .entry(status.to_owned())
            .or_insert_with(|| {
                ResponseBuilder::new()
                    .description(description)
                    .content(
                        PROBLEM_JSON,
                        ContentBuilder::new()
                            .schema(Some(Ref::from_schema_name("Problem")))
                            .build(),
                    )
                    .build()
                    .into()
            });
    }
}

/// Puts the routes, the API reference and the answers to unknown addresses into the server.
pub fn configure(app: &App, config: &mut ActixConfig) {
    config.app_data(Data::new(app.clone()));
    config.app_data(Data::new(app.platform.clone()));
    config.app_data(Data::new(app.keyring.clone()));
    config.app_data(Data::new(app.config.identity.clone()));
    config.app_data(Data::new(app.organizations.clone()));
    config.app_data(Data::new(app.volunteers.clone()));
    config.app_data(Data::new(app.projects.clone()));
    config.app_data(Data::new(app.wishes.clone()));
    config.app_data(Data::new(app.activities.clone()));
    config.app_data(Data::new(app.records.clone()));
    config.app_data(Data::new(app.matching.clone()));
    config.app_data(Data::new(app.invitations()));
    config.app_data(Data::new(app.search.clone()));
    config.app_data(Data::new(app.saved_searches.clone()));
    config.app_data(Data::new(app.imports()));
    config.app_data(upload_limits(app.platform.files.max_bytes()));
    config.app_data(web::PayloadConfig::new(app.config.server.max_body_bytes));
    config.app_data(
        web::PathConfig::default().error_handler(|_, _| Error::from(Code::MalformedPath).into()),
    );
    served(config);
}

/// How large an upload may be, and what is answered to one that is larger or malformed.
fn upload_limits(max_bytes: usize) -> MultipartFormConfig {
    let slack = 16 * 1024; // the form around the file
    MultipartFormConfig::default()
        .total_limit(max_bytes + slack)
        .memory_limit(max_bytes + slack)
        .error_handler(|error, _| {
            let code = match &error {
                MultipartError::UnknownField(name) => {
                    let unknown =
                        Problem::new(Code::Invalid).field(format!("/{name}"), Code::UnknownField);
                    return Error::from(unknown).into();
                }
                MultipartError::Payload(_) => Code::PayloadTooLarge,
                MultipartError::ContentTypeMissing | MultipartError::ContentTypeIncompatible => {
                    Code::UnsupportedMediaType
                }
                _ => Code::MalformedUpload,
            };
            Error::from(code).into()
        })
}

/// The methods each address takes; answers 405 with `Allow` where actix would say 404.
pub struct Methods(Vec<(String, Vec<String>)>);

impl Methods {
    /// Reads them off the specification.
    pub fn of(spec: &utoipa::openapi::OpenApi) -> Self {
        let mut methods: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (path, item) in &spec.paths.paths {
            let taken = [
                ("GET", &item.get),
                ("POST", &item.post),
                ("PUT", &item.put),
                ("PATCH", &item.patch),
                ("DELETE", &item.delete),
            ];
            let names = taken
                .iter()
                .filter(|(_, op)| op.is_some())
                .map(|(name, _)| (*name).to_owned());
            methods.entry(path).or_default().extend(names);
        }
        Self(
            methods
                .into_iter()
                .map(|(path, names)| (path.to_owned(), names))
                .collect(),
        )
    }
}

/// Whether a path is an address of this pattern, such as `/wishes/{id}/claim`. What actix has for that is a
/// compiled expression for each, kept in memory for the rare call that finds nothing.
fn is_address(pattern: &str, path: &str) -> bool {
    let is_part = |(part, given): (&str, &str)| match part.split_once('{') {
        Some((before, rest)) => {
            let after = rest.split_once('}').map_or("", |(_, after)| after);
            let inner = given
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(after));
            inner.is_some_and(|inner| !inner.is_empty())
        }
        None => part == given,
    };
    pattern.split('/').count() == path.split('/').count()
        && pattern.split('/').zip(path.split('/')).all(is_part)
}

/// What is answered where no route matches.
///
/// # Errors
/// `method_not_allowed` with the methods, else `not_found`.
pub async fn unmatched(req: HttpRequest, methods: Data<Methods>) -> Result<HttpResponse> {
    if req.method() == Method::OPTIONS {
        return Err(Code::NotFound.into());
    }
    // actix prefers the first match: literal segments before parameters
    let mut allowed: Vec<String> = methods
        .0
        .iter()
        .filter(|(pattern, _)| is_address(pattern, req.path()))
        .flat_map(|(_, names)| names.iter().cloned())
        .collect();
    if allowed.is_empty() {
        return Err(Code::NotFound.into());
    }
    allowed.sort();
    allowed.dedup();
    let mut problem = Problem::new(Code::MethodNotAllowed);
    problem.allowed = Some(allowed);
    Err(problem.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_by_their_patterns() {
        for (pattern, path, is_one) in [
            ("/wishes/{id}/claim", "/wishes/7/claim", true),
            ("/wishes/{id}/claim", "/wishes//claim", false),
            ("/wishes/{id}/claim", "/wishes/7/claims", false),
            ("/wishes/{id}", "/wishes/7/claim", false),
            ("/calendars/{secret}.ics", "/calendars/abc.ics", true),
            ("/calendars/{secret}.ics", "/calendars/.ics", false),
            ("/calendars/{secret}.ics", "/calendars/abc", false),
        ] {
            assert_eq!(is_address(pattern, path), is_one, "{pattern} {path}");
        }
    }

    #[test]
    fn no_two_rooms_begin_an_address_alike() {
        let mut seen = BTreeSet::new();
        for opening in OPENINGS.iter().flatten() {
            assert!(seen.insert(opening), "{opening} is the beginning of two");
            assert!(!opening.contains('{'), "{opening} could be anything");
        }
        assert_eq!(opening("/api/v1/wishes/x/claim"), "wishes");
        assert_eq!(opening("/api/v1/me"), "me");
        assert_eq!(opening("/api/v1/me/wishes/"), "me/wishes");
    }
}
