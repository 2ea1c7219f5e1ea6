//! Safety incidents: who reports them, who hears of them and when, who sees them, and that they stay.

use chrono::TimeDelta;
use diesel::prelude::*;
use reqwest::Method;
use serde_json::{Value, json};
use yiqilai::identity::Role;
use yiqilai::platform::db::Conn;
use yiqilai::regions;
use yiqilai::schema::{incident_notes, incident_photos, incidents};

use crate::harness::{Call, User};
use crate::organizations::{Town, town};
use crate::projects::{photo, volunteer};

fn incident() -> Value {
    json!({
        "kind": "injury", "severity": "serious", "what": "示例：一人滑倒，脚踝受伤。",
        "happened_at": "2026-11-23T01:30:00Z", "people": 1,
    })
}

impl Town {
    pub fn report_incident(&self, by: &User, activity: &str, change: Value) -> Call<'_> {
        let mut body = incident();
        for (key, value) in change.as_object().unwrap() {
            body[key] = value.clone();
        }
        let path = format!("/activities/{activity}/incidents");
        self.server.post(&path).by(by).json(body)
    }

    pub fn incident_act(&self, by: &User, id: &str, verb: &str, body: Value) -> Call<'_> {
        let path = format!("/incidents/{id}/{verb}");
        self.server.post(&path).by(by).json(body)
    }

    fn incident(&self, by: &User, id: &str) -> Call<'_> {
        self.server.get(&format!("/incidents/{id}")).by(by)
    }

    /// What the staff of a region see of it.
    async fn incidents(&self, by: &User, region: uuid::Uuid, query: &str) -> Vec<String> {
        let path = format!("/staff/incidents?region_id={region}{query}");
        let found = self.server.get(&path).by(by).expect(200).await;
        let items = found.json["items"].as_array().unwrap().iter();
        items
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect()
    }
}

