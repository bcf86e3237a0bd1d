//! One call in a hundred times out, however slow the service is, where what timed out counts as that.

use benches::spiral::{KNOWS_THE_LAW, OURS, OURS_SHARED, Phase, Row, SUCCESS_ONLY, run};

#[test]
fn ours_keep_what_they_promise_and_who_hears_of_answers_only_spirals() {
    let rows = run(0..5, 1).expect("every configuration is in its range");
    for Row { name, phases } in [row(&rows, OURS), row(&rows, OURS_SHARED)] {
        assert_eq!(phases.len(), 5);
        for phase in phases.iter().flatten().flatten() {
            // Not few because it waits for ever, either.
            assert!((0.003..=0.017).contains(&phase.timed_out), "{name}: {phases:?}");
            assert!((0.8..=2.5).contains(&phase.wait), "{name}: {phases:?}");
        }
    }
    for [[_, slow, _], [_, slower, _]] in &row(&rows, SUCCESS_ONLY).phases {
        assert!(slow.timed_out > 0.3 && slower.timed_out > 0.3, "{slow:?}, {slower:?}");
        assert!(slow.wait < 1.0 && slower.wait < 1.0, "{slow:?}, {slower:?}");
    }
}

/// Nothing is known of a slow service until a call of it is over: with a hundred under way, most of them are lost.
#[test]
fn with_a_hundred_under_way_ours_lose_more_only_in_the_first_moments() {
    let rows = run(0..3, 100).expect("every configuration is in its range");
    let ten_times_as_slow = |name| -> Vec<&Phase> {
        row(&rows, name).phases.iter().map(|[_, [_, slower, _]]| slower).collect()
    };
    for phase in ten_times_as_slow(KNOWS_THE_LAW) {
        assert!(phase.timed_out > 0.017, "none could lose less: {phase:?}");
    }
    for name in [OURS, OURS_SHARED] {
        for phase in ten_times_as_slow(name) {
            assert!((0.025..0.06).contains(&phase.timed_out), "{name}: {phase:?}");
        }
        for phase in row(&rows, name).phases.iter().flatten().flatten() {
            assert!((0.003..=0.017).contains(&phase.timed_out_later), "{name}: {phase:?}");
            assert!((0.8..=2.5).contains(&phase.wait), "{name}: {phase:?}");
        }
    }
}

fn row<'a>(rows: &'a [Row], name: &str) -> &'a Row {
    rows.iter().find(|row| row.name == name).expect("it is one of them")
}
