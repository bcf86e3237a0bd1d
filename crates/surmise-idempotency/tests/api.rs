//! What the types promise: the traits and sizes that users rely on.

use surmise_idempotency::{
    Begin, CacheConfig, CacheConfigError, CacheStats, Fenced, Fingerprint, IdempotencyCache, Keep,
    Ticket, WhenFull,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Values {
    config: CacheConfig,
    fenced: Fenced<u32>,
    fingerprint: Fingerprint,
    keep: Keep,
    stats: CacheStats,
    when_full: WhenFull,
}

#[derive(Debug, PartialEq, Eq)]
struct Unique {
    begin: Begin<u32, u32>,
    ticket: Ticket<u32>,
}

#[test]
fn types_are_shareable_and_small() {
    fn shareable<T: Send + Sync + Unpin + core::fmt::Debug + 'static>() {}
    shareable::<Values>();
    shareable::<Unique>();
    shareable::<IdempotencyCache<u32, u32, u32>>();
    assert_eq!([size_of::<Fingerprint>(), align_of::<Fingerprint>()], [16, 1]);
    assert!(size_of::<Begin<u64>>() <= 40);
}

#[test]
fn errors_are_errors() {
    fn error<E: core::error::Error + Clone + PartialEq>() {}
    error::<CacheConfigError>();
    error::<Fenced>();
    error::<Fenced<u32>>();
}

#[cfg(feature = "serde")]
#[test]
fn configurations_are_read_as_they_are_written() {
    let config = CacheConfig { when_full: WhenFull::EvictOldest, ..CacheConfig::default() };
    let json = serde_json::to_string(&config).expect("it is a plain value");
    assert_eq!(serde_json::from_str::<CacheConfig>(&json).ok(), Some(config));
    assert_eq!(serde_json::from_str("{}").ok(), Some(CacheConfig::default()));
    assert!(serde_json::from_str::<CacheConfig>(r#"{"unknown":1}"#).is_err());
    assert!(serde_json::from_str::<CacheConfig>(r#"{"capacity":0}"#).is_err());
}
