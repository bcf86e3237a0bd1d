use core::time::Duration;

use surmise_timeout::Outcome;
use surmise_tower::{BoxError, Judgement, Policy};

/// Errors are passed on or not, and say nothing of how long answers take, as when somebody is turned away at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused(pub(crate) Judgement);

impl Policy<&'static str, usize> for Refused {
    fn clone_request(&self, request: &&'static str) -> Option<&'static str> {
        Some(*request)
    }

    fn judge(&self, result: &Result<usize, BoxError>) -> Judgement {
        if result.is_ok() { Judgement::Keep } else { self.0 }
    }

    fn outcome(&self, result: &Result<usize, BoxError>, took: Duration) -> Outcome {
        if result.is_ok() { Outcome::Completed(took) } else { Outcome::FailedFast }
    }
}
