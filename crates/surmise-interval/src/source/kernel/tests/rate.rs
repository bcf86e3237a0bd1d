use super::*;

#[test]
fn a_rate_is_corrected_by_frequency_tick_and_offset() {
    const PPM: i64 = 65_536;
    let corrected = |freq, tick| decode(RawTimex { freq, tick, ..RAW }).unwrap().rate_correction();
    let cases: &[(i64, i64, u64)] = &[
        (0, 10_000, 0),
        (30 * PPM, 10_000, 30_000),
        (-30 * PPM, 10_000, 30_000),
        (1, 10_000, 1),
        (-1, 10_000, 1),
        // A microsecond in ten milliseconds is 100 ppm, and a number that was rounded adds one.
        (0, 10_001, 100_000),
        (0, 9_999, 100_000),
        (50 * PPM, 10_001, 150_001),
        (-50 * PPM, 10_001, 50_001),
        (500 * PPM, 9_995, 1),
        // As far as chronyd slews, and as far as the kernel lets anybody.
        (0, 10_833, 83_300_000),
        (-500 * PPM, 9_000, 100_500_001),
    ];
    for &(freq, tick, ppb) in cases {
        assert_eq!(corrected(freq, tick), ppb, "{freq} {tick}");
    }
    assert!(corrected(i64::MIN, i64::MAX) > 0);
    assert!(corrected(i64::MIN, 0) > corrected(i64::MIN, 10_000));
}

#[test]
fn an_offset_is_corrected_by_a_part_of_it_each_second() {
    let corrected =
        |offset, constant| decode(RawTimex { offset, constant, ..RAW }).unwrap().rate_correction();
    let cases: &[(i64, i64, u64)] = &[
        (0, 0, 0),
        // No less than the last second's part may have been, of which nothing is known.
        (1, 0, 500_000),
        (-1, 10, 500_000),
        (1_500_000, 0, 500_000),
        (1_500_001, 0, 500_001),
        (-1_500_001, 0, 500_001),
        // What is left of half a second after a quarter, an eighth and a 4096th of it.
        (375_000_000, 0, 125_000_000),
        (-437_500_000, 1, 62_500_000),
        (499_877_930, 10, 500_000),
        // The kernel has no such time constants.
        (375_000_000, -1, 125_000_000),
        (4_095_000_000, 10, 1_000_000),
        (4_095_000_000, i64::MAX, 1_000_000),
        (i64::MIN, 0, 3_074_457_345_618_258_603),
    ];
    for &(offset, constant, ppb) in cases {
        assert_eq!(corrected(offset, constant), ppb, "{offset} {constant}");
    }
    let pulses = RAW.status | libc::STA_PPSTIME | libc::STA_PPSSIGNAL;
    let by_pulses = RawTimex { status: pulses, offset: -600_000, constant: 10, ..RAW };
    assert_eq!(decode(by_pulses).unwrap().rate_correction(), 600_000);
    let without_signal = RawTimex { status: RAW.status | libc::STA_PPSTIME, ..by_pulses };
    assert_eq!(decode(without_signal).unwrap().rate_correction(), 500_000);
    let microseconds = RawTimex { status: libc::STA_PLL, tv_usec: 0, offset: 3_000, ..RAW };
    let corrected = decode(RawTimex { constant: 0, ..microseconds }).unwrap().rate_correction();
    assert_eq!(corrected, 1_000_000);
}

/// What the kernel does each second, and what it then says is left of the offset.
#[test]
fn no_part_of_an_offset_that_the_kernel_corrects_exceeds_what_is_said() {
    for constant in 0..=10 {
        let mut left: i64 = 500_000_000;
        for _ in 0..100 {
            let part = left >> (2 + constant);
            left -= part;
            let timex = decode(RawTimex { offset: left, constant, ..RAW }).unwrap();
            assert!(timex.rate_correction() >= part.unsigned_abs(), "{left} {constant}");
        }
    }
}
