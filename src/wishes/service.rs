use chrono::{Days, NaiveDate, TimeDelta};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use validator::Validate;

use super::model::{
    BeneficiaryGroup, Claim, ClaimId, ClaimOutcome, ConsentChannel, Contact, Evidence, EvidenceId,
    FulfilledBy, LifeCycle, Wish, WishId, WishKind, WishStatus,
};
use super::rules::{self, MOVES, Relation, WishRules};
use super::store;
use crate::error::{Code, Error, Problem, Result};
use crate::identity::{self, AccountId, Caller, Role};
use crate::notifications::{Kind, Notice, notify};
use crate::platform::clock::Instant;
use crate::platform::columns::Uid;
use crate::platform::db::{Conn, Tx};
use crate::platform::files::StoredPhoto;
use crate::platform::http::IfMatch;
use crate::platform::journal::{self, Actor, Change};
use crate::platform::lifecycle;
use crate::platform::sms::Sms;
use crate::platform::token::Vault;
use crate::platform::workdays::end_of_workday_after;
use crate::regions::{self, Level, RegionId};

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

/// A wish as its author writes it.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewWish {
    /// Where the beneficiary lives: a grid or a community.
    pub region_id: RegionId,
    /// Posted for somebody else, by the grid's staff or a service centre.
    #[serde(default)]
    pub on_behalf: bool,
    /// How that person agreed; only and always for somebody else.
    pub consent_channel: Option<ConsentChannel>,
    /// How to reach the beneficiary; shown to the claimant only.
    #[validate(nested)]
    pub contact: Contact,
    /// What the public calls the beneficiary, such as 王奶奶.
    #[validate(length(min = 1, max = 30))]
    pub alias: String,
    /// Whom it is for.
    pub beneficiary_group: BeneficiaryGroup,
    /// The livelihood goal it serves.
    pub life_cycle: LifeCycle,
    /// Goods or a service.
    pub kind: WishKind,
    /// In a few words.
    #[validate(length(min = 2, max = 60))]
    pub title: String,
    /// In more words.
    #[validate(length(min = 2, max = 1000))]
    pub description: String,
    /// What goods are worth, in fen; only and always for goods.
    #[validate(range(min = 1))]
    pub value_fen: Option<i64>,
    /// Where it is to be fulfilled, degrees east; kept to sort by distance, not shown.
    #[validate(range(min = -180.0, max = 180.0))]
    pub longitude: Option<f64>,
    /// Degrees north.
    #[validate(range(min = -90.0, max = 90.0))]
    pub latitude: Option<f64>,
    /// The last day on which it is open.
    pub expires_on: Option<NaiveDate>,
}

/// What an author changes about a draft. Absent keys leave a value alone, null removes it.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct EditWish {
    /// What the public calls the beneficiary.
    #[validate(length(min = 1, max = 30))]
    pub alias: Option<String>,
    /// Whom it is for.
    pub beneficiary_group: Option<BeneficiaryGroup>,
    /// The livelihood goal it serves.
    pub life_cycle: Option<LifeCycle>,
    /// In a few words.
    #[validate(length(min = 2, max = 60))]
    pub title: Option<String>,
    /// In more words.
    #[validate(length(min = 2, max = 1000))]
    pub description: Option<String>,
    /// What goods are worth, in fen.
    #[validate(range(min = 1))]
    pub value_fen: Option<i64>,
    /// The last day on which it is open.
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<NaiveDate>)]
    pub expires_on: Option<Option<NaiveDate>>,
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
}

/// How a caller stands to a wish.
pub fn relation(conn: &mut Conn, caller: Option<&Caller>, wish: &Wish) -> Result<Relation> {
    let Some(caller) = caller else {
        return Ok(Relation::default());
    };
    let me = caller.account;
    let author = wish.author_id == me;
    let beneficiary = wish.beneficiary_id == Some(me);
    let of_the_grid =
        caller.holds_in_region(conn, &[Role::GridWorker, Role::GridLeader], wish.region_id)?;
    Ok(Relation {
        author,
        beneficiary,
        proxy: of_the_grid || (author && wish.consent_channel != ConsentChannel::App),
        claimant: store::live_claim(conn, wish.id)?.is_some_and(|claim| claim.claimant_id == me),
        screener: caller.holds_in_region(conn, &[Role::RegionAdmin], wish.region_id)?,
    })
}

