//! Pure decisions about wishes.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;
use validator::Validate;

use super::model::ConsentChannel;
use super::model::WishStatus::{self, *};
use crate::error::{Code, Result};
use crate::platform::http::limit::Limit;
use crate::platform::lifecycle::{ActsAs, Move};

/// The room's numbers; `config/default.toml` says what each means.
#[derive(Clone, Debug, Deserialize, Serialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct WishRules {
    /// Working days for the screening.
    #[validate(range(min = 1, max = 365))]
    pub screening_workdays: u32,
    /// Days a claimant has to deliver.
    #[validate(range(min = 1, max = 36_500))]
    pub lease_days: i64,
    /// Hours before the end of the lease at which the claimant is reminded.
    #[validate(range(min = 1, max = 8_760))]
    pub reminder_hours: i64,
    /// Days a beneficiary has to confirm.
    #[validate(range(min = 1, max = 36_500))]
    pub confirmation_days: i64,
    /// Days after the confirmation in which it may be taken back.
    #[validate(range(min = 0, max = 36_500))]
    pub reopening_days: i64,
    /// The most that goods may be worth, in fen.
    #[validate(range(min = 1))]
    pub value_cap_fen: i64,
    /// Live wishes of one claimant.
    #[validate(range(min = 1))]
    pub live_claims: i64,
    /// Lapses that pause claiming…
    #[validate(range(min = 1))]
    pub lapses: i64,
    /// …when they lie within so many days.
    #[validate(range(min = 1, max = 36_500))]
    pub lapse_days: i64,
    /// Wishes given back that pause claiming…
    #[validate(range(min = 1))]
    pub releases: i64,
    /// …when they were within so many days.
    #[validate(range(min = 1, max = 36_500))]
    pub release_days: i64,
    /// How many wishes somebody may hand in for screening.
    #[validate(nested)]
    pub submissions_per_account: Limit,
    /// How many messages somebody may write on a wish.
    #[validate(nested)]
    pub messages_per_wish: Limit,
    /// Minutes in which somebody who has not read a message gets no mail about the next.
    #[validate(range(min = 0, max = 525_600))]
    pub message_mail_minutes: i64,
    /// Photos that show one delivery.
    #[validate(range(min = 1))]
    pub photos_per_delivery: usize,
    /// How many days ahead the last day of a wish may lie.
    #[validate(range(min = 1, max = 36_500))]
    pub longest_days: u32,
    /// Days for which the link of a beneficiary without an account works on when the wish has ended.
    #[validate(range(min = 1, max = 36_500))]
    pub link_days: i64,
}

/// Who moves a wish.
#[derive(Clone, Copy, Debug, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum By {
    /// Who posted it and still may.
    Author,
    /// Who administers its region and has nothing else to do with it.
    #[strum(serialize = "region admin")]
    Screener,
    /// Anybody who is signed in and whose wish it is not.
    Volunteer,
    /// Who holds the live claim.
    Claimant,
    /// Whom it is for, signed in or by link.
    Beneficiary,
    /// Who stands in for the beneficiary.
    Proxy,
    /// Whoever speaks for the beneficiary of what a proxy posted, since proxies come and go.
    #[strum(serialize = "who speaks for whom a proxy posted")]
    Spokesman,
    /// The passing of time.
    #[strum(serialize = "clock")]
    Time,
}

/// Every move there is (domain §3, wish).
pub const MOVES: &[Move<WishStatus, By>] = &[
    Move {
        from: &[Draft],
        verb: "submit",
        to: Submitted,
        by: &[By::Author, By::Spokesman],
    },
    Move {
        from: &[Submitted],
        verb: "publish",
        to: Published,
        by: &[By::Screener],
    },
    Move {
        from: &[Submitted],
        verb: "reject",
        to: Rejected,
        by: &[By::Screener],
    },
    Move {
        from: &[Rejected],
        verb: "revise",
        to: Draft,
        by: &[By::Author, By::Spokesman],
    },
    Move {
        from: &[Published],
        verb: "claim",
        to: Claimed,
        by: &[By::Volunteer],
    },
    Move {
        from: &[Claimed],
        verb: "deliver",
        to: Delivered,
        by: &[By::Claimant],
    },
    Move {
        from: &[Claimed],
        verb: "release",
        to: Published,
        by: &[By::Claimant],
    },
    Move {
        from: &[Claimed],
        verb: "lapse",
        to: Published,
        by: &[By::Time],
    },
    Move {
        from: &[Delivered],
        verb: "confirm",
        to: Fulfilled,
        by: &[By::Beneficiary, By::Proxy],
    },
    Move {
        from: &[Delivered],
        verb: "time_out",
        to: Fulfilled,
        by: &[By::Time],
    },
    Move {
        from: &[Delivered],
        verb: "dispute",
        to: Disputed,
        by: &[By::Beneficiary, By::Proxy],
    },
    Move {
        from: &[Disputed],
        verb: "redeliver",
        to: Claimed,
        by: &[By::Screener],
    },
    Move {
        from: &[Disputed],
        verb: "free",
        to: Published,
        by: &[By::Screener],
    },
    Move {
        from: &[Fulfilled],
        verb: "reopen",
        to: Disputed,
        by: &[By::Beneficiary, By::Proxy],
    },
    Move {
        from: &[Fulfilled],
        verb: "close",
        to: Closed,
        by: &[By::Time],
    },
    Move {
        from: &[Draft, Submitted, Rejected, Published, Claimed],
        verb: "withdraw",
        to: Withdrawn,
        by: &[By::Author, By::Spokesman],
    },
    Move {
        from: &[Published],
        verb: "expire",
        to: Expired,
        by: &[By::Time],
    },
];

