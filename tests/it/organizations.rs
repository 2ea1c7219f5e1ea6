//! Organisations: filing and registration, review, members, documents.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;
use yiqilai::identity::Role;

use crate::harness::{Answer, Call, Server, User};

const ADULT: &str = "11010519491231002X";
/// Born in 2020.
const CHILD: &str = "110105202001010015";

pub struct Town {
    pub server: Server,
    pub district: Uuid,
    pub street: Uuid,
    pub grid: Uuid,
    pub district_admin: User,
    pub street_admin: User,
}

pub async fn town() -> Town {
    Box::pin(town_with(json!({}))).await
}

/// With some settings changed.
pub async fn town_with(settings: Value) -> Town {
    town_on(Server::start_with(settings).await).await
}

/// On a server that runs already.
pub async fn town_on(server: Server) -> Town {
    let (district, street, grid) = crate::regions::three_levels(&server).await;
    let district_admin = server
        .staff("示例·区管", Role::RegionAdmin, Some(district))
        .await;
    let street_admin = server
        .staff("示例·街管", Role::RegionAdmin, Some(street))
        .await;
    Town {
        server,
        district,
        street,
        grid,
        district_admin,
        street_admin,
    }
}

impl Town {
    pub async fn draft(&self, by: &User, body: Value) -> String {
        self.server
            .post("/organizations")
            .by(by)
            .json(body)
            .expect(201)
            .await
            .id()
    }

    pub fn act(&self, by: &User, id: &str, verb: &str) -> Call<'_> {
        self.server
            .post(&format!("/organizations/{id}/{verb}"))
            .by(by)
            .json(json!({}))
    }

    pub async fn read(&self, by: &User, id: &str) -> Answer {
        self.server
            .get(&format!("/organizations/{id}"))
            .by(by)
            .expect(200)
            .await
    }

    /// A reviewer's move, with the version it reads.
    pub async fn review(&self, by: &User, id: &str, verb: &str, body: Value) -> Answer {
        let seen = self
            .server
            .get(&format!("/organizations/{id}"))
            .by(by)
            .send()
            .await;
        let etag = seen.header("etag").unwrap_or("\"1\"").to_owned();
        let call = self
            .server
            .post(&format!("/organizations/{id}/{verb}"))
            .by(by)
            .json(body);
        call.header("if-match", &etag).send().await
    }

    pub async fn edit(&self, by: &User, id: &str, body: Value) -> Answer {
        let etag = self.read(by, id).await.header("etag").unwrap().to_owned();
        let call = self
            .server
            .call(Method::PATCH, &format!("/organizations/{id}"));
        call.by(by)
            .header("if-match", &etag)
            .json(body)
            .send()
            .await
    }

    /// Lets a new person join; returns it with the membership's id.
    pub async fn join(&self, manager: &User, id: &str, role: &str) -> (User, String) {
        let person = self.server.person("示例·成员").await;
        let invitation = self.take_in(manager, id, &person, role).await;
        (person, invitation)
    }

    /// Makes somebody a member.
    pub async fn join_as(&self, manager: &User, id: &str, person: &User) {
        self.take_in(manager, id, person, "member").await;
    }

    async fn take_in(&self, manager: &User, id: &str, person: &User, role: &str) -> String {
        let body = json!({"phone": person.phone, "name": "示例·成员", "role": role});
        let path = format!("/organizations/{id}/invitations");
        let invited = self
            .server
            .post(&path)
            .by(manager)
            .json(body)
            .expect(201)
            .await;
        assert_eq!(
            invited.json["account_id"],
            Value::Null,
            "unknown before the answer"
        );
        let accept = format!("/me/invitations/{}/accept", invited.id());
        let accepted = self
            .server
            .post(&accept)
            .by(person)
            .json(json!({}))
            .expect(200)
            .await;
        assert_eq!(accepted.json["status"], "active");
        invited.id()
    }

    pub async fn add_charter(&self, by: &User, id: &str) -> Answer {
        self.server
            .post(&format!("/organizations/{id}/documents?kind=charter"))
            .by(by)
            .multipart(pdf())
            .send()
            .await
    }

    /// A filed organisation with ten members, ready to be submitted; its manager and the others
    /// with their memberships.
    pub async fn ready_to_file(&self) -> (String, User, Vec<(User, String)>) {
        let manager = self.server.person("示例·负责人").await;
        let id = self.draft(&manager, self.filing()).await;
        let mut others = Vec::new();
        for _ in 0..9 {
            others.push(self.join(&manager, &id, "member").await);
        }
        let venue = json!({
            "responsible_id": manager.id, "responsible_number": ADULT, "venue_address": "示例路1号",
            "venue_region_id": self.grid, "venue_until": "2027-12-31",
        });
        assert_eq!(self.edit(&manager, &id, venue).await.status, 200);
        assert_eq!(self.add_charter(&manager, &id).await.status, 201);
        (id, manager, others)
    }

    /// A filed organisation that may act, and its manager.
    pub async fn filed_and_active(&self) -> (String, User) {
        let (id, manager, _) = self.ready_to_file().await;
        self.act(&manager, &id, "submit").expect(200).await;
        let approved = self
            .review(&self.street_admin, &id, "approve", json!({}))
            .await;
        assert_eq!(approved.status, 200, "{:#}", approved.json);
        (id, manager)
    }

    pub fn filing(&self) -> Value {
        json!({"kind": "filed", "name": "示例·邻里互助会", "region_id": self.street, "field": "governance"})
    }

    /// An organisation of a kind that needs no code, active; and its manager.
    pub async fn active(&self, name: &str) -> (String, User) {
        self.active_of("volunteer_team", name).await
    }

    /// One that waits for its review, and its manager.
    pub async fn submitted_of(&self, kind: &str, name: &str) -> (String, User) {
        let manager = self.server.person("示例·负责人").await;
        let body = json!({"kind": kind, "name": name, "region_id": self.district});
        let id = self.draft(&manager, body).await;
        self.act(&manager, &id, "submit").expect(200).await;
        (id, manager)
    }

    /// An active one of a certain kind.
    pub async fn active_of(&self, kind: &str, name: &str) -> (String, User) {
        let (id, manager) = self.submitted_of(kind, name).await;
        let approved = self
            .review(&self.district_admin, &id, "approve", json!({}))
            .await;
        assert_eq!(approved.status, 200, "{:#}", approved.json);
        (id, manager)
    }
}

