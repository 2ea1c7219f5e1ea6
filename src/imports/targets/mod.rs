//! What can be imported: the fields of each target, and how a row becomes one.

mod organizations;
mod projects;
mod regions;
mod volunteers;
mod wishes;

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

    /// Makes a row into something new, or brings `known` up to date. Returns its id.
    ///
    /// # Errors
    /// `invalid` with every wrong field, and what the target's room refuses.
    pub fn write(
        self,
        tx: &mut Tx<'_>,
        context: &Context<'_>,
        row: &mut Row<'_>,
        known: Option<Uuid>,
    ) -> Result<Uuid> {
        match self {
            Self::Regions => regions::write(tx, context, row),
            Self::Organizations => organizations::write(tx, context, row, known),
            Self::Volunteers => volunteers::write(tx, context, row, known),
            Self::Projects => projects::write(tx, context, row, known),
            Self::Wishes => wishes::write(tx, context, row, known),
        }
    }

    /// The version of what a row was made into; none where it is no more, and for regions.
    ///
    /// # Errors
    /// Those of the database.
    pub fn version(self, conn: &mut Conn, subject: Uuid) -> Result<Option<i32>> {
        let found = match self {
            Self::Regions => return Ok(None),
            Self::Volunteers => {
                let profile = crate::volunteers::profile(conn, AccountId(subject))?;
                return Ok(profile.map(|(_, version)| version));
            }
            Self::Organizations => {
                crate::organizations::organization(conn, OrganizationId(subject))
                    .map(|organization| organization.version)
            }
            Self::Projects => {
                crate::projects::project(conn, ProjectId(subject)).map(|project| project.version)
            }
            Self::Wishes => crate::wishes::wish(conn, WishId(subject)).map(|wish| wish.version),
        };
        match found {
            Ok(version) => Ok(Some(version)),
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

/// How far from its nearest region a place may lie, in metres.
const REACH_M: f64 = 20_000.0;

/// The region a row lies in: by the code it gives, else by its coordinate, else by the code that
/// the mapping gives.
fn place(
    conn: &mut Conn,
    row: &mut Row<'_>,
    coordinate: (Option<f64>, Option<f64>),
) -> Result<Option<RegionId>> {
    if row.given("region").is_none()
        && let (Some(longitude), Some(latitude)) = coordinate
        && longitude.abs() <= 180.0
        && latitude.abs() <= 90.0
        && let Some(region) = crate::regions::locate(conn, longitude, latitude, REACH_M)?
    {
        return Ok(Some(region.id));
    }
    let Some(code) = row.text("region") else {
        row.refuse("region", Code::Required);
        return Ok(None);
    };
    let region = crate::regions::by_code(conn, &code)?;
    if region.is_none() {
        row.refuse("region", Code::UnknownReference);
    }
    Ok(region.map(|region| region.id))
}
