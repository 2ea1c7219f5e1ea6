//! Pure decisions about enrolments.

use chrono::{NaiveDate, TimeDelta};
use chrono_tz::Tz;
use strum::IntoStaticStr;

use super::model::{
    Enrolment,
    EnrolmentStatus::{
        self, Confirmed, Declined, LateWithdrawn, Pending, Removed, Waitlisted, Withdrawn,
    },
};
use crate::activities::model::{Activity, ActivityStatus, Shift};
use crate::activities::rules::{ActivityRules, LIVE, minutes_by_day, open_until};
use crate::error::{Code, Result};
use crate::platform::clock::Instant;
use crate::platform::lifecycle::{self, ActsAs, Move};
use crate::projects::least_age;
use crate::volunteers;

/// Who moves an enrolment.
#[derive(Clone, Copy, Debug, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum By {
    /// Whose it is.
    Person,
    /// Who organises the activity.
    Organizer,
    /// A seat that got free.
    Line,
    /// The passing of time.
    #[strum(serialize = "clock")]
    Time,
    /// What becomes of the activity.
    Activity,
    /// What becomes of the person: a certificate or a membership that counts no more.
    #[strum(serialize = "the person's standing")]
    Standing,
}

/// Every move of an enrolment (domain §3). One begins confirmed, or waitlisted where the shift is
/// full; pending when a team leader asks somebody.
pub const MOVES: &[Move<EnrolmentStatus, By>] = &[
    Move {
        from: &[Pending],
        verb: "accept",
        to: Confirmed,
        by: &[By::Person],
    },
    Move {
        from: &[Pending],
        verb: "queue",
        to: Waitlisted,
        by: &[By::Person],
    },
    Move {
        from: &[Pending],
        verb: "decline",
        to: Declined,
        by: &[By::Person],
    },
    Move {
        from: &[Pending],
        verb: "lapse",
        to: Declined,
        by: &[By::Time],
    },
    Move {
        from: &[Waitlisted],
        verb: "promote",
        to: Pending,
        by: &[By::Line],
    },
    Move {
        from: &[Pending, Waitlisted],
        verb: "close",
        to: Declined,
        by: &[By::Activity],
    },
    Move {
        from: &[Waitlisted, Confirmed],
        verb: "withdraw",
        to: Withdrawn,
        by: &[By::Person],
    },
    Move {
        from: &[Confirmed],
        verb: "withdraw_late",
        to: LateWithdrawn,
        by: &[By::Person],
    },
    Move {
        from: &[Pending, Waitlisted, Confirmed],
        verb: "remove",
        to: Removed,
        by: &[By::Organizer],
    },
    Move {
        from: &[Pending, Confirmed],
        verb: "displace",
        to: Removed,
        by: &[By::Activity],
    },
    Move {
        from: &[Pending, Confirmed],
        verb: "disqualify",
        to: Removed,
        by: &[By::Standing],
    },
    Move {
        from: &[Pending, Waitlisted, Confirmed],
        verb: "call_off",
        to: Removed,
        by: &[By::Activity],
    },
];

/// How a caller stands to an enrolment. Both may hold at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Relation {
    /// Is the person.
    pub person: bool,
    /// Organises the activity.
    pub organizer: bool,
    /// Asked the person.
    pub inviter: bool,
}

impl ActsAs<By> for Relation {
    fn acts_as(self, party: By) -> Result<(), Code> {
        let holds = match party {
            By::Person => self.person,
            By::Organizer => self.organizer,
            By::Line | By::Time | By::Activity | By::Standing => false,
        };
        if holds { Ok(()) } else { Err(Code::Forbidden) }
    }
}

/// What withdrawing is called now: late from so many hours before the shift on, unless the time or the
/// place has just been changed for the person.
pub fn withdrawing(
    enrolment: &Enrolment,
    activity: &Activity,
    rules: &ActivityRules,
    now: Instant,
) -> &'static str {
    let is_late = now >= free_until(enrolment, activity, rules);
    match enrolment.status {
        LateWithdrawn => "withdraw_late",
        Confirmed if is_late => "withdraw_late",
        _ => "withdraw",
    }
}

