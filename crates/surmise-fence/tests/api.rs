//! What the types promise: the traits and sizes that users rely on.

use surmise_fence::{
    DriftAllowance, Fence, FencingToken, Grant, LeaseExpired, LeaseGuard, OtherToken,
    ParseTokenError, Pass, Refusal, RenewSchedule, Renewal, StaleToken, StrictFence,
    TokensExhausted, ZeroSpacing, ZeroToken,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Values {
    drift: DriftAllowance,
    grant: Grant,
    guard: LeaseGuard,
    pass: Pass,
    renewal: Renewal,
    schedule: RenewSchedule,
    token: FencingToken,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Fences {
    fence: Fence,
    strict: StrictFence,
}

#[test]
fn types_are_shareable_and_small() {
    fn shareable<T: Send + Sync + Unpin + 'static>() {}
    shareable::<Values>();
    shareable::<Fences>();
    assert_eq!([size_of::<FencingToken>(), size_of::<Pass>()], [16, 32]);
    assert!(size_of::<LeaseGuard>() <= 40 && size_of::<RenewSchedule>() <= 40);
    fn ordered<T: Ord + core::hash::Hash>() {}
    ordered::<FencingToken>();
    ordered::<DriftAllowance>();
}

#[test]
fn errors_are_errors() {
    fn error<E: core::error::Error + Copy + PartialEq>() {}
    error::<LeaseExpired>();
    error::<OtherToken>();
    error::<ParseTokenError>();
    error::<Refusal>();
    error::<StaleToken>();
    error::<TokensExhausted>();
    error::<ZeroSpacing>();
    error::<ZeroToken>();
}

#[cfg(feature = "alloc")]
#[test]
fn tables_are_shareable_and_their_errors_are_errors() {
    use surmise_fence::{
        AcquireError, EndedLease, EpochNotHigher, FencedMap, Holding, LeaseTable, LeaseTableConfig,
        LeaseTableError, Refused, ReleaseError, RenewError, RestoreError, TokenBlock,
        TokenBlockError, WriteRefusal,
    };

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct TableValues {
        block: TokenBlock,
        config: LeaseTableConfig,
        ended: EndedLease<u32>,
        holding: Holding,
    }

    fn shareable<T: Send + Sync + Unpin + Clone + core::fmt::Debug + 'static>() {}
    shareable::<FencedMap<u32, u32>>();
    shareable::<LeaseTable<u32>>();
    shareable::<TableValues>();

    fn error<E: core::error::Error + Copy + PartialEq>() {}
    error::<AcquireError>();
    error::<EpochNotHigher>();
    error::<LeaseTableError>();
    error::<ReleaseError>();
    error::<RenewError>();
    error::<RestoreError>();
    error::<TokenBlockError>();
    error::<WriteRefusal>();
    fn refusal<E: core::error::Error>() {}
    refusal::<Refused<u32, u32>>();
}

#[cfg(feature = "std")]
#[test]
fn what_threads_share_is_shareable() {
    use surmise_fence::sync::{AtomicFence, FencedMap};

    fn shareable<T: Send + Sync + 'static>() {}
    shareable::<AtomicFence>();
    shareable::<FencedMap<u32, u32>>();
}

#[cfg(all(feature = "alloc", feature = "serde"))]
#[test]
fn configurations_are_read_as_they_are_written() {
    use core::time::Duration;

    use surmise_fence::LeaseTableConfig;

    let config = LeaseTableConfig {
        epoch: 1,
        max_ttl: Duration::from_secs(60),
        lock_delay: Duration::from_secs(1),
        max_leases: 1_000,
    };
    let json = serde_json::to_string(&config).expect("it is a plain value");
    assert_eq!(serde_json::from_str::<LeaseTableConfig>(&json).ok(), Some(config));
    let unknown = json.replacen('{', r#"{"unknown":1,"#, 1);
    assert!(serde_json::from_str::<LeaseTableConfig>(&unknown).is_err());
    assert_eq!(serde_json::from_str("1000").ok(), Some(DriftAllowance::default()));
}
