use chrono::NaiveDate;
use diesel::prelude::*;

use crate::id;
use crate::identity::AccountId;
use crate::platform::clock::Instant;
use crate::platform::columns::Json;
use crate::schema::activity_series;

id! {
    /// Names a series of activities.
    SeriesId
}

/// Activities that come again by a rule; each is one of its own.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
#[diesel(table_name = activity_series)]
pub struct Series {
    /// Its id.
    pub id: SeriesId,
    /// Who wrote it down.
    pub author_id: AccountId,
    /// The value of `RRULE` (RFC 5545).
    pub rule: String,
    /// Days of the rule on which it does not come (`EXDATE`).
    pub exdates: Json<Vec<NaiveDate>>,
    /// Further days on which it comes (`RDATE`).
    pub rdates: Json<Vec<NaiveDate>>,
    /// Counts the changes of its activities.
    pub version: i32,
    /// When it was written down.
    pub created_at: Instant,
}
