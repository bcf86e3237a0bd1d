//! A monitor suspects nobody for a stall of its own, and who has none suspects everybody.

#![expect(clippy::indexing_slicing, reason = "what fails here fails the test")]

use core::time::Duration;

use benches::stalls::{GoesOn, Kind, Outcome, Row, run};

const HEALTHY: usize = 999;

#[test]
fn monitors_suspect_nobody_for_a_stall_and_all_others_everybody() {
    let rows = run().expect("every configuration is in its range");
    for row in &rows {
        assert_eq!((row.awake.at_once, row.awake.later), (0, 0), "{row:?}");
        match row.kind {
            Kind::Monitor => monitor(row),
            Kind::Bare | Kind::Peer => {
                suspects_all(row);
                loses_what_did_not_fit(row);
            }
        }
    }
    for (kind, count) in [(Kind::Monitor, 3), (Kind::Bare, 3), (Kind::Peer, 2)] {
        assert_eq!(rows.iter().filter(|row| row.kind == kind).count(), count, "{kind:?}");
    }
}

fn monitor(row: &Row) {
    let normal = found(row, row.awake);
    // What was lost, nobody heard: so they have their whole time again.
    let lost = &row.stalled[&GoesOn::Overflowed];
    for &outcome in read(row).chain(lost) {
        assert_eq!((outcome.at_once, outcome.later), (0, 0), "{row:?}");
        // A look later or earlier, as the heartbeat before it came.
        assert!(found(row, outcome).abs_diff(normal) <= Duration::from_millis(100), "{row:?}");
    }
}

fn suspects_all(row: &Row) {
    let normal = found(row, row.awake);
    let asking = &row.stalled[&GoesOn::AskingFirst];
    for (outcome, stall) in asking.iter().zip(GoesOn::AskingFirst.stalls()) {
        let is_long = stall > normal;
        assert!(!is_long || outcome.at_once == HEALTHY, "{row:?}");
        // Whoever waits for much longer than the stall bears it.
        let is_short = stall + Duration::from_secs(1) < normal;
        assert!(!is_short || outcome.at_once == 0, "{row:?}");
    }
    for &outcome in read(row) {
        assert_eq!(outcome.later, 0, "{row:?}");
        found(row, outcome);
    }
    let reading = &row.stalled[&GoesOn::ReadingFirst];
    assert!(reading.iter().all(|outcome| outcome.at_once == 0), "{row:?}");
}

fn loses_what_did_not_fit(row: &Row) {
    let [_, _, stalls @ ..] = &row.stalled[&GoesOn::Overflowed][..] else { panic!("{row:?}") };
    assert_eq!(stalls.len(), 2);
    for outcome in stalls {
        assert!(outcome.at_once > 700 && outcome.later > 600, "{row:?}");
    }
}

/// Returns what came of the stalls in which no heartbeat was lost.
fn read(row: &Row) -> impl Iterator<Item = &Outcome> {
    let ways = [GoesOn::AskingFirst, GoesOn::ReadingFirst];
    ways.into_iter().flat_map(|goes_on| {
        assert_eq!(row.stalled[&goes_on].len(), goes_on.stalls().len());
        &row.stalled[&goes_on]
    })
}

fn found(row: &Row, outcome: Outcome) -> Duration {
    outcome.found_after.unwrap_or_else(|| panic!("the dead one is not found: {row:?}"))
}
