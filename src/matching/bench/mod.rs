//! Measures matching on columns on disk, through the code that the server runs. Columns are
//! little-endian and without a header.

pub mod round;
pub mod search;

use std::io;
use std::path::Path;

/// A column of fixed-size values.
fn column<const N: usize, T>(
    folder: &Path,
    name: &str,
    rows: usize,
    of: impl Fn([u8; N]) -> T,
) -> io::Result<Vec<T>> {
    let path = folder.join(name);
    let bytes = std::fs::read(&path)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
    let (values, rest) = bytes.as_chunks::<N>();
    if !rest.is_empty() || values.len() != rows {
        return Err(wrong(
            folder,
            name,
            &format!("not {rows} values of {N} bytes"),
        ));
    }
    Ok(values.iter().map(|value| of(*value)).collect())
}

fn bytes(folder: &Path, name: &str, rows: usize) -> io::Result<Vec<u8>> {
    column(folder, name, rows, |[byte]: [u8; 1]| byte)
}

fn wrong(folder: &Path, name: &str, what: &str) -> io::Error {
    let why = format!("{}: {what}", folder.join(name).display());
    io::Error::new(io::ErrorKind::InvalidData, why)
}
