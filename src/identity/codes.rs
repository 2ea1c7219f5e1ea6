//! One-time codes: sent to a phone or an address, valid for a while, for a few tries, once.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::store::{self, CodeId, OneTimeCode};
use crate::error::Result;
use crate::platform::db::Tx;
use crate::platform::http::Lang;
use crate::platform::mail::Mail;
use crate::platform::sms::Sms;
use crate::platform::token::{Vault, random_code};

/// The SMS that brings a code.
pub const CODE_SMS: &str = "code";

/// What a one-time code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CodePurpose {
    SignIn,
    SignUp,
    ResetPassword,
    ProveNew,
    ProveCurrent,
}

impl CodePurpose {
    fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::SignUp => "sign_up",
            Self::ResetPassword => "reset_password",
            Self::ProveNew => "prove_new",
            Self::ProveCurrent => "prove_current",
        }
    }

    fn sentence(self, lang: Lang) -> &'static str {
        match self {
            Self::SignIn => lang.pick("用于登录", "to sign in"),
            Self::SignUp => lang.pick("用于注册", "to complete your sign-up"),
            Self::ResetPassword => lang.pick("用于重置密码", "to reset your password"),
            Self::ProveNew | Self::ProveCurrent => {
                lang.pick("用于更换联系方式", "to change your contact data")
            }
        }
    }
}

/// Writes a code down and sends it to a phone or an address.
pub(super) fn send_code(
    tx: &mut Tx<'_>,
    vault: &Vault,
    minutes: i64,
    purpose: CodePurpose,
    target: &str,
    lang: Lang,
) -> Result<()> {
    write_code(tx, vault, minutes, purpose, target, lang)?.send(tx)
}

/// A code on its way.
pub(super) enum Message {
    Sms(Sms),
    Mail(Mail),
}

impl Message {
    pub fn send(&self, tx: &mut Tx<'_>) -> Result<()> {
        let sent = match self {
            Self::Sms(sms) => tx.enqueue("sms", sms, tx.now),
            Self::Mail(mail) => tx.enqueue("mail", mail, tx.now),
        };
        sent.map(|_| ())
    }
}

/// Writes a code down, and the message that would tell it.
pub(super) fn write_code(
    tx: &mut Tx<'_>,
    vault: &Vault,
    minutes: i64,
    purpose: CodePurpose,
    target: &str,
    lang: Lang,
) -> Result<Message> {
    let code = random_code()?;
    let row = OneTimeCode {
        id: CodeId::new(),
        purpose: purpose.name().to_owned(),
        target: target.to_owned(),
        code_hash: code_hash(vault, purpose, target, &code),
        attempts: 0,
        created_at: tx.now,
        expires_at: tx.now + TimeDelta::minutes(minutes),
        consumed_at: None,
    };
    store::insert_code(tx.conn, &row)?;
    let what = purpose.sentence(lang);
    let text = match lang {
        Lang::Zh => format!("您的验证码是 {code}，{what}，{minutes} 分钟内有效。请勿告诉他人。"),
        Lang::En => format!(
            "Your code is {code}, {what}. It is valid for {minutes} minutes. Do not tell it to anybody."
        ),
    };
    if target.starts_with('+') {
        let params = BTreeMap::from([
            ("code".to_owned(), code),
            ("minutes".to_owned(), minutes.to_string()),
        ]);
        return Ok(Message::Sms(Sms {
            to: target.to_owned(),
            template: CODE_SMS.to_owned(),
            params,
            text,
        }));
    }
    let subject = match lang {
        Lang::Zh => format!("益起来验证码 {code}"),
        Lang::En => format!("Your Yiqilai code {code}"),
    };
    Ok(Message::Mail(Mail::letter(target, &subject, &[&text])))
}

/// Whether the code fits; counts the try either way, so the caller must commit.
pub(super) fn check_code(
    tx: &mut Tx<'_>,
    vault: &Vault,
    tries: i32,
    purpose: CodePurpose,
    target: &str,
    code: &str,
) -> Result<bool> {
    check_codes(tx, vault, tries, &[(purpose, target, code)])
}

/// Whether all of these codes fit, each sent for a purpose to a phone or address. The tries are counted
/// either way, so the caller must commit; none is used up unless all fit.
pub(super) fn check_codes(
    tx: &mut Tx<'_>,
    vault: &Vault,
    tries: i32,
    codes: &[(CodePurpose, &str, &str)],
) -> Result<bool> {
    let mut right = Vec::new();
    for (purpose, target, code) in codes {
        let known = store::newest_code(tx.conn, purpose.name(), target, tx.now)?;
        if let Some(known) = known
            && store::try_code(tx.conn, known.id, tries)?
        {
            let hash = code_hash(vault, *purpose, target, code);
            let fits =
                aws_lc_rs::constant_time::verify_slices_are_equal(&known.code_hash, &hash).is_ok();
            right.extend(fits.then_some(known.id));
        }
    }
    let mut all = right.len() == codes.len();
    for id in right.into_iter().filter(|_| all).collect::<Vec<_>>() {
        all &= store::consume_code(tx.conn, id, tx.now)?;
    }
    Ok(all)
}

fn code_hash(vault: &Vault, purpose: CodePurpose, target: &str, code: &str) -> Vec<u8> {
    vault.lookup_hash(purpose.name(), format!("{target}\0{code}"))
}

/// Removes codes and refresh tokens that expired a day ago, and sign-ups that nobody proved within
/// a day.
///
/// # Errors
/// Those of the database.
pub fn forget_expired(tx: &mut Tx<'_>) -> Result<usize> {
    let before = tx.now - TimeDelta::days(1);
    Ok(store::delete_codes(tx.conn, before)?
        + store::delete_refresh_tokens(tx.conn, before)?
        + store::delete_sign_ups(tx.conn, before)?)
}
