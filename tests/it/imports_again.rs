//! Imports and what people did here: an account, a profile, an edit is theirs.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use yiqilai::identity::Role;

use crate::harness::{Answer, Server, User};
use crate::imports::{Files, ORGANIZATIONS, VOLUNTEERS, WISHES, counts};

/// What a report says first.
fn first_error(report: &Answer) -> (&Value, &Value) {
    let error = &report.json["errors"][0];
    (&error["field"], &error["code"])
}

/// Signs in with a phone that an import knows.
async fn owner_of(server: &Server, phone: &str, anybody: &User) -> User {
    let theirs = User {
        phone: phone.to_owned(),
        ..anybody.clone()
    };
    server.again(&theirs).await
}

/// The person with this phone, after accepting the one invitation it has.
async fn manager_of(server: &Server, phone: &str, anybody: &User) -> User {
    let manager = owner_of(server, phone, anybody).await;
    let invited = server.get("/me/invitations").by(&manager).expect(200).await;
    let invitations = invited.json["items"].as_array().unwrap();
    assert_eq!(invitations.len(), 1, "once: {:#}", invited.json);
    let accept = format!(
        "/me/invitations/{}/accept",
        invitations[0]["id"].as_str().unwrap()
    );
    server.post(&accept).by(&manager).expect(200).await;
    manager
}

#[actix_web::test]
async fn a_profile_is_its_persons_own() {
    let server = Server::start().await;
    let (_, _, grid) = crate::regions::three_levels(&server).await;
    let admin = server.staff("管理员", Role::PlatformAdmin, None).await;
    let (resident, volunteer) = (server.person("居民").await, server.person("志愿者").await);
    let written = json!({"region_id": grid, "introduction": "自己写的。", "skills": [],
        "interests": [], "availability": [], "places": []});
    let write = |by: &User, etag: Option<&str>| {
        let call = server.call(Method::PUT, "/me/volunteer").by(by);
        let call = call.json(written.clone());
        match etag {
            Some(etag) => call.header("if-match", etag),
            None => call,
        }
    };
    write(&volunteer, None).expect(200).await;
    let files = Files { server: &server };
    let mapping = VOLUNTEERS.replace(
        "birth_date =",
        "introduction = { column = \"简介\" }\nemail = { column = \"邮箱\" }\nbirth_date =",
    );
    let table = |resident: &str, said: &str| {
        format!(
            "编号,姓名,手机,邮箱,出生日期,技能,简介\n\
             1,新来的,13900000011,,1990-01-01,急救,{said}\n\
             2,居民,{resident},,1990-01-01,急救,\n\
             3,志愿者,{},,1990-01-01,急救,\n\
             4,没动过,13900000012,somebody@example.org,1990-01-01,急救,{said}\n\
             5,同一邮箱,13900000013,somebody@example.org,1990-01-01,急救,\n",
            volunteer.phone
        )
    };
    let run = |text: String| files.post(&admin, "target=volunteers", text, &mapping);
    let first = run(table(&resident.phone, "一")).expect(201).await;
    assert_eq!(counts(&first.json), [2, 0, 0, 3], "{:#}", first.json);
    let refused = first.json["errors"].as_array().unwrap().iter();
    let refused = refused
        .map(|e| (e["column"].as_str().unwrap(), e["code"].as_str().unwrap()))
        .collect::<Vec<_>>();
    assert_eq!(
        refused,
        [
            ("手机", "account_exists"),
            ("手机", "profile_exists"),
            ("邮箱", "profile_exists")
        ]
    );
    let me = server.get("/me/volunteer");
    me.by(&resident).refused(404, "not_found").await;

    // the person signs in and writes the profile; the source changes its row, too
    let new = owner_of(&server, "+8613900000011", &admin).await;
    let imported = server.get("/me/volunteer").by(&new).expect(200).await;
    assert_eq!(imported.json["introduction"], "一");
    write(&new, imported.header("etag")).expect(200).await;
    let second = run(table(&resident.phone, "二")).expect(201).await;
    assert_eq!(counts(&second.json), [0, 1, 0, 4], "{:#}", second.json);
    assert_eq!(second.json["errors"][0]["code"], "changed_here");
    let kept = server.get("/me/volunteer").by(&new).expect(200).await;
    assert_eq!(
        (&kept.json["introduction"], &kept.json["skills"]),
        (&json!("自己写的。"), &json!([]))
    );
    let untouched = owner_of(&server, "+8613900000012", &admin).await;
    let updated = server.get("/me/volunteer").by(&untouched).expect(200).await;
    assert_eq!(updated.json["introduction"], "二");

    // the same as the first time is what the source said last of the first row only
    let third = run(table(&resident.phone, "二")).expect(201).await;
    assert_eq!(counts(&third.json), [0, 0, 1, 4], "{:#}", third.json);
}

