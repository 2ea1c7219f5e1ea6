//! Calendars at secret addresses, and files for one's own; read by a crate of its own.

use std::collections::HashMap;

use calcard::icalendar::ICalendar;
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;

use crate::activities::shift;
use crate::harness::{Answer, Server, User};
use crate::organizations::{town, town_with};
use crate::projects::volunteer;

/// A part of a calendar: the properties by their names.
type Part = HashMap<String, String>;

/// The calendar itself and its events, after a look at the form of its lines.
fn read(answer: &Answer) -> (Part, Vec<Part>) {
    let kind = answer.header("content-type").unwrap();
    assert_eq!(kind, "text/calendar; charset=utf-8");
    let text = std::str::from_utf8(&answer.bytes).expect("folded between characters");
    assert!(text.ends_with("\r\n"));
    for line in text.split_terminator("\r\n") {
        assert!(line.len() <= 75, "{} octets: {line}", line.len());
        assert!(!line.contains(['\r', '\n']), "{line:?}");
    }
    let calendar = ICalendar::parse(text).expect("an iCalendar");
    let mut parts: Vec<Part> = Vec::new();
    for component in calendar.components {
        let is_event = component.component_type.is_event();
        assert_eq!(is_event, !parts.is_empty(), "one calendar, and then events");
        let mut part = Part::new();
        for entry in component.entries {
            let values = entry.values.into_iter();
            let values: Vec<_> = values.filter_map(|value| value.into_text()).collect();
            let before = part.insert(entry.name.as_str().to_owned(), values.join(";"));
            assert!(
                before.is_none(),
                "{} stands there twice",
                entry.name.as_str()
            );
        }
        parts.push(part);
    }
    let head = parts.remove(0);
    (head, parts)
}

/// The path below `/api/v1` of an address that was made.
async fn address(server: &Server, by: &User, path: &str) -> String {
    let made = server.post(path).by(by).json(json!({})).expect(201).await;
    let url = made.json["url"].as_str().unwrap();
    assert_eq!(made.header("location"), Some(url));
    assert_eq!(made.header("cache-control"), Some("no-store"));
    let (_, path) = url.split_once("/api/v1").unwrap();
    path.to_owned()
}

fn one<'a>(events: &'a [Part], uid: &str) -> &'a Part {
    let found: Vec<_> = events.iter().filter(|event| event["UID"] == uid).collect();
    assert_eq!(found.len(), 1, "{uid} in {events:#?}");
    found[0]
}

fn sequence(event: &Part) -> i64 {
    event["SEQUENCE"].parse().unwrap()
}

