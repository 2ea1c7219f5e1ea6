//! Writing an organisation down: its row and its documents.

use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::super::model::{
    Member, MemberId, MemberRole, MemberStatus, Organization, OrganizationId, OrganizationKind,
    OrganizationStatus,
};
use super::super::{rules, store};
use super::filing::{follow_filing, missing};
use super::{Desk, change, notice, of_manager, serialize};
use crate::error::{Code, FieldError, Problem, Result, together};
use crate::identity::{self, AccountId, Caller, ResidentId, Role};
use crate::notifications::{self, Kind, notify};
use crate::platform::db::Tx;
use crate::platform::http::IfMatch;
use crate::platform::http::valid::{self, given};
use crate::platform::journal::Actor;
use crate::regions::{self, Level, RegionId};
use crate::taxonomies;

/// An organisation as its founder writes it down.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewOrganization {
    /// What kind of body it is.
    pub kind: OrganizationKind,
    /// Its name.
    #[validate(length(min = 2, max = 80))]
    pub name: String,
    /// Where it acts; for a filed one the street it is on file with.
    pub region_id: RegionId,
    /// The field it works in, a code of the taxonomy.
    #[schema(example = "elderly_care")]
    pub field: Option<String>,
    /// A few words about it.
    #[validate(length(max = 2000))]
    #[serde(default)]
    pub introduction: String,
    /// Its unified social credit code (GB 32100); a filed one has none.
    #[schema(example = "51330206MJ88990059")]
    pub credit_code: Option<String>,
    /// Where it can be found.
    #[validate(length(min = 2, max = 200))]
    pub venue_address: Option<String>,
    /// The region its venue lies in.
    pub venue_region_id: Option<RegionId>,
    /// The last day on which it may use the venue.
    pub venue_until: Option<NaiveDate>,
    /// Its venue, degrees east.
    #[validate(range(min = -180.0, max = 180.0))]
    pub longitude: Option<f64>,
    /// Its venue, degrees north.
    #[validate(range(min = -90.0, max = 90.0))]
    pub latitude: Option<f64>,
}

/// What a manager changes. Absent keys leave a value alone, null removes it. Kind, name, region, code
/// and the responsible person change in a draft only, the rest any time; a filed organisation that
/// was reviewed may replace its responsible person, and keeps what its filing rests on.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct EditOrganization {
    /// What kind of body it is.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub kind: Option<OrganizationKind>,
    /// Its name.
    #[validate(length(min = 2, max = 80))]
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub name: Option<String>,
    /// Where it acts.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub region_id: Option<RegionId>,
    /// The field it works in, a code of the taxonomy.
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<String>)]
    pub field: Option<Option<String>>,
    /// A few words about it.
    #[validate(length(max = 2000))]
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub introduction: Option<String>,
    /// Its unified social credit code (GB 32100).
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<String>)]
    pub credit_code: Option<Option<String>>,
    /// The member who answers for it.
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<AccountId>)]
    pub responsible_id: Option<Option<AccountId>>,
    /// That person's number of the identity card (GB 11643); kept sealed, shown to nobody. Another
    /// person needs another number.
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<String>)]
    pub responsible_number: Option<Option<String>>,
    /// Where it can be found.
    #[validate(length(min = 2, max = 200))]
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<String>)]
    pub venue_address: Option<Option<String>>,
    /// The region its venue lies in.
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<RegionId>)]
    pub venue_region_id: Option<Option<RegionId>>,
    /// The last day on which it may use the venue.
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<String>, format = Date)]
    pub venue_until: Option<Option<NaiveDate>>,
    /// Its venue, degrees east.
    #[validate(range(min = -180.0, max = 180.0))]
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<f64>)]
    pub longitude: Option<Option<f64>>,
    /// Its venue, degrees north.
    #[validate(range(min = -90.0, max = 90.0))]
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<f64>)]
    pub latitude: Option<Option<f64>>,
}

/// The code with which a filed organisation becomes a registered one.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// Its unified social credit code (GB 32100).
    #[schema(example = "51330206MJ88990059")]
    pub credit_code: String,
}

/// An organisation as its founder wrote it down, not kept yet.
pub(super) fn draft(tx: &Tx<'_>, founder: AccountId, new: &NewOrganization) -> Organization {
    Organization {
        id: OrganizationId::new(),
        kind: new.kind,
        name: new.name.clone(),
        region_id: new.region_id,
        field: new.field.clone(),
        introduction: new.introduction.clone(),
        credit_code: new.credit_code.clone(),
        credit_code_reason: None,
        registering_code: None,
        responsible_id: None,
        responsible_number: None,
        venue_address: new.venue_address.clone(),
        venue_region_id: new.venue_region_id,
        venue_until: new.venue_until,
        longitude: new.longitude,
        latitude: new.latitude,
        status: OrganizationStatus::Draft,
        status_since: tx.now,
        curing_until: None,
        founder_id: founder,
        published_at: None,
        version: 1,
        created_at: tx.now,
    }
}

