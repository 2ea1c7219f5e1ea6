//! What becomes of places whose people lose a qualification: nothing by itself, but everybody concerned is
//! told.

use super::super::people::lacks;
use super::super::store;
use crate::error::Result;
use crate::identity;
use crate::notifications::Kind;
use crate::platform::db::Tx;
use crate::platform::journal::Entry;
use crate::projects::claims;
use crate::projects::claims::rules::LIVE;
use crate::projects::rules::is_over;
use crate::projects::service::{Desk, tell};
use crate::projects::store as projects;
use crate::{taxonomies, volunteers};

/// A reaction: who works in a crew and lacks what its role asks for, since a certificate counts no more,
/// is told, and so is who leads the crew.
///
/// # Errors
/// Those of the database.
pub fn react(tx: &mut Tx<'_>, desk: &Desk, entry: &Entry) -> Result<()> {
    let Some((who, lost)) = volunteers::ended(tx.conn, entry)? else {
        return Ok(());
    };
    // of somebody who is gone there is nothing to tell
    let Ok(account) = identity::account(tx.conn, who) else {
        return Ok(());
    };
    let held = volunteers::held_by(tx.conn, &[who])?;
    for place in store::at_work_of(tx.conn, who)? {
        let claim = claims::claim(tx.conn, place.claim_id)?;
        let project = projects::project(tx.conn, claim.project_id)?;
        if !LIVE.contains(&claim.status) || is_over(&project, tx.today()) {
            continue;
        }
        let role = projects::role(tx.conn, place.role_id)?;
        let today = tx.today();
        // what was missing before was told before
        let new = lacks(&held, desk, (&project, &role), who, today)
            .find(|(_, kind)| volunteers::includes(&lost, kind));
        let Some((_, kind)) = new else { continue };
        let (zh, en) = match taxonomies::qualification(kind) {
            Some(known) => (known.zh.as_str(), known.en.as_str()),
            None => (kind, kind),
        };
        let params = [
            ("name", account.display_name.as_str()),
            ("role", role.name.as_str()),
            ("qualification_zh", zh),
            ("qualification_en", en),
        ];
        tell(
            tx,
            &project,
            &[who],
            Kind::PlaceQualificationEnded,
            &params[1..],
        )?;
        let mut leaders = claims::leaders(tx.conn, &claim)?;
        leaders.retain(|leader| *leader != who);
        tell(
            tx,
            &project,
            &leaders,
            Kind::CrewQualificationEnded,
            &params,
        )?;
    }
    Ok(())
}
