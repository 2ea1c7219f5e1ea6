//! Photos and documents, on local disk or in an S3-compatible store.
//!
//! A file is taken for what its content says it is, never for its name. Photos are decoded and
//! written anew, so nothing but the picture is kept: no place, no camera, no hidden payload.
//! Documents are kept as they are; whoever hands them out does so as a download.

use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits, Rgb, RgbImage};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, RetryConfig};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use tokio::sync::Semaphore;

/// Where files live.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FilesConfig {
    /// On local disk, or in an S3-compatible store.
    pub store: FileStoreKind,
    /// The local folder.
    pub folder: PathBuf,
    /// The bucket.
    pub bucket: String,
    /// The store's address; empty for Amazon's own.
    pub endpoint: String,
    /// Its region.
    pub region: String,
    /// The account.
    pub access_key_id: String,
    /// Its secret.
    #[serde(default, serialize_with = "masked")]
    pub secret_access_key: Option<SecretString>,
    /// Speak plain HTTP to the store.
    pub allow_http: bool,
    /// The largest upload, in bytes.
    pub max_bytes: usize,
    /// The largest photo, in pixels.
    pub max_pixels: u64,
}

fn masked<S: Serializer>(secret: &Option<SecretString>, to: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(|_| "***").serialize(to)
}

/// The two places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileStoreKind {
    /// A folder.
    Local,
    /// An S3-compatible store.
    S3,
}

/// Why a file was not taken or not found.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Larger than `files.max_bytes`.
    #[error("larger than {limit} bytes")]
    TooLarge {
        /// The most that is taken, in bytes.
        limit: usize,
    },
    /// Its content is of a type that is not taken.
    #[error("{found} is not a type that is taken")]
    UnsupportedType {
        /// The media type of its content, `application/octet-stream` when that is not known.
        found: &'static str,
    },
    /// It claims to be a photo and cannot be decoded.
    #[error("not a readable photo")]
    Unreadable,
    /// A photo of more than `files.max_pixels`.
    #[error("more than {limit} pixels")]
    TooManyPixels {
        /// The most that is taken, in pixels.
        limit: u64,
    },
    /// There is no such file.
    #[error("no such file")]
    NotFound,
    /// The store failed.
    #[error("file store: {0}")]
    Storage(String),
}

/// A photo that was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPhoto {
    /// The key of the photo; its content's hash, so the same photo has the same key.
    pub key: String,
    /// The key of its thumbnail.
    pub thumbnail: String,
    /// Width in pixels, as stored.
    pub width: u32,
    /// Height in pixels, as stored.
    pub height: u32,
}

/// A document that was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDocument {
    /// Its key: its content's hash and its type's ending.
    pub key: String,
    /// Its media type.
    pub content_type: &'static str,
    /// Its size in bytes.
    pub size: usize,
}

/// A file that is handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileContent {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its media type.
    pub content_type: &'static str,
    /// A strong entity tag, quotes included: its content's hash, so it never changes.
    pub etag: String,
}

