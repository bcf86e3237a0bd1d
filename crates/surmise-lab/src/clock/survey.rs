use std::thread;

use surmise_interval::{
    Sample,
    select::{self, Candidate, Selection},
};
use surmise_time::{Instant, MonotonicClock, WallClock, WallTime};

use super::{
    probe::{Probe, Report, Vote},
    view::{Row, Selected, Status, TimeView, View, nanos},
};

// All of this counts in boot time, where there is one.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) use surmise_time::BootClock as Boot;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) use surmise_time::OsClock as Boot;

/// Several sources, and what each last answered.
pub(super) struct Survey {
    entries: Vec<Entry>,
}

struct Entry {
    probe: Box<dyn Probe>,
    last: Option<(Instant, Report)>,
}

impl Survey {
    /// Creates a survey that has asked nobody.
    pub(super) fn new(probes: Vec<Box<dyn Probe>>) -> Self {
        let entry = |probe| Entry { probe, last: None };
        Self { entries: probes.into_iter().map(entry).collect() }
    }

    /// Asks every source that is not to be left alone, all at the same time, and waits for them.
    ///
    /// If one tells that the machine was disrupted, all answers are dropped, and all are asked anew.
    pub(super) fn ask(&mut self, clock: &(impl MonotonicClock + Sync)) {
        for _ in 0..ATTEMPTS {
            self.ask_all(clock);
            if !self.entries.iter().any(|entry| entry.probe.tells_of_disruption()) {
                break;
            }
            let now = clock.now();
            for entry in &mut self.entries {
                entry.last = None;
                entry.probe.disrupted(now);
            }
        }
    }

    fn ask_all(&mut self, clock: &(impl MonotonicClock + Sync)) {
        thread::scope(|scope| {
            for entry in &mut self.entries {
                if entry.is_due(clock.now()) {
                    scope.spawn(move || entry.ask(clock));
                }
            }
        });
    }

    /// Returns what the sources say of one moment.
    pub(super) fn view(&self, moment: Moment) -> View {
        let candidates = self.candidates(moment.at);
        let selection = select::majority(&candidates);
        let status = |index, entry: &Entry| match &selection {
            _ if entry.sample().is_none() => Status::Silent,
            _ if candidates.iter().all(|candidate| candidate.name != index) => Status::Uncounted,
            Ok(selection) if selection.truechimers.contains(&index) => Status::Agrees,
            Ok(_) => Status::Falseticker,
            Err(_) => Status::Answered,
        };
        let rows = self.entries.iter().enumerate();
        let rows = rows.map(|(index, entry)| entry.row(moment, status(index, entry))).collect();
        let marzullo = select::marzullo(&candidates).ok();
        let name = |selection| self.name(&selection, moment.wall);
        View::new(moment.wall, rows, selection.map(name), marzullo.map(name))
    }

    /// Returns what those that answered and are counted say of one instant, by their places.
    fn candidates(&self, at: Instant) -> Vec<Candidate<usize>> {
        let speaker = self.speaker();
        let candidate = |(name, entry): (usize, &Entry)| {
            if entry.probe.vote() != Vote::Own && speaker != Some(name) {
                return None;
            }
            let (interval, smearing) = (entry.sample()?.interval_at(at), entry.probe.smearing());
            Some(Candidate { name, interval, smearing })
        };
        self.entries.iter().enumerate().filter_map(candidate).collect()
    }

    /// Returns who is counted of those that tell of the system clock.
    fn speaker(&self) -> Option<usize> {
        let rank = |(name, entry): (usize, &Entry)| match entry.probe.vote() {
            Vote::SystemClock(rank) if entry.sample().is_some() => Some((rank, name)),
            _ => None,
        };
        self.entries.iter().enumerate().filter_map(rank).min().map(|(_, name)| name)
    }

    /// Puts names in the place of places.
    fn name(&self, selection: &Selection<usize>, wall: WallTime) -> Selected {
        let names = |chosen: &[usize]| {
            let name = |&index: &usize| Some(self.entries.get(index)?.probe.name().to_owned());
            chosen.iter().filter_map(name).collect()
        };
        Selected {
            time: TimeView::new(&selection.interval, wall),
            agreeing: names(&selection.truechimers),
            falsetickers: names(&selection.falsetickers),
        }
    }
}

impl Entry {
    fn is_due(&self, now: Instant) -> bool {
        self.last.as_ref().is_none_or(|(asked, _)| now - *asked >= self.probe.pause())
    }

    fn ask(&mut self, clock: &impl MonotonicClock) {
        let report = self.probe.ask(clock);
        self.last = Some((clock.now(), report));
    }

    /// Returns what was answered, if that was the time.
    fn sample(&self) -> Option<&Sample> {
        self.last.as_ref()?.1.answer.as_ref().ok()
    }

    fn row(&self, moment: Moment, status: Status) -> Row {
        let time = self.sample().map(|sample| sample.interval_at(moment.at));
        let (source, time) = (
            self.probe.name().to_owned(),
            time.map(|interval| TimeView::new(&interval, moment.wall)),
        );
        let Some((asked, Report { answer, age, details })) = &self.last else {
            return Row { source, status, time, age_ns: None, error: None, details: String::new() };
        };
        let since = moment.at - *asked;
        Row {
            source,
            status,
            time,
            age_ns: age.map(|age| nanos(age.saturating_add(since))),
            error: answer.as_ref().err().map(ToString::to_string),
            details: details.clone(),
        }
    }
}

/// One moment on two clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) at: Instant,
    pub(super) wall: WallTime,
}

impl Moment {
    /// Reads both clocks, as closely together as it succeeds in a few attempts.
    pub(super) fn read(clock: &impl MonotonicClock, wall_clock: &impl WallClock) -> Self {
        let read = |_| {
            let at = clock.now();
            let wall = wall_clock.now();
            (clock.now() - at, Self { at, wall })
        };
        let closest = (0..ATTEMPTS).map(read).min_by_key(|(gap, _)| *gap);
        closest.map_or_else(|| read(0).1, |(_, moment)| moment)
    }
}

/// How often something is tried that others can get in the way of.
const ATTEMPTS: u32 = 5;

#[cfg(test)]
mod tests;
