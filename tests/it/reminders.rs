//! The ladder of reminders before a shift, and who has said again that they come.

use chrono::TimeDelta;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use yiqilai::worker::Worker;

use crate::activities::shift;
use crate::enrolments::Line;
use crate::harness::User;
use crate::organizations::{Town, town};
use crate::projects::volunteer;

/// Until so many hours before Saturday, nine in the morning, of what the clock shows at the beginning.
fn until(hours: i64) -> TimeDelta {
    TimeDelta::hours(5 * 24 - 1 - hours)
}

impl Town {
    /// How often somebody was asked whether they come, and reminded without being asked.
    async fn reminders(&self, who: &User) -> (i64, i64) {
        use diesel::prelude::*;
        use yiqilai::schema::notifications;
        let who = who.id;
        let told = self.server.app.platform.db.read(move |conn| {
            let mut told = |kind: &str| {
                notifications::table
                    .filter(notifications::account_id.eq(who))
                    .filter(notifications::kind.eq(kind))
                    .count()
                    .get_result(conn)
            };
            Ok((told("shift_reminder_asking")?, told("shift_reminder")?))
        });
        told.await.unwrap()
    }

    /// Somebody with an address for mail who comes to a shift of one seat.
    async fn with_mail(&self) -> (User, Line) {
        let person = crate::notifications::reader(&self.server).await;
        let profile = crate::volunteers::profile(self.grid);
        crate::volunteers::write(&self.server, &person, None, &profile)
            .expect(200)
            .await;
        let line = self.line(1, 0).await;
        self.enrol(&person, &line.shift).expect(201).await;
        (person, line)
    }

    /// Sets somebody's quiet hours, in minutes after midnight.
    async fn quiet(&self, who: &User, from: i32, to: i32) {
        let who = self.server.again(who).await;
        let hours = json!({"from_minute": from, "to_minute": to});
        let set = self.server.call(Method::PUT, "/me/notification-settings");
        let set = set
            .by(&who)
            .json(json!({"preferences": [], "quiet_hours": hours}));
        set.expect(200).await;
    }

    async fn unconfirmed(&self, by: &User, id: &str, query: &str) -> Vec<String> {
        let path = format!("/activities/{id}/enrolments?{query}");
        let found = self.server.get(&path).by(by).expect(200).await;
        let items = found.json["items"].as_array().unwrap().iter();
        items
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect()
    }
}

