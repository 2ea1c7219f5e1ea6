//! A sample Party branch, its secretary, and the volunteers it has verified.

use super::people::{Names, VOLUNTEERS, acting, by_email, volunteer};
use super::region;
use crate::app::App;
use crate::branches::{self, NewBranch};
use crate::error::Result;
use crate::identity::{self, Purpose, Role};
use crate::party::{self, NewMembership, Standing, Verdict};
use crate::platform::journal::Actor;

/// Every so many volunteers one belongs to the branch.
const EVERY: usize = 12;

/// Sets the branch up and lets some volunteers declare themselves; the last one still waits for the
/// secretary.
pub(super) async fn load(app: &App, names: &Names) -> Result<()> {
    let (vault, names) = (app.platform.vault.clone(), names.clone());
    app.platform
        .db
        .write(move |tx| {
            let new = NewBranch {
                code: "SAMPLE-01".to_owned(),
                name: "示例·新碶街道机关党支部".to_owned(),
                region_id: region(tx, "330206002")?,
                parent_id: None,
            };
            let branch = branches::create(tx, Actor::System, &new)?.id;
            let secretary = by_email(tx, "secretary@demo.invalid")?;
            let (role, scope) = (Role::BranchSecretary, Some(branch.0));
            identity::grant(tx, Actor::System, secretary, role, scope)?;
            let secretary = acting(tx, secretary)?;
            for n in (0..VOLUNTEERS).step_by(EVERY) {
                let who = volunteer(tx, &names, n)?;
                identity::give_consent(tx, &who, Purpose::PartyMembership, "1")?;
                let declared = NewMembership {
                    branch_id: branch,
                    standing: match n % 5 {
                        4 => Standing::Applicant,
                        _ => Standing::Member,
                    },
                };
                let declared = party::declare(tx, &vault, &who, &declared)?;
                if n + EVERY < VOLUNTEERS {
                    party::decide(tx, &vault, &secretary, declared.id, Verdict::Verify)?;
                }
            }
            Ok(())
        })
        .await
}
