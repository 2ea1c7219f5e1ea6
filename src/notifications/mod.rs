//! Notifications: an inbox for every account, and mail beside it.
//!
//! Rooms hand a [`Notice`] to [`notify`], in the transaction of the move that it tells of. What
//! there is to tell stands in one table, [`Kind`].

mod accounts;
pub mod http;
mod kinds;
mod store;

use std::collections::BTreeMap;

use chrono::{NaiveTime, TimeDelta, TimeZone, Timelike};
use serde::{Deserialize, Serialize};

pub use accounts::react;
pub use kinds::Kind;

use crate::error::Result;
use crate::identity::{self, AccountId, AccountStatus, Role};
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Tx};
use crate::platform::http::Lang;
use crate::platform::jobs::{self, JobId};
use crate::platform::mail::Mail;
use crate::regions::{self, RegionId};

/// Something a person is told.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Whom.
    pub to: AccountId,
    /// What.
    pub kind: Kind,
    /// About which thing: its noun and its id.
    pub subject: (&'static str, uuid::Uuid),
    /// What stands in the gaps of the sentence. Never another person's contact data.
    pub params: BTreeMap<&'static str, String>,
    /// No mail while an unread notice of the same kind about the same thing is younger than this.
    pub mail_pause: Option<TimeDelta>,
    /// Other things of which the same counts as about this one.
    pub alike: Vec<uuid::Uuid>,
    /// An address at which the person may act without signing in. It stands in the mail alone: who
    /// has it acts for the person, and the inbox is kept.
    pub link: Option<String>,
    /// Until when there is something to do about it: later, no mail leaves any more.
    pub until: Option<Instant>,
    /// Whether it comes by mail at all.
    pub mailed: bool,
}

/// A mail to somebody who may not want it any more when it leaves.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Letter {
    /// Whom it is for.
    to: AccountId,
    /// What it tells.
    kind: Kind,
    /// When it is of no use any more.
    #[serde(default)]
    until: Option<Instant>,
    /// The mail itself.
    mail: Mail,
}

impl Letter {
    /// The mail as it is to leave now: none when the person is gone or wants none of this kind, or when it
    /// is too late for it, and to the address of today, unless it tells of what happened to the account.
    ///
    /// # Errors
    /// Those of the database.
    pub fn addressed(&self, conn: &mut Conn, now: Instant) -> Result<Option<Mail>> {
        if self.until.is_some_and(|until| until <= now) {
            return Ok(None);
        }
        let Ok(account) = identity::account(conn, self.to) else {
            return Ok(None);
        };
        if self.kind.is_security() {
            return Ok(Some(self.mail.clone()));
        }
        if !store::wants_mail(conn, self.to, self.kind)? {
            return Ok(None);
        }
        Ok(account.email.map(|to| Mail {
            to,
            ..self.mail.clone()
        }))
    }
}

