use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::{
    fmt,
    hash::{BuildHasher, Hash},
    num::NonZeroUsize,
};

use crossbeam_utils::CachePadded;
use hashbrown::DefaultHashBuilder;
use surmise_detector::{AccrualDetector, Beat, FailureDetector, Verdict};
use surmise_time::Instant;

use super::{
    bell::Bell,
    handle::PeerHandle,
    loom::{AtomicUsize, Mutex, Ordering},
    poller::{Poller, Shards},
    pulse::Pulse,
    shard::Shard,
};
use crate::{Event, Ignored, MonitorConfig, MonitorConfigError, NotWatched, PeerStatus};

/// A [`Monitor`](crate::Monitor) that many threads share: those that receive heartbeats, one that polls, and those that
/// ask.
///
/// Its peers are divided among shards by their keys, each behind a lock that is held for one operation. One thread at a
/// time [polls](Self::poll), be it the caller's or that of a [`Driver`](super::Driver).
///
/// # What is different
///
/// **Only polls tell that the observer is awake.** In the other form any call does. Here a stall is a pause of more than
/// [`max_poll_gap`](MonitorConfig::max_poll_gap) between two polls, whatever other threads did meanwhile: while it
/// lasts no time passes, and the heartbeats that arrive are taken for signs of life from which nothing is learned. They
/// count as having come `max_poll_gap` after the latest poll, and so a peer that is heard of before the poll that ends the stall
/// is trusted for up to `max_poll_gap` longer once, which `silent_for` does not tell.
/// Only the first peer, before which nobody was watched, needs no poll.
///
/// Events of one peer come in their order, and what polls find comes in the order in which it became due. A heartbeat that
/// comes while a poll is under way counts, if the poll has not come to its peer.
///
/// # Cost
///
/// A heartbeat takes the lock of its peer's shard, and writes to nothing else that other shards' heartbeats or
/// verdicts read. It waits for heartbeats of other peers of the shard, and for a poll only as long as it does one
/// thing in the shard. A poll takes the lock of each shard once, and once more for each thing that is due. So does
/// [`deadline`](Self::deadline), once. To ask for a peer takes the lock of its shard; a [`PeerHandle`]'s verdict takes
/// none.
///
/// Besides what the other form takes, a shard takes 4 KiB, a peer with a handle 264 bytes.
///
/// # Panics in keys and detectors
///
/// The `Hash`, `Eq`, `Clone` and `Drop` of keys and the methods of detectors run under a lock, and must not use the monitor. If
/// one of them panics, no lock stays taken, but others may never be looked at again, or calls for them panic: make a new
/// monitor.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_detector::{FixedTimeout, Verdict};
/// use surmise_monitor::{Event, MonitorConfig, sync::Monitor};
/// use surmise_time::Instant;
///
/// let monitor = Monitor::new(MonitorConfig::default())?;
/// let start = Instant::ORIGIN;
/// for node in 0..10_u64 {
///     monitor.watch(node, FixedTimeout::new(Duration::from_secs(3))?, start)?;
/// }
/// std::thread::scope(|scope| {
///     for thread in 0..2 {
///         let monitor = &monitor;
///         scope.spawn(move || {
///             for node in (0..10).filter(|node| node % 2 == thread) {
///                 monitor.heartbeat(&node, 1, 1, start).expect("it is watched");
///             }
///         });
///     }
/// });
/// let events = monitor.poll(start);
/// assert_eq!(events.filter(|event| matches!(event, Event::Trusted { .. })).count(), 10);
///
/// let node = monitor.handle(&7).expect("it is watched");
/// assert_eq!(node.verdict(start), Verdict::Trust);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct Monitor<K, D> {
    shards: Box<Shards<K, D>>,
    hasher: DefaultHashBuilder,
    config: MonitorConfig,
    pulse: Arc<CachePadded<Pulse>>,
    poller: CachePadded<Mutex<Poller<K>>>,
    watched: CachePadded<AtomicUsize>,
    /// Rings when the deadline may have become earlier, for whoever sleeps until then.
    bell: Bell,
}

/// More than threads are likely to meet in, and in a model enough to tell shards apart.
const SHARDS: NonZeroUsize = if cfg!(loom) {
    NonZeroUsize::MIN.saturating_add(1)
} else {
    NonZeroUsize::MIN.saturating_add(15)
};

