use core::{fmt, time::Duration};

use surmise_timeout::{
    Outcome, Quantile,
    rtt::{QuicRtt, QuicRttConfig, RttConfig, RttEstimator},
    textbook::{P99AndDeviation, TwiceP99},
    window::{BucketedWindow, ExactWindow},
};

use super::{Random, Report, latency};

/// Reports estimators of round trips and quantiles, and the timeouts of the textbooks.
pub(super) fn run(report: &mut Report<'_>) -> fmt::Result {
    let (Ok(mut tcp), Ok(mut quic)) =
        (RttEstimator::new(RttConfig::default()), QuicRtt::new(QuicRttConfig::default()))
    else {
        return report.text("rtt_config", 0, format_args!("refused"));
    };
    let mut random = Random::new(53);
    let mut exact = ExactWindow::<100>::new();
    let mut bucketed = BucketedWindow::<100>::new(Quantile::P95, 1000);
    let (mut twice, mut deviation) = (TwiceP99::new(), P99AndDeviation::new());
    for number in 0..SAMPLES {
        let rtt = latency(&mut random);
        if random.below(10) == 0 {
            tcp.timed_out();
            quic.timed_out();
        }
        let transmissions = 1 + u32::from(random.below(5) == 0);
        tcp.update(rtt, transmissions);
        quic.update(rtt, Duration::from_nanos(random.below(30_000_000)));
        if random.below(4) == 0 {
            quic.acknowledged();
        }
        report.value("rto", number, &(tcp.rto(), tcp.smoothed_rtt(), tcp.rttvar()))?;
        report.value("pto", number, &(quic.pto(), quic.smoothed_rtt(), quic.rttvar()))?;

        let nanos = u64::try_from(rtt.as_nanos()).unwrap_or(u64::MAX);
        exact.push(nanos);
        bucketed.push(nanos);
        let exact = (exact.nearest_rank(Quantile::P95), exact.linear(Quantile::P95));
        report.value("quantiles", number, &(exact, bucketed.quantile()))?;
        let outcome =
            if random.below(9) == 0 { Outcome::TimedOut(rtt) } else { Outcome::Completed(rtt) };
        twice.record(outcome);
        deviation.record(outcome);
        report.value("textbook", number, &(twice.current(), deviation.current()))?;
    }
    Ok(())
}

const SAMPLES: u64 = 300;
