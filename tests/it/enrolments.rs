//! Enrolments: the verdict, seats and time under load, the line, going, and teams.

use chrono::TimeDelta;
use diesel::prelude::*;
use futures_util::future::join_all;
use serde_json::{Value, json};
use yiqilai::schema::{activity_shifts, enrolments};

use crate::activities::{shift, shift_ids};
use crate::harness::{Answer, Call, Server, User};
use crate::organizations::{Town, town};
use crate::projects::volunteer;

impl Town {
    pub fn enrol(&self, by: &User, shift: &str) -> Call<'_> {
        self.ask(by, shift, json!({}))
    }

    fn ask(&self, by: &User, shift: &str, body: Value) -> Call<'_> {
        self.server
            .post(&format!("/shifts/{shift}/enrolments"))
            .by(by)
            .json(body)
    }

    pub fn enrolment_act(&self, by: &User, id: &str, verb: &str) -> Call<'_> {
        self.server
            .post(&format!("/enrolments/{id}/{verb}"))
            .by(by)
            .json(json!({}))
    }

    /// One's enrolments.
    pub async fn enrolments(&self, by: &User) -> Vec<Value> {
        let mine = self.server.get("/me/enrolments?limit=100").by(by);
        mine.expect(200).await.json["items"]
            .as_array()
            .unwrap()
            .clone()
    }

    async fn enrolment(&self, by: &User, id: &str) -> Value {
        let shown = self.server.get(&format!("/enrolments/{id}")).by(by);
        shown.expect(200).await.json
    }

    /// What the verdict says: what it would come to, and the codes.
    async fn verdict(&self, by: &User, shift: &str) -> (String, Vec<String>) {
        let found = self.server.get(&format!("/shifts/{shift}/verdict")).by(by);
        let found = found.expect(200).await.json;
        let codes = found["codes"].as_array().unwrap().iter();
        let codes = codes.map(|one| one["code"].as_str().unwrap().to_owned());
        (
            found["outcome"].as_str().unwrap().to_owned(),
            codes.collect(),
        )
    }

    /// What keeps somebody from a shift, by the verdict and by enrolling alike.
    async fn kept_from(&self, by: &User, shift: &str) -> Vec<String> {
        let (outcome, codes) = self.verdict(by, shift).await;
        assert_eq!(outcome, "refused");
        let refused = self.enrol(by, shift).send().await;
        assert!(
            matches!(refused.status.as_u16(), 403 | 409),
            "{:#}",
            refused.json
        );
        assert_eq!(refused.json["code"], codes[0], "{:#}", refused.json);
        if codes.len() > 1 {
            let all: Vec<_> = refused.fields().into_iter().map(|(_, code)| code).collect();
            let but_full: Vec<_> = codes
                .iter()
                .filter(|code| *code != "capacity_full")
                .cloned()
                .collect();
            assert_eq!(all, but_full);
        }
        codes
    }
}

/// An activity on that Saturday from nine to eleven, with so many who have enrolled in it one after the other.
pub struct Line {
    pub id: String,
    pub shift: String,
    pub manager: User,
    pub organization: String,
    pub people: Vec<User>,
    /// Their enrolments.
    pub places: Vec<String>,
}

impl Town {
    /// A dozen people ask for both shifts, all at once; two answers for each of them.
    async fn each_asks_for_both(&self, one: &str, other: &str) -> Vec<Answer> {
        let mut people = Vec::new();
        for _ in 0..12 {
            people.push(volunteer(&self.server, self.grid).await);
        }
        let asks = people
            .iter()
            .flat_map(|person| [one, other].map(|shift| self.enrol(person, shift).send()));
        join_all(asks).await
    }

    /// A published activity of a claimed project, with one shift of so many seats: who leads it,
    /// and the ids of project, activity and shift.
    pub async fn of_a_project(&self, seats: i32) -> (User, [String; 3]) {
        let (a, leader) = self.active("示例·甲队").await;
        let project = self.open_project(json!({})).await;
        let claim = self.executing(&leader, &project, &a).await;
        let body = json!({
            "claim_id": claim, "title": "示例·第一次活动", "summary": "见面会。", "place": "示例小学",
            "shifts": [{"name": "辅导员", "seats": seats, "starts_at": "2026-12-05T01:00:00Z",
                        "ends_at": "2026-12-05T03:00:00Z"}],
        });
        let draft = self.write_activity(&leader, &body, json!({}));
        let id = draft.expect(201).await.id();
        let published = self.activity_act(&leader, &id, "publish").expect(200).await;
        let shift = shift_ids(&published.json).remove(0);
        (leader, [project, id, shift])
    }

    /// An activity with so many seats, and so many who have enrolled.
    pub async fn line(&self, seats: i32, people: usize) -> Line {
        let (organization, manager) = self.active("示例·甲队").await;
        let change = json!({"shifts": [shift("09:00", "11:00", seats)]});
        let (id, mut shifts) = self.published(&manager, &organization, change).await;
        let shift = shifts.remove(0);
        let mut line = Line {
            id,
            shift,
            manager,
            organization,
            people: Vec::new(),
            places: Vec::new(),
        };
        for _ in 0..people {
            let person = volunteer(&self.server, self.grid).await;
            let place = self.enrol(&person, &line.shift).expect(201).await;
            line.places.push(place.id());
            line.people.push(person);
        }
        line
    }
}