#[actix_web::test]
async fn whoever_holds_a_seat_is_reminded_step_by_step() {
    let t = town().await;
    let line = t.line(2, 3).await;
    let [first, second, waiting] = line.people.as_slice() else {
        panic!("three people");
    };
    t.server.pass(until(72) - TimeDelta::minutes(1)).await;
    assert_eq!(t.reminders(first).await, (0, 0), "a minute early");
    t.server.pass(TimeDelta::minutes(1)).await;
    assert_eq!(t.reminders(first).await, (1, 0));
    t.server.work().await;
    assert_eq!(t.reminders(first).await, (1, 0), "once");
    assert_eq!(t.reminders(waiting).await, (0, 0), "no seat, no reminder");

    // one says that they come
    let first = &t.server.again(first).await;
    let second = &t.server.again(second).await;
    let (one, other) = (&line.places[0], &line.places[1]);
    t.enrolment_act(second, one, "reconfirm")
        .refused(404, "not_found")
        .await;
    let manager = t.server.again(&line.manager).await;
    t.enrolment_act(&manager, one, "reconfirm")
        .refused(403, "forbidden")
        .await;
    let waits = t.server.again(waiting).await;
    let refused = t.enrolment_act(&waits, &line.places[2], "reconfirm");
    let refused = refused.refused(409, "move_not_allowed").await;
    assert_eq!(refused.json["state"], "waitlisted");
    let said = t.enrolment_act(first, one, "reconfirm").expect(200).await;
    assert!(said.json["reconfirmed_at"].is_string());
    t.server.pass(TimeDelta::minutes(5)).await;
    let again = t.enrolment_act(first, one, "reconfirm").expect(200).await;
    assert_eq!(again.json, said.json, "as the first time");
    assert_eq!(
        t.unconfirmed(&manager, &line.id, "reconfirmed=false").await,
        [other.as_str()],
        "who waits in line is not among them"
    );
    assert_eq!(
        t.unconfirmed(&manager, &line.id, "reconfirmed=true").await,
        [one.as_str()]
    );

    // 24 hours: whoever organises it hears how many have not; 2 hours
    t.server
        .pass(TimeDelta::hours(48) - TimeDelta::minutes(5))
        .await;
    assert_eq!(t.reminders(first).await, (1, 1));
    assert_eq!(t.reminders(second).await, (1, 1));
    let manager = t.server.again(&line.manager).await;
    let told = t.notices(&manager).await;
    let told: Vec<_> = told
        .iter()
        .filter(|notice| notice["kind"] == "shift_unconfirmed")
        .collect();
    assert_eq!(told.len(), 1);
    let text = told[0]["text"].as_str().unwrap();
    assert!(text.ends_with("come: 1."), "{text}");
    t.server.pass(TimeDelta::hours(22)).await;
    assert_eq!(t.reminders(first).await, (1, 2));
    t.server.pass(TimeDelta::hours(3)).await;
    assert_eq!(t.reminders(first).await, (1, 2), "it has begun");
    let manager = t.server.again(&line.manager).await;
    assert_eq!(t.told(&manager, "shift_unconfirmed").await, 1, "once");
    let late = t.server.again(second).await;
    t.enrolment_act(&late, other, "reconfirm")
        .refused(409, "enrolment_too_late")
        .await;
}

#[actix_web::test]
async fn no_step_from_before_the_place_and_none_after_it() {
    let t = town().await;
    let line = t.line(3, 2).await;
    let [stays, goes] = line.people.as_slice() else {
        panic!("two people");
    };
    // thirty hours before: the step of 72 hours lies behind, and has just been said by enrolling
    t.server.pass(until(30)).await;
    let late = volunteer(&t.server, t.grid).await;
    let place = t.enrol(&late, &line.shift).expect(201).await;
    assert!(place.json["reconfirmed_at"].is_string());
    t.server.work().await;
    assert_eq!(t.reminders(&late).await, (0, 0));
    assert_eq!(
        t.reminders(stays).await,
        (1, 0),
        "of a worker that was away"
    );
    let goes = &t.server.again(goes).await;
    t.enrolment_act(goes, &line.places[1], "withdraw")
        .expect(200)
        .await;
    t.server.pass(TimeDelta::hours(6)).await;
    assert_eq!(t.reminders(&late).await, (0, 1));
    assert_eq!(t.reminders(goes).await, (1, 0), "none after withdrawing");
    let manager = t.server.again(&line.manager).await;
    let cancel = t.activity_act(&manager, &line.id, "cancel");
    cancel.json(json!({"reason": "大雨"})).expect(200).await;
    t.server.pass(TimeDelta::hours(22)).await;
    assert_eq!(
        t.reminders(stays).await,
        (1, 1),
        "none after it is cancelled"
    );
    assert_eq!(t.reminders(&late).await, (0, 1));
}

