//! Publishers: batches that open their projects, moves that meet each other, organisations that may
//! not act, and days that nobody can mean.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use yiqilai::identity::Role;

use crate::harness::{Answer, Call, User};
use crate::organizations::{Town, town};
use crate::projects::{body, fields, volunteer};

impl Town {
    fn publish(&self, batch: &str) -> Call<'_> {
        self.server
            .post(&format!("/batches/{batch}/publish"))
            .by(&self.district_admin)
            .json(json!({}))
    }

    /// A project of the street that waits for its review, to be published with a batch.
    async fn submitted_in(&self, batch: &str) -> String {
        let mut new = body(self);
        new["batch_id"] = json!(batch);
        let id = self.project(&self.street_admin, new).await;
        self.project_act(&self.street_admin, &id, "submit")
            .expect(200)
            .await;
        id
    }

    fn approve(&self, by: &User, project: &str, etag: &str) -> Call<'_> {
        self.project_act(by, project, "approve")
            .header("if-match", etag)
    }

    async fn etag(&self, by: &User, project: &str) -> String {
        let seen = self.server.get(&format!("/projects/{project}")).by(by);
        seen.expect(200).await.header("etag").unwrap().to_owned()
    }

    async fn approved(&self, project: &str) {
        let by = &self.district_admin;
        let approved = self.project_review(by, project, "approve", json!({})).await;
        assert_eq!(approved.status, 200, "{:#}", approved.json);
    }
}

#[actix_web::test]
async fn what_is_approved_as_its_batch_is_published_opens() {
    let t = town().await;
    for _ in 0..4 {
        let (_, batch) = t.batch().await;
        let first = t.submitted_in(&batch).await;
        t.approved(&first).await;
        let mut ids = Vec::new();
        for _ in 0..12 {
            let id = t.submitted_in(&batch).await;
            let etag = t.etag(&t.district_admin, &id).await;
            ids.push((id, etag));
        }
        let approve = |(id, etag): &(String, String)| t.approve(&t.district_admin, id, etag).send();
        let (sooner, later) = ids.split_at(4);
        let (sooner, published, later) = tokio::join!(
            join_all(sooner.iter().map(approve)),
            t.publish(&batch).send(),
            join_all(later.iter().map(approve)),
        );
        assert_eq!(published.status, 200, "{:#}", published.json);
        for answer in sooner.iter().chain(&later) {
            assert_eq!(answer.status, 200, "{:#}", answer.json);
        }
        for (id, _) in &ids {
            assert_eq!(t.status(id).await, "open");
        }
    }
}

#[actix_web::test]
async fn publishing_again_opens_what_is_approved_and_not_open_yet() {
    use diesel::prelude::*;
    use yiqilai::projects::campaigns::{BatchId, BatchStatus};
    use yiqilai::schema::batches;
    let t = town().await;
    let (_, batch) = t.batch().await;
    let id = t.submitted_in(&batch).await;
    t.approved(&id).await;
    let row: BatchId = batch.parse().unwrap();
    t.server
        .write(move |tx| {
            diesel::update(batches::table.find(row))
                .set(batches::status.eq(BatchStatus::Published))
                .execute(tx.conn)?;
            Ok(())
        })
        .await;
    t.publish(&batch).expect(200).await;
    assert_eq!(t.status(&id).await, "open");
    let before = t.etag(&t.district_admin, &id).await;
    t.publish(&batch).expect(200).await;
    assert_eq!(t.etag(&t.district_admin, &id).await, before, "once");
}

#[actix_web::test]
async fn an_approval_that_opened_the_project_is_answered_again_to_who_gave_it() {
    let t = town().await;
    let (_, batch) = t.batch().await;
    let first = t.submitted_in(&batch).await;
    t.approved(&first).await;
    t.publish(&batch).expect(200).await;
    let id = t.submitted_in(&batch).await;
    let etag = t.etag(&t.district_admin, &id).await;
    let approve = |by: &User| t.approve(by, &id, &etag);
    let opened = approve(&t.district_admin).expect(200).await;
    assert_eq!(opened.json["status"], "open");
    let again = approve(&t.district_admin).expect(200).await;
    assert_eq!(again.json, opened.json);
    let other = t
        .server
        .staff("示例·区管二", Role::RegionAdmin, Some(t.district))
        .await;
    approve(&other).refused(412, "version_mismatch").await;
    // once it went on, the approval is no answer any more
    let (a, leader) = t.active("示例·甲队").await;
    t.claim(&leader, &id, Some(&a)).expect(201).await;
    approve(&t.district_admin)
        .refused(412, "version_mismatch")
        .await;
}

