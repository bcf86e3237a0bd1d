//! A node: what it does when something happens, without clocks, sockets and threads.

mod asks;
mod detector;
mod leading;
mod service;
mod tenure;
mod watch;

use core::{error::Error, time::Duration};

use surmise_clock::HybridClock;
use surmise_fence::FencingToken;
use surmise_quorum::{LeaderWatch, Sighting};
use surmise_time::Instant;

use self::{
    asks::{Asks, Purpose},
    tenure::Tenure,
    watch::Watch,
};
use super::{
    history::Note,
    machine::{Actions, Input, Machine, Now},
    message::{Heartbeat, Message, Op, Party, key},
    setup::Setup,
};
use crate::stores::{Ask, Reply};

/// A node of the cluster.
#[derive(Debug)]
pub(super) struct Node {
    setup: Setup,
    me: usize,
    incarnation: u64,
    hybrid: HybridClock,
    watch: Watch,
    asks: Asks,
    beats: Beats,
    /// With which lease each node said last that it leads.
    claims: Vec<Option<FencingToken>>,
    leaders: LeaderWatch<usize, 16>,
    tenure: Option<Tenure>,
    candidacy: Candidacy,
    /// Of whose clock, and of which leader and term, it was said that something is wrong.
    said: Vec<Wrong>,
}

/// When heartbeats are sent.
#[derive(Debug)]
struct Beats {
    start: Instant,
    sequence: u64,
    next: Instant,
    /// When the suspicion levels are noted next.
    levels: Instant,
}

/// Whether the node asks for the lease.
#[derive(Debug, Default)]
struct Candidacy {
    /// When to ask, while nobody leads.
    try_at: Option<Instant>,
    is_asking: bool,
    /// Whether it was noted that another holds the lease.
    was_held: bool,
    /// How many requests there were before, of which no two have the same nonce.
    requests: u64,
}

/// Something that is said only once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Clock { of: Option<usize> },
    Leader { leader: usize, term: u64 },
}

