//! What a file is, by its content.

/// The types that are kept, by the ending of their keys.
pub(super) const TYPES: [(&str, &str); 5] = [
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

/// The media type of a content.
pub(super) fn type_of(bytes: &[u8]) -> &'static str {
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

#[cfg(test)]
mod tests {
    use image::ImageFormat;

    use super::super::FileError;
    use super::super::photo::tests::{encoded, flag, jpeg_with_exif};
    use super::super::store::hash;
    use super::super::store::tests::store;

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
}
