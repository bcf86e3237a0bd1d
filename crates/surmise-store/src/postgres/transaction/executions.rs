use core::{error::Error as StdError, fmt};

use surmise_fence::FencingToken;
use surmise_idempotency::Key;
use tokio_postgres::{Error, GenericClient};

use super::super::{execution, run::Unprepared};
use crate::{Claim, Claimed, Settled, Settlement, Ticket};

/// Asks what to do about a request: [`IdempotencyStore::claim`](crate::IdempotencyStore::claim) inside a transaction.
///
/// What is granted is granted with the commit; a transaction that is rolled back was never there. With the effect and
/// [`settle`] in the same transaction, no lease has to end and nobody has to recover. Until the commit, though, others that claim
/// the key wait, and do not hear that it is in flight; and what is claimed for long is better claimed on its own.
///
/// It takes one round trip; two, if a row is there that is over, was released or is to be recovered from. No row but its
/// own is touched: see [`forget`]. Transactions that claim several keys should do so in the same order.
///
/// # Errors
///
/// The client's, as it is. That the transaction could not be serialised (`40001`, under REPEATABLE READ and SERIALIZABLE,
/// where a key that was claimed or settled since the snapshot is one) or is in a deadlock (`40P01`) means to roll it back and
/// begin anew. At these levels, the answer that another is at it can be as old as the snapshot.
pub async fn claim<C: GenericClient + Sync>(on: &C, claim: Claim<'_>) -> Result<Claimed, Error> {
    execution::claim(&Unprepared(on), claim, 0).await
}

/// Settles an execution: [`IdempotencyStore::settle`](crate::IdempotencyStore::settle) inside a transaction.
///
/// So a completion is there if and only if what else the transaction did is: that is *exactly once*. It takes one round trip,
/// and locks the row until the transaction ends, best last of all. Whoever claims the key meanwhile hears that it
/// is in flight, and once the lease is over waits for the transaction's end: a store for four fifths of its `request_timeout`,
/// and then it is a `StoreError`, by which nothing happened.
///
/// *If the commit fails, or its answer is lost,* claim the key again, on its own. [`Claimed::Replay`] says that it was committed,
/// by this transaction or by whoever took over; [`Claimed::Execute`], that the key was forgotten since.
/// [`Claimed::Recover`] says that it was not and never will be, with all that the transaction did: so whoever recovers from
/// effects that are only in the database executes them again, without looking. Until the lease is over,
/// [`Claimed::InFlight`] says that it is not known yet.
///
/// # Errors
///
/// The outer error is the client's, as it is, as with [`claim`]. The inner one says that nothing was settled, since the ticket
/// is void or was settled before: *roll the transaction back.* It goes on, and a commit would do what was done already, or
/// what another does too. So a transaction that is tried again does nothing twice. At REPEATABLE
/// READ and above, begin the transaction after the claim: the ticket of one that the snapshot lacks is void too.
///
/// # Examples
///
/// ```no_run
/// use std::error::Error;
///
/// use surmise_idempotency::{FingerprintKey, Key};
/// use surmise_store::{
///     Claimed, IdempotencyStore, Settlement, Terms, Ticket,
///     postgres::{self, PostgresStore},
/// };
/// use tokio_postgres::Client;
///
/// /// Charges once, however often it is asked to. The client's connection is none of the store's.
/// async fn pay(store: &PostgresStore, client: &mut Client, order: &str) -> Result<Vec<u8>, Box<dyn Error>> {
///     let key = Key::new("acme", "payments", order)?;
///     let request = FingerprintKey::new([7; 16]).of([&b"/payments"[..], b"5"]);
///     match store.begin(&key, request, Terms::default()).await? {
///         // All effects are in the database: to recover is to do it again.
///         Claimed::Execute(ticket) | Claimed::Recover(ticket) => charge(client, &ticket).await,
///         Claimed::Replay(receipt) => Ok(receipt),
///         other => Err(format!("{other:?}").into()), // in flight, or the key was another request's
///     }
/// }
///
/// async fn charge(client: &mut Client, ticket: &Ticket) -> Result<Vec<u8>, Box<dyn Error>> {
///     let transaction = client.transaction().await?; // rolled back if it is dropped
///     transaction.execute("UPDATE account SET balance = balance - 5 WHERE owner = 7", &[]).await?;
///     let receipt = Settlement::complete(b"charged 5", ticket.terms().retention)?;
///     postgres::settle(&transaction, ticket, receipt).await??;
///     transaction.commit().await?;
///     Ok(b"charged 5".to_vec())
/// }
/// ```
pub async fn settle<C: GenericClient + Sync>(
    on: &C,
    ticket: &Ticket,
    settlement: Settlement<'_>,
) -> Result<Result<(), VoidTicket>, Error> {
    Ok(match execution::settle(&Unprepared(on), ticket, settlement).await? {
        (Settled::Done, true) => Ok(()),
        // It may be done already, by a transaction whose commit was not heard of: then this one must not do it as well.
        (Settled::Done, false)
        | (Settled::Fenced | Settled::AlreadyCompleted | Settled::Indeterminate(_), _) => {
            Err(VoidTicket { key: ticket.key().clone(), token: ticket.token() })
        }
    })
}

/// Deletes the rows of executions that are over, the oldest first and up to so many, and returns how many there were.
///
/// A store does so with each new key. Those who [`claim`] in transactions of their own only, call this now and
/// then, outside of them; what others have locked is left to the next time.
///
/// # Errors
///
/// The client's.
pub async fn forget<C: GenericClient + Sync>(on: &C, limit: u32) -> Result<u64, Error> {
    execution::forget(&Unprepared(on), limit.into()).await
}

/// An execution was not settled by this transaction: another took over, or the key was forgotten, or it was completed or released
/// before, be it by a transaction of one's own whose commit was not heard of. To claim the key again tells which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoidTicket {
    key: Key,
    token: FencingToken,
}

impl VoidTicket {
    /// Returns what was executed.
    #[must_use]
    pub const fn key(&self) -> &Key {
        &self.key
    }

    /// Returns the token.
    #[must_use]
    pub const fn token(&self) -> FencingToken {
        self.token
    }
}

impl fmt::Display for VoidTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, token } = self;
        write!(f, "the ticket {token} of {key:?} is void: roll back what was done by it")
    }
}

impl StdError for VoidTicket {}
