mod agenda;
mod batch;
mod correlation;
pub(crate) mod fleet;
pub(crate) mod guards;
pub(crate) mod observer;
mod peer;
mod peers;
mod stalls;
mod steps;
mod view;

use alloc::collections::VecDeque;
use core::hash::Hash;

use surmise_detector::{Beat, FailureDetector};
use surmise_time::Instant;

pub use self::batch::Heartbeat;
use self::{fleet::Fleet, guards::Guards, observer::Moment};
use crate::{Event, Ignored, MonitorConfig, MonitorConfigError, NotWatched};

/// Watches many peers, with a failure detector each.
///
/// It is told of each heartbeat, and [`poll`](Self::poll) says which peers are suspected, trusted again, or dead. It
/// reads no clock and starts no thread: whoever drives it sleeps until [`deadline`](Self::deadline).
///
/// # The observer is suspect too
///
/// Whoever is paused hears of nobody. If more than [`max_poll_gap`](MonitorConfig::max_poll_gap) passes between two
/// calls, it is the observer who failed: all deadlines are moved by the gap, heartbeats that were queued meanwhile are
/// taken for signs of life and not for intervals, and [`Event::ObserverStalled`] says so. As the queue may have been
/// lost, whoever is not heard of after the stall has its whole time again, once. So a peer that died in the meantime
/// is found no later after the stall than after a last heartbeat. It is calls that are seen, so whoever polls has to be the one who
/// takes in heartbeats, or to stop with it: if one thread polls while the one hangs that receives, nothing is a stall. And if
/// [so many](crate::CorrelatedExpiry) expire at once that the network of the observer is likelier to have failed than
/// all of them, it waits for a while before it says so.
///
/// # Cost
///
/// A heartbeat is one look-up and the detector's own work, O(1), and allocates nothing unless it is a transition or makes
/// a deadline earlier.
/// `poll` looks at the note of a peer's deadline, 16 bytes apart from the peer, when the deadline passes that it had when that
/// was last looked at: about once a heartbeat or less, and every four seconds of one that is due later. Each look is O(1). At
/// the peer itself it looks only if that is due, and what is due is sorted.
///
/// Of many peers, a heartbeat takes as long as the memory in which a peer is takes to be fetched.
/// [`heartbeats`](Self::heartbeats) waits for that of many together, for whoever empties a socket.
///
/// Besides key and detector a peer takes 48 bytes, of its share in the index 6 to 13, and 5 while it waits for its deadline: 58
/// bytes of a million. Once it was suspected wrongly it takes 20 more. As with any vector, memory for peers doubles when it is
/// full, unless there was a [capacity](Self::with_capacity) for them. The monitor itself takes 4 KiB.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_detector::FixedTimeout;
/// use surmise_monitor::{Event, Monitor, MonitorConfig};
/// use surmise_time::Instant;
///
/// let mut monitor = Monitor::new(MonitorConfig::default())?;
/// let mut now = Instant::ORIGIN;
/// monitor.watch("a", FixedTimeout::new(Duration::from_secs(1))?, now)?;
/// monitor.heartbeat(&"a", 1, 1, now)?;
/// for event in monitor.poll(now) {
///     assert!(matches!(event, Event::Trusted { peer: "a", .. }));
/// }
///
/// // Nothing more is heard of it.
/// let event = loop {
///     now = monitor.deadline().expect("there is a peer");
///     if let Some(event) = monitor.poll(now).next() {
///         break event;
///     }
/// };
/// assert!(matches!(event, Event::Suspected { peer: "a", .. }));
/// assert_eq!(now.as_nanos(), 1_000_000_001);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Monitor<K, D> {
    guards: Guards<u32>,
    fleet: Fleet<K, D>,
}

impl<K: Clone + Eq + Hash, D: FailureDetector> Monitor<K, D> {
    /// Creates a monitor that watches nobody.
    ///
    /// # Errors
    ///
    /// If a part of the configuration is beyond its range.
    pub fn new(config: MonitorConfig) -> Result<Self, MonitorConfigError> {
        Self::with_capacity(config, 0)
    }

    /// Creates a monitor that watches nobody, with memory for so many peers, or for `max_peers` if these are fewer.
    ///
    /// # Errors
    ///
    /// If a part of the configuration is beyond its range.
    pub fn with_capacity(
        config: MonitorConfig,
        capacity: usize,
    ) -> Result<Self, MonitorConfigError> {
        let config = config.checked()?;
        let capacity = capacity.min(config.max_peers);
        Ok(Self { guards: Guards::new(&config), fleet: Fleet::new(config, capacity) })
    }

    /// Begins to watch a peer from `now` on, with a detector that has seen no heartbeat yet.
    ///
    /// # Errors
    ///
    /// If the peer is watched already, or there are too many. The error hands both back.
    pub fn watch(&mut self, peer: K, detector: D, now: Instant) -> Result<(), NotWatched<K, D>> {
        let now = self.observe(now);
        let max_peers = self.fleet.max_peers();
        self.fleet.watch(peer, detector, now, |fleet| fleet.len() < max_peers).map(|_| ())
    }

    /// Ceases to watch a peer, and returns its detector if it was watched.
    ///
    /// What is not told of it yet is never told, so that nobody hears of a peer that it does not watch: it looks through all
    /// events that are not taken. The
    /// detector's deadline is in the time that the observer was awake; if it is watched again, it begins anew.
    pub fn unwatch(&mut self, peer: &K) -> Option<D> {
        let slot = self.fleet.find(peer)?;
        self.guards.correlation.forget(slot);
        self.fleet.unwatch(slot)
    }