fn pdf() -> reqwest::multipart::Form {
    let bytes = b"%PDF-1.4\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF".to_vec();
    let part = reqwest::multipart::Part::bytes(bytes).file_name("charter.txt");
    reqwest::multipart::Form::new().part("document", part)
}

pub fn codes(answer: &Answer) -> Vec<(String, String)> {
    let mut fields = answer.fields();
    fields.sort();
    fields
}

pub fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect()
}

#[actix_web::test]
async fn a_filing_is_told_every_miss_and_reviewed_by_its_street_alone() {
    let t = town().await;
    let manager = t.server.person("示例·负责人").await;
    let id = t.draft(&manager, t.filing()).await;
    let misses = t.act(&manager, &id, "submit").refused(422, "invalid").await;
    let expected = [
        ("/documents", "charter_missing"),
        ("/members", "too_few_members"),
        ("/responsible_id", "required"),
        ("/responsible_number", "required"),
        ("/venue_address", "required"),
        ("/venue_region_id", "required"),
        ("/venue_until", "required"),
    ];
    assert_eq!(codes(&misses), pairs(&expected));

    let stranger = t.server.person("示例·外人").await;
    let wrong = json!({
        "responsible_id": stranger.id, "responsible_number": CHILD, "venue_address": "别处",
        "venue_region_id": t.district, "venue_until": "2026-11-22",
    });
    assert_eq!(t.edit(&manager, &id, wrong).await.status, 200);
    for _ in 0..8 {
        t.join(&manager, &id, "member").await;
    }
    let misses = t.act(&manager, &id, "submit").refused(422, "invalid").await;
    let expected = [
        ("/documents", "charter_missing"),
        ("/members", "too_few_members"),
        ("/responsible_id", "responsible_not_member"),
        ("/responsible_number", "responsible_under_age"),
        ("/venue_region_id", "venue_outside_street"),
        ("/venue_until", "in_the_past"),
    ];
    assert_eq!(codes(&misses), pairs(&expected), "nine are not ten");

    let bad = t
        .edit(
            &manager,
            &id,
            json!({"responsible_number": "110105194912310021"}),
        )
        .await;
    assert_eq!(
        codes(&bad),
        pairs(&[("/responsible_number", "resident_id_format")])
    );

    let (id, manager, _) = t.ready_to_file().await;
    let submitted = t.act(&manager, &id, "submit").expect(200).await;
    assert_eq!(submitted.json["status"], "submitted", "ten are enough");
    assert!(
        !submitted.json.to_string().contains(ADULT),
        "the number is shown to nobody"
    );
    t.act(&manager, &id, "submit").expect(200).await;

    t.server
        .get(&format!("/organizations/{id}"))
        .refused(404, "not_found")
        .await;
    let from_above = t.review(&t.district_admin, &id, "approve", json!({})).await;
    assert_eq!(
        from_above.json["code"], "forbidden",
        "the street alone reviews a filing"
    );
    let queue = format!("/staff/organizations?region_id={}", t.street);
    let waiting = t.server.get(&queue).by(&t.street_admin).expect(200).await;
    assert_eq!(waiting.json["items"][0]["id"], id);
    t.server
        .get(&queue)
        .by(&manager)
        .refused(404, "not_found")
        .await;
    t.act(&t.street_admin, &id, "approve")
        .refused(428, "version_required")
        .await;
    let approved = t.review(&t.street_admin, &id, "approve", json!({})).await;
    assert_eq!(approved.json["status"], "active");
    t.server
        .get(&format!("/organizations/{id}"))
        .expect(200)
        .await;
    let inbox = t
        .server
        .get("/me/notifications")
        .by(&manager)
        .expect(200)
        .await;
    assert!(inbox.json.to_string().contains("organization_approved"));
}

