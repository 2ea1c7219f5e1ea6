//! Feedback over HTTP.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpResponse, get, put};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::model::{Direction, Feedback};
use super::rules;
use super::service::{self, NewAssessment, NewFeedback};
use super::store::{self, About};
use crate::activities::enrolments::{EnrolmentId, visible};
use crate::activities::model::{Activity, ActivityId};
use crate::activities::rules::{ActivityRules, By};
use crate::activities::service::{self as activities, Desk};
use crate::error::{Code, Error, Result};
use crate::identity::{Caller, Command, Made, MaybeCaller};
use crate::organizations::{self, OrganizationId};
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::db::Conn;
use crate::platform::http::page::DEFAULT_LIMIT;
use crate::platform::http::{Cursor, List, Page, Params, ProblemBody};
use crate::platform::lifecycle::ActsAs;

/// The sub-room's routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(give_feedback)
        .service(read_feedback)
        .service(give_assessment)
        .service(read_assessment)
        .service(read_activity_rating)
        .service(list_comments)
        .service(read_organization_rating);
}

/// What somebody who came says of an activity.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActivityFeedback)]
struct FeedbackView {
    /// How well it was organised, one to five.
    organization: i32,
    /// How safe it was, one to five.
    safety: i32,
    /// How much sense it made, one to five.
    meaning: i32,
    /// In words.
    comment: String,
    /// Until when it may be changed; not included.
    open_until: Instant,
    /// When it was said first.
    created_at: Instant,
    /// When it was said last.
    changed_at: Instant,
}

impl FeedbackView {
    fn of(said: Feedback, activity: &Activity, rules: &ActivityRules) -> Result<Self> {
        let mark =
            |mark: Option<i32>| mark.ok_or_else(|| Error::internal("feedback without a mark"));
        Ok(Self {
            organization: mark(said.organization)?,
            safety: mark(said.safety)?,
            meaning: mark(said.meaning)?,
            comment: said.comment,
            open_until: rules::open_until(activity, rules),
            created_at: said.created_at,
            changed_at: said.changed_at,
        })
    }
}

/// What who organised an activity says of a volunteer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VolunteerAssessment)]
struct AssessmentView {
    /// How reliable the volunteer was, one to five.
    reliability: i32,
    /// In words.
    comment: String,
    /// Until when it may be changed; not included.
    open_until: Instant,
    /// When it was said first.
    created_at: Instant,
    /// When it was said last.
    changed_at: Instant,
}

impl AssessmentView {
    fn of(said: Feedback, activity: &Activity, rules: &ActivityRules) -> Result<Self> {
        let mark = said.reliability;
        Ok(Self {
            reliability: mark.ok_or_else(|| Error::internal("an assessment without a mark"))?,
            comment: said.comment,
            open_until: rules::open_until(activity, rules),
            created_at: said.created_at,
            changed_at: said.changed_at,
        })
    }
}

/// What volunteers think of an activity, or of all of an organisation: averages, and all null as long as so few
/// have answered that one could tell who said what.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rating)]
struct RatingView {
    /// How many have answered.
    answers: Option<i64>,
    /// How well it was organised, one to five, to one decimal.
    organization: Option<f64>,
    /// How safe it was.
    safety: Option<f64>,
    /// How much sense it made.
    meaning: Option<f64>,
}

fn rating(conn: &mut Conn, about: About, shown_from: i64) -> Result<RatingView> {
    let [organization, safety, meaning] = store::marks(conn, about)?;
    let answers: i64 = organization.iter().map(|(_, n)| n).sum();
    let average = |marks: &[(i32, i64)]| rules::average(marks, shown_from);
    Ok(RatingView {
        answers: (answers >= shown_from).then_some(answers),
        organization: average(&organization),
        safety: average(&safety),
        meaning: average(&meaning),
    })
}

/// Say what one thinks of an activity
///
/// For who had a place in it, once it has finished; said again as long as the term runs, it takes the place of
/// what was said before.
#[utoipa::path(tag = "activities", request_body = NewFeedback,
    params(("id" = EnrolmentId, Path, description = "One's enrolment")), responses(
    (status = 200, description = "Said", body = FeedbackView),
    (status = 403, description = "Somebody else's enrolment", body = ProblemBody),
    (status = 404, description = "No such enrolment", body = ProblemBody),
    (status = 409, description = "It has not finished, its term is over, or one had no place", body = ProblemBody)))]
#[put("/enrolments/{id}/feedback")]
async fn give_feedback(
    command: Command<NewFeedback>,
    id: Path<EnrolmentId>,
    desk: Data<Desk>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let (said, activity) = service::give(tx, &desk, caller, *id, input)?;
            Ok(Made::changed(FeedbackView::of(
                said,
                &activity,
                &desk.rules,
            )?))
        })
        .await
}

/// Read what one said of an activity
#[utoipa::path(tag = "activities", params(("id" = EnrolmentId, Path, description = "One's enrolment")), responses(
    (status = 200, description = "What was said", body = FeedbackView),
    (status = 403, description = "Somebody else's enrolment", body = ProblemBody),
    (status = 404, description = "No such enrolment, or nothing was said", body = ProblemBody)))]
#[get("/enrolments/{id}/feedback")]
async fn read_feedback(
    caller: Caller,
    platform: Data<Platform>,
    desk: Data<Desk>,
    id: Path<EnrolmentId>,
) -> Result<Json<FeedbackView>> {
    let read = platform.db.read(move |conn| {
        let (_, activity) = service::seen(conn, &caller, *id, Direction::ToActivity)?;
        let said = store::of_place(conn, *id, Direction::ToActivity)?;
        FeedbackView::of(said.ok_or(Code::NotFound)?, &activity, &desk.rules)
    });
    Ok(Json(read.await?))
}

