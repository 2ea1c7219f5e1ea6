//! The inbox, mail beside it, preferences and quiet hours.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;
use yiqilai::notifications::{Kind, Notice, notify};

use crate::harness::{Server, User};

pub const ADDRESS: &str = "li@example.org";

/// A person with an address that mail can go to.
pub async fn reader(server: &Server) -> User {
    let user = server.person("示例·李").await;
    server
        .post("/me/contact")
        .by(&user)
        .json(json!({"email": ADDRESS}))
        .expect(202)
        .await;
    server.work().await;
    let mail = server.mails(ADDRESS).pop().unwrap();
    let code = mail
        .split(|c: char| !c.is_ascii_digit())
        .find(|run| run.len() == 6)
        .unwrap()
        .to_owned();
    let current = server.sms(&user.phone).pop().unwrap()["params"]["code"].clone();
    let body = json!({"email": ADDRESS, "new_code": code, "current_code": current});
    server
        .post("/me/contact/confirm")
        .by(&user)
        .json(body)
        .expect(204)
        .await;
    server.work().await;
    server
        .post("/me/notifications/read")
        .by(&user)
        .expect(204)
        .await;
    user
}

async fn tell(server: &Server, user: &User, title: &'static str) {
    let to = user.id;
    server
        .write(move |tx| {
            notify(
                tx,
                &Notice::titled(to, Kind::WishFulfilled, ("wish", to.0), title),
            )
        })
        .await;
    server.work().await;
}

#[actix_web::test]
async fn a_notice_is_in_the_inbox_and_in_the_mail_in_the_readers_language() {
    let server = Server::start().await;
    let user = reader(&server).await;
    let me = server.get("/me").by(&user).expect(200).await;
    server
        .call(Method::PATCH, "/me")
        .by(&user)
        .header("if-match", me.header("etag").unwrap())
        .json(json!({"language": "zh-CN"}))
        .expect(200)
        .await;
    let before = server.mails(ADDRESS).len();
    tell(&server, &user, "一台收音机").await;
    let unread = server
        .get("/me/notifications/unread")
        .by(&user)
        .expect(200)
        .await;
    assert_eq!(unread.json["unread"], 1);
    let inbox = server
        .get("/me/notifications?unread=true")
        .by(&user)
        .expect(200)
        .await
        .json;
    let notice = &inbox["items"][0];
    assert_eq!(notice["kind"], "wish_fulfilled");
    assert_eq!(
        notice["text"], "The wish \"一台收音机\" was confirmed. Thank you!",
        "asked for in English"
    );
    let mails = server.mails(ADDRESS);
    assert_eq!(mails.len(), before + 1);
    assert!(
        mails[before].contains("微心愿“一台收音机”已确认达成"),
        "{}",
        mails[before]
    );

    let id = notice["id"].as_str().unwrap();
    let other = server.person("示例·赵").await;
    server
        .post(&format!("/me/notifications/{id}/read"))
        .by(&other)
        .refused(404, "not_found")
        .await;
    server
        .post(&format!("/me/notifications/{id}/read"))
        .by(&user)
        .expect(204)
        .await;
    assert_eq!(
        server
            .get("/me/notifications/unread")
            .by(&user)
            .expect(200)
            .await
            .json["unread"],
        0
    );
    for title in ["甲", "乙", "丙"] {
        tell(&server, &user, title).await;
    }
    let page = server
        .get("/me/notifications?limit=2")
        .by(&user)
        .expect(200)
        .await
        .json;
    let next = page["next"].as_str().unwrap();
    let rest = server
        .get(&format!("/me/notifications?limit=2&cursor={next}"))
        .by(&user)
        .expect(200)
        .await
        .json;
    assert_eq!(rest["items"].as_array().unwrap().len(), 2);
    server
        .post("/me/notifications/read")
        .by(&user)
        .expect(204)
        .await;
    assert_eq!(
        server
            .get("/me/notifications/unread")
            .by(&user)
            .expect(200)
            .await
            .json["unread"],
        0
    );
}

/// Mail that waits goes to the address of the day on which it leaves.
#[actix_web::test]
async fn mail_that_waits_follows_its_person() {
    let server = Server::start().await;
    let user = reader(&server).await;
    let quiet = json!({"preferences": [], "quiet_hours": {"from_minute": 540, "to_minute": 610}});
    let set = server.call(Method::PUT, "/me/notification-settings");
    set.by(&user).json(quiet).expect(200).await;
    let before = server.mails(ADDRESS).len();
    tell(&server, &user, "收音机").await;
    let new = "moved@example.org";
    let moved = server.move_to(&user, "email", new, ADDRESS).await;
    moved.expect(204).await;
    server.work().await;
    let about = |mails: Vec<String>| mails.iter().filter(|mail| mail.contains("收音机")).count();
    assert_eq!(about(server.mails(new)), 0);
    server.pass(TimeDelta::minutes(11)).await;
    assert_eq!(about(server.mails(new)), 1);
    let old = server.mails(ADDRESS).split_off(before);
    assert_eq!(about(old), 0);
}