#[actix_web::test]
async fn a_person_has_the_own_places_in_a_calendar() {
    let t = town().await;
    let (a, manager) = t.active("示例·甲队").await;
    let long = "请穿防滑鞋，带水；台阶\\湿滑, 小心🎉。".repeat(20);
    let change = json!({
        "title": "示例·社区,清洁;日", "risk_notice": format!("{long}\n第二行。"),
        "shifts": [shift("09:00", "11:00", 1), shift("14:00", "15:00", 1)],
    });
    let (id, shifts) = t.published(&manager, &a, change).await;
    let (first, second) = (
        volunteer(&t.server, t.grid).await,
        volunteer(&t.server, t.grid).await,
    );
    let comes = t.enrol(&first, &shifts[0]).expect(201).await.id();
    let waits = t.enrol(&second, &shifts[0]).expect(201).await.id();

    let me = t.server.get("/me").by(&first).expect(200).await;
    let chinese = t.server.call(Method::PATCH, "/me").by(&first);
    let chinese = chinese.header("if-match", me.header("etag").unwrap());
    let chinese = chinese.json(json!({"language": "zh-CN"}));
    chinese.expect(200).await;

    let none = t.server.get("/me/calendar").by(&first).expect(200).await;
    assert_eq!(none.json["made_at"], json!(null));
    let path = address(&t.server, &first, "/me/calendar").await;
    let there = t.server.get("/me/calendar").by(&first).expect(200).await;
    assert_eq!(there.json["made_at"], "2026-11-23T02:00:00Z");

    let fetched = t.server.get(&path).expect(200).await;
    assert_eq!(fetched.header("cache-control"), Some("private, no-cache"));
    let (head, events) = read(&fetched);
    assert_eq!(head["VERSION"], "2.0");
    assert_eq!(
        head["X-WR-CALNAME"], "益起来：我的活动",
        "in the person's language"
    );
    assert_eq!(head["REFRESH-INTERVAL"], "PT1H");
    assert_eq!(events.len(), 1, "nobody else's");
    let uid = format!("enrolment-{comes}@yiqilai");
    let event = one(&events, &uid);
    assert_eq!(event["STATUS"], "CONFIRMED");
    assert_eq!(event["SUMMARY"], "示例·社区,清洁;日（引导员）");
    assert_eq!(event["LOCATION"], "示例路1号");
    assert_eq!(event["DTSTART"], "2026-11-28T01:00:00Z", "nine on the wall");
    assert_eq!(event["DTEND"], "2026-11-28T03:00:00Z");
    assert_eq!(event["DTSTAMP"], "2026-11-23T02:00:00Z");
    assert_eq!(event["LAST-MODIFIED"], event["DTSTAMP"]);
    assert_eq!(event["GEO"], "29.91;121.85");
    assert!(event["URL"].ends_with(&format!("/activities/{id}")));
    for part in ["岗位：引导员", "集合地点：北门", &long, "\n第二行。"] {
        assert!(event["DESCRIPTION"].contains(part), "{part}");
    }
    let sequence_before = sequence(event);

    // fetched again: by the tag, by the date, and by neither
    let etag = fetched.header("etag").unwrap().to_owned();
    let date = fetched.header("last-modified").unwrap().to_owned();
    assert_eq!(date, "Mon, 23 Nov 2026 02:00:00 GMT");
    let weak = format!("\"other\", W/{etag}");
    for (header, value) in [
        ("if-none-match", etag.as_str()),
        ("if-none-match", &weak),
        ("if-modified-since", &date),
    ] {
        let again = t.server.get(&path).header(header, value).expect(304).await;
        assert_eq!(again.header("etag"), Some(etag.as_str()));
        assert!(again.bytes.is_empty());
    }
    let other = t.server.get(&path).header("if-none-match", "\"other\"");
    let other = other.header("if-modified-since", &date).expect(200).await;
    assert_eq!(
        other.bytes, fetched.bytes,
        "the tag says more than the date"
    );

    // who waits may come; an hour later the place is given up, and stays as cancelled
    let waiting = address(&t.server, &second, "/me/calendar").await;
    let (_, events) = read(&t.server.get(&waiting).expect(200).await);
    let uid_of_second = format!("enrolment-{waits}@yiqilai");
    let in_line = one(&events, &uid_of_second).clone();
    assert_eq!(in_line["STATUS"], "TENTATIVE");
    t.server.pass(TimeDelta::minutes(10)).await;
    t.enrolment_act(&first, &comes, "withdraw")
        .expect(200)
        .await;
    let changed = t.server.get(&path).header("if-none-match", &etag);
    let changed = changed.expect(200).await;
    assert_ne!(changed.header("etag"), Some(etag.as_str()));
    let (_, events) = read(&changed);
    let event = one(&events, &uid);
    assert_eq!(event["STATUS"], "CANCELLED");
    assert_eq!(event["DTSTAMP"], "2026-11-23T02:10:00Z");
    assert!(sequence(event) > sequence_before);
    let since = t.server.get(&path).header("if-modified-since", &date);
    since.expect(200).await;
    let (_, events) = read(&t.server.get(&waiting).expect(200).await);
    let promoted = one(&events, &uid_of_second).clone();
    assert_eq!(promoted["STATUS"], "TENTATIVE", "until it is accepted");
    assert!(sequence(&promoted) > sequence(&in_line));
    t.enrolment_act(&second, &waits, "accept").expect(200).await;

    // another time is another revision; then the whole activity is cancelled
    let seen = async || {
        let (_, events) = read(&t.server.get(&waiting).expect(200).await);
        one(&events, &uid_of_second).clone()
    };
    let accepted = seen().await;
    assert_eq!(accepted["STATUS"], "CONFIRMED");
    assert!(sequence(&accepted) > sequence(&promoted));
    let mut later = shift("10:00", "12:00", 1);
    later["id"] = json!(shifts[0]);
    let mut other = shift("14:00", "15:00", 1);
    other["id"] = json!(shifts[1]);
    let edited = t.edit_activity(&manager, &id, json!({"shifts": [later, other]}));
    assert_eq!(edited.await.status, 200);
    let moved = seen().await;
    assert_eq!(moved["DTSTART"], "2026-11-28T02:00:00Z");
    assert!(sequence(&moved) > sequence(&accepted));
    let cancel = t.activity_act(&manager, &id, "cancel");
    cancel.json(json!({"reason": "大雨"})).expect(200).await;
    let at_once = seen().await;
    assert_eq!(at_once["STATUS"], "CANCELLED", "before anybody was let go");
    t.server.work().await;
    let off = seen().await;
    assert_eq!(off["STATUS"], "CANCELLED");
    assert!(sequence(&off) > sequence(&at_once) && sequence(&at_once) > sequence(&moved));
}

