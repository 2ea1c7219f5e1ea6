//! What import files may look like, and what is said of those that may not.

use serde_json::{Value, json};
use yiqilai::identity::Role;

use crate::harness::{Server, User};
use crate::imports::{Files, WISHES, counts};
use crate::process;

async fn town() -> (Server, User) {
    let server = Server::start().await;
    crate::regions::three_levels(&server).await;
    let admin = server.staff("管理员", Role::PlatformAdmin, None).await;
    (server, admin)
}

const HEADER: &str = "nr,title,value,alias,name,phone,address\n";

fn wish(nr: u32, title: &str) -> String {
    format!("{nr},{title},1,王奶奶,王某,13900000003,一号楼\n")
}

#[actix_web::test]
async fn a_quote_that_is_never_closed_loses_no_row_in_silence() {
    let (server, admin) = town().await;
    let files = Files { server: &server };
    let rows = [
        wish(1, "想要轮椅"),
        wish(2, "想要拐杖").replace("一号楼", "\"一号楼"),
        wish(3, "想要台灯"),
        wish(4, "想要水壶"),
    ];
    let open = format!("{HEADER}{}", rows.concat());
    let in_the_middle = format!("{open}5,\"想要毛毯\",1,王奶奶,王某,13900000003,一号楼\n");
    for text in [&open, &in_the_middle] {
        let zh = files.post(&admin, "target=wishes", text.as_str(), WISHES);
        let zh = zh.header("accept-language", "zh-CN");
        let zh = zh.refused(422, "table_unreadable").await;
        assert_eq!(
            zh.json["detail"],
            "数据文件无法读取。第 3 行打开的引号没有闭合。"
        );
        let en = files.post(&admin, "target=wishes", text.as_str(), WISHES);
        let en = en.refused(422, "table_unreadable").await;
        assert_eq!(
            en.json["detail"],
            "The file cannot be read as a table. The quote that opens in line 3 is not closed."
        );
    }
    let map = files.file("map.toml", WISHES);
    let file = files.file("open.csv", &open);
    let (code, report, output) = files.run("wishes", &file, &map, &[]);
    assert_eq!((code, report), (1, Value::Null));
    assert!(String::from_utf8_lossy(&output.stderr).contains("line 3"));
    let listed = server.get("/wishes").expect(200).await;
    assert_eq!(listed.json["items"], json!([]));
}

#[actix_web::test]
async fn what_is_no_table_is_called_that_in_ones_language() {
    let (server, admin) = town().await;
    let files = Files { server: &server };
    let mut others: Vec<Vec<u8>> = vec![
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR".to_vec(),
        b"\xff\xd8\xff\xe0\x00\x10JFIF".to_vec(),
        b"%PDF-1.7\nnr,title\n1,2\n".to_vec(),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00\x00".to_vec(),
        b"nr,title\n1,a\x00b\n".to_vec(),
    ];
    others.push(
        "nr,题目\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect(),
    );
    for bytes in others {
        let refused = files.post(&admin, "target=wishes", bytes.clone(), WISHES);
        let refused = refused.header("accept-language", "zh-CN");
        let refused = refused.refused(422, "table_unreadable").await;
        assert_eq!(
            refused.json["detail"],
            "数据文件无法读取。该文件不是表格，请提供 CSV、XLSX 或 GeoJSON 文件。",
            "{bytes:?}"
        );
        let refused = files.post(&admin, "target=wishes", bytes, WISHES);
        let refused = refused.refused(422, "table_unreadable").await;
        let said = refused.json["detail"].as_str().unwrap();
        assert!(said.contains("It is not a table"), "{said}");
    }
    // with a byte order mark it is text
    let marked: Vec<u8> = format!("\u{feff}{HEADER}{}", wish(1, "想要轮椅"))
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let report = files.post(&admin, "target=wishes", marked, WISHES);
    assert_eq!(counts(&report.expect(201).await.json), [1, 0, 0, 0]);

    let spaced = |shape: &str| format!("{WISHES}\n[file]\n{shape}\n");
    let zip = b"PK\x03\x04nonsense".to_vec();
    for (bytes, map, said) in [
        (b"".to_vec(), WISHES.to_owned(), "没有表头。"),
        (
            b"{\"a\":1}".to_vec(),
            WISHES.to_owned(),
            "该 JSON 文件不是 GeoJSON 的 FeatureCollection。",
        ),
        (
            b"nr\n\xff\xff\n".to_vec(),
            WISHES.to_owned(),
            "内容不是 gb18030 编码的文本。",
        ),
        (
            b"nr\n".to_vec(),
            spaced("encoding = 'klingon'"),
            "没有名为 klingon 的编码。",
        ),
        (
            b"nr\n".to_vec(),
            spaced("delimiter = ','").replace("','", "'、'"),
            "分隔符须为单个 ASCII 字符。",
        ),
        (zip, WISHES.to_owned(), "技术信息:"),
    ] {
        let refused = files.post(&admin, "target=wishes", bytes, &map);
        let refused = refused.header("accept-language", "zh-CN");
        let refused = refused.refused(422, "table_unreadable").await;
        let detail = refused.json["detail"].as_str().unwrap();
        let expected = format!("数据文件无法读取。{said}");
        assert!(detail.starts_with(&expected), "{detail}");
        assert!(detail == expected || said == "技术信息:", "{detail}");
    }
    let refused = files.post(&admin, "target=wishes", "nr\n", "nonsense");
    let refused = refused.header("accept-language", "zh-CN");
    let refused = refused.refused(422, "mapping_unreadable").await;
    let detail = refused.json["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("映射文件无法读取。技术信息：\n"),
        "{detail}"
    );
}

