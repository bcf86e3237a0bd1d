//! What every detector must do, whatever it has learned.

use core::{fmt::Debug, time::Duration};

use arbitrary::Arbitrary;
use surmise_detector::{AccrualDetector, Beat, FailureDetector, Verdict};
use surmise_time::Instant;

/// A call to a detector.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Op {
    Heartbeat { sequence: Sequence, now: Moment, queued: bool },
    Restart,
    Query { now: Moment },
}

/// A sequence number: any, or one near the highest seen.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Sequence {
    Any(u64),
    Next,
    Skip(u8),
    Behind(u8),
}

/// A time: any, or one near the newest heartbeat or the deadline.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) enum Moment {
    Any(u64),
    AfterBeat(u32),
    MillisAfterBeat(u16),
    BeforeBeat(u32),
    AtDeadline,
    AfterDeadline(u32),
}

/// Makes the calls and checks each result.
pub(crate) fn drive<D: FailureDetector + Debug>(detector: D, ops: &[Op]) {
    drive_with(detector, ops, |_, _, _| ());
}

/// Makes the calls and checks each result, and the levels of suspicion.
pub(crate) fn drive_accrual<D: AccrualDetector + Debug>(detector: D, threshold: f64, ops: &[Op]) {
    drive_with(detector, ops, |detector, seen, times| {
        check_levels(detector, times);
        if let Some(newest) = seen {
            check_threshold(detector, newest.at, threshold);
        }
    });
}

fn drive_with<D: FailureDetector + Debug>(
    mut detector: D,
    ops: &[Op],
    check_levels: impl Fn(&D, Option<Newest>, &[Instant]),
) {
    let mut seen: Option<Newest> = None;
    for &op in ops {
        let deadline = detector.deadline();
        let probe = match op {
            Op::Query { now } => now.resolve(seen, deadline),
            Op::Restart => {
                detector.restart();
                seen = None;
                Instant::ORIGIN
            }
            Op::Heartbeat { sequence, now, queued } => {
                let (sequence, now) = (sequence.resolve(seen), now.resolve(seen, deadline));
                seen = Some(beat(&mut detector, seen, sequence, now, queued));
                now
            }
        };
        check_deadline(&detector, seen);
        let times = times(&detector, seen, probe);
        for &now in &times {
            assert_eq!(detector.verdict(now), expected_verdict(detector.deadline(), now));
        }
        check_levels(&detector, seen, &times);
    }
}

/// The newest heartbeat.
#[derive(Clone, Copy)]
struct Newest {
    sequence: u64,
    at: Instant,
}

/// Hands over a heartbeat and returns which is the newest then.
fn beat<D: FailureDetector + Debug>(
    detector: &mut D,
    seen: Option<Newest>,
    sequence: u64,
    now: Instant,
    queued: bool,
) -> Newest {
    let hear = |detector: &mut D| match queued {
        false => detector.heartbeat(sequence, now),
        true => detector.queued_heartbeat(sequence, now),
    };
    let Some(newest) = seen else {
        assert_eq!(hear(detector), Beat::First);
        return Newest { sequence, at: now };
    };
    if sequence <= newest.sequence {
        let before = format!("{detector:?}");
        let expected = match newest.sequence {
            highest if highest == sequence => Beat::Duplicate,
            highest => Beat::Stale { highest },
        };
        assert_eq!(hear(detector), expected);
        assert_eq!(format!("{detector:?}"), before, "an ignored heartbeat changes nothing");
        return newest;
    }
    // Where the clock has stepped back, it arrived together with the one before it.
    let at = now.max(newest.at);
    let lost = sequence - newest.sequence - 1;
    let suspected = detector.deadline().is_some_and(|deadline| at > deadline);
    assert_eq!(hear(detector), Beat::Fresh { lost, suspected });
    Newest { sequence, at }
}

