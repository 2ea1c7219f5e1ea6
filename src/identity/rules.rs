//! Pure decisions about accounts.

use validator::ValidationError;

use super::model::{Grant, Role, ScopeKind};
use crate::error::{Code, Result};
use crate::regions::Level;

/// A Chinese mobile number in E.164: `+86` and eleven digits that begin with 1. Blanks and hyphens
/// are let pass, the country code may be left out.
///
/// # Errors
/// `format`.
pub fn normal_phone(text: &str) -> Result<String, Code> {
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let national = digits
        .strip_prefix("+86")
        .or_else(|| digits.strip_prefix("0086"))
        .unwrap_or(&digits);
    let is_mobile = national.len() == 11
        && national.starts_with('1')
        && national.bytes().all(|b| b.is_ascii_digit());
    if is_mobile {
        Ok(format!("+86{national}"))
    } else {
        Err(Code::Format)
    }
}

/// [`normal_phone`] as a field rule.
///
/// # Errors
/// When it is none.
pub fn valid_phone(text: &str) -> std::result::Result<(), ValidationError> {
    normal_phone(text).map_or_else(|_| Err(ValidationError::new("phone")), |_| Ok(()))
}

/// [`normal_email`] as a field rule.
///
/// # Errors
/// When it is none.
pub fn valid_email(text: &str) -> std::result::Result<(), ValidationError> {
    normal_email(text).map_or_else(|_| Err(ValidationError::new("email")), |_| Ok(()))
}

/// An e-mail address in lower case, without blanks around it.
///
/// # Errors
/// `format`.
pub fn normal_email(text: &str) -> Result<String, Code> {
    use validator::ValidateEmail;
    let email = text.trim().to_lowercase();
    if email.len() <= 254 && email.validate_email() {
        Ok(email)
    } else {
        Err(Code::Format)
    }
}

/// Which kind of scope a role is granted in (domain: who may do what).
pub fn scope_of(role: Role) -> ScopeKind {
    match role {
        Role::PlatformAdmin => ScopeKind::All,
        Role::RegionAdmin
        | Role::GridLeader
        | Role::GridWorker
        | Role::CaseOfficer
        | Role::Auditor => ScopeKind::Region,
        Role::OrganizationManager | Role::OrganizationMember => ScopeKind::Organization,
        Role::BranchSecretary => ScopeKind::Branch,
    }
}

/// Whether a role is held in regions of this level: administrators have a district, a street or what lies
/// between it and the grids; those who work in a grid have a grid (domain: who may do what).
pub fn is_held_in(role: Role, level: Level) -> bool {
    match role {
        Role::GridLeader | Role::GridWorker => level == Level::Grid,
        Role::RegionAdmin => level != Level::Grid,
        _ => true,
    }
}

/// Whether a holder of `by`, whose scope holds the new one, may grant `role`. Nobody grants a role
/// wider than its own; organisations hand out theirs by invitation.
pub fn may_grant(by: &Grant, role: Role) -> bool {
    match by.role {
        Role::PlatformAdmin => true,
        Role::RegionAdmin => {
            matches!(
                role,
                Role::RegionAdmin
                    | Role::GridLeader
                    | Role::GridWorker
                    | Role::Auditor
                    | Role::BranchSecretary
            )
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn phones_have_one_form() {
        for text in [
            "13800138000",
            "+86 138 0013 8000",
            "0086-13800138000",
            "138-0013-8000",
        ] {
            assert_eq!(normal_phone(text).unwrap(), "+8613800138000");
        }
        for text in [
            "23800138000",
            "1380013800",
            "+1 2025550123",
            "",
            "1380013800a",
        ] {
            assert!(normal_phone(text).is_err(), "{text}");
        }
        assert_eq!(
            normal_email(" Wang@Example.ORG ").unwrap(),
            "wang@example.org"
        );
        assert!(normal_email("wang").is_err());
    }

    proptest! {
        #[test]
        fn a_normal_phone_is_its_own_normal_form(digits in "1[0-9]{10}") {
            let once = normal_phone(&digits).unwrap();
            prop_assert_eq!(normal_phone(&once).unwrap(), once);
        }
    }
}
