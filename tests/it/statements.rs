//! How many statements an answer takes of the database: as many for many rows as for a few.

use serde_json::json;

use crate::harness::User;
use crate::organizations::{Town, town_with};

impl Town {
    /// Reads a list; how many statements that takes, and how many rows it has. What follows the journal
    /// reads now and then, so it is the fewest of several tries.
    async fn statements_of(&self, by: &User, path: &str) -> (u64, usize) {
        let (mut fewest, mut rows) = (u64::MAX, 0);
        for _ in 0..4 {
            let before = self.server.statements();
            let answer = self.server.get(path).by(by).expect(200).await;
            fewest = fewest.min(self.server.statements() - before);
            rows = answer.json["items"].as_array().unwrap().len();
        }
        (fewest, rows)
    }
}

/// Hard facts that only the database knows are asked for once for each batch of candidates, however many
/// these are; so is what stands beside the places of a crew.
#[actix_web::test]
async fn lists_ask_once_for_all_their_rows() {
    let t = town_with(json!({"projects": {"live_claims": 100}})).await;
    let (a, leader) = t.active("示例·甲队").await;
    let mut people = Vec::new();
    for n in 0..16 {
        people.push(t.matched(json!([]), 121.851 + 0.001 * f64::from(n)).await);
    }
    let mut roles = Vec::new();
    let mut claims = Vec::new();
    for _ in 0..8 {
        let role = json!({"roles": [{"name": "志愿者", "seats": 20}]});
        let project = t.open_project(role).await;
        let claim = t.claim(&leader, &project, Some(&a)).expect(201).await;
        claims.push(claim.id());
        roles.push(t.role(&project, 0).await.as_str().unwrap().to_owned());
    }

    let candidates = format!("/needs/project_role/{}/candidates", roles[0]);
    let of = async |list: &str, by: &User, limit: usize| {
        let sign = if list.contains('?') { '&' } else { '?' };
        t.statements_of(by, &format!("{list}{sign}limit={limit}"))
            .await
    };
    let (few, rows) = of(&candidates, &leader, 2).await;
    assert!(few > 0 && rows == 2, "{few} statements for {rows}");
    assert_eq!(of(&candidates, &leader, 16).await, (few, 16), "candidates");
    let recommended = "/recommendations?personalized=true&kind=project_role";
    let (few_needs, rows) = of(recommended, &people[0], 2).await;
    assert!(
        few_needs > 0 && rows == 2,
        "{few_needs} statements for {rows}"
    );
    let many = of(recommended, &people[0], 8).await;
    assert_eq!(many, (few_needs, 8), "recommendations");

    // the best five are in the crew: they give place to the next, in batches
    for person in &people[..8] {
        let place = t.crew(person, &claims[0], json!({"role_id": roles[0]}));
        let place = place.expect(201).await.id();
        t.place_act(&leader, &place, "accept").expect(200).await;
    }
    let (in_batches, rows) = of(&candidates, &leader, 4).await;
    assert_eq!(rows, 4);
    assert!(in_batches <= 2 * few, "{in_batches} statements, not {few}");

    // activities, those who stand in them, and one's own places
    let mut last = String::new();
    for hour in 8..16 {
        let at = |hour: i32| format!("{hour:02}:00");
        let shifts = json!({"shifts": [crate::activities::shift(&at(hour), &at(hour + 1), 4)]});
        let (id, shifts) = t.published(&leader, &a, shifts).await;
        for person in &people[..8] {
            t.enrol(person, &shifts[0]).expect(201).await;
        }
        last = id;
    }
    let one = format!("/activities/{last}/enrolments");
    for (list, reader, some) in [
        ("/activities", &people[0], 2),
        ("/activities", &t.street_admin, 2),
        ("/me/activities", &leader, 2),
        (one.as_str(), &leader, 5), // four have a seat, the others wait
        ("/me/enrolments", &people[7], 2),
    ] {
        let (few, rows) = of(list, reader, some).await;
        assert!(few > 0 && rows == some, "{few} statements for {rows}");
        assert_eq!(of(list, reader, 8).await, (few, 8), "{list}");
    }

    let crew = format!("/project-claims/{}/crew", claims[0]);
    for reader in [&leader, &people[1]] {
        let (few, rows) = of(&crew, reader, 2).await;
        assert!(few > 0 && rows == 2, "{few} statements for {rows}");
        assert_eq!(of(&crew, reader, 8).await, (few, 8), "a crew");
    }
}
