//! Service records: proposals, confirmation, disputes, the ledger and its guards, the clock, sums.

use chrono::TimeDelta;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use futures_util::future::join_all;
use serde_json::{Value, json};
use yiqilai::activities::attendance::{Attendance, AttendanceId, AttendanceStatus};
use yiqilai::activities::enrolments::{Enrolment, EnrolmentId, EnrolmentStatus};
use yiqilai::organizations::OrganizationId;
use yiqilai::platform::clock::Instant;
use yiqilai::platform::db::Conn;
use yiqilai::records::{Record, RecordId, RecordStatus};
use yiqilai::schema::{attendances, enrolments, hour_entries, hour_sums, service_records};

use crate::activities::shift;
use crate::enrolments::Line;
use crate::harness::{Answer, Call, User};
use crate::organizations::{Town, town};
use crate::projects::volunteer;

/// An instant of that Saturday, by the wall's clock in Ningbo.
fn at(time: &str) -> Instant {
    let at = format!("2026-11-28T{time}+08:00");
    let at = at.parse::<chrono::DateTime<chrono::FixedOffset>>().unwrap();
    at.to_utc().into()
}

impl Town {
    /// Notes when somebody of a line came and went.
    async fn attended(&self, place: &str, came: Instant, went: Option<Instant>) {
        let place: EnrolmentId = place.parse().unwrap();
        self.server
            .write(move |tx| {
                let of: Enrolment = enrolments::table
                    .find(place)
                    .select(Enrolment::as_select())
                    .first(tx.conn)?;
                diesel::delete(attendances::table.filter(attendances::enrolment_id.eq(place)))
                    .execute(tx.conn)?;
                insert_attendance(tx.conn, &of, came, went)
            })
            .await;
    }

    async fn records_of(&self, by: &User, activity: &str) -> Vec<Value> {
        let path = format!("/service-records/activities/{activity}?limit=100");
        let found = self.server.get(&path).by(by).expect(200).await.json;
        found["items"].as_array().unwrap().clone()
    }