/// The types that are kept, by the ending of their keys.
const TYPES: [(&str, &str); 5] = [
    ("jpg", "image/jpeg"),
    ("png", "image/png"),
    ("pdf", "application/pdf"),
    (
        "docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    (
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
];
/// The longest side of a stored photo, in pixels.
const PHOTO_SIDE: u32 = 2048;
/// The longest side of a thumbnail, in pixels.
const THUMBNAIL_SIDE: u32 = 320;
/// The quality of stored photos, of 100.
const QUALITY: u8 = 85;
/// How long a store may take over all tries of one request.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long it may take to show that it is there.
const READINESS: Duration = Duration::from_secs(5);

/// Takes files in and hands them out.
pub struct FileStore {
    store: Arc<dyn ObjectStore>,
    max_bytes: usize,
    max_pixels: u64,
    /// A large photo takes hundreds of megabytes while it is decoded: a few at a time.
    decoders: Arc<Semaphore>,
}

impl FileStore {
    /// Opens the store.
    ///
    /// # Errors
    /// `Storage` when the folder cannot be made or a setting is missing.
    pub fn new(config: &FilesConfig) -> Result<Self, FileError> {
        let storage = |error: object_store::Error| FileError::Storage(error.to_string());
        let store: Arc<dyn ObjectStore> = match config.store {
            FileStoreKind::Local => {
                std::fs::create_dir_all(&config.folder)
                    .map_err(|error| FileError::Storage(format!("files.folder: {error}")))?;
                let local = LocalFileSystem::new_with_prefix(&config.folder).map_err(storage)?;
                // a row that names a file must not outlive it
                Arc::new(local.with_fsync(true))
            }
            FileStoreKind::S3 => {
                if config.bucket.is_empty() {
                    return Err(FileError::Storage("files.bucket is missing".to_owned()));
                }
                let mut s3 = AmazonS3Builder::new()
                    .with_bucket_name(&config.bucket)
                    .with_region(&config.region)
                    .with_allow_http(config.allow_http)
                    .with_retry(RetryConfig {
                        max_retries: 3,
                        retry_timeout: PATIENCE,
                        ..RetryConfig::default()
                    });
                // without an account the machine's own role is asked for
                if !config.access_key_id.is_empty() {
                    let secret = config.secret_access_key.as_ref();
                    s3 = s3
                        .with_access_key_id(&config.access_key_id)
                        .with_secret_access_key(secret.map_or("", |s| s.expose_secret()));
                }
                if !config.endpoint.is_empty() {
                    s3 = s3.with_endpoint(&config.endpoint);
                }
                Arc::new(s3.build().map_err(storage)?)
            }
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            store,
            max_bytes: config.max_bytes,
            max_pixels: config.max_pixels,
            decoders: Arc::new(Semaphore::new(cores)),
        })
    }

    /// The largest upload, in bytes.
    pub fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// Takes a photo in: JPEG, PNG or WebP. It is turned upright, made smaller where it is large and
    /// kept as JPEG, with a thumbnail.
    ///
    /// # Errors
    /// When it is too large, not a photo, or cannot be stored.
    pub async fn put_photo(&self, bytes: Vec<u8>) -> Result<StoredPhoto, FileError> {
        self.check_size(&bytes)?;
        let found = type_of(&bytes);
        if !matches!(found, "image/jpeg" | "image/png" | "image/webp") {
            return Err(FileError::UnsupportedType { found });
        }
        let permit = Arc::clone(&self.decoders).acquire_owned().await;
        let permit = permit.map_err(|error| FileError::Storage(error.to_string()))?;
        let max_pixels = self.max_pixels;
        let anew = tokio::task::spawn_blocking(move || {
            // held by the work, not by the request, which may be given up meanwhile
            let _permit = permit;
            write_anew(&bytes, max_pixels)
        });
        // a decoder that panics does so for the photo's sake
        let anew = anew.await.map_err(|_| FileError::Unreadable)??;
        Ok(StoredPhoto {
            key: self.put(hash(&anew.photo), anew.photo).await?,
            thumbnail: self.put(hash(&anew.thumbnail), anew.thumbnail).await?,
            width: anew.width,
            height: anew.height,
        })
    }

    /// Takes a document in, as it is: PDF, DOCX, XLSX (both without macros), JPEG or PNG.
    ///
    /// # Errors
    /// When it is too large, of another type, or cannot be stored.
    pub async fn put_document(&self, bytes: Vec<u8>) -> Result<StoredDocument, FileError> {
        self.check_size(&bytes)?;
        let found = type_of(&bytes);
        let Some((ending, content_type)) = TYPES.iter().find(|(_, known)| *known == found) else {
            return Err(FileError::UnsupportedType { found });
        };
        let size = bytes.len();
        let key = format!("{}.{ending}", hash(&bytes));
        Ok(StoredDocument {
            key: self.put(key, bytes).await?,
            content_type,
            size,
        })
    }

    /// A file by its key.
    ///
    /// # Errors
    /// `NotFound`, also for a text that is no key; `Storage`.
    pub async fn get(&self, key: &str) -> Result<FileContent, FileError> {
        let place = Place::of(key)?;
        let answer = self.store.get(&place.path).await.map_err(refusal)?;
        Ok(FileContent {
            bytes: answer.bytes().await.map_err(refusal)?.to_vec(),
            content_type: place.content_type,
            etag: format!("\"{}\"", place.hash),
        })
    }

    /// Removes a file; one that is not there is removed already. As the same content has the same
    /// key, the caller makes sure that nobody else refers to it.
    ///
    /// # Errors
    /// `NotFound` for a text that is no key; `Storage`.
    pub async fn delete(&self, key: &str) -> Result<(), FileError> {
        let place = Place::of(key)?;
        match self.store.delete(&place.path).await.map_err(refusal) {
            Err(FileError::NotFound) => Ok(()),
            other => other,
        }
    }

    /// Whether the store takes files, for readiness: writes a small one, always the same.
    ///
    /// # Errors
    /// `Storage` when it does not, or not within five seconds.
    pub async fn check(&self) -> Result<(), FileError> {
        let (path, nothing) = (Path::from("ready"), PutPayload::from_static(b"ready\n"));
        match tokio::time::timeout(READINESS, self.store.put(&path, nothing)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(FileError::Storage(error.to_string())),
            Err(_) => Err(FileError::Storage("no answer in time".to_owned())),
        }
    }

    fn check_size(&self, bytes: &[u8]) -> Result<(), FileError> {
        let limit = self.max_bytes;
        if bytes.len() > limit {
            return Err(FileError::TooLarge { limit });
        }
        Ok(())
    }

    async fn put(&self, key: String, bytes: Vec<u8>) -> Result<String, FileError> {
        let path = Place::of(&key)?.path;
        let put = self.store.put(&path, PutPayload::from(bytes));
        put.await.map_err(refusal)?;
        Ok(key)
    }
}

