use std::sync::LazyLock;
use std::time::Duration;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use validator::Validate;

use super::codes::{CodePurpose, check_code, send_code};
use super::keys::{ACCESS_TOKEN_LIFE, Keyring};
use super::model::{
    Account, AccountId, AccountStatus, EndReason, Session, SessionId, SignUp, Tokens,
};
use super::requests::Request;
use super::tries::Tries;
use super::{Caller, contacts, passwords, store};
use crate::error::{Code, Error, Problem, Result};
use crate::platform::Platform;
use crate::platform::columns::Uid;
use crate::platform::db::{Conn, Tx};
use crate::platform::http::limit::{Limit, refuse};
use crate::platform::http::{IfMatch, Lang};
use crate::platform::journal::{Actor, Change};
use crate::platform::token::digest;
use crate::platform::token::random_token;

/// How long a refresh token that was just used may come back without suspicion.
const REFRESH_LEEWAY: TimeDelta = TimeDelta::seconds(10);

/// The room's numbers; `config/default.toml` says what each means.
#[derive(Clone, Debug, Deserialize, Serialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct IdentityRules {
    /// How long a one-time code is valid.
    #[validate(range(min = 1, max = 1_440))]
    pub code_minutes: i64,
    /// How often a code may be tried, from everywhere together.
    #[validate(range(min = 1))]
    pub code_tries: i32,
    /// How long a device stays signed in without being used.
    #[validate(range(min = 1, max = 36_500))]
    pub refresh_days: i64,
    /// Codes sent to one phone or address.
    #[validate(nested)]
    pub codes_per_target: Limit,
    /// Codes asked for from one network address, to whichever phones and addresses.
    pub codes_per_address: Limit,
    /// Codes by SMS in all, within a day; 0 for no limit.
    pub sms_codes_per_day: u64,
    /// Failed tries at one account from one network address.
    #[validate(nested)]
    pub failures_per_address: Limit,
    /// Failed tries at one account from all addresses, after which each has one.
    #[validate(nested)]
    pub failures_per_account: Limit,
    /// Phones and addresses that one account may look for.
    #[validate(nested)]
    pub look_ups_per_account: Limit,
    /// Requests to `/auth` from one network address.
    #[validate(nested)]
    pub requests_per_address: Limit,
}

/// The hands of this room's writes.
pub(super) struct Desk<'a> {
    pub platform: &'a Platform,
    pub keyring: &'a Keyring,
    pub rules: &'a IdentityRules,
    /// The network address of the caller.
    pub address: &'a str,
}

