//! Crews: what an invitation tells, who sees whom, and work with minors.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Call, User};
use crate::organizations::{Town, town};
use crate::projects::volunteer;

impl Town {
    pub fn crew(&self, by: &User, claim: &str, body: Value) -> Call<'_> {
        self.server
            .post(&format!("/project-claims/{claim}/crew"))
            .by(by)
            .json(body)
    }

    pub fn place_act(&self, by: &User, place: &str, verb: &str) -> Call<'_> {
        self.server
            .post(&format!("/crew-members/{place}/{verb}"))
            .by(by)
            .json(json!({}))
    }

    /// Invites somebody into a crew by the account.
    pub fn invite(&self, by: &User, claim: &str, role: &Value, who: &User) -> Call<'_> {
        let path = format!("/needs/project_role/{}/invitations", role.as_str().unwrap());
        let body = json!({"claim_id": claim, "account_id": who.id});
        self.server.post(&path).by(by).json(body)
    }

    /// Answers an invitation.
    pub fn reply(&self, who: &User, invitation: &str, answer: &str) -> Call<'_> {
        let path = format!("/me/need-invitations/{invitation}/{answer}");
        self.server.post(&path).by(who).json(json!({}))
    }

    pub async fn role(&self, project: &str, n: usize) -> Value {
        let shown = self.server.get(&format!("/projects/{project}"));
        shown.expect(200).await.json["roles"][n]["id"].clone()
    }

    pub async fn born(&self, birth_date: &str) -> User {
        let user = self.server.person("示例·志愿者").await;
        let profile = json!({
            "region_id": self.grid, "introduction": "", "birth_date": birth_date, "skills": [],
            "interests": [], "availability": [], "places": [],
        });
        self.server
            .call(Method::PUT, "/me/volunteer")
            .by(&user)
            .json(profile)
            .expect(200)
            .await;
        user
    }

    pub async fn vet(&self, person: &User) {
        self.vet_until(person, Value::Null).await;
    }

    async fn vet_until(&self, person: &User, last: Value) {
        self.certified(person, "minors_vetting", last).await;
    }

    /// Has a certificate verified, with a number of its own; returns its id.
    pub async fn certified(&self, person: &User, kind: &str, last: Value) -> String {
        let number = uuid::Uuid::now_v7().simple().to_string();
        let body = json!({
            "kind": kind, "number": number, "issued_on": "2026-01-01", "expires_on": last,
        });
        let submitted = self
            .server
            .post("/me/qualifications")
            .by(person)
            .json(body)
            .expect(201)
            .await
            .id();
        self.server
            .post(&format!("/qualifications/{submitted}/verify"))
            .by(&self.street_admin)
            .json(json!({}))
            .expect(200)
            .await;
        submitted
    }

    /// What somebody was told, the newest first.
    pub async fn notices(&self, who: &User) -> Vec<Value> {
        let inbox = self.server.get("/me/notifications?limit=100").by(who);
        let inbox = inbox.expect(200).await.json;
        inbox["items"].as_array().unwrap().clone()
    }

    /// How often somebody was told something.
    pub async fn told(&self, who: &User, kind: &str) -> usize {
        let notices = self.notices(who).await;
        notices
            .iter()
            .filter(|notice| notice["kind"] == kind)
            .count()
    }

    async fn invitations(&self, by: &User, role: &Value) -> Vec<Value> {
        let path = format!("/needs/project_role/{}/invitations", role.as_str().unwrap());
        let found = self.server.get(&path).by(by).expect(200).await;
        found.json["items"].as_array().unwrap().clone()
    }

    async fn members(&self, by: &User, claim: &str, status: &str) -> Vec<Value> {
        let path = format!("/project-claims/{claim}/crew?status={status}");
        let found = self.server.get(&path).by(by).expect(200).await;
        found.json["items"].as_array().unwrap().clone()
    }
}

fn named(place: &Value) -> (bool, bool) {
    (place["name"].is_string(), place["pseudonym"].is_string())
}

/// A candidate that was invited by its pseudonym.
const ASKED: (bool, bool) = (false, true);
/// An account that was invited: it is known, and says nothing more.
const KNOWN: (bool, bool) = (false, false);
const CAME: (bool, bool) = (true, false);

