//! The sample district: Beilun's real streets with sample people, so that a newcomer can try
//! everything at once.
//!
//! It is loaded through the rooms' own functions at a clock that begins some weeks ago, so every
//! timeline is as it would be had the people done it. Everything invented is labelled 示例.

use chrono::{NaiveDate, TimeDelta};
use image::{DynamicImage, Rgb, RgbImage};
use serde::Deserialize;

use crate::app::{App, Config};
use crate::error::{Error, Result};
use crate::identity::{self, AccountId, Caller, Role};
use crate::platform::clock::{Clock, Instant};
use crate::platform::db::Tx;
use crate::platform::files::StoredPhoto;
use crate::platform::http::IfMatch;
use crate::platform::journal::Actor;
use crate::regions::{self, NewRegion, RegionId};
use crate::taxonomies::{BeneficiaryGroup, LifeCycle};
use crate::wishes::{self, Mover};
use crate::wishes::{
    ConsentChannel, Contact, Desk, NewWish, NewWishClaim, Wish, WishKind, WishStatus,
};
use crate::worker::Worker;

const REGIONS: &str = include_str!("../config/regions/beilun.csv");
const WISHES: &str = include_str!("../config/demo/wishes.toml");
const NAMES: &str = include_str!("../config/demo/names.toml");

/// The password of every sample account.
pub const PASSWORD: &str = "yiqilai-demo";

/// The sample accounts to try things with: address, name, role as people say it.
pub const ACCOUNTS: &[(&str, &str, &str)] = &[
    ("platform@demo.invalid", "示例·平台管理员", "platform admin"),
    (
        "district@demo.invalid",
        "示例·北仑区管理员",
        "region admin of the district",
    ),
    (
        "street@demo.invalid",
        "示例·新碶街道管理员",
        "region admin of the street 新碶",
    ),
    (
        "grid@demo.invalid",
        "示例·网格员小周",
        "grid worker of 示例一片区第01网格",
    ),
    ("resident@demo.invalid", "示例·居民王奶奶", "resident"),
    ("volunteer@demo.invalid", "示例·志愿者小李", "volunteer"),
];

#[derive(Deserialize)]
struct RegionRow {
    code: String,
    name: String,
    level: regions::Level,
    parent: Option<String>,
    population: Option<i64>,
    longitude: Option<f64>,
    latitude: Option<f64>,
}

#[derive(Deserialize)]
struct WishFile {
    wish: Vec<WishRow>,
}

#[derive(Clone, Deserialize)]
struct WishRow {
    title_zh: String,
    description_zh: String,
    kind: WishKind,
    value_fen: Option<i64>,
    beneficiary_group: BeneficiaryGroup,
    life_cycle: LifeCycle,
    alias: String,
    region: String,
    stage: WishStatus,
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

#[derive(Deserialize)]
struct Names {
    prefix: String,
    surnames: Vec<String>,
    given: Vec<String>,
}

/// Loads the sample district into an empty database; does nothing when there is anything in it.
/// Returns whether it did.
///
/// # Errors
/// Those of the database; nothing of the step at hand is kept then.
pub async fn load(config: &Config) -> Result<bool> {
    let begins = Clock::system().now() - TimeDelta::days(41);
    let clock = Clock::fixed(begins);
    let app = App::build(config.clone(), clock.clone()).await?;
    app.platform.db.migrate().await?;
    let is_empty = app
        .platform
        .db
        .read(|conn| regions::by_code(conn, "330206"))
        .await?
        .is_none();
    if !is_empty {
        return Ok(false);
    }
    let rows: Vec<RegionRow> = csv::Reader::from_reader(REGIONS.as_bytes())
        .deserialize()
        .collect::<std::result::Result<_, _>>()
        .map_err(Error::internal)?;
    let wishes: WishFile = toml::from_str(WISHES).map_err(Error::internal)?;
    let names: Names = toml::from_str(NAMES).map_err(Error::internal)?;
    app.platform
        .db
        .write(move |tx| load_regions(tx, &rows))
        .await?;
    load_accounts(&app).await?;

    let photo = app
        .platform
        .files
        .put_photo(sample_photo()?)
        .await
        .map_err(Error::internal)?;
    let (past, recent): (Vec<_>, Vec<_>) = wishes
        .wish
        .into_iter()
        .partition(|wish| wish.stage == WishStatus::Closed);
    let worker = Worker::new(app.clone());
    for (phase, (rows, days)) in [(past, 38), (recent, 2)].into_iter().enumerate() {
        for (number, row) in rows.into_iter().enumerate() {
            let (desk, photo) = (app.wishes.clone(), photo.clone());
            let people = People::named(&names, phase * 1000 + number);
            app.platform
                .db
                .write(move |tx| act_out(tx, &desk, &row, &people, &photo))
                .await?;
            clock.advance(TimeDelta::minutes(7));
        }
        clock.advance(TimeDelta::days(days));
        worker.run_once().await?;
    }
    Ok(true)
}

fn load_regions(tx: &mut Tx<'_>, rows: &[RegionRow]) -> Result<()> {
    let valid_from = NaiveDate::from_ymd_opt(2018, 1, 1).unwrap_or_default();
    for row in rows {
        let new = NewRegion {
            code: row.code.clone(),
            name: row.name.clone(),
            level: row.level,
            parent: row.parent.clone().filter(|parent| !parent.is_empty()),
            population: row.population,
            longitude: row.longitude,
            latitude: row.latitude,
            valid_from,
        };
        regions::upsert(tx, Actor::System, &new)?;
    }
    Ok(())
}

async fn load_accounts(app: &App) -> Result<()> {
    let hash = identity::hash_password(PASSWORD)?;
    app.platform
        .db
        .write(move |tx| {
            let mut made = Vec::new();
            for (email, name, _) in ACCOUNTS {
                made.push(identity::create_account(tx, None, Some(email), Some(&hash), name)?.id);
            }
            let [platform, district, street, grid, ..] = made[..] else {
                return Ok(());
            };
            identity::grant(tx, Actor::System, platform, Role::PlatformAdmin, None)?;
            for (account, role, code) in [
                (district, Role::RegionAdmin, "330206"),
                (street, Role::RegionAdmin, "330206002"),
                (grid, Role::GridWorker, "330206002-A1-G01"),
            ] {
                let region = region(tx, code)?;
                identity::grant(tx, Actor::System, account, role, Some(region.0))?;
            }
            Ok(())
        })
        .await
}

fn region(tx: &mut Tx<'_>, code: &str) -> Result<RegionId> {
    let found = regions::by_code(tx.conn, code)?;
    found
        .map(|region| region.id)
        .ok_or_else(|| Error::internal(format!("no region {code}")))
}

/// The sample people of one wish.
struct People {
    resident: String,
    volunteer: String,
    number: usize,
}

impl People {
    fn named(names: &Names, number: usize) -> Self {
        let name = |n: usize| {
            let surname = &names.surnames[n * 7 % names.surnames.len()];
            format!(
                "{}{surname}{}",
                names.prefix,
                names.given[n * 13 % names.given.len()]
            )
        };
        Self {
            resident: name(2 * number),
            volunteer: name(2 * number + 1),
            number,
        }
    }

