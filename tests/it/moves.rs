//! The moves that a view lists are the caller's own: each of them can be made by the one who reads
//! it, and no other can; one that is refused by its state is answered with just these. What was made is
//! answered alike when it is asked for again. Walked for every noun over its states and the people
//! around it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use yiqilai::identity::{self, Role};
use yiqilai::platform::columns::Uid;
use yiqilai::platform::journal::{self, Actor};

use crate::harness::{Answer, Server, User};
use crate::organizations::{Town, town_with};
use crate::projects::{body, volunteer};
use crate::wishes::{Street, street_with};

/// A noun: what the journal calls it, where it is, and each move of people with the address that
/// asks for it.
struct Noun {
    name: &'static str,
    path: &'static str,
    moves: &'static [(&'static str, &'static str)],
}

impl Noun {
    fn address(&self, verb: &str) -> Option<&'static str> {
        let of_verb = self.moves.iter().find(|(known, _)| *known == verb);
        of_verb.map(|(_, address)| *address)
    }

    /// Where one asks for a move; `{of}` stands for the address of what the thing is a part of.
    fn url(&self, thing: &Thing, address: &str) -> String {
        let of = thing.shown_at[0].split("/members").next().unwrap();
        match address.contains('{') {
            true => address.replace("{of}", of).replace("{id}", &thing.id),
            false => format!("{}/{}/{address}", self.path, thing.id),
        }
    }
}

/// A thing brought to some state: its id, and where one reads it.
struct Thing {
    id: String,
    shown_at: Vec<String>,
}

struct Walk<'a> {
    server: &'a Server,
    noun: Noun,
    people: Vec<(&'static str, User)>,
    offered: BTreeSet<&'static str>,
    /// How often a move was refused by the state of the thing.
    refused: usize,
}

impl<'a> Walk<'a> {
    fn new(server: &'a Server, noun: Noun, people: &[(&'static str, &User)]) -> Self {
        let people = people.iter().map(|(name, user)| (*name, (*user).clone()));
        Self {
            server,
            noun,
            people: people.collect(),
            offered: BTreeSet::new(),
            refused: 0,
        }
    }

    /// Looks at what is offered to whom in a state, and whether that is true. `make` brings a new thing there.
    async fn state(&mut self, state: &str, make: impl AsyncFn() -> Thing) {
        let noun = &self.noun;
        let thing = make().await;
        let mut offers = Vec::new();
        for (who, person) in &self.people {
            let (offered, stands) = self.offered(person, &thing).await;
            let open: Vec<_> = offered
                .iter()
                .map(|verb| noun.address(verb).expect("a move of people"))
                .collect();
            let all: BTreeSet<_> = noun.moves.iter().map(|(_, address)| *address).collect();
            for address in all.into_iter().filter(|address| !open.contains(address)) {
                let answer = self.ask(person, &thing, address).await;
                let is_refused = matches!(answer.status.as_u16(), 403 | 404 | 409);
                let is_repeat =
                    answer.status.is_success() && self.has_made(person, &thing, address).await;
                assert!(
                    is_refused || is_repeat,
                    "{} {state}: {who} is not offered {address}, and got {}: {:#}",
                    noun.name,
                    answer.status,
                    answer.json
                );
                // what is refused by the state of something else names the moves of that
                if answer.json["state"].is_string() && answer.json["state"] == stands {
                    self.refused += 1;
                    assert_eq!(
                        answer.json["allowed"],
                        json!(offered),
                        "{} {state}: {who} is refused {address}",
                        noun.name
                    );
                }
            }
            offers.extend(offered.into_iter().map(|verb| (*who, person, verb)));
        }
        for (who, person, verb) in offers {
            let thing = make().await;
            let (verb, address) = *noun.moves.iter().find(|(known, _)| *known == verb).unwrap();
            let etag = self.version(person, &thing).await;
            let answer = self.ask_of(person, &thing, address, &etag).await;
            assert!(
                !matches!(answer.status.as_u16(), 400 | 403 | 404),
                "{} {state}: {who} is offered {verb}, and got {}: {:#}",
                noun.name,
                answer.status,
                answer.json
            );
            if answer.status.is_success() {
                // once more as it was sent, and once more by somebody who looked again
                for etag in [etag, self.version(person, &thing).await] {
                    let again = self.ask_of(person, &thing, address, &etag).await;
                    assert_eq!(
                        again.status, answer.status,
                        "{} {state}: {who} repeats {verb}: {:#}",
                        noun.name, again.json
                    );
                }
            }
            self.offered.insert(verb);
        }
    }

    /// What a person is offered, and where the thing stands; nothing where it is not shown.
    async fn offered(&self, person: &User, thing: &Thing) -> (Vec<String>, Value) {
        for path in &thing.shown_at {
            let shown = self.server.get(path).by(person).send().await.json;
            let items = shown["items"].as_array().cloned();
            let mut shown = items.unwrap_or(vec![shown]).into_iter();
            if let Some(shown) = shown.find(|item| item["id"] == json!(thing.id)) {
                let moves = shown["moves"].as_array().expect("a view of it");
                let moves = moves.iter().map(|verb| verb.as_str().unwrap().to_owned());
                return (moves.collect(), shown["status"].clone());
            }
        }
        (Vec::new(), Value::Null)
    }

    /// What a person reads as its version.
    async fn version(&self, person: &User, thing: &Thing) -> String {
        let seen = self.server.get(&thing.shown_at[0]).by(person).send().await;
        seen.header("etag").unwrap_or("\"1\"").to_owned()
    }

    async fn ask(&self, person: &User, thing: &Thing, address: &str) -> Answer {
        let etag = self.version(person, thing).await;
        self.ask_of(person, thing, address, &etag).await
    }

    async fn ask_of(&self, person: &User, thing: &Thing, address: &str, etag: &str) -> Answer {
        let path = self.noun.url(thing, address);
        let call = self.server.post(&path).by(person);
        let body = match (self.noun.name, address) {
            ("qualification" | "enrolment", "withdraw") => json!({}),
            ("enrolment", "decline") => json!({}),
            ("attendance", "excuse") => json!({"reason": "因故"}),
            ("attendance", "correct-attendance") => {
                json!({"status": "no_show", "reason": "误登"})
            }
            ("service_record", address) => of_record(address),
            _ => asked_with(address),
        };
        let call = call.header("if-match", etag).json(body);
        call.send().await
    }

    /// Whether it was this very move by this person that brought the thing to where it stands.
    async fn has_made(&self, person: &User, thing: &Thing, address: &str) -> bool {
        let (name, id) = (self.noun.name, thing.id.parse().unwrap());
        let db = &self.server.app.platform.db;
        let last = db.read(move |conn| journal::last_move(conn, name, id));
        let Some((kind, by)) = last.await.unwrap() else {
            return false;
        };
        let verb = kind.rsplit('.').next().unwrap();
        by == Actor::Account(Uid(person.id.0)) && self.noun.address(verb) == Some(address)
    }

    /// Every move of the noun was offered to somebody somewhere on the way.
    fn offered_them_all(&self) {
        let all: BTreeSet<_> = self.noun.moves.iter().map(|(verb, _)| *verb).collect();
        assert_eq!(self.offered, all, "{}", self.noun.name);
        assert!(self.refused > 0, "{}", self.noun.name);
    }
}