/// How somebody stands to a wish. Several may hold at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Relation {
    /// Has an account.
    pub signed_in: bool,
    /// A proxy posted it.
    pub on_behalf: bool,
    /// Had a hand in it before it was screened, whatever became of the role since.
    pub own: bool,
    /// Posted it: for somebody else, as one who still works for the region.
    pub author: bool,
    /// It is for this person.
    pub beneficiary: bool,
    /// Stands in for the beneficiary: staff of the grid, a service centre.
    pub proxy: bool,
    /// Holds the live claim.
    pub claimant: bool,
    /// What keeps the claimant from acting: its organisation may not.
    pub stopped: Option<Code>,
    /// Administers the region.
    pub screener: bool,
}

impl ActsAs<By> for Relation {
    /// Nobody screens, or settles a dispute about, what is their own in any way; nobody claims their
    /// own wish, or confirms their own delivery.
    fn acts_as(self, party: By) -> Result<(), Code> {
        let is_own = self.own || self.author || self.beneficiary;
        let holds = match party {
            By::Author => self.author,
            By::Screener if self.screener && (is_own || self.claimant) => {
                return Err(Code::OwnWish);
            }
            By::Screener => self.screener,
            By::Volunteer if is_own => return Err(Code::OwnWish),
            By::Volunteer => self.signed_in,
            By::Claimant => match self.stopped {
                Some(code) => return Err(code),
                None => self.claimant,
            },
            By::Beneficiary => self.beneficiary && !self.claimant,
            By::Proxy => self.proxy && !self.claimant,
            By::Spokesman => self.on_behalf && self.speaks_for_beneficiary(),
            By::Time => false,
        };
        if holds { Ok(()) } else { Err(Code::Forbidden) }
    }
}

impl Relation {
    /// Somebody with the beneficiary's link.
    pub const LINK: Self = Self {
        signed_in: false,
        on_behalf: true,
        own: false,
        author: false,
        beneficiary: true,
        proxy: false,
        claimant: false,
        stopped: None,
        screener: false,
    };

    /// Whether the wish concerns the person beyond what everybody sees.
    pub fn is_involved(self) -> bool {
        let stranger = Self {
            signed_in: self.signed_in,
            on_behalf: self.on_behalf,
            own: self.own,
            ..Self::default()
        };
        self != stranger
    }

    /// Whether the person speaks for the beneficiary.
    pub fn speaks_for_beneficiary(self) -> bool {
        self.beneficiary || self.proxy
    }

    /// Whether the person may read the contact: those who gave it, who stands in for somebody that
    /// posted alone once there is a delivery to confirm, and the live claimant as long as it is not
    /// confirmed, unless its organisation may not act.
    pub fn may_read_contact(self, status: WishStatus, consent: ConsentChannel) -> bool {
        let is_live = matches!(status, Claimed | Delivered | Disputed);
        let stands_in = is_on_behalf(consent) || matches!(status, Delivered | Disputed | Fulfilled);
        self.author
            || self.beneficiary
            || (self.proxy && stands_in)
            || (self.claimant && self.stopped.is_none() && is_live)
    }

    /// How the person stands to a wish where it is: what was not handed in is its author's alone, and
    /// what a proxy wrote down the proxies' of its region, who come and go.
    #[must_use]
    pub fn where_it_is(self, status: WishStatus, was_submitted: bool) -> Self {
        let is_private = status == Draft || (status == Withdrawn && !was_submitted);
        let is_theirs = self.author || (self.on_behalf && self.proxy);
        if is_private && !is_theirs {
            Self::default()
        } else {
            self
        }
    }

    /// Whether the person may see the wish at all: everybody sees what is or was open.
    pub fn may_see(self, status: WishStatus) -> bool {
        self.is_involved() || matches!(status, Published | Claimed | Delivered | Fulfilled | Closed)
    }

    /// Whether the person may follow every step.
    pub fn may_follow(self) -> bool {
        self.is_involved()
    }
}