const REGIONS: &str = r#"
source = "the names"
external_id = "code"
[fields]
code = { column = "code" }
name = { column = "name" }
level = { column = "level" }
parent = { column = "parent" }
"#;

/// A region may be there already, from another source: a row is counted by what became of the region.
#[actix_web::test]
async fn a_row_is_counted_by_what_became_of_its_region() {
    let server = Server::start().await;
    crate::regions::three_levels(&server).await;
    let admin = server.staff("管理员", Role::PlatformAdmin, None).await;
    let files = Files { server: &server };
    let text = "code,name,level,parent\n\
        330206,北仑区,district,\n\
        330206002,新碶,street,330206\n\
        330206002-C2,新碶示例二社区,community,330206002\n";
    for query in ["target=regions&dry_run=true", "target=regions"] {
        let report = files.post(&admin, query, text, REGIONS).send().await.json;
        assert_eq!(counts(&report), [1, 1, 1, 0], "{query}: {report:#}");
    }
    let written = server.app.platform.db.read(|conn| {
        use diesel::prelude::*;
        use yiqilai::schema::journal;
        let written = journal::table.filter(journal::kind.eq("region.updated"));
        let count: i64 = written.count().get_result(conn)?;
        Ok(count)
    });
    assert_eq!(written.await.unwrap(), 1, "what is known is not written");
    let again = files.post(&admin, "target=regions", text, REGIONS);
    assert_eq!(counts(&again.expect(201).await.json), [0, 0, 3, 0]);

    // a half of a centre is no more right for a region that is known
    let map = format!("{REGIONS}longitude = {{ column = \"east\" }}\n");
    let text = "code,name,level,parent,east\n330206,北仑区,district,,121.84\n";
    let half = files.post(&admin, "target=regions", text, &map);
    let half = half.expect(201).await;
    assert_eq!(first_error(&half), (&json!("latitude"), &json!("required")));
    assert_eq!(half.json["errors"][0]["column"], Value::Null);
}

#[actix_web::test]
async fn an_organisation_edited_here_is_not_written_over() {
    let server = Server::start().await;
    crate::regions::three_levels(&server).await;
    let admin = server.staff("管理员", Role::PlatformAdmin, None).await;
    let files = Files { server: &server };
    let map = format!("{ORGANIZATIONS}introduction = {{ column = \"about\" }}\n");
    let run = |about: &str| {
        let text =
            format!("code,name,phone,about\n51330206MJ88990059,示例社,13900000021,{about}\n");
        files.post(&admin, "target=organizations", text, &map)
    };
    let first = run("一").expect(201).await;
    assert_eq!(counts(&first.json), [1, 0, 0, 0], "{:#}", first.json);
    let second = run("二").expect(201).await;
    assert_eq!(counts(&second.json), [0, 1, 0, 0], "{:#}", second.json);

    let listed = server.get("/organizations").expect(200).await;
    let path = format!(
        "/organizations/{}",
        listed.json["items"][0]["id"].as_str().unwrap()
    );
    let manager = manager_of(&server, "+8613900000021", &admin).await;
    let seen = server.get(&path).by(&manager).expect(200).await;
    assert_eq!(seen.json["introduction"], "二");
    let edit = server.call(Method::PATCH, &path).by(&manager);
    edit.header("if-match", seen.header("etag").unwrap())
        .json(json!({"introduction": "自己写的。"}))
        .expect(200)
        .await;
    let third = run("三").expect(201).await;
    assert_eq!(counts(&third.json), [0, 0, 0, 1], "{:#}", third.json);
    assert_eq!(third.json["errors"][0]["code"], "changed_here");
    let kept = server.get(&path).expect(200).await;
    assert_eq!(kept.json["introduction"], "自己写的。");
    let same = run("二").expect(201).await;
    assert_eq!(counts(&same.json), [0, 0, 1, 0], "{:#}", same.json);
}

const PROJECTS: &str = r#"
source = "plans"
external_id = "nr"
[fields]
title = { column = "title" }
field = { constant = "daily_life" }
life_cycle = { constant = "support" }
starts_on = { constant = "2069-01-01" }
region = { constant = "330206" }
risk_notice = { constant = "注意安全" }
status = { column = "status" }
"#;