fn asked_with(address: &str) -> Value {
    match address {
        "plan" => json!({"plan": "每周六上午。"}),
        "resolve" => json!({"outcome": "已处理。"}),
        "report" => json!({"report": "完成", "people_served": 3, "photos": [uuid::Uuid::nil()]}),
        "withdraw" | "reject" | "release" | "dispute" | "redeliver" | "free" | "return"
        | "suspend" | "cancel" | "revoke" | "dissolve" | "send-back" | "decline" | "remove" => {
            json!({"reason": "因故"})
        }
        membership if membership.ends_with("/remove") => json!({"reason": "因故"}),
        _ => json!({}),
    }
}

/// Limits out of the way: they are no matter of who and where.
fn without_limits() -> Value {
    json!({
        "wishes": {"live_claims": 1000, "releases": 1000, "submissions_per_account": {"count": 10_000}}, "projects": {"live_claims": 1000},
        "organizations": {
            "drafts_per_founder": 1000, "invitations_per_day": 0, "invitations_received_per_day": 0,
        },
    })
}

// ---- wishes

const WISH: Noun = Noun {
    name: "wish",
    path: "/wishes",
    moves: &[
        ("submit", "submit"),
        ("publish", "publish"),
        ("reject", "reject"),
        ("revise", "revise"),
        ("withdraw", "withdraw"),
        ("claim", "claim"),
        ("deliver", "deliver"),
        ("release", "release"),
        ("confirm", "confirm"),
        ("dispute", "dispute"),
        ("reopen", "dispute"),
        ("redeliver", "redeliver"),
        ("free", "free"),
    ],
};

fn a_wish(id: String) -> Thing {
    Thing {
        shown_at: vec![format!("/wishes/{id}")],
        id,
    }
}

impl Street {
    async fn wish_in(&self, state: &str, claimant: &User) -> Thing {
        let id = match state {
            "draft" => self.draft(&self.resident, self.wish()).await,
            "submitted" => {
                let id = self.draft(&self.resident, self.wish()).await;
                self.act(&self.resident, &id, "submit").expect(200).await;
                id
            }
            "rejected" => {
                let thing = Box::pin(self.wish_in("submitted", claimant)).await;
                self.because(&self.admin, &thing.id, "reject")
                    .header("if-match", "\"2\"")
                    .expect(200)
                    .await;
                thing.id
            }
            "published" => self.published().await,
            "proxy's" => self.on_behalf().await,
            _ => {
                let id = self.published().await;
                self.act(claimant, &id, "claim").expect(200).await;
                if state == "claimed" {
                    assert_eq!(self.add_photo(claimant, &id).await.status, 201);
                } else {
                    self.deliver(claimant, &id).await;
                }
                match state {
                    "disputed" => {
                        let disputed = self.because(&self.resident, &id, "dispute");
                        disputed.expect(200).await;
                    }
                    "fulfilled" => {
                        self.act(&self.resident, &id, "confirm").expect(200).await;
                    }
                    _ => {}
                }
                id
            }
        };
        a_wish(id)
    }
}

