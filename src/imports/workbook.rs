//! Workbooks (XLSX), read cell by cell: a sheet with one cell far out does not fill the memory.

use std::io::Cursor;

use calamine::{DataRef, Reader, Xlsx};

use super::table::{
    MAX_BYTES, MAX_CELLS, MAX_COLUMNS, MAX_ROWS, Shape, TableRow, broken, unreadable,
};
use crate::error::{Code, Result};

/// The rows of a sheet as text: dates and numbers in the form of ISO 8601 and of JSON, errors as the
/// sheet shows them.
///
/// # Errors
/// `table_unreadable`, `table_too_large`.
pub fn rows(bytes: &[u8], shape: &Shape) -> Result<Vec<TableRow>> {
    if unpacked_size(bytes) > 4 * MAX_BYTES as u64 {
        return Err(Code::TableTooLarge.into());
    }
    let mut book = Xlsx::new(Cursor::new(bytes)).map_err(broken)?;
    let sheet = match &shape.sheet {
        Some(name) => name.clone(),
        None => book
            .sheet_names()
            .first()
            .cloned()
            .ok_or_else(|| unreadable("没有工作表。", "It has no sheet."))?,
    };
    let mut reader = book.worksheet_cells_reader(&sheet).map_err(broken)?;
    let mut rows: Vec<TableRow> = Vec::new();
    let mut cells = 0;
    while let Some(cell) = reader.next_cell().map_err(broken)? {
        let (row, column) = cell.get_position();
        let text = text(cell.get_value());
        if text.is_empty() {
            continue;
        }
        let (line, column) = (u64::from(row) + 1, column as usize);
        if rows.last().is_none_or(|last| last.line != line) {
            rows.push(TableRow {
                line,
                cells: Vec::new(),
            });
        }
        if column >= MAX_COLUMNS || rows.len() > MAX_ROWS + 100 {
            return Err(Code::TableTooLarge.into());
        }
        if let Some(last) = rows.last_mut() {
            if last.cells.len() <= column {
                cells += column + 1 - last.cells.len();
                last.cells.resize(column + 1, String::new());
            }
            last.cells[column] = text;
        }
        if cells > MAX_CELLS {
            return Err(Code::TableTooLarge.into());
        }
    }
    Ok(rows)
}

fn text(cell: &DataRef<'_>) -> String {
    match cell {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            text.clone()
        }
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(value) => value.to_string(),
        DataRef::DateTime(at) => match at.as_datetime() {
            Some(at) if at.time() == chrono::NaiveTime::MIN => at.date().to_string(),
            Some(at) => at.format("%Y-%m-%dT%H:%M:%S").to_string(),
            None => at.as_f64().to_string(),
        },
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    }
}

/// How large the parts of a workbook say they are, together.
fn unpacked_size(bytes: &[u8]) -> u64 {
    bytes
        .windows(28)
        .filter(|entry| entry.starts_with(b"PK\x01\x02"))
        .map(|entry| {
            u64::from(u32::from_le_bytes([
                entry[24], entry[25], entry[26], entry[27],
            ]))
        })
        .sum()
}
