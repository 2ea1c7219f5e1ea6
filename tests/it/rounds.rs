//! Batch rounds: who does what, planned for many at once, and nobody is assigned.

use std::collections::HashMap;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use yiqilai::identity::Role;
use yiqilai::platform::db::Tx;
use yiqilai::platform::journal::{Actor, Change};
use yiqilai::regions::{self, Level, NewRegion};

use crate::harness::{Answer, Call, User};
use crate::organizations::{Town, town, town_with};

/// A claimed project with one role of so many seats, at a longitude; its role and its claim.
async fn role(
    t: &Town,
    (org, manager): &(String, User),
    seats: i32,
    longitude: f64,
) -> (String, String) {
    let change = json!({
        "longitude": longitude,
        "roles": [{"name": "现场协助", "seats": seats,
                   "skills": [{"skill": "education.homework", "level": 2}]}],
    });
    let project = t.open_project(change).await;
    let claim = t.claim(manager, &project, Some(org)).expect(201).await.id();
    let role = t.role(&project, 0).await.as_str().unwrap().to_owned();
    (role, claim)
}

/// Three roles with four seats in all, and volunteers who live here and there and know this and that.
struct Fair {
    t: Town,
    roles: Vec<String>,
    claims: Vec<String>,
    leaders: Vec<User>,
    people: Vec<User>,
}

async fn fair_of(t: Town, people: usize) -> Fair {
    let (mut roles, mut claims, mut leaders) = (Vec::new(), Vec::new(), Vec::new());
    for (n, (seats, longitude)) in [(1, 121.85), (2, 121.86), (1, 121.87)]
        .into_iter()
        .enumerate()
    {
        let team = t.active(&format!("示例·服务队{n}")).await;
        let (role, claim) = role(&t, &team, seats, longitude).await;
        roles.push(role);
        claims.push(claim);
        leaders.push(team.1);
    }
    let mut volunteers = Vec::new();
    for n in 0..people {
        let skills = match n % 2 {
            0 => json!([{"skill": "education.homework", "level": 1 + (n / 2) % 3}]),
            _ => json!([]),
        };
        volunteers.push(t.matched(skills, 121.84 + 0.007 * n as f64).await);
    }
    Fair {
        t,
        roles,
        claims,
        leaders,
        people: volunteers,
    }
}

async fn fair(people: usize) -> Fair {
    fair_of(town().await, people).await
}

impl Town {
    fn round_call(&self, by: &User, method: Method, path: &str) -> Call<'_> {
        self.server.call(method, &format!("/rounds{path}")).by(by)
    }

    fn round_act(&self, by: &User, id: &str, verb: &str) -> Call<'_> {
        self.round_call(by, Method::POST, &format!("/{id}/{verb}"))
            .json(json!({}))
    }

    async fn round(&self, by: &User, change: Value) -> String {
        let mut body = json!({"title": "示例·集中匹配", "region_id": self.street});
        for (key, value) in change.as_object().unwrap() {
            body[key] = value.clone();
        }
        let call = self.round_call(by, Method::POST, "").json(body);
        call.expect(201).await.id()
    }

    async fn read_round(&self, by: &User, id: &str) -> Value {
        let call = self.round_call(by, Method::GET, &format!("/{id}"));
        call.expect(200).await.json
    }

    /// Plans it and lets the worker do so; the round then.
    async fn planned(&self, by: &User, id: &str) -> Value {
        self.round_act(by, id, "plan").expect(200).await;
        self.server.work().await;
        let round = self.read_round(by, id).await;
        assert_eq!(round["status"], "planned", "{round:#}");
        round
    }

    /// All rows of a list of the round, page by page.
    async fn rows(&self, by: &User, id: &str, list: &str) -> Vec<Value> {
        let (mut rows, mut next) = (Vec::new(), String::new());
        let sign = if list.contains('?') { '&' } else { '?' };
        loop {
            let path = format!("/{id}/{list}{sign}limit=3{next}");
            let page = self.round_call(by, Method::GET, &path).expect(200).await;
            rows.extend(page.json["items"].as_array().unwrap().clone());
            match page.json["next"].as_str() {
                Some(cursor) => next = format!("&cursor={cursor}"),
                None => return rows,
            }
        }
    }

    fn lock(&self, by: &User, id: &str, body: Value) -> Call<'_> {
        self.round_call(by, Method::POST, &format!("/{id}/locks"))
            .json(body)
    }

    async fn text(&self, by: &User, id: &str, what: &str) -> String {
        let call = self.round_call(by, Method::GET, &format!("/{id}/{what}"));
        String::from_utf8(call.expect(200).await.bytes).unwrap()
    }
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap()
}

fn number(row: &Value, key: &str) -> f64 {
    row[key].as_f64().unwrap()
}

/// Who does what, as person and need.
fn pairs(rows: &[Value]) -> Vec<(String, String)> {
    let pair = |row: &Value| {
        (
            text(row, "person").to_owned(),
            text(row, "need_id").to_owned(),
        )
    };
    rows.iter().map(pair).collect()
}