/// Whether a consent is that of somebody for whom another person posts.
pub fn is_on_behalf(consent: ConsentChannel) -> bool {
    consent != ConsentChannel::App
}

/// Where a wish is as far as the public and the score are concerned: to the two-hundredth of a
/// degree, some five hundred metres. Until the claim the public learns of the street (domain §3), and
/// whoever moves their own place, or a radius, about could compute from anything finer where a
/// beneficiary lives.
pub fn public_place((longitude, latitude): (f64, f64)) -> (f64, f64) {
    let coarse = |degrees: f64| (degrees * 200.0).round() / 200.0;
    (coarse(longitude), coarse(latitude))
}

/// How far the public place may lie from the true one, in degrees each way.
pub const PUBLIC_PLACE_WITHIN: f64 = 0.0025;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::lifecycle;
    use proptest::prelude::*;
    use strum::VariantArray;

    #[test]
    fn every_state_can_be_reached_and_final_ones_stay() {
        let mut reached = vec![Draft];
        for _ in 0..MOVES.len() {
            for m in MOVES {
                if m.from.iter().any(|from| reached.contains(from)) && !reached.contains(&m.to) {
                    reached.push(m.to);
                }
            }
        }
        assert_eq!(reached.len(), WishStatus::VARIANTS.len());
        for last in [Closed, Withdrawn, Expired] {
            assert!(!MOVES.iter().any(|m| m.from.contains(&last)));
        }
    }

    fn strangers() -> impl Strategy<Value = Relation> {
        let facts = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
        // of a wish that its beneficiary posted
        facts.prop_map(|(beneficiary, proxy, claimant, screener)| Relation {
            beneficiary,
            proxy,
            claimant,
            screener,
            ..Relation::default()
        })
    }

    proptest! {
        #[test]
        fn from_any_state_a_verb_leads_to_one_state_or_is_refused(
            from in prop::sample::select(WishStatus::VARIANTS),
            verb in prop::sample::select(MOVES.iter().map(|m| m.verb).collect::<Vec<_>>()),
        ) {
            let fitting: Vec<_> =
                MOVES.iter().filter(|m| m.verb == verb && m.from.contains(&from)).collect();
            prop_assert!(fitting.len() <= 1);
            let to = lifecycle::next(MOVES, from, verb);
            prop_assert_eq!(to, fitting.first().map(|m| m.to));
        }

        #[test]
        fn strangers_never_read_a_contact(
            status in prop::sample::select(WishStatus::VARIANTS),
            consent in prop::sample::select(ConsentChannel::VARIANTS),
            screener: bool,
        ) {
            let stranger = Relation { screener, ..Relation::default() };
            prop_assert!(!stranger.may_read_contact(status, consent));
        }

        #[test]
        fn whoever_lost_the_role_to_post_for_others_is_a_stranger(
            status in prop::sample::select(WishStatus::VARIANTS),
            consent in prop::sample::select(ConsentChannel::VARIANTS),
            was_submitted: bool,
        ) {
            let former = Relation { signed_in: true, on_behalf: true, own: true, ..Relation::default() };
            let seen = former.where_it_is(status, was_submitted);
            prop_assert!(!seen.may_read_contact(status, consent) && !seen.may_follow());
            prop_assert!(lifecycle::open_to(MOVES, seen, status).is_empty());
            prop_assert_eq!(seen.may_see(status), Relation::default().may_see(status));
        }

        #[test]
        fn an_organisation_that_may_not_act_moves_nothing_and_reads_no_contact(
            status in prop::sample::select(WishStatus::VARIANTS),
            consent in prop::sample::select(ConsentChannel::VARIANTS),
        ) {
            let stopped = Some(Code::OrganizationNotActive);
            let held = Relation { signed_in: true, claimant: true, stopped, ..Relation::default() };
            prop_assert!(!held.may_read_contact(status, consent));
            for verb in ["deliver", "release"] {
                prop_assert_eq!(lifecycle::may(MOVES, held, verb), Err(Code::OrganizationNotActive));
            }
        }

        #[test]
        fn what_was_not_handed_in_is_nobody_elses(
            relation in strangers(),
            status in prop::sample::select(WishStatus::VARIANTS),
            consent in prop::sample::select(ConsentChannel::VARIANTS),
            was_submitted: bool,
        ) {
            let seen = relation.where_it_is(status, was_submitted);
            if status == Draft || (status == Withdrawn && !was_submitted) {
                prop_assert!(!seen.may_see(status) && !seen.may_follow());
                prop_assert!(!seen.may_read_contact(status, consent));
            } else {
                prop_assert_eq!(seen, relation);
            }
            let is_staff = !seen.beneficiary && !seen.claimant;
            if is_staff && !is_on_behalf(consent) && !matches!(status, Delivered | Disputed | Fulfilled) {
                prop_assert!(!seen.may_read_contact(status, consent));
            }
        }
    }
}