/// Everything that must hold of every shift, whoever was faster.
async fn is_sound(server: &Server) {
    let read = server.app.platform.db.read(|conn| {
        let shifts: Vec<(yiqilai::activities::ShiftId, i32, i32)> = activity_shifts::table
            .select((
                activity_shifts::id,
                activity_shifts::taken,
                activity_shifts::seats,
            ))
            .load(conn)?;
        for (id, taken, seats) in shifts {
            let of = || enrolments::table.filter(enrolments::shift_id.eq(id));
            let held: i64 = of()
                .filter(enrolments::holds_seat)
                .count()
                .get_result(conn)?;
            let confirmed: i64 = of()
                .filter(enrolments::status.eq("confirmed"))
                .filter(enrolments::holds_seat.eq(false))
                .count()
                .get_result(conn)?;
            let waiting: i64 = of()
                .filter(enrolments::status.eq("waitlisted"))
                .count()
                .get_result(conn)?;
            assert_eq!(held, i64::from(taken), "what is counted is held");
            assert!(taken <= seats, "never more than there are");
            assert_eq!(confirmed, 0, "who comes has a seat");
            assert!(
                taken == seats || waiting == 0,
                "no seat is free while somebody waits"
            );
        }
        Ok(())
    });
    read.await.unwrap();
}

#[actix_web::test]
async fn the_verdict_names_every_reason() {
    let t = town().await;
    let (a, manager) = t.active("示例·甲队").await;
    let with = async |change: Value| t.published(&manager, &a, change).await.1.remove(0);
    let plain = with(json!({})).await;
    let bare = t.server.person("示例·无资料").await;
    assert_eq!(t.kept_from(&bare, &plain).await, ["profile_required"]);
    let person = volunteer(&t.server, t.grid).await;
    assert_eq!(
        t.verdict(&person, &plain).await,
        ("confirmed".to_owned(), vec![])
    );

    let mut teacher = shift("09:00", "11:00", 2);
    teacher["qualification"] = json!("teacher");
    let taught = with(json!({ "shifts": [teacher] })).await;
    assert_eq!(
        t.kept_from(&person, &taught).await,
        ["qualification_missing"]
    );
    // counts today, and no longer on that Saturday; then on its very day
    t.certified(&person, "teacher", json!("2026-11-27")).await;
    assert_eq!(
        t.kept_from(&person, &taught).await,
        ["qualification_expired"]
    );
    t.certified(&person, "teacher", json!("2026-11-28")).await;
    assert_eq!(t.verdict(&person, &taught).await.0, "confirmed");

    let children = with(json!({"minors": true})).await;
    assert_eq!(t.kept_from(&person, &children).await, ["vetting_missing"]);
    let party = with(json!({"party_only": true})).await;
    assert_eq!(t.kept_from(&person, &party).await, ["party_only"]);
    let elsewhere = crate::regions::another_street(&t.server).await;
    let local = with(json!({"volunteers_region_id": elsewhere})).await;
    assert_eq!(t.kept_from(&person, &local).await, ["region_not_served"]);
    let here = with(json!({"volunteers_region_id": t.street})).await;
    assert_eq!(
        t.verdict(&person, &here).await.0,
        "confirmed",
        "a grid of the street"
    );

    let grown = with(json!({"min_age": 18, "max_age": 60})).await;
    assert_eq!(
        t.kept_from(&person, &grown).await,
        ["age"],
        "nobody knows it"
    );
    for (born, is_of_age) in [
        ("2008-11-28", true),
        ("2008-11-29", false),
        ("1966-11-28", true),
        ("1965-11-28", false),
    ] {
        let somebody = t.born(born).await;
        let (outcome, codes) = t.verdict(&somebody, &grown).await;
        assert_eq!(outcome == "confirmed", is_of_age, "{born}: {codes:?}");
    }
    let young = t.born("2010-01-01").await;
    assert_eq!(t.verdict(&young, &plain).await.0, "confirmed");
    let insured = json!({"dangerous": true, "insurance_policy": "001",
        "insurance_from": "2026-11-28", "insurance_until": "2026-11-28"});
    let dangerous = with(insured).await;
    assert_eq!(t.kept_from(&young, &dangerous).await, ["age"]);

    let soon = with(json!({"enrolment_opens_at": "2026-11-23T02:01:00Z", "enrolment_closes_at": "2026-11-23T02:02:00Z"})).await;
    assert_eq!(t.kept_from(&person, &soon).await, ["enrolment_too_early"]);
    t.server.pass(TimeDelta::minutes(1)).await;
    assert_eq!(t.verdict(&person, &soon).await.0, "confirmed");
    t.server.pass(TimeDelta::minutes(1)).await;
    assert_eq!(t.kept_from(&person, &soon).await, ["enrolment_too_late"]);

    // several at once, all of them said
    let many =
        with(json!({"party_only": true, "minors": true, "volunteers_region_id": elsewhere})).await;
    assert_eq!(
        t.kept_from(&person, &many).await,
        ["party_only", "region_not_served", "vetting_missing"]
    );

    // the last seat, and the line behind it
    let one = with(json!({"shifts": [shift("09:00", "11:00", 1)]})).await;
    let other = volunteer(&t.server, t.grid).await;
    assert_eq!(
        t.enrol(&other, &one).expect(201).await.json["status"],
        "confirmed"
    );
    assert_eq!(
        t.verdict(&other, &one).await.1,
        ["enrolled_already", "capacity_full"]
    );
    let full = t.verdict(&person, &one).await;
    assert_eq!(
        full,
        ("waitlisted".to_owned(), vec!["capacity_full".to_owned()])
    );
    let waiting = t.enrol(&person, &one).expect(201).await;
    assert_eq!(
        (&waiting.json["status"], &waiting.json["ahead"]),
        (&json!("waitlisted"), &json!(0))
    );
    assert_eq!(
        t.enrol(&person, &one).expect(201).await.id(),
        waiting.id(),
        "the same again"
    );
    // whoever waits is free meanwhile; whoever has a seat is not
    assert_eq!(t.verdict(&person, &plain).await.0, "confirmed");
    assert_eq!(t.kept_from(&other, &plain).await, ["time_conflict"]);
    assert_eq!(t.told(&other, "enrolment_confirmed").await, 1);
    assert_eq!(t.told(&person, "enrolment_waitlisted").await, 1);
    let unknown = "01980000-0000-7000-8000-000000000000";
    t.enrol(&person, unknown).refused(404, "not_found").await;
}