/// Makes somebody an organisation's first manager.
pub(super) fn found(
    tx: &mut Tx<'_>,
    actor: Actor,
    organization: &Organization,
    founder: AccountId,
) -> Result<()> {
    let member = Member {
        id: MemberId::new(),
        organization_id: organization.id,
        account_id: founder,
        name: identity::account(tx.conn, founder)?.display_name,
        role: MemberRole::Manager,
        status: MemberStatus::Active,
        invited_by: founder,
        invited_at: tx.now,
        expires_at: tx.now,
        joined_at: Some(tx.now),
        ended_at: None,
    };
    store::insert_member(tx.conn, &member)?;
    let scope = Some(organization.id.0);
    identity::grant(tx, actor, founder, Role::OrganizationManager, scope)?;
    Ok(())
}

/// Writes an organisation down as a draft; its founder is its first manager.
///
/// # Errors
/// `invalid` with every wrong field; `too_many_drafts`.
pub fn create(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    new: &NewOrganization,
) -> Result<Organization> {
    let mut organization = draft(tx, caller.account, new);
    together([
        valid::check(new, ""),
        check(tx, &mut organization, None, Problem::new(Code::Invalid)),
    ])?;
    tx.serialize_on(&format!("drafts:{}", caller.account))?;
    if store::count_drafts(tx.conn, caller.account)? >= desk.rules.drafts_per_founder {
        return Err(Code::TooManyDrafts.into());
    }
    store::insert(tx.conn, &organization)?;
    tx.journal(change(&organization, caller.actor(), "create"))?;
    found(tx, caller.actor(), &organization, caller.account)?;
    Ok(organization)
}

/// What the review settles.
const SETTLED: &[&str] = &[
    "/kind",
    "/name",
    "/region_id",
    "/credit_code",
    "/responsible_id",
    "/responsible_number",
];

impl EditOrganization {
    /// The fields that are given, as pointers.
    fn given(&self) -> Vec<&'static str> {
        let fields = [
            ("/kind", self.kind.is_some()),
            ("/name", self.name.is_some()),
            ("/region_id", self.region_id.is_some()),
            ("/field", self.field.is_some()),
            ("/introduction", self.introduction.is_some()),
            ("/credit_code", self.credit_code.is_some()),
            ("/responsible_id", self.responsible_id.is_some()),
            ("/responsible_number", self.responsible_number.is_some()),
            ("/venue_address", self.venue_address.is_some()),
            ("/venue_region_id", self.venue_region_id.is_some()),
            ("/venue_until", self.venue_until.is_some()),
            ("/longitude", self.longitude.is_some()),
            ("/latitude", self.latitude.is_some()),
        ];
        let given = fields.iter().filter(|(_, is_given)| *is_given);
        given.map(|(pointer, _)| *pointer).collect()
    }

    /// The organisation with what is given. Another responsible person comes with an own number, or
    /// with none.
    fn apply(&self, desk: &Desk, was: &Organization, wrong: &mut Problem) -> Result<Organization> {
        let (edit, was) = (self.clone(), was.clone());
        let responsible_id = edit.responsible_id.unwrap_or(was.responsible_id);
        let number = match &edit.responsible_number {
            None => was
                .responsible_number
                .filter(|_| responsible_id == was.responsible_id),
            Some(None) => None,
            Some(Some(number)) => match ResidentId::parse(number) {
                Ok(number) => Some(desk.vault.seal(number.as_str().as_bytes())?),
                Err(code) => {
                    wrong
                        .errors
                        .push(FieldError::new("/responsible_number", code));
                    None
                }
            },
        };
        Ok(Organization {
            kind: edit.kind.unwrap_or(was.kind),
            name: edit.name.unwrap_or(was.name),
            region_id: edit.region_id.unwrap_or(was.region_id),
            field: edit.field.unwrap_or(was.field),
            introduction: edit.introduction.unwrap_or(was.introduction),
            credit_code: edit.credit_code.unwrap_or(was.credit_code),
            responsible_id,
            responsible_number: number,
            venue_address: edit.venue_address.unwrap_or(was.venue_address),
            venue_region_id: edit.venue_region_id.unwrap_or(was.venue_region_id),
            venue_until: edit.venue_until.unwrap_or(was.venue_until),
            longitude: edit.longitude.unwrap_or(was.longitude),
            latitude: edit.latitude.unwrap_or(was.latitude),
            ..was
        })
    }
}

