use surmise_detector::FailureDetector;
use surmise_monitor::{Event, Monitor, MonitorConfig};
use surmise_time::Instant;

use super::*;
use crate::{
    compare::{catalogue::Point, timeline::Timeline},
    trace::shipped,
};

/// Brings in what was printed, which must compile, and holds it against what is printed.
macro_rules! printed {
    ($($name:ident: $file:literal),*) => {
        $(
            #[expect(unreachable_pub, reason = "it is public where it is pasted")]
            #[path = $file]
            mod $name;
        )*

        /// The text of each file, by its detector's name.
        const FILES: &[(&str, &str)] = &[$((stringify!($name), include_str!($file))),*];
    };
}

printed! {
    fixed: "printed/fixed.rs",
    chen: "printed/chen.rs",
    bertier: "printed/bertier.rs",
    two_window: "printed/two_window.rs",
    phi: "printed/phi.rs",
    exponential: "printed/exponential.rs",
    satzger: "printed/satzger.rs",
    rate_target: "printed/rate_target.rs",
    jitter_scaled: "printed/jitter_scaled.rs"
}

const INTERVAL: Duration = Duration::from_millis(100);

fn setting(kind: Kind) -> Setting {
    let parameter = match kind {
        Kind::Fixed => 0.35,
        Kind::Chen => 0.25,
        Kind::TwoWindow => 0.2,
        Kind::Bertier => 12.3,
        Kind::Phi => 8.0,
        Kind::Exponential => 1.0 - 1.23e-5,
        Kind::Satzger => 0.992_369,
        Kind::RateTarget => 1e-6,
        Kind::JitterScaled => 4.56,
    };
    Setting { point: Point { kind, parameter }, limit: 351_234_000 }
}

#[test]
fn what_is_printed_is_what_compiles_here() {
    for kind in Kind::ALL {
        let name = kind.name().replace('-', "_");
        let (_, file) = FILES.iter().find(|(file, _)| *file == name).unwrap();
        let text = rust(setting(kind), INTERVAL);
        if std::env::var_os("SURMISE_TEST_REWRITE").is_some() {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tune/snippet/printed");
            std::fs::write(format!("{folder}/{name}.rs"), &text).unwrap();
            continue;
        }
        assert_eq!(*file, text, "{name}: SURMISE_TEST_REWRITE=1 writes the files anew");
    }
}

/// Plays a shipped trace to a detector that was printed and to the one that was tried.
fn assert_same(kind: Kind, mut printed: impl FailureDetector) {
    let trace = &shipped()[2];
    let timeline = Timeline::new(trace, false, 1_000_000_000).unwrap();
    // Where there is more than one tick to a nanosecond, the printed one counts less finely.
    let ticks = timeline.scale().ticks(1);
    let interval = timeline.interval().as_nanos().div_ceil(ticks.into());
    assert_eq!(interval, 99_999_943, "the interval below is no longer that of the trace");
    let setting = setting(kind);
    let mut tried = setting.point.detector(&timeline).unwrap();
    for beat in timeline.beats().iter().filter(|beat| beat.fresh) {
        let [fine, coarse] = [beat.at, beat.at / ticks].map(Instant::from_nanos);
        tried.heartbeat(beat.sequence, fine);
        printed.heartbeat(beat.sequence, coarse);
        let limit = Duration::from_nanos(timeline.scale().ticks(setting.limit));
        let tried = tried.deadline().unwrap().min(fine + limit).as_nanos() / ticks;
        let printed = printed.deadline().unwrap().as_nanos();
        // 57 ns of difference between the intervals, of which up to 1000 count.
        assert!(tried.abs_diff(printed) < 200_000, "{kind:?}: {tried} and {printed}");
    }
}

#[test]
fn a_printed_detector_is_the_one_that_was_tried() {
    macro_rules! assert_printed {
        ($($kind:ident $module:ident),*) => {
            $(assert_same(Kind::$kind, $module::detector().unwrap());)*
        };
    }
    assert_printed!(
        Fixed fixed, Chen chen, TwoWindow two_window, Phi phi, Exponential exponential,
        Satzger satzger, JitterScaled jitter_scaled, RateTarget rate_target, Bertier bertier
    );
}

/// Returns how long after its last heartbeat a monitor suspects a peer that taught its detector to wait for long.
fn suspected_after(detector: impl FailureDetector) -> Duration {
    let config = MonitorConfig { correlated_expiry: None, ..MonitorConfig::default() };
    let mut monitor = Monitor::new(config).unwrap();
    let mut now = Instant::from_nanos(1 << 40);
    monitor.watch("peer", detector, now).unwrap();
    for sequence in 0..500 {
        // Every other one comes 80 ms late.
        now +=
            if sequence % 2 == 0 { Duration::from_millis(20) } else { Duration::from_millis(180) };
        monitor.heartbeat(&"peer", 1, sequence, now).unwrap();
        assert!(monitor.poll(now).all(|event| !matches!(event, Event::Suspected { .. })));
    }
    let last = now;
    loop {
        // It is awake meanwhile, or it would take its own pause for the peer's silence.
        let awake = now + Duration::from_millis(1);
        let next = monitor.deadline().filter(|&next| next > now);
        now = next.map_or(awake, |next| next.min(awake));
        assert!(now < last + Duration::from_secs(60));
        if monitor.poll(now).any(|event| matches!(event, Event::Suspected { .. })) {
            return now - last;
        }
    }
}

#[test]
fn a_monitor_keeps_the_limit_of_what_was_printed() {
    let limit = Duration::from_nanos(setting(Kind::Phi).limit) + Duration::from_nanos(1);
    assert_eq!(suspected_after(phi::detector().unwrap()), limit);
    assert_eq!(suspected_after(exponential::detector().unwrap()), limit);
    // Which waits for longer by itself.
    assert!(suspected_after(phi::detector().unwrap().into_inner()) > limit + INTERVAL);
}

#[test]
fn durations_take_the_largest_whole_unit() {
    let durations = [
        (Duration::from_secs(3), "from_secs(3)"),
        (Duration::from_millis(2990), "from_millis(2990)"),
        (Duration::from_millis(12_345), "from_millis(12_345)"),
        (Duration::from_micros(2_822_110), "from_micros(2_822_110)"),
        (Duration::from_nanos(99_999_943), "from_nanos(99_999_943)"),
    ];
    for (time, text) in durations {
        assert_eq!(duration(time), format!("Duration::{text}"));
    }
}

#[test]
fn a_window_is_part_of_the_size() {
    assert!(size(Kind::Fixed) <= 64);
    assert!(size(Kind::Fixed) < size(Kind::RateTarget));
    assert!(size(Kind::Chen) > 8 * WINDOW);
}