/// A project that stands still takes nobody.
#[actix_web::test]
async fn a_suspended_project_takes_nobody_into_its_activities() {
    let t = town().await;
    let (_, [project, _, shift]) = t.of_a_project(3).await;
    let why = json!({"reason": "台风"});
    let suspend = t
        .project_act(&t.street_admin, &project, "suspend")
        .json(why);
    suspend.expect(200).await;
    let person = volunteer(&t.server, t.grid).await;
    assert_eq!(t.kept_from(&person, &shift).await, ["project_suspended"]);
}

#[actix_web::test]
async fn back_to_back_is_no_collision_and_a_day_has_eight_hours() {
    let t = town().await;
    let (a, first) = t.active("示例·甲队").await;
    let (b, second) = t.active("示例·乙队").await;
    let person = volunteer(&t.server, t.grid).await;
    let at = |from: &str, to: &str| json!({"shifts": [{"name": "值守", "seats": 5, "starts_at": from, "ends_at": to}]});
    let of_first =
        async |from: &str, to: &str| t.published(&first, &a, at(from, to)).await.1.remove(0);
    let of_second =
        async |from: &str, to: &str| t.published(&second, &b, at(from, to)).await.1.remove(0);
    // Saturday: 9-10, 10-11, and half past nine
    let nine = of_first("2026-11-28T01:00:00Z", "2026-11-28T02:00:00Z").await;
    let ten = of_second("2026-11-28T02:00:00Z", "2026-11-28T03:00:00Z").await;
    let between = of_second("2026-11-28T01:30:00Z", "2026-11-28T02:30:00Z").await;
    t.enrol(&person, &nine).expect(201).await;
    t.enrol(&person, &ten).expect(201).await;
    assert_eq!(t.kept_from(&person, &between).await, ["time_conflict"]);
    // six more hours fill the day over both organisations; another minute is too much
    let six = of_first("2026-11-28T03:00:00Z", "2026-11-28T09:00:00Z").await;
    t.enrol(&person, &six).expect(201).await;
    let minute = of_second("2026-11-28T09:00:00Z", "2026-11-28T09:01:00Z").await;
    assert_eq!(t.kept_from(&person, &minute).await, ["daily_cap"]);
    // from eleven over midnight: an hour of Saturday is too much, were it not taken back
    let night = of_first("2026-11-28T15:00:00Z", "2026-11-28T20:00:00Z").await;
    assert_eq!(t.kept_from(&person, &night).await, ["daily_cap"]);
    // from midnight on it is Sunday's: as many as one may, beside Saturday's eight
    let sunday = of_second("2026-11-28T16:00:00Z", "2026-11-28T23:00:00Z").await;
    t.enrol(&person, &sunday).expect(201).await;
    let hour = of_first("2026-11-28T23:00:00Z", "2026-11-29T00:00:00Z").await;
    t.enrol(&person, &hour).expect(201).await;
    let more = of_first("2026-11-29T00:00:00Z", "2026-11-29T00:30:00Z").await;
    assert_eq!(t.kept_from(&person, &more).await, ["daily_cap"]);
    let mine = t.enrolments(&person).await;
    assert_eq!(mine.len(), 5);
    let starts: Vec<_> = mine
        .iter()
        .map(|one| one["starts_at"].as_str().unwrap())
        .collect();
    assert!(
        starts.windows(2).all(|pair| pair[0] > pair[1]),
        "the latest first: {starts:?}"
    );
    let path = "/me/enrolments?limit=2&status=confirmed";
    let page = t.server.get(path).by(&person).expect(200).await.json;
    let next = format!("{path}&cursor={}", page["next"].as_str().unwrap());
    let page = t.server.get(&next).by(&person).expect(200).await.json;
    assert_eq!(page["items"][0]["id"], mine[2]["id"]);
}

