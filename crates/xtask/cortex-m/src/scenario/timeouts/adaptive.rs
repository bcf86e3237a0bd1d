use core::{fmt, time::Duration};

use surmise_time::Instant;
use surmise_timeout::{
    AdaptiveTimeout, AdaptiveTimeoutConfig, Hedge, HedgeOutcome, Outcome, Quantile, Ratio,
    RetryBudget, RetryBudgetConfig,
};

use super::{Random, Report, latency};

/// Reports a timeout that is told of all kinds of outcomes, and what a hedge makes of those.
pub(super) fn run(report: &mut Report<'_>) -> fmt::Result {
    let [floor, ceiling] = [1, 10_000].map(Duration::from_millis);
    let config = AdaptiveTimeoutConfig {
        factor: Ratio::from_percent(130),
        max_age: Some(Duration::from_secs(20)),
        prior: Duration::from_secs(1),
        ..AdaptiveTimeoutConfig::of(Quantile::P90, floor, ceiling)
    };
    let mut random = Random::new(51);
    let mut now = Instant::ORIGIN;
    let mut hedge = Hedge::<200>::p95(floor, ceiling);
    let mut timeout = AdaptiveTimeout::<200>::new(config);
    let budget = RetryBudgetConfig { ratio: Ratio::from_percent(5), burst: 3, initial: 1 };
    let (Ok(timeout), Ok(hedge), Ok(mut budget)) =
        (&mut timeout, &mut hedge, RetryBudget::new(budget))
    else {
        return report.text("adaptive_config", 0, format_args!("refused"));
    };
    for number in 0..CALLS {
        now += latency(&mut random);
        timeout.advance(now);
        let wait = timeout.draw(random.next());
        let took = latency(&mut random);
        timeout.record(match random.below(20) {
            0 => Outcome::FailedFast,
            1 => Outcome::Cancelled(took),
            _ if took < wait => Outcome::Completed(took),
            _ => Outcome::TimedOut(wait),
        });
        report.value("adaptive", number, &(wait, timeout.current(), timeout.calls()))?;

        budget.deposit();
        let backed_up = took > hedge.delay() && hedge.issue(&mut budget).is_ok();
        let backup = took.saturating_sub(hedge.delay());
        hedge.record(match random.below(3) {
            0 if backed_up => HedgeOutcome::BackupWon { primary: took, backup },
            _ if backed_up => HedgeOutcome::PrimaryWon { primary: took, backup },
            _ => HedgeOutcome::Alone(Outcome::Completed(took)),
        });
        report.value("hedge", number, &(hedge.delay(), hedge.counters(), budget.available()))?;
    }
    Ok(())
}

const CALLS: u64 = 500;
