use alloc::sync::Arc;
use core::fmt;

use http::{
    HeaderName, Method, StatusCode,
    header::{
        CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION, CONTENT_TYPE,
        ETAG, LAST_MODIFIED, LINK, LOCATION,
    },
    request, response,
};
use surmise_idempotency::FingerprintKey;
use surmise_store::Terms;

use super::KeyForm;

/// What becomes of the record of an execution, given its response.
///
/// A handler that knows better than the layer makes it an extension of its response. With axum:
///
/// ```
/// use axum::{Extension, http::StatusCode, response::IntoResponse};
/// use surmise_tower::idempotency::Retain;
///
/// async fn pay() -> impl IntoResponse {
///     // Sent away before anything was done.
///     (Extension(Retain::Nothing), StatusCode::SERVICE_UNAVAILABLE)
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "all of it, a part or nothing is remembered")]
pub enum Retain {
    /// It is kept for the retention: retries get the same response.
    Long,
    /// It is kept for the brief retention. After that a retry executes again.
    Briefly,
    /// That there was a response is kept for the retention, and not the response: it is passed on as it comes, and retries
    /// are told that it was not kept.
    Marker,
    /// Nothing was done, by this execution: the next retry executes. Where it was to
    /// [recover](super::IdempotencyLayer::recover_by_executing) from another, the next one is as well.
    Nothing,
}

type Tenant = dyn Fn(&request::Parts) -> Option<Vec<u8>> + Send + Sync;
type Retention = dyn Fn(&response::Parts) -> Retain + Send + Sync;

/// How a layer is set up.
#[derive(Clone)]
pub(super) struct Config {
    pub(super) tenant: Arc<Tenant>,
    pub(super) operation: String,
    pub(super) terms: Terms,
    pub(super) fingerprint_key: FingerprintKey,
    pub(super) form: KeyForm,
    pub(super) methods: Vec<Method>,
    pub(super) is_required: bool,
    pub(super) max_request_body: usize,
    pub(super) max_response_body: usize,
    pub(super) retain: Arc<Retention>,
    pub(super) headers: Arc<[HeaderName]>,
    pub(super) recovers: bool,
}

impl Config {
    pub(super) fn new(tenant: Arc<Tenant>) -> Self {
        Self {
            tenant,
            operation: String::new(),
            terms: Terms::default(),
            // Whoever knows it can only take themselves in; and no secret is worse than one that changes.
            fingerprint_key: FingerprintKey::new(*b"surmise-tower  1"),
            form: KeyForm::default(),
            methods: vec![Method::POST, Method::PATCH],
            is_required: false,
            max_request_body: 1 << 20,
            max_response_body: 1 << 18,
            retain: Arc::new(by_status),
            headers: Arc::new([
                CONTENT_DISPOSITION,
                CONTENT_ENCODING,
                CONTENT_LANGUAGE,
                CONTENT_LOCATION,
                CONTENT_TYPE,
                ETAG,
                LAST_MODIFIED,
                LINK,
                LOCATION,
            ]),
            recovers: false,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("operation", &self.operation)
            .field("terms", &self.terms)
            .field("form", &self.form)
            .field("methods", &self.methods)
            .field("is_required", &self.is_required)
            .field("max_request_body", &self.max_request_body)
            .field("max_response_body", &self.max_response_body)
            .field("headers", &self.headers)
            .field("recovers", &self.recovers)
            .finish_non_exhaustive()
    }
}

/// Keeps everything but what says by definition that the request was not acted upon.
fn by_status(head: &response::Parts) -> Retain {
    match head.status {
        StatusCode::UNAUTHORIZED | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
            Retain::Nothing
        }
        _ => Retain::Long,
    }
}
