//! Party branches, membership under its own consent, and who read what.

use diesel::prelude::*;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;
use yiqilai::identity::{AccountId, Role};
use yiqilai::party::is_party_member;
use yiqilai::schema::{journal, party_memberships};

use crate::harness::{Call, Server, User};

/// A street with a Party branch and its secretary.
struct Street {
    server: Server,
    street: Uuid,
    grid: Uuid,
    admin: User,
    branch: String,
    secretary: User,
}

async fn street() -> Street {
    let server = Server::start().await;
    let (_, street, grid) = crate::regions::three_levels(&server).await;
    let admin = server
        .staff("示例·街道管理员", Role::RegionAdmin, Some(street))
        .await;
    let branch = add_branch(&server, &admin, "B1", street, None)
        .expect(201)
        .await
        .id();
    let secretary = server.person("示例·支部书记").await;
    appoint(&server, &admin, &secretary, &branch)
        .expect(201)
        .await;
    Street {
        server,
        street,
        grid,
        admin,
        branch,
        secretary,
    }
}

fn add_branch<'a>(
    server: &'a Server,
    by: &User,
    code: &str,
    region: Uuid,
    parent: Option<&str>,
) -> Call<'a> {
    let body = json!({"code": code, "name": format!("示例党支部{code}"), "region_id": region, "parent_id": parent});
    server.post("/party-branches").by(by).json(body)
}

fn appoint<'a>(server: &'a Server, by: &User, whom: &User, branch: &str) -> Call<'a> {
    let body =
        json!({"account_id": whom.id.to_string(), "role": "branch_secretary", "scope_id": branch});
    server.post("/role-grants").by(by).json(body)
}

impl Street {
    /// A volunteer who agrees to the use of Party membership.
    async fn volunteer(&self, name: &str) -> User {
        let user = self.server.person(name).await;
        self.join(&user).await;
        self.consent(&user, "1").await;
        user
    }

    async fn join(&self, user: &User) {
        let profile = json!({"region_id": self.grid, "introduction": "", "birth_date": null,
            "skills": [], "interests": [], "availability": [], "places": []});
        let call = self.server.call(Method::PUT, "/me/volunteer");
        call.by(user).json(profile).expect(200).await;
    }

    async fn consent(&self, user: &User, text: &str) {
        let call = self
            .server
            .call(Method::PUT, "/me/consents/party_membership");
        call.by(user)
            .json(json!({"text_version": text}))
            .expect(200)
            .await;
    }

    async fn withdraw(&self, user: &User) {
        let call = self
            .server
            .call(Method::DELETE, "/me/consents/party_membership");
        call.by(user).expect(204).await;
    }

    fn declare(&self, by: &User, standing: &str) -> Call<'_> {
        let body = json!({"branch_id": self.branch, "standing": standing});
        self.server.post("/me/party-membership").by(by).json(body)
    }

    fn own(&self, by: &User) -> Call<'_> {
        self.server.get("/me/party-membership").by(by)
    }

    fn members(&self, by: &User, query: &str) -> Call<'_> {
        self.server
            .get(&format!("/party-branches/{}/members{query}", self.branch))
            .by(by)
    }

    fn act(&self, by: &User, id: &str, verb: &str) -> Call<'_> {
        let call = self.server.post(&format!("/party-memberships/{id}/{verb}"));
        call.by(by).json(if verb == "verify" {
            json!({})
        } else {
            json!({"reason": "关系不在本支部"})
        })
    }

    async fn verified(&self, name: &str, standing: &str) -> (User, String) {
        let user = self.volunteer(name).await;
        let id = self.declare(&user, standing).expect(201).await.id();
        self.act(&self.secretary, &id, "verify").expect(200).await;
        (user, id)
    }

    async fn is_member(&self, user: &User) -> bool {
        let (vault, id) = (self.server.app.platform.vault.clone(), user.id);
        let db = &self.server.app.platform.db;
        db.read(move |conn| is_party_member(conn, &vault, id))
            .await
            .unwrap()
    }

    async fn rows(&self) -> i64 {
        let db = &self.server.app.platform.db;
        db.read(|conn| Ok(party_memberships::table.count().get_result(conn)?))
            .await
            .unwrap()
    }

    async fn accesses(&self, by: &User, query: &str) -> Value {
        let call = self.server.get(&format!("/me/data-access{query}"));
        call.by(by).expect(200).await.json
    }
}

