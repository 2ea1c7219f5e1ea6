//! Activities: writing, review, publishing, the clock, series, changes, cancelling.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Call, User};
use crate::organizations::{Town, pairs, town};
use crate::projects::{fields, volunteer};

/// A shift of Saturday, 28 November 2026, by the wall's clock in Ningbo.
pub fn shift(from: &str, to: &str, seats: i32) -> Value {
    let at = |time: &str| format!("2026-11-28T{time}:00+08:00");
    json!({"name": "引导员", "starts_at": at(from), "ends_at": at(to), "seats": seats})
}

impl Town {
    /// An organisation's own work on that Saturday from nine to eleven, two seats.
    pub fn own_work(&self, organization: &str) -> Value {
        json!({
            "organization_id": organization, "region_id": self.street, "title": "示例·社区清洁日",
            "summary": "一起打扫社区花园。", "life_cycle": "housing", "place": "示例路1号",
            "meeting_point": "北门", "longitude": 121.85, "latitude": 29.91,
            "risk_notice": "请穿防滑鞋。", "shifts": [shift("09:00", "11:00", 2)],
        })
    }

    pub fn write_activity(&self, by: &User, body: &Value, change: Value) -> Call<'_> {
        let mut body = body.clone();
        for (key, value) in change.as_object().unwrap() {
            body[key] = value.clone();
        }
        self.server.post("/activities").by(by).json(body)
    }

    pub fn activity_act(&self, by: &User, id: &str, verb: &str) -> Call<'_> {
        self.server
            .post(&format!("/activities/{id}/{verb}"))
            .by(by)
            .json(json!({}))
    }

    /// A published activity of an organisation, and the ids of its shifts.
    pub async fn published(
        &self,
        by: &User,
        organization: &str,
        change: Value,
    ) -> (String, Vec<String>) {
        let body = self.own_work(organization);
        let draft = self.write_activity(by, &body, change).expect(201).await;
        let id = draft.id();
        let published = self.activity_act(by, &id, "publish").expect(200).await.json;
        assert_eq!(published["status"], "published", "{published:#}");
        (id, shift_ids(&published))
    }

    pub async fn activity(&self, by: &User, id: &str) -> Value {
        let shown = self.server.get(&format!("/activities/{id}")).by(by);
        shown.expect(200).await.json
    }

    pub async fn edit_activity(&self, by: &User, id: &str, body: Value) -> Answer {
        self.patched(by, &format!("/activities/{id}"), body).await
    }

    /// A reviewer's move, with the version that it reads.
    async fn review_at(&self, by: &User, path: &str, verb: &str, body: Value) -> Answer {
        let seen = self.server.get(path).by(by).send().await;
        let etag = seen.header("etag").unwrap_or("\"1\"").to_owned();
        let call = self.server.post(&format!("{path}/{verb}")).by(by);
        call.json(body).header("if-match", &etag).send().await
    }

    async fn demand_review(&self, by: &User, region: uuid::Uuid, review: bool) -> Answer {
        let path = format!("/activity-policies/{region}");
        let put = self.server.call(Method::PUT, &path).by(by);
        put.json(json!({ "review": review })).send().await
    }

    async fn listed(&self, query: &str) -> Vec<String> {
        let found = self.server.get(&format!("/activities?{query}"));
        let found = found.expect(200).await.json;
        let items = found["items"].as_array().unwrap().iter();
        items
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect()
    }
}

pub fn shift_ids(activity: &Value) -> Vec<String> {
    let shifts = activity["shifts"].as_array().unwrap().iter();
    shifts
        .map(|shift| shift["id"].as_str().unwrap().to_owned())
        .collect()
}

