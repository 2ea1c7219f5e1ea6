use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::identity::AccountId;
use crate::platform::clock::Instant;
use crate::regions::RegionId;
use crate::schema::{qualifications, volunteer_skills, volunteers};
use crate::taxonomies::LifeCycle;
use crate::{id, text_enum};

id! {
    /// Names a place of a volunteer.
    PlaceId
}
id! {
    /// Names a qualification of a volunteer.
    QualificationId
}

text_enum! {
    /// Where a qualification stands.
    QualificationStatus {
        /// Waits for a reviewer.
        Submitted,
        /// Seen and believed; in force until its expiry.
        Verified,
        /// Not believed.
        Rejected,
        /// Taken back by its holder.
        Withdrawn,
        /// Believed once, and no longer.
        Revoked,
    }
}

/// The row of a volunteer.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
#[diesel(table_name = volunteers, primary_key(account_id))]
pub struct Volunteer {
    /// Who.
    pub account_id: AccountId,
    /// Where the person lives; its staff review qualifications.
    pub region_id: RegionId,
    /// A few words about oneself.
    pub introduction: String,
    /// For age limits; shown to nobody else.
    pub birth_date: Option<NaiveDate>,
    /// Counts changes.
    pub version: i32,
    /// Since when.
    pub created_at: Instant,
    /// When it was last written.
    pub updated_at: Instant,
}

/// What rules ask first about a volunteer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Basics {
    /// Where the person lives.
    pub region_id: RegionId,
    /// When the person was born, where it is known.
    pub birth_date: Option<NaiveDate>,
}

/// A volunteer's profile, whole.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = VolunteerProfile)]
pub struct Profile {
    /// Where the person lives: any region.
    pub region_id: RegionId,
    /// A few words about oneself.
    #[validate(length(max = 500))]
    pub introduction: String,
    /// For age limits; shown to nobody else.
    pub birth_date: Option<NaiveDate>,
    /// What the person can do.
    #[validate(length(max = 50), nested)]
    pub skills: Vec<SkillLevel>,
    /// The livelihood goals the person cares for; empty means all.
    #[validate(length(max = 7))]
    pub interests: Vec<LifeCycle>,
    /// When the person has time in a week.
    #[validate(length(max = 50), nested)]
    pub availability: Vec<Window>,
    /// From where the person sets out, and how far.
    #[validate(length(max = 5), nested)]
    pub places: Vec<Place>,
}

/// A skill and how well it is mastered.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct SkillLevel {
    /// A code of the taxonomy.
    #[schema(example = "health.first_aid")]
    #[validate(length(min = 1, max = 60))]
    pub skill: String,
    /// 1 can help, 2 can do it alone, 3 can teach it.
    #[validate(range(min = 1, max = 3))]
    pub level: i32,
    /// Whether staff of the region have verified it at this level. It is theirs to say: a profile may
    /// be written back as it was read, and what stands here is not looked at.
    #[serde(default)]
    #[schema(read_only)]
    pub verified: bool,
}

/// The mark that staff set beside a declared skill.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = volunteer_skills)]
pub struct SkillMark {
    /// A code of the taxonomy.
    pub skill: String,
    /// The level it was verified at, or is declared at.
    pub level: i32,
    /// Who verified it.
    pub verified_by: Option<AccountId>,
    /// When; none: it is self-declared.
    pub verified_at: Option<Instant>,
}

impl From<SkillMark> for SkillLevel {
    fn from(mark: SkillMark) -> Self {
        Self {
            skill: mark.skill,
            level: mark.level,
            verified: mark.verified_at.is_some(),
        }
    }
}

/// A half-open window of the week on the wall clock.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// 1 Monday to 7 Sunday.
    #[validate(range(min = 1, max = 7))]
    pub weekday: i32,
    /// Minutes after midnight, included.
    #[validate(range(min = 0, max = 1439))]
    pub from_minute: i32,
    /// Minutes after midnight, not included; 1440 is the end of the day.
    #[validate(range(min = 1, max = 1440))]
    pub to_minute: i32,
}

/// A place from which a volunteer sets out.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// What the person calls it.
    #[validate(length(min = 1, max = 30))]
    pub label: String,
    /// Degrees east.
    #[validate(range(min = -180.0, max = 180.0))]
    pub longitude: f64,
    /// Degrees north.
    #[validate(range(min = -90.0, max = 90.0))]
    pub latitude: f64,
    /// How far the person goes from there, in metres.
    #[validate(range(min = 100, max = 100_000))]
    pub radius_m: i32,
}

/// The row of a qualification.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
#[diesel(table_name = qualifications)]
pub struct Qualification {
    /// Its name.
    pub id: QualificationId,
    /// Whose.
    pub account_id: AccountId,
    /// A code of the taxonomy.
    pub kind: String,
    /// The certificate's number, sealed.
    pub number: Vec<u8>,
    /// The certificate's date.
    pub issued_on: NaiveDate,
    /// The last day on which it counts.
    pub expires_on: Option<NaiveDate>,
    /// Where it stands.
    pub status: QualificationStatus,
    /// Who reviewed it, or revoked it.
    pub reviewed_by: Option<AccountId>,
    /// When.
    pub reviewed_at: Option<Instant>,
    /// Why it was rejected or revoked.
    pub reason: Option<String>,
    /// When it was submitted.
    pub created_at: Instant,
    /// Kind and number by a keyed hash; none for a moment where it was submitted before there were any.
    pub number_hash: Option<Vec<u8>>,
    /// The document's key among the files.
    pub document: Option<String>,
    /// The day on which its holder is next told of its end.
    pub notice_on: Option<NaiveDate>,
}
