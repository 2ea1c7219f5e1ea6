//! Projects: campaigns, batches, claims as leases, crews.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use yiqilai::identity::Role;

use crate::harness::{Answer, Call, Server, User};
use crate::organizations::{Town, town};

pub fn photo(shade: u8) -> reqwest::multipart::Form {
    let picture = image::RgbImage::from_pixel(40, 30, image::Rgb([shade, 90, 120]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::DynamicImage::ImageRgb8(picture)
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    let part = reqwest::multipart::Part::bytes(bytes.into_inner()).file_name("photo.png");
    reqwest::multipart::Form::new().part("photo", part)
}

pub fn body(t: &Town) -> Value {
    json!({
        "region_id": t.street, "title": "示例·一小时课外服务", "summary": "放学后一小时的陪伴。",
        "field": "education", "life_cycle": "education", "risk_notice": "请注意交通安全。",
        "starts_on": "2026-12-01", "ends_on": "2027-06-30", "longitude": 121.85, "latitude": 29.91,
        "roles": [
            {"name": "辅导员", "seats": 2, "skills": [{"skill": "education.homework", "required": true}],
             "hours": [{"weekday": 6, "from_minute": 540, "to_minute": 660}]},
            {"name": "现场协助", "seats": 1},
        ],
    })
}

impl Town {
    pub async fn project(&self, by: &User, body: Value) -> String {
        self.server
            .post("/projects")
            .by(by)
            .json(body)
            .expect(201)
            .await
            .id()
    }

    pub fn project_act(&self, by: &User, id: &str, verb: &str) -> Call<'_> {
        self.server
            .post(&format!("/projects/{id}/{verb}"))
            .by(by)
            .json(json!({}))
    }

    pub async fn project_review(&self, by: &User, id: &str, verb: &str, body: Value) -> Answer {
        let seen = self
            .server
            .get(&format!("/projects/{id}"))
            .by(by)
            .send()
            .await;
        let etag = seen.header("etag").unwrap_or("\"1\"").to_owned();
        let call = self
            .server
            .post(&format!("/projects/{id}/{verb}"))
            .by(by)
            .json(body);
        call.header("if-match", &etag).send().await
    }

    /// An open project outside of any batch, published by the street.
    pub async fn open_project(&self, change: Value) -> String {
        let mut body = body(self);
        for (key, value) in change.as_object().unwrap() {
            body[key] = value.clone();
        }
        let id = self.project(&self.street_admin, body).await;
        self.project_act(&self.street_admin, &id, "submit")
            .expect(200)
            .await;
        let approved = self
            .project_review(&self.district_admin, &id, "approve", json!({}))
            .await;
        assert_eq!(approved.json["status"], "approved", "{:#}", approved.json);
        let opened = self
            .project_act(&self.street_admin, &id, "open")
            .expect(200)
            .await;
        assert_eq!(opened.json["status"], "open");
        id
    }

    pub fn claim(&self, by: &User, project: &str, organization: Option<&str>) -> Call<'_> {
        let body = organization.map_or(json!({}), |id| json!({ "organization_id": id }));
        self.server
            .post(&format!("/projects/{project}/claims"))
            .by(by)
            .json(body)
    }

    pub fn claim_act(&self, by: &User, id: &str, verb: &str, body: Value) -> Call<'_> {
        self.server
            .post(&format!("/project-claims/{id}/{verb}"))
            .by(by)
            .json(body)
    }

    pub async fn status(&self, project: &str) -> String {
        let project = self
            .server
            .get(&format!("/projects/{project}"))
            .expect(200)
            .await;
        project.json["status"].as_str().unwrap().to_owned()
    }

    pub async fn claim_status(&self, by: &User, id: &str) -> Value {
        let claim = self
            .server
            .get(&format!("/project-claims/{id}"))
            .by(by)
            .expect(200)
            .await;
        claim.json["status"].clone()
    }

    pub async fn add_photo(&self, by: &User, claim: &str, shade: u8) -> String {
        let path = format!("/project-claims/{claim}/photos");
        self.server
            .post(&path)
            .by(by)
            .multipart(photo(shade))
            .expect(201)
            .await
            .id()
    }

    /// A claim that is being carried out.
    pub async fn executing(&self, by: &User, project: &str, organization: &str) -> String {
        let claim = self
            .claim(by, project, Some(organization))
            .expect(201)
            .await
            .id();
        self.claim_act(by, &claim, "plan", json!({"plan": "每周六上午。"}))
            .expect(200)
            .await;
        self.claim_act(by, &claim, "start", json!({}))
            .expect(200)
            .await;
        claim
    }
}

pub async fn volunteer(server: &Server, region: uuid::Uuid) -> User {
    let user = server.person("示例·志愿者").await;
    let profile = json!({
        "region_id": region, "introduction": "", "birth_date": null, "skills": [], "interests": [],
        "availability": [], "places": [],
    });
    server
        .call(Method::PUT, "/me/volunteer")
        .by(&user)
        .json(profile)
        .expect(200)
        .await;
    user
}

pub fn fields(answer: &Answer) -> Vec<(String, String)> {
    let mut fields = answer.fields();
    fields.sort();
    fields
}

