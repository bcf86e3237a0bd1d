use loom::{sync::Arc, thread};

use super::*;
use crate::Quantile;

fn timeout_and_limits(prior_samples: u32) -> (Arc<SharedAdaptiveTimeout>, [Duration; 2]) {
    let limits @ [floor, ceiling] = [1, 1000].map(Duration::from_nanos);
    let config = AdaptiveTimeoutConfig {
        prior_samples,
        ..AdaptiveTimeoutConfig::of(Quantile::P50, floor, ceiling)
    };
    (Arc::new(SharedAdaptiveTimeout::new(config).unwrap()), limits)
}

/// Answers that are recorded while others renew the timeout are counted once each.
#[test]
fn loom_no_answer_is_lost_or_counted_twice() {
    loom::model(|| {
        let (timeout, [floor, ceiling]) = timeout_and_limits(2);
        let recorders = [Outcome::Completed(floor), Outcome::TimedOut(ceiling)].map(|outcome| {
            let timeout = Arc::clone(&timeout);
            thread::spawn(move || timeout.record(outcome))
        });
        timeout.record(Outcome::Completed(Duration::ZERO));
        assert!((floor..=ceiling).contains(&timeout.current()));
        for recorder in recorders {
            recorder.join().unwrap();
        }
        let mut renewal = timeout.renewal.lock();
        let known = timeout.known(&renewal);
        assert_eq!((known.answered, known.given_up, known.calls), ([1, 1, 0], [0, 0, 1], 3));
        timeout.renew(&mut renewal, None);
        drop(renewal);
        assert_eq!(timeout.current_nanos(), 2);
    });
}

/// Generations begin while others record: none is counted twice, and where to count is agreed upon.
#[test]
fn loom_answers_outlast_the_generation_in_which_they_came() {
    loom::model(|| {
        let (timeout, [floor, ceiling]) = timeout_and_limits(0);
        timeout.record(Outcome::Completed(floor));
        let recorder = {
            let timeout = Arc::clone(&timeout);
            thread::spawn(move || timeout.record(Outcome::Completed(floor)))
        };
        timeout.record(Outcome::Completed(floor));
        recorder.join().unwrap();
        timeout.record(Outcome::TimedOut(ceiling));
        let renewal = timeout.renewal.lock();
        let known = timeout.known(&renewal);
        // One generation of two was kept at least, with what came after it.
        assert!((2..=4).contains(&known.calls), "{}", known.calls);
        let odd = timeout.ticket.load(Ordering::Relaxed) & ODD != 0;
        assert_eq!(odd, renewal.newest == 1);
        assert!((floor..=ceiling).contains(&timeout.current()));
    });
}

/// What is cancelled counts if an answer so soon is known by then, and perhaps if it comes in meanwhile.
#[test]
fn loom_who_is_cancelled_counts_once_an_answer_is_known() {
    loom::model(|| {
        let (timeout, [floor, ceiling]) = timeout_and_limits(0);
        let recorder = {
            let timeout = Arc::clone(&timeout);
            thread::spawn(move || timeout.record(Outcome::Completed(Duration::ZERO)))
        };
        timeout.record(Outcome::Cancelled(floor));
        recorder.join().unwrap();
        let meanwhile = timeout.known(&timeout.renewal.lock()).calls - 1;
        assert!(meanwhile <= 1);
        timeout.record(Outcome::Cancelled(floor));
        let known = timeout.known(&timeout.renewal.lock());
        assert_eq!((known.answered, known.given_up), ([1, 0, 0], [meanwhile + 1, 0, 0]));
        assert!((floor..=ceiling).contains(&timeout.current()));
    });
}
