//! What the types promise: the traits and sizes that users rely on.

use surmise_idempotency::{
    Acceptance, Admission, Begin, CacheConfig, CacheConfigError, CacheStats, Fenced, Fingerprint,
    FingerprintKey, IdempotencyCache, Keep, Key, KeyBytesError, KeyError, KeyPart, ProducerWindow,
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
    shareable::<FingerprintKey>();
    shareable::<(Key, KeyPart)>();
    shareable::<ProducerWindow<u32>>();
    shareable::<(Admission<'static, u32>, Acceptance<'static, u32>)>();
    assert_eq!([size_of::<Fingerprint>(), align_of::<Fingerprint>()], [16, 1]);
    assert!(size_of::<Begin<u64>>() <= 40);
}

#[test]
fn errors_are_errors() {
    fn error<E: core::error::Error + Clone + PartialEq>() {}
    error::<CacheConfigError>();
    error::<Fenced>();
    error::<Fenced<u32>>();
    error::<KeyError>();
    error::<KeyBytesError>();
}

#[cfg(feature = "std")]
#[test]
fn what_threads_share_is_shareable_and_futures_can_be_spawned() {
    use surmise_idempotency::sync::{
        ExecuteError, Execution, Finished, IdempotencyCache, Recovery,
    };
    use surmise_time::ManualClock;

    fn shareable<T: Send + Sync + Unpin + core::fmt::Debug>(value: T) -> T {
        value
    }
    fn spawnable<T: Send>(future: T) -> T {
        future
    }
    fn comparable_error<E: core::error::Error + Eq + Send + Sync + 'static>() {}

    type Error = ExecuteError<u32, u32, u32>;
    comparable_error::<Error>();
    let _: fn(Recovery<u32, u32, u32>) -> _ = shareable;
    let _: fn(Finished<u32>) -> _ = shareable;
    let _: fn(Execution<'static, u32, u32, ManualClock, u32>) -> _ = shareable;
    let cache = IdempotencyCache::<u32, u32, _, u32>::with_checkpoints(
        CacheConfig::default(),
        ManualClock::default(),
    );
    let cache = shareable(cache.expect("it is a cache"));
    let timer = |_| core::future::pending();
    drop(spawnable(cache.execute_async(&1, Fingerprint::NONE, async || 2)));
    drop(spawnable(cache.execute_async_with(timer, &1, Fingerprint::NONE, async |execution| {
        execution.renew().map_or(3, |()| 4)
    })));
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
