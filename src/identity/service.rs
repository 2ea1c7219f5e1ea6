use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::codes::{CodePurpose, check_code, send_code};
use super::keys::{ACCESS_TOKEN_LIFE, Keyring};
use super::model::{Account, AccountId, AccountStatus, EndReason, Session, SessionId, Tokens};
use super::store;
use super::{Caller, rules};
use crate::error::{Code, Error, Problem, Result};
use crate::platform::Platform;
use crate::platform::columns::Uid;
use crate::platform::db::{Conn, Tx};
use crate::platform::http::limit::Limit;
use crate::platform::http::{IfMatch, Lang};
use crate::platform::journal::{Actor, Change};
use crate::platform::mail::Mail;
use crate::platform::token::digest;
use crate::platform::token::random_token;

/// How long a refresh token that was just used may come back without suspicion.
const REFRESH_LEEWAY: TimeDelta = TimeDelta::seconds(10);

/// The room's numbers; `config/default.toml` says what each means.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityRules {
    /// How long a one-time code is valid.
    pub code_minutes: i64,
    /// How often a code may be tried.
    pub code_tries: i32,
    /// How long a device stays signed in without being used.
    pub refresh_days: i64,
    /// Codes sent to one phone or address.
    pub codes_per_target: Limit,
    /// Tries to sign in to one account.
    pub sign_ins_per_account: Limit,
    /// Requests to `/auth` from one network address.
    pub requests_per_address: Limit,
}

/// The hands of this room's writes.
pub(super) struct Desk<'a> {
    pub platform: &'a Platform,
    pub keyring: &'a Keyring,
    pub rules: &'a IdentityRules,
}