impl Notice {
    /// A notice about a thing that has a title.
    pub fn titled(
        to: AccountId,
        kind: Kind,
        subject: (&'static str, uuid::Uuid),
        title: &str,
    ) -> Self {
        Self {
            to,
            kind,
            subject,
            params: BTreeMap::from([("title", title.to_owned())]),
            mail_pause: None,
            alike: Vec::new(),
            link: None,
            until: None,
            mailed: true,
        }
    }

    /// The page of the app that shows what it is about.
    fn page(&self) -> Option<String> {
        let (noun, id) = self.subject;
        let pages = match noun {
            "wish" => "wishes",
            "project" => "projects",
            "project_claim" => "project-claims",
            "organization" => "organizations",
            "activity" => "activities",
            "incident" => "incidents",
            "round" => "rounds",
            "invitation" => "invitations",
            "recruitment" => "recruitments",
            "saved_search" => "saved-searches",
            _ => return None,
        };
        Some(format!("/{pages}/{id}"))
    }

    /// Sends mail only where no unread one of its kind about the same thing is younger than this.
    #[must_use]
    pub fn mailed_once_in(mut self, pause: TimeDelta) -> Self {
        self.mail_pause = Some(pause);
        self
    }

    /// The same, where one about any of these things counts as well: what becomes of many at once comes in one
    /// mail.
    #[must_use]
    pub fn mailed_once_of(mut self, alike: Vec<uuid::Uuid>, pause: TimeDelta) -> Self {
        self.alike = alike;
        self.mailed_once_in(pause)
    }

    /// Ends the mail with an address at which the person may act without signing in, until then.
    #[must_use]
    pub fn answered_at(mut self, link: String, until: Instant) -> Self {
        self.link = Some(link);
        self.until = Some(until);
        self
    }

    /// Sends no mail any more from then on: it would be of no use.
    #[must_use]
    pub fn of_use_until(mut self, until: Instant) -> Self {
        self.until = Some(until);
        self
    }

    /// Leaves it to the inbox: what is not worth a mail.
    #[must_use]
    pub fn inbox_only(mut self) -> Self {
        self.mailed = false;
        self
    }

    /// Fills several gaps.
    #[must_use]
    pub fn with_all<T: AsRef<str>>(self, params: &[(&'static str, T)]) -> Self {
        params
            .iter()
            .fold(self, |told, (gap, text)| told.with(gap, text.as_ref()))
    }

    /// Fills another gap.
    #[must_use]
    pub fn with(mut self, gap: &'static str, text: impl Into<String>) -> Self {
        self.params.insert(gap, text.into());
        self
    }
}

/// Puts a notice into the inbox and, unless the person does not want it, a mail into the outbox:
/// at once, or when the person's quiet hours end and it is still wanted. What is urgent does not wait; what
/// concerns the account's safety neither waits nor asks.
///
/// # Errors
/// Those of the database.
pub fn notify(tx: &mut Tx<'_>, notice: &Notice) -> Result<()> {
    let is_paused = store::is_paused(tx, notice)?;
    let id = store::insert(tx, notice)?;
    if is_paused || !notice.mailed {
        return Ok(());
    }
    // somebody who is gone is told nothing more
    let Ok(account) = identity::account(tx.conn, notice.to) else {
        return Ok(());
    };
    let Some(email) = account.email else {
        return Ok(());
    };
    let is_security = notice.kind.is_security();
    if !is_security && !store::wants_mail(tx.conn, notice.to, notice.kind)? {
        return Ok(());
    }
    let lang = Lang::from_tag(&account.language);
    let (title, text) = notice
        .kind
        .render(lang, |gap| notice.params.get(gap).cloned());
    let hello = match lang {
        Lang::Zh => format!("{}，您好！", account.display_name),
        Lang::En => format!("Hello {},", account.display_name),
    };
    let why = match account.status {
        AccountStatus::Invited => lang.pick(
            "您收到此邮件，因为有人用此邮箱邀请了您。请用此邮箱注册益起来后查看和答复。",
            "You get this mail because somebody invited you by this address. Sign up to Yiqilai with it to read more and to answer.",
        ),
        _ if is_security => lang.pick(
            "您收到此邮件，因为它关系到您的账号安全。此类邮件不能关闭。",
            "You get this mail because it concerns the safety of your account. This kind cannot be switched off.",
        ),
        _ => lang.pick(
            "您收到此邮件，因为它与您有关。可在“通知设置”中关闭此类邮件。",
            "You get this mail because it concerns you. Switch this kind off in your notification settings.",
        ),
    };
    let quiet = match is_security || notice.kind.is_urgent() {
        true => None,
        false => store::quiet_hours(tx.conn, notice.to)?,
    };
    let at = quiet.map_or(tx.now, |(from, to)| after_quiet(tx.now, tx.zone, from, to));
    let mut paragraphs = vec![hello.as_str(), &text, why];
    if notice.link.is_some() {
        paragraphs.push(lang.pick(
            "点击下面的链接，不用登录即可查看并答复。请勿转发此邮件。",
            "Open this link to read more and to answer, without signing in. Do not pass this mail on.",
        ));
    }
    let mail = Mail::letter(&email, &title, &paragraphs);
    let letter = Letter {
        to: notice.to,
        kind: notice.kind,
        until: notice.until,
        mail: mail.link(notice.link.clone()).page(notice.page()),
    };
    // the mail bears the name of the notice that it tells of
    tx.enqueue_as(JobId(id.0), "notice", &letter, at)
}

/// Takes a notice back that has not reached the person: nobody has read it, and its mail waits to leave, as
/// in quiet hours. What comes without a mail has come once it stands in the inbox. Returns whether it was
/// taken back.
///
/// # Errors
/// Those of the database.
pub fn take_back(
    tx: &mut Tx<'_>,
    to: AccountId,
    kind: Kind,
    (_, subject): (&'static str, uuid::Uuid),
) -> Result<bool> {
    let Some(id) = store::unread_one(tx.conn, to, kind, subject)? else {
        return Ok(false);
    };
    let is_waiting = jobs::forget_waiting(tx, JobId(id.0))?;
    if is_waiting {
        store::remove(tx.conn, id)?;
    }
    Ok(is_waiting)
}

/// The administrators of the smallest region, from this one upwards, that has any.
///
/// # Errors
/// Those of the database.
pub fn staff_of(conn: &mut Conn, region: RegionId) -> Result<Vec<AccountId>> {
    nearest(conn, &[Role::RegionAdmin], region)
}

/// Who holds one of `roles` in the smallest region, from this one upwards, where anybody does.
///
/// # Errors
/// Those of the database.
pub fn nearest(conn: &mut Conn, roles: &[Role], region: RegionId) -> Result<Vec<AccountId>> {
    for region in regions::ancestors(conn, region)? {
        let mut staff = Vec::new();
        for role in roles {
            staff.extend(identity::holders(conn, *role, region.id.0)?);
        }
        staff.sort_unstable();
        staff.dedup();
        if !staff.is_empty() {
            return Ok(staff);
        }
    }
    Ok(Vec::new())
}

/// When the quiet hours that `now` lies in end; `now` outside of them. They are half-open, in
/// minutes after midnight on the wall, and may run over midnight.
fn after_quiet(now: Instant, zone: chrono_tz::Tz, from: i32, to: i32) -> Instant {
    let local = now.with_timezone(&zone);
    let minute = i32::try_from(local.hour() * 60 + local.minute()).unwrap_or(0);
    let is_quiet = if from <= to {
        (from..to).contains(&minute)
    } else {
        minute >= from || minute < to
    };
    if !is_quiet {
        return now;
    }
    let mut day = local.date_naive();
    if minute >= to {
        day += TimeDelta::days(1);
    }
    let (hour, minute) = (to / 60 % 24, to % 60);
    let wall = NaiveTime::from_hms_opt(
        hour.try_into().unwrap_or(0),
        minute.try_into().unwrap_or(0),
        0,
    );
    let end = zone
        .from_local_datetime(&day.and_time(wall.unwrap_or_default()))
        .earliest();
    end.map_or(now, |end| end.with_timezone(&chrono::Utc).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_are_half_open_and_may_cross_midnight() {
        let at = |text: &str| -> Instant {
            text.parse::<chrono::DateTime<chrono::Utc>>()
                .unwrap()
                .into()
        };
        let zone = chrono_tz::Asia::Shanghai;
        let night = |now: &str| after_quiet(at(now), zone, 22 * 60, 7 * 60);
        assert_eq!(
            night("2026-11-23T13:59:00Z"),
            at("2026-11-23T13:59:00Z"),
            "21:59"
        );
        assert_eq!(
            night("2026-11-23T14:00:00Z"),
            at("2026-11-23T23:00:00Z"),
            "22:00"
        );
        assert_eq!(
            night("2026-11-23T20:00:00Z"),
            at("2026-11-23T23:00:00Z"),
            "04:00 of the next day"
        );
        assert_eq!(
            night("2026-11-23T23:00:00Z"),
            at("2026-11-23T23:00:00Z"),
            "07:00"
        );
        let noon = |now: &str| after_quiet(at(now), zone, 12 * 60, 13 * 60);
        assert_eq!(noon("2026-11-23T04:30:00Z"), at("2026-11-23T05:00:00Z"));
        assert_eq!(
            after_quiet(at("2026-11-23T04:30:00Z"), zone, 60, 60),
            at("2026-11-23T04:30:00Z")
        );
    }
}
