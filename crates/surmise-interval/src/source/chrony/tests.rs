use super::*;

const US: u64 = 1000;

fn reading(before: u64, wall: u64, after: u64) -> Reading {
    let [before, after] = [before, after].map(|us| Instant::from_nanos(us * US));
    Reading { before, wall: WallTime::from_nanos(wall * US), after }
}

#[test]
fn a_step_is_what_the_two_clocks_do_not_have_in_common() {
    let first = reading(1000, 50_000, 1001);
    for (second, step) in [
        // Each reading took 1 µs, and may have been anywhere within.
        (reading(1100, 50_100, 1101), 2),
        (reading(1100, 50_099, 1101), 2),
        // One step forward, and one back.
        (reading(1100, 50_350, 1101), 251),
        (reading(1100, 50_040, 1101), 61),
        (reading(1100, 49_900, 1101), 201),
        // A clock that was suspended for half a second meanwhile, as both clocks know.
        (reading(501_100, 550_100, 501_101), 2),
    ] {
        assert_eq!(step_between(&first, &second), Duration::from_micros(step), "{second:?}");
    }
}