#[actix_web::test]
async fn a_credit_code_is_an_error_by_form_and_a_question_by_check_character() {
    let t = town().await;
    let manager = t.server.person("示例·负责人").await;
    let body = |code: &str| json!({"kind": "registered", "name": "示例·基金会", "region_id": t.street, "credit_code": code});
    let refused = t
        .server
        .post("/organizations")
        .by(&manager)
        .json(body("91350100M000100Y4Z"));
    let refused = refused.refused(422, "invalid").await;
    assert_eq!(
        codes(&refused),
        pairs(&[("/credit_code", "credit_code_format")])
    );
    let mut filed = body("51330206MJ88990059");
    filed["kind"] = json!("filed");
    let refused = t
        .server
        .post("/organizations")
        .by(&manager)
        .json(filed)
        .expect(422)
        .await;
    assert_eq!(
        codes(&refused),
        pairs(&[("/credit_code", "credit_code_of_filed")])
    );

    let mut without = body("");
    without["credit_code"] = Value::Null;
    let id = t.draft(&manager, without).await;
    let missing = t.act(&manager, &id, "submit").refused(422, "invalid").await;
    assert_eq!(codes(&missing), pairs(&[("/credit_code", "required")]));

    let id = t.draft(&manager, body("51330206mj88990058")).await;
    let submitted = t.act(&manager, &id, "submit").expect(200).await;
    assert_eq!(
        submitted.json["credit_code"], "51330206MJ88990058",
        "in capitals"
    );
    assert_eq!(submitted.json["involved"]["credit_code_doubtful"], true);
    let refused = t.review(&t.district_admin, &id, "approve", json!({})).await;
    assert_eq!(
        codes(&refused),
        pairs(&[("/credit_code_reason", "credit_code_unconfirmed")])
    );
    let reason = json!({"credit_code_reason": "已核对登记证书原件。"});
    let approved = t.review(&t.district_admin, &id, "approve", reason).await;
    assert_eq!(
        approved.json["status"], "active",
        "a district reviews what is registered"
    );
    assert_eq!(
        approved.json["involved"]["credit_code_reason"],
        "已核对登记证书原件。"
    );

    let same = t.draft(&manager, body("51330206MJ88990058")).await;
    let taken = t
        .act(&manager, &same, "submit")
        .refused(422, "invalid")
        .await;
    assert_eq!(
        codes(&taken),
        pairs(&[("/credit_code", "credit_code_taken")])
    );
}