impl Node {
    /// Creates the node `me`, which has a greater incarnation than those of the same place before it.
    pub(super) fn new(
        setup: Setup,
        me: usize,
        incarnation: u64,
        now: Instant,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self {
            me,
            incarnation,
            hybrid: HybridClock::new(setup.max_offset),
            watch: Watch::new(&setup, me, incarnation, now)?,
            asks: Asks::new(setup.timing.answer()),
            beats: Beats { start: now, sequence: 0, next: now, levels: now },
            claims: vec![None; setup.nodes],
            leaders: LeaderWatch::remembering(),
            tenure: None,
            candidacy: Candidacy::default(),
            said: Vec::new(),
            setup,
        })
    }

    fn hear(&mut self, from: Party, message: Message, now: Now, out: &mut Actions) {
        match (from, message) {
            (Party::Node(peer), Message::Heartbeat(beat)) => self.heartbeat(peer, &beat, now, out),
            (_, Message::Write { op, amount, stamp }) => {
                // A leader whose clock is that far behind does not order what was before.
                if self.hybrid.observe(stamp, now.wall).is_ok() {
                    self.request(from, op, amount, now, out);
                } else {
                    self.wrong(Wrong::Clock { of: None }, out);
                }
            }
            (_, Message::Read { id, slot }) => {
                let ask = self.asks.ask(Purpose::Read { from, id }, now.at);
                out.ask(ask, Ask::Read { key: key(slot) });
            }
            _ => {}
        }
    }

    fn heartbeat(&mut self, peer: usize, beat: &Heartbeat, now: Now, out: &mut Actions) {
        if !self.watch.heartbeat(peer, beat, now.at) {
            return;
        }
        if self.hybrid.observe(beat.stamp, now.wall).is_err() {
            self.wrong(Wrong::Clock { of: Some(peer) }, out);
        }
        if let Some(claim) = self.claims.get_mut(peer) {
            *claim = beat.leads;
        }
        let Some(token) = beat.leads else { return };
        match self.leaders.act(token.counter().get(), peer) {
            Sighting::TwoLeaders { term, second: leader, .. }
            | Sighting::StaleLeader { leader, term, .. } => {
                self.wrong(Wrong::Leader { leader, term }, out);
            }
            _ => {}
        }
        if let Some(tenure) = &mut self.tenure {
            tenure.hear_of(token);
        }
    }

    fn tick(&mut self, now: Now, out: &mut Actions) {
        while let Some(asked) = self.asks.given_up(now.at) {
            let silence = Reply::Indeterminate("no answer in time".to_owned());
            self.answer(asked, silence, now, out);
        }
        let is_news = self.watch.poll(now.at, out);
        self.beat(is_news, now, out);
        self.lead(now, out);
        if self.tenure.is_none() {
            self.run_for_leader(now, out);
        }
    }

    /// Sends a heartbeat if it is time to, or the votes if they changed.
    fn beat(&mut self, is_news: bool, now: Now, out: &mut Actions) {
        let is_due = self.beats.is_due(now.at, self.setup.timing.heartbeat);
        if is_due || is_news {
            let beat = Heartbeat {
                incarnation: self.incarnation,
                sequence: self.beats.sequence,
                stamp: self.hybrid.tick(now.wall),
                leads: self.token_in_office(),
                votes: self.watch.votes(now.at),
            };
            for peer in (0..self.setup.nodes).filter(|&peer| peer != self.me) {
                out.send(Party::Node(peer), Message::Heartbeat(beat.clone()));
            }
        }
        if self.beats.levels <= now.at {
            self.beats.levels = now.at + LEVELS_EVERY;
            out.note(Note::Phi { levels: self.watch.levels(now.at) });
        }
    }

    /// Asks for the lease, if nobody leads and the node hears of a majority: those with lesser numbers first.
    fn run_for_leader(&mut self, now: Now, out: &mut Actions) {
        if self.leader(now.at).is_some() || !self.watch.is_in_majority() {
            self.candidacy.try_at = None;
            self.candidacy.was_held = false;
            return;
        }
        let stagger = self.setup.timing.heartbeat / 2;
        let rank = (0..self.me).filter(|&node| self.watch.trusts(node)).count();
        let wait = stagger * u32::try_from(rank).unwrap_or(u32::MAX);
        let try_at = *self.candidacy.try_at.get_or_insert(now.at + wait);
        if self.candidacy.is_asking || now.at < try_at {
            return;
        }
        self.candidacy.is_asking = true;
        let nonce = self.nonce();
        let (holder, ttl) = (format!("node-{}", self.me), self.setup.timing.lease);
        let ask = self.asks.ask(Purpose::Acquire { nonce }, now.at);
        out.ask(ask, Ask::Grant { holder, nonce, ttl });
    }

    /// Returns who leads, as far as the node knows.
    fn leader(&mut self, now: Instant) -> Option<usize> {
        let claims = self.claims.iter().enumerate();
        let mut claims: Vec<_> =
            claims.filter_map(|(node, claim)| Some(((*claim)?, node))).collect();
        claims.sort_unstable();
        while let Some((_, node)) = claims.pop() {
            if !self.watch.is_convicted(node, now) {
                return Some(node);
            }
        }
        None
    }

    /// Returns the number that tells a request for the lease from all others.
    const fn nonce(&self) -> u64 {
        let (me, incarnation) = (self.me as u64 + 1, self.incarnation & 0xffff);
        me << 48 | incarnation << 32 | self.candidacy.requests
    }

    fn redirect(&mut self, to: Party, op: Op, now: Now, out: &mut Actions) {
        // One that is about to lead is soon to be asked again.
        let leader = match self.tenure {
            Some(_) => Some(self.me),
            None => self.leader(now.at),
        };
        out.send(to, Message::Redirect { op, leader });
    }

    fn wrong(&mut self, wrong: Wrong, out: &mut Actions) {
        if self.said.contains(&wrong) || self.said.len() >= MAX_SAID {
            return;
        }
        self.said.push(wrong);
        out.note(match wrong {
            Wrong::Clock { of } => Note::ClockRefused { of },
            Wrong::Leader { leader, term } => Note::Alarm { leader, term },
        });
    }
}

impl Machine for Node {
    fn step(&mut self, input: Input, now: Now, out: &mut Actions) {
        match input {
            Input::Tick | Input::Drain => {}
            Input::Datagram { from, message } => self.hear(from, message, now, out),
            Input::Reply { ask, reply } => {
                if let Some(asked) = self.asks.answered(ask) {
                    self.answer(asked, reply, now, out);
                }
            }
        }
        self.tick(now, out);
    }

    fn deadline(&mut self) -> Instant {
        let tenure = self.tenure.as_ref().and_then(Tenure::deadline);
        let candidacy = self.candidacy.try_at.filter(|_| !self.candidacy.is_asking);
        let others = [self.watch.deadline(), self.asks.deadline(), tenure, candidacy];
        others.into_iter().flatten().fold(self.beats.next, Instant::min)
    }
}

impl Beats {
    /// Returns whether a heartbeat is to be sent. However many were missed, there is one, with the latest number.
    fn is_due(&mut self, now: Instant, interval: Duration) -> bool {
        if now < self.next {
            return false;
        }
        let passed = (now - self.start).as_nanos() / interval.as_nanos().max(1);
        self.sequence = u64::try_from(passed).unwrap_or(u64::MAX);
        let ahead = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX);
        let next = self.sequence.saturating_add(1).saturating_mul(ahead);
        self.next = self.start + Duration::from_nanos(next);
        true
    }
}

const LEVELS_EVERY: Duration = Duration::from_secs(1);

/// A node on which everything is wrong says no more than that.
const MAX_SAID: usize = 32;
