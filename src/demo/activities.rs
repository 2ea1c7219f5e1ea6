//! Sample activities: some that are over, and some that are still to come, one of them again and again and
//! one of a claimed project.

use chrono::{NaiveTime, TimeDelta};

use super::organizations::Loaded;
use super::people::{Names, VOLUNTEERS, acting, by_email, volunteer};
use crate::activities::enrolments::{self, NewEnrolment};
use crate::activities::series::{self, NewSeries};
use crate::activities::{self, ActivityId, Desk, NewActivity, NewShift};
use crate::app::App;
use crate::error::{Error, Result};
use crate::identity::Caller;
use crate::organizations;
use crate::platform::clock::Instant;
use crate::platform::db::Tx;
use crate::projects::claims::{self, ClaimId};
use crate::projects::{self, ProjectStatus};
use crate::taxonomies::LifeCycle;

/// What becomes of a sample activity.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Draft,
    Published,
    /// Published, and its enrolment closes within a day.
    Closing,
    /// Published again every week.
    Weekly,
    Cancelled,
}

/// A sample activity: what, where, for which goal, in how many days, at which hour and for how many, how many
/// seats, how many people who want them.
#[derive(Clone, Copy)]
struct Row(
    &'static str,
    &'static str,
    LifeCycle,
    (i64, u32, i64),
    (i32, usize),
    Fate,
);

const OVER: [Row; 5] = [
    Row(
        "示例·社区花园清洁",
        "社区花园北门",
        LifeCycle::Housing,
        (5, 9, 2),
        (12, 8),
        Fate::Published,
    ),
    Row(
        "示例·独居老人探访",
        "居家养老服务站",
        LifeCycle::OldAge,
        (9, 14, 2),
        (6, 6),
        Fate::Published,
    ),
    Row(
        "示例·义诊咨询",
        "党群服务中心一楼",
        LifeCycle::Health,
        (16, 9, 3),
        (8, 5),
        Fate::Published,
    ),
    Row(
        "示例·入户安全排查",
        "社区居委会",
        LifeCycle::Housing,
        (23, 18, 2),
        (10, 7),
        Fate::Published,
    ),
    Row(
        "示例·旧衣回收",
        "小区南门广场",
        LifeCycle::Support,
        (30, 9, 2),
        (10, 4),
        Fate::Cancelled,
    ),
];

const AHEAD: [Row; 6] = [
    Row(
        "示例·反诈宣传",
        "菜市场入口",
        LifeCycle::Support,
        (5, 9, 2),
        (10, 4),
        Fate::Published,
    ),
    Row(
        "示例·亲子阅读",
        "社区图书室",
        LifeCycle::Education,
        (6, 14, 2),
        (2, 5),
        Fate::Published,
    ),
    Row(
        "示例·就业咨询",
        "党群服务中心二楼",
        LifeCycle::Work,
        (8, 9, 3),
        (4, 3),
        Fate::Closing,
    ),
    Row(
        "示例·河道巡护",
        "河滨公园",
        LifeCycle::Housing,
        (9, 8, 2),
        (15, 6),
        Fate::Weekly,
    ),
    Row(
        "示例·助老理发",
        "居家养老服务站",
        LifeCycle::OldAge,
        (12, 9, 2),
        (6, 0),
        Fate::Draft,
    ),
    Row(
        "示例·重阳慰问",
        "社区食堂",
        LifeCycle::OldAge,
        (14, 10, 2),
        (8, 3),
        Fate::Cancelled,
    ),
];

/// Those that will be over; returns what is to be settled then, and by whom.
pub(super) async fn load_past(
    app: &App,
    organizations: &[Loaded],
    names: &Names,
) -> Result<Vec<(ActivityId, String)>> {
    let mut held = Vec::new();
    for (number, row) in OVER.into_iter().enumerate() {
        let (id, manager) = act_out(app, organizations, names, row, number).await?;
        // the first ones are settled by the clock, as nobody does
        if matches!(number, 2 | 3) {
            held.push((id, manager));
        }
    }
    Ok(held)
}

/// Settles what is over, and writes down what is to come.
pub(super) async fn load_ahead(
    app: &App,
    organizations: &[Loaded],
    names: &Names,
    held: Vec<(ActivityId, String)>,
) -> Result<()> {
    for (id, manager) in held {
        let settle = app.platform.db.write(move |tx| {
            let manager = by_email(tx, &manager)?;
            let manager = acting(tx, manager)?;
            activities::settle(tx, &manager, id).map(|_| ())
        });
        settle.await?;
    }
    for (number, row) in AHEAD.into_iter().enumerate() {
        act_out(app, organizations, names, row, OVER.len() + number).await?;
    }
    let (desk, managers) = (app.activities.clone(), managers(organizations));
    let of_project = app.platform.db.write(move |tx| {
        for (organization, manager) in &managers {
            if let Some(claim) = claim_of(tx, *organization)? {
                let manager = by_email(tx, manager)?;
                let manager = acting(tx, manager)?;
                return hold_first(tx, &desk, &manager, claim);
            }
        }
        Ok(())
    });
    of_project.await
}

fn managers(organizations: &[Loaded]) -> Vec<(organizations::OrganizationId, String)> {
    let all = organizations.iter();
    all.map(|one| (one.id, one.manager.clone())).collect()
}