#[actix_web::test]
async fn geojson_that_is_broken_is_not_read_as_something_else() {
    let (server, admin) = town().await;
    let files = Files { server: &server };
    let map = "source = 'outlines'\nexternal_id = 'code'\n[fields]\ncode = { column = 'code' }\n";
    let cut = "{\"type\": \"FeatureCollection\", \"features\": [\n{\"type\": \"Feat";
    let broken = "{\"type\": \"FeatureCollection\",\n \"features\": nothing}";
    for (text, zh, en) in [
        (
            cut,
            "数据文件无法读取。该 JSON 文件内容不完整，中断于第 2 行第 14 列。",
            "The file cannot be read as a table. It is JSON that is cut off in line 2, column 14.",
        ),
        (
            broken,
            "数据文件无法读取。该 JSON 文件有误，位置在第 2 行第 15 列。",
            "The file cannot be read as a table. It is JSON that is broken in line 2, column 15.",
        ),
    ] {
        for (lang, said) in [("zh-CN", zh), ("en", en)] {
            let refused = files.post(&admin, "target=regions", text, map);
            let refused = refused.header("accept-language", lang);
            let refused = refused.refused(422, "table_unreadable").await;
            assert_eq!(refused.json["detail"], said);
        }
    }
}

/// The file is named that is wrong, in the language of whoever sits there.
#[actix_web::test]
async fn the_command_line_speaks_the_language_of_its_locale() {
    let (server, _) = town().await;
    let files = Files { server: &server };
    let text = format!("{HEADER}{}{}", wish(1, "想要轮椅"), wish(2, "想要现金"));
    let (file, map) = (files.file("t.csv", text), files.file("map.toml", WISHES));
    let run = |file: &std::path::Path, map: &std::path::Path, locale: &[(&str, &str)]| {
        let mut command = files.command("wishes", file, map);
        for name in ["LC_ALL", "LC_MESSAGES", "LANG"] {
            command.env_remove(name);
        }
        let ended = command
            .envs(locale.iter().copied())
            .args(["--dry-run"])
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (
            ended.status.code().unwrap(),
            text(ended.stdout),
            text(ended.stderr),
        )
    };
    let chinese = [("LC_ALL", "zh_CN.UTF-8")];
    for locale in [
        &chinese[..],
        &[("LC_ALL", ""), ("LC_MESSAGES", "zh_CN"), ("LANG", "C")],
        &[("LANG", "zh_TW.UTF-8")],
    ] {
        let (code, said, noted) = run(&file, &map, locale);
        assert_eq!(code, 2, "{noted}");
        for sentence in [
            "第 3 行，title 列（title）：asks_for_money \"想要现金\"：微心愿只限物品和服务",
            "试运行：未保留任何内容",
            "共 2 行：新建 1，更新 0，无变化 0，拒绝 1\n",
        ] {
            assert!(said.contains(sentence), "{sentence} is not in {said}");
        }
        assert!(noted.contains("2/2 行"), "{noted}");
    }
    for locale in [
        &[("LC_ALL", "C"), ("LANG", "zh_CN.UTF-8")][..],
        &[("LANG", "de_DE.UTF-8")],
        &[],
    ] {
        let (_, said, noted) = run(&file, &map, locale);
        assert!(
            said.contains("2 rows: 1 created") && noted.contains("2/2 rows"),
            "{said}{noted}"
        );
    }

    let (gb, _, _) = encoding_rs::GB18030.encode("source = \"来源\"");
    let foreign = files.file("foreign.toml", gb);
    let missing = server.folder.path().join("missing.csv");
    for (file, map, locale, named, said) in [
        (
            &file,
            &foreign,
            "zh_CN",
            "foreign.toml",
            "不是 UTF-8 编码的文本",
        ),
        (&file, &foreign, "C", "foreign.toml", "is not text in UTF-8"),
        (&missing, &map, "zh_CN", "missing.csv", "无法读取"),
        (&missing, &map, "C", "missing.csv", "cannot be read"),
    ] {
        let (code, _, noted) = run(file, map, &[("LC_ALL", locale)]);
        assert_eq!(code, 1, "{noted}");
        assert!(noted.contains(named) && noted.contains(said), "{noted}");
    }
    let map = files.file("map.toml", "source = 's'\nexternal_id = 'nr'\n[fields]\n");
    let (code, _, noted) = run(&file, &map, &chinese);
    assert_eq!(code, 1, "{noted}");
    assert!(
        noted.contains("  /fields/title: 映射须说明 title 从哪里来。"),
        "{noted}"
    );
}

