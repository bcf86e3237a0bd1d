//! What the types promise: the traits that users rely on.

use core::{convert::Infallible, future::Ready};

use surmise_tower::{
    AdaptiveTimeoutBuilder, AdaptiveTimeoutLayer, AdaptiveTimeoutService, DefaultPolicy, Elapsed,
    HedgeLayer, HedgeService, Judgement, Limit, RetryLayer, RetryService,
    future::{AdaptiveTimeoutFuture, HedgeFuture, RetryFuture},
};
use tower::util::ServiceFn;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Values {
    elapsed: Elapsed,
    limit: Limit,
    judgement: Judgement,
    policy: DefaultPolicy,
}

#[derive(Clone, Debug)]
struct Layers {
    _builder: AdaptiveTimeoutBuilder,
    _timeout: AdaptiveTimeoutLayer,
    _retry: RetryLayer<DefaultPolicy>,
    _hedge: HedgeLayer<DefaultPolicy>,
}

#[derive(Clone, Debug)]
struct Services {
    _timeout: AdaptiveTimeoutService<u8>,
    _retry: RetryService<u8, DefaultPolicy>,
    _hedge: HedgeService<u8, DefaultPolicy>,
}

type Answer = Ready<Result<u8, Infallible>>;
type Inner = ServiceFn<fn(u8) -> Answer>;

#[derive(Debug)]
struct Futures {
    _timeout: AdaptiveTimeoutFuture<Answer, DefaultPolicy, u8>,
    _retry: RetryFuture<Inner, DefaultPolicy, u8>,
    _hedge: HedgeFuture<Inner, DefaultPolicy, u8>,
}

#[test]
fn types_are_shareable() {
    fn shareable<T: Send + Sync + Unpin + 'static>() {}
    shareable::<Values>();
    shareable::<Layers>();
    shareable::<Services>();
    // A timer is not `Unpin`.
    fn sendable<T: Send + Sync + 'static>() {}
    sendable::<Futures>();
}

#[test]
fn errors_are_errors() {
    fn error<E: core::error::Error>() {}
    error::<Elapsed>();
}
