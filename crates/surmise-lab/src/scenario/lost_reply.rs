//! Payments whose first request gets no answer, for five reasons that the client cannot tell apart.

mod outlasted;
mod service;

use self::{
    outlasted::Outlasted,
    service::{Case, Client, Fault, LEASE, PAYMENTS, Said, Service, TIMEOUT},
};
use super::story::{Figure, Source, Story, Value};
use crate::compare::text;

const SOURCES: &[Source] = &[
    Source {
        title: "Gray, Notes on data base operating systems, 1978 (the two generals)",
        url: "https://doi.org/10.1007/3-540-08755-9_9",
    },
    Source {
        title: "Lee et al., Implementing linearizability at large scale and low latency, SOSP 2015",
        url: "https://doi.org/10.1145/2815400.2815416",
    },
];

/// Tells the story.
pub(super) fn tell(seed: u64) -> Story {
    let outcomes = Outcome::all(seed);
    let row = |outcome: &Outcome| {
        let [never, blindly, keyed] = outcome.charges.map(Value::from);
        let said: Vec<&str> = outcome.said.iter().map(|said| said.text()).collect();
        let said = Value::from(said.join("; "));
        [
            outcome.fault.text().into(),
            outcome.payments.into(),
            outcome.answered.into(),
            never,
            blindly,
            keyed,
            said,
        ]
    };
    let columns = [
        "what happened",
        "payments",
        "answered",
        "no retry",
        "blind",
        "with key",
        "the cache, to the retry",
    ];
    let [never, blindly, keyed] = total(&outcomes).map(|charges| text::integer(charges.into()));
    let payments = text::integer(PAYMENTS.into());
    Story {
        setting: format!(
            "A client charges a card {payments} times, and each time the first request meets one \
             of five faults. It waits for {} s, hears nothing, and does one of three things: it \
             gives up, it sends the request once more, or it sends it again with the idempotency \
             key of the first, until there is an answer. The cache is kept where a crash of the \
             service does not reach it, and so is the ledger of charges. Whoever executes has a lease \
             of {} s on the key, and all that do not crash are done before that.",
            TIMEOUT.as_secs(),
            LEASE.as_secs(),
        ),
        figures: vec![
            Figure::table(
                "By what truly happened, a crash before or after the charge among them: how many \
             payments were answered in time, and how often cards were charged, without a retry, \
             with a blind one, and with one that has a key:",
                &columns,
                outcomes.iter().map(row),
            ),
            Figure::table(
                "And a sixth fault, with a key: an execution that is paused for longer than its lease:",
                &["at", "who", "what", "charged"],
                Outlasted::new().rows().iter().cloned(),
            ),
        ],
        lesson: format!(
            "The client sees the same in all five rows: nothing. So whatever it does without a \
             key is wrong in some of them. Who never retries charged {never} of {payments} \
             cards, and does not know which. Who retries blindly charged {blindly} times. With a \
             key it is {keyed}: the service remembers what it did. After a crash it does not \
             know how far it came, and says so: “recover” means that somebody has to look, here \
             into the ledger. Whoever looks must know that the first one is dead: if it was only \
             paused, the ledger tells the truth too early, and the card is charged twice. The cache \
             refuses the late result, but not what was done outside of it; for that, the charge \
             itself has to be refused to the older ticket, or be one transaction with the record."
        ),
        sources: SOURCES,
    }
}

/// Returns how often cards were charged in all, by what the client did.
fn total(outcomes: &[Outcome]) -> [u32; 3] {
    let mut sums = [0; 3];
    for outcome in outcomes {
        for (sum, charges) in sums.iter_mut().zip(outcome.charges) {
            *sum += charges;
        }
    }
    sums
}

/// What came of all payments that met one fault.
#[derive(Clone, Debug, PartialEq)]
struct Outcome {
    fault: Fault,
    payments: u32,
    /// How many first requests were answered in time.
    answered: u32,
    /// By what the client did, in the order of [`Client`].
    charges: [u32; 3],
    /// To each retry in turn, what is said again left out.
    said: Vec<Said>,
}

impl Outcome {
    fn all(seed: u64) -> Vec<Self> {
        let cases = Case::draw(seed);
        Fault::ALL.map(|fault| Self::of(fault, &cases)).into()
    }

    fn of(fault: Fault, cases: &[Case]) -> Self {
        let mut outcome = Self { fault, payments: 0, answered: 0, charges: [0; 3], said: vec![] };
        let mut services = Client::ALL.map(Service::new);
        for case in cases.iter().filter(|case| case.fault == fault) {
            outcome.payments += 1;
            for (service, charges) in services.iter_mut().zip(&mut outcome.charges) {
                let payment = service.pay(case);
                *charges += payment.charges;
                outcome.answered += u32::from(payment.answered);
                // Whoever retries with a key is told the same each time, for one fault.
                for said in payment.said {
                    if !outcome.said.contains(&said) {
                        outcome.said.push(said);
                    }
                }
            }
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_key_charges_every_card_once() {
        for seed in 0..10 {
            let outcomes = Outcome::all(seed);
            let [never, blindly, keyed] = total(&outcomes);
            assert!(never < PAYMENTS * 7 / 10, "seed {seed}: {never}");
            assert!(blindly > PAYMENTS * 3 / 2, "seed {seed}: {blindly}");
            assert_eq!(keyed, PAYMENTS, "seed {seed}");
            // Not one twice and another not at all.
            for outcome in &outcomes {
                assert_eq!(outcome.charges[2], outcome.payments, "seed {seed}: {outcome:?}");
            }
        }
    }

    #[test]
    fn the_client_sees_the_same_whatever_happened() {
        let outcomes = Outcome::all(0);
        assert_eq!(outcomes.iter().map(|outcome| outcome.payments).sum::<u32>(), PAYMENTS);
        for outcome in outcomes {
            assert_eq!(outcome.answered, 0, "{outcome:?}");
            let Outcome { fault, payments, charges: [never, blindly, _], .. } = outcome;
            let was_done = !matches!(fault, Fault::RequestLost | Fault::CrashBefore);
            assert_eq!(never, payments * u32::from(was_done), "{fault:?}");
            assert_eq!(blindly, never + payments, "{fault:?}");
        }
    }

    #[test]
    fn the_cache_says_what_it_knows_and_no_more() {
        let said: Vec<_> = Outcome::all(3).into_iter().map(|outcome| outcome.said).collect();
        let expected = [
            vec![Said::Execute],
            vec![Said::InFlight, Said::RecoverUndone],
            vec![Said::InFlight, Said::RecoverDone],
            vec![Said::Replay],
            vec![Said::InFlight, Said::Replay],
        ];
        assert_eq!(said, expected);
    }
}
