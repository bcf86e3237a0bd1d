//! What a request that failed left behind.

use super::wire::ErrorAnswer;
use crate::{BoxError, StoreError};

/// Why there is no answer to a request.
#[derive(Debug)]
pub(super) enum Failed {
    /// It was not sent to any member.
    NotSent(BoxError),
    /// It may have been done.
    Lost(BoxError),
    /// It was refused, without any effect.
    Refused(StoreError),
    /// The database is full: it was refused, or was the last one that was done. etcd says the same of both.
    Full(StoreError),
    /// The session of the user is over; nothing was done.
    Unauthenticated(StoreError),
}

impl Failed {
    /// Says what it means for a request that does no harm if it was done.
    pub(super) fn harmless(self, store: &str) -> StoreError {
        match self {
            Self::NotSent(source) | Self::Lost(source) => {
                StoreError::Unavailable { store: store.to_owned(), source }
            }
            Self::Refused(error) | Self::Full(error) | Self::Unauthenticated(error) => error,
        }
    }

    /// Says what it means for a request that counts: nothing was done, or who knows.
    pub(super) fn telling(self, store: &str) -> Result<BoxError, StoreError> {
        match self {
            Self::Lost(source) => Ok(source),
            Self::Full(error) => Ok(error.into()),
            other => Err(other.harmless(store)),
        }
    }
}

/// Judges an answer other than 200 OK.
pub(super) fn judge(store: &str, status: u16, body: &[u8]) -> Failed {
    let answer: Option<ErrorAnswer> = serde_json::from_slice(body).ok();
    let Some(ErrorAnswer { code, message }) = answer else {
        let problem = format!("HTTP status {status}, and no reason that etcd would give");
        return match status {
            // No etcd answers so after it did something.
            400..=499 => Failed::Refused(unusable(store, problem, NO_GATEWAY)),
            _ => Failed::Lost(problem.into()),
        };
    };
    let remedy = match (code, message.as_str()) {
        (INVALID_ARGUMENT | RESOURCE_EXHAUSTED, text) if text.contains("too large") => TOO_LARGE,
        (RESOURCE_EXHAUSTED, text) if text.contains("larger than max") => TOO_LARGE,
        (RESOURCE_EXHAUSTED, text) if text.contains("space exceeded") => {
            return Failed::Full(unusable(store, message, NO_SPACE));
        }
        (RESOURCE_EXHAUSTED, text) if text.contains("too many requests") => {
            return Failed::Refused(unavailable(store, message));
        }
        // A lease of ours ended before it was used: the cluster is slow.
        (NOT_FOUND, _) => return Failed::Refused(unavailable(store, message)),
        (UNAUTHENTICATED, _) => {
            return Failed::Unauthenticated(unusable(store, message, CREDENTIALS));
        }
        (INVALID_ARGUMENT, text) if text.contains("revision of auth store is old") => {
            return Failed::Unauthenticated(unusable(store, message, CREDENTIALS));
        }
        (INVALID_ARGUMENT, text) if text.contains("user") => CREDENTIALS,
        (FAILED_PRECONDITION, text) if text.contains("authentication is not enabled") => {
            "the cluster has no users: leave `credentials` out"
        }
        (PERMISSION_DENIED, _) => {
            "grant the user's role the permission `readwrite` on the prefix, as `etcdctl role grant-permission ROLE \
             readwrite --prefix=true PREFIX` does"
        }
        (DATA_LOSS, _) => "a member's data is corrupt: replace the member, and disarm the alarm",
        (INVALID_ARGUMENT | UNIMPLEMENTED, _) => "use etcd 3.4 or later",
        // Whatever else it says, among them that time is up or the leader is gone, came perhaps after the request was
        // handed on.
        _ => return Failed::Lost(format!("{message} (status {code} of gRPC)").into()),
    };
    Failed::Refused(unusable(store, message, remedy))
}

fn unusable(store: &str, problem: String, remedy: &'static str) -> StoreError {
    StoreError::Unusable { store: store.to_owned(), problem, remedy }
}

fn unavailable(store: &str, message: String) -> StoreError {
    StoreError::Unavailable { store: store.to_owned(), source: message.into() }
}

const INVALID_ARGUMENT: u16 = 3;
const NOT_FOUND: u16 = 5;
const PERMISSION_DENIED: u16 = 7;
const RESOURCE_EXHAUSTED: u16 = 8;
const FAILED_PRECONDITION: u16 = 9;
const UNIMPLEMENTED: u16 = 12;
const DATA_LOSS: u16 = 15;
const UNAUTHENTICATED: u16 = 16;

const NO_GATEWAY: &str = "use the client URL of etcd 3.4 or later, whose JSON gateway is on (`--enable-grpc-gateway`; \
     `enable-grpc-gateway: true` in a configuration file)";
const TOO_LARGE: &str = "raise the members' --max-request-bytes to 1572864, as it is by default, or write less at a time";
const NO_SPACE: &str = "compact and defragment the members, or raise --quota-backend-bytes; then `etcdctl alarm disarm`";
const CREDENTIALS: &str = "check the user and the password in `credentials`";

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(code: u16, message: &str) -> Failed {
        let body = format!(r#"{{"error":"{message}","code":{code},"message":"{message}"}}"#);
        judge("it", 503, body.as_bytes())
    }

    #[test]
    fn only_what_had_no_effect_is_an_error() {
        for (code, message) in [
            (3, "etcdserver: request is too large"),
            (3, "etcdserver: duplicate key given in txn request"),
            (5, "etcdserver: requested lease not found"),
            (7, "etcdserver: permission denied"),
            (8, "etcdserver: too many requests"),
            (8, "grpc: received message larger than max (2097169 vs. 2097152)"),
            (15, "etcdserver: corrupt cluster"),
        ] {
            assert!(matches!(judged(code, message), Failed::Refused(_)), "{message}");
        }
        for (code, message) in [
            (14, "etcdserver: request timed out"),
            (14, "etcdserver: request timed out, possibly due to previous leader failure"),
            (14, "etcdserver: server stopped"),
            (14, "etcdserver: no leader"),
            (4, "context deadline exceeded"),
            (2, "unknown"),
        ] {
            assert!(matches!(judged(code, message), Failed::Lost(_)), "{message}");
        }
    }

    #[test]
    fn a_full_database_may_have_taken_the_last_write() {
        let full = judged(8, "etcdserver: mvcc: database space exceeded");
        let lost = full.telling("it").unwrap();
        assert!(lost.to_string().contains("defragment"), "{lost}");
    }

    #[test]
    fn what_is_no_etcd_is_told() {
        let error = judge("it", 404, b"404 page not found").telling("it").unwrap_err();
        assert!(error.to_string().contains("--enable-grpc-gateway"), "{error}");
        assert!(matches!(judge("it", 502, b"<html>"), Failed::Lost(_)));
    }
}