#[actix_web::test]
async fn the_29th_of_february_is_a_day_like_others() {
    let at = "2028-02-27T02:00:00Z"
        .parse::<chrono::DateTime<chrono::Utc>>()
        .unwrap();
    let server = Server::start_at(json!({}), at.into()).await;
    let t = crate::organizations::town_on(server).await;
    let (a, manager) = t.active("示例·甲队").await;
    // the night from the 28th to the 29th, and the 29th from one in the morning to eight
    let change = json!({"min_age": 20, "shifts": [
        {"name": "夜间", "seats": 2, "starts_at": "2028-02-28T15:00:00Z", "ends_at": "2028-02-28T17:00:00Z"},
        {"name": "上午", "seats": 2, "starts_at": "2028-02-28T17:00:00Z", "ends_at": "2028-02-29T00:00:00Z"},
        {"name": "白天", "seats": 2, "starts_at": "2028-02-29T00:00:00Z", "ends_at": "2028-02-29T00:30:00Z"}]});
    let (_, shifts) = t.published(&manager, &a, change).await;
    let leapling = t.born("2008-02-29").await;
    let next_day = t.born("2008-03-01").await;
    // the first shift begins on the 28th, a day before the birthday
    assert_eq!(t.kept_from(&leapling, &shifts[0]).await, ["age"]);
    assert_eq!(t.kept_from(&next_day, &shifts[1]).await, ["age"]);
    let grown = t.born("1990-01-01").await;
    t.enrol(&grown, &shifts[0]).expect(201).await;
    t.enrol(&grown, &shifts[1]).expect(201).await;
    // an hour of the 29th and seven more: no minute is left of it
    assert_eq!(t.kept_from(&grown, &shifts[2]).await, ["daily_cap"]);
    t.enrol(&leapling, &shifts[1]).expect(201).await;
    let yearly = json!({"rule": "FREQ=YEARLY;COUNT=2"});
    let draft = t.write_activity(&manager, &t.own_work(&a), json!({"shifts": [
        {"name": "纪念", "seats": 2, "starts_at": "2028-02-29T06:00:00Z", "ends_at": "2028-02-29T07:00:00Z"}]}));
    let draft = draft.expect(201).await.id();
    let made = t
        .server
        .post(&format!("/activities/{draft}/repeat"))
        .by(&manager);
    let made = made.json(yearly).expect(201).await.json;
    assert_eq!(made["activities"][1]["starts_at"], "2032-02-29T06:00:00Z");
}

#[actix_web::test]
async fn fifty_want_the_last_seat_and_one_has_it() {
    let t = town().await;
    let Line {
        id, shift, manager, ..
    } = t.line(1, 0).await;
    let mut people = Vec::new();
    for _ in 0..50 {
        people.push(volunteer(&t.server, t.grid).await);
    }
    let asks = people.iter().map(|person| t.enrol(person, &shift).send());
    let answers = join_all(asks).await;
    let count = |status: &str| {
        answers
            .iter()
            .filter(|answer| answer.json["status"] == status)
            .count()
    };
    assert_eq!((count("confirmed"), count("waitlisted")), (1, 49));
    is_sound(&t.server).await;
    let path = format!("/activities/{id}/enrolments?status=waitlisted&shift_id={shift}&limit=100");
    let line = t.server.get(&path).by(&manager).expect(200).await.json;
    let mut ahead: Vec<_> = line["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["ahead"].as_i64().unwrap())
        .collect();
    ahead.sort_unstable();
    assert_eq!(
        ahead,
        (0..49).collect::<Vec<_>>(),
        "everybody has a place of their own in the line"
    );
    t.server
        .get(&path)
        .by(&people[0])
        .refused(403, "forbidden")
        .await;
}

#[actix_web::test]
async fn nobody_gets_into_two_places_at_once() {
    let t = town().await;
    let (a, first) = t.active("示例·甲队").await;
    let (b, second) = t.active("示例·乙队").await;
    let (_, ours) = t
        .published(&first, &a, json!({"shifts": [shift("09:00", "11:00", 50)]}))
        .await;
    let (_, theirs) = t
        .published(
            &second,
            &b,
            json!({"shifts": [shift("10:00", "12:00", 50)]}),
        )
        .await;
    for both in t.each_asks_for_both(&ours[0], &theirs[0]).await.chunks(2) {
        let mut statuses: Vec<_> = both.iter().map(|answer| answer.status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409]);
        let refused = both.iter().find(|answer| answer.status == 409).unwrap();
        assert_eq!(refused.json["code"], "time_conflict");
    }
    is_sound(&t.server).await;
}

