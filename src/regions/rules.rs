//! Pure decisions about regions.

use std::iter::once;

use chrono::NaiveDate;
use geo::orient::{Direction, Orient};
use geo::{
    Contains, GeodesicArea, Intersects, Line, LineString, MultiPolygon, Point, Polygon, Relate,
    RemoveRepeatedPoints,
};

use super::model::Level;
use crate::error::{Code, Result};

/// Mean radius of the Earth in metres (IUGG), as the product's distances use it.
pub const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// Whether a region of `level` may lie directly in one of `parent`.
pub fn may_lie_in(level: Level, parent: Option<Level>) -> bool {
    matches!(
        (level, parent),
        (Level::District, None)
            | (Level::Street, Some(Level::District))
            | (Level::Area | Level::Community, Some(Level::Street))
            | (Level::Grid, Some(Level::Area | Level::Community))
    )
}

/// Whether a region whose last day is `last` is no more on a day.
pub fn has_ended(last: Option<NaiveDate>, on: NaiveDate) -> bool {
    last.is_some_and(|last| last < on)
}

/// The degrees that everything within so many metres of a point lies between: west, south, east, north. Near
/// the poles that is every longitude.
pub fn around((longitude, latitude): (f64, f64), metres: f64) -> (f64, f64, f64, f64) {
    let tall = metres / 111_000.0; // a degree of latitude
    let wide = if latitude.abs() + tall > 89.0 {
        360.0
    } else {
        (tall / latitude.to_radians().cos()).min(360.0)
    };
    (
        longitude - wide,
        latitude - tall,
        longitude + wide,
        latitude + tall,
    )
}

/// Great-circle distance in metres (haversine) between two points given as
/// (longitude, latitude) in degrees.
pub fn distance_m(from: (f64, f64), to: (f64, f64)) -> f64 {
    let (lon1, lat1) = (from.0.to_radians(), from.1.to_radians());
    let (lon2, lat2) = (to.0.to_radians(), to.1.to_radians());
    let h = ((lat2 - lat1) / 2.0).sin().powi(2)
        + lat1.cos() * lat2.cos() * ((lon2 - lon1) / 2.0).sin().powi(2);
    2.0 * EARTH_RADIUS_M * h.sqrt().min(1.0).asin()
}

/// The most positions of an outline.
pub const MOST_POSITIONS: usize = 50_000;

/// The outline in a GeoJSON geometry (RFC 7946, §3.1.6) that somebody hands in.
///
/// # Errors
/// `format` unless it is a polygon or several; `ring_not_closed`; `range` for degrees out of
/// bounds; `outline_too_fine`; `outline_crosses`.
pub fn sound_outline(geometry: &serde_json::Value) -> Result<MultiPolygon, Code> {
    use geojson::GeometryValue::{MultiPolygon as Many, Polygon as One};
    let parsed: geojson::Geometry =
        serde_json::from_value(geometry.clone()).map_err(|_| Code::Format)?;
    let rings: Vec<_> = match &parsed.value {
        One { coordinates } if !coordinates.is_empty() => coordinates.iter().collect(),
        Many { coordinates } => {
            if coordinates.is_empty() || coordinates.iter().any(Vec::is_empty) {
                return Err(Code::Format);
            }
            coordinates.iter().flatten().collect()
        }
        _ => return Err(Code::Format),
    };
    if rings
        .iter()
        .any(|ring| ring.len() < 4 || ring.first() != ring.last())
        || rings.is_empty()
    {
        return Err(Code::RingNotClosed);
    }
    let in_range = |position: &geojson::Position| {
        matches!(position.as_slice(), [longitude, latitude, ..]
            if longitude.abs() <= 180.0 && latitude.abs() <= 90.0)
    };
    if !rings.iter().all(|ring| ring.iter().all(in_range)) {
        return Err(Code::Range);
    }
    if rings.iter().map(|ring| ring.len()).sum::<usize>() > MOST_POSITIONS {
        return Err(Code::OutlineTooFine);
    }
    let outline = outline(geometry).map_err(|_| Code::Format)?;
    if is_simple(&outline) && area_m2(&outline) > 0.0 {
        Ok(outline)
    } else {
        Err(Code::OutlineCrosses)
    }
}

