//! An adversary that knows the deadline chooses every arrival: [`RateTarget`]'s bound holds.

#![no_main]

use core::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use surmise_detector::{Beat, FailureDetector, RateTarget, RateTargetConfig};
use surmise_time::Instant;

#[derive(Arbitrary, Debug)]
struct Input {
    interval: u32,
    /// ε, in parts of 2¹⁶.
    rate: u16,
    /// γ, in hundredths.
    gain: u16,
    runs: Vec<Run>,
}

/// Some arrivals of one kind, one after another.
#[derive(Arbitrary, Debug)]
struct Run {
    arrival: Arrival,
    times: u8,
    lost: u8,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Arrival {
    AtOnce,
    AtDeadline,
    JustLate,
    Late(u32),
    After(u64),
    ClockStepsBack(u32),
}

fuzz_target!(|input: Input| {
    let config = RateTargetConfig {
        interval: Duration::from_nanos(input.interval.into()),
        rate: f64::from(input.rate) / 65_536.0,
        gain: f64::from(input.gain) / 100.0,
    };
    let Ok(mut peer) = RateTarget::new(config) else { return };
    // Rounding adds up over thousands of heartbeats, but not to a millionth of a mistake.
    let slack =
        (RateTarget::MAX_MARGIN / RateTarget::INITIAL_MARGIN).ln() / config.gain + 1.0 + 1e-6;

    let (mut sequence, mut last) = (0, Instant::from_nanos(1 << 62));
    peer.heartbeat(sequence, last);
    let (mut heartbeats, mut mistakes) = (0.0, 0.0);
    let arrivals = input.runs.iter().flat_map(|run| (0..run.times).map(move |_| run));
    for run in arrivals {
        let Some(deadline) = peer.deadline() else { panic!("there was a heartbeat") };
        let now = run.arrival.resolve(last, deadline);
        sequence += 1 + u64::from(run.lost);
        let late = now > deadline;
        let beat = peer.heartbeat(sequence, now);
        assert_eq!(beat, Beat::Fresh { lost: run.lost.into(), suspected: late });
        last = last.max(now);
        heartbeats += 1.0;
        mistakes += f64::from(u8::from(late));
        assert!(
            mistakes <= config.rate * heartbeats + slack,
            "{mistakes} mistakes in {heartbeats} heartbeats with {config:?}"
        );
        let margin = peer.margin();
        assert!((FLOOR..=CEILING).contains(&margin), "a margin of {margin} with {config:?}");
        if margin >= CAP {
            // From here on there is no wider margin to be had, and nothing is promised.
            return;
        }
    }
});

impl Arrival {
    fn resolve(self, last: Instant, deadline: Instant) -> Instant {
        match self {
            Self::AtOnce => last,
            Self::AtDeadline => deadline,
            Self::JustLate => deadline + Duration::from_nanos(1),
            Self::Late(nanos) => deadline + Duration::from_nanos(nanos.into()),
            Self::After(nanos) => last + Duration::from_nanos(nanos),
            Self::ClockStepsBack(nanos) => last - Duration::from_nanos(nanos.into()),
        }
    }
}

/// The margin's limits as the detector computes them, from their logarithms.
const FLOOR: f64 = RateTarget::MIN_MARGIN * (1.0 - 1e-12);
const CAP: f64 = RateTarget::MAX_MARGIN * (1.0 - 1e-12);
const CEILING: f64 = RateTarget::MAX_MARGIN * (1.0 + 1e-12);
