//! Claims of projects: leases, lines, who may claim what, and what stays to be seen of them.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use yiqilai::identity::Role;

use crate::harness::{Answer, Call, User};
use crate::organizations::{Town, town};
use crate::projects::{body, volunteer};

impl Town {
    fn plan(&self, by: &User, claim: &str) -> Call<'_> {
        self.claim_act(by, claim, "plan", json!({"plan": "每周六上午。"}))
    }

    async fn kinds(&self, by: &User, project: &str) -> Vec<String> {
        let path = format!("/projects/{project}/timeline");
        let steps = self.server.get(&path).by(by).expect(200).await;
        let steps = steps.json["items"].as_array().unwrap().iter();
        steps
            .map(|step| step["kind"].as_str().unwrap().to_owned())
            .collect()
    }

    pub async fn patched(&self, by: &User, path: &str, body: Value) -> Answer {
        let seen = self.server.get(path).by(by).expect(200).await;
        let call = self.server.call(Method::PATCH, path).by(by).json(body);
        let seen = seen.header("etag").unwrap().to_owned();
        call.header("if-match", &seen).send().await
    }
}

#[actix_web::test]
async fn who_has_a_seat_less_gets_the_one_it_waits_for() {
    let t = town().await;
    let resident = t.server.person("示例·居民").await;
    let other = t.server.person("示例·他人").await;
    let third = t.server.person("示例·第三人").await;
    let open = || t.open_project(json!({"allows_person": true}));
    let mut held = Vec::new();
    for _ in 0..3 {
        let id = open().await;
        let claim = t.claim(&resident, &id, None).expect(201).await.id();
        held.push((id, claim));
    }
    let mut waited = Vec::new();
    for _ in 0..2 {
        let id = open().await;
        let holder = t.claim(&other, &id, None).expect(201).await.id();
        let waiting = t.claim(&resident, &id, None).expect(201).await;
        assert_eq!(waiting.json["status"], "waitlisted");
        t.claim_act(&other, &holder, "withdraw", json!({"reason": "改期"}))
            .expect(200)
            .await;
        assert_eq!(t.status(&id).await, "open", "the resident is at its limit");
        waited.push((id, waiting.id()));
    }
    // somebody else takes the free seat of the second: nothing is left to be promoted there
    t.claim(&third, &waited[1].0, None).expect(201).await;

    t.claim_act(&resident, &held[0].1, "withdraw", json!({"reason": "太忙"}))
        .expect(200)
        .await;
    assert_eq!(t.claim_status(&resident, &waited[0].1).await, "approved");
    assert_eq!(t.status(&waited[0].0).await, "claimed");
    assert_eq!(t.claim_status(&resident, &waited[1].1).await, "waitlisted");

    // the same when a project is cancelled under a claim
    let id = open().await;
    let holder = t.claim(&other, &id, None).expect(201).await.id();
    let waiting = t.claim(&resident, &id, None).expect(201).await.id();
    t.claim_act(&other, &holder, "withdraw", json!({"reason": "改期"}))
        .expect(200)
        .await;
    assert_eq!(t.claim_status(&resident, &waiting).await, "waitlisted");
    t.project_act(&t.street_admin, &held[1].0, "cancel")
        .json(json!({"reason": "取消"}))
        .expect(200)
        .await;
    assert_eq!(t.claim_status(&resident, &waiting).await, "approved");

    // and when one is fulfilled
    let id = open().await;
    let holder = t.claim(&other, &id, None).expect(201).await.id();
    let waiting = t.claim(&resident, &id, None).expect(201).await.id();
    t.claim_act(&other, &holder, "withdraw", json!({"reason": "改期"}))
        .expect(200)
        .await;
    let claim = &held[2].1;
    t.plan(&resident, claim).expect(200).await;
    t.claim_act(&resident, claim, "start", json!({}))
        .expect(200)
        .await;
    let photo = t.add_photo(&resident, claim, 7).await;
    let report = json!({"report": "完成", "people_served": 1, "photos": [photo]});
    t.claim_act(&resident, claim, "report", report)
        .expect(200)
        .await;
    assert_eq!(t.claim_status(&resident, &waiting).await, "waitlisted");
    t.claim_act(&t.street_admin, claim, "accept", json!({}))
        .expect(200)
        .await;
    assert_eq!(t.claim_status(&resident, &waiting).await, "approved");
}

