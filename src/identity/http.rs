//! Signing up and in, one's own account, and the roles of others.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::{Data, Json, Path};
use actix_web::{FromRequest, HttpRequest, HttpResponse, delete, get, patch, post, put};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::Validate;

use super::consents::{self, Consent, Purpose};
use super::grants::{self, Grant, GrantId, Role};
use super::keys::{Jwks, Keyring};
use super::model::{AccountId, EndReason, MeView, SessionId, SessionView, Tokens};
use super::service::{self, Desk, IdentityRules};
use super::{Caller, Command, Made, rules, store};
use crate::error::{Code, Error, Problem, Result};
use crate::platform::Platform;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::valid::Nothing;
use crate::platform::http::{Body, Cursor, Lang, Page, Params, ProblemBody};

/// The room's routes below `/api/v1`.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(send_phone_code)
        .service(sign_in_by_phone)
        .service(sign_up)
        .service(verify_email)
        .service(sign_in)
        .service(forgot_password)
        .service(reset_password)
        .service(refresh)
        .service(sign_out);
    config
        .service(me)
        .service(update_me)
        .service(change_password)
        .service(begin_contact_change)
        .service(confirm_contact_change)
        .service(list_sessions)
        .service(end_session)
        .service(list_consents)
        .service(give_consent)
        .service(withdraw_consent);
    config
        .service(list_grants)
        .service(grant_role)
        .service(revoke_role);
}

/// What every `/auth` request brings: the room's hands, throttled by network address.
struct Entrance {
    platform: Data<Platform>,
    keyring: Data<Keyring>,
    rules: Data<IdentityRules>,
    lang: Lang,
    device: String,
}

impl Entrance {
    fn desk(&self) -> Desk<'_> {
        Desk {
            platform: &self.platform,
            keyring: &self.keyring,
            rules: &self.rules,
        }
    }
}

impl FromRequest for Entrance {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let hands = (
            req.app_data::<Data<Platform>>().cloned(),
            req.app_data::<Data<Keyring>>().cloned(),
            req.app_data::<Data<IdentityRules>>().cloned(),
        );
        let address = req
            .peer_addr()
            .map(|peer| peer.ip().to_string())
            .unwrap_or_default();
        let lang = Lang::of(req.headers());
        let device = req
            .headers()
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .map(|agent| agent.chars().take(120).collect())
            .unwrap_or_default();
        Box::pin(async move {
            let (Some(platform), Some(keyring), Some(rules)) = hands else {
                return Err(Error::internal(
                    "the server was put together without its hands",
                ));
            };
            rules
                .requests_per_address
                .take(&platform.cache, &format!("address:{address}"))
                .await?;
            Ok(Self {
                platform,
                keyring,
                rules,
                lang,
                device,
            })
        })
    }
}

fn wrong(pointer: &str, code: Code) -> Error {
    Problem::new(Code::Invalid).field(pointer, code).into()
}

fn phone(text: &str) -> Result<String> {
    rules::normal_phone(text).map_err(|code| wrong("/phone", code))
}

fn email(text: &str) -> Result<String> {
    rules::normal_email(text).map_err(|code| wrong("/email", code))
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct PhoneOnly {
    /// A mobile number.
    #[schema(example = "+8613800138000")]
    #[validate(length(min = 1, max = 32))]
    phone: String,
}

/// Send a sign-in code by SMS
///
/// Answers the same whether or not the phone has an account.
#[utoipa::path(tag = "identity", request_body = PhoneOnly, security(()), responses(
    (status = 202, description = "A code is on its way"),
    (status = 422, description = "Not a mobile number", body = ProblemBody),
    (status = 429, description = "Too many codes", body = ProblemBody)))]
