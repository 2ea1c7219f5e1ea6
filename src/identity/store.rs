//! All of the room's SQL about accounts, sessions and one-time codes.

use std::collections::HashMap;

use diesel::prelude::*;

use super::model::{Account, AccountId, AccountStatus, EndReason, Session, SessionId, SignUp};
use crate::each;
use crate::error::{Code, Result};
use crate::id;
use crate::platform::clock::Instant;
use crate::platform::db::Conn;
use crate::schema::{accounts, one_time_codes, refresh_tokens, sessions, sign_ups};

/// An account by its id.
///
/// # Errors
/// `not_found`, also for one that was deleted.
pub fn account(conn: &mut Conn, id: AccountId) -> Result<Account> {
    let account = each!(conn, c => accounts::table
        .find(id)
        .filter(accounts::status.ne(AccountStatus::Deleted))
        .select(Account::as_select())
        .first(c)
        .optional());
    account?.ok_or_else(|| Code::NotFound.into())
}

/// What these people are called; not those who are gone.
///
/// # Errors
/// Those of the database.
pub fn names(conn: &mut Conn, ids: &[AccountId]) -> Result<HashMap<AccountId, String>> {
    let rows: Vec<(AccountId, String)> = accounts::table
        .filter(accounts::id.eq_any(ids.to_vec()))
        .filter(accounts::status.ne(AccountStatus::Deleted))
        .select((accounts::id, accounts::display_name))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

/// Whether somebody can sign in as an account: it is not deleted, and there is a way in.
///
/// # Errors
/// Those of the database.
pub fn can_sign_in(conn: &mut Conn, id: AccountId) -> Result<bool> {
    let way_in = accounts::phone
        .is_not_null()
        .or(accounts::password_hash.is_not_null());
    Ok(diesel::select(diesel::dsl::exists(
        accounts::table
            .find(id)
            .filter(accounts::status.ne(AccountStatus::Deleted))
            .filter(way_in),
    ))
    .get_result(conn)?)
}

pub fn by_phone(conn: &mut Conn, phone: &str) -> Result<Option<Account>> {
    Ok(accounts::table
        .filter(accounts::phone.eq(phone))
        .select(Account::as_select())
        .first(conn)
        .optional()?)
}

pub fn by_email(conn: &mut Conn, email: &str) -> Result<Option<Account>> {
    Ok(accounts::table
        .filter(accounts::email.eq(email))
        .select(Account::as_select())
        .first(conn)
        .optional()?)
}

/// By a phone or an address.
pub fn by_contact(conn: &mut Conn, contact: &str) -> Result<Option<Account>> {
    match contact.starts_with('+') {
        true => by_phone(conn, contact),
        false => by_email(conn, contact),
    }
}

pub fn insert_account(conn: &mut Conn, account: &Account) -> Result<()> {
    diesel::insert_into(accounts::table)
        .values(account)
        .execute(conn)?;
    Ok(())
}

/// Writes everything about an account that can change, and returns it at its next version.
///
/// # Errors
/// `version_mismatch` when it changed since it was read.
pub fn update_account(conn: &mut Conn, account: Account) -> Result<Account> {
    let seen = accounts::table
        .find(account.id)
        .filter(accounts::version.eq(account.version));
    let updated = diesel::update(seen)
        .set((
            accounts::phone.eq(&account.phone),
            accounts::email.eq(&account.email),
            accounts::password_hash.eq(&account.password_hash),
            accounts::display_name.eq(&account.display_name),
            accounts::language.eq(&account.language),
            accounts::status.eq(account.status),
            accounts::version.eq(account.version + 1),
        ))
        .execute(conn)?;
    if updated == 0 {
        return Err(Code::VersionMismatch.into());
    }
    Ok(Account {
        version: account.version + 1,
        ..account
    })
}

/// Writes a sign-up down; the last one with an address counts.
pub fn put_sign_up(conn: &mut Conn, sign_up: &SignUp) -> Result<()> {
    diesel::delete(sign_ups::table.find(&sign_up.email)).execute(conn)?;
    diesel::insert_into(sign_ups::table)
        .values(sign_up)
        .execute(conn)?;
    Ok(())
}

pub fn sign_up(conn: &mut Conn, email: &str) -> Result<Option<SignUp>> {
    Ok(sign_ups::table
        .find(email)
        .select(SignUp::as_select())
        .first(conn)
        .optional()?)
}

/// Uses a sign-up up; false when another one took its place.
pub fn take_sign_up(conn: &mut Conn, seen: &SignUp) -> Result<bool> {
    let same = sign_ups::table
        .find(&seen.email)
        .filter(sign_ups::password_hash.eq(&seen.password_hash));
    Ok(diesel::delete(same).execute(conn)? > 0)
}

pub fn delete_sign_ups(conn: &mut Conn, before: Instant) -> Result<usize> {
    Ok(diesel::delete(sign_ups::table.filter(sign_ups::created_at.lt(before))).execute(conn)?)
}

/// Whether the account is active and the session has not ended.
pub fn is_live(conn: &mut Conn, account: AccountId, session: SessionId) -> Result<bool> {
    let live = each!(conn, c => sessions::table
        .inner_join(accounts::table)
        .filter(sessions::id.eq(session))
        .filter(sessions::account_id.eq(account))
        .filter(sessions::ended_at.is_null())
        .filter(accounts::status.eq(AccountStatus::Active))
        .select(sessions::id)
        .first::<SessionId>(c)
        .optional());
    Ok(live?.is_some())
}

pub fn insert_session(conn: &mut Conn, session: &Session) -> Result<()> {
    diesel::insert_into(sessions::table)
        .values(session)
        .execute(conn)?;
    Ok(())
}

pub fn live_sessions(conn: &mut Conn, account: AccountId) -> Result<Vec<Session>> {
    Ok(sessions::table
        .filter(sessions::account_id.eq(account))
        .filter(sessions::ended_at.is_null())
        .order(sessions::last_used_at.desc())
        .select(Session::as_select())
        .load(conn)?)
}

pub fn touch_session(conn: &mut Conn, id: SessionId, now: Instant) -> Result<()> {
    diesel::update(sessions::table.find(id))
        .set(sessions::last_used_at.eq(now))
        .execute(conn)?;
    Ok(())
}

/// Ends a session of this account; returns whether it was live.
pub fn end_session(
    conn: &mut Conn,
    account: AccountId,
    id: SessionId,
    why: EndReason,
    now: Instant,
) -> Result<bool> {
    let ended = diesel::update(
        sessions::table
            .filter(sessions::id.eq(id))
            .filter(sessions::account_id.eq(account))
            .filter(sessions::ended_at.is_null()),
    )
    .set((
        sessions::ended_at.eq(Some(now)),
        sessions::end_reason.eq(Some(why)),
    ))
    .execute(conn)?;
    Ok(ended > 0)
}

/// Ends every session of an account but, perhaps, one.
pub fn end_sessions(
    conn: &mut Conn,
    account: AccountId,
    but: Option<SessionId>,
    why: EndReason,
    now: Instant,
) -> Result<()> {
    for session in live_sessions(conn, account)? {
        if Some(session.id) != but {
            end_session(conn, account, session.id, why, now)?;
        }
    }
    Ok(())
}

pub fn insert_refresh_token(
    conn: &mut Conn,
    hash: &[u8],
    session: SessionId,
    issued: Instant,
    expires: Instant,
) -> Result<()> {
    diesel::insert_into(refresh_tokens::table)
        .values((
            refresh_tokens::token_hash.eq(hash),
            refresh_tokens::session_id.eq(session),
            refresh_tokens::issued_at.eq(issued),
            refresh_tokens::expires_at.eq(expires),
        ))
        .execute(conn)?;
    Ok(())
}

/// A refresh token's session, when the token expires and whether it was used.
pub struct Refresh {
    pub session: Session,
    pub expires_at: Instant,
    pub used_at: Option<Instant>,
}

pub fn refresh_token(conn: &mut Conn, hash: &[u8]) -> Result<Option<Refresh>> {
    let row = refresh_tokens::table
        .inner_join(sessions::table)
        .filter(refresh_tokens::token_hash.eq(hash))
        .select((
            Session::as_select(),
            refresh_tokens::expires_at,
            refresh_tokens::used_at,
        ))
        .first(conn)
        .optional()?;
    Ok(row.map(|(session, expires_at, used_at)| Refresh {
        session,
        expires_at,
        used_at,
    }))
}

/// Uses a refresh token up; false when somebody else just did.
pub fn use_refresh_token(conn: &mut Conn, hash: &[u8], now: Instant) -> Result<bool> {
    let used = diesel::update(
        refresh_tokens::table
            .filter(refresh_tokens::token_hash.eq(hash))
            .filter(refresh_tokens::used_at.is_null()),
    )
    .set(refresh_tokens::used_at.eq(Some(now)))
    .execute(conn)?;
    Ok(used > 0)
}

id! {
    /// Names a one-time code.
    CodeId
}

/// A code that was sent to a phone or an address.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = one_time_codes)]
pub struct OneTimeCode {
    pub id: CodeId,
    pub purpose: String,
    pub target: String,
    pub code_hash: Vec<u8>,
    pub attempts: i32,
    pub created_at: Instant,
    pub expires_at: Instant,
    pub consumed_at: Option<Instant>,
}

pub fn insert_code(conn: &mut Conn, code: &OneTimeCode) -> Result<()> {
    diesel::insert_into(one_time_codes::table)
        .values(code)
        .execute(conn)?;
    Ok(())
}

/// The newest code for a purpose and a target that can still be used.
pub fn newest_code(
    conn: &mut Conn,
    purpose: &str,
    target: &str,
    now: Instant,
) -> Result<Option<OneTimeCode>> {
    Ok(one_time_codes::table
        .filter(one_time_codes::purpose.eq(purpose))
        .filter(one_time_codes::target.eq(target))
        .filter(one_time_codes::consumed_at.is_null())
        .filter(one_time_codes::expires_at.gt(now))
        .order(one_time_codes::id.desc())
        .select(OneTimeCode::as_select())
        .first(conn)
        .optional()?)
}

/// Counts a try at a code; false when it had all its tries.
pub fn try_code(conn: &mut Conn, id: CodeId, most: i32) -> Result<bool> {
    let tried = diesel::update(
        one_time_codes::table
            .filter(one_time_codes::id.eq(id))
            .filter(one_time_codes::attempts.lt(most)),
    )
    .set(one_time_codes::attempts.eq(one_time_codes::attempts + 1))
    .execute(conn)?;
    Ok(tried > 0)
}

/// Uses a code up; false when it was already.
pub fn consume_code(conn: &mut Conn, id: CodeId, now: Instant) -> Result<bool> {
    let used = diesel::update(
        one_time_codes::table
            .filter(one_time_codes::id.eq(id))
            .filter(one_time_codes::consumed_at.is_null()),
    )
    .set(one_time_codes::consumed_at.eq(Some(now)))
    .execute(conn)?;
    Ok(used > 0)
}

pub fn delete_codes(conn: &mut Conn, before: Instant) -> Result<usize> {
    Ok(
        diesel::delete(one_time_codes::table.filter(one_time_codes::expires_at.lt(before)))
            .execute(conn)?,
    )
}

pub fn delete_refresh_tokens(conn: &mut Conn, before: Instant) -> Result<usize> {
    let old = refresh_tokens::table.filter(refresh_tokens::expires_at.lt(before));
    Ok(diesel::delete(old).execute(conn)?)
}
