//! The operations on a client or inside a transaction of the caller's.

mod executions;

use surmise_fence::{FencingToken, Pass, Refusal, TokensExhausted};
use tokio_postgres::{Error, GenericClient};

pub use self::executions::{VoidTicket, claim, forget, settle};
use super::{
    RaiseError,
    fence::{self, Raised},
    lease::{self, Answer},
    run::Unprepared,
};
use crate::{Change, Entry, Extended, Granted, Holding, LeaseRequest, Resource, Revoked, Ttl};

/// Checks a pass against the floor under a resource, which stays as it is until the transaction ends.
///
/// So what the transaction does to the caller's own tables is fenced: a new holder's [`raise`] waits for its
/// commit, and whoever comes after the raise is refused. For this the new holder must raise the floor before it
/// reads, and every transaction must check before it commits, best first of all.
///
/// It takes a share lock of the floor's row, which many can have at once, and one round trip. Of a resource that never had
/// a floor, whoever checks or writes first makes the row, with two round trips more, and the others wait for that
/// transaction's end: raise the floor once before. Outside of a transaction, it says what was so a moment ago, and protects
/// nothing. There is no time limit but the connection's own, as `statement_timeout` and `lock_timeout` set it.
///
/// # Errors
///
/// The outer error is the client's, as it is. That the transaction could not be serialised (`40001`, under
/// REPEATABLE READ and SERIALIZABLE) or is in a deadlock (`40P01`) means to roll it back and begin anew. The inner
/// one says what the pass lacks; the transaction goes on, and it is for the caller to roll it back.
///
/// # Examples
///
/// ```no_run
/// use surmise_fence::Pass;
/// use surmise_store::{Resource, postgres};
///
/// # async fn example(client: &mut tokio_postgres::Client, pass: Pass) -> Result<(), Box<dyn core::error::Error>> {
/// let transaction = client.transaction().await?;
/// postgres::check(&transaction, Resource::new("ledger")?, pass).await??;
/// transaction.execute("UPDATE account SET balance = balance - 5 WHERE owner = 7", &[]).await?;
/// transaction.commit().await?;
/// # Ok(())
/// # }
/// ```
pub async fn check<C: GenericClient + Sync>(
    on: &C,
    resource: Resource<'_>,
    pass: Pass,
) -> Result<Result<(), Refusal>, Error> {
    fence::check(&Unprepared(on), resource, pass).await
}

/// Makes a change, if its pass allows: [`FencedStore::apply`](crate::FencedStore::apply) inside a transaction.
///
/// It is durable with the commit. Until then it keeps others from the key, and from raising the floor.
///
/// # Errors
///
/// As [`check`].
pub async fn write<C: GenericClient + Sync>(
    on: &C,
    change: Change<'_>,
) -> Result<Result<(), Refusal>, Error> {
    fence::write(&Unprepared(on), change).await
}

/// Raises the floor under a resource, if the pass allows:
/// [`FencedStore::raise_floor`](crate::FencedStore::raise_floor) inside a transaction.
///
/// It waits for the transactions that wrote or checked, and those that want to wait for the commit. What the transaction
/// reads after it, at READ COMMITTED, includes what they did. In a transaction that wrote or checked under the
/// same resource before, it can be a deadlock with another such.
///
/// # Errors
///
/// The outer error if the transaction is at REPEATABLE READ or SERIALIZABLE, whose snapshot would hide from it what it
/// waited for; then nothing was done. Otherwise as [`check`].
pub async fn raise<C: GenericClient + Sync>(
    on: &C,
    resource: Resource<'_>,
    pass: Pass,
) -> Result<Result<(), Refusal>, RaiseError> {
    match fence::raise(&Unprepared(on), resource, pass).await? {
        Raised::Done => Ok(Ok(())),
        Raised::Refused(refusal) => Ok(Err(refusal)),
        Raised::Isolated(level) => Err(RaiseError::Isolation { level }),
    }
}

/// Returns the floor under a resource: [`FencedStore::floor`](crate::FencedStore::floor) inside a transaction.
///
/// # Errors
///
/// The client's.
pub async fn floor<C: GenericClient + Sync>(
    on: &C,
    resource: Resource<'_>,
) -> Result<Option<Pass>, Error> {
    fence::floor(&Unprepared(on), resource).await
}

/// Returns the last write to a key: [`FencedStore::read`](crate::FencedStore::read) inside a transaction.
///
/// # Errors
///
/// The client's.
pub async fn read<C: GenericClient + Sync>(
    on: &C,
    resource: Resource<'_>,
    key: &[u8],
) -> Result<Option<Entry>, Error> {
    fence::read(&Unprepared(on), resource, key).await
}

/// Asks for a lease: [`LeaseStore::grant`](crate::LeaseStore::grant) inside a transaction.
///
/// It is granted with the commit, and not before; its time counts from before this was called. Until the
/// commit, others who ask for it wait.
///
/// # Errors
///
/// The outer error as [`check`]; the inner one if the epoch has no more tokens.
pub async fn grant<C: GenericClient + Sync>(
    on: &C,
    request: LeaseRequest<'_>,
) -> Result<Result<Granted, TokensExhausted>, Error> {
    Ok(match lease::grant(&Unprepared(on), request).await? {
        Answer::Granted(granted) => Ok(granted),
        Answer::Exhausted(exhausted) => Err(exhausted),
    })
}

/// Asks for more time for a lease: [`LeaseStore::extend`](crate::LeaseStore::extend) inside a transaction.
///
/// It lasts for longer with the commit, and not before.
///
/// # Errors
///
/// As [`check`], without an inner one.
pub async fn extend<C: GenericClient + Sync>(
    on: &C,
    resource: Resource<'_>,
    token: FencingToken,
    ttl: Ttl,
) -> Result<Extended, Error> {
    lease::extend(&Unprepared(on), resource, token, ttl).await
}

/// Gives a lease back: [`LeaseStore::revoke`](crate::LeaseStore::revoke) inside a transaction, with whose commit it is
/// free.
///
/// # Errors
///
/// As [`check`], without an inner one.
pub async fn revoke<C: GenericClient + Sync>(
    on: &C,
    resource: Resource<'_>,
    token: FencingToken,
) -> Result<Revoked, Error> {
    lease::revoke(&Unprepared(on), resource, token).await
}

/// Returns who holds a lease: [`LeaseStore::holding`](crate::LeaseStore::holding) inside a transaction.
///
/// # Errors
///
/// The client's.
pub async fn holding<C: GenericClient + Sync>(
    on: &C,
    resource: Resource<'_>,
) -> Result<Option<Holding>, Error> {
    lease::holding(&Unprepared(on), resource).await
}