fn refusal(error: object_store::Error) -> FileError {
    match error {
        object_store::Error::NotFound { .. } => FileError::NotFound,
        other => FileError::Storage(other.to_string()),
    }
}

fn hash(bytes: &[u8]) -> String {
    let digest = digest(&SHA256, bytes);
    digest.as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

/// What a key says.
struct Place<'a> {
    path: Path,
    hash: &'a str,
    content_type: &'static str,
}

impl<'a> Place<'a> {
    /// `ab/cd/abcd….jpg`: folders stay small, and nothing but a hash is ever a path. A key without
    /// an ending is a photo's.
    fn of(key: &'a str) -> Result<Self, FileError> {
        let (hash, ending) = key.split_once('.').unwrap_or((key, "jpg"));
        let is_hash =
            hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let known = TYPES.iter().find(|(known, _)| *known == ending);
        let (true, Some((ending, content_type))) = (is_hash, known) else {
            return Err(FileError::NotFound);
        };
        let path = format!("{}/{}/{hash}.{ending}", &hash[..2], &hash[2..4]);
        Ok(Self {
            path: Path::from(path),
            hash,
            content_type,
        })
    }
}

/// The media type of a content.
fn type_of(bytes: &[u8]) -> &'static str {
    // before `infer`, which knows office files only when their parts are in the usual order: those
    // of WPS and LibreOffice often are not
    if bytes.starts_with(b"PK\x03\x04") {
        return office_type(bytes).unwrap_or("application/zip");
    }
    infer::get(bytes).map_or("application/octet-stream", |kind| kind.mime_type())
}

