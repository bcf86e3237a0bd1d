//! What a request that failed left behind.

use redis::ServerError;

use crate::{BoxError, LostReply, StoreError};

/// Why there is no answer to a request.
#[derive(Debug)]
pub(super) enum Failed {
    /// It may have been done.
    Lost(BoxError),
    /// It may have been done: its connection ended before there was an answer.
    Ended(BoxError),
    /// It was refused, or never sent: without any effect.
    Refused(StoreError),
    /// It was refused for want of memory: without any effect.
    Full(StoreError),
    /// It was refused, since this is not the server any more that was connected to, or not its data: a new connection is
    /// looked at anew.
    Anew(StoreError),
}

impl Failed {
    /// Says what it means for a request that does no harm if it was done.
    pub(super) fn harmless(self, store: &str) -> StoreError {
        match self {
            Self::Lost(source) | Self::Ended(source) => {
                StoreError::Unavailable { store: store.to_owned(), source }
            }
            Self::Refused(error) | Self::Full(error) | Self::Anew(error) => error,
        }
    }

    /// Says what it means for a request that counts: nothing was done, or who knows.
    pub(super) fn telling(self, store: &str) -> Result<LostReply, StoreError> {
        match self {
            Self::Lost(source) | Self::Ended(source) => Ok(LostReply::new(store, source)),
            Self::Refused(error) | Self::Full(error) | Self::Anew(error) => Err(error),
        }
    }
}

/// Judges an error that the server answered.
///
/// What the server refuses, it refuses before it writes anything: each request writes by one command at most, the last. What
/// is not known to be a refusal of the server's own is of unknown effect: there may be a proxy that answers for it.
pub(super) fn judge(store: &str, error: &ServerError) -> Failed {
    let problem = format!("{} {}", error.code(), error.details().unwrap_or_default());
    let code = code(error);
    let remedy = match code {
        "READONLY" => REPLICA,
        "NOAUTH" | "WRONGPASS" => CREDENTIALS,
        "NOPERM" => {
            "allow the user the keys of the `prefix` and +evalsha +eval +get +getrange +set +mset +time +info \
             +config|get, and +select for a database other than 0, as `ACL SETUSER` does"
        }
        "OOM" => {
            "raise the server's maxmemory, or remove what is not needed; do not let it evict keys"
        }
        "MISCONF" => "mend the server's disk: it cannot write its log or its snapshot",
        "DENIED" => {
            "give the server a password, or bind it to addresses that nobody else reaches: it is in protected mode"
        }
        "MOVED" | "CROSSSLOT" => {
            "use as `address` the master in the cluster that has the slot of the `prefix`"
        }
        "WRONGTYPE" => {
            let problem = "a key of its own has a value of another type".to_owned();
            return Failed::Refused(StoreError::Corrupt { store: store.to_owned(), problem });
        }
        "ERR" if problem.contains("unknown command") => {
            "let the server have the commands EVALSHA, EVAL, GET and INFO under their names"
        }
        // They pass.
        "LOADING" | "BUSY" | "TRYAGAIN" | "ASK" | "CLUSTERDOWN" | "MASTERDOWN" | "NOREPLICAS"
        | "NOSCRIPT" => {
            let source = problem.into();
            return Failed::Refused(StoreError::Unavailable { store: store.to_owned(), source });
        }
        "ERR" if problem.contains("max number of clients") => {
            let source = problem.into();
            return Failed::Refused(StoreError::Unavailable { store: store.to_owned(), source });
        }
        _ => return Failed::Lost(problem.into()),
    };
    let error = StoreError::Unusable { store: store.to_owned(), problem, remedy };
    if code == "OOM" { Failed::Full(error) } else { Failed::Refused(error) }
}

/// Returns whether an error says that this is not the server, or not the user, that it was: a new connection is
/// looked at anew.
pub(super) fn ends_connection(error: &ServerError) -> bool {
    matches!(code(error), "READONLY" | "NOAUTH" | "MOVED" | "MASTERDOWN" | "CLUSTERDOWN")
}

/// Returns the code of an error, which servers before 7.0 put behind where it came up in the script.
fn code(error: &ServerError) -> &str {
    let details = error.details().unwrap_or_default();
    match (error.code(), details.rsplit_once("@user_script:")) {
        ("ERR", Some((message, inner))) if message.starts_with("Error running script") => {
            let inner = inner.trim_start_matches(|c: char| !c.is_ascii_uppercase());
            inner.split(' ').next().unwrap_or_default()
        }
        (code, _) => code,
    }
}

pub(super) const REPLICA: &str = "connect to the master: this is a replica";
pub(super) const CREDENTIALS: &str = "check the user and the password in `credentials`";

#[cfg(test)]
mod tests {
    use redis::Value;

    use super::*;

    fn error(line: &str) -> ServerError {
        match redis::parse_redis_value(format!("-{line}\r\n").as_bytes()) {
            Ok(Value::ServerError(error)) => error,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_what_had_no_effect_is_an_error() {
        for (line, told) in [
            ("READONLY You can't write against a read only replica.", "connect to the master"),
            ("NOAUTH Authentication required.", "credentials"),
            ("NOPERM this user has no permissions to run the 'evalsha' command", "ACL SETUSER"),
            (
                "OOM command not allowed when used memory > 'maxmemory'. script: 1, on @user_script:9.",
                "maxmemory",
            ),
            ("MISCONF Errors writing to the AOF file: No space left on device", "disk"),
            ("DENIED Redis is running in protected mode", "protected mode"),
            ("MOVED 3999 127.0.0.1:6381", "127.0.0.1:6381"),
            ("CROSSSLOT Keys in request don't hash to the same slot", "slot"),
            ("ERR unknown command 'EVALSHA', with args beginning with: ", "under their names"),
            ("WRONGTYPE Operation against a key holding the wrong kind of value", "another type"),
            // As servers before 7.0 have it.
            (
                "ERR Error running script (call to f_1): @user_script:10: @user_script: 10: -READONLY You can't \
                 write against a read only replica.",
                "connect to the master",
            ),
            (
                "ERR Error running script (call to f_1): @user_script:1: WRONGTYPE Operation against a key",
                "another type",
            ),
            ("LOADING Redis is loading the dataset in memory", "is unavailable"),
            ("BUSY Redis is busy running a script.", "is unavailable"),
            ("CLUSTERDOWN Hash slot not served", "is unavailable"),
            ("NOREPLICAS Not enough good replicas to write.", "is unavailable"),
            ("ERR max number of clients reached", "is unavailable"),
        ] {
            let (Failed::Refused(error) | Failed::Full(error)) = judge("it", &error(line)) else {
                panic!("{line}")
            };
            assert!(error.to_string().contains(told), "{line}: {error}");
        }
        for line in [
            "ERR upstream failure",
            "ERR Error running script (call to f_1): @user_script:1: user_script:1: attempt to call",
            "ERR user_script:1: READONLY or not script: 1, on @user_script:1.",
            "UNKNOWN what a proxy says",
        ] {
            assert!(matches!(judge("it", &error(line)), Failed::Lost(_)), "{line}");
        }
    }
}