/// Say what one thinks of a volunteer
///
/// For who organised the activity, once it has finished; said again as long as the term runs, it takes the place
/// of what was said before. The volunteer and who organises the activity read it, and nobody else.
#[utoipa::path(tag = "activities", request_body = NewAssessment,
    params(("id" = EnrolmentId, Path, description = "The volunteer's enrolment")), responses(
    (status = 200, description = "Said", body = AssessmentView),
    (status = 403, description = "Not the organiser, or one's own enrolment", body = ProblemBody),
    (status = 404, description = "No such enrolment", body = ProblemBody),
    (status = 409, description = "It has not finished, its term is over, or the person had no place", body = ProblemBody)))]
#[put("/enrolments/{id}/assessment")]
async fn give_assessment(
    command: Command<NewAssessment>,
    id: Path<EnrolmentId>,
    desk: Data<Desk>,
) -> Result<HttpResponse> {
    command
        .run(move |tx, caller, input| {
            let (said, activity) = service::assess(tx, &desk, caller, *id, input)?;
            Ok(Made::changed(AssessmentView::of(
                said,
                &activity,
                &desk.rules,
            )?))
        })
        .await
}

/// Read what the organiser said of a volunteer
///
/// For that volunteer, and who organises the activity.
#[utoipa::path(tag = "activities", params(("id" = EnrolmentId, Path, description = "The enrolment")), responses(
    (status = 200, description = "What was said", body = AssessmentView),
    (status = 404, description = "No such enrolment, nothing was said, or not for the caller's eyes", body = ProblemBody)))]
#[get("/enrolments/{id}/assessment")]
async fn read_assessment(
    caller: Caller,
    platform: Data<Platform>,
    desk: Data<Desk>,
    id: Path<EnrolmentId>,
) -> Result<Json<AssessmentView>> {
    let read = platform.db.read(move |conn| {
        let seen = visible(conn, &caller, *id)?;
        if !seen.relation.person && !seen.relation.organizer {
            return Err(Code::NotFound.into());
        }
        let said = store::of_place(conn, *id, Direction::ToVolunteer)?;
        AssessmentView::of(said.ok_or(Code::NotFound)?, &seen.activity, &desk.rules)
    });
    Ok(Json(read.await?))
}

/// Read what volunteers think of an activity
#[utoipa::path(tag = "activities", security((), ("bearer" = [])),
    params(("id" = ActivityId, Path, description = "The activity")), responses(
    (status = 200, description = "Averages, from enough answers on", body = RatingView),
    (status = 404, description = "No such activity, or not for the caller's eyes", body = ProblemBody)))]
#[get("/activities/{id}/feedback")]
async fn read_activity_rating(
    caller: MaybeCaller,
    platform: Data<Platform>,
    desk: Data<Desk>,
    id: Path<ActivityId>,
) -> Result<Json<RatingView>> {
    let read = platform.db.read(move |conn| {
        activities::visible(conn, caller.0.as_ref(), *id)?;
        rating(conn, About::Activity(*id), desk.rules.feedback_shown_from)
    });
    Ok(Json(read.await?))
}

/// What somebody wrote of an activity.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FeedbackComment)]
struct CommentView {
    /// In the words of somebody who came.
    comment: String,
}

#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Paging {
    /// Rows a page holds, 1 to 100.
    #[validate(range(min = 1, max = 100))]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// List what volunteers wrote of an activity
///
/// For who organises it: without names, in an order that says nothing of who wrote what, and only once enough
/// have answered.
#[utoipa::path(tag = "activities", params(("id" = ActivityId, Path, description = "The activity"), Paging), responses(
    (status = 200, description = "The comments; none as long as too few have answered", body = Page<CommentView>),
    (status = 403, description = "Not its organiser", body = ProblemBody),
    (status = 404, description = "No such activity", body = ProblemBody),
    (status = 422, description = "A parameter out of bounds", body = ProblemBody)))]
#[get("/activities/{id}/feedback-comments")]
async fn list_comments(
    caller: Caller,
    platform: Data<Platform>,
    desk: Data<Desk>,
    id: Path<ActivityId>,
    query: Params<Paging>,
) -> Result<List<Page<CommentView>>> {
    let Params(paging) = query;
    let after: Option<String> = Cursor::decode(paging.cursor.as_deref())?;
    let limit = paging.limit.unwrap_or(DEFAULT_LIMIT);
    let found = platform.db.read(move |conn| {
        let (_, relation) = activities::visible(conn, Some(&caller), *id)?;
        relation.acts_as(By::Organizer)?;
        let shown_from = desk.rules.feedback_shown_from;
        let rating = rating(conn, About::Activity(*id), shown_from)?;
        let comments = match rating.answers {
            Some(_) => store::comments(conn, *id, after.clone(), limit)?,
            None => Vec::new(),
        };
        let page = Page::of(comments, limit, String::clone);
        Ok(page.map(|comment| CommentView { comment }))
    });
    Ok(List(found.await?))
}

/// Read what volunteers think of an organisation's activities
#[utoipa::path(tag = "activities", security(()),
    params(("id" = OrganizationId, Path, description = "The organisation")), responses(
    (status = 200, description = "Averages over all its activities, from enough answers on", body = RatingView),
    (status = 404, description = "No such organisation", body = ProblemBody)))]
#[get("/organization-ratings/{id}")]
async fn read_organization_rating(
    platform: Data<Platform>,
    desk: Data<Desk>,
    id: Path<OrganizationId>,
) -> Result<Json<RatingView>> {
    let read = platform.db.read(move |conn| {
        organizations::organization(conn, *id)?;
        rating(
            conn,
            About::Organization(*id),
            desk.rules.feedback_shown_from,
        )
    });
    Ok(Json(read.await?))
}
