//! Who is a no-show, some time after an activity.

use serde::{Deserialize, Serialize};

use super::super::model::AttendanceStatus;
use super::super::{rules, store};
use super::{Seen, advance, rules as numbers, tell_person};
use crate::activities::enrolments::EnrolmentId;
use crate::activities::model::ActivityId;
use crate::activities::service::{Desk, share};
use crate::activities::store as activities;
use crate::error::Result;
use crate::notifications::Kind;
use crate::platform::db::Tx;
use crate::platform::journal::{Actor, Entry};

/// The job that looks who is a no-show.
pub const NO_SHOWS: &str = "attendance.no_shows";

/// How many are looked at in one transaction.
const FEW: i64 = 50;

/// What the job is about.
#[derive(Serialize, Deserialize)]
pub struct Pending {
    /// Which activity.
    pub id: ActivityId,
}

/// A reaction: once an activity is over, or was broken off, somebody looks who did not come.
///
/// # Errors
/// Those of the database.
pub fn react(tx: &mut Tx<'_>, entry: &Entry) -> Result<()> {
    match entry.kind.as_str() {
        "activity.finish" | "activity.cancel" => {
            let id = ActivityId(entry.subject_id.0);
            tx.enqueue(NO_SHOWS, &Pending { id }, tx.now).map(drop)
        }
        _ => Ok(()),
    }
}

/// Makes no-shows of those who are still expected in an activity, a few after another one; returns after whom
/// to go on. Before its time it only sees to it that it is done then.
///
/// # Errors
/// Those of the database.
pub fn no_shows(
    tx: &mut Tx<'_>,
    desk: &Desk,
    id: ActivityId,
    after: Option<EnrolmentId>,
) -> Result<Option<EnrolmentId>> {
    share(tx, id)?;
    let activity = activities::activity(tx.conn, id)?;
    let due = rules::no_show_at(&activity, numbers(desk));
    if tx.now < due {
        tx.enqueue(NO_SHOWS, &Pending { id }, due)?;
        return Ok(None);
    }
    let few = store::still_expected(tx.conn, id, after, FEW)?;
    let last = few.last().map(|enrolment| enrolment.id);
    for enrolment in few {
        tx.serialize_on(&format!("attendance of:{}", enrolment.id))?;
        let shift = activities::shift(tx.conn, enrolment.shift_id)?;
        // somebody may just have come by a late entry
        let attendance = store::of_enrolment(tx.conn, &enrolment, tx.now)?;
        let is_expected = attendance.status == AttendanceStatus::Expected;
        if !is_expected || !rules::is_held(&activity, &shift) {
            continue;
        }
        let wanted = attendance.clone();
        let seen = Seen {
            attendance,
            enrolment,
            activity: activity.clone(),
            shift,
            relation: rules::Relation::default(),
        };
        advance(tx, &seen, wanted, "no_show", (Actor::System, None))?;
        tell_person(tx, &seen, Actor::System, Kind::NoShow, &[])?;
    }
    Ok(last)
}
