//! Certificates beyond their first review: documents, what reviewers are shown and holders told, moves,
//! the same one twice, dates, and the clock.

use chrono::TimeDelta;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use uuid::Uuid;
use yiqilai::identity::Role;
use yiqilai::platform::token::digest;

use crate::harness::{Answer, Call, Server, User};
use crate::organizations::town;
use crate::volunteers::{profile, write};

struct Street {
    server: Server,
    street: Uuid,
    grid: Uuid,
    admin: User,
    holder: User,
}

async fn street() -> Street {
    // people come back often while weeks pass
    let settings = json!({"identity": {"codes_per_target": {"count": 1000, "seconds": 60}}});
    let server = Server::start_with(settings).await;
    let (_, street, grid) = crate::regions::three_levels(&server).await;
    let admin = server
        .staff("示例·管理员", Role::RegionAdmin, Some(street))
        .await;
    let holder = server.person("示例·罗律师").await;
    write(&server, &holder, None, &profile(grid))
        .expect(200)
        .await;
    Street {
        server,
        street,
        grid,
        admin,
        holder,
    }
}

fn certificate(kind: &str, number: &str) -> Value {
    json!({"kind": kind, "number": number, "issued_on": "2020-01-01"})
}

impl Street {
    fn submit(&self, by: &User, body: Value) -> Call<'_> {
        self.server.post("/me/qualifications").by(by).json(body)
    }

    async fn submitted(&self, kind: &str, number: &str) -> String {
        let submit = self.submit(&self.holder, certificate(kind, number));
        submit.expect(201).await.id()
    }

    fn act(&self, by: &User, id: &str, verb: &str, body: Value) -> Call<'_> {
        self.server
            .post(&format!("/qualifications/{id}/{verb}"))
            .by(by)
            .json(body)
    }

    async fn verified(&self, kind: &str, number: &str) -> String {
        let id = self.submitted(kind, number).await;
        self.act(&self.admin, &id, "verify", json!({}))
            .expect(200)
            .await;
        id
    }

    async fn queue(&self, by: &User, status: &str) -> Value {
        let path = format!(
            "/staff/qualifications?region_id={}&status={status}&limit=100",
            self.street
        );
        self.server.get(&path).by(by).expect(200).await.json
    }

    fn upload(&self, by: &User, id: &str, bytes: &[u8]) -> Call<'_> {
        let part = Part::bytes(bytes.to_vec()).file_name("证书.txt");
        self.server
            .post(&format!("/me/qualifications/{id}/document"))
            .by(by)
            .multipart(Form::new().part("document", part))
    }

    /// What somebody was told, the newest first.
    async fn told(&self, who: &User) -> Vec<String> {
        let inbox = self.server.get("/me/notifications?limit=100").by(who);
        let inbox = inbox.expect(200).await.json;
        let items = inbox["items"].as_array().unwrap().iter();
        let told = items.map(|notice| notice["kind"].as_str().unwrap().to_owned());
        told.collect()
    }

    /// What staff read of somebody, the newest first.
    async fn readings(&self, of: &User) -> Vec<String> {
        let read = self.server.get("/me/data-access?limit=100").by(of);
        let read = read.expect(200).await.json;
        let items = read["items"].as_array().unwrap().iter();
        let what = items.map(|reading| reading["what"].as_str().unwrap().to_owned());
        what.collect()
    }
}

/// Whether a document is among the files.
async fn is_kept(server: &Server, bytes: &[u8]) -> bool {
    let hash = digest(bytes).map(|byte| format!("{byte:02x}")).concat();
    let key = format!("{hash}.pdf");
    server.app.platform.files.get(&key).await.is_ok()
}

/// A PDF like no other.
fn unique_pdf() -> Vec<u8> {
    [PDF, Uuid::now_v7().to_string().as_bytes()].concat()
}

const PDF: &[u8] = b"%PDF-1.4\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF";

fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::DynamicImage::ImageRgb8(image::RgbImage::new(40, 30))
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

