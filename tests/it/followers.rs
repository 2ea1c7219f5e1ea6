//! What those who stand in activities follow, and what their lines do: lost certificates, another time, shifts
//! that lack adults, projects that stand still, many at once.

use chrono::TimeDelta;
use diesel::prelude::*;
use reqwest::Method;
use serde_json::{Value, json};
use yiqilai::identity::Role;
use yiqilai::schema::enrolments;

use crate::activities::{shift, shift_ids};
use crate::harness::User;
use crate::organizations::{Town, pairs, town, town_with};
use crate::projects::volunteer;

/// A shift of that Saturday with an id, at another time.
fn moved(id: &str, from: &str, to: &str, seats: i32) -> Value {
    let mut shift = shift(from, to, seats);
    shift["id"] = json!(id);
    shift
}

impl Town {
    /// Somebody whose membership a branch has verified.
    async fn party_member(&self) -> User {
        let person = volunteer(&self.server, self.grid).await;
        let code = uuid::Uuid::now_v7().simple().to_string();
        let branch = json!({"code": &code[16..], "name": "示例党支部", "region_id": self.street,
            "parent_id": null});
        let made = self.server.post("/party-branches").by(&self.street_admin);
        let branch = made.json(branch).expect(201).await.id();
        let scope = Some(branch.parse().unwrap());
        let secretary = self
            .server
            .staff("示例·支部书记", Role::BranchSecretary, scope);
        let secretary = secretary.await;
        let consent = self
            .server
            .call(Method::PUT, "/me/consents/party_membership")
            .by(&person);
        consent.json(json!({"text_version": "1"})).expect(200).await;
        let declare = self.server.post("/me/party-membership").by(&person);
        let body = json!({"branch_id": branch, "standing": "member"});
        let membership = declare.json(body).expect(201).await.id();
        let verify = format!("/party-memberships/{membership}/verify");
        let verify = self.server.post(&verify).by(&secretary);
        verify.json(json!({})).expect(200).await;
        person
    }

    async fn status_of(&self, by: &User, enrolment: &str) -> String {
        let shown = self.server.get(&format!("/enrolments/{enrolment}")).by(by);
        let shown = shown.expect(200).await.json;
        shown["status"].as_str().unwrap().to_owned()
    }

