use core::time::Duration;

use crate::Outcome;

/// How a request went that may have had a backup.
///
/// Each duration is since that one request was sent: the backup's is shorter by the delay. An error that took real
/// work is an answer. If one of the two fails and the other is still under way, the request is not over.
///
/// # Which timeout to tell
///
/// A timeout around the request as a whole, told how long that took, learns all that there is to learn. One for each
/// replica is told what [`primary`](Self::primary) and [`backup`](Self::backup) say, and of who lost that is no more
/// than that an answer takes longer than a little more than the delay: of a quantile beyond the delay's such
/// a timeout knows next to nothing. Give it one that lies well below the delay's, and a factor.
///
/// # Examples
///
/// What to tell the timeouts of the two replicas:
///
/// ```
/// use core::time::Duration;
/// use surmise_timeout::{HedgeOutcome, Outcome};
///
/// let [primary, backup] = [20, 8].map(Duration::from_millis);
/// let outcome = HedgeOutcome::BackupWon { primary, backup };
/// assert_eq!(outcome.primary(), Outcome::Cancelled(primary));
/// assert_eq!(outcome.backup(), Some(Outcome::Completed(backup)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(
    clippy::exhaustive_enums,
    reason = "one of two requests wins, or both are given up; what else there is to say, `Both` says"
)]
pub enum HedgeOutcome {
    /// There was no backup, because the primary was over before the delay or the budget was exhausted.
    Alone(Outcome),
    /// The primary answered first, and the backup was cancelled.
    PrimaryWon {
        /// How long the answer took.
        primary: Duration,
        /// How long the backup had been under way.
        backup: Duration,
    },
    /// The backup answered first, and the primary was cancelled.
    BackupWon {
        /// How long the primary had been under way.
        primary: Duration,
        /// How long the answer took.
        backup: Duration,
    },
    /// Neither answered, and both were given up because the timeout passed.
    TimedOut {
        /// How long the primary had been under way.
        primary: Duration,
        /// How long the backup had been under way.
        backup: Duration,
    },
    /// Neither answered, and both were given up for another reason: the caller went away.
    Cancelled {
        /// How long the primary had been under way.
        primary: Duration,
        /// How long the backup had been under way.
        backup: Duration,
    },
    /// It was over in any way, and this is what each of the two says of how long answers take.
    ///
    /// The others say it more briefly, and cannot say that one of the two failed at once.
    Both {
        /// How the primary went.
        primary: Outcome,
        /// How the backup went.
        backup: Outcome,
        /// Whether the backup's answer was used, and worth keeping.
        backup_won: bool,
    },
}

impl HedgeOutcome {
    /// Returns how the primary went, for the timeout of the replica that it was sent to.
    #[must_use]
    pub const fn primary(self) -> Outcome {
        match self {
            Self::Alone(outcome) | Self::Both { primary: outcome, .. } => outcome,
            Self::PrimaryWon { primary, .. } => Outcome::Completed(primary),
            Self::TimedOut { primary, .. } => Outcome::TimedOut(primary),
            Self::BackupWon { primary, .. } | Self::Cancelled { primary, .. } => {
                Outcome::Cancelled(primary)
            }
        }
    }

    /// Returns how the backup went, for the timeout of the replica that it was sent to, if there was one.
    ///
    /// If both were given up because the timeout passed, it did not wait for as long as that: it was cancelled.
    #[must_use]
    pub const fn backup(self) -> Option<Outcome> {
        match self {
            Self::Alone(_) => None,
            Self::Both { backup, .. } => Some(backup),
            Self::BackupWon { backup, .. } => Some(Outcome::Completed(backup)),
            Self::PrimaryWon { backup, .. }
            | Self::TimedOut { backup, .. }
            | Self::Cancelled { backup, .. } => Some(Outcome::Cancelled(backup)),
        }
    }

    /// Returns what the primary says of how long primaries take.
    ///
    /// That the timeout passed does not mean that the delay is too short. It would double for each request
    /// that a stuck replica lets time out, and those are the ones that a backup helps.
    pub(crate) const fn for_delay(self) -> Outcome {
        match self.primary() {
            Outcome::TimedOut(waited) => Outcome::Cancelled(waited),
            outcome => outcome,
        }
    }

    /// Returns what became of the backup, if there was one.
    pub(crate) const fn backup_ended(self) -> Option<Backup> {
        match self {
            Self::Alone(_) => None,
            Self::BackupWon { .. } | Self::Both { backup_won: true, .. } => Some(Backup::Won),
            Self::PrimaryWon { .. }
            | Self::TimedOut { .. }
            | Self::Cancelled { .. }
            | Self::Both { backup_won: false, .. } => Some(Backup::Lost),
        }
    }
}

/// What became of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backup {
    Won,
    Lost,
}
