use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use validator::Validate;

use super::model::{Claim, ConsentChannel, Contact, Wish, WishId, WishKind, WishStatus};
use super::rules::{self, MOVES, Relation, WishRules};
use super::store;
use crate::error::{Code, Error, Problem, Result};
use crate::identity::{self, AccountId, Caller, Role};
use crate::organizations::OrganizationId;
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Tx};
use crate::platform::http::IfMatch;
use crate::platform::http::valid::given;
use crate::platform::journal::{Actor, Change};
use crate::platform::lifecycle;
use crate::platform::token::Vault;
use crate::regions::{self, Level, RegionId};
use crate::taxonomies::{BeneficiaryGroup, LifeCycle};

mod clock;
mod import;
mod moves;
mod telling;

pub use clock::{react, remind, sweep};
pub use import::import;
pub use moves::{
    add_evidence, claim, confirm, deliver, dispute, free, publish, read_contact, redeliver, reject,
    release, revise, submit, withdraw,
};
pub use telling::{CLAIMED_SMS, DELIVERED_SMS, LINK, claimants};

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
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub alias: Option<String>,
    /// Whom it is for.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub beneficiary_group: Option<BeneficiaryGroup>,
    /// The livelihood goal it serves.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub life_cycle: Option<LifeCycle>,
    /// In a few words.
    #[validate(length(min = 2, max = 60))]
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub title: Option<String>,
    /// In more words.
    #[validate(length(min = 2, max = 1000))]
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub description: Option<String>,
    /// What goods are worth, in fen.
    #[validate(range(min = 1))]
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<i64>)]
    pub value_fen: Option<Option<i64>>,
    /// The last day on which it is open.
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<NaiveDate>)]
    pub expires_on: Option<Option<NaiveDate>>,
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
    let has_claim = matches!(
        wish.status,
        WishStatus::Claimed
            | WishStatus::Delivered
            | WishStatus::Disputed
            | WishStatus::Fulfilled
            | WishStatus::Closed
    );
    Ok(Relation {
        author,
        beneficiary,
        proxy: of_the_grid || (author && wish.consent_channel != ConsentChannel::App),
        claimant: has_claim
            && store::standing_claim(conn, wish.id)?.is_some_and(|claim| holds(caller, &claim)),
        screener: caller.holds_in_region(conn, &[Role::RegionAdmin], wish.region_id)?,
    })
}

/// Whether the caller is the claimant, or runs the organisation that is.
fn holds(caller: &Caller, claim: &Claim) -> bool {
    match claim.organization_id {
        Some(organization) => caller.holds(Role::OrganizationManager, organization.0),
        None => claim.claimant_id == caller.account,
    }
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

/// A wish as its author wrote it, checked and not kept yet.
fn build(tx: &mut Tx<'_>, desk: &Desk, author: AccountId, new: &NewWish) -> Result<Wish> {
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
        author_id: author,
        beneficiary_id: if new.on_behalf { None } else { Some(author) },
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
    let contact = Contact {
        phone: phone.unwrap_or_default(),
        ..new.contact.clone()
    };
    let contact = serde_json::to_vec(&contact).map_err(Error::internal)?;
    Ok(Wish {
        contact: desk.vault.seal(&contact)?,
        ..wish
    })
}

/// Writes a wish down as a draft.
///
/// # Errors
/// `invalid` with every wrong field; `forbidden` to post for somebody else without being of the
/// grid's staff.
pub fn create(tx: &mut Tx<'_>, desk: &Desk, caller: &Caller, new: &NewWish) -> Result<Wish> {
    let wish = build(tx, desk, caller.account, new)?;
    if new.on_behalf
        && !caller.holds_in_region(
            tx.conn,
            &[Role::GridWorker, Role::GridLeader],
            new.region_id,
        )?
    {
        return Err(Code::Forbidden.into());
    }
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
    seen: &IfMatch,
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
    wish.value_fen = edit.value_fen.unwrap_or(wish.value_fen);
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