#[actix_web::test]
async fn a_lease_that_has_run_out_is_of_no_use_before_the_sweep_too() {
    let t = town().await;
    let (a, leader) = t.active("示例·甲队").await;
    let approved = t.open_project(json!({})).await;
    let approved = t.claim(&leader, &approved, Some(&a)).expect(201).await.id();
    let planned = t.open_project(json!({})).await;
    let planned = t.claim(&leader, &planned, Some(&a)).expect(201).await.id();
    t.plan(&leader, &planned).expect(200).await;
    let running = t.open_project(json!({})).await;
    let executing = t.executing(&leader, &running, &a).await;
    let photo = t.add_photo(&leader, &executing, 3).await;

    t.server.app.platform.clock.advance(TimeDelta::days(15));
    let leader = t.server.refreshed(&leader).await;
    let street_admin = t.server.refreshed(&t.street_admin).await;
    t.plan(&leader, &approved)
        .refused(409, "lease_expired")
        .await;
    t.claim_act(&leader, &planned, "start", json!({}))
        .refused(409, "lease_expired")
        .await;
    let progress = json!({"body": "还在做。", "photos": [photo]});
    t.claim_act(&leader, &executing, "progress", progress)
        .refused(409, "lease_expired")
        .await;
    let report = json!({"report": "完成", "people_served": 1, "photos": [photo]});
    t.claim_act(&leader, &executing, "report", report)
        .refused(409, "lease_expired")
        .await;
    t.server
        .post(&format!("/project-claims/{executing}/photos"))
        .by(&leader)
        .multipart(crate::projects::photo(8))
        .refused(409, "lease_expired")
        .await;
    // nor does a suspension that is lifted bring it back
    t.project_act(&street_admin, &running, "suspend")
        .json(json!({"reason": "台风"}))
        .expect(200)
        .await;
    t.project_act(&street_admin, &running, "resume")
        .expect(200)
        .await;
    t.server.work().await;
    for claim in [&approved, &planned, &executing] {
        assert_eq!(t.claim_status(&leader, claim).await, "expired");
    }
    assert_eq!(t.status(&running).await, "open");
}

