use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use super::mapping::Mapping;
use super::model::{ImportRules, Link, LinkId, Report};
use super::plan::{Plan, Tie, is_failed};
use super::record::{keep, record, refusal};
use super::row::Row;
use super::store;
use super::table::{self, Table, TableRow};
use super::targets::{Context, Outcome, Target};
use crate::error::{Code, Error, Problem, Result};
use crate::identity::{self, AccountId};
use crate::platform::columns::Uid;
use crate::platform::db::{Db, Tx};
use crate::platform::http::Lang;
use crate::platform::journal::Actor;
use crate::platform::token;
use crate::regions::RegionId;
use crate::{organizations, wishes};

/// Rows of one transaction, where rows stand alone.
const PART: usize = 250;
/// Errors that are kept with an import, and that an answer holds.
pub const ERRORS_KEPT: usize = 1000;
/// The account that stands as author of what the command line imports; nobody signs in with it.
const IMPORTER: (&str, &str) = ("import@yiqilai.invalid", "数据导入");

/// What every import needs beside its order.
#[derive(Clone)]
pub struct Desk {
    /// Writes organisations.
    pub organizations: organizations::Desk,
    /// Writes wishes.
    pub wishes: wishes::Desk,
    /// The room's numbers.
    pub rules: ImportRules,
}

/// What is to be imported, and how.
#[derive(Clone)]
pub struct Order {
    /// How columns become fields.
    pub plan: Arc<Plan>,
    /// The rows.
    pub table: Arc<Table>,
    /// What the file is called.
    pub file_name: String,
    /// Who imports; none for the command line.
    pub by: Option<AccountId>,
    /// For which regions only; none: for all.
    pub within: Option<Vec<RegionId>>,
    /// The language of sentences in the report.
    pub lang: Lang,
    /// Whether to keep nothing and only say what would happen.
    pub dry_run: bool,
    /// Whether one bad row holds up all.
    pub all_or_nothing: bool,
}

/// Told how many rows of how many are done.
pub type Progress = Arc<dyn Fn(usize, usize) + Send + Sync>;

/// How rows went.
#[derive(Default)]
struct Tally {
    report: Report,
    before: Before,
}

/// What later parts must know of earlier ones.
#[derive(Clone, Default)]
struct Before {
    /// The ids that stand in the file more than once, of which a row landed.
    landed: HashSet<String>,
    /// What rows made that later ones may meet, and which rows, in the order of the file: of a dry
    /// run, which keeps nothing.
    made: HashMap<Tie, Vec<usize>>,
}

/// Reads a file and its mapping for a run by the command line that keeps what it can.
///
/// # Errors
/// What is wrong with either, all at once.
pub fn order(file: &[u8], map: &str, target: Target) -> Result<Order> {
    let mapping = Mapping::parse(map)?;
    let table = table::read(file, &mapping.file)?;
    let plan = mapping.bind(target, &table)?;
    Ok(Order {
        plan: Arc::new(plan),
        table: Arc::new(table),
        file_name: String::new(),
        by: None,
        within: None,
        lang: Lang::En,
        dry_run: false,
        all_or_nothing: false,
    })
}

/// Runs an import.
///
/// # Errors
/// Those of the database; rows that are refused are in the report.
pub async fn run(db: &Db, desk: &Desk, order: Order, progress: Progress) -> Result<Report> {
    let started_at = db.clock().now();
    let total = order.table.rows.len();
    let mut report = Report::default();
    let mut before = Arc::new(Before::default());
    let is_whole = order.all_or_nothing && !order.dry_run;
    let part = if is_whole { total.max(1) } else { PART };
    for begin in (0..total).step_by(part) {
        let rows = begin..total.min(begin + part);
        let (desk, order, progress) = (desk.clone(), order.clone(), progress.clone());
        let earlier = Arc::clone(&before);
        let done = db
            .write(move |tx| part_of(tx, &desk, &order, rows.clone(), &earlier, &progress))
            .await?;
        let before = Arc::make_mut(&mut before);
        before.landed.extend(done.before.landed);
        for (tie, rows) in done.before.made {
            before.made.entry(tie).or_default().extend(rows);
        }
        add(&mut report, done.report);
    }
    if order.all_or_nothing && report.failed > 0 {
        report.held_back = report.created + report.updated + report.unchanged;
        (report.created, report.updated, report.unchanged) = (0, 0, 0);
    }
    report.rows = total as u64;
    report.dry_run = order.dry_run;
    report.errors_total = report.errors.len() as u64;
    if !order.dry_run {
        let import = record(&order, &report, started_at, db.clock().now());
        report.id = Some(import.id);
        db.write(move |tx| keep(tx, &import)).await?;
    }
    Ok(report)
}

fn add(report: &mut Report, part: Report) {
    report.created += part.created;
    report.updated += part.updated;
    report.unchanged += part.unchanged;
    report.failed += part.failed;
    report.errors.extend(part.errors);
}

