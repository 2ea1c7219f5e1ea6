//! Photos and documents, on local disk or in an S3-compatible store.
//!
//! A file is taken for what its content says it is, never for its name. Photos are decoded and
//! written anew, so nothing but the picture is kept: no place, no camera, no hidden payload.

use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

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
    /// The store's address.
    pub endpoint: String,
    /// Its region.
    pub region: String,
    /// The account.
    pub access_key_id: String,
    /// Its secret.
    #[serde(default, skip_serializing)]
    pub secret_access_key: Option<SecretString>,
    /// Speak plain HTTP to the store.
    pub allow_http: bool,
    /// The largest upload, in bytes.
    pub max_bytes: usize,
    /// The largest photo, in pixels.
    pub max_pixels: u64,
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
    #[error("larger than {0} bytes")]
    TooLarge(usize),
    /// Its content is of a type that is not taken.
    #[error("not a type that is taken")]
    UnsupportedType,
    /// It claims to be a photo and cannot be decoded, or is too large to be.
    #[error("not a readable photo")]
    Unreadable,
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

/// The longest side of a stored photo, in pixels.
const PHOTO_SIDE: u32 = 2048;
/// The longest side of a thumbnail, in pixels.
const THUMBNAIL_SIDE: u32 = 320;

/// Takes files in and hands them out.
pub struct FileStore {
    store: Arc<dyn ObjectStore>,
    max_bytes: usize,
    max_pixels: u64,
}

impl FileStore {
    /// Opens the store.
    ///
    /// # Errors
    /// When the folder cannot be made or a setting is missing.
    pub fn new(config: &FilesConfig) -> Result<Self, FileError> {
        let storage = |error: object_store::Error| FileError::Storage(error.to_string());
        let store: Arc<dyn ObjectStore> = match config.store {
            FileStoreKind::Local => {
                std::fs::create_dir_all(&config.folder)
                    .map_err(|error| FileError::Storage(error.to_string()))?;
                Arc::new(LocalFileSystem::new_with_prefix(&config.folder).map_err(storage)?)
            }
            FileStoreKind::S3 => {
                let secret = config
                    .secret_access_key
                    .as_ref()
                    .map_or("", |s| s.expose_secret());
                let mut s3 = AmazonS3Builder::new()
                    .with_bucket_name(&config.bucket)
                    .with_region(&config.region)
                    .with_access_key_id(&config.access_key_id)
                    .with_secret_access_key(secret)
                    .with_allow_http(config.allow_http);
                if !config.endpoint.is_empty() {
                    s3 = s3.with_endpoint(&config.endpoint);
                }
                Arc::new(s3.build().map_err(storage)?)
            }
        };
        Ok(Self {
            store,
            max_bytes: config.max_bytes,
            max_pixels: config.max_pixels,
        })
    }

    /// The largest upload, in bytes.
    pub fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// Takes a photo in: JPEG, PNG or WebP.
    ///
    /// # Errors
    /// When it is too large, not a photo, or cannot be stored.
    pub async fn put_photo(&self, bytes: Vec<u8>) -> Result<StoredPhoto, FileError> {
        if bytes.len() > self.max_bytes {
            return Err(FileError::TooLarge(self.max_bytes));
        }
        let kind = infer::get(&bytes).map(|kind| kind.mime_type());
        if !matches!(kind, Some("image/jpeg" | "image/png" | "image/webp")) {
            return Err(FileError::UnsupportedType);
        }
        let max_pixels = self.max_pixels;
        let (photo, thumbnail, width, height) =
            tokio::task::spawn_blocking(move || write_anew(&bytes, max_pixels))
                .await
                .map_err(|error| FileError::Storage(error.to_string()))??;
        Ok(StoredPhoto {
            key: self.put(photo).await?,
            thumbnail: self.put(thumbnail).await?,
            width,
            height,
        })
    }

    /// A photo's bytes (JPEG) by its key.
    ///
    /// # Errors
    /// `NotFound`, also for a text that is no key.
    pub async fn get(&self, key: &str) -> Result<Vec<u8>, FileError> {
        let answer = self.store.get(&path_of(key)?).await.map_err(refusal)?;
        Ok(answer.bytes().await.map_err(refusal)?.to_vec())
    }

    async fn put(&self, bytes: Vec<u8>) -> Result<String, FileError> {
        let digest = super::token::digest(&bytes);
        let key: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        self.store
            .put(&path_of(&key)?, PutPayload::from(bytes))
            .await
            .map_err(refusal)?;
        Ok(key)
    }
}

fn refusal(error: object_store::Error) -> FileError {
    match error {
        object_store::Error::NotFound { .. } => FileError::NotFound,
        other => FileError::Storage(other.to_string()),
    }
}

