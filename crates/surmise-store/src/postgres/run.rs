use core::future::Future;

use tokio_postgres::{
    Client, Error, GenericClient, Row, Statement,
    types::{ToSql, Type},
};

use super::sql::{SQL, Sql, Statements, Which};

/// Whatever runs a statement in one round trip.
pub(super) trait Run: Sync {
    fn run(
        &self,
        which: Which,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> impl Future<Output = Result<Option<Row>, Error>> + Send;
}

/// Runs the statements on somebody's client or transaction, where none is prepared.
#[derive(Debug)]
pub(super) struct Unprepared<'a, C>(pub(super) &'a C);

impl<C: GenericClient + Sync> Run for Unprepared<'_, C> {
    async fn run(
        &self,
        which: Which,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>, Error> {
        let Sql { text, types, .. } = look_up(&SQL, which);
        let typed: Vec<(&(dyn ToSql + Sync), Type)> =
            parameters.iter().copied().zip(types.iter().cloned()).collect();
        self.0.query_typed_opt(text, &typed).await
    }
}

/// A client whose statements are prepared.
pub(super) struct Prepared {
    pub(super) client: Client,
    /// In the order of [`Which`].
    statements: Vec<Statement>,
}

impl Prepared {
    pub(super) async fn new(client: Client, sql: &Statements) -> Result<Self, Error> {
        let mut statements = Vec::with_capacity(sql.len());
        for Sql { text, types, .. } in sql {
            statements.push(client.prepare_typed(text, types).await?);
        }
        Ok(Self { client, statements })
    }
}

impl Run for Prepared {
    async fn run(
        &self,
        which: Which,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>, Error> {
        self.client.query_opt(look_up(&self.statements, which), parameters).await
    }
}

#[expect(clippy::indexing_slicing, reason = "there is one of each")]
const fn look_up<T>(statements: &[T], which: Which) -> &T {
    &statements[which as usize]
}
