use core::{fmt, time::Duration};

use tokio_postgres::{Error, Row};

use super::column::NumberColumn;

/// What a server's settings make of "durable", as far as they concern what this crate promises.
///
/// [`PostgresStore::connect`](super::PostgresStore::connect) returns it: look whether it
/// [is full](Self::is_full), and if it is not, either mend the server or know that a write which was
/// [`Applied`](crate::Outcome::Applied) can be lost, and a token be issued again, when the server's machine crashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "a server that is not durable issues tokens twice after a crash"]
pub struct Durability {
    /// Whether the log is flushed to the disk at all.
    pub fsync: bool,
    /// Whether a page that a crash left half-written can be restored.
    pub full_page_writes: bool,
    /// Whether a commit waits for its flush.
    pub synchronous_commit: bool,
    /// Whether the server has standbys that a commit waits for. Without, what was applied last is lost when another machine
    /// takes over, and [`advance_epoch`](crate::LeaseStore::advance_epoch) is to be called then. It takes no part in
    /// [`is_full`](Self::is_full), which is about one machine.
    pub synchronous_standbys: bool,
    /// After which time without a word the server ends a transaction that was begun, `None` if never. Until then, a holder that
    /// stopped inside a transaction of its own keeps the next one's [`raise`](super::raise) waiting, and the claims of a key that
    /// it [settled](super::settle). It takes no part in [`is_full`](Self::is_full), and none where no transaction
    /// [checks](super::check), claims or settles.
    pub idle_in_transaction_timeout: Option<Duration>,
}

impl Durability {
    /// Returns whether what was applied survives a crash of the server's machine.
    #[must_use]
    pub const fn is_full(self) -> bool {
        self.fsync && self.full_page_writes && self.synchronous_commit
    }

    /// Returns whether nothing is lost that would not be lost with `other`.
    pub(super) const fn is_at_least(self, other: Self) -> bool {
        (self.fsync || !other.fsync)
            && (self.full_page_writes || !other.full_page_writes)
            && (self.synchronous_commit || !other.synchronous_commit)
            && (self.synchronous_standbys || !other.synchronous_standbys)
    }

    pub(super) fn from_row(row: &Row) -> Result<Self, Error> {
        let NumberColumn(idle) = row.try_get("idle_in_transaction")?;
        Ok(Self {
            idle_in_transaction_timeout: (idle > 0).then(|| Duration::from_millis(idle)),
            fsync: row.try_get("fsync")?,
            full_page_writes: row.try_get("full_page_writes")?,
            synchronous_commit: row.try_get("synchronous_commit")?,
            synchronous_standbys: row.try_get("synchronous_standbys")?,
        })
    }
}

/// What can be lost, or that nothing is.
impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let off = [
            (self.fsync, "fsync"),
            (self.full_page_writes, "full_page_writes"),
            (self.synchronous_commit, "synchronous_commit"),
        ];
        let off: Vec<_> = off.iter().filter(|(on, _)| !on).map(|(_, name)| *name).collect();
        if off.is_empty() {
            f.write_str("what is applied survives a crash")?;
        } else {
            let lost =
                "a crash of the server's machine loses applied writes and issues tokens twice";
            write!(f, "{} off: {lost}", off.join(" and "))?;
        }
        if self.idle_in_transaction_timeout.is_none() {
            f.write_str(
                "; idle_in_transaction_session_timeout off: a holder that stops inside a transaction which checked or wrote \
                 keeps the next holder waiting until its connection is found dead",
            )?;
        }
        Ok(())
    }
}
