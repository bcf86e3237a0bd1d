use core::{fmt, num::NonZeroU64, time::Duration};

use surmise_fence::{FencingToken, LeaseTable, LeaseTableConfig};
use surmise_time::Instant;

use super::{Random, Report};

/// Reports what a table with little room and few tokens grants, renews, releases and forgets.
pub(super) fn run(report: &mut Report<'_>) -> fmt::Result {
    let mut random = Random::new(62);
    let config = LeaseTableConfig {
        epoch: 3,
        max_ttl: Duration::from_secs(10),
        lock_delay: Duration::from_millis(1_500),
        max_leases: 6,
    };
    let Ok(mut table) = LeaseTable::resume(config, FencingToken::first(3)) else {
        return report.text("lease_config", 0, format_args!("refused"));
    };
    let mut now = Instant::ORIGIN;
    let mut held = [None; 8];
    for number in 0..500 {
        now += Duration::from_nanos(random.below(1_000_000_000));
        let resource = random.below(8);
        let ttl = Duration::from_nanos(random.below(11_000_000_000));
        let token = held.get_mut(usize::try_from(resource).unwrap_or(0));
        match (random.below(8), token) {
            (0, _) => report.value("lease_expire", number, &table.expire(now).next())?,
            (1 | 2, Some(Some(token))) => {
                report.value("lease_renew", number, &table.renew(&resource, *token, ttl, now))?;
            }
            (3, Some(Some(token))) => {
                report.value("lease_release", number, &table.release(&resource, *token, now))?;
            }
            (_, Some(token)) => {
                let grant = table.acquire(resource, random.below(3), ttl, now);
                *token = grant.map(|grant| grant.token).ok().or(*token);
                report.value("lease_acquire", number, &grant)?;
            }
            (_, None) => {}
        }
        if table.needs_block() {
            let block = table.next_block(NonZeroU64::MIN.saturating_add(random.below(9)));
            report.value("token_block", number, &block.map(|block| table.reserve(block)))?;
        }
        report.value("lease_holding", number, &table.holding(&resource, now))?;
        report.deadline("lease_deadline", number, table.deadline())?;
    }
    Ok(())
}
