//! The laws that every detector keeps, on any sequence of heartbeats.

#![expect(clippy::unwrap_used, reason = "a configuration that fails here fails the test")]

#[path = "laws/capped.rs"]
mod capped;

use core::time::Duration;

use quickcheck::{Arbitrary, Gen, quickcheck};
use surmise_detector::{
    AccrualDetector, Beat, Bertier, BertierConfig, Chen, ChenConfig, Exponential,
    ExponentialConfig, ExponentialScale, ExponentiallyWeighted, FailureDetector, FixedTimeout,
    JitterScaled, JitterScaledConfig, LateIntervals, MinStdDeviation, PhiAccrual, PhiConfig,
    PhiScale, RateTarget, RateTargetConfig, Satzger, SatzgerConfig, TwoWindow, TwoWindowConfig,
    Verdict,
};
use surmise_time::Instant;

const INTERVAL: Duration = Duration::from_millis(1);

/// Something that happens to a detector.
#[derive(Clone, Copy, Debug)]
enum Op {
    /// A heartbeat, numbered and timed relative to the one before.
    Beat {
        gap: i8,
        elapsed: i64,
        queued: bool,
    },
    /// A heartbeat with any number at any time.
    Wild {
        sequence: u64,
        now: u64,
    },
    Restart,
}

impl Arbitrary for Op {
    fn arbitrary(g: &mut Gen) -> Self {
        match u8::arbitrary(g) {
            0..=3 => Self::Restart,
            4..=7 => Self::Wild { sequence: u64::arbitrary(g), now: u64::arbitrary(g) },
            shape => {
                let elapsed = match shape % 8 {
                    0 => i64::arbitrary(g) % 1_000_000_000,
                    1 => -(i64::from(u16::arbitrary(g))),
                    _ => 500_000 + i64::arbitrary(g).rem_euclid(1_000_000),
                };
                let gap = if shape % 5 == 0 { i8::arbitrary(g) % 6 } else { 1 };
                Self::Beat { gap, elapsed, queued: u8::arbitrary(g) % 8 == 0 }
            }
        }
    }
}

type AnyDetector = Box<dyn FailureDetector>;

fn plain_detectors() -> Vec<(&'static str, AnyDetector)> {
    let (interval, safety_margin) = (INTERVAL, Duration::from_micros(200));
    let chen = ChenConfig { interval, safety_margin };
    let two_window = TwoWindowConfig { interval, safety_margin };
    let bertier = BertierConfig::published(interval);
    vec![
        ("fixed", Box::new(FixedTimeout::new(2 * interval).unwrap())),
        ("chen", Box::new(Chen::<[i64; 5]>::new(chen).unwrap())),
        ("two-window", Box::new(TwoWindow::<[i64; 5]>::new(two_window).unwrap())),
        ("bertier", Box::new(Bertier::<[i64; 5]>::new(bertier).unwrap())),
        ("rate-target", {
            Box::new(RateTarget::new(RateTargetConfig::for_rate(interval, 1e-3)).unwrap())
        }),
        ("jitter-scaled", {
            Box::new(JitterScaled::new(JitterScaledConfig::for_interval(interval)).unwrap())
        }),
    ]
}

/// All detectors, whether they accrue or not.
fn every_detector() -> impl Iterator<Item = (&'static str, AnyDetector)> {
    let accrual = accrual_detectors().into_iter();
    plain_detectors()
        .into_iter()
        .chain(accrual.map(|(name, _, detector)| (name, detector as AnyDetector)))
}

/// The accrual detectors with their thresholds.
fn accrual_detectors() -> Vec<(&'static str, f64, Box<dyn AccrualDetector>)> {
    let phi = PhiConfig::for_interval(INTERVAL);
    let bare_phi = PhiConfig {
        threshold: 0.1,
        min_std_deviation: MinStdDeviation::Absolute(Duration::ZERO),
        late_intervals: LateIntervals::Learn,
        ..phi
    };
    let akka = PhiConfig { scale: PhiScale::Akka, late_intervals: LateIntervals::Skip, ..phi };
    let cassandra = ExponentialConfig::cassandra(INTERVAL);
    let chitchat = ExponentialConfig::chitchat(INTERVAL);
    let exponential = ExponentialConfig {
        threshold: 0.9,
        scale: ExponentialScale::Probability,
        late_intervals: LateIntervals::Clamp,
        ..cassandra
    };
    let satzger = SatzgerConfig::for_interval(INTERVAL);
    let weighted = ExponentiallyWeighted::over(10);
    vec![
        ("phi", 8.0, Box::new(PhiAccrual::<[u32; 5]>::new(phi).unwrap())),
        ("phi, no floor", 0.1, Box::new(PhiAccrual::<[u64; 5]>::new(bare_phi).unwrap())),
        ("phi, weighted", 8.0, Box::new(PhiAccrual::with_storage(phi, weighted).unwrap())),
        ("akka", 8.0, Box::new(PhiAccrual::<[u32; 5]>::new(akka).unwrap())),
        ("exponential", 0.9, Box::new(Exponential::<[u64; 5]>::new(exponential).unwrap())),
        ("cassandra", 8.0, Box::new(Exponential::<[u32; 5]>::new(cassandra).unwrap())),
        ("chitchat", 8.0, Box::new(Exponential::with_storage(chitchat, weighted).unwrap())),
        ("satzger", 0.99, Box::new(Satzger::<[u32; 5]>::new(satzger).unwrap())),
    ]
}