impl Desk<'_> {
    /// Sends a code to a phone; says nothing about whether an account exists.
    pub async fn send_sms_code(&self, phone: String, lang: Lang) -> Result<()> {
        self.throttle_codes(&phone).await?;
        let (vault, minutes) = (self.platform.vault.clone(), self.rules.code_minutes);
        self.platform
            .db
            .write(move |tx| send_code(tx, &vault, minutes, CodePurpose::SignIn, &phone, lang))
            .await
    }

    /// Signs in by a code sent to a phone; the first time makes the account, or completes the one
    /// that somebody was invited into.
    pub async fn sign_in_by_phone(
        &self,
        phone: String,
        code: String,
        name: Option<String>,
        device: String,
        lang: Lang,
    ) -> Result<Tokens> {
        let (vault, tries) = (self.platform.vault.clone(), self.rules.code_tries);
        let tries_at = self.tries_at(&phone);
        let proof = self.platform.db.write(move |tx| {
            if !check_code(tx, &vault, tries, CodePurpose::SignIn, &phone, &code)? {
                return Ok(None); // committed: the try counts
            }
            let account = match contacts::holder(tx, &phone)? {
                Some(account) if account.status == AccountStatus::Invited => {
                    let language = lang.tag().to_owned();
                    let display_name = name.clone().unwrap_or(account.display_name);
                    let own = Account {
                        display_name,
                        language,
                        ..account
                    };
                    complete(tx, own)?
                }
                Some(account) => account,
                None => {
                    let name = name.clone();
                    let account = new_account(tx, Some(phone.clone()), None, None, name, lang);
                    insert(tx, Actor::Account(Uid(account.id.0)), account)?
                }
            };
            Ok(Some(account.id))
        });
        let account = tries_at.count(fits_code(proof)).await?;
        self.begin_session(account, device).await
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
        self.throttle_codes(&email).await?;
        let password_hash = hash(password).await?;
        let request = Request::SignUp {
            email,
            password_hash,
            name,
            lang,
        };
        self.write_down(request).await
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
        let account = self
            .tries_at(&email)
            .count(self.prove_email(email.clone(), code, password))
            .await?;
        self.begin_session(account, device).await
    }

    async fn prove_email(
        &self,
        email: String,
        code: String,
        password: String,
    ) -> Result<AccountId> {
        let wanted = email.clone();
        let sign_up = self
            .platform
            .db
            .read(move |conn| store::sign_up(conn, &wanted))
            .await?;
        let stored = sign_up
            .as_ref()
            .map(|sign_up| sign_up.password_hash.clone());
        let right = fits(password, stored).await?;
        let Some(sign_up) = sign_up.filter(|_| right) else {
            return Err(Code::CodeWrong.into());
        };
        let (vault, tries) = (self.platform.vault.clone(), self.rules.code_tries);
        let proof = self.platform.db.write(move |tx| {
            if !check_code(tx, &vault, tries, CodePurpose::SignUp, &email, &code)? {
                return Ok(None);
            }
            if !store::take_sign_up(tx.conn, &sign_up)? {
                return Ok(None);
            }
            Ok(begin(tx, sign_up.clone())?.map(|account| account.id))
        });
        fits_code(proof).await
    }

    /// Signs in by e-mail and password.
    pub async fn sign_in(&self, email: String, password: String, device: String) -> Result<Tokens> {
        let account = self
            .tries_at(&email)
            .count(self.prove_password(email.clone(), password))
            .await?;
        self.begin_session(account, device).await
    }

    async fn prove_password(&self, email: String, password: String) -> Result<AccountId> {
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
            Some(account) if right && account.status == AccountStatus::Active => Ok(account.id),
            // of one that is not proved yet, too: else signing up would tell whether there was one
            _ => Err(Code::CredentialsWrong.into()),
        }
    }

    /// Mails a code for a new password, to an address that has an account.
    pub async fn forgot_password(&self, email: String, lang: Lang) -> Result<()> {
        self.throttle_codes(&email).await?;
        self.write_down(Request::NewPassword { email, lang }).await
    }

    /// Sets a new password by a mailed code, and ends every session.
    pub async fn reset_password(
        &self,
        email: String,
        code: String,
        password: String,
    ) -> Result<()> {
        let hash = hash(password).await?;
        let (vault, tries) = (self.platform.vault.clone(), self.rules.code_tries);
        let tries_at = self.tries_at(&email);
        let proof = self.platform.db.write(move |tx| {
            if !check_code(tx, &vault, tries, CodePurpose::ResetPassword, &email, &code)? {
                return Ok(None);
            }
            match contacts::holder(tx, &email)? {
                Some(account) if account.status == AccountStatus::Active => {
                    set_password(tx, account, hash.clone(), None).map(Some)
                }
                _ => Ok(None),
            }
        });
        tries_at.count(fits_code(proof)).await
    }

    /// Sets a new password by the current one (or the first one), and ends the other sessions.
    pub async fn change_password(
        &self,
        caller: &Caller,
        current: Option<String>,
        password: String,
    ) -> Result<()> {
        let id = caller.account;
        let known = self
            .platform
            .db
            .read(move |conn| store::account(conn, id))
            .await?
            .password_hash;
        let wrong =
            || Problem::new(Code::Invalid).field("/current_password", Code::CredentialsWrong);
        if let Some(stored) = known.clone() {
            let proof = async {
                match fits(current.unwrap_or_default(), Some(stored)).await? {
                    true => Ok(()),
                    false => Err(wrong().into()),
                }
            };
            self.tries_at(&id.to_string()).count(proof).await?;
        }
        let hash = hash(password).await?;
        let session = caller.session;
        self.platform
            .db
            .write(move |tx| {
                let account = contacts::held(tx, id)?;
                if account.password_hash != known {
                    return Err(wrong().into()); // another device set one meanwhile
                }
                set_password(tx, account, hash.clone(), Some(session))
            })
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
                    let whose = json!({ "account_id": account_id });
                    tx.journal(
                        Change::new(Actor::System, "session.token_reused", id.0).payload(whose),
                    )?;
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
        self.throttle_codes(&new).await?;
        let request = Request::NewContact {
            account: caller.account,
            contact: new,
            lang: caller.lang,
        };
        self.write_down(request).await
    }

    /// Changes a phone or address by the codes sent to both.
    pub async fn confirm_contact_change(
        &self,
        caller: &Caller,
        new: String,
        new_code: String,
        current_code: String,
    ) -> Result<()> {
        let tries_at = self.tries_at(&caller.account.to_string());
        let (vault, tries, caller) = (
            self.platform.vault.clone(),
            self.rules.code_tries,
            caller.clone(),
        );
        let proof = self.platform.db.write(move |tx| {
            let account = contacts::held(tx, caller.account)?;
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
                return Ok(None);
            }
            if !check_code(tx, &vault, tries, CodePurpose::ProveNew, &new, &new_code)? {
                return Ok(None);
            }
            let Some(account) = contacts::replace(tx, account, &new)? else {
                return Ok(None);
            };
            let change = Change::new(caller.actor(), "account.contact_changed", account.id.0);
            tx.journal(change).map(Some)
        });
        tries_at.count(fits_code(proof)).await
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

    async fn write_down(&self, request: Request) -> Result<()> {
        let db = &self.platform.db;
        db.write(move |tx| request.write_down(tx)).await
    }

    /// Refuses one more code where there were enough to this phone or address, from this network
    /// address, or by SMS at all.
    async fn throttle_codes(&self, target: &str) -> Result<()> {
        let cache = &self.platform.cache;
        let here = format!("codes-from:{}", self.address);
        self.rules.codes_per_address.take(cache, &here).await?;
        let there = format!("code:{}", self.hidden(target));
        self.rules.codes_per_target.take(cache, &there).await?;
        let most = self.rules.sms_codes_per_day;
        if most == 0 || !target.starts_with('+') {
            return Ok(());
        }
        let a_day = Limit {
            count: most,
            seconds: 86_400,
        };
        let hits = a_day.hit(cache, "sms-codes").await;
        if hits.count <= most {
            return Ok(());
        }
        if hits.count == most + 1 {
            tracing::warn!(
                most,
                "identity.sms_codes_per_day is reached: no more codes by SMS"
            );
        }
        Err(refuse(hits))
    }

    fn tries_at(&self, account: &str) -> Tries<'_> {
        Tries {
            cache: &self.platform.cache,
            rules: self.rules,
            account: self.hidden(account),
            address: self.address,
        }
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
pub(super) fn proves_current(account: &Account, new: &str) -> Option<String> {
    let (same, other) = match new.starts_with('+') {
        true => (&account.phone, &account.email),
        false => (&account.email, &account.phone),
    };
    same.clone().or_else(|| other.clone())
}