/// Six hours and three more do not collide, and are too much for a day, whichever is asked for first.
#[actix_web::test]
async fn nobody_takes_on_more_than_a_day_has_however_fast() {
    let t = town().await;
    let (a, first) = t.active("示例·甲队").await;
    let (b, second) = t.active("示例·乙队").await;
    let six = json!({"shifts": [shift("06:00", "12:00", 50)]});
    let three = json!({"shifts": [shift("13:00", "16:00", 50)]});
    let (_, ours) = t.published(&first, &a, six).await;
    let (_, theirs) = t.published(&second, &b, three).await;
    for both in t.each_asks_for_both(&ours[0], &theirs[0]).await.chunks(2) {
        let refused: Vec<_> = both.iter().filter(|answer| answer.status == 409).collect();
        assert_eq!(refused.len(), 1, "one of the two, and only one");
        assert_eq!(refused[0].json["code"], "daily_cap");
    }
    is_sound(&t.server).await;
}

/// Whatever a program forgets, neither database keeps: two places at once, one shift twice, more than
/// there are seats.
#[actix_web::test]
async fn the_database_itself_guards_time_and_seats() {
    let t = town().await;
    let (a, manager) = t.active("示例·甲队").await;
    let mut all = Vec::new();
    for (from, to) in [("09:00", "10:00"), ("10:00", "11:00"), ("09:30", "10:30")] {
        let published = t.published(&manager, &a, json!({"shifts": [shift(from, to, 1)]}));
        all.push(published.await.1.remove(0));
    }
    let person = volunteer(&t.server, t.grid).await;
    let other = volunteer(&t.server, t.grid).await;
    t.enrol(&person, &all[0]).expect(201).await;
    t.enrol(&person, &all[1]).expect(201).await;
    let between = t.enrol(&other, &all[2]).expect(201).await.id();
    let waiting = t.enrol(&person, &all[2]).send().await;
    assert_eq!(waiting.json["code"], "time_conflict");
    let third = volunteer(&t.server, t.grid).await;
    let again = t.enrol(&third, &all[2]).expect(201).await.id();
    let (id, who) = (between.parse().unwrap(), person.id);
    let twice = (again.parse().unwrap(), other.id);
    type Write = fn(&mut yiqilai::platform::db::Conn, Ids) -> QueryResult<usize>;
    type Ids = (
        yiqilai::activities::enrolments::EnrolmentId,
        yiqilai::identity::AccountId,
    );
    let over = |conn: &mut yiqilai::platform::db::Conn, (id, who): Ids| {
        diesel::update(enrolments::table.find(id))
            .set(enrolments::account_id.eq(who))
            .execute(conn)
    };
    let full = |conn: &mut yiqilai::platform::db::Conn, _: Ids| {
        diesel::update(activity_shifts::table)
            .set(activity_shifts::taken.eq(activity_shifts::taken + 1))
            .execute(conn)
    };
    let none = |conn: &mut yiqilai::platform::db::Conn, _: Ids| {
        diesel::update(activity_shifts::table)
            .set(activity_shifts::taken.eq(activity_shifts::taken - 2))
            .execute(conn)
    };
    // the second in line, given to the one who has the seat there
    let same = |conn: &mut yiqilai::platform::db::Conn, (id, who): Ids| {
        diesel::update(enrolments::table.find(id))
            .set(enrolments::account_id.eq(who))
            .execute(conn)
    };
    for (write, ids) in [
        (over as Write, (id, who)),
        (full as Write, (id, who)),
        (none as Write, (id, who)),
        (same as Write, twice),
    ] {
        let db = &t.server.app.platform.db;
        let refused = db.write(move |tx| Ok(write(tx.conn, ids)?)).await;
        refused.unwrap_err();
    }
    is_sound(&t.server).await;
}

