//! Attendance: the code on site, the leader's list, phones that were offline, excuses, no-shows.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::activities::shift;
use crate::enrolments::Line;
use crate::harness::{Call, User};
use crate::organizations::{Town, town};
use crate::projects::volunteer;

impl Town {
    async fn code(&self, by: &User, activity: &str) -> String {
        let path = format!("/activities/{activity}/check-in-code");
        let shown = self.server.get(&path).by(by).expect(200).await.json;
        let code = shown["code"].as_str().unwrap().to_owned();
        assert_eq!(shown["payload"], format!("yiqilai:{activity}:{code}"));
        code
    }

    fn show(&self, by: &User, place: &str, verb: &str, code: &str) -> Call<'_> {
        self.enrolment_act(by, place, verb)
            .json(json!({ "code": code }))
    }

    async fn attendance(&self, by: &User, place: &str) -> Value {
        let path = format!("/enrolments/{place}/attendance");
        self.server.get(&path).by(by).expect(200).await.json
    }

    async fn ticked(&self, by: &User, activity: &str, ticks: Value) -> Value {
        let path = format!("/activities/{activity}/attendance");
        let ticked = self.server.post(&path).by(by);
        let ticked = ticked.json(json!({ "ticks": ticks }));
        ticked.expect(200).await.json
    }

    fn because_of(&self, by: &User, place: &str, verb: &str) -> Call<'_> {
        self.enrolment_act(by, place, verb)
            .json(json!({"reason": "因故"}))
    }

    /// Lets time pass up to an instant.
    async fn until(&self, at: &str) {
        let at: DateTime<Utc> = at.parse().unwrap();
        let time = at - DateTime::<Utc>::from(self.server.app.platform.clock.now());
        self.server.pass(time).await;
    }

    /// Everybody of a line with fresh tokens.
    async fn fresh(&self, line: &mut Line) {
        line.manager = self.server.again(&line.manager).await;
        for person in &mut line.people {
            *person = self.server.again(person).await;
        }
    }

    /// What a phone noted by its own clock, signed by its ticket.
    async fn entry(&self, by: &User, place: &str, noted: (&str, &str, &str)) -> Value {
        let (side, at, code) = noted;
        let path = format!("/enrolments/{place}/offline-ticket");
        let ticket = self.server.get(&path).by(by).expect(200).await.json;
        let key = URL_SAFE_NO_PAD.decode(ticket["key"].as_str().unwrap());
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key.unwrap());
        let micros = at.parse::<DateTime<Utc>>().unwrap().timestamp_micros();
        let text = format!("{place}\n{side}\n{micros}\n{code}");
        let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, text.as_bytes()));
        json!({"enrolment_id": place, "side": side, "at": at, "code": code, "signature": signature})
    }

    /// A place of somebody who writes a volunteer's profile for it.
    async fn enrol_with_profile(&self, by: &User, shift: &str) -> String {
        let profile = json!({
            "region_id": self.grid, "introduction": "", "birth_date": null, "skills": [], "interests": [],
            "availability": [], "places": [],
        });
        let put = self.server.call(reqwest::Method::PUT, "/me/volunteer");
        put.by(by).json(profile).expect(200).await;
        self.enrol(by, shift).expect(201).await.id()
    }

    async fn sent(&self, by: &User, sent_at: &str, entries: Vec<Value>) -> Value {
        let sent = self.server.post("/me/attendance/entries").by(by);
        let sent = sent.json(json!({"sent_at": sent_at, "entries": entries}));
        sent.expect(200).await.json
    }
}

fn codes(answers: &Value) -> Vec<&str> {
    let items = answers["items"].as_array().unwrap().iter();
    items
        .map(|one| one["code"].as_str().unwrap_or("taken"))
        .collect()
}

