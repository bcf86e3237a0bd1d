use core::error::Error;

use surmise_detector::Beat;
use surmise_monitor::{Event, Monitor, PeerState};
use surmise_quorum::{Ballot, Majority, Opinion};
use surmise_time::Instant;

use super::detector::Contracted;
use crate::{
    failover::{
        history::{Level, Note},
        machine::Actions,
        message::{Heartbeat, Vote},
        setup::Setup,
    },
    processes::nanos,
};

/// What a node thinks of the others, and what they think of each other.
#[derive(Debug)]
pub(super) struct Watch {
    me: usize,
    majority: Majority,
    monitor: Monitor<usize, Contracted>,
    /// One for each node.
    ballots: Vec<Ballot<usize>>,
    /// The latest vote of each node, to be passed on.
    votes: Vec<Option<Vote>>,
    /// The last of the node's own.
    sequence: u64,
    /// Of whom it was said that a majority suspects them.
    convicted: Vec<bool>,
}

impl Watch {
    pub(super) fn new(
        setup: &Setup,
        me: usize,
        incarnation: u64,
        now: Instant,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let majority = Majority::new(setup.nodes)?;
        let mut monitor = Monitor::new(setup.timing.monitor())?;
        for peer in (0..setup.nodes).filter(|&peer| peer != me) {
            monitor.watch(peer, Contracted::new(setup.timing)?, now)?;
        }
        // The subject is counted among the observers, so that no two halves convict each other's nodes.
        let ballot = Ballot::new(0..setup.nodes, majority, setup.timing.freshness())?;
        Ok(Self {
            me,
            majority,
            monitor,
            ballots: vec![ballot; setup.nodes],
            votes: vec![None; setup.nodes],
            // So that a node that restarted votes with greater numbers than before.
            sequence: incarnation << 32,
            convicted: vec![false; setup.nodes],
        })
    }

    /// Takes in a heartbeat with the votes that come with it. Returns whether it says what its sender is now, unlike one
    /// that was overtaken, or is of a former life.
    pub(super) fn heartbeat(&mut self, from: usize, beat: &Heartbeat, now: Instant) -> bool {
        let Ok(taken) = self.monitor.heartbeat(&from, beat.incarnation, beat.sequence, now) else {
            return false;
        };
        let me = self.me;
        for vote in beat.votes.iter().filter(|vote| vote.observer != me) {
            self.count(vote, now);
        }
        // Votes are sent once more with the same number when they change.
        !matches!(taken, Beat::Stale { .. })
    }

    /// Looks at what has become of the peers, and says what is new. Returns whether the node votes otherwise than before.
    pub(super) fn poll(&mut self, now: Instant, out: &mut Actions) -> bool {
        let events: Vec<_> = self.monitor.poll(now).collect();
        let is_news = !events.is_empty();
        for event in events {
            match event {
                Event::Suspected { peer, silent_for, .. } => {
                    // What one suspects says nothing more of others.
                    self.ballots.iter_mut().for_each(|ballot| _ = ballot.discount(&peer));
                    let phi = self.monitor.suspicion_level(&peer, now).unwrap_or(0.0);
                    let silent_ns = nanos(silent_for);
                    out.note(Note::Suspected { peer, silent_ns, phi: finite(phi) });
                }
                Event::Trusted { peer, suspected_for, .. } => {
                    self.ballots.iter_mut().for_each(|ballot| _ = ballot.reinstate(&peer));
                    out.note(Note::Trusted { peer, again: !suspected_for.is_zero() });
                }
                Event::ObserverStalled { gap } => out.note(Note::Stalled { gap_ns: nanos(gap) }),
                _ => {}
            }
        }
        if is_news {
            self.vote(now);
        }
        for subject in 0..self.ballots.len() {
            self.say_if_convicted(subject, now, out);
        }
        is_news
    }

    /// Returns the votes to send: the node's own, with a new number, and the latest of the others.
    pub(super) fn votes(&mut self, now: Instant) -> Vec<Vote> {
        self.vote(now);
        self.votes.iter().flatten().cloned().collect()
    }

    /// Returns whether a majority suspects a node.
    pub(super) fn is_convicted(&mut self, subject: usize, now: Instant) -> bool {
        self.ballots.get_mut(subject).is_some_and(|ballot| ballot.outcome(now).is_convicted())
    }

    /// Returns whether the node hears of a majority, with itself.
    pub(super) fn is_in_majority(&self) -> bool {
        let trusted = (0..self.ballots.len()).filter(|&node| self.trusts(node)).count();
        self.majority.is_reached(trusted)
    }

    pub(super) fn trusts(&self, node: usize) -> bool {
        node == self.me
            || self.monitor.status(&node).is_some_and(|status| status.state == PeerState::Trusted)
    }

    pub(super) fn levels(&self, now: Instant) -> Vec<Level> {
        let peers = (0..self.ballots.len()).filter(|&peer| peer != self.me);
        let level = |peer| self.monitor.suspicion_level(&peer, now);
        peers.filter_map(|peer| Some(Level { peer, phi: finite(level(peer)?) })).collect()
    }

    pub(super) fn deadline(&mut self) -> Option<Instant> {
        self.monitor.deadline()
    }

    fn vote(&mut self, now: Instant) {
        self.sequence += 1;
        let opinion = |node| match self.monitor.status(&node).map(|status| status.state) {
            _ if node == self.me => Opinion::Trust,
            Some(PeerState::Trusted) => Opinion::Trust,
            Some(PeerState::Suspected | PeerState::Dead) => Opinion::Suspect,
            Some(PeerState::Unheard) | None => Opinion::Unknown,
        };
        let opinions = (0..self.ballots.len()).map(opinion).collect();
        let own = Vote { observer: self.me, sequence: self.sequence, opinions };
        self.count(&own, now);
    }

    fn count(&mut self, vote: &Vote, now: Instant) {
        let Some(known) = self.votes.get_mut(vote.observer) else { return };
        if known.as_ref().is_some_and(|known| vote.sequence <= known.sequence) {
            return;
        }
        *known = Some(vote.clone());
        for (ballot, opinion) in self.ballots.iter_mut().zip(&vote.opinions) {
            let _ = ballot.vote(&vote.observer, *opinion, vote.sequence, now);
        }
    }

    fn say_if_convicted(&mut self, subject: usize, now: Instant, out: &mut Actions) {
        let (Some(ballot), Some(before)) =
            (self.ballots.get_mut(subject), self.convicted.get_mut(subject))
        else {
            return;
        };
        let outcome = ballot.outcome(now);
        if outcome.is_convicted() && !*before {
            let (suspecting, nodes) = (outcome.tally().suspecting, self.majority.nodes());
            out.note(Note::Convicted { subject, suspecting, nodes });
        }
        *before = outcome.is_convicted();
    }
}

/// Returns a level that JSON can hold.
fn finite(phi: f64) -> f64 {
    phi.min(1e6)
}
