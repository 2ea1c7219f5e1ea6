//! Posting wishes, and the moves of their lives.

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, patch, post};

use super::{WishView, moved, view};
use crate::error::Result;
use crate::identity::{Command, Made, Role};
use crate::platform::Platform;
use crate::platform::http::ProblemBody;
use crate::platform::http::valid::{Nothing, Reason, Unchecked};
use crate::wishes::model::WishId;
use crate::wishes::service::{self, Desk, EditWish, Mover, NewWish, NewWishClaim};

/// Write a wish down
///
/// As a draft. For oneself, or (grid staff and service centres) on behalf of somebody who agreed.
#[utoipa::path(tag = "wishes", request_body = NewWish, responses(
    (status = 201, description = "Written down", body = WishView),
    (status = 403, description = "Does not stand in for those who live there", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody)))]
#[post("/wishes")]
pub(super) async fn create(
    command: Command<Unchecked<NewWish>>,
    desk: Data<Desk>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let wish = service::create(tx, &desk, caller, &input.0)?;
            let relation = service::relation(tx.conn, Some(caller), &wish)?;
            let location = format!("/api/v1/wishes/{}", wish.id);
            let version = wish.version;
            Ok(Made::new(view(tx.conn, wish, relation)?, location).version(version))
        })
        .await
}

/// Change a draft
///
/// Whoever may submit it.
#[utoipa::path(tag = "wishes", request_body = EditWish,
    params(("id" = WishId, Path, description = "The wish"), ("If-Match" = String, Header, description = "The ETag that was read")),
    responses(
    (status = 200, description = "Changed", body = WishView),
    (status = 403, description = "Not one's own, or somebody else's in a region one does not serve", body = ProblemBody),
    (status = 404, description = "No such wish", body = ProblemBody),
    (status = 409, description = "It was submitted", body = ProblemBody),
    (status = 412, description = "Changed since it was read", body = ProblemBody),
    (status = 422, description = "Wrong fields", body = ProblemBody),
    (status = 428, description = "Without If-Match", body = ProblemBody)))]
#[patch("/wishes/{id}")]
pub(super) async fn edit(
    command: Command<Unchecked<EditWish>>,
    id: Path<WishId>,
    desk: Data<Desk>,
) -> Result<HttpResponse> {
    let seen = command.if_match.clone();
    command
        .run(move |tx, caller, input| {
            let wish = service::edit(tx, &desk, caller, *id, &seen, &input.0)?;
            moved(tx, caller, wish)
        })
        .await
}

/// Submit a draft for screening
///
/// Its author; where a proxy posted it, any who stands in for its beneficiary.
#[utoipa::path(tag = "wishes", request_body = Nothing, params(("id" = WishId, Path, description = "The wish")), responses(
    (status = 200, description = "Moved; also when it was moved so before by the same caller", body = WishView),
    (status = 403, description = "Not the caller's move", body = ProblemBody),
    (status = 404, description = "No such wish", body = ProblemBody),
    (status = 409, description = "Its state does not allow it", body = ProblemBody),
    (status = 422, description = "A rule forbids it", body = ProblemBody),
    (status = 429, description = "So many were handed in lately that the street's staff could not read them", body = ProblemBody)))]
#[post("/wishes/{id}/submit")]
pub(super) async fn submit(
    command: Command<Nothing>,
    id: Path<WishId>,
    desk: Data<Desk>,
    platform: Data<Platform>,
) -> Result<HttpResponse> {
    // who works in a grid hands in what a whole grid wishes for
    let caller = &command.caller;
    if caller
        .regions(&[Role::GridWorker, Role::GridLeader])
        .is_empty()
    {
        let key = format!("wish-submissions:{}", caller.account);
        let limit = desk.rules.submissions_per_account;
        limit.take(&platform.cache, &key).await?;
    }
    command
        .run(move |tx, caller, _| {
            let wish = service::submit(tx, &desk, caller, *id)?;
            moved(tx, caller, wish)
        })
        .await
}

macro_rules! moves {
    ($($(#[$doc:meta])* $name:ident $path:literal $body:ty, |$tx:ident, $desk:ident, $caller:ident, $id:ident, $input:ident| $do:expr);+ $(;)?) => { $(
        $(#[$doc])*
        #[utoipa::path(tag = "wishes", request_body = $body, params(("id" = WishId, Path, description = "The wish")), responses(
            (status = 200, description = "Moved; also when it was moved so before by the same caller", body = WishView),
            (status = 403, description = "Not the caller's move", body = ProblemBody),
            (status = 404, description = "No such wish", body = ProblemBody),
            (status = 409, description = "Its state does not allow it", body = ProblemBody),
            (status = 422, description = "A rule forbids it", body = ProblemBody)))]
        #[post($path)]
        pub(super) async fn $name(command: Command<$body>, id: Path<WishId>, desk: Data<Desk>) -> Result<HttpResponse> {
            command
                .run(move |$tx, $caller, $input| {
                    let ($id, $desk) = (*id, desk.as_ref());
                    let wish = $do?;
                    moved($tx, $caller, wish)
                })
                .await
        }
    )+ };
}

