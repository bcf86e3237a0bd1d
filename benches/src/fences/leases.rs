use core::{convert::Infallible, num::NonZeroU64, time::Duration};

use surmise_fence::{
    DriftAllowance, FencingToken, Grant, LeaseGuard, LeaseTable, LeaseTableConfig,
};
use surmise_time::Instant;

use super::random_keys;
use crate::{Meter, Operation, Origin, Subject, footprint};

/// Shows what is done with leases to a meter.
pub(super) fn measure(meter: &mut impl Meter) {
    let subject = |name| Subject { table: "leases", name, origin: Origin::Ours };
    meter.bytes(subject("lease-guard"), size_of::<LeaseGuard>());
    meter.operation(subject("lease-guard"), "token", Asks::new());
    let filled = || Ok::<_, Infallible>(Leases::new());
    let Ok((leases, bytes)) = footprint(filled);
    meter.bytes(subject("lease-table-1k"), bytes - leases.other_bytes());
    meter.operation(subject("lease-table-1k"), "renew", Renewals::new(leases));
    meter.operation(subject("lease-table-1k"), "acquire and release", Grants::new(Leases::new()));
}

/// Checks that what is measured happens.
///
/// # Panics
///
/// If a lease is not granted, renewed or released.
pub(super) fn check() {
    let (mut asks, mut renewals) = (Asks::new(), Renewals::new(Leases::new()));
    let mut grants = Grants::new(Leases::new());
    for _ in 0..5_000 {
        let now = asks.next_input();
        assert!(Asks::call(asks.subject(), now).is_some(), "the lease is over");
        let key = renewals.next_input();
        assert!(Renewals::call(renewals.subject(), key), "{key} is not renewed");
        let key = grants.next_input();
        assert!(Grants::call(grants.subject(), key), "{key} is not granted");
    }
}

const LEASES: u64 = 1000;

const TTL: Duration = Duration::from_secs(10);

/// A holder that looks at its lease, more and more late.
struct Asks {
    guard: LeaseGuard,
    now: Instant,
}

impl Asks {
    fn new() -> Self {
        let grant = Grant { token: FencingToken::first(1), valid_for: TTL };
        let now = Instant::ORIGIN;
        Self { guard: LeaseGuard::new(grant, now, DriftAllowance::default()), now }
    }
}

impl Operation for Asks {
    type Subject = LeaseGuard;

    type Input = Instant;

    type Output = Option<FencingToken>;

    fn subject(&mut self) -> &mut LeaseGuard {
        &mut self.guard
    }

    fn next_input(&mut self) -> Instant {
        self.now += Duration::from_nanos(1);
        self.now
    }

    #[inline]
    fn call(guard: &mut LeaseGuard, now: Instant) -> Option<FencingToken> {
        guard.token(now).ok()
    }
}

/// A table in which the even resources are held, and the tokens that they are held with.
struct Leases {
    table: LeaseTable<u64>,
    tokens: Vec<FencingToken>,
    now: Instant,
}

impl Leases {
    fn new() -> Self {
        let mut table = LeaseTable::new(LeaseTableConfig {
            epoch: 1,
            max_ttl: TTL,
            lock_delay: Duration::ZERO,
            max_leases: usize::MAX,
        })
        .expect("it can grant leases");
        let block = table.next_block(NonZeroU64::MAX).expect("it has issued none");
        table.reserve(block).expect("it is the next one");
        let now = Instant::ORIGIN;
        let mut acquire = |number| table.acquire(2 * number, 1, TTL, now).expect("it is free");
        let tokens = (0..LEASES).map(|number| acquire(number).token).collect();
        Self { table, tokens, now }
    }

    /// Returns how many bytes beside the table it takes.
    fn other_bytes(&self) -> usize {
        size_of::<Self>() - size_of::<LeaseTable<u64>>() + size_of_val(&*self.tokens)
    }

    /// Lets a little time pass, in which no lease ends that is renewed now and then.
    fn tick(&mut self) -> Instant {
        self.now += Duration::from_micros(1);
        self.now
    }
}

/// Renews leases at random.
struct Renewals {
    leases: Leases,
    keys: Box<dyn Iterator<Item = u64>>,
}

impl Renewals {
    fn new(leases: Leases) -> Self {
        Self { leases, keys: Box::new(random_keys(LEASES)) }
    }
}

impl Operation for Renewals {
    type Subject = Leases;

    type Input = u64;

    type Output = bool;

    fn subject(&mut self) -> &mut Leases {
        &mut self.leases
    }

    fn next_input(&mut self) -> u64 {
        self.keys.next().expect("they never end")
    }

    #[inline]
    fn call(leases: &mut Leases, number: u64) -> bool {
        let now = leases.tick();
        let token = usize::try_from(number).ok().and_then(|number| leases.tokens.get(number));
        token.is_some_and(|&token| leases.table.renew(&(2 * number), token, TTL, now).is_ok())
    }
}

/// Acquires and releases, at random, leases between those that are held.
struct Grants {
    leases: Leases,
    keys: Box<dyn Iterator<Item = u64>>,
}

impl Grants {
    fn new(leases: Leases) -> Self {
        Self { leases, keys: Box::new(random_keys(LEASES)) }
    }
}

impl Operation for Grants {
    type Subject = Leases;

    type Input = u64;

    type Output = bool;

    fn subject(&mut self) -> &mut Leases {
        &mut self.leases
    }

    fn next_input(&mut self) -> u64 {
        self.keys.next().expect("they never end")
    }

    #[inline]
    fn call(leases: &mut Leases, number: u64) -> bool {
        let now = leases.tick();
        let resource = 2 * number + 1;
        let grant = leases.table.acquire(resource, 1, TTL, now);
        grant.is_ok_and(|grant| leases.table.release(&resource, grant.token, now).is_ok())
    }
}