#[actix_web::test]
async fn the_last_manager_cannot_go_and_two_cannot_go_at_once() {
    let t = town().await;
    let (id, first) = t.active("示例·志愿队").await;
    t.act(&first, &id, "leave")
        .refused(409, "last_manager")
        .await;
    // nor through the other door
    let me = t.server.get("/me").by(&first).expect(200).await.json;
    let grant = format!("/role-grants/{}", me["grants"][0]["id"].as_str().unwrap());
    let platform = t.server.staff("示例·平台", Role::PlatformAdmin, None).await;
    for (by, status, code) in [
        (&first, 422, "role_by_invitation"),
        (&platform, 422, "role_by_invitation"),
        (&t.street_admin, 404, "not_found"),
    ] {
        let call = t.server.call(Method::DELETE, &grant).by(by);
        call.refused(status, code).await;
    }
    let (second, membership) = t.join(&first, &id, "member").await;
    let role = |role: &str| {
        let path = format!("/organizations/{id}/members/{membership}/role");
        t.server
            .post(&path)
            .by(&first)
            .json(json!({ "role": role }))
    };
    t.act(&second, &id, "dissolve")
        .json(json!({"reason": "…"}))
        .refused(403, "forbidden")
        .await;
    role("manager").expect(200).await;
    let told = t.server.get("/me/notifications").by(&second).expect(200);
    assert!(told.await.json.to_string().contains("now a manager of"));
    let (a, b) = tokio::join!(
        t.act(&first, &id, "leave").send(),
        t.act(&second, &id, "leave").send()
    );
    let mut outcomes = [a.status.as_u16(), b.status.as_u16()];
    outcomes.sort_unstable();
    assert_eq!(outcomes, [204, 409], "{:#} {:#}", a.json, b.json);
    let (gone, stays) = if a.status == 204 {
        (&first, &second)
    } else {
        (&second, &first)
    };
    let documents = format!("/organizations/{id}/documents");
    t.server
        .get(&documents)
        .by(gone)
        .refused(403, "forbidden")
        .await;
    t.server.get(&documents).by(stays).expect(200).await;
}

#[actix_web::test]
async fn members_come_by_invitation_and_answer_once() {
    let t = town().await;
    let (id, manager) = t.active("示例·志愿队").await;
    let person = t.server.person("示例·新人").await;
    let invite = |body: Value| {
        t.server
            .post(&format!("/organizations/{id}/invitations"))
            .by(&manager)
            .json(body)
    };
    let wrong = invite(json!({"name": "甲", "role": "member"}))
        .refused(422, "invalid")
        .await;
    assert_eq!(codes(&wrong), pairs(&[("/phone", "one_of_two")]));
    let wrong = invite(json!({"name": "甲", "role": "member", "phone": "12"}))
        .expect(422)
        .await;
    assert_eq!(codes(&wrong), pairs(&[("/phone", "format")]));
    let wrong = invite(json!({"name": "", "role": "member", "phone": "12", "email": "x"}))
        .expect(422)
        .await;
    let all = [
        ("/email", "format"),
        ("/name", "length"),
        ("/phone", "format"),
    ];
    assert_eq!(codes(&wrong), pairs(&all), "all at once");
    let body = json!({"phone": person.phone, "name": "示例·新人", "role": "member"});
    let invited = invite(body.clone()).expect(201).await;
    let again = invite(body.clone()).expect(201).await;
    assert_eq!(again.json, invited.json, "the same again");
    let mut other = body.clone();
    other["role"] = json!("manager");
    invite(other).refused(409, "already_member").await;
    t.server.work().await;
    assert_eq!(
        t.server.sms(&person.phone).len(),
        2,
        "a code, an invitation"
    );
    assert_eq!(
        t.server.sms(&person.phone).last().unwrap()["template"],
        "organization_invitation"
    );
    let mine = t
        .server
        .get("/me/invitations")
        .by(&person)
        .expect(200)
        .await;
    assert_eq!(mine.json["items"][0]["organization_name"], "示例·志愿队");

    let path = |verb: &str| format!("/me/invitations/{}/{verb}", invited.id());
    t.server
        .post(&path("accept"))
        .by(&manager)
        .json(json!({}))
        .refused(404, "not_found")
        .await;
    t.server
        .post(&path("decline"))
        .by(&person)
        .json(json!({}))
        .expect(200)
        .await;
    t.server
        .post(&path("decline"))
        .by(&person)
        .json(json!({}))
        .expect(200)
        .await;
    t.server
        .post(&path("accept"))
        .by(&person)
        .json(json!({}))
        .refused(409, "move_not_allowed")
        .await;

    let again = invite(body.clone()).expect(201).await;
    let cancel = format!("/organizations/{id}/members/{}/cancel", again.id());
    t.server
        .post(&cancel)
        .by(&manager)
        .json(json!({}))
        .expect(200)
        .await;

    let late = invite(body).expect(201).await;
    t.server.app.platform.clock.advance(TimeDelta::days(31));
    let accept = format!("/me/invitations/{}/accept", late.id());
    let person = t.server.again(&person).await;
    t.server
        .post(&accept)
        .by(&person)
        .json(json!({}))
        .refused(409, "move_not_allowed")
        .await;
    t.server.work().await;
    let manager = t.server.again(&manager).await;
    let expired = format!("/organizations/{id}/members?status=expired");
    let expired = t.server.get(&expired).by(&manager).expect(200).await;
    assert_eq!(expired.json["items"][0]["id"], late.id());
    let mine = t
        .server
        .get("/me/organizations")
        .by(&manager)
        .expect(200)
        .await;
    assert_eq!(mine.json["items"][0]["id"], id);
}

