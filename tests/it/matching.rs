//! What is recommended to whom, in which order and why; and that the world in memory is the one in
//! the database.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;
use yiqilai::identity::Role;
use yiqilai::platform::clock::Clock;
use yiqilai::platform::journal::Actor;
use yiqilai::regions::{self, Level, NewRegion};

use crate::harness::{Backend, Server, User, backend};
use crate::process::{redis, serving, starting};

/// A street with its people.
struct Street {
    server: Server,
    street: Uuid,
    grid: Uuid,
    admin: User,
    resident: User,
    volunteer: User,
}

async fn street_with(settings: Value) -> Street {
    street_on(Server::start_with(settings).await).await
}

async fn street_on(server: Server) -> Street {
    let (_, street, grid) = crate::regions::three_levels(&server).await;
    let street = Street {
        admin: server
            .staff("示例·街道管理员", Role::RegionAdmin, Some(street))
            .await,
        resident: server.person("示例·王奶奶").await,
        volunteer: server.person("示例·志愿者小李").await,
        server,
        street,
        grid,
    };
    street.write_profile(&street.volunteer, 121.85, 3000).await;
    street.consent(&street.volunteer, Method::PUT).await;
    street
}

async fn street() -> Street {
    street_with(json!({})).await
}

impl Street {
    async fn write_profile(&self, by: &User, longitude: f64, radius: i32) {
        let body = json!({
            "region_id": self.grid, "introduction": "示例", "birth_date": null,
            "skills": [{"skill": "health.first_aid", "level": 2}], "interests": [], "availability": [],
            "places": [{"label": "家", "longitude": longitude, "latitude": 29.91, "radius_m": radius}],
        });
        let read = self.server.get("/me/volunteer").by(by).send().await;
        let call = self.server.call(Method::PUT, "/me/volunteer").by(by);
        let call = match read.header("etag") {
            Some(etag) => call.header("if-match", etag),
            None => call,
        };
        call.json(body).expect(200).await;
    }

    async fn consent(&self, by: &User, method: Method) {
        let gives = method == Method::PUT;
        let call = self.server.call(method, "/me/consents/personalization");
        let call = call.by(by);
        if gives {
            call.json(json!({"text_version": "1"})).expect(200).await;
        } else {
            call.expect(204).await;
        }
    }

    fn wish(&self, title: &str, longitude: Option<f64>) -> Value {
        json!({
            "region_id": self.grid,
            "contact": {"name": "示例·王秀英", "phone": "13800000001", "address": "示例小区1幢101"},
            "alias": "王奶奶", "beneficiary_group": "elder", "life_cycle": "old_age", "kind": "goods",
            "title": title, "description": "想听越剧,家里的收音机坏了。", "value_fen": 12000,
            "longitude": longitude, "latitude": longitude.map(|_| 29.91),
        })
    }

    async fn published(&self, title: &str, longitude: Option<f64>) -> String {
        let wish = self.wish(title, longitude);
        let call = self.server.post("/wishes").by(&self.resident).json(wish);
        let id = call.expect(201).await.id();
        self.act(&self.resident, &id, "submit").expect(200).await;
        let read = self.server.get(&format!("/wishes/{id}")).by(&self.admin);
        let etag = read.expect(200).await.header("etag").unwrap().to_owned();
        let publish = self.act(&self.admin, &id, "publish");
        publish.header("if-match", &etag).expect(200).await;
        id
    }

    fn act(&self, by: &User, id: &str, verb: &str) -> crate::harness::Call<'_> {
        self.server.post(&format!("/wishes/{id}/{verb}")).by(by)
    }

    async fn recommended(&self, to: &User) -> Value {
        let call = self.server.get("/recommendations?personalized=true").by(to);
        call.expect(200).await.json
    }

    async fn ids(&self, to: &User) -> Vec<String> {
        ids(&self.recommended(to).await)
    }

    async fn candidates(&self, id: &str) -> Value {
        let path = format!("/needs/wish/{id}/candidates");
        self.server
            .get(&path)
            .by(&self.admin)
            .expect(200)
            .await
            .json
    }

    async fn explained(&self, to: &User, id: &str) -> Value {
        let path = format!("/needs/wish/{id}/explanation");
        self.server.get(&path).by(to).expect(200).await.json
    }

    /// The world in memory is the one that a fresh start would build.
    async fn holds_what_the_database_holds(&self) {
        let matching = &self.server.app.matching;
        matching.until_current().await.unwrap();
        let built = matching.rebuilt().await.unwrap();
        assert_eq!(*matching.world(), built);
    }
}