    pub fn record_act(&self, by: &User, id: &str, verb: &str, body: Value) -> Call<'_> {
        let path = format!("/service-records/{id}/{verb}");
        self.server.post(&path).by(by).json(body)
    }

    async fn record(&self, by: &User, id: &str) -> Value {
        let path = format!("/service-records/{id}");
        self.server.get(&path).by(by).expect(200).await.json
    }

    /// Voluntary minutes of a year.
    async fn minutes(&self, by: &User, whose: &str) -> i64 {
        let path = format!("{whose}?from=2026-01-01&to=2026-12-31");
        let found = self.server.get(&path).by(by).expect(200).await.json;
        assert_eq!(found["tracks"][1]["minutes"], 0, "nothing is mandated");
        found["tracks"][0]["minutes"].as_i64().unwrap()
    }

    /// A line of one shift from nine to eleven whose people came and went so, once it is over and its records are
    /// proposed: by person, in the order of the line.
    pub async fn served(&self, times: &[(&str, Option<&str>)]) -> (Line, Vec<String>) {
        let seats = i32::try_from(times.len()).unwrap();
        let mut line = self.line(seats, times.len()).await;
        for ((came, went), place) in times.iter().zip(&line.places) {
            self.attended(place, at(came), went.map(at)).await;
        }
        self.server.pass(TimeDelta::days(6)).await;
        line.manager = self.server.again(&line.manager).await;
        for person in &mut line.people {
            *person = self.server.again(person).await;
        }
        let records = self.records_of(&line.manager, &line.id).await;
        let of = |person: &User| {
            let id = person.id.to_string();
            let own = records.iter().find(|record| record["account_id"] == *id);
            own.unwrap()["id"].as_str().unwrap().to_owned()
        };
        let ids = line.people.iter().map(of).collect();
        (line, ids)
    }

    /// Every sum there is, and the same added up from the ledger.
    async fn sums_equal_the_scan(&self) {
        let read = self.server.app.platform.db.read(|conn| {
            let all = hour_entries::table.inner_join(service_records::table);
            let rows: Vec<(Record, chrono::NaiveDate, i32)> = all
                .select((
                    Record::as_select(),
                    hour_entries::day,
                    hour_entries::minutes,
                ))
                .load(conn)?;
            let mut scan = std::collections::BTreeMap::new();
            for (record, day, minutes) in rows {
                let scopes = [
                    Some(("account", record.account_id.0)),
                    record.organization_id.map(|id| ("organization", id.0)),
                    record.project_id.map(|id| ("project", id.0)),
                    Some(("region", record.region_id.0)),
                ];
                for (scope, id) in scopes.into_iter().flatten() {
                    *scan.entry((scope.to_owned(), id, day)).or_insert(0) += minutes;
                }
            }
            let kept: Vec<(
                String,
                yiqilai::platform::columns::Uid,
                chrono::NaiveDate,
                i32,
            )> = hour_sums::table
                .select((
                    hour_sums::scope,
                    hour_sums::scope_id,
                    hour_sums::day,
                    hour_sums::minutes,
                ))
                .load(conn)?;
            let kept = kept
                .into_iter()
                .map(|(scope, id, day, minutes)| ((scope, id.0, day), minutes));
            Ok((scan, kept.collect::<std::collections::BTreeMap<_, _>>()))
        });
        let (scan, kept) = read.await.unwrap();
        assert!(!scan.is_empty());
        assert_eq!(kept, scan);
    }

    /// A proposed record like another of a minute of the night before it.
    pub async fn proposed_minute(&self, like: &str, n: i64) -> String {
        let from = at("00:00:00") + TimeDelta::minutes(n);
        let times = vec![(from, from + TimeDelta::minutes(1))];
        self.proposed(like, None, times).await.remove(0)
    }

    /// Proposed records of one person on that Saturday, one for each time; those of odd places for `other`.
    async fn proposed(
        &self,
        like: &str,
        other: Option<&str>,
        times: Vec<(Instant, Instant)>,
    ) -> Vec<String> {
        let like: RecordId = like.parse().unwrap();
        let other: Option<OrganizationId> = other.map(|id| id.parse().unwrap());
        self.server
            .write(move |tx| {
                let model: Record = service_records::table
                    .find(like)
                    .select(Record::as_select())
                    .first(tx.conn)?;
                let place: Enrolment = enrolments::table
                    .inner_join(attendances::table)
                    .filter(attendances::id.eq(model.attendance_id))
                    .select(Enrolment::as_select())
                    .first(tx.conn)?;
                let mut made = Vec::new();
                for (n, (from, until)) in times.iter().enumerate() {
                    let of = Enrolment {
                        id: EnrolmentId::new(),
                        status: EnrolmentStatus::Removed,
                        holds_seat: false,
                        ended_at: Some(tx.now),
                        ..place.clone()
                    };
                    diesel::insert_into(enrolments::table)
                        .values(&of)
                        .execute(tx.conn)?;
                    insert_attendance(tx.conn, &of, *from, Some(*until))?;
                    let attendance_id: AttendanceId = attendances::table
                        .filter(attendances::enrolment_id.eq(of.id))
                        .select(attendances::id)
                        .first(tx.conn)?;
                    let organization_id = match n % 2 {
                        1 => other.or(model.organization_id),
                        _ => model.organization_id,
                    };
                    let record = Record {
                        id: RecordId::new(),
                        attendance_id,
                        organization_id,
                        status: RecordStatus::Proposed,
                        starts_at: Some(*from),
                        ends_at: Some(*until),
                        is_credited: false,
                        ..model.clone()
                    };
                    diesel::insert_into(service_records::table)
                        .values(&record)
                        .execute(tx.conn)?;
                    made.push(record.id.to_string());
                }
                Ok(made)
            })
            .await
    }
}

