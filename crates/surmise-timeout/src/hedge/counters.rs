use super::outcome::{Backup, HedgeOutcome};

/// How many backups there were, and what became of them. Counters saturate.
///
/// What was issued and has neither won nor lost is under way. If few win, the delay is too short or what makes
/// requests slow is not the replica; if many are denied, the budget is less than the tail.
///
/// # Examples
///
/// ```
/// use surmise_timeout::HedgeCounters;
///
/// let counters = HedgeCounters { issued: 50, won: 38, lost: 11, denied: 2 };
/// assert_eq!(counters.under_way(), 1);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct HedgeCounters {
    /// Backups that were paid for.
    pub issued: u64,
    /// Backups that answered first.
    pub won: u64,
    /// Backups that did not: the primary was faster, or both were given up.
    pub lost: u64,
    /// Backups that the budget did not allow.
    pub denied: u64,
}

impl HedgeCounters {
    /// Returns how many backups have neither won nor lost.
    #[must_use]
    pub const fn under_way(&self) -> u64 {
        self.issued.saturating_sub(self.won).saturating_sub(self.lost)
    }

    pub(super) const fn count_issue(&mut self, allowed: bool) {
        let counter = if allowed { &mut self.issued } else { &mut self.denied };
        *counter = counter.saturating_add(1);
    }

    pub(super) const fn count_end(&mut self, outcome: HedgeOutcome) {
        let counter = match outcome.backup_ended() {
            Some(Backup::Won) => &mut self.won,
            Some(Backup::Lost) => &mut self.lost,
            None => return,
        };
        *counter = counter.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    #[test]
    fn counters_saturate() {
        let most =
            HedgeCounters { issued: u64::MAX, won: u64::MAX, lost: u64::MAX, denied: u64::MAX };
        let mut counters = most;
        let (primary, backup) = (Duration::ZERO, Duration::ZERO);
        counters.count_issue(true);
        counters.count_issue(false);
        counters.count_end(HedgeOutcome::BackupWon { primary, backup });
        counters.count_end(HedgeOutcome::PrimaryWon { primary, backup });
        assert_eq!((counters, counters.under_way()), (most, 0));
        assert_eq!(HedgeCounters { won: 5, lost: u64::MAX - 7, ..most }.under_way(), 2);
    }
}
