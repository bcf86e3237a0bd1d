use surmise_tower::Policy;
use tokio::time::Instant;

/// All requests may be sent again, until a deadline.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Idempotent {
    pub(crate) deadline: Option<Instant>,
}

impl<Response> Policy<&'static str, Response> for Idempotent {
    fn clone_request(&self, request: &&'static str) -> Option<&'static str> {
        Some(*request)
    }

    fn deadline(&self, _: &&'static str) -> Option<Instant> {
        self.deadline
    }
}