#[actix_web::test]
async fn an_activity_goes_from_the_draft_to_its_settling() {
    let t = town().await;
    let (a, manager) = t.active("示例·甲队").await;
    let body = t.own_work(&a);
    let stranger = volunteer(&t.server, t.grid).await;
    t.write_activity(&stranger, &body, json!({}))
        .refused(403, "forbidden")
        .await;
    let bare = json!({"risk_notice": ""});
    let draft = t.write_activity(&manager, &body, bare).expect(201).await;
    let id = draft.id();
    assert_eq!(draft.json["status"], "draft");
    assert_eq!(draft.json["moves"], json!(["publish", "cancel"]));
    assert_eq!(
        draft.json["enrolment_closes_at"], "2026-11-28T01:00:00Z",
        "until it begins"
    );
    assert_eq!(draft.json["withdrawal_hours"], 24);
    let path = format!("/activities/{id}");
    t.server
        .get(&path)
        .by(&stranger)
        .refused(404, "not_found")
        .await;
    let refused = t
        .activity_act(&manager, &id, "publish")
        .refused(422, "invalid")
        .await;
    assert_eq!(
        fields(&refused),
        pairs(&[("/risk_notice", "risk_notice_missing")])
    );
    let edited = t
        .edit_activity(&manager, &id, json!({"risk_notice": "小心台阶"}))
        .await;
    assert_eq!(edited.status, 200, "{:#}", edited.json);
    let published = t.activity_act(&manager, &id, "publish").expect(200).await;
    assert_eq!(
        published.json["status"], "published",
        "no review is demanded"
    );
    t.activity_act(&manager, &id, "publish").expect(200).await;
    t.activity_act(&stranger, &id, "publish")
        .refused(403, "forbidden")
        .await;
    t.server.get(&path).expect(200).await;

    // found by all that one may look for
    for query in [
        "".to_owned(),
        format!("region_id={}", t.district),
        format!("organization_id={a}"),
        "text=花园&life_cycle=housing".to_owned(),
        "from=2026-11-28T02:59:00Z&until=2026-11-28T01:00:01Z".to_owned(),
        "longitude=121.852&latitude=29.912&radius_m=500".to_owned(),
        "with_seats=true&status=published".to_owned(),
    ] {
        assert_eq!(t.listed(&query).await, std::slice::from_ref(&id), "{query}");
    }
    for query in [
        format!("region_id={}", t.grid),
        "text=河道".to_owned(),
        "from=2026-11-28T03:00:00Z".to_owned(),
        "until=2026-11-28T01:00:00Z".to_owned(),
        "longitude=121.87&latitude=29.912&radius_m=500".to_owned(),
        "status=ongoing".to_owned(),
        "status=draft".to_owned(),
    ] {
        assert!(t.listed(&query).await.is_empty(), "{query}");
    }
    let half = t.server.get("/activities?longitude=121.85");
    half.refused(422, "invalid").await;
    let mine = t.server.get(&format!(
        "/me/activities?organization_id={a}&status=published"
    ));
    let mine = mine.by(&manager).expect(200).await;
    assert_eq!(mine.json["items"][0]["id"], json!(id));
    let theirs = t
        .server
        .get(&format!("/me/activities?organization_id={a}"))
        .by(&stranger);
    theirs.refused(404, "not_found").await;

    let close = |verb: &str| t.activity_act(&manager, &id, verb);
    assert_eq!(
        close("close-enrolment").expect(200).await.json["status"],
        "enrolment_closed"
    );
    assert_eq!(
        close("reopen-enrolment").expect(200).await.json["status"],
        "published"
    );
    close("settle").refused(409, "move_not_allowed").await;
    let status = async || t.server.get(&path).expect(200).await.json["status"].clone();
    // Saturday, one minute before nine, and nine
    t.server
        .pass(TimeDelta::hours(5 * 24 - 1) - TimeDelta::minutes(1))
        .await;
    assert_eq!(status().await, "published");
    t.server.pass(TimeDelta::minutes(1)).await;
    assert_eq!(status().await, "ongoing");
    t.server.pass(TimeDelta::minutes(119)).await;
    assert_eq!(status().await, "ongoing");
    t.server.pass(TimeDelta::minutes(1)).await;
    assert_eq!(status().await, "finished");
    let manager = t.server.again(&manager).await;
    let settled = t.activity_act(&manager, &id, "settle").expect(200).await;
    assert_eq!(settled.json["status"], "settled");
    t.activity_act(&manager, &id, "cancel")
        .json(json!({"reason": "晚了"}))
        .refused(409, "move_not_allowed")
        .await;
}

#[actix_web::test]
async fn what_is_wrong_with_an_activity_is_said_at_once() {
    let t = town().await;
    let (a, manager) = t.active("示例·甲队").await;
    let body = t.own_work(&a);
    let wrong = async |change: Value| {
        let refused = t.write_activity(&manager, &body, change);
        fields(&refused.refused(422, "invalid").await)
    };
    let both = json!({"organization_id": null});
    assert_eq!(wrong(both).await, pairs(&[("/claim_id", "one_of_two")]));
    let nowhere = json!({"region_id": null, "life_cycle": null});
    assert_eq!(
        wrong(nowhere).await,
        pairs(&[("/life_cycle", "required"), ("/region_id", "required")])
    );
    let mut upside_down = shift("11:00", "09:00", 1);
    upside_down["qualification"] = json!("magician");
    upside_down["skills"] = json!([{"skill": "magic"}]);
    let mut seconds = shift("09:00", "10:00", 1);
    seconds["starts_at"] = json!("2026-11-28T01:00:30Z");
    let mut long_ago = shift("09:00", "10:00", 1);
    long_ago["starts_at"] = json!("1926-11-28T01:00:00Z");
    let all = json!({
        "max_age": 17, "min_age": 18, "latitude": null,
        "volunteers_region_id": "01980000-0000-7000-8000-000000000000",
        "enrolment_closes_at": "2026-11-29T00:00:00Z",
        "shifts": [upside_down, seconds, long_ago, shift("08:00", "16:01", 1)],
    });
    let found = wrong(all).await;
    for expected in [
        ("/enrolment_closes_at", "range"),
        ("/longitude", "required"),
        ("/max_age", "range"),
        ("/shifts/0/ends_at", "ends_before_it_begins"),
        ("/shifts/0/qualification", "unknown_qualification"),
        ("/shifts/0/skills/0/skill", "unknown_skill"),
        ("/shifts/1/starts_at", "format"),
        ("/shifts/2/starts_at", "range"),
        ("/shifts/3/ends_at", "daily_cap"),
        ("/volunteers_region_id", "unknown_reference"),
    ] {
        assert!(
            found.contains(&pairs(&[expected])[0]),
            "{expected:?} in {found:?}"
        );
    }
    let no_shift = json!({"shifts": []});
    assert_eq!(wrong(no_shift).await, pairs(&[("/shifts", "length")]));

    // dangerous work is insured on its days; work with minors has two seats; nothing begins in the past
    let unfit = json!({
        "dangerous": true, "minors": true, "insurance_until": "2026-11-27",
        "shifts": [shift("09:00", "10:00", 1)],
    });
    let id = t
        .write_activity(&manager, &body, unfit)
        .expect(201)
        .await
        .id();
    let refused = t
        .activity_act(&manager, &id, "publish")
        .refused(422, "invalid")
        .await;
    assert_eq!(
        fields(&refused),
        pairs(&[
            ("/insurance_from", "insurance_gap"),
            ("/insurance_policy", "insurance_missing"),
            ("/insurance_until", "insurance_gap"),
            ("/shifts/0/seats", "two_adults"),
        ])
    );
    t.server.pass(TimeDelta::days(6)).await;
    let manager = t.server.again(&manager).await;
    let refused = t
        .activity_act(&manager, &id, "publish")
        .refused(422, "invalid")
        .await;
    let late = pairs(&[
        ("/enrolment_closes_at", "in_the_past"),
        ("/shifts", "in_the_past"),
    ]);
    assert!(late.iter().all(|pair| fields(&refused).contains(pair)));
}

