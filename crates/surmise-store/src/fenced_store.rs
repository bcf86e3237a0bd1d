use core::{error::Error, fmt, future::Future};

use surmise_fence::{FencingToken, Pass, Refusal};

use crate::{LimitExceeded, LostReply, Resource, StoreError};

/// Keeps values, and refuses writes of those who lost their lease.
///
/// Each write is checked and done in one step, by the rule of [`Pass::check`]: against the *floor* under its resource,
/// and against the last write to its key. What all stores hold to:
///
/// * A write is [`Applied`](Outcome::Applied) once it is durable, as far as the store goes.
/// * Once [`raise`](Self::raise) is applied, no write with a lesser token is, whatever its key.
/// * A refused write has no effect. An error says that there was none either; where there may have been one, or may yet
///   be, the outcome is [`Indeterminate`](Outcome::Indeterminate).
/// * What is read was written by the last write that was applied before, or by one under way.
///
/// A new holder raises the floor before it reads what it will go on from: a key that it does not write itself
/// would else be open to the holder before.
///
/// References to a store, and an [`Arc`](alloc::sync::Arc) of one, are stores.
pub trait FencedStore: Send + Sync {
    /// Makes a change, if its pass allows.
    fn apply(&self, change: Change<'_>)
    -> impl Future<Output = Result<Outcome, StoreError>> + Send;

    /// Raises the floor under a resource, if the pass allows. Its sequence is of no account.
    fn raise_floor(
        &self,
        resource: Resource<'_>,
        pass: Pass,
    ) -> impl Future<Output = Result<Outcome, StoreError>> + Send;

    /// Returns the floor under a resource.
    fn floor(
        &self,
        resource: Resource<'_>,
    ) -> impl Future<Output = Result<Option<Pass>, StoreError>> + Send;

    /// Returns the last write to a key, if there was one: also if it removed the value.
    ///
    /// # Errors
    ///
    /// If the store could not be asked, or a name is beyond its limits.
    fn read(
        &self,
        resource: &str,
        key: &[u8],
    ) -> impl Future<Output = Result<Option<Entry>, StoreError>> + Send;

    /// Writes the value of a key.
    ///
    /// # Errors
    ///
    /// If the store could not be asked, or a name, the key or the value is beyond its limits.
    fn write(
        &self,
        resource: &str,
        key: &[u8],
        value: &[u8],
        pass: impl Into<Pass> + Send,
    ) -> impl Future<Output = Result<Outcome, StoreError>> + Send {
        let pass = pass.into();
        async move { self.apply(Change::new(resource, key, Some(value), pass)?).await }
    }

    /// Removes the value of a key.
    ///
    /// The pass stays, so that no earlier holder writes it again.
    ///
    /// # Errors
    ///
    /// If the store could not be asked, or a name or the key is beyond its limits.
    fn remove(
        &self,
        resource: &str,
        key: &[u8],
        pass: impl Into<Pass> + Send,
    ) -> impl Future<Output = Result<Outcome, StoreError>> + Send {
        let pass = pass.into();
        async move { self.apply(Change::new(resource, key, None, pass)?).await }
    }

    /// Raises the floor under a resource: what a new holder does before it reads.
    ///
    /// # Errors
    ///
    /// If the store could not be asked, or the name is beyond its limits.
    fn raise(
        &self,
        resource: &str,
        pass: impl Into<Pass> + Send,
    ) -> impl Future<Output = Result<Outcome, StoreError>> + Send {
        let pass = pass.into();
        async move { self.raise_floor(Resource::new(resource)?, pass).await }
    }
}

/// A write of one value, or its removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change<'a> {
    resource: Resource<'a>,
    key: &'a [u8],
    value: Option<&'a [u8]>,
    pass: Pass,
}

impl<'a> Change<'a> {
    /// The length of the longest key.
    pub const MAX_KEY_BYTES: usize = 1024;
    /// The length of the longest value, 1 MiB: etcd takes no more than 1.5 MiB in a request.
    pub const MAX_VALUE_BYTES: usize = 1 << 20;

    /// Creates a change: to a value, or to none.
    ///
    /// # Errors
    ///
    /// If a name, the key or the value is beyond its limits.
    pub fn new(
        resource: &'a str,
        key: &'a [u8],
        value: Option<&'a [u8]>,
        pass: Pass,
    ) -> Result<Self, LimitExceeded> {
        let resource = Resource::new(resource)?;
        check_key(key)?;
        match value.map_or(0, <[u8]>::len) {
            bytes if bytes > Self::MAX_VALUE_BYTES => Err(LimitExceeded::Value { bytes }),
            _ => Ok(Self { resource, key, value, pass }),
        }
    }

    /// Returns what the lease of the writer is about.
    #[must_use]
    pub const fn resource(&self) -> Resource<'a> {
        self.resource
    }

    /// Returns the key.
    #[must_use]
    pub const fn key(&self) -> &'a [u8] {
        self.key
    }

    /// Returns the new value, or `None` if the value is to be removed.
    #[must_use]
    pub const fn value(&self) -> Option<&'a [u8]> {
        self.value
    }

    /// Returns what the writer shows.
    #[must_use]
    pub const fn pass(&self) -> Pass {
        self.pass
    }
}

/// Checks that a key is within its limits.
pub(crate) const fn check_key(key: &[u8]) -> Result<(), LimitExceeded> {
    if key.is_empty() || key.len() > Change::MAX_KEY_BYTES {
        Err(LimitExceeded::Key { bytes: key.len() })
    } else {
        Ok(())
    }
}