impl<K: Clone + Eq + Hash, D: FailureDetector> Monitor<K, D> {
    /// Creates a monitor that watches nobody, with 16 shards.
    ///
    /// # Errors
    ///
    /// If a part of the configuration is beyond its range.
    pub fn new(config: MonitorConfig) -> Result<Self, MonitorConfigError> {
        Self::with_capacity(config, 0)
    }

    /// Creates a monitor that watches nobody, with 16 shards and memory for so many peers, or for `max_peers` if these are
    /// fewer, and some more, as no shard has exactly its part.
    ///
    /// # Errors
    ///
    /// If a part of the configuration is beyond its range.
    pub fn with_capacity(
        config: MonitorConfig,
        capacity: usize,
    ) -> Result<Self, MonitorConfigError> {
        Self::with_shards(config, capacity, SHARDS)
    }

    /// Creates a monitor that watches nobody, with memory for so many peers and with so many shards.
    ///
    /// With more shards fewer heartbeats wait for each other, and each poll takes more locks. A few for each thread
    /// that receives heartbeats are enough.
    ///
    /// # Errors
    ///
    /// If a part of the configuration is beyond its range.
    pub fn with_shards(
        config: MonitorConfig,
        capacity: usize,
        shards: NonZeroUsize,
    ) -> Result<Self, MonitorConfigError> {
        let config = config.checked()?;
        let part = part(capacity.min(config.max_peers), shards);
        let shard = |_| CachePadded::new(Mutex::new(Shard::new(config, part)));
        Ok(Self {
            shards: (0..shards.get()).map(shard).collect(),
            hasher: DefaultHashBuilder::default(),
            config,
            pulse: Arc::new(CachePadded::new(Pulse::new(config.max_poll_gap))),
            poller: CachePadded::new(Mutex::new(Poller::new(&config))),
            watched: CachePadded::new(AtomicUsize::new(0)),
            bell: Bell::new(),
        })
    }

    /// Begins to watch a peer from `now` on, with a detector that has seen no heartbeat yet.
    ///
    /// If nobody is watched, it waits for a poll that is under way.
    ///
    /// # Errors
    ///
    /// If the peer is watched already, or there are too many. The error hands both back.
    pub fn watch(&self, peer: K, detector: D, now: Instant) -> Result<(), NotWatched<K, D>> {
        if self.is_empty() {
            // Nobody had to poll until now.
            self.poller.lock().begin(&self.shards, &self.pulse, now);
        }
        let has_room = || {
            let more = |watched| (watched < self.config.max_peers).then_some(watched + 1);
            self.watched.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok()
        };
        self.with(self.shard_of(&peer), |shard| shard.watch(peer, detector, now, has_room))
    }

    /// Ceases to watch a peer, and returns its detector if it was watched.
    ///
    /// What is not told of it yet is never told. Its handles say [`Unknown`](Verdict::Unknown) from then on. It waits for a
    /// poll that is under way, and looks through all events that are not told: whoever unwatches many should take these first.
    pub fn unwatch(&self, peer: &K) -> Option<D> {
        // Held until the peer's events are gone, lest it is watched anew before, and heard of.
        let mut poller = self.poller.lock();
        let (slot, detector) = self.with(self.shard_of(peer), |shard| shard.unwatch(peer))?;
        poller.guards.correlation.forget((self.number_of_shard(peer), slot));
        poller.events.retain(|event| event.peer() != Some(peer));
        drop(poller);
        self.watched.fetch_sub(1, Ordering::AcqRel);
        Some(detector)
    }

    /// Takes in a heartbeat that arrived at `now`, as [`Monitor::heartbeat`](crate::Monitor::heartbeat).
    ///
    /// Read the clock before the call: the wait for the lock is no delay of the peer's.
    ///
    /// # Errors
    ///
    /// If the peer is not watched, or the heartbeat is of a former incarnation.
    #[inline]
    pub fn heartbeat(
        &self,
        peer: &K,
        incarnation: u64,
        sequence: u64,
        now: Instant,
    ) -> Result<Beat, Ignored> {
        self.with(self.shard_of(peer), |shard| shard.heartbeat(peer, incarnation, sequence, now))
    }

