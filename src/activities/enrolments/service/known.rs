//! What is known about people and the shifts they come to, asked for at once however many they are.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono_tz::Tz;

use super::super::model::EnrolmentId;
use super::super::rules::{self, Facts, Held};
use super::super::store;
use crate::activities::model::{Activity, Shift};
use crate::activities::rules::{ActivityRules, Session, day_of, midnight_before};
use crate::activities::service::Desk;
use crate::error::{Code, Result};
use crate::identity::AccountId;
use crate::platform::clock::Instant;
use crate::platform::db::Conn;
use crate::projects::{ADULT_AGE, MINORS_ADULTS, ProjectStatus};
use crate::regions::{self, RegionId};
use crate::volunteers::{self, Basics};
use crate::{party, projects};

/// How many people of a shift are looked at together.
const PAGE: i64 = 50;

/// What is known about some people for one activity.
pub(super) struct Known<'a> {
    desk: &'a Desk,
    activity: &'a Activity,
    today: chrono::NaiveDate,
    zone: Tz,
    is_suspended: bool,
    basics: HashMap<AccountId, Basics>,
    held: volunteers::Held,
    members: BTreeSet<AccountId>,
    near: HashSet<RegionId>,
    taken: HashMap<AccountId, Vec<(EnrolmentId, Instant, Instant)>>,
}

impl<'a> Known<'a> {
    pub(super) fn of(
        conn: &mut Conn,
        desk: &'a Desk,
        activity: &'a Activity,
        people: &[AccountId],
        (now, zone): (Instant, Tz),
    ) -> Result<Self> {
        let basics = volunteers::basics(conn, people)?;
        let members = match activity.party_only {
            true => party::members_among(conn, &desk.projects.vault, people)?,
            false => BTreeSet::new(),
        };
        let mut near = HashSet::new();
        if let Some(wanted) = activity.volunteers_region_id {
            let homes: HashSet<_> = basics.values().map(|known| known.region_id).collect();
            for home in homes {
                if regions::contains(conn, wanted, home)? {
                    near.insert(home);
                }
            }
        }
        // what ended before may still count into the same day
        let since = midnight_before(activity.starts_at, zone);
        let mut taken: HashMap<_, Vec<_>> = HashMap::new();
        for (who, id, from, to) in store::taken(conn, people, since)? {
            taken.entry(who).or_default().push((id, from, to));
        }
        Ok(Self {
            is_suspended: is_suspended(conn, activity)?,
            held: volunteers::held_by(conn, people)?,
            desk,
            activity,
            today: day_of(now, zone),
            zone,
            basics,
            members,
            near,
            taken,
        })
    }

    /// What is known about one of them and a shift, beside one of the person's enrolments.
    pub(super) fn facts(
        &self,
        shift: &'a Shift,
        who: AccountId,
        but: Option<EnrolmentId>,
    ) -> Facts<'a> {
        let day = day_of(shift.starts_at, self.zone);
        let basics = self.basics.get(&who);
        let held = |kind: &str| {
            if self.held.holds(who, kind, day) {
                Held::Then
            } else if self.held.holds(who, kind, self.today) {
                Held::Now
            } else {
                Held::No
            }
        };
        let vetting = &self.desk.projects.rules.vetting;
        let taken = self.taken.get(&who).into_iter().flatten();
        let taken = taken.filter(|(id, _, _)| but != Some(*id));
        Facts {
            activity: self.activity,
            shift,
            day,
            is_suspended: self.is_suspended,
            has_profile: basics.is_some(),
            birth_date: basics.and_then(|known| known.birth_date),
            is_party_member: self.members.contains(&who),
            lives_there: basics.is_some_and(|known| self.near.contains(&known.region_id)),
            qualification: shift.qualification.as_deref().map_or(Held::Then, held),
            vetting: match self.activity.minors {
                true => held(vetting),
                false => Held::Then,
            },
            is_enrolled: false,
            times_asked: 0,
            taken: taken.map(|(_, from, to)| (*from, *to)).collect(),
        }
    }

    /// What keeps one of them from holding a seat of a shift: whether it still is for them, and whether
    /// they have the time.
    pub(super) fn obstacles(
        &self,
        shift: &'a Shift,
        who: AccountId,
        but: Option<EnrolmentId>,
    ) -> Vec<Code> {
        let facts = self.facts(shift, who, but);
        let mut codes = rules::unfit(&facts);
        codes.extend(rules::in_the_way(&facts, self.rules(), self.zone));
        codes
    }

    fn rules(&self) -> &'a ActivityRules {
        &self.desk.rules
    }

    /// Takes it that somebody holds a seat at another time than before, or none any more.
    pub(super) fn now_holds(
        &mut self,
        who: AccountId,
        id: EnrolmentId,
        at: Option<(Instant, Instant)>,
    ) {
        let theirs = self.taken.entry(who).or_default();
        theirs.retain(|(known, _, _)| *known != id);
        theirs.extend(at.map(|(from, to)| (id, from, to)));
    }
}

/// Whether the project of an activity is suspended.
pub(in crate::activities) fn is_suspended(conn: &mut Conn, activity: &Activity) -> Result<bool> {
    match activity.project_id {
        Some(id) => Ok(projects::project(conn, id)?.status == ProjectStatus::Suspended),
        None => Ok(false),
    }
}

/// Who comes to a shift, as far as work with minors asks for it.
pub(in crate::activities) fn session(
    conn: &mut Conn,
    desk: &Desk,
    shift: &Shift,
    zone: Tz,
) -> Result<Session> {
    let day = day_of(shift.starts_at, zone);
    let mut found = Session::default();
    let mut after = None;
    loop {
        let page = store::comers(conn, shift.id, after, PAGE)?;
        let people: Vec<_> = page.iter().map(|(_, who)| *who).collect();
        let basics = volunteers::basics(conn, &people)?;
        let held = volunteers::held_by(conn, &people)?;
        let is_vetted_adult = |who: &&AccountId| {
            let born = basics.get(*who).and_then(|known| known.birth_date);
            let is_adult = born.is_some_and(|born| volunteers::age(born, day) >= ADULT_AGE);
            is_adult && held.holds(**who, &desk.projects.rules.vetting, day)
        };
        found.is_attended |= !people.is_empty();
        let adults = people.iter().filter(is_vetted_adult).count();
        found.adults += i64::try_from(adults).unwrap_or(MINORS_ADULTS);
        if found.adults >= MINORS_ADULTS || page.len() < PAGE as usize {
            found.adults = found.adults.min(MINORS_ADULTS);
            return Ok(found);
        }
        after = page.last().map(|(id, _)| *id);
    }
}