fn ids(answer: &Value) -> Vec<String> {
    let items = answer["items"].as_array().unwrap();
    let id = |item: &Value| item["need"]["id"].as_str().unwrap().to_owned();
    items.iter().map(id).collect()
}

fn codes(explanation: &Value) -> Vec<&str> {
    let filters = explanation["filters"].as_array().unwrap();
    filters.iter().filter_map(|f| f["code"].as_str()).collect()
}

#[actix_web::test]
async fn what_was_written_just_before_is_seen() {
    let s = street().await;
    let near = s.published("一台收音机", Some(121.851)).await;
    let far = s.published("一副老花镜", Some(121.87)).await;
    assert_eq!(s.ids(&s.volunteer).await, [near.clone(), far.clone()]);
    for n in 0..10 {
        // now nearer to the other one, now not, each time to be seen at once
        let (longitude, first) = if n % 2 == 0 {
            (121.87, &far)
        } else {
            (121.85, &near)
        };
        s.write_profile(&s.volunteer, longitude, 3000).await;
        assert_eq!(&s.ids(&s.volunteer).await[0], first);
    }
    s.write_profile(&s.volunteer, 121.85, 1000).await;
    assert_eq!(
        s.ids(&s.volunteer).await,
        std::slice::from_ref(&near),
        "out of reach"
    );

    let other = s.server.person("示例·志愿者小周").await;
    s.act(&other, &near, "claim").expect(200).await;
    assert!(s.ids(&s.volunteer).await.is_empty(), "it is claimed");
    let release = s.act(&other, &near, "release");
    release.json(json!({"reason": "因故"})).expect(200).await;
    assert_eq!(
        s.ids(&s.volunteer).await,
        std::slice::from_ref(&near),
        "open again"
    );
    let withdraw = s.act(&s.resident, &near, "withdraw");
    withdraw
        .json(json!({"reason": "不需要了"}))
        .expect(200)
        .await;
    assert!(s.ids(&s.volunteer).await.is_empty());
    s.holds_what_the_database_holds().await;
}

#[actix_web::test]
async fn a_recommendation_says_why() {
    let s = street().await;
    s.published("一台收音机", Some(121.86)).await;
    s.published("按片区中心", None).await;
    let answer = s.recommended(&s.volunteer).await;
    assert_eq!(
        (
            &answer["personalized"],
            &answer["weights_version"],
            &answer["next"]
        ),
        (&json!(true), &json!(1), &Value::Null)
    );
    let items = answer["items"].as_array().unwrap();
    let located: Vec<_> = items.iter().map(|i| &i["need"]["located"]).collect();
    assert_eq!(
        located,
        ["region_centre", "own"],
        "the street's centre is nearer"
    );
    assert_eq!(items[0]["need"]["street"], "新碶街道");
    for item in items {
        let score = item["score"].as_f64().unwrap();
        assert!((0.0..=100.0).contains(&score));
        let factors = item["factors"].as_array().unwrap();
        assert_eq!(factors.len(), 5);
        let sum: f64 = factors
            .iter()
            .map(|f| f["contribution"].as_f64().unwrap())
            .sum();
        assert!((sum - score).abs() < 1e-9);
    }
    // 121.85 to 121.86 at 29.91 degrees north, by hand: R · cos φ · Δλ
    let d = 6_371_008.8_f64 * 29.91_f64.to_radians().cos() * 0.01_f64.to_radians();
    let value = items[1]["factors"][1]["value"].as_f64().unwrap();
    assert!((value - 1.0 / (1.0 + d / 2000.0)).abs() < 1e-6, "{value}");
    assert_eq!(
        items[1]["factors"][1]["sentence"],
        "About 1000 metres away."
    );
}