#[actix_web::test]
async fn of_wishes() {
    let s = street_with(without_limits()).await;
    let elsewhere = Some(uuid::Uuid::now_v7());
    let elsewhere = s.server.staff("示例·别处", Role::RegionAdmin, elsewhere);
    let (elsewhere, passer_by) = (elsewhere.await, s.server.person("示例·路人").await);
    let people = [
        ("resident", &s.resident),
        ("volunteer", &s.volunteer),
        ("admin", &s.admin),
        ("worker", &s.worker),
        ("elsewhere", &elsewhere),
        ("passer-by", &passer_by),
    ];
    let mut walk = Walk::new(&s.server, WISH, &people);
    for state in [
        "draft",
        "submitted",
        "rejected",
        "published",
        "proxy's",
        "claimed",
        "delivered",
        "disputed",
        "fulfilled",
    ] {
        walk.state(state, async || s.wish_in(state, &s.volunteer).await)
            .await;
    }
    // staff whose own delivery it is
    walk.state("delivered", async || {
        s.wish_in("delivered", &s.worker).await
    })
    .await;
    walk.state("disputed", async || s.wish_in("disputed", &s.admin).await)
        .await;
    // staff whose own wish it is
    let own = async || {
        let id = s.draft(&s.admin, s.wish()).await;
        s.act(&s.admin, &id, "submit").expect(200).await;
        a_wish(id)
    };
    walk.state("submitted", own).await;
    walk.offered_them_all();

    let open = s.wish_in("published", &s.volunteer).await;
    let shown = s.server.get(&open.shown_at[0]).expect(200).await.json;
    assert_eq!(shown["moves"], json!([]), "a stranger signs in first");
    let shown = s.server.get(&open.shown_at[0]).by(&passer_by).expect(200);
    assert_eq!(shown.await.json["moves"], json!(["claim"]));
}

// ---- organisations

const ORGANIZATION: Noun = Noun {
    name: "organization",
    path: "/organizations",
    moves: &[
        ("submit", "submit"),
        ("return", "return"),
        ("revise", "revise"),
        ("approve", "approve"),
        ("suspend", "suspend"),
        ("reinstate", "reinstate"),
        ("dissolve", "dissolve"),
        ("revoke", "revoke"),
    ],
};

impl Town {
    async fn belongs(&self, who: &User, organization: &str) {
        let (who, scope) = (who.id, Some(organization.parse().unwrap()));
        let role = Role::OrganizationMember;
        self.server
            .write(move |tx| identity::grant(tx, Actor::System, who, role, scope))
            .await;
    }

    async fn organization_in(&self, state: &str, manager: &User, member: &User) -> Thing {
        let body = json!({"kind": "volunteer_team", "name": "示例·队", "region_id": self.district});
        let id = self.draft(manager, body).await;
        self.belongs(member, &id).await;
        let because = json!({"reason": "因故"});
        let steps: &[&str] = match state {
            "draft" => &[],
            "submitted" => &["submit"],
            "returned" => &["submit", "return"],
            "active" => &["submit", "approve"],
            "suspended" => &["submit", "approve", "suspend"],
            "revoked" => &["submit", "approve", "revoke"],
            _ => &["submit", "approve", "dissolve"],
        };
        for step in steps {
            let answer = match *step {
                "submit" => self.act(manager, &id, step).send().await,
                "dissolve" => {
                    let dissolved = self.act(manager, &id, step).json(because.clone());
                    dissolved.send().await
                }
                _ => {
                    let body = asked_with(step);
                    self.review(&self.district_admin, &id, step, body).await
                }
            };
            assert_eq!(answer.status, 200, "{step}: {:#}", answer.json);
        }
        Thing {
            shown_at: vec![format!("/organizations/{id}")],
            id,
        }
    }
}

#[actix_web::test]
async fn of_organisations() {
    let t = town_with(without_limits()).await;
    let manager = t.server.person("示例·负责人").await;
    let member = t.server.person("示例·成员").await;
    let passer_by = t.server.person("示例·路人").await;
    let people = [
        ("manager", &manager),
        ("member", &member),
        ("district admin", &t.district_admin),
        ("street admin", &t.street_admin),
        ("passer-by", &passer_by),
    ];
    let mut walk = Walk::new(&t.server, ORGANIZATION, &people);
    for state in [
        "draft",
        "submitted",
        "returned",
        "active",
        "suspended",
        "revoked",
        "dissolved",
    ] {
        let make = async || t.organization_in(state, &manager, &member).await;
        walk.state(state, make).await;
    }
    // staff who founded it
    let own = async || {
        t.organization_in("submitted", &t.district_admin, &member)
            .await
    };
    walk.state("submitted", own).await;
    walk.offered_them_all();
}

// ---- memberships

const MEMBERSHIP: Noun = Noun {
    name: "membership",
    path: "",
    moves: &[
        ("accept", "/me/invitations/{id}/accept"),
        ("decline", "/me/invitations/{id}/decline"),
        ("cancel", "{of}/members/{id}/cancel"),
        ("leave", "{of}/leave"),
        ("remove", "{of}/members/{id}/remove"),
    ],
};

