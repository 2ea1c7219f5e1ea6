//! One's own account, devices and consents.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, delete, get, patch, post, put};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::{Entrance, email, phone, wrong};
use crate::error::{Code, Result};
use crate::identity::consent_texts::ConsentText;
use crate::identity::consents::{self, Consent, Purpose};
use crate::identity::model::{Account, EndReason, Grant, MeView, SessionId, SessionView};
use crate::identity::rules::{valid_email, valid_phone};
use crate::identity::{Caller, Command, Made, consent_texts, service, store};
use crate::platform::Platform;
use crate::platform::http::valid::{Nothing, given};
use crate::platform::http::{Body, Lang, List, Page, ProblemBody, etag};

/// Read one's own account
#[utoipa::path(tag = "identity", responses(
    (status = 200, description = "The account", body = MeView, headers(("ETag", description = "Its version")))))]
#[get("/me")]
pub(super) async fn me(caller: Caller, platform: Data<Platform>) -> Result<HttpResponse> {
    let id = caller.account;
    let account = platform
        .db
        .point(move |conn| store::account(conn, id))
        .await?;
    let version = etag(account.version);
    Ok(HttpResponse::Ok()
        .insert_header(version)
        .json(view(account, caller.grants)))
}

fn view(account: Account, grants: Vec<Grant>) -> MeView {
    MeView {
        id: account.id,
        phone: account.phone,
        email: account.email,
        display_name: account.display_name,
        language: account.language,
        grants,
        has_password: account.password_hash.is_some(),
    }
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateMe {
    /// What others may call the person.
    #[validate(length(min = 1, max = 50))]
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    display_name: Option<String>,
    /// The language of mails and messages.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    language: Option<Lang>,
}

/// Change one's own account
#[utoipa::path(tag = "identity", request_body = UpdateMe,
    params(("If-Match" = String, Header, description = "The ETag that was read")), responses(
    (status = 200, description = "Changed", body = MeView),
    (status = 412, description = "Changed by another device meanwhile", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody),
    (status = 428, description = "Without `If-Match`", body = ProblemBody)))]
#[patch("/me")]
pub(super) async fn update_me(command: Command<UpdateMe>) -> Result<HttpResponse> {
    let seen = command.if_match.clone();
    command
        .run(move |tx, caller, input| {
            let name = input.display_name.as_deref();
            let account = service::update_me(tx, caller, &seen, name, input.language)?;
            let version = account.version;
            Ok(Made::changed(view(account, caller.grants.clone())).version(version))
        })
        .await
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangePassword {
    /// The current password, where there is one.
    #[validate(length(max = 200))]
    current_password: Option<String>,
    /// The new one, at least ten characters.
    #[validate(length(min = 10, max = 200))]
    password: String,
}

/// Change one's own password
///
/// The other sessions end.
#[utoipa::path(tag = "identity", request_body = ChangePassword, responses(
    (status = 204, description = "Changed"),
    (status = 422, description = "Wrong fields", body = ProblemBody),
    (status = 429, description = "Too many failed tries", body = ProblemBody)))]
#[post("/me/password")]
pub(super) async fn change_password(
    caller: Caller,
    entrance: Entrance,
    body: Body<ChangePassword>,
) -> Result<HttpResponse> {
    entrance
        .desk()
        .change_password(&caller, body.input.current_password, body.input.password)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct NewContact {
    /// The new phone number; this or the address.
    #[validate(custom(function = "valid_phone"))]
    phone: Option<String>,
    /// The new e-mail address; this or the number.
    #[validate(custom(function = "valid_email"))]
    email: Option<String>,
}

impl NewContact {
    fn normal(&self) -> Result<String> {
        match (&self.phone, &self.email) {
            (Some(number), None) => phone(number),
            (None, Some(address)) => email(address),
            _ => Err(wrong("/phone", Code::OneOfTwo)),
        }
    }
}

/// Begin to change one's phone or e-mail address
///
/// Sends a code to the new one and one to the current one.
#[utoipa::path(tag = "identity", request_body = NewContact, responses(
    (status = 202, description = "Codes are on their way"),
    (status = 422, description = "Wrong fields", body = ProblemBody),
    (status = 429, description = "Too many codes", body = ProblemBody)))]