/// Until when withdrawing is not late: until so many hours before the shift, and for a while after its
/// time or place was changed; never longer than until it begins.
pub fn free_until(enrolment: &Enrolment, activity: &Activity, rules: &ActivityRules) -> Instant {
    let deadline = enrolment.starts_at - TimeDelta::hours(activity.withdrawal_hours.into());
    let changed = enrolment.changed_at;
    let after_change = changed.map(|at| at + TimeDelta::hours(rules.changed_hours));
    deadline
        .max(after_change.unwrap_or(deadline))
        .min(enrolment.starts_at)
}

/// The moves of an enrolment that are somebody's now ([`lifecycle::open_to`]); withdrawing is called
/// what it is now, and asked for as `withdraw`.
pub fn moves(
    enrolment: &Enrolment,
    who: Relation,
    (activity, shift): (&Activity, &Shift),
    rules: &ActivityRules,
    now: Instant,
) -> Vec<&'static str> {
    let going = withdrawing(enrolment, activity, rules, now);
    let is_open = now < open_until(activity, shift);
    let mut verbs = lifecycle::open_to(MOVES, who, enrolment.status);
    verbs.retain(|verb| match *verb {
        "queue" => false, // what accepting does where the shift is full
        "withdraw" | "withdraw_late" => is_open && *verb == going,
        "remove" => is_open,
        _ => true,
    });
    verbs
}

/// Until when a seat that is held for somebody may be accepted: so many hours, and not after the shift
/// has begun.
pub fn accept_by(
    rules: &ActivityRules,
    (activity, shift): (&Activity, &Shift),
    now: Instant,
) -> Instant {
    open_until(activity, shift).min(now + TimeDelta::hours(rules.accept_hours))
}

/// Whether the line of a shift moves: its activity is on, and its time has not come.
pub fn moves_up(activity: &Activity, shift: &Shift, now: Instant) -> bool {
    LIVE.contains(&activity.status) && now < open_until(activity, shift)
}

// ---- reminders: a ladder of hours before the shift, from the first to the last

/// The first step of the ladder that lies after an instant.
pub fn remind_at(starts_at: Instant, ladder: &[i64], after: Instant) -> Option<Instant> {
    let steps = ladder
        .iter()
        .map(|hours| starts_at - TimeDelta::hours(*hours));
    steps.filter(|at| *at > after).min()
}

/// The step whose time has come and that was not told yet; of several that a worker was away for, the last.
/// None of those from before the person had the place, or before its time or place was changed.
pub fn due_step(enrolment: &Enrolment, ladder: &[i64], now: Instant) -> Option<i32> {
    let since = enrolment.status_since;
    let since = enrolment.changed_at.map_or(since, |at| at.max(since));
    let is_due = |hours: &&i64| {
        let at = enrolment.starts_at - TimeDelta::hours(**hours);
        since < at && at <= now
    };
    let last = ladder.iter().filter(is_due).min()?;
    let last = i32::try_from(*last).ok()?;
    let is_new = enrolment.reminded_hours.is_none_or(|told| last < told);
    (is_new && now < enrolment.starts_at).then_some(last)
}

/// A place of somebody who has just said that they come: they are reminded in time, and whoever says so after
/// the step that asks has said it already.
pub fn coming(enrolment: Enrolment, ladder: &[i64], now: Instant) -> Enrolment {
    let asked_at = ladder.iter().max();
    let asked_at = asked_at.map(|hours| enrolment.starts_at - TimeDelta::hours(*hours));
    Enrolment {
        remind_at: remind_at(enrolment.starts_at, ladder, now),
        reconfirmed_at: asked_at.is_some_and(|at| at <= now).then_some(now),
        ..enrolment
    }
}

/// A place whose time has become another: the ladder begins anew, and a yes was to the time before.
pub fn moved(enrolment: Enrolment, ladder: &[i64], now: Instant) -> Enrolment {
    let next = remind_at(enrolment.starts_at, ladder, now);
    Enrolment {
        remind_at: next.filter(|_| enrolment.status == Confirmed),
        reminded_hours: None,
        reconfirmed_at: None,
        ..enrolment
    }
}

/// The step at which those who organise a shift are told how many have not said again that they come: the one
/// after that which asks.
pub fn counting_step(ladder: &[i64]) -> Option<i64> {
    ladder.get(1).or(ladder.first()).copied()
}

/// How somebody has a qualification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// On the day of the shift.
    Then,
    /// Today, and no longer on the day of the shift.
    Now,
    /// Not at all.
    No,
}