fn new_account(
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

fn insert(tx: &mut Tx<'_>, actor: Actor, account: Account) -> Result<Account> {
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
fn begin(tx: &mut Tx<'_>, sign_up: SignUp) -> Result<Option<Account>> {
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
fn complete(tx: &mut Tx<'_>, account: Account) -> Result<Account> {
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

fn set_password(
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

pub(super) fn update_me(
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
    in_turn(move || passwords::hash_password(&password)).await?
}

async fn fits(password: String, stored: Option<String>) -> Result<bool> {
    in_turn(move || passwords::password_fits(&password, stored.as_deref())).await
}

/// Checking a password takes a core for a while, and 19 MB: as many at once as there are cores.
static CORES: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from)));
/// How long one may wait for a core before it is said that the service is busy.
const PATIENCE: Duration = Duration::from_secs(10);

async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let turn = timeout(PATIENCE, CORES.acquire()).await;
    let turn = turn
        .map_err(|_| Error::overloaded())?
        .map_err(Error::internal)?;
    let done = tokio::task::spawn_blocking(move || {
        // held by the work, not by the request, which may be given up meanwhile
        let _turn = turn;
        work()
    });
    done.await.map_err(Error::internal)
}

/// What a code that fits has led to. Nothing is no error of the transaction: it is committed, so
/// that the try at the code counts.
async fn fits_code<T>(proof: impl Future<Output = Result<Option<T>>>) -> Result<T> {
    proof.await?.ok_or_else(|| Code::CodeWrong.into())
}
