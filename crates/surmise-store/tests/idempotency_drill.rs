//! Callers at random against stores that are right, and against those that are not, which is to be noticed.
#![cfg(feature = "conformance")]
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]
#![expect(
    clippy::std_instead_of_core,
    reason = "this keeps libraries honest that do without std; a test has it"
)]

use std::time::Duration;

use parking_lot::Mutex;
use surmise_fence::FencingToken;
use surmise_store::{
    Claim, Claimed, IdempotencyStore, Settled, Settlement, StoreError, Ticket,
    conformance::{
        Violation,
        faults::Odds,
        idempotency::{Drill, Tally},
    },
    memory::{MemoryConfig, MemoryStore},
};
use surmise_time::ManualClock;

const REPLAYED: &str = "what-was-acknowledged-is-replayed";

type Memory<'a> = MemoryStore<&'a ManualClock>;

fn drill(seed: u64) -> Drill {
    Drill { operations: 4_000, ..Drill::new(seed) }
}

#[tokio::test]
async fn memory_stands_it() {
    for (seed, odds) in [(1, Odds::default()), (2, Odds::NONE), (3, Odds::default())] {
        let clock = ManualClock::default();
        let store = MemoryStore::new(MemoryConfig::default(), &clock).unwrap();
        let drill = Drill { operations: 20_000, odds, ..Drill::new(seed) };
        let tally = drill.run(&store, &clock).await.unwrap();
        // It is of no use if nothing happened.
        let Tally { executed, recovered, replayed, in_flight, effects, completed, .. } = tally;
        for count in [executed, recovered, replayed, in_flight, effects, completed] {
            assert!(count > 400, "{tally:?}");
        }
        let Tally { mismatched, late_effects, released, fenced, forgotten, .. } = tally;
        for count in [mismatched, late_effects, released, fenced, forgotten] {
            assert!(count > 15, "{tally:?}");
        }
        assert_eq!(tally.indeterminate > 0, odds != Odds::NONE, "{tally:?}");
    }
}

/// A store that makes a mistake.
struct Broken<'a> {
    store: Memory<'a>,
    mistake: Mistake,
    last: Mutex<Option<Ticket>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mistake {
    None,
    ExecutesWhatIsToBeRecovered,
    ReplaysToAnybody,
    ReplaysAnotherResult,
    ForgetsCompletions,
    ForgetsCheckpoints,
    IssuesATokenTwice,
    SaysDoneWhereFenced,
    CompletesTwice,
}

impl IdempotencyStore for Broken<'_> {
    async fn claim(&self, claim: Claim<'_>) -> Result<Claimed, StoreError> {
        let claimed = self.store.claim(claim).await?;
        Ok(match (self.mistake, claimed) {
            (Mistake::ExecutesWhatIsToBeRecovered, Claimed::Recover(ticket)) => {
                Claimed::Execute(ticket)
            }
            (Mistake::ReplaysToAnybody, Claimed::Mismatch) => Claimed::Replay(b"another".to_vec()),
            (Mistake::ReplaysAnotherResult, Claimed::Replay(mut result)) => {
                result.pop();
                Claimed::Replay(result)
            }
            (Mistake::ForgetsCheckpoints, Claimed::Recover(ticket)) => Claimed::Recover(
                Ticket::new(ticket.key().clone(), ticket.token(), ticket.terms(), None),
            ),
            (Mistake::IssuesATokenTwice, Claimed::Recover(ticket)) => {
                let last = FencingToken::first(0);
                let checkpoint = ticket.checkpoint().map(<[u8]>::to_vec);
                Claimed::Recover(Ticket::new(
                    ticket.key().clone(),
                    last,
                    ticket.terms(),
                    checkpoint,
                ))
            }
            (_, claimed) => claimed,
        })
    }

    async fn settle(
        &self,
        ticket: &Ticket,
        settlement: Settlement<'_>,
    ) -> Result<Settled, StoreError> {
        let is_completion = format!("{settlement:?}").contains("Complete");
        if self.mistake == Mistake::ForgetsCompletions && is_completion {
            return Ok(Settled::Done);
        }
        let settled = self.store.settle(ticket, settlement).await?;
        Ok(match (self.mistake, settled) {
            (Mistake::SaysDoneWhereFenced, Settled::Fenced) => Settled::Done,
            (Mistake::CompletesTwice, Settled::Fenced) if is_completion => {
                let last = self.last.lock().replace(ticket.clone());
                if last.is_some_and(|last| last == *ticket) {
                    Settled::Done
                } else {
                    Settled::Fenced
                }
            }
            (_, settled) => settled,
        })
    }
}

