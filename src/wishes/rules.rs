//! Pure decisions about wishes.

use serde::{Deserialize, Serialize};

use super::model::WishStatus::{self, *};
use crate::platform::lifecycle::Move;

/// The room's numbers; `config/default.toml` says what each means.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WishRules {
    /// Working days for the screening.
    pub screening_workdays: u32,
    /// Days a claimant has to deliver.
    pub lease_days: i64,
    /// Hours before the end of the lease at which the claimant is reminded.
    pub reminder_hours: i64,
    /// Days a beneficiary has to confirm.
    pub confirmation_days: i64,
    /// Days after the confirmation in which it may be taken back.
    pub reopening_days: i64,
    /// The most that goods may be worth, in fen.
    pub value_cap_fen: i64,
    /// Live wishes of one claimant.
    pub live_claims: i64,
    /// Lapses that pause claiming…
    pub lapses: i64,
    /// …when they lie within so many days.
    pub lapse_days: i64,
}

/// Every move there is (domain §3, wish).
pub const MOVES: &[Move<WishStatus>] = &[
    Move {
        from: &[Draft],
        verb: "submit",
        to: Submitted,
        by: "author",
    },
    Move {
        from: &[Submitted],
        verb: "publish",
        to: Published,
        by: "region admin",
    },
    Move {
        from: &[Submitted],
        verb: "reject",
        to: Rejected,
        by: "region admin",
    },
    Move {
        from: &[Rejected],
        verb: "revise",
        to: Draft,
        by: "author",
    },
    Move {
        from: &[Published],
        verb: "claim",
        to: Claimed,
        by: "claimant",
    },
    Move {
        from: &[Claimed],
        verb: "deliver",
        to: Delivered,
        by: "claimant",
    },
    Move {
        from: &[Claimed],
        verb: "release",
        to: Published,
        by: "claimant",
    },
    Move {
        from: &[Claimed],
        verb: "lapse",
        to: Published,
        by: "clock",
    },
    Move {
        from: &[Delivered],
        verb: "confirm",
        to: Fulfilled,
        by: "beneficiary or proxy",
    },
    Move {
        from: &[Delivered],
        verb: "time_out",
        to: Fulfilled,
        by: "clock",
    },
    Move {
        from: &[Delivered],
        verb: "dispute",
        to: Disputed,
        by: "beneficiary or proxy",
    },
    Move {
        from: &[Disputed],
        verb: "redeliver",
        to: Claimed,
        by: "region admin",
    },
    Move {
        from: &[Disputed],
        verb: "free",
        to: Published,
        by: "region admin",
    },
    Move {
        from: &[Fulfilled],
        verb: "reopen",
        to: Disputed,
        by: "beneficiary or proxy",
    },
    Move {
        from: &[Fulfilled],
        verb: "close",
        to: Closed,
        by: "clock",
    },
    Move {
        from: &[Draft, Submitted, Rejected, Published, Claimed],
        verb: "withdraw",
        to: Withdrawn,
        by: "author",
    },
    Move {
        from: &[Published],
        verb: "expire",
        to: Expired,
        by: "clock",
    },
];

/// How somebody stands to a wish. Several may hold at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Relation {
    /// Posted it.
    pub author: bool,
    /// It is for this person.
    pub beneficiary: bool,
    /// Stands in for the beneficiary: staff of the grid, or the author who posted for somebody.
    pub proxy: bool,
    /// Holds the live claim.
    pub claimant: bool,
    /// Administers the region.
    pub screener: bool,
}

impl Relation {
    /// Whether the wish concerns the person beyond what everybody sees.
    pub fn is_involved(self) -> bool {
        self != Self::default()
    }

    /// Whether the person speaks for the beneficiary.
    pub fn speaks_for_beneficiary(self) -> bool {
        self.beneficiary || self.proxy
    }

    /// Whether the person may read the contact: those who gave it, and the live claimant as long
    /// as the delivery is not confirmed.
    pub fn may_read_contact(self, status: WishStatus) -> bool {
        let is_live = matches!(status, Claimed | Delivered | Disputed);
        self.author || self.speaks_for_beneficiary() || (self.claimant && is_live)
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

/// Whether a text asks for money in any form: wishes are for goods and services only.
pub fn asks_for_money(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "现金",
        "红包",
        "转账",
        "汇款",
        "打钱",
        "借钱",
        "借款",
        "还款",
        "捐款",
        "微信支付",
        "支付宝",
        "购物卡",
        "充值",
        "银行卡",
        "cash",
        "gift card",
        "transfer money",
        "money order",
        "bank account",
    ];
    let text = text.to_lowercase();
    WORDS.iter().any(|word| text.contains(word))
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

    #[test]
    fn money_is_recognised() {
        assert!(asks_for_money("希望得到一些现金"));
        assert!(asks_for_money("A Gift Card please"));
        assert!(!asks_for_money("想要一台收音机"));
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
            let step = lifecycle::step(MOVES, from, verb);
            prop_assert_eq!(step.ok(), fitting.first().map(|m| m.to));
        }

        #[test]
        fn strangers_never_read_a_contact(status in prop::sample::select(WishStatus::VARIANTS), screener: bool) {
            let stranger = Relation { screener, ..Relation::default() };
            prop_assert!(!stranger.may_read_contact(status));
        }
    }
}
