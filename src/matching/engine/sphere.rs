//! Points on the Earth: as unit vectors, where a distance is a chord, and as boxes of degrees, whose
//! distance from a point is bounded from below without trigonometry.

use super::Site;

/// The Earth's mean radius in metres (IUGG), as the score defines it.
pub const RADIUS_M: f64 = 6_371_008.8;

/// A point, degrees (WGS 84).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Degrees north, -90 to 90.
    pub latitude: f64,
    /// Degrees east, -180 to 180.
    pub longitude: f64,
}

/// A point as a unit vector from the Earth's centre: no pole and no date line to think of.
pub type Vector = [f64; 3];

impl Point {
    /// The same point as a unit vector.
    pub fn vector(self) -> Vector {
        let (latitude, longitude) = (self.latitude.to_radians(), self.longitude.to_radians());
        let (sin, cos) = latitude.sin_cos();
        [cos * longitude.cos(), cos * longitude.sin(), sin]
    }

    /// Its place on a Hilbert curve over the degrees: near places are mostly near points.
    pub fn along(self) -> u64 {
        const CELLS: f64 = (1_u32 << 31) as f64;
        let cell = |share: f64| (share.clamp(0.0, 1.0) * CELLS) as usize;
        let x = cell((self.longitude + 180.0) / 360.0);
        let y = cell((self.latitude + 90.0) / 180.0);
        let last = (1_usize << 31) - 1;
        hilbert_2d::xy2h_discrete(x.min(last), y.min(last), 31, hilbert_2d::Variant::Hilbert) as u64
    }
}

/// The point of a unit vector.
pub fn point(vector: &Vector) -> Point {
    Point {
        // near a pole the arc sine would be metres off
        latitude: vector[2].atan2(vector[0].hypot(vector[1])).to_degrees(),
        longitude: vector[1].atan2(vector[0]).to_degrees(),
    }
}

/// The great-circle distance in metres.
#[inline(always)]
pub fn distance(a: &Vector, b: &Vector) -> f64 {
    arc(chord(a, b))
}

/// The same, where it is at most so many metres.
#[inline(always)]
pub fn distance_within(a: &Vector, b: &Vector, most_m: f32) -> Option<f64> {
    let (chord, most_m) = (chord(a, b), f64::from(most_m));
    if chord * RADIUS_M > most_m {
        return None; // the way along the ground is longer still
    }
    Some(arc(chord)).filter(|metres| *metres <= most_m)
}

#[inline(always)]
fn chord(a: &Vector, b: &Vector) -> f64 {
    let (x, y, z) = (a[0] - b[0], a[1] - b[1], a[2] - b[2]);
    (x * x + y * y + z * z).sqrt()
}

/// Metres along the ground.
#[inline(always)]
fn arc(chord: f64) -> f64 {
    let half = (0.5 * chord).min(1.0);
    let square = half * half;
    let arc = if square < 1e-4 {
        // up to 127 km: what the series leaves out is below the precision of the number
        half * (1.0 + square * (1.0 / 6.0 + square * (3.0 / 40.0 + square * (15.0 / 336.0))))
    } else {
        half.asin()
    };
    2.0 * RADIUS_M * arc
}

/// Bounds of points in degrees. Kept in single precision, rounded outwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    pub south: f32,
    pub north: f32,
    pub west: f32,
    pub east: f32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl Bounds {
    /// Of no point at all.
    pub const EMPTY: Self = Self {
        south: f32::INFINITY,
        north: f32::NEG_INFINITY,
        west: f32::INFINITY,
        east: f32::NEG_INFINITY,
    };

    /// Widens them to hold a point.
    pub fn add(&mut self, point: Point) {
        let (latitude, longitude) = (point.latitude as f32, point.longitude as f32);
        self.south = self.south.min(latitude.next_down());
        self.north = self.north.max(latitude.next_up());
        self.west = self.west.min(longitude.next_down());
        self.east = self.east.max(longitude.next_up());
    }

    /// Widens them to hold others.
    pub fn join(&mut self, other: &Self) {
        self.south = self.south.min(other.south);
        self.north = self.north.max(other.north);
        self.west = self.west.min(other.west);
        self.east = self.east.max(other.east);
    }
}

/// A point from which distances to bounds are asked.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    latitude: f32,
    longitude: f32,
    cos: f32,
}

impl From<Point> for Origin {
    fn from(point: Point) -> Self {
        Self {
            latitude: point.latitude as f32,
            longitude: point.longitude as f32,
            cos: point.latitude.to_radians().cos() as f32,
        }
    }
}

/// Single precision errs by less than this, in degrees, on a difference of two coordinates.
const SLACK_DEGREES: f32 = 3.1e-5;

impl Origin {
    /// Metres that every point inside the bounds is away at least; 0 inside.
    ///
    /// From the haversine formula, hav(d) = sin²(Δφ/2) + cos φ₁ cos φ₂ sin²(Δλ/2): each difference is
    /// taken at its least over the bounds, cos φ₂ at its least, sin x ≥ x − x³/6, and asin x ≥ x.
    /// Single precision with room for its errors.
    #[inline(always)]
    pub fn at_least(&self, south: f32, north: f32, west: f32, east: f32, cos: f32) -> f32 {
        // as one instruction each, which min and max of numbers that may be none are not
        let more = |a: f32, b: f32| if a > b { a } else { b };
        let less = |a: f32, b: f32| if a < b { a } else { b };
        let up = more(south - self.latitude, self.latitude - north) - SLACK_DEGREES;
        let aside = more(west - self.longitude, self.longitude - east);
        // the other way round, over the date line
        let around = 360.0 - more(self.longitude - west, east - self.longitude);
        let aside = less(aside, around) - SLACK_DEGREES;
        let half = |degrees: f32| {
            let x = more(degrees, 0.0) * (0.5 * std::f32::consts::PI / 180.0);
            x - x * x * x * (1.0 / 6.0)
        };
        let (up, aside) = (half(up), half(aside));
        let hav = up * up + self.cos * cos * aside * aside;
        const MOST: f32 = 2.0 * RADIUS_M as f32 * 0.9999;
        MOST * more(hav, 0.0).sqrt()
    }
}

