use diesel::QueryResult;
use diesel::RunQueryDsl;
use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};

/// A statement that stays prepared on its connection: for updates and SQL literals of nearly every
/// request, which diesel would prepare, plan and forget each time. On PostgreSQL that is a trip to
/// the database and a plan saved. Its text is to be one of a few: never in it what comes from
/// outside, nor a list of any length.
///
/// Takes a concrete connection, see [`each!`](crate::each).
pub struct Prepared<Q> {
    statement: Q,
    stays: bool,
}

impl<Q> Prepared<Q> {
    /// One that stays.
    pub fn new(statement: Q) -> Self {
        Self {
            statement,
            stays: true,
        }
    }

    /// One with a list of `length` elements in it: SQLite knows no lists, so there is a text for each
    /// length, and those of short ones stay.
    pub fn listing(statement: Q, length: usize) -> Self {
        Self {
            statement,
            stays: length <= SHORT,
        }
    }
}

/// The longest list whose statement stays.
const SHORT: usize = 32;

impl<Q, DB> QueryFragment<DB> for Prepared<Q>
where
    DB: Backend,
    Q: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.statement.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, _backend: &DB) -> QueryResult<bool> {
        Ok(self.stays)
    }
}

impl<Q> QueryId for Prepared<Q> {
    type QueryId = ();
    /// It is known by its text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Prepared<Q> {
    type SqlType = Q::SqlType;
}

impl<Q, C> RunQueryDsl<C> for Prepared<Q> {}
