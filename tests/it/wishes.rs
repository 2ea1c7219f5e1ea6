//! A wish from the draft to the confirmation, and every way it can go otherwise.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;
use yiqilai::identity::Role;
use yiqilai::platform::journal::Actor;

use crate::harness::{Answer, Server, User};
use crate::regions::another_grid;

/// A street with its people.
pub struct Street {
    pub server: Server,
    pub street: Uuid,
    pub grid: Uuid,
    pub admin: User,
    pub worker: User,
    pub resident: User,
    pub volunteer: User,
}

async fn street() -> Street {
    street_with(json!({})).await
}

/// With some settings changed.
pub async fn street_with(settings: Value) -> Street {
    let server = Server::start_with(settings).await;
    let (_, street, grid) = crate::regions::three_levels(&server).await;
    Street {
        admin: server
            .staff("示例·街道管理员", Role::RegionAdmin, Some(street))
            .await,
        worker: server
            .staff("示例·网格员", Role::GridWorker, Some(grid))
            .await,
        resident: server.person("示例·王奶奶").await,
        volunteer: server.person("示例·志愿者小李").await,
        server,
        street,
        grid,
    }
}

impl Street {
    pub fn wish(&self) -> Value {
        json!({
            "region_id": self.grid,
            "contact": {"name": "示例·王秀英", "phone": "13800000001", "address": "示例小区1幢101"},
            "alias": "王奶奶", "beneficiary_group": "elder", "life_cycle": "old_age", "kind": "goods",
            "title": "一台收音机", "description": "想听越剧,家里的收音机坏了。", "value_fen": 12000,
            "longitude": 121.85, "latitude": 29.91,
        })
    }

    pub async fn draft(&self, by: &User, wish: Value) -> String {
        self.server
            .post("/wishes")
            .by(by)
            .json(wish)
            .expect(201)
            .await
            .id()
    }

