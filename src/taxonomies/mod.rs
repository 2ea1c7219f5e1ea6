//! Taxonomies: how people, projects and wishes are classified. They ship with the product, in
//! `config/taxonomy`; codes are stable, names come in Chinese and English.

mod catalogue;
pub mod http;

pub use catalogue::{
    BeneficiaryGroup, LifeCycle, Named, QualificationKind, SkillGroup, Taxonomies, is_field,
    qualification, skill, taxonomies,
};
