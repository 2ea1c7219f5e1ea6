//! The house rules: which room may know which, and what belongs where. Each failure is a sentence
//! that explains the rule.

#![allow(clippy::unwrap_used)] // a test that cannot go on fails

use std::path::{Path, PathBuf};

/// Rooms in the order of the one-way street: each may know those before it.
const ROOMS: &[&str] = &[
    "regions",
    "branches",
    "taxonomies",
    "identity",
    "notifications",
    "organizations",
    "volunteers",
    "party",
    "projects",
    "wishes",
    "activities",
    "records",
    "matching",
    "search",
    "imports",
];

/// Wiring files, which may know every room.
const WIRING: &[&str] = &[
    "api.rs",
    "app.rs",
    "lib.rs",
    "main.rs",
    "server.rs",
    "worker.rs",
];

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

/// Every file of `src` as its path from there and its text without tests.
fn files() -> Vec<(String, String)> {
    let mut paths = Vec::new();
    sources(Path::new("src"), &mut paths);
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text
            .split("#[cfg(test)]")
            .next()
            .unwrap_or_default()
            .to_owned();
        (
            path.strip_prefix("src")
                .unwrap()
                .to_string_lossy()
                .into_owned(),
            code,
        )
    };
    paths.into_iter().map(read).collect()
}

/// What follows `crate::` wherever it stands: the first two segments. A list in braces counts as
/// each of its first segments.
fn names_of_the_crate(code: &str) -> Vec<(String, String)> {
    let word = |text: &str| -> String {
        text.trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let mut names = Vec::new();
    for rest in code.split("crate::").skip(1) {
        if let Some(list) = rest.strip_prefix('{') {
            let list = list.split(';').next().unwrap_or_default();
            names.extend(
                list.split([',', '{', '}'])
                    .map(|name| (word(name), String::new())),
            );
        } else {
            let first = word(rest);
            let second = rest[first.len()..]
                .strip_prefix("::")
                .map(word)
                .unwrap_or_default();
            names.push((first, second));
        }
    }
    names
}

fn room_of(file: &str) -> Option<&str> {
    ROOMS
        .iter()
        .copied()
        .find(|room| file.starts_with(&format!("{room}/")))
}

#[test]
fn rooms_form_a_one_way_street() {
    for (file, code) in files() {
        if WIRING.contains(&file.as_str())
            || file.starts_with("demo/")
            || file.starts_with("command/")
        {
            continue;
        }
        let place = room_of(&file).and_then(|room| ROOMS.iter().position(|r| *r == room));
        for (name, _) in names_of_the_crate(&code) {
            let Some(theirs) = ROOMS.iter().position(|room| *room == name) else {
                continue;
            };
            match place {
                Some(mine) => assert!(
                    theirs <= mine,
                    "{file} knows {name}, which comes after its room: rooms know only those before them \
                     ({}); let the later room act, or react to the journal",
                    ROOMS.join(" < ")
                ),
                None => {
                    panic!("{file} knows the room {name}: platform knows no noun of the domain")
                }
            }
        }
    }
}

#[test]
fn rooms_meet_only_through_their_doors() {
    for (file, code) in files() {
        for (name, inner) in names_of_the_crate(&code) {
            let is_inside = ["model", "rules", "service", "store"].contains(&inner.as_str());
            let other = ROOMS.contains(&name.as_str()) && room_of(&file) != Some(name.as_str());
            // the drawing of the lifecycles reads the tables where they stand
            let is_table = file == "api.rs" && inner == "rules";
            assert!(
                !(other && is_inside) || is_table,
                "{file} reaches into {name}::{inner}: rooms meet only through their mod.rs"
            );
        }
    }
}

#[test]
fn every_part_of_a_room_does_its_own_work() {
    for (file, code) in files() {
        if room_of(&file).is_none() {
            continue;
        }
        let part = file.rsplit('/').next().unwrap_or_default();
        let in_http = part == "http.rs" || file.contains("/http/");
        let in_service = part == "service.rs" || file.contains("/service/");
        if in_http || in_service || part == "rules.rs" {
            assert!(
                !code.contains("crate::schema"),
                "{file} writes SQL: all of a room's SQL is in its store.rs"
            );
        }
        if part == "rules.rs" {
            for touch in ["Conn", "Tx<", "Clock", "async ", "std::fs", "Utc::now"] {
                assert!(
                    !code.contains(touch),
                    "{file} has {touch}: rules decide without touching anything"
                );
            }
        }
        if part == "store.rs" {
            assert!(
                !code.contains("actix_web"),
                "{file} knows HTTP: that belongs in http.rs"
            );
        }
    }
}

#[test]
fn time_is_asked_of_the_one_clock() {
    for (file, code) in files() {
        let may = [
            "platform/clock.rs",
            "platform/cache.rs",
            "platform/http/border.rs",
            "matching/bench/round.rs", // they measure
            "matching/bench/search.rs",
        ]
        .contains(&file.as_str());
        for other in ["Utc::now()", "SystemTime::now()", "Instant::now()"] {
            assert!(
                may || !code.contains(other),
                "{file} asks {other}: ask the clock, so that a test can hold it"
            );
        }
    }
}

#[test]
fn a_page_is_answered_by_what_ties_its_cursor_to_its_list() {
    for (file, code) in files() {
        assert!(
            !code.contains("Json<Page<"),
            "{file} answers a page as plain JSON: answer a `List`, so that its cursor is good for it alone"
        );
    }
}

/// The commands of both READMEs are the same; CI runs those of the English one.
#[test]
fn the_readmes_tell_the_same_tour() {
    let commands = |file: &str| {
        let text = std::fs::read_to_string(file).unwrap();
        let mut lines = Vec::new();
        let mut inside = false;
        for line in text.lines() {
            if line.starts_with("```") {
                inside = line.starts_with("```sh");
            } else if inside && !line.starts_with('#') {
                let command = line.split(" #").next().unwrap_or_default().trim_end();
                lines.push(command.to_owned());
            }
        }
        lines
    };
    let (en, zh) = (commands("README.md"), commands("README.zh-CN.md"));
    assert!(
        en.len() > 50 && en == zh,
        "README.zh-CN.md has other commands"
    );
}
