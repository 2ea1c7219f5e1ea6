//! Writing a wish down.

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use validator::Validate;

use super::{Desk, change, serves};
use crate::error::{Code, Error, FieldError, Problem, Result, Text, together};
use crate::identity::{self, AccountId, Caller};
use crate::platform::db::Tx;
use crate::platform::http::valid;
use crate::platform::token::Vault;
use crate::regions::{self, Level, RegionId};
use crate::taxonomies::{BeneficiaryGroup, LifeCycle};
use crate::wishes::model::{ConsentChannel, Contact, Wish, WishId, WishKind, WishStatus};
use crate::wishes::money::{asks_for_money, names_amount};
use crate::wishes::rules::is_on_behalf;
use crate::wishes::store;

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
    /// The last day on which it is open: today or later, `wishes.longest_days` ahead at the most.
    pub expires_on: Option<NaiveDate>,
}

/// A wish as its author wrote it, checked as a whole and not kept yet.
pub(super) fn build(
    tx: &mut Tx<'_>,
    desk: &Desk,
    author: AccountId,
    new: &NewWish,
) -> Result<Wish> {
    let mut wrong = Problem::new(Code::Invalid);
    let channel = new.consent_channel.unwrap_or(ConsentChannel::App);
    if new.on_behalf != is_on_behalf(channel) {
        wrong = wrong.field("/consent_channel", Code::ConsentRequired);
    }
    let contact = normal(&new.contact);
    if let Err(code) = &contact {
        wrong = wrong.field("/contact/phone", *code);
    }
    let wish = Wish {
        id: WishId::new(),
        region_id: new.region_id,
        author_id: author,
        beneficiary_id: if new.on_behalf { None } else { Some(author) },
        contact: Vec::new(),
        consent_channel: channel,
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
        submitted_at: None,
        due_at: None,
        fulfilled_by: None,
        fulfilled_at: None,
        published_at: None,
        version: 1,
        created_at: tx.now,
    };
    together([valid::check(new, ""), check(tx, desk, &wish, None, wrong)])?;
    Ok(Wish {
        contact: sealed(&desk.vault, &contact?)?,
        ..wish
    })
}

/// A contact with its phone in the normal form.
///
/// # Errors
/// `format`.
pub(super) fn normal(contact: &Contact) -> Result<Contact, Code> {
    Ok(Contact {
        phone: identity::normal_phone(&contact.phone)?,
        ..contact.clone()
    })
}

/// A contact as it is kept.
pub(super) fn sealed(vault: &Vault, contact: &Contact) -> Result<Vec<u8>> {
    vault.seal(&serde_json::to_vec(contact).map_err(Error::internal)?)
}

/// Writes a wish down as a draft.
///
/// # Errors
/// `invalid` with every wrong field; `forbidden` to post for somebody else without standing in for
/// those who live there.
pub fn create(tx: &mut Tx<'_>, desk: &Desk, caller: &Caller, new: &NewWish) -> Result<Wish> {
    let wish = build(tx, desk, caller.account, new)?;
    if new.on_behalf && !serves(tx.conn, caller, new.region_id)? {
        return Err(Code::Forbidden.into());
    }
    store::insert(tx.conn, &wish)?;
    tx.journal(
        change(&wish, caller.actor(), "create").payload(json!({ "consent": wish.consent_channel })),
    )?;
    Ok(wish)
}

/// Checks what can be wrong in any draft, beside what is `wrong` already. What it `was` keeps its
/// region, also one that has ended.
///
/// # Errors
/// `invalid` with every wrong field.
pub(super) fn check(
    tx: &mut Tx<'_>,
    desk: &Desk,
    wish: &Wish,
    was: Option<&Wish>,
    mut wrong: Problem,
) -> Result<()> {
    let kept = was.map(|was| was.region_id);
    match regions::current(tx.conn, wish.region_id, kept, tx.today())? {
        Ok(region) if matches!(region.level, Level::Grid | Level::Community) => {}
        Ok(_) => wrong = wrong.field("/region_id", Code::WishRegion),
        Err(code) => wrong = wrong.field("/region_id", code),
    }
    if wish.longitude.is_some() != wish.latitude.is_some() {
        wrong = wrong.field("/longitude", Code::Required);
    }
    match (wish.kind, wish.value_fen) {
        (WishKind::Goods, None) => wrong = wrong.field("/value_fen", Code::Required),
        (WishKind::Goods, Some(value)) if value > desk.rules.value_cap_fen => {
            wrong = wrong.field("/value_fen", Code::ValueOverCap);
        }
        (WishKind::Service, Some(_)) => wrong = wrong.field("/value_fen", Code::ValueOfService),
        _ => {}
    }
    let is_service = wish.kind == WishKind::Service;
    for (pointer, text, has_no_price) in [
        ("/title", &wish.title, true),
        ("/description", &wish.description, is_service),
    ] {
        if asks_for_money(text) || (has_no_price && names_amount(text)) {
            wrong = wrong.field(pointer, Code::AsksForMoney);
        }
    }
    let last = tx.today() + Days::new(desk.rules.longest_days.into());
    match wish.expires_on {
        Some(day) if day < tx.today() => wrong = wrong.field("/expires_on", Code::InThePast),
        Some(day) if day > last => wrong.errors.push(FieldError {
            detail: Text::new(
                format!("日期过远，最晚为 {last}。"),
                format!("It is too far ahead: {last} is the last day."),
            ),
            ..FieldError::new("/expires_on", Code::Range)
        }),
        _ => {}
    }
    if wrong.errors.is_empty() {
        Ok(())
    } else {
        Err(wrong.into())
    }
}
