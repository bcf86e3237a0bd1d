use surmise_fence::{FencingToken, Grant, Pass, Refusal};
use surmise_time::Instant;

use crate::Entry;

/// A request, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct Event {
    /// Who asked.
    pub client: u64,
    /// Which of the client's requests it is.
    pub number: u64,
    /// What it is about.
    pub resource: String,
    /// A time before it was sent.
    pub invoked: Instant,
    /// A time after it was answered, or `None` if it was not.
    pub returned: Option<Instant>,
    /// What was asked.
    pub action: Action,
    /// What was heard.
    pub answer: Answer,
}

/// What is asked of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a new one is a new version")]
pub enum Action {
    /// A lease, under this nonce.
    Grant {
        /// The nonce.
        nonce: u64,
    },
    /// More time for the lease with this token.
    Extend {
        /// The token.
        token: FencingToken,
    },
    /// The end of the lease with this token.
    Revoke {
        /// The token.
        token: FencingToken,
    },
    /// Who holds the lease.
    Holding,
    /// That the floor is raised.
    Raise {
        /// What the holder shows.
        pass: Pass,
    },
    /// What the floor is.
    Floor,
    /// That a value is written or removed.
    Write {
        /// The key.
        key: Vec<u8>,
        /// The value, or `None` if it is to be removed.
        value: Option<Vec<u8>>,
        /// What the holder shows.
        pass: Pass,
    },
    /// What was written to a key last.
    Read {
        /// The key.
        key: Vec<u8>,
    },
}

/// What a store answers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a new one is a new version")]
pub enum Answer {
    /// Nothing, or that it is indeterminate: it may have been done, and may still be.
    Unknown,
    /// An error: it was not done.
    Failed,
    /// To [`Action::Grant`] and [`Action::Extend`]: it was granted.
    Granted(Grant),
    /// To [`Action::Grant`] and [`Action::Holding`]: who holds the lease.
    Held {
        /// The token of the grant.
        token: FencingToken,
        /// The nonce of the grant.
        nonce: u64,
    },
    /// To [`Action::Grant`] and [`Action::Holding`], that nobody holds the lease; to [`Action::Extend`] and
    /// [`Action::Revoke`], that the asker does not.
    Free,
    /// To [`Action::Revoke`], [`Action::Raise`] and [`Action::Write`]: it was done.
    Done,
    /// To [`Action::Raise`] and [`Action::Write`]: it was not done, and why.
    Refused(Refusal),
    /// To [`Action::Floor`].
    Floor(Option<Pass>),
    /// To [`Action::Read`].
    Read(Option<Entry>),
}

impl Event {
    /// Returns whether this was surely over before the other began.
    pub(super) fn precedes(&self, later: &Self) -> bool {
        self.end() < later.invoked
    }

    /// Returns the time after which this has no effect any more.
    pub(super) fn end(&self) -> Instant {
        match (&self.answer, self.returned) {
            (Answer::Unknown, _) | (_, None) => Instant::MAX,
            (_, Some(returned)) => returned,
        }
    }
}