    pub fn act(&self, by: &User, id: &str, verb: &str) -> crate::harness::Call<'_> {
        self.server.post(&format!("/wishes/{id}/{verb}")).by(by)
    }

    /// With a reason, for the moves that want one.
    pub fn because(&self, by: &User, id: &str, verb: &str) -> crate::harness::Call<'_> {
        self.act(by, id, verb).json(json!({"reason": "因故"}))
    }

    async fn publish(&self, id: &str) -> Answer {
        let etag = self
            .read(&self.admin, id)
            .await
            .header("etag")
            .unwrap()
            .to_owned();
        self.act(&self.admin, id, "publish")
            .header("if-match", &etag)
            .expect(200)
            .await
    }

    pub async fn published(&self) -> String {
        let id = self.draft(&self.resident, self.wish()).await;
        self.act(&self.resident, &id, "submit").expect(200).await;
        self.publish(&id).await;
        id
    }

    pub async fn on_behalf(&self) -> String {
        let id = self.drafted_on_behalf().await;
        self.act(&self.worker, &id, "submit").expect(200).await;
        self.publish(&id).await;
        id
    }

    pub async fn add_photo(&self, by: &User, id: &str) -> Answer {
        self.server
            .post(&format!("/wishes/{id}/evidence"))
            .by(by)
            .multipart(photo(jpeg()))
            .send()
            .await
    }

    /// With a photo that nobody has seen before.
    pub async fn deliver(&self, by: &User, id: &str) {
        let added = self.server.post(&format!("/wishes/{id}/evidence")).by(by);
        added.multipart(photo(another_jpeg())).expect(201).await;
        self.act(by, id, "deliver").expect(200).await;
    }

    /// A draft of the grid's worker for somebody else.
    async fn drafted_on_behalf(&self) -> String {
        self.drafted_on_behalf_by(&self.worker).await
    }

    async fn drafted_on_behalf_by(&self, by: &User) -> String {
        let mut wish = self.wish();
        wish["on_behalf"] = json!(true);
        wish["consent_channel"] = json!("oral");
        self.draft(by, wish).await
    }

    /// Takes a role in a region away from somebody, as its staff do.
    async fn revoke(&self, from: &User, scope: Uuid) {
        let path = format!("/role-grants?scope_id={scope}");
        let held = self.server.get(&path).by(&self.admin).expect(200);
        let held = held.await.json["items"].as_array().unwrap().clone();
        let theirs = held.iter().find(|g| g["account_id"] == json!(from.id));
        let grant = theirs.expect("a grant")["id"].as_str().unwrap().to_owned();
        let path = format!("/role-grants/{grant}");
        let call = self.server.call(Method::DELETE, &path).by(&self.admin);
        call.expect(204).await;
    }

    /// The newest notice of somebody, in Chinese and in English.
    async fn heard(&self, who: &User) -> [String; 2] {
        let read = async |lang: &str| {
            let inbox = self.server.get("/me/notifications?limit=1").by(who);
            let inbox = inbox.header("accept-language", lang).expect(200).await;
            let text = inbox.json["items"][0]["text"].as_str();
            text.unwrap().to_owned()
        };
        [read("zh-CN").await, read("en").await]
    }

    /// Where the beneficiary's link leads.
    async fn link(&self) -> String {
        self.server.work().await;
        let sms = self.server.sms("+8613800000001").pop().expect("an SMS");
        let url = sms["params"]["url"].as_str().unwrap();
        url.split("/api/v1").nth(1).unwrap().to_owned()
    }

    /// What somebody was told, the newest first, by kind.
    async fn told(&self, who: &User) -> Vec<String> {
        let who = self.server.again(who).await;
        let inbox = self.server.get("/me/notifications").by(&who).expect(200);
        let inbox = inbox.await.json;
        let items = inbox["items"].as_array().unwrap();
        items
            .iter()
            .map(|item| item["kind"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn delivered(&self) -> String {
        let id = self.published().await;
        self.act(&self.volunteer, &id, "claim").expect(200).await;
        self.deliver(&self.volunteer, &id).await;
        id
    }

    async fn read(&self, by: &User, id: &str) -> Answer {
        self.server
            .get(&format!("/wishes/{id}"))
            .by(by)
            .expect(200)
            .await
    }

    async fn status(&self, id: &str) -> String {
        // from the journal of the process itself: tokens may have expired meanwhile
        let id: Uuid = id.parse().unwrap();
        let story = self
            .server
            .app
            .platform
            .db
            .read(move |conn| yiqilai::platform::journal::of_subject(conn, "wish", id));
        story
            .await
            .unwrap()
            .into_iter()
            .rev()
            .find_map(|entry| entry.to_state)
            .unwrap()
    }

    /// A PATCH with the version that is read.
    async fn edit(&self, by: &User, id: &str, body: Value) -> Answer {
        let path = format!("/wishes/{id}");
        let seen = self.server.get(&path).by(by).send().await;
        let etag = seen.header("etag").unwrap_or("\"1\"").to_owned();
        let call = self.server.call(Method::PATCH, &path).by(by).json(body);
        call.header("if-match", &etag).send().await
    }

    /// What the journal keeps of a kind of step, the oldest first.
    async fn journalled(&self, id: &str, kind: &'static str) -> Vec<Value> {
        let id: Uuid = id.parse().unwrap();
        let story = self
            .server
            .app
            .platform
            .db
            .read(move |conn| yiqilai::platform::journal::of_subject(conn, "wish", id));
        let story = story.await.unwrap().into_iter();
        story
            .filter(|entry| entry.kind == kind)
            .map(|entry| entry.payload.0)
            .collect()
    }

    async fn again(&self, user: &User) -> User {
        self.server.refreshed(user).await
    }
}

fn jpeg() -> Vec<u8> {
    jpeg_of(64)
}

/// One as wide as none before.
fn another_jpeg() -> Vec<u8> {
    static WIDTH: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(65);
    jpeg_of(WIDTH.fetch_add(1, std::sync::atomic::Ordering::SeqCst))
}

fn jpeg_of(width: u32) -> Vec<u8> {
    let mut out = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(width, 48)
        .write_to(&mut out, image::ImageFormat::Jpeg)
        .unwrap();
    out.into_inner()
}

fn photo(bytes: Vec<u8>) -> reqwest::multipart::Form {
    let part = reqwest::multipart::Part::bytes(bytes)
        .file_name("harmless.txt")
        .mime_str("text/plain")
        .unwrap();
    reqwest::multipart::Form::new().part("photo", part)
}

#[actix_web::test]
async fn the_whole_story() {
    let s = street().await;
    let id = s.draft(&s.resident, s.wish()).await;
    let submitted = s.act(&s.resident, &id, "submit").expect(200).await;
    assert_eq!(submitted.json["status"], "submitted");
    // two working days after Monday end with Wednesday: midnight in Ningbo is 16:00 in UTC
    assert_eq!(submitted.json["involved"]["due_at"], "2026-11-25T16:00:00Z");
    assert_eq!(s.publish(&id).await.json["status"], "published");

    let claimed = s.act(&s.volunteer, &id, "claim").expect(200).await;
    assert_eq!(claimed.json["status"], "claimed");
    assert_eq!(
        claimed.json["involved"]["due_at"], "2026-11-30T02:00:00Z",
        "a lease of seven days"
    );
    let contact = s
        .server
        .post(&format!("/wishes/{id}/contact"))
        .by(&s.volunteer)
        .expect(200)
        .await;
    assert_eq!(contact.json["phone"], "+8613800000001");

    s.act(&s.volunteer, &id, "deliver")
        .refused(422, "evidence_missing")
        .await;
    let evidence = s.add_photo(&s.volunteer, &id).await;
    assert_eq!(evidence.status, 201);
    assert_eq!(
        s.add_photo(&s.volunteer, &id).await.json["id"],
        evidence.json["id"],
        "the same photo is one"
    );
    let url = evidence.json["photo_url"]
        .as_str()
        .unwrap()
        .strip_prefix("/api/v1")
        .unwrap();
    let shown = s.server.get(url).by(&s.resident).expect(200).await;
    assert_eq!(shown.header("content-type"), Some("image/jpeg"));
    let small = s
        .server
        .get(&format!("{url}?thumbnail=true"))
        .by(&s.resident)
        .expect(200)
        .await;
    assert!(small.bytes.starts_with(&[0xff, 0xd8]));
    s.act(&s.volunteer, &id, "deliver").expect(200).await;
    let fulfilled = s.act(&s.resident, &id, "confirm").expect(200).await;
    assert_eq!(
        (&fulfilled.json["status"], &fulfilled.json["fulfilled_by"]),
        (&json!("fulfilled"), &json!("beneficiary"))
    );

    let story = s
        .server
        .get(&format!("/wishes/{id}/timeline"))
        .by(&s.resident)
        .expect(200)
        .await
        .json;
    let kinds: Vec<_> = story["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "wish.create",
            "wish.submit",
            "wish.publish",
            "wish.claim",
            "wish.read_contact",
            "wish.add_evidence",
            "wish.deliver",
            "wish.confirm",
        ]
    );
    let told = |user: &User| {
        let call = s.server.get("/me/notifications").by(user).expect(200);
        async move {
            let items = call.await.json["items"].as_array().unwrap().clone();
            items
                .iter()
                .map(|n| n["kind"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(told(&s.admin).await, ["wish_submitted", "role_granted"]);
    assert_eq!(
        told(&s.resident).await,
        ["wish_delivered", "wish_claimed", "wish_published"]
    );
    assert_eq!(told(&s.volunteer).await, ["wish_fulfilled"]);
    s.server.pass(TimeDelta::days(31)).await;
    assert_eq!(s.status(&id).await, "closed");
}

#[actix_web::test]
async fn wrong_fields_come_all_at_once() {
    let s = street().await;
    let mut wish = s.wish();
    wish["value_fen"] = json!(60_000);
    wish["title"] = json!("想要现金红包");
    wish["contact"]["phone"] = json!("12");
    wish["expires_on"] = json!("2020-01-01");
    wish["region_id"] = json!(s.street);
    let refused = s
        .server
        .post("/wishes")
        .by(&s.resident)
        .json(wish)
        .refused(422, "invalid")
        .await;
    let mut fields = refused.fields();
    fields.sort();
    let expected = [
        ("/contact/phone", "format"),
        ("/expires_on", "in_the_past"),
        ("/region_id", "wish_region"),
        ("/title", "asks_for_money"),
        ("/value_fen", "value_over_cap"),
    ];
    assert_eq!(fields, expected.map(|(p, c)| (p.to_owned(), c.to_owned())));

    let mut long = s.wish();
    long["title"] = json!("长".repeat(61));
    long["contact"]["name"] = json!("");
    let refused = s
        .server
        .post("/wishes")
        .by(&s.resident)
        .json(long)
        .refused(422, "invalid")
        .await;
    assert_eq!(refused.fields().len(), 2, "{:?}", refused.fields());
    let mut service = s.wish();
    service["kind"] = json!("service");
    let refused = s
        .server
        .post("/wishes")
        .by(&s.resident)
        .json(service)
        .refused(422, "invalid")
        .await;
    assert_eq!(
        refused.fields(),
        [("/value_fen".to_owned(), "value_of_service".to_owned())]
    );
    let mut unknown = s.wish();
    unknown["status"] = json!("published");
    s.server
        .post("/wishes")
        .by(&s.resident)
        .json(unknown)
        .refused(400, "malformed_json")
        .await;
}

#[actix_web::test]
async fn a_field_that_is_missing_is_named() {
    let s = street().await;
    for (at, field) in [("", "title"), ("/contact", "phone")] {
        let mut wish = s.wish();
        let inside = wish.pointer_mut(at).unwrap().as_object_mut().unwrap();
        inside.remove(field);
        let call = s.server.post("/wishes").by(&s.resident).json(wish);
        let named = call.refused(400, "malformed_json").await.fields();
        assert_eq!(named, [(format!("{at}/{field}"), "required".to_owned())]);
    }
}

/// Each wish that is handed in is told to the street's staff, taken back or not.
#[actix_web::test]
async fn nobody_hands_in_wishes_without_end() {
    let few = json!({"wishes": {"submissions_per_account": {"count": 2, "seconds": 600}}});
    let s = street_with(few).await;
    for n in 0..3 {
        let id = s.draft(&s.resident, s.wish()).await;
        let handed_in = s.act(&s.resident, &id, "submit");
        if n < 2 {
            handed_in.expect(200).await;
            s.because(&s.resident, &id, "withdraw").expect(200).await;
        } else {
            handed_in.refused(429, "too_many_requests").await;
        }
    }
    // who works in a grid is not held up
    for _ in 0..3 {
        let id = s.draft(&s.worker, s.wish()).await;
        s.act(&s.worker, &id, "submit").expect(200).await;
    }
}

#[actix_web::test]
async fn somebody_elses_wish_needs_grid_staff_and_recorded_consent() {
    let s = street().await;
    let mut wish = s.wish();
    wish["on_behalf"] = json!(true);
    s.server
        .post("/wishes")
        .by(&s.worker)
        .json(wish.clone())
        .refused(422, "invalid")
        .await;
    wish["consent_channel"] = json!("paper");
    s.server
        .post("/wishes")
        .by(&s.resident)
        .json(wish.clone())
        .refused(403, "forbidden")
        .await;
    let made = s
        .server
        .post("/wishes")
        .by(&s.worker)
        .json(wish)
        .expect(201)
        .await;
    assert_eq!(made.json["involved"]["consent_channel"], "paper");
    assert!(made.header("location").unwrap().ends_with(&made.id()));
}

#[actix_web::test]
async fn drafts_are_edited_by_version_and_only_drafts() {
    let s = street().await;
    let id = s.draft(&s.resident, s.wish()).await;
    let edit = |etag: Option<&str>, body: Value| {
        let call = s
            .server
            .call(Method::PATCH, &format!("/wishes/{id}"))
            .by(&s.resident)
            .json(body);
        match etag {
            Some(etag) => call.header("if-match", etag),
            None => call,
        }
    };
    edit(Some("\"1\""), json!({"title": null}))
        .refused(400, "malformed_json")
        .await; // null is no title
    let unpriced = edit(Some("\"1\""), json!({"value_fen": null}));
    let fields = unpriced.refused(422, "invalid").await.fields();
    assert_eq!(fields[0].0, "/value_fen", "goods have a price: {fields:?}");
    edit(None, json!({"title": "收音机"}))
        .refused(428, "version_required")
        .await;
    edit(Some("\"9\""), json!({"title": "收音机"}))
        .refused(412, "version_mismatch")
        .await;
    edit(Some("9"), json!({"title": "收音机"}))
        .refused(400, "malformed_header")
        .await;
    let edited = edit(
        Some("\"1\""),
        json!({"title": "收音机", "expires_on": "2026-12-31"}),
    )
    .expect(200)
    .await;
    assert_eq!(
        (edited.json["title"].as_str(), edited.header("etag")),
        (Some("收音机"), Some("\"2\""))
    );
    let removed = edit(Some("\"2\""), json!({"expires_on": null}))
        .expect(200)
        .await;
    assert!(removed.json["expires_on"].is_null());
    assert_eq!(removed.json["title"], "收音机", "what is absent stays");
    s.act(&s.resident, &id, "submit").expect(200).await;
    let refused = edit(Some("\"4\""), json!({"title": "电视"}))
        .refused(409, "move_not_allowed")
        .await;
    assert_eq!(refused.json["state"], "submitted");
}

/// All of a draft can be mended, by the rules of its creation.
#[actix_web::test]
async fn a_draft_is_mended_in_everything_it_was_created_with() {
    let s = street().await;
    let id = s.draft(&s.resident, s.wish()).await;
    let all = [
        ("/contact/name", "length"),
        ("/contact/phone", "format"),
        ("/longitude", "required"),
        ("/value_fen", "value_of_service"),
    ];
    let wrong = json!({"kind": "service", "latitude": null, "contact": {"name": "", "phone": "1", "address": "x"}});
    let mut fields = s.edit(&s.resident, &id, wrong).await.fields();
    fields.sort();
    assert_eq!(fields, all.map(|(p, c)| (p.to_owned(), c.to_owned())));
    for (wrong, pointer) in [
        (json!({"region_id": s.street}), "/region_id"),
        (json!({"region_id": Uuid::now_v7()}), "/region_id"),
        (json!({"longitude": 181}), "/longitude"),
        (json!({"consent_channel": "oral"}), "/consent_channel"),
        (
            json!({"contact": {"name": "王", "phone": "12", "address": "1幢"}}),
            "/contact/phone",
        ),
    ] {
        let refused = s.edit(&s.resident, &id, wrong.clone()).await;
        assert_eq!(refused.status, 422, "{wrong}");
        assert_eq!(refused.fields()[0].0, pointer, "{wrong}");
    }
    for null in ["contact", "region_id", "kind", "consent_channel"] {
        let refused = s.edit(&s.resident, &id, json!({ null: null })).await;
        assert_eq!(refused.status, 400, "{null} cannot be removed");
    }
    let other_grid = another_grid(&s.server).await;
    let mended = json!({
        "kind": "service", "value_fen": null, "longitude": 121.9, "latitude": 29.95, "region_id": other_grid,
        "contact": {"name": "示例·王秀英", "phone": "138 0000 0002", "address": "示例小区2幢"},
    });
    let mended = s.edit(&s.resident, &id, mended).await;
    assert_eq!(mended.status, 200, "{:#}", mended.json);
    assert_eq!(mended.header("etag"), Some("\"2\""));
    assert_eq!(mended.json["kind"], "service");
    assert_eq!(mended.json["involved"]["region_id"], json!(other_grid));
    assert!(!mended.json.to_string().contains("13800000002"));
    let contact = s.act(&s.resident, &id, "contact").expect(200).await;
    assert_eq!(contact.json["phone"], "+8613800000002");
    assert_eq!(contact.json["address"], "示例小区2幢");
    // what is absent or the same is not named
    let same = json!({
        "contact": {"name": "示例·王秀英", "phone": "+8613800000002", "address": "示例小区2幢"},
        "longitude": null, "latitude": null,
    });
    assert_eq!(s.edit(&s.resident, &id, same).await.status, 200);
    let edits = s.journalled(&id, "wish.edit").await;
    assert_eq!(
        edits[0]["changed"],
        json!([
            "region_id",
            "contact",
            "kind",
            "value_fen",
            "longitude",
            "latitude"
        ])
    );
    assert_eq!(edits[1]["changed"], json!(["longitude", "latitude"]));
    for secret in ["王秀英", "1380000000", "2幢", "121.9"] {
        assert!(!json!(edits).to_string().contains(secret), "{secret}");
    }
    // it is found where it is now
    s.act(&s.resident, &id, "submit").expect(200).await;
    s.publish(&id).await;
    let path = format!("/staff/wishes?region_id={other_grid}&status=published");
    let found = s.server.get(&path).by(&s.admin).expect(200).await.json;
    assert_eq!(found["items"][0]["id"], json!(id));
}

/// What a field is by itself and what it is beside others and to this day is said in one answer, also by
/// those who change something.
#[actix_web::test]
async fn all_that_is_wrong_is_said_at_once() {
    let s = street().await;
    let pointers = |answer: &Answer| -> Vec<String> {
        let mut pointers: Vec<_> = answer.fields().into_iter().map(|(at, _)| at).collect();
        pointers.sort();
        pointers
    };
    let mut wish = s.wish();
    wish["title"] = json!("一");
    wish["region_id"] = json!(s.street);
    wish["value_fen"] = json!(999_999);
    wish["latitude"] = json!(99.0);
    wish["contact"]["phone"] = json!("123");
    let call = s.server.post("/wishes").by(&s.resident).json(wish);
    let refused = call.refused(422, "invalid").await;
    let all = [
        "/contact/phone",
        "/latitude",
        "/region_id",
        "/title",
        "/value_fen",
    ];
    assert_eq!(pointers(&refused), all);
    let id = s.draft(&s.resident, s.wish()).await;
    let edit = json!({"title": "一", "region_id": s.street, "expires_on": "2020-01-01"});
    let refused = s.edit(&s.resident, &id, edit).await;
    assert_eq!(pointers(&refused), ["/expires_on", "/region_id", "/title"]);

    let nowhere = Uuid::now_v7();
    let project = json!({
        "region_id": nowhere, "title": "一", "summary": "示例", "field": "nonsense", "life_cycle": "education",
        "starts_on": "2026-12-02", "ends_on": "2026-12-01", "claim_seats": 0,
    });
    let call = s.server.post("/projects").by(&s.admin).json(project);
    let refused = call.refused(422, "invalid").await;
    let all = ["/claim_seats", "/ends_on", "/field", "/region_id", "/title"];
    assert_eq!(pointers(&refused), all);
    let organization = json!({
        "kind": "registered", "name": "队", "region_id": nowhere, "introduction": "示例",
        "credit_code": "1", "longitude": 200.0,
    });
    let call = s.server.post("/organizations").by(&s.resident);
    let refused = call.json(organization).refused(422, "invalid").await;
    let said = pointers(&refused);
    for at in ["/name", "/region_id", "/credit_code", "/longitude"] {
        assert!(said.iter().any(|pointer| pointer == at), "{at}: {said:?}");
    }
    let profile = json!({
        "region_id": nowhere, "introduction": "示".repeat(3000), "birth_date": "2999-01-01",
        "skills": [], "interests": [], "availability": [], "places": [],
    });
    let call = s.server.call(Method::PUT, "/me/volunteer").by(&s.resident);
    let refused = call.json(profile).refused(422, "invalid").await;
    assert_eq!(
        pointers(&refused),
        ["/birth_date", "/introduction", "/region_id"]
    );
}

/// Whom another person posts for agreed as the one who was named then.
#[actix_web::test]
async fn somebody_elses_contact_changes_with_its_consent_and_the_wish_stays_where_its_proxy_serves()
{
    let s = street().await;
    let mut wish = s.wish();
    wish["on_behalf"] = json!(true);
    wish["consent_channel"] = json!("oral");
    let id = s.draft(&s.worker, wish.clone()).await;
    let contact = json!({"name": "示例·李秀兰", "phone": "13800000003", "address": "示例小区3幢"});
    let missing = [("/consent_channel".to_owned(), "consent_required".to_owned())];
    for wrong in [
        json!({"contact": contact}),
        json!({"contact": contact, "consent_channel": "app"}),
        json!({"consent_channel": "app"}),
    ] {
        let refused = s.edit(&s.worker, &id, wrong).await;
        assert_eq!(refused.fields(), missing);
    }
    let mended = s.edit(&s.worker, &id, json!({"contact": wish["contact"]}));
    assert_eq!(mended.await.status, 200, "the same contact");
    let mended = json!({"contact": contact, "consent_channel": "paper"});
    let mended = s.edit(&s.worker, &id, mended).await;
    assert_eq!(mended.json["involved"]["consent_channel"], "paper");
    let edits = s.journalled(&id, "wish.edit").await;
    assert_eq!(edits[0], json!({"changed": [], "consent": null}));
    let told = json!({"changed": ["consent_channel", "contact"], "consent": "paper"});
    assert_eq!(edits[1], told);

    let other_grid = another_grid(&s.server).await;
    let refused = s.edit(&s.worker, &id, json!({"region_id": other_grid}));
    assert_eq!(refused.await.status, 403);
    let serves_both = s.worker.id;
    let scope = Some(other_grid);
    s.server
        .write(move |tx| {
            yiqilai::identity::grant(tx, Actor::System, serves_both, Role::GridWorker, scope)
        })
        .await;
    let moved = s.edit(&s.worker, &id, json!({"region_id": other_grid}));
    assert_eq!(moved.await.status, 200);
    let foreign = s.edit(&s.resident, &id, json!({"alias": "李奶奶"})).await;
    assert_eq!(foreign.status, 404, "nobody else's draft");

    // the link goes to the one who agreed
    s.act(&s.worker, &id, "submit").expect(200).await;
    s.publish(&id).await;
    s.act(&s.volunteer, &id, "claim").expect(200).await;
    s.server.work().await;
    assert!(s.server.sms("+8613800000001").is_empty());
    assert_eq!(
        s.server.sms("+8613800000003").len(),
        2,
        "published, claimed"
    );
}

#[actix_web::test]
async fn screening_is_done_by_others_of_the_right_street_with_what_they_read() {
    let s = street().await;
    let id = s.draft(&s.resident, s.wish()).await;
    s.act(&s.admin, &id, "publish")
        .header("if-match", "\"1\"")
        .refused(404, "not_found")
        .await;
    s.act(&s.resident, &id, "submit").expect(200).await;
    s.act(&s.admin, &id, "publish")
        .refused(428, "version_required")
        .await;
    s.act(&s.admin, &id, "publish")
        .header("if-match", "\"1\"")
        .refused(412, "version_mismatch")
        .await;
    s.act(&s.resident, &id, "publish")
        .header("if-match", "\"2\"")
        .refused(403, "forbidden")
        .await;
    let stranger = s
        .server
        .staff("示例·别处", Role::RegionAdmin, Some(Uuid::now_v7()))
        .await;
    s.act(&stranger, &id, "publish")
        .header("if-match", "\"2\"")
        .refused(404, "not_found")
        .await;
    let reject = |body: Value| {
        s.act(&s.admin, &id, "reject")
            .header("if-match", "\"2\"")
            .json(body)
    };
    reject(json!({"reason": ""})).refused(422, "invalid").await;
    reject(json!({"reason": "请写明尺寸"})).expect(200).await;
    reject(json!({"reason": "请写明尺寸"})).expect(200).await;
    s.act(&s.resident, &id, "revise").expect(200).await;
    s.act(&s.resident, &id, "submit").expect(200).await;
    s.publish(&id).await;

    // an admin who is also the author does not screen the own wish
    let own = s.draft(&s.admin, s.wish()).await;
    s.act(&s.admin, &own, "submit").expect(200).await;
    s.act(&s.admin, &own, "publish")
        .header("if-match", "\"2\"")
        .refused(403, "own_wish")
        .await;
}

#[actix_web::test]
async fn a_screening_that_takes_too_long_is_noticed_once() {
    let s = street().await;
    let id = s.draft(&s.resident, s.wish()).await;
    s.act(&s.resident, &id, "submit").expect(200).await;
    s.server.pass(TimeDelta::days(4)).await;
    s.server.pass(TimeDelta::days(1)).await;
    let admin = s.again(&s.admin).await;
    let inbox = s
        .server
        .get("/me/notifications")
        .by(&admin)
        .expect(200)
        .await
        .json;
    let kinds: Vec<_> = inbox["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        ["wish_screening_overdue", "wish_submitted", "role_granted"]
    );
}

#[actix_web::test]
async fn what_is_shown_depends_on_who_asks_and_when() {
    let s = street().await;
    let id = s.draft(&s.resident, s.wish()).await;
    let anonymous = || s.server.get(&format!("/wishes/{id}"));
    anonymous().refused(404, "not_found").await;
    anonymous().by(&s.volunteer).refused(404, "not_found").await;
    anonymous()
        .bearer("broken")
        .refused(401, "unauthenticated")
        .await;
    s.act(&s.resident, &id, "submit").expect(200).await;
    s.publish(&id).await;
    let public = anonymous().expect(200).await;
    assert_eq!(
        (&public.json["alias"], &public.json["street"]),
        (&json!("王奶奶"), &json!("新碶街道"))
    );
    let text = public.json.to_string();
    for secret in [
        "王秀英",
        "13800000001",
        "示例小区",
        "121.85",
        "involved",
        "region_id",
    ] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let contact = |by: &User| s.server.post(&format!("/wishes/{id}/contact")).by(by);
    contact(&s.volunteer).refused(403, "forbidden").await;
    contact(&s.admin).refused(403, "forbidden").await;
    s.act(&s.volunteer, &id, "claim").expect(200).await;
    contact(&s.volunteer).expect(200).await;
    contact(&s.resident).expect(200).await;
    let other = s.server.person("示例·旁人").await;
    contact(&other).refused(403, "forbidden").await;
    s.server
        .get(&format!("/wishes/{id}/timeline"))
        .by(&other)
        .refused(403, "forbidden")
        .await;
    s.deliver(&s.volunteer, &id).await;
    contact(&s.volunteer).expect(200).await;
    s.act(&s.resident, &id, "confirm").expect(200).await;
    contact(&s.volunteer).refused(403, "forbidden").await;
}

#[actix_web::test]
async fn one_wish_for_fifty() {
    let s = street().await;
    let id = s.published().await;
    let mut volunteers = Vec::new();
    for n in 0..50 {
        volunteers.push(s.server.person(&format!("示例·志愿者{n}")).await);
    }
    let claims = volunteers.iter().map(|v| s.act(v, &id, "claim").send());
    let answers = futures_util::future::join_all(claims).await;
    let won: Vec<_> = answers.iter().filter(|a| a.status == 200).collect();
    assert_eq!(won.len(), 1);
    for answer in answers.iter().filter(|a| a.status != 200) {
        assert_eq!(
            (answer.status.as_u16(), &answer.json["code"]),
            (409, &json!("move_not_allowed"))
        );
    }
    let winner = &volunteers[answers.iter().position(|a| a.status == 200).unwrap()];
    s.act(winner, &id, "claim").expect(200).await;
    s.act(&s.volunteer, &id, "claim")
        .refused(409, "move_not_allowed")
        .await;
}

#[actix_web::test]
async fn one_person_holds_two_at_the_most_even_at_once() {
    let s = street().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(s.published().await);
    }
    let claims = ids.iter().map(|id| s.act(&s.volunteer, id, "claim").send());
    let answers = futures_util::future::join_all(claims).await;
    let won = answers.iter().filter(|a| a.status == 200).count();
    assert_eq!(won, 2);
    for answer in answers.iter().filter(|a| a.status != 200) {
        assert_eq!(answer.json["code"], "claim_limit_reached");
    }
    let mine = s
        .server
        .get("/me/wishes?relation=claimant")
        .by(&s.volunteer)
        .expect(200)
        .await
        .json;
    assert_eq!(mine["items"].as_array().unwrap().len(), 2);
    let held = mine["items"][0]["id"].as_str().unwrap();
    s.because(&s.volunteer, held, "release").expect(200).await;
    s.because(&s.volunteer, held, "release").expect(200).await;
    let free = ids.iter().find(|id| {
        *id != held && answers[ids.iter().position(|i| i == *id).unwrap()].status != 200
    });
    s.act(&s.volunteer, free.unwrap(), "claim")
        .expect(200)
        .await;
}

#[actix_web::test]
async fn nobody_claims_what_is_its_own_or_somebody_elses_claim() {
    let s = street().await;
    let id = s.published().await;
    s.act(&s.resident, &id, "claim")
        .refused(403, "own_wish")
        .await;
    s.act(&s.volunteer, &id, "claim").expect(200).await;
    let other = s.server.person("示例·旁人").await;
    s.act(&other, &id, "deliver")
        .refused(403, "forbidden")
        .await;
    s.because(&other, &id, "release")
        .refused(403, "forbidden")
        .await;
    assert_eq!(s.add_photo(&other, &id).await.status, 403);
    s.act(&other, &id, "confirm")
        .refused(403, "forbidden")
        .await;
    s.because(&other, &id, "withdraw")
        .refused(403, "forbidden")
        .await;
    // grid staff who claim do not confirm their own delivery
    let id = s.published().await;
    s.act(&s.worker, &id, "claim").expect(200).await;
    s.deliver(&s.worker, &id).await;
    s.act(&s.worker, &id, "confirm")
        .refused(403, "forbidden")
        .await;
}

#[actix_web::test]
async fn claims_lapse_with_a_warning_and_too_many_pause_claiming() {
    let s = street().await;
    let ids = [
        s.published().await,
        s.published().await,
        s.published().await,
    ];
    let mut volunteer = s.volunteer.clone();
    for id in &ids[..2] {
        s.act(&volunteer, id, "claim").expect(200).await;
        s.server
            .pass(TimeDelta::days(6) + TimeDelta::hours(1))
            .await;
        volunteer = s.again(&volunteer).await;
        let inbox = s
            .server
            .get("/me/notifications?limit=1")
            .by(&volunteer)
            .expect(200)
            .await
            .json;
        assert_eq!(inbox["items"][0]["kind"], "wish_lease_ending");
        s.server.pass(TimeDelta::days(1)).await;
        assert_eq!(s.status(id).await, "published");
        volunteer = s.again(&volunteer).await;
    }
    s.act(&volunteer, &ids[2], "claim")
        .refused(409, "claiming_paused")
        .await;
    // the lapses grow old, the first one first; the session is kept alive meanwhile
    for _ in 0..4 {
        s.server.app.platform.clock.advance(TimeDelta::days(21));
        volunteer = s.again(&volunteer).await;
    }
    s.act(&volunteer, &ids[2], "claim").expect(200).await;
}

#[actix_web::test]
async fn nobody_is_reminded_of_a_lease_that_is_over() {
    let s = street().await;
    let id = s.published().await;
    s.act(&s.volunteer, &id, "claim").expect(200).await;
    let time = TimeDelta::days(7) + TimeDelta::minutes(1);
    s.server.app.platform.clock.advance(time);
    let remind = yiqilai::wishes::remind;
    s.server.jobs_first("wish.remind", remind).await;
    s.server.work().await;
    let told = s.told(&s.volunteer).await;
    assert!(!told.contains(&"wish_lease_ending".to_owned()), "{told:?}");
}

#[actix_web::test]
async fn an_unconfirmed_delivery_counts_by_timeout() {
    let s = street().await;
    let id = s.delivered().await;
    s.server.pass(TimeDelta::days(8)).await;
    assert_eq!(s.status(&id).await, "fulfilled");
    let public = s.server.get(&format!("/wishes/{id}")).expect(200).await;
    assert_eq!(public.json["fulfilled_by"], "timeout");
    assert_eq!(s.told(&s.resident).await[0], "wish_timed_out");
    assert_eq!(s.told(&s.volunteer).await[0], "wish_unanswered");
}

#[actix_web::test]
async fn disputes_are_settled_by_staff() {
    let s = street().await;
    let id = s.delivered().await;
    s.because(&s.volunteer, &id, "dispute")
        .refused(403, "forbidden")
        .await;
    s.because(&s.resident, &id, "dispute").expect(200).await;
    s.because(&s.resident, &id, "dispute").expect(200).await;
    s.server
        .get(&format!("/wishes/{id}"))
        .refused(404, "not_found")
        .await;
    s.because(&s.volunteer, &id, "redeliver")
        .refused(403, "forbidden")
        .await;
    s.server.pass(TimeDelta::minutes(1)).await;
    s.because(&s.admin, &id, "redeliver").expect(200).await;
    assert_eq!(s.told(&s.resident).await[0], "wish_sent_back");
    s.act(&s.volunteer, &id, "deliver")
        .refused(422, "evidence_missing")
        .await; // what was disputed proves nothing anew
    s.deliver(&s.volunteer, &id).await;
    s.act(&s.resident, &id, "confirm").expect(200).await;
    for what in ["timeline", "messages"] {
        let path = format!("/wishes/{id}/{what}");
        s.server.get(&path).by(&s.volunteer).expect(200).await;
    }
    s.act(&s.volunteer, &id, "contact")
        .refused(403, "forbidden")
        .await;
    // what was confirmed can be taken back for a while
    s.because(&s.resident, &id, "dispute").expect(200).await;
    s.because(&s.admin, &id, "free").expect(200).await;
    assert_eq!(s.status(&id).await, "published");
    assert_eq!(s.told(&s.resident).await[0], "wish_open_again");
    let other = s.server.person("示例·另一位").await;
    s.act(&other, &id, "claim").expect(200).await;
    let step = s.read(&other, &id).await;
    assert_eq!(step.json["status"], "claimed");
}

/// Whoever delivered does not settle the dispute about it, staff or not.
#[actix_web::test]
async fn nobody_settles_a_dispute_about_the_own_delivery() {
    let s = street().await;
    let id = s.published().await;
    s.act(&s.admin, &id, "claim").expect(200).await;
    s.deliver(&s.admin, &id).await;
    s.because(&s.resident, &id, "dispute").expect(200).await;
    for verb in ["redeliver", "free"] {
        s.because(&s.admin, &id, verb)
            .refused(403, "own_wish")
            .await;
    }
}

#[actix_web::test]
async fn after_the_window_a_confirmation_stands() {
    let s = street().await;
    let id = s.delivered().await;
    s.act(&s.resident, &id, "confirm").expect(200).await;
    s.server.pass(TimeDelta::days(15)).await;
    let resident = s.again(&s.resident).await;
    s.server.pass(TimeDelta::days(16)).await;
    let resident = s.again(&resident).await;
    let refused = s
        .because(&resident, &id, "dispute")
        .refused(409, "move_not_allowed")
        .await;
    assert_eq!(
        (&refused.json["state"], &refused.json["allowed"]),
        (&json!("closed"), &json!([]))
    );
}

#[actix_web::test]
async fn a_beneficiary_without_an_account_follows_and_confirms_by_link() {
    let s = street().await;
    let id = s.on_behalf().await;
    s.act(&s.volunteer, &id, "claim").expect(200).await;
    s.server.work().await;
    let sms = s.server.sms("+8613800000001").pop().expect("an SMS");
    let url = sms["params"]["url"].as_str().unwrap();
    let link = url.split("/api/v1").nth(1).unwrap().to_owned();
    let followed = s.server.get(&link).expect(200).await.json;
    assert_eq!(followed["wish"]["status"], "claimed");
    assert!(!followed.to_string().contains("13800000001"));
    s.server
        .post(&format!("{link}/confirm"))
        .refused(409, "move_not_allowed")
        .await;
    s.deliver(&s.volunteer, &id).await;
    s.server
        .post(&format!("{link}/dispute"))
        .json(json!({"reason": "还没收到"}))
        .expect(200)
        .await;
    s.because(&s.admin, &id, "redeliver").expect(200).await;
    s.deliver(&s.volunteer, &id).await;
    s.server.post(&format!("{link}/confirm")).expect(200).await;
    let again = s
        .server
        .post(&format!("{link}/confirm"))
        .expect(200)
        .await
        .json;
    assert_eq!(again["wish"]["fulfilled_by"], "beneficiary");
    s.server
        .get("/wish-links/forged.token")
        .refused(404, "link_invalid")
        .await;
    s.server.pass(TimeDelta::days(200)).await;
    s.server.get(&link).expect(200).await; // it was closed by the clock just now
    s.server.pass(TimeDelta::days(179)).await;
    s.server.get(&link).expect(200).await;
    s.server.pass(TimeDelta::days(1)).await;
    s.server.get(&link).refused(404, "link_invalid").await;
}

/// Each step comes with the link, and the link lives as long as its wish.
#[actix_web::test]
async fn a_beneficiary_without_an_account_hears_of_every_step() {
    let s = street().await;
    let told = async || -> Vec<String> {
        s.server.work().await;
        let sms = s.server.sms("+8613800000001");
        let of = |sms: &Value| sms["template"].as_str().unwrap().to_owned();
        sms.iter().map(of).collect()
    };
    let rejected = s.drafted_on_behalf().await;
    s.act(&s.worker, &rejected, "submit").expect(200).await;
    let read = s.read(&s.admin, &rejected).await;
    let etag = read.header("etag").unwrap();
    let reject = s.because(&s.admin, &rejected, "reject");
    reject.header("if-match", etag).expect(200).await;
    assert_eq!(told().await, ["wish_rejected"]);
    let link = s.link().await;
    s.server.pass(TimeDelta::days(400)).await;
    s.server.get(&link).expect(200).await;

    let s = street().await;
    let told = async || -> Vec<String> {
        s.server.work().await;
        let sms = s.server.sms("+8613800000001");
        let of = |sms: &Value| sms["template"].as_str().unwrap().to_owned();
        sms.iter().map(of).collect()
    };
    let id = s.on_behalf().await;
    s.act(&s.volunteer, &id, "claim").expect(200).await;
    s.because(&s.volunteer, &id, "release").expect(200).await;
    let open = ["wish_published", "wish_claimed", "wish_open_again"];
    assert_eq!(told().await, open);
    s.act(&s.volunteer, &id, "claim").expect(200).await;
    s.server.pass(TimeDelta::days(8)).await;
    assert_eq!(told().await[3..], ["wish_claimed", "wish_open_again"]);
    let volunteer = s.again(&s.volunteer).await;
    s.act(&volunteer, &id, "claim").expect(200).await;
    s.deliver(&volunteer, &id).await;
    s.server.pass(TimeDelta::days(8)).await;
    let last = ["wish_claimed", "wish_delivered", "wish_timed_out"];
    assert_eq!(told().await[5..], last);
    let sms = s.server.sms("+8613800000001").pop().unwrap();
    let due = sms["params"]["due"].as_str().unwrap();
    assert!(sms["text"].as_str().unwrap().contains(due), "{sms}");
}

/// The photos too, and only those of its wish, and only as long as the link lives; nothing that is
/// counted or logged holds the link.
#[actix_web::test]
async fn a_beneficiary_without_an_account_sees_the_delivery_by_link() {
    let s = street().await;
    let id = s.on_behalf().await;
    s.act(&s.volunteer, &id, "claim").expect(200).await;
    s.deliver(&s.volunteer, &id).await;
    s.server.work().await;
    let sms = s.server.sms("+8613800000001").pop().expect("an SMS");
    let url = sms["params"]["url"].as_str().unwrap();
    let link = url.split("/api/v1").nth(1).unwrap().to_owned();
    let photo_of = |followed: &Value| -> String {
        let url = followed["wish"]["involved"]["evidence"][0]["photo_url"].as_str();
        url.unwrap().strip_prefix("/api/v1").unwrap().to_owned()
    };
    let photo = photo_of(&s.server.get(&link).expect(200).await.json);
    assert!(photo.starts_with(&link), "{photo}");
    for shown in [photo.clone(), format!("{photo}?thumbnail=true")] {
        let shown = s.server.get(&shown).expect(200).await;
        assert_eq!(shown.header("content-type"), Some("image/jpeg"));
        assert!(shown.bytes.starts_with(&[0xff, 0xd8]));
        assert_eq!(shown.header("cache-control"), Some("no-store"));
    }
    let disputed = s.server.post(&format!("{link}/dispute"));
    let disputed = disputed.json(json!({"reason": "还没收到"})).expect(200);
    assert_eq!(photo_of(&disputed.await.json), photo);

    let other = s.delivered().await;
    let others = s.read(&s.resident, &other).await.json["involved"]["evidence"][0]["id"].clone();
    let others = others.as_str().unwrap();
    let through = |link: &str, photo: &str| {
        let path = format!("{link}/evidence/{photo}");
        s.server.get(&path)
    };
    through(&link, others).refused(404, "not_found").await;
    through("/wish-links/forged.token", others)
        .refused(404, "link_invalid")
        .await;
    through(&link, "none").refused(400, "malformed_path").await;

    let token = link.strip_prefix("/wish-links/").unwrap();
    let figures = s.server.get("/metrics").expect(200).await;
    let figures = String::from_utf8(figures.bytes).unwrap();
    assert!(
        figures.contains("/wish-links/{token}/evidence/{evidence_id}"),
        "{figures}"
    );
    assert!(!figures.contains(token), "{figures}");

    s.server.pass(TimeDelta::days(200)).await;
    s.server.get(&photo).expect(200).await; // nobody has settled the dispute
    let admin = s.server.again(&s.admin).await;
    s.because(&admin, &id, "free").expect(200).await;
    let worker = s.server.again(&s.worker).await;
    s.because(&worker, &id, "withdraw").expect(200).await;
    s.server.pass(TimeDelta::days(180)).await;
    s.server.get(&photo).refused(404, "link_invalid").await;
}

#[actix_web::test]
async fn both_sides_write_without_knowing_numbers() {
    let s = street().await;
    let id = s.published().await;
    let write = |by: &User, body: &str| {
        s.server
            .post(&format!("/wishes/{id}/messages"))
            .by(by)
            .json(json!({"body": body}))
    };
    write(&s.resident, "您好")
        .refused(409, "nobody_to_write_to")
        .await;
    s.act(&s.volunteer, &id, "claim").expect(200).await;
    write(&s.volunteer, "周三下午方便吗?").expect(201).await;
    write(&s.resident, "方便,谢谢!").expect(201).await;
    let other = s.server.person("示例·旁人").await;
    write(&other, "?").refused(403, "forbidden").await;
    let thread = |by: &User| {
        s.server
            .get(&format!("/wishes/{id}/messages?limit=1"))
            .by(by)
    };
    thread(&other).refused(403, "forbidden").await;
    let first = thread(&s.resident).expect(200).await.json;
    assert_eq!(
        (&first["items"][0]["body"], &first["items"][0]["by_me"]),
        (&json!("周三下午方便吗?"), &json!(false))
    );
    assert!(!first.to_string().contains(&s.volunteer.phone));
    let next = first["next"].as_str().unwrap();
    let path = format!("/wishes/{id}/messages?limit=1&cursor={next}");
    let second = s.server.get(&path).by(&s.volunteer).expect(200).await.json;
    assert_eq!(second["items"][0]["author"], "示例·王奶奶");
    // who claims next does not read what was written before
    s.because(&s.volunteer, &id, "release").expect(200).await;
    s.act(&other, &id, "claim").expect(200).await;
    assert_eq!(thread(&other).expect(200).await.json["items"], json!([]));
    assert_eq!(
        thread(&s.resident).expect(200).await.json["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[actix_web::test]
async fn photos_are_taken_for_what_they_are() {
    let s = street().await;
    let id = s.published().await;
    let send = |form| {
        s.server
            .post(&format!("/wishes/{id}/evidence"))
            .by(&s.volunteer)
            .multipart(form)
    };
    send(photo(jpeg())).refused(403, "forbidden").await;
    s.act(&s.volunteer, &id, "claim").expect(200).await;
    send(photo(b"%PDF-1.4 a document".to_vec()))
        .refused(415, "unsupported_media_type")
        .await;
    send(photo(vec![0xff, 0xd8, 0xff, 0xe0, 0, 0]))
        .refused(422, "photo_unreadable")
        .await;
    send(photo(vec![0; 11 << 20]))
        .refused(413, "payload_too_large")
        .await;
    send(reqwest::multipart::Form::new().text("other", "x"))
        .refused(422, "photo_missing")
        .await;
    let not_a_form = s
        .server
        .post(&format!("/wishes/{id}/evidence"))
        .by(&s.volunteer)
        .json(json!({}));
    not_a_form.refused(415, "unsupported_media_type").await;
    send(photo(jpeg())).expect(201).await;
}

#[actix_web::test]
async fn wishes_are_withdrawn_and_expire() {
    let s = street().await;
    let id = s.published().await;
    s.act(&s.volunteer, &id, "claim").expect(200).await;
    s.because(&s.resident, &id, "withdraw").expect(200).await;
    s.because(&s.resident, &id, "withdraw").expect(200).await;
    let inbox = s
        .server
        .get("/me/notifications?limit=1")
        .by(&s.volunteer)
        .expect(200)
        .await
        .json;
    assert_eq!(inbox["items"][0]["kind"], "wish_withdrawn");
    for verb in ["deliver", "release"] {
        let lost = s.because(&s.volunteer, &id, verb);
        let lost = match verb {
            "deliver" => lost.json(json!({})),
            _ => lost,
        };
        let lost = lost.refused(409, "move_not_allowed").await;
        let told = (&lost.json["state"], &lost.json["allowed"]);
        assert_eq!(told, (&json!("withdrawn"), &json!([])));
    }
    let late = s.add_photo(&s.volunteer, &id).await;
    assert_eq!(late.json["code"], "move_not_allowed");
    // who claimed it reads on what the public read
    let read = s.read(&s.volunteer, &id).await;
    assert_eq!(read.json["status"], "withdrawn");
    assert!(read.json.get("involved").is_none());
    let path = format!("/wishes/{id}");
    s.server.get(&path).refused(404, "not_found").await;
    s.server
        .get(&format!("{path}/timeline"))
        .by(&s.volunteer)
        .refused(403, "forbidden")
        .await;

    let mut wish = s.wish();
    wish["expires_on"] = json!("2026-11-24");
    let id = s.draft(&s.resident, wish).await;
    s.act(&s.resident, &id, "submit").expect(200).await;
    s.publish(&id).await;
    s.server.pass(TimeDelta::hours(37)).await; // 23:00 of the last day
    assert_eq!(s.status(&id).await, "published");
    s.server.pass(TimeDelta::hours(1)).await;
    assert_eq!(s.status(&id).await, "expired");
}

#[actix_web::test]
async fn a_deadline_and_its_person_never_both_win() {
    let s = street().await;
    for _ in 0..4 {
        let resident = s.server.person("示例·居民").await;
        let volunteer = s.server.person("示例·志愿者").await;
        let id = s.draft(&resident, s.wish()).await;
        s.act(&resident, &id, "submit").expect(200).await;
        let admin = s
            .server
            .staff("示例·管理员", Role::RegionAdmin, Some(s.street))
            .await;
        s.act(&admin, &id, "publish")
            .header("if-match", "\"2\"")
            .expect(200)
            .await;
        s.act(&volunteer, &id, "claim").expect(200).await;
        assert_eq!(s.add_photo(&volunteer, &id).await.status, 201);
        s.server.app.platform.clock.advance(TimeDelta::days(7));
        let volunteer = s.again(&volunteer).await;
        let (delivered, ()) =
            futures_util::join!(s.act(&volunteer, &id, "deliver").send(), async {
                s.server.work().await;
            });
        let status = s.status(&id).await;
        match delivered.status.as_u16() {
            200 => assert_eq!(status, "delivered"),
            409 => assert_eq!(status, "published"),
            other => panic!("{other}: {:#}", delivered.json),
        }
    }
}

/// Until the claim the public learns of the street. A radius narrowed down around a guess, or distances
/// from several places, must not lead to a door.
#[actix_web::test]
async fn no_radius_narrows_down_to_a_beneficiarys_door() {
    let s = street().await;
    let door = (121.8329, 29.9087);
    let mut wish = s.wish();
    (wish["longitude"], wish["latitude"]) = (json!(door.0), json!(door.1));
    let id = s.draft(&s.resident, wish).await;
    s.act(&s.resident, &id, "submit").expect(200).await;
    s.publish(&id).await;
    let found = |(longitude, latitude): (f64, f64), radius: u32| {
        let path = format!("/wishes?longitude={longitude}&latitude={latitude}&radius_m={radius}");
        let call = s.server.get(&path).expect(200);
        async move { call.await.json["items"].as_array().unwrap().len() }
    };
    assert_eq!(found(door, 1000).await, 1);
    assert_eq!(found(door, 100).await, 0, "it is not shown at the door");
    let shown = (121.835, 29.91);
    assert_eq!(found(shown, 1).await, 1, "but at a point that many share");
}

#[actix_web::test]
async fn wishes_are_browsed_by_place_group_goal_and_text() {
    let s = street().await;
    let mut ids = Vec::new();
    for (title, longitude, group, goal) in [
        ("一台收音机", 121.85, "elder", "old_age"),
        ("一把轮椅", 121.86, "disabled", "support"),
        ("一套图书", 121.95, "child", "education"),
    ] {
        let mut wish = s.wish();
        wish["title"] = json!(title);
        wish["longitude"] = json!(longitude);
        wish["beneficiary_group"] = json!(group);
        wish["life_cycle"] = json!(goal);
        let id = s.draft(&s.resident, wish).await;
        s.act(&s.resident, &id, "submit").expect(200).await;
        s.publish(&id).await;
        ids.push(id);
    }
    let titles = |path: String| {
        let call = s.server.get(&path).expect(200);
        async move {
            let json = call.await.json;
            json["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|w| w["title"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(
        titles("/wishes".to_owned()).await,
        ["一套图书", "一把轮椅", "一台收音机"]
    );
    let near = "/wishes?longitude=121.861&latitude=29.91";
    assert_eq!(
        titles(near.to_owned()).await,
        ["一把轮椅", "一台收音机", "一套图书"]
    );
    assert_eq!(
        titles(format!("{near}&radius_m=2000")).await,
        ["一把轮椅", "一台收音机"]
    );
    let first = s
        .server
        .get(&format!("{near}&limit=1"))
        .expect(200)
        .await
        .json;
    assert_eq!(first["items"][0]["distance_m"], 100);
    let next = first["next"].as_str().unwrap();
    assert_eq!(
        titles(format!("{near}&limit=5&cursor={next}")).await,
        ["一台收音机", "一套图书"]
    );
    assert_eq!(
        titles("/wishes?beneficiary_group=child".to_owned()).await,
        ["一套图书"]
    );
    assert_eq!(
        titles("/wishes?life_cycle=old_age&kind=goods".to_owned()).await,
        ["一台收音机"]
    );
    assert_eq!(
        titles("/wishes?text=%E8%BD%AE%E6%A4%85".to_owned()).await,
        ["一把轮椅"]
    );
    assert_eq!(
        titles(format!("/wishes?region_id={}", s.street))
            .await
            .len(),
        3
    );
    assert_eq!(
        titles(format!("/wishes?region_id={}", Uuid::now_v7()))
            .await
            .len(),
        0
    );
    for (query, missing) in [
        ("longitude=121", "/latitude"),
        ("latitude=29", "/longitude"),
    ] {
        let half = s.server.get(&format!("/wishes?{query}"));
        let half = half.refused(400, "malformed_query").await;
        assert_eq!(half.fields(), [(missing.to_owned(), "required".to_owned())]);
    }
    let no_text = s.server.get("/wishes?text=%FF");
    no_text.refused(400, "malformed_query").await;
    s.server
        .get("/wishes?beneficiary_group=king")
        .refused(400, "malformed_query")
        .await;

    let staff = |by: &User, query: &str| {
        s.server
            .get(&format!("/staff/wishes?region_id={}{query}", s.street))
            .by(by)
    };
    assert_eq!(
        staff(&s.admin, "&status=published").expect(200).await.json["items"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    staff(&s.volunteer, "").refused(404, "not_found").await;
    staff(&s.worker, "").refused(404, "not_found").await;
    let mine = s
        .server
        .get("/me/wishes?relation=author&status=published&limit=2")
        .by(&s.resident)
        .expect(200)
        .await;
    assert_eq!(mine.json["items"].as_array().unwrap().len(), 2);
}

#[actix_web::test]
async fn an_organisation_claims_within_its_own_limits_and_loses_its_claims_with_its_leave_to_act() {
    let t = crate::organizations::town().await;
    let (organization, leader) = t.active("示例·红马甲").await;
    let resident = t.server.person("示例·居民").await;
    let mut wishes = Vec::new();
    for n in 0..4 {
        let body = json!({
            "region_id": t.grid, "contact": {"name": "示例·王", "phone": "13800000001", "address": "1幢101"},
            "alias": "王奶奶", "beneficiary_group": "elder", "life_cycle": "old_age", "kind": "service",
            "title": format!("第{n}个心愿"), "description": "陪伴就医。",
        });
        let id = t
            .server
            .post("/wishes")
            .by(&resident)
            .json(body)
            .expect(201)
            .await
            .id();
        t.server
            .post(&format!("/wishes/{id}/submit"))
            .by(&resident)
            .json(json!({}))
            .expect(200)
            .await;
        let read = t
            .server
            .get(&format!("/wishes/{id}"))
            .by(&t.street_admin)
            .expect(200)
            .await;
        let publish = t
            .server
            .post(&format!("/wishes/{id}/publish"))
            .by(&t.street_admin)
            .json(json!({}));
        publish
            .header("if-match", read.header("etag").unwrap())
            .expect(200)
            .await;
        wishes.push(id);
    }
    let claim = |by: &User, id: &str, body: Value| {
        t.server
            .post(&format!("/wishes/{id}/claim"))
            .by(by)
            .json(body)
    };
    let ours = json!({ "organization_id": organization });
    claim(&t.district_admin, &wishes[0], ours.clone())
        .refused(403, "forbidden")
        .await;
    let first = claim(&leader, &wishes[0], ours.clone()).expect(200).await;
    assert_eq!(first.json["involved"]["organization_id"], organization);
    claim(&leader, &wishes[1], ours.clone()).expect(200).await;
    claim(&leader, &wishes[2], ours)
        .refused(409, "claim_limit_reached")
        .await;
    claim(&leader, &wishes[3], json!({})).expect(200).await;
    let contact = format!("/wishes/{}/contact", wishes[0]);
    t.server
        .post(&contact)
        .by(&leader)
        .json(json!({}))
        .expect(200)
        .await;
    let inbox = t
        .server
        .get("/me/notifications")
        .by(&resident)
        .expect(200)
        .await;
    assert!(
        inbox.json.to_string().contains("示例·红马甲"),
        "who claims is said by its name"
    );

    t.review(
        &t.district_admin,
        &organization,
        "suspend",
        json!({"reason": "年检未通过"}),
    )
    .await;
    t.server.work().await;
    let status = async |id: &str| {
        let read = t.server.get(&format!("/wishes/{id}")).by(&resident);
        read.expect(200).await.json["status"].clone()
    };
    for id in &wishes[..2] {
        assert_eq!(status(id).await, "published");
    }
    assert_eq!(
        status(&wishes[3]).await,
        "claimed",
        "the person's own claim stays"
    );
}

/// What was not handed in is its author's alone; and who posted alone is not asked for by the grid
/// before there is something to confirm.
#[actix_web::test]
async fn a_draft_is_nobody_elses_and_the_grid_reads_a_contact_by_need() {
    let s = street().await;
    let id = s.draft(&s.resident, s.wish()).await;
    let hidden = async |id: &str| {
        for who in [&s.worker, &s.admin] {
            for what in ["", "/timeline", "/messages"] {
                let path = format!("/wishes/{id}{what}");
                s.server.get(&path).by(who).refused(404, "not_found").await;
            }
            s.act(who, id, "contact").refused(404, "not_found").await;
        }
        let path = format!("/staff/wishes?region_id={}", s.street);
        let listed = s.server.get(&path).by(&s.admin).expect(200).await;
        assert_eq!(listed.json["items"], json!([]));
    };
    hidden(&id).await;
    s.because(&s.resident, &id, "withdraw").expect(200).await;
    hidden(&id).await;

    let id = s.published().await;
    s.act(&s.worker, &id, "contact")
        .refused(403, "forbidden")
        .await;
    s.act(&s.volunteer, &id, "claim").expect(200).await;
    s.act(&s.worker, &id, "contact")
        .refused(403, "forbidden")
        .await;
    s.deliver(&s.volunteer, &id).await;
    s.act(&s.worker, &id, "contact").expect(200).await;
    let id = s.on_behalf().await;
    let grid = Some(s.grid);
    let colleague = s.server.staff("示例·同事", Role::GridLeader, grid).await;
    s.act(&colleague, &id, "contact").expect(200).await;
    s.because(&colleague, &id, "withdraw").expect(200).await;
    assert_eq!(s.told(&s.worker).await[0], "wish_taken_back");
}

/// What came by the command line has an author that nobody signs in as.
#[actix_web::test]
async fn a_wish_without_a_living_author_is_looked_after_by_the_grid() {
    let s = street().await;
    let mut wish = s.wish();
    wish["on_behalf"] = json!(true);
    wish["consent_channel"] = json!("paper");
    let (desk, new) = (s.server.app.wishes.clone(), wish);
    let imported = s.server.write(move |tx| {
        let name = "数据导入";
        let author = yiqilai::identity::create_account(tx, None, Some("i@x.invalid"), None, name)?;
        let new = serde_json::from_value(new.clone()).unwrap();
        let by = (Actor::System, author.id);
        let published = yiqilai::wishes::WishStatus::Published;
        yiqilai::wishes::import(tx, &desk, by, None, &new, published)
    });
    let id = imported.await.id.0.to_string();
    s.act(&s.volunteer, &id, "claim").expect(200).await;
    assert_eq!(s.told(&s.worker).await[0], "wish_claimed");
    s.because(&s.resident, &id, "withdraw")
        .refused(403, "forbidden")
        .await;
    s.because(&s.worker, &id, "withdraw").expect(200).await;
    assert_eq!(s.status(&id).await, "withdrawn");
}

#[actix_web::test]
async fn a_service_centre_stands_in_for_those_around_it() {
    let t = crate::organizations::town().await;
    let wish = json!({
        "region_id": t.grid, "on_behalf": true, "consent_channel": "paper",
        "contact": {"name": "示例·王", "phone": "13800000001", "address": "1幢101"},
        "alias": "王奶奶", "beneficiary_group": "elder", "life_cycle": "old_age", "kind": "service",
        "title": "陪伴就医", "description": "每周一次。",
    });
    let (_, team) = t.active("示例·红马甲").await;
    let post = |by: &User| t.server.post("/wishes").by(by).json(wish.clone());
    post(&team).refused(403, "forbidden").await;
    let (centre, leader) = t.active_of("service_centre", "示例·党群服务中心").await;
    let leader = t.server.refreshed(&leader).await;
    let id = post(&leader).expect(201).await.id();
    let act = |by: &User, verb: &str| {
        let path = format!("/wishes/{id}/{verb}");
        t.server.post(&path).by(by).json(json!({}))
    };
    act(&leader, "submit").expect(200).await;
    act(&leader, "contact").expect(200).await;
    let (_, other) = t.active_of("service_centre", "示例·另一中心").await;
    act(&other, "contact").expect(200).await;
    let why = json!({"reason": "年检未通过"});
    let suspended = t.review(&t.district_admin, &centre, "suspend", why).await;
    assert_eq!(suspended.status, 200, "{:#}", suspended.json);
    post(&leader).refused(403, "forbidden").await;
}

/// Where no staff of the grid is left, another service centre goes on with what one posted.
#[actix_web::test]
async fn what_a_service_centre_posted_is_gone_on_with_by_another() {
    let t = crate::organizations::town().await;
    let (centre, former) = t.active_of("service_centre", "示例·党群服务中心").await;
    let (_, other) = t.active_of("service_centre", "示例·另一中心").await;
    let wish = json!({
        "region_id": t.grid, "on_behalf": true, "consent_channel": "paper",
        "contact": {"name": "示例·王", "phone": "13800000001", "address": "1幢101"},
        "alias": "王奶奶", "beneficiary_group": "elder", "life_cycle": "old_age", "kind": "service",
        "title": "陪伴就医", "description": "每周一次。",
    });
    let id = t.server.post("/wishes").by(&former).json(wish).expect(201);
    let id = id.await.id();
    let why = json!({"reason": "年检未通过"});
    let suspended = t.review(&t.district_admin, &centre, "suspend", why).await;
    assert_eq!(suspended.status, 200, "{:#}", suspended.json);
    let path = format!("/wishes/{id}");
    let read = t.server.get(&path).by(&former);
    read.refused(404, "not_found").await;
    let path = format!("/staff/wishes?region_id={}", t.grid);
    let listed = t.server.get(&path).by(&other).expect(200).await.json;
    assert_eq!(listed["items"][0]["id"], json!(id));
    let act = |by: &User, verb: &str| t.server.post(&format!("/wishes/{id}/{verb}")).by(by);
    act(&other, "submit").expect(200).await;
    let publish = act(&t.street_admin, "publish").header("if-match", "\"2\"");
    publish.expect(200).await;
    let newest = async |who: &User| {
        let inbox = t.server.get("/me/notifications?limit=1").by(who);
        inbox.expect(200).await.json["items"][0]["kind"].clone()
    };
    assert_eq!(newest(&other).await, "wish_published");
    assert_ne!(newest(&former).await, "wish_published");
}

#[actix_web::test]
async fn what_is_over_is_over_before_the_clock_says_so() {
    let s = street().await;
    let mut wish = s.wish();
    wish["expires_on"] = json!("2026-11-24");
    let id = s.draft(&s.resident, wish).await;
    s.act(&s.resident, &id, "submit").expect(200).await;
    s.publish(&id).await;
    let leased = s.published().await;
    s.act(&s.volunteer, &leased, "claim").expect(200).await;
    assert_eq!(s.add_photo(&s.volunteer, &leased).await.status, 201);
    s.server.app.platform.clock.advance(TimeDelta::hours(38));
    let other = s.again(&s.worker).await;
    let refused = s.act(&other, &id, "claim");
    let refused = refused.refused(409, "move_not_allowed").await;
    assert_eq!(refused.json["state"], "expired");
    for path in ["/wishes", "/wishes?longitude=121.85&latitude=29.91"] {
        let open = s.server.get(path).expect(200).await;
        assert_eq!(open.json["items"], json!([]));
    }
    s.server.app.platform.clock.advance(TimeDelta::days(6));
    let volunteer = s.again(&s.volunteer).await;
    assert_eq!(
        s.add_photo(&volunteer, &leased).await.json["code"],
        "lease_expired"
    );
    s.act(&volunteer, &leased, "deliver")
        .refused(409, "lease_expired")
        .await;
    s.because(&volunteer, &leased, "release")
        .refused(409, "lease_expired")
        .await;
}

#[actix_web::test]
async fn money_is_refused_where_it_is_asked_for() {
    let s = street().await;
    let post = |kind: &str, title: &str, description: &str| {
        let mut wish = s.wish();
        wish["kind"] = json!(kind);
        wish["title"] = json!(title);
        wish["description"] = json!(description);
        if kind == "service" {
            wish["value_fen"] = Value::Null;
        }
        s.server.post("/wishes").by(&s.resident).json(wish)
    };
    for (kind, title, description, at) in [
        ("service", "代付房租", "每月一次", "/title"),
        ("service", "陪伴就医", "需要五百元", "/description"),
        ("goods", "５００元", "急用", "/title"),
        ("goods", "a shopping voucher", "please", "/title"),
        ("goods", "一台收音机", "缺钱看病", "/description"),
    ] {
        let refused = post(kind, title, description).refused(422, "invalid").await;
        let expected = [(at.to_owned(), "asks_for_money".to_owned())];
        assert_eq!(refused.fields(), expected, "{title}");
    }
    post("goods", "一台收音机", "价格约200元").expect(201).await;
    post("service", "理财讲座", "教孩子认识钱币")
        .expect(201)
        .await;
}

#[actix_web::test]
async fn a_wish_without_a_place_lies_at_the_centre_of_its_region() {
    let s = street().await;
    let mut wish = s.wish();
    (wish["longitude"], wish["latitude"]) = (Value::Null, Value::Null);
    let id = s.draft(&s.resident, wish).await;
    s.act(&s.resident, &id, "submit").expect(200).await;
    s.publish(&id).await;
    let near = "/wishes?longitude=121.85&latitude=29.91&radius_m=100";
    let found = s.server.get(near).expect(200).await.json;
    assert_eq!(found["items"][0]["id"], json!(id));
}

#[actix_web::test]
async fn the_proxy_hears_what_the_beneficiary_says_by_link() {
    let s = street().await;
    let id = s.on_behalf().await;
    s.act(&s.volunteer, &id, "claim").expect(200).await;
    s.deliver(&s.volunteer, &id).await;
    s.server.work().await;
    let sms = s.server.sms("+8613800000001").pop().expect("an SMS");
    let url = sms["params"]["url"].as_str().unwrap();
    let link = url.split("/api/v1").nth(1).unwrap().to_owned();
    s.server.post(&format!("{link}/confirm")).expect(200).await;
    assert_eq!(s.told(&s.worker).await[0], "wish_fulfilled");
    let disputed = s.server.post(&format!("{link}/dispute"));
    disputed.json(json!({"reason": "坏了"})).expect(200).await;
    assert_eq!(s.told(&s.worker).await[0], "wish_disputed");
}

/// Sixty messages are one mail until the first is read, and nobody writes without an end.
#[actix_web::test]
async fn a_flood_of_messages_is_no_flood_of_mails() {
    let s = street().await;
    let reader = crate::notifications::reader(&s.server).await;
    let id = s.draft(&reader, s.wish()).await;
    s.act(&reader, &id, "submit").expect(200).await;
    s.publish(&id).await;
    s.act(&s.volunteer, &id, "claim").expect(200).await;
    s.server.work().await;
    let before = s.server.mails(crate::notifications::ADDRESS).len();
    let write = |n: usize| {
        let path = format!("/wishes/{id}/messages");
        let call = s.server.post(&path).by(&s.volunteer);
        call.json(json!({"body": format!("第{n}条")}))
    };
    let mails = || s.server.mails(crate::notifications::ADDRESS).len() - before;
    for n in 0..29 {
        write(n).expect(201).await;
    }
    s.server.work().await;
    assert_eq!(mails(), 1);
    let inbox = s.server.get("/me/notifications?limit=100").by(&reader);
    let inbox = inbox.expect(200).await.json.to_string();
    assert_eq!(inbox.matches("wish_message").count(), 29);
    let read = s.server.post("/me/notifications/read").by(&reader);
    read.expect(204).await;
    write(29).expect(201).await;
    s.server.work().await;
    assert_eq!(mails(), 2);
    let refused = write(30).refused(429, "too_many_requests").await;
    assert!(refused.header("retry-after").is_some());
}

#[actix_web::test]
async fn a_beneficiary_without_an_account_writes_and_withdraws_by_link() {
    let s = street().await;
    let id = s.on_behalf().await;
    s.act(&s.volunteer, &id, "claim").expect(200).await;
    s.server.work().await;
    let sms = s.server.sms("+8613800000001").pop().expect("an SMS");
    let url = sms["params"]["url"].as_str().unwrap();
    let link = url.split("/api/v1").nth(1).unwrap().to_owned();
    let thread = format!("{link}/messages");
    let write = |path: &str, body: &str| s.server.post(path).json(json!({"body": body}));
    write(&thread, "").refused(422, "invalid").await;
    let written = write(&thread, "周三在家").expect(201).await;
    assert_eq!(written.json["author"], "王奶奶");
    assert_eq!(s.told(&s.volunteer).await[0], "wish_message");
    let answer = write(&format!("/wishes/{id}/messages"), "好的");
    answer.by(&s.volunteer).expect(201).await;
    assert_eq!(s.told(&s.worker).await[0], "wish_message");
    let read = s.server.get(&thread).expect(200).await.json;
    let items = read["items"].as_array().unwrap();
    assert_eq!(
        (&items[0]["by_me"], &items[1]["by_me"]),
        (&json!(true), &json!(false))
    );
    let forged = "/wish-links/forged.token/messages";
    s.server.get(forged).refused(404, "link_invalid").await;
    write(forged, "?").refused(404, "link_invalid").await;
    let withdraw = || {
        let call = s.server.post(&format!("{link}/withdraw"));
        call.json(json!({"reason": "家人已解决"}))
    };
    let withdrawn = withdraw().expect(200).await.json;
    assert_eq!(withdrawn["wish"]["status"], "withdrawn");
    withdraw().expect(200).await;
    assert_eq!(s.told(&s.worker).await[0], "wish_taken_back");
    assert_eq!(s.told(&s.volunteer).await[0], "wish_withdrawn");
    write(&thread, "?").refused(409, "nobody_to_write_to").await;
}

/// The link of the SMS is opened by a browser: pages that need nothing but themselves.
#[actix_web::test]
async fn the_link_is_a_page_for_a_browser() {
    let s = street().await;
    let mut wish = s.wish();
    wish["on_behalf"] = json!(true);
    wish["consent_channel"] = json!("oral");
    wish["title"] = json!("<b>收音机</b>");
    let id = s.draft(&s.worker, wish).await;
    s.act(&s.worker, &id, "submit").expect(200).await;
    s.publish(&id).await;
    s.act(&s.volunteer, &id, "claim").expect(200).await;
    s.deliver(&s.volunteer, &id).await;
    s.server.work().await;
    let sms = s.server.sms("+8613800000001").pop().expect("an SMS");
    let url = sms["params"]["url"].as_str().unwrap();
    let link = url.split("/api/v1").nth(1).unwrap().to_owned();
    let page = |path: &str, lang: &str| {
        let call = s.server.get(path).header("accept", "text/html,*/*;q=0.8");
        call.header("accept-language", lang)
    };
    let shown = page(&link, "zh-CN").expect(200).await;
    let text = String::from_utf8(shown.bytes.clone()).unwrap();
    for part in [
        "&#60;b&#62;收音机",
        "viewport",
        "2026-11-23 10:00",
        "/evidence/",
        "确认已收到",
        "提出异议",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("<script") && !text.contains("13800000001"));
    let policy = shown.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
    let english = page(&link, "en").expect(200).await;
    assert!(String::from_utf8_lossy(&english.bytes).contains("Confirm that it came true"));

    let send = |what: &str, text: &str| {
        let call = s.server.post(&format!("{link}/{what}"));
        call.form(&[("text", text)])
    };
    let said = |answer: Answer| String::from_utf8(answer.bytes).unwrap();
    let unsaid = said(send("dispute", " ").expect(422).await);
    assert!(unsaid.contains("Please write something"), "{unsaid}");
    let written = said(send("messages", "周三<在家>").expect(200).await);
    assert!(written.contains("Your message was sent") && written.contains("周三&#60;在家"));
    assert_eq!(s.told(&s.volunteer).await[0], "wish_message");
    let confirmed = said(send("confirm", "").expect(200).await);
    assert!(confirmed.contains("Thank you!"), "{confirmed}");
    let disputed = said(send("dispute", "坏了").expect(200).await);
    assert!(disputed.contains("坏了"), "{disputed}");
    let refused = said(send("confirm", "").expect(409).await);
    assert!(refused.contains("class=\"banner\""), "{refused}");
    let ended = page("/wish-links/forged.token", "en").expect(404).await;
    assert!(said(ended).contains("This link has ended"));
    s.server.get(&link).expect(200).await.json["wish"]["status"]
        .as_str()
        .expect("JSON for everybody else");
}

/// Nobody's rights outlive the role they came from: whoever posted for somebody else as a proxy, and
/// is none any more, sees what everybody sees.
#[actix_web::test]
async fn a_proxy_that_lost_its_role_is_a_stranger_to_what_it_posted() {
    let s = street_with(json!({"wishes": {"live_claims": 1000}})).await;
    let draft = s.drafted_on_behalf().await;
    let published = s.on_behalf().await;
    let claimed = s.on_behalf().await;
    let delivered = s.on_behalf().await;
    let disputed = s.on_behalf().await;
    let fulfilled = s.on_behalf().await;
    for id in [&claimed, &delivered, &disputed, &fulfilled] {
        s.act(&s.volunteer, id, "claim").expect(200).await;
    }
    for id in [&delivered, &disputed, &fulfilled] {
        s.deliver(&s.volunteer, id).await;
    }
    s.because(&s.worker, &disputed, "dispute").expect(200).await;
    s.act(&s.worker, &fulfilled, "confirm").expect(200).await;
    let write = |id: &str| {
        let call = s.server.post(&format!("/wishes/{id}/messages"));
        call.by(&s.worker).json(json!({"body": "您好"}))
    };
    write(&claimed).expect(201).await;
    s.act(&s.worker, &claimed, "contact").expect(200).await;

    s.revoke(&s.worker, s.grid).await;
    for id in [&published, &claimed, &delivered, &fulfilled] {
        let shown = s.read(&s.worker, id).await.json;
        assert!(shown.get("involved").is_none(), "{shown:#}");
        assert_eq!(shown["moves"], json!([]));
        s.act(&s.worker, id, "contact")
            .refused(403, "forbidden")
            .await;
        for what in ["timeline", "messages"] {
            let path = format!("/wishes/{id}/{what}");
            let read = s.server.get(&path).by(&s.worker);
            read.refused(403, "forbidden").await;
        }
        s.because(&s.worker, id, "withdraw")
            .refused(403, "forbidden")
            .await;
    }
    write(&claimed).refused(403, "forbidden").await;
    s.act(&s.worker, &delivered, "confirm")
        .refused(403, "forbidden")
        .await;
    for id in [&delivered, &fulfilled] {
        s.because(&s.worker, id, "dispute")
            .refused(403, "forbidden")
            .await;
    }
    for id in [&draft, &disputed] {
        let path = format!("/wishes/{id}");
        let read = s.server.get(&path).by(&s.worker);
        read.refused(404, "not_found").await;
        for verb in ["contact", "submit"] {
            s.act(&s.worker, id, verb).refused(404, "not_found").await;
        }
    }
    let edited = s.edit(&s.worker, &draft, json!({"alias": "李奶奶"})).await;
    assert_eq!(edited.status, 404);
    let mine = s.server.get("/me/wishes?relation=author").by(&s.worker);
    assert_eq!(mine.expect(200).await.json["items"], json!([]));
    // it was its own once: nobody takes on what they posted
    s.act(&s.worker, &published, "claim")
        .refused(403, "own_wish")
        .await;
}

/// Proxies come and go; whom they posted for stays. Whoever stands in next goes on where they were.
#[actix_web::test]
async fn what_a_former_proxy_posted_is_gone_on_with_by_others() {
    let s = street().await;
    let draft = s.drafted_on_behalf().await;
    let rejected = s.drafted_on_behalf().await;
    s.act(&s.worker, &rejected, "submit").expect(200).await;
    let reject = s.because(&s.admin, &rejected, "reject");
    reject.header("if-match", "\"2\"").expect(200).await;
    let delivered = s.on_behalf().await;
    s.act(&s.volunteer, &delivered, "claim").expect(200).await;
    s.deliver(&s.volunteer, &delivered).await;
    s.revoke(&s.worker, s.grid).await;
    let before = s.told(&s.worker).await.len();

    let grid = Some(s.grid);
    let leader = s.server.staff("示例·网格长", Role::GridLeader, grid).await;
    let listed = |by: &User, query: &str| {
        let path = format!("/staff/wishes?region_id={}{query}", s.grid);
        s.server.get(&path).by(by).expect(200)
    };
    let drafts = listed(&leader, "&status=draft").await.json;
    let drafts = drafts["items"].as_array().unwrap();
    assert_eq!(drafts.len(), 1);
    assert_eq!(drafts[0]["id"], json!(draft));
    assert_eq!(drafts[0]["moves"], json!(["submit", "withdraw"]));
    let none = listed(&s.admin, "&status=draft").await.json;
    assert_eq!(none["items"], json!([]), "who screens it sees it handed in");

    let edited = s.edit(&leader, &draft, json!({"alias": "李奶奶"})).await;
    assert_eq!(edited.status, 200, "{:#}", edited.json);
    s.act(&leader, &draft, "submit").expect(200).await;
    s.publish(&draft).await;
    let told = s.told(&leader).await;
    assert!(told.iter().any(|kind| kind == "wish_published"), "{told:?}");
    s.act(&leader, &rejected, "revise").expect(200).await;
    assert_eq!(s.read(&leader, &rejected).await.json["status"], "draft");
    s.act(&leader, &rejected, "submit").expect(200).await;
    s.act(&leader, &delivered, "contact").expect(200).await;
    let confirmed = s.act(&leader, &delivered, "confirm").expect(200).await;
    assert_eq!(confirmed.json["fulfilled_by"], "proxy");
    let path = format!("/wishes/{delivered}/timeline");
    s.server.get(&path).by(&leader).expect(200).await;
    assert_eq!(s.told(&s.worker).await.len(), before, "hears no more of it");

    // and nobody screens what they handed in for a colleague
    let both = s.server.staff("示例·兼任", Role::GridWorker, grid).await;
    let (id, street) = (both.id, Some(s.street));
    let screens = move |tx: &mut yiqilai::platform::db::Tx<'_>| {
        yiqilai::identity::grant(tx, Actor::System, id, Role::RegionAdmin, street)
    };
    s.server.write(screens).await;
    let handed_in = s.drafted_on_behalf_by(&leader).await;
    s.act(&both, &handed_in, "submit").expect(200).await;
    let own = s.act(&both, &handed_in, "publish");
    own.header("if-match", "\"2\"")
        .refused(403, "own_wish")
        .await;
}

/// Staff who import what was posted elsewhere hand it in, without being its proxies.
#[actix_web::test]
async fn an_imported_draft_is_handed_in_by_who_imported_it_or_by_the_grid() {
    let s = street().await;
    let mut wish = s.wish();
    wish["on_behalf"] = json!(true);
    wish["consent_channel"] = json!("paper");
    let by = s.admin.id;
    let import = async || {
        let (desk, new) = (s.server.app.wishes.clone(), wish.clone());
        let imported = s.server.write(move |tx| {
            let new = serde_json::from_value(new.clone()).unwrap();
            let draft = yiqilai::wishes::WishStatus::Draft;
            yiqilai::wishes::import(tx, &desk, (Actor::System, by), None, &new, draft)
        });
        imported.await.id.0.to_string()
    };
    let (first, second) = (import().await, import().await);
    s.act(&s.admin, &first, "submit").expect(200).await;
    let own = s.act(&s.admin, &first, "publish");
    own.header("if-match", "\"2\"")
        .refused(403, "own_wish")
        .await;
    s.act(&s.worker, &second, "submit").expect(200).await;
    assert_eq!(s.status(&second).await, "submitted");
}

#[actix_web::test]
async fn reasons_reach_those_they_concern() {
    let s = street().await;
    let because = |by: &User, id: &str, verb: &str, why: &str| {
        s.act(by, id, verb).json(json!({"reason": why}))
    };
    let hears = async |who: &User, what: &str| {
        for text in s.heard(who).await {
            assert!(text.contains(what), "{what} in {text}");
            let ends_twice = ["。。", "..", "。."]
                .iter()
                .any(|twice| text.contains(twice));
            assert!(!ends_twice, "{text}");
        }
    };
    let id = s.delivered().await;
    s.because(&s.resident, &id, "dispute").expect(200).await;
    let again = because(&s.admin, &id, "redeliver", "请换成大号的。");
    again.expect(200).await;
    hears(&s.volunteer, "请换成大号的").await;
    hears(&s.resident, "请换成大号的").await;
    s.deliver(&s.volunteer, &id).await;
    s.because(&s.resident, &id, "dispute").expect(200).await;
    let freed = because(&s.admin, &id, "free", "两次送达均不符。");
    freed.expect(200).await;
    hears(&s.volunteer, "两次送达均不符").await;
    hears(&s.resident, "两次送达均不符").await;
    let [zh, en] = s.heard(&s.volunteer).await;
    assert!(zh.ends_with("：两次送达均不符。"), "{zh}");
    assert!(en.ends_with(": 两次送达均不符."), "{en}");

    s.act(&s.volunteer, &id, "claim").expect(200).await;
    let released = because(&s.volunteer, &id, "release", "临时出差");
    released.expect(200).await;
    hears(&s.resident, "临时出差").await;

    s.act(&s.volunteer, &id, "claim").expect(200).await;
    let withdrawn = because(&s.resident, &id, "withdraw", "家人已解决。");
    withdrawn.expect(200).await;
    hears(&s.volunteer, "家人已解决").await;
}

#[actix_web::test]
async fn a_reopening_that_is_asked_for_twice_is_one() {
    let s = street().await;
    let id = s.delivered().await;
    s.act(&s.resident, &id, "confirm").expect(200).await;
    for _ in 0..2 {
        let reopened = s.because(&s.resident, &id, "dispute").expect(200).await;
        assert_eq!(reopened.json["status"], "disputed");
    }
    assert_eq!(s.journalled(&id, "wish.reopen").await.len(), 1);
    s.because(&s.worker, &id, "dispute")
        .refused(409, "move_not_allowed")
        .await; // that was somebody else's

    let id = s.on_behalf().await;
    s.act(&s.volunteer, &id, "claim").expect(200).await;
    let link = s.link().await;
    let dispute = || {
        let call = s.server.post(&format!("{link}/dispute"));
        call.json(json!({"reason": "坏了"}))
    };
    s.deliver(&s.volunteer, &id).await;
    for kind in ["wish.dispute", "wish.reopen"] {
        for _ in 0..2 {
            let disputed = dispute().expect(200).await;
            assert_eq!(disputed.json["wish"]["status"], "disputed");
        }
        assert_eq!(s.journalled(&id, kind).await.len(), 1);
        if kind == "wish.dispute" {
            s.because(&s.admin, &id, "redeliver").expect(200).await;
            s.deliver(&s.volunteer, &id).await;
            s.server.post(&format!("{link}/confirm")).expect(200).await;
        }
    }
    s.because(&s.worker, &id, "dispute")
        .refused(409, "move_not_allowed")
        .await;
}

/// Who held a wish and lost it, to the clock or to its author, learns where it stands.
#[actix_web::test]
async fn who_lost_a_claim_is_told_where_the_wish_stands() {
    let s = street().await;
    let told = |answer: &Answer| {
        let code = answer.json["code"].as_str();
        assert_eq!(code, Some("move_not_allowed"), "{:#}", answer.json);
        assert!(answer.json["allowed"].is_array());
        answer.json["state"].as_str().unwrap().to_owned()
    };
    for _ in 0..4 {
        let resident = s.server.person("示例·居民").await;
        let volunteer = s.server.person("示例·志愿者").await;
        let id = s.draft(&resident, s.wish()).await;
        s.act(&resident, &id, "submit").expect(200).await;
        s.publish(&id).await;
        s.act(&volunteer, &id, "claim").expect(200).await;
        assert_eq!(s.add_photo(&volunteer, &id).await.status, 201);
        let (delivered, released, withdrawn) = futures_util::join!(
            s.act(&volunteer, &id, "deliver").send(),
            s.because(&volunteer, &id, "release").send(),
            s.because(&resident, &id, "withdraw").send(),
        );
        let all = [delivered, released, withdrawn];
        assert!(all.iter().any(|answer| answer.status == 200));
        for refused in all.iter().filter(|answer| answer.status != 200) {
            told(refused);
        }
    }
    let id = s.published().await;
    s.act(&s.volunteer, &id, "claim").expect(200).await;
    s.server.pass(TimeDelta::days(7)).await;
    let volunteer = s.again(&s.volunteer).await;
    let late = s.act(&volunteer, &id, "deliver").send().await;
    assert_eq!(told(&late), "published");
    let late = s.because(&volunteer, &id, "release").send().await;
    assert_eq!(told(&late), "published");
    assert_eq!(told(&s.add_photo(&volunteer, &id).await), "published");
    // where it is somebody else's, the move is no longer its own
    let other = s.server.person("示例·另一位").await;
    s.act(&other, &id, "claim").expect(200).await;
    s.act(&volunteer, &id, "deliver")
        .refused(403, "forbidden")
        .await;
}

/// The key of a photo is its content's hash: the very same one is known again.
#[actix_web::test]
async fn a_disputed_photo_proves_nothing_again() {
    let s = street().await;
    let id = s.published().await;
    let claim = async || {
        s.act(&s.volunteer, &id, "claim").expect(200).await;
    };
    claim().await;
    // one that was never disputed serves again
    assert_eq!(s.add_photo(&s.volunteer, &id).await.status, 201);
    s.because(&s.volunteer, &id, "release").expect(200).await;
    claim().await;
    assert_eq!(s.add_photo(&s.volunteer, &id).await.status, 201);
    s.act(&s.volunteer, &id, "deliver").expect(200).await;
    s.because(&s.resident, &id, "dispute").expect(200).await;
    s.server.pass(TimeDelta::minutes(1)).await;
    s.because(&s.admin, &id, "redeliver").expect(200).await;
    let same = s.add_photo(&s.volunteer, &id).await;
    assert_eq!(same.status, 422);
    assert_eq!(same.json["code"], "evidence_disputed");
    s.act(&s.volunteer, &id, "deliver")
        .refused(422, "evidence_missing")
        .await;
    s.deliver(&s.volunteer, &id).await;
    s.because(&s.resident, &id, "dispute").expect(200).await;
    s.because(&s.admin, &id, "free").expect(200).await;
    s.server.pass(TimeDelta::minutes(1)).await;
    claim().await;
    let same = s.add_photo(&s.volunteer, &id).await;
    assert_eq!(same.json["code"], "evidence_disputed", "nor in a new claim");
}

/// By the table: where the API lets the beneficiary withdraw, so does the page.
#[actix_web::test]
async fn the_page_of_a_link_withdraws_the_wish() {
    let s = street().await;
    let id = s.on_behalf().await;
    s.act(&s.volunteer, &id, "claim").expect(200).await;
    let link = s.link().await;
    let page = async || {
        let call = s.server.get(&link).header("accept", "text/html");
        String::from_utf8(call.expect(200).await.bytes).unwrap()
    };
    let send = async |fields: &[(&str, &str)], status: u16| {
        let call = s.server.post(&format!("{link}/withdraw")).form(fields);
        String::from_utf8(call.expect(status).await.bytes).unwrap()
    };
    let offered = page().await;
    assert!(offered.contains("/withdraw\""), "{offered}");
    assert!(offered.contains("type=\"checkbox\" name=\"sure\""));
    let unsure = send(&[("text", "家人已解决")], 422).await;
    assert!(unsure.contains("please tick the box"), "{unsure}");
    let unsaid = send(&[("text", " "), ("sure", "yes")], 422).await;
    assert!(unsaid.contains("Please write something"), "{unsaid}");
    assert_eq!(s.status(&id).await, "claimed");
    for _ in 0..2 {
        let done = send(&[("text", "家人已解决"), ("sure", "yes")], 200).await;
        assert!(done.contains("The wish is withdrawn"), "{done}");
        assert!(!done.contains("/withdraw\""), "{done}");
    }
    assert_eq!(s.status(&id).await, "withdrawn");
    assert!(s.heard(&s.volunteer).await[1].contains("家人已解决"));

    let id = s.on_behalf().await;
    s.act(&s.volunteer, &id, "claim").expect(200).await;
    s.deliver(&s.volunteer, &id).await;
    let link = s.link().await;
    let shown = s.server.get(&link).header("accept", "text/html");
    let shown = String::from_utf8(shown.expect(200).await.bytes).unwrap();
    assert!(!shown.contains("/withdraw\""), "not once it is delivered");
    let late = s.server.post(&format!("{link}/withdraw"));
    let late = late.form(&[("text", "不要了"), ("sure", "yes")]);
    let late = String::from_utf8(late.expect(409).await.bytes).unwrap();
    assert!(late.contains("class=\"banner\""), "{late}");
}

/// A form takes no more than the API does.
#[actix_web::test]
async fn the_page_of_a_link_takes_only_readable_text() {
    let s = street().await;
    let id = s.on_behalf().await;
    s.act(&s.volunteer, &id, "claim").expect(200).await;
    s.deliver(&s.volunteer, &id).await;
    let link = s.link().await;
    for text in ["坏\u{0}了", "坏\u{7}了", "坏\u{202E}了", "\u{2066}坏了"] {
        for (what, key) in [
            ("messages", "body"),
            ("dispute", "reason"),
            ("withdraw", "reason"),
        ] {
            let path = format!("{link}/{what}");
            let form = s
                .server
                .post(&path)
                .form(&[("text", text), ("sure", "yes")]);
            let said = String::from_utf8(form.expect(422).await.bytes).unwrap();
            assert!(said.contains("control characters"), "{what}: {said}");
            let same = s.server.post(&path).json(json!({ key: text }));
            let same = same.refused(422, "invalid").await;
            assert_eq!(same.fields(), [(format!("/{key}"), "format".to_owned())]);
        }
    }
    assert_eq!(s.status(&id).await, "delivered");
    let form = s.server.post(&format!("{link}/dispute"));
    let lines = form.form(&[("text", "坏了\r\n\t请看照片")]);
    lines.expect(200).await;
    assert_eq!(s.status(&id).await, "disputed");
}

#[actix_web::test]
async fn a_last_day_lies_neither_behind_nor_far_ahead() {
    let s = street().await;
    let id = s.draft(&s.resident, s.wish()).await;
    for (day, code) in [
        ("0000-01-01", "in_the_past"),
        ("0001-01-01", "in_the_past"),
        ("2026-11-22", "in_the_past"),
        ("2029-11-24", "range"),
        ("9999-12-31", "range"),
        ("+10000-01-01", "format"),
        ("-0001-01-01", "format"),
    ] {
        let wrong = [("/expires_on".to_owned(), code.to_owned())];
        let mut wish = s.wish();
        wish["expires_on"] = json!(day);
        let refused = s.server.post("/wishes").by(&s.resident).json(wish);
        let refused = refused.refused(422, "invalid").await;
        assert_eq!(refused.fields(), wrong, "{day}");
        let edited = s.edit(&s.resident, &id, json!({"expires_on": day})).await;
        assert_eq!(edited.fields(), wrong, "{day}");
    }
    for day in ["2026-11-23", "2029-11-23"] {
        let edited = s.edit(&s.resident, &id, json!({"expires_on": day})).await;
        assert_eq!(edited.json["expires_on"], day);
    }
}

/// An organisation with a wish that it claimed.
struct Claimed {
    t: crate::organizations::Town,
    organization: String,
    leader: User,
    resident: User,
    id: String,
}

impl Claimed {
    async fn by_an_organization() -> Self {
        let t = crate::organizations::town().await;
        let (organization, leader) = t.active("示例·红马甲").await;
        let resident = t.server.person("示例·居民").await;
        let wish = json!({
            "region_id": t.grid, "contact": {"name": "示例·王", "phone": "13800000001", "address": "1幢101"},
            "alias": "王奶奶", "beneficiary_group": "elder", "life_cycle": "old_age", "kind": "service",
            "title": "陪伴就医", "description": "每周一次。",
        });
        let made = t.server.post("/wishes").by(&resident).json(wish);
        let id = made.expect(201).await.id();
        let claimed = Self {
            t,
            organization,
            leader,
            resident,
            id,
        };
        let admin = claimed.t.street_admin.clone();
        claimed.act(&claimed.resident, "submit").expect(200).await;
        let publish = claimed.act(&admin, "publish");
        publish.header("if-match", "\"2\"").expect(200).await;
        let ours = json!({"organization_id": claimed.organization});
        let claim = claimed.act(&claimed.leader, "claim").json(ours);
        claim.expect(200).await;
        claimed
    }

    fn act(&self, by: &User, verb: &str) -> crate::harness::Call<'_> {
        let path = format!("/wishes/{}/{verb}", self.id);
        self.t.server.post(&path).by(by)
    }

    fn because(&self, by: &User, verb: &str) -> crate::harness::Call<'_> {
        self.act(by, verb).json(json!({"reason": "型号不符"}))
    }

    fn add_photo(&self) -> crate::harness::Call<'_> {
        let call = self.act(&self.leader, "evidence");
        call.multipart(photo(another_jpeg()))
    }

    async fn review(&self, verb: &str, body: Value) {
        let by = &self.t.district_admin;
        let done = self.t.review(by, &self.organization, verb, body).await;
        assert_eq!(done.status, 200, "{:#}", done.json);
    }

    async fn suspended(&self) {
        self.review("suspend", json!({"reason": "年检未通过"}))
            .await;
    }

    async fn is_stopped(&self) {
        let path = format!("/wishes/{}", self.id);
        let shown = self.t.server.get(&path).by(&self.leader).expect(200).await;
        assert_eq!(shown.json["moves"], json!([]));
        assert_eq!(shown.json["involved"]["may_read_contact"], json!(false));
        let stopped = "organization_not_active";
        self.act(&self.leader, "contact")
            .refused(403, "forbidden")
            .await;
        self.act(&self.leader, "deliver")
            .refused(409, stopped)
            .await;
        self.add_photo().refused(409, stopped).await;
        self.because(&self.leader, "release")
            .refused(409, stopped)
            .await;
        self.act(&self.leader, "messages")
            .json(json!({"body": "您好"}))
            .refused(409, stopped)
            .await;
    }
}

#[actix_web::test]
async fn an_organisation_that_may_not_act_delivers_nothing_again() {
    let c = Claimed::by_an_organization().await;
    let admin = &c.t.street_admin;
    c.add_photo().expect(201).await;
    c.act(&c.leader, "deliver").expect(200).await;
    c.because(&c.resident, "dispute").expect(200).await;
    c.suspended().await;
    c.t.server.work().await;
    c.is_stopped().await;
    c.because(admin, "redeliver")
        .refused(409, "organization_not_active")
        .await;
    // once it may act again, so may its claim
    c.review("reinstate", json!({})).await;
    c.because(admin, "redeliver").expect(200).await;
    c.act(&c.leader, "contact").expect(200).await;
    c.add_photo().expect(201).await;
    c.act(&c.leader, "deliver").expect(200).await;
    c.act(&c.resident, "confirm").expect(200).await;

    // what it fulfilled can be taken back; an organisation that is gone does not mend it
    let dissolve = c.t.act(&c.leader, &c.organization, "dissolve");
    let why = json!({"reason": "成员各奔东西"});
    dissolve.json(why).expect(200).await;
    c.t.server.work().await;
    c.because(&c.resident, "dispute").expect(200).await;
    c.is_stopped().await;
    c.because(admin, "redeliver")
        .refused(409, "organization_not_active")
        .await;
    let freed = c.because(admin, "free").expect(200).await;
    assert_eq!(freed.json["status"], "published");
}

#[actix_web::test]
async fn an_organisation_is_stopped_at_once_and_told_why_its_claim_ended() {
    let c = Claimed::by_an_organization().await;
    c.add_photo().expect(201).await;
    c.suspended().await;
    c.is_stopped().await; // before the worker has come by
    c.t.server.work().await;
    for (who, kind) in [
        (&c.leader, "wish_claim_stopped"),
        (&c.resident, "wish_released"),
    ] {
        let inbox = c.t.server.get("/me/notifications?limit=1").by(who);
        let told = inbox.expect(200).await.json["items"][0].clone();
        assert_eq!(told["kind"], kind);
        assert!(told["text"].to_string().contains("年检未通过"), "{told:#}");
    }
    let lost = c.act(&c.leader, "deliver");
    let lost = lost.refused(409, "move_not_allowed").await;
    assert_eq!(lost.json["state"], "published");
}

#[actix_web::test]
async fn a_late_reaction_to_a_suspension_leaves_a_reinstated_organisation_its_wish() {
    let c = Claimed::by_an_organization().await;
    c.suspended().await;
    c.review("reinstate", json!({})).await;
    c.t.server.work().await;
    let shown = c.t.server.get(&format!("/wishes/{}", c.id)).by(&c.leader);
    assert_eq!(shown.expect(200).await.json["status"], "claimed");
}

/// Whoever runs an organisation finds what it has claimed, whoever claimed it.
#[actix_web::test]
async fn the_claims_of_an_organisation_are_those_of_all_who_run_it() {
    let c = Claimed::by_an_organization().await;
    let second = c.t.server.person("示例·副手").await;
    let (id, scope) = (second.id, c.organization.parse().ok());
    let listed = async || {
        let mine = c.t.server.get("/me/wishes?relation=claimant");
        mine.by(&second).expect(200).await.json["items"].clone()
    };
    assert_eq!(listed().await, json!([]));
    let joins = move |tx: &mut yiqilai::platform::db::Tx<'_>| {
        yiqilai::identity::grant(tx, Actor::System, id, Role::OrganizationManager, scope)
    };
    c.t.server.write(joins).await;
    let items = listed().await;
    assert_eq!(items[0]["id"], json!(c.id));
    assert_eq!(items[0]["moves"], json!(["deliver", "release"]));
    // in whatever became of it
    c.because(&c.resident, "withdraw").expect(200).await;
    assert_eq!(listed().await[0]["status"], "withdrawn");
}

/// Each claim shows where somebody lives, and is told to several people.
#[actix_web::test]
async fn who_gives_back_again_and_again_waits() {
    let s = street().await;
    for _ in 0..3 {
        let id = s.published().await;
        s.act(&s.volunteer, &id, "claim").expect(200).await;
        s.because(&s.volunteer, &id, "release").expect(200).await;
    }
    let id = s.published().await;
    let fourth = s.act(&s.volunteer, &id, "claim");
    fourth.refused(409, "claiming_paused").await;
    s.server.pass(TimeDelta::days(7)).await;
    let volunteer = s.server.again(&s.volunteer).await;
    s.act(&volunteer, &id, "claim").expect(200).await;
}
