//! Every operation of ballots, ours and the peer's.

mod criterion_meter;

use core::time::Duration;

use benches::{Family, quorums::check};
use criterion::{Criterion, criterion_group, criterion_main};

use self::criterion_meter::Benches;

fn quorums(criterion: &mut Criterion) {
    check();
    let measured = Family::Quorums.measure(&mut Benches(criterion));
    measured.expect("every configuration is in its range");
}

fn config() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
}

criterion_group!(name = benches; config = config(); targets = quorums);
criterion_main!(benches);
