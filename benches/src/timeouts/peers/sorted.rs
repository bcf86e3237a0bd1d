use core::time::Duration;

use surmise_timeout::Quantile;

use crate::{
    Origin,
    timeouts::{Call, Contender, WINDOW},
};

/// A percentile as one writes it down: the last so many values, which every query sorts.
///
/// The place that it sorts them in is kept, so that it does not allocate.
#[derive(Clone, Debug)]
pub struct Sorted {
    recent: Vec<u64>,
    next: usize,
    sorted: Vec<u64>,
}

impl Sorted {
    /// Creates an empty window.
    #[must_use]
    pub fn new() -> Self {
        let [recent, sorted] = [(); 2].map(|()| Vec::with_capacity(WINDOW));
        Self { recent, next: 0, sorted }
    }
}

impl Default for Sorted {
    fn default() -> Self {
        Self::new()
    }
}

impl Contender for Sorted {
    const ORIGIN: Origin = Origin::Peer;

    /// It takes long.
    const BATCH: u32 = 100;

    type Input = u64;

    type Reading = Option<u64>;

    fn input(call: Call) -> u64 {
        u64::try_from(call.took.as_nanos()).unwrap_or(u64::MAX)
    }

    #[inline]
    fn record(&mut self, nanos: u64) {
        if let Some(oldest) = self.recent.get_mut(self.next) {
            *oldest = nanos;
        } else {
            self.recent.push(nanos);
        }
        self.next = (self.next + 1) % WINDOW;
    }

    #[inline]
    fn read(&mut self) -> Option<u64> {
        self.sorted.clone_from(&self.recent);
        self.sorted.sort_unstable();
        let place = Quantile::P99.rank(self.sorted.len()).checked_sub(1)?;
        self.sorted.get(place).copied()
    }

    fn duration(reading: Option<u64>) -> Duration {
        Duration::from_nanos(reading.unwrap_or_default())
    }
}