/// Tells office files from other archives by the names in the archive's directory.
fn office_type(bytes: &[u8]) -> Option<&'static str> {
    let number = |at: usize, size: usize| -> Option<usize> {
        let bytes = bytes.get(at..at.checked_add(size)?)?;
        Some(bytes.iter().rev().fold(0, |n, b| n << 8 | usize::from(*b)))
    };
    // the end record: 22 bytes and a comment of at most 65,535
    let tail = bytes.len().saturating_sub(22 + 0xffff);
    let end = tail + bytes[tail..].windows(4).rposition(|w| w == b"PK\x05\x06")?;
    let (entries, mut at) = (number(end + 10, 2)?, number(end + 16, 4)?);
    let mut found = None;
    for _ in 0..entries {
        if bytes.get(at..at.checked_add(4)?)? != b"PK\x01\x02" {
            return None;
        }
        let (name, extra, comment) = (
            number(at + 28, 2)?,
            number(at + 30, 2)?,
            number(at + 32, 2)?,
        );
        let text = bytes.get(at + 46..at + 46 + name)?;
        match text {
            b"word/document.xml" => found = Some("docx"),
            b"xl/workbook.xml" => found = Some("xlsx"),
            // macros have no business in these types
            _ if text.to_ascii_lowercase().ends_with(b"vbaproject.bin") => return None,
            _ => {}
        }
        at += 46 + name + extra + comment;
    }
    let (_, content_type) = TYPES.iter().find(|(ending, _)| Some(*ending) == found)?;
    Some(content_type)
}

/// A photo, encoded, with its thumbnail and its size in pixels.
struct Anew {
    photo: Vec<u8>,
    thumbnail: Vec<u8>,
    width: u32,
    height: u32,
}

fn write_anew(bytes: &[u8], max_pixels: u64) -> Result<Anew, FileError> {
    let unreadable = |_| FileError::Unreadable;
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|_| FileError::Unreadable)?;
    // at most eight bytes a pixel, whatever a header claims
    let mut limits = Limits::default();
    limits.max_alloc = Some(max_pixels.saturating_mul(8));
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| match error {
        image::ImageError::Limits(_) => FileError::TooManyPixels { limit: max_pixels },
        _ => FileError::Unreadable,
    })?;
    // known from the header: nothing has been decoded yet
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > max_pixels {
        return Err(FileError::TooManyPixels { limit: max_pixels });
    }
    let upright = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let photo = DynamicImage::from_decoder(decoder).map_err(unreadable)?;
    let mut photo = at_most(PHOTO_SIDE, on_white(photo));
    photo.apply_orientation(upright);
    let (width, height) = (photo.width(), photo.height());
    Ok(Anew {
        photo: encode(&photo)?,
        thumbnail: encode(&at_most(THUMBNAIL_SIDE, photo))?,
        width,
        height,
    })
}

/// JPEG knows no transparency; what is under it is not meant to be seen.
fn on_white(photo: DynamicImage) -> DynamicImage {
    if !photo.color().has_alpha() {
        return DynamicImage::ImageRgb8(photo.into_rgb8());
    }
    let photo = photo.into_rgba8();
    let paper = RgbImage::from_fn(photo.width(), photo.height(), |x, y| {
        let [r, g, b, a] = photo.get_pixel(x, y).0.map(u32::from);
        Rgb([r, g, b].map(|c| ((c * a + 255 * (255 - a)) / 255) as u8))
    });
    DynamicImage::ImageRgb8(paper)
}

/// Made smaller where it is larger, never larger.
fn at_most(side: u32, photo: DynamicImage) -> DynamicImage {
    if photo.width().max(photo.height()) <= side {
        return photo;
    }
    photo.resize(side, side, FilterType::Triangle)
}

