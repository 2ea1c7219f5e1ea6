//! What can be done with wishes: writing them down, and the moves of their lives.

use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::model::{Claim, Contact, Wish, WishId, WishStatus};
use super::rules::{MOVES, Relation, WishRules, is_on_behalf};
use super::store;
use crate::error::{Code, Error, Result};
use crate::identity::{AccountId, Caller, Role};
use crate::organizations::{self, OrganizationId, OrganizationKind};
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Tx};
use crate::platform::journal::{self, Actor, Change};
use crate::platform::lifecycle;
use crate::platform::token::Vault;
use crate::regions::{self, RegionId};

mod clock;
mod editing;
mod import;
mod moves;
mod telling;
mod writing;

pub use clock::{react, remind, sweep};
pub use editing::{EditWish, edit};
pub use import::import;
pub use moves::{
    add_evidence, claim, confirm, deliver, dispute, free, may_add_evidence, publish, read_contact,
    redeliver, reject, release, revise, submit, withdraw,
};
pub use telling::{
    CLAIMED_SMS, DELIVERED_SMS, EXPIRED_SMS, LINK, OPEN_AGAIN_SMS, PUBLISHED_SMS, REJECTED_SMS,
    TIMED_OUT_SMS, claimants, link_lives, owners,
};
pub use writing::{NewWish, create};

/// What every write of this room needs beside its transaction.
#[derive(Clone)]
pub struct Desk {
    /// The room's numbers.
    pub rules: WishRules,
    /// Seals contacts, signs links.
    pub vault: Vault,
    /// The address people reach the server at.
    pub public_url: std::sync::Arc<str>,
}

/// A claim as the claimant makes it.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewWishClaim {
    /// The organisation that claims; the caller as a person when left out.
    pub organization_id: Option<OrganizationId>,
}

/// Who moves a wish: a caller, somebody with the beneficiary's link, or the clock.
#[derive(Clone, Copy)]
pub enum Mover<'a> {
    /// A signed-in caller.
    Caller(&'a Caller),
    /// Somebody with the beneficiary's link.
    Link,
    /// The clock.
    Clock,
}

impl Mover<'_> {
    fn actor(self) -> Actor {
        match self {
            Self::Caller(caller) => caller.actor(),
            Self::Link => Actor::Link,
            Self::Clock => Actor::System,
        }
    }

    /// The account, where one moves.
    pub fn account(self) -> Option<AccountId> {
        match self {
            Self::Caller(caller) => Some(caller.account),
            Self::Link | Self::Clock => None,
        }
    }
}

/// How a caller stands to a wish.
pub fn relation(conn: &mut Conn, caller: Option<&Caller>, wish: &Wish) -> Result<Relation> {
    let Some(caller) = caller else {
        return Ok(Relation::default());
    };
    let me = caller.account;
    let on_behalf = is_on_behalf(wish.consent_channel);
    let screener = caller.holds_in_region(conn, &[Role::RegionAdmin], wish.region_id)?;
    let has_claim = matches!(
        wish.status,
        WishStatus::Claimed
            | WishStatus::Delivered
            | WishStatus::Disputed
            | WishStatus::Fulfilled
            | WishStatus::Closed
    );
    let claim = match has_claim {
        true => store::standing_claim(conn, wish.id)?.filter(|claim| holds(caller, claim)),
        false => None,
    };
    let stopped = match &claim {
        Some(claim) => match may_act(conn, claim, wish.region_id) {
            Err(Error::Problem(problem)) => Some(problem.code),
            acts => acts.map(|()| None)?,
        },
        None => None,
    };
    // whoever reviews has not handed in for a colleague what is reviewed
    let own =
        wish.author_id == me || (on_behalf && screener && has_handed_in(conn, caller, wish.id)?);
    let relation = Relation {
        signed_in: true,
        on_behalf,
        own,
        author: is_author(conn, caller, wish)?,
        beneficiary: wish.beneficiary_id == Some(me),
        proxy: serves(conn, caller, wish.region_id)?,
        claimant: claim.is_some(),
        stopped,
        screener,
    };
    Ok(relation.where_it_is(wish.status, wish.submitted_at.is_some()))
}

fn has_handed_in(conn: &mut Conn, caller: &Caller, id: WishId) -> Result<bool> {
    journal::has_done(conn, caller.account.0, "wish", id.0, &["edit", "submit"])
}

/// Whether the caller posted a wish and still has a say in it: in one's own always; in somebody
/// else's as long as one of [`posts_for`] is its region.
fn is_author(conn: &mut Conn, caller: &Caller, wish: &Wish) -> Result<bool> {
    if wish.author_id != caller.account || !is_on_behalf(wish.consent_channel) {
        return Ok(wish.author_id == caller.account);
    }
    match posts_for(conn, caller)? {
        None => Ok(true),
        Some(regions) => lies_in(conn, &regions, wish.region_id),
    }
}

/// The regions for whose people the caller has something to post: those it serves, and those that it
/// administers, since their staff import what was posted elsewhere. None: everywhere, as those do who
/// administer the platform.
pub fn posts_for(conn: &mut Conn, caller: &Caller) -> Result<Option<Vec<RegionId>>> {
    if caller.is_platform_admin() {
        return Ok(None);
    }
    let mut regions = served(conn, caller)?;
    regions.extend(caller.regions(&[Role::RegionAdmin]));
    Ok(Some(regions))
}

