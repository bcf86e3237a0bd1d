use super::*;

#[test]
fn a_segment_from_before_a_suspension_is_refused() {
    let mut source = ClockBound::new("", Drift::QUARTZ);
    let segment = |generation, as_of| {
        let basis = Basis::SystemClock { as_of, void_after: as_of + seconds(1000) };
        Segment { generation, basis, ..PUBLISHED }
    };
    let mut admit = |segment, slept| match source.check_resumption(&segment, slept) {
        Ok(()) => true,
        Err(SourceError::Unsynchronized { reason: Unsynchronized::Suspended }) => false,
        Err(error) => panic!("{error}"),
    };
    let before = suspension::monotonic();
    assert!(admit(segment(2, before), false));
    assert!(!admit(segment(2, before), true));
    assert!(!admit(segment(2, before), false), "still the same");
    assert!(!admit(segment(4, before), false), "published later, but of before");
    let after = suspension::monotonic() + seconds(1);
    assert!(!admit(segment(2, after), false), "cannot be");
    assert!(admit(segment(4, after), false));
    assert!(admit(segment(4, after), false));
    assert!(!admit(segment(4, after), true), "and again");
}

#[test]
fn a_segment_from_before_a_disruption_is_refused_whatever_its_marker() {
    let mut source = ClockBound::new("", Drift::QUARTZ);
    let segment = |generation, as_of| {
        let basis = Basis::SystemClock { as_of, void_after: as_of + seconds(1000) };
        Segment { generation, basis, ..PUBLISHED }
    };
    let mut refused = |told, segment| {
        if told {
            source.disrupted(Instant::ORIGIN);
        }
        source.check_resumption(&segment, false).err().map(|error| error.to_string())
    };
    let disrupted = Some("not synchronised: the machine was disrupted".to_owned());
    assert_eq!(refused(false, segment(2, seconds(0))), None);
    let after = suspension::monotonic() + seconds(1000);
    // Which it was that was published before could not be read, so that the first counts as that.
    assert_eq!(refused(true, segment(2, after)), disrupted);
    assert_eq!(refused(false, segment(2, after)), disrupted);
    assert_eq!(refused(false, segment(4, seconds(0))), disrupted, "published later, but of before");
    assert_eq!(refused(false, segment(4, after)), None);
    assert_eq!(refused(false, segment(2, seconds(0))), None, "it is over");
}

#[cfg(target_endian = "little")]
#[test]
fn what_was_found_out_just_then_is_from_before() {
    let (reason, generation) = (Unsynchronized::Suspended, Some(2));
    let resumption = Resumption { reason, generation, monotonic: seconds(5), counter: Some(7) };
    let precedes = |basis| resumption.precedes(&Segment { basis, ..PUBLISHED });
    let system_clock = |as_of| Basis::SystemClock { as_of, void_after: seconds(1000) };
    assert!(!precedes(system_clock(seconds(5))));
    assert!(precedes(system_clock(seconds(5) + Duration::from_nanos(1))));

    let mut segment = decode(&image(V3)).unwrap();
    let mut counted = |count, resumption: &Resumption| {
        let Basis::Counter { counter, .. } = &mut segment.basis else { panic!("{segment:?}") };
        *counter = count;
        resumption.precedes(&segment)
    };
    assert!(!counted(7, &resumption));
    assert!(counted(8, &resumption));
    assert!(!counted(8, &Resumption { counter: None, ..resumption }));
}

#[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
#[test]
fn a_counter_from_before_a_suspension_is_refused() {
    let mut source = ClockBound::new("", Drift::QUARTZ);
    let mut segment = decode(&image(V3)).unwrap();
    let mut admit = |generation, at, slept| {
        segment.generation = generation;
        if let Basis::Counter { counter, .. } = &mut segment.basis {
            *counter = at;
        }
        source.check_resumption(&segment, slept).is_ok()
    };
    let before = sys::counter().unwrap();
    assert!(!admit(4, before, true));
    assert!(!admit(6, before, false));
    let after = sys::counter().unwrap() + 1_000_000_000;
    assert!(!admit(4, after, false), "the counter began anew, and the daemon is dead");
    assert!(admit(6, after, false));
}