#[actix_web::test]
async fn branches_are_kept_by_the_staff_of_their_region() {
    let Street {
        server,
        street,
        grid,
        admin,
        branch,
        secretary,
    } = street().await;
    let of_the_grid = server
        .staff("示例·网格管理员", Role::RegionAdmin, Some(grid))
        .await;
    add_branch(&server, &of_the_grid, "B2", street, None)
        .refused(403, "forbidden")
        .await;
    let below = add_branch(&server, &of_the_grid, "B2", grid, Some(&branch))
        .expect(201)
        .await
        .id();
    let wrong = add_branch(&server, &admin, "B2", street, Some(&below))
        .refused(422, "invalid")
        .await;
    let field = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
    assert_eq!(
        wrong.fields(),
        [
            field("/code", "branch_code_taken"),
            field("/parent_id", "branch_above")
        ]
    );

    let list = |query: &str| {
        server
            .get(&format!("/party-branches?{query}"))
            .by(&secretary)
    };
    let first = list("limit=1").expect(200).await.json;
    assert_eq!(first["items"][0]["code"], "B1");
    let cursor = first["next"].as_str().unwrap();
    let second = list(&format!("limit=1&cursor={cursor}"))
        .expect(200)
        .await
        .json;
    assert_eq!(
        (&second["items"][0]["code"], &second["next"]),
        (&json!("B2"), &Value::Null)
    );
    let in_grid = list(&format!("region_id={grid}")).expect(200).await.json;
    assert_eq!(in_grid["items"].as_array().unwrap().len(), 1);

    let rename = |by: &User, etag: Option<&str>| {
        let call = server
            .call(Method::PATCH, &format!("/party-branches/{branch}"))
            .by(by)
            .json(json!({"name": "示例联合党支部"}));
        match etag {
            Some(etag) => call.header("if-match", etag),
            None => call,
        }
    };
    let read = || {
        server
            .get(&format!("/party-branches/{branch}"))
            .by(&secretary)
    };
    let etag = read().expect(200).await.header("etag").unwrap().to_owned();
    rename(&of_the_grid, Some(&etag))
        .refused(403, "forbidden")
        .await;
    rename(&admin, None).refused(428, "version_required").await;
    rename(&admin, Some(&etag)).expect(200).await;
    rename(&admin, Some(&etag))
        .refused(412, "version_mismatch")
        .await;
    assert_eq!(read().expect(200).await.json["name"], "示例联合党支部");

    let dissolve = |by: &User, id: &str| {
        server
            .post(&format!("/party-branches/{id}/dissolve"))
            .by(by)
            .json(json!({"reason": "合并"}))
    };
    dissolve(&admin, &branch)
        .refused(409, "branch_in_use")
        .await;
    dissolve(&secretary, &below).refused(403, "forbidden").await;
    dissolve(&admin, &below).expect(200).await;
    dissolve(&admin, &below).expect(200).await;
    dissolve(&of_the_grid, &below)
        .refused(409, "move_not_allowed")
        .await;
    dissolve(&admin, &branch).expect(200).await;
    assert_eq!(list("").expect(200).await.json["items"], json!([]));
    rename(&admin, Some("\"3\""))
        .refused(409, "move_not_allowed")
        .await;
    appoint(&server, &admin, &secretary, &branch)
        .refused(422, "invalid")
        .await;
    add_branch(&server, &admin, "B3", street, Some(&branch))
        .refused(422, "invalid")
        .await;
}

