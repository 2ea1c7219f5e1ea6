//! Roles of claimed projects as needs.
//!
//! A role is open while its project has a live claim with a place left in it; each claim has its
//! own crew. It lies at its project's coordinates, else at the centre of its region, with the
//! radius that is usual there, and begins and ends with its project.

use std::collections::HashMap;

use chrono::{NaiveDate, NaiveTime, TimeZone, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use super::{
    About, Askers, Bar, Batch, Commitments, Ids, Setting, Source, region_facts, street_names,
};
use crate::error::{Code, Result};
use crate::identity::{AccountId, Caller};
use crate::matching::invitations::{Asker, Room};
use crate::matching::{
    Hours, Located, Need, NeedId, NeedKind, Site, Span, Spot, Wanted, Whereabouts,
};
use crate::platform::clock::Instant;
use crate::platform::columns::Json;
use crate::platform::db::Conn;
use crate::projects::claims::{self, ClaimId};
use crate::projects::crews::{self, CrewMemberId, CrewStatus, Schedule, Standing};
use crate::projects::{ProjectId, ProjectStatus, RoleId, RoleSkill, least_age};
use crate::regions::{self, RegionId};
use crate::schema::{crew_members, project_claims, project_roles, projects};
use crate::taxonomies::LifeCycle;
use crate::volunteers::Window;

pub const SOURCE: Source = Source {
    kind: NeedKind::ProjectRole,
    ids,
    load,
    touched,
    people,
    commitments,
    barred,
    beside,
    may_ask,
    about,
    room,
    askers,
};

/// The states in which a project's crews take people.
const OPEN: [ProjectStatus; 3] = [
    ProjectStatus::Open,
    ProjectStatus::Claimed,
    ProjectStatus::Running,
];

fn named(ids: &[Uuid]) -> Vec<RoleId> {
    ids.iter().map(|id| RoleId(*id)).collect()
}

fn ids(conn: &mut Conn) -> Result<Vec<Uuid>> {
    let claimed = project_claims::table
        .filter(project_claims::status.eq_any(claims::rules::LIVE.to_vec()))
        .select(project_claims::project_id);
    let found: Vec<RoleId> = project_roles::table
        .inner_join(projects::table)
        .filter(projects::status.eq_any(OPEN))
        .filter(projects::id.eq_any(claimed))
        .order(project_roles::id)
        .select(project_roles::id)
        .load(conn)?;
    Ok(found.into_iter().map(|id| id.0).collect())
}

#[derive(Queryable)]
struct Row {
    id: RoleId,
    project_id: ProjectId,
    name: String,
    seats: i32,
    qualification: Option<String>,
    skills: Json<Vec<RoleSkill>>,
    hours: Json<Vec<Window>>,
    title: String,
    region_id: RegionId,
    life_cycle: LifeCycle,
    minors: bool,
    dangerous: bool,
    party_only: bool,
    starts_on: NaiveDate,
    ends_on: NaiveDate,
    longitude: Option<f64>,
    latitude: Option<f64>,
}

fn load(conn: &mut Conn, setting: &Setting, ids: &[Uuid]) -> Result<Vec<Need>> {
    let rows: Vec<Row> = project_roles::table
        .inner_join(projects::table)
        .filter(project_roles::id.eq_any(named(ids)))
        .filter(projects::status.eq_any(OPEN))
        .order(project_roles::id)
        .select((
            project_roles::id,
            project_roles::project_id,
            project_roles::name,
            project_roles::seats,
            project_roles::qualification,
            project_roles::skills,
            project_roles::hours,
            projects::title,
            projects::region_id,
            projects::life_cycle,
            projects::minors,
            projects::dangerous,
            projects::party_only,
            projects::starts_on,
            projects::ends_on,
            projects::longitude,
            projects::latitude,
        ))
        .load(conn)?;
    let crews = crews_of(conn, &rows)?;
    let filled = filled(conn, ids)?;
    let mut of: Vec<_> = rows.iter().map(|row| row.region_id).collect();
    of.sort_unstable();
    of.dedup();
    let facts = region_facts(conn, &of)?;
    let streets = street_names(conn, &of)?;
    let need = |row: Row| {
        let crews = crews.get(&row.project_id).copied()?;
        let region = facts.get(&row.region_id)?;
        let reach = setting.matching.regions.of(region.level);
        let at = |(longitude, latitude)| Site {
            spot: Spot {
                longitude,
                latitude,
            },
            radius_m: reach.radius_m,
        };
        let whereabouts = match (row.longitude.zip(row.latitude), region.centre) {
            (Some(own), _) => Whereabouts::At(at(own), Located::Own),
            (None, Some(centre)) => Whereabouts::At(at(centre), Located::RegionCentre),
            (None, None) => Whereabouts::Unknown,
        };
        let (required, wanted): (Vec<_>, Vec<_>) =
            row.skills.0.into_iter().partition(|skill| skill.required);
        let spans = row.hours.0.iter();
        let spans = spans.map(|w| Span::of_weekday(w.weekday, w.from_minute, w.to_minute));
        Some(Need {
            id: NeedId {
                id: row.id.0,
                kind: NeedKind::ProjectRole,
            },
            project: Some(row.project_id.0),
            title: format!("{} · {}", row.title, row.name),
            region: row.region_id,
            regions: region.with_ancestors.clone(),
            public_regions: region.with_ancestors.clone(),
            street: streets.get(&row.region_id).cloned(),
            life_cycle: row.life_cycle,
            whereabouts,
            scale_m: reach.scale_m,
            hours: Hours::weekly(spans),
            starts_at: midnight(row.starts_on, setting.zone),
            first_day: Some(row.starts_on),
            required: required.into_iter().map(|s| (s.skill, s.level)).collect(),
            wanted: wanted.into_iter().map(wished).collect(),
            qualifications: row.qualification.into_iter().collect(),
            party_only: row.party_only,
            minors: row.minors,
            last_day: Some(row.ends_on),
            min_age: None,
            least_known_age: Some(least_age(row.minors, row.dangerous)),
            places: u32::try_from(row.seats).unwrap_or(0).saturating_mul(crews),
            filled: filled.get(&row.id).copied().unwrap_or(0),
            owners: Vec::new(),
        })
    };
    Ok(rows.into_iter().filter_map(need).collect())
}

fn wished(skill: RoleSkill) -> Wanted {
    Wanted {
        skill: skill.skill,
        weight: f64::from(skill.importance),
        level: Some(skill.level),
    }
}

/// When a day begins on the wall.
fn midnight(day: NaiveDate, zone: chrono_tz::Tz) -> Option<Instant> {
    let begins = zone
        .from_local_datetime(&day.and_time(NaiveTime::MIN))
        .earliest()?;
    Some(begins.with_timezone(&Utc).into())
}

/// How many crews each of the rows' projects has: one for each live claim.
fn crews_of(conn: &mut Conn, rows: &[Row]) -> Result<HashMap<ProjectId, u32>> {
    let mut of: Vec<_> = rows.iter().map(|row| row.project_id).collect();
    of.sort_unstable();
    of.dedup();
    let counts: Vec<(ProjectId, i64)> = project_claims::table
        .filter(project_claims::project_id.eq_any(of))
        .filter(project_claims::status.eq_any(claims::rules::LIVE.to_vec()))
        .group_by(project_claims::project_id)
        .select((project_claims::project_id, diesel::dsl::count_star()))
        .load(conn)?;
    Ok(counts
        .into_iter()
        .map(|(id, n)| (id, u32::try_from(n).unwrap_or(u32::MAX)))
        .collect())
}

fn filled(conn: &mut Conn, ids: &[Uuid]) -> Result<HashMap<RoleId, u32>> {
    let counts: Vec<(RoleId, i64)> = crew_members::table
        .inner_join(project_claims::table)
        .filter(crew_members::role_id.eq_any(named(ids)))
        .filter(crew_members::status.eq(CrewStatus::Active))
        .filter(project_claims::status.eq_any(claims::rules::LIVE.to_vec()))
        .group_by(crew_members::role_id)
        .select((crew_members::role_id, diesel::dsl::count_star()))
        .load(conn)?;
    Ok(counts
        .into_iter()
        .map(|(id, n)| (id, u32::try_from(n).unwrap_or(u32::MAX)))
        .collect())
}

fn touched(conn: &mut Conn, noun: &str, subjects: &[Uuid]) -> Result<Vec<Uuid>> {
    let of_projects = |conn: &mut Conn, ids: Vec<ProjectId>| -> Result<Vec<RoleId>> {
        Ok(project_roles::table
            .filter(project_roles::project_id.eq_any(ids))
            .select(project_roles::id)
            .load(conn)?)
    };
    let found: Vec<RoleId> = match noun {
        "project" => {
            let ids = subjects.iter().map(|id| ProjectId(*id)).collect();
            of_projects(conn, ids)?
        }
        "project_claim" => {
            let ids: Vec<_> = subjects.iter().map(|id| ClaimId(*id)).collect();
            let of = project_claims::table
                .filter(project_claims::id.eq_any(ids))
                .select(project_claims::project_id)
                .load(conn)?;
            of_projects(conn, of)?
        }
        "region" => {
            let ids: Vec<_> = subjects.iter().map(|id| RegionId(*id)).collect();
            let of = projects::table
                // and below: needs are told by their street
                .filter(projects::region_id.eq_any(regions::within_any(ids)))
                .filter(projects::status.eq_any(OPEN))
                .select(projects::id)
                .load(conn)?;
            of_projects(conn, of)?
        }
        "crew_member" => crew_members::table
            .filter(crew_members::id.eq_any(places(subjects)))
            .select(crew_members::role_id)
            .load(conn)?,
        _ => Vec::new(),
    };
    Ok(found.into_iter().map(|id| id.0).collect())
}

fn places(subjects: &[Uuid]) -> Vec<CrewMemberId> {
    subjects.iter().map(|id| CrewMemberId(*id)).collect()
}

fn people(conn: &mut Conn, noun: &str, subjects: &[Uuid]) -> Result<Vec<AccountId>> {
    let mut rows = crew_members::table
        .select(crew_members::account_id)
        .into_boxed();
    rows = match noun {
        "crew_member" => rows.filter(crew_members::id.eq_any(places(subjects))),
        "project_claim" => {
            let ids: Vec<_> = subjects.iter().map(|id| ClaimId(*id)).collect();
            rows.filter(crew_members::claim_id.eq_any(ids))
        }
        _ => return Ok(Vec::new()),
    };
    Ok(rows.load(conn)?)
}

fn commitments(conn: &mut Conn, people: &[AccountId]) -> Result<Commitments> {
    let counts: Vec<(AccountId, i64)> = crew_members::table
        .inner_join(project_claims::table)
        .filter(crew_members::account_id.eq_any(people.to_vec()))
        .filter(crew_members::status.eq(CrewStatus::Active))
        .filter(project_claims::status.eq_any(claims::rules::LIVE.to_vec()))
        .group_by(crew_members::account_id)
        .select((crew_members::account_id, diesel::dsl::count_star()))
        .load(conn)?;
    Ok(counts
        .into_iter()
        .map(|(id, n)| (id, u32::try_from(n).unwrap_or(u32::MAX)))
        .collect())
}

/// Who stands in a crew of the role's project already, or asked for a place in it; and who has taken
/// on other work at the same hours.
fn barred(conn: &mut Conn, setting: &Setting, batch: &Batch) -> Result<Vec<Bar>> {
    let standings = crews::standings(conn, &batch.people)?;
    let today = batch.now.with_timezone(&setting.zone).date_naive();
    clashes(conn, &standings, &batch.needs, today)
}

/// The roles of the projects in whose crews a person works, and those at the same hours.
fn beside(conn: &mut Conn, who: AccountId, ids: &[Uuid], today: NaiveDate) -> Result<Ids> {
    let mut standings = crews::standings(conn, &[who])?;
    standings.retain(|place| place.is_active);
    let bars = clashes(conn, &standings, ids, today)?;
    Ok(bars.into_iter().filter_map(|bar| bar.need).collect())
}

/// What of these roles collides with these places.
fn clashes(
    conn: &mut Conn,
    standings: &[Standing],
    ids: &[Uuid],
    today: NaiveDate,
) -> Result<Vec<Bar>> {
    if standings.is_empty() {
        return Ok(Vec::new());
    }
    type Role = (RoleId, ProjectId, Json<Vec<Window>>, NaiveDate, NaiveDate);
    let roles: Vec<Role> = project_roles::table
        .inner_join(projects::table)
        .filter(project_roles::id.eq_any(named(ids)))
        .select((
            project_roles::id,
            project_roles::project_id,
            project_roles::hours,
            projects::starts_on,
            projects::ends_on,
        ))
        .load(conn)?;
    let mut bars = Vec::new();
    for (role, project, hours, first, last) in roles {
        let wanted = Schedule {
            hours: hours.0,
            first,
            last,
        };
        for place in standings {
            let code = if place.project == project {
                Code::InCrewAlready
            } else if place.is_active && place.schedule.collides(&wanted, today) {
                Code::TimeConflict
            } else {
                continue;
            };
            bars.push(Bar {
                person: place.account,
                need: Some(role.0),
                code,
            });
        }
    }
    Ok(bars)
}

fn may_ask(conn: &mut Conn, caller: &Caller, id: Uuid) -> Result<bool> {
    crews::may_look_for_people(conn, caller, RoleId(id))
}

fn about(conn: &mut Conn, id: Uuid) -> Result<About> {
    type Row = (String, String, RegionId, ProjectId);
    let found: Option<Row> = project_roles::table
        .inner_join(projects::table)
        .filter(project_roles::id.eq(RoleId(id)))
        .select((
            projects::title,
            project_roles::name,
            projects::region_id,
            projects::id,
        ))
        .first(conn)
        .optional()?;
    let (title, name, region, project) = found.ok_or(Code::NotFound)?;
    Ok(About {
        title: format!("{title} · {name}"),
        region,
        project: Some(project.0),
    })
}

/// The room that a crew has in a role; without a claim, that of all crews together.
fn room(conn: &mut Conn, id: Uuid, claim: Option<ClaimId>, today: NaiveDate) -> Result<Room> {
    type Row = (ProjectId, ProjectStatus, NaiveDate, i32);
    let found: Option<Row> = project_roles::table
        .inner_join(projects::table)
        .filter(project_roles::id.eq(RoleId(id)))
        .select((
            projects::id,
            projects::status,
            projects::ends_on,
            project_roles::seats,
        ))
        .first(conn)
        .optional()?;
    let Some((project, status, last, seats)) = found else {
        return Ok(Room::Gone);
    };
    let mut crews = claims::holders(conn, project)?;
    crews.retain(|holder| claim.is_none_or(|claim| claim == holder.id));
    let is_open = OPEN.contains(&status) || status == ProjectStatus::Suspended;
    if crews.is_empty() || last < today || !is_open {
        return Ok(Room::Gone);
    }
    if status == ProjectStatus::Suspended {
        return Ok(Room::Paused);
    }
    let ids: Vec<_> = crews.iter().map(|crew| crew.id).collect();
    let filled: i64 = crew_members::table
        .filter(crew_members::role_id.eq(RoleId(id)))
        .filter(crew_members::claim_id.eq_any(ids))
        .filter(crew_members::status.eq(CrewStatus::Active))
        .count()
        .get_result(conn)?;
    let places = i64::from(seats) * crews.len() as i64;
    Ok(Room::Places(u32::try_from(places - filled).unwrap_or(0)))
}

/// Those who lead a crew of their projects.
fn askers(conn: &mut Conn, ids: &[Uuid]) -> Result<Askers> {
    let roles: Vec<(RoleId, ProjectId)> = project_roles::table
        .filter(project_roles::id.eq_any(named(ids)))
        .select((project_roles::id, project_roles::project_id))
        .load(conn)?;
    let mut of: Vec<_> = roles.iter().map(|(_, project)| *project).collect();
    of.sort_unstable();
    of.dedup();
    let mut leaders: HashMap<ProjectId, Vec<Asker>> = HashMap::new();
    for claim in claims::holders_of(conn, &of)? {
        let leader = Asker::from(&claim);
        leaders.entry(claim.project_id).or_default().push(leader);
    }
    let of_role = |(role, project): (RoleId, ProjectId)| {
        let leaders = leaders.get(&project).cloned().unwrap_or_default();
        (role.0, leaders)
    };
    Ok(roles.into_iter().map(of_role).collect())
}
