//! Stamps as texts, as bytes, and in the forms of other systems.

use quickcheck::quickcheck;
use surmise_clock::{HybridTimestamp, WallLogical};
use surmise_time::WallTime;

quickcheck! {
    fn texts_and_bytes_round_trip_and_bytes_sort(a: u64, b: u64) -> bool {
        let stamps = [a, b].map(|nanos| HybridTimestamp::from_nanos(nanos.max(1)).unwrap());
        let [a, b] = stamps;
        a.to_be_bytes().cmp(&b.to_be_bytes()) == a.cmp(&b)
            && stamps.iter().all(|stamp| {
                stamp.to_string().parse() == Ok(*stamp)
                    && HybridTimestamp::from_be_bytes(stamp.to_be_bytes()) == Some(*stamp)
            })
    }

    /// The rule of all conversions: `t > from(f)` exactly if `to(t) > f`.
    fn foreign_stamps_compare_as_their_counterparts(t: u64, f: u64, near: bool) -> bool {
        let stamp = HybridTimestamp::from_nanos(t.max(1)).unwrap();
        let ms48_16 = if near { stamp.to_ms48_16().saturating_add(f % 5).saturating_sub(2) } else { f };
        let ms48_16 = HybridTimestamp::from_ms48_16(ms48_16)
            .is_ok_and(|seen| (stamp > seen) != (stamp.to_ms48_16() > ms48_16));

        let ntp64 = stamp.to_ntp64().is_ok_and(|own| {
            let foreign = if near { own.saturating_add(f % 13).saturating_sub(6) } else { f };
            HybridTimestamp::from_ntp64(foreign)
                .is_ok_and(|seen| (stamp > seen) != (own > foreign))
        });

        let wall_logical = stamp.to_wall_logical().is_ok_and(|own| {
            let wall = if near { t.saturating_add(f % 3).saturating_sub(1) } else { f };
            WallLogical::new(WallTime::from_nanos(wall), u32::from(f % 3 == 0)).is_ok_and(|foreign| {
                HybridTimestamp::from_wall_logical(foreign)
                    .is_ok_and(|seen| (stamp > seen) != (own > foreign))
            })
        });
        !ms48_16 && !ntp64 && !wall_logical
    }

    fn foreign_forms_round_trip(nanos: u64, form: u64) -> bool {
        let stamp = HybridTimestamp::from_nanos(nanos.max(1)).unwrap();
        let ntp64 = stamp.to_ntp64().map(|form| HybridTimestamp::from_ntp64(form).unwrap());
        let wall_logical = stamp.to_wall_logical();
        ntp64.is_ok() == (nanos >> 32 < 1_000_000_000)
            && ntp64.is_ok_and(|back| back == stamp) | ntp64.is_err()
            && wall_logical.is_ok() == i64::try_from(nanos).is_ok()
            && wall_logical.is_ok_and(|form| form.to_string().parse() == Ok(form)) | wall_logical.is_err()
            && HybridTimestamp::from_ms48_16(form).is_ok_and(|seen| seen.to_ms48_16() == form)
                | (form > HybridTimestamp::MAX.to_ms48_16())
    }
}

#[test]
fn the_stamp_after_a_unit_is_in_the_next() {
    for unit in 0..70_000 {
        let last = HybridTimestamp::from_ms48_16(unit).unwrap();
        assert_eq!((last.to_ms48_16(), last.next().unwrap().to_ms48_16()), (unit, unit + 1));
    }
}

#[test]
fn the_ends_of_foreign_forms() {
    let last = HybridTimestamp::MAX.to_ms48_16();
    assert_eq!(HybridTimestamp::from_ms48_16(last), Ok(HybridTimestamp::MAX));
    let error = HybridTimestamp::from_ms48_16(last + 1).unwrap_err();
    assert_eq!((error.value, error.max), (last + 1, last));

    let last_second = HybridTimestamp::from_nanos((1 << 32) * 1_000_000_000 - 1).unwrap();
    assert_eq!(HybridTimestamp::from_ntp64(u64::MAX), Ok(last_second));
    assert!(last_second.to_ntp64().is_ok());
    assert_eq!(last_second.next().unwrap().to_ntp64().unwrap_err().max, last_second.as_nanos());

    let last = HybridTimestamp::from_nanos(i64::MAX as u64).unwrap();
    assert!(last.to_wall_logical().is_ok());
    assert_eq!(last.next().unwrap().to_wall_logical().unwrap_err().max, last.as_nanos());
    assert!(HybridTimestamp::from_wall_logical(WallLogical::default()).is_err());
}
