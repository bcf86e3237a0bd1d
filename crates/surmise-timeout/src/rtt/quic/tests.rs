use alloc::vec::Vec;

use quickcheck::quickcheck;

use super::*;

/// The pseudo-code of RFC 9002, A.7 and 6.2.1, in numbers that are wide enough, and rounded down.
struct Rfc {
    latest_rtt: i128,
    min_rtt: Option<i128>,
    smoothed_rtt: i128,
    rttvar: i128,
    handshake_confirmed: bool,
    pto_count: u32,
}

impl Rfc {
    const MAX_ACK_DELAY: i128 = 25_000_000;

    fn update_rtt(&mut self, latest_rtt: u64, ack_delay: u64) {
        self.latest_rtt = latest_rtt.into();
        let Some(min_rtt) = self.min_rtt else {
            self.min_rtt = Some(self.latest_rtt);
            self.smoothed_rtt = self.latest_rtt;
            self.rttvar = self.latest_rtt / 2;
            return;
        };
        let min_rtt = min_rtt.min(self.latest_rtt);
        self.min_rtt = Some(min_rtt);
        let mut ack_delay = i128::from(ack_delay);
        if self.handshake_confirmed {
            ack_delay = ack_delay.min(Self::MAX_ACK_DELAY);
        }
        let mut adjusted_rtt = self.latest_rtt;
        if self.latest_rtt >= min_rtt + ack_delay {
            adjusted_rtt = self.latest_rtt - ack_delay;
        }
        self.rttvar = (3 * self.rttvar + (self.smoothed_rtt - adjusted_rtt).abs()) / 4;
        self.smoothed_rtt = (7 * self.smoothed_rtt + adjusted_rtt) / 8;
    }

    fn pto(&self) -> i128 {
        let delay = if self.handshake_confirmed { Self::MAX_ACK_DELAY } else { 0 };
        let pto = self.smoothed_rtt + (4 * self.rttvar).max(1_000_000) + delay;
        // More doublings than this saturate, whatever is doubled: it is more than a millisecond.
        pto << self.pto_count.min(45)
    }

    fn agrees(&self, rtt: &QuicRtt) -> bool {
        let duration = |nanos| Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        let latest = self.min_rtt.map(|_| duration(self.latest_rtt));
        (rtt.latest_rtt(), rtt.min_rtt()) == (latest, self.min_rtt.map(duration))
            && rtt.smoothed_rtt() == duration(self.smoothed_rtt)
            && rtt.rttvar() == duration(self.rttvar)
            && rtt.pto() == duration(self.pto())
    }
}

fn agrees(steps: impl IntoIterator<Item = (u64, u64, u8)>) -> bool {
    let mut rtt = QuicRtt::new(QuicRttConfig::default()).unwrap();
    let mut rfc = Rfc {
        latest_rtt: 0,
        min_rtt: None,
        smoothed_rtt: 333_000_000,
        rttvar: 166_500_000,
        handshake_confirmed: false,
        pto_count: 0,
    };
    steps.into_iter().all(|(latest, ack_delay, step)| {
        match step % 16 {
            0 => {
                rtt.confirm_handshake();
                rfc.handshake_confirmed = true;
            }
            1 => {
                rtt.restart_min_rtt();
                rfc.min_rtt = rfc.min_rtt.map(|_| rfc.latest_rtt);
            }
            2 => {
                rtt.acknowledged();
                rfc.pto_count = 0;
            }
            3..6 => {
                rtt.timed_out();
                rfc.pto_count += 1;
            }
            _ => {
                let nanos = Duration::from_nanos;
                rtt.update(nanos(latest), nanos(ack_delay));
                let limited = |nanos: u64| nanos.min(LONGEST_SECONDS * 1_000_000_000);
                rfc.update_rtt(limited(latest), limited(ack_delay));
            }
        }
        rfc.agrees(&rtt)
    })
}

quickcheck! {
    fn it_follows_the_pseudo_code(steps: Vec<(u32, u32, u8)>) -> bool {
        // Up to 67 and 34 ms, so that delays are both more and less than what is believed of them.
        agrees(steps.iter().map(|&(latest, delay, step)| {
            (u64::from(latest % (1 << 26)), u64::from(delay % (1 << 25)), step)
        }))
    }

    fn it_follows_the_pseudo_code_anywhere(steps: Vec<(u64, u64, u8)>) -> bool {
        agrees(steps)
    }
}

#[test]
fn timeouts_without_end_saturate() {
    assert!(agrees((0..100).map(|_| (0, 0, 3))));
    assert!(agrees((0..100).map(|step| (u64::MAX - step, u64::MAX, 15))));
    let mut rtt = QuicRtt::new(QuicRttConfig::default()).unwrap();
    rtt.update(Duration::MAX, Duration::MAX);
    assert_eq!(rtt.pto(), 3 * Duration::from_secs(LONGEST_SECONDS));
    (0..u8::MAX).for_each(|_| rtt.timed_out());
    assert_eq!(rtt.pto(), Duration::from_nanos(u64::MAX));
}

#[test]
fn what_takes_no_time_is_refused() {
    let valid = QuicRttConfig::default();
    let refused = |config| QuicRtt::new(config).unwrap_err();
    let zero = Duration::ZERO;
    assert_eq!(refused(QuicRttConfig { granularity: zero, ..valid }), RttError::ZeroGranularity);
    assert_eq!(refused(QuicRttConfig { initial_rtt: zero, ..valid }), RttError::ZeroInitialRtt);
    assert!(QuicRtt::new(QuicRttConfig { max_ack_delay: zero, ..valid }).is_ok());
}