fn insert_attendance(
    conn: &mut Conn,
    of: &Enrolment,
    came: Instant,
    went: Option<Instant>,
) -> yiqilai::error::Result<()> {
    let status = match went {
        Some(_) => AttendanceStatus::CheckedOut,
        None => AttendanceStatus::CheckedIn,
    };
    let row = Attendance {
        id: AttendanceId::new(),
        enrolment_id: of.id,
        activity_id: of.activity_id,
        shift_id: of.shift_id,
        account_id: of.account_id,
        status,
        status_since: came,
        checked_in_at: Some(came),
        checked_out_at: went,
        check_in_by: None,
        check_out_by: None,
        recorded_in_by: None,
        recorded_out_by: None,
        is_late_sent_in: false,
        is_late_sent_out: false,
        entry_in: None,
        entry_out: None,
        excuse: None,
        excuse_refused_at: None,
        version: 1,
        created_at: came,
    };
    diesel::insert_into(attendances::table)
        .values(&row)
        .execute(conn)?;
    Ok(())
}

fn because() -> Value {
    json!({"reason": "已核对"})
}

fn timed(from: &str, until: &str) -> Value {
    json!({"reason": "签到有误", "starts_at": format!("2026-11-28T{from}:00+08:00"),
           "ends_at": format!("2026-11-28T{until}:00+08:00")})
}

#[actix_web::test]
async fn a_record_goes_from_the_attendance_into_the_ledger_and_is_set_right() {
    let t = town().await;
    let times = [("08:40:00", Some("11:30:00")), ("09:10:30", None)];
    let (line, ids) = t.served(&times).await;
    let (manager, person) = (&line.manager, &line.people[0]);
    let first = t.record(manager, &ids[0]).await;
    assert_eq!(first["status"], "proposed");
    assert_eq!(
        first["minutes"], 120,
        "coming early and staying late count nothing"
    );
    assert_eq!(first["needs_minutes"], false);
    assert_eq!(first["moves"], json!(["confirm", "correct", "void"]));
    // nobody knows when the other went: neither nothing nor all
    let open = t.record(manager, &ids[1]).await;
    assert_eq!(
        (open["needs_minutes"].clone(), open["minutes"].clone()),
        (json!(true), json!(0))
    );
    assert_eq!(open["moves"], json!(["correct", "void"]));
    t.record_act(manager, &ids[1], "confirm", json!({}))
        .refused(409, "move_not_allowed")
        .await;
    // strangers, and others who served, see nothing of it
    let stranger = volunteer(&t.server, t.grid).await;
    for other in [&stranger, &line.people[1]] {
        let path = format!("/service-records/{}", ids[0]);
        t.server
            .get(&path)
            .by(other)
            .refused(404, "not_found")
            .await;
        let all = format!("/service-records/activities/{}", line.id);
        t.server.get(&all).by(other).refused(404, "not_found").await;
        t.record_act(other, &ids[0], "confirm", json!({}))
            .refused(404, "not_found")
            .await;
    }
    t.record_act(person, &ids[0], "confirm", json!({}))
        .refused(403, "forbidden")
        .await;
    let early = timed("08:00", "10:00");
    let refused = t.record_act(manager, &ids[1], "correct", early);
    assert_eq!(
        refused.refused(422, "invalid").await.fields(),
        [("/starts_at".to_owned(), "outside_shift".to_owned())]
    );
    let set = t.record_act(manager, &ids[1], "correct", timed("09:10", "10:40"));
    let set = set.expect(200).await.json;
    assert_eq!(
        (set["status"].clone(), set["minutes"].clone()),
        (json!("proposed"), json!(90))
    );
    // both at once, and one that is none of them
    let path = format!("/service-records/activities/{}/confirm", line.id);
    let alien = uuid::Uuid::now_v7().to_string();
    let all = json!({"record_ids": [ids[0], ids[1], alien]});
    let many = t.server.post(&path).by(manager).json(all).expect(200).await;
    assert_eq!(many.json["confirmed"].as_array().unwrap().len(), 2);
    assert_eq!(
        many.json["refused"],
        json!([{"record_id": alien, "code": "not_found"}])
    );
    let mine = t
        .server
        .get("/me/service-records?status=confirmed")
        .by(person);
    let mine = mine.expect(200).await.json;
    assert_eq!(mine["items"][0]["confirmed_by"], "organizer");
    assert_eq!(mine["items"][0]["entries"][0]["minutes"], 120);
    let organization = format!("/hours/organizations/{}", line.organization);
    assert_eq!(t.minutes(person, "/me/hours").await, 120);
    assert_eq!(t.minutes(manager, &organization).await, 210);
    let admin = t.server.again(&t.district_admin).await;
    let district = format!("/hours/regions/{}", t.district);
    assert_eq!(t.minutes(&admin, &district).await, 210);
    t.server
        .get(&format!("{district}?from=2026-01-01&to=2026-12-31"))
        .by(person)
        .refused(403, "forbidden")
        .await;
    let upside_down = "/me/hours?from=2026-12-01&to=2026-11-01";
    t.server
        .get(upside_down)
        .by(person)
        .refused(422, "invalid")
        .await;

    // a correction is a counter-entry and a new entry
    let set = t.record_act(manager, &ids[0], "correct", timed("09:00", "10:00"));
    let set = set.expect(200).await.json;
    let minutes = set["entries"].as_array().unwrap().iter();
    let minutes: Vec<_> = minutes
        .map(|entry| entry["minutes"].as_i64().unwrap())
        .collect();
    assert_eq!(minutes, [120, -120, 60]);
    assert_eq!(set["entries"][1]["counters_id"], set["entries"][0]["id"]);
    assert_eq!(t.minutes(person, "/me/hours").await, 60);
    t.sums_equal_the_scan().await;

    // the person disputes it, the organiser keeps it, the staff decide
    let said = timed("09:00", "11:00");
    let disputed = t.record_act(person, &ids[0], "dispute", said.clone());
    assert_eq!(disputed.expect(200).await.json["status"], "disputed");
    assert_eq!(
        t.minutes(person, "/me/hours").await,
        60,
        "what is disputed still counts"
    );
    let kept = t.record_act(manager, &ids[0], "keep", because());
    assert_eq!(kept.expect(200).await.json["status"], "confirmed");
    t.record_act(person, &ids[0], "dispute", said)
        .refused(409, "move_not_allowed")
        .await;
    let appeal = t.record_act(person, &ids[0], "appeal", because());
    assert_eq!(appeal.expect(200).await.json["status"], "appealed");
    t.record_act(manager, &ids[0], "uphold", because())
        .refused(403, "forbidden")
        .await;
    let upheld = t
        .record_act(&admin, &ids[0], "uphold", because())
        .expect(200)
        .await;
    assert_eq!(upheld.json["minutes"], 120);
    t.record_act(&admin, &ids[0], "uphold", because())
        .expect(200)
        .await;
    assert_eq!(t.minutes(person, "/me/hours").await, 120);
    let void = t
        .record_act(manager, &ids[1], "void", because())
        .expect(200)
        .await;
    assert_eq!(void.json["status"], "void");
    assert_eq!(t.minutes(manager, &organization).await, 120);
    t.sums_equal_the_scan().await;
}