    /// Takes in that others heard of a peer in a higher incarnation, as [`Monitor::refute`](crate::Monitor::refute).
    ///
    /// # Errors
    ///
    /// If the peer is not watched, or the incarnation is not higher than the latest: then it is no news.
    pub fn refute(&self, peer: &K, incarnation: u64, now: Instant) -> Result<(), Ignored> {
        self.with(self.shard_of(peer), |shard| shard.refute(peer, incarnation, now))
    }

    /// Takes in that another observer suspects a peer, as [`Monitor::confirm`](crate::Monitor::confirm). It needs no
    /// time, as it does not tell that this observer is awake.
    ///
    /// # Errors
    ///
    /// If the peer is not watched, or the incarnation is a former one.
    pub fn confirm(&self, peer: &K, incarnation: u64, observer: K) -> Result<bool, Ignored> {
        self.with(self.shard_of(peer), |shard| shard.confirm(peer, incarnation, observer))
    }

    /// Looks at what is due at `now`, and returns what was found out since the last time.
    ///
    /// What is not taken from the iterator comes first the next time. Where the clock steps back, no time passes. If
    /// several threads poll, one waits for the other, and each event is told to one of them.
    #[must_use = "what is not looked at comes the next time"]
    pub fn poll(&self, now: Instant) -> Poll<'_, K, D> {
        let is_anybody_watched = !self.is_empty();
        self.poller.lock().poll(&self.shards, &self.pulse, now, is_anybody_watched);
        Poll { monitor: self }
    }

    /// Returns when to poll next, by the clock, as [`Monitor::deadline`](crate::Monitor::deadline).
    ///
    /// Any call can make it earlier, by any thread. A [`Driver`](super::Driver) hears of that.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let poller = self.poller.lock();
        let (due, has_events) = poller.look_ahead(&self.shards);
        if has_events { Some(poller.guards.observer.reading().0) } else { self.while_watching(due) }
    }

    /// Notes that the observer is less well than its stalls tell, for [`LocalHealth`](crate::LocalHealth). It waits for a
    /// poll that is under way.
    pub fn worsen_health(&self, now: Instant) {
        let guards = &mut self.poller.lock().guards;
        guards.health.worsen(guards.observer.awake_at(now));
    }

    /// Notes that the observer is better than its stalls tell, for [`LocalHealth`](crate::LocalHealth). It waits for a
    /// poll that is under way.
    pub fn improve_health(&self, now: Instant) {
        let guards = &mut self.poller.lock().guards;
        guards.health.improve(guards.observer.awake_at(now));
    }

    /// Returns a handle to a peer if it is watched, whose verdict is to be had without waiting for anybody.
    #[must_use]
    pub fn handle(&self, peer: &K) -> Option<PeerHandle> {
        let outlook = self.shard_of(peer).lock().outlook(peer)?;
        Some(PeerHandle::new(outlook, Arc::clone(&self.pulse)))
    }

    /// Returns the verdict that was last reported of a peer, if it is watched.
    #[must_use]
    pub fn verdict(&self, peer: &K) -> Option<Verdict> {
        let shard = self.shard_of(peer).lock();
        shard.fleet.verdict(shard.fleet.find(peer)?)
    }

    /// Returns what is known of a peer, if it is watched.
    #[must_use]
    pub fn status(&self, peer: &K) -> Option<PeerStatus> {
        let shard = self.shard_of(peer).lock();
        shard.fleet.status(shard.fleet.find(peer)?, &shard.observer)
    }

    /// Returns how strongly a peer is to be suspected at `now`, on the scale of its detector, if it is watched. While
    /// the observer is stalled it stays as it was. It knows nothing of time that is given again after a stall: a peer can be
    /// beyond its threshold and trusted.
    #[must_use]
    pub fn suspicion_level(&self, peer: &K, now: Instant) -> Option<f64>
    where
        D: AccrualDetector,
    {
        let shard = self.shard_of(peer).lock();
        shard.fleet.suspicion_level(shard.fleet.find(peer)?, shard.observer.awake_at(now))
    }

    /// Returns all peers with what is known of them, in no order that means anything.
    ///
    /// The peers of each shard are as they were at one time, which is another for each.
    #[must_use]
    pub fn snapshot(&self) -> Vec<(K, PeerStatus)> {
        let mut peers = Vec::with_capacity(self.len());
        for shard in &self.shards {
            let shard = shard.lock();
            peers.extend(shard.fleet.iter(&shard.observer).map(|(peer, it)| (peer.clone(), it)));
        }
        peers
    }

    /// Returns when something is due next, by the clock, whether or not there is something to tell. `None` if nobody is
    /// watched.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let (due, _) = self.poller.lock().look_ahead(&self.shards);
        self.while_watching(due)
    }

    fn while_watching(&self, due: Instant) -> Option<Instant> {
        (!self.is_empty()).then_some(due)
    }

    #[inline]
    fn shard_of(&self, peer: &K) -> &Mutex<Shard<K, D>> {
        #[expect(clippy::indexing_slicing, reason = "it is below the number of shards")]
        &self.shards[self.number_of_shard(peer)]
    }

    #[inline]
    pub(super) fn number_of_shard(&self, peer: &K) -> usize {
        let share = u128::from(self.hasher.hash_one(peer)) * self.shards.len() as u128;
        #[expect(clippy::cast_possible_truncation, reason = "it is below the number of shards")]
        let number = (share >> 64) as usize;
        number
    }

    #[inline]
    fn with<R>(&self, shard: &Mutex<Shard<K, D>>, act: impl FnOnce(&mut Shard<K, D>) -> R) -> R {
        let mut shard = shard.lock();
        let result = act(&mut shard);
        let has_news = core::mem::take(&mut shard.fleet.has_news);
        drop(shard);
        if has_news {
            self.bell.ring();
        }
        result
    }
}

