//! What the types promise: the traits and sizes that users rely on.

use surmise_interval::{
    ClockError, ClockStatus, CommitWait, Drift, DriftTooLarge, Interval, IntervalClock,
    IntervalClockConfig, InvertedInterval, Sample, Synchronization,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Values {
    commit_wait: CommitWait,
    config: IntervalClockConfig,
    drift: Drift,
    interval: Interval,
    sample: Sample,
    status: ClockStatus,
    synchronization: Synchronization,
    clock_error: ClockError,
    drift_too_large: DriftTooLarge,
    inverted_interval: InvertedInterval,
}

#[derive(Clone, Debug)]
struct Clocks {
    _clock: IntervalClock,
}

#[test]
fn types_are_shareable_and_small() {
    fn shareable<T: Send + Sync + Unpin + 'static>() {}
    shareable::<Values>();
    shareable::<Clocks>();
    assert_eq!(size_of::<Interval>(), 16);
    assert_eq!(size_of::<Sample>(), 32);
}

#[test]
fn errors_are_errors() {
    fn error<E: core::error::Error>() {}
    error::<ClockError>();
    error::<DriftTooLarge>();
    error::<InvertedInterval>();
}

#[cfg(feature = "std")]
#[test]
fn what_threads_share_is_shareable() {
    fn shareable<T: Send + Sync + 'static>() {}
    shareable::<surmise_interval::sync::SharedIntervalClock>();
    shareable::<surmise_interval::source::SourceError>();
    shareable::<surmise_interval::sampler::Background>();
}

#[cfg(feature = "serde")]
#[test]
fn intervals_and_drifts_are_checked_when_read() {
    let json = r#"{"earliest":3,"latest":5}"#;
    let interval: Interval = serde_json::from_str(json).expect("it begins before it ends");
    assert_eq!(serde_json::to_string(&interval).ok().as_deref(), Some(json));
    assert!(serde_json::from_str::<Interval>(r#"{"earliest":6,"latest":5}"#).is_err());
    assert_eq!(serde_json::from_str::<Drift>("200000").ok(), Some(Drift::SPANNER));
    assert_eq!(serde_json::to_string(&Drift::SPANNER).ok().as_deref(), Some("200000"));
    assert!(serde_json::from_str::<Drift>("100000001").is_err());
}