#[actix_web::test]
async fn of_memberships() {
    let t = town_with(without_limits()).await;
    let manager = t.server.person("示例·负责人").await;
    let person = t.server.person("示例·新人").await;
    let passer_by = t.server.person("示例·路人").await;
    let people = [
        ("manager", &manager),
        ("person", &person),
        ("passer-by", &passer_by),
        ("district admin", &t.district_admin),
    ];
    let mut walk = Walk::new(&t.server, MEMBERSHIP, &people);
    let body = json!({"kind": "volunteer_team", "name": "示例·队", "region_id": t.district});
    for state in [
        "invited",
        "active",
        "declined",
        "cancelled",
        "left",
        "removed",
    ] {
        let make = async || {
            let organization = t.draft(&manager, body.clone()).await;
            let of = format!("/organizations/{organization}");
            let new = json!({"phone": person.phone, "name": "示例·新人", "role": "member"});
            let invite = t.server.post(&format!("{of}/invitations")).by(&manager);
            let id = invite.json(new).expect(201).await.id();
            let accept = format!("/me/invitations/{id}/accept");
            let leave = format!("{of}/leave");
            let (cancel, remove) = (
                format!("{of}/members/{id}/cancel"),
                format!("{of}/members/{id}/remove"),
            );
            let decline = format!("/me/invitations/{id}/decline");
            let steps: &[(&User, &String)] = match state {
                "invited" => &[],
                "active" => &[(&person, &accept)],
                "declined" => &[(&person, &decline)],
                "cancelled" => &[(&manager, &cancel)],
                "left" => &[(&person, &accept), (&person, &leave)],
                _ => &[(&person, &accept), (&manager, &remove)],
            };
            for (by, path) in steps {
                let done = t.server.post(path).by(by).json(asked_with(path));
                let done = done.send().await;
                assert!(done.status.is_success(), "{path}: {:#}", done.json);
            }
            Thing {
                id,
                shown_at: vec![
                    format!("{of}/members?status={state}"),
                    "/me/invitations".to_owned(),
                ],
            }
        };
        walk.state(state, make).await;
    }
    walk.offered_them_all();

    // who runs it may go, and send itself away
    let (id, first) = t.active("示例·志愿队").await;
    let (second, _) = t.join(&first, &id, "manager").await;
    let members = format!("/organizations/{id}/members");
    let members = t.server.get(&members).by(&second).expect(200).await.json;
    let moves: Vec<_> = members["items"].as_array().unwrap().iter().collect();
    assert_eq!(moves[0]["moves"], json!(["remove"]));
    assert_eq!(moves[1]["moves"], json!(["leave", "remove"]));
}

// ---- projects

const PROJECT: Noun = Noun {
    name: "project",
    path: "/projects",
    moves: &[
        ("submit", "submit"),
        ("return", "return"),
        ("revise", "revise"),
        ("approve", "approve"),
        ("open", "open"),
        ("suspend", "suspend"),
        ("resume", "resume"),
        ("archive", "archive"),
        ("cancel", "cancel"),
    ],
};

impl Town {
    /// A project, claimed by a person from `claimed` on.
    async fn project_in(&self, state: &str, by: &User, change: Value, claimant: &User) -> Thing {
        let mut new = body(self);
        new["allows_person"] = json!(true);
        for (key, value) in change.as_object().unwrap() {
            new[key] = value.clone();
        }
        let id = self.project(by, new).await;
        let mut claim = String::new();
        let all = [
            "submit", "approve", "open", "claim", "start", "report", "accept", "archive",
        ];
        let steps: &[&str] = match state {
            "draft" => &[],
            "submitted" => &all[..1],
            "returned" => &["submit", "return"],
            "approved" => &all[..2],
            "open" => &all[..3],
            "claimed" => &all[..4],
            "running" => &all[..5],
            "suspended" => &["submit", "approve", "open", "claim", "start", "suspend"],
            "completing" => &all[..6],
            "completed" => &all[..7],
            "archived" => &all,
            _ => &["submit", "cancel"],
        };
        for step in steps {
            let answer = match *step {
                "claim" => {
                    claim = self.claim(claimant, &id, None).expect(201).await.id();
                    continue;
                }
                "start" => {
                    let plan = self.claim_act(claimant, &claim, "plan", asked_with("plan"));
                    plan.expect(200).await;
                    let start = self.claim_act(claimant, &claim, step, json!({}));
                    start.send().await
                }
                "report" => {
                    self.report(claimant, &claim).await;
                    continue;
                }
                "accept" => self.claim_act(by, &claim, step, json!({})).send().await,
                "approve" | "return" => {
                    let reviewer = &self.district_admin;
                    let body = asked_with(step);
                    self.project_review(reviewer, &id, step, body).await
                }
                _ => {
                    let call = self.project_act(by, &id, step);
                    call.json(asked_with(step)).send().await
                }
            };
            assert_eq!(answer.status, 200, "{step}: {:#}", answer.json);
        }
        Thing {
            shown_at: vec![format!("/projects/{id}")],
            id,
        }
    }
}

#[actix_web::test]
async fn of_projects() {
    let t = town_with(without_limits()).await;
    let (organization, manager) = t.active("示例·发起方").await;
    let member = t.server.person("示例·成员").await;
    t.belongs(&member, &organization).await;
    let claimant = t.server.person("示例·居民").await;
    let people = [
        ("manager", &manager),
        ("member", &member),
        ("district admin", &t.district_admin),
        ("street admin", &t.street_admin),
        ("claimant", &claimant),
    ];
    let mut walk = Walk::new(&t.server, PROJECT, &people);
    let theirs = json!({ "organization_id": organization });
    for state in [
        "draft",
        "submitted",
        "returned",
        "approved",
        "open",
        "claimed",
        "running",
        "suspended",
        "completing",
        "completed",
        "archived",
        "cancelled",
    ] {
        let make = async || {
            t.project_in(state, &manager, theirs.clone(), &claimant)
                .await
        };
        walk.state(state, make).await;
    }
    // published by the street, whose staff do not review what they wrote
    for state in ["draft", "submitted", "open"] {
        let make = async || {
            t.project_in(state, &t.street_admin, json!({}), &claimant)
                .await
        };
        walk.state(state, make).await;
    }
    // nobody opens what opens with its batch
    let (_, batch) = t.batch().await;
    let in_batch = json!({ "batch_id": batch });
    let make = async || {
        t.project_in("approved", &t.street_admin, in_batch.clone(), &claimant)
            .await
    };
    walk.state("approved", make).await;
    walk.offered_them_all();
}

// ---- claims

const CLAIM: Noun = Noun {
    name: "project_claim",
    path: "/project-claims",
    moves: &[
        ("approve", "approve"),
        ("promote", "approve"),
        ("reject", "reject"),
        ("plan", "plan"),
        ("change_plan", "plan"),
        ("start", "start"),
        ("report", "report"),
        ("send_back", "send-back"),
        ("accept", "accept"),
        ("withdraw", "withdraw"),
        ("revoke", "revoke"),
    ],
};