/// An organisation that nobody has reviewed is no means to send one's own words to strangers.
#[actix_web::test]
async fn invitations_are_no_way_to_flood_somebody() {
    let settings = json!({"organizations": {"invitations_per_day": 5}});
    let server = Server::start_with(settings).await;
    let (_, street, _) = crate::regions::three_levels(&server).await;
    let founder = server.person("示例·发起人").await;
    let body = json!({"kind": "filed", "name": "加微信领补贴", "region_id": street,
        "field": "governance"});
    let id = server
        .post("/organizations")
        .by(&founder)
        .json(body)
        .expect(201)
        .await
        .id();
    let blank = json!({"kind": "filed", "name": "  ", "region_id": street,
        "field": "governance"});
    let blank = server.post("/organizations").by(&founder).json(blank);
    assert_eq!(
        codes(&blank.refused(422, "invalid").await),
        pairs(&[("/name", "length")]),
        "blanks are no name"
    );
    let invite = |phone: &str| {
        let body = json!({"phone": phone, "name": "示例·某人", "role": "member"});
        server
            .post(&format!("/organizations/{id}/invitations"))
            .by(&founder)
            .json(body)
    };
    let (one, other) = ("13900000077", "13900000078");
    for _ in 0..3 {
        let member = invite(one).expect(201).await.id();
        let cancel = format!("/organizations/{id}/members/{member}/cancel");
        let cancel = server.post(&cancel).by(&founder).json(json!({}));
        cancel.expect(200).await;
    }
    let enough = invite(one).refused(429, "too_many_requests").await;
    assert_eq!(enough.header("retry-after"), Some("86400"));
    invite(other).expect(201).await;
    invite("13900000079").expect(201).await;
    invite("13900000080")
        .refused(429, "too_many_requests")
        .await;
    server.work().await;
    let sms = server.sms("+8613900000077");
    assert_eq!(sms.len(), 3);
    assert!(!sms[0].to_string().contains("加微信"), "{}", sms[0]);
    server.pass(TimeDelta::days(1)).await;
    let founder = server.again(&founder).await;
    let body = json!({"phone": one, "name": "示例·某人", "role": "member"});
    let invite = server
        .post(&format!("/organizations/{id}/invitations"))
        .by(&founder)
        .json(body);
    invite.expect(201).await;
}