/// Whether no ring crosses or touches itself, holes lie inside, and holes as well as parts lie
/// beside each other. The check of the `geo` crate compares each line with each other one.
fn is_simple(outline: &MultiPolygon) -> bool {
    let rings = |one: &Polygon| -> Vec<Polygon> {
        let rings = once(one.exterior()).chain(one.interiors());
        rings
            .map(|ring| Polygon::new(ring.remove_repeated_points(), Vec::new()))
            .collect()
    };
    let are_apart = |all: &[Polygon]| {
        all.iter().enumerate().all(|(n, one)| {
            all[n + 1..].iter().all(|other| {
                let relation = one.relate(other);
                relation.is_disjoint() || relation.is_touches()
            })
        })
    };
    outline.iter().map(rings).all(|rings| {
        let (shell, holes) = (&rings[0], &rings[1..]);
        !rings.iter().any(|ring| crosses_itself(ring.exterior()))
            && holes.iter().all(|hole| shell.relate(hole).is_contains())
            && are_apart(holes)
    }) && are_apart(&outline.0)
}

/// Whether two lines of a closed ring meet anywhere but at its corners.
fn crosses_itself(ring: &LineString) -> bool {
    let west = |line: &Line| line.start.x.min(line.end.x);
    let mut lines: Vec<Line> = ring.lines().collect();
    lines.sort_by(|one, other| west(one).total_cmp(&west(other)));
    lines.iter().enumerate().any(|(n, line)| {
        let east = line.start.x.max(line.end.x);
        lines[n + 1..]
            .iter()
            .take_while(|other| west(other) <= east)
            .any(|other| {
                line.intersects(other) && line.start != other.end && line.end != other.start
            })
    })
}

/// The outline in a GeoJSON geometry.
///
/// # Errors
/// `format` unless it is a polygon or several.
pub fn outline(geometry: &serde_json::Value) -> Result<MultiPolygon> {
    let geometry: geojson::Geometry =
        serde_json::from_value(geometry.clone()).map_err(|_| Code::Format)?;
    let shape: geo::Geometry = geometry.try_into().map_err(|_| Code::Format)?;
    match shape {
        geo::Geometry::Polygon(one) => Ok(MultiPolygon::new(vec![one])),
        geo::Geometry::MultiPolygon(many) => Ok(many),
        _ => Err(Code::Format.into()),
    }
}

/// Area of an outline in square metres, whichever way round its rings go.
pub fn area_m2(outline: &MultiPolygon) -> f64 {
    outline.orient(Direction::Default).geodesic_area_unsigned()
}

