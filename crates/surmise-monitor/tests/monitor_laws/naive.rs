//! A monitor that looks at each peer at each step: slow, and hard to get wrong.

use core::time::Duration;

use surmise_detector::{Beat, FailureDetector};
use surmise_monitor::{
    CorrelatedExpiry, Event, Grace, Ignored, MonitorConfig, PeerState, SuspicionReason, TrustReason,
};
use surmise_time::Instant;

const NANOSECOND: Duration = Duration::from_nanos(1);

pub(crate) struct Naive<D> {
    config: MonitorConfig,
    /// Whether only polls tell that the observer is awake, and the first peer, as in the form that threads share.
    pub(crate) only_polls_count: bool,
    latest: Option<Instant>,
    stalled_for: Duration,
    /// When each stall was over.
    pub(crate) stalls: Vec<Instant>,
    settles_at: Instant,
    /// Steps of recovery are counted anew from each illness.
    health: Vec<Instant>,
    peers: Vec<Option<Peer<D>>>,
    free: Vec<usize>,
    recent: Vec<(Instant, usize)>,
    /// In the time awake.
    pub(crate) held_until: Option<Instant>,
    held: Vec<usize>,
    events: Vec<Event<u8>>,
}

struct Peer<D> {
    key: u8,
    detector: D,
    incarnation: u64,
    heard_at: Instant,
    was_heard: bool,
    state: PeerState,
    is_held: bool,
    /// How many stalls were over when it was last heard of.
    stalls: usize,
    /// The same, with its queue or not.
    heard_after: usize,
    flaps: u32,
    suspected_at: Instant,
    /// How many stalls were over then.
    suspected_after: usize,
    stretch: u32,
    confirmers: Vec<u8>,
    confirmed_at: Instant,
}

