//! Callers that claim and settle at random, while things go wrong, and whether what they hear can be.

mod caller;
mod ledger;
mod network;

use core::time::Duration;

use surmise_idempotency::Key;

use self::{caller::Caller, ledger::Ledger, network::Network};
use crate::{
    Claim, Claimed, IdempotencyStore, StoreError, Terms,
    conformance::{Timer, Violation, draws::Draws, faults::Odds, join::join_all},
};

/// Callers whose requests are to be executed once, and what goes wrong for them.
///
/// Each claims keys that others claim too, does what is to be done, saves, renews, completes and releases. At random it is
/// paused for longer than its lease lasts; it dies before or after the effect, or goes on with what it lost; its requests
/// are lost, doubled and late, and so are their answers. Whoever recovers looks whether the effect took place. What
/// happens to the server in the meantime is up to whoever runs it: an error of the store is nothing unusual.
///
/// Effects take place behind a fence, as they should: it refuses the tokens of those who were given up. What is checked,
/// with each answer:
///
/// * `effects-happen-once`: nobody is told to execute what was executed, and not released or forgotten.
/// * `what-was-acknowledged-is-replayed`, to everybody, from then on; and all replays of a key are of the same bytes, and
///   those of a completion that was sent for the same request.
/// * `tokens-rise`: over takeovers, releases and forgetting; and each is of one claim.
/// * `a-void-ticket-settles-nothing`, once another was told that it took over, or the result was acknowledged.
/// * `what-was-saved-is-there`, for whoever recovers.
/// * `another-request-is-no-match`, and the same one is.
///
/// It uses no runtime, so that it can be run by any, and all callers are in one task.
///
/// # Examples
///
/// ```
/// use surmise_store::{
///     conformance::idempotency::Drill,
///     memory::{MemoryConfig, MemoryStore},
/// };
/// use surmise_time::ManualClock;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = ManualClock::default();
/// let store = MemoryStore::new(MemoryConfig::default(), &clock)?;
/// let tally = Drill { operations: 2_000, ..Drill::new(7) }.run(&store, &clock).await?;
/// assert!(tally.replayed > 0 && tally.recovered > 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct Drill {
    /// What all chance is drawn from.
    pub seed: u64,
    /// Whose keys they are: another tenant for each run on the same store.
    pub tenant: String,
    /// How many callers there are, all at once.
    pub callers: u16,
    /// How many claims and settlements are answered in all, about. Each key has some thirty of them.
    pub operations: u64,
    /// For how long executions are promised; twice as long as that, callers are paused. The shortest that the store
    /// keeps is best.
    pub lease: Duration,
    /// For how long the results of one key in four are kept; all others are kept for an hour.
    pub brief_retention: Duration,
    /// How much is lost on the way.
    pub odds: Odds,
}

/// What was seen in a [`Drill`], so that it is known whether anything happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// Claims and settlements that were answered.
    pub operations: u64,
    /// Claims that were told to execute.
    pub executed: u64,
    /// Claims that were told to recover.
    pub recovered: u64,
    /// Claims that were answered with a result.
    pub replayed: u64,
    /// Claims that found the key in flight.
    pub in_flight: u64,
    /// Claims of another request.
    pub mismatched: u64,
    /// Effects that took place.
    pub effects: u64,
    /// Effects that came too late, and were refused by the fence that they were behind.
    pub late_effects: u64,
    /// Completions that were acknowledged.
    pub completed: u64,
    /// Releases that were acknowledged.
    pub released: u64,
    /// Settlements by tickets that were void.
    pub fenced: u64,
    /// Keys that were forgotten, and executed anew.
    pub forgotten: u64,
    /// Requests of which nobody heard whether they were done.
    pub indeterminate: u64,
    /// Requests that failed.
    pub failed: u64,
}

impl Drill {
    /// Creates a drill that takes some seconds: 12 callers, ten thousand operations, and leases of 40 ms.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            tenant: format!("drill-{seed:x}"),
            callers: 12,
            operations: 10_000,
            lease: Duration::from_millis(40),
            brief_retention: Duration::from_millis(40),
            odds: Odds::default(),
        }
    }

    /// Has all callers at it until there were enough operations; then has everything done that is late, and asks once more
    /// for every result that was acknowledged, for which it is waited a minute that the store answers.
    ///
    /// # Errors
    ///
    /// What must never be, and was.
    pub async fn run<S, T>(&self, store: &S, timer: &T) -> Result<Tally, Violation>
    where
        S: IdempotencyStore,
        T: Timer,
    {
        let ledger = Ledger::default();
        let network = Network::new(store, self.odds, self.seed);
        let callers = (1..=u64::from(self.callers)).map(|number| {
            let mut draws = Draws::new(self.seed ^ number.rotate_left(32));
            Caller::new(self, &ledger, &network, timer, Draws::new(draws.next())).run()
        });
        join_all(callers).await;
        network.deliver_all().await;
        let stride = usize::from(self.callers.max(1));
        join_all((0..stride).map(|first| self.ask_again(&ledger, store, timer, (first, stride))))
            .await;
        ledger.outcome()
    }

    /// Asks for each result that was acknowledged, and counts what is another.
    async fn ask_again<S, T>(
        &self,
        ledger: &Ledger,
        store: &S,
        timer: &T,
        (first, stride): (usize, usize),
    ) where
        S: IdempotencyStore,
        T: Timer,
    {
        let mut index = first as u64;
        while ledger.goes_on() && index < ledger.count() {
            if let Some(request) = ledger.acknowledged(index) {
                let start = timer.now();
                let claimed = loop {
                    match self.claim(store, index, request).await {
                        Ok(Claimed::Indeterminate(_)) | Err(_)
                            if timer.now() - start < PATIENCE =>
                        {
                            timer.sleep(PAUSE).await;
                        }
                        claimed => break claimed,
                    }
                };
                ledger.asked_again(index, &claimed);
            }
            index += stride as u64;
        }
    }

    async fn claim<S: IdempotencyStore>(
        &self,
        store: &S,
        index: u64,
        request: u8,
    ) -> Result<Claimed, StoreError> {
        let key = self.key(index);
        store.claim(Claim::new(&key, fingerprint(request), 0, self.terms())?).await
    }

    fn key(&self, index: u64) -> Key {
        let tenant = self.tenant.as_bytes();
        let tenant = tenant.get(..Key::MAX_PART).unwrap_or(tenant);
        // The parts are short enough, and the key is not empty.
        Key::new(tenant, "drill", index.to_be_bytes()).unwrap_or_else(|_| unreachable!())
    }

    const fn terms(&self) -> Terms {
        Terms { lease: self.lease, retention: HOUR, brief_retention: self.brief_retention }
    }
}

const HOUR: Duration = Duration::from_secs(3600);
/// How long a store may take to come back.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long one waits before a store that failed is asked again.
const PAUSE: Duration = Duration::from_millis(5);

/// Returns whether the results of a key are kept briefly.
const fn is_brief(index: u64) -> bool {
    index % 4 == 3
}

/// Returns the fingerprint of a request, one of a few.
const fn fingerprint(request: u8) -> surmise_idempotency::Fingerprint {
    surmise_idempotency::Fingerprint::from_bytes([request; 16])
}
