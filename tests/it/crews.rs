//! Crews: what an invitation tells, who sees whom, and work with minors.

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

    pub async fn role(&self, project: &str, n: usize) -> Value {
        let shown = self.server.get(&format!("/projects/{project}"));
        shown.expect(200).await.json["roles"][n]["id"].clone()
    }

    async fn born(&self, birth_date: &str) -> User {
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

    async fn vet(&self, person: &User) {
        let body =
            json!({"kind": "minors_vetting", "number": "示例001", "issued_on": "2026-01-01"});
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

const ASKED: (bool, bool) = (false, true);
const CAME: (bool, bool) = (true, false);

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
        for who in [&bare, &other] {
            let body = json!({"role_id": role, "account_id": who.id});
            let invited = t.crew(&leader, &claim, body).expect(201).await;
            assert_eq!(named(&invited.json), ASKED, "{:#}", invited.json);
        }
        let places = t.members(&leader, &claim, "invited").await;
        assert!(places.iter().all(|place| named(place) == ASKED));
        assert_ne!(places[0]["pseudonym"], places[1]["pseudonym"]);
        let nobody = json!({"role_id": role, "account_id": uuid::Uuid::nil()});
        t.crew(&leader, &claim, nobody)
            .refused(422, "invalid")
            .await;
        // the person learns what is missing
        let place = |who: &User| -> String {
            let id = json!(who.id);
            let of = places.iter().find(|place| place["account_id"] == id);
            of.unwrap()["id"].as_str().unwrap().to_owned()
        };
        t.place_act(&bare, &place(&bare), "accept")
            .refused(409, "profile_required")
            .await;
        let refused = t.place_act(&other, &place(&other), "accept").send().await;
        let code = refused.json["code"].as_str().unwrap().to_owned();
        let codes = ["party_only", "vetting_missing", "qualification_missing"];
        assert!(codes.contains(&code.as_str()), "{code} for {change}");
        let own = t.server.get("/me/crews").by(&other).expect(200).await;
        assert_eq!(named(&own.json["items"][0]), CAME, "one knows oneself");
        t.claim_act(&leader, &claim, "withdraw", json!({"reason": "改期"}))
            .expect(200)
            .await;
        let gone = t.members(&leader, &claim, "disbanded").await;
        assert!(gone.iter().all(|place| named(place) == ASKED), "{gone:#?}");
    }

    let id = t.open_project(json!({})).await;
    let claim = t.claim(&leader, &id, Some(&a)).expect(201).await.id();
    let role = t.role(&id, 0).await;
    let (ann, ben) = (
        volunteer(&t.server, t.grid).await,
        volunteer(&t.server, t.grid).await,
    );
    let invite = |who: &User| {
        let body = json!({"role_id": role, "account_id": who.id});
        t.crew(&leader, &claim, body)
    };
    let asked = invite(&ann).expect(201).await.id();
    t.place_act(&ann, &asked, "decline")
        .json(json!({"reason": "没有时间"}))
        .expect(200)
        .await;
    let refused = t.members(&leader, &claim, "refused").await;
    assert_eq!(named(&refused[0]), ASKED, "declined, and never named");
    let asked = invite(&ben).expect(201).await.id();
    t.place_act(&ben, &asked, "accept").expect(200).await;
    let active = t.members(&leader, &claim, "active").await;
    assert_eq!(named(&active[0]), CAME);
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
        let answer: Answer = t.crew(&young, &claim, body.clone()).send().await;
        joined.push((answer.status == 201, may_young));
        // asked, the child is told as it accepts
        let mut asked = body;
        asked["account_id"] = json!(child.id);
        let asked = t.crew(&leader, &claim, asked).expect(201).await.id();
        t.place_act(&child, &asked, "accept")
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
