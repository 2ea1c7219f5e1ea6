use diesel::prelude::*;

use crate::id;
use crate::identity::AccountId;
use crate::organizations::OrganizationId;
use crate::platform::clock::Instant;
use crate::schema::calendars;

id! {
    /// Names a calendar that is fetched at a secret address.
    CalendarId
}

/// Whose activities a calendar shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The places of a person.
    Person(AccountId),
    /// What an organisation has published.
    Organization(OrganizationId),
}

/// A calendar that is fetched at a secret address.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = calendars)]
pub struct Calendar {
    /// Its id.
    pub id: CalendarId,
    /// Whose places it shows.
    pub account_id: Option<AccountId>,
    /// Whose published activities it shows.
    pub organization_id: Option<OrganizationId>,
    /// SHA-256 of the secret in its address.
    pub secret_hash: Vec<u8>,
    /// Who made the address.
    pub made_by: AccountId,
    /// When.
    pub made_at: Instant,
}

impl Calendar {
    /// Whose activities it shows.
    pub fn owner(&self) -> Option<Owner> {
        let person = self.account_id.map(Owner::Person);
        person.or(self.organization_id.map(Owner::Organization))
    }
}