    /// The texts that somebody was told of a kind.
    async fn texts(&self, who: &User, kind: &str) -> Vec<String> {
        let inbox = self.server.get("/me/notifications?limit=100").by(who);
        let inbox = inbox.expect(200).await.json;
        let items = inbox["items"].as_array().unwrap().iter();
        let of_kind = items.filter(|item| item["kind"] == kind);
        of_kind
            .map(|item| item["text"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn vetted_adult(&self) -> (User, String) {
        let person = self.born("1990-01-01").await;
        let vetting = self.certified(&person, "minors_vetting", Value::Null).await;
        (person, vetting)
    }
}

#[actix_web::test]
async fn who_may_not_come_any_more_gives_the_place_to_the_next() {
    let t = town().await;
    let (a, manager) = t.active("示例·甲队").await;
    let change = json!({"minors": true, "shifts": [shift("09:00", "11:00", 2)]});
    let (_, shifts) = t.published(&manager, &a, change).await;
    let (first, vetting) = t.vetted_adult().await;
    let (second, _) = t.vetted_adult().await;
    let (third, _) = t.vetted_adult().await;
    let place = t.enrol(&first, &shifts[0]).expect(201).await.id();
    t.enrol(&second, &shifts[0]).expect(201).await;
    let waiting = t.enrol(&third, &shifts[0]).expect(201).await.id();
    let revoke = t
        .server
        .post(&format!("/qualifications/{vetting}/revoke"))
        .by(&t.street_admin);
    revoke.json(json!({"reason": "虚假材料"})).expect(200).await;
    t.server.work().await;
    let shown = t.server.get(&format!("/enrolments/{place}")).by(&first);
    let shown = shown.expect(200).await.json;
    assert_eq!(
        (&shown["status"], &shown["holds_seat"]),
        (&json!("removed"), &json!(false))
    );
    let told = t.texts(&first, "enrolment_disqualified").await;
    assert!(told[0].contains("for vetted volunteers only"), "{told:?}");
    assert_eq!(t.status_of(&third, &waiting).await, "pending");
    assert_eq!(t.told(&second, "enrolment_disqualified").await, 0);
    // why is not the organiser's
    let told = t.texts(&manager, "enrolment_freed").await;
    assert!(told.len() == 1 && !told[0].contains("vetted"), "{told:?}");

    // a certificate that the shift asks for, taken back by its holder
    let mut taught = shift("12:00", "13:00", 1);
    taught["qualification"] = json!("teacher");
    let (_, shifts) = t
        .published(&manager, &a, json!({ "shifts": [taught] }))
        .await;
    let teacher = volunteer(&t.server, t.grid).await;
    let certificate = t.certified(&teacher, "teacher", Value::Null).await;
    let place = t.enrol(&teacher, &shifts[0]).expect(201).await.id();
    let withdraw = format!("/qualifications/{certificate}/withdraw");
    let withdraw = t.server.post(&withdraw).by(&teacher);
    withdraw.json(json!({})).expect(200).await;
    t.server.work().await;
    assert_eq!(t.status_of(&teacher, &place).await, "removed");

    // and a membership: ended, or without the consent that it is kept under
    let change = json!({"party_only": true, "shifts": [shift("14:00", "15:00", 2)]});
    let (_, shifts) = t.published(&manager, &a, change).await;
    for (method, path) in [
        (Method::DELETE, "/me/consents/party_membership"),
        (Method::POST, "/me/party-membership/end"),
    ] {
        let member = t.party_member().await;
        let place = t.enrol(&member, &shifts[0]).expect(201).await.id();
        t.server.call(method, path).by(&member).expect(204).await;
        t.server.work().await;
        assert_eq!(t.status_of(&member, &place).await, "removed", "{path}");
        assert_eq!(t.told(&member, "enrolment_disqualified").await, 1);
    }
}

#[actix_web::test]
async fn an_activity_that_is_held_up_is_rescued() {
    let t = town().await;
    let (a, manager) = t.active("示例·甲队").await;
    let change = json!({"minors": true, "shifts": [shift("09:00", "11:00", 3)]});
    let (id, shifts) = t.published(&manager, &a, change.clone()).await;
    let (later, later_shifts) = t.published(&manager, &a, change).await;
    let (first, _) = t.vetted_adult().await;
    let (second, _) = t.vetted_adult().await;
    t.enrol(&first, &shifts[0]).expect(201).await;
    t.server.pass(TimeDelta::hours(5 * 24 - 1)).await;
    let manager = t.server.again(&manager).await;
    let (first, second) = (t.server.again(&first).await, t.server.again(&second).await);
    let shown = t.activity(&manager, &id).await;
    assert_eq!(shown["held_up"], "adults_missing");
    assert_eq!(shown["shifts"][0]["adults_missing"], 1);
    t.enrol(&second, &shifts[0])
        .refused(409, "enrolment_too_late")
        .await;
    // its organiser opens it again, to its end, and nobody waits for the clock's next look
    let open = t.activity_act(&manager, &id, "reopen-enrolment");
    let open = open.expect(200).await.json;
    assert_eq!(
        (&open["status"], &open["enrolment_closes_at"]),
        (&json!("published"), &json!("2026-11-28T03:00:00Z"))
    );
    let note = json!({"meeting_point": "南门"});
    let edited = t.edit_activity(&manager, &id, note).await;
    assert_eq!(edited.status, 200, "{:#}", edited.json);
    let joined = t.enrol(&second, &shifts[0]).expect(201).await.json;
    assert_eq!(joined["status"], "confirmed");
    t.server.work().await;
    assert_eq!(t.activity(&manager, &id).await["status"], "ongoing");
    t.enrol(&second, &later_shifts[0])
        .refused(409, "enrolment_too_late")
        .await;

    // or it is moved, and is an activity like others again
    let shifts = json!({"shifts": [moved(&later_shifts[0], "15:00", "16:00", 3)]});
    let edited = t.edit_activity(&manager, &later, shifts).await;
    assert_eq!(edited.status, 200, "{:#}", edited.json);
    assert_eq!(edited.json["held_up"], Value::Null);
    t.activity_act(&manager, &later, "reopen-enrolment")
        .expect(200)
        .await;
    for person in [&first, &second] {
        t.enrol(person, &later_shifts[0]).expect(201).await;
    }
    t.server.pass(TimeDelta::hours(6)).await;
    let manager = t.server.again(&manager).await;
    assert_eq!(t.activity(&manager, &later).await["status"], "ongoing");
    assert_eq!(t.activity(&manager, &id).await["status"], "finished");
}

#[actix_web::test]
async fn who_asks_others_learns_nothing_of_them() {
    let t = town().await;
    let (a, manager) = t.active("示例·甲队").await;
    let (b, leader) = t.active("示例·乙队").await;
    let change = json!({"party_only": true, "shifts": [shift("09:00", "11:00", 5)]});
    let (_, party) = t.published(&manager, &a, change).await;
    let (_, plain) = t
        .published(
            &manager,
            &a,
            json!({"shifts": [shift("14:00", "15:00", 5)]}),
        )
        .await;
    // of the leader's team: one is enrolled as a member of the Party, one is not
    let member = t.party_member().await;
    let other = volunteer(&t.server, t.grid).await;
    for person in [&member, &other] {
        t.join_as(&leader, &b, person).await;
    }
    t.enrol(&member, &party[0]).expect(201).await;
    let ask = |by: &User, who: &User, shift: &str| {
        t.server
            .post(&format!("/shifts/{shift}/enrolments"))
            .by(by)
            .json(json!({"account_id": who.id}))
    };
    for person in [&member, &other] {
        ask(&leader, person, &party[0])
            .refused(409, "not_available")
            .await;
    }
    // where somebody goes elsewhere is told to those who organise it alone
    t.enrol(&other, &plain[0]).expect(201).await;
    ask(&leader, &other, &plain[0])
        .refused(409, "not_available")
        .await;
    t.join_as(&manager, &a, &other).await;
    ask(&manager, &other, &plain[0])
        .refused(409, "enrolled_already")
        .await;
    let mine = ask(&leader, &member, &plain[0]).expect(201).await;
    assert_eq!(mine.json["status"], "pending");
}

#[actix_web::test]
async fn a_line_looks_again_when_what_was_in_the_way_is_gone() {
    let t = town().await;
    let (a, manager) = t.active("示例·甲队").await;
    let one = json!({"shifts": [shift("09:00", "11:00", 1)]});
    let (_, shifts) = t.published(&manager, &a, one.clone()).await;
    let (_, other) = t
        .published(
            &manager,
            &a,
            json!({"shifts": [shift("10:00", "12:00", 9)]}),
        )
        .await;
    let first = volunteer(&t.server, t.grid).await;
    let waits = volunteer(&t.server, t.grid).await;
    let seat = t.enrol(&first, &shifts[0]).expect(201).await.id();
    let waiting = t.enrol(&waits, &shifts[0]).expect(201).await.id();
    let busy = t.enrol(&waits, &other[0]).expect(201).await.id();
    t.enrolment_act(&first, &seat, "withdraw").expect(200).await;
    assert_eq!(t.status_of(&waits, &waiting).await, "waitlisted");
    // the seat stands free; the one who waits gives the other place back
    t.enrolment_act(&waits, &busy, "withdraw").expect(200).await;
    t.server.work().await;
    assert_eq!(t.status_of(&waits, &waiting).await, "pending");

    // whatever nobody told: an hour later it is looked at again
    let (_, shifts) = t.published(&manager, &a, one).await;
    let (first, waits) = (
        volunteer(&t.server, t.grid).await,
        volunteer(&t.server, t.grid).await,
    );
    let seat = t.enrol(&first, &shifts[0]).expect(201).await.id();
    let waiting = t.enrol(&waits, &shifts[0]).expect(201).await.id();
    let busy = t.enrol(&waits, &other[0]).expect(201).await.id();
    t.server.work().await;
    t.enrolment_act(&first, &seat, "withdraw").expect(200).await;
    let busy: yiqilai::activities::enrolments::EnrolmentId = busy.parse().unwrap();
    t.server
        .write(move |tx| {
            let gone = enrolments::table.find(busy);
            diesel::update(gone)
                .set(enrolments::holds_seat.eq(false))
                .execute(tx.conn)?;
            Ok(())
        })
        .await;
    t.server.pass(TimeDelta::minutes(59)).await;
    let waits = t.server.again(&waits).await;
    assert_eq!(t.status_of(&waits, &waiting).await, "waitlisted");
    t.server.pass(TimeDelta::minutes(1)).await;
    let waits = t.server.again(&waits).await;
    assert_eq!(t.status_of(&waits, &waiting).await, "pending");
}

#[actix_web::test]
async fn who_may_not_come_on_the_new_day_is_let_go() {
    let t = town().await;
    let (a, manager) = t.active("示例·甲队").await;
    let mut taught = shift("09:00", "10:00", 4);
    taught["qualification"] = json!("teacher");
    let shifts = json!([taught, shift("14:00", "15:00", 4)]);
    let change = json!({"max_age": 36, "withdrawal_hours": 6, "shifts": shifts});
    let (id, shifts) = t.published(&manager, &a, change).await;
    let mut people = Vec::new();
    for (born, last) in [
        ("1990-01-01", json!("2026-11-28")), // the certificate ends that Saturday
        ("1989-11-29", Value::Null),         // turns 37 on Sunday
        ("1990-01-01", Value::Null),
    ] {
        let person = t.born(born).await;
        t.certified(&person, "teacher", last).await;
        let place = t.enrol(&person, &shifts[0]).expect(201).await.id();
        people.push((person, place));
    }
    let afternoon = t.born("1990-01-01").await;
    t.enrol(&afternoon, &shifts[1]).expect(201).await;
    // the morning goes to Sunday, the afternoon stays
    let mut sunday = moved(&shifts[0], "09:00", "10:00", 4);
    sunday["starts_at"] = json!("2026-11-29T09:00:00+08:00");
    sunday["ends_at"] = json!("2026-11-29T10:00:00+08:00");
    sunday["qualification"] = json!("teacher");
    let change = json!({"shifts": [sunday, moved(&shifts[1], "14:00", "15:00", 4)]});
    let edited = t.edit_activity(&manager, &id, change).await;
    assert_eq!(edited.status, 200, "{:#}", edited.json);
    t.server.work().await;
    for (n, status, why) in [
        (0, "removed", "ends before the day"),
        (1, "removed", "required age"),
    ] {
        let (person, place) = &people[n];
        assert_eq!(t.status_of(person, place).await, status);
        let told = t.texts(person, "enrolment_displaced").await;
        assert!(told[0].contains(why), "{told:?}");
    }
    let (stays, place) = &people[2];
    assert_eq!(t.status_of(stays, place).await, "confirmed");
    // free until six hours before it, which is later than two days from now
    let told = t.texts(stays, "activity_changed").await;
    assert!(told[0].contains("2026-11-29 03:00"), "{told:?}");
    assert_eq!(t.told(&afternoon, "activity_changed").await, 0);
    let shown = t.activity(&manager, &id).await;
    assert_eq!(shown["shifts"][0]["taken"], 1);

    // another place concerns everybody, once
    let place = json!({"place": "示例路9号"});
    assert_eq!(t.edit_activity(&manager, &id, place).await.status, 200);
    t.server.work().await;
    t.server.work().await;
    assert_eq!(t.told(&afternoon, "activity_changed").await, 1);
    assert_eq!(t.told(stays, "activity_changed").await, 2);
}

#[actix_web::test]
async fn each_shift_with_minors_has_its_own_two_adults() {
    let t = town().await;
    let (a, manager) = t.active("示例·甲队").await;
    let change = json!({"minors": true, "enrolment_closes_at": "2026-11-27T09:00:00+08:00",
        "shifts": [shift("09:00", "10:00", 3), shift("09:00", "10:00", 1), shift("10:00", "11:00", 3)]});
    // every shift has seats for two
    let refused = t.write_activity(&manager, &t.own_work(&a), change.clone());
    let draft = refused.expect(201).await.id();
    let refused = t.activity_act(&manager, &draft, "publish");
    let refused = refused.refused(422, "invalid").await;
    assert_eq!(
        refused.fields(),
        pairs(&[("/shifts/1/seats", "two_adults")])
    );

    let change = json!({"minors": true, "enrolment_closes_at": "2026-11-27T09:00:00+08:00",
        "shifts": [shift("09:00", "10:00", 3), shift("10:00", "11:00", 3)]});
    let (id, shifts) = t.published(&manager, &a, change).await;
    let (first, _) = t.vetted_adult().await;
    let (second, _) = t.vetted_adult().await;
    t.enrol(&first, &shifts[0]).expect(201).await;
    t.enrol(&second, &shifts[0]).expect(201).await;
    let alone = t.enrol(&first, &shifts[1]).expect(201).await.id();
    let shown = t.activity(&manager, &id).await;
    assert_eq!(shown["shifts"][0]["adults_missing"], 0);
    assert_eq!(shown["shifts"][1]["adults_missing"], 1);
    let public = t.server.get(&format!("/activities/{id}")).expect(200).await;
    assert_eq!(public.json["shifts"][1]["adults_missing"], Value::Null);
    // as nobody enrols any more, who organises it hears of it
    t.server.pass(TimeDelta::hours(4 * 24)).await;
    let manager = t.server.again(&manager).await;
    let told = t.texts(&manager, "shift_lacks_adults").await;
    assert!(
        told.len() == 1 && told[0].contains("2026-11-28 10:00"),
        "{told:?}"
    );
    // the first is held; the second is not, and whoever would have come is let go
    t.server.pass(TimeDelta::hours(23)).await;
    let manager = t.server.again(&manager).await;
    assert_eq!(t.activity(&manager, &id).await["status"], "ongoing");
    t.server.pass(TimeDelta::hours(1)).await;
    let (manager, first) = (t.server.again(&manager).await, t.server.again(&first).await);
    assert_eq!(t.activity(&manager, &id).await["status"], "ongoing");
    assert_eq!(t.status_of(&first, &alone).await, "removed");
    assert_eq!(t.told(&first, "shift_not_held").await, 1);
    assert_eq!(t.told(&manager, "shift_not_held").await, 1);
    let held = t.enrolments(&first).await;
    assert!(
        held.iter().any(|one| one["status"] == "confirmed"),
        "{held:?}"
    );
}

#[actix_web::test]
async fn a_project_that_stands_still_neither_promotes_nor_begins() {
    let t = town().await;
    let (leader, [project, id, shift]) = t.of_a_project(1).await;
    let (first, next) = (
        volunteer(&t.server, t.grid).await,
        volunteer(&t.server, t.grid).await,
    );
    let seat = t.enrol(&first, &shift).expect(201).await.id();
    let waiting = t.enrol(&next, &shift).expect(201).await.id();
    let act = |by: User, verb: &'static str| {
        let call = t.project_act(&by, &project, verb);
        call.json(json!({"reason": "台风"})).expect(200)
    };
    act(t.street_admin.clone(), "suspend").await;
    t.enrolment_act(&first, &seat, "withdraw").expect(200).await;
    t.server.work().await;
    assert_eq!(t.status_of(&next, &waiting).await, "waitlisted");
    let resume = t.project_act(&t.street_admin, &project, "resume");
    resume.json(json!({})).expect(200).await;
    t.server.work().await;
    assert_eq!(t.status_of(&next, &waiting).await, "pending");
    t.enrolment_act(&next, &waiting, "accept").expect(200).await;

    act(t.street_admin.clone(), "suspend").await;
    t.server.pass(TimeDelta::hours(12 * 24 - 1)).await;
    let leader = t.server.again(&leader).await;
    let shown = t.activity(&leader, &id).await;
    assert_eq!(
        (&shown["status"], &shown["held_up"]),
        (&json!("enrolment_closed"), &json!("project_suspended"))
    );
    assert_eq!(t.told(&leader, "activity_suspended").await, 1);
    let admin = t.server.again(&t.street_admin).await;
    let resume = t.project_act(&admin, &project, "resume");
    resume.json(json!({})).expect(200).await;
    t.server.pass(TimeDelta::minutes(5)).await;
    let leader = t.server.again(&leader).await;
    assert_eq!(t.activity(&leader, &id).await["status"], "ongoing");
}

#[actix_web::test]
async fn the_line_of_a_later_shift_goes_on_while_the_first_is_going_on() {
    let t = town().await;
    let (a, manager) = t.active("示例·甲队").await;
    let change = json!({"shifts": [shift("09:00", "10:00", 1), shift("14:00", "15:00", 1)]});
    let (id, shifts) = t.published(&manager, &a, change).await;
    let mut people = Vec::new();
    for _ in 0..3 {
        people.push(volunteer(&t.server, t.grid).await);
    }
    let seat = t.enrol(&people[0], &shifts[1]).expect(201).await.id();
    let next = t.enrol(&people[1], &shifts[1]).expect(201).await.id();
    t.enrol(&people[2], &shifts[0]).expect(201).await;
    let early = t.enrol(&people[0], &shifts[0]).expect(201).await.id();
    t.server.pass(TimeDelta::hours(5 * 24 - 1)).await;
    for person in &mut people {
        *person = t.server.again(person).await;
    }
    let manager = t.server.again(&manager).await;
    assert_eq!(t.activity(&manager, &id).await["status"], "ongoing");
    assert_eq!(
        t.status_of(&people[0], &early).await,
        "declined",
        "its line is over"
    );
    assert_eq!(t.status_of(&people[1], &next).await, "waitlisted");
    t.enrolment_act(&people[0], &seat, "withdraw")
        .expect(200)
        .await;
    let held = t.server.get(&format!("/enrolments/{next}")).by(&people[1]);
    let held = held.expect(200).await.json;
    assert_eq!(
        (&held["status"], &held["accept_by"]),
        (&json!("pending"), &json!("2026-11-28T06:00:00Z")),
        "until its own shift begins"
    );
    t.enrolment_act(&people[1], &next, "accept")
        .expect(200)
        .await;
}

/// Who asks and goes, and is asked and says no, does so a few times: each time others hear of it.
#[actix_web::test]
async fn one_shift_is_asked_for_only_so_often() {
    let t = town().await;
    let (a, manager) = t.active("示例·甲队").await;
    let (_, shifts) = t.published(&manager, &a, json!({})).await;
    let person = volunteer(&t.server, t.grid).await;
    for _ in 0..3 {
        let place = t.enrol(&person, &shifts[0]).expect(201).await.id();
        t.enrolment_act(&person, &place, "withdraw")
            .expect(200)
            .await;
    }
    let verdict = t.server.get(&format!("/shifts/{}/verdict", shifts[0]));
    let verdict = verdict.by(&person).expect(200).await.json;
    assert_eq!(verdict["codes"][0]["code"], "enrolled_too_often");
    t.enrol(&person, &shifts[0])
        .refused(409, "enrolled_too_often")
        .await;
    assert_eq!(t.told(&manager, "enrolment_withdrawn").await, 3);
    t.join_as(&manager, &a, &person).await;
    let ask = || {
        let path = format!("/shifts/{}/enrolments", shifts[0]);
        let call = t.server.post(&path).by(&manager);
        call.json(json!({"account_id": person.id}))
    };
    for _ in 0..3 {
        let asked = ask().expect(201).await.id();
        t.enrolment_act(&person, &asked, "decline")
            .expect(200)
            .await;
    }
    ask().refused(409, "enrolled_too_often").await;
}

/// A cancelled activity of many takes its own transaction a few statements, and then everybody hears of it.
#[actix_web::test]
async fn everybody_follows_however_many_they_are() {
    let t = town().await;
    let (a, manager) = t.active("示例·甲队").await;
    let mut cost = Vec::new();
    for many in [1, 103] {
        let change = json!({"shifts": [shift("09:00", "11:00", 60)]});
        let (id, shifts) = t.published(&manager, &a, change).await;
        let mut people = Vec::new();
        for _ in 0..many {
            let person = volunteer(&t.server, t.grid).await;
            let place = t.enrol(&person, &shifts[0]).expect(201).await.id();
            people.push((person, place));
        }
        let moves = [
            moved(&shifts[0], "13:00", "15:00", 60),
            moved(&shifts[0], "13:00", "15:00", 70),
        ];
        for (n, shift) in moves.into_iter().enumerate() {
            let edited = t
                .edit_activity(&manager, &id, json!({ "shifts": [shift] }))
                .await;
            assert_eq!(edited.status, 200, "{:#}", edited.json);
            t.server.work().await;
            for (person, _) in people.iter().step_by(20) {
                assert_eq!(t.told(person, "activity_changed").await, 1, "edit {n}");
            }
        }
        let shown = t.activity(&manager, &id).await;
        assert_eq!(
            shown["shifts"][0]["taken"],
            many.min(70),
            "the line moved up"
        );
        let before = t.server.statements();
        let cancel = t.activity_act(&manager, &id, "cancel");
        cancel.json(json!({"reason": "台风"})).expect(200).await;
        cost.push(t.server.statements() - before);
        t.server.work().await;
        for (person, place) in &people {
            let shown = t.server.get(&format!("/enrolments/{place}")).by(person);
            let shown = shown.expect(200).await.json;
            assert_eq!(
                (&shown["status"], &shown["holds_seat"], &shown["reason"]),
                (&json!("removed"), &json!(false), &json!("台风"))
            );
        }
        for (person, _) in people.iter().step_by(20) {
            assert_eq!(t.told(person, "activity_cancelled").await, 1);
        }
        let shown = t.activity(&manager, &id).await;
        assert_eq!(
            (&shown["shifts"][0]["taken"], &shown["reason"]),
            (&json!(0), &json!("台风"))
        );
    }
    assert!(cost[1] <= cost[0] + 3, "one: {}, 103: {}", cost[0], cost[1]);
}

#[actix_web::test]
async fn what_becomes_of_a_whole_series_comes_in_one_mail() {
    let t = town_with(json!({"activities": {"settle_days": 2}})).await;
    let (a, manager) = t.active("示例·甲队").await;
    let body = t.own_work(&a);
    let draft = t
        .write_activity(&manager, &body, json!({}))
        .expect(201)
        .await
        .id();
    let repeat = format!("/activities/{draft}/repeat");
    let repeat = t.server.post(&repeat).by(&manager);
    let rule = json!({"rule": "FREQ=DAILY;COUNT=3"});
    let series = repeat.json(rule).expect(201).await.json;
    let path = format!("/activity-series/{}", series["id"].as_str().unwrap());
    let act = |verb: &str, body: Value| {
        let call = t.server.post(&format!("{path}/{verb}"));
        call.by(&manager).json(body)
    };
    act("publish", json!({})).expect(200).await;
    act("publish", json!({})).expect(200).await; // the same again
    let reader = crate::notifications::reader(&t.server).await;
    crate::volunteers::write(
        &t.server,
        &reader,
        None,
        &crate::volunteers::profile(t.grid),
    )
    .expect(200)
    .await;
    for one in series["activities"].as_array().unwrap() {
        let one = t.activity(&reader, one["id"].as_str().unwrap()).await;
        t.enrol(&reader, &shift_ids(&one)[0]).expect(201).await;
    }
    t.server.work().await;
    let cancel = || act("cancel", json!({"reason": "台风"})).expect(200);
    cancel().await;
    cancel().await;
    t.server.work().await;
    assert_eq!(t.told(&reader, "activity_cancelled").await, 3);
    let mails = t.server.mails(crate::notifications::ADDRESS);
    let about = mails.iter().filter(|mail| mail.contains("台风")).count();
    assert_eq!(about, 1, "{mails:?}");

    // what nobody settles is settled by the clock
    let (id, _) = t.published(&manager, &a, json!({})).await;
    t.server.pass(TimeDelta::hours(7 * 24)).await;
    let manager = t.server.again(&manager).await;
    assert_eq!(t.activity(&manager, &id).await["status"], "finished");
    t.server.pass(TimeDelta::hours(24)).await;
    let manager = t.server.again(&manager).await;
    assert_eq!(t.activity(&manager, &id).await["status"], "settled");
}
