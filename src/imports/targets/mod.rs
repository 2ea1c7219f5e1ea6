//! What can be imported: the fields of each target, and how a row becomes one.

mod organizations;
mod projects;
mod regions;
mod volunteers;
mod wishes;

use std::str::FromStr;

use uuid::Uuid;

use super::row::Row;
use super::service::Desk;
use crate::error::{Code, Error, Result};
use crate::identity::AccountId;
use crate::organizations::OrganizationId;
use crate::platform::db::{Conn, Tx};
use crate::platform::journal::Actor;
use crate::projects::ProjectId;
use crate::regions::RegionId;
use crate::text_enum;
use crate::wishes::WishId;

text_enum! {
    /// What can be imported.
    Target {
        /// Regions, and their outlines.
        Regions,
        /// Organisations.
        Organizations,
        /// Volunteers, with their accounts.
        Volunteers,
        /// Projects, each with one role.
        Projects,
        /// Wishes, posted for others.
        Wishes,
    }
}

/// How a field is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text, or one of a few.
    Text,
    /// A number.
    Number,
    /// A number, or no limit.
    Limit,
    /// A date.
    Date,
    /// `true` or `false`, in several words.
    Truth,
    /// Texts with something between them.
    List,
}

/// A field of a target.
#[derive(Debug)]
pub struct Field {
    /// Its name in mapping files.
    pub name: &'static str,
    /// How it is read.
    pub kind: Kind,
    /// Whether every row must say it.
    pub required: bool,
}

const fn field(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        required: false,
    }
}

const fn required(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        required: true,
    }
}

/// What became of a thing by a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is new.
    Created,
    /// It was there, and was brought up to date.
    Updated,
    /// It was there, and the row says nothing new of it.
    Unchanged,
}

/// What all rows of an import share.
pub struct Context<'a> {
    /// What writes need.
    pub desk: &'a Desk,
    /// Who imports, for the journal.
    pub actor: Actor,
    /// Who stands as the author.
    pub author: AccountId,
    /// Where the data come from.
    pub source: &'a str,
    /// The regions, with all below them, of whoever imports for some only; what they import waits
    /// for its review. None: everywhere, and what was reviewed where it comes from is taken as it is.
    pub within: Option<&'a [RegionId]>,
}

impl Context<'_> {
    /// Whether things of this region may be imported.
    ///
    /// # Errors
    /// Those of the database.
    pub fn reaches(&self, conn: &mut Conn, region: RegionId) -> Result<bool> {
        for scope in self.within.into_iter().flatten() {
            if crate::regions::contains(conn, *scope, region)? {
                return Ok(true);
            }
        }
        Ok(self.within.is_none())
    }
}