/// A claim of an organisation whose work is not with minors.
fn claim_of(tx: &mut Tx<'_>, of: organizations::OrganizationId) -> Result<Option<ClaimId>> {
    let query = projects::Query {
        statuses: vec![ProjectStatus::Claimed, ProjectStatus::Running],
        limit: 100,
        ..projects::Query::default()
    };
    for project in projects::list(tx.conn, &query)? {
        let holders = claims::holders(tx.conn, project.id)?;
        let mut theirs = holders
            .into_iter()
            .filter(|one| one.organization_id == Some(of));
        if let Some(claim) = theirs.next().filter(|_| !project.minors) {
            return Ok(Some(claim.id));
        }
    }
    Ok(None)
}

fn hold_first(tx: &mut Tx<'_>, desk: &Desk, manager: &Caller, claim: ClaimId) -> Result<()> {
    let new = NewActivity {
        claim_id: Some(claim),
        organization_id: None,
        life_cycle: None,
        risk_notice: None,
        ..new(
            tx,
            "示例·项目启动活动",
            "项目所在地",
            LifeCycle::Support,
            (10, 14, 2),
            10,
        )?
    };
    let new = NewActivity {
        region_id: None,
        ..new
    };
    let id = activities::create(tx, desk, manager, &new)?.id;
    activities::publish(tx, manager, id).map(|_| ())
}

/// When it is so many days from now, at a whole hour on the wall.
fn at(tx: &Tx<'_>, days: i64, hour: u32) -> Result<Instant> {
    let day = tx.today() + TimeDelta::days(days);
    let time = NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default();
    let local = day.and_time(time).and_local_timezone(tx.zone).earliest();
    let at = local.ok_or_else(|| Error::internal("no such hour"))?;
    Ok(at.with_timezone(&chrono::Utc).into())
}

fn new(
    tx: &Tx<'_>,
    title: &str,
    place: &str,
    life_cycle: LifeCycle,
    (days, hour, hours): (i64, u32, i64),
    seats: i32,
) -> Result<NewActivity> {
    let starts_at = at(tx, days, hour)?;
    Ok(NewActivity {
        claim_id: None,
        organization_id: None,
        region_id: None,
        title: title.to_owned(),
        summary: "示例：欢迎邻里参加，现场有人引导。".to_owned(),
        life_cycle: Some(life_cycle),
        place: format!("示例·{place}"),
        meeting_point: "示例：门口集合".to_owned(),
        longitude: None,
        latitude: None,
        risk_notice: Some("示例：请注意往返途中的安全。".to_owned()),
        minors: false,
        dangerous: false,
        party_only: false,
        insurance_policy: None,
        insurance_from: None,
        insurance_until: None,
        min_age: None,
        max_age: None,
        volunteers_region_id: None,
        enrolment_opens_at: None,
        enrolment_closes_at: None,
        withdrawal_hours: None,
        shifts: vec![NewShift {
            id: None,
            name: "志愿者".to_owned(),
            starts_at,
            ends_at: starts_at + TimeDelta::hours(hours),
            seats,
            qualification: None,
            skills: Vec::new(),
        }],
    })
}

/// Lets an organisation hold an activity in its own region, and people enrol in it.
async fn act_out(
    app: &App,
    organizations: &[Loaded],
    names: &Names,
    row: Row,
    number: usize,
) -> Result<(ActivityId, String)> {
    let organizer = &organizations[number % organizations.len()];
    let (organization, email) = (organizer.id, organizer.manager.clone());
    let (desk, names, manager) = (app.activities.clone(), names.clone(), email.clone());
    let write = app.platform.db.write(move |tx| {
        let Row(title, place, goal, when, (seats, people), fate) = row;
        let manager = by_email(tx, &manager)?;
        let manager = acting(tx, manager)?;
        let home = organizations::organization(tx.conn, organization)?;
        let mut new = NewActivity {
            organization_id: Some(organization),
            region_id: Some(home.region_id),
            longitude: home.longitude,
            latitude: home.latitude,
            ..new(tx, title, place, goal, when, seats)?
        };
        if fate == Fate::Closing {
            new.enrolment_closes_at = Some(tx.now + TimeDelta::days(1));
        }
        let id = activities::create(tx, &desk, &manager, &new)?.id;
        match fate {
            Fate::Draft => return Ok(id),
            Fate::Weekly => {
                let weekly = NewSeries {
                    rule: "FREQ=WEEKLY;COUNT=4".to_owned(),
                    exdates: Vec::new(),
                    rdates: Vec::new(),
                };
                let made = series::repeat(tx, &desk, &manager, id, &weekly)?;
                series::publish(tx, &manager, made.id)?;
            }
            Fate::Published | Fate::Closing | Fate::Cancelled => {
                activities::publish(tx, &manager, id)?;
            }
        }
        let shift = activities::shifts(tx.conn, id)?[0].id;
        for n in 0..people {
            let person = volunteer(tx, &names, (number * 40 + n) % VOLUNTEERS)?;
            enrolments::enrol(tx, &desk, &person, shift, &NewEnrolment::default())?;
        }
        if fate == Fate::Cancelled {
            activities::cancel(tx, &manager, id, "示例：场地临时不能使用")?;
        }
        Ok(id)
    });
    Ok((write.await?, email))
}