    /// Takes in a heartbeat that arrived at `now`, which a peer sent in this incarnation with this sequence number.
    ///
    /// The peer counts its heartbeats, and after a restart it has a higher incarnation, such as its boot time. Whoever
    /// has none sends 0; then a restart that begins to count anew is not heard until it has counted as far as before.
    /// A fresh heartbeat makes a peer trusted, be it suspected or dead.
    ///
    /// # Errors
    ///
    /// If the peer is not watched, or the heartbeat is of a former incarnation.
    #[inline]
    pub fn heartbeat(
        &mut self,
        peer: &K,
        incarnation: u64,
        sequence: u64,
        now: Instant,
    ) -> Result<Beat, Ignored> {
        let now = self.observe(now);
        let slot = self.fleet.find(peer).ok_or(Ignored::UnknownPeer)?;
        self.fleet.heartbeat(slot, incarnation, sequence, now)
    }

    /// Takes in that others heard of a peer in a higher incarnation: it lives, and is waited for as if it
    /// were watched only now. If [`first_heartbeat`](MonitorConfig::first_heartbeat) is `None`, that is for ever.
    ///
    /// Whoever can forge a refutation or a heartbeat can keep the dead alive, and by a high incarnation shut out the living.
    ///
    /// # Errors
    ///
    /// If the peer is not watched, or the incarnation is not higher than the latest: then it is no news.
    pub fn refute(&mut self, peer: &K, incarnation: u64, now: Instant) -> Result<(), Ignored> {
        let now = self.observe(now);
        let slot = self.fleet.find(peer).ok_or(Ignored::UnknownPeer)?;
        self.fleet.refute(slot, incarnation, now)
    }

    /// Takes in that another observer suspects a peer in this incarnation, and returns whether that shortens the grace:
    /// if the peer is suspected here, by too few, and not by this one yet. Nobody confirms a suspicion of itself.
    ///
    /// What does not shorten the grace is forgotten. So whoever suspects a peer has to say so again and again, for those who
    /// come to suspect it later; and one's own suspicion is none of the confirmations.
    ///
    /// # Errors
    ///
    /// If the peer is not watched, or the incarnation is a former one.
    pub fn confirm(
        &mut self,
        peer: &K,
        incarnation: u64,
        observer: K,
        now: Instant,
    ) -> Result<bool, Ignored> {
        let now = self.observe(now);
        let slot = self.fleet.find(peer).ok_or(Ignored::UnknownPeer)?;
        self.fleet.confirm(slot, incarnation, observer, now)
    }

    /// Looks at what is due at `now`, and returns what was found out since the last time, oldest first.
    ///
    /// What is not taken from the iterator comes first the next time. Where the clock steps back, no time passes. Whoever
    /// is heard of after its deadline but before the poll was never suspected, so that rare polls find fewer transitions.
    #[must_use = "what is not looked at comes the next time"]
    pub fn poll(&mut self, now: Instant) -> Poll<'_, K> {
        let now = self.observe(now).awake;
        self.advance(now);
        Poll { events: &mut self.fleet.events }
    }

    /// Returns when to poll next, by the clock: when a peer is to be suspected or is dead unless it is heard of, when
    /// there is something to tell, and in any case before the pause would be taken for a stall of the observer. `None`
    /// if nobody is watched and there is nothing to tell.
    ///
    /// A peer's [own deadline](crate::PeerStatus::deadline) is the last instant at which it is trusted; this is the first
    /// at which there is something to find. Any call can make it earlier.
    pub fn deadline(&mut self) -> Option<Instant> {
        let Self { guards, fleet } = self;
        if !fleet.events.is_empty() {
            return Some(guards.observer.clock(guards.observer.awake()));
        }
        if fleet.len() == 0 {
            return None;
        }
        let next = guards.next_look();
        let next = fleet.next_step(next).map_or(next, |(at, _)| at);
        Some(guards.observer.clock(next))
    }

    /// Notes that the observer is less well than its stalls tell, for [`LocalHealth`](crate::LocalHealth).
    pub fn worsen_health(&mut self, now: Instant) {
        let now = self.observe(now).awake;
        self.guards.health.worsen(now);
    }

    /// Notes that the observer is better than its stalls tell, for [`LocalHealth`](crate::LocalHealth).
    pub fn improve_health(&mut self, now: Instant) {
        let now = self.observe(now).awake;
        self.guards.health.improve(now);
    }

    /// Reads the clock.
    #[inline]
    fn observe(&mut self, now: Instant) -> Moment {
        let (now, stall) = self.guards.observe(now);
        if let Some(gap) = stall {
            self.fleet.resume(now);
            // Whoever watches nobody need not look, and has not failed.
            if self.fleet.len() > 0 {
                self.guards.health.worsen(now.awake);
                self.fleet.events.push_back(Event::ObserverStalled { gap });
            }
        }
        now
    }

    /// Does all that is due, in the order in which it became due.
    fn advance(&mut self, now: Instant) {
        let Self { guards, fleet } = self;
        loop {
            let next = fleet.next_step(now);
            if let Some(until) = guards.release_before(next.map(|(at, _)| at), now) {
                for slot in guards.correlation.release() {
                    guards.report_held(fleet, slot, (until, now));
                }
            } else if let Some((at, slot)) = next {
                let living = fleet.living();
                guards.step(fleet, (slot, slot), living, (at, now));
            } else {
                break;
            }
        }
    }
}

/// What a [`Monitor`] found out.
#[derive(Debug)]
pub struct Poll<'a, K> {
    events: &'a mut VecDeque<Event<K>>,
}

impl<K> Iterator for Poll<'_, K> {
    type Item = Event<K>;

    fn next(&mut self) -> Option<Event<K>> {
        self.events.pop_front()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.events.len(), Some(self.events.len()))
    }
}

impl<K> ExactSizeIterator for Poll<'_, K> {}