#[actix_web::test]
async fn a_project_edited_or_cancelled_here_is_not_written_over() {
    let server = Server::start().await;
    let (district, ..) = crate::regions::three_levels(&server).await;
    let publisher = server.staff("区", Role::RegionAdmin, Some(district)).await;
    let admin = server.staff("管理员", Role::PlatformAdmin, None).await;
    let files = Files { server: &server };
    let run = |title: &str| {
        let text = format!("nr,title,status\n1,草稿{title},draft\n2,公开{title},open\n");
        files.post(&admin, "target=projects", text, PROJECTS)
    };
    let first = run("一").expect(201).await;
    assert_eq!(counts(&first.json), [2, 0, 0, 0], "{:#}", first.json);
    server.work().await;
    let second = run("二").expect(201).await;
    assert_eq!(counts(&second.json), [0, 2, 0, 0], "{:#}", second.json);

    use diesel::prelude::*;
    use yiqilai::projects::ProjectId;
    use yiqilai::schema::projects;
    let rows = server.app.platform.db.read(|conn| {
        let rows: Vec<(ProjectId, String)> = projects::table
            .select((projects::id, projects::title))
            .order(projects::id)
            .load(conn)?;
        Ok(rows)
    });
    let rows = rows.await.unwrap();
    assert_eq!(
        (rows[0].1.as_str(), rows[1].1.as_str()),
        ("草稿二", "公开二")
    );
    let path = format!("/projects/{}", rows[0].0);
    let seen = server.get(&path).by(&publisher).expect(200).await;
    let edit = server.call(Method::PATCH, &path).by(&publisher);
    edit.header("if-match", seen.header("etag").unwrap())
        .json(json!({"title": "自己改的"}))
        .expect(200)
        .await;
    let third = run("三").expect(201).await;
    assert_eq!(counts(&third.json), [0, 1, 0, 1], "{:#}", third.json);
    assert_eq!(third.json["errors"][0]["code"], "changed_here");
    let kept = server.get(&path).by(&admin).expect(200).await;
    assert_eq!(kept.json["title"], "自己改的");

    let cancel = format!("/projects/{}/cancel", rows[1].0);
    let seen = format!("/projects/{}", rows[1].0);
    let seen = server.get(&seen).by(&publisher).expect(200).await;
    let cancel = server.post(&cancel).by(&publisher);
    cancel
        .header("if-match", seen.header("etag").unwrap())
        .json(json!({"reason": "台风"}))
        .expect(200)
        .await;
    let fourth = run("四").expect(201).await;
    assert_eq!(counts(&fourth.json), [0, 0, 0, 2], "{:#}", fourth.json);
}

#[actix_web::test]
async fn what_is_open_stays_complete() {
    let server = Server::start().await;
    crate::regions::three_levels(&server).await;
    let admin = server.staff("管理员", Role::PlatformAdmin, None).await;
    let files = Files { server: &server };
    let run = |map: &str, status: &str| {
        let text = format!("nr,title,status\n1,公开,{status}\n");
        files.post(&admin, "target=projects", text, map)
    };
    let first = run(PROJECTS, "open").expect(201).await;
    assert_eq!(counts(&first.json), [1, 0, 0, 0], "{:#}", first.json);
    let over = PROJECTS.replace("2069-01-01", "2011-01-01");
    let second = run(&over, "draft").expect(201).await;
    assert_eq!(
        first_error(&second),
        (&json!("ends_on"), &json!("in_the_past"))
    );
}

#[actix_web::test]
async fn a_wish_edited_here_is_not_written_over() {
    let server = Server::start().await;
    crate::regions::three_levels(&server).await;
    let admin = server.staff("管理员", Role::PlatformAdmin, None).await;
    let files = Files { server: &server };
    let map = WISHES.replace("constant = \"published\"", "constant = \"draft\"");
    let run = |title: &str| {
        let text = format!(
            "nr,title,value,alias,name,phone,address\n1,想要轮椅{title},100,王奶奶,王某,13900000003,一号楼\n"
        );
        files.post(&admin, "target=wishes", text, &map)
    };
    let first = run("一").expect(201).await;
    assert_eq!(counts(&first.json), [1, 0, 0, 0], "{:#}", first.json);
    let second = run("二").expect(201).await;
    assert_eq!(counts(&second.json), [0, 1, 0, 0], "{:#}", second.json);

    use diesel::prelude::*;
    use yiqilai::schema::wishes;
    use yiqilai::wishes::WishId;
    let id = server.app.platform.db.read(|conn| {
        let id: WishId = wishes::table.select(wishes::id).first(conn)?;
        Ok(id)
    });
    let path = format!("/wishes/{}", id.await.unwrap());
    let seen = server.get(&path).by(&admin).expect(200).await;
    assert_eq!(seen.json["title"], "想要轮椅二");
    let edit = server.call(Method::PATCH, &path).by(&admin);
    edit.header("if-match", seen.header("etag").unwrap())
        .json(json!({"title": "想要新轮椅"}))
        .expect(200)
        .await;
    let third = run("三").expect(201).await;
    assert_eq!(first_error(&third).1, "changed_here", "{:#}", third.json);
    let kept = server.get(&path).by(&admin).expect(200).await;
    assert_eq!(kept.json["title"], "想要新轮椅");
}

