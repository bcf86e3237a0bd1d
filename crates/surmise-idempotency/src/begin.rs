use core::{error::Error, fmt, time::Duration};

use surmise_fence::FencingToken;

/// What to do about a request: the answer to `begin`.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "an execution that was begun and is not completed holds up its key until its lease ends"]
#[expect(clippy::exhaustive_enums, reason = "whoever asked must know what to do")]
pub enum Begin<V, C = ()> {
    /// Nobody did this: execute it, and complete the ticket.
    Execute(Ticket<C>),
    /// It was done before: answer with this.
    Replay(V),
    /// Another caller is at it.
    InFlight {
        /// When its lease ends, unless it is completed before or renewed; usually completion comes much sooner.
        retry_after: Duration,
    },
    /// The key was used for another request: a mistake of the client, to be answered as such.
    Mismatch,
    /// Another caller was at it, and nobody knows how far it came: it died, or takes longer than its lease. Find out
    /// what was done, by the [checkpoint](Ticket::checkpoint) or by asking whom it was done to; then complete the
    /// ticket, or go on, or execute again if that does no harm.
    ///
    /// The earlier caller's ticket is void from now on.
    Recover(Ticket<C>),
    /// There is no room for another key.
    Full,
}

#[cfg(feature = "std")]
impl<V, C> Begin<V, C> {
    /// Notes in the ticket which shard it is of.
    pub(crate) const fn number_shard(&mut self, shard: u8) {
        if let Self::Execute(ticket) | Self::Recover(ticket) = self {
            ticket.shard = shard;
        }
    }
}

/// The right to execute, and to say what came of it.
///
/// A ticket that is dropped is as one whose caller died: nobody knows what was done, and the key is held up until the
/// lease ends. Whoever knows that nothing was done releases it.
///
/// It belongs to the cache that it comes from. To another it is void, but for one cache of 65 536.
#[derive(PartialEq, Eq)]
#[must_use = "complete, release or renew it: dropped, it holds up its key until its lease ends"]
pub struct Ticket<C = ()> {
    token: FencingToken,
    pub(crate) cache: u16,
    pub(crate) slot: u32,
    /// In a cache without shards 0.
    pub(crate) shard: u8,
    checkpoint: Option<C>,
}

impl<C> Ticket<C> {
    pub(crate) const fn new(
        token: FencingToken,
        cache: u16,
        slot: u32,
        checkpoint: Option<C>,
    ) -> Self {
        Self { token, cache, slot, shard: 0, checkpoint }
    }

    /// Returns a ticket that no cache accepts.
    #[cfg(feature = "std")]
    pub(crate) const fn void(&self) -> Self {
        Self { token: self.token, cache: self.cache, slot: u32::MAX, shard: 0, checkpoint: None }
    }

    /// Returns the same right once more, without the checkpoint.
    #[cfg(feature = "std")]
    pub(crate) const fn again(&self) -> Self {
        Self {
            token: self.token,
            cache: self.cache,
            slot: self.slot,
            shard: self.shard,
            checkpoint: None,
        }
    }

    /// Returns the token of this execution: higher than that of all earlier ones of this cache.
    ///
    /// Shown with each effect to a fence that is where the effect is, it keeps those of an executor that was
    /// given up from landing after its successor's. That is to be a fence of the *key*: one for all that is
    /// done to an account, say, refuses what began before something else that was already done to it.
    #[must_use]
    pub const fn token(&self) -> FencingToken {
        self.token
    }

    /// Returns what the earlier executor saved last, if this ticket is to recover from it.
    #[must_use]
    pub const fn checkpoint(&self) -> Option<&C> {
        self.checkpoint.as_ref()
    }
}

/// Where its record is depends on hashes, which begin anew in each process.
impl<C: fmt::Debug> fmt::Debug for Ticket<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket")
            .field("token", &self.token)
            .field("checkpoint", &self.checkpoint)
            .finish_non_exhaustive()
    }
}

/// For how long a result is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there are two retentions")]
pub enum Keep {
    /// For the retention.
    #[default]
    Long,
    /// For the brief retention: for errors that may not last, and should not be repeated at once all the same.
    Briefly,
}

/// A ticket is void: its lease had ended, and another caller took over, or the key was forgotten.
///
/// What was to be stored was not, and comes back. The effects of the late execution may have happened twice, unless
/// they were fenced by the [token](Ticket::token).
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fenced<T = ()> {
    /// The token of the ticket.
    pub token: FencingToken,
    /// What was to be stored.
    pub rejected: T,
}

impl<T> Fenced<T> {
    pub(crate) const fn new(token: FencingToken, rejected: T) -> Self {
        Self { token, rejected }
    }
}

/// Only the token: what was to be stored need not be printable, and may not be for every log.
impl<T> fmt::Debug for Fenced<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fenced").field("token", &self.token).finish_non_exhaustive()
    }
}

impl<T> fmt::Display for Fenced<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the execution with token {} was given up, and another may have taken over",
            self.token
        )
    }
}

impl<T> Error for Fenced<T> {}
