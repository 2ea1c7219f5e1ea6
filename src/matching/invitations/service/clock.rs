//! What the clock, and what happens elsewhere, does to invitations.

use chrono::TimeDelta;

use super::answers::{close, close_colliding, close_where_full};
use super::{about, advance, notice};
use crate::error::{Error, Result};
use crate::identity::{self, AccountId};
use crate::matching::NeedId;
use crate::matching::invitations::rules::InvitationRules;
use crate::matching::invitations::store;
use crate::matching::store::SOURCES;
use crate::notifications::{Kind, notify};
use crate::platform::db::Tx;
use crate::platform::journal::{Actor, Entry};

/// Ends invitations that nobody answered in time, up to `limit`; returns how many. One that is answered
/// at the same moment is left to the answer.
///
/// # Errors
/// Those of the database.
pub fn sweep(tx: &mut Tx<'_>, limit: i64) -> Result<usize> {
    let overdue = store::overdue(tx.conn, tx.now, limit)?;
    let count = overdue.len();
    for seen in overdue {
        let about = about(tx.conn, seen.need())?;
        match advance(tx, &about, &seen, "expire", Actor::System, None) {
            Ok(_) => {}
            Err(Error::Problem(_)) => continue,
            Err(error) => return Err(error),
        }
        let told = notice(&seen, &about, seen.account_id, Kind::InvitationExpired);
        notify(tx, &told.inbox_only())?;
    }
    Ok(count)
}

/// Forgets invitations that ended long ago.
///
/// # Errors
/// Those of the database.
pub fn purge(tx: &mut Tx<'_>, rules: &InvitationRules) -> Result<usize> {
    let before = tx.now - TimeDelta::days(rules.kept_days);
    store::purge(tx, before)
}

/// A reaction: what happened to needs ends the invitations for which there is no room any more, and
/// lets the recruitments for them be looked at; an account that is gone is asked nothing more. Reacting
/// twice is reacting once.
///
/// # Errors
/// Those of the database.
pub fn react(tx: &mut Tx<'_>, entry: &Entry) -> Result<()> {
    let (noun, subject) = (entry.subject_kind.as_str(), entry.subject_id.0);
    match noun {
        "account" => {
            let who = AccountId(subject);
            match identity::account(tx.conn, who) {
                Err(Error::Problem(_)) => forget(tx, who),
                found => found.map(|_| ()),
            }
        }
        "wish" | "project" | "project_claim" | "crew_member" => {
            for source in SOURCES {
                let needs = (source.touched)(tx.conn, noun, &[subject])?;
                for id in store::concerned(tx.conn, &needs)? {
                    let need = NeedId {
                        id,
                        kind: source.kind,
                    };
                    let open = store::open_of_need(tx.conn, need)?;
                    close_where_full(tx, &open)?;
                    store::wake_of_need(tx, id)?;
                }
                if ["crew_member.join", "crew_member.accept"].contains(&entry.kind.as_str()) {
                    for who in (source.people)(tx.conn, noun, &[subject])? {
                        close_colliding(tx, who)?;
                    }
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Forgets what a person was asked and does not want to be asked, as far as it is the person's: open
/// invitations end, blocks, dismissed needs and reasons go. For whoever deletes an account.
///
/// # Errors
/// Those of the database.
pub fn forget(tx: &mut Tx<'_>, who: AccountId) -> Result<()> {
    for seen in store::open_of_person(tx.conn, who)? {
        close(tx, &seen, Kind::InvitationClosed)?;
    }
    store::forget(tx.conn, who)
}