#[actix_web::test]
async fn secretaries_are_appointed_by_the_admins_of_the_branchs_region() {
    let it = street().await;
    let server = &it.server;
    let of_the_grid = server
        .staff("示例·网格管理员", Role::RegionAdmin, Some(it.grid))
        .await;
    let other = server.person("示例·戴").await;
    appoint(server, &of_the_grid, &other, &it.branch)
        .refused(403, "forbidden")
        .await;
    appoint(server, &it.secretary, &other, &it.branch)
        .refused(403, "forbidden")
        .await;
    let nowhere = appoint(server, &it.admin, &other, &Uuid::now_v7().to_string())
        .refused(422, "invalid")
        .await;
    assert_eq!(nowhere.fields()[0].1, "unknown_reference");

    let grants = |by: &User| {
        server
            .get(&format!("/role-grants?scope_id={}", it.branch))
            .by(by)
    };
    grants(&of_the_grid).refused(404, "not_found").await;
    let held = grants(&it.admin).expect(200).await.json;
    let id = held["items"][0]["id"].as_str().unwrap();
    it.members(&it.secretary, "").expect(200).await;
    let revoke = |by: &User| {
        server
            .call(Method::DELETE, &format!("/role-grants/{id}"))
            .by(by)
    };
    revoke(&of_the_grid).refused(404, "not_found").await;
    revoke(&it.admin).expect(204).await;
    it.members(&it.secretary, "")
        .refused(404, "not_found")
        .await;
}

#[actix_web::test]
async fn a_membership_wants_its_own_consent_and_is_verified_by_the_branch() {
    let it = street().await;
    let server = &it.server;
    let user = server.person("示例·党员").await;
    it.declare(&user, "member")
        .refused(409, "profile_required")
        .await;
    it.join(&user).await;
    it.declare(&user, "member")
        .refused(422, "consent_required")
        .await;
    it.own(&user).refused(404, "not_found").await;
    it.consent(&user, "1").await;
    let nowhere = json!({"branch_id": Uuid::now_v7(), "standing": "member"});
    server
        .post("/me/party-membership")
        .by(&user)
        .json(nowhere)
        .refused(422, "invalid")
        .await;
    let id = it.declare(&user, "member").expect(201).await.id();
    assert_eq!(it.declare(&user, "member").expect(201).await.id(), id);
    it.declare(&user, "applicant")
        .refused(409, "membership_exists")
        .await;
    let dissolve = server.post(&format!("/party-branches/{}/dissolve", it.branch));
    dissolve
        .by(&it.admin)
        .json(json!({"reason": "合并"}))
        .refused(409, "branch_in_use")
        .await;
    assert!(!it.is_member(&user).await, "said is not verified");

    // a branch beside it, a region admin, the person: none of them sees the list
    let beside = add_branch(server, &it.admin, "B2", it.street, None)
        .expect(201)
        .await
        .id();
    let sibling = server.person("示例·邻支部书记").await;
    appoint(server, &it.admin, &sibling, &beside)
        .expect(201)
        .await;
    for stranger in [&sibling, &it.admin, &user] {
        it.members(stranger, "").refused(404, "not_found").await;
        for verb in ["verify", "reject", "end"] {
            it.act(stranger, &id, verb).refused(404, "not_found").await;
        }
    }

    let list = it.members(&it.secretary, "").expect(200).await.json;
    let shown = &list["items"][0];
    assert_eq!(
        (&shown["id"], &shown["name"], &shown["standing"]),
        (&json!(id), &json!("示例·党员"), &json!("member"))
    );
    it.act(&it.secretary, &id, "verify").expect(200).await;
    it.act(&it.secretary, &id, "verify").expect(200).await;
    it.act(&it.secretary, &id, "reject")
        .refused(409, "move_not_allowed")
        .await;
    assert!(it.is_member(&user).await);
    let own = it.own(&user).expect(200).await.json;
    assert_eq!(
        (&own["status"], &own["standing"], &own["branch_name"]),
        (&json!("verified"), &json!("member"), &json!("示例党支部B1"))
    );
    let told = server
        .get("/me/notifications")
        .by(&user)
        .expect(200)
        .await
        .json;
    assert_eq!(told["items"].as_array().unwrap().len(), 1, "told once");
    let text = told["items"][0].to_string();
    assert!(text.contains("verified") && !text.contains("示例党支部"));

    let none = it.members(&it.secretary, "").expect(200).await.json;
    assert_eq!(none["items"], json!([]));
    let verified = it
        .members(&it.secretary, "?status=verified")
        .expect(200)
        .await
        .json;
    assert_eq!(verified["items"].as_array().unwrap().len(), 1);
    it.members(&it.secretary, "?status=ended")
        .refused(400, "malformed_query")
        .await;
}