fn a_claim(id: String) -> Thing {
    Thing {
        shown_at: vec![format!("/project-claims/{id}")],
        id,
    }
}

#[actix_web::test]
async fn of_claims() {
    let t = town_with(without_limits()).await;
    let (host, publisher) = t.active("示例·发起方").await;
    let (claiming, leader) = t.active("示例·甲队").await;
    let member = t.server.person("示例·成员").await;
    t.belongs(&member, &claiming).await;
    let other = t.server.person("示例·居民").await;
    let people = [
        ("publisher", &publisher),
        ("leader", &leader),
        ("member", &member),
        ("street admin", &t.street_admin),
        ("other", &other),
    ];
    let mut walk = Walk::new(&t.server, CLAIM, &people);
    let open = async |mode: &str| {
        let theirs = json!({"organization_id": host, "claim_mode": mode});
        t.project_in("open", &publisher, theirs, &other).await.id
    };
    let applied = async || {
        let project = open("reviewed").await;
        let claim = t.claim(&leader, &project, Some(&claiming)).expect(201);
        a_claim(claim.await.id())
    };
    // behind somebody who holds the only seat
    let waitlisted = async || {
        let project = open("first_come").await;
        t.claim(&other, &project, None).expect(201).await;
        let claim = t.claim(&leader, &project, Some(&claiming)).expect(201);
        a_claim(claim.await.id())
    };
    walk.state("applied", applied).await;
    walk.state("waitlisted", waitlisted).await;
    for (state, steps) in [
        ("approved", vec!["approve"]),
        ("rejected", vec!["reject"]),
        ("withdrawn", vec!["withdraw"]),
        ("revoked", vec!["revoke"]),
        ("planned", vec!["approve", "plan"]),
        ("executing", vec!["approve", "plan", "start"]),
        ("reported", vec!["approve", "plan", "start", "report"]),
        (
            "fulfilled",
            vec!["approve", "plan", "start", "report", "accept"],
        ),
    ] {
        let make = async || {
            let claim = applied().await;
            for step in &steps {
                match *step {
                    "report" => t.report(&leader, &claim.id).await,
                    step => {
                        let theirs = ["approve", "reject", "revoke", "accept"];
                        let by = if theirs.contains(&step) {
                            &publisher
                        } else {
                            &leader
                        };
                        let call = t.claim_act(by, &claim.id, step, asked_with(step));
                        call.expect(200).await;
                    }
                }
            }
            claim
        };
        walk.state(state, make).await;
    }
    // the publisher decides on no claim of its own
    let second = json!({"kind": "volunteer_team", "name": "示例·二队", "region_id": t.district});
    let second = t.draft(&publisher, second).await;
    t.act(&publisher, &second, "submit").expect(200).await;
    let approved = t.review(&t.district_admin, &second, "approve", json!({}));
    assert_eq!(approved.await.status, 200);
    let own = async || {
        let project = open("reviewed").await;
        let claim = t.claim(&publisher, &project, Some(&second)).expect(201);
        a_claim(claim.await.id())
    };
    walk.state("applied", own).await;
    walk.offered_them_all();
}

// ---- crews

const CREW_MEMBER: Noun = Noun {
    name: "crew_member",
    path: "/crew-members",
    moves: &[
        ("accept", "accept"),
        ("decline", "decline"),
        ("withdraw", "leave"),
        ("leave", "leave"),
        ("remove", "remove"),
    ],
};

#[actix_web::test]
async fn of_crew_members() {
    let t = town_with(without_limits()).await;
    let (organization, leader) = t.active("示例·甲队").await;
    let person = volunteer(&t.server, t.grid).await;
    let member = t.server.person("示例·成员").await;
    t.belongs(&member, &organization).await;
    let alone = volunteer(&t.server, t.grid).await;
    let people = [
        ("leader", &leader),
        ("person", &person),
        ("member", &member),
        ("publisher", &t.street_admin),
        ("alone", &alone),
    ];
    let mut walk = Walk::new(&t.server, CREW_MEMBER, &people);
    let place = async |state: &str, claim: &str, who: &User, leads: &User| {
        let project = t.server.get(&format!("/project-claims/{claim}"));
        let project = project.by(leads).expect(200).await.json["project_id"].clone();
        // the one without hours: the same person stands in many of them
        let role = t.role(project.as_str().unwrap(), 1).await;
        let new = json!({ "role_id": role });
        let id = t.crew(who, claim, new).expect(201).await.id();
        let steps: &[(&User, &str)] = match state {
            "applied" => &[],
            "active" => &[(leads, "accept")],
            "declined" => &[(leads, "decline")],
            "withdrawn" => &[(who, "leave")],
            "left" => &[(leads, "accept"), (who, "leave")],
            _ => &[(leads, "accept"), (leads, "remove")],
        };
        for (by, step) in steps {
            let call = t.place_act(by, &id, step).json(asked_with(step));
            call.expect(200).await;
        }
        Thing {
            id,
            shown_at: vec![
                format!("/project-claims/{claim}/crew?status={state}"),
                "/me/crews".to_owned(),
            ],
        }
    };
    for state in [
        "applied",
        "active",
        "declined",
        "withdrawn",
        "left",
        "removed",
    ] {
        let make = async || {
            let project = t.open_project(json!({})).await;
            let claim = t.claim(&leader, &project, Some(&organization)).expect(201);
            place(state, &claim.await.id(), &person, &leader).await
        };
        walk.state(state, make).await;
    }
    // who claimed as a person leads the crew, and works in it
    for state in ["applied", "active"] {
        let make = async || {
            let project = t.open_project(json!({"allows_person": true})).await;
            let claim = t.claim(&alone, &project, None).expect(201).await.id();
            place(state, &claim, &alone, &alone).await
        };
        walk.state(state, make).await;
    }
    walk.offered_them_all();
}

