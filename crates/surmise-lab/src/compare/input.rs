//! The traces that a command is given, made ready for replay.

use core::time::Duration;
use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::{error::CompareError, names, timeline::Timeline};
use crate::{
    arguments::time,
    trace::{self, ReadOptions, Trace},
};

/// What to read, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a> {
    /// The files; the traces that come with this program if there are none.
    pub(crate) traces: &'a [PathBuf],
    /// The time between pings, for `ping` output without stamps.
    pub(crate) interval: Option<Duration>,
    /// Whether both times of a heartbeat are read from one clock.
    pub(crate) same_clock: bool,
    /// The longest time that detectors will be given, in nanoseconds.
    pub(crate) longest: u64,
}

impl Input<'_> {
    /// Reads the traces, and makes them ready for replay. Notes go to the standard error.
    pub(crate) fn load(&self) -> Result<Vec<(Trace, Timeline)>, CompareError> {
        self.load_unless(Err)
    }

    /// Does what [`load`](Self::load) does, and asks `refuse` what to do about a file of which no trace can be replayed:
    /// to go on without it, or to fail.
    pub(crate) fn load_unless(
        &self,
        mut refuse: impl FnMut(CompareError) -> Result<(), CompareError>,
    ) -> Result<Vec<(Trace, Timeline)>, CompareError> {
        let options = self.interval.map_or_else(ReadOptions::default, ReadOptions::with_interval);
        if self.traces.is_empty() {
            return self.timelines(trace::shipped());
        }
        let mut loaded = Vec::new();
        for path in self.traces {
            let mut traces = trace::read(path, &options)?;
            rename(&mut traces, path, self.traces);
            if let Some(note) = note_on_times(path, &traces, self.interval) {
                let _ = writeln!(io::stderr(), "surmise-lab: {note}");
            }
            match self.timelines(traces) {
                Ok(usable) => loaded.extend(usable),
                Err(error) => refuse(error)?,
            }
        }
        Ok(loaded)
    }

    /// Makes the traces of one file ready for replay, at least one of them.
    fn timelines(&self, traces: Vec<Trace>) -> Result<Vec<(Trace, Timeline)>, CompareError> {
        let mut usable = Vec::new();
        let mut refused = Vec::new();
        for trace in traces {
            match Timeline::new(&trace, self.same_clock, self.longest) {
                Ok(timeline) => usable.push((trace, timeline)),
                Err(error) => refused.push(CompareError::Timeline { trace: trace.name, error }),
            }
        }
        let mut refused = refused.into_iter();
        if usable.is_empty() {
            return refused.next().map_or(Ok(usable), Err);
        }
        // Sessions that are too short do not stand in the way of the file's others.
        for error in refused {
            let _ = writeln!(io::stderr(), "surmise-lab: left out: {error}");
        }
        Ok(usable)
    }
}

/// Names the traces of one file so that those of the others are called something else.
fn rename(traces: &mut [Trace], path: &Path, all: &[PathBuf]) {
    let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let name = names::short_name(path, all);
    for trace in traces {
        let session = trace.name.strip_prefix(&*file).unwrap_or_default();
        trace.name = format!("{name}{session}");
    }
}

/// Says where the times of a file's traces are from, if that is not plain.
fn note_on_times(path: &Path, traces: &[Trace], given: Option<Duration>) -> Option<String> {
    let path = path.display();
    match (traces.iter().find_map(|trace| trace.assumed_interval), given) {
        (Some(assumed), _) => {
            let interval = humantime::format_duration(assumed);
            Some(format!(
                "{path} has no time stamps: assuming one ping every {interval} (--interval)"
            ))
        }
        (None, Some(_)) => Some(format!("{path} has times of its own: --interval is ignored")),
        (None, None) => None,
    }
}

/// Reads the time between two pings.
pub(crate) fn parse_interval(text: &str) -> Result<Duration, String> {
    match time(text)? {
        Duration::ZERO => Err("it must be longer than zero".to_owned()),
        interval => Ok(interval),
    }
}
