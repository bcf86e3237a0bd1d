use core::{fmt, time::Duration};

use surmise_interval::{Drift, Interval, Sample};
use surmise_time::{Instant, WallTime};

use super::{Random, Report};

/// Reports drifts, intervals and samples of all magnitudes.
pub(super) fn run(report: &mut Report<'_>) -> fmt::Result {
    let mut random = Random::new(31);
    for number in 0..STEPS {
        let drift = drift(report, number, &mut random)?;
        let [first, second] = [interval(&mut random), interval(&mut random)];
        report.value("interval", number, &first)?;
        report.value("interval_around", number, &(first.middle(), first.uncertainty()))?;
        let relations = (first.definitely_before(&second), first.overlaps(&second));
        report.value("intervals", number, &relations)?;
        report.value("intersection", number, &first.intersect(&second))?;
        let around = Interval::around(second.middle(), Duration::from_nanos(nanos(&mut random)));
        report.text("interval_text", number, format_args!("{around}"))?;

        let [before, after, now] = [(); 3].map(|()| Instant::from_nanos(nanos(&mut random)));
        let sample = Sample::asked_between(first, before, after, drift);
        report.value("sample", number, &(sample.interval(), sample.drift()))?;
        report.value("interval_at", number, &sample.interval_at(now))?;
    }
    Ok(())
}

/// Reports what a drift comes to, at most and at least.
fn drift(report: &mut Report<'_>, number: u64, random: &mut Random) -> Result<Drift, fmt::Error> {
    let named = [Drift::NTP, Drift::QUARTZ, Drift::SPANNER, Drift::MAX];
    let ppb = (random.next() >> (32 + random.below(32))) as u32;
    let made = Drift::from_ppb(ppb);
    report.value("drift", number, &made)?;
    let drift = made.unwrap_or(named[random.below(4) as usize]);
    let time = match number % 16 {
        0 => Duration::MAX,
        _ => Duration::from_nanos(nanos(random)),
    };
    report.value("drift_over", number, &drift.over(time))?;
    report.value("drift_to_pass", number, &drift.to_pass(time))?;
    Ok(drift)
}

fn interval(random: &mut Random) -> Interval {
    let [a, b] = [(); 2].map(|()| WallTime::from_nanos(nanos(random)));
    Interval::new(a.min(b), a.max(b)).expect("it begins before it ends")
}

/// Short times are as frequent as long ones, and the end of time is near at times.
fn nanos(random: &mut Random) -> u64 {
    let nanos = random.next() >> random.below(64);
    if random.below(8) == 0 { u64::MAX - nanos } else { nanos }
}

const STEPS: u64 = 300;
