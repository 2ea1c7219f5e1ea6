//! One's own inbox and what one wants to be told.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get, post, put};
use serde::{Deserialize, Serialize};
use strum::VariantArray;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::Kind;
use super::store::{self, Notification, NotificationId};
use crate::error::{Code, Problem, Result};
use crate::identity::{AccountId, Caller, Command, Made};
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::columns::Uid;
use crate::platform::db::Conn;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::valid::Nothing;
use crate::platform::http::{Cursor, Lang, List, Page, Params, ProblemBody};

/// The room's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list)
        .service(unread)
        .service(read_all)
        .service(read_one)
        .service(settings)
        .service(change_settings);
}

/// A notice in the inbox.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Notification)]
pub struct NotificationView {
    /// Its id.
    pub id: NotificationId,
    /// What it tells.
    pub kind: Kind,
    /// A title, in the caller's language.
    pub title: String,
    /// A sentence, in the caller's language.
    pub text: String,
    /// The noun of the thing it is about.
    pub subject_kind: String,
    /// The thing it is about.
    #[schema(value_type = String, format = Uuid)]
    pub subject_id: Uid,
    /// Since when.
    pub created_at: Instant,
    /// When it was read.
    pub read_at: Option<Instant>,
}

fn view(row: Notification, lang: Lang) -> NotificationView {
    let (title, text) = row.kind.render(lang, |gap| row.params.0.get(gap).cloned());
    NotificationView {
        id: row.id,
        kind: row.kind,
        title,
        text,
        subject_kind: row.subject_kind,
        subject_id: row.subject_id,
        created_at: row.created_at,
        read_at: row.read_at,
    }
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListNotifications {
    /// Only those not read yet.
    unread: Option<bool>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List one's notifications
///
/// The newest first.
#[utoipa::path(tag = "notifications", params(ListNotifications), responses(
    (status = 200, description = "A page of the inbox", body = Page<NotificationView>),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/me/notifications")]
async fn list(
    caller: Caller,
    platform: Data<Platform>,
    query: Params<ListNotifications>,
) -> Result<List<Page<NotificationView>>> {
    let Params(query) = query;
    let before = Cursor::decode::<NotificationId>(query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    let (account, only) = (caller.account, query.unread.unwrap_or(false));
    let rows = platform
        .db
        .read(move |conn| store::list(conn, account, only, before, limit))
        .await?;
    Ok(List(
        Page::of(rows, limit, |row| row.id).map(|row| view(row, caller.lang)),
    ))
}

/// How much there is to read.
#[derive(Debug, Serialize, ToSchema)]
pub struct Unread {
    /// Notifications not read yet.
    pub unread: i64,
}

/// Count one's unread notifications
#[utoipa::path(tag = "notifications", responses((status = 200, description = "The count", body = Unread)))]
#[get("/me/notifications/unread")]
async fn unread(caller: Caller, platform: Data<Platform>) -> Result<Json<Unread>> {
    let unread = platform
        .db
        .read(move |conn| store::unread(conn, caller.account))
        .await?;
    Ok(Json(Unread { unread }))
}

/// Mark all one's notifications as read
#[utoipa::path(tag = "notifications", responses((status = 204, description = "Read")))]
#[post("/me/notifications/read")]
async fn read_all(command: Command<Nothing>) -> Result<HttpResponse> {
    command
        .run(|tx, caller, _| {
            store::mark_read(tx, caller.account, None)?;
            Ok(Made::<()>::nothing())
        })
        .await
}

/// Mark a notification as read
#[utoipa::path(tag = "notifications", params(("id" = NotificationId, Path, description = "The notification")), responses(
    (status = 204, description = "Read; also when it was already"),
    (status = 404, description = "Not in this inbox", body = ProblemBody)))]
#[post("/me/notifications/{id}/read")]
async fn read_one(command: Command<Nothing>, id: Path<NotificationId>) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, _| {
            store::mark_read(tx, caller.account, Some(*id))?;
            Ok(Made::<()>::nothing())
        })
        .await
}

/// Whether a kind also comes by mail.
#[derive(Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Preference {
    /// Which kind.
    pub kind: Kind,
    /// Whether by mail; always, where it tells of the account's safety. The inbox has everything.
    pub mail: bool,
}

/// When no mail is sent; it waits for the end. Wall-clock minutes after midnight, from included,
/// to not; may run over midnight.
#[derive(Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// 0 to 1439.
    #[validate(range(min = 0, max = 1439))]
    pub from_minute: i32,
    /// 0 to 1439.
    #[validate(range(min = 0, max = 1439))]
    pub to_minute: i32,
}

/// What one wants to be told, and when.
#[derive(Debug, Serialize, ToSchema)]
pub struct NotificationSettings {
    /// Every kind.
    pub preferences: Vec<Preference>,
    /// Null for none.
    pub quiet_hours: Option<QuietHours>,
}

/// What changes about it; the rest stays as it is.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct ChangeNotificationSettings {
    /// The kinds that change.
    #[validate(nested)]
    #[serde(default)]
    preferences: Vec<Preference>,
    /// Null for none; left out to stay as they are.
    #[validate(nested)]
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<QuietHours>)]
    quiet_hours: Option<Option<QuietHours>>,
}

fn current(conn: &mut Conn, account: AccountId) -> Result<NotificationSettings> {
    let known = store::preferences(conn, account)?;
    let preference = |kind: &Kind| Preference {
        kind: *kind,
        mail: known.get(kind).copied().unwrap_or(true),
    };
    let quiet_hours = store::quiet_hours(conn, account)?;
    Ok(NotificationSettings {
        preferences: Kind::VARIANTS.iter().map(preference).collect(),
        quiet_hours: quiet_hours.map(|(from_minute, to_minute)| QuietHours {
            from_minute,
            to_minute,
        }),
    })
}

/// Read one's notification settings
#[utoipa::path(tag = "notifications", responses((status = 200, description = "The settings", body = NotificationSettings)))]
#[get("/me/notification-settings")]
async fn settings(caller: Caller, platform: Data<Platform>) -> Result<Json<NotificationSettings>> {
    Ok(Json(
        platform
            .db
            .read(move |conn| current(conn, caller.account))
            .await?,
    ))
}

/// Change one's notification settings
#[utoipa::path(tag = "notifications", request_body = ChangeNotificationSettings, responses(
    (status = 200, description = "Changed", body = NotificationSettings),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[put("/me/notification-settings")]
async fn change_settings(command: Command<ChangeNotificationSettings>) -> Result<HttpResponse> {
    command
        .run(|tx, caller, input| {
            let mut wrong = Problem::new(Code::Invalid);
            for (index, preference) in input.preferences.iter().enumerate() {
                if preference.kind.is_security() && !preference.mail {
                    wrong = wrong.field(format!("/preferences/{index}/mail"), Code::AlwaysMailed);
                }
            }
            if !wrong.errors.is_empty() {
                return Err(wrong.into());
            }
            for preference in &input.preferences {
                store::set_preference(tx.conn, caller.account, preference.kind, preference.mail)?;
            }
            if let Some(hours) = &input.quiet_hours {
                let hours = hours.as_ref().map(|h| (h.from_minute, h.to_minute));
                store::set_quiet_hours(tx.conn, caller.account, hours)?;
            }
            Ok(Made::changed(current(tx.conn, caller.account)?))
        })
        .await
}