    /// Numbers that begin with 10 belong to nobody.
    fn phone(&self, who: usize) -> String {
        format!("+86100{:08}", self.number * 10 + who)
    }
}

/// Lets sample people bring a wish to its stage.
fn act_out(
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
            return wishes::reject(tx, &admin, wish.id, seen(&wish), reason).map(|_| ());
        }
        WishStatus::Withdrawn => {
            return wishes::withdraw(tx, &author, wish.id, "已由家人解决,谢谢大家。").map(|_| ());
        }
        _ => {}
    }
    wishes::publish(tx, &admin, wish.id, seen(&wish))?;
    if row.stage == WishStatus::Published {
        return Ok(());
    }
    let volunteer = person(tx, &people.phone(2), &people.volunteer)?;
    wishes::claim(tx, desk, &volunteer, wish.id, &NewWishClaim::default())?;
    if row.stage == WishStatus::Claimed {
        return Ok(());
    }
    wishes::add_evidence(tx, &volunteer, wish.id, photo)?;
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

fn by_email(tx: &mut Tx<'_>, email: &str) -> Result<AccountId> {
    identity::create_account(tx, None, Some(email), None, "示例").map(|account| account.id)
}

fn acting(tx: &mut Tx<'_>, account: AccountId) -> Result<Caller> {
    Caller::acting(tx.conn, account)
}

fn person(tx: &mut Tx<'_>, phone: &str, name: &str) -> Result<Caller> {
    let account = identity::create_account(tx, Some(phone), None, None, name)?;
    acting(tx, account.id)
}

/// A plain picture that stands for the photo of a delivery.
fn sample_photo() -> Result<Vec<u8>> {
    let picture = RgbImage::from_fn(640, 480, |x, y| {
        let warm = u8::try_from(160 + (x + y) / 16 % 80).unwrap_or(200);
        Rgb([230, warm, 120])
    });
    let mut out = std::io::Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(picture)
        .write_to(&mut out, image::ImageFormat::Png)
        .map_err(Error::internal)?;
    Ok(out.into_inner())
}

/// What `yiqilai demo` says once it serves.
pub fn welcome(url: &str, now: Instant) -> String {
    let accounts: String = ACCOUNTS
        .iter()
        .map(|(email, name, role)| format!("  {email:<24} {role} ({name})\n"))
        .collect();
    format!(
        "\n益起来 · Yiqilai serves the sample district at {url} ({})\n\n\
         API reference   {url}/docs/\n\
         Health          {url}/readyz\n\
         Mails and SMS   data/mail, data/sms\n\n\
         Sign in with the password {PASSWORD} as:\n{accounts}\n\
         A first look:\n  curl '{url}/api/v1/wishes?longitude=121.85&latitude=29.91&limit=3'\n\
         README.md has a tour of the whole story. Ctrl-C stops the server; the data stays in data/.\n",
        now.format("%Y-%m-%d"),
    )
}
