//! What is asked for where nothing may tell who has an account: a sign-up, a new password, a new
//! phone or address. The request is written down, for everybody alike; the worker looks up whom it
//! concerns. So neither the answer nor the time that it takes says anything.

use serde::{Deserialize, Serialize};

use super::codes::{CodePurpose, send_code, write_code};
use super::model::{AccountId, AccountStatus, SignUp};
use super::settings::IdentityRules;
use super::{contacts, store};
use crate::error::{Error, Result};
use crate::platform::db::Tx;
use crate::platform::http::Lang;
use crate::platform::mail::Mail;
use crate::platform::token::Vault;

/// A request whose answer leaves by mail or SMS.
#[derive(Serialize, Deserialize)]
#[serde(tag = "asked", rename_all = "snake_case")]
pub(super) enum Request {
    /// An account with this address and password.
    SignUp {
        email: String,
        password_hash: String,
        name: String,
        lang: Lang,
    },
    /// A new password for the account with this address.
    NewPassword { email: String, lang: Lang },
    /// Another phone or address for this account.
    NewContact {
        account: AccountId,
        contact: String,
        lang: Lang,
    },
}

impl Request {
    /// Leaves it to the worker.
    pub fn write_down(&self, tx: &mut Tx<'_>) -> Result<()> {
        tx.enqueue("account.request", self, tx.now).map(|_| ())
    }
}

/// Answers a request that was written down.
///
/// # Errors
/// Those of the database.
pub fn answer(
    tx: &mut Tx<'_>,
    vault: &Vault,
    rules: &IdentityRules,
    request: &serde_json::Value,
) -> Result<()> {
    let minutes = rules.code_minutes;
    match Request::deserialize(request).map_err(Error::internal)? {
        Request::SignUp {
            email,
            password_hash,
            name,
            lang,
        } => {
            if let Some(account) = contacts::holder(tx, &email)?
                && account.status == AccountStatus::Active
            {
                let mail = already_here(&email, Lang::from_tag(&account.language));
                return tx.enqueue("mail", &mail, tx.now).map(|_| ());
            }
            let sign_up = SignUp {
                email,
                password_hash,
                display_name: name,
                language: lang.tag().to_owned(),
                created_at: tx.now,
            };
            store::put_sign_up(tx.conn, &sign_up)?;
            let purpose = CodePurpose::SignUp;
            send_code(tx, vault, minutes, purpose, &sign_up.email, lang)
        }
        // codes are written down for everybody: trying one tells as little as asking for one
        Request::NewPassword { email, lang } => {
            let purpose = CodePurpose::ResetPassword;
            let message = write_code(tx, vault, minutes, purpose, &email, lang)?;
            match store::by_email(tx.conn, &email)? {
                Some(account) if account.status == AccountStatus::Active => message.send(tx),
                _ => Ok(()),
            }
        }
        Request::NewContact {
            account,
            contact,
            lang,
        } => {
            let Ok(account) = store::account(tx.conn, account) else {
                return Ok(()); // it is gone
            };
            let purpose = CodePurpose::ProveNew;
            let message = write_code(tx, vault, minutes, purpose, &contact, lang)?;
            if !contacts::is_taken(tx.conn, &contact, account.id)? {
                message.send(tx)?;
            }
            match contacts::proves_current(&account, &contact) {
                Some(current) => send_code(
                    tx,
                    vault,
                    minutes,
                    CodePurpose::ProveCurrent,
                    &current,
                    lang,
                ),
                None => Ok(()),
            }
        }
    }
}

fn already_here(email: &str, lang: Lang) -> Mail {
    Mail::letter(
        email,
        lang.pick("您已有益起来账号", "You already have a Yiqilai account"),
        &[lang.pick(
            "有人用此邮箱注册益起来，但该邮箱已有账号。如果是您本人，请直接登录，或使用“忘记密码”。如果不是您，请忽略此邮件。",
            "Somebody signed up with this address, which has an account already. If it was you, sign in or reset your password. If not, ignore this mail.",
        )],
    )
}
