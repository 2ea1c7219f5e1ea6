//! Accounts: made, completed by who was invited, kept.

use crate::error::Result;
use crate::identity::model::{Account, AccountId, AccountStatus, EndReason, SessionId, SignUp};
use crate::identity::{Caller, contacts, store};
use crate::platform::columns::Uid;
use crate::platform::db::{Conn, Tx};
use crate::platform::http::{IfMatch, Lang};
use crate::platform::journal::{Actor, Change};

pub(super) fn new_account(
    tx: &Tx<'_>,
    phone: Option<String>,
    email: Option<String>,
    password_hash: Option<String>,
    name: Option<String>,
    lang: Lang,
) -> Account {
    let id = AccountId::new();
    Account {
        display_name: name.unwrap_or_else(|| nameless(id)),
        id,
        phone,
        email,
        password_hash,
        language: lang.tag().to_owned(),
        status: AccountStatus::Active,
        version: 1,
        created_at: tx.now,
    }
}

pub(super) fn insert(tx: &mut Tx<'_>, actor: Actor, account: Account) -> Result<Account> {
    store::insert_account(tx.conn, &account)?;
    tx.journal(Change::new(actor, "account.created", account.id.0))?;
    Ok(account)
}

/// What somebody is called who has not said it yet: by the random end of the account's id, which says
/// nothing about the person.
fn nameless(id: AccountId) -> String {
    let random = id.0.as_u128() & 0xff_ffff;
    format!("用户{random:06x}")
}

/// Makes the account that a proved sign-up asks for, or completes the one that somebody was invited
/// into. Nothing when the address was taken meanwhile.
pub(super) fn begin(tx: &mut Tx<'_>, sign_up: SignUp) -> Result<Option<Account>> {
    let SignUp {
        email,
        password_hash,
        display_name,
        language,
        ..
    } = sign_up;
    let account = match contacts::holder(tx, &email)? {
        Some(account) if account.status == AccountStatus::Invited => {
            let own = Account {
                password_hash: Some(password_hash),
                display_name,
                language,
                ..account
            };
            complete(tx, own)?
        }
        Some(_) => return Ok(None),
        None => {
            let lang = Lang::from_tag(&language);
            let hash = Some(password_hash);
            let account = new_account(tx, None, Some(email), hash, Some(display_name), lang);
            insert(tx, Actor::Account(Uid(account.id.0)), account)?
        }
    };
    Ok(Some(account))
}

/// Puts an account that somebody was invited into to use.
pub(super) fn complete(tx: &mut Tx<'_>, account: Account) -> Result<Account> {
    let account = store::update_account(
        tx.conn,
        Account {
            status: AccountStatus::Active,
            ..account
        },
    )?;
    let actor = Actor::Account(Uid(account.id.0));
    let change = Change::new(actor, "account.completed", account.id.0);
    tx.journal(change.states("invited", "active"))?;
    Ok(account)
}

/// The account with this phone, else the one with this address.
///
/// # Errors
/// Those of the database.
pub fn find_account(
    conn: &mut Conn,
    phone: Option<&str>,
    email: Option<&str>,
) -> Result<Option<Account>> {
    let by_phone = phone
        .map(|phone| store::by_phone(conn, phone))
        .transpose()?;
    match (by_phone.flatten(), email) {
        (None, Some(email)) => store::by_email(conn, email),
        (found, _) => Ok(found),
    }
}

/// Makes an active account without proof of its phone or address: for the command line and the
/// sample district. One with this address or phone is brought back, in use.
///
/// # Errors
/// Those of the database.
pub fn create_account(
    tx: &mut Tx<'_>,
    phone: Option<&str>,
    email: Option<&str>,
    password_hash: Option<&str>,
    name: &str,
) -> Result<Account> {
    let account = invite_account(tx, phone, email, Some(name))?;
    if account.status == AccountStatus::Active {
        return Ok(account);
    }
    let own = Account {
        password_hash: password_hash.map(str::to_owned),
        display_name: name.to_owned(),
        ..account
    };
    complete(tx, own)
}

/// The account with this phone or address, or else a new one for its person, who completes it by
/// signing up or in: for invitations and imports. What others call the person is its name until then
/// only where it comes from a register.
///
/// # Errors
/// Those of the database.
pub fn invite_account(
    tx: &mut Tx<'_>,
    phone: Option<&str>,
    email: Option<&str>,
    name: Option<&str>,
) -> Result<Account> {
    if let Some(contact) = phone.or(email)
        && let Some(known) = contacts::holder(tx, contact)?
    {
        return Ok(known);
    }
    let own = |text: Option<&str>| text.map(str::to_owned);
    let account = Account {
        status: AccountStatus::Invited,
        ..new_account(tx, own(phone), own(email), None, own(name), Lang::Zh)
    };
    insert(tx, Actor::System, account)
}

/// Gives an account a new password and ends its sessions: for the command line.
///
/// # Errors
/// Those of the database.
pub fn reset_password(tx: &mut Tx<'_>, account: &Account, hash: &str) -> Result<()> {
    set_password(tx, account.clone(), hash.to_owned(), None)
}

pub(super) fn set_password(
    tx: &mut Tx<'_>,
    account: Account,
    hash: String,
    keep: Option<SessionId>,
) -> Result<()> {
    let account = Account {
        password_hash: Some(hash),
        ..account
    };
    let account = store::update_account(tx.conn, account)?;
    store::end_sessions(
        tx.conn,
        account.id,
        keep,
        EndReason::PasswordChanged,
        tx.now,
    )?;
    tx.journal(Change::new(
        Actor::Account(Uid(account.id.0)),
        "account.password_changed",
        account.id.0,
    ))
}

pub(in crate::identity) fn update_me(
    tx: &mut Tx<'_>,
    caller: &Caller,
    seen: &IfMatch,
    name: Option<&str>,
    language: Option<Lang>,
) -> Result<Account> {
    let mut account = contacts::held(tx, caller.account)?;
    seen.expect(account.version)?;
    if let Some(name) = name {
        account.display_name = name.to_owned();
    }
    if let Some(language) = language {
        account.language = language.tag().to_owned();
    }
    let account = store::update_account(tx.conn, account)?;
    tx.journal(Change::new(caller.actor(), "account.updated", account.id.0))?;
    Ok(account)
}
