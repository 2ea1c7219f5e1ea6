//! New passwords, and checking them.

use std::sync::LazyLock;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::accounts::set_password;
use super::{Desk, fits_code};
use crate::error::{Code, Error, Problem, Result};
use crate::identity::codes::{CodePurpose, check_code};
use crate::identity::model::AccountStatus;
use crate::identity::requests::Request;
use crate::identity::{Caller, contacts, passwords, store};
use crate::platform::http::Lang;

impl Desk<'_> {
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
}

pub(super) async fn hash(password: String) -> Result<String> {
    in_turn(move || passwords::hash_password(&password)).await?
}

pub(super) async fn fits(password: String, stored: Option<String>) -> Result<bool> {
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