#[actix_web::test]
async fn an_incident_goes_to_those_who_look_after_it_and_to_nobody_else() {
    let t = town().await;
    let code = |conn: &mut Conn| regions::by_code(conn, "330206002-C1");
    let community = t.server.app.platform.db.read(code).await.unwrap().unwrap();
    let below = t
        .server
        .staff("示例·社管", Role::RegionAdmin, Some(community.id.0))
        .await;
    let elsewhere = crate::regions::another_street(&t.server).await;
    let sibling = t
        .server
        .staff("示例·邻街", Role::RegionAdmin, Some(elsewhere))
        .await;
    let (a, manager) = t.active("示例·甲队").await;
    let change = json!({"region_id": community.id});
    let (id, shifts) = t.published(&manager, &a, change).await;
    let (person, passer_by) = (
        volunteer(&t.server, t.grid).await,
        volunteer(&t.server, t.grid).await,
    );
    t.enrol(&person, &shifts[0]).expect(201).await;
    t.report_incident(&passer_by, &id, json!({}))
        .refused(403, "forbidden")
        .await;
    let wrong = json!({"happened_at": "2026-11-23T02:00:01Z", "people": -1, "what": " "});
    let wrong = t
        .report_incident(&person, &id, wrong)
        .refused(422, "invalid")
        .await;
    let mut fields: Vec<_> = wrong.fields().into_iter().map(|(at, _)| at).collect();
    fields.sort();
    assert_eq!(fields, ["/people", "/what"]);
    let ahead = json!({"happened_at": "2026-11-23T02:00:01Z"});
    let ahead = t
        .report_incident(&person, &id, ahead)
        .refused(422, "invalid")
        .await;
    assert_eq!(ahead.fields()[0].1, "in_the_future");

    let reported = t.report_incident(&person, &id, json!({})).expect(201).await;
    let one = reported.id();
    assert_eq!(reported.json["status"], "reported");
    assert_eq!(reported.json["moves"], json!([]));
    assert_eq!(
        reported.header("location"),
        Some(format!("/api/v1/incidents/{one}").as_str())
    );
    for (who, told) in [
        (&t.street_admin, 1),
        (&t.district_admin, 1),
        (&manager, 1),
        (&below, 0),
        (&sibling, 0),
        (&person, 0),
    ] {
        assert_eq!(t.told(who, "incident_reported").await, told);
    }
    let told = t.notices(&t.street_admin).await;
    let text = told[0]["text"].as_str().unwrap();
    assert!(
        !text.contains("脚踝"),
        "what happened is told to no mailbox: {text}"
    );
    for who in [&person, &manager, &t.street_admin, &t.district_admin] {
        let shown = t.incident(who, &one).expect(200).await.json;
        assert_eq!(shown["what"], "示例：一人滑倒，脚踝受伤。");
    }
    assert!(t.incident(&manager, &one).expect(200).await.json["reporter_id"].is_null());
    for who in [&below, &sibling, &passer_by] {
        t.incident(who, &one).refused(404, "not_found").await;
        let note = json!({"body": "不该看到"});
        t.incident_act(who, &one, "notes", note)
            .refused(404, "not_found")
            .await;
    }

    // about those who organise: they neither hear of it nor see it
    let about = json!({"concerns_organizer": true, "severity": "life_threatening"});
    let second = t
        .report_incident(&person, &id, about)
        .expect(201)
        .await
        .id();
    assert_eq!(t.told(&manager, "incident_reported").await, 1);
    assert_eq!(t.told(&t.street_admin, "incident_reported").await, 2);
    t.incident(&manager, &second)
        .refused(404, "not_found")
        .await;
    let of_activity = |by: &User| {
        let path = format!("/activities/{id}/incidents");
        t.server.get(&path).by(by)
    };
    for (who, n) in [
        (&manager, 1),
        (&person, 2),
        (&t.street_admin, 2),
        (&passer_by, 0),
    ] {
        let found = of_activity(who).expect(200).await;
        assert_eq!(found.json["items"].as_array().unwrap().len(), n);
    }

    // the staff's list
    let (street, district) = (&t.street_admin, &t.district_admin);
    let all = [second.clone(), one.clone()];
    assert_eq!(t.incidents(street, t.street, "").await, all);
    assert_eq!(t.incidents(street, community.id.0, "").await, all);
    assert_eq!(t.incidents(district, t.district, "").await, all);
    assert_eq!(
        t.incidents(street, t.street, "&severity=serious").await,
        std::slice::from_ref(&one)
    );
    assert!(
        t.incidents(street, t.street, "&status=resolved")
            .await
            .is_empty()
    );
    assert!(t.incidents(&sibling, elsewhere, "").await.is_empty());
    for (who, region) in [
        (&sibling, t.street),
        (&below, community.id.0),
        (street, t.district),
    ] {
        let path = format!("/staff/incidents?region_id={region}");
        let refused = t.server.get(&path).by(who);
        refused.refused(404, "not_found").await;
    }

    // looked after, with what is added on the way
    t.incident_act(&manager, &one, "acknowledge", json!({}))
        .refused(403, "forbidden")
        .await;
    t.incident_act(street, &one, "resolve", json!({"outcome": "太早"}))
        .refused(409, "move_not_allowed")
        .await;
    let acknowledged = t.incident_act(street, &one, "acknowledge", json!({}));
    let acknowledged = acknowledged.expect(200).await;
    assert_eq!(acknowledged.json["status"], "acknowledged");
    assert_eq!(acknowledged.json["moves"], json!(["resolve"]));
    assert_eq!(t.told(&person, "incident_acknowledged").await, 1);
    for (who, body) in [
        (&person, "已送医院。"),
        (&manager, "已通知家属。"),
        (street, "已到场。"),
    ] {
        let note = t.incident_act(who, &one, "notes", json!({ "body": body }));
        note.expect(201).await;
    }
    let add = |by: &User, shade: u8| {
        let add = t.server.post(&format!("/incidents/{one}/photos")).by(by);
        add.multipart(photo(shade))
    };
    let added = add(&person, 1).expect(201).await;
    assert_eq!(add(&person, 1).expect(201).await.id(), added.id(), "once");
    add(&passer_by, 2).refused(404, "not_found").await;
    let url = added.json["photo_url"].as_str().unwrap();
    let url = url.trim_start_matches("/api/v1");
    t.server.get(url).by(street).expect(200).await;
    let small = t.server.get(&format!("{url}?thumbnail=true")).by(&manager);
    small.expect(200).await;
    t.server
        .get(url)
        .by(&sibling)
        .refused(404, "not_found")
        .await;
    let resolved = t.incident_act(street, &one, "resolve", json!({"outcome": "已康复。"}));
    let resolved = resolved.expect(200).await.json;
    assert_eq!(resolved["outcome"], "已康复。");
    let notes = resolved["notes"].as_array().unwrap().iter();
    let notes: Vec<_> = notes
        .map(|note| note["written_as"].as_str().unwrap())
        .collect();
    assert_eq!(notes, ["reporter", "organizer", "staff"]);
    assert_eq!(resolved["photos"].as_array().unwrap().len(), 1);
    assert_eq!(t.told(&person, "incident_resolved").await, 1);
}

