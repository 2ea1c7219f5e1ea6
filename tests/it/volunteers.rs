//! Volunteers' profiles, and certificates with their review and expiry.

use chrono::NaiveDate;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;
use yiqilai::identity::Role;
use yiqilai::volunteers::holds_qualification;

use crate::harness::{Call, Server, User};

pub fn profile(region: Uuid) -> Value {
    json!({
        "region_id": region, "introduction": "退休电工,周末有空。", "birth_date": "1965-05-01",
        "skills": [{"skill": "health.first_aid", "level": 2}], "interests": ["old_age", "support"],
        "availability": [{"weekday": 6, "from_minute": 540, "to_minute": 600}, {"weekday": 6, "from_minute": 600, "to_minute": 720}],
        "places": [{"label": "家", "longitude": 121.85, "latitude": 29.91, "radius_m": 3000}],
    })
}

pub fn write<'a>(server: &'a Server, by: &User, etag: Option<&str>, body: &Value) -> Call<'a> {
    let call = server
        .call(Method::PUT, "/me/volunteer")
        .by(by)
        .json(body.clone());
    match etag {
        Some(etag) => call.header("if-match", etag),
        None => call,
    }
}

#[actix_web::test]
async fn taxonomies_are_public_and_in_both_languages() {
    let server = Server::start().await;
    let all = server.get("/taxonomies").expect(200).await.json;
    let groups = all["skill_groups"].as_array().unwrap();
    let count: usize = groups
        .iter()
        .map(|g| g["skills"].as_array().unwrap().len())
        .sum();
    assert!(groups.len() >= 15 && count >= 200);
    assert_eq!(all["life_cycles"].as_array().unwrap().len(), 7);
    assert!(
        groups
            .iter()
            .all(|g| g["zh"].is_string() && g["en"].is_string())
    );
}

#[actix_web::test]
async fn a_profile_is_written_whole_and_by_version() {
    let server = Server::start().await;
    let (_, street, grid) = crate::regions::three_levels(&server).await;
    let user = server.person("示例·林").await;
    server
        .get("/me/volunteer")
        .by(&user)
        .refused(404, "not_found")
        .await;
    let mut body = profile(grid);
    let first = write(&server, &user, None, &body).expect(200).await;
    assert_eq!(
        (
            first.header("etag"),
            &first.json["places"],
            &first.json["availability"]
        ),
        (Some("\"1\""), &body["places"], &body["availability"]),
        "back to back is no overlap"
    );
    body["skills"] = json!([]);
    body["region_id"] = json!(street);
    write(&server, &user, None, &body)
        .refused(428, "version_required")
        .await;
    write(&server, &user, Some("\"7\""), &body)
        .refused(412, "version_mismatch")
        .await;
    write(&server, &user, Some("\"1\""), &body)
        .expect(200)
        .await;
    let read = server.get("/me/volunteer").by(&user).expect(200).await;
    assert_eq!(
        (
            read.header("etag"),
            &read.json["skills"],
            &read.json["region_id"]
        ),
        (Some("\"2\""), &json!([]), &json!(street))
    );
}

