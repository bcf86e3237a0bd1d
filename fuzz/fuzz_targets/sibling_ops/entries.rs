//! What a set consists of, from anywhere: it is a set, or it is refused.

use arbitrary::Arbitrary;
use surmise_clock::{DottedVersionVectorSet, EntriesError};

/// A replica, how many of its events have been seen, and how many of the last have their values.
pub(crate) type Entry = (u8, Counter, u8);

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Counter {
    Any(u64),
    Low(u8),
    High(u8),
}

pub(crate) fn check(entries: &[Entry]) {
    let entries = entries.iter().map(|&(replica, counter, values)| {
        (replica, u64::from(counter), (0..u32::from(values)).collect())
    });
    let entries: Vec<(u8, u64, Vec<u32>)> = entries.collect();
    let wrong = (0..entries.len()).find_map(|index| error_at(&entries, index));
    match DottedVersionVectorSet::try_from(entries.clone()) {
        Ok(set) => {
            assert_eq!(wrong, None);
            let own = set.entries().map(|(&replica, counter, values)| (replica, counter, values));
            let given =
                entries.iter().map(|(replica, counter, values)| (*replica, *counter, &values[..]));
            assert!(own.eq(given), "{set:?}");
        }
        Err(error) => assert_eq!(wrong, Some(error)),
    }
}

/// Returns what is wrong with an entry: its place, or else its counter, or else its values.
fn error_at(entries: &[(u8, u64, Vec<u32>)], index: usize) -> Option<EntriesError> {
    let (replica, counter, ref values) = entries[index];
    if index > 0 && entries[index - 1].0 >= replica {
        return Some(EntriesError::NotAscending { index });
    }
    if counter == 0 {
        return Some(EntriesError::NoEvents { index });
    }
    let values = values.len();
    (values as u64 > counter).then_some(EntriesError::TooManyValues { index, counter, values })
}

impl From<Counter> for u64 {
    fn from(counter: Counter) -> Self {
        match counter {
            Counter::Any(counter) => counter,
            Counter::Low(counter) => counter.into(),
            Counter::High(below) => Self::MAX - Self::from(below),
        }
    }
}
