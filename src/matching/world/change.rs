//! What is new of a person: most often little, and little is changed in place.

use crate::matching::engine::{Point, Profile};

/// What is new of a person.
pub enum Change {
    Nothing,
    Load,
    /// The one place is another one.
    Place(Point),
    Much,
}

impl Change {
    pub fn of(before: &Profile, after: &Profile) -> Self {
        let mut same = before.clone();
        same.load = after.load;
        if same == *after {
            return if before.load == after.load {
                Self::Nothing
            } else {
                Self::Load
            };
        }
        same.load = before.load;
        match (same.sites.as_mut_slice(), after.sites.as_slice()) {
            ([site], [new]) if site.radius_m == new.radius_m => {
                site.point = new.point;
                if same == *after {
                    Self::Place(new.point)
                } else {
                    Self::Much
                }
            }
            _ => Self::Much,
        }
    }
}
