//! Recruiting, inviting and answering over HTTP.

use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::model::{
    Invitation, InvitationId, InvitationStatus, Recruitment, RecruitmentId, RecruitmentStatus,
};
use super::rules::{INVITATION, RECRUITMENT, Relation};
use super::service::{self, Desk};
use super::store;
use crate::error::Result;
use crate::identity::{self, AccountId, Caller};
use crate::matching::model::{NeedKind, Person};
use crate::matching::score::Side;
use crate::matching::service::pseudonym;
use crate::matching::view::{FactorView, NeedView, factor_views};
use crate::organizations::{self, OrganizationId};
use crate::platform::clock::Instant;
use crate::platform::db::Conn;
use crate::platform::lang::Lang;
use crate::platform::lifecycle;
use crate::projects::claims::ClaimId;

mod links;
mod organizer;
mod pages;
mod person;
mod refusing;

/// The sub-room's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(organizer::invite_candidate)
        .service(organizer::invite_account)
        .service(organizer::list_of_need)
        .service(organizer::cancel);
    config
        .service(organizer::start_recruitment)
        .service(organizer::list_recruitments)
        .service(organizer::read_recruitment)
        .service(organizer::list_of_recruitment)
        .service(organizer::stop_recruitment);
    config
        .service(person::mine)
        .service(person::read_mine)
        .service(person::accept)
        .service(person::decline)
        .service(person::dismiss)
        .service(person::block);
    config
        .service(refusing::list_dismissed)
        .service(refusing::dismiss_need)
        .service(refusing::take_back)
        .service(refusing::list_blocks)
        .service(refusing::add_block)
        .service(refusing::lift_block);
    config.map(|pages| pages.service(pages::show).service(pages::act));
    config
        .service(links::read_by_link)
        .service(links::answer_by_link);
}

/// An invitation as who invites sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NeedInvitation)]
struct InvitationView {
    /// Its id.
    id: InvitationId,
    /// What the need is.
    need_kind: NeedKind,
    /// The wish or role.
    #[schema(value_type = String, format = Uuid)]
    need_id: Uuid,
    /// Into which crew, for a role.
    claim_id: Option<ClaimId>,
    /// By which recruitment; null where it was sent by hand.
    recruitment_id: Option<RecruitmentId>,
    /// In which of its waves, from 1; 0 where it was sent by hand.
    wave: i32,
    /// Stands in the place of the person until it accepts: the same in all that is said of this need.
    /// Null where the account itself was invited: it is no way to find somebody among the candidates.
    pseudonym: Option<String>,
    /// Who it is, for who invited it: where the account itself was invited, and once it has accepted.
    account_id: Option<AccountId>,
    /// What the person is called, once it has accepted.
    name: Option<String>,
    /// 0 to 100, as it was when it was sent; null where the account itself was invited.
    score: Option<f64>,
    /// What the score would be made of now; null where the account itself was invited, once the need is
    /// not open, and where the person does not, or not any more, agree to be matched.
    factors: Option<Vec<FactorView>>,
    /// What was said.
    note: String,
    /// Where it stands.
    status: InvitationStatus,
    /// Since when.
    status_since: Instant,
    /// Until when it can be answered.
    expires_at: Instant,
    /// Why it was declined or cancelled, where somebody said so.
    reason: Option<String>,
    /// The moves that are the caller's now.
    moves: Vec<&'static str>,
    /// When it was sent.
    created_at: Instant,
}

/// What the score of an invitation would be made of now, for a person who passes.
fn factors(
    desk: &Desk,
    row: &Invitation,
    lang: Lang,
    passes: impl FnOnce(&Person) -> bool,
) -> Option<Vec<FactorView>> {
    let world = desk.matching.world();
    let (need, person) = (world.need(row.need())?, world.person(row.account_id)?);
    if !passes(&person) {
        return None;
    }
    let weights = &desk.matching.setting().matching.weights;
    Some(factor_views(&person, &need, Side::People, weights, lang))
}

impl InvitationView {
    fn of(conn: &mut Conn, desk: &Desk, row: Invitation, caller: &Caller) -> Result<Self> {
        let relation = service::relation(conn, caller, &row)?;
        let is_candidate = row.score.is_some();
        let has_accepted = row.status == InvitationStatus::Accepted;
        let is_known = relation.organizer && (has_accepted || !is_candidate);
        let account = match is_known && has_accepted {
            // somebody who is gone has no name any more
            true => identity::account(conn, row.account_id).ok(),
            false => None,
        };
        let vault = &desk.matching.setting().vault;
        let called = pseudonym(vault, row.need(), row.account_id);
        Ok(Self {
            factors: match is_candidate {
                true => factors(desk, &row, caller.lang, |person| person.agrees),
                false => None,
            },
            pseudonym: (is_candidate && !is_known).then_some(called),
            account_id: is_known.then_some(row.account_id),
            name: account.map(|account| account.display_name),
            moves: lifecycle::open_to(
                INVITATION,
                Relation {
                    person: false,
                    ..relation
                },
                row.status,
            ),
            id: row.id,
            need_kind: row.need_kind,
            need_id: row.need_id.0,
            claim_id: row.claim_id,
            recruitment_id: row.recruitment_id,
            wave: row.wave,
            score: row.score,
            note: row.note,
            status: row.status,
            status_since: row.status_since,
            expires_at: row.expires_at,
            reason: row.reason,
            created_at: row.created_at,
        })
    }
}