#[actix_web::test]
async fn what_is_wrong_with_a_profile_comes_all_at_once() {
    let server = Server::start().await;
    let (_, _, grid) = crate::regions::three_levels(&server).await;
    let user = server.person("示例·何").await;
    let mut body = profile(grid);
    body["region_id"] = json!(Uuid::now_v7());
    body["birth_date"] = json!("2012-11-24");
    let child = write(&server, &user, None, &body).refused(422, "invalid");
    assert!(child.await.fields().contains(&(
        "/birth_date".to_owned(),
        "guardian_consent_missing".to_owned()
    )));
    body["birth_date"] = json!("2030-01-01");
    body["interests"] = json!(["old_age", "old_age"]);
    body["skills"] = json!([
        {"skill": "health.first_aid", "level": 1}, {"skill": "health.first_aid", "level": 2}, {"skill": "magic", "level": 3},
    ]);
    body["availability"] = json!([
        {"weekday": 1, "from_minute": 540, "to_minute": 600}, {"weekday": 1, "from_minute": 599, "to_minute": 660},
        {"weekday": 2, "from_minute": 600, "to_minute": 600},
    ]);
    let refused = write(&server, &user, None, &body)
        .refused(422, "invalid")
        .await;
    let mut fields = refused.fields();
    fields.sort();
    let expected = [
        ("/availability/1/to_minute", "overlaps"),
        ("/availability/2/to_minute", "ends_before_it_begins"),
        ("/birth_date", "range"),
        ("/interests", "repeated"),
        ("/region_id", "unknown_reference"),
        ("/skills/1/skill", "repeated"),
        ("/skills/2/skill", "unknown_skill"),
    ];
    assert_eq!(fields, expected.map(|(p, c)| (p.to_owned(), c.to_owned())));
    body["skills"] = json!([{"skill": "health.first_aid", "level": 4}]);
    body["places"][0]["radius_m"] = json!(5);
    body["places"][0]["latitude"] = json!(91.0);
    let refused = write(&server, &user, None, &body)
        .refused(422, "invalid")
        .await;
    let said = refused.fields();
    for pointer in [
        "/places/0/latitude",
        "/places/0/radius_m",
        "/skills/0/level",
    ] {
        let range = (pointer.to_owned(), "range".to_owned());
        assert!(said.contains(&range), "{pointer}: {said:?}");
    }
    assert!(said.contains(&("/birth_date".to_owned(), "range".to_owned())));
}

#[actix_web::test]
async fn certificates_are_reviewed_by_the_staff_of_the_region() {
    let server = Server::start().await;
    let (_, street, grid) = crate::regions::three_levels(&server).await;
    let admin = server
        .staff("示例·管理员", Role::RegionAdmin, Some(street))
        .await;
    let elsewhere = server
        .staff("示例·别处", Role::RegionAdmin, Some(Uuid::now_v7()))
        .await;
    let user = server.person("示例·罗律师").await;
    let body = json!({"kind": "lawyer", "number": "示例13302", "issued_on": "2020-01-01"});
    let submit =
        |by: &User, body: &Value| server.post("/me/qualifications").by(by).json(body.clone());
    submit(&user, &body).refused(409, "profile_required").await;
    write(&server, &user, None, &profile(grid))
        .expect(200)
        .await;
    let wrong = json!({"kind": "wizard", "number": "1", "issued_on": "2030-01-01", "expires_on": "2020-01-01"});
    let refused = submit(&user, &wrong).refused(422, "invalid").await;
    assert_eq!(refused.fields().len(), 3);
    let lawyer = submit(&user, &body).header("idempotency-key", "once");
    let lawyer = lawyer.expect(201).await;
    assert_eq!(
        lawyer.json["number"],
        Value::Null,
        "it may be kept in clear"
    );
    let lawyer = lawyer.id();
    submit(&user, &body)
        .refused(409, "qualification_exists")
        .await;
    let another = json!({"kind": "lawyer", "number": "示例13303", "issued_on": "2020-01-01"});
    let other = submit(&user, &another).expect(201).await.id();

    let queue = |by: &User, rest: &str| {
        server
            .get(&format!("/staff/qualifications?region_id={street}{rest}"))
            .by(by)
    };
    queue(&user, "").refused(404, "not_found").await;
    let waiting = queue(&admin, "&limit=1").expect(200).await.json;
    assert_eq!(
        (&waiting["items"][0]["number"], waiting["next"].is_string()),
        (&json!("示例13302"), true)
    );
    let mine = server.get("/me/qualifications").by(&user).expect(200).await;
    assert_eq!(mine.json["items"][0]["number"], "示例13302");
    let readings = server.get("/me/data-access").by(&user).expect(200).await;
    let reading = &readings.json["items"][0];
    assert_eq!(
        (&reading["what"], &reading["reader"]),
        (&json!("certificate_number"), &json!("region_staff"))
    );

    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let holds = |kind: &'static str, on: NaiveDate| {
        server
            .app
            .platform
            .db
            .read(move |conn| holds_qualification(conn, user.id, kind, on))
    };
    assert!(
        !holds("lawyer", day("2026-11-23")).await.unwrap(),
        "not before it is verified"
    );
    let review = |by: &User, id: &str, verb: &str| {
        server.post(&format!("/qualifications/{id}/{verb}")).by(by)
    };
    review(&elsewhere, &lawyer, "verify")
        .refused(404, "not_found")
        .await;
    review(&user, &lawyer, "verify")
        .refused(403, "own_qualification")
        .await;
    let verified = review(&admin, &lawyer, "verify").expect(200).await;
    assert_eq!(
        verified.json["expires_on"], "2027-11-23",
        "asked again after a year"
    );
    review(&admin, &lawyer, "verify").expect(200).await;
    review(&admin, &lawyer, "reject")
        .json(json!({"reason": "x"}))
        .refused(409, "move_not_allowed")
        .await;
    review(&admin, &other, "reject")
        .refused(400, "malformed_json")
        .await;
    review(&admin, &other, "reject")
        .json(json!({"reason": "照片不清晰"}))
        .expect(200)
        .await;

    assert!(holds("lawyer", day("2027-11-23")).await.unwrap());
    assert!(
        holds("legal_worker", day("2026-11-23")).await.unwrap(),
        "it includes this one"
    );
    assert!(
        !holds("lawyer", day("2027-11-24")).await.unwrap(),
        "expired"
    );
    let inbox = server
        .get("/me/notifications")
        .by(&user)
        .expect(200)
        .await
        .json;
    let kinds: Vec<_> = inbox["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["qualification_rejected", "qualification_verified"]);
    let own = server
        .get("/me/qualifications")
        .by(&user)
        .expect(200)
        .await
        .json;
    assert_eq!(own["items"][1]["reason"], "照片不清晰");
    queue(&admin, "&status=verified").expect(200).await;
}

