mod record;
mod terms;
mod ticket;

use core::{future::Future, time::Duration};

#[cfg(any(feature = "etcd", feature = "redis"))]
use surmise_fence::FencingToken;
use surmise_idempotency::{Fingerprint, Key};

#[cfg(any(feature = "etcd", feature = "postgres", feature = "redb", feature = "redis"))]
pub(crate) use self::record::State;
pub(crate) use self::record::{Next, Record};
#[cfg(any(
    feature = "conformance",
    feature = "etcd",
    feature = "postgres",
    feature = "redb",
    feature = "redis",
))]
pub(crate) use self::ticket::Verb;
pub use self::{
    terms::Terms,
    ticket::{Settlement, Ticket},
};
use crate::{LostReply, StoreError};

/// Remembers which requests were executed, are being executed, or may have been, for longer than a process lives.
///
/// It is `surmise_idempotency::IdempotencyCache` on storage: the same verbs, the same answers. A store implements
/// [`claim`](Self::claim) and [`settle`](Self::settle), one request each. What all stores hold to:
///
/// * Of all that claim a key one executes. Whoever takes over from one whose lease ended has a higher token, and no
///   settlement of a lower one is done. No token is issued for two executions, also where the first was forgotten.
/// * A completion is [`Done`](Settled::Done) once it is durable, as far as the store goes; from then on each claim
///   is answered with the same bytes, until the retention is over.
/// * What is in flight is not forgotten before its lease and the retention are over, as the latest claim or renewal
///   that was granted has them.
/// * An error says that nothing happened. Where something may have happened, the outcome is `Indeterminate`, and to ask
///   again with the same ticket or nonce does no harm.
///
/// # Examples
///
/// ```
/// use surmise_idempotency::{FingerprintKey, Key};
/// use surmise_store::{
///     Claimed, IdempotencyStore, LeaseClock, Settled, Terms,
///     memory::{MemoryConfig, MemoryStore},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn core::error::Error>> {
/// let store = MemoryStore::new(MemoryConfig::default(), LeaseClock)?;
/// let key = Key::new("acme", "charge", "8e03978e")?;
/// let request = FingerprintKey::new([7; 16]).of([b"100".as_slice()]);
///
/// let Claimed::Execute(ticket) = store.begin(&key, request, Terms::default()).await? else { panic!() };
/// // The effect goes here.
/// assert!(matches!(store.complete(&ticket, b"charged").await?, Settled::Done));
///
/// let again = store.begin(&key, request, Terms::default()).await?;
/// assert!(matches!(again, Claimed::Replay(result) if result == b"charged"));
/// # Ok(())
/// # }
/// ```
pub trait IdempotencyStore: Send + Sync {
    /// Asks what to do about a request.
    ///
    /// If the key is in flight under the claim's nonce, and its lease is not over, it is that execution, or that recovery,
    /// which is granted again, with its token: so the retry of a claim whose reply was lost does no harm.
    fn claim(&self, claim: Claim<'_>) -> impl Future<Output = Result<Claimed, StoreError>> + Send;

    /// Says what became of an execution, or how far it is, if its ticket is not void.
    ///
    /// To do it again, because its reply was lost, does no harm. A store refuses a ticket whose terms are beyond
    /// [their limits](Terms::checked), as one may be that no store made.
    fn settle(
        &self,
        ticket: &Ticket,
        settlement: Settlement<'_>,
    ) -> impl Future<Output = Result<Settled, StoreError>> + Send;

    /// Says what to do about a request. If the reply is lost, it asks once more before it gives up.
    ///
    /// Whoever drops this before it answers, and whoever is answered [`Claimed::Indeterminate`], may leave the key in flight
    /// for as long as the lease. [`claim`](Self::claim) under a nonce of their own can be asked again, to release what was
    /// granted.
    ///
    /// # Errors
    ///
    /// If the store could not be asked, or the terms are beyond its limits. Nothing happened, then.
    fn begin(
        &self,
        key: &Key,
        fingerprint: Fingerprint,
        terms: Terms,
    ) -> impl Future<Output = Result<Claimed, StoreError>> + Send {
        async move {
            let claim = Claim::random(key, fingerprint, terms)?;
            match self.claim(claim).await? {
                // Where the second reply is lost too, or nobody can be asked, it is as uncertain as before.
                Claimed::Indeterminate(lost) => match self.claim(claim).await {
                    Ok(claimed) => Ok(claimed),
                    Err(_) => Ok(Claimed::Indeterminate(lost)),
                },
                claimed => Ok(claimed),
            }
        }
    }

    /// Keeps the result of an execution, for the retention of its terms.
    ///
    /// What was completed with the same bytes before is [`Done`](Settled::Done), since the reply may have been lost; it is kept
    /// for as long as was said first.
    ///
    /// # Errors
    ///
    /// If the store could not be asked, or the result is too long.
    fn complete(
        &self,
        ticket: &Ticket,
        result: &[u8],
    ) -> impl Future<Output = Result<Settled, StoreError>> + Send {
        async move {
            let retention = ticket.terms().retention;
            self.settle(ticket, Settlement::complete(result, retention)?).await
        }
    }

    /// Keeps the result of an execution, for the brief retention of its terms.
    ///
    /// # Errors
    ///
    /// If the store could not be asked, or the result is too long.
    fn complete_briefly(
        &self,
        ticket: &Ticket,
        result: &[u8],
    ) -> impl Future<Output = Result<Settled, StoreError>> + Send {
        async move {
            let retention = ticket.terms().brief_retention;
            self.settle(ticket, Settlement::complete(result, retention)?).await
        }
    }

    /// Gives up an execution that did nothing: the next claim executes.
    ///
    /// That says nothing of how far an earlier one came. So where the ticket was to recover from one, only the lease ends:
    /// the next claim [recovers](Claimed::Recover), from the same checkpoint. Cease to renew before that: a renewal that comes
    /// later takes the recovery up again.
    ///
    /// # Errors
    ///
    /// If the store could not be asked.
    fn release(&self, ticket: &Ticket) -> impl Future<Output = Result<Settled, StoreError>> + Send {
        self.settle(ticket, Settlement::release())
    }

    /// Lets the lease begin anew.
    ///
    /// # Errors
    ///
    /// If the store could not be asked.
    fn renew(&self, ticket: &Ticket) -> impl Future<Output = Result<Settled, StoreError>> + Send {
        self.settle(ticket, Settlement::renew())
    }

    /// Notes how far an execution came, for whoever has to recover from it.
    ///
    /// # Errors
    ///
    /// If the store could not be asked, or the checkpoint is too long.
    fn save(
        &self,
        ticket: &Ticket,
        checkpoint: &[u8],
    ) -> impl Future<Output = Result<Settled, StoreError>> + Send {
        async move { self.settle(ticket, Settlement::save(checkpoint)?).await }
    }
}

/// A request for the execution of a key.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    key: &'a Key,
    fingerprint: Fingerprint,
    nonce: u64,
    terms: Terms,
}

