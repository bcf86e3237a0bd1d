//! One call in a hundred times out, however slow the service is, where what timed out counts as that.

use benches::spiral::{OURS, OURS_SHARED, Row, SUCCESS_ONLY, run};

#[test]
fn ours_keep_what_they_promise_and_who_hears_of_answers_only_spirals() {
    let rows = run(0..5).expect("every configuration is in its range");
    let row = |name| rows.iter().find(|row| row.name == name).expect("it is one of them");
    for Row { name, phases } in [row(OURS), row(OURS_SHARED)] {
        assert_eq!(phases.len(), 5);
        for phase in phases.iter().flatten().flatten() {
            // Not few because it waits for ever, either.
            assert!((0.003..=0.017).contains(&phase.timed_out), "{name}: {phases:?}");
            assert!((0.8..=2.5).contains(&phase.wait), "{name}: {phases:?}");
        }
    }
    for [[_, slow, _], [_, slower, _]] in &row(SUCCESS_ONLY).phases {
        assert!(slow.timed_out > 0.3 && slower.timed_out > 0.3, "{slow:?}, {slower:?}");
        assert!(slow.wait < 1.0 && slower.wait < 1.0, "{slow:?}, {slower:?}");
    }
}