// ---- qualifications

const QUALIFICATION: Noun = Noun {
    name: "qualification",
    path: "/qualifications",
    moves: &[
        ("verify", "verify"),
        ("reject", "reject"),
        ("withdraw", "withdraw"),
        ("revoke", "revoke"),
    ],
};

impl Town {
    /// A certificate of a holder in some state; each bears a number of its own.
    async fn qualification_in(&self, state: &str, holder: &User, reviewer: &User) -> Thing {
        let number = uuid::Uuid::now_v7().simple().to_string();
        let body = json!({"kind": "lawyer", "number": number, "issued_on": "2020-01-01"});
        let submit = self.server.post("/me/qualifications").by(holder).json(body);
        let id = submit.expect(201).await.id();
        let steps: &[(&User, &str)] = match state {
            "submitted" => &[],
            "verified" => &[(reviewer, "verify")],
            "rejected" => &[(reviewer, "reject")],
            "revoked" => &[(reviewer, "verify"), (reviewer, "revoke")],
            _ => &[(holder, "withdraw")],
        };
        for (by, verb) in steps {
            let body = match *verb {
                "withdraw" => json!({}),
                verb => asked_with(verb),
            };
            let path = format!("/qualifications/{id}/{verb}");
            self.server.post(&path).by(by).json(body).expect(200).await;
        }
        let of_street = |status: &str| {
            let street = self.street;
            format!("/staff/qualifications?region_id={street}&status={status}&limit=100")
        };
        let states = ["submitted", "verified", "rejected", "withdrawn", "revoked"];
        let mut shown_at = vec!["/me/qualifications".to_owned()];
        shown_at.extend(states.map(of_street));
        Thing { shown_at, id }
    }
}

#[actix_web::test]
async fn of_qualifications() {
    let t = town_with(without_limits()).await;
    let holder = volunteer(&t.server, t.grid).await;
    // staff whose own it is
    let insider = t
        .server
        .staff("示例·街管", Role::RegionAdmin, Some(t.street));
    let insider = insider.await;
    let profile = json!({
        "region_id": t.grid, "introduction": "", "birth_date": null, "skills": [], "interests": [],
        "availability": [], "places": [],
    });
    let write = t.server.call(reqwest::Method::PUT, "/me/volunteer");
    write.by(&insider).json(profile).expect(200).await;
    let elsewhere = Some(uuid::Uuid::now_v7());
    let elsewhere = t.server.staff("示例·别处", Role::RegionAdmin, elsewhere);
    let (elsewhere, passer_by) = (elsewhere.await, t.server.person("示例·路人").await);
    let people = [
        ("holder", &holder),
        ("street", &t.street_admin),
        ("insider", &insider),
        ("elsewhere", &elsewhere),
        ("passer-by", &passer_by),
    ];
    let mut walk = Walk::new(&t.server, QUALIFICATION, &people);
    for state in ["submitted", "verified", "rejected", "withdrawn", "revoked"] {
        for whose in [&holder, &insider] {
            walk.state(state, async || {
                t.qualification_in(state, whose, &t.street_admin).await
            })
            .await;
        }
    }
    walk.offered_them_all();
}

// ---- activities

const ACTIVITY: Noun = Noun {
    name: "activity",
    path: "/activities",
    moves: &[
        ("publish", "publish"),
        ("submit", "publish"),
        ("approve", "approve"),
        ("return", "return"),
        ("revise", "revise"),
        ("close_enrolment", "close-enrolment"),
        ("reopen_enrolment", "reopen-enrolment"),
        ("settle", "settle"),
        ("cancel", "cancel"),
    ],
};

impl Town {
    /// An activity of an organisation in some state; where a `review` is demanded it has passed it.
    async fn activity_in(&self, state: &str, by: &User, of: &str, review: bool) -> Thing {
        let draft = self.write_activity(by, &self.own_work(of), json!({}));
        let id = draft.expect(201).await.id();
        let path = format!("/activities/{id}");
        let reviewed = async |verb: &str| {
            let seen = self.server.get(&path).by(&self.street_admin).expect(200);
            let etag = seen.await.header("etag").unwrap().to_owned();
            let call = self.activity_act(&self.street_admin, &id, verb);
            let call = call.header("if-match", &etag).json(asked_with(verb));
            call.expect(200).await;
        };
        if state != "draft" {
            self.activity_act(by, &id, "publish").expect(200).await;
        }
        match state {
            "draft" | "submitted" => {}
            "returned" => reviewed("return").await,
            _ if review => reviewed("approve").await,
            _ => {}
        }
        match state {
            "enrolment_closed" => {
                let close = self.activity_act(by, &id, "close-enrolment");
                close.expect(200).await;
            }
            "cancelled" => {
                let cancel = self.activity_act(by, &id, "cancel");
                cancel.json(asked_with("cancel")).expect(200).await;
            }
            // only the clock brings it there, and tokens do not live as long
            "ongoing" | "finished" | "settled" => {
                use diesel::prelude::*;
                use yiqilai::activities::ActivityId;
                use yiqilai::schema::activities;
                let (id, state): (ActivityId, _) = (id.parse().unwrap(), state.to_owned());
                self.server
                    .write(move |tx| {
                        let there = activities::status.eq(state.clone());
                        let row = activities::table.find(id);
                        diesel::update(row).set(there).execute(tx.conn)?;
                        Ok(())
                    })
                    .await;
            }
            _ => {}
        }
        Thing {
            shown_at: vec![path],
            id,
        }
    }
}