#[actix_web::test]
async fn a_plan_keeps_to_capacities_and_proves_how_good_it_is() {
    let f = fair(7).await;
    let t = &f.t;
    let id = t
        .round(&t.street_admin, json!({"places_per_person": 2}))
        .await;
    let round = t.planned(&t.street_admin, &id).await;
    let plan = &round["plan"];
    assert_eq!(
        (&plan["people"], &plan["needs"]),
        (&json!(7), &json!(3)),
        "{plan:#}"
    );
    assert_eq!(plan["assigned"], 4, "{plan:#}");

    let rows = t.rows(&t.street_admin, &id, "assignments").await;
    assert_eq!(rows.len(), 4);
    let (mut of_person, mut of_need) = (HashMap::new(), HashMap::new());
    for (person, need) in pairs(&rows) {
        *of_person.entry(person).or_insert(0) += 1;
        *of_need.entry(need).or_insert(0) += 1;
    }
    assert!(of_person.values().all(|n| *n <= 2), "{of_person:?}");
    let seats: HashMap<_, _> = f.roles.iter().cloned().zip([1, 2, 1]).collect();
    assert_eq!(of_need, seats);

    // the total is the sum of the scores, each the sum of its parts and what the person itself reads
    let total: f64 = rows.iter().map(|row| number(row, "score")).sum();
    assert!((total - number(plan, "total")).abs() < 1e-4, "{plan:#}");
    let mut explained = HashMap::new();
    for person in &f.people {
        for role in &f.roles {
            let path = format!("/needs/project_role/{role}/explanation");
            let why = t.server.get(&path).by(person).expect(200).await.json;
            let score = why["score"].as_f64().unwrap_or(-1.0);
            explained
                .entry(role.clone())
                .or_insert_with(Vec::new)
                .push(score);
        }
    }
    for row in &rows {
        let parts = row["factors"].as_array().unwrap().iter();
        let sum: f64 = parts.map(|factor| number(factor, "contribution")).sum();
        let score = number(row, "score");
        assert!((sum - score).abs() < 1e-9, "{row:#}");
        let of_need = &explained[text(row, "need_id")];
        assert!(
            of_need.iter().any(|s| (s - score).abs() < 1e-9),
            "{score} {of_need:?}"
        );
    }
    assert!(number(plan, "total") >= number(plan, "greedy_total"));
    let difference = number(plan, "total") - number(plan, "greedy_total");
    assert!((difference - number(plan, "difference")).abs() < 1e-6);
    let greedy = t.rows(&t.street_admin, &id, "assignments?set=greedy").await;
    let sum: f64 = greedy.iter().map(|row| number(row, "score")).sum();
    assert!((sum - number(plan, "greedy_total")).abs() < 1e-4);

    // anybody computes the bound again
    let bound = bound(
        &t.text(&t.street_admin, &id, "problem").await,
        &t.text(&t.street_admin, &id, "duals").await,
    );
    assert!(
        (bound - 1e6 * number(plan, "upper_bound")).abs() < 1.0,
        "{bound} {plan:#}"
    );
    let gap = (number(plan, "upper_bound") - number(plan, "total")) / number(plan, "upper_bound");
    assert!(
        (gap - number(plan, "gap")).abs() < 1e-12 && gap < 1e-5,
        "{gap}"
    );

    // who is left knows why
    let left = t.rows(&t.street_admin, &id, "people?has_place=false").await;
    assert_eq!(left.len() as i64, plan["without_place"].as_i64().unwrap());
    assert!(
        left.iter().all(|row| row["reason"] == "places_taken"),
        "{left:#?}"
    );
    let people = t.rows(&t.street_admin, &id, "people").await;
    assert_eq!(people.len(), 7);
    let ids: Vec<_> = f.people.iter().map(|user| user.id.to_string()).collect();
    let all = format!("{people:?}{rows:?}");
    assert!(ids.iter().all(|id| !all.contains(id)), "nobody is named");
    assert_eq!(t.told(&t.street_admin, "round_planned").await, 1);
}

/// The bound that the duals prove of the problem, in millionths of a point.
fn bound(problem: &str, duals: &str) -> f64 {
    let mut worth: HashMap<(&str, usize), f64> = HashMap::new();
    for line in duals.lines() {
        let cells: Vec<_> = line.split(' ').collect();
        worth.insert(
            (cells[0], cells[1].parse().unwrap()),
            cells[2].parse().unwrap(),
        );
    }
    let mut bound = 0.0;
    for line in problem.lines() {
        let cells: Vec<_> = line.split(' ').collect();
        let n = |at: usize| cells[at].parse::<usize>().unwrap();
        bound += match cells[0] {
            "a" => n(2) as f64 * worth[&("u", n(1))],
            "b" => n(2) as f64 * worth[&("v", n(1))],
            _ => (n(3) as f64 - worth[&("u", n(1))] - worth[&("v", n(2))]).max(0.0),
        };
    }
    bound
}

