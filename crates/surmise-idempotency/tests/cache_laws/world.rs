//! A cache, a naive one beside it, and all tickets that were not used up.

use surmise_fence::FencingToken;
use surmise_idempotency::{
    Begin, CacheConfig, CacheConfigError, Fingerprint, IdempotencyCache, Keep, Ticket,
};
use surmise_time::Instant;

use crate::naive::{Answer, Naive};

/// What can happen to a cache.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    Begin {
        key: u8,
        payload: u8,
    },
    /// With one of the last tickets.
    Complete {
        ticket: u8,
        keep: Keep,
    },
    Release {
        ticket: u8,
    },
    Renew {
        ticket: u8,
    },
    Save {
        ticket: u8,
    },
    Expire {
        at_most: u8,
    },
}

/// A cache, a naive one, and who executes.
pub(crate) struct World {
    cache: IdempotencyCache<u8, u32, u8>,
    pub(crate) naive: Naive,
    now: u64,
    tickets: Vec<(Ticket<u8>, usize)>,
    latest_token: Option<FencingToken>,
    /// How many steps there were: what is stored is always something else.
    steps: u32,
    pub(crate) seen: Seen,
}

/// How often everything was answered.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) executed: u64,
    pub(crate) replayed: u64,
    pub(crate) in_flight: u64,
    pub(crate) mismatched: u64,
    pub(crate) recovered: u64,
    pub(crate) recovered_from: u64,
    pub(crate) full: u64,
    pub(crate) accepted: u64,
    pub(crate) fenced: u64,
    pub(crate) expired: u64,
}

impl World {
    pub(crate) fn new(config: CacheConfig) -> Result<Self, CacheConfigError> {
        Ok(Self {
            cache: IdempotencyCache::with_checkpoints(config)?,
            naive: Naive::new(config),
            now: 0,
            tickets: Vec::new(),
            latest_token: None,
            steps: 0,
            seen: Seen::default(),
        })
    }

    /// Lets time pass, then step back, and then something happen.
    pub(crate) fn step(&mut self, forth: u64, back: u64, action: Action) {
        self.now = self.now.saturating_add(forth).saturating_sub(back);
        self.steps += 1;
        match action {
            Action::Begin { key, payload } => self.begin(key, payload),
            Action::Complete { ticket, keep } => self.complete(ticket, keep),
            Action::Release { ticket } => self.release(ticket),
            Action::Renew { ticket } => self.renew(ticket),
            Action::Save { ticket } => self.save(ticket),
            Action::Expire { at_most } => self.expire(at_most.into()),
        }
        let stats = self.cache.stats();
        assert_eq!(self.cache.len(), self.naive.len());
        assert_eq!(self.cache.is_empty(), self.naive.len() == 0);
        assert_eq!(
            (stats.evicted, stats.forgotten_in_flight),
            (self.naive.evicted, self.naive.abandoned)
        );
    }

    fn begin(&mut self, key: u8, payload: u8) {
        let fingerprint = Fingerprint::from_bytes([payload; 16]);
        let expected = self.naive.begin(key, fingerprint, self.now);
        let begin = self.cache.begin(&key, fingerprint, Instant::from_nanos(self.now));
        let answer = self.answer(begin, expected);
        assert_eq!(answer, expected);
        let Seen { executed, replayed, in_flight, mismatched, recovered, full, .. } =
            &mut self.seen;
        *match answer {
            Answer::Execute { .. } => executed,
            Answer::Replay { .. } => replayed,
            Answer::InFlight { .. } => in_flight,
            Answer::Mismatch => mismatched,
            Answer::Recover { .. } => recovered,
            Answer::Full => full,
        } += 1;
    }