/// A wish and how the caller stands to it; nothing of a wish the caller may not see.
pub fn visible(conn: &mut Conn, caller: Option<&Caller>, id: WishId) -> Result<(Wish, Relation)> {
    let wish = store::wish(conn, id)?;
    let relation = relation(conn, caller, &wish)?;
    if relation.may_see(wish.status) {
        Ok((wish, relation))
    } else {
        Err(Code::NotFound.into())
    }
}

/// Writes a wish down as a draft.
///
/// # Errors
/// `invalid` with every wrong field; `forbidden` to post for somebody else without being of the
/// grid's staff.
pub fn create(tx: &mut Tx<'_>, desk: &Desk, caller: &Caller, new: &NewWish) -> Result<Wish> {
    let mut wrong = Problem::new(Code::Invalid);
    match regions::by_id(tx.conn, new.region_id) {
        Ok(region) if matches!(region.level, Level::Grid | Level::Community) => {}
        Ok(_) => wrong = wrong.field("/region_id", Code::WishRegion),
        Err(_) => wrong = wrong.field("/region_id", Code::UnknownReference),
    }
    if new.on_behalf
        != new
            .consent_channel
            .is_some_and(|channel| channel != ConsentChannel::App)
    {
        wrong = wrong.field("/consent_channel", Code::ConsentRequired);
    }
    let phone = identity::normal_phone(&new.contact.phone);
    if let Err(code) = &phone {
        wrong = wrong.field("/contact/phone", *code);
    }
    if new.longitude.is_some() != new.latitude.is_some() {
        wrong = wrong.field("/longitude", Code::Required);
    }
    let wish = Wish {
        id: WishId::new(),
        region_id: new.region_id,
        author_id: caller.account,
        beneficiary_id: if new.on_behalf {
            None
        } else {
            Some(caller.account)
        },
        contact: Vec::new(),
        consent_channel: new.consent_channel.unwrap_or(ConsentChannel::App),
        alias: new.alias.clone(),
        beneficiary_group: new.beneficiary_group,
        life_cycle: new.life_cycle,
        kind: new.kind,
        title: new.title.clone(),
        description: new.description.clone(),
        value_fen: new.value_fen,
        longitude: new.longitude,
        latitude: new.latitude,
        expires_on: new.expires_on,
        status: WishStatus::Draft,
        status_since: tx.now,
        due_at: None,
        fulfilled_by: None,
        fulfilled_at: None,
        version: 1,
        created_at: tx.now,
    };
    wrong = check_content(wrong, &wish, &desk.rules, today(tx));
    if !wrong.errors.is_empty() {
        return Err(wrong.into());
    }
    if new.on_behalf
        && !caller.holds_in_region(
            tx.conn,
            &[Role::GridWorker, Role::GridLeader],
            new.region_id,
        )?
    {
        return Err(Code::Forbidden.into());
    }
    let contact = Contact {
        phone: phone.unwrap_or_default(),
        ..new.contact.clone()
    };
    let contact = serde_json::to_vec(&contact).map_err(Error::internal)?;
    let wish = Wish {
        contact: desk.vault.seal(&contact)?,
        ..wish
    };
    store::insert(tx.conn, &wish)?;
    tx.journal(
        change(&wish, caller.actor(), "create").payload(json!({ "consent": wish.consent_channel })),
    )?;
    Ok(wish)
}

fn check_content(mut wrong: Problem, wish: &Wish, rules: &WishRules, today: NaiveDate) -> Problem {
    match (wish.kind, wish.value_fen) {
        (WishKind::Goods, None) => wrong = wrong.field("/value_fen", Code::Required),
        (WishKind::Goods, Some(value)) if value > rules.value_cap_fen => {
            wrong = wrong.field("/value_fen", Code::ValueOverCap);
        }
        (WishKind::Service, Some(_)) => wrong = wrong.field("/value_fen", Code::ValueOfService),
        _ => {}
    }
    for (pointer, text) in [("/title", &wish.title), ("/description", &wish.description)] {
        if rules::asks_for_money(text) {
            wrong = wrong.field(pointer, Code::AsksForMoney);
        }
    }
    if wish.expires_on.is_some_and(|day| day < today) {
        wrong = wrong.field("/expires_on", Code::InThePast);
    }
    wrong
}