#[actix_web::test]
async fn the_whole_story_of_a_batch() {
    let t = town().await;
    let campaign = json!({"region_id": t.district, "name": "微民生·益起来"});
    t.server
        .post("/campaigns")
        .by(&t.street_admin)
        .json(campaign.clone())
        .refused(403, "forbidden")
        .await;
    let campaign = t
        .server
        .post("/campaigns")
        .by(&t.district_admin)
        .json(campaign)
        .expect(201)
        .await
        .id();
    let window = json!({"name": "第一批", "opens_at": "2026-11-23T03:00:00Z", "closes_at": "2026-12-23T03:00:00Z"});
    let batches = format!("/campaigns/{campaign}/batches");
    let mut upside_down = window.clone();
    upside_down["closes_at"] = json!("2026-11-23T03:00:00Z");
    t.server
        .post(&batches)
        .by(&t.district_admin)
        .json(upside_down)
        .refused(422, "invalid")
        .await;
    let mut over = window.clone();
    over["opens_at"] = json!("2026-11-20T03:00:00Z");
    over["closes_at"] = json!("2026-11-22T03:00:00Z");
    let over = t.server.post(&batches).by(&t.district_admin).json(over);
    let named = over.refused(422, "invalid").await.fields();
    assert_eq!(named, [("/closes_at".to_owned(), "in_the_past".to_owned())]);
    let batch = t
        .server
        .post(&batches)
        .by(&t.district_admin)
        .json(window)
        .expect(201)
        .await;
    let publish = |by: &User| {
        t.server
            .post(&format!("/batches/{}/publish", batch.id()))
            .by(by)
            .json(json!({}))
    };
    let found = t.server.get("/campaigns").expect(200).await;
    assert_eq!(found.json["items"][0]["id"], campaign);
    t.server
        .get(&format!("/campaigns/{campaign}"))
        .expect(200)
        .await;
    let listed = t
        .server
        .get(&batches)
        .by(&t.district_admin)
        .expect(200)
        .await;
    assert_eq!(listed.json["items"][0]["status"], "draft");
    publish(&t.district_admin).refused(409, "batch_empty").await;

    let mut project = body(&t);
    project["batch_id"] = json!(batch.id());
    let id = t.project(&t.street_admin, project.clone()).await;
    t.server
        .get(&format!("/projects/{id}"))
        .refused(404, "not_found")
        .await;
    t.project_act(&t.street_admin, &id, "submit")
        .expect(200)
        .await;
    let own = t
        .project_review(&t.street_admin, &id, "approve", json!({}))
        .await;
    assert_eq!(
        own.json["code"], "own_project",
        "the author does not approve"
    );
    let queue = format!("/staff/projects?region_id={}", t.district);
    let waiting = t.server.get(&queue).by(&t.district_admin).expect(200).await;
    assert_eq!(waiting.json["items"][0]["id"], id);
    t.project_review(&t.district_admin, &id, "approve", json!({}))
        .await;
    t.project_act(&t.street_admin, &id, "open")
        .refused(409, "opens_with_its_batch")
        .await;
    assert_eq!(
        publish(&t.district_admin).expect(200).await.json["status"],
        "published"
    );
    publish(&t.district_admin).expect(200).await;
    assert_eq!(t.status(&id).await, "open");
    let second = t.project(&t.street_admin, project).await;
    t.project_act(&t.street_admin, &second, "submit")
        .expect(200)
        .await;
    let opened = t
        .project_review(&t.district_admin, &second, "approve", json!({}))
        .await;
    assert_eq!(
        opened.json["status"], "open",
        "its batch is published already"
    );

    let (organization, leader) = t.active("示例·港城志愿队").await;
    t.claim(&leader, &id, Some(&organization))
        .refused(409, "outside_claim_window")
        .await;
    let edit = json!({"opens_at": "2026-11-23T01:00:00Z"});
    let patch = t
        .server
        .call(Method::PATCH, &format!("/batches/{}", batch.id()));
    let seen = t
        .server
        .get(&format!("/batches/{}", batch.id()))
        .expect(200)
        .await;
    patch
        .by(&t.district_admin)
        .header("if-match", seen.header("etag").unwrap())
        .json(edit)
        .expect(200)
        .await;

    let claimed = t.claim(&leader, &id, Some(&organization)).expect(201).await;
    assert_eq!(
        (&claimed.json["status"], &claimed.json["seat"]),
        (&json!("approved"), &json!(1))
    );
    assert_eq!(
        claimed.json["involved"]["lease_until"], "2026-12-07T02:00:00Z",
        "fourteen days"
    );
    let claim = claimed.id();
    assert_eq!(
        t.claim(&leader, &id, Some(&organization))
            .expect(201)
            .await
            .id(),
        claim,
        "the same"
    );
    assert_eq!(t.status(&id).await, "claimed");
    let coverage = format!("/projects/coverage?region_id={}", t.district);
    let covered = t.server.get(&coverage).expect(200).await;
    assert_eq!(covered.json["uncovered"].as_array().unwrap().len(), 6);

    let person = volunteer(&t.server, t.grid).await;
    let shown = t.server.get(&format!("/projects/{id}")).expect(200).await;
    let role = &shown.json["roles"][0]["id"];
    let crew = format!("/project-claims/{claim}/crew");
    let applied = t
        .server
        .post(&crew)
        .by(&person)
        .json(json!({"role_id": role, "note": "周六有空"}))
        .expect(201)
        .await;
    let accept = format!("/crew-members/{}/accept", applied.id());
    t.server
        .post(&accept)
        .by(&person)
        .json(json!({}))
        .refused(403, "forbidden")
        .await;
    t.server
        .post(&accept)
        .by(&leader)
        .json(json!({}))
        .expect(200)
        .await;
    t.server
        .post(&accept)
        .by(&leader)
        .json(json!({}))
        .expect(200)
        .await;
    let shown = t.server.get(&format!("/projects/{id}")).expect(200).await;
    assert_eq!(shown.json["roles"][0]["filled"], 1);

    t.claim_act(&leader, &claim, "start", json!({}))
        .refused(409, "move_not_allowed")
        .await;
    t.claim_act(&leader, &claim, "plan", json!({"plan": "每周六上午。"}))
        .expect(200)
        .await;
    t.claim_act(&leader, &claim, "start", json!({}))
        .expect(200)
        .await;
    assert_eq!(t.status(&id).await, "running");
    let first = t.add_photo(&leader, &claim, 10).await;
    assert_eq!(
        t.add_photo(&leader, &claim, 10).await,
        first,
        "the same photo is added once"
    );
    let progress = json!({"body": "已开展第一次活动。", "photos": [first]});
    t.claim_act(
        &leader,
        &claim,
        "progress",
        json!({"body": "无图", "photos": []}),
    )
    .refused(422, "invalid")
    .await;
    t.claim_act(&leader, &claim, "progress", progress.clone())
        .expect(201)
        .await;
    let again = t
        .claim_act(&leader, &claim, "progress", progress)
        .refused(422, "invalid")
        .await;
    assert_eq!(
        fields(&again),
        [("/photos".to_owned(), "unknown_reference".to_owned())],
        "used already"
    );

    let last = t.add_photo(&leader, &claim, 99).await;
    let report = json!({"report": "全部完成。", "people_served": 120, "photos": [last]});
    t.claim_act(&leader, &claim, "report", report.clone())
        .expect(200)
        .await;
    assert_eq!(t.status(&id).await, "completing");
    t.claim_act(
        &t.street_admin,
        &claim,
        "send-back",
        json!({"reason": "请补充人数"}),
    )
    .expect(200)
    .await;
    assert_eq!(t.status(&id).await, "running");
    t.claim_act(&leader, &claim, "report", report)
        .expect(200)
        .await;
    t.claim_act(&leader, &claim, "accept", json!({}))
        .refused(403, "forbidden")
        .await;
    t.claim_act(&t.street_admin, &claim, "accept", json!({}))
        .expect(200)
        .await;
    assert_eq!(t.status(&id).await, "completed");
    t.project_act(&t.street_admin, &id, "archive")
        .expect(200)
        .await;

    let story = t
        .server
        .get(&format!("/project-claims/{claim}/progress"))
        .by(&person)
        .expect(200)
        .await;
    assert_eq!(story.json["progress"][0]["photos"][0]["id"], first);
    let url = story.json["report_photos"][0]["url"]
        .as_str()
        .unwrap()
        .trim_start_matches("/api/v1")
        .to_owned();
    let picture = t.server.get(&url).by(&person).expect(200).await;
    assert!(picture.bytes.starts_with(&[0xff, 0xd8]), "a JPEG");
    let small = t
        .server
        .get(&format!("{url}?thumbnail=true"))
        .by(&person)
        .expect(200)
        .await;
    assert!(!small.bytes.is_empty());
    let stranger = t.server.person("示例·路人").await;
    t.server
        .get(&url)
        .by(&stranger)
        .refused(403, "forbidden")
        .await;
    let steps = t
        .server
        .get(&format!("/projects/{id}/timeline"))
        .expect(200)
        .await;
    let kinds: Vec<_> = steps.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["kind"].as_str().unwrap().to_owned())
        .collect();
    for kind in [
        "project.submit",
        "project.open",
        "project_claim.approve",
        "project.start",
        "project_claim.accept",
        "project.complete",
        "project.archive",
    ] {
        assert!(kinds.iter().any(|k| k == kind), "{kind} in {kinds:?}");
    }
    let mine = t
        .server
        .get("/me/project-claims")
        .by(&leader)
        .expect(200)
        .await;
    assert_eq!(mine.json["items"][0]["status"], "fulfilled");
    let crews = t.server.get("/me/crews").by(&person).expect(200).await;
    assert_eq!(crews.json["items"][0]["project_id"], id);
}