#[actix_web::test]
async fn an_incident_stays_whatever_becomes_of_the_activity() {
    let t = town().await;
    let line = t.line(1, 1).await;
    let person = &line.people[0];
    let first = t
        .report_incident(person, &line.id, json!({}))
        .expect(201)
        .await
        .id();
    let add = t.server.post(&format!("/incidents/{first}/photos"));
    add.by(person).multipart(photo(3)).expect(201).await;
    let note = t.incident_act(person, &first, "notes", json!({"body": "补充。"}));
    note.expect(201).await;
    // it is broken off while it goes on; who was there still reports
    t.server.pass(TimeDelta::hours(5 * 24)).await;
    let manager = t.server.again(&line.manager).await;
    let cancel = t.activity_act(&manager, &line.id, "cancel");
    cancel.json(json!({"reason": "有人受伤"})).expect(200).await;
    t.server.work().await;
    let person = t.server.again(person).await;
    t.incident(&person, &first).expect(200).await;
    t.report_incident(&person, &line.id, json!({}))
        .expect(201)
        .await;
    let late = t.incident_act(&person, &first, "notes", json!({"body": "仍在住院。"}));
    late.expect(201).await;

    // the database itself keeps it
    type Write = fn(&mut Conn) -> QueryResult<usize>;
    let writes: [(&str, Write); 6] = [
        ("deleted", |conn| {
            diesel::delete(incidents::table).execute(conn)
        }),
        ("said otherwise", |conn| {
            let update = diesel::update(incidents::table);
            update.set(incidents::what.eq("没事")).execute(conn)
        }),
        ("notes deleted", |conn| {
            diesel::delete(incident_notes::table).execute(conn)
        }),
        ("notes changed", |conn| {
            let update = diesel::update(incident_notes::table);
            update.set(incident_notes::body.eq("没事")).execute(conn)
        }),
        ("photos deleted", |conn| {
            diesel::delete(incident_photos::table).execute(conn)
        }),
        ("photos changed", |conn| {
            let update = diesel::update(incident_photos::table);
            update.set(incident_photos::photo.eq("x")).execute(conn)
        }),
    ];
    for (what, write) in writes {
        let db = &t.server.app.platform.db;
        let refused = db.write(move |tx| Ok(write(tx.conn)?)).await;
        let refused = refused.expect_err(what).to_string();
        assert!(refused.contains("incidents_stay"), "{what}: {refused}");
    }
}

#[actix_web::test]
async fn an_incident_does_not_wait_for_the_end_of_quiet_hours() {
    let t = town().await;
    let staff = crate::notifications::reader(&t.server).await;
    let (id, street) = (staff.id, t.street);
    t.server
        .write(move |tx| {
            let system = yiqilai::platform::journal::Actor::System;
            yiqilai::identity::grant(tx, system, id, Role::RegionAdmin, Some(street))
        })
        .await;
    // it is ten in the morning; quiet until eleven
    let set = t.server.call(Method::PUT, "/me/notification-settings");
    let hours = json!({"from_minute": 540, "to_minute": 660});
    let set = set
        .by(&staff)
        .json(json!({"preferences": [], "quiet_hours": hours}));
    set.expect(200).await;
    let line = t.line(1, 1).await;
    t.report_incident(&line.people[0], &line.id, json!({}))
        .expect(201)
        .await;
    t.server.work().await;
    let mails = t.server.mails(crate::notifications::ADDRESS);
    let about = mails
        .iter()
        .filter(|mail| mail.starts_with("A safety incident"));
    assert_eq!(about.count(), 1, "{mails:#?}");
}
