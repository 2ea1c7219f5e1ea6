use diesel::prelude::*;

use crate::activities::model::ActivityId;
use crate::identity::AccountId;
use crate::platform::clock::Instant;
use crate::regions::RegionId;
use crate::schema::{incident_notes, incident_photos, incidents};
use crate::{id, text_enum};

id! {
    /// Names an incident.
    IncidentId
}
id! {
    /// Names a note on an incident.
    NoteId
}
id! {
    /// Names a photo of an incident.
    PhotoId
}

text_enum! {
    /// What went wrong.
    IncidentKind {
        /// Somebody was hurt or fell ill.
        Injury,
        /// Somebody is missing.
        MissingPerson,
        /// Violence, or a threat of it.
        Violence,
        /// Something was lost or damaged.
        Property,
        /// The weather.
        Weather,
        /// Something else.
        Other,
    }
}

text_enum! {
    /// How bad it is.
    Severity {
        /// Looked after on the spot.
        Minor,
        /// Needs help from elsewhere.
        Serious,
        /// Somebody's life is in danger.
        LifeThreatening,
    }
}

text_enum! {
    /// Where an incident stands.
    IncidentStatus {
        /// Nobody of the staff has said yet that they look after it.
        Reported,
        /// Somebody looks after it.
        Acknowledged,
        /// Done with, with an outcome.
        Resolved,
    }
}

text_enum! {
    /// As what somebody adds to an incident.
    WrittenAs {
        /// Staff of the region.
        Staff,
        /// Who organises the activity.
        Organizer,
        /// Who reported it.
        Reporter,
    }
}

/// Something that went wrong in an activity.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = incidents)]
pub struct Incident {
    /// Its id.
    pub id: IncidentId,
    /// In which activity.
    pub activity_id: ActivityId,
    /// Where that was held then: the staff there look after it.
    pub region_id: RegionId,
    /// Who reported it.
    pub reporter_id: AccountId,
    /// What went wrong.
    pub kind: IncidentKind,
    /// How bad it is.
    pub severity: Severity,
    /// What happened, in the reporter's words.
    pub what: String,
    /// When.
    pub happened_at: Instant,
    /// How many people it concerns.
    pub people: i32,
    /// Whether it is about those who organise.
    pub concerns_organizer: bool,
    /// Where it stands.
    pub status: IncidentStatus,
    /// Since when.
    pub status_since: Instant,
    /// What came of it.
    pub outcome: Option<String>,
    /// When it was reported.
    pub created_at: Instant,
}

/// What was added to an incident.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = incident_notes)]
pub struct Note {
    /// Its id.
    pub id: NoteId,
    /// To which incident.
    pub incident_id: IncidentId,
    /// By whom.
    pub author_id: AccountId,
    /// As what.
    pub written_as: WrittenAs,
    /// In the author's words.
    pub body: String,
    /// When.
    pub created_at: Instant,
}

/// A photo of an incident.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = incident_photos)]
pub struct Photo {
    /// Its id.
    pub id: PhotoId,
    /// Of which incident.
    pub incident_id: IncidentId,
    /// Who added it.
    pub author_id: AccountId,
    /// The photo's key in the file store.
    pub photo: String,
    /// The thumbnail's key.
    pub thumbnail: String,
    /// When it was added.
    pub created_at: Instant,
}
