use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::text_enum;

text_enum! {
    /// Whom something is for.
    BeneficiaryGroup {
        /// 退役军人
        Veteran,
        /// 儿童
        Child,
        /// 老人
        Elder,
        /// 残疾人
        Disabled,
        /// 困难家庭
        FamilyInNeed,
        /// 病人
        Patient,
        /// 其他
        Other,
    }
}

text_enum! {
    /// The seven livelihood goals; every project and wish serves one of them first.
    LifeCycle {
        /// 幼有所育
        Childcare,
        /// 学有所教
        Education,
        /// 劳有所得
        Work,
        /// 病有所医
        Health,
        /// 老有所养
        OldAge,
        /// 住有所居
        Housing,
        /// 弱有所扶
        Support,
    }
}

/// A code with its names.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Named {
    /// The stable code.
    pub code: String,
    /// Its Chinese name.
    pub zh: String,
    /// Its English name.
    pub en: String,
}

/// A group of skills. A skill's code begins with its group's.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct SkillGroup {
    /// The stable code.
    pub code: String,
    /// Its Chinese name.
    pub zh: String,
    /// Its English name.
    pub en: String,
    /// The skills in it.
    #[serde(rename(deserialize = "skill"))]
    pub skills: Vec<Named>,
}

/// Something a reviewer verifies, unlike a skill, which people declare themselves.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct QualificationKind {
    /// The stable code.
    pub code: String,
    /// Its Chinese name.
    pub zh: String,
    /// Its English name.
    pub en: String,
    /// How long a verification lasts, in months; without it, it does not end.
    pub validity_months: Option<u32>,
    /// Holding this one counts as holding these, and what they include.
    pub includes: Vec<String>,
}

/// Everything by which things are classified.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Taxonomies {
    /// Skills in their groups.
    pub skill_groups: Vec<SkillGroup>,
    /// What can be verified.
    pub qualifications: Vec<QualificationKind>,
    /// Fields of projects and organisations.
    pub fields: Vec<Named>,
    /// The seven livelihood goals.
    pub life_cycles: Vec<Named>,
    /// Whom things are for.
    pub beneficiary_groups: Vec<Named>,
}

#[derive(Deserialize)]
struct Skills {
    group: Vec<SkillGroup>,
}

#[derive(Deserialize)]
struct Qualifications {
    qualification: Vec<QualificationKind>,
}

#[derive(Deserialize)]
struct Classifications {
    field: Vec<Named>,
    life_cycle: Vec<Named>,
    beneficiary_group: Vec<Named>,
}

/// Reads what is compiled in. A test reads it too, so a broken file does not ship.
fn read() -> Result<Taxonomies, toml::de::Error> {
    let skills: Skills = toml::from_str(include_str!("../../config/taxonomy/skills.toml"))?;
    let kinds: Qualifications =
        toml::from_str(include_str!("../../config/taxonomy/qualifications.toml"))?;
    let rest: Classifications =
        toml::from_str(include_str!("../../config/taxonomy/classifications.toml"))?;
    Ok(Taxonomies {
        skill_groups: skills.group,
        qualifications: kinds.qualification,
        fields: rest.field,
        life_cycles: rest.life_cycle,
        beneficiary_groups: rest.beneficiary_group,
    })
}

static ALL: LazyLock<Taxonomies> = LazyLock::new(|| {
    read().unwrap_or_else(|error| {
        tracing::error!(%error, "config/taxonomy");
        Taxonomies {
            skill_groups: Vec::new(),
            qualifications: Vec::new(),
            fields: Vec::new(),
            life_cycles: Vec::new(),
            beneficiary_groups: Vec::new(),
        }
    })
});

static SKILLS: LazyLock<BTreeMap<&'static str, &'static Named>> = LazyLock::new(|| {
    ALL.skill_groups
        .iter()
        .flat_map(|group| &group.skills)
        .map(|skill| (skill.code.as_str(), skill))
        .collect()
});

/// Everything by which things are classified.
pub fn taxonomies() -> &'static Taxonomies {
    &ALL
}

/// Whether there is such a field of projects and organisations.
pub fn is_field(code: &str) -> bool {
    ALL.fields.iter().any(|field| field.code == code)
}

/// The skill with this code.
pub fn skill(code: &str) -> Option<&'static Named> {
    SKILLS.get(code).copied()
}

/// The kind of qualification with this code.
pub fn qualification(code: &str) -> Option<&'static QualificationKind> {
    ALL.qualifications.iter().find(|kind| kind.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use strum::VariantArray;

    #[test]
    fn the_files_are_read_and_their_codes_are_sound() {
        let all = read().unwrap();
        let skills: Vec<_> = all
            .skill_groups
            .iter()
            .flat_map(|g| g.skills.iter().map(move |s| (g, s)))
            .collect();
        assert!(
            all.skill_groups.len() >= 15 && skills.len() >= 200,
            "{}",
            skills.len()
        );
        assert!(
            skills
                .iter()
                .all(|(group, skill)| skill.code.starts_with(&format!("{}.", group.code)))
        );
        let codes: BTreeSet<_> = skills.iter().map(|(_, skill)| &skill.code).collect();
        assert_eq!(codes.len(), skills.len());
        assert!(
            all.qualifications
                .iter()
                .flat_map(|q| &q.includes)
                .all(|code| qualification(code).is_some())
        );
    }

    #[test]
    fn the_choices_of_the_code_are_those_of_the_files() {
        let goals: Vec<_> = LifeCycle::VARIANTS.iter().map(|v| v.as_str()).collect();
        assert_eq!(
            taxonomies()
                .life_cycles
                .iter()
                .map(|n| n.code.as_str())
                .collect::<Vec<_>>(),
            goals
        );
        let groups: Vec<_> = BeneficiaryGroup::VARIANTS
            .iter()
            .map(|v| v.as_str())
            .collect();
        assert_eq!(
            taxonomies()
                .beneficiary_groups
                .iter()
                .map(|n| n.code.as_str())
                .collect::<Vec<_>>(),
            groups
        );
    }
}