/// A report that cannot be written is found before anything is done.
#[actix_web::test]
async fn a_report_has_its_file_before_anything_is_imported() {
    let server = Server::start().await;
    let path = server.folder.path().join("nowhere/report.json");
    let path = path.to_str().unwrap();
    let import = ["import", "regions", "--bundled", "beilun", "--report", path];
    let ended = process::run(&server, &import);
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(
        said.contains(path) && said.contains("cannot be written"),
        "{said}"
    );
    let regions = server.get("/regions").expect(200).await;
    assert_eq!(regions.json["items"], json!([]));
}

const DAYS: &str = r#"
source = "days"
external_id = "nr"
[fields]
title = { column = "title" }
field = { constant = "daily_life" }
life_cycle = { constant = "support" }
starts_on = { column = "day" }
region = { constant = "330206" }
seats = { column = "seats", unknown = [0, "n/a"], unlimited = [9999], default = 7 }
"#;

/// Titles, first days and seats of what was imported, in its order.
async fn projects(server: &Server) -> Vec<(String, String, i32)> {
    use diesel::prelude::*;
    use yiqilai::schema::{project_roles, projects};
    let read = server.app.platform.db.read(|conn| {
        let rows: Vec<(String, chrono::NaiveDate, i32)> = projects::table
            .inner_join(project_roles::table)
            .select((projects::title, projects::starts_on, project_roles::seats))
            .order(projects::id)
            .load(conn)?;
        Ok(rows)
    });
    let named =
        |(title, day, seats): (String, chrono::NaiveDate, i32)| (title, day.to_string(), seats);
    read.await.unwrap().into_iter().map(named).collect()
}

#[actix_web::test]
async fn dates_of_iso_8601_and_sentinels_as_numbers() {
    let (server, admin) = town().await;
    let files = Files { server: &server };
    let rows = [
        ("2027-07-30T00:00:00.000", "9999.0", "2027-07-30", 10_000),
        ("2027-07-30T00:00:00Z", "9999", "2027-07-30", 10_000),
        ("2027-07-30T16:00:00Z", "0.00", "2027-07-31", 7),
        ("2027-07-30 09:30:00", "N/A", "2027-07-30", 7),
        ("20270730", "12.0", "2027-07-30", 12),
        (
            "2027-07-30T00:00:00+09:00",
            "\"9,999\"",
            "2027-07-29",
            9_999,
        ),
        ("20270730T160000.5Z", "", "2027-07-31", 7),
    ];
    let mut text = "nr,title,day,seats\n".to_owned();
    for (n, (day, seats, ..)) in rows.iter().enumerate() {
        text.push_str(&format!("{n},项目{n},{day},{seats}\n"));
    }
    text.push_str("90,坏日期,2027-07-30T25:00:00,1\n91,坏日期,2027-02-30,1\n");
    let report = files.post(&admin, "target=projects", text, DAYS);
    let report = report.expect(201).await;
    assert_eq!(counts(&report.json), [7, 0, 0, 2], "{:#}", report.json);
    assert_eq!(report.json["errors"][0]["code"], "format");
    let landed = projects(&server).await;
    for (n, ((_, day, seats), row)) in landed.iter().zip(rows).enumerate() {
        assert_eq!((day.as_str(), *seats), (row.2, row.3), "row {n}: {row:?}");
    }
}