#[actix_web::test]
async fn writers_hear_that_their_project_opened_with_its_batch() {
    let t = town().await;
    let (_, batch) = t.batch().await;
    let (host, manager) = t.active("示例·发起方").await;
    let theirs = t.submitted_in(&batch).await;
    t.approved(&theirs).await;
    let mut new = body(&t);
    new["batch_id"] = json!(batch);
    new["organization_id"] = json!(host);
    let submitted = async || {
        let id = t.project(&manager, new.clone()).await;
        t.project_act(&manager, &id, "submit").expect(200).await;
        id
    };
    let id = submitted().await;
    t.approved(&id).await;
    assert_eq!(t.told(&manager, "project_opened").await, 0);
    t.publish(&batch).expect(200).await;
    t.publish(&batch).expect(200).await;
    assert_eq!(t.told(&manager, "project_opened").await, 1);
    assert_eq!(t.told(&t.street_admin, "project_opened").await, 1);
    assert_eq!(t.told(&t.district_admin, "project_opened").await, 0);
    let later = submitted().await;
    t.approved(&later).await;
    assert_eq!(t.told(&manager, "project_opened").await, 2);
}

#[actix_web::test]
async fn a_project_is_cancelled_and_suspended_whatever_happens_to_its_claims() {
    let t = town().await;
    let mut people = Vec::new();
    for _ in 0..4 {
        people.push(t.server.person("示例·认领人").await);
    }
    let stop = |id: &str, verb: &str| {
        let call = t.project_act(&t.street_admin, id, verb);
        call.json(json!({"reason": "台风"}))
    };
    for _ in 0..8 {
        let id = t
            .open_project(json!({"allows_person": true, "claim_seats": 2}))
            .await;
        let (claims, cancelled) = tokio::join!(
            join_all(people.iter().map(|by| t.claim(by, &id, None).send())),
            stop(&id, "cancel").send()
        );
        assert_eq!(cancelled.status, 200, "{:#}", cancelled.json);
        let made = claims.iter().filter(|claim| claim.status == 201).count();
        let all = t.server.get(&format!("/projects/{id}/claims"));
        let all = all.by(&t.street_admin).expect(200).await;
        let all = all.json["items"].as_array().unwrap().clone();
        assert_eq!(all.len(), made);
        for claim in all {
            assert_eq!(claim["status"], "revoked");
        }
    }

    let (a, leader) = t.active("示例·甲队").await;
    let member = volunteer(&t.server, t.grid).await;
    for _ in 0..6 {
        let id = t.open_project(json!({})).await;
        let claim = t.executing(&leader, &id, &a).await;
        let asked = json!({"role_id": t.role(&id, 1).await});
        let place = t.crew(&member, &claim, asked).expect(201).await.id();
        t.place_act(&leader, &place, "accept").expect(200).await;
        let plan = json!({"plan": "改为每周日上午。"});
        let (changed, suspended) = tokio::join!(
            t.claim_act(&leader, &claim, "plan", plan).send(),
            stop(&id, "suspend").send(),
        );
        assert_eq!(suspended.status, 200, "{:#}", suspended.json);
        let outcome = (changed.status.as_u16(), &changed.json["code"]);
        let suspended_before = (409, &json!("project_suspended"));
        assert!(
            changed.status == 200 || outcome == suspended_before,
            "{:#}",
            changed.json
        );
        let (left, cancelled) = tokio::join!(
            t.place_act(&member, &place, "leave").send(),
            stop(&id, "cancel").send(),
        );
        assert_eq!(cancelled.status, 200, "{:#}", cancelled.json);
        assert!(matches!(left.status.as_u16(), 200 | 409), "{:#}", left.json);
    }
}