#[post("/auth/phone/code")]
async fn send_phone_code(entrance: Entrance, body: Body<PhoneOnly>) -> Result<HttpResponse> {
    entrance
        .desk()
        .send_sms_code(phone(&body.input.phone)?, entrance.lang)
        .await?;
    Ok(HttpResponse::Accepted().finish())
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct PhoneSignIn {
    /// A mobile number.
    #[validate(length(min = 1, max = 32))]
    phone: String,
    /// The code sent to it.
    #[validate(length(min = 6, max = 6))]
    code: String,
    /// What others may call the person; taken the first time.
    #[validate(length(min = 1, max = 50))]
    display_name: Option<String>,
}

/// Sign in by phone and code
///
/// The first time makes the account.
#[utoipa::path(tag = "identity", request_body = PhoneSignIn, security(()), responses(
    (status = 200, description = "Signed in", body = Tokens),
    (status = 401, description = "Not that code, or too late", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/auth/phone/sign-in")]
async fn sign_in_by_phone(entrance: Entrance, body: Body<PhoneSignIn>) -> Result<Json<Tokens>> {
    let PhoneSignIn {
        phone: number,
        code,
        display_name,
    } = body.input;
    let device = entrance.device.clone();
    let tokens = entrance
        .desk()
        .sign_in_by_phone(phone(&number)?, code, display_name, device, entrance.lang)
        .await?;
    Ok(Json(tokens))
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct SignUp {
    /// An e-mail address.
    #[validate(length(min = 3, max = 254))]
    email: String,
    /// At least ten characters.
    #[validate(length(min = 10, max = 200))]
    password: String,
    /// What others may call the person.
    #[validate(length(min = 1, max = 50))]
    display_name: String,
}

/// Sign up by e-mail and password
///
/// A code is mailed to prove the address. Answers the same whether or not it has an account.
#[utoipa::path(tag = "identity", request_body = SignUp, security(()), responses(
    (status = 202, description = "A mail is on its way"),
    (status = 422, description = "Wrong fields", body = ProblemBody),
    (status = 429, description = "Too many codes", body = ProblemBody)))]