#[actix_web::test]
async fn a_project_that_is_over_is_neither_claimed_nor_joined_nor_recommended() {
    let t = town().await;
    let short = json!({
        "starts_on": "2026-12-01", "ends_on": "2026-12-02", "allows_person": true, "claim_seats": 2,
    });
    let claimed = t.open_project(short.clone()).await;
    let open = t.open_project(short).await;
    let (a, leader) = t.active("示例·甲队").await;
    let claim = t.claim(&leader, &claimed, Some(&a)).expect(201).await.id();
    let person = t
        .matched(
            json!([{"skill": "education.homework", "level": 2}]),
            121.851,
        )
        .await;
    let newcomer = volunteer(&t.server, t.grid).await;
    let shown = t.server.get(&format!("/projects/{claimed}")).expect(200);
    let role = shown.await.json["roles"][1]["id"].clone();
    let crew = format!("/project-claims/{claim}/crew");
    let applied = t.server.post(&crew).by(&newcomer);
    let applied = applied
        .json(json!({ "role_id": role }))
        .expect(201)
        .await
        .id();
    let count = |by: User, path: String| {
        let server = &t.server;
        async move {
            let found = server.get(&path).by(&by).expect(200).await;
            found.json["items"].as_array().unwrap().len()
        }
    };
    let recommended = "/recommendations?kind=project_role";
    let personal = format!("{recommended}&personalized=true");
    let plain = format!("{recommended}&personalized=false");
    let candidates = format!("/needs/project_role/{}/candidates", role.as_str().unwrap());
    let browse = "/projects?status=open".to_owned();

    // 23:59 on the wall of the last day
    let last_minute = "2026-12-02T15:59:00Z".parse::<chrono::DateTime<chrono::Utc>>();
    let clock = &t.server.app.platform.clock;
    let now: chrono::DateTime<chrono::Utc> = "2026-11-23T02:00:00Z".parse().unwrap();
    clock.advance(last_minute.unwrap() - now);
    let (person, leader) = (t.server.again(&person).await, t.server.again(&leader).await);
    assert_eq!(count(person.clone(), personal.clone()).await, 2);
    assert_eq!(count(person.clone(), plain.clone()).await, 2);
    assert_eq!(count(leader.clone(), candidates.clone()).await, 1);
    assert_eq!(count(person.clone(), browse.clone()).await, 2);
    clock.advance(TimeDelta::minutes(1));
    assert_eq!(count(person.clone(), personal).await, 0);
    assert_eq!(count(person.clone(), plain).await, 0);
    assert_eq!(count(leader.clone(), candidates).await, 0);
    assert_eq!(count(person.clone(), browse).await, 0);
    assert_eq!(t.failed(&person, &role).await, ["project_over"]);
    for project in [&open, &claimed] {
        t.claim(&person, project, None)
            .refused(409, "project_over")
            .await;
    }
    let join = |body: Value, by: &User| t.server.post(&crew).by(by).json(body);
    join(json!({ "role_id": role }), &person)
        .refused(409, "project_over")
        .await;
    t.invite(&leader, &claim, &role, &person)
        .refused(409, "project_over")
        .await;
    t.server
        .post(&format!("/crew-members/{applied}/accept"))
        .by(&leader)
        .json(json!({}))
        .refused(409, "project_over")
        .await;
    t.has_world_of_database().await;
}

#[actix_web::test]
async fn nobody_approves_what_it_had_a_hand_in_nor_claims_what_it_approved() {
    let t = town().await;
    let second = t
        .server
        .staff("示例·区管二", Role::RegionAdmin, Some(t.district))
        .await;
    let third = t
        .server
        .staff("示例·区管三", Role::RegionAdmin, Some(t.district))
        .await;
    let mut wanted = body(&t);
    wanted["allows_person"] = json!(true);
    let id = t.project(&t.district_admin, wanted.clone()).await;
    let path = format!("/projects/{id}");
    let edited = t
        .patched(&second, &path, json!({"title": "示例·换过的标题"}))
        .await;
    assert_eq!(edited.status, 200, "{:#}", edited.json);
    t.project_act(&third, &id, "submit").expect(200).await;
    for (by, how) in [
        (&t.district_admin, "wrote"),
        (&second, "changed"),
        (&third, "handed in"),
    ] {
        let refused = t.project_review(by, &id, "approve", json!({})).await;
        assert_eq!(refused.json["code"], "own_project", "who {how} it");
    }
    let approved = t
        .project_review(&t.street_admin, &id, "approve", json!({}))
        .await;
    assert_eq!(approved.status, 200, "{:#}", approved.json);
    t.project_act(&t.street_admin, &id, "open")
        .expect(200)
        .await;
    for by in [&t.street_admin, &t.district_admin, &second] {
        t.claim(by, &id, None).refused(403, "own_project").await;
    }

    // an organisation's project: its managers publish it, and a reviewer approved it
    let (organization, manager) = t.active("示例·发布队").await;
    wanted["organization_id"] = json!(organization);
    let id = t.project(&manager, wanted).await;
    t.project_act(&manager, &id, "submit").expect(200).await;
    t.project_review(&t.street_admin, &id, "approve", json!({}))
        .await;
    t.project_act(&manager, &id, "open").expect(200).await;
    for by in [&manager, &t.street_admin] {
        t.claim(by, &id, None).refused(403, "own_project").await;
    }
    let person = t.server.person("示例·居民").await;
    t.claim(&person, &id, None).expect(201).await;
}

