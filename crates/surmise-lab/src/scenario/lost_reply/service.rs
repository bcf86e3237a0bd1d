use core::time::Duration;

use rand::{RngExt, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;
use surmise_idempotency::{Begin, CacheConfig, Fingerprint, IdempotencyCache, Ticket};
use surmise_time::Instant;

pub(super) const PAYMENTS: u32 = 10_000;

/// How long the client waits before it asks again.
pub(super) const TIMEOUT: Duration = Duration::from_secs(1);

/// For how long the cache believes that who executes is alive.
pub(super) const LEASE: Duration = Duration::from_secs(10);

/// How much later the next payment begins, when nothing of this one is under way any more.
const APART: Duration = Duration::from_secs(60);

/// Of the receipts, by the number of the payment.
pub(super) type RetryCache = IdempotencyCache<u32, u32>;

pub(super) fn new_cache() -> RetryCache {
    let config = CacheConfig { lease: LEASE, ..CacheConfig::default() };
    IdempotencyCache::new(config).expect("the defaults are those of a cache")
}

/// The service, and the client that it has.
#[derive(Debug)]
pub(super) struct Service {
    client: Client,
    cache: RetryCache,
    key: u32,
    now: Instant,
}

impl Service {
    pub(super) fn new(client: Client) -> Self {
        Self { client, cache: new_cache(), key: 0, now: Instant::ORIGIN }
    }

    pub(super) fn pay(&mut self, case: &Case) -> Payment {
        self.now += APART;
        self.key += 1;
        let sent = self.now;
        let mut payment = Payment::default();
        let reply = self.first(case, &mut payment);
        payment.answered = reply.is_some_and(|at| at <= sent + TIMEOUT);
        let retried = sent + TIMEOUT + case.delay;
        match self.client {
            Client::GivesUp => {}
            Client::RetriesBlindly => payment.charges += 1,
            Client::RetriesWithKey => self.retry(retried, &mut payment),
        }
        self.end_what_is_over(Instant::MAX, &mut payment);
        payment
    }

    /// Lets the first request meet its fault, and returns when the reply arrives, if one does.
    fn first(&mut self, case: &Case, payment: &mut Payment) -> Option<Instant> {
        let at = self.now + case.delay;
        if case.fault == Fault::RequestLost {
            return None;
        }
        let ticket = match self.client {
            Client::RetriesWithKey => match self.cache.begin(&self.key, Fingerprint::NONE, at) {
                Begin::Execute(ticket) => Some(ticket),
                other => unreachable!("nobody had this key before: {other:?}"),
            },
            Client::GivesUp | Client::RetriesBlindly => None,
        };
        match case.fault {
            Fault::RequestLost | Fault::CrashBefore => None,
            Fault::CrashAfter => {
                payment.charges += 1;
                None
            }
            Fault::ReplyLost => {
                payment.charges += 1;
                self.complete(ticket, at);
                None
            }
            Fault::Slow => {
                payment.under_way = Some((at + case.slow, ticket));
                Some(at + case.slow + case.delay)
            }
        }
    }

    /// Asks with the same key until there is an answer, once a second.
    fn retry(&mut self, mut at: Instant, payment: &mut Payment) {
        loop {
            self.end_what_is_over(at, payment);
            let (said, ticket) = match self.cache.begin(&self.key, Fingerprint::NONE, at) {
                Begin::Execute(ticket) => (Said::Execute, Some(ticket)),
                Begin::Replay(_) => (Said::Replay, None),
                Begin::InFlight { .. } => (Said::InFlight, None),
                // It looks into the ledger.
                Begin::Recover(ticket) if payment.charges == 0 => {
                    (Said::RecoverUndone, Some(ticket))
                }
                Begin::Recover(ticket) => (Said::RecoverDone, Some(ticket)),
                other => unreachable!("there is room, and the request is the same: {other:?}"),
            };
            payment.said.push(said);
            payment.charges += u32::from(matches!(said, Said::Execute | Said::RecoverUndone));
            self.complete(ticket, at);
            if said != Said::InFlight {
                return;
            }
            at += TIMEOUT;
        }
    }

    fn end_what_is_over(&mut self, now: Instant, payment: &mut Payment) {
        if let Some((at, ticket)) = payment.under_way.take_if(|(at, _)| *at <= now) {
            payment.charges += 1;
            self.complete(ticket, at);
        }
    }

    fn complete(&mut self, ticket: Option<Ticket>, at: Instant) {
        if let Some(ticket) = ticket {
            let receipt = self.key;
            self.cache.complete(ticket, receipt, at).expect("its lease is not over");
        }
    }
}

/// What came of one payment.
#[derive(Debug, Default)]
pub(super) struct Payment {
    pub(super) charges: u32,
    /// Whether the first request was answered in time.
    pub(super) answered: bool,
    pub(super) said: Vec<Said>,
    /// What goes on after the client gave the first request up: when it is over, and by which ticket.
    under_way: Option<(Instant, Option<Ticket>)>,
}

/// A payment to be: what the first request meets, and how long everything takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub(super) fault: Fault,
    /// From the client to the service.
    delay: Duration,
    /// How long the first execution takes, if it is a slow one.
    slow: Duration,
}

impl Case {
    pub(super) fn draw(seed: u64) -> Vec<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let draw = |_| {
            let fault = Fault::ALL.choose(&mut rng).copied().expect("there are some");
            let delay = rng.random_range(Duration::from_millis(1)..=Duration::from_millis(50));
            let slow = rng.random_range(TIMEOUT * 2..=TIMEOUT * 5);
            Self { fault, delay, slow }
        };
        (0..PAYMENTS).map(draw).collect()
    }
}

/// What becomes of the first request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    RequestLost,
    CrashBefore,
    CrashAfter,
    ReplyLost,
    Slow,
}

impl Fault {
    pub(super) const ALL: [Self; 5] =
        [Self::RequestLost, Self::CrashBefore, Self::CrashAfter, Self::ReplyLost, Self::Slow];

    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::RequestLost => "request lost",
            Self::CrashBefore => "crash before",
            Self::CrashAfter => "crash after",
            Self::ReplyLost => "reply lost",
            Self::Slow => "slow",
        }
    }
}

/// What a client does that heard nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    GivesUp,
    RetriesBlindly,
    RetriesWithKey,
}

impl Client {
    pub(super) const ALL: [Self; 3] = [Self::GivesUp, Self::RetriesBlindly, Self::RetriesWithKey];
}

/// What the cache said to a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Execute,
    InFlight,
    RecoverUndone,
    RecoverDone,
    Replay,
}

impl Said {
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Execute => "execute",
            Self::InFlight => "in flight",
            Self::RecoverUndone => "recover, not done",
            Self::RecoverDone => "recover, done",
            Self::Replay => "replay",
        }
    }
}
