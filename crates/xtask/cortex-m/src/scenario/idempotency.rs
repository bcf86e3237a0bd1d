use core::{fmt, num::NonZeroUsize, time::Duration};

use surmise_idempotency::{
    Begin, CacheConfig, Fingerprint, IdempotencyCache, Keep, Ticket, WhenFull,
};
use surmise_time::Instant;

use super::{random::Random, report::Report};

/// Reports what a cache with little room says to requests, and to executors that are late.
pub(super) fn run(report: &mut Report<'_>) -> fmt::Result {
    for when_full in [WhenFull::Refuse, WhenFull::EvictOldest] {
        let config = CacheConfig {
            lease: Duration::from_secs(2),
            retention: Duration::from_secs(20),
            brief_retention: Duration::from_secs(5),
            capacity: NonZeroUsize::MIN.saturating_add(5),
            when_full,
            epoch: 3,
        };
        let Ok(mut cache) = IdempotencyCache::with_checkpoints(config) else {
            return report.text("cache_config", 0, format_args!("refused"));
        };
        requests(report, &mut cache)?;
        report.value("cache_stats", 0, &cache.stats())?;
    }
    Ok(())
}

fn requests(report: &mut Report<'_>, cache: &mut IdempotencyCache<u64, u64, u64>) -> fmt::Result {
    let mut random = Random::new(71);
    let mut now = Instant::ORIGIN;
    let mut tickets: [Option<Ticket<u64>>; 8] = Default::default();
    for number in 0..500 {
        now += Duration::from_nanos(random.below(1_000_000_000));
        let key = random.below(8);
        let Some(held) = tickets.get_mut(usize::try_from(key).unwrap_or(0)) else { continue };
        match (random.below(8), held.take()) {
            (0, Some(ticket)) => {
                report.value("cache_complete", number, &cache.complete(ticket, number, now))?;
            }
            (1, Some(ticket)) => {
                let completed = cache.complete_for(ticket, number, Keep::Briefly, now);
                report.value("cache_complete_briefly", number, &completed)?;
            }
            (2, Some(ticket)) => report.value("cache_release", number, &cache.release(ticket))?,
            (3, Some(ticket)) => {
                report.value("cache_renew", number, &cache.renew(&ticket, now))?;
                report.value("cache_save", number, &cache.save(&ticket, number))?;
                *held = Some(ticket);
            }
            (_, ticket) => {
                let begin = cache.begin(&key, Fingerprint::NONE, now);
                report.value("cache_begin", number, &begin)?;
                *held = match begin {
                    Begin::Execute(ticket) | Begin::Recover(ticket) => Some(ticket),
                    _ => ticket,
                };
            }
        }
        report.value("cache_len", number, &cache.len())?;
    }
    Ok(())
}