/// Whoever asks and takes it back, again and again, fills an inbox, not a mailbox.
#[actix_web::test]
async fn the_leader_of_a_crew_is_not_flooded_with_mails() {
    let t = town().await;
    let (a, leader) = t.active("示例·甲队").await;
    let mailbox = "leader@example.org";
    let confirm = t.server.move_to(&leader, "email", mailbox, &leader.phone);
    confirm.await.expect(204).await;
    let id = t.open_project(json!({})).await;
    let claim = t.claim(&leader, &id, Some(&a)).expect(201).await.id();
    let role = t.role(&id, 0).await;
    let person = volunteer(&t.server, t.grid).await;
    let apply_and_leave = async || {
        let place = t.crew(&person, &claim, json!({ "role_id": role }));
        let place = place.expect(201).await.id();
        t.place_act(&person, &place, "leave").expect(200).await;
    };
    let told = async || {
        t.server.work().await;
        let mails = t.server.mails(mailbox);
        let of_crew = ["to join the crew", "was taken back"];
        let is_told = |mail: &&String| of_crew.iter().any(|words| mail.contains(words));
        mails.iter().filter(is_told).count()
    };
    for _ in 0..4 {
        apply_and_leave().await;
    }
    assert_eq!(told().await, 2, "one for asking, one for taking it back");
    assert_eq!(t.told(&leader, "crew_applied").await, 4);
    assert_eq!(t.told(&leader, "crew_withdrawn").await, 4);
    t.server.pass(TimeDelta::minutes(61)).await;
    let person = t.server.again(&person).await;
    let place = t.crew(&person, &claim, json!({ "role_id": role }));
    place.expect(201).await;
    assert_eq!(told().await, 3, "an hour later");
}

#[actix_web::test]
async fn an_invitation_tells_the_inviter_nothing_about_the_person() {
    let t = town().await;
    let (a, leader) = t.active("示例·甲队").await;
    for change in [
        json!({"party_only": true}),
        json!({"minors": true}),
        json!({"roles": [{"name": "导师", "seats": 3, "qualification": "teacher"}]}),
    ] {
        let id = t.open_project(change.clone()).await;
        let claim = t.claim(&leader, &id, Some(&a)).expect(201).await.id();
        let role = t.role(&id, 0).await;
        let bare = t.server.person("示例·无资料").await;
        let other = volunteer(&t.server, t.grid).await;
        let mut ids = Vec::new();
        for who in [&bare, &other] {
            let invited = t.invite(&leader, &claim, &role, who).expect(201).await;
            assert_eq!(named(&invited.json), KNOWN, "{:#}", invited.json);
            assert_eq!(invited.json["account_id"], json!(who.id));
            ids.push(invited.id());
        }
        let asked = t.invitations(&leader, &role).await;
        assert!(asked.iter().all(|asked| named(asked) == KNOWN));
        let nobody = User {
            id: yiqilai::identity::AccountId(uuid::Uuid::nil()),
            ..bare.clone()
        };
        t.invite(&leader, &claim, &role, &nobody)
            .refused(422, "invalid")
            .await;
        // the person learns what is missing
        t.reply(&bare, &ids[0], "accept")
            .refused(409, "profile_required")
            .await;
        let refused = t.reply(&other, &ids[1], "accept").send().await;
        let code = refused.json["code"].as_str().unwrap().to_owned();
        let codes = ["party_only", "vetting_missing", "qualification_missing"];
        assert!(codes.contains(&code.as_str()), "{code} for {change}");
        t.claim_act(&leader, &claim, "withdraw", json!({"reason": "改期"}))
            .expect(200)
            .await;
        t.server.work().await;
        for (who, id) in [&bare, &other].into_iter().zip(&ids) {
            let path = format!("/me/need-invitations/{id}");
            let own = t.server.get(&path).by(who).expect(200).await;
            assert_eq!(own.json["status"], "closed", "nobody is wanted any more");
            assert_eq!(t.told(who, "invitation_closed").await, 1);
        }
    }

    let id = t.open_project(json!({})).await;
    let claim = t.claim(&leader, &id, Some(&a)).expect(201).await.id();
    let role = t.role(&id, 0).await;
    let (ann, ben) = (
        volunteer(&t.server, t.grid).await,
        volunteer(&t.server, t.grid).await,
    );
    let asked = t
        .invite(&leader, &claim, &role, &ann)
        .expect(201)
        .await
        .id();
    t.reply(&ann, &asked, "decline")
        .json(json!({"reason": "没有时间"}))
        .expect(200)
        .await;
    let refused = t.invitations(&leader, &role).await;
    assert_eq!(refused[0]["status"], "declined");
    assert_eq!(named(&refused[0]), KNOWN, "declined, and never named");
    let asked = t
        .invite(&leader, &claim, &role, &ben)
        .expect(201)
        .await
        .id();
    t.reply(&ben, &asked, "accept").expect(200).await;
    let accepted = t.invitations(&leader, &role).await;
    assert_eq!(named(&accepted[0]), CAME);
    let active = t.members(&leader, &claim, "active").await;
    assert_eq!(active[0]["account_id"], json!(ben.id));
}

