//! Heartbeats, verdicts and levels of suspicion of every detector, ours and the peers'.

use core::{hint::black_box, time::Duration};

use benches::{
    Made,
    detectors::{AccrualContender, Contender, Heartbeats, INTERVAL, Visitor, visit_all, warm},
};
use criterion::{Criterion, criterion_group, criterion_main};
use surmise_detector::Verdict;

struct Benches<'a>(&'a mut Criterion);

impl Visitor for Benches<'_> {
    fn visit<C: Contender>(&mut self, name: &'static str, make: impl Fn() -> Made<C>) -> Made<()> {
        let mut contender = make()?;
        let mut heartbeats = Heartbeats::new();
        let mut last = warm(&mut contender, &mut heartbeats);
        self.0.bench_function(&format!("heartbeat/{name}"), |bencher| {
            bencher.iter(|| {
                let Some(beat) = heartbeats.next() else { return };
                last = beat.at;
                // By reference: to move it would read what was just written in other widths, and stall.
                black_box(&contender.heartbeat(beat.sequence, beat.at));
            });
        });
        assert_eq!(contender.verdict(last), Verdict::Trust, "{name} suspects at a heartbeat");

        let soon = last + INTERVAL / 2;
        self.0.bench_function(&format!("verdict/{name}"), |bencher| {
            bencher.iter(|| contender.verdict(black_box(soon)));
        });
        assert_eq!(contender.verdict(soon), Verdict::Trust, "{name} suspects within an interval");
        let late = last + 1000 * INTERVAL;
        assert_eq!(contender.verdict(late), Verdict::Suspect, "{name} never suspects");
        Ok(())
    }

    fn visit_level<C: AccrualContender>(
        &mut self,
        name: &'static str,
        make: impl Fn() -> Made<C>,
    ) -> Made<()> {
        let mut contender = make()?;
        let last = warm(&mut contender, &mut Heartbeats::new());
        // Where the normal distribution's tail is neither 0 nor 1.
        let now = last + INTERVAL * 6 / 5;
        self.0.bench_function(&format!("suspicion_level/{name}"), |bencher| {
            bencher.iter(|| contender.suspicion_level(black_box(now)));
        });
        let later = last + 31 * INTERVAL;
        let levels = contender.suspicion_level(last)..contender.suspicion_level(later);
        assert!(
            levels.contains(&contender.suspicion_level(now)),
            "{name} is not within {levels:?}"
        );
        Ok(())
    }
}

/// Measures the heartbeats themselves, which are part of what is measured of every detector.
fn stream(criterion: &mut Criterion) {
    let mut heartbeats = Heartbeats::new();
    let first = heartbeats.next();
    criterion.bench_function("heartbeat/none", |bencher| bencher.iter(|| heartbeats.next()));
    assert!(heartbeats.next().map(|beat| beat.sequence) > first.map(|beat| beat.sequence));
}

fn detectors(criterion: &mut Criterion) {
    visit_all(&mut Benches(criterion)).expect("every configuration is in its range");
}

fn config() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
}

criterion_group!(name = benches; config = config(); targets = stream, detectors);
criterion_main!(benches);
