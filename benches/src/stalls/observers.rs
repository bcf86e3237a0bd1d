use surmise_detector::{
    Chen, ChenConfig, ExponentiallyWeighted, FailureDetector, FixedTimeout, PhiAccrual, PhiConfig,
    Verdict,
};
use surmise_monitor::{Event, Monitor, MonitorConfig};
use surmise_time::Instant;

use super::{PEERS, arrivals::INTERVAL};
use crate::{
    Made,
    detectors::{
        Contender, boxed,
        peers::{Chitchat, PhiAccrualFailureDetector},
    },
};

/// Whoever watches all the peers.
pub trait Observer {
    /// Takes in a heartbeat that is read at `now`.
    fn heartbeat(&mut self, peer: u32, sequence: u64, now: Instant);

    /// Looks at what is due at `now`, if it is one that has to be told.
    fn poll(&mut self, now: Instant);

    /// Returns whether it suspects a peer at `now`, for which it was polled.
    fn suspects(&self, peer: u32, now: Instant) -> bool;
}

/// Whose an observer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is nothing else to compare")]
pub enum Kind {
    /// A monitor of ours.
    Monitor,
    /// A detector of ours for each peer, and nothing that knows of the observer.
    Bare,
    /// What others use.
    Peer,
}

/// Makes an observer of all peers that has heard of none yet.
pub type MakeObserver = fn() -> Made<Box<dyn Observer>>;

/// Returns all observers there are: what each is called, what it is, and how one is made.
#[must_use]
pub fn observers() -> [(&'static str, Kind, MakeObserver); 8] {
    [
        ("`Monitor` of φ", Kind::Monitor, || Watching::boxed(phi)),
        ("`Monitor` of Chen", Kind::Monitor, || Watching::boxed(chen)),
        ("`Monitor` of fixed timeouts", Kind::Monitor, || Watching::boxed(fixed)),
        ("φ alone", Kind::Bare, || Bare::boxed(phi)),
        ("Chen alone", Kind::Bare, || Bare::boxed(chen)),
        ("fixed timeouts alone", Kind::Bare, || Bare::boxed(fixed)),
        ("phi-accrual-failure-detector 0.1", Kind::Peer, || {
            Bare::boxed(|| Ok(PhiAccrualFailureDetector::defaults()?))
        }),
        ("chitchat's formula", Kind::Peer, || Bare::boxed(|| Ok(Chitchat::new()))),
    ]
}

fn phi() -> Made<PhiAccrual<ExponentiallyWeighted>> {
    let config = PhiConfig::for_interval(INTERVAL);
    Ok(PhiAccrual::with_storage(config, ExponentiallyWeighted::over(1000))?)
}

fn chen() -> Made<Chen<Box<[i64]>>> {
    let config = ChenConfig { interval: INTERVAL, safety_margin: INTERVAL / 4 };
    Ok(Chen::with_storage(config, boxed())?)
}

fn fixed() -> Made<FixedTimeout> {
    Ok(FixedTimeout::new(INTERVAL * 5 / 4)?)
}

/// A detector for each peer, by which it is suspected and nothing else.
struct Bare<C>(Vec<C>);

impl<C: Contender + 'static> Bare<C> {
    fn boxed(detector: impl Fn() -> Made<C>) -> Made<Box<dyn Observer>> {
        let detectors = (0..PEERS).map(|_| detector()).collect::<Made<_>>()?;
        Ok(Box::new(Self(detectors)))
    }
}

impl<C: Contender> Observer for Bare<C> {
    fn heartbeat(&mut self, peer: u32, sequence: u64, now: Instant) {
        if let Some(detector) = self.0.get_mut(index(peer)) {
            detector.heartbeat(sequence, now);
        }
    }

    fn poll(&mut self, _now: Instant) {}

    fn suspects(&self, peer: u32, now: Instant) -> bool {
        self.0.get(index(peer)).is_some_and(|detector| detector.verdict(now) == Verdict::Suspect)
    }
}

/// A monitor, and whom it said it suspects.
struct Watching<D> {
    monitor: Monitor<u32, D>,
    suspected: Vec<bool>,
}

impl<D: FailureDetector + 'static> Watching<D> {
    fn boxed(detector: impl Fn() -> Made<D>) -> Made<Box<dyn Observer>> {
        let mut monitor = Monitor::new(MonitorConfig::default())?;
        for peer in 0..PEERS {
            monitor.watch(peer, detector()?, Instant::ORIGIN)?;
        }
        Ok(Box::new(Self { monitor, suspected: vec![false; index(PEERS)] }))
    }
}

impl<D: FailureDetector> Observer for Watching<D> {
    fn heartbeat(&mut self, peer: u32, sequence: u64, now: Instant) {
        self.monitor.heartbeat(&peer, 1, sequence, now).expect("it is watched");
    }

    fn poll(&mut self, now: Instant) {
        for event in self.monitor.poll(now) {
            let (peer, is_suspected) = match event {
                Event::Suspected { peer, .. } => (peer, true),
                Event::Trusted { peer, .. } => (peer, false),
                _ => continue,
            };
            if let Some(suspected) = self.suspected.get_mut(index(peer)) {
                *suspected = is_suspected;
            }
        }
    }

    fn suspects(&self, peer: u32, _now: Instant) -> bool {
        self.suspected.get(index(peer)).is_some_and(|&suspected| suspected)
    }
}

fn index(peer: u32) -> usize {
    usize::try_from(peer).expect("there are few of them")
}
