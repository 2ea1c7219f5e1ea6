//! Pure decisions about organisations.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;
use validator::Validate;

use super::model::{
    DocumentKind,
    MemberStatus::{self, Cancelled, Declined, Expired, Invited, Left, Removed},
    Organization, OrganizationKind,
    OrganizationStatus::{self, Active, Dissolved, Draft, Returned, Revoked, Submitted, Suspended},
};
use crate::error::{Code, FieldError};
use crate::platform::lifecycle::{ActsAs, Move};

/// The room's numbers; `config/default.toml` says what each means.
#[derive(Clone, Debug, Deserialize, Serialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct OrganizationRules {
    /// Members a filed organisation must have.
    #[validate(range(min = 1))]
    pub filing_members: i64,
    /// The age of the responsible person, in years.
    #[validate(range(min = 1, max = 150))]
    pub responsible_age: u32,
    /// Days to have a filing in order again.
    #[validate(range(min = 1, max = 36_500))]
    pub cure_days: i64,
    /// Days before the end of that term at which the managers are reminded.
    #[validate(range(min = 1, max = 36_500))]
    pub cure_reminder_days: i64,
    /// Days in which an invitation may be answered.
    #[validate(range(min = 1, max = 36_500))]
    pub invitation_days: i64,
    /// How many invitations an account may send within a day, for all its organisations.
    pub invitations_per_day: usize,
    /// How many of them may reach the same person within a day.
    pub invitations_received_per_day: usize,
    /// Drafts that one person may have written down.
    #[validate(range(min = 1))]
    pub drafts_per_founder: i64,
    /// Documents of one organisation.
    #[validate(range(min = 1))]
    pub documents: usize,
}

/// Who moves an organisation.
#[derive(Clone, Copy, Debug, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum By {
    /// Who runs it.
    Manager,
    /// Who reviews it and does not belong to it.
    #[strum(serialize = "region admin")]
    Reviewer,
    /// The passing of time.
    #[strum(serialize = "clock")]
    Time,
}

/// How a caller stands to an organisation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Relation {
    /// Wrote it down.
    pub founder: bool,
    /// Runs it.
    pub manager: bool,
    /// Belongs to it.
    pub member: bool,
    /// Is invited to it.
    pub invited: bool,
    /// Works for a region it lies in.
    pub staff: bool,
    /// Reviews it: a filed one the staff of its street alone, any other all of its staff.
    pub reviewer: bool,
}

impl Relation {
    /// Whether the caller sees more than everybody.
    pub fn is_involved(self) -> bool {
        self.manager || self.member || self.staff
    }

    /// Whether the caller sees it at all, where it stands. Everybody sees those that may act, or
    /// could; a draft is not handed in, so its staff do not.
    pub fn may_see(self, status: OrganizationStatus) -> bool {
        match status {
            Active | Suspended => true,
            Draft => self.founder || self.manager || self.member || self.invited,
            Submitted | Returned | Dissolved | Revoked => self.is_involved() || self.invited,
        }
    }
}

impl ActsAs<By> for Relation {
    fn acts_as(self, party: By) -> Result<(), Code> {
        let holds = match party {
            By::Manager => self.manager,
            By::Reviewer if self.reviewer && (self.member || self.founder) => {
                return Err(Code::OwnOrganization);
            }
            By::Reviewer => self.reviewer,
            By::Time => false,
        };
        if holds { Ok(()) } else { Err(Code::Forbidden) }
    }
}

/// Every move of an organisation (domain §3).
pub const MOVES: &[Move<OrganizationStatus, By>] = &[
    Move {
        from: &[Draft],
        verb: "submit",
        to: Submitted,
        by: &[By::Manager],
    },
    Move {
        from: &[Submitted],
        verb: "return",
        to: Returned,
        by: &[By::Reviewer],
    },
    Move {
        from: &[Returned],
        verb: "revise",
        to: Draft,
        by: &[By::Manager],
    },
    Move {
        from: &[Submitted],
        verb: "approve",
        to: Active,
        by: &[By::Reviewer],
    },
    Move {
        from: &[Active],
        verb: "suspend",
        to: Suspended,
        by: &[By::Reviewer],
    },
    Move {
        from: &[Active],
        verb: "lapse",
        to: Suspended,
        by: &[By::Time],
    },
    Move {
        from: &[Suspended],
        verb: "reinstate",
        to: Active,
        by: &[By::Reviewer],
    },
    Move {
        from: &[Draft, Returned, Active, Suspended],
        verb: "dissolve",
        to: Dissolved,
        by: &[By::Manager],
    },
    Move {
        from: &[Active, Suspended],
        verb: "revoke",
        to: Revoked,
        by: &[By::Reviewer],
    },
];