#[actix_web::test]
async fn the_code_on_site_lets_in_and_out_and_a_photo_is_soon_useless() {
    let t = town().await;
    let mut line = t.line(3, 2).await;
    // half past eight is when the shift of nine opens
    t.until("2026-11-28T00:29:45Z").await;
    t.fresh(&mut line).await;
    let (person, place) = (line.people[0].clone(), line.places[0].clone());
    let code = t.code(&line.manager, &line.id).await;
    let early = t.show(&person, &place, "check-in", &code);
    early.refused(409, "check_in_too_early").await;
    let path = format!("/activities/{}/check-in-code", line.id);
    let peek = t.server.get(&path).by(&person);
    peek.refused(403, "forbidden").await;
    t.until("2026-11-28T00:30:00Z").await;
    let out = t.show(&person, &place, "check-out", &code);
    out.refused(409, "not_checked_in").await;
    let bare = t.enrolment_act(&person, &place, "check-in");
    assert_eq!(
        bare.refused(422, "invalid").await.fields(),
        [("/code".to_owned(), "required".to_owned())]
    );
    let somebody_s = t.show(&line.people[1], &place, "check-in", &code);
    somebody_s.refused(404, "not_found").await;
    let wrong = t.show(&person, &place, "check-in", "1234");
    wrong.refused(409, "check_in_code_wrong").await;
    // the one before is still good, and bears the true instant
    let come = t.show(&person, &place, "check-in", &code).expect(200).await;
    assert_eq!(come.json["status"], "checked_in");
    assert_eq!(come.json["checked_in_at"], "2026-11-28T00:30:00Z");
    assert_eq!(come.json["check_in_by"], "code");
    let again = t.show(&person, &place, "check-in", &code).expect(200).await;
    assert_eq!(again.json, come.json);
    // who is there does not go by withdrawing
    t.enrolment_act(&person, &place, "withdraw")
        .refused(409, "withdrawal_too_late")
        .await;
    // a photo of the code is sent to somebody at home
    t.until("2026-11-28T00:30:30Z").await;
    let home = t.show(&line.people[1], &line.places[1], "check-in", &code);
    home.refused(409, "check_in_code_old").await;
    // up to four hours after the shift of eleven
    t.until("2026-11-28T06:59:50Z").await;
    t.fresh(&mut line).await;
    let code = t.code(&line.manager, &line.id).await;
    let late = t.show(&line.people[1], &line.places[1], "check-in", &code);
    late.refused(409, "check_in_too_late").await;
    let person = &line.people[0];
    let gone = t.show(person, &place, "check-out", &code).expect(200).await;
    assert_eq!(gone.json["status"], "checked_out");
    assert_eq!(gone.json["checked_out_at"], "2026-11-28T06:59:50Z");
    assert_eq!(gone.json["moves"], json!([]));
    let mine = t.server.get("/me/attendance").by(person).expect(200).await;
    assert_eq!(mine.json["items"], json!([gone.json]));
}

#[actix_web::test]
async fn guessing_codes_comes_to_an_end() {
    let t = town().await;
    let mut line = t.line(1, 1).await;
    t.until("2026-11-28T01:00:00Z").await;
    t.fresh(&mut line).await;
    for _ in 0..10 {
        t.show(&line.people[0], &line.places[0], "check-in", "00000000x")
            .refused(409, "check_in_code_wrong")
            .await;
    }
    let code = t.code(&line.manager, &line.id).await;
    t.show(&line.people[0], &line.places[0], "check-in", &code)
        .refused(429, "too_many_requests")
        .await;
}