#[actix_web::test]
async fn who_took_part_keeps_seeing_what_was_cancelled() {
    let t = town().await;
    let id = t.open_project(json!({})).await;
    let (a, leader) = t.active("示例·甲队").await;
    let (b, waiting) = t.active("示例·乙队").await;
    let claim = t.claim(&leader, &id, Some(&a)).expect(201).await.id();
    t.claim(&waiting, &id, Some(&b)).expect(201).await;
    let shown = t.server.get(&format!("/projects/{id}")).expect(200).await;
    let role = &shown.json["roles"][1]["id"];
    let member = volunteer(&t.server, t.grid).await;
    let crew = format!("/project-claims/{claim}/crew");
    t.server
        .post(&crew)
        .by(&member)
        .json(json!({ "role_id": role }))
        .expect(201)
        .await;
    t.project_act(&t.street_admin, &id, "cancel")
        .json(json!({"reason": "资金未到位"}))
        .expect(200)
        .await;
    let stranger = t.server.person("示例·路人").await;
    for path in [
        format!("/projects/{id}"),
        format!("/projects/{id}/timeline"),
        format!("/projects/{id}/claims"),
        format!("/project-claims/{claim}"),
    ] {
        t.server.get(&path).by(&leader).expect(200).await;
        t.server.get(&path).by(&member).expect(200).await;
        t.server
            .get(&path)
            .by(&stranger)
            .refused(404, "not_found")
            .await;
        t.server.get(&path).refused(404, "not_found").await;
    }
    t.server
        .get(&format!("/projects/{id}"))
        .by(&waiting)
        .expect(200)
        .await;
    let own = format!("/project-claims/{claim}");
    let own = t.server.get(&own).by(&leader).expect(200).await;
    assert_eq!(own.json["involved"]["reason"], "资金未到位");
}

#[actix_web::test]
async fn the_story_keeps_claims_that_lost_their_seat_and_why() {
    let t = town().await;
    let id = t.open_project(json!({})).await;
    let (a, first) = t.active("示例·甲队").await;
    let (b, second) = t.active("示例·乙队").await;
    let claim = t.claim(&first, &id, Some(&a)).expect(201).await.id();
    let line = t.claim(&second, &id, Some(&b)).expect(201).await.id();
    t.claim_act(
        &t.street_admin,
        &line,
        "reject",
        json!({"reason": "资料不全"}),
    )
    .expect(200)
    .await;
    t.claim_act(
        &t.street_admin,
        &claim,
        "revoke",
        json!({"reason": "不符合要求"}),
    )
    .expect(200)
    .await;
    let stranger = t.server.person("示例·路人").await;
    let kinds = t.kinds(&stranger, &id).await;
    for kind in ["project_claim.approve", "project_claim.revoke"] {
        assert!(kinds.iter().any(|k| k == kind), "{kind} in {kinds:?}");
    }
    assert!(
        !kinds.iter().any(|kind| kind == "project_claim.reject"),
        "one that never held a seat is nobody's business: {kinds:?}"
    );
    let reason = |by: User, claim: String| {
        let server = &t.server;
        async move {
            let path = format!("/project-claims/{claim}");
            let seen = server.get(&path).by(&by).expect(200).await;
            seen.json["involved"]["reason"].clone()
        }
    };
    for (by, claim, why) in [
        (&first, &claim, "不符合要求"),
        (&t.street_admin, &claim, "不符合要求"),
        (&second, &line, "资料不全"),
    ] {
        assert_eq!(reason(by.clone(), claim.clone()).await, why);
    }

    let again = t.executing(&second, &id, &b).await;
    assert_eq!(reason(second.clone(), again.clone()).await, Value::Null);
    let photo = t.add_photo(&second, &again, 5).await;
    let report = json!({"report": "完成", "people_served": 3, "photos": [photo]});
    t.claim_act(&second, &again, "report", report)
        .expect(200)
        .await;
    t.claim_act(
        &t.street_admin,
        &again,
        "send-back",
        json!({"reason": "请补充"}),
    )
    .expect(200)
    .await;
    assert_eq!(reason(second.clone(), again.clone()).await, "请补充");
    t.claim_act(&second, &again, "withdraw", json!({"reason": "人手不足"}))
        .expect(200)
        .await;
    assert_eq!(reason(t.street_admin.clone(), again).await, "人手不足");
}