fn encode(photo: &DynamicImage) -> Result<Vec<u8>, FileError> {
    let mut out = Vec::new();
    JpegEncoder::new_with_quality(&mut out, QUALITY)
        .encode_image(photo)
        .map_err(|_| FileError::Unreadable)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use image::{ImageFormat, Rgba, RgbaImage};

    use super::*;

    fn config(folder: &std::path::Path) -> FilesConfig {
        FilesConfig {
            store: FileStoreKind::Local,
            folder: folder.to_owned(),
            bucket: String::new(),
            endpoint: String::new(),
            region: String::new(),
            access_key_id: String::new(),
            secret_access_key: Some("hush".into()),
            allow_http: false,
            max_bytes: 1 << 20,
            max_pixels: 20_000_000,
        }
    }

    fn store() -> (FileStore, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        (FileStore::new(&config(folder.path())).unwrap(), folder)
    }

    fn encoded(photo: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        photo.into().write_to(&mut out, format).unwrap();
        out.into_inner()
    }

    /// 40 × 20 pixels, the left half red, the right half blue.
    fn flag() -> RgbImage {
        RgbImage::from_fn(40, 20, |x, _| {
            if x < 20 {
                Rgb([255, 0, 0])
            } else {
                Rgb([0, 0, 255])
            }
        })
    }

    /// The flag as JPEG, with an Exif segment made by hand: camera, orientation, and where it was
    /// taken (29° 54' N 121° 50' E, in Beilun).
    fn jpeg_with_exif(orientation: u8) -> Vec<u8> {
        let entry = |tag: u16, kind: u16, count: u32, value: [u8; 4]| {
            let mut out = tag.to_be_bytes().to_vec();
            out.extend(kind.to_be_bytes());
            out.extend(count.to_be_bytes());
            out.extend(value);
            out
        };
        let mut tiff = b"MM\0*\0\0\0\x08\0\x03".to_vec(); // the first directory, at 8, of 3
        tiff.extend(entry(0x010f, 2, 6, 50u32.to_be_bytes())); // make, at 50
        tiff.extend(entry(0x0112, 3, 1, [0, orientation, 0, 0]));
        tiff.extend(entry(0x8825, 4, 1, 56u32.to_be_bytes())); // GPS directory, at 56
        tiff.extend([0; 4]);
        tiff.extend(b"Canon\0");
        tiff.extend([0, 4]);
        tiff.extend(entry(1, 2, 2, *b"N\0\0\0"));
        tiff.extend(entry(2, 5, 3, 110u32.to_be_bytes()));
        tiff.extend(entry(3, 2, 2, *b"E\0\0\0"));
        tiff.extend(entry(4, 5, 3, 134u32.to_be_bytes()));
        tiff.extend([0; 4]);
        assert_eq!(tiff.len(), 110);
        for degrees in [29u32, 54, 0, 121, 50, 0] {
            tiff.extend(degrees.to_be_bytes());
            tiff.extend(1u32.to_be_bytes());
        }
        let plain = encoded(flag(), ImageFormat::Jpeg);
        let mut out = plain[..2].to_vec();
        out.extend([0xff, 0xe1]);
        out.extend(u16::try_from(tiff.len() + 8).unwrap().to_be_bytes());
        out.extend(b"Exif\0\0");
        out.extend(tiff);
        out.extend(b"\xff\xfe\0\x09comment"); // a comment segment, too
        out.extend(&plain[2..]);
        out
    }

    /// The markers of a JPEG's segments before its picture.
    fn segments(jpeg: &[u8]) -> Vec<u8> {
        let (mut at, mut out) = (2, Vec::new());
        while jpeg[at + 1] != 0xda {
            out.push(jpeg[at + 1]);
            at += 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        }
        out
    }

    #[tokio::test]
    async fn photos_lose_their_metadata() {
        let (store, _folder) = store();
        let bytes = jpeg_with_exif(1);
        let mut decoder = ImageReader::with_format(Cursor::new(&bytes), ImageFormat::Jpeg)
            .into_decoder()
            .unwrap();
        assert!(decoder.exif_metadata().unwrap().is_some(), "there was some");
        drop(decoder);
        let stored = store.put_photo(bytes.clone()).await.unwrap();
        for key in [&stored.key, &stored.thumbnail] {
            let kept = store.get(key).await.unwrap();
            assert_eq!(
                (kept.content_type, kept.etag),
                ("image/jpeg", format!("\"{key}\""))
            );
            let found = segments(&kept.bytes);
            // JFIF, tables, frame: no APP1 to APP15 (Exif, XMP, ICC), no comment
            assert!(
                found.iter().all(|m| matches!(m, 0xe0 | 0xdb | 0xc0 | 0xc4)),
                "{found:x?}"
            );
            assert_eq!(*key, hash(&kept.bytes));
        }
        assert_eq!(
            store.put_photo(bytes).await.unwrap(),
            stored,
            "the same key"
        );
    }

    #[tokio::test]
    async fn photos_are_turned_upright() {
        let (store, _folder) = store();
        let red = |p: &Rgb<u8>| p.0[0] > 200 && p.0[2] < 60;
        // where red is then: left, right, top, bottom
        for (orientation, size, corner) in [
            (1, (40, 20), (2, 10)),
            (3, (40, 20), (37, 10)),
            (6, (20, 40), (10, 2)),
            (8, (20, 40), (10, 37)),
        ] {
            let stored = store.put_photo(jpeg_with_exif(orientation)).await.unwrap();
            assert_eq!((stored.width, stored.height), size, "{orientation}");
            let kept = store.get(&stored.key).await.unwrap().bytes;
            let kept = image::load_from_memory(&kept).unwrap().into_rgb8();
            assert_eq!(kept.dimensions(), size);
            assert!(red(kept.get_pixel(corner.0, corner.1)), "{orientation}");
            let (x, y) = (size.0 - 1 - corner.0, size.1 - 1 - corner.1);
            assert!(!red(kept.get_pixel(x, y)), "{orientation}");
        }
    }

    #[tokio::test]
    async fn large_photos_are_made_smaller_and_small_ones_not_larger() {
        let (store, _folder) = store();
        let wide = encoded(RgbImage::new(4000, 1000), ImageFormat::Png);
        let stored = store.put_photo(wide).await.unwrap();
        assert_eq!((stored.width, stored.height), (2048, 512));
        let side = async |key: &str| {
            let bytes = store.get(key).await.unwrap().bytes;
            let photo = image::load_from_memory(&bytes).unwrap();
            (photo.width(), photo.height())
        };
        assert_eq!(side(&stored.thumbnail).await, (320, 80));
        let small = store
            .put_photo(encoded(flag(), ImageFormat::WebP))
            .await
            .unwrap();
        assert_eq!(side(&small.thumbnail).await, (40, 20));
        let line = encoded(RgbImage::new(1, 5000), ImageFormat::Png);
        let line = store.put_photo(line).await.unwrap();
        assert_eq!((line.width, line.height), (1, 2048));
    }

    #[tokio::test]
    async fn what_is_transparent_becomes_white() {
        let (store, _folder) = store();
        let hidden = RgbaImage::from_pixel(16, 16, Rgba([255, 0, 0, 0]));
        let stored = store
            .put_photo(encoded(hidden, ImageFormat::Png))
            .await
            .unwrap();
        let kept = store.get(&stored.key).await.unwrap().bytes;
        let kept = image::load_from_memory(&kept).unwrap().into_rgb8();
        assert!(kept.pixels().all(|p| p.0.iter().all(|c| *c > 250)));
    }

    /// A PNG whose header claims a size and whose picture is missing.
    fn png_claiming(width: u32, height: u32) -> Vec<u8> {
        let mut out = encoded(RgbImage::new(1, 1), ImageFormat::Png);
        out[16..20].copy_from_slice(&width.to_be_bytes());
        out[20..24].copy_from_slice(&height.to_be_bytes());
        let crc = out[12..29].iter().fold(!0u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |c, _| {
                if c & 1 == 1 {
                    c >> 1 ^ 0xedb8_8320
                } else {
                    c >> 1
                }
            })
        });
        out[29..33].copy_from_slice(&(!crc).to_be_bytes());
        out
    }

    #[tokio::test]
    async fn bombs_are_refused_before_they_are_decoded() {
        let (store, _folder) = store();
        for (width, height) in [(5000, 4001), (60_000, 60_000), (0x7fff_ffff, 0x7fff_ffff)] {
            let refused = store.put_photo(png_claiming(width, height)).await;
            assert!(
                matches!(refused, Err(FileError::TooManyPixels { limit: 20_000_000 })),
                "{width} {refused:?}"
            );
        }
        // a real one: 16 million pixels in some kilobytes, with a limit of one million
        let folder = tempfile::tempdir().unwrap();
        let strict = FilesConfig {
            max_pixels: 1_000_000,
            ..config(folder.path())
        };
        let strict = FileStore::new(&strict).unwrap();
        let bomb = encoded(image::GrayImage::new(4000, 4000), ImageFormat::Png);
        assert!(bomb.len() < 100_000);
        assert!(matches!(
            strict.put_photo(bomb.clone()).await,
            Err(FileError::TooManyPixels { .. })
        ));
        assert!(store.put_photo(bomb).await.is_ok());
    }

    #[tokio::test]
    async fn what_is_no_photo_is_refused() {
        let (store, _folder) = store();
        for (bytes, type_) in [
            (&b"GIF89a not a photo"[..], "image/gif"),
            (b"%PDF-1.7", "application/pdf"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", ""),
            (b"", ""),
            (b"PK\x03\x04", "application/zip"),
        ] {
            let refused = store.put_photo(bytes.to_vec()).await;
            let Err(FileError::UnsupportedType { found }) = refused else {
                panic!("{refused:?}")
            };
            assert!(type_.is_empty() || found == type_, "{found}");
        }
        let cut = jpeg_with_exif(1);
        for bytes in [
            &b"\xff\xd8\xff\xe0 cut off"[..],
            &cut[..200],
            b"\x89PNG\r\n\x1a\n",
        ] {
            let refused = store.put_photo(bytes.to_vec()).await;
            assert!(matches!(refused, Err(FileError::Unreadable)), "{refused:?}");
        }
        let refused = store.put_photo(vec![0; (1 << 20) + 1]).await;
        assert!(matches!(refused, Err(FileError::TooLarge { limit }) if limit == 1 << 20));
    }

    /// An archive of empty files.
    fn zip(names: &[&str]) -> Vec<u8> {
        let (mut out, mut directory) = (Vec::new(), Vec::new());
        for name in names {
            let at = u32::try_from(out.len()).unwrap();
            let length = u16::try_from(name.len()).unwrap().to_le_bytes();
            out.extend(b"PK\x03\x04");
            out.extend([0; 22]);
            out.extend(length);
            out.extend([0; 2]);
            out.extend(name.as_bytes());
            directory.extend(b"PK\x01\x02");
            directory.extend([0; 24]);
            directory.extend(length);
            directory.extend([0; 12]);
            directory.extend(at.to_le_bytes());
            directory.extend(name.as_bytes());
        }
        let (at, count) = (
            u32::try_from(out.len()).unwrap(),
            u16::try_from(names.len()).unwrap(),
        );
        let size = u32::try_from(directory.len()).unwrap();
        out.extend(directory);
        out.extend(b"PK\x05\x06\0\0\0\0");
        out.extend(count.to_le_bytes());
        out.extend(count.to_le_bytes());
        out.extend(size.to_le_bytes());
        out.extend(at.to_le_bytes());
        out.extend([0; 2]);
        out
    }

    #[tokio::test]
    async fn documents_are_known_by_their_content() {
        let (store, _folder) = store();
        let word = ["[Content_Types].xml", "_rels/.rels", "word/document.xml"];
        let libre = [
            "_rels/.rels",
            "docProps/core.xml",
            "docProps/app.xml",
            "word/document.xml",
        ];
        let sheet = [
            "docProps/app.xml",
            "docProps/core.xml",
            "xl/theme.xml",
            "xl/workbook.xml",
        ];
        for (bytes, ending) in [
            (b"%PDF-1.7\n...".to_vec(), "pdf"),
            (zip(&word), "docx"),
            (zip(&libre), "docx"),
            (zip(&sheet), "xlsx"),
            (jpeg_with_exif(1), "jpg"),
            (encoded(flag(), ImageFormat::Png), "png"),
        ] {
            let stored = store.put_document(bytes.clone()).await.unwrap();
            assert_eq!(stored.key, format!("{}.{ending}", hash(&bytes)));
            assert_eq!(stored.size, bytes.len());
            let kept = store.get(&stored.key).await.unwrap();
            assert_eq!(
                (kept.bytes, kept.content_type),
                (bytes.clone(), stored.content_type)
            );
            assert_eq!(kept.etag, format!("\"{}\"", hash(&bytes)));
            store.delete(&stored.key).await.unwrap();
            store.delete(&stored.key).await.unwrap();
            assert!(matches!(
                store.get(&stored.key).await,
                Err(FileError::NotFound)
            ));
        }
        let mut short = zip(&word);
        short.truncate(short.len() - 30);
        for bytes in [
            zip(&["a.txt"]),
            zip(&[
                "[Content_Types].xml",
                "word/document.xml",
                "word/vbaProject.bin",
            ]),
            short,
            b"PK\x03\x04PK\x05\x06\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0"
                .to_vec(),
            b"<html><script>".to_vec(),
            encoded(flag(), ImageFormat::WebP),
        ] {
            let refused = store.put_document(bytes).await;
            assert!(
                matches!(refused, Err(FileError::UnsupportedType { .. })),
                "{refused:?}"
            );
        }
    }

    #[tokio::test]
    async fn keys_lead_nowhere_else() {
        let (store, folder) = store();
        std::fs::write(folder.path().join("secret.jpg"), "secret").unwrap();
        let zeros = "0".repeat(64);
        for key in [
            "",
            "secret.jpg",
            "../../etc/passwd",
            &"A".repeat(64),
            &"é".repeat(32),
            &format!("{zeros}.exe"),
            &format!("{zeros}.jpg/../../secret.jpg"),
            &format!("{zeros}."),
            &zeros,
        ] {
            assert!(
                matches!(store.get(key).await, Err(FileError::NotFound)),
                "{key}"
            );
        }
        assert!(matches!(
            store.delete("secret.jpg").await,
            Err(FileError::NotFound)
        ));
        store.check().await.unwrap();
        let shown = serde_json::to_value(config(folder.path())).unwrap();
        assert_eq!(shown["secret_access_key"], "***");
    }

    #[tokio::test]
    async fn a_store_that_is_gone_is_not_ready() {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::new(&config(&folder.path().join("files"))).unwrap();
        std::fs::remove_dir(folder.path().join("files")).unwrap();
        std::fs::write(folder.path().join("files"), "in the way").unwrap();
        assert!(matches!(store.check().await, Err(FileError::Storage(_))));
        let nobody = FilesConfig {
            store: FileStoreKind::S3,
            bucket: "b".to_owned(),
            region: "r".to_owned(),
            endpoint: "http://127.0.0.1:9".to_owned(),
            access_key_id: "a".to_owned(),
            allow_http: true,
            ..config(folder.path())
        };
        let store = FileStore::new(&nobody).unwrap();
        assert!(matches!(store.check().await, Err(FileError::Storage(_))));
        assert!(
            FileStore::new(&FilesConfig {
                bucket: String::new(),
                ..nobody
            })
            .is_err()
        );
    }
}