#[actix_web::test]
async fn what_is_set_by_hand_holds_and_the_plan_says_what_changed() {
    let f = fair(5).await;
    let (t, admin) = (&f.t, &f.t.street_admin);
    let id = t.round(admin, json!({})).await;
    let keep =
        |person: &str, need: &str| json!({"kind": "keep", "person": person, "need_id": need});
    t.lock(admin, &id, keep("0000", &f.roles[0]))
        .refused(409, "not_planned_yet")
        .await;
    let first = t.planned(admin, &id).await;
    assert_eq!(first["plan"]["added"], 4, "{first:#}");
    let before = pairs(&t.rows(admin, &id, "assignments").await);

    // forbidden, left out, kept
    let (out, need) = before[0].clone();
    let people = t.rows(admin, &id, "people").await;
    let left = text(
        people.iter().find(|p| p["assigned"] == 0).unwrap(),
        "person",
    )
    .to_owned();
    let moved = before.iter().find(|(_, of)| *of != need).unwrap().clone();
    let set = t.lock(admin, &id, keep(&left, &need)).expect(201).await;
    let again = t.lock(admin, &id, keep(&left, &need)).expect(201).await;
    assert_eq!(set.id(), again.id(), "the same again");
    let forbid = json!({"kind": "forbid", "person": moved.0, "need_id": moved.1});
    t.lock(admin, &id, forbid).expect(201).await;
    let leave_out = json!({"kind": "leave_out_person", "person": out});
    t.lock(admin, &id, leave_out).expect(201).await;
    assert_eq!(t.read_round(admin, &id).await["is_edited"], true);
    let second = t.planned(admin, &id).await;
    assert_eq!(second["is_edited"], false);
    let after = pairs(&t.rows(admin, &id, "assignments").await);
    assert!(after.contains(&(left.clone(), need.clone())), "{after:?}");
    assert!(!after.contains(&moved), "{after:?}");
    assert!(after.iter().all(|(person, _)| *person != out), "{after:?}");
    assert_eq!(second["plan"]["kept"], 1);
    let mut added = pairs(&t.rows(admin, &id, "assignments?set=added").await);
    let mut removed = pairs(&t.rows(admin, &id, "assignments?set=removed").await);
    let without = |of: &[(String, String)], those: &[(String, String)]| {
        let mut rest = of.to_vec();
        rest.retain(|pair| !those.contains(pair));
        rest.sort();
        rest
    };
    added.sort();
    removed.sort();
    assert_eq!(added, without(&after, &before));
    assert_eq!(removed, without(&before, &after));
    let gone = t.rows(admin, &id, "people?reason=left_out").await;
    assert_eq!(gone.len(), 1);
    // what is kept is in the bound
    let proved = bound(
        &t.text(admin, &id, "problem").await,
        &t.text(admin, &id, "duals").await,
    );
    let plan = &second["plan"];
    let whole = proved / 1e6 + number(plan, "kept_total");
    assert!(
        (whole - number(plan, "upper_bound")).abs() < 1e-5,
        "{plan:#}"
    );

    // what cannot be kept is refused with why
    t.lock(admin, &id, keep(&out, &f.roles[0]))
        .refused(409, "lock_contradicts")
        .await;
    let free = |row: &&Value| ![&left, &out].contains(&&text(row, "person").to_owned());
    let someone = text(people.iter().find(free).unwrap(), "person").to_owned();
    let full = t.lock(admin, &id, keep(&someone, &need)).send().await;
    if need == f.roles[1] {
        assert_eq!(full.status, 201, "{:#}", full.json);
    } else {
        assert_eq!(full.json["code"], "lock_not_eligible", "{:#}", full.json);
        assert_eq!(
            full.fields(),
            [("/need_id".to_owned(), "capacity_full".to_owned())]
        );
    }
    let elsewhere = f.roles.iter().find(|role| **role != need).unwrap();
    let over = t
        .lock(admin, &id, keep(&left, elsewhere))
        .refused(422, "lock_not_eligible")
        .await;
    assert_eq!(
        over.fields(),
        [("/person".to_owned(), "capacity_full".to_owned())]
    );
    let wrong = json!({"kind": "leave_out_need", "person": left});
    let wrong = t.lock(admin, &id, wrong).refused(422, "invalid").await;
    let mut fields = wrong.fields();
    fields.sort();
    assert_eq!(
        fields,
        crate::organizations::pairs(&[("/need_id", "required"), ("/person", "not_for_this_kind"),])
    );
    let unknown = json!({"kind": "leave_out_person", "person": "nobody"});
    let unknown = t.lock(admin, &id, unknown).refused(422, "invalid").await;
    assert_eq!(
        unknown.fields(),
        [("/person".to_owned(), "unknown_reference".to_owned())]
    );

    // a need that is left out, and a lock that is taken back
    let leave_out = json!({"kind": "leave_out_need", "need_id": elsewhere});
    t.lock(admin, &id, leave_out).expect(201).await;
    let locks = t.rows(admin, &id, "locks").await;
    assert!(locks.len() >= 4);
    let lift = format!("/{id}/locks/{}", set.id());
    t.round_call(admin, Method::DELETE, &lift).expect(204).await;
    t.round_call(admin, Method::DELETE, &lift)
        .refused(404, "not_found")
        .await;
    t.planned(admin, &id).await;
    let needs = t.rows(admin, &id, "needs?has_free=true").await;
    let is_out = |row: &Value| text(row, "id") == elsewhere && row["reason"] == "left_out";
    assert!(needs.iter().any(is_out), "{needs:#?}");
    let now = pairs(&t.rows(admin, &id, "assignments").await);
    assert!(now.iter().all(|(_, of)| of != elsewhere), "{now:?}");
    let plans = t.rows(admin, &id, "plans").await;
    let numbers: Vec<_> = plans.iter().map(|plan| plan["number"].clone()).collect();
    assert_eq!(numbers, [3, 2, 1]);
}

#[actix_web::test]
async fn a_lock_that_no_filter_lets_pass_is_refused_and_one_that_ceases_to_is_told() {
    let f = fair(3).await;
    let (t, admin) = (&f.t, &f.t.street_admin);
    let id = t.round(admin, json!({})).await;
    t.planned(admin, &id).await;
    let (person, need) = pairs(&t.rows(admin, &id, "assignments").await)[0].clone();
    let keep = json!({"kind": "keep", "person": person, "need_id": need});
    t.lock(admin, &id, keep.clone()).expect(201).await;
    for user in &f.people {
        let path = "/me/consents/personalization";
        let withdraw = t.server.call(Method::DELETE, path).by(user);
        withdraw.expect(204).await;
    }
    t.planned(admin, &id).await;
    let locks = t.rows(admin, &id, "locks").await;
    assert_eq!(locks[0]["refusal"], "consent_missing", "{locks:#?}");
    let people = t.rows(admin, &id, "people").await;
    assert!(people.iter().all(|row| row["reason"] == "no_eligible_need"));
    assert!(
        people
            .iter()
            .all(|row| row["codes"][0] == "consent_missing"),
        "{people:#?}"
    );
    let needs = t.rows(admin, &id, "needs?reason=no_candidate").await;
    assert_eq!(needs.len(), 3);
    assert!(needs.iter().all(|row| row["codes"][0] == "consent_missing"));
    let plan = t.read_round(admin, &id).await["plan"].clone();
    assert_eq!((&plan["assigned"], &plan["gap"]), (&json!(0), &json!(0.0)));
    let lift = format!("/{id}/locks/{}", text(&locks[0], "id"));
    t.round_call(admin, Method::DELETE, &lift).expect(204).await;
    let refused = t
        .lock(admin, &id, keep)
        .refused(422, "lock_not_eligible")
        .await;
    let fields = refused.fields();
    assert!(
        fields.contains(&("/need_id".to_owned(), "consent_missing".to_owned())),
        "{fields:?}"
    );
}

