use core::{error::Error, fmt, str::FromStr};
use std::{ffi::OsStr, path::PathBuf};

use clap::{Arg, Command, builder::TypedValueParser, error::ErrorKind};

/// A store, as it is given on the command line.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct StoreChoice {
    text: String,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// In the memory of the process that starts the others.
    Memory,
    /// In a file, which that process opens; without a name, in a temporary one.
    Redb(Option<PathBuf>),
    /// On a server that every process connects to.
    Server(Server),
}

/// The servers that there are stores for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    Etcd,
    Postgres,
    Redis,
}

impl StoreChoice {
    pub(crate) const fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Returns what was given, which may have a password in it.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

impl FromStr for StoreChoice {
    type Err = StoreChoiceError;

    fn from_str(text: &str) -> Result<Self, StoreChoiceError> {
        let unknown = || StoreChoiceError::Unknown { text: first_word(text) };
        let kind = match (text, text.split_once("://")) {
            ("memory", _) => Kind::Memory,
            ("redb", _) => Kind::Redb(None),
            (_, Some((scheme, place))) => {
                let server = match scheme {
                    "etcd" => Server::Etcd,
                    "postgres" | "postgresql" => Server::Postgres,
                    "redis" => Server::Redis,
                    _ => return Err(unknown()),
                };
                if place.is_empty() {
                    return Err(StoreChoiceError::NoPlace { text: text.to_owned() });
                }
                Kind::Server(server)
            }
            _ => match text.strip_prefix("redb:") {
                Some("") => return Err(StoreChoiceError::NoPlace { text: text.to_owned() }),
                Some(path) => Kind::Redb(Some(path.into())),
                None => return Err(unknown()),
            },
        };
        Ok(Self { text: text.to_owned(), kind })
    }
}

/// As it was given, but for the user, the password and the parameters of a server.
impl fmt::Display for StoreChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Memory | Kind::Redb(_) => f.write_str(&self.text),
            Kind::Server(_) => f.write_str(&without_secrets(&self.text)),
        }
    }
}

impl fmt::Debug for StoreChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that names no store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoreChoiceError {
    /// It is none of those that there are. Where a password could be in it is not known, so that only its first word is
    /// told.
    Unknown { text: String },
    /// It does not say where the store is.
    NoPlace { text: String },
}

impl fmt::Display for StoreChoiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { text } => write!(
                f,
                "{text:?} is no store: memory, redb, redb:PATH, etcd://HOST:PORT,…, postgres://… and redis://… are"
            ),
            Self::NoPlace { text } => write!(f, "{text} does not say where the store is"),
        }
    }
}

impl Error for StoreChoiceError {}

/// Reads a store. If it is none, the error does not repeat what was given, as those of clap's own parsers do: there may
/// be a password in it.
#[derive(Clone)]
pub(crate) struct StoreParser;

impl TypedValueParser for StoreParser {
    type Value = StoreChoice;

    fn parse_ref(
        &self,
        command: &Command,
        _: Option<&Arg>,
        value: &OsStr,
    ) -> Result<StoreChoice, clap::Error> {
        let invalid = |why: &str| {
            let message = format!("invalid value for '--store <STORE>': {why}\n");
            clap::Error::raw(ErrorKind::ValueValidation, message).with_cmd(command)
        };
        let text = value.to_str().ok_or_else(|| invalid("it is not in UTF-8"))?;
        text.parse().map_err(|error: StoreChoiceError| invalid(&error.to_string()))
    }
}

/// Returns the scheme and the place of a server's address, as far as there certainly is no password in it.
fn without_secrets(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").unwrap_or((text, ""));
    let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let place = if parameters.contains('@') {
        // Either a password with a `?` in it, or a parameter with an `@`: all could belong to either.
        "…"
    } else {
        place.rsplit_once('@').map_or(place, |(_, place)| place)
    };
    format!("{scheme}://{place}")
}

/// Returns what a text begins with, if that may be the name of a store.
fn first_word(text: &str) -> String {
    match text.find(|letter: char| !letter.is_ascii_alphanumeric()) {
        Some(end) => format!("{}…", text.split_at(end).0),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_are_named_as_people_name_them() {
        for (text, kind) in [
            ("memory", Kind::Memory),
            ("redb", Kind::Redb(None)),
            ("redb:a/b.redb", Kind::Redb(Some("a/b.redb".into()))),
            ("postgres://host/db", Kind::Server(Server::Postgres)),
            ("postgresql://host/db", Kind::Server(Server::Postgres)),
            ("etcd://a:1,b:2", Kind::Server(Server::Etcd)),
            ("redis://host", Kind::Server(Server::Redis)),
        ] {
            let choice: StoreChoice = text.parse().unwrap();
            assert_eq!(
                (choice.kind(), choice.text(), choice.to_string().as_str()),
                (&kind, text, text)
            );
        }
    }

    #[test]
    fn what_is_no_store_says_so() {
        let unknown = |text: &str| StoreChoiceError::Unknown { text: text.to_owned() };
        for (text, error) in [
            ("", unknown("")),
            ("Memory", unknown("Memory")),
            ("mysql://me:secret@host", unknown("mysql…")),
            ("postgres:/me:secret@host", unknown("postgres…")),
            ("host=db.example password=secret", unknown("host…")),
            ("redb:", StoreChoiceError::NoPlace { text: "redb:".to_owned() }),
            ("postgres://", StoreChoiceError::NoPlace { text: "postgres://".to_owned() }),
        ] {
            assert_eq!(text.parse::<StoreChoice>(), Err(error), "{text}");
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        for (text, shown) in [
            ("postgres://me:p@ss@host:5/db", "postgres://host:5/db"),
            ("postgres://me@host:5/db?password=secret", "postgres://host:5/db"),
            ("postgres://me:p@ss/w?rd@host:5/db", "postgres://…"),
            ("postgres://host/db?password=p@ss", "postgres://…"),
            ("etcd://me:p@ss@a:1,b:2", "etcd://a:1,b:2"),
        ] {
            let choice: StoreChoice = text.parse().unwrap();
            assert_eq!(format!("{choice} {choice:?}"), format!("{shown} {shown}"));
        }
    }

    #[test]
    fn names_of_files_are_shown_as_they_are() {
        let text = "redb:/home/me@work/who?.redb";
        assert_eq!(text.parse::<StoreChoice>().unwrap().to_string(), text);
    }
}
