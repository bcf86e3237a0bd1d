//! Synthetic traces, each with one thing in it that is easy to get wrong.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const SECOND: u64 = 1_000_000_000;
const INTERVAL: u64 = 100_000_000;

/// A row of a trace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) sequence: u64,
    pub(crate) sent: Option<u64>,
    pub(crate) received: Option<u64>,
}

fn row(sequence: u64, sent: u64, received: Option<u64>) -> Row {
    Row { sequence, sent: Some(sent), received }
}

/// A delay whose logarithm is uniform from `least` to `greatest` nanoseconds.
fn delay(random: &mut impl Rng, least: f64, greatest: f64) -> u64 {
    (least * (greatest / least).powf(random.random::<f64>())) as u64
}

/// One heartbeat in a hundred lost, delays of a few milliseconds, a sender's clock of its own.
pub(crate) fn calm(beats: u64) -> Vec<Row> {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let beat = |sequence| {
        let sent = sequence * INTERVAL + random.random_range(0..400_000);
        let arrival = 77 * SECOND + sent + delay(&mut random, 1e6, 9e6);
        row(sequence, sent, (!random.random_bool(0.01)).then_some(arrival))
    };
    (1..=beats).map(beat).collect()
}

/// Losses in bursts, delays of up to ten intervals, and heartbeats that are delivered twice.
pub(crate) fn stormy(beats: u64) -> Vec<Row> {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let mut rows = Vec::new();
    let mut losing = false;
    for sequence in 500..500 + beats {
        losing = random.random_bool(if losing { 0.7 } else { 0.03 });
        let sent = 9_000 * SECOND + sequence * INTERVAL + random.random_range(0..5_000_000);
        let usual = random.random_bool(0.9);
        let arrival = sent + delay(&mut random, 5e5, if usual { 5e7 } else { 1e9 });
        rows.push(row(sequence, sent, (!losing).then_some(arrival)));
        if !losing && random.random_bool(0.05) {
            rows.push(row(sequence, sent, Some(arrival + delay(&mut random, 1.0, 3e8))));
        }
    }
    rows
}

/// Without times of sending, and with exactly every third heartbeat delivered.
pub(crate) fn every_third() -> Vec<Row> {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let mut arrival = 5 * SECOND;
    let beat = |sequence| {
        arrival += 1;
        let received = (sequence % 3 == 0).then(|| {
            arrival += 3 * INTERVAL + random.random_range(0..50_000);
            arrival
        });
        Row { sequence, sent: None, received }
    };
    (1..=2_400).map(beat).collect()
}

/// A receiver whose clock ticks in tens of milliseconds, and that wakes for several beats at once.
pub(crate) fn ties(beats: u64) -> Vec<Row> {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let mut asleep_until = 0;
    let beat = |sequence: u64| {
        let sent = 3 * SECOND + sequence * INTERVAL;
        if random.random_bool(0.02) {
            asleep_until = sent + delay(&mut random, 1e8, 8e8);
        }
        let arrival = (sent + delay(&mut random, 1e6, 3e7)).max(asleep_until);
        row(sequence, sent, Some(arrival.next_multiple_of(10_000_000)))
    };
    (1..=beats).map(beat).collect()
}

/// A sender that stops for a while and then goes on with its old schedule moved.
pub(crate) fn stalls(beats: u64) -> Vec<Row> {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut slip = 0;
    let beat = |sequence| {
        if sequence % 400 == 150 {
            slip += 7 * SECOND + 123_456_789;
        }
        let sent = SECOND + sequence * INTERVAL + slip;
        let arrival = sent + delay(&mut random, 1e6, 2e7);
        row(sequence, sent, (!random.random_bool(0.02)).then_some(arrival))
    };
    (1..=beats).map(beat).collect()
}

/// A heartbeat every ten seconds or so, on a network so unsteady that deadlines are hours away.
pub(crate) fn slow(beats: u64) -> Vec<Row> {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let beat = |sequence| {
        let sent = sequence * 100 * INTERVAL + random.random_range(0..INTERVAL);
        row(sequence, sent, Some(sent + delay(&mut random, 1e8, 1e11)))
    };
    (1..=beats).map(beat).collect()
}

/// An interval of a whole number of nanoseconds and a half, and sequence numbers with large steps.
pub(crate) fn half_nanosecond(beats: u64) -> Vec<Row> {
    let mut random = ChaCha8Rng::seed_from_u64(6);
    let mut sent = SECOND;
    let mut rows = vec![row(1, sent, Some(sent + 5_000_000))];
    // An even number of intervals, half of them a nanosecond longer than the others.
    for sequence in 2..=(beats | 1) {
        sent += 9_999_999 + sequence % 2;
        let arrival = sent + delay(&mut random, 1e5, 4e6);
        rows.push(row(sequence, sent, (!random.random_bool(0.2)).then_some(arrival)));
    }
    rows
}