fn today(tx: &Tx<'_>) -> NaiveDate {
    tx.now.with_timezone(&tx.zone).date_naive()
}

/// Changes a draft.
///
/// # Errors
/// `version_required`, `version_mismatch`, `move_not_allowed` once it was submitted, `invalid`.
pub fn edit(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: WishId,
    seen: IfMatch,
    edit: &EditWish,
) -> Result<Wish> {
    let (mut wish, relation) = visible(tx.conn, Some(caller), id)?;
    if !relation.author {
        return Err(Code::Forbidden.into());
    }
    seen.expect(wish.version)?;
    if wish.status != WishStatus::Draft {
        return Err(lifecycle::refusal(MOVES, wish.status));
    }
    let edit = edit.clone();
    wish.alias = edit.alias.unwrap_or(wish.alias);
    wish.beneficiary_group = edit.beneficiary_group.unwrap_or(wish.beneficiary_group);
    wish.life_cycle = edit.life_cycle.unwrap_or(wish.life_cycle);
    wish.title = edit.title.unwrap_or(wish.title);
    wish.description = edit.description.unwrap_or(wish.description);
    wish.value_fen = edit.value_fen.or(wish.value_fen);
    wish.expires_on = edit.expires_on.unwrap_or(wish.expires_on);
    let wrong = check_content(Problem::new(Code::Invalid), &wish, &desk.rules, today(tx));
    if !wrong.errors.is_empty() {
        return Err(wrong.into());
    }
    if !store::update(tx.conn, &wish)? {
        return Err(Code::VersionMismatch.into());
    }
    tx.journal(change(&wish, caller.actor(), "edit"))?;
    store::wish(tx.conn, id)
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
    let to = lifecycle::step(MOVES, wish.status, verb)?;
    if !store::advance(tx, wish, to, due_at)? {
        // somebody was faster: say where it stands now
        let now = store::wish(tx.conn, wish.id)?;
        return Err(lifecycle::refusal(MOVES, now.status));
    }
    tx.journal(
        change(wish, by.actor(), verb)
            .states(wish.status.into(), to.into())
            .reason(reason),
    )?;
    store::wish(tx.conn, wish.id).map(Some)
}

fn is_repeat(conn: &mut Conn, wish: &Wish, verb: &str, by: Mover<'_>) -> Result<bool> {
    let leads_here = MOVES
        .iter()
        .any(|m| m.verb == verb && m.to == wish.status && !m.from.contains(&wish.status));
    let Mover::Caller(caller) = by else {
        return Ok(false);
    };
    if !leads_here {
        return Ok(false);
    }
    let last = journal::last_move(conn, "wish", wish.id.0)?;
    Ok(last == Some((format!("wish.{verb}"), Some(Uid(caller.account.0)))))
}

/// A moved wish, or the one that had been moved the same way before.
fn or_same(moved: Option<Wish>, wish: Wish) -> Wish {
    moved.unwrap_or(wish)
}

/// Hands a draft in for screening.
pub fn submit(tx: &mut Tx<'_>, desk: &Desk, caller: &Caller, id: WishId) -> Result<Wish> {
    let wish = of_author(tx.conn, caller, id)?;
    let due = end_of_workday_after(tx.now, desk.rules.screening_workdays, tx.zone);
    let Some(moved) = advance(tx, &wish, "submit", Mover::Caller(caller), None, Some(due))? else {
        return Ok(wish);
    };
    tell_staff(tx, &moved, Kind::WishSubmitted, &[("due", local(tx, due))])?;
    Ok(moved)
}