#[actix_web::test]
async fn an_address_is_secret_and_ends() {
    let t = town().await;
    let person = volunteer(&t.server, t.grid).await;
    let first = address(&t.server, &person, "/me/calendar").await;
    t.server.get(&first).expect(200).await;
    let second = address(&t.server, &person, "/me/calendar").await;
    assert_ne!(first, second);
    t.server.get(&first).refused(404, "not_found").await;
    let (_, events) = read(&t.server.get(&second).expect(200).await);
    assert!(events.is_empty());
    // the secret is nowhere but in the address
    let secret = second
        .trim_start_matches("/calendars/")
        .trim_end_matches(".ics");
    assert!(secret.len() >= 43, "256 bits");
    let kept = t.server.app.platform.db.read(|conn| {
        use diesel::prelude::*;
        use yiqilai::schema::calendars;
        Ok(calendars::table
            .select(calendars::secret_hash)
            .load::<Vec<u8>>(conn)?)
    });
    let kept = kept.await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].len(), 32);
    let figures = t.server.get("/metrics").expect(200).await;
    let figures = String::from_utf8(figures.bytes).unwrap();
    assert!(!figures.contains(secret), "nor is it a label");
    for wrong in ["/calendars/x.ics", "/calendars/.ics"] {
        let answer = t.server.get(wrong).send().await;
        assert_eq!(answer.status, 404, "{wrong}");
    }
    for _ in 0..2 {
        let end = t.server.call(Method::DELETE, "/me/calendar").by(&person);
        end.expect(204).await;
    }
    t.server.get(&second).refused(404, "not_found").await;
}