/// What is known about a person and a shift.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// The activity.
    pub activity: &'a Activity,
    /// The shift.
    pub shift: &'a Shift,
    /// The day of the shift on the wall.
    pub day: NaiveDate,
    /// Whether the activity's project is suspended.
    pub is_suspended: bool,
    /// Whether the person is a volunteer.
    pub has_profile: bool,
    /// When they were born.
    pub birth_date: Option<NaiveDate>,
    /// Whether they may come to internal Party activities.
    pub is_party_member: bool,
    /// Whether they live where the activity wants its volunteers from.
    pub lives_there: bool,
    /// Whether they have what the shift asks for.
    pub qualification: Held,
    /// Whether they are vetted for work with minors.
    pub vetting: Held,
    /// Whether they stand in the shift already.
    pub is_enrolled: bool,
    /// How often they stood in it before.
    pub times_asked: i64,
    /// When they hold seats, here and elsewhere.
    pub taken: Vec<(Instant, Instant)>,
}

/// What keeps a person from a shift, each reason on its own, the weightiest first. That the shift is full
/// keeps nobody from it: they wait in line.
pub fn verdict(facts: &Facts<'_>, rules: &ActivityRules, now: Instant, zone: Tz) -> Vec<Code> {
    let Facts {
        activity, shift, ..
    } = facts;
    let mut codes = Vec::new();
    if facts.is_suspended {
        codes.push(Code::ProjectSuspended);
    }
    let is_before = activity.enrolment_opens_at.is_some_and(|at| now < at);
    let is_after = now >= activity.enrolment_closes_at || now >= open_until(activity, shift);
    if activity.status != ActivityStatus::Published || is_after {
        codes.push(Code::EnrolmentTooLate);
    } else if is_before {
        codes.push(Code::EnrolmentTooEarly);
    }
    if facts.is_enrolled {
        codes.push(Code::EnrolledAlready);
    } else if facts.times_asked >= rules.enrolments_per_shift {
        codes.push(Code::EnrolledTooOften);
    }
    codes.extend(unfit(facts));
    // beside its own place there, which is what the person asks for
    if !facts.is_enrolled {
        codes.extend(in_the_way(facts, rules, zone));
    }
    codes
}

/// What keeps a person from a shift who stands in it already and now takes the seat: whether it still
/// is for them.
pub fn unfit(facts: &Facts<'_>) -> Vec<Code> {
    let Facts {
        activity, shift, ..
    } = facts;
    let mut codes = Vec::new();
    if !facts.has_profile {
        return vec![Code::ProfileRequired];
    }
    if activity.party_only && !facts.is_party_member {
        codes.push(Code::PartyOnly);
    }
    if !is_of_age(activity, facts.birth_date, facts.day) {
        codes.push(Code::Age);
    }
    if activity.volunteers_region_id.is_some() && !facts.lives_there {
        codes.push(Code::RegionNotServed);
    }
    if shift.qualification.is_some() {
        match facts.qualification {
            Held::Then => {}
            Held::Now => codes.push(Code::QualificationExpired),
            Held::No => codes.push(Code::QualificationMissing),
        }
    }
    if activity.minors && facts.vetting != Held::Then {
        codes.push(Code::VettingMissing);
    }
    codes
}

/// Whether somebody is of the age that an activity asks for, on its day: by limits of its own the date
/// of birth must be known; by the general ones it counts where it is.
fn is_of_age(activity: &Activity, born: Option<NaiveDate>, day: NaiveDate) -> bool {
    let age = born.map(|born| volunteers::age(born, day));
    let least = least_age(activity.minors, activity.dangerous);
    let (min, max) = (activity.min_age, activity.max_age);
    match age {
        None => min.is_none() && max.is_none(),
        Some(age) => {
            age >= least && min.is_none_or(|min| age >= min) && max.is_none_or(|max| age <= max)
        }
    }
}

