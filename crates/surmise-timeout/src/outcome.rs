use core::time::Duration;

/// How a call went, and after how long.
///
/// A call that was given up says that it would have taken *longer*, and who forgets that has a timeout that
/// shrinks just when the service slows down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(
    clippy::exhaustive_enums,
    reason = "a call is answered, or given up for one of these reasons"
)]
pub enum Outcome {
    /// It was answered after this long, well or with an error that took real work.
    Completed(Duration),
    /// It was given up after this long, because that was the timeout. If the caller's own time ran out before the
    /// timeout, it was [`Cancelled`](Self::Cancelled).
    TimedOut(Duration),
    /// It was given up after this long for another reason: the caller went away or had no more time, its future was
    /// dropped, or another call was faster.
    Cancelled(Duration),
    /// It failed at once, as a refused connection does. That says nothing of how long an answer takes.
    FailedFast,
}