#[actix_web::test]
async fn draft_batches_are_for_those_who_may_change_them() {
    let t = town().await;
    let (campaign, batch) = t.batch().await;
    let batches = format!("/campaigns/{campaign}/batches");
    let one = format!("/batches/{batch}");
    let count = |answer: Answer| answer.json["items"].as_array().unwrap().len();
    assert_eq!(count(t.server.get(&batches).expect(200).await), 0);
    t.server.get(&one).refused(404, "not_found").await;
    let stranger = t.server.person("示例·路人").await;
    let seen = t.server.get(&batches).by(&stranger).expect(200).await;
    assert_eq!(count(seen), 0);
    t.server
        .get(&one)
        .by(&stranger)
        .refused(404, "not_found")
        .await;
    let seen = t.server.get(&batches).by(&t.district_admin).expect(200);
    assert_eq!(count(seen.await), 1);
    t.server.get(&one).by(&t.district_admin).expect(200).await;

    let mut project = body(&t);
    project["batch_id"] = json!(batch);
    let id = t.project(&t.street_admin, project).await;
    t.project_act(&t.street_admin, &id, "submit")
        .expect(200)
        .await;
    t.project_review(&t.district_admin, &id, "approve", json!({}))
        .await;
    t.server
        .post(&format!("/batches/{batch}/publish"))
        .by(&t.district_admin)
        .json(json!({}))
        .expect(200)
        .await;
    assert_eq!(count(t.server.get(&batches).expect(200).await), 1);
    t.server.get(&one).expect(200).await;
}

#[actix_web::test]
async fn who_lost_a_claim_does_not_claim_the_project_again_at_once() {
    let t = town().await;
    let (a, leader) = t.active("示例·甲队").await;
    let (b, other) = t.active("示例·乙队").await;
    let open = |mode: &str| t.open_project(json!({"claim_mode": mode}));
    let (first_come, reviewed) = (open("first_come").await, open("reviewed").await);
    let held = t
        .claim(&leader, &first_come, Some(&a))
        .expect(201)
        .await
        .id();
    let applied = t.claim(&leader, &reviewed, Some(&a)).expect(201).await.id();
    t.claim_act(&t.street_admin, &applied, "approve", json!({}))
        .expect(200)
        .await;
    let why = json!({"reason": "不符合要求"});
    t.claim_act(&t.street_admin, &applied, "revoke", why)
        .expect(200)
        .await;
    t.server.pass(TimeDelta::days(14)).await;
    let leader = t.server.again(&leader).await;
    assert_eq!(t.claim_status(&leader, &held).await, "expired");
    let again = |by: &User, project: &str| t.claim(by, project, Some(&a));
    let said = again(&leader, &first_come)
        .refused(409, "claiming_paused")
        .await;
    let detail = said.json["detail"].as_str().unwrap();
    assert!(detail.contains("2027-01-06"), "{detail}");
    again(&leader, &reviewed)
        .refused(409, "claiming_paused")
        .await;
    // others, and other projects, are free
    let other = t.server.again(&other).await;
    let seat = t
        .claim(&other, &first_come, Some(&b))
        .expect(201)
        .await
        .id();
    again(&leader, &first_come)
        .refused(409, "claiming_paused")
        .await;
    t.claim_act(&other, &seat, "withdraw", json!({"reason": "改期"}))
        .expect(200)
        .await;
    t.server.pass(TimeDelta::days(16)).await;
    let leader = t.server.again(&leader).await;
    again(&leader, &reviewed).expect(201).await;
    again(&leader, &first_come)
        .refused(409, "claiming_paused")
        .await;
    t.server.pass(TimeDelta::days(14)).await;
    let leader = t.server.again(&leader).await;
    again(&leader, &first_come).expect(201).await;
}