/// Rows in one go, undone for a dry run, and after a bad row where all or nothing is asked for.
fn part_of(
    tx: &mut Tx<'_>,
    desk: &Desk,
    order: &Order,
    rows: Range<usize>,
    before: &Before,
    progress: &Progress,
) -> Result<Tally> {
    // who runs the same file at the same time finds each row as the other left it
    tx.serialize_on(&format!(
        "import:{}:{}",
        order.plan.target.as_str(),
        order.plan.source
    ))?;
    let mut tally = Tally::default();
    let mut is_through = false;
    let kept = tx.savepoint(|tx| {
        rows_of(tx, desk, order, rows, before, progress, &mut tally)?;
        is_through = true;
        if order.dry_run || (order.all_or_nothing && tally.report.failed > 0) {
            return Err(Error::internal("undone on purpose"));
        }
        Ok(())
    });
    match kept {
        Err(error) if !is_through => Err(error),
        _ => Ok(tally),
    }
}

fn rows_of(
    tx: &mut Tx<'_>,
    desk: &Desk,
    order: &Order,
    rows: Range<usize>,
    before: &Before,
    progress: &Progress,
    tally: &mut Tally,
) -> Result<()> {
    let author = match order.by {
        Some(author) => author,
        None => identity::create_account(tx, None, Some(IMPORTER.0), None, IMPORTER.1)?.id,
    };
    let context = Context {
        desk,
        actor: order
            .by
            .map_or(Actor::System, |account| Actor::Account(Uid(account.0))),
        author,
        source: &order.plan.source,
        within: order.within.as_deref(),
    };
    let mut again = HashSet::new();
    for n in rows {
        let row = &order.table.rows[n];
        make_again(tx, &context, order, n, before, &mut again)?;
        let shared = order.plan.shared_key(row);
        let is_repeated = shared
            .is_some_and(|key| before.landed.contains(key) || tally.before.landed.contains(key));
        let done = if is_repeated {
            Err(wrong_key(Code::Repeated))
        } else {
            tx.savepoint(|tx| one(tx, &context, order, row))
        };
        if (n + 1) % PART == 0 || n + 1 == order.table.rows.len() {
            progress(n + 1, order.table.rows.len());
        }
        let report = &mut tally.report;
        match done {
            Ok(Outcome::Created) => report.created += 1,
            Ok(Outcome::Updated) => report.updated += 1,
            Ok(Outcome::Unchanged) => report.unchanged += 1,
            Err(error) => {
                report.failed += 1;
                report.errors.extend(refusal(order, row, error)?);
                continue;
            }
        }
        tally.before.landed.extend(shared.cloned());
        if order.dry_run {
            let ties = order.plan.ties(row).into_iter();
            for (tie, _) in ties.filter(|(_, is_made)| *is_made) {
                tally.before.made.entry(tie).or_default().push(n);
            }
        }
    }
    Ok(())
}

/// Makes again what the row at `n` may meet of what earlier parts of a dry run made and undid.
fn make_again(
    tx: &mut Tx<'_>,
    context: &Context<'_>,
    order: &Order,
    n: usize,
    before: &Before,
    again: &mut HashSet<usize>,
) -> Result<()> {
    if before.made.is_empty() {
        return Ok(());
    }
    for (tie, _) in order.plan.ties(&order.table.rows[n]) {
        let made = before.made.get(&tie).into_iter().flatten();
        for earlier in made.copied().filter(|row| *row < n) {
            if again.insert(earlier) {
                make_again(tx, context, order, earlier, before, again)?;
                let row = &order.table.rows[earlier];
                if let Err(error) = tx.savepoint(|tx| one(tx, context, order, row)) {
                    refusal(order, row, error)?;
                }
            }
        }
    }
    Ok(())
}

fn wrong_key(code: Code) -> Error {
    Problem::new(Code::Invalid)
        .field("/external_id", code)
        .into()
}

fn one(tx: &mut Tx<'_>, context: &Context<'_>, order: &Order, row: &TableRow) -> Result<Outcome> {
    let plan = &order.plan;
    let key = plan.key(row).ok_or_else(|| wrong_key(Code::Required))?;
    if key.chars().count() > 200 {
        return Err(wrong_key(Code::Length));
    }
    if is_failed(&key) {
        return Err(wrong_key(Code::Format));
    }
    if plan.is_too_wide(row) {
        return Err(Code::TooManyCells.into());
    }
    let values = plan.read(row);
    let digest = token::digest(&serde_json::to_vec(&values).map_err(Error::internal)?).to_vec();
    let link = store::link(tx.conn, plan.target, &plan.source, &key)?;
    if link.as_ref().is_some_and(|link| link.digest == digest) {
        return Ok(Outcome::Unchanged);
    }
    let known = link.as_ref().map(|link| link.subject_id.0);
    if let Some(link) = &link {
        let present = plan.target.present(tx.conn, link.subject_id.0)?;
        if let Some((_, region)) = present
            && !context.reaches(tx.conn, region)?
        {
            return Err(Code::OutsideYourRegions.into());
        }
        if present.map(|(version, _)| version) != link.subject_version {
            return Err(Code::ChangedHere.into());
        }
    }
    let mut values = Row::new(plan, values, tx.zone);
    let (subject, outcome) = plan.target.write(tx, context, &mut values, known)?;
    let made = Link {
        id: link.as_ref().map_or_else(LinkId::new, |link| link.id),
        target: plan.target,
        source: plan.source.clone(),
        external_key: key,
        subject_id: Uid(subject),
        digest,
        updated_at: tx.now,
        subject_version: plan
            .target
            .present(tx.conn, subject)?
            .map(|(version, _)| version),
    };
    if link.is_some() {
        store::update_link(tx, &made)?;
    } else {
        store::insert_link(tx, &made)?;
    }
    Ok(outcome)
}