/// Takes a rejected wish back into a draft.
pub fn revise(tx: &mut Tx<'_>, caller: &Caller, id: WishId) -> Result<Wish> {
    let wish = of_author(tx.conn, caller, id)?;
    let moved = advance(tx, &wish, "revise", Mover::Caller(caller), None, None)?;
    Ok(or_same(moved, wish))
}

/// Takes a wish back.
pub fn withdraw(tx: &mut Tx<'_>, caller: &Caller, id: WishId, reason: &str) -> Result<Wish> {
    let wish = of_author(tx.conn, caller, id)?;
    let Some(moved) = advance(
        tx,
        &wish,
        "withdraw",
        Mover::Caller(caller),
        Some(reason),
        None,
    )?
    else {
        return Ok(wish);
    };
    if let Some(claim) = store::live_claim(tx.conn, id)? {
        store::end_claim(tx, claim.id, ClaimOutcome::Withdrawn)?;
        notify(tx, &notice(&moved, claim.claimant_id, Kind::WishWithdrawn))?;
    }
    Ok(moved)
}

fn of_author(conn: &mut Conn, caller: &Caller, id: WishId) -> Result<Wish> {
    let (wish, relation) = visible(conn, Some(caller), id)?;
    if relation.author {
        Ok(wish)
    } else {
        Err(Code::Forbidden.into())
    }
}

/// A wish for a screener of its region, who must not be its author.
fn of_screener(conn: &mut Conn, caller: &Caller, id: WishId) -> Result<Wish> {
    let (wish, relation) = visible(conn, Some(caller), id)?;
    if !relation.screener {
        return Err(Code::Forbidden.into());
    }
    if relation.author || relation.beneficiary {
        return Err(Code::OwnWish.into());
    }
    Ok(wish)
}

/// Publishes a submitted wish.
pub fn publish(tx: &mut Tx<'_>, caller: &Caller, id: WishId, seen: IfMatch) -> Result<Wish> {
    let wish = of_screener(tx.conn, caller, id)?;
    if is_repeat(tx.conn, &wish, "publish", Mover::Caller(caller))? {
        return Ok(wish);
    }
    seen.expect(wish.version)?;
    let moved = advance(tx, &wish, "publish", Mover::Caller(caller), None, None)?;
    let moved = or_same(moved, wish);
    tell_owners(tx, &moved, Kind::WishPublished, &[])?;
    Ok(moved)
}

/// Sends a submitted wish back with a reason.
pub fn reject(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: WishId,
    seen: IfMatch,
    reason: &str,
) -> Result<Wish> {
    let wish = of_screener(tx.conn, caller, id)?;
    if is_repeat(tx.conn, &wish, "reject", Mover::Caller(caller))? {
        return Ok(wish);
    }
    seen.expect(wish.version)?;
    let moved = advance(
        tx,
        &wish,
        "reject",
        Mover::Caller(caller),
        Some(reason),
        None,
    )?;
    let moved = or_same(moved, wish);
    notify(
        tx,
        &notice(&moved, moved.author_id, Kind::WishRejected).with("reason", reason),
    )?;
    Ok(moved)
}

/// Claims a published wish for the length of a lease.
///
/// # Errors
/// `own_wish`, `claim_limit_reached`, `claiming_paused`, or `move_not_allowed` when somebody else
/// was faster.
pub fn claim(tx: &mut Tx<'_>, desk: &Desk, caller: &Caller, id: WishId) -> Result<Wish> {
    let (wish, relation) = visible(tx.conn, Some(caller), id)?;
    if is_repeat(tx.conn, &wish, "claim", Mover::Caller(caller))? {
        return Ok(wish);
    }
    if relation.author || relation.beneficiary {
        return Err(Code::OwnWish.into());
    }
    lifecycle::step(MOVES, wish.status, "claim")?;
    // the limits span several wishes: two claims of one person wait for each other
    tx.serialize_on(&format!("claimant:{}", caller.account))?;
    let since = tx.now - TimeDelta::days(desk.rules.lapse_days);
    if store::count_lapses(tx.conn, caller.account, since)? >= desk.rules.lapses {
        return Err(Code::ClaimingPaused.into());
    }
    if store::count_live_claims(tx.conn, caller.account)? >= desk.rules.live_claims {
        return Err(Code::ClaimLimitReached.into());
    }
    let until = tx.now + TimeDelta::days(desk.rules.lease_days);
    let moved = advance(tx, &wish, "claim", Mover::Caller(caller), None, Some(until))?;
    let moved = or_same(moved, wish);
    let claim = Claim {
        id: ClaimId::new(),
        wish_id: id,
        claimant_id: caller.account,
        claimed_at: tx.now,
        lease_until: until,
        ended_at: None,
        outcome: None,
    };
    store::insert_claim(tx.conn, &claim)?;
    remind_later(tx, desk, &claim)?;
    let name = identity::account(tx.conn, caller.account)?.display_name;
    tell_owners(tx, &moved, Kind::WishClaimed, &[("name", name)])?;
    send_link(tx, desk, &moved, "claimed")?;
    Ok(moved)
}

