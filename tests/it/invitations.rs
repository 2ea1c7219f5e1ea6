//! Invitations to needs, by hand and in waves: who is asked, how often, what becomes of it, and the link
//! in the mail.

use chrono::TimeDelta;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use yiqilai::platform::journal::{Actor, Change};
use yiqilai::worker::Worker;

use crate::harness::{Answer, Call, User};
use crate::organizations::{Town, town, town_with};

/// A crew that looks for people for one role, and volunteers who fit it, the nearest first.
struct Crew {
    t: Town,
    leader: User,
    claim: String,
    role: String,
    people: Vec<User>,
}

/// A role with so many seats, in which no day and no hour is named.
fn roles(seats: i32) -> Value {
    json!({"roles": [{"name": "志愿者", "seats": seats}]})
}

async fn crew_with(settings: Value, seats: i32, people: usize) -> Crew {
    let t = town_with(settings).await;
    let (a, leader) = t.active("示例·甲队").await;
    let (claim, role) = t.seek(&leader, &a, seats).await;
    let people = t.volunteers(people).await;
    Crew {
        t,
        leader,
        claim,
        role,
        people,
    }
}

async fn crew(seats: i32, people: usize) -> Crew {
    crew_with(json!({}), seats, people).await
}

impl Town {
    /// A claim of a new project, and its only role.
    async fn seek(&self, leader: &User, organization: &str, seats: i32) -> (String, String) {
        let id = self.open_project(roles(seats)).await;
        let claim = self.claim(leader, &id, Some(organization)).expect(201);
        let claim = claim.await.id();
        let role = self.role(&id, 0).await;
        (claim, role.as_str().unwrap().to_owned())
    }

    /// Volunteers who fit everything, each farther away than the one before.
    async fn volunteers(&self, count: usize) -> Vec<User> {
        let mut people = Vec::new();
        for n in 0..count {
            let longitude = 121.851 + 0.002 * n as f64;
            people.push(self.matched(json!([]), longitude).await);
        }
        people
    }

    fn recruit(&self, by: &User, claim: &str, role: &str, how: Value) -> Call<'_> {
        let mut body = how;
        body["claim_id"] = json!(claim);
        let path = format!("/needs/project_role/{role}/recruitments");
        self.server.post(&path).by(by).json(body)
    }

    async fn recruitment(&self, by: &User, id: &str) -> Value {
        let path = format!("/recruitments/{id}");
        self.server.get(&path).by(by).expect(200).await.json
    }

    async fn invited_by(&self, by: &User, recruitment: &str) -> Vec<Value> {
        let path = format!("/recruitments/{recruitment}/invitations?limit=100");
        items(&self.server.get(&path).by(by).expect(200).await)
    }

    /// One's own invitations, the newest first.
    async fn mine(&self, who: &User) -> Vec<Value> {
        let path = "/me/need-invitations?limit=100";
        items(&self.server.get(path).by(who).expect(200).await)
    }

    /// A published wish of this title.
    async fn wish(&self, title: &str) -> String {
        self.wish_of(title).await.0
    }

    /// The same, and whose it is.
    async fn wish_of(&self, title: &str) -> (String, User) {
        let resident = self.server.person("示例·王奶奶").await;
        let wish = json!({
            "region_id": self.grid,
            "contact": {"name": "示例·王秀英", "phone": "13800000001", "address": "示例小区1幢101"},
            "alias": "王奶奶", "beneficiary_group": "elder", "life_cycle": "old_age", "kind": "goods",
            "title": title, "description": "想听越剧,家里的收音机坏了。", "value_fen": 12000,
            "longitude": 121.85, "latitude": 29.91,
        });
        let wish = self.server.post("/wishes").by(&resident).json(wish);
        let id = wish.expect(201).await.id();
        let path = format!("/wishes/{id}");
        self.server
            .post(&format!("{path}/submit"))
            .by(&resident)
            .expect(200)
            .await;
        let read = self.server.get(&path).by(&self.street_admin).expect(200);
        let etag = read.await.header("etag").unwrap().to_owned();
        let publish = self.server.post(&format!("{path}/publish"));
        let publish = publish.by(&self.street_admin).header("if-match", &etag);
        publish.expect(200).await;
        (id, resident)
    }

    /// Gives an account an address that mail can go to.
    async fn has_mail(&self, who: &User, address: &'static str) {
        let id = who.id;
        self.server
            .write(move |tx| {
                use diesel::prelude::*;
                use yiqilai::schema::accounts::dsl::{accounts, email};
                diesel::update(accounts.find(id))
                    .set(email.eq(Some(address)))
                    .execute(tx.conn)?;
                Ok(())
            })
            .await;
    }

    /// The address of the link in the last mail.
    fn link(&self, address: &str) -> String {
        let mail = self.server.mails(address).pop().unwrap();
        let start = mail.find("/invitation-links/").expect("a link");
        let link = &mail[start..];
        let end = link.find(char::is_whitespace).unwrap_or(link.len());
        link[..end].to_owned()
    }

    async fn stands(&self, who: &User, invitation: &str) -> String {
        let path = format!("/me/need-invitations/{invitation}");
        let read = self.server.get(&path).by(who).expect(200).await.json;
        read["status"].as_str().unwrap().to_owned()
    }
}

fn items(answer: &Answer) -> Vec<Value> {
    answer.json["items"].as_array().unwrap().clone()
}

fn ids(items: &[Value]) -> Vec<String> {
    let id = |item: &Value| item["id"].as_str().unwrap().to_owned();
    items.iter().map(id).collect()
}