const FILED: &str = r#"
source = "the street's list"
external_id = "nr"
[fields]
name = { column = "name" }
kind = { constant = "filed" }
region = { constant = "330206002" }
manager_phone = { column = "phone" }
status = { constant = "active" }
"#;

#[actix_web::test]
async fn a_filed_organisation_with_too_few_members_has_a_term_to_find_them() {
    let server = Server::start().await;
    crate::regions::three_levels(&server).await;
    let admin = server.staff("管理员", Role::PlatformAdmin, None).await;
    let files = Files { server: &server };
    let run = |name: &str| {
        let text = format!("nr,name,phone\n1,{name},13900000031\n");
        files.post(&admin, "target=organizations", text, FILED)
    };
    let report = run("备案社").expect(201).await;
    assert_eq!(counts(&report.json), [1, 0, 0, 0], "{:#}", report.json);
    let listed = server.get("/organizations").expect(200).await;
    let path = format!(
        "/organizations/{}",
        listed.json["items"][0]["id"].as_str().unwrap()
    );
    let manager = manager_of(&server, "+8613900000031", &admin).await;
    let read = || server.get(&path).by(&manager).expect(200);
    let curing = read().await.json["involved"]["curing_until"].clone();
    assert_eq!(curing, "2027-02-21T02:00:00Z", "ninety days");
    let notices = server
        .get("/me/notifications")
        .by(&manager)
        .expect(200)
        .await;
    assert!(
        notices.json.to_string().contains("organization_curing"),
        "{:#}",
        notices.json
    );

    // the next run does not begin the term anew
    server.pass(TimeDelta::days(10)).await;
    let admin = server.again(&admin).await;
    let text = "nr,name,phone\n1,备案新社,13900000031\n";
    let again = files.post(&admin, "target=organizations", text, FILED);
    let again = again.expect(201).await;
    assert_eq!(counts(&again.json), [0, 1, 0, 0], "{:#}", again.json);
    let manager = server.again(&manager).await;
    let seen = server.get(&path).by(&manager).expect(200).await.json;
    assert_eq!(seen["involved"]["curing_until"], curing);
    server.pass(TimeDelta::days(81)).await;
    server.work().await;
    let seen = server.get(&path).by(&server.again(&manager).await);
    assert_eq!(seen.expect(200).await.json["status"], "suspended");
}

#[actix_web::test]
async fn a_filed_organisation_completes_its_filing_within_the_term() {
    let server = Server::start_with(json!({"organizations": {"filing_members": 1}})).await;
    let (_, street, _) = crate::regions::three_levels(&server).await;
    let admin = server.staff("管理员", Role::PlatformAdmin, None).await;
    let files = Files { server: &server };
    let text = "nr,name,phone\n1,备案社,13900000041\n";
    let report = files.post(&admin, "target=organizations", text, FILED);
    report.expect(201).await;
    let listed = server.get("/organizations").expect(200).await;
    let path = format!(
        "/organizations/{}",
        listed.json["items"][0]["id"].as_str().unwrap()
    );
    let manager = manager_of(&server, "+8613900000041", &admin).await;
    let read = || server.get(&path).by(&manager).expect(200);
    let seen = read().await;
    assert_eq!(
        seen.json["involved"]["curing_until"], "2027-02-21T02:00:00Z",
        "members are not all that a filing asks: {:#}",
        seen.json
    );
    let complete = json!({
        "responsible_id": manager.id, "responsible_number": "11010519491231002X",
        "venue_address": "示例路1号", "venue_region_id": street, "venue_until": "2027-12-31",
    });
    let call = server.call(reqwest::Method::PATCH, &path).by(&manager);
    let call = call.header("if-match", seen.header("etag").unwrap());
    call.json(complete).expect(200).await;
    assert_ne!(read().await.json["involved"]["curing_until"], Value::Null);
    let bytes = b"%PDF-1.4\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF".to_vec();
    let part = reqwest::multipart::Part::bytes(bytes).file_name("charter.pdf");
    let form = reqwest::multipart::Form::new().part("document", part);
    let charter = format!("{path}/documents?kind=charter");
    let charter = server.post(&charter).by(&manager).multipart(form);
    charter.expect(201).await;
    assert_eq!(read().await.json["involved"]["curing_until"], Value::Null);
}

