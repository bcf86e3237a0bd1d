//! What the families' benches share: criterion as the meter of their operations.

use core::time::Duration;

use benches::{Meter, Operation, Subject, time};
use criterion::Criterion;

/// Measures each operation with criterion.
pub(crate) struct Benches<'a>(pub(crate) &'a mut Criterion);

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
