//! What is said about one attendance, over HTTP.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, post};

use super::super::rules::Side;
use super::super::service::{self, Correction, Showing};
use super::AttendanceView;
use crate::activities::enrolments::EnrolmentId;
use crate::activities::service::Desk;
use crate::error::{Code, Error, Result};
use crate::identity::{AccountId, Command, Made};
use crate::platform::Platform;
use crate::platform::http::ProblemBody;
use crate::platform::http::valid::Reason;

/// Makes a try with codes. Wrong ones are counted for the account, whichever activity they are tried at.
pub(super) async fn tried<T>(
    platform: &Platform,
    desk: &Desk,
    who: AccountId,
    made: impl Future<Output = Result<T>>,
    is_wrong: impl Fn(&Result<T>) -> bool,
) -> Result<T> {
    let limit = desk.rules.attendance.code_tries;
    let key = format!("check-in:{who}");
    // counted before it is made, since many may be made at once
    limit.take(&platform.cache, &key).await?;
    let outcome = made.await;
    if !is_wrong(&outcome) {
        limit.take_back(&platform.cache, &key).await;
    }
    outcome
}

pub(super) fn is_wrong(code: Code) -> bool {
    matches!(code, Code::CheckInCodeWrong | Code::EntrySignatureWrong)
}

async fn show(
    command: Command<Showing>,
    platform: Data<Platform>,
    desk: Data<Desk>,
    id: EnrolmentId,
    side: Side,
) -> Result<HttpResponse> {
    let (who, vault) = (command.caller.account, platform.vault.clone());
    let (numbers, shows_code) = (desk.clone(), command.input.code.is_some());
    let made = command.run(move |tx, caller, input| {
        let row = service::show(tx, &desk, &vault, caller, id, (side, input))?;
        Ok(Made::changed(AttendanceView::of(tx.conn, row, caller)?))
    });
    if !shows_code {
        return made.await;
    }
    let failed = |outcome: &Result<HttpResponse>| {
        let code = outcome.as_ref().err().map(Error::code);
        code.is_some_and(is_wrong)
    };
    tried(&platform, &numbers, who, made, failed).await
}

/// Check in
///
/// With the code that is shown on site: from a while before the shift to its end. Who organises the activity
/// ticks somebody in without a code; themself only as long as nobody else organises it.
#[utoipa::path(tag = "activities", request_body = Showing,
    params(("id" = EnrolmentId, Path, description = "The enrolment")), responses(
    (status = 200, description = "Checked in; also when it was so before by the same caller", body = AttendanceView),
    (status = 403, description = "Not the caller's to say", body = ProblemBody),
    (status = 404, description = "No such enrolment", body = ProblemBody),
    (status = 409, description = "The code is wrong or old, the time or the state does not allow it", body = ProblemBody),
    (status = 429, description = "Too many wrong codes", body = ProblemBody)))]
#[post("/enrolments/{id}/check-in")]
pub(super) async fn check_in(
    command: Command<Showing>,
    platform: Data<Platform>,
    desk: Data<Desk>,
    id: Path<EnrolmentId>,
) -> Result<HttpResponse> {
    show(command, platform, desk, *id, Side::In).await
}

/// Check out
///
/// With the code that is shown on site, up to a while after the shift. Who organises the activity ticks
/// somebody out without a code; themself only as long as nobody else organises it.
#[utoipa::path(tag = "activities", request_body = Showing,
    params(("id" = EnrolmentId, Path, description = "The enrolment")), responses(
    (status = 200, description = "Checked out; also when it was so before by the same caller", body = AttendanceView),
    (status = 403, description = "Not the caller's to say", body = ProblemBody),
    (status = 404, description = "No such enrolment", body = ProblemBody),
    (status = 409, description = "Not checked in, the code is wrong or old, the time or the state does not allow it", body = ProblemBody),
    (status = 429, description = "Too many wrong codes", body = ProblemBody)))]
#[post("/enrolments/{id}/check-out")]
pub(super) async fn check_out(
    command: Command<Showing>,
    platform: Data<Platform>,
    desk: Data<Desk>,
    id: Path<EnrolmentId>,
) -> Result<HttpResponse> {
    show(command, platform, desk, *id, Side::Out).await
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident $path:literal $body:ty, |$tx:ident, $desk:ident, $caller:ident, $id:ident, $input:ident| $do:expr);+ $(;)?) => { $(
        $(#[$doc])*
        #[utoipa::path(tag = "activities", request_body = $body,
            params(("id" = EnrolmentId, Path, description = "The enrolment")), responses(
            (status = 200, description = "Done; also when it was done so before", body = AttendanceView),
            (status = 403, description = "Not the caller's to say", body = ProblemBody),
            (status = 404, description = "No such enrolment", body = ProblemBody),
            (status = 409, description = "Its state or the time does not allow it", body = ProblemBody)))]
        #[post($path)]
        pub(super) async fn $name(command: Command<$body>, id: Path<EnrolmentId>, desk: Data<Desk>) -> Result<HttpResponse> {
            command
                .run(move |$tx, $caller, $input| {
                    let ($id, $desk) = (*id, desk.as_ref());
                    let row = $do?;
                    Ok(Made::changed(AttendanceView::of($tx.conn, row, $caller)?))
                })
                .await
        }
    )+ };
}

words! {
    /// Say why one does not come, or did not
    ///
    /// Who organises the activity hears it, and accepts it or not.
    ask_excuse "/enrolments/{id}/ask-excuse" Reason, |tx, _desk, caller, id, input| service::ask_excuse(tx, caller, id, &input.reason);
    /// Excuse somebody
    ///
    /// With a reason, whether they asked for it or not.
    excuse "/enrolments/{id}/excuse" Reason, |tx, _desk, caller, id, input| service::excuse(tx, caller, id, &input.reason);
    /// Not accept why somebody does not come
    refuse_excuse "/enrolments/{id}/refuse-excuse" Reason, |tx, _desk, caller, id, input| service::refuse_excuse(tx, caller, id, &input.reason);
    /// Correct an attendance
    ///
    /// With a reason, until the activity is settled. `expected` only until who is expected is a no-show.
    correct "/enrolments/{id}/correct-attendance" Correction, |tx, desk, caller, id, input| service::correct(tx, desk, caller, id, input);
}
