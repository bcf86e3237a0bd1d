//! Any text as the JSON of each value that serde reads.

use core::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};
use surmise_clock::{
    BoundedVectorClock, CausalOrder, DenseVectorClock, Dot, DottedVersionVectorSet,
    HybridTimestamp, Jump, JumpStatistics, LamportTime, LamportTimestamp, Retirements, Stamped,
    Tombstone, VectorClock, WallLogical,
};

pub(crate) fn read(text: &str) {
    round_trip::<HybridTimestamp>(text);
    round_trip::<WallLogical>(text);
    round_trip::<LamportTime>(text);
    round_trip::<LamportTimestamp<String>>(text);
    round_trip::<Jump>(text);
    round_trip::<JumpStatistics>(text);
    round_trip::<CausalOrder>(text);
    round_trip::<Dot<u8>>(text);
    round_trip::<Tombstone<String>>(text);
    round_trip::<DenseVectorClock<2>>(text);
    if let Some(clock) = round_trip::<VectorClock<String, 2>>(text) {
        check_entries(clock.iter());
    }
    if let Some(clock) = round_trip::<BoundedVectorClock<u8, 3>>(text) {
        assert!(clock.len() <= 3);
        check_entries(clock.iter());
    }
    if let Some(Stamped { clock, .. }) = round_trip::<Stamped<u8, String>>(text) {
        check_entries(clock.iter());
    }
    if let Some(set) = round_trip::<DottedVersionVectorSet<u8, String>>(text) {
        check_entries(set.context().iter());
        let has_events =
            |(_, counter, values): (&u8, u64, &[String])| values.len() as u64 <= counter;
        assert!(set.entries().all(has_events), "{set:?}");
    }
    if let Some(retirements) = round_trip::<Retirements<u8>>(text) {
        check_tombstones(&retirements);
    }
}

/// Reads a value, and checks that it is the same after it is written and read again.
fn round_trip<T: Debug + DeserializeOwned + PartialEq + Serialize>(text: &str) -> Option<T> {
    let value: T = serde_json::from_str(text).ok()?;
    let written = serde_json::to_string(&value).expect("it is made of numbers and texts");
    let again: T = serde_json::from_str(&written).expect("what was written can be read");
    assert_eq!(again, value, "{written}");
    Some(value)
}

fn check_entries<'a, Id: Debug + Ord + 'a>(entries: impl Iterator<Item = (&'a Id, u64)>) {
    let entries: Vec<_> = entries.collect();
    assert!(entries.is_sorted_by(|(earlier, _), (later, _)| earlier < later), "{entries:?}");
    assert!(entries.iter().all(|&(_, counter)| counter > 0), "{entries:?}");
}

/// Checks that no tombstone contradicts the others, in whichever order they are learned.
fn check_tombstones(retirements: &Retirements<u8>) {
    let mut backwards = Retirements::new();
    let tombstones: Vec<_> = retirements.iter().collect();
    for &&tombstone in tombstones.iter().rev() {
        assert_eq!(backwards.learn(tombstone), Ok(true), "{retirements:?}");
    }
    assert_eq!(backwards, *retirements);
}