/// Who moves a membership.
#[derive(Clone, Copy, Debug, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum MembershipBy {
    /// Whose membership it is.
    Person,
    /// Who runs the organisation.
    Manager,
    /// The end of the organisation.
    #[strum(serialize = "end of the organisation")]
    End,
    /// The passing of time.
    #[strum(serialize = "clock")]
    Time,
}

/// How a caller stands to a membership. Both may hold at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MembershipRelation {
    /// Is the person.
    pub person: bool,
    /// Runs the organisation.
    pub manager: bool,
}

impl ActsAs<MembershipBy> for MembershipRelation {
    fn acts_as(self, party: MembershipBy) -> Result<(), Code> {
        let holds = match party {
            MembershipBy::Person => self.person,
            MembershipBy::Manager => self.manager,
            MembershipBy::End | MembershipBy::Time => false,
        };
        if holds { Ok(()) } else { Err(Code::Forbidden) }
    }
}

/// Every move of a membership.
pub const MEMBERSHIP: &[Move<MemberStatus, MembershipBy>] = &[
    Move {
        from: &[Invited],
        verb: "accept",
        to: MemberStatus::Active,
        by: &[MembershipBy::Person],
    },
    Move {
        from: &[Invited],
        verb: "decline",
        to: Declined,
        by: &[MembershipBy::Person],
    },
    Move {
        from: &[Invited],
        verb: "cancel",
        to: Cancelled,
        by: &[MembershipBy::Manager, MembershipBy::End],
    },
    Move {
        from: &[Invited],
        verb: "expire",
        to: Expired,
        by: &[MembershipBy::Time],
    },
    Move {
        from: &[MemberStatus::Active],
        verb: "leave",
        to: Left,
        by: &[MembershipBy::Person],
    },
    Move {
        from: &[MemberStatus::Active],
        verb: "remove",
        to: Removed,
        by: &[MembershipBy::Manager],
    },
];

/// How sure a unified social credit code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreditCode {
    /// Well-formed, and its check character is right.
    Valid,
    /// Well-formed; the check character is wrong. Some genuine codes are so: a reviewer decides.
    Doubtful,
}

const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// Reads a unified social credit code (GB 32100-2015): in capitals, and how sure it is.
///
/// # Errors
/// `credit_code_format`.
pub fn credit_code(text: &str) -> Result<(String, CreditCode), Code> {
    const WEIGHTS: [usize; 17] = [
        1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28,
    ];
    let code = text.trim().to_ascii_uppercase();
    let digits: Option<Vec<usize>> = code
        .bytes()
        .map(|byte| ALPHABET.iter().position(|known| *known == byte))
        .collect();
    let Some(digits) = digits.filter(|digits| digits.len() == 18) else {
        return Err(Code::CreditCodeFormat);
    };
    let sum: usize = digits
        .iter()
        .zip(WEIGHTS)
        .map(|(digit, weight)| digit * weight)
        .sum();
    let sure = if (31 - sum % 31) % 31 == digits[17] {
        CreditCode::Valid
    } else {
        CreditCode::Doubtful
    };
    Ok((code, sure))
}

/// Whether a code needs a reviewer's reason to be believed.
pub fn is_doubtful(code: Option<&str>) -> bool {
    code.is_some_and(|code| credit_code(code).is_ok_and(|(_, sure)| sure == CreditCode::Doubtful))
}

/// What the machine checks about a filing besides the organisation's own row.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Distinct people who accepted to be members.
    pub members: i64,
    /// Whether the responsible person is one of them.
    pub responsible_is_member: bool,
    /// Whether the responsible person is of age; none without a number of the identity card.
    pub responsible_is_adult: Option<bool>,
    /// The documents that are there.
    pub documents: Vec<DocumentKind>,
    /// Whether the venue lies inside the street.
    pub venue_in_street: bool,
    /// The day.
    pub today: NaiveDate,
}

