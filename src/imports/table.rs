//! Files as tables of text: CSV, XLSX and GeoJSON look the same from here on.

use std::fmt::Display;

use encoding_rs::{Encoding, GB18030};
use serde::Deserialize;

use super::{features, quotes, workbook};
use crate::error::{Code, Error, Problem, Result};
use crate::platform::http::valid::as_seen;

/// The largest file, in bytes.
pub const MAX_BYTES: usize = 128 << 20;
/// The most rows of a file.
pub const MAX_ROWS: usize = 200_000;
/// The most columns of a file.
pub const MAX_COLUMNS: usize = 1_000;
/// The most cells of a file, empty ones included.
pub const MAX_CELLS: usize = 10_000_000;

/// How a file is to be read, where it does not say so itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// What stands between the cells of a CSV file; a comma when left out.
    pub delimiter: Option<char>,
    /// The encoding of a CSV file, as the web names them; when left out: that of its byte order
    /// mark, else UTF-8 when it is that, else GB 18030.
    pub encoding: Option<String>,
    /// The sheet of a workbook; the first when left out.
    pub sheet: Option<String>,
    /// Which row names the columns, the first being 1.
    pub header_row: Option<usize>,
}

/// A table of text.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The names of the columns.
    pub header: Vec<String>,
    /// The rows below, without empty ones.
    pub rows: Vec<TableRow>,
}

/// A row of a table.
#[derive(Clone, Debug, Default)]
pub struct TableRow {
    /// The line it begins at; in a workbook its row, in GeoJSON the number of the feature.
    pub line: u64,
    /// Its cells; there may be fewer or more than columns.
    pub cells: Vec<String>,
}

