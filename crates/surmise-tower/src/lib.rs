//! Middleware for tower services: adaptive timeouts, retries with a budget, hedging, and idempotency keys.
//!
//! ```
//! use core::{convert::Infallible, time::Duration};
//! use surmise_tower::AdaptiveTimeoutLayer;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), surmise_tower::BoxError> {
//! let service = ServiceBuilder::new()
//!     .layer(AdaptiveTimeoutLayer::p99().ceiling(Duration::from_secs(5)))
//!     .service(service_fn(async |name: &'static str| Ok::<_, Infallible>(name.len())));
//! assert_eq!(service.oneshot("hello").await?, 5);
//! # Ok(())
//! # }
//! ```
//!
//! # What is in it
//!
//! | layer | what it does | what it goes by |
//! |---|---|---|
//! | [`RetryLayer`] | tries again what failed | a backoff and a budget |
//! | [`AdaptiveTimeoutLayer`] | gives up what takes too long, and learns how long that is | a `SharedAdaptiveTimeout` |
//! | [`HedgeLayer`] | sends a backup of what is slow, and takes the first answer | a `SharedHedge` and a budget |
//! | `idempotency::IdempotencyLayer` | executes requests with the same `Idempotency-Key` once | a store of `surmise-store` |
//!
//! The last is for HTTP services, and has a module of its own. A [`Policy`] tells the others what they cannot know: which requests may be sent twice, until when an answer is wanted,
//! which results are worth another try, and which say how long answers take.
//!
//! # How to stack them
//!
//! Retries outside, the timeout within, hedging innermost, about the load balancer if there is one. With
//! `ServiceBuilder`, whose first layer is the outermost, that is the order of the table.
//!
//! * The hedge is to be within the retries: each try may have a backup. Outside, it would take the delays between
//!   tries for slowness, and its backup would be tried again as often as the primary, which multiplies the load.
//! * The timeout is to be outside of the hedge: it learns how long the first answer of the two takes, and sees all of
//!   them. Within, it would learn of the slow ones only that they were cancelled a little after the hedge's delay,
//!   which is where the tail begins that it is to know.
//! * The timeout limits a try with its backup. With twice the 99th percentile it gives up a few in ten thousand, two
//!   in a thousand while the service becomes ten times as slow, and some in a thousand while backups are not paid for. With
//!   the 99th percentile itself it gives up about one in a hundred at most, as asked for; but many of these have a backup that is about to answer, and now wait for a retry.
//! * What limits all tries is the deadline of [`Policy::deadline`], which all three keep to if they are given
//!   the policy: retries and backups do not begin later, and the timeout, which alone can give up a call that is under
//!   way, lets none take longer.
//! * A load balancer belongs within the hedge: otherwise a backup may be sent to the replica that is slow.
//!
//! The timeout is then for all replicas alike, and it is the hedge and the balancer that deal with one that is slow. It
//! is for requests with and without a backup alike, too: while the budget is exhausted, it is too short for those
//! without until it has learned how long they take, and if more of them are never answered than the quantile leaves
//! over, it is the ceiling. To give each replica a timeout of its own, between the balancer and the replica,
//! take a quantile that is reached before the hedge's delay, and a factor:
//!
//! ```
//! use surmise_timeout::{Quantile, Ratio};
//! use surmise_tower::AdaptiveTimeoutLayer;
//!
//! let of_one_replica =
//!     AdaptiveTimeoutLayer::p99().quantile(Quantile::P90).factor(Ratio::from_percent(400));
//! # let _ = of_one_replica.build();
//! ```
//!
//! That is no less steady, but which share it gives up is not asked for. Simulated, with a service that answers
//! in 20 ms (log-normal, σ 0.6), but one in fifty after 25 times as long, a hedge at the 95th percentile and a
//! budget of 10 %:
//!
//! | timeout | given up | while 10 times as slow | timeouts, usually | if one in fifty is never answered |
//! |---|---|---|---|---|
//! | outside of the hedge, twice the p99 | 0.03 % | 0.2 % | 168–218 ms | 168–218 ms |
//! | outside of the hedge, the p99 | 0.5 % | 1.2 % | 84–201 ms | |
//! | within the hedge, four times the p90 | 0.07 % | 0.3 % | 185–218 ms | 185–218 ms |
//! | within the hedge, the p99 | 0.04 % | 0.3 % | 101–2147 ms | 101 ms–11 s, of 30 at most |
//!
//! The true 99th percentile is 92 ms outside and about 500 ms within. Where nothing is paid for, there are no backups to
//! tell the orders apart: they give up 0.3, 0.8, 1.8 and 0.8 %. `tests/stacking.rs` prints what it
//! simulates of this, and fails where the order of the rows would be another or a share far from what is written here.
//!
//! If a stack is not a service and the compiler does not say why, pass it to
//! `fn is<S: tower_service::Service<Request>>(_: &S) {}`, which names what is missing: often a policy for another type
//! of response.
//!
//! Share one budget between retries and hedges, and have the outer layer make the deposits
//! ([`HedgeLayer::without_deposits`]). All three box errors, so that axum needs a `HandleErrorLayer` outside of them.
//!
//! # What this crate does not do
//!
//! It spawns nothing, but for requests with an idempotency key: all that there is of a request lives in its future, and
//! is gone with it. It sees when the
//! response is there, which for HTTP means its head; how long a body takes is not limited and not learned. It does
//! not know the destination of a request: make a layer for each.
//!
//! Time is tokio's, to the millisecond that its timers tell apart, and stands still or is moved where a test
//! says so. Random numbers, for jitter and for the calls that explore, are `fastrand`'s and no secret.
//!
//! # Features
//!
//! * `idempotency`: the module of this name. It needs Rust 1.90.
//! * `tracing`: an event of level `DEBUG` for each call that is given up, each retry, when its delay begins and when it
//!   is sent, and each backup; for what the budget denies, and for which request won. A span `attempt` about each
//!   try and a span `backup` about each backup.
//! * `metrics`: these counters.
//!
//! | counter | counts |
//! |---|---|
//! | `surmise_timeouts_total` | calls given up at the timeout, which learns from them |
//! | `surmise_deadlines_exceeded_total` | calls given up, or not even made, because of their caller's deadline |
//! | `surmise_retries_total` | retries that were sent |
//! | `surmise_retries_denied_total` | retries that the budget did not allow |
//! | `surmise_hedges_issued_total` | backups that were sent |
//! | `surmise_hedges_won_total` | those of them that answered first |
//! | `surmise_hedges_lost_total` | those of them that were of no use |
//! | `surmise_hedges_denied_total` | backups that the budget did not allow |
//! | `surmise_idempotent_executions_total` | requests with a key that were executed |
//! | `surmise_idempotent_replays_total` | those that were answered as before |
//! | `surmise_idempotent_in_flight_total` | those that were answered 409, since one was being executed |
//! | `surmise_idempotent_mismatches_total` | those that were answered 422, since their key was another's |
//! | `surmise_idempotent_outcomes_unknown_total` | executions that were given up half-way, and not done again |
//! | `surmise_idempotent_refusals_total` | those that were answered 503 because of the store |
//! | `surmise_idempotent_unkept_total` | responses that were passed on, and cannot be replayed |

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;

pub mod future;
mod hedge;
#[cfg(feature = "idempotency")]
pub mod idempotency;
mod policy;
mod retry;
mod telemetry;
mod timeout;
mod timer;

pub use self::{
    hedge::{HedgeLayer, HedgeService},
    policy::{DefaultPolicy, Judgement, Policy},
    retry::{RetryLayer, RetryService},
    timeout::{
        AdaptiveTimeoutBuilder, AdaptiveTimeoutLayer, AdaptiveTimeoutService, Elapsed, Limit,
    },
};

/// Any error, as tower's middleware has it.
pub type BoxError = Box<dyn core::error::Error + Send + Sync>;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