    /// Returns an answer as the naive cache gives it, and keeps the ticket.
    fn answer(&mut self, begin: Begin<u32, u8>, expected: Answer) -> Answer {
        let execution = match expected {
            Answer::Execute { execution } | Answer::Recover { execution, .. } => execution,
            _ => 0,
        };
        match begin {
            Begin::Execute(ticket) => {
                assert_eq!(ticket.checkpoint(), None);
                self.keep(ticket, execution);
                Answer::Execute { execution }
            }
            Begin::Recover(ticket) => {
                let checkpoint = ticket.checkpoint().copied();
                self.seen.recovered_from += u64::from(checkpoint.is_some());
                self.keep(ticket, execution);
                Answer::Recover { execution, checkpoint }
            }
            Begin::Replay(value) => Answer::Replay { value },
            Begin::InFlight { retry_after } => Answer::InFlight { retry_after },
            Begin::Mismatch => Answer::Mismatch,
            Begin::Full => Answer::Full,
        }
    }

    fn keep(&mut self, ticket: Ticket<u8>, execution: usize) {
        assert!(self.latest_token < Some(ticket.token()), "{ticket:?} is not the latest");
        self.latest_token = Some(ticket.token());
        self.tickets.push((ticket, execution));
    }

    fn complete(&mut self, ticket: u8, keep: Keep) {
        let Some((ticket, execution)) = self.take(ticket) else { return };
        let (token, value) = (ticket.token(), self.steps);
        let completed = self.cache.complete_for(ticket, value, keep, Instant::from_nanos(self.now));
        let is_accepted = self.naive.complete(execution, value, keep, self.now);
        let fenced = completed.err().map(|fenced| (fenced.token, fenced.rejected));
        assert_eq!(fenced, (!is_accepted).then_some((token, value)));
        self.count(is_accepted);
    }

    fn release(&mut self, ticket: u8) {
        let Some((ticket, execution)) = self.take(ticket) else { return };
        let token = ticket.token();
        let fenced = self.cache.release(ticket).err().map(|fenced| fenced.token);
        let is_accepted = self.naive.release(execution);
        assert_eq!(fenced, (!is_accepted).then_some(token));
        self.count(is_accepted);
    }

    fn renew(&mut self, ticket: u8) {
        let Some((ticket, execution)) = self.nth(ticket).and_then(|at| self.tickets.get(at)) else {
            return;
        };
        let fenced = self.cache.renew(ticket, Instant::from_nanos(self.now)).err();
        let is_accepted = self.naive.renew(*execution, self.now);
        assert_eq!(fenced.map(|fenced| fenced.token), (!is_accepted).then_some(ticket.token()));
        self.count(is_accepted);
    }

    #[expect(clippy::cast_possible_truncation, reason = "any checkpoint will do")]
    fn save(&mut self, ticket: u8) {
        let Some((ticket, execution)) = self.nth(ticket).and_then(|at| self.tickets.get(at)) else {
            return;
        };
        let saved = self.steps as u8;
        let fenced = self.cache.save(ticket, saved).err();
        let is_accepted = self.naive.save(*execution, saved);
        let fenced = fenced.map(|fenced| (fenced.token, fenced.rejected));
        assert_eq!(fenced, (!is_accepted).then_some((ticket.token(), saved)));
        self.count(is_accepted);
    }

    fn expire(&mut self, at_most: usize) {
        let expired = self.cache.expire(Instant::from_nanos(self.now), at_most);
        assert_eq!(expired, self.naive.expire(self.now, at_most));
        self.seen.expired += expired as u64;
    }

    fn count(&mut self, is_accepted: bool) {
        let Seen { accepted, fenced, .. } = &mut self.seen;
        *(if is_accepted { accepted } else { fenced }) += 1;
    }

    /// Returns the nth of the last tickets, those that were given up among them.
    fn nth(&self, back: u8) -> Option<usize> {
        self.tickets.len().checked_sub(usize::from(back) + 1)
    }

    fn take(&mut self, back: u8) -> Option<(Ticket<u8>, usize)> {
        Some(self.tickets.remove(self.nth(back)?))
    }
}
