//! The link in the mail in a browser: the same as [`super::links`], as a page. It works without scripts
//! and loads nothing.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Path};
use actix_web::{HttpResponse, get, post};
use askama::Template;
use serde::Deserialize;

use super::links::{LinkAnswer, LinkedInvitation, linked, perform, shown};
use crate::error::{Code, Error, Result};
use crate::matching::invitations::model::{Answer, InvitationStatus};
use crate::matching::invitations::service::Desk;
use crate::matching::model::NeedKind;
use crate::platform::Platform;
use crate::platform::http::valid::is_readable_prose;
use crate::platform::http::{Lang, html};

#[derive(Template)]
#[template(path = "invitation_link.html")]
struct InvitationPage<'a> {
    lang: Lang,
    style: &'a str,
    /// What to say first: why an answer was not taken.
    banner: Option<&'a str>,
    shown: Option<Shown>,
}

struct Shown {
    lang: Lang,
    address: String,
    invitation: LinkedInvitation,
    zone: chrono_tz::Tz,
}

impl Shown {
    fn until(&self) -> String {
        self.invitation.expires_at.on_the_wall(self.zone)
    }

    fn is_open(&self) -> bool {
        !self.invitation.answers.is_empty()
    }

    fn status(&self) -> &'static str {
        let lang = self.lang;
        match self.invitation.status {
            InvitationStatus::Open => lang.pick("等待您的答复", "Waits for your answer"),
            InvitationStatus::Accepted => lang.pick("您已接受，谢谢！", "You said yes. Thank you!"),
            InvitationStatus::Declined => lang.pick("您已谢绝", "You said no"),
            InvitationStatus::Expired => lang.pick("已过答复期限", "It has expired"),
            InvitationStatus::Cancelled => lang.pick("发起方已撤回", "It was taken back"),
            InvitationStatus::Closed => lang.pick(
                "名额已满或不再招募",
                "All places are taken, or nobody is wanted any more",
            ),
        }
    }

    /// What a yes means.
    fn yes_means(&self) -> &'static str {
        match self.invitation.need_kind {
            NeedKind::Wish => self.lang.pick(
                "接受即认领该心愿：请在期限内送达，登录后可查看联系方式。",
                "A yes claims the wish: please deliver in time. Sign in to read whom to contact.",
            ),
            NeedKind::ProjectRole => self.lang.pick(
                "接受即加入该项目的队伍，负责人会看到您的名字。",
                "A yes takes the place in the crew. Its leader then reads your name.",
            ),
        }
    }
}

async fn load(platform: &Platform, desk: &Data<Desk>, lang: Lang, token: &str) -> Result<Shown> {
    let id = linked(desk, platform, token)?;
    let (zone, token, desk) = (platform.zone, token.to_owned(), desk.clone());
    let now = platform.clock.now();
    let found = platform.db.read(move |conn| {
        Ok(Shown {
            lang,
            address: format!("/api/v1/invitation-links/{token}"),
            invitation: shown(conn, &desk, id, now)?,
            zone,
        })
    });
    found.await
}

/// The page as it is now, with something said first; without the invitation when there is none.
async fn page(
    platform: &Platform,
    desk: &Data<Desk>,
    lang: Lang,
    token: &str,
    (status, banner): (StatusCode, Option<&str>),
) -> Result<HttpResponse> {
    let (status, shown) = match load(platform, desk, lang, token).await {
        Ok(shown) => (status, Some(shown)),
        Err(Error::Problem(problem)) if problem.code == Code::LinkInvalid => {
            (StatusCode::NOT_FOUND, None)
        }
        Err(error) => return Err(error),
    };
    let page = InvitationPage {
        lang,
        style: html::STYLE,
        banner: banner.filter(|_| shown.is_some()),
        shown,
    };
    let html = page.render().map_err(Error::internal)?;
    Ok(html::page(status, lang, html))
}

#[get("/invitation-links/{token}", guard = "html::is_page")]
pub(super) async fn show(
    lang: Lang,
    platform: Data<Platform>,
    desk: Data<Desk>,
    token: Path<String>,
) -> Result<HttpResponse> {
    page(&platform, &desk, lang, &token, (StatusCode::OK, None)).await
}

/// What a form of the page sends.
#[derive(Debug, Deserialize)]
pub(super) struct Filled {
    answer: Answer,
    #[serde(default)]
    reason: String,
}

impl Filled {
    /// The same as JSON gives it, or what is wrong with it, in words.
    fn given(&self, lang: Lang) -> Result<LinkAnswer, &'static str> {
        let reason = self.reason.trim();
        if reason.chars().count() > 1000 || !is_readable_prose(reason) {
            return Err(lang.pick(
                "理由过长或含有看不见的字符，请重新填写。",
                "The reason is too long, or holds characters that nobody sees. Please write it anew.",
            ));
        }
        Ok(LinkAnswer {
            answer: self.answer,
            reason: (!reason.is_empty()).then(|| reason.to_owned()),
        })
    }
}

#[post("/invitation-links/{token}", guard = "html::is_page")]
pub(super) async fn act(
    lang: Lang,
    platform: Data<Platform>,
    desk: Data<Desk>,
    token: Path<String>,
    form: Form<Filled>,
) -> Result<HttpResponse> {
    let given = match form.given(lang) {
        Ok(given) => given,
        Err(why) => {
            let said = (StatusCode::UNPROCESSABLE_ENTITY, Some(why));
            return page(&platform, &desk, lang, &token, said).await;
        }
    };
    match perform(&platform, &desk, &token, given).await {
        // the page itself says what was answered
        Ok(_) => Ok(html::see_other(format!("/api/v1/invitation-links/{token}"))),
        Err(Error::Problem(problem)) => {
            let (zh, en) = problem.code.title();
            let status = StatusCode::from_u16(problem.code.status()).map_err(Error::internal)?;
            let said = (status, Some(lang.pick(zh, en)));
            page(&platform, &desk, lang, &token, said).await
        }
        Err(error) => Err(error),
    }
}
