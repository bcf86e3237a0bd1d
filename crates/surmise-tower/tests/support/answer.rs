use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, StatusCode},
};
use bytes::Bytes;

/// A response, read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) async fn read<B>(response: axum::http::Response<B>) -> Self
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<surmise_tower::BoxError>,
    {
        let (head, body) = response.into_parts();
        let body = to_bytes(Body::new(body), 1 << 22).await.unwrap();
        Self { status: head.status, headers: head.headers, body }
    }

    pub(crate) fn is_replayed(&self) -> bool {
        self.headers.get("idempotency-replayed").is_some_and(|value| value == "true")
    }

    /// Returns the code of a problem, having checked that it is one.
    pub(crate) fn problem(&self) -> (u16, &str) {
        assert_eq!(self.headers["content-type"], "application/problem+json");
        let text = core::str::from_utf8(&self.body).unwrap();
        let status = format!(r#","status":{},"#, self.status.as_u16());
        assert!(text.starts_with(r#"{"type":"about:blank","title":""#), "{text}");
        assert!(text.contains(&status) && text.ends_with(r#""}"#), "{text}");
        let (_, code) = text.split_once(r#""code":""#).unwrap();
        let is_worth_a_retry = self.headers.get("retry-after").is_some_and(|value| value == "1");
        let code = code.trim_end_matches(r#""}"#);
        let retried = ["in-flight", "store-full", "store-unavailable"];
        assert_eq!(is_worth_a_retry, retried.iter().any(|end| code.ends_with(end)), "{text}");
        (self.status.as_u16(), code)
    }
}