fn claimant_of(conn: &mut Conn, caller: &Caller, id: WishId) -> Result<(Wish, Claim)> {
    let (wish, relation) = visible(conn, Some(caller), id)?;
    match store::live_claim(conn, id)? {
        Some(claim) if relation.claimant => Ok((wish, claim)),
        _ => Err(Code::Forbidden.into()),
    }
}

/// Adds a photo of the delivery; the same photo is added once.
pub fn add_evidence(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: WishId,
    photo: &StoredPhoto,
) -> Result<Evidence> {
    let (wish, claim) = claimant_of(tx.conn, caller, id)?;
    if wish.status != WishStatus::Claimed {
        return Err(lifecycle::refusal(MOVES, wish.status));
    }
    let known = store::evidence(tx.conn, id)?;
    if let Some(same) = known
        .into_iter()
        .find(|e| e.claim_id == claim.id && e.photo == photo.key)
    {
        return Ok(same);
    }
    let evidence = Evidence {
        id: EvidenceId::new(),
        wish_id: id,
        claim_id: claim.id,
        photo: photo.key.clone(),
        thumbnail: photo.thumbnail.clone(),
        created_at: tx.now,
    };
    store::insert_evidence(tx.conn, &evidence)?;
    tx.journal(change(&wish, caller.actor(), "add_evidence"))?;
    Ok(evidence)
}

/// Says that the wish was delivered, with at least one photo.
pub fn deliver(tx: &mut Tx<'_>, desk: &Desk, caller: &Caller, id: WishId) -> Result<Wish> {
    let (wish, claim) = claimant_of(tx.conn, caller, id)?;
    if wish.status == WishStatus::Claimed
        && !store::evidence(tx.conn, id)?
            .iter()
            .any(|evidence| evidence.claim_id == claim.id)
    {
        return Err(Code::EvidenceMissing.into());
    }
    let until = tx.now + TimeDelta::days(desk.rules.confirmation_days);
    let Some(moved) = advance(
        tx,
        &wish,
        "deliver",
        Mover::Caller(caller),
        None,
        Some(until),
    )?
    else {
        return Ok(wish);
    };
    tell_owners(
        tx,
        &moved,
        Kind::WishDelivered,
        &[("due", local(tx, until))],
    )?;
    send_link(tx, desk, &moved, "delivered")?;
    Ok(moved)
}

/// Gives a claim up.
pub fn release(tx: &mut Tx<'_>, caller: &Caller, id: WishId, reason: &str) -> Result<Wish> {
    let (wish, relation) = visible(tx.conn, Some(caller), id)?;
    if is_repeat(tx.conn, &wish, "release", Mover::Caller(caller))? {
        return Ok(wish);
    }
    let claim = match store::live_claim(tx.conn, id)? {
        Some(claim) if relation.claimant => claim,
        _ => return Err(Code::Forbidden.into()),
    };
    let moved = advance(
        tx,
        &wish,
        "release",
        Mover::Caller(caller),
        Some(reason),
        None,
    )?;
    let moved = or_same(moved, wish);
    store::end_claim(tx, claim.id, ClaimOutcome::Released)?;
    tell_owners(tx, &moved, Kind::WishReleased, &[])?;
    Ok(moved)
}