#[actix_web::test]
async fn the_region_stops_what_an_organisation_published_in_it() {
    let t = town().await;
    let (publisher, manager) = t.active("示例·发布方").await;
    let (a, leader) = t.active("示例·甲队").await;
    let mut new = body(&t);
    new["organization_id"] = json!(publisher);
    let id = t.project(&manager, new.clone()).await;
    let why = || json!({"reason": "安全检查"});
    let act = |by: &User, id: &str, verb: &str| t.project_act(by, id, verb).json(why());
    act(&t.street_admin, &id, "cancel")
        .refused(403, "forbidden")
        .await;
    t.project_act(&manager, &id, "submit").expect(200).await;
    t.project_review(&t.street_admin, &id, "approve", json!({}))
        .await;
    t.project_act(&manager, &id, "open").expect(200).await;
    t.executing(&leader, &id, &a).await;
    let elsewhere = Some(uuid::Uuid::now_v7());
    let elsewhere = t
        .server
        .staff("示例·别处", Role::RegionAdmin, elsewhere)
        .await;
    act(&elsewhere, &id, "suspend")
        .refused(403, "forbidden")
        .await;
    let kinds = |who: User| {
        let server = &t.server;
        async move {
            let inbox = server.get("/me/notifications?limit=100").by(&who);
            let inbox = inbox.expect(200).await.json;
            let items = inbox["items"].as_array().unwrap().iter();
            let kinds = items.map(|notice| notice["kind"].as_str().unwrap().to_owned());
            kinds.collect::<Vec<_>>()
        }
    };
    for (verb, theirs, claimants) in [
        ("suspend", "project_suspended_of", "project_suspended"),
        ("resume", "project_resumed_of", "project_resumed"),
        ("cancel", "project_cancelled_of", "project_cancelled"),
    ] {
        if verb == "resume" {
            // what the region suspended, the region lets go on
            let call = t.project_act(&manager, &id, verb);
            call.refused(403, "forbidden").await;
            t.project_act(&t.street_admin, &id, verb).expect(200).await;
        } else {
            act(&t.street_admin, &id, verb).expect(200).await;
            act(&t.street_admin, &id, verb).expect(200).await;
        }
        assert_eq!(kinds(manager.clone()).await[0], theirs);
        let told = kinds(leader.clone()).await;
        assert!(told.contains(&claimants.to_owned()), "{told:?}");
    }
    // what the publisher suspended it resumes, and nobody is told of its own doing
    let id = t.project(&manager, new).await;
    t.project_act(&manager, &id, "submit").expect(200).await;
    t.project_review(&t.street_admin, &id, "approve", json!({}))
        .await;
    t.project_act(&manager, &id, "open").expect(200).await;
    t.executing(&leader, &id, &a).await;
    act(&manager, &id, "suspend").expect(200).await;
    t.project_act(&manager, &id, "resume").expect(200).await;
    let told = kinds(manager).await;
    let count = told.iter().filter(|kind| *kind == "project_suspended_of");
    assert_eq!(count.count(), 1);
}

