//! Requests with the same `Idempotency-Key` are executed once (feature `idempotency`).
//!
//! A client that got no answer sends its request again, with the same key. This layer, as
//! draft-ietf-httpapi-idempotency-key-header-07 has it, executes one of them, and answers the others with the response to
//! that one: status, chosen headers and body. [`IdempotencyLayer`] shows it with axum.
//!
//! # What is answered
//!
//! | the request | is answered | `code` |
//! |---|---|---|
//! | was executed | as it was, with `Idempotency-Replayed: true` | |
//! | has no key, and must have | 400 | `idempotency-key-missing` |
//! | has several keys, or one that is malformed, empty or longer than 255 bytes | 400 | `idempotency-key-invalid` |
//! | is from nobody known | 403 | `idempotency-tenant-unknown` |
//! | could not be read to its end | 400 | `idempotency-request-unreadable` |
//! | is longer than may be | 413 | `idempotency-request-too-large` |
//! | is being executed | 409, `Retry-After: 1` | `idempotency-key-in-flight` |
//! | differs from the one with this key before, done or under way | 422 | `idempotency-key-reused` |
//! | was begun, and nobody knows how far it came | 409 | `idempotency-outcome-unknown` |
//! | was executed, and its response was not kept | 409 | `idempotency-response-not-kept` |
//! | cannot be remembered, for want of room | 503, `Retry-After: 1` | `idempotency-store-full` |
//! | may have been executed, but the store does not say | 503, `Retry-After: 1` | `idempotency-store-unavailable` |
//! | was executed by what writes another format | 500 | `idempotency-record-unreadable` |
//!
//! All but the first are problems as RFC 9457 has them, with `code` as an extension; for none of them is
//! anything executed. Programs should go by the code, and retry only where there is a `Retry-After`.
//!
//! Requests are the same if method, path, query and body are, to the byte. Headers do not count, the host neither; and the path
//! is what this layer sees. So two hosts, or two routes behind prefixes that a router cuts off, share their keys, and one gets
//! the response of the other, unless their [operations](IdempotencyLayer::operation) have names.
//!
//! # Which responses are kept
//!
//! All but 401, 425 and 429, which say that the request was not acted upon: errors too, server errors included, as Stripe
//! does. For what a 500 or 503 leaves behind, nobody but the handler knows, and to execute again may do it twice. A
//! handler that knows that nothing was done says so ([`Retain`]); a rule for a whole service is
//! [`IdempotencyLayer::retain`]. What follows a response without ending it is not kept: a body that is longer than
//! [`IdempotencyLayer::max_response_body`], one that breaks off, and trailers, as gRPC has them. Such a response is passed on
//! unchanged, but what is remembered is only that there was one: retries are not executed, and get a problem that says it.
//!
//! A response is passed on when it was read, up to that many bytes, and its completion is durable. So events that are
//! sent one by one are held back: routes that stream should be without this layer, or say [`Retain::Marker`].
//!
//! # Who executes
//!
//! Once a request was read, a task of its own executes it: a client that leaves, and a timeout outside of this layer,
//! end the wait and not the work. The retry finds it under way, and then its response. Put timeouts outside: one
//! within drops the handler wherever it is, and the 408 or 504 is kept. So belongs what catches panics: within, its 500 is
//! kept as the outcome.
//!
//! The task renews the lease for as long as the handler runs. If handler or process die, or an inner service fails
//! without a response, the key is held up until the lease ends. After that the outcome is unknown: the next request is
//! told so, and so are all after it, for the retention. The
//! opposite, [`IdempotencyLayer::recover_by_executing`], is for handlers that can do it again.
//!
//! If the lease ended although the task was alive, because its thread or the store stood still, another may have taken
//! over. Its client gets its response all the same, since that is what was done; but it is not kept, and the retries get the
//! other's. Only a fence where the effect is can keep it from being done twice, one for each key: handlers get the ticket as
//! the extension [`Execution`] of the request, which also says when another took over. Where the store does not confirm a
//! completion in four tries, the response is passed on, and the task goes on trying for as long as a lease; after that,
//! retries may learn that the outcome is unknown. Each of these is counted, and told of as a warning, with tenant and key.
//!
//! A claim that the store does not confirm is answered with 503, and given back in the same way: nothing was executed.
//!
//! A runtime that ends drops these tasks, and leaves unknown outcomes: [`IdempotencyLayer::drained`] waits for them.
//!
//! With PostgreSQL a handler can complete the ticket in the transaction of its effect: [`Execution::result`].
//!
//! # What this layer does not do
//!
//! It does not authenticate, and does not ask again who may see a response that is replayed to its tenant. It does
//! not join duplicates: who comes while the first is executed has to ask again. It cannot see what middleware
//! outside of it adds to a response. Extensions and trailers of requests are passed on and lost, respectively. Within another such layer it does
//! nothing.

mod body;
mod config;
mod execution;
mod future;
mod header;
mod layer;
mod problem;
mod record;
mod service;
mod settling;
mod tasks;
mod telemetry;
mod work;

use self::config::Config;
pub use self::{
    body::IdempotentBody,
    config::Retain,
    execution::Execution,
    future::IdempotencyFuture,
    header::{IdempotencyKey, IdempotencyKeyError, KeyForm},
    layer::IdempotencyLayer,
    service::IdempotencyService,
};