impl<'a> Claim<'a> {
    /// Creates a request under a random nonce.
    ///
    /// # Errors
    ///
    /// If the terms are beyond their limits, or the system has no random numbers.
    pub fn random(
        key: &'a Key,
        fingerprint: Fingerprint,
        terms: Terms,
    ) -> Result<Self, StoreError> {
        Self::new(key, fingerprint, random_nonce()?, terms)
    }

    /// Creates a request under a `nonce`, by which it is known if it is made again. No other may have the same.
    ///
    /// The nonce 0 is none: no later request is taken for the retry of one without a nonce.
    ///
    /// # Errors
    ///
    /// If the terms are beyond their limits.
    pub fn new(
        key: &'a Key,
        fingerprint: Fingerprint,
        nonce: u64,
        terms: Terms,
    ) -> Result<Self, StoreError> {
        Ok(Self { key, fingerprint, nonce, terms: terms.checked()? })
    }

    /// Returns the key.
    #[must_use]
    pub const fn key(&self) -> &'a Key {
        self.key
    }

    /// Returns what tells the request from others with the same key.
    #[must_use]
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Returns the number that tells this claim from others.
    #[must_use]
    pub const fn nonce(&self) -> u64 {
        self.nonce
    }

    /// Returns for how long what is remembered.
    #[must_use]
    pub const fn terms(&self) -> Terms {
        self.terms
    }
}

/// What to do about a request, as `surmise_idempotency::Begin` has it.
#[derive(Debug)]
#[must_use = "an execution that was claimed and is not settled holds up its key until its lease ends"]
#[non_exhaustive]
pub enum Claimed {
    /// Nobody did this: execute it, and complete the ticket.
    Execute(Ticket),
    /// It was done before: answer with this.
    Replay(Vec<u8>),
    /// Another caller is at it.
    InFlight {
        /// When its lease ends, unless it is completed before or renewed.
        retry_after: Duration,
    },
    /// The key was used for another request.
    Mismatch,
    /// Another caller was at it, and nobody knows how far it came; its checkpoint is in the ticket.
    Recover(Ticket),
    /// There is no room for another key.
    Full,
    /// Execution may have been granted to this claim. If so, it is in flight until its lease ends, and the next
    /// caller recovers from what never began.
    Indeterminate(LostReply),
}

#[cfg(any(feature = "etcd", feature = "redis"))]
impl Claimed {
    /// Returns what was granted, with a token that is known only once that was done.
    pub(crate) fn with_token(self, token: FencingToken) -> Self {
        match self {
            Self::Execute(ticket) => Self::Execute(ticket.with_token(token)),
            Self::Recover(ticket) => Self::Recover(ticket.with_token(token)),
            other => other,
        }
    }
}

/// What became of a settlement.
#[derive(Debug)]
#[must_use = "a settlement may have been refused"]
#[non_exhaustive]
pub enum Settled {
    /// It was done.
    Done,
    /// The ticket is void: another took over, the key was forgotten, or it was settled for good before. Nothing was
    /// changed.
    Fenced,
    /// This execution was completed before with other bytes, and those stay. Nothing was changed.
    AlreadyCompleted,
    /// It may have been done.
    Indeterminate(LostReply),
}

/// Returns a number that tells a claim from others; 0 would say that there is none.
fn random_nonce() -> Result<u64, StoreError> {
    let unavailable = |source: getrandom::Error| StoreError::Unavailable {
        store: "the system's source of random numbers".to_owned(),
        source: source.into(),
    };
    Ok(getrandom::u64().map_err(unavailable)?.max(1))
}