#[actix_web::test]
async fn nobody_confirms_their_own_hours() {
    let t = town().await;
    let (organization, manager) = t.active("示例·甲队").await;
    let profile = json!({
        "region_id": t.grid, "introduction": "", "birth_date": null, "skills": [], "interests": [],
        "availability": [], "places": [],
    });
    let put = t.server.call(reqwest::Method::PUT, "/me/volunteer");
    put.by(&manager).json(profile).expect(200).await;
    let change = json!({"shifts": [shift("09:00", "11:00", 1)]});
    let (_, shifts) = t.published(&manager, &organization, change).await;
    let place = t.enrol(&manager, &shifts[0]).expect(201).await.id();
    t.attended(&place, at("09:00:00"), Some(at("11:00:00")))
        .await;
    t.server.pass(TimeDelta::days(6)).await;
    let manager = t.server.again(&manager).await;
    let mine = t.server.get("/me/service-records").by(&manager);
    let mine = mine.expect(200).await.json["items"][0].clone();
    assert_eq!(mine["moves"], json!(["dispute"]));
    let id = mine["id"].as_str().unwrap();
    t.record_act(&manager, id, "confirm", json!({}))
        .refused(403, "own_hours")
        .await;
    let admin = t.server.again(&t.street_admin).await;
    let confirmed = t
        .record_act(&admin, id, "confirm", json!({}))
        .expect(200)
        .await;
    assert_eq!(confirmed.json["confirmed_by"], "staff");
}

