//! Signing up and signing in.

use super::accounts::{begin, complete, insert, new_account};
use super::passwords::{fits, hash};
use super::{Desk, fits_code};
use crate::error::{Code, Result};
use crate::identity::codes::{CodePurpose, check_code, send_code};
use crate::identity::model::{Account, AccountId, AccountStatus, Tokens};
use crate::identity::requests::Request;
use crate::identity::{contacts, store};
use crate::platform::columns::Uid;
use crate::platform::http::Lang;
use crate::platform::journal::Actor;

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
}