#[actix_web::test]
async fn too_few_members_open_a_term_after_which_the_clock_suspends() {
    let t = town().await;
    let (id, manager, others) = t.ready_to_file().await;
    t.act(&manager, &id, "submit").expect(200).await;
    assert_eq!(
        t.review(&t.street_admin, &id, "approve", json!({}))
            .await
            .status,
        200
    );

    let remove = |n: usize| {
        let path = format!("/organizations/{id}/members/{}/remove", others[n].1);
        t.server
            .post(&path)
            .by(&manager)
            .json(json!({"reason": "长期不参加活动"}))
    };
    remove(0).expect(200).await;
    let curing = t.read(&manager, &id).await.json["involved"]["curing_until"].clone();
    assert_eq!(curing, "2027-02-21T02:00:00Z", "ninety days");
    t.join(&manager, &id, "member").await;
    let cured = t.read(&manager, &id).await.json["involved"]["curing_until"].clone();
    assert_eq!(cured, Value::Null);

    // who joins to run it is told nothing of it; who ran it before is
    let joined = async |who: &User| {
        let inbox = t.server.get("/me/notifications?limit=100").by(who);
        let inbox = inbox.expect(200).await.json["items"].clone();
        let all = inbox.as_array().unwrap().iter();
        all.filter(|told| told["kind"] == "organization_joined")
            .count()
    };
    let before = joined(&manager).await;
    let (second, second_id) = t.join(&manager, &id, "manager").await;
    assert_eq!(
        (joined(&second).await, joined(&manager).await),
        (0, before + 1)
    );
    let path = format!("/organizations/{id}/members/{second_id}/remove");
    let removed = t.server.post(&path).by(&manager);
    removed.json(json!({"reason": "因故"})).expect(200).await;

    t.act(&others[1].0, &id, "leave").expect(204).await;
    t.server.pass(TimeDelta::days(75)).await;
    let again = t.server.again(&manager).await;
    let first = async |lang: &str| {
        let inbox = t.server.get("/me/notifications?limit=1").by(&again);
        let inbox = inbox.header("accept-language", lang).expect(200).await;
        inbox.json["items"][0].clone()
    };
    assert_ne!(first("en").await["kind"], "organization_cure_ending");
    t.server.pass(TimeDelta::days(1)).await;
    let again = t.server.again(&manager).await;
    let first = async |lang: &str| {
        let inbox = t.server.get("/me/notifications?limit=1").by(&again);
        let inbox = inbox.header("accept-language", lang).expect(200).await;
        inbox.json["items"][0].clone()
    };
    assert_eq!(first("en").await["kind"], "organization_cure_ending");
    t.server.pass(TimeDelta::days(14)).await;
    let again = t.server.again(&manager).await;
    let inbox = t.server.get("/me/notifications?limit=1").by(&again);
    let inbox = inbox.header("accept-language", "en").expect(200).await;
    let told = inbox.json["items"][0].clone();
    assert_eq!(told["kind"], "organization_lapsed");
    let text = told["text"].as_str().unwrap();
    assert!(text.contains("within its term"), "{text}");
    assert!(!text.contains("备案"), "{text}");
    let suspended = t
        .server
        .get(&format!("/organizations/{id}"))
        .expect(200)
        .await;
    assert_eq!(suspended.json["status"], "suspended");
    let street_admin = t.server.again(&t.street_admin).await;
    let refused = t.review(&street_admin, &id, "reinstate", json!({})).await;
    assert_eq!(codes(&refused), pairs(&[("/members", "too_few_members")]));
    let manager = t.server.again(&manager).await;
    t.join(&manager, &id, "member").await;
    let reinstated = t.review(&street_admin, &id, "reinstate", json!({})).await;
    assert_eq!(reinstated.json["status"], "active", "{:#}", reinstated.json);
    let history = t
        .server
        .get(&format!("/organizations/{id}/history"))
        .by(&manager)
        .expect(200)
        .await;
    let kinds: Vec<_> = history.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["kind"].as_str().unwrap().to_owned())
        .collect();
    for kind in [
        "organization.begin_cure",
        "organization.end_cure",
        "organization.lapse",
        "organization.reinstate",
    ] {
        assert!(kinds.iter().any(|k| k == kind), "{kind} in {kinds:?}");
    }
}

