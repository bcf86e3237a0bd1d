//! What is sent over the network.

use core::time::Duration;

use surmise_fence::FencingToken;

/// A message. The network keeps all of them, so that each can arrive at any time, and more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Message {
    Acquire { from: usize, request: Request },
    Renew { from: usize, request: Request, token: FencingToken },
    Granted { to: usize, request: Request, token: FencingToken, valid_for: Duration },
    Release { token: FencingToken },
    Write { grant: Granting },
}

/// Which of its requests a holder sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Request {
    First,
    /// The same request again, because no reply came.
    Retry,
    Renewal,
}

/// What nobody in the model sees: to whom a token was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Granting {
    pub(crate) holder: usize,
    pub(crate) token: FencingToken,
}