#[actix_web::test]
async fn one_certificate_for_many_reviewers() {
    let server = Server::start().await;
    let (_, street, grid) = crate::regions::three_levels(&server).await;
    let user = server.person("示例·电工").await;
    write(&server, &user, None, &profile(grid))
        .expect(200)
        .await;
    let body = json!({"kind": "lawyer", "number": "1", "issued_on": "2020-01-01"});
    let id = server
        .post("/me/qualifications")
        .by(&user)
        .json(body)
        .expect(201)
        .await
        .id();
    let mut admins = Vec::new();
    for _ in 0..10 {
        admins.push(
            server
                .staff("示例·管理员", Role::RegionAdmin, Some(street))
                .await,
        );
    }
    let reviews = admins.iter().enumerate().map(|(n, admin)| {
        let (verb, body) = if n % 2 == 0 {
            ("verify", json!({}))
        } else {
            ("reject", json!({"reason": "x"}))
        };
        server
            .post(&format!("/qualifications/{id}/{verb}"))
            .by(admin)
            .json(body)
            .send()
    });
    let answers = futures_util::future::join_all(reviews).await;
    assert_eq!(answers.iter().filter(|a| a.status == 200).count(), 1);
    assert!(
        answers
            .iter()
            .all(|a| [200, 409].contains(&a.status.as_u16()))
    );
}