#[actix_web::test]
async fn a_member_sees_those_at_work_and_the_leader_everybody() {
    let t = town().await;
    let (a, leader) = t.active("示例·甲队").await;
    let id = t.open_project(json!({})).await;
    let claim = t.claim(&leader, &id, Some(&a)).expect(201).await.id();
    let role = t.role(&id, 0).await;
    let (ann, ben, cai) = (
        volunteer(&t.server, t.grid).await,
        volunteer(&t.server, t.grid).await,
        volunteer(&t.server, t.grid).await,
    );
    let mut places = Vec::new();
    for who in [&ann, &ben, &cai] {
        let body = json!({"role_id": role, "note": "我的说明"});
        places.push(t.crew(who, &claim, body).expect(201).await.id());
    }
    for place in &places[1..] {
        t.place_act(&leader, place, "accept").expect(200).await;
    }
    let count = |rows: Vec<Value>| rows.len();
    assert_eq!(count(t.members(&ben, &claim, "applied").await), 0);
    assert_eq!(count(t.members(&leader, &claim, "applied").await), 1);
    t.place_act(&leader, &places[0], "decline")
        .json(json!({"reason": "不合适"}))
        .expect(200)
        .await;
    assert_eq!(count(t.members(&ben, &claim, "declined").await), 0);
    assert_eq!(
        count(t.members(&t.street_admin, &claim, "declined").await),
        0
    );
    let declined = t.members(&leader, &claim, "declined").await;
    assert_eq!(declined[0]["note"], "我的说明");
    let seen = t.members(&ben, &claim, "active").await;
    assert_eq!(seen.len(), 2);
    for place in seen {
        let is_own = place["account_id"] == json!(ben.id);
        assert_eq!(place["note"].is_string(), is_own, "{place:#}");
    }
}

#[actix_web::test]
async fn work_with_minors_needs_vetted_adults_and_two_of_them() {
    let t = town().await;
    let id = t
        .open_project(json!({"minors": true, "allows_person": true}))
        .await;
    let single = t.born("1990-01-01").await;
    t.claim(&single, &id, None)
        .refused(403, "vetting_missing")
        .await;
    t.vet(&single).await;
    let claim = t.claim(&single, &id, None).expect(201).await.id();
    t.claim_act(&single, &claim, "plan", json!({"plan": "每周六上午。"}))
        .expect(200)
        .await;
    let start = || t.claim_act(&single, &claim, "start", json!({}));
    start().refused(409, "adults_missing").await;
    let role = t.role(&id, 0).await;
    let join = |who: &User| {
        let body = json!({ "role_id": role });
        t.crew(who, &claim, body)
    };
    // 17 on the day, and 18
    let young = t.born("2008-11-24").await;
    t.vet(&young).await;
    join(&young).refused(403, "age").await;
    let grown = t.born("2008-11-23").await;
    t.vet(&grown).await;
    let ageless = volunteer(&t.server, t.grid).await;
    t.vet(&ageless).await;
    for who in [&grown, &ageless] {
        let place = join(who).expect(201).await.id();
        t.place_act(&single, &place, "accept").expect(200).await;
    }
    start().refused(409, "adults_missing").await;
    let helper = t.role(&id, 1).await;
    let second = t.born("1980-05-05").await;
    t.vet(&second).await;
    let place = t.crew(&second, &claim, json!({ "role_id": helper }));
    let place = place.expect(201).await.id();
    t.place_act(&single, &place, "accept").expect(200).await;
    start().expect(200).await;
}

