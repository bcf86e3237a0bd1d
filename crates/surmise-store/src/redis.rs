//! Leases, fenced values and executions in a Redis server, if it is set up to keep them.
//!
//! As it comes, Redis forgets. [`RedisStore`] looks at the server's settings when it connects, and is had only by who says
//! which of their consequences are accepted:
//!
//! ```no_run
//! use core::time::Duration;
//! use surmise_store::{FencedStore, LeaseStore, redis::{RedisConfig, RedisStore}};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn core::error::Error>> {
//! let config = RedisConfig::from_url("redis://10.0.0.1:6379")?;
//! let store = RedisStore::connect(config).await?.durable()?;
//! let lease = store.acquire("ledger", "node-1", Duration::from_secs(10)).await?;
//! store.raise("ledger", lease.pass()?).await?.applied()?;
//! store.write("ledger", b"balance", b"100", lease.next_pass()?).await?.applied()?;
//! # Ok(())
//! # }
//! ```
//!
//! # Take another store where …
//!
//! * … a machine may be lost: Redis hands writes on after it acknowledged them, and a replica that is promoted lacks the last:
//!   **it forgets floors, writes and what was executed**, and leases that others then have as well. `WAIT` does not help enough: it says that
//!   replicas heard of a write, not that one of these is promoted. Take
//!   [`etcd`](https://docs.rs/surmise-store/latest/surmise_store/etcd).
//! * … the service is operated by others, who do not say how it is set up, or move it at will.
//! * … what is to be fenced is in a database anyway: it can check the token in the same transaction.
//!
//! What remains is one server with a disk of its own, which keeps what it acknowledged through kill −9 and a crash of
//! its machine.
//!
//! # What it guarantees, and by what means
//!
//! * *One step.* Each operation is one script, which Redis runs to its end before anything else. It writes by one command, the
//!   last, so that what is refused has no effect. All its keys are handed over as such. [Executions](#executions) are
//!   done otherwise.
//! * *Tokens* are counted in the record of their lease, which never expires and is not removed by a release; the epoch
//!   is read by the script that grants. An epoch is the number of microseconds since 1970 when it began, or one more than
//!   the last. So it is new even where the server forgot the last ones, if its clock is not behind the time at which these
//!   began.
//! * *A process has an epoch of its own.* Beside the epoch stands which process of the server had it last, and with which
//!   history of its data (`run_id` and `master_replid` of `INFO`). Whoever connects to another begins the next epoch, before it
//!   asks for anything: what that process does not remember of an earlier one's tokens, it does not issue again. Leases that
//!   are held stay held. Each script looks whether it is still that process, and no replica, and else nothing is done. Where a server does
//!   not tell, each connection begins an epoch.
//! * *A store that was lost is missed.* What stands beside the epoch begins with a random number, the id of the store. A store
//!   that was connected to another, or to one that is gone, refuses all requests, and is not made anew under its holders.
//! * *Numbers are text*: 20 digits each, compared as text. Those of Lua have 53 bits, and would take 2⁵³ + 1 for 2⁵³. They
//!   are decimal because Lua compares by the server's locale, in which only digits have a sure order.
//! * *Time* is the server's (`TIME`, read by the script), and the end of a lease a part of its record. The record is not left to
//!   `PEXPIRE`, which goes by the same clock, and would take the counter along. If that clock is set forward, leases end early by
//!   as much, and the fence protects what they did; if it is set back, they last longer than their holders are told, which is
//!   what they asked for and no more.
//! * *An answer* comes after the write is on the disk, with `appendfsync always`. What was never sent is an error; what was
//!   sent and not answered is `Indeterminate`, and not sent again. A script that the server does not know (`NOSCRIPT`)
//!   was not run, and is sent whole.
//! * *No quiet weakening for long.* The settings are looked at by every new connection, and before a request if that was 10 s
//!   ago. If there is a weakness that was not accepted, or if the server [has some](Connected::accept) and is another process
//!   than before, requests are refused from then on, until the store is connected anew: a weakness may pass, and not what it
//!   lost.
//!
//! # Executions
//!
//! * *The rules* are those of all stores, and run here: a script keeps what comes of them if nobody changed the record since it
//!   was looked at, and else returns it, so that it is judged again. Each time somebody else was done. A record begins with the
//!   number of the change that made it so, by which it is compared: no two changes of a store have the same, nor have those of
//!   two processes, whose epochs differ.
//! * *Tokens* are the numbers of the changes that issued them. There is one counter for all keys, which does not expire: a
//!   token is greater also than those of a key that was forgotten. It is written before the record. If that is refused, a
//!   number is left out.
//! * *Time* is the server's, and wall time. Leases and retentions begin when their record is written, by the script. A clock that is
//!   set back lets them last longer, by as much; what is granted, renewed or completed before it is set right again ends
//!   early, as all does if the clock is set forward. A lease that ended early does no harm but that of a recovery; a result
//!   that did is **executed again**. Keep the clock disciplined, and the retention longer than any step of it.
//! * *What is over* the server forgets by itself, by `PXAT`, to the millisecond and not before. That is why a server with one of
//!   the `volatile-` policies has the weakness [`EvictsExecutions`](Weakness::EvictsExecutions): it forgets them when its memory
//!   is full. With `noeviction`, what would execute is answered by [`Full`](crate::Claimed::Full) then; what is remembered
//!   is answered as before, and settlements fail until there is room. There is no other limit to their number.
//! * *A process that begins anew* issues tokens in a new epoch. What is in flight stays so, and its tickets are good. A server that
//!   was accepted with a weakness may have lost what was completed, and has it executed again: take one without.
//! * *Requests.* The first claim of a key is one, and so is each that is answered with what is there; a takeover is two. A settlement
//!   is two, the first of which only reads. A read that fails is an error; of a lost reply to the other, the outcome is
//!   `Indeterminate`.
//!
//! # What the operator sets
//!
//! * Redis 7.0.3 or later, of which 7.0 is tested: earlier ones answer before the sync, or pass over one that failed.
//!   `appendonly yes`, `appendfsync always`, `no-appendfsync-on-rewrite no` (as by default), `maxmemory-policy noeviction`: a
//!   floor that is evicted lets everybody pass. One of the `volatile-` ones does where no executions are kept.
//! * A log that is switched on under a server that works is kept only once it is complete: `CONFIG SET appendonly yes`, wait
//!   until `INFO persistence` has `aof_rewrite_in_progress:0`, `aof_rewrite_scheduled:0` and `aof_last_bgrewrite_status:ok`,
//!   then `CONFIG REWRITE`. Until then, and while any log is rewritten, a store is not connected to for the first time.
//! * A password, or a network that is the store's alone. A user needs the keys `{PREFIX}*`, and `EVALSHA`, `EVAL`, `GET`,
//!   `GETRANGE`, `SET`, `MSET`, `TIME`, `INFO`, and `SELECT` for a database other than 0; `CONFIG GET` is looked at if it is
//!   allowed.
//! * No `FLUSHALL`, `CONFIG SET` or `REPLICAOF` under a store that works: it looks every 10 s, not all the time.
//! * After a replica was promoted, a backup restored or a log repaired: nothing for the tokens, if the server says which
//!   process it is, and its clock is right; [`advance_epoch`](crate::LeaseStore::advance_epoch) does no harm. Floors and writes
//!   that were lost stay lost: whoever raised a floor raises it again.
//!
//! # Limits
//!
//! * A replica that was promoted is told by what it says of itself, until it is started again, or had no replicas of its own
//!   for an hour (`repl-backlog-ttl`). A store that accepts no weaknesses cannot tell such a one from its own server then, and
//!   goes on in a new epoch without the floors that were lost.
//! * What is not asked is not known: replicas that are added later, and settings that are changed, are noticed when
//!   it is looked next. A disk that lies is never noticed.
//! * In a cluster, all keys of a store are in one slot, that of `{PREFIX}`, since grants read the epoch in the same step; the
//!   [address](RedisConfig::address) is that of the master that has it. Redirections are refusals.
//! * A key of ours that something else overwrote is `Corrupt` and left alone; but one that was removed, or holds the empty
//!   text, is as if it had never been: **who removes the record of a lease (`DEL`, eviction) has its tokens issued again**,
//!   unless `advance_epoch` is called, and so has who removes the number of the last change; who removes a floor lets everybody
//!   pass, and who removes an execution has it done again. If the epoch or the process was removed,
//!   stores refuse all requests, and go on in a new epoch once they are connected anew.
//! * There is no TLS here: [`connect_with`](RedisStore::connect_with) takes a connection from a library that has it. There is
//!   no lock-delay. Idle connections are not probed (`keepalive`), so that the first request on a dead one is late; and of a
//!   name with several addresses, the next is tried only where one refuses. Records are for ever, but for those of executions:
//!   one for each resource that had a lease or a floor, and one for each key, also if it was removed; and all of them are in
//!   memory. An execution takes 142 bytes or more besides its key and its result.
//!
//! # Connections
//!
//! All requests share one connection, and are answered in turn. One that ended, or on which an answer was late, is replaced
//! when the next request comes. A read whose connection had ended is asked once more, and so is what was refused since the
//! server began anew; nothing else is.
//!
//! # What it costs
//!
//! One round trip an operation, but for executions, and three to look. On loopback, on a busy machine of two cores, a fenced write took 0.30 ms
//! at the median with `appendfsync always`, as the same `EVALSHA` of the bare client library did (+1 %), and a `SET` without
//! a fence 0.26 ms; with `no`, 70 µs beside 66 µs (+5 %) and 46 µs. `src/redis/cost.rs` prints these. They
//! are from before the scripts looked which server it is, for which they take about 6 µs more.
//!
//! # What is where
//!
//! | key, after `{PREFIX}` | value |
//! |---|---|
//! | `format` | `surmise-store/1` |
//! | `epoch` | the epoch |
//! | `process` | the id of the store, 32 digits, and `/RUN_ID/REPLICATION_ID` of the process that had it last |
//! | `lease/RESOURCE` | the epoch and the counter of the last token, the nonce, the end in microseconds since 1970; `l` and the holder |
//! | `floor/RESOURCE` | the pass, `f` |
//! | `value/RESOURCE NUL KEY` | the pass, `w` and the value, or `r` if it was removed |
//! | `executions` | the epoch and the counter of the last change of an execution |
//! | `execution/KEY` | the token, the number of the last change, and when its times begin, in microseconds since 1970; the record |

mod client;
mod config;
mod connected;
mod connection;
#[cfg(test)]
mod cost;
mod executions;
mod failed;
mod fence;
mod keys;
mod known;
mod lease;
mod open;
mod record;
mod reply;
mod scripts;
mod server;
mod store;
#[cfg(test)]
mod tests;
mod weakness;

pub use self::{
    config::{RedisConfig, RedisCredentials},
    connected::Connected,
    store::RedisStore,
    weakness::{Weakened, Weakness},
};