/// A skill is self-declared until staff of the region verify it, at the level it is declared at.
#[actix_web::test]
async fn staff_verify_skills_and_the_mark_lasts_as_long_as_the_level() {
    let server = Server::start().await;
    let (_, street, grid) = crate::regions::three_levels(&server).await;
    let admin = server
        .staff("示例·管理员", Role::RegionAdmin, Some(street))
        .await;
    let elsewhere = server
        .staff("示例·别处", Role::RegionAdmin, Some(Uuid::now_v7()))
        .await;
    let user = server.person("示例·周").await;
    let mut body = profile(grid);
    body["skills"] = json!([
        {"skill": "education.homework", "level": 1}, {"skill": "health.first_aid", "level": 2},
    ]);
    write(&server, &user, None, &body).expect(200).await;
    let own = || async { server.get("/me/volunteer").by(&user).expect(200).await };
    let marks = |profile: &Value| -> Vec<bool> {
        let skills = profile["skills"].as_array().unwrap().iter();
        skills
            .map(|one| one["verified"].as_bool().unwrap())
            .collect()
    };
    assert_eq!(
        marks(&own().await.json),
        [false, false],
        "nobody verifies by declaring"
    );
    let path = format!("/volunteers/{}/skills", user.id);
    let act = |by: &User, skill: &str, verb: &str, body: Value| {
        let path = format!("{path}/{skill}/{verb}");
        server.post(&path).by(by).json(body)
    };
    let verify = |by: &User, skill: &str| act(by, skill, "verify", json!({}));
    verify(&elsewhere, "health.first_aid")
        .refused(404, "not_found")
        .await;
    verify(&user, "health.first_aid")
        .refused(403, "own_skill")
        .await;
    verify(&admin, "health.nursing")
        .refused(404, "not_found")
        .await;
    verify(&admin, "magic").refused(404, "not_found").await;
    act(&admin, "health.first_aid", "verify", json!({"level": 3}))
        .refused(412, "version_mismatch")
        .await;
    for _ in 0..2 {
        let marked = verify(&admin, "health.first_aid").expect(200).await.json;
        assert_eq!(
            marked,
            json!({"skill": "health.first_aid", "level": 2, "verified": true})
        );
    }
    server
        .get(&path)
        .by(&elsewhere)
        .refused(404, "not_found")
        .await;
    let seen = server.get(&path).by(&admin).expect(200).await.json;
    assert_eq!(seen["items"][1]["verified"], true, "{seen:#}");

    // the profile goes back as it was read
    let read = own().await;
    let etag = read.header("etag").unwrap().to_owned();
    assert_eq!(marks(&read.json), [false, true]);
    let back = write(&server, &user, Some(&etag), &read.json)
        .expect(200)
        .await;
    assert_eq!(marks(&back.json), [false, true], "nothing has changed");
    let mut claimed = back.json.clone();
    claimed["skills"][0]["verified"] = json!(true);
    claimed["skills"][1] = json!({"skill": "health.first_aid", "level": 2, "verified": false});
    let etag = back.header("etag").unwrap().to_owned();
    let kept = write(&server, &user, Some(&etag), &claimed)
        .expect(200)
        .await;
    assert_eq!(
        marks(&kept.json),
        [false, true],
        "the mark is not the person's to set"
    );
    let mut higher = kept.json.clone();
    higher["skills"][1]["level"] = json!(3);
    let etag = kept.header("etag").unwrap().to_owned();
    let higher = write(&server, &user, Some(&etag), &higher)
        .expect(200)
        .await;
    assert_eq!(
        marks(&higher.json),
        [false, false],
        "another level is not verified"
    );

    verify(&admin, "health.first_aid").expect(200).await;
    let taken_back = act(&admin, "health.first_aid", "unverify", json!({"level": 3}));
    assert_eq!(taken_back.expect(200).await.json["verified"], false);
    assert_eq!(marks(&own().await.json), [false, false]);
    let inbox = server
        .get("/me/notifications")
        .by(&user)
        .expect(200)
        .await
        .json;
    let told = inbox["items"].as_array().unwrap().iter();
    let told: Vec<_> = told
        .map(|notice| notice["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        told,
        ["skill_unverified", "skill_verified", "skill_verified"]
    );
}
