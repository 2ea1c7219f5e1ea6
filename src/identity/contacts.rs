//! Phones and addresses: whom they belong to. Only who has proved one owns it; an account that
//! somebody was invited or imported into gives it up to whoever proves it.

use std::collections::BTreeMap;

use super::model::{Account, AccountId, AccountStatus};
use super::store;
use crate::error::Result;
use crate::platform::db::{Conn, Tx};
use crate::platform::http::Lang;
use crate::platform::mail::Mail;
use crate::platform::sms::Sms;

/// The template that tells the number somebody had before.
pub const CONTACT_SMS: &str = "contact_changed";

/// An account to be changed, held until the end of the transaction: others who change it wait.
pub(super) fn held(tx: &mut Tx<'_>, id: AccountId) -> Result<Account> {
    tx.serialize_on(&format!("account:{id}"))?;
    store::account(tx.conn, id)
}

/// The account with this phone or address, both held until the end of the transaction.
pub(super) fn holder(tx: &mut Tx<'_>, contact: &str) -> Result<Option<Account>> {
    tx.serialize_on(&format!("contact:{contact}"))?;
    let found = store::by_contact(tx.conn, contact)?;
    found.map(|account| held(tx, account.id)).transpose()
}

/// Whether somebody else has proved this phone or address.
pub(super) fn is_taken(conn: &mut Conn, contact: &str, by_other_than: AccountId) -> Result<bool> {
    let holder = store::by_contact(conn, contact)?;
    Ok(holder.is_some_and(|account| owns(&account) && account.id != by_other_than))
}

fn owns(account: &Account) -> bool {
    account.status == AccountStatus::Active
}

/// Gives an account a phone or address that its owner has proved, and tells the one that it takes
/// the place of. Nothing when it is taken.
pub(super) fn replace(
    tx: &mut Tx<'_>,
    mut account: Account,
    contact: &str,
) -> Result<Option<Account>> {
    let holder = holder(tx, contact)?.filter(|holder| holder.id != account.id);
    if let Some(mut holder) = holder {
        if owns(&holder) {
            return Ok(None);
        }
        *slot(&mut holder, contact) = None;
        store::update_account(tx.conn, holder)?;
    }
    let former = slot(&mut account, contact).replace(contact.to_owned());
    let lang = Lang::from_tag(&account.language);
    if let Some(former) = former.filter(|former| former != contact) {
        farewell(tx, &former, lang)?;
    }
    store::update_account(tx.conn, account).map(Some)
}

fn slot<'a>(account: &'a mut Account, contact: &str) -> &'a mut Option<String> {
    match contact.starts_with('+') {
        true => &mut account.phone,
        false => &mut account.email,
    }
}

/// Tells a phone or address that it is no longer its account's.
fn farewell(tx: &mut Tx<'_>, former: &str, lang: Lang) -> Result<()> {
    let text = lang.pick(
        "您的益起来账号已更换联系方式，此后不再使用本号码或邮箱。如非本人操作，请立即联系所在社区或街道的工作人员。",
        "Your Yiqilai account has new contact data and no longer uses this number or address. If it was not you, tell the staff of your community or street at once.",
    );
    if former.starts_with('+') {
        let sms = Sms {
            to: former.to_owned(),
            template: CONTACT_SMS.to_owned(),
            params: BTreeMap::new(),
            text: text.to_owned(),
        };
        return tx.enqueue("sms", &sms, tx.now).map(|_| ());
    }
    let subject = lang.pick("您的联系方式已更换", "Your contact data were changed");
    let mail = Mail::letter(former, subject, &[text]);
    tx.enqueue("mail", &mail, tx.now).map(|_| ())
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