/// The receiver's view of one incarnation, kept independently.
#[derive(Default)]
struct Model {
    /// The highest sequence and the latest arrival.
    newest: Option<(u64, Instant)>,
}

impl Model {
    /// Returns the sequence and time that an operation stands for, and whether it comes from a queue.
    fn resolve(&self, op: Op) -> Option<(u64, Instant, bool)> {
        let (sequence, at) = self.newest.unwrap_or((1000, Instant::from_nanos(1 << 40)));
        match op {
            Op::Restart => None,
            Op::Wild { sequence, now } => Some((sequence, Instant::from_nanos(now), false)),
            Op::Beat { gap, elapsed, queued } => Some((
                sequence.saturating_add_signed(gap.into()),
                Instant::from_nanos(at.as_nanos().saturating_add_signed(elapsed)),
                queued,
            )),
        }
    }

    /// Returns what a heartbeat must be reported as.
    fn beat(&mut self, sequence: u64, now: Instant, deadline: Option<Instant>) -> Beat {
        let Some((highest, last)) = self.newest else {
            self.newest = Some((sequence, now));
            return Beat::First;
        };
        if sequence == highest {
            return Beat::Duplicate;
        }
        if sequence < highest {
            return Beat::Stale { highest };
        }
        let at = now.max(last);
        self.newest = Some((sequence, at));
        Beat::Fresh { lost: sequence - highest - 1, suspected: deadline < Some(at) }
    }
}

/// Plays operations on a detector and checks after each what must hold.
fn laws_hold<D: FailureDetector + ?Sized>(
    detector: &mut D,
    ops: &[Op],
    check: impl Fn(&D, Instant) -> Result<(), String>,
) -> Result<(), String> {
    let mut model = Model::default();
    for &op in ops {
        let before = detector.deadline();
        match model.resolve(op) {
            None => {
                detector.restart();
                model = Model::default();
                ensure(detector.deadline().is_none(), "a restart left a deadline")?;
            }
            Some((sequence, now, queued)) => {
                let expected = model.beat(sequence, now, before);
                let beat = hear(detector, sequence, now, queued);
                ensure(beat == expected, format!("{beat:?} instead of {expected:?}"))?;
                if matches!(beat, Beat::Stale { .. } | Beat::Duplicate) {
                    ensure(detector.deadline() == before, "an ignored beat moved the deadline")?;
                }
            }
        }
        match (model.newest, detector.deadline()) {
            (None, None) => {
                ensure(detector.verdict(Instant::MAX) == Verdict::Unknown, "verdict on nothing")?;
            }
            (Some((_, last)), Some(deadline)) => {
                ensure(deadline >= last, "the deadline is before the last fresh beat")?;
                ensure(detector.verdict(deadline) == Verdict::Trust, "suspected too early")?;
                if let Some(after) = deadline.checked_add(Duration::from_nanos(1)) {
                    ensure(detector.verdict(after) == Verdict::Suspect, "trusted too long")?;
                }
                check(detector, last)?;
            }
            _ => return Err("a deadline without a beat, or a beat without a deadline".into()),
        }
    }
    Ok(())
}

fn hear<D: FailureDetector + ?Sized>(
    detector: &mut D,
    sequence: u64,
    now: Instant,
    queued: bool,
) -> Beat {
    if queued {
        detector.queued_heartbeat(sequence, now)
    } else {
        detector.heartbeat(sequence, now)
    }
}

fn ensure(condition: bool, otherwise: impl Into<String>) -> Result<(), String> {
    if condition { Ok(()) } else { Err(otherwise.into()) }
}