#[actix_web::test]
async fn a_filed_organisation_becomes_registered_and_stays_itself() {
    let t = town().await;
    let (id, manager, _) = t.ready_to_file().await;
    let ask = |code: &str| {
        t.act(&manager, &id, "registration")
            .json(json!({"credit_code": code}))
    };
    ask("51330206MJ88990059")
        .refused(409, "organization_not_active")
        .await;
    t.act(&manager, &id, "submit").expect(200).await;
    t.review(&t.street_admin, &id, "approve", json!({})).await;
    let nothing = t
        .review(&t.street_admin, &id, "registration/approve", json!({}))
        .await;
    assert_eq!(nothing.json["code"], "nothing_asked");
    let wrong = ask("1").refused(422, "invalid").await;
    assert_eq!(
        codes(&wrong),
        pairs(&[("/credit_code", "credit_code_format")])
    );
    ask("51330206MJ88990059").expect(200).await;
    let no = t
        .review(
            &t.street_admin,
            &id,
            "registration/refuse",
            json!({"reason": "证书未附"}),
        )
        .await;
    assert_eq!(no.json["kind"], "filed");
    let again = json!({"reason": "证书未附"});
    let again = t
        .review(&t.street_admin, &id, "registration/refuse", again)
        .await;
    assert_eq!(
        (again.status.as_u16(), &again.json["kind"]),
        (200, &json!("filed"))
    );
    ask("51330206MJ88990059").expect(200).await;
    let yes = t
        .review(&t.street_admin, &id, "registration/approve", json!({}))
        .await;
    assert_eq!(
        (yes.json["kind"].as_str(), yes.json["id"].as_str()),
        (Some("registered"), Some(&*id))
    );
    assert_eq!(yes.json["credit_code"], "51330206MJ88990059");
    // a registered one is its district's and its street's alike
    let again = t
        .review(&t.street_admin, &id, "registration/approve", json!({}))
        .await;
    assert_eq!(
        (again.status.as_u16(), &again.json["version"]),
        (200, &yes.json["version"]),
        "{:#}",
        again.json
    );
    ask("51330206MJ88990059").refused(409, "not_filed").await;
}

/// What an organisation asked for before its end is answered no more.
#[actix_web::test]
async fn nothing_that_is_not_active_becomes_registered() {
    let t = town().await;
    let (id, manager) = t.filed_and_active().await;
    let ask = json!({"credit_code": "51330206MJ88990059"});
    let ask = t.act(&manager, &id, "registration").json(ask);
    ask.expect(200).await;
    let why = json!({"reason": "整改"});
    let answers = [
        ("registration/approve", json!({})),
        ("registration/refuse", why.clone()),
    ];
    let suspended = t.review(&t.street_admin, &id, "suspend", why.clone()).await;
    assert_eq!(suspended.status, 200, "{:#}", suspended.json);
    for (verb, body) in &answers {
        let answer = t.review(&t.street_admin, &id, verb, body.clone()).await;
        assert_eq!(answer.json["code"], "organization_not_active", "{verb}");
    }
    t.act(&manager, &id, "dissolve").json(why).expect(200).await;
    for (verb, body) in &answers {
        let answer = t.review(&t.street_admin, &id, verb, body.clone()).await;
        assert_eq!(answer.json["code"], "organization_not_active", "{verb}");
    }
    let kept = t.server.app.platform.db.read(|conn| {
        use diesel::prelude::*;
        use yiqilai::schema::organizations::dsl;
        let asked = dsl::organizations.filter(dsl::registering_code.is_not_null());
        Ok(asked.count().get_result::<i64>(conn)?)
    });
    assert_eq!(kept.await.unwrap(), 0, "the request ended too");
}