#[actix_web::test]
async fn probationary_members_count_and_applicants_do_not() {
    let it = street().await;
    let (probationary, _) = it.verified("示例·预备党员", "probationary_member").await;
    let (applicant, _) = it.verified("示例·积极分子", "applicant").await;
    assert!(it.is_member(&probationary).await);
    assert!(!it.is_member(&applicant).await);
}

#[actix_web::test]
async fn a_secretary_does_not_decide_about_oneself() {
    let it = street().await;
    it.join(&it.secretary).await;
    it.consent(&it.secretary, "1").await;
    let id = it.declare(&it.secretary, "member").expect(201).await.id();
    for verb in ["verify", "reject", "end"] {
        it.act(&it.secretary, &id, verb)
            .refused(403, "own_membership")
            .await;
    }
    let list = it.members(&it.secretary, "").expect(200).await.json;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        it.accesses(&it.secretary, "").await["items"],
        json!([]),
        "one's own reading is nothing to tell"
    );
}

#[actix_web::test]
async fn what_was_rejected_or_has_ended_says_why_and_may_be_declared_again() {
    let it = street().await;
    let user = it.volunteer("示例·党员").await;
    let id = it.declare(&user, "member").expect(201).await.id();
    it.act(&it.secretary, &id, "reject")
        .json(json!({}))
        .refused(400, "malformed_json")
        .await;
    it.act(&it.secretary, &id, "reject").expect(200).await;
    let own = it.own(&user).expect(200).await.json;
    assert_eq!(
        (&own["status"], &own["reason"]),
        (&json!("rejected"), &json!("关系不在本支部"))
    );
    let end_own = || it.server.post("/me/party-membership/end").by(&user);
    end_own().refused(409, "move_not_allowed").await;

    let id = it.declare(&user, "member").expect(201).await.id();
    it.act(&it.secretary, &id, "verify").expect(200).await;
    it.act(&it.secretary, &id, "end").expect(200).await;
    assert!(!it.is_member(&user).await);
    let own = it.own(&user).expect(200).await.json;
    assert_eq!(
        (&own["status"], &own["standing"], &own["reason"]),
        (&json!("ended"), &Value::Null, &json!("关系不在本支部"))
    );

    it.declare(&user, "applicant").expect(201).await;
    end_own().expect(204).await;
    end_own().expect(204).await;
    let own = it.own(&user).expect(200).await.json;
    assert_eq!(
        (&own["status"], &own["standing"]),
        (&json!("ended"), &Value::Null)
    );
    assert_eq!(it.rows().await, 1, "what came before is forgotten");
}

#[actix_web::test]
async fn a_withdrawn_consent_hides_at_once_and_deletes_a_moment_later() {
    let it = street().await;
    let (user, id) = it.verified("示例·党员", "member").await;
    it.withdraw(&user).await;
    // before any worker ran
    assert!(!it.is_member(&user).await);
    it.own(&user).refused(404, "not_found").await;
    it.act(&it.secretary, &id, "end")
        .refused(404, "not_found")
        .await;
    let list = it.members(&it.secretary, "?status=verified");
    assert_eq!(list.expect(200).await.json["items"], json!([]));
    // who agrees again before the row is deleted does not get it back
    it.consent(&user, "1").await;
    assert!(!it.is_member(&user).await);
    it.own(&user).refused(404, "not_found").await;
    it.server.work().await;
    assert_eq!(it.rows().await, 0);

    // declared anew in between: the withdrawal before does not touch it
    it.declare(&user, "member").expect(201).await;
    it.withdraw(&user).await;
    it.consent(&user, "1").await;
    it.declare(&user, "applicant").expect(201).await;
    it.server.work().await;
    let own = it.own(&user).expect(200).await.json;
    assert_eq!(own["standing"], "applicant");
}

#[actix_web::test]
async fn a_newer_text_of_the_consent_keeps_what_was_declared() {
    let it = street().await;
    let (user, _) = it.verified("示例·党员", "member").await;
    for _ in 0..2 {
        crate::accounts::agreed_before(&it.server, user.id).await;
        it.consent(&user, "1").await;
        it.server.work().await;
        assert!(it.is_member(&user).await);
    }
    it.withdraw(&user).await;
    it.server.work().await;
    assert_eq!(it.rows().await, 0);
}

