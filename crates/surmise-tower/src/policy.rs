use core::time::Duration;

use surmise_timeout::Outcome;
use tokio::time::Instant;

use crate::BoxError;

/// What the layers are to know of a service's requests and responses.
///
/// One policy serves all three layers. Each method has a default that is safe for any service; with the defaults
/// no request is sent twice.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_timeout::Outcome;
/// use surmise_tower::{BoxError, Judgement, Policy};
///
/// #[derive(Clone)]
/// enum Request {
///     Read(u64),
///     Append(Vec<u8>),
/// }
///
/// enum Response {
///     Value(Vec<u8>),
///     Overloaded { retry_after: Duration },
/// }
///
/// #[derive(Clone)]
/// struct Store;
///
/// impl Policy<Request, Response> for Store {
///     /// To read twice does no harm.
///     fn clone_request(&self, request: &Request) -> Option<Request> {
///         matches!(request, Request::Read(_)).then(|| request.clone())
///     }
///
///     fn judge(&self, result: &Result<Response, BoxError>) -> Judgement {
///         match result {
///             Ok(Response::Overloaded { retry_after }) => Judgement::RetryAfter(*retry_after),
///             Ok(_) => Judgement::Keep,
///             Err(_) => Judgement::Retry,
///         }
///     }
///
///     /// Who is turned away did not see how long an answer takes.
///     fn outcome(&self, result: &Result<Response, BoxError>, took: Duration) -> Outcome {
///         match result {
///             Ok(Response::Overloaded { .. }) => Outcome::FailedFast,
///             Ok(_) => Outcome::Completed(took),
///             Err(_) => Outcome::Cancelled(took),
///         }
///     }
/// }
/// ```
pub trait Policy<Request, Response> {
    /// Returns the request once more, if it may be sent more than once.
    ///
    /// That is a promise about the service: a request that timed out may still have been served, and of a hedged
    /// one both copies may be. By default no request may.
    fn clone_request(&self, request: &Request) -> Option<Request> {
        let _ = request;
        None
    }

    /// Returns until when the caller wants an answer, on tokio's clock, if the request says so.
    ///
    /// No retry or backup begins later; and a timeout layer that has this policy gives up what takes longer. By default
    /// no request says so.
    fn deadline(&self, request: &Request) -> Option<Instant> {
        let _ = request;
        None
    }

    /// Returns whether a result is what the caller gets, or should be tried to get again.
    ///
    /// A hedged call that fails in a way to be tried again leaves the field to the other one. By default
    /// responses are kept, and errors tried again.
    fn judge(&self, result: &Result<Response, BoxError>) -> Judgement {
        if result.is_ok() { Judgement::Keep } else { Judgement::Retry }
    }

    /// Returns what a result says of how long answers take, given how long it took.
    ///
    /// By default a response is an answer, and of a call that failed an answer would have taken longer. Return
    /// [`Outcome::FailedFast`] of what was turned away without work, and [`Outcome::Completed`] of errors
    /// that are answers.
    fn outcome(&self, result: &Result<Response, BoxError>, took: Duration) -> Outcome {
        if result.is_ok() { Outcome::Completed(took) } else { Outcome::Cancelled(took) }
    }
}

/// Whether a result is what the caller gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Judgement {
    /// It is, good or bad: to try again would not change it.
    Keep,
    /// The request is worth another try.
    Retry,
    /// The request is worth another try, but not before so long, as HTTP's `Retry-After` says.
    ///
    /// More than [`RetryLayer::max_retry_after`](crate::RetryLayer::max_retry_after) is as good as
    /// [`Keep`](Self::Keep) to a retry layer.
    ///
    /// Callers that were told the same come back together; to spread them, add something random to it.
    RetryAfter(Duration),
}

/// The policy of a service that nothing is known of: all defaults. With it no request is sent twice, so that there are
/// no retries and no backups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a unit struct is its own constructor")]
pub struct DefaultPolicy;

impl<Request, Response> Policy<Request, Response> for DefaultPolicy {}
