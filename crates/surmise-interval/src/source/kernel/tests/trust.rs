use surmise_time::ManualClock;

use super::*;

#[test]
fn after_a_suspension_the_daemon_must_state_its_bound_anew() {
    // Slept before the first reading, which may have been at any time.
    let mut kernel = KernelClock::new();
    assert!(kernel.admit(true, &decode(RAW).unwrap()).is_err());
    assert!(kernel.admit(false, &decode(RAW).unwrap()).is_err());

    let mut kernel = KernelClock::new();
    let mut admit = |slept, maxerror| {
        let timex = decode(RawTimex { maxerror, ..RAW }).unwrap();
        let admitted = kernel.admit(slept, &timex);
        let is_ok = admitted.is_ok();
        let reason = (!is_ok).then_some(Unsynchronized::Suspended);
        assert_eq!(unsynchronized(admitted), reason);
        is_ok
    };
    assert!(admit(false, 900));
    assert!(admit(false, 1_000));
    assert!(!admit(true, 500), "stated before, for all that is known");
    assert!(!admit(false, 500));
    assert!(!admit(false, 1_000));
    assert!(admit(false, 999), "it does not shrink by itself");
    assert!(admit(false, 1_500));
    assert!(!admit(true, 2_000));
    assert!(!admit(true, 1_000), "and again");
    assert!(admit(false, 800));
}

#[test]
fn after_a_disruption_the_daemon_must_state_its_bound_anew() {
    let mut kernel = KernelClock::new();
    let admit = |kernel: &mut KernelClock, slept, maxerror| {
        let timex = decode(RawTimex { maxerror, ..RAW }).unwrap();
        unsynchronized(kernel.admit(slept, &timex))
    };
    assert_eq!(admit(&mut kernel, false, 900), None);
    kernel.disrupted(Instant::ORIGIN);
    let disrupted = Some(Unsynchronized::Disrupted);
    assert_eq!(admit(&mut kernel, false, 100), disrupted, "stated before, for all that is known");
    assert_eq!(admit(&mut kernel, false, 100), disrupted);
    assert_eq!(admit(&mut kernel, false, 600), disrupted);
    assert_eq!(admit(&mut kernel, false, 599), None);
    kernel.disrupted(Instant::ORIGIN);
    assert_eq!(admit(&mut kernel, true, 50), Some(Unsynchronized::Suspended));
    kernel.disrupted(Instant::ORIGIN);
    assert_eq!(admit(&mut kernel, false, 49), disrupted, "anew, whatever was read before");
    assert_eq!(admit(&mut kernel, false, 48), None);
}

#[test]
fn a_sample_takes_note_of_a_suspension() {
    let clock = ManualClock::default();
    let sampled = |kernel: &mut KernelClock, raw| {
        let read = || {
            clock.advance(Duration::from_micros(3));
            decode(raw)
        };
        kernel.sample_by(&clock, read)
    };
    let mut kernel = KernelClock { suspension: Suspension::of_the_past(), ..KernelClock::new() };
    let suspended = Some(Unsynchronized::Suspended);
    assert_eq!(unsynchronized(sampled(&mut kernel, RAW)), suspended);
    assert_eq!(unsynchronized(sampled(&mut kernel, RAW)), suspended);
    let unsynchronised = unsynchronized(sampled(&mut kernel, BOOT));
    assert!(matches!(unsynchronised, Some(Unsynchronized::Kernel { .. })), "which tells more");
    let stated = RawTimex { maxerror: RAW.maxerror - 1, ..RAW };
    let before = clock.now();
    assert_eq!(sampled(&mut kernel, stated).unwrap().at(), before);

    let mut kernel = KernelClock { suspension: Suspension::never(), ..KernelClock::new() };
    let sample = sampled(&mut kernel, RAW).unwrap();
    let width = sample.interval().latest() - sample.interval().earliest();
    assert_eq!(width, Duration::from_nanos(2 * 1_734_000 + 3_002), "and as long as it took");
}
