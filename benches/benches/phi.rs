//! φ from z, in every branch of its computation.

use core::{hint::black_box, time::Duration};

use benches::detectors::PHI_VALUES;
use criterion::{Criterion, criterion_group, criterion_main};
use surmise_detector::phi_from_z;

fn values(criterion: &mut Criterion) {
    for (z, phi) in PHI_VALUES {
        let error = (phi_from_z(z) - phi).abs();
        assert!(error <= 1e-12 * phi, "φ({z}) is off by {error:e}");
        criterion.bench_function(&format!("phi_from_z/{z}"), |bencher| {
            bencher.iter(|| phi_from_z(black_box(z)));
        });
    }
}

fn config() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
}

criterion_group!(name = benches; config = config(); targets = values);
criterion_main!(benches);
