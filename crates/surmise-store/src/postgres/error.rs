//! What an error of the client says of what was asked.

use tokio_postgres::{
    Error,
    error::{DbError, Severity, SqlState},
};

use super::{column::ForeignColumn, schema::MISSING};
use crate::StoreError;

/// What a failed request left behind.
#[derive(Debug)]
pub(super) enum Failed {
    /// Nothing: the server refused it.
    Refused(StoreError),
    /// The server did not say. This is what it did.
    Unknown(String),
}

/// Judges an error that came after a statement was sent.
///
/// The server reports with severity `ERROR` what it rolled back. What is worse ended the connection, perhaps between the
/// commit and the reply. All that does not come from the server is of unknown effect.
pub(super) fn judge(store: &str, error: Error) -> Failed {
    if is_foreign(&error) || error.as_db_error().is_some_and(was_rolled_back) {
        Failed::Refused(refused(store, error))
    } else {
        Failed::Unknown(told(&error))
    }
}

fn was_rolled_back(error: &DbError) -> bool {
    let code = error.code();
    error.parsed_severity() == Some(Severity::Error)
        // Those that say so themselves, and those that proxies send: the connection was lost behind them.
        && *code != SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN
        && !code.code().starts_with("08")
        && !code.code().starts_with("57P")
}

/// Says what the server said, or else what went wrong, with its causes: the client's error says neither by itself.
fn told(error: &Error) -> String {
    if let Some(db) = error.as_db_error() {
        return format!("{} ({})", db.message(), db.code().code());
    }
    let causes = core::iter::successors(cause(error), |error| error.source());
    causes.fold(error.to_string(), |told, cause| format!("{told}: {cause}"))
}

fn is_foreign(error: &Error) -> bool {
    cause(error).is_some_and(|cause| cause.is::<ForeignColumn>())
}

fn cause(error: &Error) -> Option<&(dyn core::error::Error + 'static)> {
    core::error::Error::source(error)
}

/// Says what an error means where it had no effect.
pub(super) fn refused(store: &str, error: Error) -> StoreError {
    let store = store.to_owned();
    if is_foreign(&error) {
        let problem = cause(&error).map_or_else(String::new, ToString::to_string);
        return StoreError::Corrupt { store, problem };
    }
    let problem = told(&error);
    match error.code().map(SqlState::code) {
        None => StoreError::Unavailable { store, source: problem.into() },
        Some("XX001" | "XX002") => StoreError::Corrupt { store, problem },
        Some(code) => match (remedy(code), advice(code)) {
            (Some(remedy), _) => StoreError::Unusable { store, problem, remedy },
            (None, Some(advice)) => {
                StoreError::Unavailable { store, source: format!("{problem}: {advice}").into() }
            }
            (None, None) => StoreError::Unavailable { store, source: problem.into() },
        },
    }
}

/// Returns what to do about an error that may go away by itself, if it does not.
fn advice(code: &str) -> Option<&'static str> {
    Some(match code {
        "53300" => {
            "lower `max_connections` of the stores, or raise the server's max_connections or the role's limit"
        }
        "55P03" | "57014" => {
            "if nobody cancelled it, the server is slow or somebody keeps a lock, whom pg_stat_activity shows; or raise \
             `request_timeout`"
        }
        _ => return None,
    })
}

/// Returns what to do about an error that does not go away by itself.
fn remedy(code: &str) -> Option<&'static str> {
    Some(match code {
        "25006" => READ_ONLY,
        "53100" => "make room on the server's disk",
        "3D000" => "create the database, or connect to another",
        "3F000" | "42P01" => MISSING,
        "42501" => {
            "grant the user USAGE on the schema \"surmise\", SELECT, INSERT and UPDATE on its tables, DELETE on \
             surmise.execution and all on its sequences; who migrates needs CREATE on the database"
        }
        "0A000" | "42703" | "42704" | "42804" | "42883" => {
            "this server or its schema \"surmise\" is not what this version of surmise-store knows"
        }
        code if code.starts_with("28") => {
            "check the name of the user, the password and the server's pg_hba.conf"
        }
        code if code.starts_with("22") || code.starts_with("23") || code.starts_with("42") => {
            "restore the schema \"surmise\" as surmise-store creates it"
        }
        _ => return None,
    })
}

/// What to do if the server does not write.
pub(super) const READ_ONLY: &str = "connect to the primary, as with `target_session_attrs=read-write`, or set \
     default_transaction_read_only = off";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_is_told_from_what_does_not() {
        for code in ["53100", "3D000", "42501", "28P01", "23514"] {
            assert!(remedy(code).is_some(), "{code}");
        }
        for code in ["40001", "40P01", "53200", "53300", "55P03", "57014"] {
            assert!(remedy(code).is_none(), "{code}");
        }
        assert!(remedy("53100").unwrap().contains("disk"));
        assert!(advice("55P03").unwrap().contains("lock"));
    }
}