#[actix_web::test]
async fn an_organisation_that_may_not_act_publishes_nothing_and_its_region_stands_in() {
    let t = town().await;
    let (host, manager) = t.active("示例·发起方").await;
    let (a, leader) = t.active("示例·甲队").await;
    let (b, second) = t.active("示例·乙队").await;
    let mut new = body(&t);
    new["organization_id"] = json!(host);
    let reviewed = {
        let mut new = new.clone();
        new["claim_mode"] = json!("reviewed");
        new
    };
    let approved_of = async |new: &Value| {
        let id = t.project(&manager, new.clone()).await;
        t.project_act(&manager, &id, "submit").expect(200).await;
        t.approved(&id).await;
        id
    };
    let open_of = async |new: &Value| {
        let id = approved_of(new).await;
        t.project_act(&manager, &id, "open").expect(200).await;
        id
    };
    let draft = t.project(&manager, new.clone()).await;
    let approved = approved_of(&new).await;
    let (open, running) = (open_of(&reviewed).await, open_of(&new).await);
    let applied = t.claim(&leader, &open, Some(&a)).expect(201).await.id();
    let working = t.executing(&leader, &running, &a).await;

    let why = || json!({"reason": "年检未通过"});
    let suspended = t.review(&t.district_admin, &host, "suspend", why()).await;
    assert_eq!(suspended.status, 200, "{:#}", suspended.json);
    t.server.work().await;
    let barred = "organization_not_active";
    t.server
        .post("/projects")
        .by(&manager)
        .json(new.clone())
        .refused(409, barred)
        .await;
    let edited = t
        .patched(
            &manager,
            &format!("/projects/{draft}"),
            json!({"title": "示例·改名"}),
        )
        .await;
    assert_eq!(edited.json["code"], barred, "{:#}", edited.json);
    for (id, verb) in [
        (&draft, "submit"),
        (&draft, "cancel"),
        (&approved, "open"),
        (&open, "close-claims"),
        (&open, "cancel"),
        (&running, "suspend"),
    ] {
        let call = t.project_act(&manager, id, verb);
        let call = if matches!(verb, "cancel" | "suspend") {
            call.json(why())
        } else {
            call
        };
        call.refused(409, barred).await;
    }
    for (claim, verb, body) in [
        (&applied, "approve", json!({})),
        (&applied, "reject", why()),
        (&working, "revoke", why()),
    ] {
        t.claim_act(&manager, claim, verb, body)
            .refused(409, barred)
            .await;
    }
    for path in [
        format!("/projects/{draft}"),
        format!("/projects/{open}"),
        format!("/project-claims/{applied}"),
    ] {
        let seen = t.server.get(&path).by(&manager).expect(200).await;
        assert_eq!(seen.json["moves"], json!([]), "{path}");
    }
    t.claim(&second, &open, Some(&b))
        .refused(409, "publisher_not_active")
        .await;
    assert_eq!(
        t.claim(&leader, &open, Some(&a)).expect(201).await.id(),
        applied,
        "claimed before"
    );

    // the work goes on, and the region's staff decide
    t.report(&leader, &working).await;
    assert_eq!(t.told(&t.street_admin, "claim_reported").await, 1);
    t.claim_act(&manager, &working, "accept", json!({}))
        .refused(409, barred)
        .await;
    t.claim_act(&t.street_admin, &working, "accept", json!({}))
        .expect(200)
        .await;
    t.claim_act(&t.street_admin, &applied, "approve", json!({}))
        .expect(200)
        .await;
    t.project_act(&t.street_admin, &approved, "open")
        .expect(200)
        .await;
    t.project_act(&t.street_admin, &approved, "cancel")
        .json(why())
        .expect(200)
        .await;
    assert_eq!(t.told(&manager, "project_cancelled_of").await, 1);

    let reinstated = t.review(&t.district_admin, &host, "reinstate", json!({}));
    assert_eq!(reinstated.await.status, 200);
    t.claim(&second, &open, Some(&b)).expect(201).await;
    t.claim_act(&t.street_admin, &applied, "revoke", why())
        .refused(403, "forbidden")
        .await;
    t.claim_act(&manager, &applied, "revoke", why())
        .expect(200)
        .await;
}

#[actix_web::test]
async fn days_that_nobody_can_mean_are_refused() {
    let t = town().await;
    let id = t.project(&t.street_admin, body(&t)).await;
    let path = format!("/projects/{id}");
    let (campaign, batch) = t.batch().await;
    let out_of_range = |answer: &Answer, keys: &[&str]| {
        let named = keys.iter().map(|key| format!("/{key}"));
        let expected: Vec<_> = named.map(|at| (at, "range".to_owned())).collect();
        assert_eq!(answer.status, 422, "{:#}", answer.json);
        assert_eq!(fields(answer), expected);
    };
    for day in ["0000-01-01", "1999-12-31", "2076-11-24", "9999-12-31"] {
        let keys = ["ends_on", "insurance_from", "insurance_until", "starts_on"];
        let (mut new, mut change) = (body(&t), json!({}));
        for key in keys {
            new[key] = json!(day);
            change[key] = json!(day);
        }
        let made = t.server.post("/projects").by(&t.street_admin).json(new);
        out_of_range(&made.send().await, &keys);
        out_of_range(&t.patched(&t.street_admin, &path, change).await, &keys);

        let at = format!("{day}T08:00:00Z");
        let window = json!({"name": "示例·批次", "opens_at": at, "closes_at": at});
        let made = t
            .server
            .call(Method::POST, &format!("/campaigns/{campaign}/batches"));
        let made = made.by(&t.district_admin).json(window.clone()).send().await;
        out_of_range(&made, &["closes_at", "opens_at"]);
        let batch = format!("/batches/{batch}");
        let edited = t.patched(&t.district_admin, &batch, window).await;
        out_of_range(&edited, &["closes_at", "opens_at"]);
    }
    let last = json!({"starts_on": "2000-01-01", "ends_on": "2076-11-23"});
    let edited = t.patched(&t.street_admin, &path, last).await;
    assert_eq!(edited.status, 200, "{:#}", edited.json);
}