#[actix_web::test]
async fn children_are_in_no_crew_and_the_young_not_in_dangerous_work() {
    let t = town().await;
    let (a, leader) = t.active("示例·甲队").await;
    // no child has a profile; one written before that rule takes it nowhere either
    let child = t.born("2010-01-01").await;
    let id = child.id;
    t.server
        .write(move |tx| {
            use diesel::prelude::*;
            use yiqilai::schema::volunteers::dsl::{birth_date, volunteers};
            let day: chrono::NaiveDate = "2016-01-01".parse().unwrap();
            diesel::update(volunteers.find(id))
                .set(birth_date.eq(Some(day)))
                .execute(tx.conn)?;
            Ok(())
        })
        .await;
    let young = t.born("2010-01-01").await;
    let calm = t.open_project(json!({})).await;
    let dangerous = t
        .open_project(json!({
            "dangerous": true, "insurance_policy": "示例1", "insurance_from": "2026-12-01",
            "insurance_until": "2027-06-30",
        }))
        .await;
    let mut joined = Vec::new();
    for (project, may_young) in [(&calm, true), (&dangerous, false)] {
        let claim = t.claim(&leader, project, Some(&a)).expect(201).await.id();
        let body = json!({"role_id": t.role(project, 0).await});
        t.crew(&child, &claim, body.clone())
            .refused(403, "age")
            .await;
        let answer: Answer = t.crew(&young, &claim, body).send().await;
        joined.push((answer.status == 201, may_young));
        // asked, the child is told as it accepts
        let role = t.role(project, 0).await;
        let asked = t.invite(&leader, &claim, &role, &child).expect(201).await;
        t.reply(&child, &asked.id(), "accept")
            .refused(403, "age")
            .await;
    }
    assert_eq!(joined, [(true, true), (false, false)]);
}

#[actix_web::test]
async fn a_leader_is_not_told_what_an_applicant_came_to_lack() {
    let t = town().await;
    let (a, leader) = t.active("示例·甲队").await;
    let id = t
        .open_project(json!({
            "dangerous": true, "insurance_policy": "示例1", "insurance_from": "2026-12-01",
            "insurance_until": "2027-06-30",
        }))
        .await;
    let claim = t.claim(&leader, &id, Some(&a)).expect(201).await.id();
    let person = t.born("1990-01-01").await;
    let body = json!({"role_id": t.role(&id, 0).await});
    let place = t.crew(&person, &claim, body).expect(201).await.id();
    let seen = t.server.get("/me/volunteer").by(&person).expect(200).await;
    let etag = seen.header("etag").unwrap().to_owned();
    let profile = json!({
        "region_id": t.grid, "introduction": "", "birth_date": "2012-01-01", "skills": [],
        "interests": [], "availability": [], "places": [],
    });
    let call = t.server.call(Method::PUT, "/me/volunteer").by(&person);
    call.header("if-match", &etag)
        .json(profile)
        .expect(200)
        .await;
    t.place_act(&leader, &place, "accept")
        .refused(409, "not_available")
        .await;
}

#[actix_web::test]
async fn a_candidate_is_invited_by_its_pseudonym_and_named_once_it_accepts() {
    let t = town().await;
    let (a, leader) = t.active("示例·甲队").await;
    let id = t.open_project(json!({})).await;
    let claim = t.claim(&leader, &id, Some(&a)).expect(201).await.id();
    let role = t.role(&id, 1).await;
    let role = role.as_str().unwrap();
    let person = t.matched(json!([]), 121.851).await;
    t.matched(json!([]), 121.88).await;
    let list = format!("/needs/project_role/{role}/candidates");
    let found = t.server.get(&list).by(&leader).expect(200).await;
    let called = found.json["items"][0]["pseudonym"].as_str().unwrap();
    let invite = |by: &User, called: &str, claim: &str| {
        let call = t.server.post(&format!("{list}/{called}/invite"));
        call.by(by).json(json!({"claim_id": claim, "note": "欢迎"}))
    };
    invite(&person, called, &claim)
        .refused(403, "forbidden")
        .await;
    // the publisher looks for people, too, but leads no crew
    invite(&t.street_admin, called, &claim)
        .refused(403, "forbidden")
        .await;
    invite(&leader, "0123456789abcdef", &claim)
        .refused(404, "not_found")
        .await;
    let invited = invite(&leader, called, &claim).expect(201).await;
    assert_eq!(invited.json["status"], "open");
    assert_eq!(invited.json["pseudonym"], json!(called));
    assert_eq!(named(&invited.json), ASKED);
    assert!(!invited.json.to_string().contains(&person.id.to_string()));
    assert_eq!(
        invite(&leader, called, &claim).expect(201).await.id(),
        invited.id()
    );
    let left = t.server.get(&list).by(&leader).expect(200).await;
    assert_eq!(left.json["items"].as_array().unwrap().len(), 1);

    let mine = t.server.get("/me/need-invitations").by(&person);
    let mine = mine.expect(200).await;
    assert_eq!(mine.json["items"][0]["id"], invited.json["id"]);
    assert_eq!(mine.json["items"][0]["note"], "欢迎");
    t.reply(&person, &invited.id(), "accept").expect(200).await;
    let active = t.members(&leader, &claim, "active").await;
    assert_eq!(active[0]["account_id"], json!(person.id));
    let asked = &t.invitations(&leader, &json!(role)).await[0];
    assert_eq!(named(asked), CAME);
    assert_eq!(asked["account_id"], json!(person.id));
}