/// Whether the point lies inside.
pub fn is_inside(outline: &MultiPolygon, longitude: f64, latitude: f64) -> bool {
    outline.contains(&Point::new(longitude, latitude))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn grids_hang_under_areas_or_communities() {
        assert!(may_lie_in(Level::Grid, Some(Level::Area)));
        assert!(may_lie_in(Level::Grid, Some(Level::Community)));
        assert!(!may_lie_in(Level::Grid, Some(Level::Street)));
        assert!(!may_lie_in(Level::Street, None));
        assert!(!may_lie_in(Level::District, Some(Level::Street)));
    }

    #[test]
    fn a_region_is_there_on_its_last_day() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let last = Some(day("2025-12-31"));
        assert!(!has_ended(last, day("2025-12-31")));
        assert!(has_ended(last, day("2026-01-01")));
        assert!(!has_ended(None, day("2026-01-01")));
    }

    #[test]
    fn only_polygons_are_outlines() {
        let square = serde_json::json!({"type": "Polygon", "coordinates":
            [[[121.8, 29.9], [121.9, 29.9], [121.9, 30.0], [121.8, 30.0], [121.8, 29.9]]]});
        let square = outline(&square).unwrap();
        assert!(is_inside(&square, 121.85, 29.95));
        assert!(!is_inside(&square, 121.95, 29.95));
        // 0.1° by 0.1° at 29.95° north
        assert!((area_m2(&square) / 1.07e8 - 1.0).abs() < 0.01);
        assert!(outline(&serde_json::json!({"type": "Point", "coordinates": [1, 2]})).is_err());
        assert!(outline(&serde_json::json!({"hello": 1})).is_err());
    }

    #[test]
    fn only_sound_outlines_are_taken() {
        use serde_json::json;
        let square = |at: f64, size: f64| {
            json!([
                [at, at],
                [at + size, at],
                [at + size, at + size],
                [at, at + size],
                [at, at]
            ])
        };
        let polygon = |rings: serde_json::Value| json!({"type": "Polygon", "coordinates": rings});
        let many = |all: serde_json::Value| json!({"type": "MultiPolygon", "coordinates": all});
        let mut clockwise = square(10.0, 1.0).as_array().unwrap().clone();
        clockwise.reverse();
        for good in [
            polygon(json!([square(10.0, 1.0)])),
            polygon(json!([square(10.0, 1.0), square(10.2, 0.5)])),
            polygon(json!([[[0, 0, 7], [1, 0, 7], [1, 1, 7], [0, 0, 7]]])),
            polygon(json!([[[0, 0], [1, 0], [1, 0], [1, 1], [0, 0]]])),
            polygon(json!([clockwise])),
            many(json!([[square(10.0, 1.0)], [square(12.0, 1.0)]])),
        ] {
            let area = area_m2(&sound_outline(&good).unwrap_or_else(|e| panic!("{good}: {e:?}")));
            assert!(area < 3e10, "{good}: {area}");
        }
        for (bad, code) in [
            (
                json!({"type": "Point", "coordinates": [1, 2]}),
                Code::Format,
            ),
            (json!({"type": "Polygon"}), Code::Format),
            (json!(null), Code::Format),
            (polygon(json!([])), Code::Format),
            (many(json!([])), Code::Format),
            (many(json!([[]])), Code::Format),
            (polygon(json!([[]])), Code::RingNotClosed),
            (polygon(json!([[[0, 0], [1, 1]]])), Code::RingNotClosed),
            (
                polygon(json!([[[0, 0], [1, 0], [1, 1], [0, 1]]])),
                Code::RingNotClosed,
            ),
            (
                polygon(json!([[[500, 0], [501, 0], [501, 1], [500, 0]]])),
                Code::Range,
            ),
            (
                polygon(json!([[
                    [29.9, 121.8],
                    [29.9, 121.9],
                    [30, 121.9],
                    [29.9, 121.8]
                ]])),
                Code::Range,
            ),
            (
                polygon(json!([[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]])),
                Code::OutlineCrosses,
            ),
            (
                polygon(json!([[[0, 0], [1, 0], [2, 0], [0, 0]]])),
                Code::OutlineCrosses,
            ),
            (
                polygon(json!([[[0, 0], [0, 0], [0, 0], [0, 0]]])),
                Code::OutlineCrosses,
            ),
            (
                polygon(json!([square(10.0, 1.0), square(20.0, 1.0)])),
                Code::OutlineCrosses,
            ),
            (
                many(json!([[square(10.0, 1.0)], [square(10.5, 1.0)]])),
                Code::OutlineCrosses,
            ),
        ] {
            assert_eq!(sound_outline(&bad).map(|_| ()), Err(code), "{bad}");
        }
        for short in [json!([[[0], [1], [2], [0]]]), json!([[[], [], [], []]])] {
            assert!(sound_outline(&polygon(short)).is_err());
        }
    }

    #[test]
    fn a_fine_outline_is_looked_at_in_no_time() {
        let ring = |n: usize| -> Vec<_> {
            let at = |i: usize| {
                let angle = std::f64::consts::TAU * (i % n) as f64 / n as f64;
                [121.8 + angle.cos() / 10.0, 29.9 + angle.sin() / 10.0]
            };
            (0..=n).map(at).collect()
        };
        let began = std::time::Instant::now();
        let fine =
            serde_json::json!({"type": "Polygon", "coordinates": [ring(MOST_POSITIONS - 1)]});
        assert!(sound_outline(&fine).is_ok());
        assert!(began.elapsed() < std::time::Duration::from_secs(20));
        let too_fine =
            serde_json::json!({"type": "Polygon", "coordinates": [ring(MOST_POSITIONS)]});
        assert_eq!(
            sound_outline(&too_fine).map(|_| ()),
            Err(Code::OutlineTooFine)
        );
    }

    proptest! {
        #[test]
        fn distance_is_a_metric_on_the_sphere(
            a in (-180.0..180.0, -90.0..90.0), b in (-180.0..180.0, -90.0..90.0)
        ) {
            let d = distance_m(a, b);
            prop_assert!((0.0..=EARTH_RADIUS_M * std::f64::consts::PI + 1e-6).contains(&d));
            prop_assert!((d - distance_m(b, a)).abs() < 1e-6);
            prop_assert!(distance_m(a, a) < 1e-6);
            // the antimeridian is no wall
            prop_assert!((distance_m((a.0 + 360.0, a.1), b) - d).abs() < 1e-2);
        }
    }
}
