use core::{fmt, time::Duration};

use surmise_time::Instant;
use surmise_timeout::{
    Ratio, RetryThrottle, RetryThrottleConfig,
    backoff::{Backoff, BackoffConfig, Jitter},
};

use super::{Random, Report};

/// Reports delays with every jitter, at the first attempts and at the last there can be, and a throttle.
pub(super) fn run(report: &mut Report<'_>) -> fmt::Result {
    let mut random = Random::new(52);
    let jitters = [
        Jitter::None,
        Jitter::Full,
        Jitter::Equal,
        Jitter::Decorrelated,
        Jitter::PlusMinus(Ratio::from_percent(20)),
    ];
    for (kind, jitter) in (0..).zip(jitters) {
        let Ok(backoff) = Backoff::new(BackoffConfig { jitter, ..BackoffConfig::aws() }) else {
            report.text("backoff_config", kind, format_args!("refused"))?;
            continue;
        };
        for attempt in (0..40).chain([1000, u32::MAX - 1, u32::MAX]) {
            let delay = backoff.delay(attempt, random.next());
            report.value("backoff", attempt.into(), &(kind, delay, backoff.envelope(attempt)))?;
        }
        let mut now = Instant::ORIGIN;
        let mut retries = backoff.retries(30).until(now + Duration::from_secs(60));
        while let Some(delay) = retries.next_delay(now, random.next(), None) {
            report.value("retry", retries.made().into(), &(kind, delay))?;
            now += delay;
        }
    }
    throttle(report, &mut random)
}

fn throttle(report: &mut Report<'_>, random: &mut Random) -> fmt::Result {
    let config = RetryThrottleConfig { max_tokens: 10, token_ratio: Ratio::from_percent(10) };
    let Ok(mut throttle) = RetryThrottle::new(config) else {
        return report.text("throttle_config", 0, format_args!("refused"));
    };
    for number in 0..200 {
        if random.below(8) == 0 {
            throttle.record_failure();
        } else {
            throttle.record_success();
        }
        report.value("throttle", number, &throttle.permits_retry())?;
    }
    Ok(())
}