#[actix_web::test]
async fn no_more_of_a_day_counts_than_the_cap_however_many_confirm_at_once() {
    let t = town().await;
    let (other, leader) = t.active("示例·乙队").await;
    let (line, ids) = t.served(&[("09:00:00", Some("09:10:00"))]).await;
    let leader = t.server.again(&leader).await;
    // fifty times twenty minutes, back to back
    let midnight = at("00:00:00");
    let times = (0..50).map(|n| {
        let from = midnight + TimeDelta::minutes(n * 20);
        (from, from + TimeDelta::minutes(20))
    });
    let made = t.proposed(&ids[0], Some(&other), times.collect()).await;
    let asks = made.iter().enumerate().map(|(n, id)| {
        let by = if n % 2 == 1 { &leader } else { &line.manager };
        t.record_act(by, id, "confirm", json!({})).send()
    });
    let answers: Vec<Answer> = join_all(asks).await;
    let done = answers.iter().filter(|one| one.status == 200).count();
    assert_eq!(done, 24, "eight hours");
    for refused in answers.iter().filter(|one| one.status != 200) {
        assert_eq!(refused.json["code"], "daily_cap", "{:#}", refused.json);
    }
    assert_eq!(t.minutes(&line.people[0], "/me/hours").await, 480);
    t.sums_equal_the_scan().await;
    // what is above the cap is cut and says so
    let half = at("20:00:00");
    let more = t
        .proposed(&ids[0], None, vec![(half, half + TimeDelta::minutes(30))])
        .await;
    let counted = answers.iter().position(|one| one.status == 200).unwrap();
    let by = if counted % 2 == 1 {
        &leader
    } else {
        &line.manager
    };
    t.record_act(by, &made[counted], "void", because())
        .expect(200)
        .await;
    let cut = t.record_act(&line.manager, &more[0], "confirm", json!({}));
    let cut = cut.expect(200).await.json;
    assert_eq!(
        (cut["minutes"].clone(), cut["capped_minutes"].clone()),
        (json!(20), json!(10))
    );
    assert_eq!(t.minutes(&line.people[0], "/me/hours").await, 480);
    t.sums_equal_the_scan().await;
}

#[actix_web::test]
async fn a_persons_time_counts_once_and_midnight_is_two_days() {
    let t = town().await;
    let (line, ids) = t.served(&[("09:00:00", Some("09:10:00"))]).await;
    let night = at("23:00:00");
    let same = vec![(night, night + TimeDelta::hours(2)); 2];
    let made = t.proposed(&ids[0], None, same).await;
    let asks = made
        .iter()
        .map(|id| t.record_act(&line.manager, id, "confirm", json!({})).send());
    let answers: Vec<Answer> = join_all(asks).await;
    let done: Vec<_> = answers.iter().filter(|one| one.status == 200).collect();
    assert_eq!(done.len(), 1);
    let refused = answers.iter().find(|one| one.status != 200).unwrap();
    assert_eq!(refused.json["code"], "time_conflict", "{:#}", refused.json);
    let days = done[0].json["entries"].as_array().unwrap().iter();
    let days: Vec<_> = days
        .map(|one| (one["day"].clone(), one["minutes"].clone()))
        .collect();
    let (sat, sun) = (json!("2026-11-28"), json!("2026-11-29"));
    assert_eq!(days, [(sat, json!(60)), (sun, json!(60))]);
    // back to back is no conflict
    let next = night + TimeDelta::hours(2);
    let next = t
        .proposed(&ids[0], None, vec![(next, next + TimeDelta::hours(1))])
        .await;
    t.record_act(&line.manager, &next[0], "confirm", json!({}))
        .expect(200)
        .await;
    t.sums_equal_the_scan().await;
}

