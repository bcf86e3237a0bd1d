use core::time::Duration;

use surmise_time::Instant;

use crate::{buckets::Buckets, duration::nanos};

/// The outcomes of the last calls, by bucket.
#[derive(Clone, Debug)]
pub(super) struct Recent<const N: usize> {
    buckets: Buckets,
    answered: [u16; Buckets::COUNT],
    given_up: [u16; Buckets::COUNT],
    /// Which bucket the last calls were counted in, and whether they were given up.
    ring: [Entry; N],
    next: usize,
    length: usize,
}

#[derive(Clone, Copy, Debug)]
struct Entry(u16);

impl Entry {
    const GIVEN_UP: u16 = 1 << 15;

    const fn new(bucket: usize, given_up: bool) -> Self {
        // Lossless: there are fewer buckets than that.
        #[expect(clippy::cast_possible_truncation, reason = "there are 192 buckets")]
        let bucket = bucket as u16;
        Self(if given_up { bucket | Self::GIVEN_UP } else { bucket })
    }
}

impl<const N: usize> Recent<N> {
    pub(super) const fn new(buckets: Buckets) -> Self {
        const { assert!(N > 0 && N <= u16::MAX as usize, "a timeout goes by 1 to 65 535 calls") };
        Self {
            buckets,
            answered: [0; Buckets::COUNT],
            given_up: [0; Buckets::COUNT],
            ring: [Entry(0); N],
            next: 0,
            length: 0,
        }
    }

    /// Returns how many calls there are.
    pub(super) const fn len(&self) -> usize {
        self.length
    }

    /// Returns how many calls of each bucket were answered, and given up.
    pub(super) fn counts(&self) -> impl Iterator<Item = (u32, u32)> + Clone {
        let counts = self.answered.iter().zip(&self.given_up);
        counts.map(|(&answered, &given_up)| (answered.into(), given_up.into()))
    }

    /// Takes in an outcome, in place of the oldest if there is no room.
    pub(super) fn push(&mut self, nanos: u64, given_up: bool) {
        // Who was given up at the end of a bucket waited as long as all that is in it.
        let bucket = self.buckets.index(if given_up { nanos.saturating_sub(1) } else { nanos });
        let entry = Entry::new(bucket, given_up);
        let Some(slot) = self.ring.get_mut(self.next) else { return };
        let oldest = core::mem::replace(slot, entry);
        self.next = if self.next + 1 == N { 0 } else { self.next + 1 };
        if self.length == N {
            self.count(oldest, u16::MAX);
        } else {
            self.length += 1;
        }
        self.count(entry, 1);
    }

    /// Returns whether it says nothing that a call was given up after so long: when none was answered so soon.
    pub(super) fn is_no_news(&self, nanos: u64) -> bool {
        let bucket = self.buckets.index(nanos.saturating_sub(1));
        self.answered.iter().take(bucket + 1).all(|&answered| answered == 0)
    }

    /// Forgets the oldest calls.
    pub(super) fn forget(&mut self, calls: usize) {
        for _ in 0..calls.min(self.length) {
            let oldest = (self.next + N - self.length) % N;
            self.length -= 1;
            if let Some(&entry) = self.ring.get(oldest) {
                self.count(entry, u16::MAX);
            }
        }
    }

    /// Adds to a count; wraps around, so that the greatest number takes one off.
    fn count(&mut self, Entry(entry): Entry, by: u16) {
        let given_up = entry & Entry::GIVEN_UP != 0;
        let counts = if given_up { &mut self.given_up } else { &mut self.answered };
        if let Some(count) = counts.get_mut(usize::from(entry & !Entry::GIVEN_UP)) {
            *count = count.wrapping_add(by);
        }
    }
}

/// How many of the recent calls ended in each of the last eight stretches of time.
#[derive(Clone, Debug)]
pub(super) struct Slices {
    /// How long each is.
    length: u64,
    /// When the current one began, once that is known.
    began: Option<Instant>,
    /// How many calls ended in each, the current one last.
    calls: [u16; SLICES],
}

const SLICES: usize = 8;

impl Slices {
    pub(super) fn new(max_age: Duration) -> Self {
        Self { length: nanos(max_age) / SLICES as u64, began: None, calls: [0; SLICES] }
    }

    /// Counts a call, after the oldest was forgotten if `forgot`.
    pub(super) fn push(&mut self, forgot: bool) {
        if forgot && let Some(oldest) = self.calls.iter_mut().find(|calls| **calls > 0) {
            *oldest -= 1;
        }
        let [.., current] = &mut self.calls;
        *current += 1;
    }

    /// Moves on to the stretch that `now` is in, and returns how many calls are to be forgotten.
    pub(super) fn advance(&mut self, now: Instant) -> usize {
        let Some(began) = self.began else {
            self.began = Some(now);
            return 0;
        };
        let slices = nanos(now - began) / self.length;
        if slices == 0 {
            return 0;
        }
        self.began = Some(began + Duration::from_nanos(slices * self.length));
        let passed = usize::try_from(slices).unwrap_or(SLICES).min(SLICES);
        let forgotten = self.calls.iter().take(passed).map(|&calls| usize::from(calls)).sum();
        self.calls.rotate_left(passed);
        self.calls.iter_mut().rev().take(passed).for_each(|calls| *calls = 0);
        forgotten
    }
}