#[actix_web::test]
async fn without_a_profile_or_consent_it_is_the_plain_list() {
    let s = street().await;
    let mut all = Vec::new();
    for n in 0..5 {
        all.push(s.published(&format!("第{n}个心愿"), Some(121.85)).await);
    }
    let stranger = s.server.get("/recommendations").expect(200).await.json;
    assert_eq!(ids(&stranger), all, "no start: by id");
    assert_eq!(
        (&stranger["personalized"], &stranger["items"][0]["score"]),
        (&json!(false), &Value::Null)
    );
    // page by page, and something new comes in between
    let mut seen = Vec::new();
    let mut path = "/recommendations?personalized=false&limit=2".to_owned();
    loop {
        let page = s.server.get(&path).by(&s.volunteer).expect(200).await.json;
        seen.extend(ids(&page));
        if seen.len() == 2 {
            all.push(s.published("后来的心愿", None).await);
        }
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/recommendations?personalized=false&limit=2&cursor={next}");
    }
    assert_eq!(seen, all);

    let at = |query: &str| s.server.get(&format!("/recommendations?{query}"));
    let roles = at("kind=project_role").expect(200).await.json;
    assert!(ids(&roles).is_empty());
    let (street, nowhere) = (s.street, Uuid::now_v7());
    let there = at(&format!("kind=wish&region_id={street}"))
        .expect(200)
        .await;
    assert_eq!(ids(&there.json), all);
    let elsewhere = at(&format!("region_id={nowhere}")).expect(200).await;
    assert!(ids(&elsewhere.json).is_empty());

    at("personalized=true")
        .refused(401, "unauthenticated")
        .await;
    at("limit=101").refused(422, "invalid").await;
    at("limit=0").refused(422, "invalid").await;
    at("cursor=x").refused(400, "invalid_cursor").await;
    at("kind=activity").refused(400, "malformed_query").await;
    let mine = |query: &'static str| at(query).by(&s.volunteer);
    mine("cursor=x").refused(400, "invalid_cursor").await;
    let newcomer = s.server.person("示例·新人").await;
    let theirs = |query: &'static str| at(query).by(&newcomer);
    theirs("personalized=true")
        .refused(409, "profile_required")
        .await;
    assert_eq!(theirs("").expect(200).await.json["personalized"], false);
    s.write_profile(&newcomer, 121.85, 3000).await;
    theirs("personalized=true")
        .refused(403, "consent_missing")
        .await;
    assert_eq!(theirs("").expect(200).await.json["personalized"], false);
    s.consent(&newcomer, Method::PUT).await;
    assert_eq!(theirs("").expect(200).await.json["personalized"], true);
    s.consent(&newcomer, Method::DELETE).await;
    theirs("personalized=true")
        .refused(403, "consent_missing")
        .await;
}

