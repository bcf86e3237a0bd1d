use core::{
    num::{NonZeroU64, NonZeroUsize},
    time::Duration,
};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::Exp;
use surmise_fence::{
    DriftAllowance, FencedMap, FencingToken, LeaseGuard, LeaseTable, LeaseTableConfig,
};
use surmise_time::Instant;

use crate::scenario::story::Value;

/// How long a lease lasts.
pub(super) const LEASE: Duration = Duration::from_secs(10);

/// How long a pause is on average, in seconds.
pub(super) const MEAN_PAUSE: f64 = 10.0;

const ROUNDS: u32 = 2_000;

/// When the holder looks at its lease, if nothing pauses it.
const LOOK: Duration = Duration::from_millis(1_800);

/// When it writes.
const WRITE: Duration = Duration::from_secs(2);

/// What the holder pays in, and what the one that takes over does.
pub(super) const FIRST: u32 = 5;
pub(super) const SECOND: u32 = 30;

/// How much later the next round begins.
const APART: Duration = Duration::from_secs(600);

/// When and for how long the holder of the lease is paused.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    at: Duration,
    pause: Duration,
}

impl Round {
    pub(super) fn draw(seed: u64) -> Vec<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let pauses = Exp::new(1.0 / MEAN_PAUSE).expect("the rate is above zero");
        let draw = |_| Self {
            at: rng.random_range(Duration::ZERO..WRITE),
            pause: Duration::from_secs_f64(rng.sample(pauses)),
        };
        (0..ROUNDS).map(draw).collect()
    }

    /// Returns when something happens that would happen at `moment` without the pause.
    fn shifted(&self, moment: Duration) -> Duration {
        if self.at < moment { moment + self.pause } else { moment }
    }

    fn is_between_look_and_very_late_write(&self) -> bool {
        self.at >= LOOK && self.shifted(WRITE) > LEASE + WRITE
    }
}

/// What keeps a late write from being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guarding {
    Nothing,
    Look,
    Fence,
}

impl Guarding {
    pub(super) const ALL: [Self; 3] = [Self::Nothing, Self::Look, Self::Fence];

    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Look => "a look at the lease before the write",
            Self::Fence => "a fence in the store",
        }
    }
}

/// What came of all rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Outcome {
    pub(super) guarding: Guarding,
    /// How many writes arrived after another had taken over.
    pub(super) late: u32,
    pub(super) accepted: u32,
    pub(super) refused: u32,
    /// How many deposits were acknowledged and are not in the balance.
    pub(super) missing: u32,
}

impl Outcome {
    pub(super) fn of(guarding: Guarding, rounds: &[Round]) -> Self {
        let mut bank = Bank::new(guarding);
        let mut outcome = Self { guarding, late: 0, accepted: 0, refused: 0, missing: 0 };
        for round in rounds {
            let Played { taken_over, accepted, is_complete, .. } = bank.play(round);
            outcome.missing += u32::from(!is_complete);
            if let (Some(_), Some(accepted)) = (taken_over, accepted) {
                outcome.late += 1;
                outcome.accepted += u32::from(accepted);
                outcome.refused += u32::from(!accepted);
            }
        }
        outcome
    }
}

/// What happened in a round, in true time since it began.
#[derive(Clone, Copy, Debug)]
struct Played {
    read: u32,
    /// The tokens of the holder and of who took over.
    token: FencingToken,
    taken_over: Option<FencingToken>,
    /// Whether the holder's write was, if it wrote.
    accepted: Option<bool>,
    /// The balance in the end.
    balance: u32,
    /// Whether all that was acknowledged is in it.
    is_complete: bool,
}

/// The account, who grants its lease, and the two that hold it in turn.
#[derive(Debug)]
struct Bank {
    guarding: Guarding,
    leases: LeaseTable<&'static str>,
    fenced: FencedMap<&'static str, u32>,
    unfenced: u32,
    /// What the balance was before the round, and all that was acknowledged in it.
    acknowledged: u32,
    now: Instant,
}

const ACCOUNT: &str = "account";

impl Bank {
    fn new(guarding: Guarding) -> Self {
        let (lock_delay, max_leases) = (Duration::ZERO, 1);
        let config = LeaseTableConfig { epoch: 1, max_ttl: LEASE, lock_delay, max_leases };
        let mut leases = LeaseTable::new(config).expect("an epoch, and room for a lease");
        let tokens = NonZeroU64::MIN.saturating_add(2 * u64::from(ROUNDS));
        let block = leases.next_block(tokens).expect("none was used yet");
        leases.reserve(block).expect("it is the next");
        let fenced = FencedMap::new(NonZeroUsize::MIN);
        Self { guarding, leases, fenced, unfenced: 0, acknowledged: 0, now: Instant::ORIGIN }
    }

    fn balance(&self) -> u32 {
        match self.guarding {
            Guarding::Fence => self.fenced.get(ACCOUNT).copied().unwrap_or_default(),
            Guarding::Nothing | Guarding::Look => self.unfenced,
        }
    }

