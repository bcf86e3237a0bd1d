use core::{error::Error, fmt};

use super::Event;

/// Something that must never be, and was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Anomaly {
    /// What must never be.
    pub rule: Rule,
    /// The events that show it: what had been before, if anything, and then what should not have been.
    pub events: Vec<Event>,
}

impl Anomaly {
    pub(super) fn new<'a>(rule: Rule, events: impl IntoIterator<Item = &'a Event>) -> Self {
        Self { rule, events: events.into_iter().cloned().collect() }
    }
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rule.fmt(f)?;
        self.events.iter().try_for_each(|event| write!(f, "\n{event:?}"))
    }
}

impl Error for Anomaly {}

/// What must never be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// One token for two grants.
    TokenReissued,
    /// A grant whose token is not above those of earlier grants.
    TokenNotAbove,
    /// A lease that is held by a request which had failed, so that nothing was to happen.
    FailedGrantHeld,
    /// Two leases on one resource at once.
    LeasesOverlap,
    /// A lease that was renewed or released after it had been released, or granted to another.
    LostLeaseKept,
    /// A raise that was accepted after a higher one.
    StaleRaise,
    /// A write that was accepted though the floor had been higher.
    WriteBelowFloor,
    /// A write that was accepted after a higher one to its key.
    StaleWrite,
    /// A refusal by a token that nobody had shown.
    UnfoundedRefusal,
    /// A value or a floor that is read, and that nobody wrote whose write was not refused.
    ReadFromNowhere,
    /// A value or a floor that is read, and that had surely been overwritten before.
    ReadOverwritten,
    /// A value or a floor that had been acknowledged or read before, and then is not there.
    WriteLost,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TokenReissued => "a token was granted twice",
            Self::TokenNotAbove => "a token was granted that is not above those granted before",
            Self::FailedGrantHeld => "a lease is held by a request that had failed",
            Self::LeasesOverlap => "a lease was granted while another was held",
            Self::LostLeaseKept => "a lease was kept or given back by one who had lost it",
            Self::StaleRaise => "a raise was accepted after a higher one",
            Self::WriteBelowFloor => {
                "a write was accepted after the floor had been raised above it"
            }
            Self::StaleWrite => "a write was accepted after a higher one to its key",
            Self::UnfoundedRefusal => {
                "a write was refused because of a token that nobody had shown"
            }
            Self::ReadFromNowhere => "something was read that was never written, or refused",
            Self::ReadOverwritten => "something was read that had been overwritten before",
            Self::WriteLost => "something that was acknowledged or read before was not there",
        })
    }
}