#[actix_web::test]
async fn reviews_and_endings_follow_the_table() {
    let t = town().await;
    let manager = t.server.person("示例·负责人").await;
    let team = json!({"kind": "volunteer_team", "name": "示例·红马甲", "region_id": t.district});
    let id = t.draft(&manager, team.clone()).await;
    t.act(&manager, &id, "revise")
        .refused(409, "move_not_allowed")
        .await;
    t.act(&manager, &id, "submit").expect(200).await;
    let back = t
        .review(
            &t.district_admin,
            &id,
            "return",
            json!({"reason": "请补充简介"}),
        )
        .await;
    assert_eq!(back.json["status"], "returned");
    t.act(&manager, &id, "revise").expect(200).await;
    let locked = json!({"introduction": "爱心车队"});
    assert_eq!(t.edit(&manager, &id, locked).await.status, 200);
    t.act(&manager, &id, "submit").expect(200).await;
    assert_eq!(
        t.review(&t.district_admin, &id, "approve", json!({}))
            .await
            .status,
        200
    );

    let settled = t
        .edit(
            &manager,
            &id,
            json!({"name": "别名", "introduction": "新的简介"}),
        )
        .await;
    assert_eq!(codes(&settled), pairs(&[("/name", "settled_by_review")]));
    let reason = json!({"reason": "年检未通过"});
    let suspended = t
        .review(&t.district_admin, &id, "suspend", reason.clone())
        .await;
    assert_eq!(suspended.json["status"], "suspended");
    assert_eq!(
        t.review(&t.street_admin, &id, "reinstate", json!({}))
            .await
            .status,
        403
    );
    let revoked = t
        .review(&t.district_admin, &id, "revoke", reason.clone())
        .await;
    assert_eq!(revoked.json["status"], "revoked");
    t.server
        .get(&format!("/organizations/{id}"))
        .refused(404, "not_found")
        .await;

    let id = t.draft(&manager, team).await;
    t.act(&manager, &id, "dissolve")
        .json(reason)
        .expect(200)
        .await;
    t.act(&manager, &id, "submit")
        .refused(409, "move_not_allowed")
        .await;

    let own = json!({"kind": "service_centre", "name": "示例·党群中心", "region_id": t.district});
    let own = t.draft(&t.district_admin, own).await;
    t.act(&t.district_admin, &own, "submit").expect(200).await;
    let refused = t
        .review(&t.district_admin, &own, "approve", json!({}))
        .await;
    assert_eq!(refused.json["code"], "own_organization");
}

#[actix_web::test]
async fn documents_are_for_members_and_reviewers() {
    let t = town().await;
    let manager = t.server.person("示例·负责人").await;
    let id = t.draft(&manager, t.filing()).await;
    let added = t.add_charter(&manager, &id).await;
    assert_eq!(
        (added.status.as_u16(), &added.json["content_type"]),
        (201, &json!("application/pdf"))
    );
    let url = added.json["url"]
        .as_str()
        .unwrap()
        .trim_start_matches("/api/v1")
        .to_owned();
    let shown = t.server.get(&url).by(&manager).expect(200).await;
    assert!(shown.bytes.starts_with(b"%PDF"));
    t.server
        .get(&url)
        .by(&t.street_admin)
        .refused(404, "not_found")
        .await;
    let stranger = t.server.person("示例·外人").await;
    t.server
        .get(&url)
        .by(&stranger)
        .refused(404, "not_found")
        .await;
    let path = format!("/organizations/{id}/documents?kind=charter");
    t.server
        .post(&path)
        .by(&manager)
        .multipart(reqwest::multipart::Form::new().text("note", "…"))
        .refused(422, "document_missing")
        .await;
    t.server
        .call(Method::DELETE, &url)
        .by(&manager)
        .json(json!({}))
        .expect(204)
        .await;
    t.server
        .get(&url)
        .by(&manager)
        .refused(404, "not_found")
        .await;
}

#[actix_web::test]
async fn active_organisations_are_found_by_what_they_are() {
    let t = town().await;
    let (first, _) = t.active("示例·海潮志愿队").await;
    let (second, _) = t.active("示例·晨光志愿队").await;
    t.draft(
        &t.district_admin,
        json!({"kind": "alliance", "name": "示例·草稿", "region_id": t.district}),
    )
    .await;
    let list = |query: &str| t.server.get(&format!("/organizations?{query}"));
    let all = list("").expect(200).await;
    let ids: Vec<_> = all.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| o["id"].clone())
        .collect();
    assert_eq!(
        ids,
        [json!(second), json!(first)],
        "the newest first, no drafts"
    );
    let page = list("limit=1").expect(200).await;
    let next = page.json["next"].as_str().unwrap();
    let page = list(&format!("limit=1&cursor={next}")).expect(200).await;
    assert_eq!(page.json["items"][0]["id"], first);
    let found = list("text=%E6%B5%B7%E6%BD%AE&kind=volunteer_team")
        .expect(200)
        .await;
    assert_eq!(found.json["items"].as_array().unwrap().len(), 1);
    assert!(
        list("kind=filed").expect(200).await.json["items"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}