#[actix_web::test]
async fn promotions_and_withdrawals_meet_and_no_seat_is_lost() {
    let t = town().await;
    let Line {
        id,
        shift,
        manager,
        people,
        places: ids,
        ..
    } = t.line(3, 12).await;
    // those with seats go while those first in line go too, or come, and others come anew
    let mut calls: Vec<_> = (0..6)
        .map(|n| t.enrolment_act(&people[n], &ids[n], "withdraw").send())
        .collect();
    let mut late = Vec::new();
    for _ in 0..4 {
        late.push(volunteer(&t.server, t.grid).await);
    }
    calls.extend(late.iter().map(|person| t.enrol(person, &shift).send()));
    for answer in join_all(calls).await {
        // one who was promoted at that moment declines instead
        let is_fine = matches!(answer.status.as_u16(), 200 | 201)
            || answer.json["code"] == "move_not_allowed";
        assert!(is_fine, "{:#}", answer.json);
    }
    is_sound(&t.server).await;
    // everybody who may accepts while others decline
    let path = format!("/activities/{id}/enrolments?status=pending&limit=100");
    for round in 0..4 {
        let pending = t.server.get(&path).by(&manager).expect(200).await.json;
        let pending = pending["items"].as_array().unwrap().clone();
        let answers = pending.iter().enumerate().map(|(n, one)| {
            let who = people
                .iter()
                .chain(&late)
                .find(|who| one["account_id"] == json!(who.id))
                .unwrap();
            let verb = if (n + round).is_multiple_of(2) {
                "accept"
            } else {
                "decline"
            };
            t.enrolment_act(who, one["id"].as_str().unwrap(), verb)
                .send()
        });
        for answer in join_all(answers).await {
            assert_eq!(answer.status, 200, "{:#}", answer.json);
        }
        is_sound(&t.server).await;
    }
    let shown = t.activity(&manager, &id).await;
    assert_eq!(shown["shifts"][0]["taken"], 3);
}

#[actix_web::test]
async fn who_moves_up_has_time_to_accept_and_then_the_next_has_it() {
    let t = town().await;
    let line = t.line(1, 4).await;
    let (id, manager, a) = (line.id, line.manager, line.organization);
    let (mut people, ids, shifts) = (line.people, line.places, [line.shift]);
    // the first in line took on something else meanwhile, and keeps the place
    let (_, busy) = t
        .published(
            &manager,
            &a,
            json!({"shifts": [shift("10:00", "12:00", 9)]}),
        )
        .await;
    let elsewhere = t.enrol(&people[1], &busy[0]).expect(201).await.id();
    let gone = t
        .enrolment_act(&people[0], &ids[0], "withdraw")
        .expect(200)
        .await;
    assert_eq!(gone.json["status"], "withdrawn");
    assert_eq!(
        t.enrolment_act(&people[0], &ids[0], "withdraw")
            .expect(200)
            .await
            .json["status"],
        "withdrawn"
    );
    assert_eq!(t.told(&manager, "enrolment_withdrawn").await, 1);
    assert_eq!(
        t.enrolment(&people[1], &ids[1]).await["status"],
        "waitlisted"
    );
    let held = t.enrolment(&people[2], &ids[2]).await;
    assert_eq!(
        (&held["status"], &held["holds_seat"]),
        (&json!("pending"), &json!(true))
    );
    assert_eq!(held["accept_by"], "2026-11-24T02:00:00Z", "a day");
    assert_eq!(held["moves"], json!(["accept", "decline"]));
    assert_eq!(t.told(&people[2], "enrolment_promoted").await, 1);
    t.enrolment_act(&people[3], &ids[2], "accept")
        .refused(404, "not_found")
        .await;
    t.enrolment_act(&manager, &ids[2], "accept")
        .refused(403, "forbidden")
        .await;
    assert_eq!(
        t.kept_from(&people[2], &busy[0]).await,
        ["time_conflict"],
        "it is held"
    );

    // not in time: the next one; the first is still busy
    t.server.pass(TimeDelta::days(1)).await;
    for person in &mut people {
        *person = t.server.again(person).await;
    }
    let lapsed = t.enrolment(&people[2], &ids[2]).await;
    assert_eq!(
        (&lapsed["status"], &lapsed["holds_seat"]),
        (&json!("declined"), &json!(false))
    );
    assert_eq!(t.told(&people[2], "enrolment_lapsed").await, 1);
    assert_eq!(t.enrolment(&people[3], &ids[3]).await["status"], "pending");
    // no longer busy, the first is promoted as the last says no
    t.enrolment_act(&people[1], &elsewhere, "withdraw")
        .expect(200)
        .await;
    t.server.work().await;
    let no = t
        .enrolment_act(&people[3], &ids[3], "decline")
        .expect(200)
        .await;
    assert_eq!(no.json["status"], "declined");
    let accepted = t
        .enrolment_act(&people[1], &ids[1], "accept")
        .expect(200)
        .await;
    assert_eq!(accepted.json["status"], "confirmed");
    assert_eq!(
        t.enrolment_act(&people[1], &ids[1], "accept")
            .expect(200)
            .await
            .json["status"],
        "confirmed"
    );
    is_sound(&t.server).await;

    // a day before it begins, and later: late; the line moves up to the beginning
    let waiting = t.enrol(&people[0], &shifts[0]).expect(201).await.id();
    let manager = t.server.again(&manager).await;
    t.activity_act(&manager, &id, "close-enrolment")
        .expect(200)
        .await;
    t.server.pass(TimeDelta::hours(3 * 24 + 22)).await;
    for person in &mut people {
        *person = t.server.again(person).await;
    }
    assert_eq!(
        t.enrolment(&people[1], &ids[1]).await["moves"],
        json!(["withdraw_late"])
    );
    let late = t
        .enrolment_act(&people[1], &ids[1], "withdraw")
        .expect(200)
        .await;
    assert_eq!(late.json["status"], "late_withdrawn");
    assert_eq!(
        t.enrolment_act(&people[1], &ids[1], "withdraw")
            .expect(200)
            .await
            .json["status"],
        "late_withdrawn"
    );
    let manager = t.server.again(&manager).await;
    assert_eq!(t.told(&manager, "enrolment_withdrawn_late").await, 1);
    let held = t.enrolment(&people[0], &waiting).await;
    assert_eq!(held["status"], "pending");
    assert_eq!(
        held["accept_by"], "2026-11-28T01:00:00Z",
        "not after it begins"
    );
    // it begins: nobody waits any more
    t.server.pass(TimeDelta::hours(1)).await;
    let person = t.server.again(&people[0]).await;
    assert_eq!(t.enrolment(&person, &waiting).await["status"], "declined");
    assert_eq!(
        t.kept_from(&person, &shifts[0]).await,
        ["enrolment_too_late"]
    );
}

