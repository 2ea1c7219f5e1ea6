//! Files under their keys, wherever they live.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, RetryConfig};
use secrecy::ExposeSecret;
use tokio::sync::Semaphore;

use super::kind::{TYPES, type_of};
use super::photo::write_anew;
use super::{FileContent, FileError, FileStoreKind, FilesConfig, StoredDocument, StoredPhoto};
use crate::platform::storage::private_folder;

/// How long a store may take over all tries of one request.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long it may take to show that it is there.
const READINESS: Duration = Duration::from_secs(5);

/// What was looked at and can be stored.
#[derive(Debug)]
pub struct Incoming<T> {
    stored: T,
    /// Each file under its key.
    files: Vec<(String, Vec<u8>)>,
}

impl<T> Incoming<T> {
    /// The keys that its files will have, each once.
    pub fn keys(&self) -> Vec<String> {
        let mut keys: Vec<_> = self.files.iter().map(|(key, _)| key.clone()).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

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
    /// When the folder cannot be made or a setting is missing.
    pub fn new(config: &FilesConfig) -> Result<Self, String> {
        let storage = |error: object_store::Error| format!("files: {error}");
        if let Some(fault) = config.faults().pop() {
            return Err(fault);
        }
        let store: Arc<dyn ObjectStore> = match config.store {
            FileStoreKind::Local => {
                private_folder(&config.folder).map_err(|error| {
                    format!("files.folder: {}: {error}", config.folder.display())
                })?;
                let local = LocalFileSystem::new_with_prefix(&config.folder).map_err(storage)?;
                // a row that names a file must not outlive it
                Arc::new(local.with_fsync(true))
            }
            FileStoreKind::S3 => {
                let mut s3 = AmazonS3Builder::new()
                    .with_bucket_name(&config.bucket)
                    .with_region(&config.region)
                    .with_allow_http(config.allow_http)
                    .with_retry(RetryConfig {
                        max_retries: 3,
                        retry_timeout: PATIENCE,
                        ..RetryConfig::default()
                    });
                if let (Some(id), Some(secret)) = (&config.access_key_id, &config.secret_access_key)
                    && !id.expose_secret().is_empty()
                {
                    s3 = s3
                        .with_access_key_id(id.expose_secret())
                        .with_secret_access_key(secret.expose_secret());
                }
                if !config.endpoint.is_empty() {
                    s3 = s3.with_endpoint(&config.endpoint);
                }
                let s3 = s3.build().map_err(storage)?;
                Arc::new(PrefixStore::new(s3, config.prefix.as_str()))
            }
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            store,
            max_bytes: config.max_bytes,
            max_pixels: config.max_pixels,
            decoders: Arc::new(Semaphore::new((cores / 4).max(1))),
        })
    }

    /// The largest upload, in bytes.
    pub fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// Looks at a photo: JPEG, PNG or WebP. It is turned upright, made smaller where it is large and
    /// written anew as JPEG, with a thumbnail.
    ///
    /// # Errors
    /// When it is too large or not a photo.
    pub async fn photo(&self, bytes: Vec<u8>) -> Result<Incoming<StoredPhoto>, FileError> {
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
        let (key, thumbnail) = (hash(&anew.photo), hash(&anew.thumbnail));
        Ok(Incoming {
            stored: StoredPhoto {
                key: key.clone(),
                thumbnail: thumbnail.clone(),
                width: anew.width,
                height: anew.height,
            },
            files: vec![(key, anew.photo), (thumbnail, anew.thumbnail)],
        })
    }

    /// Looks at a document, which is kept as it is: PDF, DOCX, XLSX (both without macros), JPEG or PNG.
    ///
    /// # Errors
    /// When it is too large or of another type.
    pub fn document(&self, bytes: Vec<u8>) -> Result<Incoming<StoredDocument>, FileError> {
        self.check_size(&bytes)?;
        let found = type_of(&bytes);
        let Some((ending, content_type)) = TYPES.iter().find(|(_, known)| *known == found) else {
            return Err(FileError::UnsupportedType { found });
        };
        let key = format!("{}.{ending}", hash(&bytes));
        Ok(Incoming {
            stored: StoredDocument {
                key: key.clone(),
                content_type,
                size: bytes.len(),
            },
            files: vec![(key, bytes)],
        })
    }

    /// Looks at a paper that somebody scanned: a PDF as it is, or a photo as [`Self::photo`] writes it,
    /// without a thumbnail. What is stored is known by its key.
    ///
    /// # Errors
    /// When it is too large, of another type, or not a readable photo.
    pub async fn scan(&self, bytes: Vec<u8>) -> Result<Incoming<String>, FileError> {
        let (key, mut files) = match type_of(&bytes) {
            "application/pdf" => {
                let document = self.document(bytes)?;
                (document.stored.key, document.files)
            }
            _ => {
                let photo = self.photo(bytes).await?;
                (photo.stored.key, photo.files)
            }
        };
        files.retain(|(name, _)| *name == key);
        Ok(Incoming { stored: key, files })
    }

    /// Stores what was looked at.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn put<T>(&self, incoming: Incoming<T>) -> Result<T, FileError> {
        for (key, bytes) in incoming.files {
            let path = Place::of(&key)?.path;
            let put = self.store.put(&path, PutPayload::from(bytes));
            put.await.map_err(refusal)?;
        }
        Ok(incoming.stored)
    }

    /// Takes a photo in: [`FileStore::photo`], stored.
    ///
    /// # Errors
    /// When it is too large, not a photo, or cannot be stored.
    pub async fn put_photo(&self, bytes: Vec<u8>) -> Result<StoredPhoto, FileError> {
        self.put(self.photo(bytes).await?).await
    }

    /// Takes a document in: [`FileStore::document`], stored.
    ///
    /// # Errors
    /// When it is too large, of another type, or cannot be stored.
    pub async fn put_document(&self, bytes: Vec<u8>) -> Result<StoredDocument, FileError> {
        self.put(self.document(bytes)?).await
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
    /// key, it goes only while a removal is written down: see [`super::begin_removal`].
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

    /// Whether the store takes files, asked at start: writes a small one, always the same.
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
}

fn refusal(error: object_store::Error) -> FileError {
    match error {
        object_store::Error::NotFound { .. } => FileError::NotFound,
        other => FileError::Storage(other.to_string()),
    }
}

pub(super) fn hash(bytes: &[u8]) -> String {
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn config(folder: &std::path::Path) -> FilesConfig {
        FilesConfig {
            store: FileStoreKind::Local,
            folder: folder.to_owned(),
            bucket: String::new(),
            endpoint: String::new(),
            region: String::new(),
            prefix: String::new(),
            access_key_id: None,
            secret_access_key: Some("hush".into()),
            allow_http: false,
            max_bytes: 1 << 20,
            max_pixels: 20_000_000,
        }
    }

    pub fn store() -> (FileStore, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        (FileStore::new(&config(folder.path())).unwrap(), folder)
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
            access_key_id: Some("a".into()),
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