fn check_deadline(detector: &impl FailureDetector, seen: Option<Newest>) {
    match (seen, detector.deadline()) {
        (None, deadline) => assert_eq!(deadline, None),
        (Some(_), None) => panic!("after a heartbeat there is a deadline"),
        (Some(newest), Some(deadline)) => assert!(deadline >= newest.at, "{deadline}"),
    }
}

fn expected_verdict(deadline: Option<Instant>, now: Instant) -> Verdict {
    match deadline {
        None => Verdict::Unknown,
        Some(deadline) if now <= deadline => Verdict::Trust,
        Some(_) => Verdict::Suspect,
    }
}

/// Checks levels of suspicion at times that do not fall.
fn check_levels<D: AccrualDetector>(detector: &D, times: &[Instant]) {
    let mut least = 0.0;
    for &now in times {
        let level = detector.suspicion_level(now);
        assert!(level.is_finite(), "a level of {level} at {now}");
        assert!(level >= least, "the level falls from {least} to {level} at {now}");
        assert!(detector.deadline().is_some() || level == 0.0, "{level} without a heartbeat");
        least = level;
    }
}

/// Checks that the level crosses the threshold at the deadline, but for what rounding does.
fn check_threshold(detector: &impl AccrualDetector, newest: Instant, threshold: f64) {
    let Some(deadline) = detector.deadline() else { panic!("there was a heartbeat") };
    let patience = deadline - newest;
    let rounding = Duration::from_nanos(2) + patience / 1_000_000_000;
    let before = detector.suspicion_level(deadline - rounding);
    // A deadline is at least a nanosecond ahead, however low the threshold.
    assert!(
        patience <= rounding || before <= threshold * (1.0 + 1e-6),
        "a level of {before} before the deadline, where it becomes {threshold}"
    );
    let after = detector.suspicion_level(deadline + rounding);
    // Nor is it more than 26 days ahead, or beyond the clock's end.
    let is_cut_short = patience >= MAX_PATIENCE || deadline + rounding == Instant::MAX;
    assert!(
        is_cut_short || after >= threshold * (1.0 - 1e-6),
        "a level of {after} after the deadline, where it became {threshold}"
    );
}

/// Returns the times worth a look, in order.
fn times(detector: &impl FailureDetector, seen: Option<Newest>, probe: Instant) -> Vec<Instant> {
    let beat = seen.map_or(0, |newest| newest.at.as_nanos());
    let deadline = detector.deadline().map_or(0, Instant::as_nanos);
    let mut times = vec![0, beat, probe.as_nanos(), u64::MAX];
    times.extend([deadline.saturating_sub(1), deadline, deadline.saturating_add(1)]);
    times.sort_unstable();
    times.into_iter().map(Instant::from_nanos).collect()
}

impl Sequence {
    fn resolve(self, seen: Option<Newest>) -> u64 {
        let highest = seen.map_or(0, |newest| newest.sequence);
        match self {
            Self::Any(sequence) => sequence,
            Self::Next => highest.saturating_add(1),
            Self::Skip(lost) => highest.saturating_add(1).saturating_add(lost.into()),
            Self::Behind(by) => highest.saturating_sub(by.into()),
        }
    }
}

impl Moment {
    fn resolve(self, seen: Option<Newest>, deadline: Option<Instant>) -> Instant {
        let beat = seen.map_or(0, |newest| newest.at.as_nanos());
        let deadline = deadline.map_or(0, Instant::as_nanos);
        Instant::from_nanos(match self {
            Self::Any(now) => now,
            Self::AfterBeat(nanos) => beat.saturating_add(nanos.into()),
            Self::MillisAfterBeat(millis) => beat.saturating_add(u64::from(millis) * 1_000_000),
            Self::BeforeBeat(nanos) => beat.saturating_sub(nanos.into()),
            Self::AtDeadline => deadline,
            Self::AfterDeadline(nanos) => deadline.saturating_add(nanos.into()),
        })
    }
}

/// The longest that an accrual detector waits.
const MAX_PATIENCE: Duration = Duration::from_nanos(1 << 51);
