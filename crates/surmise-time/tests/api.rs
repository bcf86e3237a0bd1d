//! What the types promise: the traits that users rely on.

use surmise_time::{CachedWallClock, Instant, ManualClock, ManualWallClock, WallTime};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Values {
    instant: Instant,
    wall_time: WallTime,
}

#[derive(Debug, Default)]
struct Clocks {
    _manual: ManualClock,
    _manual_wall: ManualWallClock,
}

#[test]
fn types_are_small_and_shareable() {
    fn shareable<T: Send + Sync + Unpin + 'static>() {}
    shareable::<Values>();
    shareable::<Clocks>();
    shareable::<CachedWallClock<ManualWallClock>>();
    assert_eq!(size_of::<Values>(), 16);
}

#[cfg(feature = "serde")]
#[test]
fn times_serialise_as_their_nanoseconds() {
    let json = serde_json::to_string(&Instant::from_nanos(12)).unwrap();
    assert_eq!(json, "12");
    assert_eq!(serde_json::from_str::<WallTime>("13").unwrap(), WallTime::from_nanos(13));
}
