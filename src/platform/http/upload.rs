//! Photos and documents that are sent as forms.

use std::future::Future;

use actix_multipart::form::MultipartForm;
use actix_multipart::form::bytes::Bytes as Part;
use actix_web::HttpResponse;
use utoipa::ToSchema;

use crate::error::{Code, Error, Result};
use crate::platform::Platform;
use crate::platform::clock::Instant;
use crate::platform::db::{Conn, Tx};
use crate::platform::files::{
    self, FileContent, FileError, FileStore, Incoming, StoredDocument, StoredPhoto,
};

/// A form that brings files.
pub trait Upload {
    /// What is known of the files once they are stored.
    type Stored: Send + 'static;

    /// Looks at what was sent; stores nothing.
    ///
    /// # Errors
    /// When it is missing or not to be taken.
    fn look(self, files: &FileStore) -> impl Future<Output = Result<Incoming<Self::Stored>>>;
}

/// A photo to be kept.
#[derive(MultipartForm, ToSchema)]
pub struct PhotoForm {
    /// A JPEG, PNG or WebP; taken for what its content is, written anew without metadata.
    #[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
    photo: Option<Part>,
}

impl Upload for PhotoForm {
    type Stored = StoredPhoto;

    async fn look(self, files: &FileStore) -> Result<Incoming<StoredPhoto>> {
        let photo = self.photo.ok_or(Code::PhotoMissing)?;
        Ok(files.photo(photo.data.to_vec()).await?)
    }
}

/// A document to be kept.
#[derive(MultipartForm, ToSchema)]
pub struct DocumentForm {
    /// A PDF, JPEG, PNG or WebP; taken for what its content is.
    #[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
    document: Option<Part>,
}

impl Upload for DocumentForm {
    type Stored = StoredDocument;

    async fn look(self, files: &FileStore) -> Result<Incoming<StoredDocument>> {
        let document = self.document.ok_or(Code::DocumentMissing)?;
        Ok(files.document(document.data.to_vec())?)
    }
}

/// A paper that somebody scanned or photographed, to be kept.
#[derive(MultipartForm, ToSchema)]
pub struct ScanForm {
    /// A PDF, or a JPEG, PNG or WebP, which is written anew without metadata; taken for what its
    /// content is.
    #[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
    document: Option<Part>,
}

impl Upload for ScanForm {
    /// The key.
    type Stored = String;

    async fn look(self, files: &FileStore) -> Result<Incoming<String>> {
        let document = self.document.ok_or(Code::DocumentMissing)?;
        Ok(files.scan(document.data.to_vec()).await?)
    }
}

/// Keeps what was sent: asks first whether it may be, by what `write` asks as well; then stores it;
/// then writes the rows that refer to it. Where that fails, what was stored goes again.
///
/// # Errors
/// Those of `may`, of the form and of `write`; `overloaded` while the same file is being removed.
pub async fn keep<U: Upload, T: Send + 'static>(
    platform: &Platform,
    form: U,
    may: impl FnOnce(&mut Conn, Instant) -> Result<()> + Send + 'static,
    write: impl Fn(&mut Tx<'_>, &U::Stored) -> Result<T> + Send + 'static,
) -> Result<T> {
    let (db, now) = (&platform.db, platform.clock.now());
    db.read(move |conn| may(conn, now)).await?;
    let incoming = form.look(&platform.files).await?;
    let keys = incoming.keys();
    let upload = db.write(move |tx| files::begin(tx, &keys)).await?;
    let written = async {
        let stored = platform.files.put(incoming).await?;
        let write = move |tx: &mut Tx<'_>| {
            let made = write(tx, &stored)?;
            files::settle(tx, upload)?;
            Ok(made)
        };
        db.write(write).await
    };
    let written = written.await;
    if written.is_err()
        && let Err(error) = db.write(move |tx| files::give_up(tx, upload)).await
    {
        tracing::warn!(%error, "an upload is given up later");
    }
    written
}

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        match error {
            FileError::TooLarge { .. } => Code::PayloadTooLarge.into(),
            FileError::UnsupportedType { .. } => Code::UnsupportedMediaType.into(),
            FileError::Unreadable | FileError::TooManyPixels { .. } => Code::PhotoUnreadable.into(),
            FileError::NotFound => Code::NotFound.into(),
            FileError::Storage(_) => Self::internal(error),
        }
    }
}

/// A kept file as an answer.
pub fn show(file: FileContent) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(file.content_type)
        .body(file.bytes)
}