#[actix_web::test]
async fn staff_import_drafts_of_their_regions() {
    let server = Server::start().await;
    let (_, street, _) = crate::regions::three_levels(&server).await;
    let admin = server.staff("管理员", Role::PlatformAdmin, None).await;
    let staff = server.staff("街道", Role::RegionAdmin, Some(street)).await;
    let files = Files { server: &server };
    let map = WISHES
        .replace("{ constant = \"330206002-C1\" }", "{ column = \"region\" }")
        .replace("{ constant = \"published\" }", "{ column = \"status\" }");
    let table = "nr,title,value,alias,name,phone,address,region,status\n\
        1,想要轮椅,1,王奶奶,王某,13900000003,一号楼,330206002-C1,draft\n\
        2,想要台灯,1,王奶奶,王某,13900000003,一号楼,330206,draft\n\
        3,想要水壶,1,王奶奶,王某,13900000003,一号楼,330206002-C1,published\n";
    let report = files.post(&staff, "target=wishes", table, &map);
    let report = report.expect(201).await;
    assert_eq!(counts(&report.json), [1, 0, 0, 2], "{:#}", report.json);
    let refused = report.json["errors"].as_array().unwrap();
    let codes: Vec<_> = refused
        .iter()
        .map(|error| {
            (
                error["field"].as_str().unwrap(),
                error["code"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        codes,
        [
            ("region", "outside_your_regions"),
            ("status", "drafts_only")
        ]
    );
    files
        .post(&staff, "target=regions", "code\n1\n", "source = 'x'")
        .refused(403, "forbidden")
        .await;

    // what lies elsewhere is not theirs to change, whatever its source is called
    let elsewhere = "code,name,phone\n51330206MJ88990059,示例社,\n";
    let theirs = files.post(&admin, "target=organizations", elsewhere, ORGANIZATIONS);
    assert_eq!(counts(&theirs.expect(201).await.json), [1, 0, 0, 0]);
    let taken = elsewhere.replace("示例社", "改名社");
    let map = ORGANIZATIONS
        .replace("\"330206\"", "\"330206002\"")
        .replace("\"active\"", "\"draft\"");
    let report = files.post(&staff, "target=organizations", taken, &map);
    let report = report.expect(201).await;
    assert_eq!(first_error(&report).1, "outside_your_regions");

    // one's own imports are seen, others' are not
    let listed = server.get("/imports").by(&staff).expect(200).await;
    let own = listed.json["items"].as_array().unwrap();
    assert_eq!(own.len(), 2, "{:#}", listed.json);
    let all = server.get("/imports").by(&admin).expect(200).await;
    let all = all.json["items"].as_array().unwrap().clone();
    assert_eq!(all.len(), 3);
    let other = all.iter().find(|import| !own.contains(import)).unwrap();
    let path = format!("/imports/{}", other["id"].as_str().unwrap());
    server.get(&path).by(&staff).refused(404, "not_found").await;
    let path = format!("/imports/{}", own[0]["id"].as_str().unwrap());
    server.get(&path).by(&staff).expect(200).await;
}

#[actix_web::test]
async fn nobody_runs_an_imported_organisation_unasked() {
    let server = Server::start().await;
    crate::regions::three_levels(&server).await;
    let admin = server.staff("管理员", Role::PlatformAdmin, None).await;
    let person = server.person("路人").await;
    let files = Files { server: &server };
    let table = format!(
        "code,name,phone\n51330206MJ88990059,示例社,{}\n",
        person.phone
    );
    for table in [table.clone(), table.replace("示例社", "示例新社")] {
        let run = files.post(&admin, "target=organizations", table, ORGANIZATIONS);
        run.expect(201).await;
    }
    let run = server
        .get("/me/organizations")
        .by(&person)
        .expect(200)
        .await;
    assert_eq!(run.json["items"], json!([]));
    manager_of(&server, &person.phone, &admin).await;
    let run = server
        .get("/me/organizations")
        .by(&person)
        .expect(200)
        .await;
    assert_eq!(run.json["items"].as_array().unwrap().len(), 1);
}
