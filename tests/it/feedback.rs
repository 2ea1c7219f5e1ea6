//! Feedback after an activity, both ways: when, by whom, and what is shown of it.

use chrono::TimeDelta;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::enrolments::Line;
use crate::harness::{Call, User};
use crate::organizations::{Town, town};
use crate::projects::volunteer;

impl Town {
    fn say(&self, by: &User, place: &str, body: Value) -> Call<'_> {
        let path = format!("/enrolments/{place}/feedback");
        self.server.call(Method::PUT, &path).by(by).json(body)
    }

    fn assess(&self, by: &User, place: &str, body: Value) -> Call<'_> {
        let path = format!("/enrolments/{place}/assessment");
        self.server.call(Method::PUT, &path).by(by).json(body)
    }

    /// An activity with so many who came to it, when it has finished.
    async fn finished(&self, people: usize) -> Line {
        let seats = i32::try_from(people).unwrap();
        let mut line = self.line(seats, people).await;
        self.server
            .pass(TimeDelta::days(5) + TimeDelta::hours(2))
            .await;
        line.manager = self.server.again(&line.manager).await;
        for person in &mut line.people {
            *person = self.server.again(person).await;
        }
        line
    }

    async fn comments(&self, by: &User, activity: &str, query: &str) -> (Vec<String>, Value) {
        let path = format!("/activities/{activity}/feedback-comments{query}");
        let found = self.server.get(&path).by(by).expect(200).await.json;
        let items = found["items"].as_array().unwrap().iter();
        let said = items.map(|item| {
            let fields: Vec<_> = item.as_object().unwrap().keys().collect();
            assert_eq!(fields, ["comment"], "nothing else");
            item["comment"].as_str().unwrap().to_owned()
        });
        (said.collect(), found["next"].clone())
    }
}

fn marks(organization: i32, safety: i32, meaning: i32, comment: &str) -> Value {
    json!({"organization": organization, "safety": safety, "meaning": meaning, "comment": comment})
}

#[actix_web::test]
async fn what_volunteers_think_is_shown_once_enough_have_answered() {
    let t = town().await;
    let line = t.finished(6).await;
    let (id, manager) = (&line.id, &line.manager);
    let rating = async |path: String| t.server.get(&path).expect(200).await.json;
    let of_activity = format!("/activities/{id}/feedback");
    let of_organization = format!("/organization-ratings/{}", line.organization);
    let none = json!({"answers": null, "organization": null, "safety": null, "meaning": null});

    let wrong = t.say(&line.people[0], &line.places[0], marks(0, 6, 3, ""));
    let mut fields: Vec<_> = wrong.refused(422, "invalid").await.fields();
    fields.sort();
    let fields: Vec<_> = fields.iter().map(|(at, _)| at.as_str()).collect();
    assert_eq!(fields, ["/organization", "/safety"]);
    for (n, comment) in ["丙：好", "甲：很好", "乙：安全", ""].iter().enumerate() {
        let said = t.say(&line.people[n], &line.places[n], marks(4, 5, 3, comment));
        let said = said.expect(200).await.json;
        assert_eq!(said["open_until"], "2026-12-12T03:00:00Z");
    }
    assert_eq!(rating(of_activity.clone()).await, none, "four");
    assert_eq!(t.comments(manager, id, "").await.0, [""; 0]);
    let fifth = t.say(&line.people[4], &line.places[4], marks(5, 5, 4, "丁：再来"));
    fifth.expect(200).await;
    let shown = json!({"answers": 5, "organization": 4.2, "safety": 5.0, "meaning": 3.2});
    assert_eq!(rating(of_activity.clone()).await, shown);
    assert_eq!(rating(of_organization.clone()).await, shown);
    let (mut said, _) = t.comments(manager, id, "").await;
    let (first, next) = t.comments(manager, id, "?limit=3").await;
    let next = next.as_str().unwrap();
    let (rest, end) = t
        .comments(manager, id, &format!("?limit=3&cursor={next}"))
        .await;
    assert_eq!([first, rest].concat(), said);
    assert!(end.is_null());
    said.sort();
    assert_eq!(said, ["丁：再来", "丙：好", "乙：安全", "甲：很好"]);

    // said anew, it is still one answer; the organiser sees averages, and not who said what
    let again = t.say(&line.people[4], &line.places[4], marks(1, 5, 4, ""));
    again.expect(200).await;
    let read = |by: &User, place: &str| {
        t.server
            .get(&format!("/enrolments/{place}/feedback"))
            .by(by)
    };
    let own = read(&line.people[4], &line.places[4]).expect(200).await;
    assert_eq!(own.json["organization"], 1);
    let changed = rating(of_activity.clone()).await;
    assert_eq!(
        (&changed["answers"], &changed["organization"]),
        (&json!(5), &json!(3.4))
    );
    read(manager, &line.places[4])
        .refused(403, "forbidden")
        .await;
    read(&line.people[0], &line.places[4])
        .refused(404, "not_found")
        .await;
    read(&line.people[5], &line.places[5])
        .refused(404, "not_found")
        .await;
    let comments = format!("/activities/{id}/feedback-comments");
    let nosy = t.server.get(&comments).by(&line.people[0]);
    nosy.refused(403, "forbidden").await;
    t.say(manager, &line.places[5], marks(5, 5, 5, ""))
        .refused(403, "forbidden")
        .await;

    // the term is over
    t.server.pass(TimeDelta::days(14)).await;
    let late = t.server.again(&line.people[5]).await;
    t.say(&late, &line.places[5], marks(5, 5, 5, ""))
        .refused(409, "feedback_closed")
        .await;
    let nobody = uuid::Uuid::now_v7();
    let unknown = t.server.get(&format!("/organization-ratings/{nobody}"));
    unknown.refused(404, "not_found").await;
}