/// What a person has taken on that stands in the way of a shift: other work at the same time, or as much
/// as one may do within a day.
pub fn in_the_way(facts: &Facts<'_>, rules: &ActivityRules, zone: Tz) -> Vec<Code> {
    let (starts_at, ends_at) = (facts.shift.starts_at, facts.shift.ends_at);
    let mut codes = Vec::new();
    let mut taken = facts.taken.iter();
    if taken.any(|(from, to)| *from < ends_at && starts_at < *to) {
        codes.push(Code::TimeConflict);
    }
    let is_over = |(day, minutes): (NaiveDate, i64)| {
        let others = facts
            .taken
            .iter()
            .flat_map(|(from, to)| minutes_by_day(*from, *to, zone));
        let sum: i64 = others
            .filter(|(other, _)| *other == day)
            .map(|(_, n)| n)
            .sum();
        sum + minutes > rules.daily_minutes
    };
    if minutes_by_day(starts_at, ends_at, zone)
        .into_iter()
        .any(is_over)
    {
        codes.push(Code::DailyCap);
    }
    codes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activities::enrolments::EnrolmentId;
    use crate::activities::model::{ActivityId, ShiftId};
    use crate::identity::AccountId;
    use proptest::prelude::*;
    use strum::VariantArray;

    #[test]
    fn every_state_can_be_reached_and_what_is_over_stays_over() {
        for status in EnrolmentStatus::VARIANTS {
            let begins = matches!(status, Confirmed | Waitlisted | Pending);
            let is_reached = begins || MOVES.iter().any(|m| m.to == *status);
            assert!(is_reached, "{status}");
        }
        for over in [Declined, Withdrawn, LateWithdrawn, Removed] {
            assert!(!MOVES.iter().any(|m| m.from.contains(&over)), "{over}");
        }
    }

    const LADDER: [i64; 3] = [72, 24, 2];

    fn at(minute: i64) -> Instant {
        Instant::from_micros(minute * 60_000_000).unwrap()
    }

    /// Somebody who came to a shift of the hundredth hour at some minute.
    fn place(made: i64) -> Enrolment {
        let enrolment = Enrolment {
            id: EnrolmentId::new(),
            activity_id: ActivityId::new(),
            shift_id: ShiftId::new(),
            account_id: AccountId::new(),
            invited_by: None,
            status: Confirmed,
            status_since: at(made),
            holds_seat: true,
            starts_at: at(6000),
            ends_at: at(6120),
            queue_no: None,
            skipped_at: None,
            accept_by: None,
            ended_at: None,
            reason: None,
            heard: 0,
            changed_at: None,
            created_at: at(made),
            remind_at: None,
            reminded_hours: None,
            reconfirmed_at: None,
        };
        coming(enrolment, &LADDER, at(made))
    }

    /// The steps that are told when a worker looks at these minutes.
    fn told(mut place: Enrolment, looks: impl IntoIterator<Item = i64>) -> Vec<i32> {
        let mut told = Vec::new();
        for now in looks.into_iter().map(at) {
            if place.remind_at.is_none_or(|due| due > now) {
                continue;
            }
            let step = due_step(&place, &LADDER, now);
            told.extend(step);
            place.reminded_hours = step.or(place.reminded_hours);
            place.remind_at = remind_at(place.starts_at, &LADDER, now);
        }
        told
    }

    #[test]
    fn every_step_after_the_place_was_had_is_told_in_its_turn() {
        assert_eq!(told(place(0), 0..7000), [72, 24, 2]);
        assert_eq!(
            told(place(6000 - 72 * 60), 0..7000),
            [24, 2],
            "not of that very minute"
        );
        assert_eq!(told(place(6000 - 60), 0..7000), [0; 0]);
        assert_eq!(told(place(0), [6000 - 60]), [2], "of several, the last");
        assert_eq!(told(place(0), [6000]), [0; 0], "it has begun");
        assert!(place(6000 - 72 * 60).reconfirmed_at.is_some());
        assert!(place(6000 - 72 * 60 - 1).reconfirmed_at.is_none());
        let moved = moved(place(0), &LADDER, at(6000 - 30 * 60));
        let changed = Enrolment {
            changed_at: Some(at(6000 - 30 * 60)),
            ..moved
        };
        assert_eq!(
            told(changed, 0..7000),
            [24, 2],
            "the change itself was told"
        );
    }

    proptest! {
        #[test]
        fn no_step_is_told_twice_however_workers_look(
            made in 0_i64..6000,
            pauses in prop::collection::vec(0_i64..900, 1..80),
        ) {
            let looks = pauses.iter().scan(made, |now, pause| {
                *now += pause;
                Some(*now)
            });
            let told = told(place(made), looks);
            prop_assert!(told.windows(2).all(|two| two[0] > two[1]), "{told:?}");
            for hours in told {
                prop_assert!(6000 - i64::from(hours) * 60 > made);
            }
        }
    }
}