#[actix_web::test]
async fn the_list_is_ticked_by_somebody_else_where_there_is_one() {
    let t = town().await;
    let mut line = t.line(4, 2).await;
    let own = t.enrol_with_profile(&line.manager, &line.shift).await;
    t.until("2026-11-28T02:00:00Z").await;
    t.fresh(&mut line).await;
    let [one, two] = [&line.places[0], &line.places[1]];
    let ticks = json!([
        {"enrolment_id": one, "side": "out", "at": "2026-11-28T01:59:00Z"},
        {"enrolment_id": one, "side": "in", "at": "2026-11-28T00:55:00Z"},
        {"enrolment_id": two, "side": "out"},
        {"enrolment_id": two, "side": "in", "at": "2026-11-28T00:29:59Z"},
        {"enrolment_id": two, "side": "in", "at": "2026-11-28T02:00:01Z"},
        {"enrolment_id": uuid::Uuid::nil(), "side": "in"},
    ]);
    let path = format!("/activities/{}/attendance", line.id);
    let by_person = t.server.post(&path).by(&line.people[0]);
    let by_person = by_person.json(json!({ "ticks": ticks }));
    by_person.refused(403, "forbidden").await;
    let ticked = t.ticked(&line.manager, &line.id, ticks.clone()).await;
    assert_eq!(
        codes(&ticked),
        [
            "taken",
            "taken",
            "not_checked_in",
            "check_in_too_early",
            "check_in_too_early",
            "not_found"
        ]
    );
    assert_eq!(ticked["taken"], 2);
    let shown = t.attendance(&line.people[0], one).await;
    assert_eq!(shown["status"], "checked_out");
    assert_eq!(shown["checked_in_at"], "2026-11-28T00:55:00Z");
    assert_eq!(shown["recorded_in_by"], json!(line.manager.id));
    assert_eq!(shown["is_self_recorded"], false);
    // the only organiser ticks themself, and that is marked
    let in_ = t.enrolment_act(&line.manager, &own, "check-in");
    let in_ = in_.expect(200).await.json;
    assert_eq!(in_["is_self_recorded"], true);
    // as soon as there is another one, that one does
    let (second, _) = t.join(&line.manager, &line.organization, "manager").await;
    t.enrolment_act(&line.manager, &own, "check-out")
        .refused(403, "own_attendance")
        .await;
    t.enrolment_act(&second, &own, "check-out")
        .expect(200)
        .await;
    // everybody stands in the list, also of whom nothing is known
    let admin = t.server.again(&t.street_admin).await;
    let list = t.server.get(&format!("{path}?status=expected")).by(&admin);
    let list = list.expect(200).await;
    let items = list.json["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{:#}", list.json);
    assert_eq!(items[0]["id"], json!(two));
    assert_eq!(items[0]["moves"], json!([]), "staff only look");
    let first = t.server.get(&format!("{path}?limit=1")).by(&line.manager);
    let first = first.expect(200).await.json;
    let rest = format!("{path}?cursor={}", first["next"].as_str().unwrap());
    let rest = t.server.get(&rest).by(&line.manager).expect(200).await.json;
    assert_eq!(rest["items"].as_array().unwrap().len(), 2);
    t.server
        .get(&path)
        .by(&line.people[0])
        .refused(403, "forbidden")
        .await;
    let counts = t.server.get(&format!("{path}-counts")).by(&line.manager);
    assert_eq!(
        counts.expect(200).await.json,
        json!({"expected": 1, "checked_in": 0, "checked_out": 2, "no_show": 0, "excused": 0})
    );
}

#[actix_web::test]
async fn a_phone_that_was_offline_says_it_afterwards() {
    let t = town().await;
    let mut line = t.line(2, 2).await;
    t.until("2026-11-28T01:00:10Z").await;
    t.fresh(&mut line).await;
    let (person, place) = (line.people[0].clone(), line.places[0].clone());
    let came = t.code(&line.manager, &line.id).await;
    // the phone is five minutes slow
    let in_ = ("in", "2026-11-28T00:55:10Z", came.as_str());
    let in_ = t.entry(&person, &place, in_).await;
    t.until("2026-11-28T03:00:10Z").await;
    t.fresh(&mut line).await;
    let went = t.code(&line.manager, &line.id).await;
    let out = ("out", "2026-11-28T02:55:10Z", went.as_str());
    let out = t.entry(&line.people[0], &place, out).await;
    // two days later, after the clock has made them a no-show
    t.until("2026-11-30T03:00:00Z").await;
    t.fresh(&mut line).await;
    let person = &line.people[0];
    assert_eq!(t.attendance(person, &place).await["status"], "no_show");
    let mut forged = in_.clone();
    forged["at"] = json!("2026-11-28T00:40:10Z");
    let wrong_clock = t.sent(person, "2026-11-30T02:49:59Z", vec![in_.clone()]);
    assert_eq!(codes(&wrong_clock.await), ["time_skewed"]);
    // by a clock that is right the code was shown at another time
    let right_clock = t.sent(person, "2026-11-30T03:00:00Z", vec![in_.clone()]);
    assert_eq!(codes(&right_clock.await), ["check_in_code_wrong"]);
    let slow = "2026-11-30T02:55:00Z";
    let sent = t.sent(person, slow, vec![out.clone(), forged, in_.clone()]);
    let sent = sent.await;
    assert_eq!(
        codes(&sent),
        ["taken", "entry_signature_wrong", "taken"],
        "{sent:#}"
    );
    let shown = t.attendance(person, &place).await;
    assert_eq!(shown["status"], "checked_out");
    assert_eq!(shown["checked_in_at"], "2026-11-28T01:00:10Z");
    assert_eq!(shown["checked_out_at"], "2026-11-28T03:00:10Z");
    assert_eq!(shown["is_late_sent_in"], true);
    assert_eq!(shown["is_late_sent_out"], true);
    // the same once more, also much later
    let again = t.sent(person, slow, vec![in_.clone(), out]).await;
    assert_eq!(codes(&again), ["taken", "taken"]);
    assert_eq!(t.attendance(person, &place).await, shown);
    // nobody sends somebody else's
    let other = t.sent(&line.people[1], slow, vec![in_]).await;
    assert_eq!(codes(&other), ["not_found"]);
    let path = format!("/enrolments/{place}/offline-ticket");
    t.server
        .get(&path)
        .by(&line.manager)
        .refused(403, "forbidden")
        .await;
    // after three days nothing is taken any more
    let second = ("in", "2026-11-28T01:00:10Z", came.as_str());
    let second = t.entry(&line.people[1], &line.places[1], second).await;
    t.until("2026-12-01T01:00:11Z").await;
    t.fresh(&mut line).await;
    let late = t.sent(&line.people[1], "2026-12-01T01:00:11Z", vec![second]);
    assert_eq!(codes(&late.await), ["check_in_too_late"]);
}