#[actix_web::test]
async fn the_database_itself_keeps_the_ledger() {
    let t = town().await;
    let (line, ids) = t.served(&[("09:00:00", Some("11:00:00"))]).await;
    t.record_act(&line.manager, &ids[0], "confirm", json!({}))
        .expect(200)
        .await;
    let mut tries = vec![
        "UPDATE hour_entries SET minutes = 1",
        "DELETE FROM hour_entries",
        "UPDATE hour_entries SET reason = 'x'",
    ];
    match crate::harness::backend() {
        crate::harness::Backend::Postgres => tries.push("TRUNCATE hour_entries CASCADE"),
        crate::harness::Backend::Sqlite => {
            tries.push("INSERT OR REPLACE INTO hour_entries SELECT * FROM hour_entries");
        }
    }
    for sql in tries {
        let tried = t.server.app.platform.db.write(move |tx| {
            match tx.conn {
                Conn::Sqlite(conn) => conn.batch_execute(sql)?,
                Conn::Postgres(conn) => conn.batch_execute(sql)?,
            }
            Ok(())
        });
        let refused = tried.await.unwrap_err().to_string();
        assert!(
            refused.contains("hour_entries_append_only"),
            "{sql}: {refused}"
        );
    }
    assert_eq!(t.minutes(&line.people[0], "/me/hours").await, 120);
}

#[actix_web::test]
async fn hours_do_not_vanish_because_nobody_looked() {
    let t = town().await;
    let times = [
        ("09:00:00", Some("11:00:00")),
        ("09:00:00", None),
        ("10:59:30", Some("11:00:00")),
    ];
    let (line, ids) = t.served(&times).await;
    assert_eq!(
        t.record(&line.people[2], &ids[2]).await["status"],
        "void",
        "under a minute"
    );
    let told = async |by: &User, kind: &str| {
        let by = t.server.again(by).await;
        let inbox = t
            .server
            .get("/me/notifications?limit=100")
            .by(&by)
            .expect(200)
            .await;
        let items = inbox.json["items"].as_array().unwrap().clone();
        items.iter().filter(|item| item["kind"] == kind).count()
    };
    assert_eq!(told(&line.manager, "hours_to_confirm").await, 1);
    t.server.pass(TimeDelta::days(7)).await;
    assert_eq!(told(&line.manager, "hours_to_confirm").await, 2);
    t.server.pass(TimeDelta::days(7)).await;
    assert_eq!(told(&t.street_admin, "hours_overdue").await, 1);
    t.server.pass(TimeDelta::days(16)).await;
    t.server.pass(TimeDelta::hours(1)).await;
    let person = t.server.again(&line.people[0]).await;
    let record = t.record(&person, &ids[0]).await;
    assert_eq!(record["confirmed_by"], "clock");
    assert_eq!(t.minutes(&person, "/me/hours").await, 120);
    let other = t.server.again(&line.people[1]).await;
    assert_eq!(t.record(&other, &ids[1]).await["status"], "proposed");
    assert_eq!(told(&t.street_admin, "hours_stuck").await, 1);
    // an unanswered dispute goes to the staff
    t.record_act(&other, &ids[1], "dispute", timed("09:00", "11:00"))
        .expect(200)
        .await;
    t.server.pass(TimeDelta::days(14)).await;
    let admin = t.server.again(&t.street_admin).await;
    assert_eq!(t.record(&admin, &ids[1]).await["status"], "appealed");
    let upheld = t
        .record_act(&admin, &ids[1], "uphold", because())
        .expect(200)
        .await;
    assert_eq!(upheld.json["minutes"], 120);
    t.sums_equal_the_scan().await;
}

#[actix_web::test]
async fn the_hours_of_a_project_are_for_who_published_it() {
    let t = town().await;
    let (leader, [project, ..]) = t.of_a_project(1).await;
    let path = format!("/hours/projects/{project}");
    assert_eq!(t.minutes(&t.street_admin, &path).await, 0);
    let year = "from=2026-01-01&to=2026-12-31";
    t.server
        .get(&format!("{path}?{year}"))
        .by(&leader)
        .refused(404, "not_found")
        .await;
}
