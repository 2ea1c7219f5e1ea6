//! The HTTP server: middleware, health, figures, the API reference.

use std::future::ready;
use std::net::TcpListener;
use std::sync::OnceLock;

use actix_cors::Cors;
use actix_web::dev::Server;
use actix_web::http::header;
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::{Data, Json};
use actix_web::{App as Actix, HttpResponse, HttpServer, get, web};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde::Serialize;
use strum::VariantArray;
use utoipa::ToSchema;
use utoipa_swagger_ui::{Config as SwaggerConfig, SwaggerUi};

use crate::api::{self, Methods};
use crate::app::App;
use crate::error::{Checks, Code, Error, Problem, Result};
use crate::platform::clock::Instant;
use crate::platform::db::Db;
use crate::platform::http::ProblemBody;
use crate::platform::http::border::{REQUEST_ID, border};
use crate::platform::jobs::{self, JobStatus};
use crate::platform::journal;
use crate::worker::REACTIONS;

/// Starts to serve on a socket that is already bound; runs until it is stopped.
///
/// # Errors
/// When the socket cannot be used.
pub fn start(app: App, listener: TcpListener) -> Result<Server> {
    keep_figures_small();
    app.matching.follow();
    app.search.follow();
    let workers = match app.config.server.workers {
        0 => std::thread::available_parallelism().map_or(2, Into::into),
        n => n,
    };
    let timeout = app.config.server.shutdown_seconds;
    // kept as it is sent: as a tree it takes many times the room
    let (spec, methods) = {
        let spec = api::specification();
        let json = serde_json::to_vec(&spec).map_err(Error::internal)?;
        (web::Bytes::from(json), Data::new(Methods::of(&spec)))
    };
    let server =
        HttpServer::new(move || {
            let spec = spec.clone();
            Actix::new()
                .app_data(methods.clone())
                .configure(|config| api::configure(&app, config))
                .service(web::redirect("/", "/docs/"))
                .service(web::redirect("/docs", "/docs/"))
                .route("/docs/problems", web::get().to(problems))
                .service(web::scope("/docs").wrap(from_fn(allow_reference)).service(
                    SwaggerUi::new("/{_:.*}").config(SwaggerConfig::from("/openapi.json")),
                ))
                .route(
                    "/openapi.json",
                    web::get().to(move || {
                        let mut answer = HttpResponse::Ok();
                        ready(answer.content_type("application/json").body(spec.clone()))
                    }),
                )
                .default_service(web::to(api::unmatched))
                .wrap(cors(&app.config.server.allowed_origins))
                .wrap(Compress::default())
                .wrap(from_fn(border))
        })
        .workers(workers)
        .shutdown_timeout(timeout)
        .listen(listener)
        .map_err(Error::internal)?
        .run();
    Ok(server)
}

fn cors(origins: &[String]) -> Cors {
    let mut cors = Cors::default()
        .allowed_methods(["GET", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            header::ACCEPT_LANGUAGE,
        ])
        .allowed_header("idempotency-key")
        .expose_headers([
            header::ETAG,
            header::LOCATION,
            header::RETRY_AFTER,
            REQUEST_ID,
        ])
        .max_age(3600);
    for origin in origins {
        cors = cors.allowed_origin(origin);
    }
    cors
}

/// What every code means: where the `type` of a problem leads.
async fn problems() -> HttpResponse {
    let rows: String = Code::VARIANTS
        .iter()
        .map(|code| {
            let (name, status, (zh, en)) = (code.as_str(), code.status(), code.title());
            format!("<tr id=\"{name}\"><td><code>{name}</code><td>{status}<td>{zh}<td>{en}\n")
        })
        .collect();
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .body(format!(
            "<!DOCTYPE html><meta charset=\"utf-8\"><title>益起来 Yiqilai: problems</title>\n\
             <h1>Problems 错误代码</h1>\n<table>\n<tr><th>code<th>status<th>中文<th>English\n{rows}</table>\n"
        ))
}

/// The reference page brings its own scripts and styles; nothing else does.
async fn allow_reference<B: actix_web::body::MessageBody>(
    req: actix_web::dev::ServiceRequest,
    next: actix_web::middleware::Next<B>,
) -> std::result::Result<actix_web::dev::ServiceResponse<B>, actix_web::Error> {
    let mut res = next.call(req).await?;
    res.headers_mut().insert(
        header::CONTENT_SECURITY_POLICY,
        header::HeaderValue::from_static(
            "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
        ),
    );
    Ok(res)
}

/// The process's figures; one recorder however many servers a test starts.
fn recorder() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let seconds = [
            0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
        ];
        let recorder = match PrometheusBuilder::new().set_buckets(&seconds) {
            Ok(builder) => builder.build_recorder(),
            Err(_) => PrometheusBuilder::new().build_recorder(), // only without any bucket
        };
        let handle = recorder.handle();
        // a second recorder in the same process is a test's; the first one counts
        let _ = ::metrics::set_global_recorder(recorder);
        handle
    })
}

/// Samples wait in memory until they are read or put into their buckets: that must not depend on
/// whether anybody reads the figures.
fn keep_figures_small() {
    let handle = recorder();
    actix_web::rt::spawn(async move {
        let mut every = tokio::time::interval(std::time::Duration::from_secs(5));
        loop {
            every.tick().await;
            handle.run_upkeep();
        }
    });
}