/// Checks that suspicion is finite, never falls, and crosses the threshold at the deadline.
fn suspicion_accrues(
    detector: &dyn AccrualDetector,
    threshold: f64,
    last: Instant,
) -> Result<(), String> {
    let mut level = 0.0;
    let steps = [0, 1, 1_000, 500_000, 999_999, 1_000_000, 1_000_001, 5_000_000, 1 << 40, u64::MAX];
    for step in steps {
        let next = detector.suspicion_level(last + Duration::from_nanos(step));
        ensure(next.is_finite() && next >= level, format!("{level} was followed by {next}"))?;
        level = next;
    }
    let deadline = detector.deadline().unwrap();
    // A nanosecond, and as much as a float cannot tell apart.
    let margin = Duration::from_nanos(1) + (deadline - last) / 1_000_000_000;
    if let Some(after) = deadline.checked_add(margin) {
        let level = detector.suspicion_level(after);
        ensure(level >= threshold * (1.0 - 1e-6), format!("only {level} after the deadline"))?;
    }
    if deadline > last + margin {
        let level = detector.suspicion_level(deadline - margin);
        ensure(level <= threshold * (1.0 + 1e-6), format!("already {level} before the deadline"))?;
    }
    Ok(())
}

quickcheck! {
    fn every_detector_keeps_the_laws(ops: Vec<Op>) -> Result<(), String> {
        for (name, mut detector) in plain_detectors() {
            laws_hold(&mut *detector, &ops, |_, _| Ok(())).map_err(|e| format!("{name}: {e}"))?;
        }
        for (name, threshold, mut detector) in accrual_detectors() {
            laws_hold(&mut *detector, &ops, |detector, last| {
                suspicion_accrues(detector, threshold, last)
            })
            .map_err(|e| format!("{name}: {e}"))?;
        }
        Ok(())
    }
}

quickcheck! {
    /// Whether it waited for a moment or for an hour, what follows is the same.
    fn when_a_queued_heartbeat_came_teaches_nothing(ops: Vec<Op>, waited: u32, then: u16) -> Result<(), String> {
        for ((name, mut soon), (_, mut late)) in every_detector().zip(every_detector()) {
            let mut model = Model::default();
            for op in ops.iter().filter(|op| matches!(op, Op::Beat { .. })) {
                let Some((sequence, now, queued)) = model.resolve(*op) else { continue };
                model.beat(sequence, now, soon.deadline());
                hear(&mut *soon, sequence, now, queued);
                hear(&mut *late, sequence, now, queued);
            }
            let Some((highest, last)) = model.newest else { continue };
            let waited = last + Duration::from_micros(waited.into());
            let is_same = |soon: &AnyDetector, late: &AnyDetector, after: Duration| {
                let patience = |peer: &AnyDetector, from| peer.deadline().map(|at| at - (from + after));
                let (soon, late) = (patience(soon, last), patience(late, waited));
                ensure(soon == late, format!("{name}: {soon:?} is not {late:?}"))
            };
            soon.queued_heartbeat(highest + 1, last);
            late.queued_heartbeat(highest + 1, waited);
            is_same(&soon, &late, Duration::ZERO)?;
            let then = Duration::from_micros(then.into());
            soon.heartbeat(highest + 2, last + then);
            late.heartbeat(highest + 2, waited + then);
            is_same(&soon, &late, then)?;
        }
        Ok(())
    }
}

#[test]
fn a_queued_heartbeat_is_judged_by_its_number() {
    for (name, mut detector) in every_detector() {
        let now = Instant::from_nanos(1 << 40);
        assert_eq!(detector.queued_heartbeat(7, now), Beat::First, "{name}");
        let deadline = detector.deadline();
        assert_eq!(detector.queued_heartbeat(7, now + INTERVAL), Beat::Duplicate, "{name}");
        assert_eq!(detector.queued_heartbeat(6, now + INTERVAL), Beat::Stale { highest: 7 });
        assert_eq!(detector.deadline(), deadline, "{name}");
        let late = now + 1_000_000 * INTERVAL;
        let beat = detector.queued_heartbeat(10, late);
        assert_eq!(beat, Beat::Fresh { lost: 2, suspected: true }, "{name}");
        assert!(detector.deadline() > Some(late), "{name}");
    }
}

#[test]
fn a_queued_heartbeat_takes_no_margin_away() {
    let mut peer = Bertier::<[i64; 5]>::new(BertierConfig::published(INTERVAL)).unwrap();
    let mut now = Instant::from_nanos(1 << 40);
    for sequence in 0..50 {
        now += INTERVAL;
        peer.heartbeat(sequence, now + INTERVAL / 5 * u32::from(sequence % 2 == 1));
    }
    peer.queued_heartbeat(60, now + 100 * INTERVAL);
    let margin = peer.deadline().unwrap() - (now + 101 * INTERVAL);
    assert!(margin > INTERVAL / 5, "{margin:?}");
}

#[test]
fn suspicion_is_zero_before_the_first_heartbeat() {
    for (name, _, detector) in accrual_detectors() {
        assert_eq!(detector.suspicion_level(Instant::MAX), 0.0, "{name}");
    }
}

