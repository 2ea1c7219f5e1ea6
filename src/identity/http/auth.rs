//! Signing up, in and out.

use actix_web::web::Json;
use actix_web::{HttpResponse, post};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::{Entrance, email, phone};
use crate::error::Result;
use crate::identity::model::{EndReason, Tokens};
use crate::identity::rules::{valid_email, valid_phone};
use crate::identity::{Command, Made, service};
use crate::platform::http::valid::Nothing;
use crate::platform::http::{Body, ProblemBody};

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct PhoneOnly {
    /// A mobile number.
    #[schema(example = "+8613800138000")]
    #[validate(custom(function = "valid_phone"))]
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
pub(super) async fn send_phone_code(
    entrance: Entrance,
    body: Body<PhoneOnly>,
) -> Result<HttpResponse> {
    entrance
        .desk()
        .send_sms_code(phone(&body.input.phone)?, entrance.lang)
        .await?;
    Ok(HttpResponse::Accepted().finish())
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct PhoneSignIn {
    /// A mobile number.
    #[validate(custom(function = "valid_phone"))]
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
/// The first time makes the account, or takes over the one that somebody was invited into.
#[utoipa::path(tag = "identity", request_body = PhoneSignIn, security(()), responses(
    (status = 200, description = "Signed in", body = Tokens),
    (status = 401, description = "Not that code, or too late", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/auth/phone/sign-in")]
pub(super) async fn sign_in_by_phone(
    entrance: Entrance,
    body: Body<PhoneSignIn>,
) -> Result<Json<Tokens>> {
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
pub(super) struct SignUp {
    /// An e-mail address.
    #[validate(custom(function = "valid_email"))]
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
pub(super) async fn sign_up(entrance: Entrance, body: Body<SignUp>) -> Result<HttpResponse> {
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
pub(super) struct VerifyEmail {
    /// The address signed up with.
    #[validate(custom(function = "valid_email"))]
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
pub(super) async fn verify_email(
    entrance: Entrance,
    body: Body<VerifyEmail>,
) -> Result<Json<Tokens>> {
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
pub(super) struct SignIn {
    /// The address of the account.
    #[validate(custom(function = "valid_email"))]
    email: String,
    /// Its password.
    #[validate(length(min = 1, max = 200))]
    password: String,
}

/// Sign in by e-mail and password
#[utoipa::path(tag = "identity", request_body = SignIn, security(()), responses(
    (status = 200, description = "Signed in", body = Tokens),
    (status = 401, description = "Not that address and password, or the address is not proved yet", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/auth/sign-in")]
pub(super) async fn sign_in(entrance: Entrance, body: Body<SignIn>) -> Result<Json<Tokens>> {
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
pub(super) struct EmailOnly {
    /// The address of the account.
    #[validate(custom(function = "valid_email"))]
    email: String,
}

/// Ask for a new password
///
/// Answers the same whether or not the address has an account.
#[utoipa::path(tag = "identity", request_body = EmailOnly, security(()), responses(
    (status = 202, description = "If there is an account, a mail is on its way"),
    (status = 422, description = "Wrong fields", body = ProblemBody),
    (status = 429, description = "Too many codes", body = ProblemBody)))]
#[post("/auth/password/forgot")]
pub(super) async fn forgot_password(
    entrance: Entrance,
    body: Body<EmailOnly>,
) -> Result<HttpResponse> {
    entrance
        .desk()
        .forgot_password(email(&body.input.email)?, entrance.lang)
        .await?;
    Ok(HttpResponse::Accepted().finish())
}

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct ResetPassword {
    /// The address of the account.
    #[validate(custom(function = "valid_email"))]
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
pub(super) async fn reset_password(
    entrance: Entrance,
    body: Body<ResetPassword>,
) -> Result<HttpResponse> {
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
pub(super) struct Refresh {
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
pub(super) async fn refresh(entrance: Entrance, body: Body<Refresh>) -> Result<Json<Tokens>> {
    Ok(Json(
        entrance.desk().refresh(body.input.refresh_token).await?,
    ))
}

/// Sign out
#[utoipa::path(tag = "identity", responses((status = 204, description = "Signed out")))]
#[post("/auth/sign-out")]
pub(super) async fn sign_out(command: Command<Nothing>) -> Result<HttpResponse> {
    command
        .run(|tx, caller, _| {
            service::end_session(tx, caller, caller.session, EndReason::SignedOut)?;
            Ok(Made::<()>::nothing())
        })
        .await
}