#[actix_web::test]
async fn a_project_is_told_what_it_misses() {
    let t = town().await;
    let mut bare = body(&t);
    for key in ["risk_notice", "roles"] {
        bare.as_object_mut().unwrap().remove(key);
    }
    bare["dangerous"] = json!(true);
    bare["insurance_until"] = json!("2027-06-29");
    bare["insurance_from"] = json!("2026-12-01");
    let id = t.project(&t.street_admin, bare).await;
    let misses = t
        .project_act(&t.street_admin, &id, "submit")
        .refused(422, "invalid")
        .await;
    let expected = [
        ("/insurance_policy", "insurance_missing"),
        ("/insurance_until", "insurance_gap"),
        ("/risk_notice", "risk_notice_missing"),
        ("/roles", "required"),
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect();
    assert_eq!(fields(&misses), expected);

    let etag = t
        .server
        .get(&format!("/projects/{id}"))
        .by(&t.street_admin)
        .expect(200)
        .await;
    let edit = json!({
        "risk_notice": "高空作业。", "insurance_policy": "PICC-1", "insurance_until": "2027-06-30", "minors": true,
        "roles": [{"name": "导师", "seats": 1}],
    });
    let call = t
        .server
        .call(Method::PATCH, &format!("/projects/{id}"))
        .by(&t.street_admin)
        .json(edit);
    call.header("if-match", etag.header("etag").unwrap())
        .expect(200)
        .await;
    let misses = t
        .project_act(&t.street_admin, &id, "submit")
        .refused(422, "invalid")
        .await;
    assert_eq!(
        fields(&misses),
        [("/roles".to_owned(), "two_adults".to_owned())]
    );

    let mut wrong = body(&t);
    wrong["field"] = json!("nonsense");
    wrong["ends_on"] = json!("2026-11-30");
    wrong["roles"][0]["skills"][0]["skill"] = json!("flying");
    wrong["roles"][0]["hours"] = json!([{"weekday": 1, "from_minute": 600, "to_minute": 540}]);
    wrong["roles"][1]["qualification"] = json!("wizard");
    let refused = t
        .server
        .post("/projects")
        .by(&t.street_admin)
        .json(wrong)
        .refused(422, "invalid")
        .await;
    assert_eq!(refused.fields().len(), 5, "{:#}", refused.json);
    let stranger = t.server.person("示例·路人").await;
    t.server
        .post("/projects")
        .by(&stranger)
        .json(body(&t))
        .refused(403, "forbidden")
        .await;

    let id = t.project(&t.street_admin, body(&t)).await;
    t.project_act(&t.street_admin, &id, "submit")
        .expect(200)
        .await;
    let back = t
        .project_review(
            &t.district_admin,
            &id,
            "return",
            json!({"reason": "写清地点"}),
        )
        .await;
    assert_eq!(back.json["status"], "returned");
    t.project_act(&t.street_admin, &id, "revise")
        .expect(200)
        .await;
    let mine = t
        .server
        .get("/me/projects?status=draft")
        .by(&t.street_admin)
        .expect(200)
        .await;
    assert_eq!(mine.json["items"][0]["id"], id);
}

#[actix_web::test]
async fn fifty_claim_the_last_seat_and_one_has_it() {
    let t = town().await;
    let id = t.open_project(json!({"allows_person": true})).await;
    let mut people = Vec::new();
    for _ in 0..50 {
        people.push(t.server.person("示例·认领人").await);
    }
    let claims = people
        .iter()
        .map(|person| t.claim(person, &id, None).send());
    let answers = futures_util::future::join_all(claims).await;
    let mut statuses: Vec<_> = answers
        .iter()
        .map(|a| {
            (
                a.status.as_u16(),
                a.json["status"].as_str().unwrap_or_default().to_owned(),
            )
        })
        .collect();
    statuses.sort();
    assert_eq!(
        statuses.iter().filter(|(_, s)| s == "approved").count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(
        statuses.iter().filter(|(_, s)| s == "waitlisted").count(),
        49,
        "{statuses:?}"
    );
    let all = t
        .server
        .get(&format!("/projects/{id}/claims"))
        .by(&t.street_admin)
        .expect(200)
        .await;
    let mut positions: Vec<_> = all.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|claim| claim["involved"]["position"].as_i64())
        .collect();
    positions.sort_unstable();
    assert_eq!(positions, (1..=49).collect::<Vec<_>>());
    let public = t
        .server
        .get(&format!("/projects/{id}/claims"))
        .expect(200)
        .await;
    assert_eq!(
        public.json["items"].as_array().unwrap().len(),
        1,
        "the line is nobody's business"
    );
}

#[actix_web::test]
async fn a_seat_that_gets_free_goes_to_the_first_who_is_still_eligible() {
    let t = town().await;
    let id = t.open_project(json!({})).await;
    let (a, first) = t.active("示例·甲队").await;
    let (b, second) = t.active("示例·乙队").await;
    let (c, third) = t.active("示例·丙队").await;
    let held = t.claim(&first, &id, Some(&a)).expect(201).await.id();
    let line_b = t.claim(&second, &id, Some(&b)).expect(201).await;
    assert_eq!(line_b.json["involved"]["position"], 1);
    let line_c = t.claim(&third, &id, Some(&c)).expect(201).await.id();
    // the first in line reaches its limit elsewhere
    for _ in 0..3 {
        let other = t.open_project(json!({})).await;
        t.claim(&second, &other, Some(&b)).expect(201).await;
    }
    let other = t.open_project(json!({})).await;
    t.claim(&second, &other, Some(&b))
        .refused(409, "claim_limit_reached")
        .await;
    t.claim_act(&first, &held, "withdraw", json!({"reason": "人手不足"}))
        .expect(200)
        .await;
    assert_eq!(t.claim_status(&third, &line_c).await, "approved");
    assert_eq!(
        t.claim_status(&second, &line_b.id()).await,
        "waitlisted",
        "keeps its place"
    );
    assert_eq!(t.status(&id).await, "claimed");
    let inbox = t
        .server
        .get("/me/notifications")
        .by(&third)
        .expect(200)
        .await;
    assert!(inbox.json.to_string().contains("claim_approved"));
    t.claim_act(
        &t.street_admin,
        &line_c,
        "revoke",
        json!({"reason": "不符合要求"}),
    )
    .expect(200)
    .await;
    assert_eq!(t.status(&id).await, "open", "nobody in line is eligible");
}

#[actix_web::test]
async fn suspending_an_organisation_releases_its_claims() {
    let t = town().await;
    let id = t.open_project(json!({})).await;
    let (a, first) = t.active("示例·甲队").await;
    let (b, second) = t.active("示例·乙队").await;
    let held = t.executing(&first, &id, &a).await;
    let waiting = t.claim(&second, &id, Some(&b)).expect(201).await.id();
    let suspended = t
        .review(
            &t.district_admin,
            &a,
            "suspend",
            json!({"reason": "年检未通过"}),
        )
        .await;
    assert_eq!(suspended.status, 200);
    t.server.work().await;
    assert_eq!(t.claim_status(&first, &held).await, "revoked");
    assert_eq!(t.claim_status(&second, &waiting).await, "approved");
    assert_eq!(
        t.status(&id).await,
        "claimed",
        "somebody new, who has not begun"
    );
    t.claim(&first, &id, Some(&a))
        .refused(409, "organization_not_active")
        .await;
    t.server.work().await;
    assert_eq!(
        t.claim_status(&second, &waiting).await,
        "approved",
        "reacting again changes nothing"
    );
}

#[actix_web::test]
async fn a_late_reaction_to_a_suspension_leaves_a_reinstated_organisation_alone() {
    let t = town().await;
    let (a, leader) = t.active("示例·甲队").await;
    let reason = json!({"reason": "年检未通过"});
    for (verb, body) in [("suspend", reason.clone()), ("reinstate", json!({}))] {
        let done = t.review(&t.district_admin, &a, verb, body).await;
        assert_eq!(done.status, 200, "{:#}", done.json);
    }
    let id = t.open_project(json!({})).await;
    let claim = t.claim(&leader, &id, Some(&a)).expect(201).await.id();
    t.server.work().await;
    assert_eq!(t.claim_status(&leader, &claim).await, "approved");
    assert_eq!(t.told(&leader, "claim_revoked").await, 0);
    let suspended = t.review(&t.district_admin, &a, "suspend", reason).await;
    assert_eq!(suspended.status, 200, "{:#}", suspended.json);
    t.server.work().await;
    assert_eq!(t.claim_status(&leader, &claim).await, "revoked");
}

#[actix_web::test]
async fn a_lease_ends_with_warnings_unless_progress_renews_it() {
    let t = town().await;
    let id = t.open_project(json!({})).await;
    let (organization, leader) = t.active("示例·甲队").await;
    let claim = t.executing(&leader, &id, &organization).await;
    t.server.pass(TimeDelta::days(11)).await;
    let leader = t.server.again(&leader).await;
    let warnings = t.told(&leader, "claim_lease_ending").await;
    assert_eq!(warnings, 1, "three days before");
    let photo = t.add_photo(&leader, &claim, 1).await;
    t.claim_act(
        &leader,
        &claim,
        "progress",
        json!({"body": "进展顺利。", "photos": [photo]}),
    )
    .expect(201)
    .await;
    t.server.pass(TimeDelta::days(5)).await;
    let leader = t.server.again(&leader).await;
    assert_eq!(
        t.claim_status(&leader, &claim).await,
        "executing",
        "renewed"
    );
    t.server.pass(TimeDelta::days(9)).await;
    let leader = t.server.again(&leader).await;
    assert_eq!(t.claim_status(&leader, &claim).await, "expired");
    assert_eq!(t.status(&id).await, "open");
    let photos = format!("/project-claims/{claim}/photos");
    t.server
        .post(&photos)
        .by(&leader)
        .multipart(crate::projects::photo(200))
        .refused(409, "move_not_allowed")
        .await;
}

#[actix_web::test]
async fn after_a_standstill_one_reminder_comes_or_none() {
    for (days, warnings) in [(13, 1), (14, 0)] {
        let t = town().await;
        let (a, leader) = t.active("示例·甲队").await;
        let id = t.open_project(json!({})).await;
        t.claim(&leader, &id, Some(&a)).expect(201).await;
        let time = TimeDelta::days(days) + TimeDelta::hours(1);
        t.server.app.platform.clock.advance(time);
        if days == 14 {
            let remind = yiqilai::projects::claims::remind;
            t.server.jobs_first("claim.remind", remind).await;
        }
        t.server.work().await;
        let leader = t.server.again(&leader).await;
        assert_eq!(t.told(&leader, "claim_lease_ending").await, warnings);
    }
}

#[actix_web::test]
async fn expiry_against_renewal_has_one_winner() {
    for round in 0..4 {
        let t = town().await;
        let (organization, leader) = t.active("示例·甲队").await;
        let id = t.open_project(json!({})).await;
        let claim = t.executing(&leader, &id, &organization).await;
        let photo = t.add_photo(&leader, &claim, round).await;
        // a heartbeat before the end, and at it: while the renewal runs the clock goes over it
        let clock = &t.server.app.platform.clock;
        let before = TimeDelta::milliseconds(if round % 2 == 0 { 1 } else { 0 });
        clock.advance(TimeDelta::days(14) - before);
        let leader = t.server.refreshed(&leader).await;
        let body = json!({"body": "最后一刻。", "photos": [photo]});
        let (renewal, _) = tokio::join!(
            t.claim_act(&leader, &claim, "progress", body).send(),
            async {
                clock.advance(before);
                t.server.work().await;
            }
        );
        let status = t.claim_status(&leader, &claim).await;
        let outcome = (renewal.status.as_u16(), status.as_str().unwrap().to_owned());
        let one_winner = [(201, "executing".to_owned()), (409, "expired".to_owned())];
        assert!(
            one_winner.contains(&outcome),
            "{outcome:?} {:#}",
            renewal.json
        );
    }
}

#[actix_web::test]
async fn reviewed_claims_compete_and_the_others_wait() {
    let t = town().await;
    let id = t.open_project(json!({"claim_mode": "reviewed"})).await;
    let (a, first) = t.active("示例·甲队").await;
    let (b, second) = t.active("示例·乙队").await;
    let (c, third) = t.active("示例·丙队").await;
    let claim_a = t.claim(&first, &id, Some(&a)).expect(201).await;
    assert_eq!(claim_a.json["status"], "applied");
    let claim_b = t.claim(&second, &id, Some(&b)).expect(201).await.id();
    let claim_c = t.claim(&third, &id, Some(&c)).expect(201).await.id();
    t.claim_act(&first, &claim_b, "approve", json!({}))
        .refused(404, "not_found")
        .await;
    t.claim_act(
        &t.street_admin,
        &claim_c,
        "reject",
        json!({"reason": "经验不足"}),
    )
    .expect(200)
    .await;
    t.claim_act(&t.street_admin, &claim_b, "approve", json!({}))
        .expect(200)
        .await;
    t.claim_act(&t.street_admin, &claim_b, "approve", json!({}))
        .expect(200)
        .await;
    let waiting = t
        .server
        .get(&format!("/project-claims/{}", claim_a.id()))
        .by(&first)
        .expect(200)
        .await;
    assert_eq!(
        (
            &waiting.json["status"],
            &waiting.json["involved"]["position"]
        ),
        (&json!("waitlisted"), &json!(1))
    );
    t.claim_act(&t.street_admin, &claim_a.id(), "approve", json!({}))
        .refused(409, "capacity_full")
        .await;
    t.claim_act(&second, &claim_b, "withdraw", json!({"reason": "改期"}))
        .expect(200)
        .await;
    assert_eq!(t.claim_status(&first, &claim_a.id()).await, "approved");
    let reasons = t
        .server
        .get("/me/notifications")
        .by(&third)
        .expect(200)
        .await;
    assert!(
        reasons.json.to_string().contains("经验不足"),
        "no refusal without its reason"
    );
}

#[actix_web::test]
async fn who_may_claim_is_said_with_a_code() {
    let t = town().await;
    let (organization, manager) = t.active("示例·发布队").await;
    let mut theirs = body(&t);
    theirs["organization_id"] = json!(organization);
    let id = t.project(&manager, theirs).await;
    t.project_act(&manager, &id, "submit").expect(200).await;
    t.project_review(&t.street_admin, &id, "approve", json!({}))
        .await;
    t.project_act(&manager, &id, "open").expect(200).await;
    t.claim(&manager, &id, Some(&organization))
        .refused(403, "own_project")
        .await;
    t.claim(&manager, &id, None)
        .refused(403, "no_persons")
        .await;
    let (other, leader) = t.active("示例·认领队").await;
    t.claim(&manager, &id, Some(&other))
        .refused(403, "forbidden")
        .await;
    let claim = t.claim(&leader, &id, Some(&other)).expect(201).await.id();
    t.claim_act(&t.street_admin, &claim, "revoke", json!({"reason": "…"}))
        .refused(403, "forbidden")
        .await;
    t.claim_act(&manager, &claim, "revoke", json!({"reason": "更换承接方"}))
        .expect(200)
        .await;
    let found = t
        .server
        .get(&format!("/projects?organization_id={organization}"))
        .expect(200)
        .await;
    assert_eq!(found.json["items"][0]["id"], id);
    let own = t
        .server
        .get(&format!("/me/projects?organization_id={organization}"))
        .by(&manager)
        .expect(200)
        .await;
    assert_eq!(own.json["items"][0]["id"], id);
    t.server
        .get(&format!("/me/projects?organization_id={organization}"))
        .by(&leader)
        .refused(404, "not_found")
        .await;
}

#[actix_web::test]
async fn suspension_stops_the_clock_and_cancelling_ends_the_claims() {
    let t = town().await;
    let id = t.open_project(json!({})).await;
    let (organization, leader) = t.active("示例·甲队").await;
    let claim = t.executing(&leader, &id, &organization).await;
    let reason = json!({"reason": "台风"});
    t.project_act(&t.street_admin, &id, "suspend")
        .json(reason.clone())
        .expect(200)
        .await;
    t.claim_act(
        &leader,
        &claim,
        "report",
        json!({"report": "完成", "people_served": 1, "photos": [uuid::Uuid::nil()]}),
    )
    .refused(409, "project_suspended")
    .await;
    t.server.pass(TimeDelta::days(20)).await;
    let leader = t.server.again(&leader).await;
    let street_admin = t.server.again(&t.street_admin).await;
    assert_eq!(
        t.claim_status(&leader, &claim).await,
        "executing",
        "the lease stands still"
    );
    t.project_act(&street_admin, &id, "resume")
        .expect(200)
        .await;
    let claim_now = t
        .server
        .get(&format!("/project-claims/{claim}"))
        .by(&leader)
        .expect(200)
        .await;
    assert_eq!(
        claim_now.json["involved"]["lease_until"], "2026-12-27T02:00:00Z",
        "begins anew"
    );
    t.project_act(&street_admin, &id, "cancel")
        .json(reason)
        .expect(200)
        .await;
    t.server
        .get(&format!("/projects/{id}"))
        .refused(404, "not_found")
        .await;
    let mine = t
        .server
        .get("/me/project-claims")
        .by(&leader)
        .expect(200)
        .await;
    assert_eq!(mine.json["items"][0]["status"], "revoked");
}

#[actix_web::test]
async fn a_crew_comes_by_application_and_invitation_and_nobody_is_assigned() {
    let t = town().await;
    let id = t.open_project(json!({})).await;
    let (organization, leader) = t.active("示例·甲队").await;
    let claim = t
        .claim(&leader, &id, Some(&organization))
        .expect(201)
        .await
        .id();
    let shown = t.server.get(&format!("/projects/{id}")).expect(200).await;
    let (two_seats, one_seat) = (&shown.json["roles"][0]["id"], &shown.json["roles"][1]["id"]);
    let crew = |by: &User, body: Value| {
        t.server
            .post(&format!("/project-claims/{claim}/crew"))
            .by(by)
            .json(body)
    };
    let act = |by: &User, id: &str, verb: &str| {
        t.server
            .post(&format!("/crew-members/{id}/{verb}"))
            .by(by)
            .json(json!({}))
    };
    let why = json!({"reason": "人数已满"});
    let newcomer = t.server.person("示例·新人").await;
    crew(&newcomer, json!({"role_id": one_seat}))
        .refused(409, "profile_required")
        .await;
    let (ann, ben, cai) = (
        volunteer(&t.server, t.grid).await,
        volunteer(&t.server, t.grid).await,
        volunteer(&t.server, t.grid).await,
    );
    let applied_a = crew(&ann, json!({"role_id": one_seat}))
        .expect(201)
        .await
        .id();
    assert_eq!(
        crew(&ann, json!({"role_id": one_seat}))
            .expect(201)
            .await
            .id(),
        applied_a
    );
    crew(&ann, json!({"role_id": two_seats}))
        .refused(409, "in_crew_already")
        .await;
    let applied_b = crew(&ben, json!({"role_id": one_seat}))
        .expect(201)
        .await
        .id();
    // two clicks of the leader for one seat
    let (a, b) = tokio::join!(
        act(&leader, &applied_a, "accept").send(),
        act(&leader, &applied_b, "accept").send()
    );
    let mut outcomes = [a.status.as_u16(), b.status.as_u16()];
    outcomes.sort_unstable();
    assert_eq!(outcomes, [200, 409], "{:#} {:#}", a.json, b.json);
    let (seated, seat, other, open) = if a.status == 200 {
        (&ann, &applied_a, &ben, &applied_b)
    } else {
        (&ben, &applied_b, &ann, &applied_a)
    };
    act(&leader, open, "decline")
        .json(why.clone())
        .expect(200)
        .await;
    crew(other, json!({"role_id": one_seat}))
        .refused(409, "capacity_full")
        .await;
    act(seated, seat, "leave").expect(200).await;
    crew(other, json!({"role_id": one_seat})).expect(201).await;

    t.invite(&ann, &claim, two_seats, &cai)
        .refused(403, "forbidden")
        .await;
    let invited = t.invite(&leader, &claim, two_seats, &cai).expect(201).await;
    let invited = invited.id();
    t.reply(&leader, &invited, "accept")
        .refused(404, "not_found")
        .await;
    t.reply(&ann, &invited, "accept")
        .refused(404, "not_found")
        .await;
    t.reply(&cai, &invited, "accept").expect(200).await;
    t.reply(&cai, &invited, "accept").expect(200).await;
    let list = format!("/project-claims/{claim}/crew");
    let members = t.server.get(&list).by(&cai).expect(200).await;
    assert_eq!(members.json["items"][0]["name"], "示例·志愿者");
    t.server
        .get(&list)
        .by(&newcomer)
        .refused(403, "forbidden")
        .await;
    let mut places = members.json["items"].as_array().unwrap().iter();
    let place = places.find(|place| place["account_id"] == json!(cai.id));
    act(&leader, place.unwrap()["id"].as_str().unwrap(), "remove")
        .json(why.clone())
        .expect(200)
        .await;
    // asked once; from then on it is the person's to come
    t.invite(&leader, &claim, two_seats, &cai)
        .refused(409, "already_invited")
        .await;
    let dan = volunteer(&t.server, t.grid).await;
    let asked = t.invite(&leader, &claim, two_seats, &dan).expect(201).await;
    t.reply(&dan, &asked.id(), "decline")
        .json(why)
        .expect(200)
        .await;
    let applied = crew(&cai, json!({"role_id": two_seats})).expect(201).await;
    t.claim_act(&leader, &claim, "withdraw", json!({"reason": "改期"}))
        .expect(200)
        .await;
    let mine = t.server.get("/me/crews").by(&cai).expect(200).await;
    assert_eq!(
        (
            &mine.json["items"][0]["id"],
            &mine.json["items"][0]["status"]
        ),
        (&json!(applied.id()), &json!("disbanded"))
    );
}

#[actix_web::test]
async fn work_with_minors_and_with_qualifications_is_for_those_who_have_them() {
    let t = town().await;
    let roles = json!([{"name": "导师", "seats": 2, "qualification": "teacher"}]);
    let id = t
        .open_project(json!({"minors": true, "roles": roles}))
        .await;
    let (organization, leader) = t.active("示例·甲队").await;
    let claim = t
        .claim(&leader, &id, Some(&organization))
        .expect(201)
        .await
        .id();
    let shown = t.server.get(&format!("/projects/{id}")).expect(200).await;
    let role = shown.json["roles"][0]["id"].clone();
    let person = volunteer(&t.server, t.grid).await;
    let apply = || {
        let body = json!({ "role_id": role });
        t.server
            .post(&format!("/project-claims/{claim}/crew"))
            .by(&person)
            .json(body)
    };
    apply().refused(409, "qualification_missing").await;
    for (kind, next) in [
        ("teacher", Some("vetting_missing")),
        ("minors_vetting", None),
    ] {
        let body = json!({"kind": kind, "number": "示例001", "issued_on": "2026-01-01"});
        let submitted = t
            .server
            .post("/me/qualifications")
            .by(&person)
            .json(body)
            .expect(201)
            .await;
        let verify = format!("/qualifications/{}/verify", submitted.id());
        t.server
            .post(&verify)
            .by(&t.street_admin)
            .json(json!({}))
            .expect(200)
            .await;
        match next {
            Some(code) => apply().refused(403, code).await,
            None => apply().expect(201).await,
        };
    }
}

#[actix_web::test]
async fn two_seats_make_two_claims_and_one_completion() {
    let t = town().await;
    let id = t.open_project(json!({"claim_seats": 2})).await;
    let (a, first) = t.active("示例·甲队").await;
    let (b, second) = t.active("示例·乙队").await;
    let claim_a = t.executing(&first, &id, &a).await;
    assert_eq!(t.status(&id).await, "open", "one seat is free");
    let claim_b = t.executing(&second, &id, &b).await;
    assert_eq!(t.status(&id).await, "running");
    for (by, claim, after) in [
        (&first, &claim_a, "running"),
        (&second, &claim_b, "completing"),
    ] {
        let photo = t.add_photo(by, claim, 5).await;
        let report = json!({"report": "完成", "people_served": 3, "photos": [photo]});
        t.claim_act(by, claim, "report", report).expect(200).await;
        assert_eq!(t.status(&id).await, after);
    }
    t.claim_act(&t.street_admin, &claim_a, "accept", json!({}))
        .expect(200)
        .await;
    assert_eq!(t.status(&id).await, "completing");
    t.claim_act(&t.street_admin, &claim_b, "accept", json!({}))
        .expect(200)
        .await;
    assert_eq!(t.status(&id).await, "completed");
}

#[actix_web::test]
async fn a_filed_organisation_claims_inside_its_street_only() {
    let t = town().await;
    let (filed, manager) = t.filed_and_active().await;
    let reviewer = t
        .server
        .staff("示例·区管二", Role::RegionAdmin, Some(t.district))
        .await;
    let mut wide = body(&t);
    wide["region_id"] = json!(t.district);
    let far = t.project(&t.district_admin, wide).await;
    t.project_act(&t.district_admin, &far, "submit")
        .expect(200)
        .await;
    t.project_review(&reviewer, &far, "approve", json!({}))
        .await;
    t.project_act(&t.district_admin, &far, "open")
        .expect(200)
        .await;
    t.claim(&manager, &far, Some(&filed))
        .refused(403, "outside_its_street")
        .await;
    let near = t.open_project(json!({})).await;
    t.claim(&manager, &near, Some(&filed)).expect(201).await;
}

impl Town {
    /// A volunteer who agrees to be matched.
    pub async fn matched(&self, skills: Value, longitude: f64) -> User {
        let user = self.server.person("示例·志愿者").await;
        let profile = json!({
            "region_id": self.grid, "introduction": "", "birth_date": null, "skills": skills, "interests": [],
            "availability": [{"weekday": 6, "from_minute": 540, "to_minute": 660}],
            "places": [{"label": "家", "longitude": longitude, "latitude": 29.91, "radius_m": 5000}],
        });
        self.server
            .call(Method::PUT, "/me/volunteer")
            .by(&user)
            .json(profile)
            .expect(200)
            .await;
        self.server
            .call(Method::PUT, "/me/consents/personalization")
            .by(&user)
            .json(json!({"text_version": "1"}))
            .expect(200)
            .await;
        user
    }

    pub async fn failed(&self, by: &User, role: &Value) -> Vec<String> {
        let path = format!("/needs/project_role/{}/explanation", role.as_str().unwrap());
        let why = self.server.get(&path).by(by).expect(200).await;
        let codes = why.json["filters"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|f| f["code"].as_str());
        codes.map(str::to_owned).collect()
    }

    pub async fn has_world_of_database(&self) {
        let matching = &self.server.app.matching;
        matching.until_current().await.unwrap();
        let built = matching.rebuilt().await.unwrap();
        assert!(
            *matching.world() == built,
            "the world is not what the database says"
        );
    }
}

#[actix_web::test]
async fn roles_of_claimed_projects_are_matched_with_people() {
    let t = town().await;
    let id = t.open_project(json!({})).await;
    let homework = json!([{"skill": "education.homework", "level": 2}]);
    let tutor = t.matched(homework.clone(), 121.851).await;
    let far = t.matched(homework, 121.89).await;
    let other = t.matched(json!([]), 121.851).await;
    let ids = |answer: &Answer| -> Vec<String> {
        let items = answer.json["items"].as_array().unwrap().iter();
        items
            .map(|item| item["need"]["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let recommended = |by: &User| {
        t.server
            .get("/recommendations?personalized=true&kind=project_role")
            .by(by)
    };
    assert!(
        ids(&recommended(&tutor).expect(200).await).is_empty(),
        "nobody leads a crew yet"
    );
    let (organization, leader) = t.active("示例·甲队").await;
    let claim = t
        .claim(&leader, &id, Some(&organization))
        .expect(201)
        .await
        .id();
    let shown = t.server.get(&format!("/projects/{id}")).expect(200).await;
    let (role, helper) = (&shown.json["roles"][0]["id"], &shown.json["roles"][1]["id"]);
    let found = recommended(&tutor).expect(200).await;
    assert_eq!(ids(&found).len(), 2, "{:#}", found.json);
    let best = &found.json["items"][0];
    let sum: f64 = best["factors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["contribution"].as_f64().unwrap())
        .sum();
    assert!((sum - best["score"].as_f64().unwrap()).abs() < 1e-9);
    assert_eq!(
        ids(&recommended(&other).expect(200).await),
        [helper.as_str().unwrap()],
        "without the skill"
    );
    assert_eq!(t.failed(&other, role).await, ["skill_missing"]);

    let path = format!("/needs/project_role/{}/candidates", role.as_str().unwrap());
    t.server
        .get(&path)
        .by(&tutor)
        .refused(403, "forbidden")
        .await;
    let candidates = t.server.get(&path).by(&leader).expect(200).await;
    let items = candidates.json["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert!(
        items[0]["score"].as_f64() > items[1]["score"].as_f64(),
        "the nearer first"
    );
    assert!(
        !candidates.json.to_string().contains(&tutor.id.to_string()),
        "no names before both agree"
    );

    let crew = format!("/project-claims/{claim}/crew");
    let applied = t
        .server
        .post(&crew)
        .by(&tutor)
        .json(json!({"role_id": role}))
        .expect(201)
        .await
        .id();
    assert_eq!(t.failed(&tutor, role).await, ["in_crew_already"]);
    assert_eq!(t.failed(&tutor, helper).await, ["in_crew_already"]);
    assert!(ids(&recommended(&tutor).expect(200).await).is_empty());
    t.server
        .post(&format!("/crew-members/{applied}/accept"))
        .by(&leader)
        .json(json!({}))
        .expect(200)
        .await;
    let applied = t
        .server
        .post(&crew)
        .by(&far)
        .json(json!({"role_id": role}))
        .expect(201)
        .await
        .id();
    t.server
        .post(&format!("/crew-members/{applied}/accept"))
        .by(&leader)
        .json(json!({}))
        .expect(200)
        .await;
    let codes = t.failed(&other, role).await;
    assert!(codes.contains(&"capacity_full".to_owned()), "{codes:?}");
    t.has_world_of_database().await;
    t.claim_act(&leader, &claim, "withdraw", json!({"reason": "改期"}))
        .expect(200)
        .await;
    assert!(
        ids(&recommended(&other).expect(200).await).is_empty(),
        "the crew is gone"
    );
    t.has_world_of_database().await;
}

#[actix_web::test]
async fn internal_party_activities_are_for_verified_members() {
    let t = town().await;
    let id = t
        .open_project(json!({"party_only": true, "allows_person": true, "claim_seats": 2}))
        .await;
    let branch =
        json!({"code": "B1", "name": "示例党支部", "region_id": t.street, "parent_id": null});
    let branch = t
        .server
        .post("/party-branches")
        .by(&t.street_admin)
        .json(branch)
        .expect(201)
        .await
        .id();
    let secretary = t
        .server
        .staff(
            "示例·支部书记",
            Role::BranchSecretary,
            Some(branch.parse().unwrap()),
        )
        .await;
    let (organization, leader) = t.active("示例·甲队").await;
    let claim = t
        .claim(&leader, &id, Some(&organization))
        .expect(201)
        .await
        .id();
    let shown = t.server.get(&format!("/projects/{id}")).expect(200).await;
    let helper = shown.json["roles"][1]["id"].clone();
    let person = t.matched(json!([]), 121.851).await;
    let crew = || {
        let body = json!({ "role_id": helper });
        t.server
            .post(&format!("/project-claims/{claim}/crew"))
            .by(&person)
            .json(body)
    };
    crew().refused(403, "party_only").await;
    t.claim(&person, &id, None).refused(403, "party_only").await;
    assert_eq!(t.failed(&person, &helper).await, ["party_only"]);

    t.server
        .call(Method::PUT, "/me/consents/party_membership")
        .by(&person)
        .json(json!({"text_version": "1"}))
        .expect(200)
        .await;
    let declared = json!({"branch_id": branch, "standing": "member"});
    let declared = t
        .server
        .post("/me/party-membership")
        .by(&person)
        .json(declared)
        .expect(201)
        .await
        .id();
    crew().refused(403, "party_only").await;
    t.server
        .post(&format!("/party-memberships/{declared}/verify"))
        .by(&secretary)
        .json(json!({}))
        .expect(200)
        .await;
    assert!(t.failed(&person, &helper).await.is_empty());
    crew().expect(201).await;
    t.claim(&person, &id, None).expect(201).await;
    t.server
        .call(Method::DELETE, "/me/consents/party_membership")
        .by(&person)
        .expect(204)
        .await;
    let codes = t.failed(&person, &helper).await;
    assert!(
        codes.contains(&"party_only".to_owned()),
        "withdrawn, and not used any more: {codes:?}"
    );
    t.has_world_of_database().await;
}

#[actix_web::test]
async fn absent_null_and_a_value_are_three_things() {
    let t = town().await;
    let mut wanted = body(&t);
    for (key, value) in [
        ("dangerous", json!(true)),
        ("insurance_policy", json!("PICC-1")),
        ("insurance_from", json!("2026-12-01")),
        ("insurance_until", json!("2027-06-30")),
        ("beneficiary_group", json!("elder")),
    ] {
        wanted[key] = value;
    }
    let id = t.project(&t.street_admin, wanted).await;
    let path = format!("/projects/{id}");
    let edit = |body: Value| t.patched(&t.street_admin, &path, body);
    let keys = [
        "insurance_policy",
        "insurance_from",
        "insurance_until",
        "longitude",
        "latitude",
        "beneficiary_group",
    ];
    let same = edit(json!({})).await;
    let mut none = json!({});
    for key in keys {
        assert!(!same.json[key].is_null(), "{key} is left alone");
        none[key] = Value::Null;
    }
    let removed = edit(none).await;
    assert_eq!(removed.status, 200, "{:#}", removed.json);
    for key in keys {
        assert!(removed.json[key].is_null(), "{key} is removed");
    }
    let set = edit(json!({"beneficiary_group": "elder", "region_id": t.grid})).await;
    assert_eq!(set.json["beneficiary_group"], "elder");
    assert_eq!(set.json["region_id"], json!(t.grid));

    let refused = edit(json!({"title": null})).await;
    assert_eq!(
        fields(&refused),
        [("/title".to_owned(), "format".to_owned())],
        "a project has a title"
    );
    let refused = edit(json!({"region_id": uuid::Uuid::nil()})).await;
    assert_eq!(
        fields(&refused),
        [("/region_id".to_owned(), "unknown_reference".to_owned())]
    );
    let refused = edit(json!({"region_id": t.district})).await;
    assert_eq!(refused.json["code"], "forbidden", "not the street's");

    let (_, batch) = t.batch().await;
    let batch = format!("/batches/{batch}");
    let edit = |body: Value| t.patched(&t.district_admin, &batch, body);
    let refused = edit(json!({"closes_at": null})).await;
    assert_eq!(
        fields(&refused),
        [("/closes_at".to_owned(), "format".to_owned())]
    );
    assert_eq!(edit(json!({"name": "第一批"})).await.status, 200);
}

impl Town {
    /// A campaign of the district and a draft batch of it, closed a month from now.
    pub async fn batch(&self) -> (String, String) {
        let campaign = json!({"region_id": self.district, "name": "示例·行动"});
        let campaign = self
            .server
            .post("/campaigns")
            .by(&self.district_admin)
            .json(campaign)
            .expect(201)
            .await
            .id();
        let window = json!({"name": "示例·批次", "opens_at": "2026-11-23T01:00:00Z", "closes_at": "2026-12-23T03:00:00Z"});
        let batch = self
            .server
            .post(&format!("/campaigns/{campaign}/batches"))
            .by(&self.district_admin)
            .json(window)
            .expect(201)
            .await
            .id();
        (campaign, batch)
    }

    pub async fn report(&self, by: &User, claim: &str) {
        let photo = self.add_photo(by, claim, 5).await;
        let report = json!({"report": "完成", "people_served": 3, "photos": [photo]});
        self.claim_act(by, claim, "report", report)
            .expect(200)
            .await;
    }
}

#[actix_web::test]
async fn a_project_goes_on_with_the_claims_it_has_once_its_publisher_closes_the_claiming() {
    let t = town().await;
    let (a, first) = t.active("示例·甲队").await;
    let (b, second) = t.active("示例·乙队").await;
    let id = t
        .open_project(json!({"claim_seats": 3, "claim_mode": "reviewed"}))
        .await;
    let close = |by: &User| t.project_act(by, &id, "close-claims");
    close(&t.street_admin).refused(409, "nothing_claimed").await;
    close(&first).refused(403, "forbidden").await;
    let claim = t.claim(&first, &id, Some(&a)).expect(201).await.id();
    t.claim_act(&t.street_admin, &claim, "approve", json!({}))
        .expect(200)
        .await;
    let applied = t.claim(&second, &id, Some(&b)).expect(201).await.id();
    t.claim_act(&first, &claim, "plan", json!({"plan": "每周六上午。"}))
        .expect(200)
        .await;
    t.claim_act(&first, &claim, "start", json!({}))
        .expect(200)
        .await;
    assert_eq!(t.status(&id).await, "open", "two seats are free");
    let closed = close(&t.street_admin).expect(200).await;
    assert_eq!(closed.json["status"], "running");
    assert_eq!(closed.json["claim_seats"], 1);
    assert_eq!(t.claim_status(&second, &applied).await, "waitlisted");
    close(&t.street_admin).expect(200).await;
    let reason = json!({"reason": "台风"});
    t.project_act(&t.street_admin, &id, "suspend")
        .json(reason)
        .expect(200)
        .await;
    t.project_act(&t.street_admin, &id, "resume")
        .expect(200)
        .await;
    t.report(&first, &claim).await;
    assert_eq!(t.status(&id).await, "completing");
    t.claim_act(&t.street_admin, &claim, "accept", json!({}))
        .expect(200)
        .await;
    assert_eq!(t.status(&id).await, "completed");
    t.project_act(&t.street_admin, &id, "archive")
        .expect(200)
        .await;

    let draft = t.project(&t.street_admin, body(&t)).await;
    t.project_act(&t.street_admin, &draft, "close-claims")
        .refused(409, "move_not_allowed")
        .await;
}

#[actix_web::test]
async fn a_project_goes_on_with_the_claims_it_has_once_its_window_closes() {
    let t = town().await;
    let (_, batch) = t.batch().await;
    let mut wanted = body(&t);
    wanted["batch_id"] = json!(batch);
    wanted["claim_seats"] = json!(2);
    let mut ids = Vec::new();
    for _ in 0..3 {
        let id = t.project(&t.street_admin, wanted.clone()).await;
        t.project_act(&t.street_admin, &id, "submit")
            .expect(200)
            .await;
        t.project_review(&t.district_admin, &id, "approve", json!({}))
            .await;
        ids.push(id);
    }
    t.server
        .post(&format!("/batches/{batch}/publish"))
        .by(&t.district_admin)
        .json(json!({}))
        .expect(200)
        .await;
    let (a, leader) = t.active("示例·甲队").await;
    let fulfilled = t.executing(&leader, &ids[0], &a).await;
    t.report(&leader, &fulfilled).await;
    let reported = t.executing(&leader, &ids[1], &a).await;
    t.report(&leader, &reported).await;
    t.claim_act(&t.street_admin, &fulfilled, "accept", json!({}))
        .expect(200)
        .await;
    for id in &ids {
        assert_eq!(t.status(id).await, "open", "its window is open");
    }
    t.server.pass(TimeDelta::days(31)).await;
    for (id, status) in ids.iter().zip(["completed", "completing", "open"]) {
        assert_eq!(t.status(id).await, status);
    }
    let street_admin = t.server.again(&t.street_admin).await;
    t.claim_act(&street_admin, &reported, "accept", json!({}))
        .expect(200)
        .await;
    assert_eq!(t.status(&ids[1]).await, "completed");
}