impl<K, D> Monitor<K, D> {
    /// Returns how many peers are watched.
    #[must_use]
    pub fn len(&self) -> usize {
        self.watched.load(Ordering::Acquire)
    }

    /// Returns whether nobody is watched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how much the observer should doubt itself, at its latest poll. It waits for a poll that is under way.
    #[must_use]
    pub fn health_score(&self) -> u8 {
        self.poller.lock().guards.health_score()
    }

    /// Takes the first event that is not told yet, of those that polls found.
    pub(super) fn take_event(&self) -> Option<Event<K>> {
        self.poller.lock().events.pop_front()
    }

    /// Hands over what polls found, first to last, until something is handed back.
    pub(super) fn hand_over<E>(
        &self,
        mut take: impl FnMut(Event<K>) -> Result<(), (Event<K>, E)>,
    ) -> Result<(), E> {
        let events = &mut self.poller.lock().events;
        while let Some(event) = events.pop_front() {
            if let Err((event, reason)) = take(event) {
                events.push_front(event);
                return Err(reason);
            }
        }
        Ok(())
    }

    pub(super) fn bell(&self) -> Bell {
        self.bell.clone()
    }
}

/// Only the number of peers: keys and detectors need not be printable, and no lock is taken.
impl<K, D> fmt::Debug for Monitor<K, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor").field("peers", &self.len()).finish_non_exhaustive()
    }
}

/// What a [`Monitor`] found out.
///
/// It holds no lock between two events, so that the monitor can be used while they are looked at.
#[derive(Debug)]
pub struct Poll<'a, K, D> {
    monitor: &'a Monitor<K, D>,
}

impl<K, D> Iterator for Poll<'_, K, D> {
    type Item = Event<K>;

    fn next(&mut self) -> Option<Event<K>> {
        self.monitor.take_event()
    }
}

/// Returns for how many peers a shard has memory at first: for its part, and if there are others four standard deviations
/// more.
const fn part(capacity: usize, shards: NonZeroUsize) -> usize {
    if shards.get() == 1 {
        return capacity;
    }
    let part = capacity.div_ceil(shards.get());
    part + 4 * part.isqrt()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use core::time::Duration;

    use surmise_detector::FixedTimeout;

    use super::*;

    #[test]
    fn whoever_sleeps_because_nobody_is_watched_is_woken_by_the_first_peer() {
        let config = MonitorConfig { first_heartbeat: None, ..MonitorConfig::default() };
        let monitor = Monitor::new(config).unwrap();
        assert!(monitor.bell.heard.try_recv().is_err());
        let detector = FixedTimeout::new(Duration::from_secs(1)).unwrap();
        monitor.watch(1, detector, Instant::ORIGIN).unwrap();
        assert!(monitor.bell.heard.try_recv().is_ok());
        assert!(monitor.deadline().is_some());
    }
}