#[actix_web::test]
async fn who_does_not_come_is_a_no_show_or_excused() {
    let t = town().await;
    let mut line = t.line(5, 5).await;
    // one says beforehand that they cannot come, one goes late, one comes
    let [ahead, goer, comer, silent, refused] = [0, 1, 2, 3, 4];
    let asked = t.because_of(&line.people[ahead], &line.places[ahead], "ask-excuse");
    let asked = asked.expect(200).await.json;
    assert_eq!(
        (&asked["status"], &asked["excuse"]),
        (&json!("expected"), &json!("因故"))
    );
    t.until("2026-11-27T23:00:00Z").await;
    t.fresh(&mut line).await;
    let late = t.enrolment_act(&line.people[goer], &line.places[goer], "withdraw");
    assert_eq!(late.expect(200).await.json["status"], "late_withdrawn");
    t.until("2026-11-28T01:00:00Z").await;
    t.fresh(&mut line).await;
    let code = t.code(&line.manager, &line.id).await;
    let come = t.show(&line.people[comer], &line.places[comer], "check-in", &code);
    come.expect(200).await;
    // two at once: the tick of the list, and the person who came after all
    t.until("2026-11-29T02:59:59Z").await;
    t.fresh(&mut line).await;
    let status =
        async |by: &User, at: usize| t.attendance(by, &line.places[at]).await["status"].clone();
    for at in [ahead, silent, refused] {
        assert_eq!(status(&line.manager, at).await, "expected");
    }
    let excused = t.because_of(&line.manager, &line.places[ahead], "excuse");
    assert_eq!(excused.expect(200).await.json["status"], "excused");
    t.server.pass(TimeDelta::seconds(1)).await;
    t.server.work().await;
    assert_eq!(status(&line.manager, ahead).await, "excused");
    assert_eq!(
        status(&line.manager, comer).await,
        "checked_in",
        "that is the organiser's to mend"
    );
    for at in [silent, refused] {
        assert_eq!(status(&line.manager, at).await, "no_show");
    }
    let counts = format!("/activities/{}/attendance-counts", line.id);
    assert_eq!(
        t.server
            .get(&counts)
            .by(&line.manager)
            .expect(200)
            .await
            .json,
        json!({"expected": 0, "checked_in": 1, "checked_out": 0, "no_show": 2, "excused": 1}),
        "who withdrew late is none"
    );
    // whether it is told: the inbox says so
    let inbox = t.server.get("/me/notifications").by(&line.people[silent]);
    let inbox = inbox.expect(200).await.json.to_string();
    assert!(inbox.contains("no_show"), "{inbox}");
    for at in [silent, refused] {
        let ask = t.because_of(&line.people[at], &line.places[at], "ask-excuse");
        ask.expect(200).await;
    }
    t.because_of(&line.people[silent], &line.places[silent], "excuse")
        .refused(403, "forbidden")
        .await;
    for _ in 0..2 {
        let no = t.because_of(&line.manager, &line.places[refused], "refuse-excuse");
        let no = no.expect(200).await.json;
        assert_eq!(no["status"], "no_show");
        assert!(no["excuse_refused_at"].is_string());
        let yes = t.because_of(&line.manager, &line.places[silent], "excuse");
        assert_eq!(yes.expect(200).await.json["status"], "excused");
    }
    t.because_of(&line.people[comer], &line.places[comer], "ask-excuse")
        .refused(409, "move_not_allowed")
        .await;
    // a check-in without a check-out: the organiser says when they went, once
    let correct = async |body: Value| {
        t.enrolment_act(&line.manager, &line.places[comer], "correct-attendance")
            .json(body)
            .send()
            .await
    };
    let missing = json!({"status": "checked_out", "reason": "忘了签退"});
    assert_eq!(correct(missing).await.json["code"], "not_checked_in");
    let before = json!({"status": "checked_out", "checked_out_at": "2026-11-28T00:59:00Z", "reason": "忘了签退"});
    assert_eq!(correct(before).await.json["code"], "check_in_too_early");
    let rightly = json!({"status": "checked_out", "checked_out_at": "2026-11-28T03:00:00Z", "reason": "忘了签退"});
    let done = correct(rightly.clone()).await.json;
    assert_eq!(done["status"], "checked_out");
    assert_eq!(done["checked_out_at"], "2026-11-28T03:00:00Z");
    assert_eq!(
        (&done["check_in_by"], &done["check_out_by"]),
        (&json!("code"), &json!("list"))
    );
    assert_eq!(correct(rightly).await.json, done);
    let back = json!({"status": "expected", "reason": "误登"});
    assert_eq!(correct(back).await.json["code"], "check_in_too_late");
}

