use core::{
    fmt::{self, Write},
    time::Duration,
};
use surmise_detector::{FailureDetector, FixedTimeout};
use surmise_time::{ManualClock, MonotonicClock};
pub(crate) fn run(out: &mut dyn Write) -> fmt::Result {
    let clock = ManualClock::default();
    let mut d = FixedTimeout::new(Duration::from_secs(1)).map_err(|_| fmt::Error)?;
    for i in 0..1000u64 {
        clock.advance(Duration::from_millis(i * 7 % 31));
        d.heartbeat(i, clock.now());
        writeln!(
            out,
            "{:?} {:016x}",
            d.deadline().map(|t| t.as_nanos()),
            (i as f64 * 1.1).to_bits()
        )
        .ok();
    }
    Ok(())
}
