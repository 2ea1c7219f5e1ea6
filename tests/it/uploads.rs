//! Files that are sent: kept by whom they may be, as many as there may be, and gone when nothing
//! refers to them any more.

use chrono::TimeDelta;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use yiqilai::error::{Code, Result};
use yiqilai::platform::db::Tx;
use yiqilai::platform::files::{self, FileError, FileStore, Incoming, StoredDocument};
use yiqilai::platform::http::upload::{self, Upload};

use crate::harness::{Answer, Server, User};
use crate::organizations::{Town, town, town_with};
use crate::wishes::street_with;

/// A document that no other test has.
fn document(words: &str) -> Vec<u8> {
    format!("%PDF-1.4\n1 0 obj <</Title ({words})>> endobj\ntrailer <<>>\n%%EOF").into_bytes()
}

fn as_form(bytes: Vec<u8>) -> Form {
    Form::new().part("document", Part::bytes(bytes).file_name("charter.pdf"))
}

/// A picture of one shade.
fn picture(shade: u8) -> Vec<u8> {
    let picture = image::RgbImage::from_pixel(36, 24, image::Rgb([shade, 7, 77]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::DynamicImage::ImageRgb8(picture)
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

fn as_photo(bytes: Vec<u8>) -> Form {
    Form::new().part("photo", Part::bytes(bytes).file_name("photo.png"))
}

impl Server {
    async fn has(&self, keys: &[String]) -> bool {
        let mut found = Vec::new();
        for key in keys {
            match self.app.platform.files.get(key).await {
                Ok(_) => found.push(true),
                Err(FileError::NotFound) => found.push(false),
                Err(error) => panic!("{error}"),
            }
        }
        assert!(found.iter().all(|is_there| *is_there == found[0]));
        found[0]
    }

    fn keys_of(&self, document: &[u8]) -> Vec<String> {
        let looked = self.app.platform.files.document(document.to_vec());
        looked.unwrap().keys()
    }

    async fn keys_of_photo(&self, photo: &[u8]) -> Vec<String> {
        let looked = self.app.platform.files.photo(photo.to_vec()).await;
        looked.unwrap().keys()
    }
}

impl Town {
    async fn add(&self, by: &User, id: &str, document: &[u8]) -> Answer {
        let path = format!("/organizations/{id}/documents?kind=other");
        let call = self.server.post(&path).by(by);
        call.multipart(as_form(document.to_vec())).send().await
    }

    async fn delete(&self, by: &User, added: &Answer) {
        let url = added.json["url"].as_str().unwrap();
        let url = url.trim_start_matches("/api/v1");
        let call = self.server.call(reqwest::Method::DELETE, url).by(by);
        call.json(json!({})).expect(204).await;
    }

    async fn team(&self, by: &User) -> String {
        let team = json!({"kind": "volunteer_team", "name": "示例·队", "region_id": self.district});
        self.draft(by, team).await
    }
}

#[actix_web::test]
async fn nothing_is_stored_for_those_who_may_not() {
    let t = town().await;
    let (id, manager) = t.active("示例·志愿队").await;
    let stranger = t.server.person("示例·外人").await;
    let sent = document("not theirs");
    assert_eq!(t.add(&stranger, &id, &sent).await.status, 403);
    assert!(!t.server.has(&t.server.keys_of(&sent)).await);
    assert_eq!(t.add(&manager, &id, &sent).await.status, 201);
    assert!(t.server.has(&t.server.keys_of(&sent)).await);
    let reason = json!({"reason": "不再活动"});
    t.act(&manager, &id, "dissolve")
        .json(reason)
        .expect(200)
        .await;
    let late = document("too late");
    let refused = t.add(&manager, &id, &late).await;
    assert_eq!(refused.json["code"], "organization_not_active");
    assert!(!t.server.has(&t.server.keys_of(&late)).await);

    let (claiming, leader) = t.active("示例·甲队").await;
    let project = t.open_project(json!({})).await;
    let claim = t.claim(&leader, &project, Some(&claiming)).expect(201);
    let path = format!("/project-claims/{}/photos", claim.await.id());
    let photo = picture(1);
    let call = t.server.post(&path).by(&stranger);
    let call = call.multipart(as_photo(photo.clone()));
    call.refused(403, "forbidden").await;
    assert!(!t.server.has(&t.server.keys_of_photo(&photo).await).await);

    let s = street_with(json!({})).await;
    let wish = s.published().await;
    s.act(&s.volunteer, &wish, "claim").expect(200).await;
    let path = format!("/wishes/{wish}/evidence");
    let call = s.server.post(&path).by(&s.resident);
    let call = call.multipart(as_photo(photo.clone()));
    call.refused(403, "forbidden").await;
    assert!(!s.server.has(&s.server.keys_of_photo(&photo).await).await);
}

/// What was sent, without HTTP around it.
struct Sent(Vec<u8>);

impl Upload for Sent {
    type Stored = StoredDocument;

    async fn look(self, files: &FileStore) -> Result<Incoming<StoredDocument>> {
        Ok(files.document(self.0)?)
    }
}

/// An upload whose row cannot be written although it might be.
async fn fails(server: &Server, sent: &[u8]) {
    let (platform, sent) = (&server.app.platform, Sent(sent.to_vec()));
    let refuse = |_: &mut Tx<'_>, _: &StoredDocument| Err::<(), _>(Code::Forbidden.into());
    let kept = upload::keep(platform, sent, |_, _| Ok(()), refuse).await;
    assert_eq!(kept.unwrap_err().code(), Code::Forbidden);
}

#[actix_web::test]
async fn what_no_row_refers_to_goes_and_what_is_shared_stays() {
    let t = town().await;
    let server = &t.server;
    let founder = server.person("示例·发起人").await;
    let (one, other) = (t.team(&founder).await, t.team(&founder).await);
    let sent = document("shared");
    let keys = server.keys_of(&sent);

    fails(server, &sent).await;
    assert!(server.has(&keys).await, "an effect leaves by the outbox");
    server.work().await;
    assert!(!server.has(&keys).await);

    let first = t.add(&founder, &one, &sent).await;
    fails(server, &sent).await;
    server.work().await;
    assert!(server.has(&keys).await, "another row refers to it");

    let second = t.add(&founder, &other, &sent).await;
    t.delete(&founder, &first).await;
    server.work().await;
    assert!(server.has(&keys).await);
    let url = second.json["url"].as_str().unwrap();
    let url = url.trim_start_matches("/api/v1");
    let shown = server.get(url).by(&founder).expect(200).await;
    assert_eq!(shown.bytes, sent);
    t.delete(&founder, &second).await;
    server.work().await;
    assert!(!server.has(&keys).await, "the last one is gone");

    // deleted and added again before the worker comes
    let third = t.add(&founder, &one, &sent).await;
    t.delete(&founder, &third).await;
    assert_eq!(t.add(&founder, &other, &sent).await.status, 201);
    server.work().await;
    assert!(server.has(&keys).await);
}

/// The photos of claims and deliveries keep their files as documents do, thumbnails included.
#[actix_web::test]
async fn photos_keep_their_files() {
    let t = town().await;
    let (claiming, leader) = t.active("示例·甲队").await;
    let project = t.open_project(json!({})).await;
    let claim = t.claim(&leader, &project, Some(&claiming)).expect(201);
    let path = format!("/project-claims/{}/photos", claim.await.id());
    // large enough for a thumbnail of its own
    let large =
        image::RgbImage::from_fn(700, 500, |x, y| image::Rgb([(x % 251) as u8, y as u8, 9]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::DynamicImage::ImageRgb8(large)
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    let bytes = bytes.into_inner();
    let keys = t.server.keys_of_photo(&bytes).await;
    assert_eq!(keys.len(), 2);
    let call = t.server.post(&path).by(&leader);
    call.multipart(as_photo(bytes.clone())).expect(201).await;
    ask_to_remove(&t.server, &keys).await;
    assert!(t.server.has(&keys).await);

    let s = street_with(json!({})).await;
    let wish = s.published().await;
    s.act(&s.volunteer, &wish, "claim").expect(200).await;
    let path = format!("/wishes/{wish}/evidence");
    let call = s.server.post(&path).by(&s.volunteer);
    call.multipart(as_photo(bytes)).expect(201).await;
    ask_to_remove(&s.server, &keys).await;
    assert!(s.server.has(&keys).await);
}

async fn ask_to_remove(server: &Server, keys: &[String]) {
    let asked = keys.to_vec();
    server
        .write(move |tx| {
            asked
                .iter()
                .try_for_each(|key| files::remove_later(tx, key))
        })
        .await;
    server.work().await;
}

#[actix_web::test]
async fn no_file_is_stored_and_removed_at_once() {
    let t = town().await;
    let server = &t.server;
    let founder = server.person("示例·发起人").await;
    let id = t.team(&founder).await;
    let sent = document("between");
    let keys = server.keys_of(&sent);

    // it is on its way out of the store
    let going = keys[0].clone();
    let began = server.write(move |tx| files::begin_removal(tx, &going, &[]));
    assert!(began.await);
    let refused = t.add(&founder, &id, &sent).await;
    assert_eq!(
        (refused.status.as_u16(), refused.header("retry-after")),
        (503, Some("1"))
    );
    assert!(!server.has(&keys).await);
    // whoever removed it died; after a day another goes on
    server.pass(TimeDelta::hours(25)).await;
    let founder = server.again(&founder).await;
    assert_eq!(t.add(&founder, &id, &sent).await.status, 201);

    // it is on its way into the store
    let sent = document("into");
    let keys = server.keys_of(&sent);
    let coming = keys.clone();
    let upload = server.write(move |tx| files::begin(tx, &coming)).await;
    let stored = server.app.platform.files.put_document(sent.clone()).await;
    stored.unwrap();
    ask_to_remove(server, &keys).await;
    assert!(server.has(&keys).await);
    // whoever sent it died
    server.pass(TimeDelta::hours(25)).await;
    assert!(!server.has(&keys).await);
    let db = &server.app.platform.db;
    let late = db.write(move |tx| files::settle(tx, upload)).await;
    assert_eq!(late.unwrap_err().code(), Code::Overloaded);
}

#[actix_web::test]
async fn there_is_an_end_to_files() {
    let settings = json!({"organizations": {"documents": 1}, "projects": {"photos_in_hand": 1}});
    let t = town_with(settings).await;
    let founder = t.server.person("示例·发起人").await;
    let id = t.team(&founder).await;
    let first = t.add(&founder, &id, &document("first")).await;
    assert_eq!(first.status, 201, "{:#}", first.json);
    let second = document("second");
    let refused = t.add(&founder, &id, &second).await;
    assert_eq!(refused.json["code"], "too_many_files");
    assert!(!t.server.has(&t.server.keys_of(&second)).await);
    t.delete(&founder, &first).await;
    let (a, b) = (document("a"), document("b"));
    let (a, b) = tokio::join!(t.add(&founder, &id, &a), t.add(&founder, &id, &b));
    let mut outcomes = [a.status.as_u16(), b.status.as_u16()];
    outcomes.sort_unstable();
    assert_eq!(outcomes, [201, 409], "{:#} {:#}", a.json, b.json);

    let (claiming, leader) = t.active("示例·甲队").await;
    let project = t.open_project(json!({})).await;
    let claim = t.claim(&leader, &project, Some(&claiming)).expect(201);
    let claim = claim.await.id();
    let path = format!("/project-claims/{claim}/photos");
    let add = |shade: u8| {
        let call = t.server.post(&path).by(&leader);
        call.multipart(as_photo(picture(shade)))
    };
    let photo = add(10).expect(201).await.id();
    add(11).refused(409, "too_many_files").await;
    let progress = json!({"body": "第一次活动已经开展。", "photos": [photo]});
    let call = t.claim_act(&leader, &claim, "progress", progress);
    call.expect(201).await;
    add(11).expect(201).await;

    let s = street_with(json!({"wishes": {"photos_per_delivery": 1}})).await;
    let wish = s.published().await;
    s.act(&s.volunteer, &wish, "claim").expect(200).await;
    let path = format!("/wishes/{wish}/evidence");
    let add = |shade: u8| {
        let call = s.server.post(&path).by(&s.volunteer);
        call.multipart(as_photo(picture(shade)))
    };
    add(20).expect(201).await;
    add(200).refused(409, "too_many_files").await;
    s.act(&s.volunteer, &wish, "deliver").expect(200).await;
    s.because(&s.resident, &wish, "dispute").expect(200).await;
    // what was added up to this moment shows another delivery
    s.server.app.platform.clock.advance(TimeDelta::seconds(1));
    let redeliver: Value = s.because(&s.admin, &wish, "redeliver").send().await.json;
    assert_eq!(redeliver["status"], "claimed", "{redeliver:#}");
    add(200).expect(201).await;
}
