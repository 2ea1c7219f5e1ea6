//! The moves of a service record.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::super::model::RecordId;
use super::super::service::{self, Corrected, Desk, Dispute};
use super::{RecordView, may_list};
use crate::activities::ActivityId;
use crate::error::Result;
use crate::identity::{Command, Made};
use crate::platform::http::ProblemBody;
use crate::platform::http::valid::{Nothing, Reason};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(confirm_records)
        .service(confirm_record)
        .service(correct_record)
        .service(dispute_record)
        .service(agree_record)
        .service(keep_record)
        .service(appeal_record)
        .service(uphold_record)
        .service(dismiss_record)
        .service(void_record);
}

macro_rules! moves {
    ($($(#[$doc:meta])* $name:ident $path:literal $body:ty, |$tx:ident, $desk:ident, $caller:ident, $id:ident, $input:ident| $do:expr);+ $(;)?) => { $(
        $(#[$doc])*
        #[utoipa::path(tag = "records", request_body = $body,
            params(("id" = RecordId, Path, description = "The record")), responses(
            (status = 200, description = "Moved; also when it was moved so before by the same caller", body = RecordView),
            (status = 403, description = "Not the caller's move, or their own hours", body = ProblemBody),
            (status = 404, description = "No such record", body = ProblemBody),
            (status = 409, description = "Its state or the time does not allow it, or the cap or other service is in the way", body = ProblemBody),
            (status = 422, description = "Something is missing or wrong", body = ProblemBody)))]
        #[post($path)]
        async fn $name(command: Command<$body>, id: Path<RecordId>, desk: Data<Desk>) -> Result<HttpResponse> {
            command
                .run(move |$tx, $caller, $input| {
                    let ($id, $desk) = (*id, desk.as_ref());
                    let row = $do?;
                    let with = ($desk, $tx.now);
                    Ok(Made::changed(RecordView::one($tx.conn, row, $caller, with)?))
                })
                .await
        }
    )+ };
}

moves! {
    /// Confirm a record
    ///
    /// It enters the ledger, as far as the daily cap lets it. Nobody confirms their own hours.
    confirm_record "/service-records/{id}/confirm" Nothing, |tx, desk, caller, id, _input| service::confirm(tx, desk, caller, id);
    /// Set the time of a record by hand
    ///
    /// What stands in the ledger is taken back by counter-entries, and entered anew.
    correct_record "/service-records/{id}/correct" Corrected, |tx, desk, caller, id, input| service::correct(tx, desk, caller, id, input);
    /// Say that a record of one's own is wrong, and what it was
    dispute_record "/service-records/{id}/dispute" Dispute, |tx, desk, caller, id, input| service::dispute(tx, desk, caller, id, input);
    /// Agree to what the person says it was
    agree_record "/service-records/{id}/agree" Reason, |tx, desk, caller, id, input| service::agree(tx, desk, caller, id, &input.reason);
    /// Keep a disputed record as it is
    keep_record "/service-records/{id}/keep" Reason, |tx, desk, caller, id, input| service::keep(tx, desk, caller, id, &input.reason);
    /// Take a dispute that was answered to the region's staff
    appeal_record "/service-records/{id}/appeal" Reason, |tx, desk, caller, id, input| service::appeal(tx, desk, caller, id, &input.reason);
    /// Decide an appeal for the person
    uphold_record "/service-records/{id}/uphold" Reason, |tx, desk, caller, id, input| service::uphold(tx, desk, caller, id, &input.reason);
    /// Decide an appeal against the person
    dismiss_record "/service-records/{id}/dismiss" Reason, |tx, desk, caller, id, input| service::dismiss(tx, desk, caller, id, &input.reason);
    /// Say that nothing of a record counts
    void_record "/service-records/{id}/void" Reason, |tx, desk, caller, id, input| service::void(tx, desk, caller, id, &input.reason);
}

/// Which records to confirm.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = HoursToConfirm)]
struct Several {
    /// Up to a hundred records of the activity.
    #[validate(length(min = 1, max = 100))]
    record_ids: Vec<RecordId>,
}

/// What became of several records.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HoursConfirmed)]
struct SeveralView {
    /// Those that are confirmed now.
    confirmed: Vec<RecordId>,
    /// Those that are not, and why.
    refused: Vec<RefusedView>,
}

/// A record that was not confirmed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HoursRefused)]
struct RefusedView {
    /// Which.
    record_id: RecordId,
    /// Why not.
    code: &'static str,
}

/// Confirm several records of an activity at once
///
/// What cannot be confirmed is named with its reason and holds up no other.
#[utoipa::path(tag = "records", request_body = Several,
    params(("id" = ActivityId, Path, description = "The activity")), responses(
    (status = 200, description = "What became of each", body = SeveralView),
    (status = 404, description = "No such activity, or not for the caller's eyes", body = ProblemBody),
    (status = 422, description = "No record is named, or too many", body = ProblemBody)))]
#[post("/service-records/activities/{id}/confirm")]
async fn confirm_records(
    command: Command<Several>,
    id: Path<ActivityId>,
    desk: Data<Desk>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            may_list(tx.conn, caller, *id)?;
            let answers = service::confirm_many(tx, &desk, caller, *id, &input.record_ids)?;
            let confirmed = answers.iter().filter(|answer| answer.refused.is_none());
            let refused = answers.iter().filter_map(|answer| {
                Some(RefusedView {
                    record_id: answer.id,
                    code: answer.refused?.as_str(),
                })
            });
            Ok(Made::changed(SeveralView {
                confirmed: confirmed.map(|answer| answer.id).collect(),
                refused: refused.collect(),
            }))
        })
        .await
}
