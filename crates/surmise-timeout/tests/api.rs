//! What the types promise: the traits and sizes that users rely on.

use surmise_timeout::{
    AdaptiveTimeout, AdaptiveTimeoutConfig, AdaptiveTimeoutError, BudgetExhausted, Hedge,
    HedgeCounters, HedgeOutcome, Outcome, Quantile, QuantileError, Ratio, RetryBudget,
    RetryBudgetConfig, RetryBudgetError, RetryThrottle, RetryThrottleConfig, RetryThrottleError,
    backoff::{Backoff, BackoffConfig, BackoffError, Jitter, Retries},
    rtt::{QuicRtt, QuicRttConfig, RttConfig, RttError, RttEstimator},
    textbook::{P99AndDeviation, TwiceP99},
    window::{BucketedWindow, ExactWindow, Interpolated},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Values {
    adaptive: AdaptiveTimeoutConfig,
    backoff: BackoffConfig,
    budget: RetryBudgetConfig,
    counters: HedgeCounters,
    hedge_outcome: HedgeOutcome,
    interpolated: Interpolated,
    jitter: Jitter,
    outcome: Outcome,
    quantile: Quantile,
    quic: QuicRttConfig,
    ratio: Ratio,
    rtt: RttConfig,
    throttle: RetryThrottleConfig,
}

#[derive(Clone, Debug)]
struct Estimators {
    _adaptive: AdaptiveTimeout,
    _backoff: Backoff,
    _bucketed: BucketedWindow<100>,
    _budget: RetryBudget,
    _deviation: P99AndDeviation,
    _exact: ExactWindow<100>,
    _hedge: Hedge,
    _quic: QuicRtt,
    _retries: Retries,
    _rtt: RttEstimator,
    _throttle: RetryThrottle,
    _twice: TwiceP99,
}

#[test]
fn types_are_shareable_and_small() {
    fn shareable<T: Send + Sync + Unpin + 'static>() {}
    shareable::<Values>();
    shareable::<Estimators>();
    assert!(size_of::<AdaptiveTimeout>() <= 3072);
    assert!(size_of::<BucketedWindow<1000>>() <= 3072);
    assert_eq!([size_of::<Quantile>(), size_of::<Ratio>()], [4, 4]);
}

#[test]
fn errors_are_errors() {
    fn error<E: core::error::Error + Copy + PartialEq>() {}
    error::<AdaptiveTimeoutError>();
    error::<BackoffError>();
    error::<BudgetExhausted>();
    error::<QuantileError>();
    error::<RetryBudgetError>();
    error::<RetryThrottleError>();
    error::<RttError>();
}

#[cfg(feature = "std")]
#[test]
fn what_threads_share_is_shareable_and_small() {
    use surmise_timeout::sync::{
        AtomicRetryBudget, AtomicRetryThrottle, SharedAdaptiveTimeout, SharedDestinations,
        SharedHedge,
    };

    fn shareable<T: Send + Sync + 'static>() {}
    shareable::<AtomicRetryBudget>();
    shareable::<AtomicRetryThrottle>();
    shareable::<SharedDestinations<u32, SharedAdaptiveTimeout>>();
    shareable::<SharedHedge>();
    assert!(size_of::<SharedAdaptiveTimeout>() <= 3072);
}

#[cfg(feature = "serde")]
#[test]
fn configurations_are_read_as_they_are_written_and_quantiles_are_checked() {
    use core::time::Duration;

    let [floor, ceiling] = [1, 1000].map(Duration::from_millis);
    let config = AdaptiveTimeoutConfig::of(Quantile::P99, floor, ceiling);
    let json = serde_json::to_string(&config).expect("it is a plain value");
    assert_eq!(serde_json::from_str::<AdaptiveTimeoutConfig>(&json).ok(), Some(config));
    let unknown = json.replacen('{', r#"{"unknown":1,"#, 1);
    assert!(serde_json::from_str::<AdaptiveTimeoutConfig>(&unknown).is_err());
    let json = serde_json::to_string(&BackoffConfig::grpc()).expect("it is a plain value");
    assert_eq!(serde_json::from_str::<BackoffConfig>(&json).ok(), Some(BackoffConfig::grpc()));
    assert_eq!(serde_json::from_str::<Quantile>("990000").ok(), Some(Quantile::P99));
    assert!(serde_json::from_str::<Quantile>("1000000").is_err());
}
