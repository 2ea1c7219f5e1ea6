//! What a filing rests on goes on to hold after the review; who sees an organisation, and how many
//! one person may write down.

use chrono::TimeDelta;
use diesel::prelude::*;
use serde_json::{Value, json};
use yiqilai::identity::Role;

use crate::harness::{Answer, User};
use crate::organizations::{Town, codes, pairs, town, town_with};

const ADULT: &str = "11010519491231002X";
/// Born in 2020.
const CHILD: &str = "110105202001010015";

impl Town {
    async fn curing(&self, by: &User, id: &str) -> Value {
        self.read(by, id).await.json["involved"]["curing_until"].clone()
    }

    async fn inbox(&self, who: &User) -> String {
        let inbox = self.server.get("/me/notifications").by(who).expect(200);
        inbox.await.json.to_string()
    }

    async fn steps_of(&self, by: &User, id: &str) -> Vec<String> {
        let path = format!("/organizations/{id}/history");
        let history = self.server.get(&path).by(by).expect(200).await.json;
        let steps = history["items"].as_array().unwrap().iter();
        steps
            .map(|step| step["kind"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The ids that staff find in a region.
    async fn found(&self, by: &User, query: &str) -> Vec<Value> {
        let path = format!("/staff/organizations?{query}");
        let found = self.server.get(&path).by(by).expect(200).await.json;
        let items = found["items"].as_array().unwrap().iter();
        items.map(|item| item["id"].clone()).collect()
    }
}

fn wrong(answer: &Answer) -> Vec<(String, String)> {
    assert_eq!(answer.status, 422, "{:#}", answer.json);
    codes(answer)
}

#[actix_web::test]
async fn what_a_filing_rests_on_holds_over_every_edit() {
    let t = town().await;
    let (id, manager) = t.filed_and_active().await;
    let refused = [
        (json!({"venue_address": null}), "/venue_address", "required"),
        (
            json!({"venue_region_id": null}),
            "/venue_region_id",
            "required",
        ),
        (
            json!({"venue_region_id": t.district}),
            "/venue_region_id",
            "venue_outside_street",
        ),
        (json!({"venue_until": null}), "/venue_until", "required"),
        (
            json!({"venue_until": "2026-11-22"}),
            "/venue_until",
            "in_the_past",
        ),
        (
            json!({"responsible_id": null}),
            "/responsible_id",
            "required",
        ),
    ];
    let all_refused = async |by: &User| {
        for (body, pointer, code) in &refused {
            let told = wrong(&t.edit(by, &id, body.clone()).await);
            let expected = ((*pointer).to_owned(), (*code).to_owned());
            assert!(told.contains(&expected), "{body}: {told:?}");
        }
    };
    all_refused(&manager).await;
    let both = json!({"venue_address": null, "venue_until": null, "name": "别名"});
    let all = [
        ("/name", "settled_by_review"),
        ("/venue_address", "required"),
        ("/venue_until", "required"),
    ];
    assert_eq!(
        wrong(&t.edit(&manager, &id, both).await),
        pairs(&all),
        "all at once"
    );
    let moved = json!({"venue_address": "示例路2号", "venue_region_id": t.street, "venue_until": "2027-06-30"});
    assert_eq!(t.edit(&manager, &id, moved).await.status, 200);

    let reason = json!({"reason": "年检"});
    let suspended = t.review(&t.street_admin, &id, "suspend", reason).await;
    assert_eq!(suspended.status, 200, "{:#}", suspended.json);
    all_refused(&manager).await;
    let reinstated = t.review(&t.street_admin, &id, "reinstate", json!({})).await;
    assert_eq!(reinstated.status, 200, "{:#}", reinstated.json);

    // the venue's term ends by itself: that is to be mended, and does not stand in other edits' way
    t.server.pass(TimeDelta::days(220)).await;
    let manager = t.server.again(&manager).await;
    assert_ne!(t.curing(&manager, &id).await, Value::Null);
    let other = json!({"introduction": "邻里互助"});
    assert_eq!(t.edit(&manager, &id, other).await.status, 200);
    let past = json!({"venue_until": "2027-06-29"});
    let past = wrong(&t.edit(&manager, &id, past).await);
    assert_eq!(past, pairs(&[("/venue_until", "in_the_past")]));
    let mended = json!({"venue_until": "2028-06-30"});
    assert_eq!(t.edit(&manager, &id, mended).await.status, 200);
    assert_eq!(t.curing(&manager, &id).await, Value::Null);
}

#[actix_web::test]
async fn a_reviewer_notices_another_document() {
    let t = town().await;
    let (id, manager, _) = t.ready_to_file().await;
    let before = t.read(&manager, &id).await;
    let other = t.add_charter(&manager, &id).await;
    let url = other.json["url"].as_str().unwrap();
    let url = url.trim_start_matches("/api/v1");
    let added = t.read(&manager, &id).await;
    assert_ne!(added.header("etag"), before.header("etag"));
    let gone = t.server.call(reqwest::Method::DELETE, url).by(&manager);
    gone.json(json!({})).expect(204).await;
    let deleted = t.read(&manager, &id).await;
    assert_ne!(deleted.header("etag"), added.header("etag"));

    t.act(&manager, &id, "submit").expect(200).await;
    let seen = t.read(&t.street_admin, &id).await;
    let seen = seen.header("etag").unwrap().to_owned();
    assert_eq!(t.add_charter(&manager, &id).await.status, 201);
    t.act(&t.street_admin, &id, "approve")
        .header("if-match", &seen)
        .refused(412, "version_mismatch")
        .await;
    let looked_again = t.review(&t.street_admin, &id, "approve", json!({})).await;
    assert_eq!(looked_again.status, 200, "{:#}", looked_again.json);
}

#[actix_web::test]
async fn who_answers_for_a_filed_organisation_is_replaced_and_missed() {
    let t = town().await;
    let (id, manager, others) = t.ready_to_file().await;
    let has_number =
        async || t.read(&manager, &id).await.json["involved"]["has_responsible_number"].clone();
    // a number belongs to its person, in a draft too
    let another = json!({"responsible_id": others[0].0.id});
    assert_eq!(t.edit(&manager, &id, another).await.status, 200);
    assert_eq!(has_number().await, json!(false));
    let back = json!({"responsible_id": manager.id, "responsible_number": ADULT});
    assert_eq!(t.edit(&manager, &id, back).await.status, 200);
    t.join(&manager, &id, "member").await;
    t.act(&manager, &id, "submit").expect(200).await;
    let early = json!({"responsible_id": others[0].0.id, "responsible_number": ADULT});
    let early = wrong(&t.edit(&manager, &id, early).await);
    let settled = [
        ("/responsible_id", "settled_by_review"),
        ("/responsible_number", "settled_by_review"),
    ];
    assert_eq!(early, pairs(&settled), "under review");
    let approved = t.review(&t.street_admin, &id, "approve", json!({})).await;
    assert_eq!(approved.status, 200, "{:#}", approved.json);

    let stranger = t.server.person("示例·外人").await;
    for (body, expected) in [
        (
            json!({"responsible_id": others[0].0.id}),
            ("/responsible_number", "required"),
        ),
        (
            json!({"responsible_id": others[0].0.id, "responsible_number": CHILD}),
            ("/responsible_number", "responsible_under_age"),
        ),
        (
            json!({"responsible_id": others[0].0.id, "responsible_number": "1"}),
            ("/responsible_number", "resident_id_format"),
        ),
        (
            json!({"responsible_id": stranger.id, "responsible_number": ADULT}),
            ("/responsible_id", "responsible_not_member"),
        ),
        (
            json!({"responsible_id": uuid::Uuid::now_v7(), "responsible_number": ADULT}),
            ("/responsible_id", "unknown_reference"),
        ),
        (
            json!({"responsible_number": ADULT}),
            ("/responsible_number", "settled_by_review"),
        ),
    ] {
        let told = wrong(&t.edit(&manager, &id, body.clone()).await);
        assert_eq!(told, pairs(&[expected]), "{body}");
    }
    let replace = async |who: &User| {
        let body = json!({"responsible_id": who.id, "responsible_number": ADULT});
        let replaced = t.edit(&manager, &id, body).await;
        assert_eq!(replaced.status, 200, "{:#}", replaced.json);
        assert_eq!(
            replaced.json["involved"]["responsible_id"],
            json!(who.id),
            "{:#}",
            replaced.json
        );
    };
    replace(&others[0].0).await;
    let inbox = t.inbox(&t.street_admin).await;
    assert!(
        inbox.contains("organization_responsible_replaced"),
        "{inbox}"
    );
    assert!(!inbox.contains(ADULT));
    let kinds = t.steps_of(&manager, &id).await;
    assert!(kinds.contains(&"organization.replace_responsible".to_owned()));

    // enough members are left, and nobody who answers for them
    t.act(&others[0].0, &id, "leave").expect(204).await;
    assert_eq!(t.curing(&manager, &id).await, "2027-02-21T02:00:00Z");
    replace(&others[1].0).await;
    assert_eq!(t.curing(&manager, &id).await, Value::Null);
    t.join(&manager, &id, "member").await;
    let remove = format!("/organizations/{id}/members/{}/remove", others[1].1);
    let remove = t.server.post(&remove).by(&manager);
    remove
        .json(json!({"reason": "长期不参加活动"}))
        .expect(200)
        .await;
    assert_ne!(t.curing(&manager, &id).await, Value::Null);
    assert!(t.inbox(&manager).await.contains("organization_curing"));
    t.server.pass(TimeDelta::days(91)).await;
    let manager = t.server.again(&manager).await;
    assert_eq!(t.read(&manager, &id).await.json["status"], "suspended");
    // what stopped it is mended while it is stopped
    let body = json!({"responsible_id": manager.id, "responsible_number": ADULT});
    assert_eq!(t.edit(&manager, &id, body).await.status, 200);
    let street_admin = t.server.again(&t.street_admin).await;
    let reinstated = t.review(&street_admin, &id, "reinstate", json!({})).await;
    assert_eq!(reinstated.json["status"], "active", "{:#}", reinstated.json);
}

/// Everybody who belongs to an organisation hears what becomes of it, its managers who comes and goes.
#[actix_web::test]
async fn those_who_belong_to_an_organisation_hear_what_becomes_of_it() {
    let t = town().await;
    let (id, manager) = t.active("示例·志愿队").await;
    let (other, _) = t.join(&manager, &id, "manager").await;
    let (member, _) = t.join(&manager, &id, "member").await;
    let (leaving, _) = t.join(&manager, &id, "member").await;
    let person = t.server.person("示例·新人").await;
    let body = json!({"phone": person.phone, "name": "示例·新人", "role": "member"});
    let path = format!("/organizations/{id}/invitations");
    let invited = t.server.post(&path).by(&manager).json(body).expect(201);
    let path = format!("/me/invitations/{}/decline", invited.await.id());
    for _ in 0..2 {
        let decline = t.server.post(&path).by(&person).json(json!({}));
        decline.expect(200).await;
    }
    t.act(&leaving, &id, "leave").expect(204).await;
    let why = json!({"reason": "整改"});
    let suspended = t
        .review(&t.district_admin, &id, "suspend", why.clone())
        .await;
    assert_eq!(suspended.status, 200, "{:#}", suspended.json);
    let dissolve = t.act(&manager, &id, "dissolve").json(why);
    dissolve.expect(200).await;
    let times = |inbox: &str, kind: &str| inbox.matches(&format!("\"{kind}\"")).count();
    let kinds = [
        "organization_declined",
        "organization_left",
        "organization_suspended",
        "organization_dissolved",
    ];
    for (who, heard) in [
        (&manager, [1, 1, 1, 0]),
        (&other, [1, 1, 1, 1]),
        (&member, [0, 0, 1, 1]),
        (&leaving, [0; 4]),
        (&person, [0; 4]),
    ] {
        let inbox = t.inbox(who).await;
        assert_eq!(kinds.map(|kind| times(&inbox, kind)), heard, "{inbox}");
    }
}

#[actix_web::test]
async fn an_organisation_that_ends_takes_its_invitations_back() {
    let t = town().await;
    for ending in ["dissolve", "revoke"] {
        let (id, manager) = t.active("示例·志愿队").await;
        let person = t.server.person("示例·新人").await;
        let body = json!({"phone": person.phone, "name": "示例·新人", "role": "member"});
        let path = format!("/organizations/{id}/invitations");
        let invited = t.server.post(&path).by(&manager).json(body).expect(201);
        let invited = invited.await.id();
        let reason = json!({"reason": "不再活动"});
        let ended = match ending {
            "dissolve" => t.act(&manager, &id, ending).json(reason).send().await,
            _ => t.review(&t.district_admin, &id, ending, reason).await,
        };
        assert_eq!(ended.status, 200, "{:#}", ended.json);

        let mine = t.server.get("/me/invitations").by(&person).expect(200);
        assert_eq!(mine.await.json["items"], json!([]));
        let inbox = t.inbox(&person).await;
        assert!(inbox.contains("organization_invitation_over"), "{inbox}");
        let path = format!("/organizations/{id}/members?status=cancelled");
        let cancelled = t.server.get(&path).by(&manager).expect(200).await;
        assert_eq!(cancelled.json["items"][0]["id"], json!(invited));
        let member: uuid::Uuid = invited.parse().unwrap();
        let db = &t.server.app.platform.db;
        let last =
            db.read(move |conn| yiqilai::platform::journal::last_move(conn, "membership", member));
        assert_eq!(last.await.unwrap().unwrap().0, "membership.cancel");
        let accept = || {
            let path = format!("/me/invitations/{invited}/accept");
            t.server.post(&path).by(&person).json(json!({}))
        };
        accept().refused(409, "move_not_allowed").await;

        // one that was left open from before
        t.server
            .write(|tx| {
                use yiqilai::schema::organization_members::dsl;
                diesel::update(dsl::organization_members.filter(dsl::status.eq("cancelled")))
                    .set(dsl::status.eq("invited"))
                    .execute(tx.conn)?;
                Ok(())
            })
            .await;
        accept().refused(409, "organization_not_active").await;
        let path = format!("/me/invitations/{invited}/decline");
        let decline = t.server.post(&path).by(&person).json(json!({}));
        decline.expect(200).await;
    }
}

#[actix_web::test]
async fn staff_find_what_they_may_read_and_read_what_they_find() {
    let t = town_with(json!({"organizations": {"filing_members": 1}})).await;
    let manager = t.server.person("示例·负责人").await;
    let id = t.draft(&manager, t.filing()).await;
    let ready = json!({
        "responsible_id": manager.id, "responsible_number": ADULT, "venue_address": "示例路1号",
        "venue_region_id": t.grid, "venue_until": "2027-12-31",
    });
    assert_eq!(t.edit(&manager, &id, ready).await.status, 200);
    assert_eq!(t.add_charter(&manager, &id).await.status, 201);
    let staff = [&t.district_admin, &t.street_admin];
    let path = format!("/organizations/{id}");
    let listed = async |by: &User, status: &str| {
        let query = format!("region_id={}&status={status}", t.street);
        t.found(by, &query).await.contains(&json!(id))
    };
    for by in staff {
        assert!(!listed(by, "draft").await);
        t.server.get(&path).by(by).refused(404, "not_found").await;
        let documents = format!("{path}/documents");
        let documents = t.server.get(&documents).by(by);
        documents.refused(404, "not_found").await;
    }
    t.act(&manager, &id, "submit").expect(200).await;
    let documents = format!("{path}/documents");
    for by in staff {
        assert!(listed(by, "submitted").await);
        t.server.get(&documents).by(by).expect(200).await;
    }
    let above = t.read(&t.district_admin, &id).await.json;
    assert_eq!(above["moves"], json!([]), "the street alone reviews it");
    assert_eq!(above["involved"]["i_review"], false);
    let refused = t.review(&t.district_admin, &id, "approve", json!({})).await;
    assert_eq!(refused.json["code"], "forbidden");
    let street = t.read(&t.street_admin, &id).await.json;
    assert_eq!(street["moves"], json!(["return", "approve"]));
    let reason = json!({"reason": "请补充简介"});
    let returned = t.review(&t.street_admin, &id, "return", reason).await;
    assert_eq!(returned.status, 200, "{:#}", returned.json);
    for by in staff {
        assert!(listed(by, "returned").await);
        t.read(by, &id).await;
    }
    t.act(&manager, &id, "revise").expect(200).await;
    for by in staff {
        assert!(!listed(by, "draft").await);
        t.server.get(&path).by(by).refused(404, "not_found").await;
    }

    // staff find their own drafts
    let own = json!({"kind": "service_centre", "name": "示例·党群中心", "region_id": t.street});
    let own = t.draft(&t.district_admin, own).await;
    let query = format!("region_id={}&status=draft", t.street);
    assert_eq!(t.found(&t.district_admin, &query).await, [json!(own)]);
    assert!(t.found(&t.street_admin, &query).await.is_empty());
    let other = t
        .server
        .staff("示例·区管二", Role::RegionAdmin, Some(t.district))
        .await;
    let unseen = t.server.get(&format!("/organizations/{own}")).by(&other);
    unseen.refused(404, "not_found").await;
}

#[actix_web::test]
async fn one_person_fills_no_table_with_drafts() {
    let t = town_with(json!({"organizations": {"drafts_per_founder": 2}})).await;
    let founder = t.server.person("示例·发起人").await;
    let body = json!({"kind": "volunteer_team", "name": "示例·红马甲", "region_id": t.district});
    let create = || {
        let call = t.server.post("/organizations").by(&founder);
        call.json(body.clone())
    };
    let (first, second, third) = (create(), create(), create());
    let answers = tokio::join!(first.send(), second.send(), third.send());
    let answers = [answers.0, answers.1, answers.2];
    let made: Vec<_> = answers.iter().filter(|made| made.status == 201).collect();
    assert_eq!(made.len(), 2, "however many ask at once");
    create().refused(409, "too_many_drafts").await;
    t.act(&founder, &made[0].id(), "submit").expect(200).await;
    create().expect(201).await;
    create().refused(409, "too_many_drafts").await;
    let reason = json!({"reason": "不再筹建"});
    let dissolve = t.act(&founder, &made[1].id(), "dissolve").json(reason);
    dissolve.expect(200).await;
    create().expect(201).await;
    let other = t.server.person("示例·另一人").await;
    t.draft(&other, body.clone()).await;
}
