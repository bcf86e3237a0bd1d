//! The records in memory against the plainest thing that answers alike.

use core::{num::NonZeroU64, time::Duration};

use quickcheck::{Arbitrary, Gen, quickcheck};
use surmise_idempotency::Fingerprint;

use super::*;
use crate::Terms;

/// What is asked, and how many milliseconds the clock is ahead of, or behind, the one before.
#[derive(Clone, Copy, Debug)]
struct Step {
    millis: i16,
    ask: Ask,
}

#[derive(Clone, Copy, Debug)]
enum Ask {
    Claim { name: u8, fingerprint: u8, nonce: u64, lease: u8 },
    Settle { ticket: usize, verb: Verb },
}

#[derive(Clone, Copy, Debug)]
enum Verb {
    Complete(u8),
    CompleteBriefly(u8),
    Release,
    Renew,
    Save(u8),
}

impl Arbitrary for Step {
    fn arbitrary(g: &mut Gen) -> Self {
        let small = |g: &mut Gen, below: u8| u8::arbitrary(g) % below;
        // Around where leases of 20 to 80 ms, and retentions of 1 s, are over.
        let millis = *g.choose(&[-500, -1, 0, 0, 1, 10, 20, 79, 80, 500, 999, 1000, 1001]).unwrap();
        let ask = if bool::arbitrary(g) {
            let (name, fingerprint) = (small(g, 4), small(g, 8) / 7);
            Ask::Claim {
                name,
                fingerprint,
                nonce: small(g, 3).into(),
                lease: 20 * small(g, 4) + 20,
            }
        } else {
            let verb = match small(g, 8) {
                0 | 1 => Verb::Complete(small(g, 2)),
                2 => Verb::CompleteBriefly(small(g, 2)),
                3 | 4 => Verb::Release,
                5 => Verb::Renew,
                _ => Verb::Save(small(g, 2)),
            };
            Ask::Settle { ticket: usize::from(small(g, 4)), verb }
        };
        Self { millis, ask }
    }
}

const MAX: usize = 2;
const RETENTION: u64 = 1000;
const BRIEF: u64 = 50;

fn terms(lease: u8) -> Terms {
    Terms {
        lease: Duration::from_millis(lease.into()),
        retention: Duration::from_millis(RETENTION),
        brief_retention: Duration::from_millis(BRIEF),
    }
}

/// What is known of a key, in milliseconds.
#[derive(Clone, Debug)]
struct Known {
    name: u8,
    fingerprint: u8,
    token: u64,
    until: u64,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Flying { nonce: u64, lands: u64, again: bool, saved: Option<u8> },
    Done(u8),
    Released,
}

/// A list, which is searched from one end to the other.
#[derive(Debug, Default)]
struct Naive {
    known: Vec<Known>,
    now: u64,
}

impl Naive {
    fn claim(
        &mut self,
        (name, fingerprint, nonce, lease): (u8, u8, u64, u8),
        token: u64,
    ) -> String {
        let now = self.now;
        if !self.known.iter().any(|known| known.name == name) {
            self.known.retain(|known| now < known.until);
            if self.known.len() == MAX {
                return "full".to_owned();
            }
        }
        let at = self.known.iter().position(|known| known.name == name);
        let old = at.map(|at| self.known.remove(at)).filter(|known| now < known.until);
        let (answer, again, saved) = match old {
            Some(old) if !matches!(old.what, What::Released) && old.fingerprint != fingerprint => {
                self.known.push(old);
                return "mismatch".to_owned();
            }
            Some(Known { what: What::Done(result), .. }) => {
                self.known.extend(old);
                return format!("replay {result}");
            }
            Some(Known {
                what: What::Flying { nonce: theirs, lands, again, saved },
                token,
                ..
            }) if now < lands => {
                self.known.extend(old);
                return if nonce == theirs && nonce != 0 {
                    granted(again, token, saved)
                } else {
                    format!("in flight {}", lands - now)
                };
            }
            Some(Known { what: What::Flying { saved, .. }, .. }) => {
                (granted(true, token, saved), true, saved)
            }
            Some(Known { what: What::Released, .. }) | None => {
                (granted(false, token, None), false, None)
            }
        };
        let lands = now + u64::from(lease);
        let what = What::Flying { nonce, lands, again, saved };
        self.known.push(Known { name, fingerprint, token, until: lands + RETENTION, what });
        answer
    }

    fn settle(&mut self, (name, token, lease): (u8, u64, u64), verb: Verb) -> &'static str {
        let now = self.now;
        let known = self.known.iter_mut();
        let mut found = known.filter(|it| it.name == name && it.token == token && now < it.until);
        let Some(known) = found.next() else { return "fenced" };
        let What::Flying { nonce, lands, again, saved } = known.what else {
            return match (known.what, verb) {
                (What::Done(kept), Verb::Complete(result) | Verb::CompleteBriefly(result)) => {
                    if kept == result {
                        "done"
                    } else {
                        "already completed"
                    }
                }
                (What::Released, Verb::Release) => "done",
                _ => "fenced",
            };
        };
        (known.what, known.until) = match verb {
            Verb::Complete(result) => (What::Done(result), now + RETENTION),
            Verb::CompleteBriefly(result) => (What::Done(result), now + BRIEF),
            Verb::Release if again => {
                (What::Flying { nonce, lands: lands.min(now), again, saved }, known.until)
            }
            Verb::Release => (What::Released, now + BRIEF),
            Verb::Renew => {
                let lands = now + lease;
                (What::Flying { nonce, lands, again, saved }, lands + RETENTION)
            }
            Verb::Save(saved) => {
                (What::Flying { nonce, lands, again, saved: Some(saved) }, known.until)
            }
        };
        "done"
    }
}