/// A wish for whoever speaks for its beneficiary, and whether that is the beneficiary itself. The
/// claimant never confirms its own delivery.
fn of_beneficiary(conn: &mut Conn, by: Mover<'_>, id: WishId) -> Result<(Wish, FulfilledBy)> {
    match by {
        Mover::Caller(caller) => {
            let (wish, relation) = visible(conn, Some(caller), id)?;
            if !relation.speaks_for_beneficiary() || relation.claimant {
                return Err(Code::Forbidden.into());
            }
            let who = if relation.beneficiary {
                FulfilledBy::Beneficiary
            } else {
                FulfilledBy::Proxy
            };
            Ok((wish, who))
        }
        Mover::Link => Ok((store::wish(conn, id)?, FulfilledBy::Beneficiary)),
        Mover::Clock => Ok((store::wish(conn, id)?, FulfilledBy::Timeout)),
    }
}

/// Says that the wish came true.
pub fn confirm(tx: &mut Tx<'_>, desk: &Desk, by: Mover<'_>, id: WishId) -> Result<Wish> {
    let (wish, who) = of_beneficiary(tx.conn, by, id)?;
    if matches!(by, Mover::Link) && wish.status == WishStatus::Fulfilled {
        return Ok(wish); // a second tap on the link
    }
    fulfil(
        tx,
        desk,
        &wish,
        if who == FulfilledBy::Timeout {
            "time_out"
        } else {
            "confirm"
        },
        by,
        who,
    )
}

fn fulfil(
    tx: &mut Tx<'_>,
    desk: &Desk,
    wish: &Wish,
    verb: &str,
    by: Mover<'_>,
    who: FulfilledBy,
) -> Result<Wish> {
    let until = tx.now + TimeDelta::days(desk.rules.reopening_days);
    let Some(moved) = advance(tx, wish, verb, by, None, Some(until))? else {
        return Ok(wish.clone());
    };
    store::set_fulfilled(tx.conn, moved.id, Some(who), Some(tx.now))?;
    if let Some(claim) = store::live_claim(tx.conn, moved.id)? {
        store::end_claim(tx, claim.id, ClaimOutcome::Fulfilled)?;
        notify(tx, &notice(&moved, claim.claimant_id, Kind::WishFulfilled))?;
    }
    store::wish(tx.conn, moved.id)
}

/// Says what is wrong with a delivery, or with what was confirmed not long ago.
pub fn dispute(tx: &mut Tx<'_>, by: Mover<'_>, id: WishId, reason: &str) -> Result<Wish> {
    let (wish, _) = of_beneficiary(tx.conn, by, id)?;
    let verb = if wish.status == WishStatus::Fulfilled {
        "reopen"
    } else {
        "dispute"
    };
    let Some(moved) = advance(tx, &wish, verb, by, Some(reason), None)? else {
        return Ok(wish);
    };
    if verb == "reopen" {
        store::revive_claim(tx.conn, id)?;
        store::set_fulfilled(tx.conn, id, None, None)?;
    }
    if let Some(claim) = store::live_claim(tx.conn, id)? {
        notify(
            tx,
            &notice(&moved, claim.claimant_id, Kind::WishDisputed).with("reason", reason),
        )?;
    }
    tell_staff(
        tx,
        &moved,
        Kind::WishDisputed,
        &[("reason", reason.to_owned())],
    )?;
    store::wish(tx.conn, id)
}

/// Settles a dispute: the claimant delivers again, under a new lease.
pub fn redeliver(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: WishId,
    reason: &str,
) -> Result<Wish> {
    let wish = of_screener(tx.conn, caller, id)?;
    let until = tx.now + TimeDelta::days(desk.rules.lease_days);
    let Some(moved) = advance(
        tx,
        &wish,
        "redeliver",
        Mover::Caller(caller),
        Some(reason),
        Some(until),
    )?
    else {
        return Ok(wish);
    };
    if let Some(claim) = store::live_claim(tx.conn, id)? {
        store::extend_claim(tx.conn, claim.id, until)?;
        remind_later(
            tx,
            desk,
            &Claim {
                lease_until: until,
                ..claim.clone()
            },
        )?;
        let due = local(tx, until);
        notify(
            tx,
            &notice(&moved, claim.claimant_id, Kind::WishToRedeliver).with("due", due),
        )?;
    }
    Ok(moved)
}