/// Whether the caller stands in for those who live in a region.
pub fn serves(conn: &mut Conn, caller: &Caller, region: RegionId) -> Result<bool> {
    let served = served(conn, caller)?;
    lies_in(conn, &served, region)
}

/// The regions whose people the caller stands in for: as staff of the grid, or running a service
/// centre that is active and lies around them.
fn served(conn: &mut Conn, caller: &Caller) -> Result<Vec<RegionId>> {
    let mut regions = caller.regions(&[Role::GridWorker, Role::GridLeader]);
    for id in caller.organizations(Role::OrganizationManager) {
        let centre = organizations::organization(conn, OrganizationId(id))?;
        if centre.kind == OrganizationKind::ServiceCentre
            && organizations::may_act(conn, &centre, centre.region_id).is_ok()
        {
            regions.push(centre.region_id);
        }
    }
    Ok(regions)
}

fn lies_in(conn: &mut Conn, regions: &[RegionId], region: RegionId) -> Result<bool> {
    for around in regions {
        if regions::contains(conn, *around, region)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether whoever holds a claim may act on it: a person may, an organisation as long as it is active
/// and does not leave its street.
fn may_act(conn: &mut Conn, claim: &Claim, region: RegionId) -> Result<()> {
    let Some(organization) = claim.organization_id else {
        return Ok(());
    };
    let organization = organizations::organization(conn, organization)?;
    organizations::may_act(conn, &organization, region)
}

/// Whether the caller is the claimant, or runs the organisation that is.
fn holds(caller: &Caller, claim: &Claim) -> bool {
    match claim.organization_id {
        Some(organization) => caller.holds(Role::OrganizationManager, organization.0),
        None => claim.claimant_id == caller.account,
    }
}

/// A wish and how the caller stands to it; nothing of a wish the caller may not see. Who has claimed
/// it once sees on what the public sees, wherever it is.
pub fn visible(conn: &mut Conn, caller: Option<&Caller>, id: WishId) -> Result<(Wish, Relation)> {
    let wish = store::wish(conn, id)?;
    let relation = relation(conn, caller, &wish)?;
    let has_claimed = |conn: &mut Conn| match caller {
        Some(caller) => store::has_claimed(conn, id, &caller.into()),
        None => Ok(false),
    };
    if relation.may_see(wish.status) || has_claimed(conn)? {
        Ok((wish, relation))
    } else {
        Err(Code::NotFound.into())
    }
}

/// A wish for a caller whose move it is, and how the caller stands to it.
fn to_move(conn: &mut Conn, caller: &Caller, id: WishId, verb: &str) -> Result<(Wish, Relation)> {
    let (wish, relation) = visible(conn, Some(caller), id)?;
    lifecycle::may(MOVES, relation, verb)?;
    Ok((wish, relation))
}

fn change(wish: &Wish, actor: Actor, verb: &str) -> Change {
    Change::new(actor, format!("wish.{verb}"), wish.id.0).region(wish.region_id.0)
}

/// Makes one move: by the table, by compare-and-set, into the journal. `None` when the same
/// actor's same move is what brought the wish to where it stands: then nothing is done again.
fn advance(
    tx: &mut Tx<'_>,
    wish: &Wish,
    verb: &str,
    by: Mover<'_>,
    reason: Option<&str>,
    due_at: Option<Instant>,
) -> Result<Option<Wish>> {
    if is_repeat(tx.conn, wish, verb, by)? {
        return Ok(None);
    }
    let to = step(tx.conn, wish, verb, by)?;
    if !store::advance(tx, wish, to, due_at)? {
        // somebody was faster: say where it stands now
        let now = store::wish(tx.conn, wish.id)?;
        return Err(refusal(tx.conn, &now, by));
    }
    tx.journal(
        change(wish, by.actor(), verb)
            .states(wish.status.into(), to.into())
            .reason(reason),
    )?;
    store::wish(tx.conn, wish.id).map(Some)
}

/// The state that a move leads to.
fn step(conn: &mut Conn, wish: &Wish, verb: &str, by: Mover<'_>) -> Result<WishStatus> {
    let to = lifecycle::next(MOVES, wish.status, verb);
    to.ok_or_else(|| refusal(conn, wish, by))
}

/// The refusal of a move that the table does not have, with those that are the mover's.
fn refusal(conn: &mut Conn, wish: &Wish, by: Mover<'_>) -> Error {
    let stands = match by {
        Mover::Caller(caller) => relation(conn, Some(caller), wish),
        Mover::Link => Ok(Relation {
            beneficiary: true,
            ..Relation::default()
        }),
        Mover::Clock => Ok(Relation::default()),
    };
    match stands {
        Ok(stands) => lifecycle::refusal(MOVES, stands, wish.status),
        Err(error) => error,
    }
}

fn is_repeat(conn: &mut Conn, wish: &Wish, verb: &str, by: Mover<'_>) -> Result<bool> {
    lifecycle::is_repeat(
        conn,
        MOVES,
        ("wish", wish.id.0),
        wish.status,
        verb,
        by.actor(),
    )
}

/// A moved wish, or the one that had been moved the same way before.
fn or_same(moved: Option<Wish>, wish: Wish) -> Wish {
    moved.unwrap_or(wish)
}

/// The contact of a wish, opened.
fn contact(vault: &Vault, wish: &Wish) -> Result<Contact> {
    serde_json::from_slice(&vault.open(&wish.contact)?).map_err(Error::internal)
}
