use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};

use super::{IdempotencyKeyError, IdempotentBody};

/// Why a request is answered without its handler, as RFC 9457 tells of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    Missing,
    Invalid(IdempotencyKeyError),
    UnknownTenant,
    TooLarge { max: usize },
    Unreadable,
    InFlight,
    Mismatch,
    OutcomeUnknown,
    NotKept { status: StatusCode },
    Full,
    Unavailable,
    UnreadableRecord,
}

impl Problem {
    pub(super) fn into_response<B: http_body::Body>(self) -> Response<IdempotentBody<B>> {
        let status = self.status();
        // Nothing in it needs an escape.
        let json = format!(
            r#"{{"type":"about:blank","title":"{}","status":{},"detail":"{}","code":"{}"}}"#,
            status.canonical_reason().unwrap_or_default(),
            status.as_u16(),
            self.detail(),
            self.code(),
        );
        let mut response = Response::new(IdempotentBody::whole(Bytes::from(json)));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.is_worth_a_retry() {
            // The least that HTTP can say. How long the lease still lasts says nothing of when the work is done.
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::Missing | Self::Invalid(_) | Self::Unreadable => StatusCode::BAD_REQUEST,
            Self::UnknownTenant => StatusCode::FORBIDDEN,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::InFlight | Self::OutcomeUnknown | Self::NotKept { .. } => StatusCode::CONFLICT,
            Self::Mismatch => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Full | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::UnreadableRecord => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    const fn is_worth_a_retry(self) -> bool {
        matches!(self, Self::InFlight | Self::Full | Self::Unavailable)
    }

    /// What programs go by. These are part of the interface.
    const fn code(self) -> &'static str {
        match self {
            Self::Missing => "idempotency-key-missing",
            Self::Invalid(_) => "idempotency-key-invalid",
            Self::UnknownTenant => "idempotency-tenant-unknown",
            Self::TooLarge { .. } => "idempotency-request-too-large",
            Self::Unreadable => "idempotency-request-unreadable",
            Self::InFlight => "idempotency-key-in-flight",
            Self::Mismatch => "idempotency-key-reused",
            Self::OutcomeUnknown => "idempotency-outcome-unknown",
            Self::NotKept { .. } => "idempotency-response-not-kept",
            Self::Full => "idempotency-store-full",
            Self::Unavailable => "idempotency-store-unavailable",
            Self::UnreadableRecord => "idempotency-record-unreadable",
        }
    }

    fn detail(self) -> String {
        match self {
            Self::Missing => "This operation requires the header Idempotency-Key.".to_owned(),
            Self::Invalid(error) => format!("The header Idempotency-Key is invalid: {error}."),
            Self::UnknownTenant => "It is not known whose request this is.".to_owned(),
            Self::TooLarge { max } => {
                format!("With the header Idempotency-Key a request can have {max} bytes.")
            }
            Self::Unreadable => "The body of the request could not be read.".to_owned(),
            Self::InFlight => "A request with this key is being executed.".to_owned(),
            Self::Mismatch => "This key was used for another request.".to_owned(),
            Self::OutcomeUnknown => "A request with this key was begun, and it is not known how far it came. It is not \
                executed again."
                .to_owned(),
            Self::NotKept { status } => format!(
                "The request was executed, and answered with status {}, but that response was not kept.",
                status.as_u16()
            ),
            Self::Full => "There is no room for more keys. Nothing was executed.".to_owned(),
            Self::Unavailable => {
                "It cannot be found out whether this request was executed before. It was not executed now.".to_owned()
            }
            Self::UnreadableRecord => {
                "The request was executed before, and what is remembered of it cannot be read.".to_owned()
            }
        }
    }
}