#[actix_web::test]
async fn of_activities() {
    let t = town_with(without_limits()).await;
    let (organization, manager) = t.active("示例·甲队").await;
    let member = t.server.person("示例·成员").await;
    t.belongs(&member, &organization).await;
    // staff who run the organisation, too
    let (insider, _) = t.join(&manager, &organization, "manager").await;
    let (id, street) = (insider.id, t.street);
    t.server
        .write(move |tx| identity::grant(tx, Actor::System, id, Role::RegionAdmin, Some(street)))
        .await;
    let elsewhere = Some(uuid::Uuid::now_v7());
    let elsewhere = t.server.staff("示例·别处", Role::RegionAdmin, elsewhere);
    let elsewhere = elsewhere.await;
    let people = [
        ("manager", &manager),
        ("member", &member),
        ("street", &t.street_admin),
        ("insider", &insider),
        ("elsewhere", &elsewhere),
    ];
    let mut walk = Walk::new(&t.server, ACTIVITY, &people);
    for review in [false, true] {
        let policy = format!("/activity-policies/{}", t.street);
        let put = t.server.call(reqwest::Method::PUT, &policy);
        let put = put.by(&t.street_admin).json(json!({ "review": review }));
        put.expect(200).await;
        let states: &[&str] = match review {
            true => &["draft", "submitted", "returned", "published"],
            false => &[
                "draft",
                "published",
                "enrolment_closed",
                "ongoing",
                "finished",
                "settled",
                "cancelled",
            ],
        };
        for state in states {
            walk.state(state, async || {
                t.activity_in(state, &manager, &organization, review).await
            })
            .await;
        }
    }
    walk.offered_them_all();
}

// ---- enrolments

const ENROLMENT: Noun = Noun {
    name: "enrolment",
    path: "/enrolments",
    moves: &[
        ("accept", "accept"),
        ("decline", "decline"),
        ("withdraw", "withdraw"),
        ("withdraw_late", "withdraw"),
        ("remove", "remove"),
    ],
};

#[actix_web::test]
async fn of_enrolments() {
    let t = town_with(without_limits()).await;
    let (organization, manager) = t.active("示例·甲队").await;
    let (other, leader) = t.active("示例·乙队").await;
    let passer_by = volunteer(&t.server, t.grid).await;
    let person = volunteer(&t.server, t.grid).await;
    t.join_as(&leader, &other, &person).await;
    let people = [
        ("manager", &manager),
        ("person", &person),
        ("leader", &leader),
        ("passer-by", &passer_by),
    ];
    let mut walk = Walk::new(&t.server, ENROLMENT, &people);
    let minute = std::sync::atomic::AtomicU32::new(0);
    for state in [
        "invited",
        "waitlisted",
        "promoted",
        "confirmed",
        "late",
        "declined",
        "withdrawn",
        "late_withdrawn",
        "removed",
    ] {
        walk.state(state, async || {
            // a few minutes of their own, so that nothing collides
            let n = minute.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let at = |minute: u32| {
                format!(
                    "2026-11-2{}T{:02}:{:02}:00Z",
                    4 + minute / 600,
                    minute % 600 / 60,
                    minute % 60
                )
            };
            let hours = if state.starts_with("late") { 720 } else { 0 };
            let change = json!({"withdrawal_hours": hours, "shifts": [
                {"name": "引导员", "seats": 1, "starts_at": at(2 * n), "ends_at": at(2 * n + 1)}]});
            let (_, shifts) = t.published(&manager, &organization, change).await;
            let shift = &shifts[0];
            let holder = match state {
                "waitlisted" | "promoted" => {
                    let holder = volunteer(&t.server, t.grid).await;
                    let seat = t.enrol(&holder, shift).expect(201).await.id();
                    Some((holder, seat))
                }
                _ => None,
            };
            let id = match state {
                "invited" | "declined" => {
                    let path = format!("/shifts/{shift}/enrolments");
                    let ask = t.server.post(&path).by(&leader);
                    ask.json(json!({"account_id": person.id})).expect(201).await
                }
                _ => t.enrol(&person, shift).expect(201).await,
            }
            .id();
            let step = match state {
                "promoted" => {
                    let (holder, seat) = holder.as_ref().unwrap();
                    t.enrolment_act(holder, seat, "withdraw").expect(200).await;
                    None
                }
                "declined" => Some((&person, "decline")),
                "withdrawn" | "late_withdrawn" => Some((&person, "withdraw")),
                "removed" => Some((&manager, "remove")),
                _ => None,
            };
            if let Some((by, verb)) = step {
                let body = match verb {
                    "remove" => asked_with(verb),
                    _ => json!({}),
                };
                t.enrolment_act(by, &id, verb).json(body).expect(200).await;
            }
            Thing {
                shown_at: vec![format!("/enrolments/{id}")],
                id,
            }
        })
        .await;
    }
    walk.offered_them_all();
}

// ---- incidents

const INCIDENT: Noun = Noun {
    name: "incident",
    path: "/incidents",
    moves: &[("acknowledge", "acknowledge"), ("resolve", "resolve")],
};

