//! Photos written anew: nothing but the picture is kept.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits, Rgb, RgbImage};

use super::FileError;

/// The longest side of a stored photo, in pixels.
const PHOTO_SIDE: u32 = 2048;
/// The longest side of a thumbnail, in pixels.
const THUMBNAIL_SIDE: u32 = 320;
/// The quality of stored photos, of 100.
const QUALITY: u8 = 85;

/// A photo, encoded, with its thumbnail and its size in pixels.
pub(super) struct Anew {
    pub photo: Vec<u8>,
    pub thumbnail: Vec<u8>,
    pub width: u32,
    pub height: u32,
}

/// Decodes a photo, turns it upright and encodes it without anything else.
///
/// # Errors
/// `Unreadable`; `TooManyPixels`, before anything is decoded.
pub(super) fn write_anew(bytes: &[u8], max_pixels: u64) -> Result<Anew, FileError> {
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
pub(super) mod tests {
    use image::{ImageFormat, Rgba, RgbaImage};

    use super::super::store::hash;
    use super::super::store::tests::{config, store};
    use super::super::{FileStore, FilesConfig};
    use super::*;

    pub fn encoded(photo: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        photo.into().write_to(&mut out, format).unwrap();
        out.into_inner()
    }

    /// 40 × 20 pixels, the left half red, the right half blue.
    pub fn flag() -> RgbImage {
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
    pub fn jpeg_with_exif(orientation: u8) -> Vec<u8> {
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
}