#[actix_web::test]
async fn under_a_suspended_project_nobody_is_given_a_lease_and_nobody_loses_one() {
    let t = town().await;
    let (a, first) = t.active("示例·甲队").await;
    let (b, second) = t.active("示例·乙队").await;
    let why = || json!({"reason": "台风"});
    let id = t.open_project(json!({})).await;
    let held = t.executing(&first, &id, &a).await;
    let waiting = t.claim(&second, &id, Some(&b)).expect(201).await.id();
    t.project_act(&t.street_admin, &id, "suspend")
        .json(why())
        .expect(200)
        .await;
    t.claim_act(&first, &held, "withdraw", why())
        .expect(200)
        .await;
    t.claim_act(&t.street_admin, &waiting, "approve", json!({}))
        .refused(409, "project_suspended")
        .await;
    // a report is not sent back into work that stands still
    let two = t.open_project(json!({"claim_seats": 2})).await;
    let reported = t.executing(&first, &two, &a).await;
    t.executing(&second, &two, &b).await;
    t.report(&first, &reported).await;
    t.project_act(&t.street_admin, &two, "suspend")
        .json(why())
        .expect(200)
        .await;
    t.claim_act(&t.street_admin, &reported, "send-back", why())
        .refused(409, "project_suspended")
        .await;
    // whose lease ran out before the suspension was swept up by nobody yet
    let late = t.open_project(json!({})).await;
    let ran_out = t.executing(&first, &late, &a).await;
    t.server.app.platform.clock.advance(TimeDelta::days(15));
    let street_admin = t.server.refreshed(&t.street_admin).await;
    t.project_act(&street_admin, &late, "suspend")
        .json(why())
        .expect(200)
        .await;
    t.server.work().await;
    let (first, second) = (t.server.again(&first).await, t.server.again(&second).await);
    assert_eq!(t.claim_status(&first, &ran_out).await, "executing");
    assert_eq!(t.claim_status(&second, &waiting).await, "waitlisted");

    for project in [&id, &late] {
        t.project_act(&street_admin, project, "resume")
            .expect(200)
            .await;
    }
    t.server.work().await;
    assert_eq!(t.claim_status(&first, &ran_out).await, "expired");
    assert_eq!(t.claim_status(&second, &waiting).await, "approved");
    t.plan(&second, &waiting).expect(200).await;
}

#[actix_web::test]
async fn a_plan_is_changed_under_its_lease_until_the_report() {
    let t = town().await;
    let (a, leader) = t.active("示例·甲队").await;
    let id = t.open_project(json!({})).await;
    let claim = t.claim(&leader, &id, Some(&a)).expect(201).await.id();
    let planned = t.plan(&leader, &claim).expect(200).await;
    t.server.app.platform.clock.advance(TimeDelta::minutes(5));
    let again = t.plan(&leader, &claim).expect(200).await;
    assert_eq!(again.json, planned.json, "the same plan is no change");
    assert_eq!(
        planned.json["moves"],
        json!(["change_plan", "start", "withdraw"])
    );
    let change = |text: &str| t.claim_act(&leader, &claim, "plan", json!({ "plan": text }));
    let changed = change("改为每周日上午。").expect(200).await;
    assert_eq!(changed.json["involved"]["plan"], "改为每周日上午。");
    for key in ["status", "status_since"] {
        assert_eq!(changed.json[key], planned.json[key], "{key}");
    }
    let lease = |answer: &Answer| answer.json["involved"]["lease_until"].clone();
    assert_eq!(lease(&changed), lease(&planned), "the lease is the same");
    t.claim_act(&leader, &claim, "start", json!({}))
        .expect(200)
        .await;
    let changed = change("周六、周日上午。").expect(200).await;
    assert_eq!(changed.json["status"], "executing");
    change("周六、周日上午。").expect(200).await;
    assert_eq!(t.told(&t.street_admin, "claim_planned").await, 1);
    assert_eq!(t.told(&t.street_admin, "claim_plan_changed").await, 2);
    let kinds = t.kinds(&leader, &id).await;
    let changes = kinds.iter().filter(|k| *k == "project_claim.change_plan");
    assert_eq!(changes.count(), 2, "{kinds:?}");
    let other = t.server.person("示例·他人").await;
    t.plan(&other, &claim).refused(403, "forbidden").await;
    t.report(&leader, &claim).await;
    change("太晚了。").refused(409, "move_not_allowed").await;
}