/// Settles a dispute: the wish is open to others again.
pub fn free(tx: &mut Tx<'_>, caller: &Caller, id: WishId, reason: &str) -> Result<Wish> {
    let wish = of_screener(tx.conn, caller, id)?;
    let Some(moved) = advance(tx, &wish, "free", Mover::Caller(caller), Some(reason), None)? else {
        return Ok(wish);
    };
    if let Some(claim) = store::live_claim(tx.conn, id)? {
        store::end_claim(tx, claim.id, ClaimOutcome::Freed)?;
        notify(tx, &notice(&moved, claim.claimant_id, Kind::WishFreed))?;
    }
    Ok(moved)
}

/// Shows a contact to somebody who may read it, and writes into the journal that it was shown.
pub fn read_contact(tx: &mut Tx<'_>, desk: &Desk, caller: &Caller, id: WishId) -> Result<Contact> {
    let (wish, relation) = visible(tx.conn, Some(caller), id)?;
    if !relation.may_read_contact(wish.status) {
        return Err(Code::Forbidden.into());
    }
    tx.journal(change(&wish, caller.actor(), "read_contact"))?;
    contact(&desk.vault, &wish)
}

fn contact(vault: &Vault, wish: &Wish) -> Result<Contact> {
    serde_json::from_slice(&vault.open(&wish.contact)?).map_err(Error::internal)
}

// ---- telling people

fn notice(wish: &Wish, to: AccountId, kind: Kind) -> Notice {
    Notice::titled(to, kind, ("wish", wish.id.0), &wish.title)
}

