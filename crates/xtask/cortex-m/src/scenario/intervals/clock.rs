use core::{fmt, time::Duration};

use surmise_interval::{CommitWait, Drift, Interval, IntervalClock, IntervalClockConfig, Sample};
use surmise_time::{Instant, WallTime};

use super::{Random, Report};

/// Reports a clock whose source is asked now and then, steps at times, and falls silent; and how long
/// timestamps of its time have to be waited for.
pub(super) fn run(report: &mut Report<'_>) -> fmt::Result {
    let config = IntervalClockConfig {
        free_running_after: Duration::from_secs(40),
        unsynchronized_after: Duration::from_secs(300),
    };
    let mut random = Random::new(32);
    let mut clock = IntervalClock::new(config);
    let mut boot = Instant::from_nanos(1 << 40);
    let mut wall = WallTime::from_nanos(1_795_230_725_126_147_368);
    let mut last = WallTime::UNIX_EPOCH;
    for number in 0..STEPS {
        let step = Duration::from_nanos(random.next() >> (27 + random.below(32)));
        // The monotonic clock drifts, by no more than the source's samples say.
        boot = boot + step + step / (10_000 + random.below(1_000_000) as u32);
        wall += step;
        match random.below(16) {
            0..=4 => {
                let uncertainty = Duration::from_nanos(random.next() >> (40 + random.below(16)));
                let gap = Duration::from_nanos(random.below(2_000_000));
                let interval = Interval::around(wall, uncertainty);
                let sample = Sample::asked_between(interval, boot - gap, boot, Drift::SPANNER);
                report.value("synchronize", number, &clock.synchronize(sample))?;
            }
            // It steps, which contradicts what was known.
            5 => wall += Duration::from_secs(random.below(3)),
            6 if random.below(4) == 0 => clock.disrupt(boot),
            _ => {}
        }
        report.value("interval_clock", number, &clock.now(boot))?;
        report.value("interval_status", number, &clock.status(boot))?;
        // A reading that is older than the last sample, too.
        let earlier = boot - Duration::from_nanos(random.below(5_000_000));
        if let Ok(interval) = clock.now(earlier) {
            let commit = CommitWait::following(last, &interval);
            last = commit.timestamp();
            let remaining = commit.remaining(&clock, earlier);
            report.value("commit_wait", number, &(last, remaining))?;
            let over = remaining.and_then(|wait| clock.now(earlier + wait));
            report.value("commit_over", number, &over.map(|now| commit.is_over(&now)))?;
        }
    }
    Ok(())
}

const STEPS: u64 = 300;
