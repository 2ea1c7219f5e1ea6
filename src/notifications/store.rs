//! All of the room's SQL.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::{Kind, Notice};
use crate::error::{Code, Result};
use crate::id;
use crate::identity::AccountId;
use crate::platform::clock::Instant;
use crate::platform::columns::{Json, Uid};
use crate::platform::db::{Conn, Tx};
use crate::schema::{notification_preferences, notifications, quiet_hours};

id! {
    /// Names a notification.
    NotificationId
}

/// A notice in somebody's inbox.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
// written in full, so that the statement stays prepared
#[diesel(table_name = notifications, treat_none_as_default_value = false)]
pub struct Notification {
    pub id: NotificationId,
    pub account_id: AccountId,
    pub kind: Kind,
    pub subject_kind: String,
    pub subject_id: Uid,
    pub params: Json<BTreeMap<String, String>>,
    pub created_at: Instant,
    pub read_at: Option<Instant>,
}

pub fn insert(tx: &mut Tx<'_>, notice: &Notice) -> Result<NotificationId> {
    let id = NotificationId::new();
    let row = Notification {
        id,
        account_id: notice.to,
        kind: notice.kind,
        subject_kind: notice.subject.0.to_owned(),
        subject_id: Uid(notice.subject.1),
        params: Json(
            notice
                .params
                .iter()
                .map(|(gap, text)| ((*gap).to_owned(), text.clone()))
                .collect(),
        ),
        created_at: tx.now,
        read_at: None,
    };
    diesel::insert_into(notifications::table)
        .values(row)
        .execute(tx.conn)?;
    Ok(id)
}

/// The last notice of a kind about a thing that the person has not read.
pub fn unread_one(
    conn: &mut Conn,
    account: AccountId,
    kind: Kind,
    subject: uuid::Uuid,
) -> Result<Option<NotificationId>> {
    Ok(notifications::table
        .filter(notifications::account_id.eq(account))
        .filter(notifications::kind.eq(kind))
        .filter(notifications::subject_id.eq(Uid(subject)))
        .filter(notifications::read_at.is_null())
        .order(notifications::id.desc())
        .select(notifications::id)
        .first(conn)
        .optional()?)
}

pub fn remove(conn: &mut Conn, id: NotificationId) -> Result<()> {
    diesel::delete(notifications::table.find(id)).execute(conn)?;
    Ok(())
}

/// Whether the person has not read yet what was told a moment ago about the same.
pub fn is_paused(tx: &mut Tx<'_>, notice: &Notice) -> Result<bool> {
    let Some(pause) = notice.mail_pause else {
        return Ok(false);
    };
    let mut about = vec![Uid(notice.subject.1)];
    about.extend(notice.alike.iter().map(|id| Uid(*id)));
    Ok(diesel::select(diesel::dsl::exists(
        notifications::table
            .filter(notifications::account_id.eq(notice.to))
            .filter(notifications::kind.eq(notice.kind))
            .filter(notifications::subject_id.eq_any(about))
            .filter(notifications::read_at.is_null())
            .filter(notifications::created_at.gt(tx.now - pause)),
    ))
    .get_result(tx.conn)?)
}

pub fn list(
    conn: &mut Conn,
    account: AccountId,
    unread: bool,
    before: Option<NotificationId>,
    limit: i64,
) -> Result<Vec<Notification>> {
    let mut rows = notifications::table
        .filter(notifications::account_id.eq(account))
        .select(Notification::as_select())
        .into_boxed();
    if unread {
        rows = rows.filter(notifications::read_at.is_null());
    }
    if let Some(before) = before {
        rows = rows.filter(notifications::id.lt(before));
    }
    Ok(rows
        .order(notifications::id.desc())
        .limit(limit + 1)
        .load(conn)?)
}

pub fn unread(conn: &mut Conn, account: AccountId) -> Result<i64> {
    Ok(notifications::table
        .filter(notifications::account_id.eq(account))
        .filter(notifications::read_at.is_null())
        .count()
        .get_result(conn)?)
}

/// Marks one, or all, as read.
pub fn mark_read(tx: &mut Tx<'_>, account: AccountId, one: Option<NotificationId>) -> Result<()> {
    let mine = notifications::table.filter(notifications::account_id.eq(account));
    let unread = mine.filter(notifications::read_at.is_null());
    let read = notifications::read_at.eq(Some(tx.now));
    match one {
        None => {
            diesel::update(unread).set(read).execute(tx.conn)?;
        }
        Some(id) => {
            let known = mine
                .filter(notifications::id.eq(id))
                .select(notifications::id)
                .first::<NotificationId>(tx.conn);
            if known.optional()?.is_none() {
                return Err(Code::NotFound.into());
            }
            diesel::update(unread.filter(notifications::id.eq(id)))
                .set(read)
                .execute(tx.conn)?;
        }
    }
    Ok(())
}

pub fn wants_mail(conn: &mut Conn, account: AccountId, kind: Kind) -> Result<bool> {
    let preference = notification_preferences::table
        .find((account, kind))
        .select(notification_preferences::mail)
        .first(conn)
        .optional()?;
    Ok(preference.unwrap_or(true))
}

pub fn preferences(conn: &mut Conn, account: AccountId) -> Result<BTreeMap<Kind, bool>> {
    let rows: Vec<(Kind, bool)> = notification_preferences::table
        .filter(notification_preferences::account_id.eq(account))
        .select((
            notification_preferences::kind,
            notification_preferences::mail,
        ))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

pub fn set_preference(conn: &mut Conn, account: AccountId, kind: Kind, mail: bool) -> Result<()> {
    diesel::delete(notification_preferences::table.find((account, kind))).execute(conn)?;
    diesel::insert_into(notification_preferences::table)
        .values((
            notification_preferences::account_id.eq(account),
            notification_preferences::kind.eq(kind),
            notification_preferences::mail.eq(mail),
        ))
        .execute(conn)?;
    Ok(())
}

/// Minutes after midnight, from and to.
pub fn quiet_hours(conn: &mut Conn, account: AccountId) -> Result<Option<(i32, i32)>> {
    Ok(quiet_hours::table
        .find(account)
        .select((quiet_hours::from_minute, quiet_hours::to_minute))
        .first(conn)
        .optional()?)
}

pub fn set_quiet_hours(
    conn: &mut Conn,
    account: AccountId,
    hours: Option<(i32, i32)>,
) -> Result<()> {
    diesel::delete(quiet_hours::table.find(account)).execute(conn)?;
    if let Some((from, to)) = hours {
        diesel::insert_into(quiet_hours::table)
            .values((
                quiet_hours::account_id.eq(account),
                quiet_hours::from_minute.eq(from),
                quiet_hours::to_minute.eq(to),
            ))
            .execute(conn)?;
    }
    Ok(())
}
