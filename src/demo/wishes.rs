//! Sample wishes at every stage.

use serde::Deserialize;

use super::people::{Names, acting, by_email, person};
use super::region;
use crate::error::Result;
use crate::identity::{self, Role};
use crate::platform::db::Tx;
use crate::platform::files::StoredPhoto;
use crate::platform::http::IfMatch;
use crate::platform::journal::Actor;
use crate::taxonomies::{BeneficiaryGroup, LifeCycle};
use crate::wishes::{self, Mover};
use crate::wishes::{
    ConsentChannel, Contact, Desk, NewWish, NewWishClaim, Wish, WishKind, WishStatus,
};

#[derive(Deserialize)]
pub(super) struct WishFile {
    pub wish: Vec<WishRow>,
}

#[derive(Clone, Deserialize)]
pub(super) struct WishRow {
    title_zh: String,
    description_zh: String,
    kind: WishKind,
    value_fen: Option<i64>,
    beneficiary_group: BeneficiaryGroup,
    life_cycle: LifeCycle,
    alias: String,
    region: String,
    pub stage: WishStatus,
    posted_by: PostedBy,
    longitude: f64,
    latitude: f64,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PostedBy {
    Resident,
    GridWorker,
}

/// The sample people of one wish.
pub(super) struct People {
    resident: String,
    volunteer: String,
    number: usize,
}

impl People {
    pub fn named(names: &Names, number: usize) -> Self {
        Self {
            resident: names.nth(2 * number),
            volunteer: names.nth(2 * number + 1),
            number,
        }
    }

    /// Numbers that begin with 10 belong to nobody.
    fn phone(&self, who: usize) -> String {
        format!("+86100{:08}", self.number * 10 + who)
    }
}

/// Lets sample people bring a wish to its stage.
pub(super) fn act_out(
    tx: &mut Tx<'_>,
    desk: &Desk,
    row: &WishRow,
    people: &People,
    photo: &StoredPhoto,
) -> Result<()> {
    let grid = region(tx, &row.region)?;
    let is_proxy = row.posted_by == PostedBy::GridWorker;
    let author = if is_proxy {
        let worker = by_email(tx, "grid@demo.invalid")?;
        identity::grant(tx, Actor::System, worker, Role::GridWorker, Some(grid.0))?;
        acting(tx, worker)?
    } else {
        person(tx, &people.phone(1), &people.resident)?
    };
    let new = NewWish {
        region_id: grid,
        on_behalf: is_proxy,
        consent_channel: is_proxy.then_some(ConsentChannel::Oral),
        contact: Contact {
            name: people.resident.clone(),
            phone: people.phone(1),
            address: "示例小区1幢101室".to_owned(),
        },
        alias: row.alias.clone(),
        beneficiary_group: row.beneficiary_group,
        life_cycle: row.life_cycle,
        kind: row.kind,
        title: row.title_zh.clone(),
        description: row.description_zh.clone(),
        value_fen: row.value_fen,
        longitude: Some(row.longitude),
        latitude: Some(row.latitude),
        expires_on: None,
    };
    let wish = wishes::create(tx, desk, &author, &new)?;
    if row.stage == WishStatus::Draft {
        return Ok(());
    }
    let wish = wishes::submit(tx, desk, &author, wish.id)?;
    let district = by_email(tx, "district@demo.invalid")?;
    let admin = acting(tx, district)?;
    match row.stage {
        WishStatus::Submitted => return Ok(()),
        WishStatus::Rejected => {
            let reason = "请写明所需物品的型号和尺寸。";
            return wishes::reject(tx, desk, &admin, wish.id, &seen(&wish), reason).map(|_| ());
        }
        WishStatus::Withdrawn => {
            return wishes::withdraw(
                tx,
                Mover::Caller(&author),
                wish.id,
                "已由家人解决，谢谢大家。",
            )
            .map(|_| ());
        }
        _ => {}
    }
    wishes::publish(tx, desk, &admin, wish.id, &seen(&wish))?;
    if row.stage == WishStatus::Published {
        return Ok(());
    }
    let volunteer = person(tx, &people.phone(2), &people.volunteer)?;
    wishes::claim(tx, desk, &volunteer, wish.id, &NewWishClaim::default())?;
    if row.stage == WishStatus::Claimed {
        return Ok(());
    }
    wishes::add_evidence(tx, desk, &volunteer, wish.id, photo)?;
    wishes::deliver(tx, desk, &volunteer, wish.id)?;
    match row.stage {
        WishStatus::Disputed => {
            wishes::dispute(
                tx,
                Mover::Caller(&author),
                wish.id,
                "收到的物品与所需型号不符。",
            )?;
        }
        WishStatus::Fulfilled | WishStatus::Closed => {
            wishes::confirm(tx, desk, Mover::Caller(&author), wish.id)?;
        }
        _ => {}
    }
    Ok(())
}

fn seen(wish: &Wish) -> IfMatch {
    IfMatch::read(wish.version)
}
