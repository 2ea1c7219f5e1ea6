//! The beneficiary's link in a browser: the same as [`super::links`], as pages. They work without
//! scripts and load nothing but the photos.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Path, Query};
use actix_web::{HttpResponse, get, post};
use askama::Template;
use serde::Deserialize;

use super::links::{FollowedWish, followed, linked, write};
use super::messages::MessageView;
use crate::error::{Code, Error, Result};
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::http::valid::is_readable_prose;
use crate::platform::http::{Lang, html};
use crate::wishes::model::WishStatus::{self, *};
use crate::wishes::service::{self, Desk, Mover};
use crate::wishes::thread;

/// Most messages that a page shows.
const MESSAGES: i64 = 500;

#[derive(Template)]
#[template(path = "wish_link.html")]
struct WishPage<'a> {
    lang: Lang,
    style: &'a str,
    /// What to say first: what was done, or why it was not.
    banner: Option<&'a str>,
    shown: Option<Shown>,
}

struct Shown {
    lang: Lang,
    address: String,
    followed: FollowedWish,
    messages: Vec<MessageView>,
    zone: chrono_tz::Tz,
}

impl Shown {
    fn at(&self, at: &Instant) -> String {
        at.on_the_wall(self.zone)
    }

    fn status(&self) -> &'static str {
        status(self.followed.wish.status, self.lang)
    }

    fn step(&self, kind: &str) -> &'static str {
        step(kind, self.lang)
    }

    /// Whether a move is the beneficiary's now.
    fn may(&self, verb: &str) -> bool {
        self.followed.wish.moves.contains(&verb)
    }

    fn may_write(&self) -> bool {
        matches!(self.followed.wish.status, Claimed | Delivered | Disputed)
    }

    fn photos(&self) -> impl Iterator<Item = &str> {
        let involved = self.followed.wish.involved.iter();
        involved
            .flat_map(|involved| &involved.evidence)
            .map(|photo| photo.photo_url.as_str())
    }
}

fn status(status: WishStatus, lang: Lang) -> &'static str {
    match status {
        Draft => lang.pick("草稿", "Draft"),
        Submitted => lang.pick("等待审核", "Waits for review"),
        Published => lang.pick("等待认领", "Waits for somebody"),
        Rejected => lang.pick("未通过审核", "Not approved"),
        Claimed => lang.pick("已被认领", "Claimed"),
        Delivered => lang.pick("已送达，请确认", "Delivered: please confirm"),
        Disputed => lang.pick("有异议，正在处理", "Disputed"),
        Fulfilled => lang.pick("已圆梦", "Came true"),
        Closed => lang.pick("已结束", "Closed"),
        Withdrawn => lang.pick("已撤回", "Withdrawn"),
        Expired => lang.pick("已过期", "Expired"),
    }
}

fn step(kind: &str, lang: Lang) -> &'static str {
    match kind {
        "wish.create" | "wish.import" => lang.pick("写下心愿", "Written down"),
        "wish.edit" => lang.pick("修改", "Changed"),
        "wish.submit" => lang.pick("提交审核", "Submitted"),
        "wish.screening_overdue" => lang.pick("审核超时", "Review overdue"),
        "wish.publish" => lang.pick("发布", "Published"),
        "wish.reject" => lang.pick("未通过审核", "Not approved"),
        "wish.revise" => lang.pick("退回修改", "Taken back to a draft"),
        "wish.claim" => lang.pick("认领", "Claimed"),
        "wish.read_contact" => lang.pick("查看联系方式", "Contact read"),
        "wish.add_evidence" => lang.pick("上传照片", "Photo added"),
        "wish.deliver" => lang.pick("送达", "Delivered"),
        "wish.release" => lang.pick("放弃认领", "Claim given up"),
        "wish.lapse" => lang.pick("认领到期", "Claim lapsed"),
        "wish.confirm" => lang.pick("确认达成", "Confirmed"),
        "wish.time_out" => lang.pick("逾期未答复，视为达成", "Counts as fulfilled"),
        "wish.dispute" | "wish.reopen" => lang.pick("提出异议", "Disputed"),
        "wish.redeliver" => lang.pick("重新送达", "To be delivered again"),
        "wish.free" => lang.pick("解除认领", "Claim ended"),
        "wish.close" => lang.pick("结束", "Closed"),
        "wish.withdraw" => lang.pick("撤回", "Withdrawn"),
        "wish.expire" => lang.pick("过期", "Expired"),
        _ => lang.pick("更新", "Changed"),
    }
}

/// What is done by a form of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Deed {
    Confirm,
    Dispute,
    Withdraw,
    Messages,
}

