//! Events as lines of text, from one process to another.

use core::{fmt::Display, iter, time::Duration};

use surmise_fence::{FencingToken, Grant, Pass, Refusal};
use surmise_store::{
    Entry,
    conformance::history::{Action, Answer, Event},
};
use surmise_time::Instant;

/// Returns an event as one line.
pub(crate) fn event_to_line(event: &Event) -> String {
    let returned = event.returned.map_or_else(|| "-".into(), |at| at.as_nanos().to_string());
    let [client, number, invoked] = [event.client, event.number, event.invoked.as_nanos()];
    let resource = hex(event.resource.as_bytes());
    let (action, answer) = (action_to_line(&event.action), answer_to_line(&event.answer));
    format!("{client} {number} {resource} {invoked} {returned} {action} {answer}")
}

/// Returns the event that a line says, unless it is not whole.
pub(crate) fn event_from_line(line: &str) -> Option<Event> {
    let mut words = Words(line.split(' '));
    Some(Event {
        client: words.number()?,
        number: words.number()?,
        resource: String::from_utf8(words.bytes()?).ok()?,
        invoked: Instant::from_nanos(words.number()?),
        returned: words.optional(|words| words.number().map(Instant::from_nanos))?,
        action: words.action()?,
        answer: words.answer()?,
    })
}

fn action_to_line(action: &Action) -> String {
    match action {
        Action::Grant { nonce } => format!("grant {nonce}"),
        Action::Extend { token } => format!("extend {token}"),
        Action::Revoke { token } => format!("revoke {token}"),
        Action::Holding => "holding".into(),
        Action::Raise { pass } => format!("raise {}", pass_words(*pass)),
        Action::Floor => "floor".into(),
        Action::Write { key, value, pass } => {
            let value = optional(value.as_ref().map(|value| hex(value)));
            format!("write {} {value} {}", hex(key), pass_words(*pass))
        }
        Action::Read { key } => format!("read {}", hex(key)),
    }
}

fn answer_to_line(answer: &Answer) -> String {
    match answer {
        Answer::Unknown => "unknown".into(),
        Answer::Failed => "failed".into(),
        Answer::Granted(Grant { token, valid_for }) => {
            format!("granted {token} {}", valid_for.as_nanos())
        }
        Answer::Held { token, nonce } => format!("held {token} {nonce}"),
        Answer::Free => "free".into(),
        Answer::Done => "done".into(),
        Answer::Refused(Refusal::Stale { offered, highest }) => {
            format!("stale {offered} {highest}")
        }
        Answer::Refused(Refusal::Collision { token, offered, seen }) => {
            format!("collision {token} {offered} {seen}")
        }
        Answer::Refused(Refusal::Duplicate { sequence }) => format!("duplicate {sequence}"),
        Answer::Refused(Refusal::OutOfOrder { offered, highest }) => {
            format!("late {offered} {highest}")
        }
        Answer::Floor(floor) => format!("floor {}", optional(floor.map(pass_words))),
        Answer::Read(entry) => {
            let words = entry.as_ref().map(|entry| {
                let value = optional(entry.value.as_ref().map(|value| hex(value)));
                format!("{value} {}", pass_words(entry.pass))
            });
            // Whether there is an entry, and whether it has a value, are two questions.
            format!("read {}", words.map_or_else(|| "-".into(), |words| format!("+ {words}")))
        }
    }
}

fn pass_words(pass: Pass) -> String {
    format!("{} {} {}", pass.token, pass.nonce, pass.sequence)
}

fn optional(words: Option<impl Display>) -> String {
    words.map_or_else(|| "-".into(), |words| words.to_string())
}

/// Begins with a letter, so that no bytes are a word too.
fn hex(bytes: &[u8]) -> String {
    let digits =
        |byte: &u8| [byte >> 4, byte & 0xf].map(|digit| char::from_digit(digit.into(), 16));
    iter::once('x').chain(bytes.iter().flat_map(digits).flatten()).collect()
}

/// The words of a line, one after the other.
struct Words<'a>(core::str::Split<'a, char>);

impl<'a> Words<'a> {
    fn word(&mut self) -> Option<&'a str> {
        self.0.next()
    }

    fn number(&mut self) -> Option<u64> {
        self.word()?.parse().ok()
    }

    fn token(&mut self) -> Option<FencingToken> {
        self.word()?.parse().ok()
    }

    fn pass(&mut self) -> Option<Pass> {
        Some(Pass { token: self.token()?, nonce: self.number()?, sequence: self.number()? })
    }

    fn bytes(&mut self) -> Option<Vec<u8>> {
        let digits = self.word()?.strip_prefix('x')?;
        let pairs = digits
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok());
        pairs.collect()
    }

    /// Returns what is there if the next word does not say that there is nothing.
    fn optional<V>(&mut self, read: impl FnOnce(&mut Self) -> Option<V>) -> Option<Option<V>> {
        let rest = self.0.clone();
        if self.word()? == "-" {
            return Some(None);
        }
        self.0 = rest;
        read(self).map(Some)
    }

    fn action(&mut self) -> Option<Action> {
        Some(match self.word()? {
            "grant" => Action::Grant { nonce: self.number()? },
            "extend" => Action::Extend { token: self.token()? },
            "revoke" => Action::Revoke { token: self.token()? },
            "holding" => Action::Holding,
            "raise" => Action::Raise { pass: self.pass()? },
            "floor" => Action::Floor,
            "write" => Action::Write {
                key: self.bytes()?,
                value: self.optional(Self::bytes)?,
                pass: self.pass()?,
            },
            "read" => Action::Read { key: self.bytes()? },
            _ => return None,
        })
    }

    fn answer(&mut self) -> Option<Answer> {
        Some(match self.word()? {
            "unknown" => Answer::Unknown,
            "failed" => Answer::Failed,
            "granted" => Answer::Granted(Grant {
                token: self.token()?,
                valid_for: Duration::from_nanos(self.number()?),
            }),
            "held" => Answer::Held { token: self.token()?, nonce: self.number()? },
            "free" => Answer::Free,
            "done" => Answer::Done,
            "stale" => {
                Answer::Refused(Refusal::Stale { offered: self.token()?, highest: self.token()? })
            }
            "collision" => Answer::Refused(Refusal::Collision {
                token: self.token()?,
                offered: self.number()?,
                seen: self.number()?,
            }),
            "duplicate" => Answer::Refused(Refusal::Duplicate { sequence: self.number()? }),
            "late" => Answer::Refused(Refusal::OutOfOrder {
                offered: self.number()?,
                highest: self.number()?,
            }),
            "floor" => Answer::Floor(self.optional(Self::pass)?),
            "read" => Answer::Read(self.optional(|words| {
                words.word()?;
                Some(Entry::new(words.optional(Self::bytes)?, words.pass()?))
            })?),
            _ => return None,
        })
    }
}
