use core::time::Duration;

use surmise_idempotency::{Begin, Fingerprint, Ticket};
use surmise_time::Instant;

use super::service::{RetryCache, TIMEOUT, new_cache};
use crate::scenario::story::Value;

/// For how long the execution is paused before it charges the card.
const PAUSE: Duration = Duration::from_secs(15);

/// One payment, whose execution is paused for longer than the lease of its key.
#[derive(Debug)]
pub(super) struct Outlasted {
    cache: RetryCache,
    charges: u32,
    /// When, who, what, and how often the card is charged by then.
    rows: Vec<[Value; 4]>,
}

impl Outlasted {
    /// Lets it happen.
    pub(super) fn new() -> Self {
        let mut story = Self { cache: new_cache(), charges: 0, rows: Vec::new() };
        let began = Instant::ORIGIN;
        let Begin::Execute(ticket) = story.begin(began) else {
            unreachable!("nobody had this key before")
        };
        story.note(began, "first request", "execute; and it is paused".to_owned());
        story.retry(began);
        story.end(ticket, began + PAUSE);
        story
    }

    pub(super) fn rows(&self) -> &[[Value; 4]] {
        &self.rows
    }

    /// Asks with the same key, once a second, until there is something to do.
    fn retry(&mut self, began: Instant) {
        let mut at = began + TIMEOUT;
        self.note(at, "retry", "in flight, as each second until the lease is over".to_owned());
        loop {
            match self.begin(at) {
                Begin::InFlight { .. } => at += TIMEOUT,
                Begin::Recover(ticket) => {
                    // The ledger tells the truth: nothing was charged so far.
                    assert_eq!(self.charges, 0, "nobody else charges");
                    self.charges += 1;
                    self.complete(ticket, at, "retry", "recover, not done; charges");
                    return;
                }
                other => {
                    unreachable!("the first is paused, and its result is not there: {other:?}")
                }
            }
        }
    }

    /// Goes on with the first execution, which knows of no pause.
    fn end(&mut self, ticket: Ticket, at: Instant) {
        self.charges += 1;
        self.complete(ticket, at, "first request", "goes on and charges");
    }

    fn complete(&mut self, ticket: Ticket, at: Instant, who: &str, what: &str) {
        let receipt = self.charges;
        let answer = match self.cache.complete(ticket, receipt, at) {
            Ok(()) => "its result is kept",
            Err(_) => "its result is refused, for its ticket is the older one",
        };
        self.note(at, who, format!("{what}; {answer}"));
    }

    fn begin(&mut self, at: Instant) -> Begin<u32> {
        self.cache.begin(&0, Fingerprint::NONE, at)
    }

    fn note(&mut self, at: Instant, who: &str, what: String) {
        let since = at - Instant::ORIGIN;
        self.rows.push([since.into(), who.into(), what.into(), self.charges.into()]);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::service::LEASE, *};

    #[test]
    fn whoever_outlasts_its_lease_charges_again_and_only_its_result_is_refused() {
        let mut story = Outlasted::new();
        assert_eq!(story.charges, 2);
        let said: Vec<_> = story.rows().iter().map(|[_, _, what, _]| format!("{what:?}")).collect();
        assert!(said[2].contains("recover, not done") && said[2].contains("is kept"), "{said:?}");
        assert!(said[3].contains("is refused"), "{said:?}");
        let Value::Seconds(recovered) = story.rows()[2][0] else { panic!("{:?}", story.rows()) };
        assert!(recovered >= LEASE.as_secs_f64() && recovered < PAUSE.as_secs_f64());
        // Who asks again hears of the charge that the cache knows of.
        let again = story.begin(Instant::ORIGIN + PAUSE * 2);
        assert!(matches!(again, Begin::Replay(1)), "{again:?}");
    }
}