#[actix_web::test]
async fn an_organisation_shows_what_it_has_published() {
    let t = town_with(json!({"activities": {"calendar_days": 2}})).await;
    let (a, manager) = t.active("示例·甲队").await;
    let (b, other) = t.active("示例·乙队").await;
    let (id, _) = t.published(&manager, &a, json!({})).await;
    let (off, _) = t.published(&manager, &a, json!({})).await;
    t.published(&other, &b, json!({})).await;
    let unseen = t.write_activity(&manager, &t.own_work(&a), json!({}));
    let unseen = unseen.expect(201).await.id();
    for id in [&off, &unseen] {
        let cancel = t.activity_act(&manager, id, "cancel");
        cancel.json(json!({"reason": "因故"})).expect(200).await;
    }
    let path = format!("/organization-calendars/{a}");
    let (member, _) = t.join(&manager, &a, "member").await;
    let ask = |by: &User| t.server.post(&path).by(by).json(json!({}));
    ask(&member).refused(403, "forbidden").await;
    ask(&other).refused(404, "not_found").await;
    t.server
        .get(&path)
        .by(&other)
        .refused(404, "not_found")
        .await;
    let feed = address(&t.server, &manager, &path).await;
    let state = t.server.get(&path).by(&manager).expect(200).await;
    assert!(state.json["made_at"].is_string());
    let (head, events) = read(&t.server.get(&feed).expect(200).await);
    assert_eq!(head["X-WR-CALNAME"], "示例·甲队");
    assert_eq!(events.len(), 2, "no draft, nobody else's");
    let uid = |id: &str| format!("activity-{id}@yiqilai");
    assert_eq!(one(&events, &uid(&id))["STATUS"], "CONFIRMED");
    assert_eq!(one(&events, &uid(&off))["STATUS"], "CANCELLED");
    // two days after its end it is gone
    t.server.pass(TimeDelta::days(7)).await;
    let (_, events) = read(&t.server.get(&feed).expect(200).await);
    assert_eq!(events.len(), 2, "still there");
    t.server.pass(TimeDelta::hours(1)).await;
    let (_, events) = read(&t.server.get(&feed).expect(200).await);
    assert!(events.is_empty(), "{events:#?}");
    let manager = t.server.again(&manager).await;
    let end = t.server.call(Method::DELETE, &path).by(&manager);
    end.expect(204).await;
    t.server.get(&feed).refused(404, "not_found").await;
}

#[actix_web::test]
async fn an_activity_is_added_to_a_calendar() {
    let t = town().await;
    let (a, manager) = t.active("示例·甲队").await;
    let change = json!({"shifts": [shift("09:00", "11:00", 1), shift("14:00", "15:00", 1)]});
    let (id, shifts) = t.published(&manager, &a, change).await;
    let path = format!("/activities/{id}/calendar.ics");
    let file = t.server.get(&path).expect(200).await;
    let disposition = file.header("content-disposition").unwrap();
    assert!(disposition.starts_with("attachment"));
    let (_, events) = read(&file);
    let whole = one(&events, &format!("activity-{id}@yiqilai"));
    assert_eq!(
        whole["DTEND"], "2026-11-28T07:00:00Z",
        "the last shift's end"
    );
    assert!(
        whole["DESCRIPTION"].contains("Meeting point: 北门"),
        "as asked"
    );
    let part = t.server.get(&format!("{path}?shift_id={}", shifts[1]));
    let part = part.header("accept-language", "zh-CN").expect(200).await;
    let (_, events) = read(&part);
    let part = one(&events, &format!("shift-{}@yiqilai", shifts[1]));
    assert_eq!(part["DTSTART"], "2026-11-28T06:00:00Z");
    assert!(part["DESCRIPTION"].contains("集合地点：北门"));
    // another activity's shift; a draft; what was cancelled is for those who had to do with it
    let (_, others) = t.published(&manager, &a, json!({})).await;
    let wrong = t.server.get(&format!("{path}?shift_id={}", others[0]));
    wrong.refused(404, "not_found").await;
    let draft = t.write_activity(&manager, &t.own_work(&a), json!({}));
    let draft = draft.expect(201).await.id();
    let unseen = t.server.get(&format!("/activities/{draft}/calendar.ics"));
    unseen.refused(404, "not_found").await;
    let cancel = t.activity_act(&manager, &id, "cancel");
    cancel.json(json!({"reason": "大雨"})).expect(200).await;
    t.server.get(&path).refused(404, "not_found").await;
    let (_, events) = read(&t.server.get(&path).by(&manager).expect(200).await);
    assert_eq!(events[0]["STATUS"], "CANCELLED");
}