#[actix_web::test]
async fn a_corrected_row_lands_after_the_wrong_one() {
    let (server, admin) = town().await;
    let files = Files { server: &server };
    let mut text = "nr,title,day,seats\n\
        1,错的,someday,1\n1,对的,2027-07-30,1\n1,再一次,2027-07-30,1\n"
        .to_owned();
    // far enough away for another transaction
    for n in 10..300 {
        text.push_str(&format!("{n},项目{n},2027-07-30,1\n"));
    }
    text.push_str("1,很久以后,2027-07-30,1\n2,错的,someday,1\n2,也对,2027-07-30,1\n");
    for (query, created) in [("&dry_run=true", 292), ("", 292)] {
        let query = format!("target=projects{query}");
        let report = files.post(&admin, &query, text.as_str(), DAYS).send().await;
        assert_eq!(
            counts(&report.json),
            [created, 0, 0, 4],
            "{:#}",
            report.json
        );
        let wrong: Vec<_> = report.json["errors"].as_array().unwrap().iter().collect();
        let wrong: Vec<_> = wrong
            .iter()
            .map(|e| (e["line"].as_u64().unwrap(), e["code"].as_str().unwrap()))
            .collect();
        assert_eq!(
            wrong,
            [
                (2, "format"),
                (4, "repeated"),
                (295, "repeated"),
                (296, "format")
            ]
        );
    }
    let titles: Vec<_> = projects(&server)
        .await
        .into_iter()
        .map(|row| row.0)
        .collect();
    assert!(titles.contains(&"对的".to_owned()) && titles.contains(&"也对".to_owned()));
    assert!(!titles.contains(&"再一次".to_owned()));
    let again = files.post(&admin, "target=projects", text.as_str(), DAYS);
    let again = again.expect(201).await;
    assert_eq!(counts(&again.json), [0, 0, 292, 4], "{:#}", again.json);
}

#[actix_web::test]
async fn only_sound_outlines_replace_a_sound_one() {
    let (server, admin) = town().await;
    let files = Files { server: &server };
    let map = "source = 'outlines'\nexternal_id = 'code'\n[fields]\ncode = { column = 'code' }\ngeometry = { column = 'geometry' }\n";
    let run = |kind: &str, coordinates: Value| {
        let outlines = json!({"type": "FeatureCollection", "features": [{"type": "Feature",
            "properties": {"code": "330206002"}, "geometry": {"type": kind, "coordinates": coordinates}}]});
        files.post(&admin, "target=regions", outlines.to_string(), map)
    };
    let good = json!([[
        [121.5, 29.5],
        [121.6, 29.5],
        [121.6, 29.6],
        [121.5, 29.6],
        [121.5, 29.5]
    ]]);
    let report = run("Polygon", good.clone()).expect(201).await;
    assert_eq!(counts(&report.json), [0, 1, 0, 0], "{:#}", report.json);
    for (kind, coordinates, code) in [
        ("Polygon", json!([[[0, 0], [1, 1]]]), "ring_not_closed"),
        (
            "Polygon",
            json!([[[0, 0], [1, 0], [1, 1], [0, 1]]]),
            "ring_not_closed",
        ),
        (
            "Polygon",
            json!([[[500, 0], [501, 0], [501, 1], [500, 0]]]),
            "range",
        ),
        (
            "Polygon",
            json!([[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]),
            "outline_crosses",
        ),
        ("MultiPolygon", json!([good, good]), "outline_crosses"),
        ("MultiPolygon", json!([]), "format"),
        ("Point", json!([1, 2]), "format"),
    ] {
        let report = run(kind, coordinates.clone()).expect(201).await;
        assert_eq!(counts(&report.json), [0, 0, 0, 1], "{coordinates}");
        let error = &report.json["errors"][0];
        assert_eq!(
            (&error["column"], &error["code"]),
            (&json!("geometry"), &json!(code)),
            "{coordinates}: {error:#}"
        );
    }
    let inside = server.get("/regions/locate?longitude=121.55&latitude=29.55");
    assert_eq!(inside.expect(200).await.json["code"], "330206002");
}
