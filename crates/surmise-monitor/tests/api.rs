//! What the types promise: the traits and sizes that users rely on.

use surmise_detector::{ExponentiallyWeighted, FixedTimeout, PhiAccrual};
use surmise_monitor::{
    CorrelatedExpiry, Event, Grace, Heartbeat, Ignored, LocalHealth, Monitor, MonitorConfig,
    MonitorConfigError, NotWatched, PeerState, PeerStatus, Poll, SuspicionReason, TrustReason,
    WatchRefusal,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Values {
    config: MonitorConfig,
    correlated_expiry: CorrelatedExpiry,
    grace: Grace,
    heartbeat: Heartbeat<u64>,
    state: PeerState,
    status: PeerStatus,
    suspicion_reason: SuspicionReason,
    trust_reason: TrustReason,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Records {
    event: Event<String>,
    health: LocalHealth,
}

#[test]
fn types_are_shareable() {
    fn shareable<T: Send + Sync + Unpin + core::fmt::Debug>() {}
    shareable::<Values>();
    shareable::<Records>();
    shareable::<Monitor<String, FixedTimeout>>();
    shareable::<Monitor<u64, PhiAccrual<ExponentiallyWeighted>>>();
    shareable::<Poll<'_, String>>();
}

#[test]
fn errors_are_errors() {
    fn error<E: core::error::Error + Clone + PartialEq>() {}
    error::<Ignored>();
    error::<MonitorConfigError>();
    error::<NotWatched<u64, u64>>();
    error::<WatchRefusal>();
}

#[cfg(feature = "std")]
#[test]
fn what_threads_share_is_shareable() {
    use surmise_monitor::sync::{Driver, Monitor, PeerHandle, Poll};

    fn shareable<T: Send + Sync + Unpin + core::fmt::Debug>() {}
    shareable::<Driver>();
    shareable::<Monitor<String, FixedTimeout>>();
    shareable::<Poll<'static, String, FixedTimeout>>();
    shareable::<PeerHandle>();
    // Detectors need not be shareable themselves.
    shareable::<Monitor<core::cell::Cell<u8>, Box<dyn surmise_detector::FailureDetector + Send>>>();
}

#[cfg(feature = "serde")]
#[test]
fn configurations_are_read_as_they_are_written() {
    let config = MonitorConfig { max_peers: 7, grace: None, ..MonitorConfig::default() };
    let json = serde_json::to_string(&config).expect("it is a plain value");
    assert_eq!(serde_json::from_str::<MonitorConfig>(&json).ok(), Some(config));
    assert_eq!(serde_json::from_str("{}").ok(), Some(MonitorConfig::default()));
    assert!(serde_json::from_str::<MonitorConfig>(r#"{"unknown":1}"#).is_err());
    assert!(serde_json::from_str::<Grace>("{}").is_err());
}