fn granted(again: bool, token: u64, saved: Option<u8>) -> String {
    format!("{} {token} {saved:?}", if again { "recover" } else { "execute" })
}

fn name_of(claimed: &Claimed) -> String {
    let granted = |again, ticket: &Ticket| {
        granted(again, ticket.token().counter().get(), ticket.checkpoint().map(|saved| saved[0]))
    };
    match claimed {
        Claimed::Execute(ticket) => granted(false, ticket),
        Claimed::Recover(ticket) => granted(true, ticket),
        Claimed::Replay(result) => format!("replay {}", result[0]),
        Claimed::InFlight { retry_after } => format!("in flight {}", retry_after.as_millis()),
        Claimed::Mismatch => "mismatch".to_owned(),
        Claimed::Full => "full".to_owned(),
        Claimed::Indeterminate(lost) => panic!("{lost}"),
    }
}

fn settle(executions: &mut Executions, ticket: &Ticket, verb: Verb, now: Instant) -> &'static str {
    let terms = ticket.terms();
    let bytes = match verb {
        Verb::Complete(byte) | Verb::CompleteBriefly(byte) | Verb::Save(byte) => [byte],
        Verb::Release | Verb::Renew => [0],
    };
    let settlement = match verb {
        Verb::Complete(_) => Settlement::complete(&bytes, terms.retention).unwrap(),
        Verb::CompleteBriefly(_) => Settlement::complete(&bytes, terms.brief_retention).unwrap(),
        Verb::Release => Settlement::release(),
        Verb::Renew => Settlement::renew(),
        Verb::Save(_) => Settlement::save(&bytes).unwrap(),
    };
    match executions.settle(ticket, settlement, now) {
        Settled::Done => "done",
        Settled::Fenced => "fenced",
        Settled::AlreadyCompleted => "already completed",
        Settled::Indeterminate(lost) => panic!("{lost}"),
    }
}

fn key(name: u8) -> Key {
    Key::new("tenant", "charge", name.to_string()).unwrap()
}

quickcheck! {
    fn every_answer_is_that_of_a_list(steps: Vec<Step>) -> bool {
        let (mut executions, mut naive) = (Executions::default(), Naive::default());
        // The clock goes back too, and then stands still until it is where it was.
        let mut clock: i64 = 10_000;
        let mut tickets: Vec<Ticket> = Vec::new();
        for (number, Step { millis, ask }) in (1..).zip(steps) {
            if matches!(ask, Ask::Settle { ticket, .. } if ticket >= tickets.len()) {
                continue;
            }
            clock += i64::from(millis);
            let now = Instant::from_nanos(clock.unsigned_abs() * 1_000_000);
            naive.now = naive.now.max(clock.unsigned_abs());
            match ask {
                Ask::Claim { name, fingerprint, nonce, lease } => {
                    let key = key(name);
                    let asked = Fingerprint::from_bytes([fingerprint; 16]);
                    let claim = Claim::new(&key, asked, nonce, terms(lease)).unwrap();
                    let token = FencingToken::new(1, NonZeroU64::new(number).unwrap());
                    let claimed = executions.claim(claim, token, now, MAX);
                    let expected = naive.claim((name, fingerprint, nonce, lease), number);
                    assert_eq!(name_of(&claimed), expected);
                    if let Claimed::Execute(ticket) | Claimed::Recover(ticket) = claimed {
                        tickets.insert(0, ticket);
                    }
                }
                Ask::Settle { ticket, verb } => {
                    let ticket = &tickets[ticket];
                    let name = (0..4).find(|name| key(*name) == *ticket.key()).unwrap();
                    let lease = ticket.terms().lease.as_millis().try_into().unwrap();
                    let asked = (name, ticket.token().counter().get(), lease);
                    let expected = naive.settle(asked, verb);
                    assert_eq!(settle(&mut executions, ticket, verb, now), expected);
                }
            }
            assert_eq!(executions.ends.len(), executions.records.len());
        }
        true
    }
}

#[test]
fn what_is_over_is_forgotten_a_few_with_each_new_key() {
    let mut executions = Executions::default();
    let claim = |executions: &mut Executions, name: u8, millis: u64| {
        let key = key(name);
        let claim = Claim::new(&key, Fingerprint::NONE, 0, terms(20)).unwrap();
        let now = Instant::from_nanos(millis * 1_000_000);
        executions.claim(claim, FencingToken::first(1), now, 41)
    };
    for name in 0..40 {
        assert!(matches!(claim(&mut executions, name, 0), Claimed::Execute(_)));
    }
    assert!(matches!(claim(&mut executions, 40, 1), Claimed::Execute(_)));
    assert!(matches!(claim(&mut executions, 41, 1019), Claimed::Full));
    for new in 1..=10 {
        let name = 40 + u8::try_from(new).unwrap();
        assert!(matches!(claim(&mut executions, name, 1020), Claimed::Execute(_)));
        assert_eq!(executions.records.len(), 41 - 3 * new);
    }
    // Keys that are there make nobody wait.
    assert!(matches!(claim(&mut executions, 40, 5000), Claimed::Execute(_)));
    assert_eq!((executions.records.len(), executions.ends.len()), (11, 11));
}
