//! Round-trip times in exact fractions for TCP, and in wide integers for QUIC.

use core::time::Duration;

use arbitrary::Arbitrary;
use surmise_timeout::rtt::{QuicRtt, QuicRttConfig, RttConfig, RttEstimator};

use crate::Value;

#[derive(Arbitrary, Debug)]
pub(crate) enum TcpStep {
    Answer { rtt: Value },
    Ambiguous { rtt: Value, transmissions: u8 },
    TimedOut,
}

#[derive(Arbitrary, Debug)]
pub(crate) enum QuicStep {
    Sample { latest: Value, ack_delay: Value },
    Acknowledged,
    TimedOut,
    Confirmed,
    PersistentCongestion,
}

const MAX_RTO: u128 = 200_000_000_000_000;
const GRANULARITY: u128 = 1_000_000;

pub(crate) fn check_tcp(min_rto: u64, steps: &[TcpStep]) {
    let min_rto = u128::from(min_rto).min(60_000_000_000);
    let config = RttConfig {
        min_rto: duration(min_rto),
        initial_rto: Duration::from_secs(60),
        max_rto: duration(MAX_RTO),
        ..RttConfig::default()
    };
    let mut estimator = RttEstimator::new(config).expect("it is within limits");
    let mut exact = Exact::default();
    for step in steps {
        let before = estimator.rto();
        match *step {
            TcpStep::Answer { rtt } => {
                // Fractions of no more than this many steps can be had exactly.
                if exact.samples == 22 {
                    return;
                }
                assert!(estimator.update(duration(u64::from(rtt).into()), 1));
                exact.update(u128::from(u64::from(rtt)).min(4_398_000_000_000));
                let rto = exact.srtt + (4 * exact.rttvar).max(GRANULARITY * exact.denominator);
                let limits = exact.limits(rto).map(|rto| rto.max(min_rto).min(MAX_RTO));
                within(Some(estimator.rto()), limits);
                within(estimator.smoothed_rtt(), exact.limits(exact.srtt));
                within(estimator.rttvar(), exact.limits(exact.rttvar));
            }
            TcpStep::Ambiguous { rtt, transmissions } => {
                let rtt = Duration::from_nanos(rtt.into());
                assert!(!estimator.update(rtt, u32::from(transmissions).wrapping_add(2)));
                assert_eq!(estimator.rto(), before);
            }
            TcpStep::TimedOut => {
                estimator.timed_out();
                assert_eq!(estimator.rto().as_nanos(), (2 * before.as_nanos()).min(MAX_RTO));
            }
        }
    }
}

/// The formulas of RFC 6298 without rounding, as fractions of a common denominator.
#[derive(Default)]
struct Exact {
    srtt: u128,
    rttvar: u128,
    denominator: u128,
    samples: u32,
}

impl Exact {
    fn update(&mut self, rtt: u128) {
        self.samples += 1;
        if self.samples == 1 {
            (self.srtt, self.rttvar, self.denominator) = (2 * rtt, rtt, 2);
            return;
        }
        let deviation = self.srtt.abs_diff(rtt * self.denominator);
        self.rttvar = 2 * (3 * self.rttvar + deviation);
        self.srtt = 7 * self.srtt + rtt * self.denominator;
        self.denominator *= 8;
    }

    /// Rounds down what is a 30 000th of a nanosecond less, and more.
    fn limits(&self, numerator: u128) -> [u128; 2] {
        let tolerance = self.denominator / 30_000;
        [numerator.saturating_sub(tolerance), numerator + tolerance]
            .map(|numerator| numerator / self.denominator)
    }
}

fn within(found: Option<Duration>, [least, most]: [u128; 2]) {
    let found = found.expect("there was a sample").as_nanos();
    assert!((least..=most).contains(&found), "{found} is not within {least} and {most}");
}

/// The variables of RFC 9002.
struct Rfc {
    latest_rtt: i128,
    min_rtt: Option<i128>,
    smoothed_rtt: i128,
    rttvar: i128,
    max_ack_delay: Option<i128>,
    pto_count: u32,
}

pub(crate) fn check_quic(steps: &[QuicStep]) {
    let mut rtt = QuicRtt::new(QuicRttConfig::default()).expect("the defaults are valid");
    let mut rfc = Rfc {
        latest_rtt: 0,
        min_rtt: None,
        smoothed_rtt: 333_000_000,
        rttvar: 166_500_000,
        max_ack_delay: None,
        pto_count: 0,
    };
    for step in steps {
        match *step {
            QuicStep::Sample { latest, ack_delay } => {
                let [latest, ack_delay] = [latest, ack_delay].map(u64::from);
                rtt.update(Duration::from_nanos(latest), Duration::from_nanos(ack_delay));
                let limit = (1 << 31) * 1_000_000_000;
                rfc.update(i128::from(latest).min(limit), i128::from(ack_delay).min(limit));
            }
            QuicStep::Acknowledged => {
                rtt.acknowledged();
                rfc.pto_count = 0;
            }
            QuicStep::TimedOut => {
                rtt.timed_out();
                rfc.pto_count += 1;
            }
            QuicStep::Confirmed => {
                rtt.confirm_handshake();
                rfc.max_ack_delay = Some(25_000_000);
            }
            QuicStep::PersistentCongestion => {
                rtt.restart_min_rtt();
                rfc.min_rtt = rfc.min_rtt.map(|_| rfc.latest_rtt);
            }
        }
        rfc.check(&rtt);
    }
}

impl Rfc {
    fn update(&mut self, latest_rtt: i128, ack_delay: i128) {
        self.latest_rtt = latest_rtt;
        let Some(min_rtt) = self.min_rtt else {
            (self.min_rtt, self.smoothed_rtt) = (Some(latest_rtt), latest_rtt);
            self.rttvar = latest_rtt / 2;
            return;
        };
        let min_rtt = min_rtt.min(latest_rtt);
        self.min_rtt = Some(min_rtt);
        let ack_delay = self.max_ack_delay.map_or(ack_delay, |max| max.min(ack_delay));
        let is_plausible = latest_rtt >= min_rtt + ack_delay;
        let adjusted_rtt = if is_plausible { latest_rtt - ack_delay } else { latest_rtt };
        let rttvar_sample = (self.smoothed_rtt - adjusted_rtt).abs();
        self.rttvar = (3 * self.rttvar + rttvar_sample) / 4;
        self.smoothed_rtt = (7 * self.smoothed_rtt + adjusted_rtt) / 8;
    }

    fn check(&self, rtt: &QuicRtt) {
        let nanos = |duration: Duration| duration.as_nanos() as i128;
        assert_eq!(rtt.min_rtt().map(nanos), self.min_rtt);
        assert_eq!(rtt.latest_rtt().map(nanos), self.min_rtt.map(|_| self.latest_rtt));
        assert_eq!(nanos(rtt.smoothed_rtt()), self.smoothed_rtt);
        assert_eq!(nanos(rtt.rttvar()), self.rttvar);
        let margin = (4 * self.rttvar).max(1_000_000) + self.max_ack_delay.unwrap_or(0);
        // More than 44 doublings of a millisecond saturate.
        let pto = (self.smoothed_rtt + margin) << self.pto_count.min(45);
        assert_eq!(nanos(rtt.pto()), pto.min(u64::MAX.into()));
    }
}

fn duration(nanos: u128) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}
