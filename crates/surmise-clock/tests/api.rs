//! What the types promise: the traits and sizes that users rely on.

use surmise_clock::{
    BoundedVectorClock, CausalOrder, CeilingReached, CeilingTooHigh, DenseVectorClock, Dot,
    DriftExceeded, DurableHybridClock, HybridClock, HybridTimestamp, Jump, JumpMonitor,
    JumpStatistics, LamportClock, LamportOverflow, LamportTime, LamportTimestamp, OutOfRange,
    ParseTimestampError, Reservation, StampRefused, WallLogical,
    sync::{AtomicDurableHybridClock, AtomicHybridClock, AtomicLamportClock},
};

#[derive(Clone, Debug, PartialEq, Eq)]
struct Clocks {
    durable: DurableHybridClock,
    hybrid: HybridClock,
    jump_monitor: JumpMonitor,
    lamport: LamportClock,
}

#[derive(Debug)]
struct Shared {
    _durable: AtomicDurableHybridClock,
    _hybrid: AtomicHybridClock,
    _lamport: AtomicLamportClock,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Hash)]
struct Vectors {
    bounded: BoundedVectorClock<u64, 4>,
    dense: DenseVectorClock<4>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Stamps {
    dot: Dot<u64>,
    hybrid: HybridTimestamp,
    lamport: LamportTimestamp<u64>,
    lamport_time: LamportTime,
    wall_logical: WallLogical,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Outcomes {
    causal_order: CausalOrder,
    jump: Jump,
    jump_statistics: JumpStatistics,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Errors {
    ceiling_reached: CeilingReached,
    ceiling_too_high: CeilingTooHigh,
    drift_exceeded: DriftExceeded,
    lamport_overflow: LamportOverflow,
    out_of_range: OutOfRange,
    parse_timestamp: ParseTimestampError,
    stamp_refused: StampRefused,
}

#[test]
fn types_are_shareable() {
    fn shareable<T: Send + Sync + Unpin + 'static>() {}
    shareable::<Clocks>();
    shareable::<Shared>();
    shareable::<Vectors>();
    shareable::<Reservation>();
    shareable::<Stamps>();
    shareable::<Outcomes>();
    shareable::<Errors>();
}

#[cfg(feature = "alloc")]
#[test]
fn what_is_on_the_heap_is_shareable_too() {
    use surmise_clock::{
        Arrival, CausalBuffer, DottedVersionVectorSet, EntriesError, LearnError, PutError, Refusal,
        Refused, RetireError, Retirements, Stamped, Tombstone, VectorClock,
    };

    #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Hash)]
    struct Ordered(VectorClock<u64>);

    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    struct Values {
        arrival: Arrival,
        retirements: Retirements<u64>,
        siblings: DottedVersionVectorSet<u64, String>,
        stamped: Stamped<u64, String>,
        tombstone: Tombstone<u64>,
    }

    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Errors {
        entries: EntriesError,
        learn: LearnError<u64>,
        put: PutError<u64, String>,
        refusal: Refusal,
        refused: Refused<u64, String>,
        retire: RetireError<u64>,
    }

    fn shareable<T: Send + Sync + Unpin + 'static>() {}
    shareable::<Ordered>();
    shareable::<Values>();
    shareable::<Errors>();
    shareable::<CausalBuffer<u64, String>>();
    assert_eq!(size_of::<VectorClock<u64>>(), 152);
}

#[test]
fn errors_are_errors() {
    fn error<E: core::error::Error>() {}
    error::<CeilingReached>();
    error::<CeilingTooHigh>();
    error::<DriftExceeded>();
    error::<LamportOverflow>();
    error::<OutOfRange>();
    error::<ParseTimestampError>();
    error::<StampRefused>();
}

#[test]
fn stamps_take_no_more_than_they_must() {
    assert_eq!(size_of::<Option<HybridTimestamp>>(), 8);
    assert_eq!(size_of::<HybridClock>(), 16);
    assert_eq!(size_of::<Reservation>(), 16);
}

#[cfg(feature = "serde")]
#[test]
fn stamps_serialise_as_their_numbers() {
    let stamp = HybridTimestamp::from_nanos(12).expect("it is not zero");
    assert_eq!(serde_json::to_string(&stamp).ok().as_deref(), Some("12"));
    assert_eq!(serde_json::from_str("12").ok(), Some(stamp));
    assert!(serde_json::from_str::<HybridTimestamp>("0").is_err());

    let stamp = LamportTimestamp { time: LamportTime::new(4), node: "b" };
    assert_eq!(serde_json::to_string(&stamp).ok().as_deref(), Some(r#"{"time":4,"node":"b"}"#));

    let stamp = "7.0000000003".parse::<WallLogical>().expect("it is well formed");
    let json = r#""7.0000000003""#;
    assert_eq!(serde_json::to_string(&stamp).ok().as_deref(), Some(json));
    assert_eq!(serde_json::from_str(json).ok(), Some(stamp));
}
