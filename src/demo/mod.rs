//! The sample district: Beilun's real streets with sample people, so that a newcomer can try
//! everything at once.
//!
//! It is loaded through the rooms' own functions at a clock that begins some weeks ago, so every
//! timeline is as it would be had the people done it. Everything invented is labelled 示例.

mod activities;
mod organizations;
mod party;
mod people;
mod projects;
mod rounds;
mod wishes;

use chrono::{NaiveDate, TimeDelta};
use image::{DynamicImage, Rgb, RgbImage};
use serde::Deserialize;

use self::organizations::OrganizationFile;
use self::people::{Names, VOLUNTEERS, acting, by_email, volunteer, write_profile};
use self::projects::ProjectFile;
use self::wishes::{People, WishFile, act_out};
use crate::app::{App, Config};
use crate::error::{Error, Result};
use crate::identity::{self, Role};
use crate::matching::invitations::{self, NewRecruitment};
use crate::matching::{NeedKind, Wanting};
use crate::platform::clock::{Clock, Instant};
use crate::platform::db::Tx;
use crate::platform::journal::Actor;
use crate::regions::{self, Level, NewRegion, RegionId};
use crate::wishes::WishStatus;
use crate::worker::Worker;

const REGIONS: [&str; 2] = [
    include_str!("../../config/regions/beilun.csv"),
    include_str!("../../config/demo/regions.csv"),
];
const WISHES: &str = include_str!("../../config/demo/wishes.toml");
const ORGANIZATIONS: &str = include_str!("../../config/demo/organizations.toml");
const PROJECTS: &str = include_str!("../../config/demo/projects.toml");
const NAMES: &str = include_str!("../../config/demo/names.toml");

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
        "reviewer@demo.invalid",
        "示例·北仑区审核员",
        "region admin of the district, who reviews what others wrote",
    ),
    (
        "street@demo.invalid",
        "示例·新碶街道管理员",
        "region admin of the street 新碶",
    ),
    (
        "grid@demo.invalid",
        "示例·网格员小周",
        "grid worker of 示例一片区第01网格 and of the sample wishes' other grids",
    ),
    (
        "leader@demo.invalid",
        "示例·网格长老陈",
        "grid leader of 示例一片区第01网格",
    ),
    (
        "auditor@demo.invalid",
        "示例·审计员",
        "auditor of the district: reads what is public, as yet",
    ),
    (
        "secretary@demo.invalid",
        "示例·支部书记",
        "secretary of the branch 示例·新碶街道机关党支部",
    ),
    (
        "member@demo.invalid",
        "示例·协会成员",
        "member of 示例·港城志愿者协会",
    ),
    ("resident@demo.invalid", "示例·居民王奶奶", "resident"),
    ("volunteer@demo.invalid", "示例·志愿者小李", "volunteer"),
    (
        "organization@demo.invalid",
        "示例·协会负责人",
        "manager of 示例·港城志愿者协会",
    ),
];

/// A line of the district's regions, the real ones and those of the sample.
#[derive(Clone, Deserialize)]
struct RegionRow {
    code: String,
    name: String,
    level: regions::Level,
    parent: Option<String>,
    population: Option<i64>,
    longitude: Option<f64>,
    latitude: Option<f64>,
    valid_from: NaiveDate,
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
    let known = app
        .platform
        .db
        .read(|conn| regions::by_code(conn, "330206"));
    if known.await?.is_some() {
        return Ok(false);
    }
    let mut rows: Vec<RegionRow> = Vec::new();
    for table in REGIONS {
        for row in csv::Reader::from_reader(table.as_bytes()).deserialize() {
            rows.push(row.map_err(Error::internal)?);
        }
    }
    let wishes: WishFile = toml::from_str(WISHES).map_err(Error::internal)?;
    let organizations: OrganizationFile = toml::from_str(ORGANIZATIONS).map_err(Error::internal)?;
    let projects: ProjectFile = toml::from_str(PROJECTS).map_err(Error::internal)?;
    let names: Names = toml::from_str(NAMES).map_err(Error::internal)?;
    let homes: Vec<_> = rows
        .iter()
        .filter(|row| is_home(row.level))
        .cloned()
        .collect();
    app.platform
        .db
        .write(move |tx| load_regions(tx, &rows))
        .await?;
    load_accounts(&app).await?;
    load_volunteers(&app, &names, projects.skills(), homes).await?;
    party::load(&app, &names).await?;
    let organizations = organizations::load(&app, organizations.organization, &names).await?;

