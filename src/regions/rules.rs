//! Pure decisions about regions.

use geo::{Contains, GeodesicArea, MultiPolygon, Point};

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

/// Great-circle distance in metres (haversine) between two points given as
/// (longitude, latitude) in degrees.
pub fn distance_m(from: (f64, f64), to: (f64, f64)) -> f64 {
    let (lon1, lat1) = (from.0.to_radians(), from.1.to_radians());
    let (lon2, lat2) = (to.0.to_radians(), to.1.to_radians());
    let h = ((lat2 - lat1) / 2.0).sin().powi(2)
        + lat1.cos() * lat2.cos() * ((lon2 - lon1) / 2.0).sin().powi(2);
    2.0 * EARTH_RADIUS_M * h.sqrt().min(1.0).asin()
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

/// Area of an outline in square metres.
pub fn area_m2(outline: &MultiPolygon) -> f64 {
    outline.geodesic_area_unsigned()
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