#[post("/auth/sign-up")]
async fn sign_up(entrance: Entrance, body: Body<SignUp>) -> Result<HttpResponse> {
    let SignUp {
        email: address,
        password,
        display_name,
    } = body.input;
    entrance
        .desk()
        .sign_up(email(&address)?, password, display_name, entrance.lang)
        .await?;
    Ok(HttpResponse::Accepted().finish())
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct VerifyEmail {
    /// The address signed up with.
    #[validate(length(min = 3, max = 254))]
    email: String,
    /// The code mailed to it.
    #[validate(length(min = 6, max = 6))]
    code: String,
    /// The password signed up with.
    #[validate(length(min = 1, max = 200))]
    password: String,
}

/// Prove the address of a sign-up
#[utoipa::path(tag = "identity", request_body = VerifyEmail, security(()), responses(
    (status = 200, description = "Proved and signed in", body = Tokens),
    (status = 401, description = "Not that code or password, or too late", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/auth/verify-email")]
async fn verify_email(entrance: Entrance, body: Body<VerifyEmail>) -> Result<Json<Tokens>> {
    let VerifyEmail {
        email: address,
        code,
        password,
    } = body.input;
    let device = entrance.device.clone();
    Ok(Json(
        entrance
            .desk()
            .verify_email(email(&address)?, code, password, device)
            .await?,
    ))
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct SignIn {
    /// The address of the account.
    #[validate(length(min = 3, max = 254))]
    email: String,
    /// Its password.
    #[validate(length(min = 1, max = 200))]
    password: String,
}

/// Sign in by e-mail and password
#[utoipa::path(tag = "identity", request_body = SignIn, security(()), responses(
    (status = 200, description = "Signed in", body = Tokens),
    (status = 401, description = "Not that address and password", body = ProblemBody),
    (status = 403, description = "The address is not proved yet", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/auth/sign-in")]
async fn sign_in(entrance: Entrance, body: Body<SignIn>) -> Result<Json<Tokens>> {
    let address = email(&body.input.email)?;
    let device = entrance.device.clone();
    Ok(Json(
        entrance
            .desk()
            .sign_in(address, body.input.password, device)
            .await?,
    ))
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct EmailOnly {
    /// The address of the account.
    #[validate(length(min = 3, max = 254))]
    email: String,
}

/// Ask for a new password
///
/// Answers the same whether or not the address has an account.
#[utoipa::path(tag = "identity", request_body = EmailOnly, security(()), responses(
    (status = 202, description = "If there is an account, a mail is on its way"),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/auth/password/forgot")]
async fn forgot_password(entrance: Entrance, body: Body<EmailOnly>) -> Result<HttpResponse> {
    entrance
        .desk()
        .forgot_password(email(&body.input.email)?, entrance.lang)
        .await?;
    Ok(HttpResponse::Accepted().finish())
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct ResetPassword {
    /// The address of the account.
    #[validate(length(min = 3, max = 254))]
    email: String,
    /// The code mailed to it.
    #[validate(length(min = 6, max = 6))]
    code: String,
    /// The new password, at least ten characters.
    #[validate(length(min = 10, max = 200))]
    password: String,
}

/// Set a new password by a mailed code
///
/// Every session of the account ends.
#[utoipa::path(tag = "identity", request_body = ResetPassword, security(()), responses(
    (status = 204, description = "Set"),
    (status = 401, description = "Not that code, or too late", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/auth/password/reset")]
async fn reset_password(entrance: Entrance, body: Body<ResetPassword>) -> Result<HttpResponse> {
    let ResetPassword {
        email: address,
        code,
        password,
    } = body.input;
    entrance
        .desk()
        .reset_password(email(&address)?, code, password)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct Refresh {
    /// The refresh token, used up by this.
    #[validate(length(min = 1, max = 200))]
    refresh_token: String,
}

/// Refresh the tokens
///
/// A refresh token works once. One that comes back a second time ends the session.
#[utoipa::path(tag = "identity", request_body = Refresh, security(()), responses(
    (status = 200, description = "The next tokens", body = Tokens),
    (status = 401, description = "The session has ended", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/auth/refresh")]
async fn refresh(entrance: Entrance, body: Body<Refresh>) -> Result<Json<Tokens>> {
    Ok(Json(
        entrance.desk().refresh(body.input.refresh_token).await?,
    ))
}

/// Sign out
#[utoipa::path(tag = "identity", responses((status = 204, description = "Signed out")))]
#[post("/auth/sign-out")]
async fn sign_out(command: Command<Nothing>) -> Result<HttpResponse> {
    command
        .run(|tx, caller, _| {
            service::end_session(tx, caller, caller.session, EndReason::SignedOut)?;
            Ok(Made::<()>::nothing())
        })
        .await
}

/// Read one's own account
#[utoipa::path(tag = "identity", responses((status = 200, description = "The account", body = MeView)))]
#[get("/me")]
async fn me(caller: Caller, platform: Data<Platform>) -> Result<Json<MeView>> {
    let id = caller.account;
    let account = platform
        .db
        .read(move |conn| store::account(conn, id))
        .await?;
    Ok(Json(view(account, caller.grants)))
}

fn view(account: super::Account, grants: Vec<Grant>) -> MeView {
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
struct UpdateMe {
    /// What others may call the person.
    #[validate(length(min = 1, max = 50))]
    display_name: Option<String>,
    /// The language of mails and messages.
    language: Option<Lang>,
}

/// Change one's own account
#[utoipa::path(tag = "identity", request_body = UpdateMe, responses(
    (status = 200, description = "Changed", body = MeView),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[patch("/me")]
async fn update_me(command: Command<UpdateMe>) -> Result<HttpResponse> {
    command
        .run(|tx, caller, input| {
            let account =
                service::update_me(tx, caller, input.display_name.as_deref(), input.language)?;
            Ok(Made::changed(view(account, caller.grants.clone())))
        })
        .await
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct ChangePassword {
    /// The current password, where there is one.
    #[validate(length(max = 200))]
    current: Option<String>,
    /// The new one, at least ten characters.
    #[validate(length(min = 10, max = 200))]
    password: String,
}

/// Change one's own password
///
/// The other sessions end.
#[utoipa::path(tag = "identity", request_body = ChangePassword, responses(
    (status = 204, description = "Changed"),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/me/password")]
async fn change_password(
    caller: Caller,
    entrance: Entrance,
    body: Body<ChangePassword>,
) -> Result<HttpResponse> {
    entrance
        .desk()
        .change_password(&caller, body.input.current, body.input.password)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct NewContact {
    /// The new phone number; this or the address.
    #[validate(length(min = 1, max = 32))]
    phone: Option<String>,
    /// The new e-mail address; this or the number.
    #[validate(length(min = 3, max = 254))]
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
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/me/contact")]
async fn begin_contact_change(
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
struct ConfirmContact {
    /// The new phone number; this or the address.
    #[validate(length(min = 1, max = 32))]
    phone: Option<String>,
    /// The new e-mail address; this or the number.
    #[validate(length(min = 3, max = 254))]
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
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/me/contact/confirm")]
async fn confirm_contact_change(
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
async fn list_sessions(
    caller: Caller,
    platform: Data<Platform>,
) -> Result<Json<Page<SessionView>>> {
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
    Ok(Json(Page { items, next: None }))
}

/// Sign a device out
#[utoipa::path(tag = "identity", params(("id" = SessionId, Path, description = "The session")), responses(
    (status = 204, description = "Signed out; also when it was already")))]
#[delete("/me/sessions/{id}")]
async fn end_session(command: Command<Nothing>, id: Path<SessionId>) -> Result<HttpResponse> {
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
async fn list_consents(caller: Caller, platform: Data<Platform>) -> Result<Json<Page<Consent>>> {
    let items = platform
        .db
        .read(move |conn| consents::of_account(conn, caller.account))
        .await?;
    Ok(Json(Page { items, next: None }))
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct GiveConsent {
    /// The version of the text that was shown.
    #[validate(length(min = 1, max = 40))]
    text_version: String,
}

/// Give a consent
#[utoipa::path(tag = "identity", request_body = GiveConsent,
    params(("purpose" = Purpose, Path, description = "For what")), responses(
    (status = 200, description = "Given", body = Consent),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[put("/me/consents/{purpose}")]
async fn give_consent(
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
async fn withdraw_consent(
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

#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListGrants {
    /// Only those in exactly this region, organisation or branch.
    scope_id: Option<Uuid>,
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List role grants
///
/// Of a scope one administers; a platform admin may leave the scope out.
#[utoipa::path(tag = "identity", params(ListGrants), responses(
    (status = 200, description = "Grants in force", body = Page<Grant>),
    (status = 403, description = "Not of this scope", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/role-grants")]
async fn list_grants(
    caller: Caller,
    platform: Data<Platform>,
    query: Params<ListGrants>,
) -> Result<Json<Page<Grant>>> {
    let Params(query) = query;
    let after = Cursor::decode::<GrantId>(query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    let rows = platform
        .db
        .read(move |conn| grants::list(conn, &caller, query.scope_id, after, limit))
        .await?;
    Ok(Json(Page::of(rows, limit, |grant| grant.id)))
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct GrantRole {
    /// To whom.
    account_id: AccountId,
    /// What.
    role: Role,
    /// Where; none for a platform admin.
    scope_id: Option<Uuid>,
}

/// Grant a role
#[utoipa::path(tag = "identity", request_body = GrantRole, responses(
    (status = 201, description = "Granted", body = Grant),
    (status = 403, description = "Not yours to grant", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/role-grants")]
async fn grant_role(command: Command<GrantRole>) -> Result<HttpResponse> {
    command
        .run(|tx, caller, input| {
            let grant = grants::grant_by(tx, caller, input.account_id, input.role, input.scope_id)?;
            let location = format!("/api/v1/role-grants/{}", grant.id);
            Ok(Made::new(grant, location))
        })
        .await
}

/// Revoke a role
#[utoipa::path(tag = "identity", params(("id" = GrantId, Path, description = "The grant")), responses(
    (status = 204, description = "Revoked; also when it was already"),
    (status = 404, description = "No such grant, or not yours to see", body = ProblemBody),
    (status = 409, description = "The last platform admin", body = ProblemBody)))]
#[delete("/role-grants/{id}")]
async fn revoke_role(command: Command<Nothing>, id: Path<GrantId>) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, _| {
            grants::revoke(tx, caller, *id)?;
            Ok(Made::<()>::nothing())
        })
        .await
}

/// The keys that access tokens are signed with
#[utoipa::path(tag = "identity", security(()), responses((status = 200, description = "JSON Web Key Set", body = Jwks)))]
#[get("/.well-known/jwks.json")]
pub async fn jwks(keyring: Data<Keyring>) -> Result<Json<Jwks>> {
    Ok(Json(keyring.published().await?))
}
