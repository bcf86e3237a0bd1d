//! The sender and its network, in true time.

use core::time::Duration;

use surmise_time::Instant;

use crate::{AfterStall, Scenario, law::Dice};

/// Sends the heartbeats of a scenario, in order of sequence.
#[derive(Debug)]
pub(crate) struct Sender<'a> {
    scenario: &'a Scenario,
    /// How many have been sent.
    index: u64,
    /// By how much the schedule has shifted.
    shift: Duration,
    /// When the last stall that the sender caught up with ended.
    stalled_until: Instant,
    /// Whether the network is in its bad state.
    bad: bool,
    delay: Dice,
    loss: Dice,
    duplication: Dice,
    overtaking: Dice,
    stalls: Dice,
}

/// A heartbeat on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flight {
    pub(crate) sequence: u64,
    pub(crate) sent: Instant,
    /// When it lands, unless it is lost.
    pub(crate) lands: Option<Instant>,
    /// When its copy lands, if it is doubled.
    pub(crate) copy_lands: Option<Instant>,
}

impl<'a> Sender<'a> {
    pub(crate) fn new(scenario: &'a Scenario) -> Self {
        let dice = |stream| Dice::new(scenario.seed, stream);
        Self {
            scenario,
            index: 0,
            shift: Duration::ZERO,
            stalled_until: Instant::ORIGIN,
            bad: false,
            delay: dice(0),
            loss: dice(1),
            duplication: dice(2),
            overtaking: dice(3),
            stalls: dice(4),
        }
    }

    /// Returns when the next heartbeat is sent, after the stalls that begin as it falls due.
    fn send(&mut self) -> Instant {
        let interval = u64::try_from(self.scenario.interval.as_nanos()).unwrap_or(u64::MAX);
        let offset = Duration::from_nanos(interval.saturating_mul(self.index));
        let due = self.scenario.start + offset + self.shift;

        let stalls = &self.scenario.stalls;
        let struck = self.stalls.chance(stalls.probability);
        let random = stalls.length.draw(&mut self.stalls);
        let scheduled = stalls.scheduled.iter().filter(|stall| stall.before == self.index);
        let length = scheduled.fold(if struck { random } else { Duration::ZERO }, |sum, stall| {
            sum.saturating_add(stall.length)
        });
        match stalls.after {
            AfterStall::Shift => self.shift = self.shift.saturating_add(length),
            // A stall that begins during another one ends with it or later.
            AfterStall::CatchUp => self.stalled_until = self.stalled_until.max(due + length),
        }
        self.stalled_until.max(due + length)
    }
}

impl Iterator for Sender<'_> {
    type Item = Flight;

    fn next(&mut self) -> Option<Flight> {
        let scenario = self.scenario;
        if self.index >= scenario.beats {
            return None;
        }
        let sequence = scenario.first_sequence.checked_add(self.index)?;
        let sent = self.send();
        self.index += 1;

        // Each law draws for every heartbeat, lost or not, so that none disturbs another.
        let lost = scenario.loss.draw(&mut self.bad, &mut self.loss);
        let delay = scenario.delay.draw(&mut self.delay);
        let overtaken = self.overtaking.chance(scenario.overtaking);
        let doubled = self.duplication.chance(scenario.duplication);
        let copy_delay = scenario.delay.draw(&mut self.duplication);

        let held = if overtaken { scenario.interval } else { Duration::ZERO };
        let lands = (!lost).then(|| sent + delay + held + held / 2);
        let copy_lands = (!lost && doubled).then(|| sent + copy_delay);
        Some(Flight { sequence, sent, lands, copy_lands })
    }
}