/// Nobody is sent away for it, but nobody is left in the dark: the person, who leads the crew, and both in
/// the list.
#[actix_web::test]
async fn a_crew_hears_that_a_qualification_has_ended() {
    let t = town().await;
    let (a, leader) = t.active("示例·甲队").await;
    let asking = json!({
        "starts_on": "2026-11-24", "ends_on": "2027-01-31",
        "roles": [{"name": "导师", "seats": 3, "qualification": "teacher"}, {"name": "助理", "seats": 3}],
    });
    let id = t.open_project(asking).await;
    let claim = t.claim(&leader, &id, Some(&a)).expect(201).await.id();
    let (mentor, assistant) = (t.role(&id, 0).await, t.role(&id, 1).await);
    let join = async |role: &Value, last: Value| {
        let person = volunteer(&t.server, t.grid).await;
        let certificate = t.certified(&person, "teacher", last).await;
        let place = t.crew(&person, &claim, json!({ "role_id": role }));
        let place = place.expect(201).await.id();
        t.place_act(&leader, &place, "accept").expect(200).await;
        (person, certificate)
    };
    let (first, revoked) = join(&mentor, Value::Null).await;
    let (second, _) = join(&mentor, json!("2026-12-03")).await;
    let (third, spare) = join(&mentor, Value::Null).await;
    t.certified(&third, "teacher", Value::Null).await;
    let (fourth, unneeded) = join(&assistant, Value::Null).await;
    let flagged = async |reader: &User| -> Vec<String> {
        let members = t.members(reader, &claim, "active").await;
        let lacking = members
            .iter()
            .filter(|member| member["flags"] == json!(["qualification_missing"]));
        let lacking: Vec<_> = lacking
            .map(|m| m["account_id"].as_str().unwrap().to_owned())
            .collect();
        let others = members
            .iter()
            .filter(|member| member["flags"] == json!([]))
            .count();
        assert_eq!(lacking.len() + others, members.len(), "{members:?}");
        lacking
    };
    assert!(flagged(&leader).await.is_empty());

    for certificate in [&revoked, &spare, &unneeded] {
        let path = format!("/qualifications/{certificate}/revoke");
        let revoke = t.server.post(&path).by(&t.street_admin);
        revoke.json(json!({"reason": "有误"})).expect(200).await;
    }
    t.server.work().await;
    let (own, of_crew) = ("place_qualification_ended", "crew_qualification_ended");
    assert_eq!(t.told(&first, own).await, 1);
    assert_eq!(t.told(&leader, of_crew).await, 1);
    for other in [&second, &third, &fourth] {
        assert_eq!(t.told(other, own).await, 0, "what they need, they have");
    }
    assert_eq!(flagged(&leader).await, [first.id.to_string()]);
    assert_eq!(flagged(&first).await, [first.id.to_string()]);
    assert!(
        flagged(&second).await.is_empty(),
        "of others one reads nothing"
    );
    let inbox = t.notices(&leader).await;
    let text = inbox[0]["text"].as_str().unwrap();
    assert!(text.contains("导师") && text.contains("Teacher"), "{text}");

    // who has it again is flagged no more
    t.certified(&first, "teacher", Value::Null).await;
    assert!(flagged(&leader).await.is_empty());

    // the last day is over: found by the clock
    t.server.pass(TimeDelta::days(11)).await;
    let (second, leader) = (t.server.again(&second).await, t.server.again(&leader).await);
    t.server.work().await;
    assert_eq!(t.told(&second, own).await, 1);
    assert_eq!(t.told(&leader, of_crew).await, 2);
    assert_eq!(flagged(&leader).await, [second.id.to_string()]);
    let mine = t.server.get("/me/crews").by(&second).expect(200).await.json;
    assert_eq!(mine["items"][0]["flags"], json!(["qualification_missing"]));
}