#[actix_web::test]
async fn the_records_tell_a_reader_of_the_database_no_standing() {
    let it = street().await;
    for (name, standing) in [
        ("示例·甲", "member"),
        ("示例·乙", "probationary_member"),
        ("示例·丙", "applicant"),
    ] {
        it.verified(name, standing).await;
    }
    let (user, id) = it.verified("示例·丁", "applicant").await;
    it.act(&it.secretary, &id, "end").expect(200).await;
    it.members(&it.secretary, "?status=verified")
        .expect(200)
        .await;
    let db = &it.server.app.platform.db;
    let sealed: Vec<Option<Vec<u8>>> = db
        .read(|conn| {
            Ok(party_memberships::table
                .select(party_memberships::standing)
                .load(conn)?)
        })
        .await
        .unwrap();
    let mut widths: Vec<_> = sealed.into_iter().flatten().map(|s| s.len()).collect();
    assert_eq!(widths.len(), 3);
    widths.dedup();
    assert_eq!(widths.len(), 1, "all of one width");

    type Told = (
        String,
        Option<String>,
        yiqilai::platform::columns::Json<Value>,
    );
    let entries: Vec<Told> = db
        .read(|conn| {
            Ok(journal::table
                .select((journal::kind, journal::reason, journal::payload))
                .load(conn)?)
        })
        .await
        .unwrap();
    let moves = entries
        .iter()
        .filter(|(kind, _, _)| kind.starts_with("party_membership."));
    assert_eq!(moves.count(), 9);
    for (kind, reason, payload) in &entries {
        let text = format!("{reason:?} {}", payload.0);
        for word in ["probationary", "applicant", "关系不在本支部"] {
            assert!(!text.contains(word), "{kind} tells {word}");
        }
    }
    assert!(!it.is_member(&user).await);
}

#[actix_web::test]
async fn everybody_sees_who_read_their_sensitive_data() {
    let it = street().await;
    let (user, _) = it.verified("示例·党员", "member").await;
    let (other, _) = it.verified("示例·同支部", "member").await;
    assert_eq!(it.accesses(&user, "").await["items"], json!([]));
    for _ in 0..3 {
        it.members(&it.secretary, "?status=verified&limit=1")
            .expect(200)
            .await;
    }
    let first = it.accesses(&user, "?limit=2").await;
    let entry = &first["items"][0];
    assert_eq!(
        (&entry["what"], &entry["reader"], &entry["why"]),
        (
            &json!("party_membership"),
            &json!("branch_secretary"),
            &json!("verification")
        )
    );
    assert!(!first.to_string().contains(&it.secretary.id.to_string()));
    let cursor = first["next"].as_str().unwrap();
    let rest = it
        .accesses(&user, &format!("?limit=2&cursor={cursor}"))
        .await;
    assert_eq!(
        (rest["items"].as_array().unwrap().len(), &rest["next"]),
        (1, &Value::Null)
    );
    assert_eq!(
        it.accesses(&other, "").await["items"],
        json!([]),
        "not on that page, not read"
    );
}

#[actix_web::test]
async fn a_beneficiary_sees_that_the_contact_of_a_wish_was_read() {
    let it = street().await;
    let server = &it.server;
    let resident = server.person("示例·王奶奶").await;
    let volunteer = server.person("示例·志愿者").await;
    let wish = json!({
        "region_id": it.grid,
        "contact": {"name": "示例·王秀英", "phone": "13800000001", "address": "示例小区1幢101"},
        "alias": "王奶奶", "beneficiary_group": "elder", "life_cycle": "old_age", "kind": "service",
        "title": "修一盏灯", "description": "楼道口的灯坏了。",
    });
    let id = server
        .post("/wishes")
        .by(&resident)
        .json(wish)
        .expect(201)
        .await
        .id();
    let act = |by: &User, verb: &str| server.post(&format!("/wishes/{id}/{verb}")).by(by);
    act(&resident, "submit").expect(200).await;
    let read = server.get(&format!("/wishes/{id}")).by(&it.admin);
    let etag = read.expect(200).await.header("etag").unwrap().to_owned();
    act(&it.admin, "publish")
        .header("if-match", &etag)
        .expect(200)
        .await;
    act(&volunteer, "claim").expect(200).await;
    act(&resident, "contact").expect(200).await;
    act(&volunteer, "contact").expect(200).await;
    let told = it.accesses(&resident, "").await;
    assert_eq!(
        told["items"].as_array().unwrap().len(),
        1,
        "the own reading is nothing to tell"
    );
    assert_eq!(
        (&told["items"][0]["what"], &told["items"][0]["reader"]),
        (&json!("contact"), &json!("claimant"))
    );
}

