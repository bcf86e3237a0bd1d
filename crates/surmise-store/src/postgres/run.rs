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
        let Sql { text, types } = *SQL.get(which);
        let typed: Vec<(&(dyn ToSql + Sync), Type)> =
            parameters.iter().copied().zip(types.iter().cloned()).collect();
        self.0.query_typed_opt(text, &typed).await
    }
}

/// A client whose statements are prepared.
pub(super) struct Prepared {
    pub(super) client: Client,
    statements: Statements<Statement>,
}

impl Prepared {
    pub(super) async fn new(client: Client, sql: &Statements<Sql>) -> Result<Self, Error> {
        let prepare = async |sql: Sql| client.prepare_typed(sql.text, sql.types).await;
        let statements = Statements {
            grant: prepare(sql.grant).await?,
            extend: prepare(sql.extend).await?,
            revoke: prepare(sql.revoke).await?,
            holding: prepare(sql.holding).await?,
            advance_epoch: prepare(sql.advance_epoch).await?,
            write: prepare(sql.write).await?,
            raise: prepare(sql.raise).await?,
            check: prepare(sql.check).await?,
            lay: prepare(sql.lay).await?,
            floor: prepare(sql.floor).await?,
            read: prepare(sql.read).await?,
        };
        Ok(Self { client, statements })
    }
}

impl Run for Prepared {
    async fn run(
        &self,
        which: Which,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>, Error> {
        self.client.query_opt(self.statements.get(which), parameters).await
    }
}