#[actix_web::test]
async fn work_at_the_same_hours_is_taken_on_once() {
    let t = town().await;
    let (a, leader) = t.active("示例·甲队").await;
    let at = |from: i32, to: i32| {
        json!({"roles": [{"name": "志愿者", "seats": 3, "hours": [
            {"weekday": 6, "from_minute": from, "to_minute": to}]}]})
    };
    // all of Saturday morning, from half past ten on, and the hour after
    let mut crews = Vec::new();
    for change in [at(540, 660), at(630, 690), at(660, 720)] {
        let id = t.open_project(change).await;
        let claim = t.claim(&leader, &id, Some(&a)).expect(201).await.id();
        crews.push((claim, t.role(&id, 0).await));
    }
    let person = volunteer(&t.server, t.grid).await;
    let apply = |n: usize| {
        let (claim, role): &(String, Value) = &crews[n];
        t.crew(&person, claim, json!({ "role_id": role }))
    };
    // asked while nothing stood in the way
    let late = apply(1).expect(201).await.id();
    let first = apply(0).expect(201).await.id();
    t.place_act(&leader, &first, "accept").expect(200).await;
    t.place_act(&leader, &late, "accept")
        .refused(409, "not_available")
        .await;
    t.place_act(&person, &late, "leave").expect(200).await;
    apply(1).refused(409, "time_conflict").await;
    let codes = t.failed(&person, &crews[1].1).await;
    assert!(codes.contains(&"time_conflict".to_owned()), "{codes:?}");
    let codes = t.failed(&person, &crews[2].1).await;
    assert!(!codes.contains(&"time_conflict".to_owned()), "{codes:?}");
    let (claim, role) = &crews[1];
    let asked = t
        .invite(&leader, claim, role, &person)
        .expect(201)
        .await
        .id();
    t.reply(&person, &asked, "accept")
        .refused(409, "time_conflict")
        .await;
    let next = apply(2).expect(201).await.id();
    t.place_act(&leader, &next, "accept").expect(200).await;
    // what is over stands in nobody's way
    t.place_act(&person, &first, "leave").expect(200).await;
    t.place_act(&person, &next, "leave").expect(200).await;
    t.reply(&person, &asked, "accept").expect(200).await;
}

#[actix_web::test]
async fn a_vetting_that_ends_before_the_work_begins_is_none_for_it() {
    let t = town().await;
    let (a, leader) = t.active("示例·甲队").await;
    let id = t.open_project(json!({"minors": true})).await;
    let claim = t.claim(&leader, &id, Some(&a)).expect(201).await.id();
    let role = t.role(&id, 1).await;
    for (last, holds) in [("2026-11-30", false), ("2026-12-01", true)] {
        let person = t.matched(json!([]), 121.851).await;
        t.vet_until(&person, json!(last)).await;
        let joined = t.crew(&person, &claim, json!({ "role_id": role }));
        let codes = t.failed(&person, &role).await;
        if holds {
            assert!(codes.is_empty(), "{codes:?}");
            joined.expect(201).await;
        } else {
            assert_eq!(codes, ["vetting_missing"]);
            joined.refused(403, "vetting_missing").await;
        }
    }
}