#[post("/me/contact")]
pub(super) async fn begin_contact_change(
    caller: Caller,
    entrance: Entrance,
    body: Body<NewContact>,
) -> Result<HttpResponse> {
    entrance
        .desk()
        .begin_contact_change(&caller, body.input.normal()?)
        .await?;
    Ok(HttpResponse::Accepted().finish())
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfirmContact {
    /// The new phone number; this or the address.
    #[validate(custom(function = "valid_phone"))]
    phone: Option<String>,
    /// The new e-mail address; this or the number.
    #[validate(custom(function = "valid_email"))]
    email: Option<String>,
    /// The code sent to the new one.
    #[validate(length(min = 6, max = 6))]
    new_code: String,
    /// The code sent to the current one.
    #[validate(length(min = 6, max = 6))]
    current_code: String,
}

/// Change one's phone or e-mail address by the codes sent to both
#[utoipa::path(tag = "identity", request_body = ConfirmContact, responses(
    (status = 204, description = "Changed"),
    (status = 401, description = "Not those codes, or too late", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody),
    (status = 429, description = "Too many failed tries", body = ProblemBody)))]
#[post("/me/contact/confirm")]
pub(super) async fn confirm_contact_change(
    caller: Caller,
    entrance: Entrance,
    body: Body<ConfirmContact>,
) -> Result<HttpResponse> {
    let ConfirmContact {
        phone,
        email,
        new_code,
        current_code,
    } = body.input;
    let new = NewContact { phone, email }.normal()?;
    entrance
        .desk()
        .confirm_contact_change(&caller, new, new_code, current_code)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// List one's signed-in devices
#[utoipa::path(tag = "identity", responses((status = 200, description = "The latest used first", body = Page<SessionView>)))]
#[get("/me/sessions")]
pub(super) async fn list_sessions(
    caller: Caller,
    platform: Data<Platform>,
) -> Result<List<Page<SessionView>>> {
    let id = caller.account;
    let sessions = platform
        .db
        .read(move |conn| store::live_sessions(conn, id))
        .await?;
    let items = sessions
        .into_iter()
        .map(|session| SessionView {
            id: session.id,
            device: session.device,
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            current: session.id == caller.session,
        })
        .collect();
    Ok(List(Page { items, next: None }))
}

/// Sign a device out
#[utoipa::path(tag = "identity", params(("id" = SessionId, Path, description = "The session")), responses(
    (status = 204, description = "Signed out; also when it was already")))]
#[delete("/me/sessions/{id}")]
pub(super) async fn end_session(
    command: Command<Nothing>,
    id: Path<SessionId>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, _| {
            service::end_session(tx, caller, *id, EndReason::Revoked)?;
            Ok(Made::<()>::nothing())
        })
        .await
}

/// List one's consents
#[utoipa::path(tag = "identity", responses((status = 200, description = "Given and withdrawn ones", body = Page<Consent>)))]
#[get("/me/consents")]
pub(super) async fn list_consents(
    caller: Caller,
    platform: Data<Platform>,
) -> Result<List<Page<Consent>>> {
    let items = platform
        .db
        .read(move |conn| consents::of_account(conn, caller.account))
        .await?;
    Ok(List(Page { items, next: None }))
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct GiveConsent {
    /// The version of the text that was shown, the current one of its purpose.
    #[validate(length(min = 1, max = 40))]
    text_version: String,
}

/// List the texts of consents
///
/// Each in both languages. A purpose without a text is one that nobody can agree to yet.
#[utoipa::path(tag = "identity", security(()), responses((status = 200, description = "All of them", body = Page<ConsentText>)))]
#[get("/consent-texts")]
pub(super) async fn list_consent_texts() -> List<Page<ConsentText>> {
    let items = consent_texts::all().to_vec();
    List(Page { items, next: None })
}

/// Give a consent
#[utoipa::path(tag = "identity", request_body = GiveConsent,
    params(("purpose" = Purpose, Path, description = "For what")), responses(
    (status = 200, description = "Given", body = Consent),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[put("/me/consents/{purpose}")]
pub(super) async fn give_consent(
    command: Command<GiveConsent>,
    purpose: Path<Purpose>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            Ok(Made::changed(consents::give(
                tx,
                caller,
                *purpose,
                &input.text_version,
            )?))
        })
        .await
}

/// Withdraw a consent
#[utoipa::path(tag = "identity", params(("purpose" = Purpose, Path, description = "For what")), responses(
    (status = 204, description = "Withdrawn; also when it was not given")))]
#[delete("/me/consents/{purpose}")]
pub(super) async fn withdraw_consent(
    command: Command<Nothing>,
    purpose: Path<Purpose>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, _| {
            consents::withdraw(tx, caller, *purpose)?;
            Ok(Made::<()>::nothing())
        })
        .await
}
