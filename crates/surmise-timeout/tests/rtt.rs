//! Round-trip times against what exact rationals, and integers as QUIC's, make of them.

#![expect(clippy::unwrap_used, reason = "a vector that cannot be read is a failure")]

use core::time::Duration;
use std::collections::HashMap;

use surmise_timeout::rtt::{QuicRtt, QuicRttConfig, RttConfig, RttEstimator};

const VECTORS: &str = include_str!("vectors/rto.csv");

/// One event, by column.
type Row = HashMap<&'static str, &'static str>;

#[test]
fn rfc_6298_is_met_to_the_last_nanosecond() {
    let with_floor = RttConfig::default();
    let without_floor = RttConfig { min_rto: Duration::ZERO, ..with_floor };
    for rows in sequences() {
        let mut floored = RttEstimator::new(with_floor).unwrap();
        let mut plain = RttEstimator::new(without_floor).unwrap();
        for row in &rows {
            for estimator in [&mut floored, &mut plain] {
                match row["event"] {
                    "ok" => assert!(estimator.update(duration(row, "rtt_ns").unwrap(), 1)),
                    "rexmit_ack" => assert!(!estimator.update(duration(row, "rtt_ns").unwrap(), 2)),
                    "to" => estimator.timed_out(),
                    other => panic!("{other}"),
                }
                assert_eq!(estimator.smoothed_rtt(), duration(row, "srtt_ns_floor"), "{row:?}");
                assert_eq!(estimator.rttvar(), duration(row, "rttvar_ns_floor"), "{row:?}");
            }
            assert_eq!(Some(floored.rto()), duration(row, "rto_ns_floor_min1s"), "{row:?}");
            assert_eq!(Some(plain.rto()), duration(row, "rto_ns_floor_nomin"), "{row:?}");
            if row["event"] == "ok" {
                // What is not backed off, and not limited: all of these are less than a minute.
                assert_eq!(Some(plain.rto()), duration(row, "rto_base_ns_floor"), "{row:?}");
            }
        }
    }
}

#[test]
fn rfc_9002_is_met_in_whole_nanoseconds() {
    for rows in sequences() {
        let mut rtt = QuicRtt::new(QuicRttConfig::default()).unwrap();
        for row in &rows {
            match row["event"] {
                "ok" => {
                    rtt.update(duration(row, "rtt_ns").unwrap(), Duration::ZERO);
                    rtt.acknowledged();
                }
                // What would be ambiguous does not exist in QUIC: packets have their numbers once.
                "rexmit_ack" => {}
                "to" => rtt.timed_out(),
                other => panic!("{other}"),
            }
            assert_eq!(Some(rtt.pto()), duration(row, "quic_pto_ns"), "{row:?}");
            assert_eq!(Some(rtt.rttvar()), duration(row, "quic_var_ns"), "{row:?}");
            let smoothed = rtt.latest_rtt().map(|_| rtt.smoothed_rtt());
            assert_eq!(smoothed, duration(row, "quic_smoothed_ns"), "{row:?}");
            if let Some(latest) = rtt.latest_rtt() {
                // RFC 6298 in integers is the same, but for what comes before the first sample, and for its limit.
                let columns = ["srtt_int", "rttvar_int", "rto_int_nomin"];
                let rto = rtt.pto().min(Duration::from_secs(60));
                let found = [rtt.smoothed_rtt(), rtt.rttvar(), rto].map(Some);
                assert_eq!(found, columns.map(|column| duration(row, column)), "{row:?}");
                assert!(rtt.min_rtt() <= Some(latest));
            }
        }
    }
}

/// Reads the rows, in groups of a sequence each.
fn sequences() -> Vec<Vec<Row>> {
    let mut lines = VECTORS.lines();
    let columns: Vec<_> = lines.next().unwrap().split(',').collect();
    let rows: Vec<Row> =
        lines.map(|line| columns.iter().copied().zip(line.split(',')).collect()).collect();
    assert_eq!(rows.len(), 136);
    rows.chunk_by(|a, b| a["seq"] == b["seq"]).map(<[Row]>::to_vec).collect()
}

fn duration(row: &Row, column: &str) -> Option<Duration> {
    let cell = row[column];
    (!cell.is_empty()).then(|| Duration::from_nanos(cell.parse().unwrap()))
}

#[cfg(feature = "serde")]
#[test]
fn configurations_are_read_as_they_are_written() {
    let config = RttConfig { min_rto: Duration::from_millis(5), ..RttConfig::default() };
    let text = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<RttConfig>(&text).unwrap(), config);
    assert!(serde_json::from_str::<RttConfig>(&text.replace("min_rto", "floor")).is_err());

    let config = QuicRttConfig { initial_rtt: Duration::from_millis(40), ..Default::default() };
    let text = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<QuicRttConfig>(&text).unwrap(), config);
    let unknown = text.replacen('{', "{\"min_rtt\":null,", 1);
    assert!(serde_json::from_str::<QuicRttConfig>(&unknown).is_err());
}
