//! What happened to a fenced map, and whether it may have.

/// All that was done, and the last value of each key.
#[derive(Debug)]
pub(crate) struct History {
    pub(crate) events: Vec<Event>,
    pub(crate) last: Vec<Option<u64>>,
}

/// What a holder did, some time between two readings of one counter. No two writes have the same value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) token: u64,
    pub(crate) what: What,
    pub(crate) is_accepted: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    Raise,
    Read { key: u64, value: Option<u64> },
    Write { key: u64, value: u64, previous: Option<u64> },
}

/// What must not happen, with the value that should not be there, or not where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Violation {
    /// A write was accepted although one with a higher token was before it.
    Decreasing { key: u64, value: u64 },
    /// A write was accepted that began after a higher raise had returned.
    Stale { key: u64, value: u64 },
    /// A write was accepted, and none went on from it.
    Lost { key: u64, value: u64 },
    /// Somebody saw a value that was not accepted.
    NeverAccepted { key: u64, value: u64 },
    /// A holder raised the floor, read, and then an earlier holder wrote.
    ReadUndone { key: u64, value: u64 },
}

impl History {
    pub(crate) fn check(&self) -> Result<(), Violation> {
        self.check_raises()?;
        (0..).zip(&self.last).try_for_each(|(key, &last)| {
            let order = self.order(key, last)?;
            self.check_order(key, &order)?;
            self.check_reads(key, &order)
        })
    }

    fn check_raises(&self) -> Result<(), Violation> {
        let raises = || self.accepted().filter(|event| matches!(event.what, What::Raise));
        for event in self.accepted() {
            let What::Write { key, value, .. } = event.what else { continue };
            if raises().any(|raise| raise.end < event.start && raise.token > event.token) {
                return Err(Violation::Stale { key, value });
            }
        }
        Ok(())
    }

    /// Returns the accepted writes to a key in the order in which they were stored, which their previous values tell.
    fn order(&self, key: u64, last: Option<u64>) -> Result<Vec<Event>, Violation> {
        let mut order = Vec::new();
        let mut next = last;
        while let Some(seen) = next {
            let found = self.writes(key).find(|(_, value, _)| *value == seen);
            let (event, _, previous) =
                found.ok_or(Violation::NeverAccepted { key, value: seen })?;
            order.push(event);
            next = previous;
        }
        order.reverse();
        let is_there = |value| order.iter().any(|event| writes_value(event, value));
        match self.writes(key).find(|&(_, value, _)| !is_there(value)) {
            Some((_, value, _)) => Err(Violation::Lost { key, value }),
            None => Ok(order),
        }
    }

    fn check_order(&self, key: u64, order: &[Event]) -> Result<(), Violation> {
        let decreasing = order.windows(2).find_map(|pair| match pair {
            [earlier, later] if earlier.token > later.token => Some(later.what),
            _ => None,
        });
        match decreasing {
            Some(What::Write { value, .. }) => Err(Violation::Decreasing { key, value }),
            _ => Ok(()),
        }
    }

    /// Checks what holders read that had raised the floor before.
    fn check_reads(&self, key: u64, order: &[Event]) -> Result<(), Violation> {
        for read in self.accepted() {
            let What::Read { key: of, value } = read.what else { continue };
            if of != key || !self.is_raised_before(read) {
                continue;
            }
            let seen = value.map_or(0, |value| {
                1 + order.iter().take_while(|event| !writes_value(event, value)).count()
            });
            let undone = order.iter().skip(seen).find(|event| event.token < read.token);
            if let Some(What::Write { value, .. }) = undone.map(|event| event.what) {
                return Err(Violation::ReadUndone { key, value });
            }
        }
        Ok(())
    }

    fn is_raised_before(&self, read: &Event) -> bool {
        let mut raises = self.accepted().filter(|event| matches!(event.what, What::Raise));
        raises.any(|raise| raise.token == read.token && raise.end < read.start)
    }

    fn accepted(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(|event| event.is_accepted)
    }

    /// Returns the accepted writes to a key, each with its value and the previous one.
    fn writes(&self, key: u64) -> impl Iterator<Item = (Event, u64, Option<u64>)> {
        self.accepted().filter_map(move |event| match event.what {
            What::Write { key: written, value, previous } if written == key => {
                Some((*event, value, previous))
            }
            _ => None,
        })
    }
}

fn writes_value(event: &Event, value: u64) -> bool {
    matches!(event.what, What::Write { value: written, .. } if written == value)
}
