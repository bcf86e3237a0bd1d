use surmise_tower::{BoxError, Judgement, Policy};

/// All requests may be sent again, and all results are judged alike.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Always(pub(crate) Judgement);

impl<Response> Policy<&'static str, Response> for Always {
    fn clone_request(&self, request: &&'static str) -> Option<&'static str> {
        Some(*request)
    }

    fn judge(&self, _: &Result<Response, BoxError>) -> Judgement {
        self.0
    }
}
