//! Points on the Earth: as unit vectors, where a distance is a chord, and as boxes of degrees, whose
//! distance from a point is bounded from below without trigonometry.

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
    let (x, y, z) = (a[0] - b[0], a[1] - b[1], a[2] - b[2]);
    let chord = (x * x + y * y + z * z).sqrt();
    2.0 * RADIUS_M * (0.5 * chord).min(1.0).asin()
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
        let up = (south - self.latitude).max(self.latitude - north) - SLACK_DEGREES;
        let aside = (west - self.longitude).max(self.longitude - east);
        // the other way round, over the date line
        let around = 360.0 - (self.longitude - west).max(east - self.longitude);
        let aside = aside.min(around) - SLACK_DEGREES;
        let half = |degrees: f32| {
            let x = degrees.max(0.0) * (0.5 * std::f32::consts::PI / 180.0);
            x - x * x * x * (1.0 / 6.0)
        };
        let (up, aside) = (half(up), half(aside));
        let hav = up * up + self.cos * cos * aside * aside;
        (2.0 * RADIUS_M as f32 * 0.9999) * hav.max(0.0).sqrt()
    }
}

/// The least cosine of a latitude inside the bounds, with room for errors.
pub fn least_cos(bounds: &Bounds) -> f32 {
    let cos = |degrees: f32| degrees.to_radians().cos();
    (cos(bounds.south).min(cos(bounds.north)) - 1e-5).max(0.0)
}
