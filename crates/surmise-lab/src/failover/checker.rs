//! Whether a run kept what it promised, by what was noted and what is in the store. It knows nothing of how it came about.

mod judge;
#[cfg(test)]
mod tests;

use core::fmt;

use serde::Serialize;
use surmise_fence::FencingToken;

use super::{
    history::History,
    message::{Op, Record, Writer},
};

/// Finds all that is wrong with a run.
pub(super) fn check(history: &History) -> Vec<Violation> {
    let mut found = judge::acknowledged(history);
    found.extend(judge::invoked(history));
    found.extend(judge::kept(history));
    found.extend(judge::terms(history));
    found.extend(judge::leaders(history));
    found.extend(judge::causality(history));
    found.extend(judge::sessions(history));
    found.extend(judge::reads(history));
    found
}

/// Something that must never be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "violation", rename_all = "snake_case")]
pub(super) enum Violation {
    /// A write was acknowledged, and is not in the store.
    Lost { op: Op, slot: u64 },
    /// A write was acknowledged as being at one place, and is at another, or with another stamp.
    Moved { op: Op, acknowledged: u64, found: u64 },
    /// A write is there twice.
    Twice { op: Op, first: u64, second: u64 },
    /// What is there was not asked for.
    Forged { op: Op, slot: u64 },
    /// A place before the last is empty.
    Hole { slot: u64 },
    /// A write was asked for when the store had accepted one with a greater token, and done all the same.
    StaleAccepted { slot: u64, token: FencingToken, accepted: FencingToken },
    /// The store took a write, and another is at its place.
    Overwritten { slot: u64, taken: Op, found: Option<Op> },
    /// In the log, a write of an earlier lease follows one of a later.
    TermsGoBack { slot: u64, token: FencingToken, before: FencingToken },
    /// The store accepted writes of two leaders by the same token.
    TwoLeaders { token: FencingToken, first: Writer, second: Writer },
    /// The store has another token for a write than that of the lease by which it was made.
    OtherToken { slot: u64, token: FencingToken, shown: FencingToken },
    /// Something has no later stamp than what was before it.
    StampsGoBack { earlier: Op, later: Op },
    /// A write has no later stamp than the request for it.
    BeforeRequest { op: Op },
    /// A write was asked for when another had been acknowledged, and the stamp of the request is no later than that one's.
    RequestBehind { earlier: Op, later: Op },
    /// A write is at a place before one that had been acknowledged when it was asked for.
    OutOfOrder { earlier: Op, later: Op },
    /// A read that began after a write was acknowledged did not show it.
    ReadOther { slot: u64, acknowledged: Op, read: Option<Record> },
}

impl Violation {
    /// Returns whether the data is other than it was said to be, and not only who wrote it by which token.
    pub(super) const fn is_corruption(&self) -> bool {
        !matches!(self, Self::TwoLeaders { .. } | Self::OtherToken { .. })
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost { op, slot } => {
                write!(f, "write {op} was acknowledged at place {slot}, and is lost")
            }
            Self::Moved { op, acknowledged, found } if acknowledged == found => write!(
                f,
                "write {op} was acknowledged at place {found}, and is there with another stamp: it was written over"
            ),
            Self::Moved { op, acknowledged, found } => {
                write!(
                    f,
                    "write {op} was acknowledged at place {acknowledged}, and is at place {found}"
                )
            }
            Self::Twice { op, first, second } => {
                write!(f, "write {op} was done twice, at places {first} and {second}")
            }
            Self::Forged { op, slot } => {
                write!(f, "write {op} at place {slot} is not as anybody asked for")
            }
            Self::Hole { slot } => write!(f, "nothing is at place {slot}, but behind it"),
            Self::StaleAccepted { slot, token, accepted } => write!(
                f,
                "place {slot} was written by lease {token} after lease {accepted} had written"
            ),
            Self::Overwritten { slot, taken, found: Some(found) } => {
                write!(f, "the store took write {taken} at place {slot}, where {found} is")
            }
            Self::Overwritten { slot, taken, found: None } => {
                write!(f, "the store took write {taken} at place {slot}, where nothing is")
            }
            Self::TermsGoBack { slot, token, before } => {
                write!(f, "place {slot} is of lease {token}, and the one before of {before}")
            }
            Self::TwoLeaders { token, first, second } => {
                write!(f, "{first} and {second} both showed token {token} and wrote")
            }
            Self::OtherToken { slot, token, shown } => {
                write!(f, "place {slot} was written by lease {token}, and token {shown} was shown")
            }
            Self::StampsGoBack { earlier, later } => {
                write!(f, "write {later} came after {earlier}, and its stamp does not")
            }
            Self::BeforeRequest { op } => {
                write!(f, "write {op} is stamped as if it were before the request for it")
            }
            Self::RequestBehind { earlier, later } => write!(
                f,
                "write {later} was asked for when {earlier} had been acknowledged, and the request's stamp is not later"
            ),
            Self::OutOfOrder { earlier, later } => {
                write!(f, "write {later} is before {earlier}, after which it was made")
            }
            Self::ReadOther { slot, acknowledged, read } => {
                write!(f, "place {slot} was read, where {acknowledged} had been acknowledged: ")?;
                match read {
                    Some(record) => write!(f, "write {} was there", record.op),
                    None => f.write_str("nothing was there"),
                }
            }
        }
    }
}
