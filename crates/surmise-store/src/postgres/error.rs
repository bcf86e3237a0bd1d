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
    /// The server did not say.
    Unknown(Error),
}

/// Judges an error that came after a statement was sent.
///
/// The server reports with severity `ERROR` what it rolled back. What is worse ended the connection, perhaps between the
/// commit and the reply. All that does not come from the server is of unknown effect.
pub(super) fn judge(store: &str, error: Error) -> Failed {
    if is_foreign(&error) || error.as_db_error().is_some_and(was_rolled_back) {
        Failed::Refused(refused(store, error))
    } else {
        Failed::Unknown(error)
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
    let Some(db) = error.as_db_error() else {
        return StoreError::Unavailable { store, source: error.into() };
    };
    let problem = format!("{} ({})", db.message(), db.code().code());
    match db.code().code() {
        "XX001" | "XX002" => StoreError::Corrupt { store, problem },
        code => match remedy(code) {
            Some(remedy) => StoreError::Unusable { store, problem, remedy },
            None => StoreError::Unavailable { store, source: error.into() },
        },
    }
}

/// Returns what to do about an error that does not go away by itself.
fn remedy(code: &str) -> Option<&'static str> {
    Some(match code {
        "25006" => READ_ONLY,
        "3D000" => "create the database, or connect to another",
        "3F000" | "42P01" => MISSING,
        "42501" => {
            "grant the user USAGE on the schema \"surmise\" and SELECT, INSERT and UPDATE on its tables; who \
             migrates needs CREATE on the database"
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
