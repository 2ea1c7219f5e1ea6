//! Organisations: who may claim projects and act for residents.
//!
//! A registered organisation is a legal person with a unified social credit code; a filed one has
//! its record with its street, which alone reviews it. Teams, studios, centres and alliances are
//! rows of the same table.
//!
//! ```text
//! draft ──submit──▶ submitted ──approve──▶ active ◀─reinstate/suspend─▶ suspended
//!   ▲                   │return                │                           │
//!   └──revise── returned◀                      └─dissolve ▶ dissolved,  revoke ▶ revoked
//!
//! membership:  invited ──accept──▶ active ──▶ left | removed
//!                 └──▶ declined | cancelled | expired
//! ```

pub mod http;
mod model;
pub mod rules;
mod service;
mod store;

pub use model::{
    DocumentKind, MemberRole, Organization, OrganizationId, OrganizationKind, OrganizationStatus,
};
pub use rules::{OrganizationRules, is_doubtful};
pub use service::{
    Approval, Desk, EditOrganization, INVITATION_SMS, Invitation, NewOrganization, Standing,
    accept, add_document, approve, create, edit, import, invite, may_act, remind, stopped, submit,
    suspend, sweep,
};
pub use store::{keeps_file, managers, managers_in, named, organization};