/// Text without blanks around it and with single spaces inside, and without what nobody sees.
/// Control characters count as blanks.
pub fn tidy(text: &str) -> String {
    let is_blank = |c: char| c.is_whitespace() || c.is_control();
    let text = as_seen(text);
    let words = text.split(is_blank).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// Reads a file. What it is, its content says.
///
/// # Errors
/// `table_unreadable`, `table_too_large`.
pub fn read(bytes: &[u8], shape: &Shape) -> Result<Table> {
    if bytes.len() > MAX_BYTES {
        return Err(Code::TableTooLarge.into());
    }
    let rows = if bytes.starts_with(b"PK\x03\x04") {
        workbook::rows(bytes, shape)?
    } else {
        expect_table(bytes, shape)?;
        let text = decode(bytes, shape)?;
        if let Some(table) = features::table(&text)? {
            return Ok(table);
        }
        csv_rows(&text, shape)?
    };
    let mut rows = rows
        .into_iter()
        .skip(shape.header_row.unwrap_or(1).saturating_sub(1));
    let header = rows
        .next()
        .ok_or_else(|| unreadable("没有表头。", "It has no header."))?;
    let header: Vec<_> = header.cells.iter().map(|name| tidy(name)).collect();
    let is_filled = |row: &TableRow| row.cells.iter().any(|cell| !cell.trim().is_empty());
    Ok(Table {
        header,
        rows: rows.filter(is_filled).collect(),
    })
}

/// A refusal of a file that says why, in a Chinese and an English sentence.
pub fn unreadable(why_zh: impl Display, why_en: impl Display) -> Error {
    let (zh, en) = Code::TableUnreadable.title();
    Problem::new(Code::TableUnreadable)
        .detail(format!("{zh}{why_zh}"), format!("{en} {why_en}"))
        .into()
}

/// A refusal of a file with what the library that reads it said.
pub fn broken(why: impl Display) -> Error {
    unreadable(format!("技术信息:{why}"), format!("Technically: {why}"))
}

/// Refuses what is plainly something else: it would be read as text in some encoding.
fn expect_table(bytes: &[u8], shape: &Shape) -> Result<()> {
    const OTHERS: [&[u8]; 7] = [
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff", // JPEG
        b"GIF8",
        b"%PDF-",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", // XLS and DOC of old
        b"\x1f\x8b",                         // gzip
        b"Rar!\x1a\x07",
    ];
    let is_other = OTHERS.iter().any(|magic| bytes.starts_with(magic));
    let is_told = shape.encoding.is_some() || Encoding::for_bom(bytes).is_some();
    if is_other || (!is_told && bytes.contains(&0)) {
        return Err(unreadable(
            "该文件不是表格，请提供 CSV、XLSX 或 GeoJSON 文件。",
            "It is not a table: send CSV, XLSX or GeoJSON.",
        ));
    }
    Ok(())
}

/// Counts a row in and refuses a table that grows too large.
///
/// # Errors
/// `table_too_large`.
pub fn bounded(rows: usize, columns: usize, cells: &mut usize) -> Result<()> {
    *cells += columns;
    // one header, and some lines above it
    if rows > MAX_ROWS + 100 || columns > MAX_COLUMNS || *cells > MAX_CELLS {
        return Err(Code::TableTooLarge.into());
    }
    Ok(())
}

fn decode(bytes: &[u8], shape: &Shape) -> Result<String> {
    let (encoding, bytes) = match (Encoding::for_bom(bytes), &shape.encoding) {
        (Some((encoding, length)), _) => (encoding, &bytes[length..]),
        (None, Some(label)) => {
            let encoding = Encoding::for_label(label.as_bytes()).ok_or_else(|| {
                unreadable(
                    format!("没有名为 {label} 的编码。"),
                    format!("There is no encoding {label}."),
                )
            })?;
            (encoding, bytes)
        }
        (None, None) => match std::str::from_utf8(bytes) {
            Ok(text) => return Ok(text.to_owned()),
            Err(_) => (GB18030, bytes),
        },
    };
    encoding
        .decode_without_bom_handling_and_without_replacement(bytes)
        .map(std::borrow::Cow::into_owned)
        .ok_or_else(|| {
            let name = encoding.name();
            unreadable(
                format!("内容不是 {name} 编码的文本。"),
                format!("It is not text in {name}."),
            )
        })
}

fn csv_rows(text: &str, shape: &Shape) -> Result<Vec<TableRow>> {
    let delimiter = u8::try_from(shape.delimiter.unwrap_or(','))
        .ok()
        .filter(|byte| byte.is_ascii() && !b"\"\r\n".contains(byte))
        .ok_or_else(|| {
            unreadable(
                "分隔符须为单个 ASCII 字符。",
                "The delimiter is not an ASCII character.",
            )
        })?;
    if let Some(line) = quotes::runaway(text, delimiter) {
        return Err(unreadable(
            format!("第 {line} 行打开的引号没有闭合。"),
            format!("The quote that opens in line {line} is not closed."),
        ));
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let (mut rows, mut cells) = (Vec::new(), 0);
    let (mut line, mut counted) = (1, 0);
    for record in reader.records() {
        let record = record.map_err(broken)?;
        bounded(rows.len(), record.len(), &mut cells)?;
        // the reader's position may lie before the end of the line above, and before empty lines
        let at = record.position().map_or(0, csv::Position::byte);
        let at = usize::try_from(at).unwrap_or(text.len()).min(text.len());
        let rest = &text.as_bytes()[at..];
        let begin = at + rest.iter().take_while(|b| b"\r\n".contains(b)).count();
        line += line_ends(&text.as_bytes()[counted..begin]);
        counted = begin;
        rows.push(TableRow {
            line,
            cells: record.iter().map(str::to_owned).collect(),
        });
    }
    Ok(rows)
}

/// How many lines end in some text: with LF, CR LF or CR.
fn line_ends(text: &[u8]) -> u64 {
    let ends = (0..text.len()).filter(|n| match text[*n] {
        b'\n' => true,
        b'\r' => text.get(n + 1) != Some(&b'\n'),
        _ => false,
    });
    ends.count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_all(bytes: &[u8]) -> Table {
        read(bytes, &Shape::default()).unwrap()
    }

    #[test]
    fn the_files_that_spreadsheets_write() {
        let utf8 =
            read_all("\u{feff}名称 , 日期\r\n\"a,\n\"\"b\"\"\",1\r\n\r\n,\r\nc\r\n".as_bytes());
        assert_eq!(utf8.header, ["名称", "日期"]);
        let lines: Vec<_> = utf8.rows.iter().map(|row| row.line).collect();
        assert_eq!(lines, [2, 6], "empty rows are left out, lines are counted");
        assert_eq!(utf8.rows[0].cells, ["a,\n\"b\"", "1"]);
        assert_eq!(utf8.rows[1].cells, ["c"]);
        let (gb, _, _) = encoding_rs::GB18030.encode("名称,街道\n新碶㐂,北仑\n");
        assert_eq!(read_all(&gb).rows[0].cells, ["新碶㐂", "北仑"]);
    }

    #[test]
    fn blanks_and_what_nobody_sees_go() {
        assert_eq!(tidy(" a\0\u{a0}b \u{3000}\r\n c"), "a b c");
        assert_eq!(tidy("\0"), "");
        assert_eq!(tidy("\u{feff}a\u{202e}b\u{7}c\u{200b}"), "ab c");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400), zip: bool) {
            let mut file = if zip { b"PK\x03\x04".to_vec() } else { Vec::new() };
            file.extend(bytes);
            let _ = read(&file, &Shape::default());
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[\\PC\",\n\r{}]{0,200}", delimiter: char) {
            let _ = read(text.as_bytes(), &Shape { delimiter: Some(delimiter), ..Shape::default() });
        }
    }
}