async fn run(mistake: Mistake, seed: u64) -> Result<Tally, Violation> {
    let clock = ManualClock::default();
    let store = MemoryStore::new(MemoryConfig::default(), &clock).unwrap();
    let broken = Broken { store, mistake, last: Mutex::new(None) };
    drill(seed).run(&broken, &clock).await
}

#[tokio::test]
async fn mistakes_are_noticed() {
    run(Mistake::None, 4).await.unwrap();
    for (mistake, cases) in [
        (Mistake::ExecutesWhatIsToBeRecovered, &["effects-happen-once"][..]),
        (Mistake::ReplaysToAnybody, &[REPLAYED]),
        (Mistake::ReplaysAnotherResult, &[REPLAYED]),
        (Mistake::ForgetsCompletions, &[REPLAYED]),
        (Mistake::ForgetsCheckpoints, &["what-was-saved-is-there"]),
        (Mistake::IssuesATokenTwice, &["tokens-rise"]),
        // One may be told that it is done before anybody is told that another took over.
        (Mistake::SaysDoneWhereFenced, &["a-void-ticket-settles-nothing", REPLAYED]),
        (Mistake::CompletesTwice, &["a-void-ticket-settles-nothing", REPLAYED]),
    ] {
        let violation = run(mistake, 5).await.unwrap_err();
        assert!(cases.contains(&violation.case), "{mistake:?}: {violation}");
    }
}

/// Keys whose results are kept for a moment are executed anew after it, and not before.
#[tokio::test]
async fn what_is_forgotten_too_early_is_noticed() {
    let clock = ManualClock::default();
    let store = MemoryStore::new(MemoryConfig::default(), &clock).unwrap();
    // It is told another time than the store is.
    let early = Early(store);
    let drill = Drill { brief_retention: Duration::from_secs(1), ..drill(6) };
    let violation = drill.run(&early, &clock).await.unwrap_err();
    assert_eq!(violation.case, REPLAYED, "{violation}");
}

/// Keeps what is kept briefly for 10 ms.
struct Early<'a>(Memory<'a>);

impl IdempotencyStore for Early<'_> {
    async fn claim(&self, claim: Claim<'_>) -> Result<Claimed, StoreError> {
        self.0.claim(claim).await
    }

    async fn settle(
        &self,
        ticket: &Ticket,
        settlement: Settlement<'_>,
    ) -> Result<Settled, StoreError> {
        let terms = ticket.terms();
        let brief = Settlement::complete(b"", terms.brief_retention)?;
        let told = format!("{settlement:?}");
        if told.contains("retention: 1s") && told.contains("Complete") && settlement != brief {
            let result = told_result(&told);
            return self
                .0
                .settle(ticket, Settlement::complete(&result, Duration::from_millis(10))?)
                .await;
        }
        self.0.settle(ticket, settlement).await
    }
}

/// Reads the bytes of a result as `Debug` has them.
fn told_result(told: &str) -> Vec<u8> {
    let (_, rest) = told.split_once('[').unwrap();
    let (bytes, _) = rest.split_once(']').unwrap();
    bytes.split(", ").map(|byte| byte.parse().unwrap()).collect()
}