#[actix_web::test]
async fn at_once_there_is_one_row_and_one_answer() {
    let t = town().await;
    let mut line = t.line(8, 8).await;
    t.until("2026-11-28T01:00:00Z").await;
    t.fresh(&mut line).await;
    let code = t.code(&line.manager, &line.id).await;
    // each person four times, and the list between
    let by_code = (0..8).flat_map(|at| {
        let (t, line, code) = (&t, &line, &code);
        (0..4).map(move |_| {
            t.show(&line.people[at], &line.places[at], "check-in", code)
                .send()
        })
    });
    let by_list = (0..8).map(|at| {
        t.enrolment_act(&line.manager, &line.places[at], "check-in")
            .send()
    });
    let (by_code, by_list) = futures_util::join!(join_all(by_code), join_all(by_list));
    for answer in by_code.iter().chain(&by_list) {
        let is_second = answer.json["code"] == "move_not_allowed";
        assert!(answer.status == 200 || is_second, "{:#}", answer.json);
    }
    let path = format!("/activities/{}/attendance?status=checked_in", line.id);
    let list = t.server.get(&path).by(&line.manager).expect(200).await.json;
    assert_eq!(list["items"].as_array().unwrap().len(), 8);
    let told = t.server.app.platform.db.read(|conn| {
        use diesel::prelude::*;
        use yiqilai::schema::journal;
        let moves = journal::table.filter(journal::kind.eq("attendance.check_in"));
        Ok(moves.count().get_result::<i64>(conn)?)
    });
    assert_eq!(told.await.unwrap(), 8, "once each");
}

#[actix_web::test]
async fn a_late_entry_and_the_clock_do_not_both_win() {
    let t = town().await;
    let mut line = t.line(6, 6).await;
    t.until("2026-11-28T01:00:00Z").await;
    t.fresh(&mut line).await;
    let code = t.code(&line.manager, &line.id).await;
    let mut entries = Vec::new();
    for (person, place) in line.people.iter().zip(&line.places) {
        let noted = ("in", "2026-11-28T01:00:00Z", code.as_str());
        entries.push(t.entry(person, place, noted).await);
    }
    t.until("2026-11-29T02:55:00Z").await;
    t.fresh(&mut line).await;
    t.server.app.platform.clock.advance(TimeDelta::minutes(5));
    let sends = line.people.iter().zip(entries);
    let sends = sends
        .map(async |(person, entry)| t.sent(person, "2026-11-29T03:00:00Z", vec![entry]).await);
    let (sent, _) = futures_util::join!(join_all(sends), t.server.work());
    t.server.work().await;
    for answer in &sent {
        assert_eq!(codes(answer), ["taken"], "before the clock or after it");
    }
    for place in &line.places {
        let shown = t.attendance(&line.manager, place).await;
        assert_eq!(shown["status"], "checked_in");
        assert_eq!(shown["checked_in_at"], "2026-11-28T01:00:00Z");
    }
}

