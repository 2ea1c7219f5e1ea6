//! Changing a draft.

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use validator::Validate;

use super::writing::{check, normal, sealed};
use super::{Desk, change, contact, serves, to_move};
use crate::error::{Code, Problem, Result, together};
use crate::identity::Caller;
use crate::platform::db::Tx;
use crate::platform::http::IfMatch;
use crate::platform::http::valid::{self, given};
use crate::platform::lifecycle;
use crate::regions::RegionId;
use crate::taxonomies::{BeneficiaryGroup, LifeCycle};
use crate::wishes::model::{ConsentChannel, Contact, Wish, WishId, WishKind, WishStatus};
use crate::wishes::rules::{MOVES, is_on_behalf};
use crate::wishes::store;

/// What changes about a draft. Absent keys leave a value alone, null removes it where a
/// wish can be without; a contact is given whole.
///
/// Somebody for whom another person posts agreed as the one who was named then. So a contact that
/// differs comes with the consent of the one it names now: `consent_channel` says again how that
/// person agreed, be it in the same way, and the journal keeps it.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct EditWish {
    /// Where the beneficiary lives: a grid or a community; of somebody else's wish, one that the
    /// caller serves.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub region_id: Option<RegionId>,
    /// How the beneficiary agreed; only for somebody else, and always with another contact.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub consent_channel: Option<ConsentChannel>,
    /// How to reach the beneficiary, whole.
    #[validate(nested)]
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub contact: Option<Contact>,
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
    /// Goods or a service.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub kind: Option<WishKind>,
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
    /// What goods are worth, in fen; only and always for goods.
    #[validate(range(min = 1))]
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<i64>)]
    pub value_fen: Option<Option<i64>>,
    /// Where it is to be fulfilled, degrees east.
    #[validate(range(min = -180.0, max = 180.0))]
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<f64>)]
    pub longitude: Option<Option<f64>>,
    /// Degrees north.
    #[validate(range(min = -90.0, max = 90.0))]
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<f64>)]
    pub latitude: Option<Option<f64>>,
    /// The last day on which it is open.
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<NaiveDate>)]
    pub expires_on: Option<Option<NaiveDate>>,
}

/// Changes a draft.
///
/// # Errors
/// `version_required`, `version_mismatch`, `move_not_allowed` once it was submitted, `invalid` with
/// every wrong field; `forbidden` to move somebody else's wish to a region one does not serve.
pub fn edit(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: WishId,
    seen: &IfMatch,
    edit: &EditWish,
) -> Result<Wish> {
    let (was, relation) = to_move(tx.conn, caller, id, "submit")?; // who hands it in also mends it
    seen.expect(was.version)?;
    if was.status != WishStatus::Draft {
        return Err(lifecycle::refusal(MOVES, relation, was.status));
    }
    let mut wrong = Problem::new(Code::Invalid);
    let known = contact(&desk.vault, &was)?;
    let other_contact = edit.contact.as_ref().map(normal);
    let other_contact = other_contact.filter(|given| given.as_ref() != Ok(&known));
    if let Some(Err(code)) = &other_contact {
        wrong = wrong.field("/contact/phone", *code);
    }
    let on_behalf = is_on_behalf(was.consent_channel);
    let is_consented = match edit.consent_channel {
        Some(channel) => is_on_behalf(channel) == on_behalf,
        None => !on_behalf || other_contact.is_none(),
    };
    if !is_consented {
        wrong = wrong.field("/consent_channel", Code::ConsentRequired);
    }
    let mut wish = applied(edit, &was);
    together([
        valid::check(edit, ""),
        check(tx, desk, &wish, Some(&was), wrong),
    ])?;
    let moves_away = on_behalf && wish.region_id != was.region_id;
    if moves_away && !serves(tx.conn, caller, wish.region_id)? {
        return Err(Code::Forbidden.into());
    }
    if let Some(contact) = other_contact {
        wish.contact = sealed(&desk.vault, &contact?)?;
    }
    if !store::update(tx.conn, &wish)? {
        return Err(Code::VersionMismatch.into());
    }
    tx.journal(change(&wish, caller.actor(), "edit").payload(json!({
        "changed": differences(&was, &wish), "consent": edit.consent_channel,
    })))?;
    store::wish(tx.conn, id)
}

/// The wish with what is given, but for the contact.
fn applied(edit: &EditWish, was: &Wish) -> Wish {
    let (edit, was) = (edit.clone(), was.clone());
    Wish {
        region_id: edit.region_id.unwrap_or(was.region_id),
        consent_channel: edit.consent_channel.unwrap_or(was.consent_channel),
        alias: edit.alias.unwrap_or(was.alias),
        beneficiary_group: edit.beneficiary_group.unwrap_or(was.beneficiary_group),
        life_cycle: edit.life_cycle.unwrap_or(was.life_cycle),
        kind: edit.kind.unwrap_or(was.kind),
        title: edit.title.unwrap_or(was.title),
        description: edit.description.unwrap_or(was.description),
        value_fen: edit.value_fen.unwrap_or(was.value_fen),
        longitude: edit.longitude.unwrap_or(was.longitude),
        latitude: edit.latitude.unwrap_or(was.latitude),
        expires_on: edit.expires_on.unwrap_or(was.expires_on),
        ..was
    }
}

/// The names of what differs: the journal keeps no personal data.
fn differences(was: &Wish, is: &Wish) -> Vec<&'static str> {
    let compared = [
        ("region_id", was.region_id != is.region_id),
        ("consent_channel", was.consent_channel != is.consent_channel),
        ("contact", was.contact != is.contact),
        ("alias", was.alias != is.alias),
        (
            "beneficiary_group",
            was.beneficiary_group != is.beneficiary_group,
        ),
        ("life_cycle", was.life_cycle != is.life_cycle),
        ("kind", was.kind != is.kind),
        ("title", was.title != is.title),
        ("description", was.description != is.description),
        ("value_fen", was.value_fen != is.value_fen),
        ("longitude", was.longitude != is.longitude),
        ("latitude", was.latitude != is.latitude),
        ("expires_on", was.expires_on != is.expires_on),
    ];
    let differing = compared.into_iter().filter(|(_, differs)| *differs);
    differing.map(|(name, _)| name).collect()
}
