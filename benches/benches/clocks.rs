//! Every operation of the logical clocks, ours and the peers'.

mod criterion_meter;

use core::time::Duration;

use benches::{Family, clocks::check};
use criterion::{Criterion, criterion_group, criterion_main};

use self::criterion_meter::Benches;

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
