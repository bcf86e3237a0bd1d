//! The laws of a detector whose patience is capped.

use super::*;
use surmise_detector::Capped;

quickcheck! {
    fn a_cap_is_the_lesser_of_two_deadlines(ops: Vec<Op>, limit: u32) -> Result<(), String> {
        // Mostly about the patience of the detectors.
        let limit = Duration::from_nanos(u64::from(limit % 4_000_000) + 1);
        for ((name, mut within), (_, mut alone)) in every_detector().zip(every_detector()) {
            // Of what it had heard before, nobody knows when.
            within.heartbeat(u64::MAX, Instant::from_nanos(1));
            let mut capped = Capped::new(&mut *within, limit).unwrap();
            alone.heartbeat(u64::MAX, Instant::from_nanos(1));
            alone.restart();
            let mut model = Model::default();
            for op in &ops {
                match model.resolve(*op) {
                    None => {
                        model = Model::default();
                        capped.restart();
                        alone.restart();
                    }
                    Some((sequence, now, queued)) => {
                        let expected = model.beat(sequence, now, capped.deadline());
                        hear(&mut *alone, sequence, now, queued);
                        let beat = hear(&mut capped, sequence, now, queued);
                        ensure(beat == expected, format!("{name}: {beat:?}, not {expected:?}"))?;
                    }
                }
                let until = model.newest.map(|(_, last)| last + limit);
                let lesser = alone.deadline().zip(until).map(|(deadline, until)| deadline.min(until));
                let deadline = capped.deadline();
                ensure(deadline == lesser, format!("{name}: {deadline:?}, not {lesser:?}"))?;
                ensure(capped.detector().deadline() == alone.deadline(), "learned otherwise")?;
            }
        }
        Ok(())
    }

    fn capped_detectors_keep_the_laws(ops: Vec<Op>, limit: u32) -> Result<(), String> {
        let limit = Duration::from_nanos(u64::from(limit % 4_000_000) + 1);
        for (name, mut detector) in every_detector() {
            let mut capped = Capped::new(&mut *detector, limit).unwrap();
            laws_hold(&mut capped, &ops, |_, _| Ok(())).map_err(|e| format!("{name}: {e}"))?;
        }
        Ok(())
    }
}

#[test]
fn whoever_comes_after_the_cap_was_suspected() {
    for (name, mut detector) in every_detector() {
        let mut capped = Capped::new(&mut *detector, INTERVAL / 10).unwrap();
        let now = Instant::from_nanos(1 << 40);
        capped.heartbeat(1, now);
        assert_eq!(capped.deadline(), Some(now + INTERVAL / 10), "{name}");
        let beat = capped.heartbeat(2, now + INTERVAL);
        assert_eq!(beat, Beat::Fresh { lost: 0, suspected: true }, "{name}");
        // The one within was told, and learned, as if there were no cap.
        assert!(capped.detector().deadline() > Some(now + INTERVAL), "{name}");
        assert_eq!(capped.limit(), INTERVAL / 10);
    }
}