/// Changes what may be changed where it stands. What a filed organisation was reviewed for holds over
/// the edit; its responsible person may be replaced, of which its staff are told.
///
/// # Errors
/// `invalid` with every wrong field; `version_required`, `version_mismatch`.
pub fn edit(
    tx: &mut Tx<'_>,
    desk: &Desk,
    caller: &Caller,
    id: OrganizationId,
    seen: &IfMatch,
    edit: &EditOrganization,
) -> Result<Organization> {
    serialize(tx, id)?;
    let was = of_manager(tx.conn, caller, id)?;
    seen.expect(was.version)?;
    let mut wrong = Problem::new(Code::Invalid);
    let given = edit.given();
    let is_reviewed = matches!(
        was.status,
        OrganizationStatus::Active | OrganizationStatus::Suspended
    );
    let is_replaced = edit
        .responsible_id
        .is_some_and(|responsible| responsible != was.responsible_id);
    let may_replace = is_reviewed && is_replaced && was.kind == OrganizationKind::Filed;
    if was.status != OrganizationStatus::Draft {
        for pointer in given.iter().filter(|pointer| SETTLED.contains(pointer)) {
            if !(may_replace && pointer.starts_with("/responsible")) {
                wrong = wrong.field(*pointer, Code::SettledByReview);
            }
        }
    }
    let mut organization = edit.apply(desk, &was, &mut wrong)?;
    let mut broken = Problem::new(Code::Invalid);
    if is_reviewed {
        let before = missing(tx, desk, &was)?;
        let after = missing(tx, desk, &organization)?;
        broken.errors = rules::broken(&before, after, &given);
    }
    together([
        valid::check(edit, ""),
        check(tx, &mut organization, Some(&was), wrong),
        Err(broken.into()),
    ])?;
    if !store::save(tx.conn, &organization)? {
        return Err(Code::VersionMismatch.into());
    }
    tx.journal(change(&organization, caller.actor(), "edit"))?;
    if may_replace {
        tx.journal(change(&organization, caller.actor(), "replace_responsible"))?;
        for to in notifications::staff_of(tx.conn, organization.region_id)? {
            let told = notice(&organization, to, Kind::OrganizationResponsibleReplaced);
            notify(tx, &told)?;
        }
    }
    follow_filing(tx, desk, id)?;
    store::organization(tx.conn, id)
}

/// Checks what can be wrong in any state, and writes the credit code in its normal form. What it
/// `was` keeps its regions, also those that have ended.
pub(super) fn check(
    tx: &mut Tx<'_>,
    organization: &mut Organization,
    was: Option<&Organization>,
    mut wrong: Problem,
) -> Result<()> {
    let today = tx.today();
    let conn = &mut *tx.conn;
    let kept = was.map(|was| was.region_id);
    match regions::current(conn, organization.region_id, kept, today)? {
        Err(code) => wrong = wrong.field("/region_id", code),
        Ok(region) => {
            let is_filed = organization.kind == OrganizationKind::Filed;
            if is_filed && region.level != Level::Street {
                wrong = wrong.field("/region_id", Code::FilingRegion);
            }
        }
    }
    if let Some(field) = &organization.field
        && !taxonomies::is_field(field)
    {
        wrong = wrong.field("/field", Code::UnknownReference);
    }
    if let Some(code) = &organization.credit_code {
        match rules::credit_code(code) {
            _ if organization.kind == OrganizationKind::Filed => {
                wrong = wrong.field("/credit_code", Code::CreditCodeOfFiled);
            }
            Err(code) => wrong = wrong.field("/credit_code", code),
            Ok((normal, _)) => organization.credit_code = Some(normal),
        }
    }
    if let Some(venue) = organization.venue_region_id {
        let kept = was.and_then(|was| was.venue_region_id);
        if let Err(code) = regions::current(conn, venue, kept, today)? {
            wrong = wrong.field("/venue_region_id", code);
        }
    }
    if let Some(responsible) = organization.responsible_id
        && identity::account(conn, responsible).is_err()
    {
        wrong = wrong.field("/responsible_id", Code::UnknownReference);
    }
    if organization.longitude.is_some() != organization.latitude.is_some() {
        wrong = wrong.field("/longitude", Code::Required);
    }
    if wrong.errors.is_empty() {
        Ok(())
    } else {
        Err(wrong.into())
    }
}

/// Asks that a filed organisation counts as registered: it has its code now.
///
/// # Errors
/// `organization_not_active`, `not_filed`, or `invalid` for a malformed code.
pub fn register(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: OrganizationId,
    wanted: &Registration,
) -> Result<Organization> {
    serialize(tx, id)?;
    let organization = of_manager(tx.conn, caller, id)?;
    let (code, _) = rules::credit_code(&wanted.credit_code)
        .map_err(|code| Problem::new(Code::Invalid).field("/credit_code", code))?;
    if organization.kind != OrganizationKind::Filed {
        return Err(Code::NotFiled.into());
    }
    if organization.status != OrganizationStatus::Active {
        return Err(Code::OrganizationNotActive.into());
    }
    if organization.registering_code.as_ref() == Some(&code) {
        return Ok(organization);
    }
    let asking = Organization {
        registering_code: Some(code),
        ..organization
    };
    if !store::save(tx.conn, &asking)? {
        return Err(Code::VersionMismatch.into());
    }
    tx.journal(change(&asking, caller.actor(), "ask_registration"))?;
    for to in notifications::staff_of(tx.conn, asking.region_id)? {
        notify(tx, &notice(&asking, to, Kind::RegistrationAsked))?;
    }
    store::organization(tx.conn, id)
}