moves! {
    /// Take a rejected wish back into a draft
    ///
    /// Whoever may submit it.
    revise "/wishes/{id}/revise" Nothing, |tx, _desk, caller, id, _input| service::revise(tx, caller, id);
    /// Withdraw a wish
    ///
    /// Its author; where a proxy posted it, any who stands in for its beneficiary.
    withdraw "/wishes/{id}/withdraw" Reason, |tx, _desk, caller, id, input| service::withdraw(tx, Mover::Caller(caller), id, &input.reason);
    /// Claim a wish
    ///
    /// For oneself, or for an organisation one runs, for the length of a lease. Then the contact can
    /// be read, and deliveries shown by photos.
    claim "/wishes/{id}/claim" NewWishClaim, |tx, desk, caller, id, input| service::claim(tx, desk, caller, id, input);
    /// Give a claim up
    release "/wishes/{id}/release" Reason, |tx, desk, caller, id, input| service::release(tx, desk, caller, id, &input.reason);
    /// Say that a wish was delivered
    ///
    /// At least one photo must be added before.
    deliver "/wishes/{id}/deliver" Nothing, |tx, desk, caller, id, _input| service::deliver(tx, desk, caller, id);
    /// Confirm that a wish came true
    confirm "/wishes/{id}/confirm" Nothing, |tx, desk, caller, id, _input| service::confirm(tx, desk, Mover::Caller(caller), id);
    /// Dispute a delivery
    ///
    /// Also takes back what was confirmed not long ago.
    dispute "/wishes/{id}/dispute" Reason, |tx, _desk, caller, id, input| service::dispute(tx, Mover::Caller(caller), id, &input.reason);
    /// Settle a dispute: deliver again
    ///
    /// Not where an organisation holds the wish that may not act: then free it.
    redeliver "/wishes/{id}/redeliver" Reason, |tx, desk, caller, id, input| service::redeliver(tx, desk, caller, id, &input.reason);
    /// Settle a dispute: free the wish for others
    free "/wishes/{id}/free" Reason, |tx, desk, caller, id, input| service::free(tx, desk, caller, id, &input.reason);
}

/// Publish a submitted wish
#[utoipa::path(tag = "wishes", request_body = Nothing,
    params(("id" = WishId, Path, description = "The wish"), ("If-Match" = String, Header, description = "The ETag that was read")),
    responses(
    (status = 200, description = "Published", body = WishView),
    (status = 403, description = "Not of this region's staff, or one's own wish", body = ProblemBody),
    (status = 404, description = "No such wish", body = ProblemBody),
    (status = 409, description = "Its state does not allow it", body = ProblemBody),
    (status = 412, description = "Changed since it was read", body = ProblemBody),
    (status = 428, description = "Without If-Match", body = ProblemBody)))]
#[post("/wishes/{id}/publish")]
pub(super) async fn publish(
    command: Command<Nothing>,
    id: Path<WishId>,
    desk: Data<Desk>,
) -> Result<HttpResponse> {
    let seen = command.if_match.clone();
    command
        .run(move |tx, caller, _| {
            let wish = service::publish(tx, &desk, caller, *id, &seen)?;
            moved(tx, caller, wish)
        })
        .await
}

/// Reject a submitted wish
#[utoipa::path(tag = "wishes", request_body = Reason,
    params(("id" = WishId, Path, description = "The wish"), ("If-Match" = String, Header, description = "The ETag that was read")),
    responses(
    (status = 200, description = "Rejected", body = WishView),
    (status = 403, description = "Not of this region's staff, or one's own wish", body = ProblemBody),
    (status = 404, description = "No such wish", body = ProblemBody),
    (status = 409, description = "Its state does not allow it", body = ProblemBody),
    (status = 412, description = "Changed since it was read", body = ProblemBody),
    (status = 422, description = "Without a reason", body = ProblemBody),
    (status = 428, description = "Without If-Match", body = ProblemBody)))]
#[post("/wishes/{id}/reject")]
pub(super) async fn reject(
    command: Command<Reason>,
    id: Path<WishId>,
    desk: Data<Desk>,
) -> Result<HttpResponse> {
    let seen = command.if_match.clone();
    command
        .run(move |tx, caller, input| {
            let wish = service::reject(tx, &desk, caller, *id, &seen, &input.reason)?;
            moved(tx, caller, wish)
        })
        .await
}