#[actix_web::test]
async fn leaders_and_publishers_are_told() {
    let t = town().await;
    let (a, leader) = t.active("示例·甲队").await;
    let (b, second) = t.active("示例·乙队").await;
    // written by the district, in a street with staff of its own
    let mut body = crate::projects::body(&t);
    body["claim_mode"] = json!("first_come");
    let id = t.project(&t.district_admin, body).await;
    t.project_act(&t.district_admin, &id, "submit")
        .expect(200)
        .await;
    t.project_review(&t.street_admin, &id, "approve", json!({}))
        .await;
    t.project_act(&t.district_admin, &id, "open")
        .expect(200)
        .await;
    let claim = t.claim(&leader, &id, Some(&a)).expect(201).await.id();
    t.claim(&second, &id, Some(&b)).expect(201).await;
    for who in [&t.district_admin, &t.street_admin] {
        assert_eq!(t.told(who, "claim_held").await, 1);
    }
    let role = t.role(&id, 1).await;
    let person = volunteer(&t.server, t.grid).await;
    let asked = t.invite(&leader, &claim, &role, &person).expect(201).await;
    let refuse = t.reply(&person, &asked.id(), "decline");
    refuse.json(json!({"reason": "没有时间"})).expect(200).await;
    assert_eq!(t.told(&leader, "invitation_declined").await, 1);
    let newest = t.notices(&leader).await[0].to_string();
    assert!(!newest.contains("志愿者"), "not named");
    let applied = t.crew(&person, &claim, json!({ "role_id": role }));
    let applied = applied.expect(201).await.id();
    t.place_act(&person, &applied, "leave").expect(200).await;
    assert_eq!(t.told(&leader, "crew_withdrawn").await, 1);
    // the second in line moves up
    t.claim_act(&leader, &claim, "withdraw", json!({"reason": "太忙"}))
        .expect(200)
        .await;
    for who in [&t.district_admin, &t.street_admin] {
        assert_eq!(t.told(who, "claim_withdrawn").await, 1);
        assert_eq!(t.told(who, "claim_held").await, 2);
    }
}

#[actix_web::test]
async fn crews_and_those_who_wait_hear_why_a_project_stops() {
    let t = town().await;
    let (a, leader) = t.active("示例·甲队").await;
    let (b, waiting) = t.active("示例·乙队").await;
    let id = t.open_project(json!({})).await;
    let claim = t.executing(&leader, &id, &a).await;
    t.claim(&waiting, &id, Some(&b)).expect(201).await;
    let role = json!({"role_id": t.role(&id, 1).await});
    let (member, applicant) = (
        volunteer(&t.server, t.grid).await,
        volunteer(&t.server, t.grid).await,
    );
    t.crew(&applicant, &claim, role.clone()).expect(201).await;
    let place = t.crew(&member, &claim, role.clone()).expect(201).await.id();
    t.place_act(&leader, &place, "accept").expect(200).await;
    // who runs the organisation works in the crew, too, and is told once
    t.server
        .call(Method::PUT, "/me/volunteer")
        .by(&leader)
        .json(json!({
            "region_id": t.grid, "introduction": "", "birth_date": null, "skills": [],
            "interests": [], "availability": [], "places": [],
        }))
        .expect(200)
        .await;
    let first = json!({"role_id": t.role(&id, 0).await});
    t.crew(&leader, &claim, first).expect(201).await;
    let around = [&member, &applicant, &waiting];
    let act = |verb: &str, body: Value| t.project_act(&t.street_admin, &id, verb).json(body);
    let why = |steps: &Answer, kind: &str| {
        let steps = steps.json["items"].as_array().unwrap();
        let step = steps.iter().find(|step| step["kind"] == kind).unwrap();
        step["reason"].clone()
    };
    let timeline = format!("/projects/{id}/timeline");

    act("suspend", json!({"reason": "台风。"}))
        .expect(200)
        .await;
    for who in around {
        assert_eq!(t.told(who, "project_on_hold").await, 1);
        let notices = t.notices(who).await;
        let text = notices[0]["text"].as_str().unwrap();
        assert!(text.contains("台风. You"), "{text}");
        let steps = t.server.get(&timeline).by(who).expect(200).await;
        assert_eq!(why(&steps, "project.suspend"), "台风。");
    }
    assert_eq!(t.told(&leader, "project_suspended").await, 1);
    assert_eq!(t.told(&leader, "project_on_hold").await, 0);
    let steps = t.server.get(&timeline).expect(200).await;
    assert_eq!(why(&steps, "project.suspend"), Value::Null);

    act("resume", json!({})).expect(200).await;
    for who in around {
        assert_eq!(t.told(who, "project_goes_on").await, 1);
    }
    assert_eq!(t.told(&leader, "project_resumed").await, 1);

    act("cancel", json!({"reason": "资金未到位"}))
        .expect(200)
        .await;
    for who in around.into_iter().chain([&leader]) {
        assert_eq!(t.told(who, "project_cancelled").await, 1);
        assert_eq!(t.told(who, "crew_disbanded").await, 0);
        let newest = t.notices(who).await[0].to_string();
        assert!(newest.contains("资金未到位"), "{newest}");
        let steps = t.server.get(&timeline).by(who).expect(200).await;
        assert_eq!(why(&steps, "project.cancel"), "资金未到位");
        assert_eq!(why(&steps, "project_claim.revoke"), Value::Null);
    }
}