impl Target {
    /// Its fields.
    pub fn fields(self) -> &'static [Field] {
        match self {
            Self::Regions => regions::FIELDS,
            Self::Organizations => organizations::FIELDS,
            Self::Volunteers => volunteers::FIELDS,
            Self::Projects => projects::FIELDS,
            Self::Wishes => wishes::FIELDS,
        }
    }

    /// Of each of these a mapping says at least one: no row could do without.
    pub fn alternatives(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Regions => &[],
            Self::Volunteers => &[&["phone", "email"]],
            Self::Organizations | Self::Projects | Self::Wishes => &[&["region", "longitude"]],
        }
    }

    /// The fields by which rows of one file meet: each with what it names, which is itself in the row
    /// that makes it.
    pub fn ties(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Regions => &[("code", "code"), ("parent", "code")],
            Self::Organizations => &[("credit_code", "credit_code")],
            Self::Volunteers => &[("phone", "phone"), ("email", "email")],
            Self::Projects | Self::Wishes => &[],
        }
    }

    /// Makes a row into something new, or brings `known` up to date. Returns its id, and what became of
    /// it.
    ///
    /// # Errors
    /// `invalid` with every wrong field, and what the target's room refuses.
    pub fn write(
        self,
        tx: &mut Tx<'_>,
        context: &Context<'_>,
        row: &mut Row<'_>,
        known: Option<Uuid>,
    ) -> Result<(Uuid, Outcome)> {
        let id = match self {
            // several sources may write one
            Self::Regions => return regions::write(tx, context, row),
            Self::Organizations => organizations::write(tx, context, row, known),
            Self::Volunteers => volunteers::write(tx, context, row, known),
            Self::Projects => projects::write(tx, context, row, known),
            Self::Wishes => wishes::write(tx, context, row, known),
        }?;
        let outcome = known.map_or(Outcome::Created, |_| Outcome::Updated);
        Ok((id, outcome))
    }

    /// The version and the region of what a row was made into; none where it is no more, and for
    /// regions, which have no other writer.
    ///
    /// # Errors
    /// Those of the database.
    pub fn present(self, conn: &mut Conn, subject: Uuid) -> Result<Option<(i32, RegionId)>> {
        let found = match self {
            Self::Regions => return Ok(None),
            Self::Volunteers => {
                let profile = crate::volunteers::profile(conn, AccountId(subject))?;
                return Ok(profile.map(|(profile, version)| (version, profile.region_id)));
            }
            Self::Organizations => {
                crate::organizations::organization(conn, OrganizationId(subject))
                    .map(|organization| (organization.version, organization.region_id))
            }
            Self::Projects => crate::projects::project(conn, ProjectId(subject))
                .map(|project| (project.version, project.region_id)),
            Self::Wishes => crate::wishes::wish(conn, WishId(subject))
                .map(|wish| (wish.version, wish.region_id)),
        };
        match found {
            Ok(present) => Ok(Some(present)),
            Err(Error::Problem(problem)) if problem.code == Code::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The field that a pointer into the written thing is about.
    pub fn field_at(self, pointer: &str) -> String {
        if pointer.ends_with("/external_id") {
            return "external_id".to_owned();
        }
        // what a role is called is no title
        let pointer = pointer
            .replace("/roles/0/name", "/role_name")
            .replace("/contact/", "/contact_");
        let is_known = |name: &str| self.fields().iter().any(|field| field.name == name);
        pointer
            .rsplit('/')
            .map(|segment| segment.strip_suffix("_id").unwrap_or(segment))
            .find(|segment| is_known(segment))
            .unwrap_or(pointer.trim_start_matches('/'))
            .to_owned()
    }
}

/// Stands in for a required text that is missing.
const UNREAD: &str = "（缺）";

/// Stands in for a region that could not be read: no room finds it.
const NOWHERE: RegionId = RegionId(Uuid::nil());

/// How far from its nearest region a place may lie, in metres.
const REACH_M: f64 = 20_000.0;

/// The region a row lies in: by the code it gives, else by its coordinate, else by the code that
/// the mapping gives; a stand-in where none is found.
fn place(
    conn: &mut Conn,
    context: &Context<'_>,
    row: &mut Row<'_>,
    coordinate: (Option<f64>, Option<f64>),
) -> Result<RegionId> {
    let mut region = None;
    if row.given("region").is_none()
        && let (Some(longitude), Some(latitude)) = coordinate
        && longitude.abs() <= 180.0
        && latitude.abs() <= 90.0
    {
        region = crate::regions::locate(conn, longitude, latitude, REACH_M)?;
    }
    if region.is_none()
        && let Some(code) = row.text("region")
    {
        region = crate::regions::by_code(conn, &code)?;
        if region.is_none() {
            row.refuse("region", Code::UnknownReference);
        }
    } else if region.is_none() && (row.is_wrong("longitude") || row.is_wrong("latitude")) {
        row.leave_open("region");
    } else if region.is_none() {
        row.require("region");
    }
    let region = region.map(|region| region.id);
    if let Some(region) = region
        && !context.reaches(conn, region)?
    {
        row.refuse("region", Code::OutsideYourRegions);
    }
    Ok(region.unwrap_or(NOWHERE))
}

/// The state a row asks for: the first, which is also that of a row which asks for none, or the
/// second, which counts as reviewed where it comes from.
fn status<T: FromStr + PartialEq>(
    context: &Context<'_>,
    row: &mut Row<'_>,
    (draft, reviewed): (T, T),
) -> T {
    match row.choice::<T>("status") {
        Some(status) if status == reviewed => {
            if context.within.is_some() {
                row.refuse("status", Code::DraftsOnly);
                return draft;
            }
            reviewed
        }
        Some(status) if status != draft => {
            row.refuse("status", Code::UnknownReference);
            draft
        }
        _ => draft,
    }
}
