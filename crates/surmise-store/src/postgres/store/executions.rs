use super::{
    super::{execution, session::Reply},
    PostgresStore,
};
use crate::{Claim, Claimed, IdempotencyStore, Settled, Settlement, StoreError, Ticket};

/// How many rows that are over are deleted with each new key: more than one, so that they become fewer.
const FORGOTTEN: i64 = 4;

impl IdempotencyStore for PostgresStore {
    async fn claim(&self, claim: Claim<'_>) -> Result<Claimed, StoreError> {
        let session = self.sessions.take().await?;
        let answer = session.wait(execution::claim(&session, claim, FORGOTTEN)).await;
        Ok(match session.settle(answer)? {
            Reply::Answer(claimed) => claimed,
            Reply::Lost(lost) => Claimed::Indeterminate(lost),
        })
    }

    async fn settle(
        &self,
        ticket: &Ticket,
        settlement: Settlement<'_>,
    ) -> Result<Settled, StoreError> {
        ticket.terms().checked()?;
        let session = self.sessions.take().await?;
        let answer = session.wait(execution::settle(&session, ticket, settlement)).await;
        Ok(match session.settle(answer)? {
            Reply::Answer((settled, _)) => settled,
            Reply::Lost(lost) => Settled::Indeterminate(lost),
        })
    }
}