#[actix_web::test]
async fn nobody_waits_for_what_is_completed() {
    let t = town().await;
    let (a, leader) = t.active("示例·甲队").await;
    let (b, waiting) = t.active("示例·乙队").await;
    let id = t.open_project(json!({})).await;
    let claim = t.executing(&leader, &id, &a).await;
    let waited = t.claim(&waiting, &id, Some(&b)).expect(201).await.id();
    let role = json!({"role_id": t.role(&id, 1).await});
    let member = volunteer(&t.server, t.grid).await;
    let applicant = volunteer(&t.server, t.grid).await;
    let applied = t.crew(&applicant, &claim, role.clone()).expect(201).await;
    let applied = applied.id();
    let place = t.crew(&member, &claim, role).expect(201).await.id();
    t.place_act(&leader, &place, "accept").expect(200).await;
    t.report(&leader, &claim).await;
    assert_eq!(t.claim_status(&waiting, &waited).await, "waitlisted");
    t.claim_act(&t.street_admin, &claim, "accept", json!({}))
        .expect(200)
        .await;
    assert_eq!(t.status(&id).await, "completed");

    let seen = t.server.get(&format!("/project-claims/{waited}"));
    let seen = seen.by(&waiting).expect(200).await.json;
    assert_eq!(seen["status"], "rejected");
    assert_eq!(seen["involved"]["reason"], "项目已结项");
    assert_eq!(t.told(&waiting, "claim_waited_in_vain").await, 1);
    for (who, place, status, kind) in [
        (&member, &place, "active", "project_completed"),
        (&applicant, &applied, "disbanded", "crew_closed"),
    ] {
        let places = t.server.get("/me/crews").by(who).expect(200).await;
        let places = places.json["items"].as_array().unwrap().clone();
        let place = places.iter().find(|seen| seen["id"] == **place).unwrap();
        assert_eq!(place["status"], status);
        for told in ["project_completed", "crew_closed", "crew_disbanded"] {
            assert_eq!(t.told(who, told).await, usize::from(told == kind), "{told}");
        }
    }
    assert_eq!(t.told(&leader, "project_completed").await, 0);
    assert_eq!(t.told(&leader, "claim_fulfilled").await, 1);
    t.server.work().await;
    t.has_world_of_database().await;
}

#[actix_web::test]
async fn nobody_waits_for_what_ran_out() {
    let t = town().await;
    let short = json!({
        "starts_on": "2026-12-01", "ends_on": "2026-12-02", "claim_mode": "reviewed",
    });
    let (a, leader) = t.active("示例·甲队").await;
    let (b, second) = t.active("示例·乙队").await;
    let applied = t.open_project(short.clone()).await;
    let applied = t.claim(&leader, &applied, Some(&a)).expect(201).await.id();
    let held = t.open_project(short).await;
    let holder = t.claim(&leader, &held, Some(&a)).expect(201).await.id();
    t.claim_act(&t.street_admin, &holder, "approve", json!({}))
        .expect(200)
        .await;
    let waited = t.claim(&second, &held, Some(&b)).expect(201).await.id();

    t.server.pass(TimeDelta::days(10)).await; // its last day is over, the lease of the holder is not
    let leader = t.server.again(&leader).await;
    let second = t.server.again(&second).await;
    assert_eq!(t.claim_status(&leader, &applied).await, "rejected");
    assert_eq!(t.told(&leader, "claim_waited_in_vain").await, 1);
    assert_eq!(t.claim_status(&second, &waited).await, "waitlisted");

    t.server.pass(TimeDelta::days(5)).await;
    let leader = t.server.again(&leader).await;
    let second = t.server.again(&second).await;
    assert_eq!(t.claim_status(&leader, &holder).await, "expired");
    assert_eq!(t.claim_status(&second, &waited).await, "rejected");
    assert_eq!(t.told(&second, "claim_waited_in_vain").await, 1);
    t.server.work().await;
    assert_eq!(t.told(&second, "claim_waited_in_vain").await, 1);
}
