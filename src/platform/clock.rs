//! The one clock.
//!
//! Everything that asks for the time asks here, so that a test can hold it still and move it.

use std::ops::{Add, Deref, Sub};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An instant in UTC, in whole microseconds: the finest step both databases store.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
    AsExpression,
    FromSqlRow,
)]
#[diesel(sql_type = super::columns::sql::Instant)]
#[serde(from = "DateTime<Utc>", into = "DateTime<Utc>")]
#[schema(value_type = String, format = DateTime)]
pub struct Instant(DateTime<Utc>);

impl Instant {
    /// The instant so many microseconds after the beginning of 1970.
    pub fn from_micros(micros: i64) -> Option<Self> {
        DateTime::from_timestamp_micros(micros).map(Self)
    }

    /// The date and time on the wall, as people read it: `2026-11-23 10:00`.
    pub fn on_the_wall(self, zone: chrono_tz::Tz) -> String {
        self.with_timezone(&zone)
            .format("%Y-%m-%d %H:%M")
            .to_string()
    }
}
impl From<DateTime<Utc>> for Instant {
    fn from(at: DateTime<Utc>) -> Self {
        Self::from_micros(at.timestamp_micros()).unwrap_or_default()
    }
}
impl From<Instant> for DateTime<Utc> {
    fn from(at: Instant) -> Self {
        at.0
    }
}
impl Deref for Instant {
    type Target = DateTime<Utc>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
impl Add<TimeDelta> for Instant {
    type Output = Self;
    fn add(self, by: TimeDelta) -> Self {
        Self(self.0 + by)
    }
}
impl Sub<TimeDelta> for Instant {
    type Output = Self;
    fn sub(self, by: TimeDelta) -> Self {
        Self(self.0 - by)
    }
}
impl Sub for Instant {
    type Output = TimeDelta;
    fn sub(self, other: Self) -> TimeDelta {
        self.0 - other.0
    }
}

/// Tells the time: the system's, or one set by hand in tests.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that stands still at `at` until it is moved; clones share it.
    pub fn fixed(at: Instant) -> Self {
        Self(Some(Arc::new(AtomicI64::new(at.timestamp_micros()))))
    }

    /// Now, in whole microseconds.
    pub fn now(&self) -> Instant {
        let micros = match &self.0 {
            Some(fixed) => fixed.load(Ordering::SeqCst),
            None => Utc::now().timestamp_micros(),
        };
        Instant::from_micros(micros).unwrap_or_default()
    }

    /// Moves a fixed clock forward; the system's clock is left alone.
    pub fn advance(&self, by: TimeDelta) {
        if let Some(fixed) = &self.0 {
            fixed.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::SeqCst);
        }
    }
}