#[actix_web::test]
async fn candidates_have_no_names() {
    let s = street().await;
    let wish = s.published("一台收音机", Some(121.851)).await;
    let other = s.published("一副老花镜", Some(121.851)).await;
    let further = s.server.person("示例·远一点").await;
    s.write_profile(&further, 121.86, 3000).await;
    s.consent(&further, Method::PUT).await;
    let silent = s.server.person("示例·没有同意").await;
    s.write_profile(&silent, 121.851, 3000).await;
    // who posted it is no candidate for it
    s.write_profile(&s.resident, 121.851, 3000).await;
    s.consent(&s.resident, Method::PUT).await;

    let found = s.candidates(&wish).await;
    let items = found["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert!(items[0]["score"].as_f64() > items[1]["score"].as_f64());
    let text = found.to_string();
    for person in [&s.volunteer, &further] {
        assert!(!text.contains(&person.id.to_string()) && !text.contains(&person.phone));
    }
    assert!(!text.contains("小李") && !text.contains("远一点"));
    let names = |answer: &Value| -> Vec<String> {
        let items = answer["items"].as_array().unwrap();
        items.iter().map(|i| i["pseudonym"].to_string()).collect()
    };
    assert_eq!(names(&found), names(&s.candidates(&wish).await), "stable");
    let elsewhere = names(&s.candidates(&other).await);
    assert!(names(&found).iter().all(|name| !elsewhere.contains(name)));

    s.consent(&further, Method::DELETE).await;
    assert_eq!(
        s.candidates(&wish).await["items"].as_array().unwrap().len(),
        1
    );

    let ask = |by: &User, id: &str, rest: &str| {
        let path = format!("/needs/wish/{id}/candidates{rest}");
        s.server.get(&path).by(by)
    };
    ask(&s.volunteer, &wish, "").refused(403, "forbidden").await;
    ask(&s.resident, &wish, "").refused(403, "forbidden").await;
    ask(&s.admin, &Uuid::now_v7().to_string(), "")
        .refused(404, "not_found")
        .await;
    ask(&s.admin, &wish, "?limit=101")
        .refused(422, "invalid")
        .await;
    assert_eq!(
        ask(&s.admin, &wish, "?limit=1").expect(200).await.json["weights_version"],
        1
    );
    let elsewhere = s
        .server
        .staff("示例·别处", Role::RegionAdmin, Some(Uuid::now_v7()))
        .await;
    ask(&elsewhere, &wish, "").refused(403, "forbidden").await;
    s.act(&s.volunteer, &wish, "claim").expect(200).await;
    ask(&s.admin, &wish, "").refused(404, "not_found").await;
    let busy = s.candidates(&other).await["items"][0]["factors"][4].clone();
    assert_eq!(
        (&busy["value"], &busy["sentence"]),
        (&json!(0.5), &json!("Open commitments: 1."))
    );
    s.holds_what_the_database_holds().await;
    let role = format!("/needs/project_role/{wish}/candidates");
    s.server
        .get(&role)
        .by(&s.admin)
        .refused(404, "not_found")
        .await;
    let thing = format!("/needs/thing/{wish}/candidates");
    s.server
        .get(&thing)
        .by(&s.admin)
        .refused(400, "malformed_path")
        .await;
}

/// Region admins over a need ask for any volunteer, who reads of it; others do not.
#[actix_web::test]
async fn staff_explain_any_pair() {
    let s = street().await;
    let wish = s.published("一台收音机", Some(121.851)).await;
    let of = |who: &User| format!("/needs/wish/{wish}/explanation?account_id={}", who.id);
    let asked = s.server.get(&of(&s.volunteer)).by(&s.admin);
    let answer = asked.expect(200).await.json;
    let own = s.explained(&s.volunteer, &wish).await;
    assert_eq!(answer["filters"], own["filters"]);
    // staff reads the score of its list of candidates
    let candidate = &s.candidates(&wish).await["items"][0];
    assert_eq!(answer["score"], candidate["score"]);
    assert_eq!(answer["factors"], candidate["factors"]);

    s.write_profile(&s.volunteer, 121.95, 3000).await;
    let far = s.server.get(&of(&s.volunteer)).by(&s.admin);
    let far = far.expect(200).await.json;
    assert_eq!(codes(&far), ["distance_over_limit"]);
    let remedies = far["filters"].as_array().unwrap().iter();
    assert!(remedies.clone().count() == 12 && remedies.clone().all(|f| f["remedy"].is_null()));

    let read = s.server.get("/me/data-access").by(&s.volunteer);
    let read = read.expect(200).await.json;
    assert_eq!(read["items"].as_array().unwrap().len(), 2);
    let first = &read["items"][0];
    let told = (&first["what"], &first["reader"], &first["why"]);
    let expected = (
        json!("matching_profile"),
        json!("region_staff"),
        json!("explanation"),
    );
    assert_eq!(told, (&expected.0, &expected.1, &expected.2));

    // who does not agree to be matched is not looked into
    s.consent(&s.volunteer, Method::DELETE).await;
    let none = s.server.get(&of(&s.volunteer)).by(&s.admin);
    let none = none.expect(200).await.json;
    assert_eq!(codes(&none), ["consent_missing"]);
    assert_eq!(
        (&none["factors"], &none["score"]),
        (&json!([]), &Value::Null)
    );
    assert_eq!(none["filters"].as_array().unwrap().len(), 1);

    let nosy = s.server.get(&of(&s.volunteer)).by(&s.resident);
    nosy.refused(403, "forbidden").await;
    let unknown = s.server.get(&of(&s.resident)).by(&s.admin);
    unknown.refused(404, "not_found").await;
}

#[actix_web::test]
async fn why_not_me() {
    let s = street().await;
    let wish = s.published("一台收音机", Some(121.851)).await;
    let path = format!("/needs/wish/{wish}/explanation");
    let newcomer = s.server.person("示例·新人").await;
    let asked = s.server.get(&path).by(&newcomer);
    asked.refused(409, "profile_required").await;
    let unknown = format!("/needs/wish/{}/explanation", Uuid::now_v7());
    let asked = s.server.get(&unknown).by(&s.volunteer);
    asked.refused(404, "not_found").await;

    let fits = s.explained(&s.volunteer, &wish).await;
    assert_eq!((&fits["eligible"], codes(&fits)), (&json!(true), vec![]));
    assert_eq!(fits["filters"].as_array().unwrap().len(), 12);
    let recommended = s.recommended(&s.volunteer).await;
    assert_eq!(fits["score"], recommended["items"][0]["score"]);
    assert_eq!(fits["factors"], recommended["items"][0]["factors"]);

    s.write_profile(&newcomer, 121.95, 3000).await;
    let not = s.explained(&newcomer, &wish).await;
    assert_eq!(codes(&not), ["consent_missing", "distance_over_limit"]);
    let remedies = |explanation: &Value| -> Vec<String> {
        let filters = explanation["filters"].as_array().unwrap().iter();
        let remedies = filters.filter_map(|filter| filter["remedy"].as_str());
        remedies.map(str::to_owned).collect()
    };
    assert!(remedies(&fits).is_empty());
    let helps = remedies(&not);
    assert!(helps[0].contains("Agree to personalised"), "{helps:?}");
    assert!(helps[1].contains("Widen your radius"), "{helps:?}");
    assert_eq!(
        (&not["eligible"], &not["score"]),
        (&json!(false), &Value::Null)
    );
    s.write_profile(&s.resident, 121.851, 3000).await;
    s.consent(&s.resident, Method::PUT).await;
    assert_eq!(codes(&s.explained(&s.resident, &wish).await), ["own_need"]);

    // two live wishes are as many as one may have
    for n in 0..2 {
        let more = s.published(&format!("第{n}个心愿"), None).await;
        s.act(&s.volunteer, &more, "claim").expect(200).await;
    }
    let full = s.explained(&s.volunteer, &wish).await;
    assert_eq!(codes(&full), ["daily_cap"]);
    assert!(s.ids(&s.volunteer).await.is_empty());
    assert!(
        s.candidates(&wish).await["items"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    // and two lapses pause claiming
    let week = chrono::TimeDelta::days(8);
    s.server.pass(week).await;
    let again = s.server.refreshed(&s.volunteer).await;
    let paused = s.explained(&again, &wish).await;
    assert_eq!(codes(&paused), ["sanctioned"]);
    assert!(s.ids(&again).await.is_empty());
    let mut again = again;
    for _ in 0..4 {
        // nobody stays signed in for longer without a word
        let weeks = chrono::TimeDelta::days(25);
        s.server.app.platform.clock.advance(weeks);
        again = s.server.refreshed(&again).await;
    }
    assert!(codes(&s.explained(&again, &wish).await).is_empty());
    s.holds_what_the_database_holds().await;
}

/// Many at the cap before the one that remains: they are asked for until enough remain.
#[actix_web::test]
async fn who_is_barred_gives_place_to_the_next() {
    let s = street_with(json!({"wishes": {"live_claims": 1}})).await;
    let wish = s.published("一台收音机", Some(121.851)).await;
    for n in 0..12 {
        let busy = s.server.person(&format!("示例·忙人{n}")).await;
        let taken = s.published(&format!("第{n}个心愿"), None).await;
        s.write_profile(&busy, 121.851, 3000).await;
        s.consent(&busy, Method::PUT).await;
        s.act(&busy, &taken, "claim").expect(200).await;
    }
    s.write_profile(&s.volunteer, 121.87, 3000).await;
    let path = format!("/needs/wish/{wish}/candidates?limit=1");
    let found = s.server.get(&path).by(&s.admin).expect(200).await.json;
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        found["items"][0]["factors"][4]["value"], 1.0,
        "not a busy one"
    );
}

/// Nothing is recommended to who may take nothing on, and it is said why.
#[actix_web::test]
async fn who_holds_as_many_wishes_as_one_may_reads_so() {
    let s = street_with(json!({"wishes": {"live_claims": 1}})).await;
    let taken = s.published("一台收音机", Some(121.851)).await;
    s.published("一副老花镜", Some(121.852)).await;
    let before = s.recommended(&s.volunteer).await;
    assert_eq!(before["items"].as_array().unwrap().len(), 2);
    assert_eq!(before["closed"], json!([]));
    s.act(&s.volunteer, &taken, "claim").expect(200).await;
    let mut sentences = Vec::new();
    for lang in ["zh-CN", "en"] {
        let asked = s.server.get("/recommendations").by(&s.volunteer);
        let found = asked.header("accept-language", lang).expect(200).await.json;
        assert_eq!(found["items"], json!([]));
        let closed = &found["closed"][0];
        assert_eq!(
            (&closed["kind"], &closed["code"]),
            (&json!("wish"), &json!("daily_cap"))
        );
        sentences.push((closed["sentence"].clone(), closed["remedy"].clone()));
    }
    assert!(sentences[0] != sentences[1], "{sentences:?}");
    assert_eq!(
        sentences[1].1,
        "Finish or give up something that you have claimed."
    );
    let release = s.server.post(&format!("/wishes/{taken}/release"));
    let release = release.by(&s.volunteer).json(json!({"reason": "因故"}));
    release.expect(200).await;
    let after = s.recommended(&s.volunteer).await;
    assert_eq!(after["items"].as_array().unwrap().len(), 2);
    assert_eq!(after["closed"], json!([]));
}

#[actix_web::test]
async fn a_restart_answers_the_same() {
    let mut s = street().await;
    for n in 0..4 {
        let longitude = 121.85 + f64::from(n) * 0.003;
        s.published(&format!("第{n}个心愿"), Some(longitude)).await;
    }
    let before = s.recommended(&s.volunteer).await;
    assert_eq!(before["items"].as_array().unwrap().len(), 4);
    s.server = s.server.restarted().await;
    assert_eq!(s.recommended(&s.volunteer).await, before);
}

#[actix_web::test]
async fn readiness_waits_for_the_world() {
    let s = street().await;
    let ready = s.server.get("/readyz").expect(200).await;
    assert_eq!(ready.json["checks"]["matching"], "ok");
    let app = yiqilai::app::App::build(
        (*s.server.app.config).clone(),
        s.server.app.platform.clock.clone(),
    );
    let app = app.await.unwrap();
    assert!(!app.matching.is_ready(), "nobody follows");
    let early = app.matching.until_current().await.unwrap_err();
    assert_eq!(early.code().as_str(), "overloaded");
    app.matching.follow();
    app.matching.until_ready().await;
    assert_eq!(*app.matching.world(), *s.server.app.matching.world());
}

fn elsewhere() -> NewRegion {
    NewRegion {
        code: "330206002".to_owned(),
        name: "新碶街道".to_owned(),
        level: Level::Street,
        parent: Some("330206".to_owned()),
        population: None,
        longitude: Some(121.95),
        latitude: Some(29.91),
        valid_from: "2020-01-01".parse().unwrap(),
        valid_to: None,
    }
}

/// While an older transaction is open the journal is not read past it, but what is committed is
/// seen all the same, and nothing is lost when that transaction commits last.
#[actix_web::test]
async fn an_open_transaction_hides_nothing() {
    if backend() == Backend::Sqlite {
        return; // there is one writer
    }
    let s = street().await;
    let wish = s.published("一台收音机", Some(121.855)).await;
    let moved = s.published("在片区中心", None).await;
    let db = s.server.app.platform.db.clone();
    let (begun, begins) = std::sync::mpsc::channel();
    let (end, ends) = std::sync::mpsc::channel::<()>();
    let (begun, ends) = (std::sync::Mutex::new(begun), std::sync::Mutex::new(ends));
    let open = actix_web::rt::spawn(async move {
        db.write(move |tx| {
            // the street's centre goes elsewhere, and with it the wish without a place of its own
            regions::upsert(tx, Actor::System, &elsewhere())?;
            begun.lock().unwrap().send(()).unwrap();
            ends.lock().unwrap().recv().unwrap();
            Ok(())
        })
        .await
    });
    actix_web::rt::task::spawn_blocking(move || begins.recv().unwrap())
        .await
        .unwrap();
    let second = s.published("一副老花镜", Some(121.86)).await;
    assert_eq!(
        s.ids(&s.volunteer).await,
        [moved.clone(), wish.clone(), second.clone()]
    );
    let other = s.server.person("示例·志愿者小周").await;
    s.act(&other, &wish, "claim").expect(200).await;
    assert_eq!(s.ids(&s.volunteer).await, [moved, second.clone()]);
    end.send(()).unwrap();
    open.await.unwrap().unwrap();
    assert_eq!(s.ids(&s.volunteer).await, [second], "it went out of reach");
    s.holds_what_the_database_holds().await;
}

/// Another process hears of a commit through Redis long before its slow poll.
#[actix_web::test]
async fn another_process_follows() {
    let s = street_with(json!({"matching": {"poll_ms": 60_000}})).await;
    let other = yiqilai::app::App::build(
        (*s.server.app.config).clone(),
        s.server.app.platform.clock.clone(),
    );
    let other = other.await.unwrap();
    if backend() == Backend::Sqlite {
        return; // a file has one process
    }
    other.matching.follow();
    other.matching.until_ready().await;
    // the listening begins a moment later
    tokio::time::sleep(Duration::from_millis(1000)).await;
    s.published("一台收音机", Some(121.851)).await;
    s.server.app.matching.until_current().await.unwrap();
    assert_eq!(s.server.app.matching.world().counts().1, 1);
    for _ in 0..200 {
        if *other.matching.world() == *s.server.app.matching.world() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it heard nothing");
}

/// Until a process recommends just these to somebody; how long that took.
async fn until_recommended(address: &str, to: &User, wanted: &[&String]) -> Duration {
    let started = std::time::Instant::now();
    let mut last = Value::Null;
    while started.elapsed() < Duration::from_secs(30) {
        let path = "/api/v1/recommendations?personalized=true";
        let asked = reqwest::Client::new().get(format!("http://{address}{path}"));
        let answer = asked.bearer_auth(&to.token).send().await.unwrap();
        let is_answered = answer.status() == 200;
        last = answer.json().await.unwrap();
        if is_answered {
            let mut found = ids(&last);
            found.sort();
            let mut wanted: Vec<_> = wanted.iter().map(|id| (*id).clone()).collect();
            wanted.sort();
            if found == wanted {
                return started.elapsed();
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it never recommends {wanted:?}: {last:#}");
}

/// Two processes of the program: each sees what the other did, with Redis and when Redis is gone; and so
/// does one that is started later.
#[actix_web::test]
async fn processes_follow_each_other() {
    if backend() == Backend::Sqlite {
        return; // a file has one process
    }
    let redis = redis().await;
    let settings = json!({
        "server": {"address": "127.0.0.1:0"},
        "matching": {"poll_ms": 3_000},
        "cache": {"url": redis.address},
    });
    // the other process lives in the time of today
    let now = Clock::system().now();
    let s = street_on(Server::start_at(settings, now).await).await;
    let (process, address) = serving(&s.server).await;
    // the listening begins a moment later
    tokio::time::sleep(Duration::from_millis(1000)).await;

    let first = s.published("一台收音机", Some(121.851)).await;
    let took = until_recommended(&address, &s.volunteer, &[&first]).await;
    assert!(
        took < Duration::from_millis(2_500),
        "heard through Redis: {took:?}"
    );
    let claimed = reqwest::Client::new()
        .post(format!("http://{address}/api/v1/wishes/{first}/claim"))
        .bearer_auth(&s.volunteer.token);
    assert_eq!(claimed.send().await.unwrap().status(), 200);
    for _ in 0..100 {
        if s.ids(&s.volunteer).await.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(s.ids(&s.volunteer).await.is_empty(), "and the other way");

    drop(redis);
    let second = s.published("一把轮椅", Some(121.852)).await;
    until_recommended(&address, &s.volunteer, &[&second]).await;

    drop(process);
    let third = s.published("一副老花镜", Some(121.853)).await;
    let (_process, address) = serving(&s.server).await;
    until_recommended(&address, &s.volunteer, &[&second, &third]).await;
    let mut here = s.ids(&s.volunteer).await;
    here.sort();
    let mut both = [second, third];
    both.sort();
    assert_eq!(here, both);
}

/// What a server says to whom: recommendations, candidates for each of these wishes, and all that can be
/// found.
async fn said(url: &str, s: &Street, wishes: &[String]) -> Value {
    let get = async |path: String, by: &User| -> Value {
        let asked = reqwest::Client::new().get(format!("{url}/api/v1{path}"));
        let answer = asked.bearer_auth(&by.token).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        // a refusal bears the name of its request
        answer.get("code").cloned().unwrap_or(answer)
    };
    let recommended = "/recommendations?personalized=true&limit=100".to_owned();
    let mut candidates = Vec::new();
    for wish in wishes {
        let path = format!("/needs/wish/{wish}/candidates?limit=100");
        candidates.push(get(path, &s.admin).await);
    }
    json!({
        "recommendations": get(recommended, &s.volunteer).await,
        "candidates": candidates,
        "found": get("/search?limit=100&sort=newest".to_owned(), &s.volunteer).await,
    })
}

/// Killed at whichever moment, as it starts, while it follows what is written, or at rest, a process that
/// is started again answers what one answers that is built from the database then and there. What was
/// answered before stands.
#[actix_web::test]
async fn a_killed_process_answers_as_a_fresh_one() {
    let settings = json!({"server": {"address": "127.0.0.1:0"}});
    // the process lives in the time of today
    let now = Clock::system().now();
    let mut s = street_on(Server::start_at(settings, now).await).await;
    let (mut wishes, mut published) = (Vec::new(), Vec::new());
    for (kill, after_ms) in [0, 10, 60, 250, 1_500].into_iter().enumerate() {
        for n in 0..3 {
            let title = format!("第{kill}次的第{n}个心愿");
            let longitude = 121.85 + f64::from(n) * 0.003;
            let wish = s.wish(&title, Some(longitude));
            let call = s.server.post("/wishes").by(&s.resident).json(wish);
            let id = call.expect(201).await.id();
            s.act(&s.resident, &id, "submit").expect(200).await;
            let read = s.server.get(&format!("/wishes/{id}")).by(&s.admin);
            let etag = read.expect(200).await.header("etag").unwrap().to_owned();
            wishes.push((id, etag));
        }
        // as it starts
        drop(starting(&s.server));
        let (process, address) = serving(&s.server).await;
        let writers = wishes[3 * kill..].iter().map(|(id, etag)| {
            let path = format!("http://{address}/api/v1/wishes/{id}/publish");
            let publish = reqwest::Client::new().post(path);
            let publish = publish.bearer_auth(&s.admin.token).header("if-match", etag);
            async move {
                let answer = publish.json(&json!({})).send().await;
                answer.is_ok_and(|answer| answer.status() == 200)
            }
        });
        let kill_it = async {
            tokio::time::sleep(Duration::from_millis(after_ms)).await;
            process.told("-KILL");
            drop(process);
        };
        let (done, ()) = tokio::join!(join_all(writers), kill_it);
        let answered = wishes[3 * kill..]
            .iter()
            .zip(done)
            .filter(|(_, done)| *done);
        published.extend(answered.map(|((id, _), _)| id.clone()));

        let ids: Vec<_> = wishes.iter().map(|(id, _)| id.clone()).collect();
        let (process, address) = serving(&s.server).await;
        let again = said(&format!("http://{address}"), &s, &ids).await;
        drop(process);
        s.server = s.server.restarted().await;
        let fresh = said(&s.server.url, &s, &ids).await;
        assert_eq!(again, fresh, "killed after {after_ms} ms");
        let found = fresh["found"]["items"].as_array().unwrap();
        let is_found = |id: &String| found.iter().any(|item| item["id"] == json!(id));
        assert!(published.iter().all(is_found), "{published:?} {found:#?}");
    }
    assert!(published.len() >= 3, "those that had time: {published:?}");
}

/// Writers of everything there is beside readers: answers are whole, and in the end the world is
/// the one that a fresh start builds.
#[actix_web::test]
async fn the_world_stays_true_under_many_writers_and_readers() {
    let s = street().await;
    let mut people = Vec::new();
    for n in 0..8 {
        people.push(s.server.person(&format!("示例·{n}")).await);
    }
    let mut wishes = Vec::new();
    for n in 0..6 {
        wishes.push(s.published(&format!("第{n}个心愿"), Some(121.85)).await);
    }
    let write = |n: usize| {
        let (s, person, wishes) = (&s, &people[n], &wishes);
        async move {
            for round in 0..8 {
                s.write_profile(person, 121.84 + 0.002 * (n + round) as f64, 3000)
                    .await;
                let method = if round % 3 == 2 {
                    Method::DELETE
                } else {
                    Method::PUT
                };
                s.consent(person, method).await;
                let wish = &wishes[(n + round) % wishes.len()];
                let claimed = s.act(person, wish, "claim").send().await;
                if claimed.status == 200 {
                    let release = s.act(person, wish, "release");
                    release.json(json!({"reason": "因故"})).expect(200).await;
                }
            }
        }
    };
    let read = |n: usize| {
        let (s, person, wishes) = (&s, &people[n], &wishes);
        async move {
            for _ in 0..20 {
                let answer = s.server.get("/recommendations").by(person);
                let answer = answer.expect(200).await.json;
                if answer["personalized"] == true {
                    let items = answer["items"].as_array().unwrap();
                    let scores: Vec<_> = items.iter().map(|i| i["score"].as_f64()).collect();
                    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
                }
                let candidates = format!("/needs/wish/{}/candidates", wishes[n]);
                let found = s.server.get(&candidates).by(&s.admin).send().await;
                assert!(
                    [200, 404].contains(&found.status.as_u16()),
                    "claimed or not"
                );
            }
        }
    };
    let writers = join_all((0..people.len()).map(write));
    let readers = join_all((0..3).map(read));
    futures_util::future::join(writers, readers).await;
    s.holds_what_the_database_holds().await;
    let (people, needs) = s.server.app.matching.world().counts();
    assert_eq!((people, needs), (9, 6));
}