/// How many invitations stand where.
#[derive(Debug, Default, Serialize, ToSchema)]
struct InvitationCounts {
    /// Wait for an answer.
    open: i64,
    /// Took the need on.
    accepted: i64,
    /// Said no.
    declined: i64,
    /// Did not answer in time.
    expired: i64,
    /// Were taken back.
    cancelled: i64,
    /// Ended because others were faster, or nobody is wanted any more.
    closed: i64,
}

/// A recruitment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Recruitment)]
struct RecruitmentView {
    /// Its id.
    id: RecruitmentId,
    /// What the need is.
    need_kind: NeedKind,
    /// The wish or role.
    #[schema(value_type = String, format = Uuid)]
    need_id: Uuid,
    /// The need in a few words.
    title: String,
    /// For which crew, of a role.
    claim_id: Option<ClaimId>,
    /// How many people are asked at once.
    size: i32,
    /// Hours in which each may answer.
    hours: i32,
    /// How many waves it may send.
    max_waves: i32,
    /// How many it has sent.
    wave: i32,
    /// What is said to those invited.
    note: String,
    /// How its invitations stand.
    invitations: InvitationCounts,
    /// Where it stands; each end says why it ended.
    status: RecruitmentStatus,
    /// Since when.
    status_since: Instant,
    /// Why it was stopped, in the words of who did.
    reason: Option<String>,
    /// The moves that are the caller's now.
    moves: Vec<&'static str>,
    /// When it began.
    created_at: Instant,
}

impl RecruitmentView {
    fn of(conn: &mut Conn, row: Recruitment, caller: &Caller) -> Result<Self> {
        let relation = service::recruiter(conn, caller, &row)?;
        let mut invitations = InvitationCounts::default();
        for (_, status, count) in store::counts(conn, &[row.id])? {
            let of_status = match status {
                InvitationStatus::Open => &mut invitations.open,
                InvitationStatus::Accepted => &mut invitations.accepted,
                InvitationStatus::Declined => &mut invitations.declined,
                InvitationStatus::Expired => &mut invitations.expired,
                InvitationStatus::Cancelled => &mut invitations.cancelled,
                InvitationStatus::Closed => &mut invitations.closed,
            };
            *of_status = count;
        }
        Ok(Self {
            title: service::about(conn, row.need())?.title,
            invitations,
            moves: lifecycle::open_to(RECRUITMENT, relation, row.status),
            id: row.id,
            need_kind: row.need_kind,
            need_id: row.need_id.0,
            claim_id: row.claim_id,
            size: row.size,
            hours: row.hours,
            max_waves: row.max_waves,
            wave: row.wave,
            note: row.note,
            status: row.status,
            status_since: row.status_since,
            reason: row.reason,
            created_at: row.created_at,
        })
    }
}

/// An invitation as the person invited sees it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OwnNeedInvitation)]
struct OwnInvitationView {
    /// Its id.
    id: InvitationId,
    /// What the need is.
    need_kind: NeedKind,
    /// The wish or role.
    #[schema(value_type = String, format = Uuid)]
    need_id: Uuid,
    /// The need in a few words.
    title: String,
    /// The need; null once it is not open any more.
    need: Option<NeedView>,
    /// The project that a role belongs to.
    #[schema(value_type = Option<String>, format = Uuid)]
    project_id: Option<Uuid>,
    /// Into which crew, for a role.
    claim_id: Option<ClaimId>,
    /// The organisation for which it is done; null where nobody but a person asks.
    organization_id: Option<OrganizationId>,
    /// Who asks: the organisation, else what the person is called.
    organizer: String,
    /// What they have to say.
    note: String,
    /// 0 to 100, as it was when it was sent; null where the person was chosen without one.
    score: Option<f64>,
    /// Why the person: what the score would be made of now.
    factors: Option<Vec<FactorView>>,
    /// Where it stands.
    status: InvitationStatus,
    /// Since when.
    status_since: Instant,
    /// Until when it can be answered.
    expires_at: Instant,
    /// The answers that can be given now; a rule may still refuse a yes.
    moves: Vec<&'static str>,
    /// When it was sent.
    created_at: Instant,
}

/// Who asks: the organisation, else what the person is called.
fn organizer_name(conn: &mut Conn, row: &Invitation) -> Result<String> {
    match row.organization_id {
        Some(id) => Ok(organizations::organization(conn, id)?.name),
        None => {
            let account = identity::account(conn, row.invited_by);
            Ok(account
                .map(|account| account.display_name)
                .unwrap_or_default())
        }
    }
}

impl OwnInvitationView {
    fn of(conn: &mut Conn, desk: &Desk, row: Invitation, now: Instant, lang: Lang) -> Result<Self> {
        let about = service::about(conn, row.need())?;
        let need = desk.matching.world().need(row.need());
        let person = Relation {
            person: true,
            ..Relation::default()
        };
        let mut moves = lifecycle::open_to(INVITATION, person, row.status);
        if row.expires_at <= now {
            moves.clear(); // before the clock says so
        }
        Ok(Self {
            title: about.title,
            need: need.map(|need| (&*need).into()),
            project_id: about.project,
            organizer: organizer_name(conn, &row)?,
            factors: factors(desk, &row, lang, |_| true),
            moves,
            id: row.id,
            need_kind: row.need_kind,
            need_id: row.need_id.0,
            claim_id: row.claim_id,
            organization_id: row.organization_id,
            note: row.note,
            score: row.score,
            status: row.status,
            status_since: row.status_since,
            expires_at: row.expires_at,
            created_at: row.created_at,
        })
    }
}
