use super::*;

#[test]
fn times_keep_all_their_digits() {
    for (nanos, text) in [
        (0, "0 ns"),
        (999, "999 ns"),
        (1_000, "1 µs"),
        (2_500_000, "2.5 ms"),
        (99_999_943, "99.999943 ms"),
        (2_990_000_000, "2.99 s"),
        (3_000_000_001, "3.000000001 s"),
        (86_400_000_000_000, "86400 s"),
    ] {
        assert_eq!(duration(Duration::from_nanos(nanos)), text);
    }
}

#[test]
fn the_legend_fits() {
    assert!(legend().lines().all(|line| line.chars().count() <= 100));
}