/// Tells the author and, where it is somebody else, the beneficiary.
fn tell_owners(
    tx: &mut Tx<'_>,
    wish: &Wish,
    kind: Kind,
    params: &[(&'static str, String)],
) -> Result<()> {
    let beneficiary = wish.beneficiary_id.filter(|id| *id != wish.author_id);
    for to in [Some(wish.author_id), beneficiary].into_iter().flatten() {
        tell(tx, wish, to, kind, params)?;
    }
    Ok(())
}

/// Tells the administrators of the smallest region above the wish that has any.
fn tell_staff(
    tx: &mut Tx<'_>,
    wish: &Wish,
    kind: Kind,
    params: &[(&'static str, String)],
) -> Result<()> {
    for region in regions::ancestors(tx.conn, wish.region_id)? {
        let staff = identity::holders(tx.conn, Role::RegionAdmin, region.id.0)?;
        for to in &staff {
            tell(tx, wish, *to, kind, params)?;
        }
        if !staff.is_empty() {
            break;
        }
    }
    Ok(())
}

fn tell(
    tx: &mut Tx<'_>,
    wish: &Wish,
    to: AccountId,
    kind: Kind,
    params: &[(&'static str, String)],
) -> Result<()> {
    let notice = params
        .iter()
        .fold(notice(wish, to, kind), |notice, (gap, text)| {
            notice.with(gap, text.clone())
        });
    notify(tx, &notice)
}

/// An instant as people in the district read it.
fn local(tx: &Tx<'_>, at: Instant) -> String {
    at.with_timezone(&tx.zone)
        .format("%Y-%m-%d %H:%M")
        .to_string()
}

/// What a beneficiary's link is signed for.
pub const LINK: &str = "wish";

/// Sends a link to a beneficiary without an account: to follow every step and to confirm.
fn send_link(tx: &mut Tx<'_>, desk: &Desk, wish: &Wish, what: &str) -> Result<()> {
    if wish.beneficiary_id.is_some() {
        return Ok(());
    }
    let contact = contact(&desk.vault, wish)?;
    let expires = tx
        .now
        .checked_add_days(Days::new(180))
        .map_or(tx.now, Into::into);
    let token = desk.vault.sign_link(LINK, &wish.id, expires);
    let url = format!("{}/api/v1/wish-links/{token}", desk.public_url);
    let text = match what {
        "claimed" => format!("您的微心愿“{}”已被认领,查看进度:{url}", wish.title),
        _ => format!("您的微心愿“{}”已送达,请查看并确认:{url}", wish.title),
    };
    let params = [
        ("title".to_owned(), wish.title.clone()),
        ("url".to_owned(), url),
    ]
    .into();
    let sms = Sms {
        to: contact.phone,
        template: format!("wish_{what}"),
        params,
        text,
    };
    tx.enqueue("sms", &sms, tx.now).map(|_| ())
}

// ---- the clock

#[derive(Serialize, Deserialize)]
struct Reminder {
    wish: WishId,
    claim: ClaimId,
    lease_until: Instant,
}

fn remind_later(tx: &mut Tx<'_>, desk: &Desk, claim: &Claim) -> Result<()> {
    let reminder = Reminder {
        wish: claim.wish_id,
        claim: claim.id,
        lease_until: claim.lease_until,
    };
    let at = claim.lease_until - TimeDelta::hours(desk.rules.reminder_hours);
    tx.enqueue("wish.remind", &reminder, at).map(|_| ())
}

/// Reminds a claimant whose lease is about to end, if it still does: a job.
///
/// # Errors
/// Those of the database.
pub fn remind(tx: &mut Tx<'_>, payload: &serde_json::Value) -> Result<()> {
    let reminder: Reminder = serde_json::from_value(payload.clone()).map_err(Error::internal)?;
    let wish = store::wish(tx.conn, reminder.wish)?;
    let claim = store::live_claim(tx.conn, wish.id)?;
    let same = claim
        .filter(|claim| claim.id == reminder.claim && claim.lease_until == reminder.lease_until);
    if let Some(claim) = same
        && wish.status == WishStatus::Claimed
    {
        let due = local(tx, claim.lease_until);
        notify(
            tx,
            &notice(&wish, claim.claimant_id, Kind::WishLeaseEnding).with("due", due),
        )?;
    }
    Ok(())
}

/// Moves on what the clock has reached, up to `limit` wishes; returns how many. A wish that
/// somebody moves at the same moment is left to them.
///
/// # Errors
/// Those of the database.
pub fn sweep(tx: &mut Tx<'_>, desk: &Desk, limit: i64) -> Result<usize> {
    let today = today(tx);
    let due = store::due(tx.conn, tx.now, today, limit)?;
    let count = due.len();
    for wish in due {
        match sweep_one(tx, desk, &wish) {
            Err(Error::Problem(_)) | Ok(()) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}

fn sweep_one(tx: &mut Tx<'_>, desk: &Desk, wish: &Wish) -> Result<()> {
    match wish.status {
        WishStatus::Submitted => {
            if store::clear_due(tx.conn, wish.id)? {
                tx.journal(change(wish, Actor::System, "screening_overdue"))?;
                tell_staff(tx, wish, Kind::WishScreeningOverdue, &[])?;
            }
        }
        WishStatus::Claimed => {
            if let Some(moved) = advance(tx, wish, "lapse", Mover::Clock, None, None)? {
                tell_owners(tx, &moved, Kind::WishLapsed, &[])?;
                if let Some(claim) = store::live_claim(tx.conn, wish.id)? {
                    store::end_claim(tx, claim.id, ClaimOutcome::Lapsed)?;
                    notify(tx, &notice(&moved, claim.claimant_id, Kind::WishLapsed))?;
                }
            }
        }
        WishStatus::Delivered => {
            fulfil(
                tx,
                desk,
                wish,
                "time_out",
                Mover::Clock,
                FulfilledBy::Timeout,
            )?;
        }
        WishStatus::Fulfilled => {
            advance(tx, wish, "close", Mover::Clock, None, None)?;
        }
        WishStatus::Published => {
            if let Some(moved) = advance(tx, wish, "expire", Mover::Clock, None, None)? {
                notify(tx, &notice(&moved, moved.author_id, Kind::WishExpired))?;
            }
        }
        _ => {
            store::clear_due(tx.conn, wish.id)?;
        }
    }
    Ok(())
}
