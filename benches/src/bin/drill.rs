//! Prints which cache loses which race, and how long ours took for its longest step while a million records expired.

use core::time::Duration;

use benches::{Made, drill, idempotency};
use surmise_idempotency::Fingerprint;
use surmise_time::{Instant, MonotonicClock, OsClock};

fn main() -> Made<()> {
    println!("{}", drill::run());
    let (longest, steps) = longest_step()?;
    println!("the longest of {steps} steps while a million records expired: {longest:?}");
    Ok(())
}

/// How often all steps are taken. What interrupts one hardly ever does so each time.
const ROUNDS: usize = 5;

/// Returns how long the longest step took when it took least, and how many there were.
fn longest_step() -> Made<(Duration, usize)> {
    let mut least: Vec<Duration> = Vec::new();
    for _ in 0..ROUNDS {
        let mut cache = idempotency::expiring(1_000_000)?;
        let (late, mut key) = (Instant::from_nanos(2), 1_000_000);
        // Each puts out six, and is itself one that stays.
        let mut steps = 0;
        while cache.len() > steps {
            let start = OsClock.now();
            let begin = cache.begin(&key, Fingerprint::NONE, late);
            let took = OsClock.now() - start;
            drop(begin);
            match least.get_mut(steps) {
                Some(least) => *least = took.min(*least),
                None => least.push(took),
            }
            key += 1;
            steps += 1;
        }
    }
    Ok((least.iter().max().copied().unwrap_or_default(), least.len()))
}
