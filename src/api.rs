//! The one routing table, and the specification made from it.

use std::collections::BTreeMap;

use actix_web::dev::ResourceDef;
use actix_web::http::Method;
use actix_web::web::{self, Data, ServiceConfig as ActixConfig};
use actix_web::{HttpRequest, HttpResponse};
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_actix_web::scope;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::App;
use crate::error::{Code, Error, Problem, Result};
use crate::platform::http::ProblemBody;
use crate::{regions, server};

/// Every route of the product.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(server::livez)
        .service(server::readyz)
        .service(server::metrics);
    config.service(scope("/api/v1").configure(v1));
}

fn v1(config: &mut ServiceConfig<'_>) {
    regions::http::routes(config);
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
        .configure(routes)
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
    spec
}

/// Puts the routes, the API reference and the answers to unknown addresses into the server.
pub fn configure(app: &App, config: &mut ActixConfig) {
    use utoipa_actix_web::service_config::ServiceConfig as Documented;
    config.app_data(Data::new(app.clone()));
    config.app_data(Data::new(app.platform.clone()));
    config.app_data(web::PayloadConfig::new(app.config.server.max_body_bytes));
    config.app_data(
        web::PathConfig::default().error_handler(|_, _| Error::from(Code::MalformedPath).into()),
    );
    routes(&mut Documented::new(config));
}

/// The methods each address takes; answers 405 with `Allow` where actix would say 404.
pub struct Methods(Vec<(ResourceDef, Vec<String>)>);

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
                .map(|(path, names)| (ResourceDef::new(path), names))
                .collect(),
        )
    }
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
        .filter(|(pattern, _)| pattern.is_match(req.path()))
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