#[actix_web::test]
async fn where_a_region_demands_a_review_somebody_else_publishes() {
    let t = town().await;
    let (a, manager) = t.active("示例·甲队").await;
    let refused = t.demand_review(&manager, t.street, true).await;
    assert_eq!(refused.json["code"], "forbidden");
    let set = t.demand_review(&t.street_admin, t.street, true).await;
    assert_eq!(
        (&set.json["review"], &set.json["is_own"]),
        (&json!(true), &json!(true))
    );
    let read = async |region: uuid::Uuid| {
        let path = format!("/activity-policies/{region}");
        t.server.get(&path).by(&manager).expect(200).await.json
    };
    let grid = read(t.grid).await;
    assert_eq!(
        (&grid["review"], &grid["is_own"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(read(t.district).await["review"], false);
    // the nearest says
    t.demand_review(&t.street_admin, t.grid, false).await;
    let elsewhere = json!({ "region_id": t.grid });
    let body = t.own_work(&a);
    let free = t
        .write_activity(&manager, &body, elsewhere)
        .expect(201)
        .await
        .id();
    let published = t.activity_act(&manager, &free, "publish").expect(200).await;
    assert_eq!(published.json["status"], "published");

    let id = t
        .write_activity(&manager, &body, json!({}))
        .expect(201)
        .await
        .id();
    assert_eq!(
        t.activity(&manager, &id).await["moves"],
        json!(["submit", "cancel"])
    );
    let publish = || t.activity_act(&manager, &id, "publish");
    let submitted = publish().expect(200).await;
    assert_eq!(submitted.json["status"], "submitted");
    assert_eq!(
        publish().expect(200).await.json["status"],
        "submitted",
        "the same again"
    );
    assert_eq!(t.told(&t.street_admin, "activity_submitted").await, 1);
    assert_eq!(
        t.told(&t.district_admin, "activity_submitted").await,
        0,
        "the nearest staff"
    );
    let queue = format!("/staff/activities?region_id={}", t.street);
    t.server
        .get(&queue)
        .by(&manager)
        .refused(404, "not_found")
        .await;
    let waiting = t.server.get(&queue).by(&t.street_admin).expect(200).await;
    assert_eq!(waiting.json["items"][0]["id"], json!(id));
    let refused = t
        .edit_activity(&manager, &id, json!({"title": "另一个"}))
        .await;
    assert_eq!(refused.json["code"], "move_not_allowed");

    let path = format!("/activities/{id}");
    let back = json!({"reason": "请写明集合地点"});
    let returned = t.review_at(&t.street_admin, &path, "return", back).await;
    assert_eq!(returned.json["status"], "returned", "{:#}", returned.json);
    assert_eq!(t.told(&manager, "activity_returned").await, 1);
    t.activity_act(&manager, &id, "revise").expect(200).await;
    publish().expect(200).await;
    let approve = t.activity_act(&t.street_admin, &id, "approve");
    approve.refused(428, "version_required").await;
    let approve = t.activity_act(&t.street_admin, &id, "approve");
    approve
        .header("if-match", "\"1\"")
        .refused(412, "version_mismatch")
        .await;
    let approved = t
        .review_at(&t.street_admin, &path, "approve", json!({}))
        .await;
    assert_eq!(approved.json["status"], "published", "{:#}", approved.json);
    assert_eq!(t.told(&manager, "activity_approved").await, 1);
    let locked = t
        .edit_activity(&manager, &id, json!({"title": "另一个", "minors": true}))
        .await;
    assert_eq!(
        fields(&locked),
        pairs(&[
            ("/minors", "settled_by_publishing"),
            ("/title", "settled_by_publishing")
        ])
    );

    // who runs the organisation does not review what it does
    let both = t.manager_who_reviews(&a, &manager).await;
    let id = t
        .write_activity(&both, &body, json!({}))
        .expect(201)
        .await
        .id();
    t.activity_act(&both, &id, "publish").expect(200).await;
    let own = t
        .review_at(&both, &format!("/activities/{id}"), "approve", json!({}))
        .await;
    assert_eq!(own.json["code"], "own_activity");
}

impl Town {
    /// Somebody who runs an organisation and administers the street.
    async fn manager_who_reviews(&self, organization: &str, manager: &User) -> User {
        let (user, _) = self.join(manager, organization, "manager").await;
        let (id, street) = (user.id, self.street);
        self.server
            .write(move |tx| {
                use yiqilai::identity::{Role, grant};
                use yiqilai::platform::journal::Actor;
                grant(tx, Actor::System, id, Role::RegionAdmin, Some(street))
            })
            .await;
        user
    }
}

#[actix_web::test]
async fn the_activities_of_a_claimed_project_follow_it() {
    let t = town().await;
    let (a, leader) = t.active("示例·甲队").await;
    let project = t.open_project(json!({"minors": true})).await;
    let claim = t.claim(&leader, &project, Some(&a)).expect(201).await.id();
    let at = |day: &str| {
        json!([{"name": "辅导员", "seats": 3, "starts_at": format!("{day}T01:00:00Z"),
                "ends_at": format!("{day}T03:00:00Z")}])
    };
    let body = json!({
        "claim_id": claim, "title": "示例·第一次活动", "summary": "见面会。", "place": "示例小学",
        "shifts": at("2026-12-05"),
    });
    let (_, other) = t.active("示例·乙队").await;
    t.write_activity(&other, &body, json!({}))
        .refused(403, "forbidden")
        .await;
    let early = t.write_activity(&leader, &body, json!({"shifts": at("2026-11-30")}));
    let early = early.refused(422, "invalid").await;
    assert_eq!(
        fields(&early),
        pairs(&[("/shifts/0/starts_at", "range")]),
        "before its project"
    );
    let draft = t
        .write_activity(&leader, &body, json!({}))
        .expect(201)
        .await;
    let id = draft.id();
    assert_eq!(draft.json["minors"], true, "as its project");
    assert_eq!(draft.json["risk_notice"], "请注意交通安全。");
    assert_eq!(draft.json["region_id"], json!(t.street));
    assert_eq!(draft.json["project_id"], json!(project));
    assert_eq!(draft.json["organization_id"], json!(a));
    let refused = t
        .edit_activity(&leader, &id, json!({"minors": false}))
        .await;
    assert_eq!(
        fields(&refused),
        pairs(&[("/minors", "settled_by_project")])
    );
    t.activity_act(&leader, &id, "publish").expect(200).await;
    assert_eq!(
        t.listed(&format!("project_id={project}")).await,
        std::slice::from_ref(&id)
    );

    // what ends the claim cancels what is left of it, and who would have come is told
    let person = t.born("1990-01-01").await;
    t.vet(&person).await;
    let shift = shift_ids(&t.activity(&leader, &id).await).remove(0);
    t.enrol(&person, &shift).expect(201).await;
    let why = json!({"reason": "人手不足"});
    t.claim_act(&leader, &claim, "withdraw", why)
        .expect(200)
        .await;
    t.server.work().await;
    assert_eq!(t.activity(&person, &id).await["status"], "cancelled");
    assert_eq!(t.told(&person, "activity_stopped").await, 1);
    assert_eq!(t.told(&leader, "activity_stopped_of").await, 1);
    let inbox = t.server.get("/me/notifications").by(&person);
    let inbox = inbox.expect(200).await.json.to_string();
    assert!(
        !inbox.contains("人手不足"),
        "why is not the volunteers': {inbox}"
    );
    let again = t.write_activity(&leader, &body, json!({}));
    again.refused(409, "lease_expired").await;

    // and so does the end of an organisation's standing
    let (id, shifts) = t.published(&leader, &a, json!({})).await;
    let finished = volunteer(&t.server, t.grid).await;
    t.enrol(&finished, &shifts[0]).expect(201).await;
    t.review(&t.district_admin, &a, "suspend", json!({"reason": "整改"}))
        .await;
    t.server.work().await;
    assert_eq!(t.activity(&finished, &id).await["status"], "cancelled");
    t.server
        .get(&format!("/activities/{id}"))
        .refused(404, "not_found")
        .await;
    let drafts = t.write_activity(&leader, &t.own_work(&a), json!({}));
    drafts.refused(409, "organization_not_active").await;
}

#[actix_web::test]
async fn a_series_goes_over_the_end_of_the_year_and_each_is_its_own() {
    let t = town().await;
    let (a, manager) = t.active("示例·甲队").await;
    let at = |from: &str, to: &str| json!({"name": "引导员", "starts_at": from, "ends_at": to, "seats": 1});
    // Thursday, Christmas Eve, from eleven at night over midnight, and the hour before
    let change = json!({
        "enrolment_opens_at": "2026-12-01T00:00:00Z",
        "shifts": [at("2026-12-24T14:00:00Z", "2026-12-24T15:00:00Z"),
                   at("2026-12-24T15:00:00Z", "2026-12-24T17:00:00Z")],
    });
    let body = t.own_work(&a);
    let draft = t
        .write_activity(&manager, &body, change)
        .expect(201)
        .await
        .id();
    let repeat = |by: &User, rule: Value| {
        let path = format!("/activities/{draft}/repeat");
        t.server.post(&path).by(by).json(rule)
    };
    for (rule, code) in [
        ("every week", "format"),
        ("FREQ=HOURLY;COUNT=2", "range"),
        ("FREQ=WEEKLY", "series_too_long"),
        ("FREQ=WEEKLY;BYDAY=FR;COUNT=2", "rule_misses_start"),
    ] {
        let refused = repeat(&manager, json!({ "rule": rule }))
            .refused(422, "invalid")
            .await;
        assert_eq!(fields(&refused), pairs(&[("/rule", code)]), "{rule}");
    }
    let rule = json!({
        "rule": "FREQ=WEEKLY;BYDAY=TH;COUNT=4", "exdates": ["2026-12-31"], "rdates": ["2027-01-02"],
    });
    let stranger = volunteer(&t.server, t.grid).await;
    repeat(&stranger, rule.clone())
        .refused(404, "not_found")
        .await;
    let made = repeat(&manager, rule.clone()).expect(201).await;
    let series = made.id();
    repeat(&manager, rule).refused(409, "in_series").await;
    let path = format!("/activity-series/{series}");
    t.server.get(&path).refused(404, "not_found").await;
    let of =
        async |by: &User| t.server.get(&path).by(by).expect(200).await.json["activities"].clone();
    let starts: Vec<_> = of(&manager)
        .await
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["starts_at"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        starts,
        [
            "2026-12-24T14:00:00Z",
            "2027-01-02T14:00:00Z",
            "2027-01-07T14:00:00Z",
            "2027-01-14T14:00:00Z"
        ]
    );
    let ids: Vec<_> = of(&manager)
        .await
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect();
    let third = t.activity(&manager, &ids[2]).await;
    assert_eq!(third["shifts"][1]["ends_at"], "2027-01-07T17:00:00Z");
    assert_eq!(
        third["enrolment_opens_at"], "2026-12-15T00:00:00Z",
        "as long before"
    );

    let act = |by: &User, verb: &str, body: Value| {
        t.server.post(&format!("{path}/{verb}")).by(by).json(body)
    };
    act(&stranger, "publish", json!({}))
        .refused(404, "not_found")
        .await;
    act(&manager, "publish", json!({})).expect(200).await;
    act(&manager, "publish", json!({})).expect(200).await; // the same again
    act(&stranger, "publish", json!({}))
        .refused(409, "move_not_allowed")
        .await;
    t.server.pass(TimeDelta::days(23)).await;
    let (manager, stranger) = (
        t.server.again(&manager).await,
        t.server.again(&stranger).await,
    );
    // the only seat of one is not that of the others
    for id in [&ids[0], &ids[2]] {
        let shifts = shift_ids(&t.activity(&stranger, id).await);
        let enrolled = t.enrol(&stranger, &shifts[1]).expect(201).await;
        assert_eq!(enrolled.json["status"], "confirmed");
    }
    // one is moved, one is cancelled
    let moved = json!({"shifts": [at("2027-01-15T14:00:00Z", "2027-01-15T15:00:00Z")]});
    assert_eq!(t.edit_activity(&manager, &ids[3], moved).await.status, 200);
    let cancel = t.activity_act(&manager, &ids[0], "cancel");
    cancel.json(json!({"reason": "节日"})).expect(200).await;
    t.server.work().await;
    assert_eq!(t.told(&stranger, "activity_cancelled").await, 1);
    let shown = of(&manager).await;
    assert_eq!(shown[0]["status"], "cancelled");
    assert_eq!(shown[2]["status"], "published");
    assert_eq!(
        shown[3]["recurs_at"], "2027-01-14T14:00:00Z",
        "where the rule has it"
    );
    assert_eq!(shown[3]["starts_at"], "2027-01-15T14:00:00Z");
    let public = t.server.get(&path).expect(200).await.json;
    assert_eq!(public["activities"].as_array().unwrap().len(), 3);
    act(&manager, "cancel", json!({"reason": "停办"}))
        .expect(200)
        .await;
    t.server.work().await;
    assert_eq!(t.told(&stranger, "activity_cancelled").await, 2);
    t.server.get(&path).refused(404, "not_found").await;
}

#[actix_web::test]
async fn a_series_is_reviewed_as_a_whole_or_one_by_one() {
    let t = town().await;
    let (a, manager) = t.active("示例·甲队").await;
    t.demand_review(&t.street_admin, t.street, true).await;
    let body = t.own_work(&a);
    let draft = t
        .write_activity(&manager, &body, json!({}))
        .expect(201)
        .await
        .id();
    let repeat = t
        .server
        .post(&format!("/activities/{draft}/repeat"))
        .by(&manager);
    let rule = json!({"rule": "FREQ=DAILY;COUNT=3"});
    let series = repeat.json(rule).expect(201).await.id();
    let path = format!("/activity-series/{series}");
    let publish = || {
        t.server
            .post(&format!("{path}/publish"))
            .by(&manager)
            .json(json!({}))
    };
    publish().expect(200).await;
    let approve = t
        .server
        .post(&format!("{path}/approve"))
        .by(&t.street_admin);
    approve
        .json(json!({}))
        .refused(428, "version_required")
        .await;
    let why = json!({"reason": "请补充"});
    let returned = t.review_at(&t.street_admin, &path, "return", why).await;
    assert_eq!(
        returned.json["activities"][2]["status"], "returned",
        "{:#}",
        returned.json
    );
    for one in returned.json["activities"].as_array().unwrap() {
        t.activity_act(&manager, one["id"].as_str().unwrap(), "revise")
            .expect(200)
            .await;
    }
    // a change of one of them makes what was read of the whole stale
    let seen = t.server.get(&path).by(&t.street_admin).expect(200).await;
    let edited = t
        .edit_activity(&manager, &draft, json!({"meeting_point": "南门"}))
        .await;
    assert_eq!(edited.status, 200);
    publish().expect(200).await;
    let approve = t
        .server
        .post(&format!("{path}/approve"))
        .by(&t.street_admin);
    let stale = approve
        .json(json!({}))
        .header("if-match", seen.header("etag").unwrap());
    stale.refused(412, "version_mismatch").await;
    let one = format!("/activities/{draft}");
    t.review_at(&t.street_admin, &one, "approve", json!({}))
        .await;
    let approved = t
        .review_at(&t.street_admin, &path, "approve", json!({}))
        .await;
    let all = approved.json["activities"].as_array().unwrap();
    assert!(
        all.iter().all(|one| one["status"] == "published"),
        "{all:?}"
    );
}

#[actix_web::test]
async fn a_copy_keeps_the_distances_and_nobody_stands_in_it() {
    let t = town().await;
    let (a, manager) = t.active("示例·甲队").await;
    let change = json!({"enrolment_closes_at": "2026-11-27T01:00:00Z"});
    let (id, shifts) = t.published(&manager, &a, change).await;
    let person = volunteer(&t.server, t.grid).await;
    t.enrol(&person, &shifts[0]).expect(201).await;
    t.server.pass(TimeDelta::days(6)).await;
    let manager = t.server.again(&manager).await;
    assert_eq!(t.activity(&manager, &id).await["status"], "finished");
    let copy = |at: &str| {
        let path = format!("/activities/{id}/copy");
        t.server
            .post(&path)
            .by(&manager)
            .json(json!({ "starts_at": at }))
    };
    copy("1999-01-01T00:00:00Z").refused(422, "invalid").await;
    let copied = copy("2027-02-28T15:30:00Z").expect(201).await.json;
    assert_eq!(copied["status"], "draft");
    assert_eq!(
        copied["shifts"][0]["ends_at"], "2027-02-28T17:30:00Z",
        "over midnight"
    );
    assert_eq!(copied["shifts"][0]["taken"], 0);
    assert_eq!(copied["enrolment_closes_at"], "2027-02-27T15:30:00Z");
    let person = t.server.again(&person).await;
    let path = format!("/activities/{id}/copy");
    let theirs = t.server.post(&path).by(&person);
    let theirs = theirs.json(json!({"starts_at": "2027-02-28T15:30:00Z"}));
    theirs.refused(403, "forbidden").await;
}

#[actix_web::test]
async fn work_with_minors_does_not_begin_without_two_vetted_adults() {
    let t = town().await;
    let (a, manager) = t.active("示例·甲队").await;
    let change =
        json!({"minors": true, "shifts": [shift("09:00", "10:00", 3), shift("10:00", "11:00", 3)]});
    let (id, shifts) = t.published(&manager, &a, change.clone()).await;
    let (other, other_shifts) = t.published(&manager, &a, change).await;
    let mut adults = Vec::new();
    for _ in 0..3 {
        let person = t.born("1990-02-28").await;
        t.vet(&person).await;
        adults.push(person);
    }
    // two from nine to ten, one from then on
    t.enrol(&adults[0], &shifts[0]).expect(201).await;
    t.enrol(&adults[0], &shifts[1]).expect(201).await;
    t.enrol(&adults[1], &shifts[0]).expect(201).await;
    t.server.pass(TimeDelta::hours(5 * 24 - 1)).await;
    let manager = t.server.again(&manager).await;
    let shown = t.activity(&manager, &id).await;
    assert_eq!(shown["status"], "ongoing", "the first shift has its two");
    let shown = t.activity(&manager, &other).await;
    assert_eq!(shown["status"], "enrolment_closed");
    assert_eq!(shown["held_up"], "adults_missing");
    let path = format!("/activities/{other}");
    let anybody = t.server.get(&path).expect(200).await;
    assert_eq!(anybody.json["held_up"], Value::Null);
    assert_eq!(t.told(&manager, "activity_held_up").await, 1);
    let inbox = t
        .server
        .get("/me/notifications")
        .by(&manager)
        .expect(200)
        .await;
    let texts = inbox.json["items"].to_string();
    assert!(texts.contains("2026-11-28 09:00"), "which shift: {texts}");
    // tried again, told once; then its time is over
    t.server.pass(TimeDelta::minutes(6)).await;
    assert_eq!(
        t.told(&t.server.again(&manager).await, "activity_held_up")
            .await,
        1
    );
    t.server.pass(TimeDelta::minutes(54)).await;
    let manager = t.server.refreshed(&manager).await;
    let person = t.server.again(&adults[2]).await;
    let too_late = t.enrol(&person, &other_shifts[1]);
    too_late.refused(409, "enrolment_too_late").await;
    t.activity_act(&manager, &other, "reopen-enrolment")
        .expect(200)
        .await;
    t.enrol(&person, &other_shifts[1]).expect(201).await;
    t.server.pass(TimeDelta::minutes(60)).await;
    let manager = t.server.refreshed(&manager).await;
    assert_eq!(t.activity(&manager, &id).await["status"], "finished");
    assert_eq!(t.activity(&manager, &other).await["status"], "cancelled");
    assert_eq!(t.told(&manager, "activity_not_held").await, 1);
    let person = t.server.again(&person).await;
    assert_eq!(t.told(&person, "activity_not_held").await, 1);
    t.activity_act(&manager, &other, "reopen-enrolment")
        .refused(409, "move_not_allowed")
        .await;

    // with two at every moment it begins
    let later = json!({"minors": true, "shifts": [
        {"name": "陪伴", "seats": 2, "starts_at": "2026-12-05T01:00:00Z", "ends_at": "2026-12-05T02:00:00Z"}]});
    let (id, shifts) = t.published(&manager, &a, later).await;
    for adult in &adults[..2] {
        let adult = t.server.again(adult).await;
        t.enrol(&adult, &shifts[0]).expect(201).await;
    }
    t.server
        .pass(TimeDelta::days(7) - TimeDelta::hours(2))
        .await;
    let manager = t.server.again(&manager).await;
    assert_eq!(t.activity(&manager, &id).await["status"], "ongoing");
}

#[actix_web::test]
async fn who_is_enrolled_hears_of_another_time_or_place_and_may_go() {
    let t = town().await;
    let (a, manager) = t.active("示例·甲队").await;
    let (id, shifts) = t
        .published(
            &manager,
            &a,
            json!({"shifts": [shift("09:00", "10:00", 2), shift("10:00", "11:00", 2)]}),
        )
        .await;
    let (_, noon) = t
        .published(
            &manager,
            &a,
            json!({"shifts": [shift("12:00", "13:00", 5)]}),
        )
        .await;
    let mut people = Vec::new();
    for _ in 0..3 {
        people.push(volunteer(&t.server, t.grid).await);
    }
    // the first has both hours; the second is busy at noon; the third waits for the first hour
    let first = t.enrol(&people[0], &shifts[0]).expect(201).await.id();
    t.enrol(&people[0], &shifts[1]).expect(201).await;
    t.enrol(&people[1], &shifts[0]).expect(201).await;
    t.enrol(&people[1], &noon[0]).expect(201).await;
    let third = t.enrol(&people[2], &shifts[0]).expect(201).await;
    assert_eq!(third.json["status"], "waitlisted");

    // Friday, 15:00: within the last day
    t.server.pass(TimeDelta::hours(4 * 24 + 5)).await;
    let manager = t.server.again(&manager).await;
    for person in &mut people {
        *person = t.server.again(person).await;
    }
    let mut later = [shift("11:00", "12:00", 2), shift("12:00", "13:00", 2)];
    for (n, shift) in later.iter_mut().enumerate() {
        shift["id"] = json!(shifts[n]);
    }
    // the second's hours collide now with nothing: 11-12 and noon are back to back
    let edited = t
        .edit_activity(
            &manager,
            &id,
            json!({"shifts": later, "place": "示例路2号"}),
        )
        .await;
    assert_eq!(edited.status, 200, "{:#}", edited.json);
    assert_eq!(edited.json["enrolment_closes_at"], "2026-11-28T03:00:00Z");
    t.server.work().await;
    for (n, times) in [(0, 2), (1, 1), (2, 1)] {
        assert_eq!(t.told(&people[n], "activity_changed").await, times);
        assert_eq!(t.told(&people[n], "enrolment_displaced").await, 0);
    }
    let mine = t.enrolments(&people[0]).await;
    assert!(
        mine.iter()
            .any(|one| one["starts_at"] == "2026-11-28T03:00:00Z"),
        "{mine:?}"
    );
    // less than a day before, and not late: it was changed a short while ago
    let gone = t
        .enrolment_act(&people[0], &first, "withdraw")
        .expect(200)
        .await;
    assert_eq!(gone.json["status"], "withdrawn");
    assert_eq!(t.told(&people[2], "enrolment_promoted").await, 1);

    // half an hour later it collides with noon
    let mut shift_one = later[0].clone();
    shift_one["starts_at"] = json!("2026-11-28T11:30:00+08:00");
    shift_one["ends_at"] = json!("2026-11-28T12:30:00+08:00");
    let collides = json!({"shifts": [shift_one, later[1]]});
    assert_eq!(t.edit_activity(&manager, &id, collides).await.status, 200);
    t.server.work().await;
    assert_eq!(t.told(&people[1], "enrolment_displaced").await, 1);
    let shown = t.activity(&manager, &id).await;
    assert_eq!(shown["shifts"][0]["taken"], 1, "the third holds one");

    // a shift that somebody stands in stays, with as many seats
    let refused = t
        .edit_activity(&manager, &id, json!({"shifts": [later[1]]}))
        .await;
    assert_eq!(refused.json["code"], "shift_in_use");
    // the third and somebody else hold two seats of the second hour
    let many = volunteer(&t.server, t.grid).await;
    t.enrol(&many, &shifts[1]).expect(201).await;
    let fewer = json!({"shifts": [json!(later[0]), {
        "id": shifts[1], "name": "引导员", "starts_at": later[1]["starts_at"],
        "ends_at": later[1]["ends_at"], "seats": 1}]});
    let refused = t.edit_activity(&manager, &id, fewer).await;
    assert_eq!(refused.json["code"], "shift_in_use", "{:#}", refused.json);
    let stale = t
        .server
        .call(Method::PATCH, &format!("/activities/{id}"))
        .by(&manager);
    let stale = stale
        .header("if-match", "\"1\"")
        .json(json!({"place": "别处"}));
    stale.refused(412, "version_mismatch").await;
    let unknown = json!({"shifts": [{"id": id, "name": "x", "starts_at": "2026-11-28T03:00:00Z",
        "ends_at": "2026-11-28T04:00:00Z", "seats": 1}]});
    let refused = t.edit_activity(&manager, &id, unknown).await;
    assert_eq!(
        fields(&refused),
        pairs(&[("/shifts/0/id", "unknown_reference")])
    );
}

#[actix_web::test]
async fn staff_of_the_region_cancel_what_is_published_there() {
    let t = town().await;
    let (a, manager) = t.active("示例·甲队").await;
    let body = t.own_work(&a);
    let draft = t
        .write_activity(&manager, &body, json!({}))
        .expect(201)
        .await
        .id();
    let cancel = |by: &User, id: &str| {
        t.activity_act(by, id, "cancel")
            .json(json!({"reason": "台风"}))
    };
    cancel(&t.street_admin, &draft)
        .refused(403, "forbidden")
        .await;
    let (id, shifts) = t.published(&manager, &a, json!({})).await;
    let mut people = Vec::new();
    for _ in 0..3 {
        let person = volunteer(&t.server, t.grid).await;
        t.enrol(&person, &shifts[0]).expect(201).await;
        people.push(person);
    }
    cancel(&people[0], &id).refused(403, "forbidden").await;
    let cancelled = cancel(&t.street_admin, &id).expect(200).await;
    assert_eq!(cancelled.json["status"], "cancelled");
    cancel(&t.street_admin, &id).expect(200).await;
    t.server.work().await;
    for person in &people {
        assert_eq!(
            t.told(person, "activity_cancelled").await,
            1,
            "who waited, too"
        );
        let mine = t.enrolments(person).await;
        assert_eq!(mine[0]["status"], "removed");
        assert_eq!(mine[0]["holds_seat"], false);
    }
    assert_eq!(t.told(&manager, "activity_cancelled_of").await, 1);
    let shown = t.activity(&manager, &id).await;
    assert_eq!(shown["shifts"][0]["taken"], 0);
    assert_eq!(shown["moves"], json!([]));
}

/// What keeps people from enrolling any more does not keep who organises it from telling them more.
#[actix_web::test]
async fn after_the_enrolment_the_rest_can_still_be_changed() {
    let t = town().await;
    let (a, manager) = t.active("示例·甲队").await;
    let early = json!({"enrolment_closes_at": "2026-11-27T09:00:00+08:00"});
    let (id, shifts) = t.published(&manager, &a, early).await;
    t.server.pass(TimeDelta::hours(4 * 24 + 1)).await;
    let manager = t.server.again(&manager).await;
    assert_eq!(
        t.activity(&manager, &id).await["status"],
        "enrolment_closed"
    );
    let change = json!({"meeting_point": "南门"});
    let changed = t.edit_activity(&manager, &id, change).await;
    assert_eq!(changed.status, 200, "{:#}", changed.json);
    assert_eq!(changed.json["meeting_point"], "南门");
    let past = json!({"enrolment_closes_at": "2026-11-27T10:00:00+08:00"});
    let refused = t.edit_activity(&manager, &id, past).await;
    assert_eq!(refused.status, 422);
    let wrong = ("/enrolment_closes_at".to_owned(), "in_the_past".to_owned());
    assert_eq!(refused.fields(), [wrong]);
    // a shift named twice is one too many
    let mut same = shift("09:00", "11:00", 2);
    same["id"] = json!(shifts[0]);
    let twice = json!({"shifts": [same.clone(), same]});
    let refused = t.edit_activity(&manager, &id, twice).await;
    let wrong = ("/shifts/1/id".to_owned(), "repeated".to_owned());
    assert_eq!(refused.fields(), [wrong], "{:#}", refused.json);
}

/// The region, whose staff review, is not free to choose: it follows the organisation or the project, and the
/// place.
#[actix_web::test]
async fn the_region_of_an_activity_follows_who_holds_it_and_where() {
    let t = town().await;
    let elsewhere = crate::regions::another_street(&t.server).await;
    let manager = t.server.person("示例·负责人").await;
    let body = json!({"kind": "volunteer_team", "name": "示例·街道队", "region_id": t.street});
    let a = t.draft(&manager, body).await;
    t.act(&manager, &a, "submit").expect(200).await;
    let approved = t.review(&t.street_admin, &a, "approve", json!({})).await;
    assert_eq!(approved.status, 200, "{:#}", approved.json);
    let body = t.own_work(&a);
    let wrong = async |change: Value| {
        let refused = t.write_activity(&manager, &body, change);
        fields(&refused.refused(422, "invalid").await)
    };
    let outside = pairs(&[("/region_id", "outside_its_region")]);
    for region in [elsewhere, t.district] {
        assert_eq!(wrong(json!({ "region_id": region })).await, outside);
    }
    // a part of it is named by the place
    let nowhere = json!({"region_id": t.grid, "longitude": null, "latitude": null});
    assert_eq!(wrong(nowhere).await, pairs(&[("/longitude", "required")]));
    let square = |west: f64, south: f64, east: f64, north: f64| {
        let ring = [
            [west, south],
            [east, south],
            [east, north],
            [west, north],
            [west, south],
        ];
        json!({"type": "Polygon", "coordinates": [ring]})
    };
    let grid = t.server.get(&format!("/regions/{}", t.grid)).expect(200);
    let grid = grid.await.json["code"].as_str().unwrap().to_owned();
    for (code, shape) in [
        ("330206002", square(121.80, 29.88, 121.90, 29.95)),
        ("330206003", square(121.65, 29.88, 121.79, 29.95)),
        (grid.as_str(), square(121.86, 29.92, 121.88, 29.94)),
    ] {
        let code = code.to_owned();
        t.server
            .write(move |tx| {
                use yiqilai::platform::journal::Actor;
                yiqilai::regions::set_polygon(tx, Actor::System, &code, &shape)
            })
            .await;
    }
    let elsewhere = json!({"longitude": 121.70});
    let misplaced = pairs(&[("/region_id", "place_elsewhere")]);
    assert_eq!(wrong(elsewhere).await, misplaced);
    // it is held in the street, and not in the grid whose name would spare it the review
    t.demand_review(&t.street_admin, t.street, true).await;
    t.demand_review(&t.street_admin, t.grid, false).await;
    assert_eq!(wrong(json!({ "region_id": t.grid })).await, misplaced);
    let there = json!({"region_id": t.grid, "longitude": 121.87, "latitude": 29.93});
    let id = t.write_activity(&manager, &body, there).expect(201).await;
    let moved = json!({"longitude": 121.85, "latitude": 29.91});
    let moved = t.edit_activity(&manager, &id.id(), moved).await;
    assert_eq!(fields(&moved), misplaced);

    // what the review has seen of place and risks stays as it was
    let id = t
        .write_activity(&manager, &body, json!({}))
        .expect(201)
        .await;
    let id = id.id();
    t.activity_act(&manager, &id, "publish").expect(200).await;
    let path = format!("/activities/{id}");
    t.review_at(&t.street_admin, &path, "approve", json!({}))
        .await;
    let change =
        json!({"place": "示例路9号", "risk_notice": "无", "longitude": 121.86, "latitude": 29.91});
    let refused = t.edit_activity(&manager, &id, change).await;
    assert_eq!(
        fields(&refused),
        pairs(&[
            ("/longitude", "settled_by_review"),
            ("/place", "settled_by_review"),
            ("/risk_notice", "settled_by_review"),
        ])
    );
    let rest = json!({"place": "示例路1号", "meeting_point": "南门"});
    let edited = t.edit_activity(&manager, &id, rest).await;
    assert_eq!(edited.status, 200, "{:#}", edited.json);
    t.demand_review(&t.street_admin, t.street, false).await;
    let edited = t
        .edit_activity(&manager, &id, json!({"place": "示例路9号"}))
        .await;
    assert_eq!(edited.status, 200, "{:#}", edited.json);
}