#[actix_web::test]
async fn the_document_is_for_the_holder_and_the_staff_whose_reading_is_seen() {
    let s = street().await;
    let id = s.submitted("lawyer", "示例13302").await;
    let show = |by: &User| {
        s.server
            .get(&format!("/qualifications/{id}/document"))
            .by(by)
    };
    show(&s.holder).refused(404, "not_found").await;
    let foreign = unique_pdf();
    for by in [&s.admin, &s.server.person("示例·外人").await] {
        s.upload(by, &id, &foreign).refused(404, "not_found").await;
    }
    assert!(
        !is_kept(&s.server, &foreign).await,
        "nothing is kept of those who may not"
    );
    s.upload(&s.holder, &id, b"plain words")
        .refused(415, "unsupported_media_type")
        .await;
    s.upload(&s.holder, &id, &png()[..60])
        .refused(422, "photo_unreadable")
        .await;
    let path = format!("/me/qualifications/{id}/document");
    s.server
        .post(&path)
        .by(&s.holder)
        .multipart(Form::new().text("note", "…"))
        .refused(422, "document_missing")
        .await;
    let added: Answer = s.upload(&s.holder, &id, &png()).expect(201).await;
    let address = format!("/api/v1/qualifications/{id}/document");
    assert_eq!(added.header("location"), Some(address.as_str()));
    let photo = show(&s.holder).expect(200).await;
    assert_eq!(
        photo.header("content-type"),
        Some("image/jpeg"),
        "written anew"
    );
    s.upload(&s.holder, &id, PDF).expect(201).await;
    assert_eq!(
        show(&s.holder).expect(200).await.bytes,
        PDF,
        "the later one"
    );
    assert_eq!(
        s.readings(&s.holder).await,
        [""; 0],
        "one's own is no reading"
    );

    let elsewhere = s
        .server
        .staff("示例·别处", Role::RegionAdmin, Some(Uuid::now_v7()));
    show(&elsewhere.await).refused(404, "not_found").await;
    let waiting = s.queue(&s.admin, "submitted").await;
    assert_eq!(waiting["items"][0]["document_url"], address);
    assert_eq!(show(&s.admin).expect(200).await.bytes, PDF);
    let readings = s.readings(&s.holder).await;
    assert_eq!(
        readings,
        ["certificate_document", "certificate_number", "name"]
    );

    s.act(&s.admin, &id, "verify", json!({})).expect(200).await;
    let late = s.upload(&s.holder, &id, &foreign);
    late.refused(409, "move_not_allowed").await;
    assert!(
        !is_kept(&s.server, &foreign).await,
        "what was reviewed stays"
    );
    assert!(is_kept(&s.server, PDF).await);
}