    fn play(&mut self, round: &Round) -> Played {
        self.now += APART;
        let began = self.now;
        let holder = self.acquire(began);
        let (token, read) = (holder.token_unchecked(), self.balance());
        let goes_on =
            self.guarding != Guarding::Look || holder.token(began + round.shifted(LOOK)).is_ok();
        self.acknowledged = read;
        let (mut taken_over, mut accepted) = (None, None);
        let late = round.shifted(WRITE);
        if late > LEASE {
            // It takes as long to write as the first would without a pause.
            let next = self.acquire(began + LEASE).token_unchecked();
            let read = self.balance();
            if late <= LEASE + WRITE && goes_on {
                accepted = Some(self.pay_in(FIRST, read, token));
            }
            self.pay_in(SECOND, read, next);
            taken_over = Some(next);
        }
        if accepted.is_none() && goes_on {
            accepted = Some(self.pay_in(FIRST, read, token));
        }
        let balance = self.balance();
        let is_complete = balance == self.acknowledged;
        Played { read, token, taken_over, accepted, balance, is_complete }
    }

    /// Gets the lease, and raises the fence before anything is read.
    fn acquire(&mut self, now: Instant) -> LeaseGuard {
        // A grant that was asked for twice would be told by its nonce; here each is asked for once.
        let grant = self.leases.acquire(ACCOUNT, now.as_nanos(), LEASE, now);
        let grant = grant.expect("the lease before it is over");
        self.fenced.raise(grant.token.into()).expect("it is the highest token");
        LeaseGuard::new(grant, now, DriftAllowance::from_ppm(0))
    }

    /// Writes what the balance should be, by what was read, and returns whether that was acknowledged.
    fn pay_in(&mut self, amount: u32, read: u32, token: FencingToken) -> bool {
        let balance = read + amount;
        let accepted = match self.guarding {
            Guarding::Fence => self.fenced.write(ACCOUNT, balance, token.into()).is_ok(),
            Guarding::Nothing | Guarding::Look => {
                self.unfenced = balance;
                true
            }
        };
        self.acknowledged += if accepted { amount } else { 0 };
        accepted
    }
}

/// Returns the events of the first round in which the pause falls between the look and the write, and lasts
/// until the other has written.
pub(super) fn timeline(rounds: &[Round]) -> Vec<[Value; 5]> {
    let Some(round) = rounds.iter().find(|round| round.is_between_look_and_very_late_write())
    else {
        return Vec::new();
    };
    let [without, with] =
        [Guarding::Look, Guarding::Fence].map(|guarding| Bank::new(guarding).play(round));
    let Played { read, token, .. } = with;
    let next = with.taken_over.map(|next| next.to_string()).unwrap_or_default();
    let said = |played: &Played| {
        let accepted = played.accepted == Some(true);
        let verdict = if accepted { "accepted, now" } else { "refused, still" };
        Value::from(format!("{verdict} {}", played.balance))
    };
    let row = |at: Duration, who: &str, what: String, stores: [Value; 2]| {
        let [without, with] = stores;
        [at.into(), who.into(), what.into(), without, with]
    };
    let nothing = || [Value::from(""), Value::from("")];
    let same = |text: String| [Value::from(text.clone()), Value::from(text)];
    let both = same(format!("accepted, now {}", read + SECOND));
    vec![
        row(Duration::ZERO, "first", format!("gets the lease with token {token}"), nothing()),
        row(Duration::ZERO, "first", format!("reads the balance, {read}"), nothing()),
        row(LOOK, "first", "looks at its lease: it is valid".to_owned(), nothing()),
        row(round.at, "first", "PAUSED".to_owned(), nothing()),
        row(LEASE, "second", format!("takes over with token {next}"), nothing()),
        row(LEASE, "second", format!("reads the balance, {read}"), nothing()),
        row(LEASE + WRITE, "second", format!("writes {} with token {next}", read + SECOND), both),
        row(round.at + round.pause, "first", "goes on".to_owned(), nothing()),
        row(
            round.shifted(WRITE),
            "first",
            format!("writes {} with token {token}", read + FIRST),
            [said(&without), said(&with)],
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_fence_refuses_every_late_write() {
        for seed in 0..10 {
            let rounds = Round::draw(seed);
            let [nothing, look, fence] =
                Guarding::ALL.map(|guarding| Outcome::of(guarding, &rounds));
            assert_eq!((nothing.accepted, nothing.missing), (nothing.late, nothing.late));
            assert!(nothing.late > ROUNDS / 3, "seed {seed}: {nothing:?}");
            // A tenth of the pauses comes after the look.
            assert_eq!((look.accepted, look.missing), (look.late, look.late));
            assert!((nothing.late / 15..nothing.late / 7).contains(&look.late), "{look:?}");
            assert_eq!((fence.late, fence.refused), (nothing.late, nothing.late), "seed {seed}");
            assert_eq!((fence.accepted, fence.missing), (0, 0), "seed {seed}");
        }
    }

    #[test]
    fn a_write_within_the_lease_is_accepted_by_all() {
        let round = Round { at: Duration::ZERO, pause: LEASE - WRITE };
        for guarding in Guarding::ALL {
            let played = Bank::new(guarding).play(&round);
            assert!(played.taken_over.is_none(), "{guarding:?}");
            assert_eq!((played.accepted, played.balance), (Some(true), FIRST), "{guarding:?}");
        }
    }

    #[test]
    fn the_timeline_is_in_order_and_ends_with_the_refusal() {
        for seed in 0..10 {
            let timeline = timeline(&Round::draw(seed));
            assert!(timeline.is_sorted_by(|one, next| one[0].size() <= next[0].size()));
            let [.., without, with] = timeline.last().unwrap();
            assert_eq!(*without, "accepted, now 5".into(), "seed {seed}");
            assert_eq!(*with, "refused, still 30".into(), "seed {seed}");
        }
    }
}
