//! Leases, fenced values and executions in etcd: what one member acknowledged, all the others know.
//!
//! [`EtcdStore`] asks the members of a cluster through the JSON gateway that each of them has beside gRPC, so that neither
//! `protoc` nor a stack of gRPC is needed to build it. What the gateway costs, some 0.15 ms a request, is in all figures below.
//!
//! ```no_run
//! use core::time::Duration;
//! use surmise_store::{FencedStore, LeaseStore, etcd::{EtcdConfig, EtcdStore}};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn core::error::Error>> {
//! let config = EtcdConfig {
//!     endpoints: ["a", "b", "c"].map(|member| format!("http://etcd-{member}:2379")).into(),
//!     ..EtcdConfig::default()
//! };
//! let store = EtcdStore::connect(config).await?;
//! let lease = store.acquire("ledger", "node-1", Duration::from_secs(10)).await?;
//! store.raise("ledger", lease.pass()?).await?.applied()?;
//! store.write("ledger", b"balance", b"100", lease.next_pass()?).await?.applied()?;
//! # Ok(())
//! # }
//! ```
//!
//! # What it guarantees, and by what means
//!
//! * What is acknowledged is in the logs of a majority of the members, on disk. A cluster of three goes on without any
//!   one of them, and loses nothing if all are killed. Nothing is read but what a majority has confirmed; there are no
//!   serializable reads.
//! * A token is the revision at which the lease's key was created, under the epoch that the store keeps. etcd counts
//!   revisions for the whole cluster and never back; the ids of its leases are in no order, and are not used.
//! * A write is one transaction. Keys are kept with their passes before them, 32 bytes in the passes' order, and the
//!   transaction compares bytes: against the floor, and against what was last written to the key. It
//!   puts the value where none of the reasons to refuse holds, and otherwise returns what stands in the way.
//! * A lease of etcd is **never kept alive; a renewal is a new one** for the same key. etcd's leader answers keepalives
//!   without asking the others, and one that was deposed while its disk hung goes on to do so, and ends leases that the
//!   next leader kept alive ([12528](https://github.com/etcd-io/etcd/issues/12528),
//!   [15247](https://github.com/etcd-io/etcd/issues/15247); later versions look before they do). What a majority wrote, no
//!   leader ends before its time.
//! * A request that counts is sent once, to one member. If that member cannot be reached, or its connection ended before
//!   anything was sent on it, the next one is asked; if it does not answer, the outcome is indeterminate, and the next
//!   request begins with the next member. Reads are asked of one member after another, and so are leases of etcd, of which
//!   one that nobody heard of ends by itself.
//!
//! # What the operator must set
//!
//! * etcd 3.4 or later, with its JSON gateway on, as it is by default; in a configuration file of 3.4 it takes
//!   `enable-grpc-gateway: true`.
//! * `--max-request-bytes` no less than it is by default, for values of up to 1 MiB.
//! * No `--unsafe-no-fsync`, nor a disk that lies: this store cannot see it.
//! * Compaction, as `--auto-compaction-retention=1h`: every write leaves a revision behind.
//! * After a snapshot was restored, [`advance_epoch`](crate::LeaseStore::advance_epoch), before anybody asks for a lease or claims: revisions begin again where
//!   the snapshot ends. The next epoch is the number of seconds since 1970 by the clock of the machine that asks, or one more
//!   than that of the snapshot if the clock is behind.
//!
//! # Its limits
//!
//! * etcd counts the time of leases in whole seconds, and grants no less than one and a half elections, which is 2 s as it
//!   comes. What is asked is rounded up, and [`Grant::valid_for`](surmise_fence::Grant::valid_for) is what was granted. A
//!   new leader begins all leases anew, and ends them when it looks, twice a second: a dead holder's lease
//!   is free so much later.
//! * A member that hangs is noticed after [`request_timeout`](EtcdConfig::request_timeout). While a leader is elected, one or
//!   two seconds, nothing is granted or written.
//! * What was sent to a member that hangs may be done when it goes on. A write is then judged by its pass, as any; a
//!   grant that nobody waits for any more lasts at most as long as was asked.
//! * When the database is full, etcd says the same of a write that it refused and of the last one that it took: the
//!   outcome is indeterminate, and the reply says what to do. The quota (`--quota-backend-bytes`) stops leases, and by that their
//!   holders, but not fenced writes: etcd does not count what is put by a transaction within another.
//! * A floor or value that something else wrote under the prefix is `Corrupt` and left as it is, unless its bytes are less
//!   than those of every token, as nothing at all is: then it is overwritten.
//! * There is no TLS here: [`connect_with`](EtcdStore::connect_with) takes a connection from a library that has it. Users and
//!   passwords are [`EtcdConfig::credentials`].
//! * A key that is removed keeps its pass, and a floor stays, for good.
//!
//! # What it costs
//!
//! Asked of one member of etcd 3.4 on loopback, on a busy machine of two cores and optimised, a fenced write of 100 bytes took 0.96 to
//! 1.18 ms at the median, and 0.06 to 0.10 ms less as the same bytes on a bare connection (`tests/etcd_faults.rs` prints
//! both). A grant is three requests, of which two are written by a majority; a renewal is four, with three, since it also
//! ends the lease of etcd that it replaces. Whoever asks for a lease that is held makes two reads and writes nothing.
//!
//! # Executions
//!
//! [`IdempotencyStore`](crate::IdempotencyStore) is one key for each request, with its record. Whoever claims or settles
//! reads it, and puts the next record in its place if the revision of the key is still the same, and so is the epoch; who
//! comes second reads again, up to 16 times.
//!
//! * *Tokens.* A token is the revision of the transaction that claimed the key, under the epoch. So tokens rise over takeovers,
//!   releases and forgetting, and for whatever is late: a claim that is done after its caller gave up, and after others
//!   came and were forgotten, has a token above theirs. (What was read before, and one more, would not.) No
//!   row is kept for that. After a snapshot was restored, they rise by the next epoch: what was claimed or completed since the
//!   snapshot is forgotten, and what was in flight in it is to be recovered from.
//! * *Time* is that of etcd's leases, by the monotonic clock of the leader, and no other clock counts. A record is under a lease
//!   of etcd for the lease and the retention together if it is in flight, and else for the retention, brief or not. A completion, a renewal
//!   and a release of what is no recovery are each a new lease of etcd, which begins between the call and its answer; none is kept alive. How
//!   old it is, rounded down to a second, says whether the executor's lease is over. So a lease is what was asked, rounded up to
//!   seconds, and up to one second more; `retry_after` is an upper bound.
//! * A new leader begins all of etcd's leases anew, and so both the lease and the retention: nothing is given away or
//!   forgotten any sooner. A retention ends when etcd looks, twice a second, and it ends no more than a thousand leases
//!   a second; those that are shorter than etcd's shortest lease are ended by this store.
//! * *What is removed.* What is over, etcd removes by itself, and nothing else is swept. A lease of etcd that was replaced, or was begun in
//!   vain, is revoked; if that fails, or its id or the answer to the transaction was lost, it ends by itself: at the latest
//!   after the lease and the retention. There is no limit to the keys but etcd's quota: where it is exceeded, a claim is refused and so is a
//!   completion, until there is room; nothing is evicted for it.
//! * *Lost answers.* A transaction is sent once. If its answer is lost, the outcome is `Indeterminate`, and the same nonce or
//!   ticket tells. What is late and finds another record does nothing.
//! * *What weakens it*: all that weakens a lease, as a disk that lies and whoever else writes under the prefix; and that the
//!   retention of a completion whose answer was lost begins with the first try that was done.
//!
//! A claim is a read, a lease of etcd and a transaction, of which a majority writes two; a completion, renewal or release is one
//! request more, by which the lease before is revoked; a checkpoint is a read and a transaction. A replay is one read, and the
//! answer that a key is in flight takes two. With a result of 100 bytes, on the same machine as above while others used it, a
//! claim took 1.92 ms at the median, a completion 2.56 ms and a replay 0.51 ms; the same requests on a bare connection
//! took 1.82, 2.47 and 0.50 ms (`tests/etcd_executions_cost.rs`).
//!
//! # What is where
//!
//! | key, after the prefix | value |
//! |---|---|
//! | `format` | `surmise-store/1` |
//! | `epoch` | the epoch |
//! | `lease/RESOURCE` | the epoch of the token, the nonce, the seconds of etcd's lease, the holder; its revision of creation is the token's counter |
//! | `floor/RESOURCE` | the pass, `f` |
//! | `value/RESOURCE NUL KEY` | the pass, `w` and the value, or `r` if it was removed |
//! | `execution/KEY` | `c` if this revision is the claim, else `e`; the seconds of etcd's lease; the record, with times that begin with that lease; KEY is [`Key::as_bytes`](surmise_idempotency::Key::as_bytes) |
//!
//! Numbers have 8 bytes, big-endian.

mod client;
mod config;
mod connection;
mod endpoint;
mod executions;
mod failed;
mod fence;
mod keys;
mod lease;
mod native;
mod open;
mod record;
mod store;
mod wire;

pub use self::{
    config::{EtcdConfig, EtcdCredentials},
    store::EtcdStore,
};