#[actix_web::test]
async fn an_organiser_removes_with_a_reason_and_nobody_leaves_what_has_begun() {
    let t = town().await;
    let (a, manager) = t.active("示例·甲队").await;
    let change = json!({"shifts": [shift("09:00", "10:00", 1), shift("10:00", "11:00", 1)]});
    let (id, shifts) = t.published(&manager, &a, change).await;
    let (first, second) = (
        volunteer(&t.server, t.grid).await,
        volunteer(&t.server, t.grid).await,
    );
    let enrolled = t.enrol(&first, &shifts[0]).expect(201).await.id();
    let both = t.enrol(&first, &shifts[1]).expect(201).await.id();
    let waiting = t.enrol(&second, &shifts[0]).expect(201).await.id();
    let remove = |by: &User| {
        t.enrolment_act(by, &enrolled, "remove")
            .json(json!({"reason": "名额调整"}))
    };
    remove(&first).refused(403, "forbidden").await;
    assert_eq!(remove(&manager).expect(200).await.json["status"], "removed");
    remove(&manager).expect(200).await;
    assert_eq!(t.told(&first, "enrolment_removed").await, 1);
    assert_eq!(t.enrolment(&second, &waiting).await["status"], "pending");
    let list = t
        .server
        .get(&format!("/activities/{id}/enrolments"))
        .by(&manager);
    let list = list.expect(200).await.json;
    assert_eq!(list["items"].as_array().unwrap().len(), 3);
    assert_eq!(list["items"][0]["name"], "示例·志愿者");
    // half past nine: the second shift is still ahead; then it is not
    t.server
        .pass(TimeDelta::hours(5 * 24 - 1) + TimeDelta::minutes(30))
        .await;
    let first = t.server.again(&first).await;
    assert_eq!(
        t.enrolment(&first, &both).await["activity_status"],
        "ongoing"
    );
    assert_eq!(
        t.enrolment(&first, &both).await["moves"],
        json!(["withdraw_late"])
    );
    t.server.pass(TimeDelta::minutes(30)).await;
    let first = t.server.again(&first).await;
    assert_eq!(t.enrolment(&first, &both).await["moves"], json!([]));
    t.enrolment_act(&first, &both, "withdraw")
        .refused(409, "withdrawal_too_late")
        .await;
}

