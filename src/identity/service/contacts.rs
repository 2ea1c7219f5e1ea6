//! Another phone or address.

use super::{Desk, fits_code};
use crate::error::Result;
use crate::identity::codes::{CodePurpose, check_codes};
use crate::identity::requests::Request;
use crate::identity::{Caller, contacts};
use crate::platform::journal::Change;

impl Desk<'_> {
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
            let current = contacts::proves_current(&account, &new);
            let mut codes = vec![(CodePurpose::ProveNew, new.as_str(), new_code.as_str())];
            if let Some(current) = &current {
                codes.push((CodePurpose::ProveCurrent, current, &current_code));
            }
            if !check_codes(tx, &vault, tries, &codes)? {
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
}