/// How the process is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`, or `degraded` when it serves, but not as it should.
    pub status: &'static str,
    /// Each thing that was looked at: `ok`, or what is wrong.
    #[schema(value_type = BTreeMap<String, String>)]
    pub checks: Checks,
}

/// Whether the process lives
#[utoipa::path(tag = "operations", security(()), responses((status = 200, description = "It does", body = Health)))]
#[get("/livez")]
pub async fn livez() -> Json<Health> {
    Json(Health {
        status: "ok",
        checks: Checks::new(),
    })
}

/// Whether the process can serve
///
/// Looks at the `database` (`ok`, `unreachable`, or `unwritable` when the disk of SQLite takes nothing), its
/// schema (`migrations`: `ok`, `pending`, or `unknown` without a database), what `matching` and `search` keep
/// in memory (`ok` or `building`), the `cache` (`ok` or `unreachable`) and the store of `files` (`ok` or
/// `unwritable`). A cache that does not answer costs speed, not correctness, and without a store of files all
/// but uploads goes on: the process is degraded, not down. What can be written is tried at most every thirty
/// seconds.
#[utoipa::path(tag = "operations", security(()), responses(
    (status = 200, description = "It can", body = Health),
    (status = 503, description = "It cannot: `checks` says what is wrong", body = ProblemBody)))]
#[get("/readyz")]
pub async fn readyz(app: Data<App>) -> Result<Json<Health>> {
    let (cache, (reached, migrations), writable) = futures_util::join!(
        app.platform.cache.ping(),
        state_of(&app.platform.db),
        app.platform.storage.writable(),
    );
    let database = match reached {
        "ok" if !writable.database => "unwritable",
        reached => reached,
    };
    let state_of_projection = |is_ready| if is_ready { "ok" } else { "building" };
    let matching = state_of_projection(app.matching.is_ready());
    let search = state_of_projection(app.search.is_ready());
    let is_ready = [database, migrations, matching, search]
        .iter()
        .all(|state| *state == "ok");
    let cache = match cache {
        Ok(()) => "ok",
        Err(error) => {
            tracing::warn!(%error, "cache");
            "unreachable"
        }
    };
    let files = if writable.files { "ok" } else { "unwritable" };
    let status = match (cache, files) {
        ("ok", "ok") => "ok",
        _ => "degraded",
    };
    let checks = Checks::from([
        ("database", database),
        ("migrations", migrations),
        ("matching", matching),
        ("search", search),
        ("cache", cache),
        ("files", files),
    ]);
    if is_ready {
        Ok(Json(Health { status, checks }))
    } else {
        tracing::debug!(?checks, "not ready");
        Err(Problem::not_ready(checks).into())
    }
}

/// How the database and its schema are.
async fn state_of(db: &Db) -> (&'static str, &'static str) {
    if let Err(error) = db.ping().await {
        tracing::error!(%error, "database");
        return ("unreachable", "unknown");
    }
    match db.pending_migrations().await {
        Ok(0) => ("ok", "ok"),
        // without a schema there is nothing to count
        Ok(_) | Err(_) => ("ok", "pending"),
    }
}

/// The process's figures for Prometheus
///
/// Requests by route and status; `jobs` by status, `jobs_due` and `jobs_due_oldest_seconds` for those that wait
/// although they are due; `journal_lag_seconds`, how long the oldest entry that a reader of the journal has not
/// read has been there.
#[utoipa::path(tag = "operations", security(()), responses(
    (status = 200, description = "Text exposition format", body = String, content_type = "text/plain")))]
#[get("/metrics")]
pub async fn metrics(app: Data<App>) -> Result<HttpResponse> {
    let now = app.platform.clock.now();
    let age = move |since: Option<Instant>| {
        since.map_or(0.0, |since| (now - since).as_seconds_f64().max(0.0))
    };
    // what is kept in memory, once it is built
    let in_memory = [
        ("matching", app.matching.read()),
        ("search", app.search.read()),
    ];
    let read = app.platform.db.read(move |conn| {
        let mut unread = Vec::new();
        for reader in REACTIONS {
            let place = journal::place_of(conn, reader)?;
            unread.push((reader, journal::unread_since(conn, place)?));
        }
        for (reader, place) in in_memory {
            if let Some(place) = place {
                unread.push((reader, journal::unread_since(conn, place)?));
            }
        }
        Ok((jobs::counts(conn)?, jobs::backlog(conn, now)?, unread))
    });
    let (counts, backlog, unread) = read.await?;
    for status in JobStatus::VARIANTS {
        let count = counts.iter().find(|(known, _)| known == status);
        ::metrics::gauge!("jobs", "status" => status.as_str())
            .set(count.map_or(0.0, |(_, count)| *count as f64));
    }
    ::metrics::gauge!("jobs_due").set(backlog.count as f64);
    ::metrics::gauge!("jobs_due_oldest_seconds").set(age(backlog.since));
    for (reader, since) in unread {
        ::metrics::gauge!("journal_lag_seconds", "reader" => reader).set(age(since));
    }
    Ok(HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4")
        .body(recorder().render()))
}