/// What an organisation misses to be submitted and, if it is a filed one, to stay in order: each miss
/// on its own. The list for a filed one is Beilun's rule for filing (domain §3, organisation).
pub fn misses(
    organization: &Organization,
    facts: &Facts,
    rules: &OrganizationRules,
) -> Vec<FieldError> {
    let mut missing = Vec::new();
    let mut miss = |pointer: &str, code| {
        let mut error = FieldError::new(pointer, code);
        if code == Code::TooFewMembers {
            let wanted = rules.filing_members;
            error.detail.zh.push_str(&format!("（至少 {wanted} 人）"));
            error.detail.en.push_str(&format!(" It takes {wanted}."));
        }
        missing.push(error);
    };
    match organization.kind {
        OrganizationKind::Registered if organization.credit_code.is_none() => {
            miss("/credit_code", Code::Required);
        }
        OrganizationKind::Filed => {
            if facts.members < rules.filing_members {
                miss("/members", Code::TooFewMembers);
            }
            if organization.responsible_id.is_none() {
                miss("/responsible_id", Code::Required);
            } else if !facts.responsible_is_member {
                miss("/responsible_id", Code::ResponsibleNotMember);
            }
            match facts.responsible_is_adult {
                None => miss("/responsible_number", Code::Required),
                Some(false) => miss("/responsible_number", Code::ResponsibleUnderAge),
                Some(true) => {}
            }
            if !facts.documents.contains(&DocumentKind::Charter) {
                miss("/documents", Code::CharterMissing);
            }
            if organization.venue_address.is_none() {
                miss("/venue_address", Code::Required);
            }
            match organization.venue_region_id {
                None => miss("/venue_region_id", Code::Required),
                Some(_) if !facts.venue_in_street => {
                    miss("/venue_region_id", Code::VenueOutsideStreet);
                }
                Some(_) => {}
            }
            match organization.venue_until {
                None => miss("/venue_until", Code::Required),
                Some(last) if last < facts.today => miss("/venue_until", Code::InThePast),
                Some(_) => {}
            }
        }
        _ => {}
    }
    missing
}

/// What an edit may not do to an organisation that was reviewed: what it gives must be right, and
/// what nothing was missing of before must not be missing after it.
pub fn broken(
    before: &[FieldError],
    mut after: Vec<FieldError>,
    given: &[&'static str],
) -> Vec<FieldError> {
    after.retain(|miss| given.contains(&miss.pointer.as_str()) || !before.contains(miss));
    after
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn codes_of_the_standard() {
        for valid in [
            "91512081MA62K0260E",
            "9131000063159284XQ",
            "51330206MJ88990059",
            "52330206mj9900119b",
        ] {
            assert_eq!(
                credit_code(valid).map(|(_, sure)| sure),
                Ok(CreditCode::Valid),
                "{valid}"
            );
        }
        assert_eq!(
            credit_code("91350100M000100Y4Z").map(|(_, sure)| sure),
            Err(Code::CreditCodeFormat),
            "Z is not in the alphabet"
        );
        assert_eq!(
            credit_code("91512081MA62K0260F").map(|(_, sure)| sure),
            Ok(CreditCode::Doubtful)
        );
    }

    proptest! {
        #[test]
        fn exactly_one_check_character_is_right(body in "[0-9A-HJ-NP-RTUW-Y]{17}") {
            let right = ALPHABET
                .iter()
                .filter(|c| credit_code(&format!("{body}{}", **c as char)).map(|x| x.1) == Ok(CreditCode::Valid))
                .count();
            prop_assert_eq!(right, 1);
        }

        #[test]
        fn one_wrong_character_is_noticed(body in "[0-9A-HJ-NP-RTUW-Y]{17}", at in 0usize..17, by in 1usize..31) {
            let check = ALPHABET.iter().copied().find(|c| {
                credit_code(&format!("{body}{}", *c as char)).map(|x| x.1) == Ok(CreditCode::Valid)
            });
            let mut code = format!("{body}{}", check.unwrap_or(b'?') as char).into_bytes();
            let old = ALPHABET.iter().position(|c| *c == code[at]).unwrap_or(0);
            code[at] = ALPHABET[(old + by) % 31];
            let code = String::from_utf8(code).unwrap();
            prop_assert_eq!(credit_code(&code).map(|x| x.1), Ok(CreditCode::Doubtful));
        }
    }
}
