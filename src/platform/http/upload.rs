//! Photos and documents that are sent as forms.

use actix_multipart::form::MultipartForm;
use actix_multipart::form::bytes::Bytes as Part;
use actix_web::HttpResponse;
use utoipa::ToSchema;

use crate::error::{Code, Error, Result};
use crate::platform::files::{FileContent, FileError, FileStore, StoredDocument, StoredPhoto};

/// A photo to be kept.
#[derive(MultipartForm, ToSchema)]
pub struct PhotoForm {
    /// A JPEG, PNG or WebP; taken for what its content is, written anew without metadata.
    #[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
    photo: Option<Part>,
}

impl PhotoForm {
    /// Keeps the photo and its thumbnail.
    ///
    /// # Errors
    /// `photo_missing`, `photo_unreadable`, `payload_too_large` or `unsupported_media_type`.
    pub async fn keep(self, files: &FileStore) -> Result<StoredPhoto> {
        let photo = self.photo.ok_or(Code::PhotoMissing)?;
        Ok(files.put_photo(photo.data.to_vec()).await?)
    }
}

/// A document to be kept.
#[derive(MultipartForm, ToSchema)]
pub struct DocumentForm {
    /// A PDF, JPEG, PNG or WebP; taken for what its content is.
    #[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
    document: Option<Part>,
}

impl DocumentForm {
    /// Keeps the document as it is.
    ///
    /// # Errors
    /// `document_missing`, `payload_too_large` or `unsupported_media_type`.
    pub async fn keep(self, files: &FileStore) -> Result<StoredDocument> {
        let document = self.document.ok_or(Code::DocumentMissing)?;
        Ok(files.put_document(document.data.to_vec()).await?)
    }

    /// Keeps the document where it is a PDF or a photo; returns its key.
    ///
    /// # Errors
    /// `document_missing`, `payload_too_large`, `unsupported_media_type` or `photo_unreadable`.
    pub async fn keep_scan(self, files: &FileStore) -> Result<String> {
        let document = self.document.ok_or(Code::DocumentMissing)?;
        Ok(files.put_scan(document.data.to_vec()).await?)
    }
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
