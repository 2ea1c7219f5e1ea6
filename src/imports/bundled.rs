//! Tables that ship with the program, so that an empty installation needs no file to begin with.

use super::targets::Target;
use crate::text_enum;

text_enum! {
    /// A table that ships with the program.
    Bundled {
        /// 北仑区 and its eleven streets.
        Beilun,
    }
}

impl Bundled {
    /// What is in it.
    pub fn target(self) -> Target {
        match self {
            Self::Beilun => Target::Regions,
        }
    }

    /// What its file is called.
    pub fn file_name(self) -> String {
        format!("{self}.csv")
    }

    /// The table.
    pub fn file(self) -> &'static [u8] {
        match self {
            Self::Beilun => include_bytes!("../../config/regions/beilun.csv"),
        }
    }

    /// Its mapping.
    pub fn map(self) -> &'static str {
        match self {
            Self::Beilun => include_str!("../../config/imports/regions.toml"),
        }
    }
}
