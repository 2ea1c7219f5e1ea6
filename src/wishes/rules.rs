//! Pure decisions about wishes.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;
use validator::Validate;

use super::model::ConsentChannel;
use super::model::WishStatus::{self, *};
use crate::error::{Code, Result};
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
}

/// Who moves a wish.
#[derive(Clone, Copy, Debug, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum By {
    /// Who posted it.
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
        by: &[By::Author],
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
        by: &[By::Author],
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
        by: &[By::Author],
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

impl ActsAs<By> for Relation {
    /// Nobody screens, or settles a dispute about, what is their own in any way; nobody claims their
    /// own wish, or confirms their own delivery.
    fn acts_as(self, party: By) -> Result<(), Code> {
        let is_own = self.author || self.beneficiary;
        let holds = match party {
            By::Author => self.author,
            By::Screener if self.screener && (is_own || self.claimant) => {
                return Err(Code::OwnWish);
            }
            By::Screener => self.screener,
            By::Volunteer if is_own => return Err(Code::OwnWish),
            By::Volunteer => self.signed_in,
            By::Claimant => self.claimant,
            By::Beneficiary => self.beneficiary && !self.claimant,
            By::Proxy => self.proxy && !self.claimant,
            By::Time => false,
        };
        if holds { Ok(()) } else { Err(Code::Forbidden) }
    }
}

impl Relation {
    /// Whether the wish concerns the person beyond what everybody sees.
    pub fn is_involved(self) -> bool {
        let stranger = Self {
            signed_in: self.signed_in,
            ..Self::default()
        };
        self != stranger
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

/// Whether a consent is that of somebody for whom another person posts.
pub fn is_on_behalf(consent: ConsentChannel) -> bool {
    consent != ConsentChannel::App
}

/// Whether a text asks for money in any form: wishes are for goods and services only (domain §3).
///
/// It knows words, not what is meant. Blanks between Chinese characters do not hide one; who asks to be
/// taught to pay with a phone does not ask for money; the price of a thing is none either. What it
/// lets pass is read by the street's staff before anybody else sees it.
pub fn asks_for_money(text: &str) -> bool {
    const MONEY: &[&str] = &[
        "现金",
        "现钞",
        "人民币",
        "红包",
        "转账",
        "汇款",
        "打钱",
        "给钱",
        "块钱",
        "借钱",
        "借款",
        "还款",
        "还债",
        "捐款",
        "零花钱",
        "压岁钱",
        "生活费",
        "学费",
        "救助金",
        "补助金",
        "慰问金",
        "购物卡",
        "购物券",
        "代金券",
        "消费券",
        "礼品卡",
        "充值卡",
        "e卡",
    ];
    /// Money, unless one asks for help with it.
    const MEANS: &[&str] = &["微信支付", "支付宝", "充值", "银行卡"];
    const HELP: &[&str] = &["教", "学", "使用", "会用", "不会"];
    const PHRASES: &[&str] = &["gift card", "transfer money", "money order", "bank account"];
    let text = text.to_lowercase();
    let dense: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let has = |words: &[&str]| words.iter().any(|word| dense.contains(word));
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '-');
    has(MONEY)
        || (has(MEANS) && !has(HELP))
        || words.any(|word| word == "cash")
        || PHRASES.iter().any(|phrase| text.contains(phrase))
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
        for text in [
            "希望得到一些现金",
            "给我五百块钱",
            "生活费补助500元",
            "想要人民币",
            "购物券",
            "京东E卡",
            "学费资助",
            "现 金",
            "红 包",
            "请往我的支付宝",
            "A Gift Card please",
            "Cash, please",
        ] {
            assert!(asks_for_money(text), "{text}");
        }
        for text in [
            "想要一台收音机",
            "价值约200元的收音机",
            "教我用支付宝",
            "教爷爷手机充值",
            "学习使用微信支付",
            "a cash-free bike",
        ] {
            assert!(!asks_for_money(text), "{text}");
        }
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