#[actix_web::test]
async fn over_midnight_and_back_to_back() {
    let t = town().await;
    let (a, manager) = t.active("示例·甲队").await;
    let over = |from: &str, to: &str| json!({"name": "守夜", "seats": 1, "starts_at": from, "ends_at": to});
    let change = json!({"shifts": [
        over("2026-11-28T22:00:00+08:00", "2026-11-29T00:00:00+08:00"),
        over("2026-11-29T00:00:00+08:00", "2026-11-29T02:00:00+08:00"),
        shift("09:00", "11:00", 1),
    ]});
    let (id, shifts) = t.published(&manager, &a, change).await;
    let person = volunteer(&t.server, t.grid).await;
    let first = t.enrol(&person, &shifts[0]).expect(201).await.id();
    let second = t.enrol(&person, &shifts[1]).expect(201).await.id();
    t.until("2026-11-28T14:00:00Z").await;
    let (manager, person) = (
        t.server.again(&manager).await,
        t.server.again(&person).await,
    );
    let code = t.code(&manager, &id).await;
    t.show(&person, &first, "check-in", &code).expect(200).await;
    // midnight in Ningbo: out of one, into the next, by the same code
    t.until("2026-11-28T16:00:00Z").await;
    let (manager, person) = (
        t.server.again(&manager).await,
        t.server.again(&person).await,
    );
    let code = t.code(&manager, &id).await;
    let out = t
        .show(&person, &first, "check-out", &code)
        .expect(200)
        .await;
    let into = t
        .show(&person, &second, "check-in", &code)
        .expect(200)
        .await;
    assert_eq!(out.json["checked_out_at"], into.json["checked_in_at"]);
    t.until("2026-11-28T18:00:00Z").await;
    let (manager, person) = (
        t.server.again(&manager).await,
        t.server.again(&person).await,
    );
    let code = t.code(&manager, &id).await;
    let out = t
        .show(&person, &second, "check-out", &code)
        .expect(200)
        .await;
    assert_eq!(out.json["checked_in_at"], "2026-11-28T16:00:00Z");
    assert_eq!(out.json["checked_out_at"], "2026-11-28T18:00:00Z");
}

/// What those who organise have decided, the person does not undo: not by the code, not by an entry noted
/// before. Who shows the code counts as their own witness, and another instant is a correction.
#[actix_web::test]
async fn what_organisers_have_said_stands() {
    let t = town().await;
    let mut line = t.line(4, 2).await;
    let own = t.enrol_with_profile(&line.manager, &line.shift).await;
    t.until("2026-11-28T01:00:00Z").await;
    t.fresh(&mut line).await;
    let code = t.code(&line.manager, &line.id).await;
    let (person, place) = (&line.people[0], &line.places[0]);
    let noted = ("in", "2026-11-28T01:00:00Z", code.as_str());
    let entry = t.entry(person, place, noted).await;
    let in_ = t.show(person, place, "check-in", &code);
    assert_eq!(in_.expect(200).await.json["is_self_recorded"], false);
    let wrong = json!({"status": "no_show", "reason": "替人签到"});
    let corrected = t.enrolment_act(&line.manager, place, "correct-attendance");
    corrected.json(wrong).expect(200).await;
    t.show(person, place, "check-in", &code)
        .refused(403, "forbidden")
        .await;
    let sent = t.sent(person, "2026-11-28T01:00:00Z", vec![entry]).await;
    assert_eq!(codes(&sent), ["forbidden"]);
    assert_eq!(t.attendance(person, place).await["moves"], json!([]));
    let back = t.enrolment_act(&line.manager, place, "check-in");
    assert_eq!(back.expect(200).await.json["status"], "checked_in");
    let excused = &line.places[1];
    let asked = t.because_of(&line.manager, excused, "excuse");
    asked.expect(200).await;
    t.show(&line.people[1], excused, "check-in", &code)
        .refused(403, "forbidden")
        .await;
    let shown = t.show(&line.manager, &own, "check-in", &code);
    let shown = shown.expect(200).await.json;
    assert_eq!(
        (&shown["check_in_by"], &shown["is_self_recorded"]),
        (&json!("code"), &json!(true))
    );
    // the same tick again is answered alike, another instant is not one
    for (at, status) in [("2026-11-28T01:00:00Z", 200), ("2026-11-28T00:59:00Z", 409)] {
        let tick = t.enrolment_act(&line.manager, place, "check-in");
        tick.json(json!({ "at": at })).expect(status).await;
    }
}