impl Desk<'_> {
    /// Sends a code to a phone; says nothing about whether an account exists.
    pub async fn send_sms_code(&self, phone: String, lang: Lang) -> Result<()> {
        self.throttle_target(&phone).await?;
        let (vault, minutes) = (self.platform.vault.clone(), self.rules.code_minutes);
        self.platform
            .db
            .write(move |tx| send_code(tx, &vault, minutes, CodePurpose::SignIn, &phone, lang))
            .await
    }

    /// Signs in by a code sent to a phone; the first time makes the account.
    pub async fn sign_in_by_phone(
        &self,
        phone: String,
        code: String,
        name: Option<String>,
        device: String,
        lang: Lang,
    ) -> Result<Tokens> {
        self.throttle_account(&phone).await?;
        let (vault, tries) = (self.platform.vault.clone(), self.rules.code_tries);
        let account = self
            .platform
            .db
            .write(move |tx| {
                if !check_code(tx, &vault, tries, CodePurpose::SignIn, &phone, &code)? {
                    return Ok(None); // committed: the try counts
                }
                if let Some(account) = store::by_phone(tx.conn, &phone)? {
                    return Ok(Some(account.id));
                }
                let name = name
                    .clone()
                    .unwrap_or_else(|| format!("用户{}", &phone[phone.len() - 4..]));
                let account = new_account(tx, Some(phone.clone()), None, None, name, lang);
                insert(tx, Actor::Account(Uid(account.id.0)), &account)?;
                Ok(Some(account.id))
            })
            .await?;
        self.begin_session(account.ok_or(Code::CodeWrong)?, device)
            .await
    }

    /// Signs up by e-mail and password: the address is proved by a code. Somebody who has an
    /// account already is told so by mail, and nobody else is.
    pub async fn sign_up(
        &self,
        email: String,
        password: String,
        name: String,
        lang: Lang,
    ) -> Result<()> {
        self.throttle_target(&email).await?;
        let hash = hash(password).await?;
        let (vault, minutes) = (self.platform.vault.clone(), self.rules.code_minutes);
        self.platform
            .db
            .write(move |tx| match store::by_email(tx.conn, &email)? {
                Some(account) if account.status == AccountStatus::Active => {
                    let lang = Lang::from_tag(&account.language);
                    let mail = Mail::letter(
                        &email,
                        lang.pick("您已有益起来账号", "You already have a Yiqilai account"),
                        &[lang.pick(
                            "有人用此邮箱注册益起来，但该邮箱已有账号。如果是您本人，请直接登录，或使用“忘记密码”。如果不是您，请忽略此邮件。",
                            "Somebody signed up with this address, which has an account already. If it was you, sign in or reset your password. If not, ignore this mail.",
                        )],
                    );
                    tx.enqueue("mail", &mail, tx.now).map(|_| ())
                }
                Some(account) => {
                    let account = Account { password_hash: Some(hash.clone()), display_name: name.clone(), ..account };
                    store::update_account(tx.conn, &account)?;
                    send_code(tx, &vault, minutes, CodePurpose::SignUp, &email, lang)
                }
                None => {
                    let mut account = new_account(tx, None, Some(email.clone()), Some(hash.clone()), name.clone(), lang);
                    account.status = AccountStatus::Pending;
                    insert(tx, Actor::Account(Uid(account.id.0)), &account)?;
                    send_code(tx, &vault, minutes, CodePurpose::SignUp, &email, lang)
                }
            })
            .await
    }

    /// Proves the address of a sign-up. The password is asked again: whoever signed up last with
    /// this address has set it, and that must be the one who reads the mail.
    pub async fn verify_email(
        &self,
        email: String,
        code: String,
        password: String,
        device: String,
    ) -> Result<Tokens> {
        self.throttle_account(&email).await?;
        let wanted = email.clone();
        let account = self
            .platform
            .db
            .read(move |conn| store::by_email(conn, &wanted))
            .await?;
        let stored = account.and_then(|account| account.password_hash);
        if !fits(password, stored).await? {
            return Err(Code::CodeWrong.into());
        }
        let (vault, tries) = (self.platform.vault.clone(), self.rules.code_tries);
        let account = self
            .platform
            .db
            .write(move |tx| {
                if !check_code(tx, &vault, tries, CodePurpose::SignUp, &email, &code)? {
                    return Ok(None);
                }
                let Some(mut account) = store::by_email(tx.conn, &email)? else {
                    return Ok(None);
                };
                account.status = AccountStatus::Active;
                store::update_account(tx.conn, &account)?;
                tx.journal(
                    Change::new(
                        Actor::Account(Uid(account.id.0)),
                        "account.verified",
                        account.id.0,
                    )
                    .states("pending", "active"),
                )?;
                Ok(Some(account.id))
            })
            .await?;
        self.begin_session(account.ok_or(Code::CodeWrong)?, device)
            .await
    }

    /// Signs in by e-mail and password.
    pub async fn sign_in(&self, email: String, password: String, device: String) -> Result<Tokens> {
        self.throttle_account(&email).await?;
        let account = self
            .platform
            .db
            .read(move |conn| store::by_email(conn, &email))
            .await?;
        let stored = account
            .as_ref()
            .and_then(|account| account.password_hash.clone());
        let right = fits(password, stored).await?;
        match account {
            Some(account) if right && account.status == AccountStatus::Active => {
                self.begin_session(account.id, device).await
            }
            Some(account) if right && account.status == AccountStatus::Pending => {
                Err(Code::EmailUnverified.into())
            }
            _ => Err(Code::CredentialsWrong.into()),
        }
    }

    /// Mails a code for a new password, to an address that has an account.
    pub async fn forgot_password(&self, email: String, lang: Lang) -> Result<()> {
        self.throttle_target(&email).await?;
        let (vault, minutes) = (self.platform.vault.clone(), self.rules.code_minutes);
        self.platform
            .db
            .write(move |tx| match store::by_email(tx.conn, &email)? {
                Some(account) if account.status == AccountStatus::Active => send_code(
                    tx,
                    &vault,
                    minutes,
                    CodePurpose::ResetPassword,
                    &email,
                    lang,
                ),
                _ => Ok(()),
            })
            .await
    }

    /// Sets a new password by a mailed code, and ends every session.
    pub async fn reset_password(
        &self,
        email: String,
        code: String,
        password: String,
    ) -> Result<()> {
        self.throttle_account(&email).await?;
        let hash = hash(password).await?;
        let (vault, tries) = (self.platform.vault.clone(), self.rules.code_tries);
        let done = self
            .platform
            .db
            .write(move |tx| {
                if !check_code(tx, &vault, tries, CodePurpose::ResetPassword, &email, &code)? {
                    return Ok(false);
                }
                let Some(account) = store::by_email(tx.conn, &email)? else {
                    return Ok(false);
                };
                set_password(tx, &account, hash.clone(), None)?;
                Ok(true)
            })
            .await?;
        if done {
            Ok(())
        } else {
            Err(Code::CodeWrong.into())
        }
    }

    /// Sets a new password by the current one (or the first one), and ends the other sessions.
    pub async fn change_password(
        &self,
        caller: &Caller,
        current: Option<String>,
        password: String,
    ) -> Result<()> {
        self.throttle_account(&caller.account.to_string()).await?;
        let id = caller.account;
        let account = self
            .platform
            .db
            .read(move |conn| store::account(conn, id))
            .await?;
        if account.password_hash.is_some()
            && !fits(current.unwrap_or_default(), account.password_hash.clone()).await?
        {
            return Err(Problem::new(Code::Invalid)
                .field("/current_password", Code::CredentialsWrong)
                .into());
        }
        let hash = hash(password).await?;
        let session = caller.session;
        self.platform
            .db
            .write(move |tx| set_password(tx, &account, hash.clone(), Some(session)))
            .await
    }

    /// Trades a refresh token for the next one. A used one that comes back was stolen, or its
    /// successor was: the whole session ends. Of requests that send the same token at once, as an
    /// application with two windows does, one wins and the others are refused without more.
    pub async fn refresh(&self, token: String) -> Result<Tokens> {
        let next = random_token()?;
        let (old_hash, next_hash) = (digest(token.as_bytes()), digest(next.as_bytes()));
        let life = TimeDelta::days(self.rules.refresh_days);
        let session = self
            .platform
            .db
            .write(move |tx| {
                let now = tx.now;
                let Some(known) = store::refresh_token(tx.conn, &old_hash)? else {
                    return Ok(None);
                };
                let Session {
                    id,
                    account_id,
                    ended_at,
                    ..
                } = known.session;
                if ended_at.is_some() || known.expires_at <= now {
                    return Ok(None);
                }
                let used_at = known.used_at;
                if used_at.is_some_and(|at| now - at < REFRESH_LEEWAY) {
                    return Err(Code::RefreshTokenUsed.into());
                }
                if used_at.is_some() {
                    store::end_session(tx.conn, account_id, id, EndReason::TokenReused, now)?;
                    tx.journal(Change::new(Actor::System, "session.token_reused", id.0))?;
                    return Ok(None); // committed: the session has ended
                }
                if !store::use_refresh_token(tx.conn, &old_hash, now)? {
                    return Err(Code::RefreshTokenUsed.into()); // by another request this moment
                }
                store::insert_refresh_token(tx.conn, &next_hash, id, now, now + life)?;
                store::touch_session(tx.conn, id, now)?;
                Ok(Some((account_id, id)))
            })
            .await?;
        let (account, session) = session.ok_or(Code::SessionEnded)?;
        self.tokens(account, session, next).await
    }

    /// Sends codes to a new phone or address and to the one it takes the place of.
    pub async fn begin_contact_change(&self, caller: &Caller, new: String) -> Result<()> {
        self.throttle_target(&new).await?;
        let (vault, minutes, id, lang) = (
            self.platform.vault.clone(),
            self.rules.code_minutes,
            caller.account,
            caller.lang,
        );
        self.platform
            .db
            .write(move |tx| {
                let account = store::account(tx.conn, id)?;
                let taken = is_taken(tx, &new, id)?;
                if !taken {
                    send_code(tx, &vault, minutes, CodePurpose::ProveNew, &new, lang)?;
                }
                match proves_current(&account, &new) {
                    Some(current) => send_code(
                        tx,
                        &vault,
                        minutes,
                        CodePurpose::ProveCurrent,
                        &current,
                        lang,
                    ),
                    None => Ok(()),
                }
            })
            .await
    }

    /// Changes a phone or address by the codes sent to both.
    pub async fn confirm_contact_change(
        &self,
        caller: &Caller,
        new: String,
        new_code: String,
        current_code: String,
    ) -> Result<()> {
        self.throttle_account(&caller.account.to_string()).await?;
        let (vault, tries, caller) = (
            self.platform.vault.clone(),
            self.rules.code_tries,
            caller.clone(),
        );
        let done = self
            .platform
            .db
            .write(move |tx| {
                let mut account = store::account(tx.conn, caller.account)?;
                let current = proves_current(&account, &new);
                if let Some(current) = current
                    && !check_code(
                        tx,
                        &vault,
                        tries,
                        CodePurpose::ProveCurrent,
                        &current,
                        &current_code,
                    )?
                {
                    return Ok(false);
                }
                if !check_code(tx, &vault, tries, CodePurpose::ProveNew, &new, &new_code)?
                    || is_taken(tx, &new, account.id)?
                {
                    return Ok(false);
                }
                if new.starts_with('+') {
                    account.phone = Some(new.clone());
                } else {
                    account.email = Some(new.clone());
                }
                store::update_account(tx.conn, &account)?;
                tx.journal(Change::new(
                    caller.actor(),
                    "account.contact_changed",
                    account.id.0,
                ))?;
                Ok(true)
            })
            .await?;
        if done {
            Ok(())
        } else {
            Err(Code::CodeWrong.into())
        }
    }

    async fn begin_session(&self, account: AccountId, device: String) -> Result<Tokens> {
        let refresh = random_token()?;
        let hash = digest(refresh.as_bytes());
        let id = SessionId::new();
        let life = TimeDelta::days(self.rules.refresh_days);
        self.platform
            .db
            .write(move |tx| {
                let now = tx.now;
                let session = Session {
                    id,
                    account_id: account,
                    device: device.clone(),
                    created_at: now,
                    last_used_at: now,
                    ended_at: None,
                    end_reason: None,
                };
                store::insert_session(tx.conn, &session)?;
                store::insert_refresh_token(tx.conn, &hash, id, now, now + life)?;
                tx.journal(Change::new(
                    Actor::Account(Uid(account.0)),
                    "session.begun",
                    id.0,
                ))
            })
            .await?;
        self.tokens(account, id, refresh).await
    }

    async fn tokens(
        &self,
        account: AccountId,
        session: SessionId,
        refresh_token: String,
    ) -> Result<Tokens> {
        Ok(Tokens {
            access_token: self.keyring.sign(account, session).await?,
            token_type: "Bearer".to_owned(),
            expires_in: ACCESS_TOKEN_LIFE.num_seconds(),
            refresh_token,
        })
    }

    async fn throttle_target(&self, target: &str) -> Result<()> {
        self.rules
            .codes_per_target
            .take(
                &self.platform.cache,
                &format!("code:{}", self.hidden(target)),
            )
            .await
    }

    async fn throttle_account(&self, name: &str) -> Result<()> {
        self.rules
            .sign_ins_per_account
            .take(
                &self.platform.cache,
                &format!("account:{}", self.hidden(name)),
            )
            .await
    }

    /// Phones and addresses do not go into another store as they are.
    fn hidden(&self, name: &str) -> String {
        let hash = self.platform.vault.lookup_hash("limit", name);
        hash.iter()
            .take(12)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// The phone or address whose code proves that the owner wants the change: the one of the same
/// kind, else the other.
fn proves_current(account: &Account, new: &str) -> Option<String> {
    let (same, other) = match new.starts_with('+') {
        true => (&account.phone, &account.email),
        false => (&account.email, &account.phone),
    };
    same.clone().or_else(|| other.clone())
}

fn is_taken(tx: &mut Tx<'_>, new: &str, by_other_than: AccountId) -> Result<bool> {
    let holder = match new.starts_with('+') {
        true => store::by_phone(tx.conn, new)?,
        false => store::by_email(tx.conn, new)?,
    };
    Ok(holder.is_some_and(|account| account.id != by_other_than))
}

fn new_account(
    tx: &Tx<'_>,
    phone: Option<String>,
    email: Option<String>,
    password_hash: Option<String>,
    display_name: String,
    lang: Lang,
) -> Account {
    Account {
        id: AccountId::new(),
        phone,
        email,
        password_hash,
        display_name,
        language: lang.tag().to_owned(),
        status: AccountStatus::Active,
        version: 1,
        created_at: tx.now,
    }
}

fn insert(tx: &mut Tx<'_>, actor: Actor, account: &Account) -> Result<()> {
    store::insert_account(tx.conn, account)?;
    tx.journal(Change::new(actor, "account.created", account.id.0))
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

/// Makes an active account without proof of its phone or address: for the command line, imports
/// and the sample district. One with this address or phone is brought back as it is.
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
    let known = match (phone, email) {
        (Some(phone), _) => store::by_phone(tx.conn, phone)?,
        (None, Some(email)) => store::by_email(tx.conn, email)?,
        (None, None) => None,
    };
    if let Some(known) = known {
        return Ok(known);
    }
    let own = |text: Option<&str>| text.map(str::to_owned);
    let account = new_account(
        tx,
        own(phone),
        own(email),
        own(password_hash),
        name.to_owned(),
        Lang::Zh,
    );
    insert(tx, Actor::System, &account)?;
    Ok(account)
}

/// Gives an account a new password and ends its sessions: for the command line.
///
/// # Errors
/// Those of the database.
pub fn reset_password(tx: &mut Tx<'_>, account: &Account, hash: &str) -> Result<()> {
    set_password(tx, account, hash.to_owned(), None)
}

fn set_password(
    tx: &mut Tx<'_>,
    account: &Account,
    hash: String,
    keep: Option<SessionId>,
) -> Result<()> {
    let account = Account {
        password_hash: Some(hash),
        ..account.clone()
    };
    store::update_account(tx.conn, &account)?;
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

pub(super) fn update_me(
    tx: &mut Tx<'_>,
    caller: &Caller,
    seen: &IfMatch,
    name: Option<&str>,
    language: Option<Lang>,
) -> Result<Account> {
    let mut account = store::account(tx.conn, caller.account)?;
    seen.expect(account.version)?;
    if let Some(name) = name {
        account.display_name = name.to_owned();
    }
    if let Some(language) = language {
        account.language = language.tag().to_owned();
    }
    store::update_account(tx.conn, &account)?;
    tx.journal(Change::new(caller.actor(), "account.updated", account.id.0))?;
    account.version += 1;
    Ok(account)
}

pub(super) fn end_session(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: SessionId,
    why: EndReason,
) -> Result<()> {
    if store::end_session(tx.conn, caller.account, id, why, tx.now)? {
        tx.journal(Change::new(caller.actor(), "session.ended", id.0))?;
    }
    Ok(())
}

async fn hash(password: String) -> Result<String> {
    tokio::task::spawn_blocking(move || rules::hash_password(&password))
        .await
        .map_err(Error::internal)?
}

async fn fits(password: String, stored: Option<String>) -> Result<bool> {
    tokio::task::spawn_blocking(move || rules::password_fits(&password, stored.as_deref()))
        .await
        .map_err(Error::internal)
}
