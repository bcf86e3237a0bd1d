//! Every operation of the logical clocks, ours and the peers'.

use core::time::Duration;

use benches::{Family, Meter, Operation, Subject, clocks::check, time};
use criterion::{Criterion, criterion_group, criterion_main};

struct Benches<'a>(&'a mut Criterion);

impl Meter for Benches<'_> {
    fn bytes(&mut self, _: Subject<'_>, _: usize) {}

    fn operation<O: Operation>(
        &mut self,
        subject: Subject<'_>,
        what: &'static str,
        mut operation: O,
    ) {
        self.0.bench_function(&format!("{what}/{}", subject.name), |bencher| {
            bencher.iter_custom(|calls| time_in_batches(&mut operation, calls));
        });
    }
}

/// All inputs of a batch are in memory at once.
fn time_in_batches<O: Operation>(operation: &mut O, calls: u64) -> Duration {
    let batch = u64::from(O::BATCH);
    let rest = u32::try_from(calls % batch).expect("it is less than a batch");
    (0..calls / batch).map(|_| time(operation, O::BATCH)).sum::<Duration>() + time(operation, rest)
}

fn clocks(criterion: &mut Criterion) {
    check();
    Family::Clocks.measure(&mut Benches(criterion)).expect("every clock can be made");
}

fn config() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
}

criterion_group!(name = benches; config = config(); targets = clocks);
criterion_main!(benches);
