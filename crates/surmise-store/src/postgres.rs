//! Leases, fenced values and executions in PostgreSQL, also inside transactions of your own.
//!
//! [`PostgresStore`] is the store. The functions are its operations on a client or a transaction of the caller's: with
//! [`check`], what a transaction does to *your own tables* is fenced, and with [`settle`] it is done *exactly once*, which no
//! store beside the database can do.
//!
//! # What it guarantees, and by what means
//!
//! * *Tokens* are counted in the row of their resource, which is never deleted: not by a sequence, whose values are not
//!   in the order of the commits. Each is of the store's epoch, whose row every grant locks, so that none is
//!   granted in an epoch that ended.
//! * *Time* is the server's `clock_timestamp()` alone, read when the row is locked. If the server's clock is set forward,
//!   leases end early by as much, and the fence protects what they did; if it is set back, they last longer.
//! * *Writes* are checked and done by one statement, which locks the floor, and finds the last write to the key by
//!   `INSERT … ON CONFLICT DO UPDATE … WHERE`: under READ COMMITTED, which the store's connections use, both see the
//!   newest committed rows and not those of a snapshot.
//! * *A raise* waits for the transactions that checked the floor, and those that check later wait for it. So whoever raised
//!   the floor, at READ COMMITTED, then reads what all earlier holders did, and no more comes after.
//! * *An answer* comes after the commit. What the server refuses with severity `ERROR`, it rolled back, and is an error; so
//!   is what was never sent. A request whose answer did not come, or came with the end of the connection (SQLSTATE classes
//!   08 and 57P, any `FATAL`), is `Indeterminate`.
//!
//! # Executions
//!
//! [`settle`] completes an execution in the transaction that has its effect, so that both are committed or neither is: exactly
//! once, whatever becomes of the caller or the server. Where the effect is elsewhere, the store is an
//! [`IdempotencyStore`](crate::IdempotencyStore) as others are, and whoever recovers has to look.
//!
//! * *What is kept*: a row for each key, with the result or the checkpoint. With each new key, a store deletes up to four
//!   rows that are over, and [`forget`] deletes as many as you like; so there are about as many rows as keys of one retention. There
//!   is no limit but the disk's, and a store never says that it is [`Full`](crate::Claimed::Full).
//! * *Tokens* are drawn from a sequence while the key is locked, and that goes on when the key is forgotten. Those of a transaction
//!   that was rolled back are left out, unless the server crashes: so the token of a [`claim`] in a transaction
//!   is to be shown to nobody before that is committed. They are of the epoch that is when they are drawn.
//! * *Time* is the server's. If its clock is set forward, leases and retentions end early by as much, results that were acknowledged
//!   included; if it is set back, all of them last longer, and nothing is forgotten.
//! * *Who waits*: a key in flight, or completed, is read without a lock, so that those who ask again and again wait for nobody
//!   and write nothing. Who would take over waits for the transaction that settles.
//! * Long transactions keep rows that were deleted from being removed for good, and searches for what is over become
//!   slower for as long; so does a table that autovacuum does not keep up with.
//!
//! # Isolation levels
//!
//! The functions are right at READ COMMITTED and above, but for [`raise`], which is refused above it: what is read in the same
//! transaction would be from a snapshot of before the wait. At REPEATABLE READ and SERIALIZABLE, a floor or a key that
//! was changed since the snapshot is a serialisation failure, `40001`: roll back, and begin anew. Such errors are
//! returned as they come from the client. [`settle`] says what is seen of executions there.
//!
//! # Limits
//!
//! * Counters and epochs end at 2⁶³ − 1. The first epoch is 1. One that `advance_epoch` begins is the number of
//!   seconds since 1970, or one more than the last: so it is new even if a backup does not remember the last.
//! * A standby that is promoted may lack the last commits, unless they waited for it
//!   ([`Durability::synchronous_standbys`]). Then, and after a backup was restored, or tables without their sequences as by logical
//!   replication, call [`advance_epoch`](crate::LeaseStore::advance_epoch) before anything else.
//! * No proxy that spreads a session's transactions over connections (PgBouncer in transaction mode) may be between the
//!   store and the server, since statements are prepared. The functions prepare none.
//! * `clock_timestamp()` has a resolution of 1 µs, and a TTL is rounded up to it. There is no lock-delay.
//! * Rows are for ever: one for each resource that had a lease or a floor, and one for each key, also if it was removed. Those of
//!   executions are not.
//!
//! # What the operator sets
//!
//! * PostgreSQL 12 or later, a database with the encoding UTF-8, and the schema `surmise`, which is made at the first
//!   [connection](PostgresStore::connect) or by [`migrate`]. Its version is checked with each connection; one that is newer, or not ours, is
//!   left alone. Users need USAGE on it, SELECT, INSERT and UPDATE on its tables, DELETE on `surmise.execution`, and
//!   SELECT, USAGE and UPDATE on its sequences.
//! * `fsync`, `full_page_writes` and `synchronous_commit` as they are by default. What else was found is returned as
//!   [`Durability`]. A connection made later, to a server that is less durable, is refused; those that are there keep their
//!   `synchronous_commit`.
//! * For transactions that [`check`], [`write()`], [`claim`] or [`settle`] on connections of their own, `idle_in_transaction_session_timeout`, shorter than
//!   the leases' TTL. A holder that is paused inside of one keeps its locks, and the next holder's [`raise`] waiting:
//!   without it, until the connection is found dead, which takes two hours as TCP comes. It is found sooner by
//!   `tcp_keepalives_idle`, `tcp_keepalives_interval` and `tcp_keepalives_count`, in all shorter than the TTL too, but only
//!   if it is dead. The store's own transactions are one statement each, and need neither.
//! * Advisory locks with the first number 1937076845 or 1937076846, and the one with 32498756644074341, are this crate's.
//!
//! # Connections
//!
//! A store has [so many](PostgresConfig::max_connections) at most, made when they are needed, and one request at a time on
//! each. One that broke, or whose request was not answered in time or dropped, is thrown away, and the next request has
//! another made. Nothing is sent twice. No request is ever cancelled, since that would end a commit's wait for standbys.
//!
//! The limits of time are the store's. The functions, and [`migrate`], have none but what the caller's connection has, as
//! `statement_timeout` and `lock_timeout`.
//!
//! # What it costs
//!
//! One round trip an operation, and one flush of the log if it changes something; the first write under a resource, two
//! round trips more. Statements are prepared, but for those in transactions of the caller's, which the server parses
//! each time. Whoever asks for a lease that is held writes nothing.

mod column;
mod config;
mod connector;
#[cfg(test)]
mod cost;
mod durability;
mod error;
mod execution;
mod fence;
mod isolation;
mod lease;
mod run;
mod schema;
mod session;
mod sql;
mod store;
#[cfg(test)]
#[path = "../tests/support/postgres.rs"]
mod support;
#[cfg(test)]
mod tests;
mod transaction;

#[cfg(test)]
use crate::servers;

pub use self::{
    config::PostgresConfig,
    durability::Durability,
    isolation::RaiseError,
    schema::migrate,
    store::PostgresStore,
    transaction::{
        VoidTicket, check, claim, extend, floor, forget, grant, holding, raise, read, revoke,
        settle, write,
    },
};
