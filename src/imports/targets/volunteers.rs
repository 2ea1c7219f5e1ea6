//! Volunteers: an account by phone or e-mail, and its profile.

use uuid::Uuid;

use super::{Context, Field, Kind, field, place, required};
use crate::error::{Code, Result};
use crate::identity::{self, AccountId};
use crate::imports::row::Row;
use crate::platform::db::{Conn, Tx};
use crate::volunteers::{self, Profile, SkillLevel};

pub const FIELDS: &[Field] = &[
    required("name", Kind::Text),
    field("phone", Kind::Text),
    field("email", Kind::Text),
    required("region", Kind::Text),
    field("introduction", Kind::Text),
    field("birth_date", Kind::Date),
    field("skills", Kind::List),
    field("interests", Kind::List),
];

pub fn write(
    tx: &mut Tx<'_>,
    context: &Context<'_>,
    row: &mut Row<'_>,
    known: Option<Uuid>,
) -> Result<Uuid> {
    let name = row.text("name").unwrap_or_default();
    if name.chars().count() > 50 {
        row.refuse("name", Code::Length);
    }
    let phone = row.phone("phone");
    let email = row
        .text("email")
        .map(|email| identity::normal_email(&email));
    if let Some(Err(code)) = email {
        row.refuse("email", code);
    }
    if row.text("phone").is_none() && row.text("email").is_none() {
        row.require("phone");
    }
    let region = place(tx.conn, context, row, (None, None))?;
    let birth_date = row.date("birth_date");
    let interests = row
        .list("interests")
        .iter()
        .map(|goal| goal.parse().ok())
        .collect::<Option<Vec<_>>>();
    if interests.is_none() {
        row.refuse("interests", Code::UnknownReference);
    }
    if known.is_none() {
        let email = email.as_ref().and_then(|email| email.as_deref().ok());
        refuse_known(tx.conn, row, phone.as_deref(), email)?;
    }
    let kept = match known {
        Some(id) => volunteers::profile(tx.conn, AccountId(id))?.map(|(profile, _)| profile),
        None => None,
    };
    let skill = |skill| SkillLevel {
        skill,
        level: 1,
        verified: false,
    };
    let profile = Profile {
        region_id: region,
        introduction: row.text("introduction").unwrap_or_default(),
        birth_date,
        skills: row.list("skills").into_iter().map(skill).collect(),
        interests: interests.unwrap_or_default(),
        availability: kept
            .as_ref()
            .map_or(Vec::new(), |kept| kept.availability.clone()),
        places: kept.map_or(Vec::new(), |kept| kept.places),
    };
    row.finish(volunteers::check(tx, &profile))?;
    let account = match known {
        Some(id) => AccountId(id),
        None => {
            let email = email.and_then(std::result::Result::ok);
            identity::invite_account(tx, phone.as_deref(), email.as_deref(), Some(&name))?.id
        }
    };
    volunteers::import(tx, context.actor, account, &profile)?;
    Ok(account.0)
}

/// Refuses a row about somebody who has an account here: a person's profile is the person's own.
fn refuse_known(
    conn: &mut Conn,
    row: &mut Row<'_>,
    phone: Option<&str>,
    email: Option<&str>,
) -> Result<()> {
    let by = [("phone", phone, None), ("email", None, email)];
    for (field, phone, email) in by {
        if let Some(account) = identity::find_account(conn, phone, email)? {
            let code = match volunteers::profile(conn, account.id)? {
                Some(_) => Code::ProfileExists,
                None => Code::AccountExists,
            };
            row.refuse(field, code);
        }
    }
    Ok(())
}
