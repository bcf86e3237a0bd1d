use core::{
    fmt,
    num::{NonZeroU64, NonZeroUsize},
};

use surmise_fence::{FencedMap, FencingToken, Pass};

use super::{Random, Report};

/// Reports what a map with little room takes and refuses.
///
/// In the order of its keys: that of the map depends on a seed, which is another on each machine.
pub(super) fn run(report: &mut Report<'_>) -> fmt::Result {
    let mut random = Random::new(64);
    let mut map = FencedMap::new(NonZeroUsize::MIN.saturating_add(4));
    for number in 0..500 {
        let key = random.below(KEYS);
        let counter = NonZeroU64::MIN.saturating_add(number / 50 + random.below(2));
        let pass = Pass::from(FencingToken::new(1, counter));
        let sequence = number * random.below(2);
        let pass = pass.with_nonce(random.below(16) / 15).with_sequence(sequence);
        match random.below(16) {
            0 => report.value("map_raise", number, &map.raise(pass))?,
            1 => report.value("map_prune", number, &map.prune())?,
            2..6 => report.value("map_remove", number, &map.remove(&key, pass))?,
            _ => report.value("map_write", number, &map.write(key, number, pass))?,
        }
        report.value("map_sizes", number, &(map.len(), map.tombstones(), map.floor()))?;
        for key in 0..KEYS {
            report.value("map_entry", number, &(map.get(&key), map.pass(&key)))?;
        }
    }
    Ok(())
}

const KEYS: u64 = 8;
