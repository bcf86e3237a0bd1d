use core::{
    future::poll_fn,
    sync::atomic::{AtomicU32, Ordering},
    task::Poll,
    time::Duration,
};

use parking_lot::Mutex;
use surmise_fence::FencingToken;
use surmise_store::{
    Extended, Granted, Holding, LeaseRequest, LeaseStore, LostReply, Resource, Revoked, StoreError,
    Ttl,
    memory::{MemoryConfig, MemoryStore},
};
use surmise_time::ManualClock;

/// A store in memory that does as it is told.
pub(crate) struct Moody<'a> {
    store: MemoryStore<&'a ManualClock>,
    clock: &'a ManualClock,
    mood: Mutex<Mood>,
    renewals: AtomicU32,
}

/// How a store answers.
#[derive(Clone, Copy)]
pub(crate) struct Mood {
    /// How long requests and replies are on their way.
    pub(crate) takes: Duration,
    /// Grants are not answered.
    pub(crate) grants_lose_replies: bool,
    /// Nothing is answered, and what is asked is not either.
    pub(crate) is_silent: bool,
    /// Nothing is done.
    pub(crate) is_away: bool,
    /// Replies to renewals wait until [`Moody::go_on`].
    pub(crate) hangs: bool,
}

impl Mood {
    pub(crate) const GOOD: Self = Self {
        takes: Duration::ZERO,
        grants_lose_replies: false,
        is_silent: false,
        is_away: false,
        hangs: false,
    };
}

impl<'a> Moody<'a> {
    pub(crate) fn new(clock: &'a ManualClock) -> Self {
        let store = MemoryStore::new(MemoryConfig::default(), clock).unwrap();
        Self { store, clock, mood: Mutex::new(Mood::GOOD), renewals: AtomicU32::new(0) }
    }

    pub(crate) fn is(&self, mood: Mood) {
        *self.mood.lock() = mood;
    }

    /// Has the replies that hang come.
    pub(crate) fn go_on(&self) {
        self.mood.lock().hangs = false;
    }

    /// Returns how many renewals there were.
    pub(crate) fn renewals(&self) -> u32 {
        self.renewals.load(Ordering::Relaxed)
    }

    async fn exchange<V>(
        &self,
        done: impl Future<Output = Result<V, StoreError>>,
    ) -> Result<Result<V, LostReply>, StoreError> {
        let mood = *self.mood.lock();
        if mood.is_away {
            let source = "it is away".into();
            return Err(StoreError::Unavailable { store: "a moody store".into(), source });
        }
        self.clock.advance(mood.takes);
        let answer = done.await?;
        self.clock.advance(mood.takes);
        let lost = LostReply::new("a moody store", "it sulks");
        Ok(if mood.is_silent { Err(lost) } else { Ok(answer) })
    }
}

impl LeaseStore for Moody<'_> {
    async fn grant(&self, request: LeaseRequest<'_>) -> Result<Granted, StoreError> {
        let granted = self.exchange(self.store.grant(request)).await?;
        if self.mood.lock().grants_lose_replies {
            return Ok(Granted::Indeterminate(LostReply::new("a moody store", "it mumbles")));
        }
        Ok(granted.unwrap_or_else(Granted::Indeterminate))
    }

    async fn extend(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
        ttl: Ttl,
    ) -> Result<Extended, StoreError> {
        self.renewals.fetch_add(1, Ordering::Relaxed);
        let extended = self.exchange(self.store.extend(resource, token, ttl)).await?;
        poll_fn(|context| {
            if !self.mood.lock().hangs {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        Ok(extended.unwrap_or_else(Extended::Indeterminate))
    }

    async fn revoke(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
    ) -> Result<Revoked, StoreError> {
        let revoked = self.exchange(self.store.revoke(resource, token)).await?;
        Ok(revoked.unwrap_or_else(Revoked::Indeterminate))
    }

    async fn holding(&self, resource: Resource<'_>) -> Result<Option<Holding>, StoreError> {
        let holding = self.exchange(self.store.holding(resource)).await?;
        let unavailable = |lost| StoreError::Unavailable {
            store: "a moody store".into(),
            source: Box::new(lost),
        };
        holding.map_err(unavailable)
    }

    async fn advance_epoch(&self) -> Result<u64, StoreError> {
        self.store.advance_epoch().await
    }
}