    let photo = app.platform.files.put_photo(sample_photo()?).await?;
    let (past, recent): (Vec<_>, Vec<_>) = wishes
        .wish
        .into_iter()
        .partition(|wish| wish.stage == WishStatus::Closed);
    let worker = Worker::new(app.clone());
    let (mut projects, mut batch) = (Some(projects), None);
    let mut held = activities::load_past(&app, &organizations, &names).await?;
    for (phase, (rows, days)) in [(past, 38), (recent, 2)].into_iter().enumerate() {
        if phase == 1
            && let Some(projects) = projects.take()
        {
            let load = projects::load(&app, projects, &organizations, &names, &photo);
            batch = Some(load.await?);
            let over = std::mem::take(&mut held);
            activities::load_ahead(&app, &organizations, &names, over).await?;
        }
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
    app.matching.follow();
    app.matching.until_ready().await;
    look_for_people(&app).await?;
    if let Some(batch) = batch {
        rounds::load(&app, batch, &worker).await?;
    }
    Ok(true)
}

/// The street's staff look for somebody for one of its wishes: the first wave waits for answers.
async fn look_for_people(app: &App) -> Result<()> {
    let desk = app.invitations();
    let begun = app.platform.db.write(move |tx| {
        let street = by_email(tx, "street@demo.invalid")?;
        let staff = acting(tx, street)?;
        let wishes = Wanting {
            kind: Some(NeedKind::Wish),
            region: Some(region(tx, "330206002")?),
            ..Wanting::default()
        };
        let open = desk.matching.world().listed(&wishes, tx.today(), None, 1);
        let Some(wish) = open.first() else {
            return Ok(());
        };
        let new = NewRecruitment {
            size: Some(3),
            hours: Some(168),
            note: "示例：离您不远，您方便吗？".to_owned(),
            ..NewRecruitment::default()
        };
        invitations::start(tx, &desk, &staff, wish.id, &new).map(|_| ())
    });
    begun.await
}

/// Where people live: grids, and streets, which the sample has no grids of but in one.
fn is_home(level: Level) -> bool {
    matches!(level, Level::Grid | Level::Street)
}

/// The sample volunteers, and the profile of the one to sign in as.
async fn load_volunteers(
    app: &App,
    names: &Names,
    skills: Vec<String>,
    homes: Vec<RegionRow>,
) -> Result<()> {
    const AT_ONCE: usize = 50;
    for first in (0..VOLUNTEERS).step_by(AT_ONCE) {
        let (names, skills, homes) = (names.clone(), skills.clone(), homes.clone());
        app.platform
            .db
            .write(move |tx| {
                for n in first..(first + AT_ONCE).min(VOLUNTEERS) {
                    let who = volunteer(tx, &names, n)?;
                    write_profile(tx, &who, n, &skills, &homes)?;
                }
                Ok(())
            })
            .await?;
    }
    app.platform
        .db
        .write(move |tx| {
            let account = by_email(tx, "volunteer@demo.invalid")?;
            let who = acting(tx, account)?;
            let grids = homes.iter().filter(|home| home.level == Level::Grid);
            let here: Vec<_> = grids.take(1).cloned().collect();
            write_profile(tx, &who, 0, &skills, &here)
        })
        .await
}

fn load_regions(tx: &mut Tx<'_>, rows: &[RegionRow]) -> Result<()> {
    for row in rows {
        let new = NewRegion {
            code: row.code.clone(),
            name: row.name.clone(),
            level: row.level,
            parent: row.parent.clone().filter(|parent| !parent.is_empty()),
            population: row.population,
            longitude: row.longitude,
            latitude: row.latitude,
            valid_from: row.valid_from,
            valid_to: None,
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
            for (email, name, _) in ACCOUNTS {
                identity::create_account(tx, None, Some(email), Some(&hash), name)?;
            }
            let platform = by_email(tx, "platform@demo.invalid")?;
            identity::grant(tx, Actor::System, platform, Role::PlatformAdmin, None)?;
            for (email, role, code) in [
                ("district@demo.invalid", Role::RegionAdmin, "330206"),
                ("reviewer@demo.invalid", Role::RegionAdmin, "330206"),
                ("auditor@demo.invalid", Role::Auditor, "330206"),
                ("street@demo.invalid", Role::RegionAdmin, "330206002"),
                ("leader@demo.invalid", Role::GridLeader, "330206002-A1-G01"),
                ("grid@demo.invalid", Role::GridWorker, "330206002-A1-G01"),
            ] {
                let (account, region) = (by_email(tx, email)?, region(tx, code)?);
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
        .map(|(email, name, role)| format!("  {email:<26} {role} ({name})\n"))
        .collect();
    format!(
        "\n益起来 · Yiqilai serves the sample district at {url} ({})\n\n\
         API reference   {url}/docs/\n\
         Health          {url}/readyz\n\
         Mails and SMS   data/mail, data/sms\n\n\
         Sign in with the password {PASSWORD} as:\n{accounts}\n\
         A first look:\n  curl '{url}/api/v1/projects?limit=3'\n  curl '{url}/api/v1/wishes?longitude=121.85&latitude=29.91&limit=3'\n\
         README.md has a tour of the whole story. Ctrl-C stops the server; the data stays in data/.\n",
        now.format("%Y-%m-%d"),
    )
}
