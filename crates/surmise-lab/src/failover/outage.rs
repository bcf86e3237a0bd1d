//! How long it took to find out that a leader was lost, and to have another.

mod lost;
mod spread;
#[cfg(test)]
mod tests;

use serde::Serialize;

pub(super) use self::{lost::outages, spread::Spread};
use super::{setup::Timing, wire::Network};
use crate::processes::nanos;

/// A time in which a leader did not reach the others, in nanoseconds since it began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Outage {
    pub(super) node: usize,
    pub(super) how: Loss,
    /// How many nodes there are, of which a majority is to suspect it.
    pub(super) nodes: usize,
    /// The nodes that heard nothing of it any more, all the time.
    pub(super) observers: Vec<Observer>,
    /// When a majority suspected it, as the first who counted the votes saw it.
    pub(super) convicted_ns: Option<u64>,
    /// When it was back, or the run over.
    pub(super) lasted_ns: u64,
    pub(super) is_back: bool,
    /// Whether it was back before another led, and had something written by the same lease.
    pub(super) went_on: bool,
    /// When a later leader had a write acknowledged.
    pub(super) replaced_ns: Option<u64>,
}

/// How a leader was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Loss {
    Killed,
    Stopped,
    /// From the majority, or from the store.
    CutOff,
}

/// A node that should suspect a leader that was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Observer {
    pub(super) node: usize,
    /// When it did, for as long as the leader was lost.
    pub(super) suspected_ns: Option<u64>,
}

/// The contract on detection: what each observer promises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Promise {
    pub(super) detection_ns: u64,
    /// The law of what datagrams take. Its mean comes on top, for an observer knows only when heartbeats arrive; so it is not
    /// judged then what was late.
    pub(super) plus_delay: Option<String>,
}

impl Outage {
    /// Returns the detection times of all who had the time that is promised, or suspected it before.
    pub(super) fn detections(&self, promise: &Promise) -> impl Iterator<Item = Option<u64>> {
        let had_time = self.had_time(promise);
        let times = self.observers.iter().map(|observer| observer.suspected_ns);
        times.filter(move |time| time.is_some() || had_time)
    }

    /// Returns the time until a majority suspected it, if one was there and had the time to.
    pub(super) fn conviction(&self, promise: &Promise) -> Option<Option<u64>> {
        let is_expected = self.has_majority() && self.had_time(promise);
        (is_expected || self.convicted_ns.is_some()).then_some(self.convicted_ns)
    }

    /// Returns the time until another had a write acknowledged, unless none had to.
    pub(super) fn failover(&self) -> Option<Option<u64>> {
        (!self.went_on).then_some(self.replaced_ns)
    }

    /// Returns how many suspected it later than promised, or never.
    pub(super) fn late(&self, promise: &Promise) -> usize {
        self.detections(promise).filter(|time| promise.is_broken_by(*time)).count()
    }

    /// Returns whether those who can tell are a majority.
    pub(super) const fn has_majority(&self) -> bool {
        self.observers.len() > self.nodes / 2
    }

    fn had_time(&self, promise: &Promise) -> bool {
        self.lasted_ns > promise.detection_ns
    }
}

impl Promise {
    pub(super) fn new(timing: Timing, network: &Network) -> Self {
        Self { detection_ns: nanos(timing.detection), plus_delay: network.delay.clone() }
    }

    fn is_broken_by(&self, time: Option<u64>) -> bool {
        self.plus_delay.is_none() && time.is_none_or(|time| time > self.detection_ns)
    }
}
