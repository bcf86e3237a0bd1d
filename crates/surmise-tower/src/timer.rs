//! What is late, by the clock: tokio's timers can be late themselves.

use core::{
    future::Future as _,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::time::{Instant, Sleep};

/// Polls a timer beside a response that was polled before it.
///
/// If the response uses up what tokio allows a task at a time, again and again, a timer that is asked after it never fires.
pub(crate) fn poll_elapsed(sleep: Pin<&mut Sleep>, context: &mut Context<'_>) -> Poll<()> {
    if Instant::now() < sleep.deadline() { sleep.poll(context) } else { Poll::Ready(()) }
}

/// Returns whether nobody waits any more for the answer to a request with this deadline.
pub(crate) fn is_too_late(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| deadline <= Instant::now())
}
