//! "Why not me?": what would change a refusal, in words for the person concerned.

use super::hours::Span;
use super::model::{Need, Person, Whereabouts};
use super::score::{Distance, Filter, distance, missing_qualifications, missing_skills};
use super::view::{hundreds, least_age};
use super::world::Terms;
use crate::error::Code;
use crate::platform::lang::Lang;
use crate::taxonomies::{self, Named};

/// How many windows of a need are named.
const WINDOWS: usize = 7;
const DAYS: [(&str, &str); 7] = [
    ("周一", "Monday"),
    ("周二", "Tuesday"),
    ("周三", "Wednesday"),
    ("周四", "Thursday"),
    ("周五", "Friday"),
    ("周六", "Saturday"),
    ("周日", "Sunday"),
];

/// What would change what only the database knows; none where the person can do nothing.
pub fn standing(code: Code, lang: Lang) -> Option<String> {
    let say = |zh: &str, en: &str| Some(lang.pick(zh, en).to_owned());
    match code {
        Code::DailyCap => say(
            "完成或放弃一项在进行的认领后可以继续。",
            "Finish or give up something that you have claimed.",
        ),
        Code::NotInterested => say(
            "您曾表示对它不感兴趣；可在“不感兴趣的需求”中恢复。",
            "You said that you are not interested in it; take that back among the needs you dismissed.",
        ),
        Code::Sanctioned => say(
            "多次认领到期未完成会暂停认领，过一段时间后恢复。",
            "Claims that lapsed have paused your claiming; it goes on after a while.",
        ),
        Code::TimeConflict => say(
            "与您已参加的服务时间冲突；退出其中一项后可以参加。",
            "It is at the same time as something you take part in; leave that to take this on.",
        ),
        _ => None,
    }
}

/// What would let a filter pass that refused with `code`; none where the person can do nothing.
pub fn remedy(
    filter: Filter,
    code: Code,
    person: &Person,
    need: &Need,
    terms: &Terms,
    lang: Lang,
) -> Option<String> {
    let say = |zh: &str, en: &str| Some(lang.pick(zh, en).to_owned());
    match filter {
        Filter::Skills => {
            let skill = |(code, level): &(String, i32)| {
                let name = skill_name(code, lang);
                match lang {
                    Lang::Zh => format!("{name}（{level} 级）"),
                    Lang::En => format!("{name} (level {level})"),
                }
            };
            let missing = missing_skills(person, need).map(skill);
            naming(
                lang,
                (
                    "如您具备，请在资料中补充技能",
                    "If you have them, add these skills to your profile",
                ),
                missing,
            )
        }
        Filter::Qualifications => {
            let name = |code: &String| {
                let kind = taxonomies::qualification(code);
                kind.map_or(code.clone(), |kind| {
                    lang.pick(&kind.zh, &kind.en).to_owned()
                })
            };
            let missing = missing_qualifications(person, need, terms.today);
            naming(
                lang,
                (
                    "请提交资质证书并通过审核，且在服务当日有效",
                    "Submit the certificate and have it verified, in force on the day of the work",
                ),
                missing.map(name),
            )
        }
        Filter::Distance => nearer(person, need, lang),
        Filter::Hours => {
            let spans = need.hours.spans().iter().take(WINDOWS);
            naming(
                lang,
                (
                    "请在空闲时段中加入至少一小时",
                    "Add at least an hour of this to your free time",
                ),
                spans.map(|span| window(*span, lang)),
            )
        }
        Filter::Party => say(
            "仅限党员参加：在资料中声明党员身份并由党支部核实后即可参加。",
            "It is for Party members: declare your membership and have it verified by your branch.",
        ),
        Filter::Vetting => say(
            "涉及未成年人：请向所在街道申请服务未成年人的审查，且在服务当日有效。",
            "It is with minors: ask your street for the vetting, in force on the day of the work.",
        ),
        Filter::Age if person.birth_date.is_none() => say(
            "请在资料中填写出生日期。",
            "Put your date of birth into your profile.",
        ),
        Filter::Age => least_age(need).map(|age| match lang {
            Lang::Zh => format!("年满 {age} 周岁后可以参加。"),
            Lang::En => format!("It is open to you from the age of {age}."),
        }),
        Filter::Capacity => say(
            "名额已满；有人退出时会重新开放。",
            "All places are taken; it opens again when somebody leaves.",
        ),
        Filter::Consent => say(
            "请在“同意管理”中同意个性化推荐。",
            "Agree to personalised recommendations among your consents.",
        ),
        Filter::Standing => standing(code, lang),
        Filter::Dates | Filter::Ownership => None,
    }
}

/// What to do, and with which of all these.
fn naming(lang: Lang, (zh, en): (&str, &str), all: impl Iterator<Item = String>) -> Option<String> {
    let all = all.collect::<Vec<_>>().join(lang.pick("、", ", "));
    Some(match lang {
        Lang::Zh => format!("{zh}：{all}。"),
        Lang::En => format!("{en}: {all}."),
    })
}

/// The name of a skill or of a group of skills.
fn skill_name(code: &str, lang: Lang) -> String {
    let name = |named: &Named| lang.pick(&named.zh, &named.en).to_owned();
    let group = || {
        let mut groups = taxonomies::taxonomies().skill_groups.iter();
        groups.find(|group| group.code == code)
    };
    match taxonomies::skill(code) {
        Some(skill) => name(skill),
        None => group().map_or(code.to_owned(), |group| {
            lang.pick(&group.zh, &group.en).to_owned()
        }),
    }
}

fn nearer(person: &Person, need: &Need, lang: Lang) -> Option<String> {
    let Whereabouts::At(site, _) = need.whereabouts else {
        return None; // the need has no place: nothing that a volunteer does gives it one
    };
    match distance(person, need) {
        Distance::TooFar(metres) if metres <= site.radius_m => {
            let metres = hundreds(metres);
            Some(match lang {
                Lang::Zh => format!("请把活动半径扩大到 {metres} 米以上，或添加更近的出发地点。"),
                Lang::En => format!(
                    "Widen your radius to {metres} metres or more, or add a place that is nearer."
                ),
            })
        }
        Distance::TooFar(_) => {
            let metres = hundreds(site.radius_m);
            Some(match lang {
                Lang::Zh => {
                    format!("只接受 {metres} 米以内的志愿者；如您在附近有出发地点，请添加。")
                }
                Lang::En => format!(
                    "It takes people from within {metres} metres; add a place if you have one there."
                ),
            })
        }
        Distance::Unknown => Some(
            lang.pick(
                "请在资料中添加出发地点。",
                "Add a place from which you set out to your profile.",
            )
            .to_owned(),
        ),
        Distance::Anywhere | Distance::Within(_) => None,
    }
}

/// `周六 09:00–11:00`
fn window(span: Span, lang: Lang) -> String {
    let day = DAYS[(span.from / 1440 % 7) as usize];
    let clock = |minute: u32| format!("{:02}:{:02}", minute / 60, minute % 60);
    let (from, to) = (span.from % 1440, span.from % 1440 + span.minutes());
    format!(
        "{} {}–{}",
        lang.pick(day.0, day.1),
        clock(from),
        clock(to.min(1440))
    )
}