#[actix_web::test]
async fn mail_waits_for_the_end_of_quiet_hours_and_stops_when_it_is_not_wanted() {
    let server = Server::start().await;
    let user = reader(&server).await;
    let set = |body: serde_json::Value| {
        server
            .call(Method::PUT, "/me/notification-settings")
            .by(&user)
            .json(body)
    };
    // it is 10:00 in Ningbo; quiet until 11:00
    set(json!({"preferences": [], "quiet_hours": {"from_minute": 540, "to_minute": 660}}))
        .expect(200)
        .await;
    set(json!({"preferences": [], "quiet_hours": {"from_minute": 540, "to_minute": 1440}}))
        .refused(422, "invalid")
        .await;
    let before = server.mails(ADDRESS).len();
    tell(&server, &user, "收音机").await;
    assert_eq!(server.mails(ADDRESS).len(), before);
    server.pass(TimeDelta::minutes(59)).await;
    assert_eq!(server.mails(ADDRESS).len(), before);
    server.pass(TimeDelta::minutes(2)).await;
    assert_eq!(server.mails(ADDRESS).len(), before + 1);

    // the token has expired meanwhile
    let tokens = server
        .post("/auth/refresh")
        .json(json!({"refresh_token": user.refresh}))
        .expect(200)
        .await
        .json;
    let user = User {
        token: tokens["access_token"].as_str().unwrap().to_owned(),
        ..user
    };
    let off =
        json!({"preferences": [{"kind": "wish_fulfilled", "mail": false}], "quiet_hours": null});
    let settings = server
        .call(Method::PUT, "/me/notification-settings")
        .by(&user)
        .json(off)
        .expect(200)
        .await
        .json;
    assert!(settings["quiet_hours"].is_null());
    tell(&server, &user, "轮椅").await;
    assert_eq!(server.mails(ADDRESS).len(), before + 1);
    let inbox = server
        .get("/me/notifications")
        .by(&user)
        .expect(200)
        .await
        .json;
    assert_eq!(
        inbox["items"].as_array().unwrap().len(),
        3,
        "the inbox has everything"
    );
    let settings = server
        .get("/me/notification-settings")
        .by(&user)
        .expect(200)
        .await
        .json;
    let kinds = settings["preferences"].as_array().unwrap();
    assert!(
        kinds
            .iter()
            .all(|k| (k["mail"] == false) == (k["kind"] == "wish_fulfilled"))
    );
}

/// Where there is an app, a mail ends with a link to the page of what it tells about; a mail with a
/// code stays as it is.
#[actix_web::test]
async fn mails_link_to_the_app() {
    let app = json!({"mail": {"app_url": "https://app.example.org/"}});
    let server = Server::start_with(app).await;
    let user = reader(&server).await;
    let code = server.mails(ADDRESS).pop().unwrap();
    assert!(!code.contains("https://"), "{code}");
    tell(&server, &user, "一台收音机").await;
    let mail = server.mails(ADDRESS).pop().unwrap();
    let link = format!("https://app.example.org/wishes/{}", user.id);
    assert!(mail.trim_end().ends_with(&link), "{mail}");

    let server = Server::start().await;
    let user = reader(&server).await;
    tell(&server, &user, "一台收音机").await;
    let mail = server.mails(ADDRESS).pop().unwrap();
    assert!(!mail.contains("://"), "{mail}");
}

#[actix_web::test]
async fn settings_left_out_stay_and_a_waiting_mail_is_not_sent_when_it_is_unwanted_by_then() {
    let server = Server::start().await;
    let user = reader(&server).await;
    let set = |body: serde_json::Value| {
        let call = server.call(Method::PUT, "/me/notification-settings");
        call.by(&user).json(body).expect(200)
    };
    // it is 10:00 in Ningbo; quiet until 10:10
    let quiet = json!({"from_minute": 540, "to_minute": 610});
    set(json!({ "quiet_hours": quiet })).await;
    let before = server.mails(ADDRESS).len();
    tell(&server, &user, "收音机").await;
    let off = json!({"preferences": [{"kind": "wish_fulfilled", "mail": false}]});
    let kept = set(off).await.json;
    assert_eq!(kept["quiet_hours"], quiet);
    server.pass(TimeDelta::minutes(11)).await;
    assert_eq!(server.mails(ADDRESS).len(), before);
    let none = set(json!({"quiet_hours": null})).await.json;
    assert!(none["quiet_hours"].is_null());
}