impl Deed {
    fn name(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Dispute => "dispute",
            Self::Withdraw => "withdraw",
            Self::Messages => "messages",
        }
    }

    fn done(self, lang: Lang) -> &'static str {
        match self {
            Self::Confirm => lang.pick(
                "谢谢您！心愿已确认达成。",
                "Thank you! The wish is confirmed.",
            ),
            Self::Dispute => lang.pick(
                "已收到您的异议，工作人员会尽快处理。",
                "Your objection was received. Staff will look after it.",
            ),
            Self::Withdraw => lang.pick("心愿已撤回。", "The wish is withdrawn."),
            Self::Messages => lang.pick("留言已发送。", "Your message was sent."),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Done {
    done: Option<Deed>,
}

/// What a form of the page sends.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Filled {
    #[serde(default)]
    text: String,
    /// Ticked where something cannot be undone.
    sure: Option<String>,
}

impl Filled {
    /// What is wrong with it, in words: the rules are those of the same texts in JSON.
    fn fault(&self, deed: Deed, lang: Lang) -> Option<&'static str> {
        if deed == Deed::Confirm {
            return None;
        }
        let text = self.text.trim();
        if !(1..=1000).contains(&text.chars().count()) {
            return Some(lang.pick(
                "请写明内容，不超过 1000 字。",
                "Please write something, up to 1000 characters.",
            ));
        }
        if !is_readable_prose(text) {
            return Some(lang.pick(
                "内容含有看不见的控制字符，请重新输入。",
                "The text holds control characters that nobody sees. Please type it anew.",
            ));
        }
        (deed == Deed::Withdraw && self.sure.is_none()).then(|| {
            lang.pick(
                "撤回后不能恢复。如确定撤回，请勾选确认框。",
                "A withdrawal cannot be undone. If you are sure, please tick the box.",
            )
        })
    }
}

async fn load(platform: &Platform, desk: &Desk, lang: Lang, token: &str) -> Result<Shown> {
    let id = linked(desk, platform, token).await?;
    let (zone, token) = (platform.zone, token.to_owned());
    let shown = platform.db.read(move |conn| {
        let messages = thread::read(conn, Mover::Link, id, None, MESSAGES)?;
        Ok(Shown {
            lang,
            address: format!("/api/v1/wish-links/{token}"),
            followed: followed(conn, &token, id)?,
            messages: messages
                .into_iter()
                .map(|message| MessageView::of(message, None))
                .collect(),
            zone,
        })
    });
    shown.await
}

/// The page as it is now, with something said first; without the wish when the link has ended.
async fn page(
    platform: &Platform,
    desk: &Desk,
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
    let page = WishPage {
        lang,
        style: html::STYLE,
        banner: banner.filter(|_| shown.is_some()),
        shown,
    };
    let html = page.render().map_err(Error::internal)?;
    Ok(html::page(status, lang, html))
}

#[get("/wish-links/{token}", guard = "html::is_page")]
pub(super) async fn show(
    lang: Lang,
    platform: Data<Platform>,
    desk: Data<Desk>,
    token: Path<String>,
    query: Query<Done>,
) -> Result<HttpResponse> {
    let said = query.done.map(|deed| deed.done(lang));
    page(&platform, &desk, lang, &token, (StatusCode::OK, said)).await
}

#[post("/wish-links/{token}/{deed}", guard = "html::is_page")]
pub(super) async fn act(
    lang: Lang,
    platform: Data<Platform>,
    desk: Data<Desk>,
    path: Path<(String, Deed)>,
    form: Form<Filled>,
) -> Result<HttpResponse> {
    let (token, deed) = path.into_inner();
    if let Some(why) = form.fault(deed, lang) {
        let said = (StatusCode::UNPROCESSABLE_ENTITY, Some(why));
        return page(&platform, &desk, lang, &token, said).await;
    }
    let text = form.text.trim().to_owned();
    match perform(&platform, &desk, &token, deed, text).await {
        Ok(()) => {
            let back = format!("/api/v1/wish-links/{token}?done={}", deed.name());
            Ok(html::see_other(back))
        }
        Err(Error::Problem(problem)) => {
            let (zh, en) = problem.code.title();
            let status = StatusCode::from_u16(problem.code.status()).map_err(Error::internal)?;
            let said = (status, Some(lang.pick(zh, en)));
            page(&platform, &desk, lang, &token, said).await
        }
        Err(error) => Err(error),
    }
}

async fn perform(
    platform: &Platform,
    desk: &Data<Desk>,
    token: &str,
    deed: Deed,
    text: String,
) -> Result<()> {
    let id = linked(desk, platform, token).await?;
    if deed == Deed::Messages {
        return write(platform, desk.clone(), id, text).await.map(|_| ());
    }
    let desk = desk.clone();
    let done = platform.db.write(move |tx| match deed {
        Deed::Confirm => service::confirm(tx, &desk, Mover::Link, id),
        Deed::Withdraw => service::withdraw(tx, Mover::Link, id, &text),
        _ => service::dispute(tx, Mover::Link, id, &text),
    });
    done.await.map(|_| ())
}
