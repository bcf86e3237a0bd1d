use core::time::Duration;

use crate::FencingToken;

/// What the grantor of a lease promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a token and a time, by definition")]
pub struct Grant {
    /// The token of the grant, also after it was renewed.
    pub token: FencingToken,
    /// For how long nobody else is granted the lease. Its holder counts from before it sent the request.
    pub valid_for: Duration,
}