#[actix_web::test]
async fn of_two_secretaries_at_once_one_decides() {
    let it = street().await;
    let second = it.server.person("示例·副书记").await;
    appoint(&it.server, &it.admin, &second, &it.branch)
        .expect(201)
        .await;
    for round in 0..5 {
        let user = it.volunteer(&format!("示例·党员{round}")).await;
        let id = it.declare(&user, "member").expect(201).await.id();
        let (a, b) = futures_util::join!(
            it.act(&it.secretary, &id, "verify").send(),
            it.act(&second, &id, "reject").send()
        );
        let mut statuses = [a.status.as_u16(), b.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
        let expected = if a.status == 200 {
            "verified"
        } else {
            "rejected"
        };
        let own = it.own(&user).expect(200).await.json;
        assert_eq!(own["status"], expected);
        let inbox = it.server.get("/me/notifications").by(&user);
        let told = inbox.expect(200).await.json;
        assert_eq!(told["items"].as_array().unwrap().len(), 1);
    }
}

#[actix_web::test]
async fn of_many_declarations_at_once_one_is_kept() {
    let it = street().await;
    let user = it.volunteer("示例·党员").await;
    let standings = ["member", "applicant", "probationary_member"];
    let calls = (0..9).map(|n| it.declare(&user, standings[n % 3]).send());
    let answers = futures_util::future::join_all(calls).await;
    assert!(
        answers
            .iter()
            .all(|a| [201, 409].contains(&a.status.as_u16()))
    );
    let mut made: Vec<_> = answers
        .iter()
        .filter(|a| a.status == 201)
        .map(|a| a.id())
        .collect();
    made.sort();
    made.dedup();
    assert_eq!((made.len(), it.rows().await), (1, 1));
}

#[actix_web::test]
async fn declaring_and_withdrawing_at_once_leaves_nothing_behind() {
    let it = street().await;
    for round in 0..5 {
        let user = it.volunteer(&format!("示例·党员{round}")).await;
        let (declared, ()) =
            futures_util::join!(it.declare(&user, "member").send(), it.withdraw(&user));
        assert!([201, 422].contains(&declared.status.as_u16()));
        it.server.work().await;
        assert_eq!(it.rows().await, 0);
    }
}

#[actix_web::test]
async fn declaring_and_dissolving_at_once_leaves_nobody_in_a_dissolved_branch() {
    let it = street().await;
    for round in 0..8 {
        let user = it.volunteer(&format!("示例·党员{round}")).await;
        let branch = add_branch(&it.server, &it.admin, &format!("R{round}"), it.street, None)
            .expect(201)
            .await
            .id();
        let declare = it.server.post("/me/party-membership").by(&user);
        let declare = declare.json(json!({"branch_id": branch, "standing": "member"}));
        let dissolve = it
            .server
            .post(&format!("/party-branches/{branch}/dissolve"));
        let dissolve = dissolve.by(&it.admin).json(json!({"reason": "合并"}));
        let (declared, dissolved) = futures_util::join!(declare.send(), dissolve.send());
        let both = (declared.status.as_u16(), dissolved.status.as_u16());
        assert!([(201, 409), (422, 200)].contains(&both), "{both:?}");
    }
}

#[actix_web::test]
async fn somebody_without_anything_is_no_member() {
    let it = street().await;
    let vault = it.server.app.platform.vault.clone();
    let nobody = AccountId(Uuid::now_v7());
    let db = &it.server.app.platform.db;
    let is = db.read(move |conn| is_party_member(conn, &vault, nobody));
    assert!(!is.await.unwrap());
}