#[test]
fn a_clock_that_steps_back_cannot_bring_the_deadline_before_the_last_beat() {
    for (name, mut detector) in every_detector() {
        let late = Instant::from_nanos(1_000_000_000);
        detector.heartbeat(1, late);
        let beat = detector.heartbeat(2, Instant::from_nanos(5));
        assert_eq!(beat, Beat::Fresh { lost: 0, suspected: false }, "{name}");
        assert!(detector.deadline() >= Some(late), "{name}");
        assert_eq!(detector.verdict(Instant::ORIGIN), Verdict::Trust, "{name}");
    }
}

#[test]
fn the_ends_of_time_and_of_the_numbers_are_borne() {
    for (name, mut detector) in every_detector() {
        detector.heartbeat(0, Instant::ORIGIN);
        detector.heartbeat(u64::MAX, Instant::MAX);
        assert_eq!(detector.deadline(), Some(Instant::MAX), "{name}");
        assert_eq!(detector.verdict(Instant::MAX), Verdict::Trust, "{name}");
        assert_eq!(detector.heartbeat(u64::MAX, Instant::MAX), Beat::Duplicate, "{name}");
    }
}

#[test]
fn steps_of_the_clock_teach_nothing() {
    // Nine seconds back: until the clock has caught up, no interval can be known.
    let config = ExponentialConfig {
        threshold: 0.9,
        scale: ExponentialScale::Probability,
        late_intervals: LateIntervals::Clamp,
        ..ExponentialConfig::cassandra(INTERVAL)
    };
    let mut peer = Exponential::<[u32; 10]>::new(config).unwrap();
    let mut now = Instant::from_nanos(20_000_000_000);
    for sequence in 1..=50 {
        now += INTERVAL;
        peer.heartbeat(sequence, now);
    }
    let patience = peer.deadline().unwrap() - now;
    let mut stepped = Instant::from_nanos(now.as_nanos() - 9_000_000_000);
    for sequence in 51..=100 {
        stepped += INTERVAL;
        peer.heartbeat(sequence, stepped);
    }
    assert_eq!(peer.deadline().unwrap() - now, patience);
}

#[test]
fn a_full_window_is_believed_however_small() {
    let config = PhiConfig {
        min_std_deviation: MinStdDeviation::Absolute(Duration::from_micros(1)),
        ..PhiConfig::for_interval(INTERVAL)
    };
    let patience_after = |beats| {
        let mut peer = PhiAccrual::<[u32; 4]>::new(config).unwrap();
        for sequence in 0..beats {
            peer.heartbeat(sequence, Instant::from_nanos(sequence * 1_000_000));
        }
        peer.deadline().unwrap() - Instant::from_nanos((beats - 1) * 1_000_000)
    };
    // Three intervals: a quarter of the mean is added for each deviation. Four: none.
    assert!(patience_after(4) > Duration::from_micros(2300));
    assert!(patience_after(5) < Duration::from_micros(1010));
}

#[test]
fn suspicion_reaches_its_threshold_also_after_months() {
    let config = ExponentialConfig {
        threshold: 1e5,
        prior_weight: 0,
        ..ExponentialConfig::chitchat(60_000 * INTERVAL)
    };
    let mut peer = Exponential::<[u64; 4]>::new(config).unwrap();
    peer.heartbeat(1, Instant::ORIGIN);
    let deadline = peer.deadline().unwrap();
    assert_eq!(deadline, Instant::ORIGIN + Duration::from_secs(6_000_000));
    assert!((peer.suspicion_level(deadline) - 1e5).abs() < 1e-3);
}

#[test]
fn detectors_work_behind_pointers() {
    fn last_deadline(mut detector: impl FailureDetector) -> Option<Instant> {
        detector.heartbeat(1, Instant::ORIGIN);
        detector.deadline()
    }
    let mut fixed = FixedTimeout::new(INTERVAL).unwrap();
    let expected = Some(Instant::ORIGIN + INTERVAL);
    assert_eq!(last_deadline(&mut fixed), expected);
    #[cfg(feature = "alloc")]
    assert_eq!(last_deadline(Box::new(FixedTimeout::new(INTERVAL).unwrap())), expected);
}

#[test]
fn a_restart_leaves_nothing_of_the_old_schedule() {
    let config = BertierConfig::published(INTERVAL);
    let mut old = Bertier::<[i64; 5]>::new(config).unwrap();
    // Far ahead of any schedule, and then anew.
    old.heartbeat(0, Instant::ORIGIN);
    old.heartbeat(1 << 40, Instant::ORIGIN + INTERVAL);
    old.restart();
    let mut new = Bertier::<[i64; 5]>::new(config).unwrap();
    for sequence in 0..10 {
        let now = Instant::from_nanos(7_000_000_000 + sequence * 1_100_000);
        assert_eq!(old.heartbeat(sequence, now), new.heartbeat(sequence, now));
        assert_eq!(old.deadline(), new.deadline());
    }
}