#[actix_web::test]
async fn a_team_leader_asks_and_the_member_decides() {
    let t = town().await;
    let (a, manager) = t.active("示例·甲队").await;
    let (b, leader) = t.active("示例·乙队").await;
    let (_, shifts) = t
        .published(
            &manager,
            &a,
            json!({"shifts": [shift("09:00", "11:00", 1), shift("14:00", "15:00", 1)]}),
        )
        .await;
    let (member, _) = t.join(&leader, &b, "member").await;
    let stranger = volunteer(&t.server, t.grid).await;
    let ask = |who: &User, shift: &str| t.ask(&leader, shift, json!({"account_id": who.id}));
    ask(&stranger, &shifts[0]).refused(403, "not_in_team").await;
    t.ask(&stranger, &shifts[0], json!({"account_id": member.id}))
        .refused(403, "not_in_team")
        .await;
    let asked = ask(&member, &shifts[0]).expect(201).await;
    let id = asked.id();
    assert_eq!(asked.json["status"], "pending");
    assert_eq!(asked.json["holds_seat"], false);
    assert_eq!(asked.json["moves"], json!([]), "the member decides");
    assert_eq!(
        ask(&member, &shifts[0]).expect(201).await.id(),
        id,
        "the same again"
    );
    assert_eq!(t.told(&member, "enrolment_asked").await, 1);
    t.enrol(&member, &shifts[0])
        .refused(409, "enrolled_already")
        .await;
    // what keeps a person is said to the person alone, as it accepts
    t.enrolment_act(&leader, &id, "accept")
        .refused(403, "forbidden")
        .await;
    t.enrolment_act(&member, &id, "accept")
        .refused(409, "profile_required")
        .await;
    let profile = crate::volunteers::profile(t.grid);
    crate::volunteers::write(&t.server, &member, None, &profile)
        .expect(200)
        .await;
    // somebody else takes the seat first: the yes becomes a place in the line
    let quick = t.enrol(&stranger, &shifts[0]).expect(201).await.id();
    let queued = t.enrolment_act(&member, &id, "accept").expect(200).await;
    assert_eq!(queued.json["status"], "waitlisted");
    assert_eq!(t.told(&leader, "enrolment_queued").await, 1);
    t.enrolment_act(&stranger, &quick, "withdraw")
        .expect(200)
        .await;
    let accepted = t.enrolment_act(&member, &id, "accept").expect(200).await;
    assert_eq!(accepted.json["status"], "confirmed");
    assert_eq!(t.told(&leader, "enrolment_accepted").await, 1);
    assert_eq!(t.enrolment(&leader, &id).await["status"], "confirmed");

    // a no, and none in time
    let no = ask(&member, &shifts[1]).expect(201).await.id();
    t.enrolment_act(&member, &no, "decline").expect(200).await;
    assert_eq!(t.told(&leader, "enrolment_declined").await, 1);
    let late = ask(&member, &shifts[1]).expect(201).await.id();
    t.server.pass(TimeDelta::hours(5 * 24 - 1)).await;
    let (member, leader) = (t.server.again(&member).await, t.server.again(&leader).await);
    assert_eq!(t.enrolment(&member, &late).await["status"], "declined");
    let over = t.ask(&leader, &shifts[1], json!({"account_id": member.id}));
    over.refused(409, "enrolment_too_late").await;
    is_sound(&t.server).await;

    // who leads the crew of the activity's project asks those who work in it
    let (manager, district) = (
        t.server.again(&manager).await,
        t.server.again(&t.district_admin).await,
    );
    let street_admin = t.server.again(&t.street_admin).await;
    let t = Town {
        district_admin: district,
        street_admin,
        ..t
    };
    let project = t.open_project(json!({})).await;
    let claim = t.claim(&manager, &project, Some(&a)).expect(201).await.id();
    let body = json!({
        "claim_id": claim, "title": "示例·第一次活动", "summary": "见面会。", "place": "示例小学",
        "shifts": [{"name": "辅导员", "seats": 3, "starts_at": "2026-12-05T01:00:00Z",
                    "ends_at": "2026-12-05T03:00:00Z"}],
    });
    let id = t
        .write_activity(&manager, &body, json!({}))
        .expect(201)
        .await
        .id();
    let published = t
        .activity_act(&manager, &id, "publish")
        .expect(200)
        .await
        .json;
    let shift = shift_ids(&published).remove(0);
    let stranger = t.server.again(&stranger).await;
    let crew = || t.ask(&manager, &shift, json!({"account_id": stranger.id}));
    crew().refused(403, "not_in_team").await;
    let role = json!({"role_id": t.role(&project, 1).await});
    let place = t.crew(&stranger, &claim, role).expect(201).await.id();
    t.place_act(&manager, &place, "accept").expect(200).await;
    let asked = crew().expect(201).await.id();
    let accepted = t
        .enrolment_act(&stranger, &asked, "accept")
        .expect(200)
        .await;
    assert_eq!(accepted.json["status"], "confirmed");
}

/// Who has begun to serve keeps the place, whatever becomes of the rest of the day.
#[actix_web::test]
async fn what_was_served_before_an_activity_is_broken_off_stays() {
    let t = town().await;
    let (a, manager) = t.active("示例·甲队").await;
    let change = json!({"shifts": [shift("09:00", "10:00", 2), shift("11:00", "12:00", 2)]});
    let (id, shifts) = t.published(&manager, &a, change).await;
    let (first, second) = (
        volunteer(&t.server, t.grid).await,
        volunteer(&t.server, t.grid).await,
    );
    let served = t.enrol(&first, &shifts[0]).expect(201).await.id();
    let ahead = t.enrol(&second, &shifts[1]).expect(201).await.id();
    // Saturday, half past nine
    t.server.pass(TimeDelta::minutes(5 * 24 * 60 - 30)).await;
    let manager = t.server.again(&manager).await;
    assert_eq!(t.activity(&manager, &id).await["status"], "ongoing");
    let moves = t.enrolment(&manager, &served).await["moves"].clone();
    assert_eq!(moves, json!([]));
    let remove = t.enrolment_act(&manager, &served, "remove");
    let remove = remove.json(json!({"reason": "迟到"}));
    remove.refused(409, "withdrawal_too_late").await;
    let cancel = t.activity_act(&manager, &id, "cancel");
    cancel.json(json!({"reason": "大雨"})).expect(200).await;
    t.server.work().await;
    assert_eq!(t.enrolment(&manager, &served).await["status"], "confirmed");
    assert_eq!(t.enrolment(&manager, &ahead).await["status"], "removed");
    let (first, second) = (t.server.again(&first).await, t.server.again(&second).await);
    assert_eq!(t.told(&first, "activity_cancelled").await, 0);
    assert_eq!(t.told(&second, "activity_cancelled").await, 1);
}