/// What became of a write.
///
/// [`applied`](Self::applied) is for those who go on only if it was done.
#[derive(Debug)]
#[must_use = "the write may have been refused: see `applied`"]
#[non_exhaustive]
pub enum Outcome {
    /// It was done, and is durable.
    Applied,
    /// A later holder was there: the writer lost its lease, and should stop.
    Stale {
        /// The writer's token.
        offered: FencingToken,
        /// The highest token seen.
        highest: FencingToken,
    },
    /// The same token was shown with another nonce: it was issued twice, or one of the writers does not show the
    /// nonce of its grant.
    Collision {
        /// The token of both.
        token: FencingToken,
        /// The writer's nonce.
        offered: u64,
        /// The nonce seen with this token before.
        seen: u64,
    },
    /// It had been done before.
    Duplicate {
        /// The write's number.
        sequence: u64,
    },
    /// A later write of the same holder had been done before.
    OutOfOrder {
        /// The write's number, or 0 if it has none.
        offered: u64,
        /// The highest number seen.
        highest: u64,
    },
    /// It may have been done, or may yet be, once.
    ///
    /// The request can still be under way, at a member that hangs or in a queue. So a read that shows the write proves
    /// that it was done, and one that does not proves nothing. What settles it, if the pass has a
    /// number ([`Lease::next_pass`](crate::Lease::next_pass)):
    ///
    /// * the same write with the same pass again: once that is applied or a duplicate, it was done, and only once;
    /// * a write to the same key with a later number: once that is applied, this one is not done any more.
    ///
    /// Without a number, a write that comes late is done over a later one of the same grant. It is out of the way only
    /// once the floor is raised by a later grant. To raise a floor again does no harm.
    Indeterminate(LostReply),
}

impl Outcome {
    /// Returns whether the write was done, now or before.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Applied | Self::Duplicate { .. })
    }

    /// Makes an error of all but that the write was done, now or before.
    ///
    /// # Errors
    ///
    /// If it was refused, and if it is not known whether it was done.
    ///
    /// # Examples
    ///
    /// ```
    /// use surmise_store::{FencedStore, Lease, NotApplied};
    ///
    /// # type AnyError = Box<dyn core::error::Error>;
    /// async fn deposit(store: &impl FencedStore, lease: &Lease) -> Result<(), AnyError> {
    ///     store.raise("ledger", lease.pass()?).await?.applied()?;
    ///     match store.write("ledger", b"balance", b"100", lease.next_pass()?).await?.applied() {
    ///         Ok(()) => Ok(()),
    ///         Err(NotApplied::Refused(refusal)) => Err(refusal.into()), // somebody else leads: stop
    ///         Err(unknown) => Err(unknown.into()),
    ///     }
    /// }
    /// ```
    pub fn applied(self) -> Result<(), NotApplied> {
        let refusal = match self {
            Self::Applied | Self::Duplicate { .. } => return Ok(()),
            Self::Indeterminate(lost) => return Err(NotApplied::Indeterminate(lost)),
            Self::Stale { offered, highest } => Refusal::Stale { offered, highest },
            Self::Collision { token, offered, seen } => Refusal::Collision { token, offered, seen },
            Self::OutOfOrder { offered, highest } => Refusal::OutOfOrder { offered, highest },
        };
        Err(NotApplied::Refused(refusal))
    }
}

impl From<Refusal> for Outcome {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Stale { offered, highest } => Self::Stale { offered, highest },
            Refusal::Collision { token, offered, seen } => Self::Collision { token, offered, seen },
            Refusal::Duplicate { sequence } => Self::Duplicate { sequence },
            Refusal::OutOfOrder { offered, highest } => Self::OutOfOrder { offered, highest },
        }
    }
}

/// A write was not done, as far as is known.
#[derive(Debug)]
#[non_exhaustive]
pub enum NotApplied {
    /// It was refused, and had no effect.
    Refused(Refusal),
    /// It may have been done, as [`Outcome::Indeterminate`] says.
    Indeterminate(LostReply),
}

impl fmt::Display for NotApplied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Indeterminate(lost) => lost.fmt(f),
        }
    }
}

/// The source is that of what is within, whose text it has.
impl Error for NotApplied {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Refused(refusal) => refusal.source(),
            Self::Indeterminate(lost) => lost.source(),
        }
    }
}

/// The last write to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The value, or `None` if it was removed.
    pub value: Option<Vec<u8>>,
    /// What its writer showed.
    pub pass: Pass,
}

impl Entry {
    /// Creates what a store read.
    #[must_use]
    pub const fn new(value: Option<Vec<u8>>, pass: Pass) -> Self {
        Self { value, pass }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_done_is_applied() {
        let token = FencingToken::first(1);
        assert!(Outcome::Applied.applied().is_ok());
        assert!(Outcome::Duplicate { sequence: 3 }.applied().is_ok());
        for refusal in [
            Refusal::Stale { offered: token, highest: FencingToken::first(2) },
            Refusal::Collision { token, offered: 7, seen: 8 },
            Refusal::OutOfOrder { offered: 1, highest: 2 },
        ] {
            let refused = Outcome::from(refusal).applied();
            assert!(matches!(refused, Err(NotApplied::Refused(same)) if same == refusal));
        }
        let lost = Outcome::Indeterminate(LostReply::new("a store", "a cut")).applied();
        assert!(matches!(lost, Err(NotApplied::Indeterminate(_))), "{lost:?}");
    }
}