#[actix_web::test]
async fn another_time_begins_the_ladder_anew() {
    let t = town().await;
    let line = t.line(1, 1).await;
    let person = &line.people[0];
    t.server.pass(until(72)).await;
    assert_eq!(t.reminders(person).await, (1, 0));
    let person = &t.server.again(person).await;
    t.enrolment_act(person, &line.places[0], "reconfirm")
        .expect(200)
        .await;
    // a week later
    let at = |time: &str| format!("2026-12-05T{time}:00+08:00");
    let mut moved: Value = shift("09:00", "11:00", 1);
    moved["id"] = json!(line.shift);
    (moved["starts_at"], moved["ends_at"]) = (json!(at("09:00")), json!(at("11:00")));
    let manager = t.server.again(&line.manager).await;
    let edited = t.edit_activity(&manager, &line.id, json!({"shifts": [moved]}));
    assert_eq!(edited.await.status, 200);
    t.server.work().await;
    assert_eq!(
        t.unconfirmed(&manager, &line.id, "reconfirmed=false").await,
        line.places,
        "the yes was to another time"
    );
    t.server.pass(TimeDelta::hours(48)).await;
    assert_eq!(
        t.reminders(person).await,
        (1, 0),
        "a day before the old time"
    );
    t.server.pass(TimeDelta::hours(5 * 24)).await;
    assert_eq!(t.reminders(person).await, (2, 0));
    t.server.pass(TimeDelta::hours(48)).await;
    assert_eq!(t.reminders(person).await, (2, 1));
}

#[actix_web::test]
async fn several_workers_remind_once() {
    let t = town().await;
    let line = t.line(8, 8).await;
    t.server.app.platform.clock.advance(until(72));
    let workers: Vec<_> = (0..4).map(|_| Worker::new(t.server.app.clone())).collect();
    for done in join_all(workers.iter().map(Worker::run_once)).await {
        done.unwrap();
    }
    for person in &line.people {
        assert_eq!(t.reminders(person).await, (1, 0));
    }
}

#[actix_web::test]
async fn mail_waits_for_the_end_of_quiet_hours_and_none_comes_too_late() {
    let t = town().await;
    let (person, _) = t.with_mail().await;
    let quiet = async |from: i32, to: i32| t.quiet(&person, from, to).await;
    let mails = |title: &str| {
        let mails = t.server.mails(crate::notifications::ADDRESS);
        mails.iter().filter(|mail| mail.starts_with(title)).count()
    };
    // from half past eight to half past nine
    quiet(510, 570).await;
    t.server.pass(until(72)).await;
    assert_eq!(t.reminders(&person).await, (1, 0), "in the inbox at once");
    assert_eq!(mails("Please say again that you come"), 0);
    t.server.pass(TimeDelta::minutes(30)).await;
    assert_eq!(mails("Please say again that you come"), 1);
    // from six to ten: two hours before is seven, and at ten it has begun
    quiet(360, 600).await;
    t.server.pass(until(2) - until(72)).await;
    assert_eq!(t.reminders(&person).await, (1, 1));
    t.server.pass(TimeDelta::hours(4)).await;
    assert_eq!(mails("Your activity is about to begin"), 0);
}

/// A mail that waits for the end of quiet hours does not leave any more.
#[actix_web::test]
async fn a_reminder_that_waits_is_taken_back() {
    for moves in [false, true] {
        let t = town().await;
        let (person, line) = t.with_mail().await;
        t.quiet(&person, 510, 570).await;
        t.server.pass(until(72)).await;
        assert_eq!(t.reminders(&person).await, (1, 0));
        let person = t.server.again(&person).await;
        if moves {
            let manager = t.server.again(&line.manager).await;
            let mut later = shift("14:00", "15:00", 1);
            later["id"] = json!(line.shift);
            let edited = t.edit_activity(&manager, &line.id, json!({"shifts": [later]}));
            assert_eq!(edited.await.status, 200);
            t.server.work().await;
        } else {
            let place = t.enrolments(&person).await[0]["id"].clone();
            t.enrolment_act(&person, place.as_str().unwrap(), "withdraw")
                .expect(200)
                .await;
        }
        assert_eq!(t.reminders(&person).await, (0, 0), "moves: {moves}");
        t.server.pass(TimeDelta::hours(1)).await;
        let mails = t.server.mails(crate::notifications::ADDRESS);
        let asks = |mail: &&String| mail.starts_with("Please say again");
        assert_eq!(mails.iter().filter(asks).count(), 0, "moves: {moves}");
    }
}
