//! Kaplan and Meier's estimate as the paper has it, in exact fractions, where all calls count.

use alloc::vec::Vec;
use core::time::Duration;

use quickcheck::{Arbitrary, Gen};

use crate::{Outcome, Quantile, buckets::Buckets, duration::nanos, kaplan_meier::Estimate};

/// Few enough that the product of their numbers has less than 128 bits.
const MOST: usize = 25;

/// How calls went, in the order in which they were over: many in a bucket, and many at the edge of one.
#[derive(Clone, Debug)]
pub(crate) struct Outcomes(pub(crate) Vec<Outcome>);

impl Arbitrary for Outcomes {
    fn arbitrary(g: &mut Gen) -> Self {
        // Answers are no sooner than this, so that some who are given up are.
        let soonest = usize::arbitrary(g) % 8;
        let outcome = |g: &mut Gen| {
            let (bucket, kind) = (usize::arbitrary(g) % 8, u8::arbitrary(g) % 5);
            let bucket = if kind > 2 { bucket.max(soonest) } else { bucket };
            let took = Duration::from_nanos(buckets().upper(40 + bucket) - u64::arbitrary(g) % 2);
            match kind {
                0 => Outcome::TimedOut(took),
                1 | 2 => Outcome::Cancelled(took),
                _ => Outcome::Completed(took),
            }
        };
        let length = usize::arbitrary(g) % (MOST + 1);
        Self((0..length).map(|_| outcome(g)).collect())
    }
}

/// The buckets of a floor of a millisecond.
pub(crate) const fn buckets() -> Buckets {
    Buckets::for_floor(1_000_000)
}

impl Outcomes {
    /// Checks the bucket that is found for each percentile by who does not count what says nothing.
    ///
    /// It is the one that all calls come to, unless an answer was sooner than a call that did not count. That one would
    /// have waited with it, so that the quantile is no greater then.
    pub(crate) fn check(&self, find: impl Fn(Quantile) -> Estimate) -> bool {
        let in_order = self.answers_come_in_order();
        (1..100).all(|percent| {
            let quantile = Quantile::from_percent(percent).expect("it is one");
            let found = match find(quantile) {
                Estimate::Bucket(bucket) => bucket,
                Estimate::Beyond(_) => usize::MAX,
            };
            // What is found is rounded up, if anything: where as many are left as may be, that makes a difference.
            let [least, most] = [10_000, 9_999].map(|spare| self.quantile(quantile, spare));
            found <= most && (found >= least || !in_order)
        })
    }

    /// Returns how many of the calls say something as they are over.
    pub(crate) fn count(&self) -> usize {
        let calls = self.calls();
        (0..calls.len()).filter(|&nth| calls[nth].says_something(&calls[..nth])).count()
    }

    /// Returns the bucket after which no more wait than the quantile leaves over, and a share of that in 10 000ths.
    fn quantile(&self, quantile: Quantile, spare: u128) -> usize {
        let calls = self.calls();
        let left_over = u128::from(1_000_000 - quantile.as_millionths());
        let (mut surviving, mut of) = (1, 1);
        let reached = |&bucket: &usize| {
            let in_it = |call: &&Call| call.is_answered && call.bucket == bucket;
            let answered = calls.iter().filter(in_it).count() as u128;
            // Who is given up in a bucket waits until its end.
            let waiting = calls.iter().filter(|call| call.bucket >= bucket).count() as u128;
            if answered > 0 {
                (surviving, of) = (surviving * (waiting - answered), of * waiting);
            }
            answered > 0 && surviving * 1_000_000 * 10_000 <= of * left_over * spare
        };
        (0..Buckets::COUNT).find(reached).unwrap_or(usize::MAX)
    }

    /// Returns whether what says nothing as it is over does not come to say something by a later answer.
    fn answers_come_in_order(&self) -> bool {
        let calls = self.calls();
        (0..calls.len()).all(|nth| {
            calls[nth].says_something(&calls[..nth]) || !calls[nth].says_something(&calls)
        })
    }

    fn calls(&self) -> Vec<Call> {
        let call = |outcome: &Outcome| {
            let (took, is_answered) = match *outcome {
                Outcome::Completed(took) => (nanos(took), true),
                Outcome::TimedOut(took) | Outcome::Cancelled(took) => (nanos(took) - 1, false),
                Outcome::FailedFast => unreachable!("none is made"),
            };
            let is_cancelled = matches!(outcome, Outcome::Cancelled(_));
            Call { bucket: buckets().index(took), is_answered, is_cancelled }
        };
        self.0.iter().map(call).collect()
    }
}

/// How a call went, as the estimator takes it.
#[derive(Clone, Copy, Debug)]
struct Call {
    bucket: usize,
    is_answered: bool,
    is_cancelled: bool,
}

impl Call {
    fn says_something(&self, beside: &[Self]) -> bool {
        let so_soon = |other: &Self| other.is_answered && other.bucket <= self.bucket;
        !self.is_cancelled || beside.iter().any(so_soon)
    }
}