#[actix_web::test]
async fn of_incidents() {
    let t = town_with(without_limits()).await;
    let line = t.line(1, 1).await;
    let passer_by = volunteer(&t.server, t.grid).await;
    let people = [
        ("street", &t.street_admin),
        ("district", &t.district_admin),
        ("manager", &line.manager),
        ("reporter", &line.people[0]),
        ("passer-by", &passer_by),
    ];
    let mut walk = Walk::new(&t.server, INCIDENT, &people);
    for state in ["reported", "acknowledged", "resolved"] {
        walk.state(state, async || {
            let reported = t.report_incident(&line.people[0], &line.id, json!({}));
            let id = reported.expect(201).await.id();
            let steps: &[&str] = match state {
                "reported" => &[],
                "acknowledged" => &["acknowledge"],
                _ => &["acknowledge", "resolve"],
            };
            for verb in steps {
                let body = asked_with(verb);
                let done = t.incident_act(&t.street_admin, &id, verb, body);
                done.expect(200).await;
            }
            Thing {
                shown_at: vec![format!("/incidents/{id}")],
                id,
            }
        })
        .await;
    }
    walk.offered_them_all();
}

// ---- attendance

const ATTENDANCE: Noun = Noun {
    name: "attendance",
    path: "/enrolments",
    moves: &[
        ("check_in", "check-in"),
        ("check_out", "check-out"),
        ("excuse", "excuse"),
        ("correct", "correct-attendance"),
    ],
};

#[actix_web::test]
async fn of_attendance() {
    let t = town_with(without_limits()).await;
    let (organization, manager) = t.active("示例·甲队").await;
    let passer_by = volunteer(&t.server, t.grid).await;
    let person = volunteer(&t.server, t.grid).await;
    let people = [
        ("manager", &manager),
        ("person", &person),
        ("staff", &t.street_admin),
        ("passer-by", &passer_by),
    ];
    let mut walk = Walk::new(&t.server, ATTENDANCE, &people);
    // the next shifts, all within the while before one in which it is open; the clock stands still
    let minute = std::sync::atomic::AtomicU32::new(1);
    for state in [
        "expected",
        "checked_in",
        "checked_out",
        "excused",
        "no_show",
    ] {
        walk.state(state, async || {
            let n = minute.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let at = |minute: u32| format!("2026-11-23T02:{minute:02}:00Z");
            let change = json!({"shifts": [
                {"name": "引导员", "seats": 1, "starts_at": at(n), "ends_at": at(n + 1)}]});
            let (_, shifts) = t.published(&manager, &organization, change).await;
            let id = t.enrol(&person, &shifts[0]).expect(201).await.id();
            let steps: &[(&str, Value)] = match state {
                "checked_in" => &[("check-in", json!({}))],
                "checked_out" => &[("check-in", json!({})), ("check-out", json!({}))],
                "excused" => &[("excuse", json!({"reason": "因故"}))],
                "no_show" => &[
                    ("check-in", json!({})),
                    (
                        "correct-attendance",
                        json!({"status": "no_show", "reason": "误登"}),
                    ),
                ],
                _ => &[],
            };
            for (verb, body) in steps {
                let step = t.enrolment_act(&manager, &id, verb);
                step.json(body.clone()).expect(200).await;
            }
            Thing {
                shown_at: vec![format!("/enrolments/{id}/attendance")],
                id,
            }
        })
        .await;
    }
    walk.offered_them_all();
}

// ---- service records

const SERVICE_RECORD: Noun = Noun {
    name: "service_record",
    path: "/service-records",
    moves: &[
        ("confirm", "confirm"),
        ("correct", "correct"),
        ("dispute", "dispute"),
        ("agree", "agree"),
        ("keep", "keep"),
        ("appeal", "appeal"),
        ("uphold", "uphold"),
        ("dismiss", "dismiss"),
        ("void", "void"),
    ],
};

#[actix_web::test]
async fn of_service_records() {
    let t = town_with(without_limits()).await;
    let (line, ids) = t.served(&[("09:00:00", Some("09:10:00"))]).await;
    let admin = t.server.again(&t.street_admin).await;
    let passer_by = volunteer(&t.server, t.grid).await;
    let person = &line.people[0];
    let people = [
        ("manager", &line.manager),
        ("person", person),
        ("admin", &admin),
        ("passer-by", &passer_by),
    ];
    let mut walk = Walk::new(&t.server, SERVICE_RECORD, &people);
    let minute = std::sync::atomic::AtomicI64::new(0);
    for state in [
        "proposed",
        "confirmed",
        "disputed",
        "kept",
        "appealed",
        "void",
    ] {
        walk.state(state, async || {
            // a minute of its own, so that nothing collides
            let n = minute.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let id = t.proposed_minute(&ids[0], n).await;
            let steps: &[(&User, &str)] = match state {
                "confirmed" => &[(&line.manager, "confirm")],
                "disputed" => &[(person, "dispute")],
                "kept" => &[(person, "dispute"), (&line.manager, "keep")],
                "appealed" => &[
                    (person, "dispute"),
                    (&line.manager, "keep"),
                    (person, "appeal"),
                ],
                "void" => &[(&line.manager, "void")],
                _ => &[],
            };
            for (by, verb) in steps {
                let body = of_record(verb);
                t.record_act(by, &id, verb, body).expect(200).await;
            }
            Thing {
                shown_at: vec![format!("/service-records/{id}")],
                id,
            }
        })
        .await;
    }
    walk.offered_them_all();
}

/// What a move of a service record is asked for with.
fn of_record(address: &str) -> Value {
    match address {
        "confirm" => json!({}),
        "correct" | "dispute" => json!({
            "reason": "因故", "starts_at": "2026-11-28T02:30:00Z", "ends_at": "2026-11-28T02:31:00Z",
        }),
        _ => json!({"reason": "因故"}),
    }
}
