//! Tombstones that nobody need have left, and clocks that nobody need have had.

use arbitrary::Arbitrary;
use surmise_clock::{Dot, LearnError, Retirements, Tombstone, VectorClock};

#[derive(Arbitrary, Debug)]
pub(crate) struct Forged {
    tombstones: Vec<AnyTombstone>,
    clock: Vec<(u8, Counter)>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
struct AnyTombstone {
    by: (u8, Counter),
    replica: u8,
    last: Counter,
}

/// Mostly a low one: tombstones are to meet the same events.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Counter {
    Any(u64),
    Low(u8),
    Lowest(bool),
}

impl Forged {
    pub(crate) fn check(&self) {
        let mut retirements = Retirements::new();
        for &tombstone in &self.tombstones {
            learn(&mut retirements, tombstone.into());
        }
        let entries = self.clock.iter().map(|&(replica, counter)| (replica % 8, counter.into()));
        check_laws(&retirements, &entries.collect());
    }
}

fn learn(retirements: &mut Retirements<u8>, tombstone: Tombstone<u8>) {
    let before = retirements.clone();
    let known = before.iter().find(|known| known.by == tombstone.by);
    match retirements.learn(tombstone) {
        Ok(is_news) => {
            assert_eq!(is_news, known.is_none());
            assert_eq!(retirements.len(), before.len() + usize::from(is_news));
            assert!(retirements.iter().any(|known| *known == tombstone));
        }
        Err(LearnError::Conflict { known: conflicting, learned }) => {
            assert!(learned == tombstone && known == Some(&conflicting) && conflicting != learned);
            assert_eq!(*retirements, before);
        }
        Err(LearnError::Circular { learned }) => {
            assert_eq!((learned, &*retirements), (tombstone, &before));
            assert!(known.is_none());
        }
        Err(error) => panic!("{error}"),
    }
    let order = |earlier: &&Tombstone<u8>, later: &&Tombstone<u8>| earlier.by < later.by;
    assert!(retirements.iter().is_sorted_by(order), "{retirements:?}");
}

/// Checks that to compact and to restore undo each other, and do nothing twice.
fn check_laws(retirements: &Retirements<u8>, clock: &VectorClock<u8>) {
    let restored = |clock: &VectorClock<u8>| {
        let mut clock = clock.clone();
        retirements.restore(&mut clock);
        clock
    };
    let compacted = |clock: &VectorClock<u8>| {
        let mut clock = clock.clone();
        retirements.compact(&mut clock);
        clock
    };
    let (long, short) = (restored(clock), compacted(clock));
    assert!(long >= *clock, "{clock:?} becomes {long:?}");
    assert_eq!(restored(&long), long);
    assert_eq!(compacted(&short), short);
    assert_eq!(restored(&short), long);
    assert_eq!(compacted(&long), short);
}

impl From<AnyTombstone> for Tombstone<u8> {
    fn from(any: AnyTombstone) -> Self {
        let (by, counter) = any.by;
        let by = Dot { replica: by % 8, counter: counter.into() };
        Self { by, replica: any.replica % 8, last: any.last.into() }
    }
}

impl From<Counter> for u64 {
    fn from(counter: Counter) -> Self {
        match counter {
            Counter::Any(counter) => counter,
            Counter::Low(counter) => counter.into(),
            Counter::Lowest(counter) => counter.into(),
        }
    }
}