#[actix_web::test]
async fn a_round_over_a_batch_plans_its_roles_alone() {
    let t = town().await;
    let (_, batch) = t.batch().await;
    let new = |body: Value| {
        let mut whole = json!({"title": "示例·集中匹配"});
        for (key, value) in body.as_object().unwrap() {
            whole[key] = value.clone();
        }
        whole
    };
    let of_batch = new(json!({"batch_id": batch}));
    let post = |by: &User, body: Value| t.round_call(by, Method::POST, "").json(body);
    post(&t.street_admin, of_batch.clone())
        .refused(404, "not_found")
        .await;
    let id = post(&t.district_admin, of_batch).expect(201).await.id();
    t.round_act(&t.district_admin, &id, "plan")
        .refused(409, "round_without_needs")
        .await;

    let mut body = crate::projects::body(&t);
    body["batch_id"] = json!(batch);
    body["roles"] = json!([{"name": "现场协助", "seats": 2}]);
    let project = t.project(&t.street_admin, body).await;
    t.project_act(&t.street_admin, &project, "submit")
        .expect(200)
        .await;
    let approved = t
        .project_review(&t.district_admin, &project, "approve", json!({}))
        .await;
    assert_eq!(approved.status, 200, "{:#}", approved.json);
    let publish = t.server.post(&format!("/batches/{batch}/publish"));
    publish
        .by(&t.district_admin)
        .json(json!({}))
        .expect(200)
        .await;
    let team = t.active("示例·服务队").await;
    t.claim(&team.1, &project, Some(&team.0)).expect(201).await;
    role(&t, &team, 1, 121.85).await; // of no batch
    t.round_act(&t.district_admin, &id, "plan")
        .refused(409, "round_without_people")
        .await;
    t.matched(json!([]), 121.85).await;
    let round = t.planned(&t.district_admin, &id).await;
    assert_eq!(round["plan"]["needs"], 1, "{round:#}");
    assert_eq!(
        (&round["plan"]["assigned"], &round["plan"]["free_places"]),
        (&json!(1), &json!(1))
    );
    let needs = t.rows(&t.district_admin, &id, "needs").await;
    assert_eq!(needs[0]["reason"], "candidates_elsewhere");
    let listed = t.round_call(
        &t.district_admin,
        Method::GET,
        &format!("?batch_id={batch}&status=planned"),
    );
    assert_eq!(
        listed.expect(200).await.json["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[actix_web::test]
async fn wishes_are_planned_where_that_is_wanted_and_party_work_alone_where_that_is() {
    let f = fair(2).await;
    let (t, admin) = (&f.t, &f.t.street_admin);
    let resident = t.server.person("示例·王奶奶").await;
    let wish = json!({
        "region_id": t.grid,
        "contact": {"name": "示例·王秀英", "phone": "13800000001", "address": "示例小区1幢101"},
        "alias": "王奶奶", "beneficiary_group": "elder", "life_cycle": "old_age", "kind": "goods",
        "title": "一台收音机", "description": "想听越剧,家里的收音机坏了。", "value_fen": 12000,
        "longitude": 121.85, "latitude": 29.91,
    });
    let wish = t
        .server
        .post("/wishes")
        .by(&resident)
        .json(wish)
        .expect(201)
        .await
        .id();
    let act = |verb: &str| t.server.post(&format!("/wishes/{wish}/{verb}"));
    act("submit").by(&resident).expect(200).await;
    let read = t
        .server
        .get(&format!("/wishes/{wish}"))
        .by(admin)
        .expect(200)
        .await;
    let etag = read.header("etag").unwrap().to_owned();
    act("publish")
        .by(admin)
        .header("if-match", &etag)
        .expect(200)
        .await;

    let id = t.round(admin, json!({"with_wishes": true})).await;
    let round = t.planned(admin, &id).await;
    assert_eq!(round["plan"]["needs"], 4, "{round:#}");
    let edit = |body: Value, etag: String| {
        let call = t.round_call(admin, Method::PATCH, &format!("/{id}"));
        call.header("if-match", &etag).json(body)
    };
    let etag = |round: &Value| format!("\"{}\"", round["version"]);
    edit(json!({"with_wishes": false}), "\"1\"".to_owned())
        .refused(412, "version_mismatch")
        .await;
    let edited = edit(json!({"with_wishes": false}), etag(&round))
        .expect(200)
        .await
        .json;
    assert_eq!(edited["is_edited"], true);
    let round = t.planned(admin, &id).await;
    assert_eq!(round["plan"]["needs"], 3, "{round:#}");
    edit(
        json!({"party_only": true, "with_wishes": true}),
        etag(&round),
    )
    .refused(422, "invalid")
    .await;
    edit(json!({"party_only": true}), etag(&round))
        .expect(200)
        .await;
    // none of the roles is an internal Party activity
    t.round_act(admin, &id, "plan")
        .refused(409, "round_without_needs")
        .await;
}

#[actix_web::test]
async fn bad_rounds_are_refused_and_foreign_ones_unknown() {
    let t = town_with(json!({"matching": {"rounds": {"needs": 2, "people": 2}}})).await;
    let f = fair_of(t, 1).await;
    let (t, admin) = (&f.t, &f.t.street_admin);
    let post = |by: &User, body: Value| t.round_call(by, Method::POST, "").json(body);
    let none = post(admin, json!({"title": "示例·集中匹配"}))
        .refused(422, "invalid")
        .await;
    let mut fields = none.fields();
    fields.sort();
    assert_eq!(
        fields,
        crate::organizations::pairs(
            &[("/batch_id", "one_of_both"), ("/region_id", "one_of_both"),]
        )
    );
    let wrong = json!({
        "title": "示例·集中匹配", "region_id": t.street, "places_per_person": 4, "people_region_id": t.district,
        "with_wishes": true, "party_only": true,
    });
    let wrong = post(admin, wrong).refused(422, "invalid").await;
    let mut fields = wrong.fields();
    fields.sort();
    assert_eq!(
        fields,
        crate::organizations::pairs(&[
            ("/people_region_id", "unknown_reference"),
            ("/places_per_person", "range"),
            ("/with_wishes", "no_wishes_here"),
        ])
    );
    // a region that is not the caller's, or none
    for region in [t.district, uuid::Uuid::nil()] {
        let body = json!({"title": "示例·集中匹配", "region_id": region});
        post(admin, body).refused(404, "not_found").await;
    }
    let stranger = t.server.person("示例·路人").await;
    let body = json!({"title": "示例·集中匹配", "region_id": t.street});
    post(&stranger, body).refused(404, "not_found").await;
    t.round_call(&stranger, Method::GET, "")
        .refused(403, "forbidden")
        .await;

    let id = t.round(admin, json!({})).await;
    t.round_act(admin, &id, "plan")
        .refused(422, "round_too_large")
        .await;
    for path in [
        "",
        "/plans",
        "/assignments",
        "/people",
        "/needs",
        "/locks",
        "/duals",
        "/problem",
    ] {
        let call = t.round_call(&stranger, Method::GET, &format!("/{id}{path}"));
        call.refused(404, "not_found").await;
    }
    for path in ["/assignments", "/people", "/needs", "/duals", "/problem"] {
        let call = t.round_call(admin, Method::GET, &format!("/{id}{path}"));
        call.refused(409, "not_planned_yet").await;
    }
    t.round_act(&stranger, &id, "plan")
        .refused(404, "not_found")
        .await;
    // of a sibling street it is unknown; the district coordinates it, too
    let sibling = sibling(t).await;
    t.round_call(&sibling, Method::GET, &format!("/{id}"))
        .refused(404, "not_found")
        .await;
    t.read_round(&t.district_admin, &id).await;
    let listed = t.round_call(&sibling, Method::GET, "").expect(200).await;
    assert!(listed.json["items"].as_array().unwrap().is_empty());

    let cancel = |by: &User| {
        let call = t.round_call(by, Method::POST, &format!("/{id}/cancel"));
        call.json(json!({"reason": "改期"}))
    };
    cancel(admin).expect(200).await;
    cancel(admin).expect(200).await; // again
    cancel(&t.district_admin)
        .refused(409, "move_not_allowed")
        .await;
    t.round_act(admin, &id, "plan")
        .refused(409, "move_not_allowed")
        .await;
}

/// A block of an organisation holds in a round, too, whoever asks: nobody is asked to join those from whom
/// one wants to hear nothing.
#[actix_web::test]
async fn who_blocks_an_organisation_is_not_asked_to_join_its_crew() {
    let t = town().await;
    let (ours, theirs) = (t.active("示例·甲队").await, t.active("示例·乙队").await);
    let (near, near_claim) = role(&t, &ours, 1, 121.85).await;
    let (far, _) = role(&t, &theirs, 1, 121.87).await;
    let person = t.matched(json!([]), 121.85).await;
    let admin = &t.street_admin;
    let id = t.round(admin, json!({})).await;
    t.planned(admin, &id).await;
    let planned = pairs(&t.rows(admin, &id, "assignments").await);
    assert_eq!(planned[0].1, near, "what is nearest");
    let block = t.server.post("/me/invitation-blocks").by(&person);
    let block = block.json(json!({"organization_id": ours.0}));
    let block = block.expect(201).await.id();

    // blocked once it was planned: what stands in the plan is not sent
    t.round_act(admin, &id, "commit").expect(200).await;
    t.server.work().await;
    let sent = t.rows(admin, &id, "invitations").await;
    assert_eq!(sent.len(), 1, "{sent:#?}");
    assert_eq!(
        (&sent[0]["status"], &sent[0]["code"]),
        (&json!("not_sent"), &json!("not_available"))
    );
    // and is planned no more; the other one's role is
    t.planned(admin, &id).await;
    let planned = pairs(&t.rows(admin, &id, "assignments").await);
    assert_eq!(planned.len(), 1);
    assert_eq!(planned[0].1, far);
    let needs = t.rows(admin, &id, "needs?reason=no_candidate").await;
    assert_eq!(
        (text(&needs[0], "id"), &needs[0]["codes"]),
        (near.as_str(), &json!(["not_available"]))
    );
    t.round_act(admin, &id, "commit").expect(200).await;
    t.server.work().await;
    let open = t.rows(admin, &id, "invitations?status=open").await;
    assert_eq!(open.len(), 1, "{open:#?}");
    assert_eq!(text(&open[0], "need_id"), far);

    // a claim of a person who has invited one: the account is blocked
    let mine = t.server.get("/me/need-invitations").by(&person);
    let mine = mine.expect(200).await.json["items"][0]["id"].clone();
    let decline = t.reply(&person, mine.as_str().unwrap(), "decline");
    decline.expect(200).await;
    let path = format!("/me/invitation-blocks/{block}");
    let lift = t.server.call(Method::DELETE, &path).by(&person);
    lift.expect(204).await;
    t.planned(admin, &id).await;
    let planned = pairs(&t.rows(admin, &id, "assignments").await);
    assert_eq!(planned[0].1, near, "lifted: {near_claim}");
}

/// Of several crews of one role, a round asks into one that is not blocked.
#[actix_web::test]
async fn a_round_asks_into_another_crew_of_the_role() {
    let t = town().await;
    let (ours, theirs) = (t.active("示例·甲队").await, t.active("示例·乙队").await);
    let change = json!({"claim_seats": 2, "roles": [{"name": "现场协助", "seats": 1}]});
    let project = t.open_project(change).await;
    let mut claims = Vec::new();
    for (organization, manager) in [&ours, &theirs] {
        let claim = t.claim(manager, &project, Some(organization)).expect(201);
        claims.push(claim.await.id());
    }
    let people = [
        t.matched(json!([]), 121.85).await,
        t.matched(json!([]), 121.86).await,
    ];
    let block = t.server.post("/me/invitation-blocks").by(&people[0]);
    let block = block.json(json!({"organization_id": ours.0}));
    block.expect(201).await;
    let admin = &t.street_admin;
    let id = t.round(admin, json!({})).await;
    let round = t.planned(admin, &id).await;
    assert_eq!(round["plan"]["assigned"], 2, "{round:#}");
    t.round_act(admin, &id, "commit").expect(200).await;
    t.server.work().await;
    let path = "/me/need-invitations";
    let asked = t.server.get(path).by(&people[0]).expect(200).await;
    assert_eq!(asked.json["items"][0]["status"], "open");
    let id = asked.json["items"][0]["id"].as_str().unwrap().to_owned();
    t.reply(&people[0], &id, "accept").expect(200).await;
    let crews = t.server.get("/me/crews").by(&people[0]).expect(200).await;
    assert_eq!(crews.json["items"][0]["claim_id"], json!(claims[1]));
}

/// The administrator of another street.
async fn sibling(t: &Town) -> User {
    let street = NewRegion {
        code: "330206003".to_owned(),
        name: "示例·别的街道".to_owned(),
        level: Level::Street,
        parent: Some("330206".to_owned()),
        population: None,
        longitude: None,
        latitude: None,
        valid_from: "2020-01-01".parse().unwrap(),
        valid_to: None,
    };
    let upsert = move |tx: &mut Tx<'_>| regions::upsert(tx, Actor::System, &street);
    let (street, _) = t.server.write(upsert).await;
    let scope = Some(street.id.0);
    t.server.staff("示例·邻街", Role::RegionAdmin, scope).await
}

#[actix_web::test]
async fn two_who_plan_at_once_get_one_plan() {
    let f = fair(3).await;
    let t = &f.t;
    let id = t.round(&t.street_admin, json!({})).await;
    let calls = (0..8).map(|n| {
        let by = if n % 2 == 0 {
            &t.street_admin
        } else {
            &t.district_admin
        };
        t.round_act(by, &id, "plan").send()
    });
    let answers: Vec<Answer> = join_all(calls).await;
    let (done, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|a| a.status == 200);
    assert_eq!((done.len(), refused.len()), (4, 4), "one of the two has it");
    assert!(refused.iter().all(|a| a.json["code"] == "move_not_allowed"));
    // several workers at once
    let works = (0..3).map(|_| t.server.work());
    assert_eq!(join_all(works).await.iter().filter(|n| **n > 0).count(), 1);
    let round = t.read_round(&t.street_admin, &id).await;
    assert_eq!(
        (&round["status"], &round["plan"]["number"]),
        (&json!("planned"), &json!(1))
    );
    assert_eq!(t.rows(&t.street_admin, &id, "plans").await.len(), 1);
}

#[actix_web::test]
async fn what_goes_between_asking_and_planning_is_not_planned() {
    let f = fair(3).await;
    let (t, admin) = (&f.t, &f.t.street_admin);
    let id = t.round(admin, json!({})).await;
    // the round is given up while it waits for the worker
    t.round_act(admin, &id, "plan").expect(200).await;
    let lock = json!({"kind": "leave_out_person", "person": "x"});
    t.lock(admin, &id, lock)
        .refused(409, "move_not_allowed")
        .await;
    let cancel = t.round_call(admin, Method::POST, &format!("/{id}/cancel"));
    cancel.json(json!({"reason": "改期"})).expect(200).await;
    t.server.work().await;
    let round = t.read_round(admin, &id).await;
    assert_eq!(
        (&round["status"], &round["plan"]),
        (&json!("cancelled"), &Value::Null)
    );

    // a role fills up, and somebody leaves the region
    let id = t.round(admin, json!({})).await;
    t.round_act(admin, &id, "plan").expect(200).await;
    let (person, role) = (&f.people[0], &f.roles[0]);
    let claim = f.claims[0].as_str();
    let join = t.crew(person, claim, json!({"role_id": role}));
    let place = join.expect(201).await.id();
    t.place_act(&f.leaders[0], &place, "accept")
        .expect(200)
        .await;
    let read = t
        .server
        .get("/me/volunteer")
        .by(&f.people[1])
        .expect(200)
        .await;
    let mut profile = read.json.clone();
    let allowed = [
        "region_id",
        "introduction",
        "birth_date",
        "skills",
        "interests",
        "availability",
        "places",
    ];
    profile
        .as_object_mut()
        .unwrap()
        .retain(|key, _| allowed.contains(&key.as_str()));
    profile["region_id"] = json!(t.district);
    profile["skills"] = json!([]);
    profile["places"] = json!([]);
    let write = t.server.call(Method::PUT, "/me/volunteer").by(&f.people[1]);
    let etag = read.header("etag").unwrap().to_owned();
    write
        .header("if-match", &etag)
        .json(profile)
        .expect(200)
        .await;
    t.server.work().await;
    let round = t.read_round(admin, &id).await;
    assert_eq!(round["status"], "planned", "{round:#}");
    assert_eq!(
        (&round["plan"]["needs"], &round["plan"]["people"]),
        (&json!(2), &json!(2))
    );
}

#[actix_web::test]
async fn a_planning_without_anything_left_fails_and_says_so() {
    let f = fair(1).await;
    let (t, admin) = (&f.t, &f.t.street_admin);
    let id = t.round(admin, json!({})).await;
    t.round_act(admin, &id, "plan").expect(200).await;
    for (claim, leader) in f.claims.iter().zip(&f.leaders) {
        let body = json!({"reason": "因故"});
        t.claim_act(leader, claim, "withdraw", body)
            .expect(200)
            .await;
    }
    t.server.work().await;
    let round = t.read_round(admin, &id).await;
    assert_eq!(round["status"], "failed", "{round:#}");
    assert_eq!(round["failure"], "round_without_needs");
    assert_eq!(t.told(admin, "round_plan_failed").await, 1);
    t.round_act(admin, &id, "plan")
        .refused(409, "round_without_needs")
        .await;
}

impl Town {
    async fn committed(&self, by: &User, id: &str, how: Value) -> Value {
        let call = self.round_call(by, Method::POST, &format!("/{id}/commit"));
        call.json(how).expect(200).await;
        self.server.work().await;
        self.read_round(by, id).await
    }

    /// The open invitations of somebody, by need.
    async fn asked(&self, who: &User) -> HashMap<String, String> {
        let path = "/me/need-invitations?limit=100";
        let found = self.server.get(path).by(who).expect(200).await.json;
        let items = found["items"].as_array().unwrap().iter();
        items
            .filter(|item| item["status"] == "open")
            .map(|item| {
                (
                    text(item, "need_id").to_owned(),
                    text(item, "id").to_owned(),
                )
            })
            .collect()
    }

    fn answer(&self, who: &User, id: &str, verb: &str) -> Call<'_> {
        let path = format!("/me/need-invitations/{id}/{verb}");
        self.server.post(&path).by(who).json(json!({}))
    }
}

#[actix_web::test]
async fn a_plan_becomes_invitations_and_what_is_declined_is_planned_again() {
    let f = fair(6).await;
    let (t, admin) = (&f.t, &f.t.street_admin);
    let id = t.round(admin, json!({})).await;
    t.round_act(admin, &id, "commit")
        .refused(409, "move_not_allowed")
        .await;
    t.planned(admin, &id).await;
    let people = t.rows(admin, &id, "people").await;
    let left = people.iter().find(|row| row["assigned"] == 0).unwrap();
    let lock = json!({"kind": "leave_out_person", "person": left["person"]});
    let lock = t.lock(admin, &id, lock).expect(201).await.id();
    t.round_act(admin, &id, "commit")
        .refused(409, "plan_outdated")
        .await;
    t.round_call(admin, Method::DELETE, &format!("/{id}/locks/{lock}"))
        .expect(204)
        .await;
    t.planned(admin, &id).await;
    let too_long = t.round_call(admin, Method::POST, &format!("/{id}/commit"));
    let too_long = too_long.json(json!({"answer_hours": 1_000_000}));
    let fields = too_long.refused(422, "invalid").await.fields();
    assert_eq!(fields, [("/answer_hours".to_owned(), "range".to_owned())]);

    let round = t
        .committed(admin, &id, json!({"automatic": true, "note": "请来帮忙"}))
        .await;
    assert_eq!(
        (&round["status"], &round["answers"]["open"]),
        (&json!("committed"), &json!(4)),
        "{round:#}"
    );
    t.server.work().await; // sent once
    assert_eq!(t.read_round(admin, &id).await["answers"]["open"], 4);
    // one declines, all others accept; nobody was assigned before
    let (mut declined, mut accepted) = (None, Vec::new());
    for person in &f.people {
        for (need, invitation) in t.asked(person).await {
            if declined.is_none() {
                t.answer(person, &invitation, "decline").expect(200).await;
                declined = Some((person, need));
            } else {
                t.answer(person, &invitation, "accept").expect(200).await;
                accepted.push(need);
            }
        }
    }
    let (who, declined_need) = declined.unwrap();
    assert_eq!(accepted.len(), 3);
    let named = t.rows(admin, &id, "invitations?status=open").await;
    assert_eq!(named.len(), 4, "the worker has not looked yet");
    t.server.work().await; // notes the answers, plans again, sends
    let round = t.read_round(admin, &id).await;
    assert_eq!(round["status"], "committed", "{round:#}");
    assert_eq!(round["plan"]["number"], 3, "{round:#}");
    let answers = &round["answers"];
    assert_eq!(
        (&answers["accepted"], &answers["declined"], &answers["open"]),
        (&json!(3), &json!(1), &json!(1)),
        "{round:#}"
    );
    let rows = t.rows(admin, &id, "invitations").await;
    for row in &rows {
        assert_eq!(
            row["name"].is_string(),
            row["status"] == "accepted",
            "{row:#}"
        );
    }
    assert!(
        !t.asked(who).await.contains_key(&declined_need),
        "asked twice"
    );
    // that one accepts, and the round is over
    let mut last = 0;
    for person in &f.people {
        for (need, invitation) in t.asked(person).await {
            assert_eq!(need, declined_need);
            t.answer(person, &invitation, "accept").expect(200).await;
            last += 1;
        }
    }
    assert_eq!(last, 1);
    t.server.work().await;
    t.server.work().await;
    let round = t.read_round(admin, &id).await;
    assert_eq!(
        (&round["status"], &round["answers"]["accepted"]),
        (&json!("closed"), &json!(4)),
        "{round:#}"
    );
    assert_eq!(t.told(admin, "round_finished").await, 1);
    t.has_world_of_database().await;
}

#[actix_web::test]
async fn what_runs_out_is_planned_by_hand_and_a_place_that_is_gone_is_not_given_twice() {
    let f = fair(6).await;
    let (t, admin) = (&f.t, &f.t.street_admin);
    let id = t.round(admin, json!({})).await;
    t.planned(admin, &id).await;
    let rows = t.rows(admin, &id, "assignments").await;
    // a role is filled between plan and commit, by somebody the plan does not know of
    let other = t.matched(json!([]), 121.85).await;
    let join = t.crew(&other, &f.claims[0], json!({"role_id": f.roles[0]}));
    let place = join.expect(201).await.id();
    t.place_act(&f.leaders[0], &place, "accept")
        .expect(200)
        .await;
    assert!(rows.iter().any(|row| row["need_id"] == json!(f.roles[0])));
    let round = t.committed(admin, &id, json!({"answer_hours": 24})).await;
    let answers = &round["answers"];
    assert_eq!(
        (&answers["open"], &answers["not_sent"]),
        (&json!(3), &json!(1)),
        "{round:#}"
    );
    let gone = t.rows(admin, &id, "invitations?status=not_sent").await;
    assert_eq!(gone[0]["need_id"], json!(f.roles[0]));
    // nobody answers
    t.server.pass(chrono::TimeDelta::hours(25)).await;
    t.server.work().await;
    let admin = &t.server.again(admin).await;
    let round = t.read_round(admin, &id).await;
    assert_eq!(round["answers"]["expired"], 3, "{round:#}");
    assert_eq!(round["status"], "committed", "it does not go on by itself");
    assert_eq!(t.told(admin, "round_finished").await, 1);
    // what never went out may be planned again
    let before = pairs(&t.rows(admin, &id, "invitations?status=expired").await);
    let round = t.planned(admin, &id).await;
    assert_eq!(round["plan"]["needs"], 2, "{round:#}");
    let after = pairs(&t.rows(admin, &id, "assignments").await);
    assert!(!after.is_empty());
    assert!(
        after.iter().all(|pair| !before.contains(pair)),
        "nobody is asked twice for the same"
    );
    t.committed(admin, &id, json!({})).await;
    t.round_act(admin, &id, "close").expect(200).await;
    t.round_act(admin, &id, "close").expect(200).await; // again
    t.round_act(admin, &id, "plan")
        .refused(409, "move_not_allowed")
        .await;
    // those who were asked may still answer
    let mut joined = 0;
    for person in f.people.iter().chain([&other]) {
        let person = &t.server.again(person).await;
        for (_, invitation) in t.asked(person).await {
            t.answer(person, &invitation, "accept").expect(200).await;
            joined += 1;
        }
    }
    assert_eq!(joined, after.len());
    t.server.work().await;
    assert_eq!(
        t.read_round(admin, &id).await["answers"]["accepted"],
        json!(joined)
    );
}

/// Who was asked often enough today is asked tomorrow, by the same plan; nothing is planned anew for it.
#[actix_web::test]
async fn who_was_asked_often_enough_is_asked_tomorrow() {
    let settings = json!({"matching": {"invitations": {"per_day": 1}}});
    let f = fair_of(town_with(settings).await, 2).await;
    let (t, admin) = (&f.t, &f.t.street_admin);
    let id = t.round(admin, json!({})).await;
    t.planned(admin, &id).await;
    let team = t.active("示例·别的队").await;
    let (other, claim) = role(t, &team, 1, 121.85).await;
    let other = json!(other);
    t.invite(&team.1, &claim, &other, &f.people[0])
        .expect(201)
        .await;
    let how = json!({"automatic": true, "answer_hours": 72});
    let round = t.committed(admin, &id, how).await;
    let answers = &round["answers"];
    let planned = round["plan"]["assigned"].as_i64().unwrap();
    assert_eq!(answers["open"].as_i64().unwrap(), planned - 1, "{round:#}");
    assert_eq!(answers["not_sent"], 0, "{round:#}");
    t.server.work().await;
    assert_eq!(t.read_round(admin, &id).await["plan"]["number"], 1);
    t.server.pass(chrono::TimeDelta::hours(15)).await;
    t.server.work().await;
    let admin = &t.server.again(admin).await;
    let round = t.read_round(admin, &id).await;
    assert_eq!(
        round["answers"]["open"].as_i64().unwrap(),
        planned,
        "{round:#}"
    );
    assert_eq!(round["plan"]["number"], 1);
}

/// With two places each, nobody gets two roles of one project, nor two at the same hours: every yes to a
/// plan can be given.
#[actix_web::test]
async fn what_one_person_cannot_do_together_is_no_plan() {
    let t = town().await;
    let admin = &t.street_admin;
    // two hours of a Saturday, one after the other
    let hours = |from: i32| json!([{"weekday": 6, "from_minute": from, "to_minute": from + 60}]);
    let part = |name: &str, hours: Value| json!({"name": name, "seats": 3, "hours": hours});
    for (n, parts) in [
        json!([part("现场", hours(540)), part("登记", hours(600))]),
        json!([part("现场", hours(540))]),
        json!([part("现场", hours(600))]),
    ]
    .into_iter()
    .enumerate()
    {
        let (org, leader) = t.active(&format!("示例·服务队{n}")).await;
        let project = t.open_project(json!({"roles": parts})).await;
        t.claim(&leader, &project, Some(&org)).expect(201).await;
    }
    let mut people = Vec::new();
    for n in 0..3 {
        people.push(t.matched(json!([]), 121.851 + 0.002 * f64::from(n)).await);
    }
    let id = t.round(admin, json!({"places_per_person": 2})).await;
    let round = t.planned(admin, &id).await;
    assert_eq!(round["plan"]["assigned"], 6, "{round:#}");
    t.committed(admin, &id, json!({})).await;
    for person in &people {
        let asked = t.asked(person).await;
        assert_eq!(asked.len(), 2);
        for invitation in asked.values() {
            t.answer(person, invitation, "accept").expect(200).await;
        }
    }
}

/// What the database alone knows is asked for again when a plan is sent.
#[actix_web::test]
async fn what_came_between_plan_and_commit_is_not_asked_for() {
    let t = town().await;
    let admin = &t.street_admin;
    let hours = json!([{"weekday": 6, "from_minute": 540, "to_minute": 660}]);
    let change = json!({"roles": [{"name": "现场", "seats": 1, "hours": hours}]});
    let mut claims = Vec::new();
    for n in 0..2 {
        let (org, leader) = t.active(&format!("示例·服务队{n}")).await;
        let project = t.open_project(change.clone()).await;
        let claim = t
            .claim(&leader, &project, Some(&org))
            .expect(201)
            .await
            .id();
        claims.push((claim, leader, t.role(&project, 0).await));
    }
    let person = t.matched(json!([]), 121.851).await;
    let id = t.round(admin, json!({})).await;
    t.planned(admin, &id).await;
    let rows = t.rows(admin, &id, "assignments").await;
    let planned = rows.iter().find(|row| row["in_plan"] == true).unwrap();
    let other = claims
        .iter()
        .find(|(_, _, role)| *role != planned["need_id"]);
    let (claim, leader, role) = other.unwrap();
    let place = t.crew(&person, claim, json!({"role_id": role}));
    let place = place.expect(201).await.id();
    t.place_act(leader, &place, "accept").expect(200).await;
    let round = t.committed(admin, &id, json!({})).await;
    assert_eq!(round["answers"]["open"], 0, "{round:#}");
    let row = &t.rows(admin, &id, "invitations?status=not_sent").await[0];
    assert_eq!(row["code"], "time_conflict", "{row:#}");
    assert!(t.asked(&person).await.is_empty());
}

#[actix_web::test]
async fn who_is_gone_between_plan_and_commit_is_not_asked() {
    let f = fair(1).await;
    let (t, admin) = (&f.t, &f.t.street_admin);
    let id = t.round(admin, json!({})).await;
    t.planned(admin, &id).await;
    let gone = f.people[0].id;
    let delete = move |tx: &mut Tx<'_>| {
        use diesel::prelude::*;
        use yiqilai::schema::accounts::dsl::{accounts, status};
        diesel::update(accounts.find(gone))
            .set(status.eq(yiqilai::identity::AccountStatus::Deleted))
            .execute(tx.conn)?;
        tx.journal(Change::new(Actor::System, "account.delete", gone.0))
    };
    t.server.write(delete).await;
    let round = t.committed(admin, &id, json!({})).await;
    let answers = &round["answers"];
    assert_eq!(
        (&answers["open"], &answers["not_sent"]),
        (&json!(0), &json!(1)),
        "{round:#}"
    );
    let rows = t.rows(admin, &id, "invitations").await;
    assert_eq!(rows[0]["code"], "not_available", "{rows:#?}");
    assert_eq!(t.told(admin, "round_finished").await, 1);
}