/// `ab/cd/abcd….jpg`: folders stay small, and nothing but a hash is ever a path.
fn path_of(key: &str) -> Result<Path, FileError> {
    let is_hash = key.len() == 64
        && key
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if !is_hash {
        return Err(FileError::NotFound);
    }
    Ok(Path::from(format!(
        "{}/{}/{key}.jpg",
        &key[..2],
        &key[2..4]
    )))
}

fn write_anew(bytes: &[u8], max_pixels: u64) -> Result<(Vec<u8>, Vec<u8>, u32, u32), FileError> {
    let unreadable = |_| FileError::Unreadable;
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|_| FileError::Unreadable)?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(max_pixels.saturating_mul(8));
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(unreadable)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > max_pixels {
        return Err(FileError::Unreadable);
    }
    let orientation = decoder.orientation().map_err(unreadable)?;
    let mut photo = DynamicImage::from_decoder(decoder).map_err(unreadable)?;
    photo.apply_orientation(orientation);
    if photo.width().max(photo.height()) > PHOTO_SIDE {
        photo = photo.resize(
            PHOTO_SIDE,
            PHOTO_SIDE,
            image::imageops::FilterType::Triangle,
        );
    }
    let thumbnail = photo.thumbnail(THUMBNAIL_SIDE, THUMBNAIL_SIDE);
    Ok((
        encode(&photo)?,
        encode(&thumbnail)?,
        photo.width(),
        photo.height(),
    ))
}

fn encode(photo: &DynamicImage) -> Result<Vec<u8>, FileError> {
    let mut out = Vec::new();
    JpegEncoder::new_with_quality(&mut out, 85)
        .encode_image(&photo.to_rgb8())
        .map_err(|_| FileError::Unreadable)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(max_pixels: u64) -> (FileStore, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let store = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
        (
            FileStore {
                store: Arc::new(store),
                max_bytes: 1 << 20,
                max_pixels,
            },
            folder,
        )
    }

    /// A JPEG of 40 × 20 pixels whose Exif says "turn me by 90°" and "Canon".
    fn jpeg_with_exif() -> Vec<u8> {
        let plain = encode(&DynamicImage::new_rgb8(40, 20)).unwrap();
        let tiff: &[u8] = b"MM\0*\0\0\0\x08\0\x02\
            \x01\x0f\0\x02\0\0\0\x06\0\0\0\x26\
            \x01\x12\0\x03\0\0\0\x01\0\x06\0\0\
            \0\0\0\0Canon\0";
        let mut segment = b"Exif\0\0".to_vec();
        segment.extend_from_slice(tiff);
        let mut out = plain[..2].to_vec();
        out.extend_from_slice(&[0xff, 0xe1]);
        out.extend_from_slice(&u16::try_from(segment.len() + 2).unwrap().to_be_bytes());
        out.extend_from_slice(&segment);
        out.extend_from_slice(&plain[2..]);
        out
    }

    #[tokio::test]
    async fn photos_are_turned_and_lose_their_metadata() {
        let (store, _folder) = store(1 << 20);
        let bytes = jpeg_with_exif();
        let stored = store.put_photo(bytes.clone()).await.unwrap();
        assert_eq!((stored.width, stored.height), (20, 40));
        let kept = store.get(&stored.key).await.unwrap();
        assert!(!kept.windows(4).any(|w| w == b"Exif") && !kept.windows(5).any(|w| w == b"Canon"));
        assert_eq!(store.put_photo(bytes).await.unwrap(), stored);
        assert!(store.get(&stored.thumbnail).await.is_ok());
    }

    #[tokio::test]
    async fn what_is_no_photo_is_refused() {
        let (store, _folder) = store(100);
        let refused = |bytes: &[u8]| store.put_photo(bytes.to_vec());
        assert!(matches!(
            refused(b"GIF89a not a photo").await,
            Err(FileError::UnsupportedType)
        ));
        assert!(matches!(
            refused(b"\xff\xd8\xff\xe0 cut off").await,
            Err(FileError::Unreadable)
        ));
        assert!(
            matches!(refused(&jpeg_with_exif()).await, Err(FileError::Unreadable)),
            "too many pixels"
        );
        assert!(matches!(
            refused(&vec![0; 2 << 20]).await,
            Err(FileError::TooLarge(_))
        ));
        assert!(matches!(
            store.get("../../etc/passwd").await,
            Err(FileError::NotFound)
        ));
        assert!(matches!(
            store.get(&"0".repeat(64)).await,
            Err(FileError::NotFound)
        ));
    }
}