#[actix_web::test]
async fn waves_go_out_until_the_places_are_filled() {
    let c = crew(2, 5).await;
    let how = json!({"size": 2, "hours": 24, "note": "周六上午"});
    let begun = c.t.recruit(&c.leader, &c.claim, &c.role, how).expect(201);
    let begun = begun.await;
    let id = begun.id();
    assert_eq!(begun.json["status"], "running");
    assert_eq!(
        (&begun.json["wave"], &begun.json["invitations"]["open"]),
        (&json!(1), &json!(2))
    );
    let again = c.t.recruit(&c.leader, &c.claim, &c.role, json!({}));
    again.refused(409, "recruiting_already").await;

    // the nearest two, without their names
    let asked = c.t.invited_by(&c.leader, &id).await;
    assert_eq!(asked.len(), 2);
    for one in &asked {
        assert_eq!(one["name"], Value::Null);
        assert_eq!(one["account_id"], Value::Null);
        assert_eq!(one["factors"].as_array().unwrap().len(), 5);
        assert!(one["score"].as_f64().unwrap() > 0.0);
    }
    let mut mine = Vec::new();
    for who in &c.people[..2] {
        let own = c.t.mine(who).await;
        assert_eq!(own.len(), 1);
        assert_eq!(own[0]["organizer"], "示例·甲队");
        assert_eq!(own[0]["note"], "周六上午");
        assert_eq!(
            own[0]["moves"],
            json!(["accept", "decline", "dismiss", "block"])
        );
        mine.push(own[0]["id"].as_str().unwrap().to_owned());
    }
    assert!(c.t.mine(&c.people[2]).await.is_empty());

    // one says no: two places cannot be filled by one more answer
    let no = c.t.reply(&c.people[0], &mine[0], "decline");
    no.json(json!({"reason": "出差"})).expect(200).await;
    assert!(c.t.mine(&c.people[2]).await.is_empty(), "not yet");
    c.t.server.work().await;
    let third = c.t.mine(&c.people[2]).await;
    assert_eq!(third.len(), 1);
    let shown = c.t.recruitment(&c.leader, &id).await;
    assert_eq!(
        (&shown["wave"], &shown["invitations"]["declined"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(
        c.t.told(&c.leader, "invitation_declined").await,
        0,
        "no flood"
    );

    // another says yes, and is named from then on; the third lets it be
    c.t.reply(&c.people[1], &mine[1], "accept")
        .expect(200)
        .await;
    let path = format!("/recruitments/{id}/invitations?status=accepted");
    let named = items(&c.t.server.get(&path).by(&c.leader).expect(200).await);
    assert_eq!(named[0]["account_id"], json!(c.people[1].id));
    assert!(named[0]["name"].is_string());
    c.t.server.pass(TimeDelta::hours(25)).await;
    let mut people = Vec::new();
    for who in &c.people {
        people.push(c.t.server.again(who).await);
    }
    let leader = c.t.server.again(&c.leader).await;
    assert_eq!(c.t.stands(&people[2], &ids(&third)[0]).await, "expired");
    assert_eq!(c.t.told(&people[2], "invitation_expired").await, 1);
    let late = c.t.reply(&people[2], &ids(&third)[0], "accept");
    late.refused(409, "invitation_expired").await;

    // one place, two more are asked; the second of them comes too late
    let (fourth, fifth) = (c.t.mine(&people[3]).await, c.t.mine(&people[4]).await);
    assert_eq!((fourth.len(), fifth.len()), (1, 1));
    c.t.reply(&people[3], &ids(&fourth)[0], "accept")
        .expect(200)
        .await;
    c.t.server.work().await;
    let shown = c.t.recruitment(&leader, &id).await;
    assert_eq!(shown["status"], "filled", "{shown:#}");
    assert_eq!(shown["moves"], json!([]));
    assert_eq!(c.t.told(&leader, "recruitment_filled").await, 1);
    assert_eq!(c.t.stands(&people[4], &ids(&fifth)[0]).await, "closed");
    assert_eq!(c.t.told(&people[4], "invitation_closed").await, 1);
    for who in &people {
        assert_eq!(c.t.mine(who).await.len(), 1, "nobody is asked twice");
    }
}

#[actix_web::test]
async fn a_recruitment_ends_when_nobody_is_left_or_its_last_wave_is_over() {
    let c = crew(3, 3).await;
    let how = json!({"size": 1, "max_waves": 2});
    let begun = c.t.recruit(&c.leader, &c.claim, &c.role, how).expect(201);
    let first = begun.await.id();
    for who in &c.people[..2] {
        let asked = ids(&c.t.mine(who).await);
        c.t.reply(who, &asked[0], "decline").expect(200).await;
        c.t.server.work().await;
    }
    let ended = c.t.recruitment(&c.leader, &first).await;
    assert_eq!(ended["status"], "last_wave_over");
    assert!(c.t.mine(&c.people[2]).await.is_empty());

    let begun = c.t.recruit(&c.leader, &c.claim, &c.role, json!({}));
    let second = begun.expect(201).await.id();
    let asked = ids(&c.t.mine(&c.people[2]).await);
    c.t.reply(&c.people[2], &asked[0], "decline")
        .expect(200)
        .await;
    c.t.server.work().await;
    let ended = c.t.recruitment(&c.leader, &second).await;
    assert_eq!(ended["status"], "nobody_left");
    assert_eq!(c.t.told(&c.leader, "recruitment_ended").await, 2);
    // and one that finds nobody has ended as it began
    let begun = c.t.recruit(&c.leader, &c.claim, &c.role, json!({}));
    assert_eq!(begun.expect(201).await.json["status"], "nobody_left");

    // three, the newest first, page by page
    let list = format!("/needs/project_role/{}/recruitments", c.role);
    let page = c.t.server.get(&format!("{list}?limit=2")).by(&c.leader);
    let page = page.expect(200).await;
    let next = page.json["next"].as_str().unwrap();
    let rest = c.t.server.get(&format!("{list}?limit=2&cursor={next}"));
    let rest = items(&rest.by(&c.leader).expect(200).await);
    assert_eq!(
        (ids(&items(&page))[1].clone(), ids(&rest)),
        (second, vec![first])
    );
}

#[actix_web::test]
async fn who_may_recruit_and_how_much() {
    let c = crew(2, 2).await;
    let wrong = json!({"size": 0, "hours": 100_000, "max_waves": -1});
    let wrong = c.t.recruit(&c.leader, &c.claim, &c.role, wrong);
    let wrong = wrong.refused(422, "invalid").await.fields();
    let named: Vec<_> = wrong.iter().map(|(at, _)| at.as_str()).collect();
    assert_eq!(named, ["/size", "/hours", "/max_waves"]);
    let path = format!("/needs/project_role/{}/recruitments", c.role);
    let nowhere = c.t.server.post(&path).by(&c.leader).json(json!({}));
    let fields = nowhere.refused(422, "invalid").await.fields();
    assert_eq!(fields, [("/claim_id".to_owned(), "required".to_owned())]);
    for who in [&c.people[0], &c.t.street_admin] {
        // the publisher may look, and leads no crew
        let begin = c.t.recruit(who, &c.claim, &c.role, json!({}));
        begin.refused(403, "forbidden").await;
    }
    let begun =
        c.t.recruit(&c.leader, &c.claim, &c.role, json!({"size": 1}));
    let id = begun.expect(201).await.id();
    let stranger =
        c.t.server
            .get(&format!("/recruitments/{id}"))
            .by(&c.people[0]);
    stranger.refused(404, "not_found").await;
    // it sees how it goes, and nobody's name
    let shown = c.t.recruitment(&c.t.street_admin, &id).await;
    assert_eq!(shown["moves"], json!([]));
    let stop = |by: &User| {
        let stop = c.t.server.post(&format!("/recruitments/{id}/stop")).by(by);
        stop.json(json!({"reason": "够了"}))
    };
    stop(&c.t.street_admin).refused(403, "forbidden").await;
    assert_eq!(stop(&c.leader).expect(200).await.json["status"], "stopped");
    stop(&c.leader).expect(200).await;
    // who was asked may answer as long as it was told
    let asked = ids(&c.t.mine(&c.people[0]).await);
    c.t.server.work().await;
    c.t.reply(&c.people[0], &asked[0], "accept")
        .expect(200)
        .await;
    c.t.server.work().await;
    assert!(c.t.mine(&c.people[1]).await.is_empty());
}

#[actix_web::test]
async fn a_person_is_asked_so_often_a_day_whoever_asks() {
    let settings = json!({"matching": {"invitations": {"per_day": 2}}});
    let c = crew_with(settings, 2, 1).await;
    let person = &c.people[0];
    let (b, second) = c.t.active("示例·乙队").await;
    let (other, other_role) = c.t.seek(&second, &b, 1).await;
    let (third, third_role) = c.t.seek(&second, &b, 1).await;
    // by hand, and by a wave
    let role = json!(c.role);
    let by_hand = c.t.invite(&c.leader, &c.claim, &role, person);
    by_hand.expect(201).await;
    let wave = c.t.recruit(&second, &other, &other_role, json!({}));
    assert_eq!(wave.expect(201).await.json["invitations"]["open"], 1);
    // enough for today: a wave waits, a choice by hand is refused, and only the person reads why
    let wave = c.t.recruit(&second, &third, &third_role, json!({}));
    let waiting = wave.expect(201).await;
    assert_eq!(waiting.json["status"], "running");
    assert_eq!(waiting.json["wave"], 0);
    let list = format!("/needs/project_role/{third_role}/candidates");
    let candidates = c.t.server.get(&list).by(&second).expect(200).await;
    assert!(items(&candidates).is_empty());
    let third_role = json!(third_role);
    let by_hand = c.t.invite(&second, &third, &third_role, person);
    by_hand.refused(409, "not_available").await;
    let path = format!(
        "/needs/project_role/{}/explanation",
        third_role.as_str().unwrap()
    );
    let why = c.t.server.get(&path).by(person).expect(200).await;
    assert_eq!(why.json["eligible"], true, "it may come by itself");
    assert_eq!(why.json["uninvited"]["code"], "daily_cap");
    let recommended = c.t.server.get("/recommendations?personalized=true");
    let recommended = recommended.by(person).expect(200).await;
    assert_eq!(items(&recommended).len(), 3, "and is told of them");

    // it is ten o'clock; the day ends at midnight on the wall
    c.t.server.pass(TimeDelta::minutes(14 * 60 - 1)).await;
    let person = c.t.server.again(person).await;
    assert_eq!(c.t.mine(&person).await.len(), 2);
    c.t.server.pass(TimeDelta::minutes(1)).await;
    assert_eq!(c.t.mine(&person).await.len(), 3);
}

/// Several askers at the same moment cannot bring more than the cap.
#[actix_web::test]
async fn the_cap_holds_when_many_ask_at_once() {
    let settings = json!({"matching": {"invitations": {"per_day": 2}}});
    let c = crew_with(settings, 2, 1).await;
    let (b, second) = c.t.active("示例·乙队").await;
    let (d, third) = c.t.active("示例·丙队").await;
    let mut seeking = vec![(c.leader.clone(), c.claim.clone(), c.role.clone())];
    for (organization, leader) in [(&b, &second), (&d, &third)] {
        for _ in 0..2 {
            let (claim, role) = c.t.seek(leader, organization, 1).await;
            seeking.push((leader.clone(), claim, role));
        }
    }
    let asks = seeking.iter().map(|(leader, claim, role)| {
        let t = &c.t;
        let person = &c.people[0];
        async move {
            let role = json!(role);
            t.invite(leader, claim, &role, person).send().await
        }
    });
    let answers = join_all(asks).await;
    let sent = answers.iter().filter(|a| a.status == 201).count();
    let refused = answers.iter().filter(|a| a.json["code"] == "not_available");
    assert_eq!((sent, refused.count()), (2, 3));
    assert_eq!(c.t.mine(&c.people[0]).await.len(), 2);
}

#[actix_web::test]
async fn a_wish_is_claimed_by_a_yes() {
    let t = town().await;
    let people = t.volunteers(2).await;
    let wish = t.wish("示例·一台收音机").await;
    let path = format!("/needs/wish/{wish}/recruitments");
    let begin = |body: Value| t.server.post(&path).by(&t.street_admin).json(body);
    let claim = uuid::Uuid::now_v7();
    begin(json!({"claim_id": claim}))
        .refused(422, "invalid")
        .await;
    let id = begin(json!({"size": 1})).expect(201).await.id();
    let asked = ids(&t.mine(&people[0]).await);
    let own = t.mine(&people[0]).await;
    assert_eq!(own[0]["title"], "示例·一台收音机");
    assert_eq!(own[0]["organizer"], "示例·街管");
    // the rules of wishes hold: two live claims are as many as one may have
    let mut held = Vec::new();
    for n in 0..2 {
        let more = t.wish(&format!("示例·第{n}个心愿")).await;
        let claim = t.server.post(&format!("/wishes/{more}/claim"));
        claim.by(&people[0]).expect(200).await;
        held.push(more);
    }
    let yes = t.reply(&people[0], &asked[0], "accept");
    yes.refused(409, "claim_limit_reached").await;
    assert_eq!(t.stands(&people[0], &asked[0]).await, "open");
    let release = t.server.post(&format!("/wishes/{}/release", held[0]));
    let release = release.by(&people[0]).json(json!({"reason": "因故"}));
    release.expect(200).await;
    t.reply(&people[0], &asked[0], "accept").expect(200).await;
    let read = t.server.get(&format!("/wishes/{wish}")).by(&people[0]);
    let read = read.expect(200).await;
    assert_eq!(read.json["status"], "claimed");
    assert!(read.json["involved"]["due_at"].is_string());
    t.server.work().await;
    assert_eq!(
        t.recruitment(&t.street_admin, &id).await["status"],
        "filled"
    );

    // by hand: a candidate without a name, and somebody who comes first all the same
    let second = t.wish("示例·一副老花镜").await;
    let list = format!("/needs/wish/{second}/candidates");
    let called = t.server.get(&list).by(&t.street_admin).expect(200).await;
    let called = items(&called)[0]["pseudonym"].as_str().unwrap().to_owned();
    let invite = t.server.post(&format!("{list}/{called}/invite"));
    let invite = invite.by(&t.street_admin).json(json!({"hours": 5}));
    let invited = invite.expect(201).await;
    assert!(invited.json["score"].as_f64().unwrap() > 0.0);
    let first = t.server.person("示例·路过的人").await;
    let claim = t.server.post(&format!("/wishes/{second}/claim"));
    claim.by(&first).expect(200).await;
    let late = t.reply(&people[1], &invited.id(), "accept");
    late.refused(409, "capacity_full").await;
    assert_eq!(t.stands(&people[1], &invited.id()).await, "closed");
    assert_eq!(t.told(&people[1], "invitation_closed").await, 1);
}

#[actix_web::test]
async fn two_race_for_the_last_place() {
    for _ in 0..3 {
        let c = crew(1, 2).await;
        let begun =
            c.t.recruit(&c.leader, &c.claim, &c.role, json!({"size": 2}));
        let id = begun.expect(201).await.id();
        let asked = [
            ids(&c.t.mine(&c.people[0]).await)[0].clone(),
            ids(&c.t.mine(&c.people[1]).await)[0].clone(),
        ];
        let (a, b) = tokio::join!(
            c.t.reply(&c.people[0], &asked[0], "accept").send(),
            c.t.reply(&c.people[1], &asked[1], "accept").send()
        );
        let mut outcomes = [a.status.as_u16(), b.status.as_u16()];
        outcomes.sort_unstable();
        assert_eq!(outcomes, [200, 409], "{:#} {:#}", a.json, b.json);
        let (lost, loser) = if a.status == 200 { (b, 1) } else { (a, 0) };
        assert_eq!(lost.json["code"], "capacity_full");
        let stands = c.t.stands(&c.people[loser], &asked[loser]).await;
        assert_eq!(stands, "closed");
        assert_eq!(c.t.told(&c.people[loser], "invitation_closed").await, 1);
        c.t.server.work().await;
        let shown = c.t.recruitment(&c.leader, &id).await;
        assert_eq!(
            (&shown["status"], &shown["invitations"]["accepted"]),
            (&json!("filled"), &json!(1))
        );
    }
}

/// Whoever is first: a yes that was taken stands, and one that came too late took nothing.
#[actix_web::test]
async fn a_yes_and_the_end_of_its_time_at_the_same_moment() {
    for n in 0..4 {
        let c = crew(1, 1).await;
        let begun =
            c.t.recruit(&c.leader, &c.claim, &c.role, json!({"hours": 1}));
        begun.expect(201).await;
        let asked = ids(&c.t.mine(&c.people[0]).await)[0].clone();
        let clock = &c.t.server.app.platform.clock;
        clock.advance(TimeDelta::minutes(59));
        let person = c.t.server.refreshed(&c.people[0]).await;
        let worker = Worker::new(c.t.server.app.clone());
        let late = async {
            if n % 2 == 0 {
                tokio::task::yield_now().await;
            }
            clock.advance(TimeDelta::minutes(1));
            worker.run_once().await.unwrap();
        };
        let (answer, ()) = tokio::join!(c.t.reply(&person, &asked, "accept").send(), late);
        c.t.server.work().await;
        let is_taken = answer.status == 200;
        if !is_taken {
            assert_eq!(answer.json["code"], "invitation_expired");
        }
        let stands = if is_taken { "accepted" } else { "expired" };
        assert_eq!(c.t.stands(&person, &asked).await, stands);
        let crews = c.t.server.get("/me/crews").by(&person).expect(200).await;
        assert_eq!(items(&crews).len(), usize::from(is_taken));
    }
}

/// Several workers at once send each wave once.
#[actix_web::test]
async fn workers_do_not_send_a_wave_twice() {
    let c = crew(4, 12).await;
    let begun =
        c.t.recruit(&c.leader, &c.claim, &c.role, json!({"size": 4}));
    let id = begun.expect(201).await.id();
    for who in &c.people[..4] {
        let asked = ids(&c.t.mine(who).await);
        c.t.reply(who, &asked[0], "decline").expect(200).await;
    }
    let workers: Vec<_> = (0..4)
        .map(|_| Worker::new(c.t.server.app.clone()))
        .collect();
    let runs = join_all(workers.iter().map(|worker| worker.run_once())).await;
    assert!(runs.iter().all(|run| run.is_ok()), "{runs:?}");
    c.t.server.work().await;
    let shown = c.t.recruitment(&c.leader, &id).await;
    assert_eq!(
        (&shown["wave"], &shown["invitations"]["open"]),
        (&json!(2), &json!(4)),
        "{shown:#}"
    );
    for who in &c.people {
        assert!(c.t.mine(who).await.len() <= 1);
    }
}

#[actix_web::test]
async fn what_one_is_not_interested_in_is_never_asked_or_recommended_again() {
    let c = crew(2, 2).await;
    let person = &c.people[0];
    let recommended = async || {
        let path = "/recommendations?personalized=true";
        items(&c.t.server.get(path).by(person).expect(200).await).len()
    };
    assert_eq!(recommended().await, 1);
    let begun =
        c.t.recruit(&c.leader, &c.claim, &c.role, json!({"size": 1}));
    let id = begun.expect(201).await.id();
    let asked = ids(&c.t.mine(person).await);
    c.t.reply(person, &asked[0], "dismiss").expect(200).await;
    c.t.reply(person, &asked[0], "dismiss").expect(200).await;
    assert_eq!(recommended().await, 0);
    let why = c.t.failed(person, &json!(c.role)).await;
    assert_eq!(why, ["not_interested"]);
    // who invited learns that it was declined, and no more
    let seen = c.t.invited_by(&c.leader, &id).await;
    assert_eq!(seen[0]["status"], "declined");
    let told = seen[0].to_string();
    assert!(!told.contains("dismiss") && !told.contains("not_interested"));
    let list = "/me/dismissed-needs";
    let dismissed = items(&c.t.server.get(list).by(person).expect(200).await);
    assert_eq!(dismissed[0]["need_id"], json!(c.role));
    let one = format!("{list}/project_role/{}", c.role);
    let back = c.t.server.call(Method::DELETE, &one).by(person);
    back.expect(204).await;
    assert_eq!(recommended().await, 1);

    // without having been asked, too
    let second = &c.people[1];
    let dismiss = || {
        c.t.server
            .call(Method::PUT, &one)
            .by(second)
            .json(json!({}))
    };
    c.t.server
        .post(&format!("/recruitments/{id}/stop"))
        .by(&c.leader)
        .json(json!({"reason": "稍后"}))
        .expect(200)
        .await;
    dismiss().expect(204).await;
    dismiss().expect(204).await;
    let role = json!(c.role);
    let by_hand = c.t.invite(&c.leader, &c.claim, &role, second);
    by_hand.refused(409, "not_available").await;
    let unknown = format!("{list}/wish/{}", uuid::Uuid::now_v7());
    let unknown = c.t.server.call(Method::PUT, &unknown).by(second);
    unknown.json(json!({})).refused(404, "not_found").await;
}

#[actix_web::test]
async fn who_is_blocked_asks_no_more() {
    let settings = json!({"matching": {"invitations": {"per_day": 10}}});
    let c = crew_with(settings, 2, 1).await;
    let person = &c.people[0];
    let (b, second) = c.t.active("示例·乙队").await;
    let (other, other_role) = c.t.seek(&second, &b, 1).await;
    let role = json!(c.role);
    let asked = c.t.invite(&c.leader, &c.claim, &role, person);
    let asked = asked.expect(201).await.id();
    c.t.reply(person, &asked, "block").expect(200).await;
    assert_eq!(c.t.told(&c.leader, "invitation_declined").await, 1);
    let a = c.t.server.get("/me/organizations").by(&c.leader);
    let a = items(&a.expect(200).await)[0]["id"].clone();
    let (third, third_role) = c.t.seek(&c.leader, a.as_str().unwrap(), 1).await;
    // the organisation does not ask for anything else either; others do
    let begun = c.t.recruit(&c.leader, &third, &third_role, json!({}));
    assert_eq!(begun.expect(201).await.json["status"], "nobody_left");
    let path = format!("/needs/project_role/{third_role}/explanation");
    let why = c.t.server.get(&path).by(person).expect(200).await;
    assert_eq!(why.json["uninvited"]["code"], "blocked");
    assert_eq!(why.json["eligible"], true);
    let third_role = json!(third_role);
    let by_hand = c.t.invite(&c.leader, &third, &third_role, person);
    by_hand.refused(409, "not_available").await;
    let begun = c.t.recruit(&second, &other, &other_role, json!({}));
    assert_eq!(begun.expect(201).await.json["invitations"]["open"], 1);

    let blocks = || c.t.server.get("/me/invitation-blocks").by(person);
    let blocked = items(&blocks().expect(200).await);
    assert_eq!(blocked[0]["name"], "示例·甲队");
    let lift = |id: &str| {
        let path = format!("/me/invitation-blocks/{id}");
        c.t.server.call(Method::DELETE, &path).by(person)
    };
    lift(&ids(&blocked)[0]).expect(204).await;
    lift(&ids(&blocked)[0]).refused(404, "not_found").await;
    let by_hand = c.t.invite(&c.leader, &third, &third_role, person);
    by_hand.expect(201).await;

    // or nobody at all
    let block = |body: Value| {
        let block = c.t.server.post("/me/invitation-blocks").by(person);
        block.json(body)
    };
    let stranger = json!({"account_id": c.t.district_admin.id});
    block(stranger).refused(422, "invalid").await;
    let everybody = block(json!({})).expect(201).await;
    assert_eq!(everybody.json["name"], Value::Null);
    assert_eq!(block(json!({})).expect(201).await.id(), everybody.id());
    let wish = c.t.wish("示例·一台收音机").await;
    let list = format!("/needs/wish/{wish}/candidates");
    let found =
        c.t.server
            .get(&list)
            .by(&c.t.street_admin)
            .expect(200)
            .await;
    assert!(items(&found).is_empty());
}

/// What collides with what one has taken on is asked of others, at once.
#[actix_web::test]
async fn a_yes_ends_the_invitations_that_collide_with_it() {
    let settings =
        json!({"matching": {"invitations": {"per_day": 10}}, "projects": {"live_claims": 10}});
    let t = town_with(settings).await;
    let (a, first) = t.active("示例·甲队").await;
    let (b, second) = t.active("示例·乙队").await;
    let people = t.volunteers(2).await;
    let person = &people[0];
    let at = |weekday: i32, from: i32| {
        let hours = json!([{"weekday": weekday, "from_minute": from, "to_minute": from + 60}]);
        json!({"claim_seats": 2, "roles": [
            {"name": "志愿者", "seats": 1, "hours": hours}, {"name": "带队", "seats": 1},
        ]})
    };
    // two roles of one project, one at the same hour, one at another
    let project = t.open_project(at(6, 540)).await;
    let mut ways = Vec::new();
    for (leader, organization) in [(&first, &a), (&second, &b)] {
        let claim = t.claim(leader, &project, Some(organization)).expect(201);
        ways.push(claim.await.id());
    }
    let role = async |project: &str, n: usize| t.role(project, n).await;
    let mut elsewhere = Vec::new();
    for when in [at(6, 570), at(6, 600)] {
        let other = t.open_project(when).await;
        let claim = t.claim(&second, &other, Some(&b)).expect(201).await.id();
        elsewhere.push((claim, role(&other, 0).await));
    }
    let asked = async |by: &User, claim: &str, role: &Value| {
        let sent = t.invite(by, claim, role, person);
        sent.expect(201).await.id()
    };
    let taken = asked(&first, &ways[0], &role(&project, 0).await).await;
    let same_project = asked(&second, &ways[1], &role(&project, 1).await).await;
    let (claim, of) = &elsewhere[0];
    let wave = json!({"size": 1});
    let wave = t.recruit(&second, claim, of.as_str().unwrap(), wave);
    let wave = wave.expect(201).await.id();
    let same_hours = ids(&t.invited_by(&second, &wave).await)[0].clone();
    let later = asked(&second, &elsewhere[1].0, &elsewhere[1].1).await;
    assert!(t.mine(&people[1]).await.is_empty());

    t.reply(person, &taken, "accept").expect(200).await;
    for (gone, stands) in [
        (&same_project, "closed"),
        (&same_hours, "closed"),
        (&later, "open"),
    ] {
        assert_eq!(t.stands(person, gone).await, stands, "at once");
    }
    assert_eq!(t.told(person, "invitation_collides").await, 2);
    let late = t.reply(person, &same_hours, "accept");
    let late = late.refused(409, "move_not_allowed").await.json;
    assert_eq!(
        (&late["state"], &late["allowed"]),
        (&json!("closed"), &json!([]))
    );
    // the wave goes on to the next
    t.server.work().await;
    assert_eq!(t.mine(&people[1]).await.len(), 1);
    assert_eq!(t.recruitment(&second, &wave).await["wave"], 2);
    t.reply(person, &later, "accept").expect(200).await;
}

/// The same where a place is taken in another way: before the worker has come to it, a yes is refused with
/// what stands against it.
#[actix_web::test]
async fn a_yes_that_collides_is_refused_with_why() {
    let t = town_with(json!({"projects": {"live_claims": 10}})).await;
    let (a, leader) = t.active("示例·甲队").await;
    let (b, other) = t.active("示例·乙队").await;
    let person = &t.volunteers(1).await[0];
    let hours = json!([{"weekday": 6, "from_minute": 540, "to_minute": 600}]);
    let roles =
        json!([{"name": "志愿者", "seats": 1, "hours": hours}, {"name": "带队", "seats": 1}]);
    let roles = json!({"claim_seats": 2, "roles": roles});
    let (project, second) = (
        t.open_project(roles.clone()).await,
        t.open_project(roles).await,
    );
    let claim = t.claim(&leader, &project, Some(&a)).expect(201).await.id();
    let theirs = t.claim(&other, &project, Some(&b)).expect(201).await.id();
    let elsewhere = t.claim(&other, &second, Some(&b)).expect(201).await.id();
    let same_project = t.invite(&other, &theirs, &t.role(&project, 1).await, person);
    let same_project = same_project.expect(201).await.id();
    let same_hours = t.invite(&other, &elsewhere, &t.role(&second, 0).await, person);
    let same_hours = same_hours.expect(201).await.id();

    let role = t.role(&project, 0).await;
    let place = t.crew(person, &claim, json!({"role_id": role}));
    let place = place.expect(201).await.id();
    t.server.work().await;
    assert_eq!(
        t.stands(person, &same_hours).await,
        "open",
        "only asked for"
    );
    t.place_act(&leader, &place, "accept").expect(200).await;
    let yes = |invitation: &str| t.reply(person, invitation, "accept");
    yes(&same_project).refused(409, "in_crew_already").await;
    yes(&same_hours).refused(409, "time_conflict").await;
    // nor does it come by itself
    let again = t.crew(
        person,
        &theirs,
        json!({"role_id": t.role(&project, 1).await}),
    );
    again.refused(409, "in_crew_already").await;
    t.server.work().await;
    for invitation in [&same_project, &same_hours] {
        assert_eq!(t.stands(person, invitation).await, "closed");
    }
}

/// The cap of the day is against a flood of mails: what was taken back before its mail left is none.
#[actix_web::test]
async fn what_was_taken_back_before_it_was_mailed_does_not_count() {
    let settings = json!({"matching": {"invitations": {"per_day": 1}}});
    let c = crew_with(settings, 2, 1).await;
    let person = &c.people[0];
    c.t.has_mail(person, "cap@example.org").await;
    let (b, second) = c.t.active("示例·乙队").await;
    let (claim, other) = c.t.seek(&second, &b, 1).await;
    let (role, other) = (json!(c.role), json!(other));
    let cancel = async |by: &User, id: &str| {
        let cancel = c.t.server.post(&format!("/invitations/{id}/cancel"));
        let cancel = cancel.by(by).json(json!({"reason": "改期"}));
        assert_eq!(cancel.expect(200).await.json["status"], "cancelled");
    };
    let mails = || c.t.server.mails("cap@example.org").len();
    let before = mails();
    let first = c.t.invite(&c.leader, &c.claim, &role, person);
    let first = first.expect(201).await.id();
    c.t.invite(&second, &claim, &other, person)
        .refused(409, "not_available")
        .await;
    cancel(&c.leader, &first).await;
    assert_eq!(
        c.t.told(person, "invited").await,
        0,
        "nothing is left of it"
    );
    assert_eq!(c.t.told(person, "invitation_cancelled").await, 0);
    let asked = c.t.invite(&second, &claim, &other, person);
    let asked = asked.expect(201).await.id();
    c.t.server.work().await;
    assert_eq!(mails() - before, 1, "of the one that stands");
    // what has left counts, taken back or not
    cancel(&second, &asked).await;
    assert_eq!(c.t.told(person, "invitation_cancelled").await, 1);
    c.t.invite(&c.leader, &c.claim, &role, person)
        .refused(409, "not_available")
        .await;
}

#[actix_web::test]
async fn an_invitation_is_taken_back_with_a_reason() {
    let c = crew(1, 1).await;
    let role = json!(c.role);
    let invite = || c.t.invite(&c.leader, &c.claim, &role, &c.people[0]);
    let asked = invite().expect(201).await.id();
    assert_eq!(invite().expect(201).await.id(), asked, "the same");
    let cancel = |by: &User| {
        let cancel = c.t.server.post(&format!("/invitations/{asked}/cancel"));
        cancel.by(by).json(json!({"reason": "改期"}))
    };
    cancel(&c.t.district_admin).refused(404, "not_found").await;
    cancel(&c.people[0]).refused(403, "forbidden").await;
    cancel(&c.leader).expect(200).await;
    assert_eq!(
        cancel(&c.leader).expect(200).await.json["status"],
        "cancelled"
    );
    let late = c.t.reply(&c.people[0], &asked, "accept");
    let late = late.refused(409, "move_not_allowed").await;
    assert_eq!(late.json["state"], "cancelled");
    assert_eq!(late.json["allowed"], json!([]));
    assert_eq!(c.t.told(&c.people[0], "invitation_cancelled").await, 1);
    // it was no answer of the person's: it may be asked again
    let again = invite().expect(201).await.id();
    assert_ne!(again, asked);
    // and somebody who applied meanwhile is in with a yes
    let applied = c.t.crew(&c.people[0], &c.claim, json!({"role_id": role}));
    applied.expect(201).await;
    c.t.reply(&c.people[0], &again, "accept").expect(200).await;
    let crew =
        c.t.server
            .get("/me/crews")
            .by(&c.people[0])
            .expect(200)
            .await;
    assert_eq!(items(&crew)[0]["status"], "active");
    assert_eq!(items(&crew).len(), 1);
}

#[actix_web::test]
async fn a_need_that_is_withdrawn_asks_nobody_any_more() {
    let t = town().await;
    let people = t.volunteers(1).await;
    let (wish, resident) = t.wish_of("示例·一台收音机").await;
    let path = format!("/needs/wish/{wish}/recruitments");
    let begun = t.server.post(&path).by(&t.street_admin).json(json!({}));
    let id = begun.expect(201).await.id();
    let asked = ids(&t.mine(&people[0]).await)[0].clone();
    let withdraw = t.server.post(&format!("/wishes/{wish}/withdraw"));
    let withdraw = withdraw.by(&resident).json(json!({"reason": "不需要了"}));
    withdraw.expect(200).await;
    // before the worker says so
    let late = t.reply(&people[0], &asked, "accept");
    late.refused(409, "need_closed").await;
    t.server.work().await;
    assert_eq!(t.stands(&people[0], &asked).await, "closed");
    let ended = t.recruitment(&t.street_admin, &id).await;
    assert_eq!(ended["status"], "need_closed");
    let list = format!("/needs/wish/{wish}/invitations?status=closed");
    let closed = t.server.get(&list).by(&t.street_admin).expect(200).await;
    assert_eq!(items(&closed).len(), 1, "and can be read on");
}

#[actix_web::test]
async fn a_suspended_project_waits() {
    let c = crew(2, 3).await;
    let begun =
        c.t.recruit(&c.leader, &c.claim, &c.role, json!({"size": 1}));
    let id = begun.expect(201).await.id();
    let project = c.t.server.get(&format!("/project-claims/{}", c.claim));
    let project = project.by(&c.leader).expect(200).await.json["project_id"].clone();
    let project = project.as_str().unwrap();
    let plan = json!({"plan": "每周六上午。"});
    c.t.claim_act(&c.leader, &c.claim, "plan", plan)
        .expect(200)
        .await;
    c.t.claim_act(&c.leader, &c.claim, "start", json!({}))
        .expect(200)
        .await;
    let suspend = c.t.project_act(&c.t.street_admin, project, "suspend");
    suspend.json(json!({"reason": "台风"})).expect(200).await;
    let asked = ids(&c.t.mine(&c.people[0]).await);
    c.t.reply(&c.people[0], &asked[0], "accept")
        .refused(409, "project_suspended")
        .await;
    assert_eq!(c.t.stands(&c.people[0], &asked[0]).await, "open");
    c.t.reply(&c.people[0], &asked[0], "decline")
        .expect(200)
        .await;
    c.t.server.work().await;
    assert!(c.t.mine(&c.people[1]).await.is_empty());
    assert_eq!(c.t.recruitment(&c.leader, &id).await["status"], "running");
    let resume = c.t.project_act(&c.t.street_admin, project, "resume");
    resume.expect(200).await;
    c.t.server.work().await;
    assert_eq!(c.t.mine(&c.people[1]).await.len(), 1);
}

/// Whoever knows an account learns nothing of how it is matched by inviting it, and cannot find it among
/// the candidates; and who withdraws the consent is matched before nobody's eyes any more.
#[actix_web::test]
async fn inviting_an_account_says_nothing_of_its_profile() {
    let c = crew(2, 2).await;
    let role = json!(c.role);
    let known = c.t.invite(&c.leader, &c.claim, &role, &c.people[0]);
    let known = known.expect(201).await.json;
    assert_eq!(known["account_id"], json!(c.people[0].id));
    for absent in ["pseudonym", "name", "score", "factors"] {
        assert_eq!(known[absent], Value::Null, "{absent}: {known:#}");
    }
    let list = format!("/needs/project_role/{}/candidates", c.role);
    let called = items(&c.t.server.get(&list).by(&c.leader).expect(200).await);
    let called = called[0]["pseudonym"].as_str().unwrap().to_owned();
    let invite = c.t.server.post(&format!("{list}/{called}/invite"));
    let invite = invite.by(&c.leader).json(json!({"claim_id": c.claim}));
    let candidate = invite.expect(201).await.json;
    assert_eq!(candidate["pseudonym"], json!(called));
    assert_eq!(candidate["factors"].as_array().unwrap().len(), 5);
    let withdraw =
        c.t.server
            .call(Method::DELETE, "/me/consents/personalization");
    withdraw.by(&c.people[1]).expect(204).await;
    let invited = format!("/needs/project_role/{}/invitations", c.role);
    let shown = items(&c.t.server.get(&invited).by(&c.leader).expect(200).await);
    assert_eq!(shown.len(), 2);
    assert!(
        shown.iter().all(|one| one["factors"] == Value::Null),
        "{shown:#?}"
    );
    assert!(shown.iter().all(|one| one["name"] == Value::Null));
}

/// Rights are looked up each time: who lost the role reads, asks and stops nothing any more.
#[actix_web::test]
async fn who_lost_the_role_asks_no_more() {
    let t = town().await;
    let people = t.volunteers(2).await;
    let wish = t.wish("示例·一台收音机").await;
    let body =
        |who: &User| json!({"account_id": who.id, "role": "grid_worker", "scope_id": t.grid});
    let worker = t.server.person("示例·网格员").await;
    let grant = t.server.post("/role-grants").by(&t.street_admin);
    let grant = grant.json(body(&worker)).expect(201).await.id();
    let path = format!("/needs/wish/{wish}/recruitments");
    let begun = t.server.post(&path).by(&worker).json(json!({"size": 1}));
    let id = begun.expect(201).await.id();
    let asked = ids(&t.mine(&people[0]).await);
    let path = format!("/role-grants/{grant}");
    let revoke = t.server.call(Method::DELETE, &path).by(&t.street_admin);
    revoke.expect(204).await;
    let read = t.server.get(&format!("/recruitments/{id}")).by(&worker);
    read.refused(404, "not_found").await;
    let cancel = t.server.post(&format!("/invitations/{}/cancel", asked[0]));
    let cancel = cancel.by(&worker).json(json!({"reason": "改期"}));
    cancel.refused(404, "not_found").await;
    t.reply(&people[0], &asked[0], "decline").expect(200).await;
    t.server.work().await;
    assert!(t.mine(&people[1]).await.is_empty(), "no wave in its name");
    let ended = t.recruitment(&t.street_admin, &id).await;
    assert_eq!(ended["status"], "stopped", "{ended:#}");
    assert!(ended["reason"].is_string());
}

/// A mail that waits for the end of quiet hours is not sent once nothing can be answered any more.
#[actix_web::test]
async fn no_mail_comes_after_the_invitation_is_over() {
    let c = crew(1, 2).await;
    c.t.has_mail(&c.people[0], "quiet@example.org").await;
    c.t.has_mail(&c.people[1], "awake@example.org").await;
    // it is ten o'clock; quiet until one
    let quiet = json!({"preferences": [], "quiet_hours": {"from_minute": 540, "to_minute": 780}});
    let set = c.t.server.call(Method::PUT, "/me/notification-settings");
    set.by(&c.people[0]).json(quiet).expect(200).await;
    let how = json!({"size": 2, "hours": 1});
    let begun = c.t.recruit(&c.leader, &c.claim, &c.role, how).expect(201);
    assert_eq!(begun.await.json["invitations"]["open"], 2);
    c.t.server.work().await;
    assert_eq!(c.t.server.mails("awake@example.org").len(), 1);
    c.t.server.pass(TimeDelta::hours(4)).await;
    c.t.server.work().await;
    let mails = c.t.server.mails("quiet@example.org");
    let asks = |mail: &String| mail.contains("/invitation-links/");
    assert!(!mails.iter().any(asks), "{mails:?}");
    let person = c.t.server.again(&c.people[0]).await;
    assert_eq!(c.t.mine(&person).await.len(), 1, "the inbox has it");
}

#[actix_web::test]
async fn who_is_gone_is_asked_nothing_more() {
    let c = crew(1, 2).await;
    c.t.has_mail(&c.people[0], "gone@example.org").await;
    let begun =
        c.t.recruit(&c.leader, &c.claim, &c.role, json!({"size": 1}));
    let id = begun.expect(201).await.id();
    c.t.server.work().await;
    let link = c.t.link("gone@example.org");
    let gone = c.people[0].id;
    c.t.server
        .write(move |tx| {
            use diesel::prelude::*;
            use yiqilai::schema::accounts::dsl::{accounts, status};
            diesel::update(accounts.find(gone))
                .set(status.eq(yiqilai::identity::AccountStatus::Deleted))
                .execute(tx.conn)?;
            tx.journal(Change::new(Actor::System, "account.delete", gone.0))
        })
        .await;
    c.t.server.get(&link).refused(404, "link_invalid").await;
    let yes = c.t.server.post(&link).json(json!({"answer": "accept"}));
    yes.refused(404, "link_invalid").await;
    c.t.server.work().await;
    let shown = c.t.recruitment(&c.leader, &id).await;
    assert_eq!(shown["invitations"]["closed"], 1, "{shown:#}");
    assert_eq!(c.t.mine(&c.people[1]).await.len(), 1, "the next is asked");
}

#[actix_web::test]
async fn the_link_in_the_mail_answers_once_and_opening_it_answers_nothing() {
    let c = crew(2, 4).await;
    let addresses = [
        "a@example.org",
        "b@example.org",
        "c@example.org",
        "d@example.org",
    ];
    for (who, address) in c.people.iter().zip(addresses) {
        c.t.has_mail(who, address).await;
    }
    let begun = c.t.recruit(
        &c.leader,
        &c.claim,
        &c.role,
        json!({"size": 4, "hours": 24}),
    );
    let id = begun.expect(201).await.id();
    c.t.server.work().await;
    for address in addresses {
        assert_eq!(c.t.server.mails(address).len(), 1, "one mail");
    }
    let inbox = c.t.server.get("/me/notifications").by(&c.people[0]);
    let inbox = inbox.expect(200).await;
    assert_eq!(items(&inbox)[0]["kind"], "invited");
    assert!(!inbox.json.to_string().contains("invitation-links"));

    // scanners and browsers open it, again and again
    let link = c.t.link(addresses[0]);
    let page = |path: &str| c.t.server.get(path).header("accept", "text/html");
    for _ in 0..3 {
        let shown = c.t.server.get(&link).expect(200).await;
        assert_eq!(shown.json["status"], "open");
        assert_eq!(shown.json["organizer"], "示例·甲队");
        let html = page(&link).expect(200).await;
        let policy = html.header("content-security-policy").unwrap().to_owned();
        assert!(policy.contains("default-src 'none'") && !policy.contains("script"));
        let html = String::from_utf8(html.bytes).unwrap();
        assert!(html.contains("Accept") && html.contains("Not interested"));
        assert!(!html.contains("<script"));
    }
    let shown = c.t.recruitment(&c.leader, &id).await;
    assert_eq!(shown["invitations"]["open"], 4, "nothing is answered");
    let zh = page(&link)
        .header("accept-language", "zh-CN")
        .expect(200)
        .await;
    assert!(String::from_utf8(zh.bytes).unwrap().contains("接受"));

    // a yes in the browser, once
    let answer = |link: &str, answer: &str| {
        let form = [("answer", answer), ("reason", "")];
        c.t.server.post(link).form(&form)
    };
    let done = answer(&link, "accept").send().await;
    assert!(
        done.status == 303 || done.status == 200,
        "sent on to the page: {}",
        done.status
    );
    let active =
        c.t.server
            .get("/me/crews")
            .by(&c.people[0])
            .expect(200)
            .await;
    assert_eq!(items(&active)[0]["status"], "active");
    let html = page(&link).expect(200).await;
    let html = String::from_utf8(html.bytes).unwrap();
    assert!(html.contains("You said yes") && !html.contains("<form"));
    for second in ["accept", "decline", "block"] {
        let again = c.t.server.post(&link).json(json!({"answer": second}));
        again.refused(409, "link_used").await;
        assert_eq!(answer(&link, second).send().await.status, 409);
    }

    // the other answers
    let second = c.t.link(addresses[1]);
    let no = c.t.server.post(&second);
    let no = no.json(json!({"answer": "decline", "reason": "出差"}));
    assert_eq!(no.expect(200).await.json["status"], "declined");
    let seen = c.t.invited_by(&c.leader, &id).await;
    assert!(seen.iter().any(|one| one["reason"] == "出差"));
    let third = c.t.link(addresses[2]);
    let no = c.t.server.post(&third).json(json!({"answer": "block"}));
    no.expect(200).await;
    let blocks = c.t.server.get("/me/invitation-blocks").by(&c.people[2]);
    assert_eq!(items(&blocks.expect(200).await)[0]["name"], "示例·甲队");

    // forged, of another purpose, and too late: each with a page of its own
    let fourth = c.t.link(addresses[3]);
    let forged = format!("{}A", &fourth[..fourth.len() - 1]);
    for bad in [forged.as_str(), "/invitation-links/forged.token"] {
        if bad == fourth {
            continue;
        }
        c.t.server.get(bad).refused(404, "link_invalid").await;
        let html = page(bad).send().await;
        assert_eq!(html.status, 404);
        let html = String::from_utf8(html.bytes).unwrap();
        assert!(html.contains("not valid"));
        let yes = c.t.server.post(bad).json(json!({"answer": "accept"}));
        yes.refused(404, "link_invalid").await;
    }
    c.t.server.app.platform.clock.advance(TimeDelta::hours(24));
    let yes = c.t.server.post(&fourth).json(json!({"answer": "accept"}));
    yes.refused(409, "invitation_expired").await;
    let html = page(&fourth).expect(200).await;
    let html = String::from_utf8(html.bytes).unwrap();
    assert!(html.contains("expired") && !html.contains("<form"));
    let late = answer(&fourth, "accept").send().await;
    assert_eq!(late.status, 409);
    let wrong = answer(&fourth, "perhaps").send().await;
    assert_eq!(wrong.status, 400);

    // no token in the figures
    let figures = c.t.server.get("/metrics").expect(200).await;
    let figures = String::from_utf8(figures.bytes).unwrap();
    let token = link.strip_prefix("/invitation-links/").unwrap();
    assert!(figures.contains("/invitation-links/{token}"));
    assert!(!figures.contains(token));
}

#[actix_web::test]
async fn invitations_that_ended_long_ago_are_forgotten() {
    let c = crew(1, 2).await;
    let role = json!(c.role);
    let asked = c.t.invite(&c.leader, &c.claim, &role, &c.people[0]);
    let asked = asked.expect(201).await.id();
    c.t.reply(&c.people[0], &asked, "decline").expect(200).await;
    c.t.server.pass(TimeDelta::days(364)).await;
    let person = c.t.server.again(&c.people[0]).await;
    assert_eq!(c.t.mine(&person).await.len(), 1);
    c.t.server.pass(TimeDelta::days(2)).await;
    let person = c.t.server.again(&c.people[0]).await;
    assert!(c.t.mine(&person).await.is_empty());
}