#[actix_web::test]
async fn what_an_organiser_thinks_is_for_the_volunteer_alone() {
    let t = town().await;
    let line = t.finished(2).await;
    let (manager, place) = (&line.manager, &line.places[0]);
    let body = json!({"reliability": 5, "comment": "准时。"});
    t.assess(&line.people[0], place, body.clone())
        .refused(403, "forbidden")
        .await;
    let read = |by: &User| {
        t.server
            .get(&format!("/enrolments/{place}/assessment"))
            .by(by)
    };
    read(manager).refused(404, "not_found").await;
    let said = t.assess(manager, place, body.clone()).expect(200).await;
    assert_eq!(said.json["reliability"], 5);
    let anew = json!({"reliability": 4});
    t.assess(manager, place, anew).expect(200).await;
    for who in [manager, &line.people[0]] {
        let shown = read(who).expect(200).await.json;
        assert_eq!(shown["reliability"], 4);
        assert_eq!(shown["comment"], "");
    }
    let stranger = volunteer(&t.server, t.grid).await;
    for who in [&line.people[1], &stranger] {
        read(who).refused(404, "not_found").await;
        t.assess(who, place, body.clone())
            .refused(404, "not_found")
            .await;
    }
    let staff = t.server.again(&t.street_admin).await;
    read(&staff).refused(404, "not_found").await;
    t.server.pass(TimeDelta::days(14)).await;
    let manager = t.server.again(manager).await;
    t.assess(&manager, place, body)
        .refused(409, "feedback_closed")
        .await;
    assert_eq!(read(&manager).expect(200).await.json["reliability"], 4);
}

#[actix_web::test]
async fn feedback_comes_after_the_work_and_once_however_fast() {
    let t = town().await;
    let line = t.line(1, 2).await;
    let early = t.say(&line.people[0], &line.places[0], marks(5, 5, 5, ""));
    early.refused(409, "feedback_closed").await;
    t.server
        .pass(TimeDelta::days(5) + TimeDelta::hours(2))
        .await;
    let came = t.server.again(&line.people[0]).await;
    let waited = t.server.again(&line.people[1]).await;
    t.say(&waited, &line.places[1], marks(5, 5, 5, ""))
        .refused(409, "feedback_closed")
        .await;
    let asks = (1..=5).map(|mark| {
        let said = t.say(&came, &line.places[0], marks(mark, mark, mark, ""));
        said.expect(200)
    });
    join_all(asks).await;
    let kept = t.server.app.platform.db.read(|conn| {
        use diesel::prelude::*;
        use yiqilai::schema::feedback;
        Ok(feedback::table.count().get_result::<i64>(conn)?)
    });
    assert_eq!(kept.await.unwrap(), 1);
}
