use core::{fmt, time::Duration};

use surmise_fence::{DriftAllowance, FencingToken, Grant, LeaseGuard, RenewSchedule, Renewal};
use surmise_time::Instant;

use super::{Random, Report};

/// Reports for how long a holder believes in its lease whose renewals are answered late or never.
pub(super) fn run(report: &mut Report<'_>) -> fmt::Result {
    let mut random = Random::new(63);
    let valid_for = Duration::from_secs(9);
    let grant = Grant { token: FencingToken::first(1), valid_for };
    for (kind, ppm) in [0, 1, 200, 1_000, 333_333, 999_999].into_iter().enumerate() {
        let mut guard = LeaseGuard::new(grant, Instant::ORIGIN, DriftAllowance::from_ppm(ppm));
        let spacing = Duration::from_millis(700);
        let Ok(mut schedule) = RenewSchedule::new(&guard, spacing) else {
            return report.text("renew_schedule", 0, format_args!("refused"));
        };
        for number in 0..100 {
            let Some(deadline) = schedule.deadline() else { break };
            let now = deadline + Duration::from_nanos(random.below(300_000_000));
            let renewal = schedule.poll(now);
            report.value("renewal", number, &(kind, renewal, guard.token(now)))?;
            if renewal == Renewal::Send && random.below(4) != 0 {
                let valid_for = Duration::from_nanos(random.below(9_000_000_000));
                let renewed = guard.renewed(Grant { valid_for, ..grant }, now);
                schedule.renewed(&guard);
                report.value("renewed", number, &(renewed, guard.expires_at()))?;
            }
        }
    }
    Ok(())
}