/// Bounds side by side, with the widest radius in each: their distances are bounded together.
#[derive(Clone, Debug)]
pub struct Reaches<const N: usize> {
    south: [f32; N],
    north: [f32; N],
    west: [f32; N],
    east: [f32; N],
    cos: [f32; N],
    radius_m: [f32; N],
}

impl<const N: usize> Reaches<N> {
    /// Of no point at all.
    pub const EMPTY: Self = Self {
        south: [Bounds::EMPTY.south; N],
        north: [Bounds::EMPTY.north; N],
        west: [Bounds::EMPTY.west; N],
        east: [Bounds::EMPTY.east; N],
        cos: [1.0; N],
        radius_m: [0.0; N],
    };

    /// One of them.
    pub fn get(&self, n: usize) -> Reach {
        let bounds = Bounds {
            south: self.south[n],
            north: self.north[n],
            west: self.west[n],
            east: self.east[n],
        };
        Reach {
            bounds,
            radius_m: self.radius_m[n],
        }
    }

    /// Widens one of them.
    pub fn join(&mut self, n: usize, by: &Reach) {
        let mut reach = self.get(n);
        reach.join(by);
        self.south[n] = reach.bounds.south;
        self.north[n] = reach.bounds.north;
        self.west[n] = reach.bounds.west;
        self.east[n] = reach.bounds.east;
        self.cos[n] = least_cos(&reach.bounds);
        self.radius_m[n] = reach.radius_m;
    }

    /// How many metres everything inside each is away at least; infinite where that is beyond its
    /// radius or one's own.
    #[inline(always)]
    pub fn at_least(&self, origin: &Origin, own_m: f32) -> [f32; N] {
        let mut metres = [0.0; N];
        for (n, metres) in metres.iter_mut().enumerate() {
            let (south, north) = (self.south[n], self.north[n]);
            let (west, east) = (self.west[n], self.east[n]);
            let least = origin.at_least(south, north, west, east, self.cos[n]);
            let is_beyond = (least > own_m) | (least > self.radius_m[n]);
            *metres = if is_beyond { f32::INFINITY } else { least };
        }
        metres
    }
}

/// Points side by side, with the radius around each: all in single precision, in the Earth's radii.
#[derive(Clone, Debug)]
pub struct Spots {
    vector: [[f32; 64]; 3],
    radius: [f32; 64],
}

/// A radius in the Earth's, a little longer than single precision errs on a chord beside it.
#[inline(always)]
fn radii(radius_m: f32) -> f32 {
    (radius_m * 1.000_001 + 2.0) * (1.0 / RADIUS_M as f32)
}

impl Spots {
    /// All in the middle of the Earth, that nobody reaches.
    pub const EMPTY: Self = Self {
        vector: [[0.0; 64]; 3],
        radius: [0.0; 64],
    };

    /// Puts one of them somewhere.
    pub fn set(&mut self, n: usize, vector: &Vector, radius_m: f32) {
        for (axis, all) in self.vector.iter_mut().enumerate() {
            all[n] = vector[axis] as f32;
        }
        self.radius[n] = radii(radius_m);
    }

    /// Those that may be within their radius and one's own, as bits: a chord is shorter than the way
    /// along the ground.
    #[inline(always)]
    pub fn within(&self, from: &Vector, own_m: f32) -> u64 {
        let [x, y, z] = from.map(|axis| axis as f32);
        let own = radii(own_m);
        let mut halves = [0_u32; 2];
        for (half, bits) in halves.iter_mut().enumerate() {
            for n in 0..32 {
                let at = 32 * half + n;
                let (x, y, z) = (
                    self.vector[0][at] - x,
                    self.vector[1][at] - y,
                    self.vector[2][at] - z,
                );
                let radius = self.radius[at];
                let most = if own < radius { own } else { radius };
                *bits |= u32::from(x * x + y * y + z * z <= most * most) << n;
            }
        }
        u64::from(halves[0]) | u64::from(halves[1]) << 32
    }
}

/// Bounds of places, and the widest radius around one of them, in metres.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    bounds: Bounds,
    radius_m: f32,
}

impl Reach {
    /// Of no place.
    pub const EMPTY: Self = Self {
        bounds: Bounds::EMPTY,
        radius_m: 0.0,
    };

    /// Of one place; of none.
    pub fn of(site: Option<Site>) -> Self {
        let mut reach = Self::EMPTY;
        if let Some(site) = site {
            reach.bounds.add(site.point);
            reach.radius_m = site.radius_m;
        }
        reach
    }

    /// Widens it to hold another.
    pub fn join(&mut self, other: &Self) {
        self.bounds.join(&other.bounds);
        self.radius_m = self.radius_m.max(other.radius_m);
    }
}

/// The least cosine of a latitude inside the bounds, with room for errors.
pub fn least_cos(bounds: &Bounds) -> f32 {
    let cos = |degrees: f32| degrees.to_radians().cos();
    (cos(bounds.south).min(cos(bounds.north)) - 1e-5).max(0.0)
}
