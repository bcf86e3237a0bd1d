use alloc::collections::{BTreeSet, BinaryHeap, VecDeque};
use core::{cmp::Reverse, hash::Hash};

use crossbeam_utils::CachePadded;
use surmise_detector::FailureDetector;
use surmise_time::Instant;

use super::{loom::Mutex, pulse::Pulse, shard::Shard};
use crate::{Event, MonitorConfig, monitor::guards::Guards};

/// What one thread at a time does to all shards: it reads the clock, lets deadlines pass, and gathers what was found out.
///
/// Whoever has its lock may take that of a shard, and nobody takes them the other way round.
pub(super) struct Poller<K> {
    /// A peer is named by its shard and its slot in it.
    pub(super) guards: Guards<(usize, u32)>,
    /// What was gathered and not told yet.
    pub(super) events: VecDeque<Event<K>>,
    /// When something is due in which shard, as far as is known: once for each.
    due: BinaryHeap<Reverse<(Instant, usize)>>,
}

pub(super) type Shards<K, D> = [CachePadded<Mutex<Shard<K, D>>>];

impl<K: Clone + Eq + Hash> Poller<K> {
    pub(super) fn new(config: &MonitorConfig) -> Self {
        Self { guards: Guards::new(config), events: VecDeque::new(), due: BinaryHeap::new() }
    }

    /// Reads the clock without looking at anybody, so that the time since the latest poll is no stall.
    pub(super) fn begin<D: FailureDetector>(
        &mut self,
        shards: &Shards<K, D>,
        pulse: &Pulse,
        now: Instant,
    ) {
        // Nobody is watched whom a stall would concern.
        let (_, stall) = self.guards.observe(now);
        pulse.beat(&self.guards.observer);
        for shard in shards {
            shard.lock().hear_of(&self.guards.observer, stall.is_some());
        }
    }

    /// Does all that is due in all shards, in the order in which it became due.
    pub(super) fn poll<D: FailureDetector>(
        &mut self,
        shards: &Shards<K, D>,
        pulse: &Pulse,
        now: Instant,
        is_anybody_watched: bool,
    ) {
        let (now, stall) = self.guards.observe(now);
        let now = now.awake;
        pulse.beat(&self.guards.observer);
        if let Some(gap) = stall.filter(|_| is_anybody_watched) {
            self.guards.health.worsen(now);
            self.events.push_back(Event::ObserverStalled { gap });
        }
        let mut living = self.visit(shards, stall.is_some(), now);
        loop {
            let next = self.due.peek().map(|Reverse((at, _))| *at);
            if let Some(until) = self.guards.release_before(next, now) {
                self.release(shards, (until, now));
            } else if let Some(Reverse((at, number))) = self.due.pop() {
                self.step(shards, number, &mut living, (at, now));
            } else {
                break;
            }
            // Those who were held back are published to be suspected before, so that nobody seems to be trusted between.
            pulse.hold(self.guards.correlation.held_until().is_some());
        }
    }

    /// Returns when something is due next, by the clock, and whether there is something to tell.
    pub(super) fn look_ahead<D: FailureDetector>(&self, shards: &Shards<K, D>) -> (Instant, bool) {
        let mut has_events = !self.events.is_empty();
        let mut next = self.guards.next_look();
        for shard in shards {
            let fleet = &mut shard.lock().fleet;
            has_events |= !fleet.events.is_empty();
            if let Some((at, _)) = fleet.next_step(next) {
                next = at;
            }
        }
        (self.guards.observer.clock(next), has_events)
    }

    /// Tells each shard of the latest reading, and notes when something is due in it. Returns how many peers live.
    fn visit<D: FailureDetector>(
        &mut self,
        shards: &Shards<K, D>,
        is_stall_over: bool,
        now: Instant,
    ) -> usize {
        self.due.clear();
        let mut living = 0;
        for (number, shard) in shards.iter().enumerate() {
            let mut shard = shard.lock();
            shard.hear_of(&self.guards.observer, is_stall_over);
            living += shard.fleet.living();
            self.leave(number, &mut shard, now);
        }
        living
    }

    /// Does what is due first in a shard, unless that is later than was known: then somebody was heard of meanwhile.
    fn step<D: FailureDetector>(
        &mut self,
        shards: &Shards<K, D>,
        number: usize,
        living: &mut usize,
        (known, now): (Instant, Instant),
    ) {
        let Some(shard) = shards.get(number) else { return };
        let mut shard = shard.lock();
        let shard = &mut *shard;
        if let Some((at, slot)) = shard.fleet.next_step(now).filter(|(at, _)| *at <= known) {
            let before = shard.fleet.dead();
            self.guards.step(&mut shard.fleet, (slot, (number, slot)), *living, (at, now));
            *living = living.saturating_sub(shard.fleet.dead() - before);
            shard.publish(slot);
        }
        self.leave(number, shard, now);
    }

    /// Ends the hold, and reports who was not heard of in it.
    fn release<D: FailureDetector>(
        &mut self,
        shards: &Shards<K, D>,
        (until, now): (Instant, Instant),
    ) {
        let mut touched = BTreeSet::new();
        for (number, slot) in self.guards.correlation.release() {
            let Some(shard) = shards.get(number) else { continue };
            let mut shard = shard.lock();
            self.guards.report_held(&mut shard.fleet, slot, (until, now));
            shard.publish(slot);
            self.events.append(&mut shard.fleet.events);
            touched.insert(number);
        }
        // However many there were, each shard is noted once, or each step would have to pass all of them by.
        self.due.retain(|Reverse((_, number))| !touched.contains(number));
        for number in touched {
            let Some(shard) = shards.get(number) else { continue };
            self.leave(number, &mut shard.lock(), now);
        }
    }

    /// Takes along what was found out in a shard before its lock is free again, so that it is told of one peer in the
    /// order in which it happened, and notes when the next thing is due.
    fn leave<D: FailureDetector>(&mut self, number: usize, shard: &mut Shard<K, D>, now: Instant) {
        self.events.append(&mut shard.fleet.events);
        shard.fleet.has_news = false;
        if let Some((at, _)) = shard.fleet.next_step(now) {
            self.due.push(Reverse((at, number)));
        }
    }
}
