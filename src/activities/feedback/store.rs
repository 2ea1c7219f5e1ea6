//! The SQL of feedback.

use diesel::prelude::*;

use super::model::{Direction, Feedback};
use crate::activities::enrolments::EnrolmentId;
use crate::activities::model::ActivityId;
use crate::error::Result;
use crate::organizations::OrganizationId;
use crate::platform::db::Conn;
use crate::schema::feedback;

/// What was said about a place in one direction.
pub fn of_place(
    conn: &mut Conn,
    place: EnrolmentId,
    direction: Direction,
) -> Result<Option<Feedback>> {
    Ok(feedback::table
        .filter(feedback::enrolment_id.eq(place))
        .filter(feedback::direction.eq(direction))
        .select(Feedback::as_select())
        .first(conn)
        .optional()?)
}

pub fn insert(conn: &mut Conn, said: &Feedback) -> Result<()> {
    diesel::insert_into(feedback::table)
        .values(said)
        .execute(conn)?;
    Ok(())
}

pub fn update(conn: &mut Conn, said: &Feedback) -> Result<()> {
    diesel::update(feedback::table.find(said.id))
        .set(said)
        .execute(conn)?;
    Ok(())
}

/// Of which activities an average is asked for.
#[derive(Clone, Copy, Debug)]
pub enum About {
    /// Of one.
    Activity(ActivityId),
    /// Of all of an organisation.
    Organization(OrganizationId),
}

/// Each mark that volunteers gave, with how often: for how it was organised, for safety, for sense.
pub type Marks = [Vec<(i32, i64)>; 3];

pub fn marks(conn: &mut Conn, about: About) -> Result<Marks> {
    macro_rules! of {
        ($column:ident) => {{
            let given = feedback::table
                .filter(feedback::direction.eq(Direction::ToActivity))
                .filter(feedback::$column.is_not_null())
                .group_by(feedback::$column)
                .select((
                    feedback::$column.assume_not_null(),
                    diesel::dsl::count_star(),
                ));
            match about {
                About::Activity(id) => given.filter(feedback::activity_id.eq(id)).load(conn)?,
                About::Organization(id) => {
                    given.filter(feedback::organization_id.eq(id)).load(conn)?
                }
            }
        }};
    }
    Ok([of!(organization), of!(safety), of!(meaning)])
}

/// What volunteers wrote of an activity, each text once and in an order that says nothing of who wrote it.
pub fn comments(
    conn: &mut Conn,
    of: ActivityId,
    after: Option<String>,
    limit: i64,
) -> Result<Vec<String>> {
    let mut rows = feedback::table
        .filter(feedback::activity_id.eq(of))
        .filter(feedback::direction.eq(Direction::ToActivity))
        .filter(feedback::comment.ne(""))
        .select(feedback::comment)
        .distinct()
        .into_boxed();
    if let Some(after) = after {
        rows = rows.filter(feedback::comment.gt(after));
    }
    Ok(rows.order(feedback::comment).limit(limit + 1).load(conn)?)
}