#[actix_web::test]
async fn reviewers_see_who_it_is_and_whether_the_number_is_known_elsewhere() {
    let s = street().await;
    let id = s.submitted("lawyer", "示例-33020a").await;
    let waiting = s.queue(&s.admin, "submitted").await;
    let shown = &waiting["items"][0];
    let known = (&shown["holder_name"], &shown["number_known_elsewhere"]);
    assert_eq!(known, (&json!("示例·罗律师"), &json!(false)));
    assert_eq!(s.readings(&s.holder).await, ["certificate_number", "name"]);

    let other = s.server.person("示例·冒用者").await;
    write(&s.server, &other, None, &profile(s.grid))
        .expect(200)
        .await;
    // another kind bears numbers of its own
    let body = certificate("teacher", "示例-33020a");
    s.submit(&other, body).expect(201).await;
    let body = certificate("lawyer", "示例 33020A");
    let copy = s.submit(&other, body).expect(201).await;
    assert_eq!(
        copy.json["number_known_elsewhere"],
        Value::Null,
        "not the holder's to know"
    );
    let waiting = s.queue(&s.admin, "submitted").await;
    let flags: Vec<_> = waiting["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|shown| shown["number_known_elsewhere"].as_bool().unwrap())
        .collect();
    assert_eq!(flags, [true, false, true], "{waiting:#}");
    let mine = s.server.get("/me/qualifications").by(&s.holder).expect(200);
    let mine = &mine.await.json["items"][0];
    let unknown = (&mine["holder_name"], &mine["number_known_elsewhere"]);
    assert_eq!(unknown, (&Value::Null, &Value::Null));

    // what became of the other one does not matter
    s.act(&other, &copy.id(), "withdraw", json!({}))
        .expect(200)
        .await;
    let waiting = s.queue(&s.admin, "submitted").await;
    assert_eq!(waiting["items"][0]["id"], json!(id));
    assert_eq!(waiting["items"][0]["number_known_elsewhere"], true);
}

#[actix_web::test]
async fn the_same_certificate_is_live_once() {
    let s = street().await;
    let lawyer = || certificate("lawyer", "示例13302");
    let tries = (0..8).map(|_| s.submit(&s.holder, lawyer()).send());
    let answers = futures_util::future::join_all(tries).await;
    let mut statuses: Vec<_> = answers.iter().map(|a| a.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
    let first = answers.iter().find(|a| a.status == 201).unwrap().id();
    let again = |number: &str| s.submit(&s.holder, certificate("lawyer", number));
    again(" 示例-133 02")
        .refused(409, "qualification_exists")
        .await;
    again(" - ").refused(422, "invalid").await;
    s.submit(&s.holder, certificate("teacher", "示例13302"))
        .expect(201)
        .await;
    s.act(&s.admin, &first, "verify", json!({}))
        .expect(200)
        .await;
    again("示例13302")
        .refused(409, "qualification_exists")
        .await;
    s.act(&s.holder, &first, "withdraw", json!({}))
        .expect(200)
        .await;
    let second = again("示例13302").expect(201).await.id();
    let because = json!({"reason": "照片不清晰"});
    s.act(&s.admin, &second, "reject", because)
        .expect(200)
        .await;
    again("示例13302").expect(201).await;
}

/// Certificates from before there were hashes of their numbers are known again as soon as the worker has
/// seen them.
#[actix_web::test]
async fn earlier_certificates_are_known_again() {
    use diesel::prelude::*;
    use yiqilai::schema::qualifications;
    let s = street().await;
    s.submitted("lawyer", "示例13302").await;
    s.server
        .write(|tx| {
            let none: Option<Vec<u8>> = None;
            Ok(diesel::update(qualifications::table)
                .set(qualifications::number_hash.eq(none))
                .execute(tx.conn)?)
        })
        .await;
    s.server.work().await;
    let again = certificate("lawyer", "示例 13302");
    s.submit(&s.holder, again.clone())
        .refused(409, "qualification_exists")
        .await;
    let other = s.server.person("示例·冒用者").await;
    write(&s.server, &other, None, &profile(s.grid))
        .expect(200)
        .await;
    s.submit(&other, again).expect(201).await;
    let waiting = s.queue(&s.admin, "submitted").await;
    assert_eq!(waiting["items"][0]["number_known_elsewhere"], true);
}

#[actix_web::test]
async fn a_certificate_s_dates_make_sense() {
    let s = street().await; // the holder was born on 1 May 1965
    let submit = |issued: &str, last: Value| {
        let body =
            json!({"kind": "lawyer", "number": "示例1", "issued_on": issued, "expires_on": last});
        s.submit(&s.holder, body)
    };
    for (issued, last, pointer, code) in [
        ("1965-04-30", Value::Null, "/issued_on", "range"),
        ("2026-11-24", Value::Null, "/issued_on", "in_the_future"),
        (
            "2026-11-23",
            json!("2026-11-23"),
            "/expires_on",
            "ends_before_it_begins",
        ),
        ("2020-01-01", json!("2070-01-02"), "/expires_on", "range"),
    ] {
        let fields = submit(issued, last).refused(422, "invalid").await.fields();
        assert_eq!(fields, [(pointer.to_owned(), code.to_owned())]);
    }
    let ageless = s.server.person("示例·无生日").await;
    let mut body = profile(s.grid);
    body["birth_date"] = Value::Null;
    write(&s.server, &ageless, None, &body).expect(200).await;
    let mut old = certificate("lawyer", "示例2");
    old["issued_on"] = json!("1949-12-31");
    let fields = s
        .submit(&ageless, old.clone())
        .refused(422, "invalid")
        .await
        .fields();
    assert_eq!(fields, [("/issued_on".to_owned(), "range".to_owned())]);
    old["issued_on"] = json!("1950-01-01");
    s.submit(&ageless, old).expect(201).await;
    submit("2020-01-01", json!("2070-01-01")).expect(201).await;
}

#[actix_web::test]
async fn a_verified_one_is_taken_back_or_revoked_with_a_reason() {
    let s = street().await;
    let (id, other) = (
        s.verified("lawyer", "1").await,
        s.verified("teacher", "2").await,
    );
    let elsewhere = s
        .server
        .staff("示例·别处", Role::RegionAdmin, Some(Uuid::now_v7()));
    let because = || json!({"reason": "证书已被注销"});
    let revoke = |by: &User, body: Value| s.act(by, &id, "revoke", body);
    revoke(&elsewhere.await, because())
        .refused(404, "not_found")
        .await;
    revoke(&s.holder, because())
        .refused(403, "own_qualification")
        .await;
    revoke(&s.admin, json!({}))
        .refused(400, "malformed_json")
        .await;
    for _ in 0..2 {
        let revoked = revoke(&s.admin, because()).expect(200).await.json;
        let now = (&revoked["status"], &revoked["moves"]);
        assert_eq!(now, (&json!("revoked"), &json!([])));
    }
    s.act(&s.holder, &id, "withdraw", json!({}))
        .refused(409, "move_not_allowed")
        .await;
    s.act(&s.admin, &other, "withdraw", json!({}))
        .refused(403, "forbidden")
        .await;
    for _ in 0..2 {
        let back = s.act(&s.holder, &other, "withdraw", json!({}));
        assert_eq!(back.expect(200).await.json["status"], "withdrawn");
    }
    s.act(&s.admin, &other, "revoke", because())
        .refused(409, "move_not_allowed")
        .await;
    let own = s
        .server
        .get("/me/qualifications")
        .by(&s.holder)
        .expect(200)
        .await
        .json;
    assert_eq!(own["items"][0]["reason"], "证书已被注销");
    let told = s.told(&s.holder).await;
    let expected = [
        "qualification_revoked",
        "qualification_verified",
        "qualification_verified",
    ];
    assert_eq!(told, expected, "once, and nobody is told of what they do");
}

/// Who is looked up by the qualification sees a revoked one no more: matching at once, and a crew
/// between the application and the answer.
#[actix_web::test]
async fn matching_and_crews_follow_a_revoked_one() {
    let t = town().await;
    let (a, leader) = t.active("示例·甲队").await;
    let roles = json!([{"name": "导师", "seats": 3, "qualification": "teacher"}]);
    let id = t.open_project(json!({ "roles": roles })).await;
    let claim = t.claim(&leader, &id, Some(&a)).expect(201).await.id();
    let role = t.role(&id, 0).await;
    let person = t.server.person("示例·教师").await;
    write(&t.server, &person, None, &profile(t.grid))
        .expect(200)
        .await;
    let body = certificate("teacher", "示例001");
    let submit = t.server.post("/me/qualifications").by(&person).json(body);
    let held = submit.expect(201).await.id();
    let act = |verb: &str, body: Value| {
        let path = format!("/qualifications/{held}/{verb}");
        t.server.post(&path).by(&t.street_admin).json(body)
    };
    let missing = || async {
        let path = format!("/needs/project_role/{}/explanation", role.as_str().unwrap());
        let why = t.server.get(&path).by(&person).expect(200).await.json;
        let mut filters = why["filters"].as_array().unwrap().iter();
        filters.any(|filter| filter["code"] == "qualification_missing")
    };
    assert!(missing().await);
    act("verify", json!({})).expect(200).await;
    assert!(!missing().await);
    let place = t.crew(&person, &claim, json!({ "role_id": role }));
    let place = place.expect(201).await.id();
    act("revoke", json!({"reason": "证书已被注销"}))
        .expect(200)
        .await;
    assert!(missing().await, "the world in memory hears of it");
    let matching = &t.server.app.matching;
    matching.until_current().await.unwrap();
    let built = matching.rebuilt().await.unwrap();
    assert_eq!(*matching.world(), built);
    let accept = t.place_act(&leader, &place, "accept").send().await;
    assert_eq!(accept.status, 409, "{:#}", accept.json);
}

#[actix_web::test]
async fn staff_hear_of_a_new_one_and_the_holder_of_its_end_once() {
    let s = street().await;
    let second = s
        .server
        .staff("示例·另一管理员", Role::RegionAdmin, Some(s.street));
    let second = second.await;
    let holder_too = s.holder.id;
    let street = s.street;
    s.server
        .write(move |tx| {
            let actor = yiqilai::platform::journal::Actor::System;
            yiqilai::identity::grant(tx, actor, holder_too, Role::RegionAdmin, Some(street))
        })
        .await;
    let mut body = certificate("lawyer", "示例13302");
    body["expires_on"] = json!("2027-01-31");
    let id = s.submit(&s.holder, body.clone()).expect(201).await.id();
    let about_review = |told: Vec<String>| -> Vec<String> {
        let told = told.into_iter();
        told.filter(|kind| kind.starts_with("qualification"))
            .collect()
    };
    for staff in [&s.admin, &second] {
        let told = about_review(s.told(staff).await);
        assert_eq!(told, ["qualification_submitted"]);
    }
    assert!(
        about_review(s.told(&s.holder).await).is_empty(),
        "not of one's own"
    );
    s.act(&s.admin, &id, "verify", json!({})).expect(200).await;
    s.server.work().await;
    let told = || async {
        let holder = s.server.again(&s.holder).await;
        about_review(s.told(&holder).await)
    };
    assert_eq!(told().await, ["qualification_verified"]);

    // it ends with 31 January: thirty days before that is 1 January, 39 days from now
    s.server.pass(TimeDelta::days(38)).await;
    assert_eq!(told().await, ["qualification_verified"]);
    s.server.pass(TimeDelta::days(1)).await;
    let reminded = ["qualification_ending", "qualification_verified"];
    assert_eq!(told().await, reminded);
    for _ in 0..3 {
        s.server.pass(TimeDelta::days(10)).await;
    }
    assert_eq!(told().await, reminded, "once, also on its last day");
    let holder = s.server.again(&s.holder).await;
    body["expires_on"] = Value::Null;
    let renewal = s.submit(&holder, body).expect(201).await.id();
    s.server.pass(TimeDelta::days(1)).await;
    let ended = [
        "qualification_expired",
        "qualification_ending",
        "qualification_verified",
    ];
    assert_eq!(told().await, ended);
    s.server.pass(TimeDelta::days(1)).await;
    s.server.work().await;
    assert_eq!(told().await, ended);

    // who has a later one is not told of the end of the one before
    let admin = s.server.again(&s.admin).await;
    s.act(&admin, &renewal, "verify", json!({}))
        .expect(200)
        .await;
    let earlier = json!({"kind": "lawyer", "number": "示例另一", "issued_on": "2020-01-01", "expires_on": "2027-02-10"});
    let holder = s.server.again(&s.holder).await;
    let earlier = s.submit(&holder, earlier).expect(201).await.id();
    s.act(&admin, &earlier, "verify", json!({}))
        .expect(200)
        .await;
    let verified = ["qualification_verified", "qualification_verified"];
    let now = [&verified[..], &ended[..]].concat();
    s.server.pass(TimeDelta::days(20)).await;
    assert_eq!(told().await, now);
}