impl<D: FailureDetector> Naive<D> {
    pub(crate) fn new(config: MonitorConfig) -> Self {
        Self {
            config,
            only_polls_count: false,
            latest: None,
            stalled_for: Duration::ZERO,
            stalls: Vec::new(),
            settles_at: Instant::ORIGIN,
            health: Vec::new(),
            peers: Vec::new(),
            free: Vec::new(),
            recent: Vec::new(),
            held_until: None,
            held: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Returns whether it is watched now and was not.
    pub(crate) fn watch(&mut self, key: u8, mut detector: D, now: Instant) -> bool {
        let watched = self.peers.iter().flatten().count();
        if watched == 0 {
            self.observe(now);
        }
        let now = self.awake(now);
        if self.find(key).is_some() || watched >= self.config.max_peers {
            return false;
        }
        detector.restart();
        let peer = Peer {
            key,
            detector,
            incarnation: 0,
            heard_at: now,
            was_heard: false,
            state: PeerState::Unheard,
            is_held: false,
            stalls: self.stalls.len(),
            heard_after: self.stalls.len(),
            flaps: 0,
            suspected_at: now,
            suspected_after: self.stalls.len(),
            stretch: 1,
            confirmers: Vec::new(),
            confirmed_at: now,
        };
        // The place that was left last is taken first, as peers that are due at once come in the order of places.
        match self.free.pop() {
            Some(slot) => self.peers[slot] = Some(peer),
            None => self.peers.push(Some(peer)),
        }
        true
    }

    pub(crate) fn unwatch(&mut self, key: u8) -> bool {
        let Some(slot) = self.find(key) else { return false };
        self.peers[slot] = None;
        self.free.push(slot);
        self.events.retain(|event| event.peer() != Some(&key));
        self.recent.retain(|&(_, other)| other != slot);
        self.held.retain(|&other| other != slot);
        true
    }

    pub(crate) fn heartbeat(
        &mut self,
        key: u8,
        incarnation: u64,
        sequence: u64,
        now: Instant,
    ) -> Result<Beat, Ignored> {
        let is_queued = self.is_stalled(now);
        let now = self.awake(now);
        let stalls = self.stalls.len() + usize::from(is_queued);
        let is_settled = !is_queued && now >= self.settles_at;
        let noted = self.stalls.len();
        let peer = self.peer(key).ok_or(Ignored::UnknownPeer)?;
        peer.check(incarnation)?;
        let is_restart = incarnation > peer.incarnation;
        if is_restart {
            peer.detector.restart();
        }
        peer.incarnation = incarnation;
        let beat = match peer.stalls < stalls {
            false => peer.detector.heartbeat(sequence, now),
            true => peer.detector.queued_heartbeat(sequence, now),
        };
        if matches!(beat, Beat::Stale { .. } | Beat::Duplicate) {
            return Ok(beat);
        }
        let reason = match peer.was_heard {
            false => TrustReason::First,
            true if is_restart => TrustReason::Restarted,
            true => TrustReason::Heartbeat,
        };
        if is_settled {
            peer.stalls = stalls;
        }
        peer.was_heard = true;
        peer.heard_at = now;
        peer.heard_after = noted;
        peer.is_held = false;
        self.trust(key, reason, now);
        Ok(beat)
    }

    pub(crate) fn refute(
        &mut self,
        key: u8,
        incarnation: u64,
        now: Instant,
    ) -> Result<(), Ignored> {
        let now = self.awake(now);
        let noted = self.stalls.len();
        let peer = self.peer(key).ok_or(Ignored::UnknownPeer)?;
        if incarnation <= peer.incarnation {
            let latest = peer.incarnation;
            return Err(Ignored::OldIncarnation { offered: incarnation, latest });
        }
        peer.incarnation = incarnation;
        peer.detector.restart();
        peer.heard_at = now;
        peer.heard_after = noted;
        peer.is_held = false;
        if peer.state != PeerState::Unheard {
            self.trust(key, TrustReason::Refuted, now);
        }
        Ok(())
    }

    pub(crate) fn confirm(
        &mut self,
        key: u8,
        incarnation: u64,
        observer: u8,
        now: Instant,
    ) -> Result<bool, Ignored> {
        let now = if self.only_polls_count { self.awake_at_latest() } else { self.awake(now) };
        let grace = self.config.grace;
        let peer = self.peer(key).ok_or(Ignored::UnknownPeer)?;
        peer.check(incarnation)?;
        let Some(grace) = grace else { return Ok(false) };
        let is_news = peer.state == PeerState::Suspected
            && observer != key
            && !peer.confirmers.contains(&observer)
            && peer.confirmers.len() < usize::from(grace.confirmations);
        if is_news {
            peer.confirmers.push(observer);
            peer.confirmed_at = now;
        }
        Ok(is_news)
    }

    pub(crate) fn worsen_health(&mut self, now: Instant) {
        let now =
            if self.is_stalled(now) { self.latest() - self.stalled_for } else { self.awake(now) };
        self.worsen(now);
    }

    pub(crate) fn poll(&mut self, now: Instant) -> Vec<Event<u8>> {
        let now = self.observe(now);
        while let Some((at, step)) = self.next().filter(|&(at, _)| at <= now) {
            match step {
                None => self.release(at, now),
                Some(slot) => self.step(slot, at, now),
            }
        }
        core::mem::take(&mut self.events)
    }

    /// Returns when something happens next if nothing is heard, by the clock.
    pub(crate) fn next_by_the_clock(&self) -> Option<Instant> {
        self.next().map(|(at, _)| at + self.stalled_for)
    }

    /// Returns the latest reading of the clock.
    pub(crate) fn latest(&self) -> Instant {
        self.latest.unwrap()
    }

    pub(crate) fn state(&self, key: u8) -> Option<(PeerState, bool, u64, u32)> {
        let peer = self.peers[self.find(key)?].as_ref()?;
        Some((peer.state, peer.is_held, peer.incarnation, peer.flaps))
    }

    /// Returns the time awake at the latest reading.
    pub(crate) fn awake_at_latest(&self) -> Instant {
        self.latest.unwrap_or(Instant::ORIGIN) - self.stalled_for
    }

    /// Returns whether something other than a poll comes in a stall that is not noted yet.
    fn is_stalled(&self, now: Instant) -> bool {
        let latest = self.latest.unwrap_or(now);
        self.only_polls_count && now - latest > self.config.max_poll_gap
    }

    /// Returns the time awake when something other than a poll comes.
    fn awake(&mut self, now: Instant) -> Instant {
        if !self.only_polls_count {
            return self.observe(now);
        }
        let latest = self.latest.unwrap_or(now);
        now.clamp(latest, latest + self.config.max_poll_gap) - self.stalled_for
    }

    fn observe(&mut self, now: Instant) -> Instant {
        let latest = self.latest.unwrap_or(now);
        let gap = now - latest;
        self.latest = Some(latest.max(now));
        if gap > self.config.max_poll_gap {
            self.stalled_for += gap;
            let awake = latest.max(now) - self.stalled_for;
            self.stalls.push(awake);
            self.settles_at =
                awake + self.config.settle.max((gap / 2).min(Duration::from_secs(60)));
            if self.peers.iter().any(Option::is_some) {
                self.worsen(awake);
                self.events.push(Event::ObserverStalled { gap });
            }
        }
        latest.max(now) - self.stalled_for
    }

    /// Notes an illness: when each of them will be over, one after the other.
    fn worsen(&mut self, now: Instant) {
        self.health.retain(|&over| over > now);
        let from = self.health.last().copied().unwrap_or(now);
        if self.health.len() < 8 {
            self.health.push(from + self.config.health_recovery);
        }
    }

    /// Returns what happens next, and when: something to the peer in a slot, or the end of the hold.
    fn next(&self) -> Option<(Instant, Option<usize>)> {
        let of_peers = self.peers.iter().enumerate().filter_map(|(slot, peer)| {
            let due = self.due(peer.as_ref()?)?;
            Some((due, Some(slot)))
        });
        of_peers.chain(self.held_until.map(|until| (until, None))).min()
    }

    fn due(&self, peer: &Peer<D>) -> Option<Instant> {
        match peer.state {
            PeerState::Dead => None,
            PeerState::Suspected => {
                let again = self.first_stall_after(peer.suspected_after).unwrap_or(Instant::ORIGIN);
                let over = peer.suspected_at.max(again).checked_add(self.grace(peer)?)?;
                Some(over.max(peer.confirmed_at))
            }
            _ if peer.is_held => None,
            _ => self.expiry(peer),
        }
    }

    fn expiry(&self, peer: &Peer<D>) -> Option<Instant> {
        let waited_for = self.config.first_heartbeat.map(|wait| peer.heard_at + wait);
        let deadline = peer.detector.deadline().or(waited_for)?;
        let missed = self.first_stall_after(peer.heard_after);
        let missed = missed.map(|over| over + (deadline - peer.heard_at));
        Some(missed.map_or(deadline, |again| deadline.max(again)) + NANOSECOND)
    }

    /// Returns when the first stall after so many was over; 256 are remembered.
    fn first_stall_after(&self, stalls: usize) -> Option<Instant> {
        self.stalls.get(self.stalls.len().saturating_sub(256).max(stalls)).copied()
    }

    fn grace(&self, peer: &Peer<D>) -> Option<Duration> {
        let Grace { min, max, confirmations: k } = self.config.grace?;
        let c = f64::from(u8::try_from(peer.confirmers.len()).unwrap());
        let share = if k == 0 { 1.0 } else { (c.ln_1p() / f64::from(k).ln_1p()).min(1.0) };
        let exact = max.as_secs_f64() - (max - min).as_secs_f64() * share;
        Some(Duration::from_secs_f64(exact) * peer.stretch)
    }

    fn step(&mut self, slot: usize, at: Instant, now: Instant) {
        let living = self.peers.iter().flatten().filter(|peer| peer.state != PeerState::Dead);
        let living = living.count();
        let peer = self.peers[slot].as_mut().unwrap();
        if peer.state == PeerState::Suspected {
            peer.state = PeerState::Dead;
            self.events.push(Event::Dead {
                peer: peer.key,
                incarnation: peer.incarnation,
                suspected_for: at - peer.suspected_at,
                late: now - at,
                confirmations: peer.confirmers.len(),
            });
            return;
        }
        if self.held_until.is_some() {
            peer.is_held = true;
            if !self.held.contains(&slot) {
                self.held.push(slot);
            }
            return;
        }
        if let Some(CorrelatedExpiry { peers, percent, within, hold }) =
            self.config.correlated_expiry
        {
            self.recent.retain(|&(other, of)| at - other <= within && of != slot);
            self.recent.push((at, slot));
            let expired = self.recent.len();
            if expired >= peers && expired * 100 >= living * usize::from(percent) {
                peer.is_held = true;
                self.recent.clear();
                self.held = vec![slot];
                self.held_until = Some(at + hold);
                self.events.push(Event::ExpiredTogether {
                    expired,
                    watched: living,
                    held_for: hold,
                });
                return;
            }
        }
        self.suspect(slot, at, at, now);
    }

    fn release(&mut self, until: Instant, now: Instant) {
        self.held_until = None;
        let mut held = core::mem::take(&mut self.held);
        held.sort_unstable();
        for slot in held {
            let Some(peer) = self.peers[slot].as_mut() else { continue };
            if core::mem::take(&mut peer.is_held) {
                let peer = self.peers[slot].as_ref().unwrap();
                // It has more time if there was a stall meanwhile.
                if let Some(expired_at) = self.expiry(peer).filter(|&at| at <= until) {
                    self.suspect(slot, expired_at, until, now);
                }
            }
        }
    }

    fn suspect(&mut self, slot: usize, expired_at: Instant, since: Instant, now: Instant) {
        let health = self.health.iter().filter(|&&over| over > since).count();
        let noted = self.stalls.len();
        let peer = self.peers[slot].as_mut().unwrap();
        peer.state = PeerState::Suspected;
        peer.suspected_at = since;
        peer.suspected_after = noted;
        peer.stretch = u32::try_from(health).unwrap() + 1;
        peer.confirmers.clear();
        peer.confirmed_at = since;
        let reason = match peer.detector.deadline() {
            Some(_) => SuspicionReason::Silent,
            None => SuspicionReason::NeverHeard,
        };
        self.events.push(Event::Suspected {
            peer: peer.key,
            incarnation: peer.incarnation,
            reason,
            silent_for: now - peer.heard_at,
            late: now - expired_at,
            held_for: since - expired_at,
        });
    }

    fn trust(&mut self, key: u8, reason: TrustReason, now: Instant) {
        let peer = self.peer(key).unwrap();
        let suspected_for = match peer.state {
            PeerState::Trusted => return,
            PeerState::Unheard => Duration::ZERO,
            PeerState::Suspected | PeerState::Dead => {
                peer.flaps += 1;
                now - peer.suspected_at
            }
        };
        peer.state = PeerState::Trusted;
        let incarnation = peer.incarnation;
        self.events.push(Event::Trusted { peer: key, incarnation, reason, suspected_for });
    }

    fn find(&self, key: u8) -> Option<usize> {
        self.peers.iter().position(|peer| peer.as_ref().is_some_and(|peer| peer.key == key))
    }

    fn peer(&mut self, key: u8) -> Option<&mut Peer<D>> {
        let slot = self.find(key)?;
        self.peers[slot].as_mut()
    }
}

impl<D> Peer<D> {
    fn check(&self, offered: u64) -> Result<(), Ignored> {
        let latest = self.incarnation;
        if offered < latest {
            return Err(Ignored::OldIncarnation { offered, latest });
        }
        Ok(())
    }
}
