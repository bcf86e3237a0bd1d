//! The rules, one function each.

use std::collections::{BTreeMap, BTreeSet};

use surmise_clock::HybridTimestamp;
use surmise_fence::FencingToken;

use super::Violation;
use crate::failover::{
    history::{History, Note, Stored, Who},
    message::{Op, Record, Writer},
};

/// What was acknowledged is there, once, and as it was said to be.
pub(super) fn acknowledged(history: &History) -> Vec<Violation> {
    let mut found = Vec::new();
    let places = places(history);
    for (op, Acknowledgement { slot, stamp, .. }) in acknowledgements(history) {
        match places.get(&op).map(Vec::as_slice) {
            None | Some([]) => found.push(Violation::Lost { op, slot }),
            Some([(place, record), ..]) => {
                if *place != slot || record.stamp != stamp {
                    found.push(Violation::Moved { op, acknowledged: slot, found: *place });
                }
            }
        }
    }
    found
}

/// Whatever is there was asked for, and is there once, without a hole before it.
pub(super) fn invoked(history: &History) -> Vec<Violation> {
    let mut found = Vec::new();
    let invoked: BTreeMap<Op, u32> = history
        .entries
        .iter()
        .filter_map(|entry| match entry.note {
            Note::Invoked { op, amount, .. } => Some((op, amount)),
            _ => None,
        })
        .collect();
    for (op, places) in places(history) {
        for (slot, record) in &places {
            if invoked.get(&op) != Some(&record.amount) {
                found.push(Violation::Forged { op, slot: *slot });
            }
        }
        if let [(first, _), (second, _), ..] = places.as_slice() {
            found.push(Violation::Twice { op, first: *first, second: *second });
        }
    }
    let end = history.log.iter().rposition(Option::is_some).unwrap_or(0);
    let holes = (0_u64..).zip(history.log.iter().take(end));
    found.extend(
        holes.filter(|(_, there)| there.is_none()).map(|(slot, _)| Violation::Hole { slot }),
    );
    found
}

/// What the store took is where it was written, also if nobody heard of it: who leads next knows of all that is there when it
/// begins, and writes behind it. Without a fence, anybody may write over it.
pub(super) fn kept(history: &History) -> Vec<Violation> {
    let mut found = Vec::new();
    let acknowledged = acknowledgements(history);
    for entry in history.entries.iter().filter(|_| history.fenced) {
        let Note::Applied { slot, record, .. } = entry.note else { continue };
        // Of what was acknowledged there, the first rule tells.
        if acknowledged.get(&record.op).is_some_and(|acknowledged| acknowledged.slot == slot) {
            continue;
        }
        let place = usize::try_from(slot).ok().and_then(|slot| history.log.get(slot));
        let there = place.copied().flatten().map(|stored| stored.record);
        if there != Some(record) {
            let found_there = there.map(|record| record.op);
            found.push(Violation::Overwritten { slot, taken: record.op, found: found_there });
        }
    }
    found
}

/// No write is accepted that was asked for after one of a later lease had been.
pub(super) fn terms(history: &History) -> Vec<Violation> {
    let mut found = Vec::new();
    // When the store is known to have accepted each token, at the latest.
    let mut accepted: Vec<(u64, FencingToken)> = Vec::new();
    for entry in &history.entries {
        match &entry.note {
            Note::FloorRaised { token } => accepted.push((entry.at_ns, *token)),
            Note::Applied { record, .. } => accepted.push((entry.at_ns, record.token)),
            _ => {}
        }
    }
    accepted.sort_unstable();
    // The greatest token that was accepted up to each of these times.
    let mut greatest = None;
    for (_, token) in &mut accepted {
        greatest = greatest.max(Some(*token));
        *token = greatest.unwrap_or(*token);
    }
    for entry in &history.entries {
        let Note::Applied { slot, record, sent_ns } = &entry.note else { continue };
        let before = accepted.partition_point(|(at, _)| at < sent_ns);
        let Some((_, latest)) = before.checked_sub(1).and_then(|last| accepted.get(last)) else {
            continue;
        };
        if *latest > record.token {
            let (slot, token, accepted) = (*slot, record.token, *latest);
            found.push(Violation::StaleAccepted { slot, token, accepted });
        }
    }
    for (slot, before, record) in pairs(history) {
        if record.token < before.token {
            let (token, before) = (record.token, before.token);
            found.push(Violation::TermsGoBack { slot, token, before });
        }
    }
    found
}

/// By one token, one life of one node writes: by what the nodes say that they did, and by what the store says was shown to
/// it. Where there is a fence, that is the token of the writer's lease.
pub(super) fn leaders(history: &History) -> Vec<Violation> {
    let mut two = BTreeSet::new();
    let mut leaders: BTreeMap<FencingToken, Writer> = BTreeMap::new();
    let said = history.entries.iter().filter_map(|entry| match &entry.note {
        Note::Applied { record, .. } => Some((record.token, record.writer)),
        _ => None,
    });
    let stored =
        history.log.iter().flatten().map(|stored| (stored.pass.token, stored.record.writer));
    for (token, writer) in said.chain(stored) {
        let first = *leaders.entry(token).or_insert(writer);
        if first != writer {
            two.insert((token, first, writer));
        }
    }
    let two = two.into_iter();
    let mut found: Vec<_> =
        two.map(|(token, first, second)| Violation::TwoLeaders { token, first, second }).collect();
    if history.fenced {
        for (slot, stored) in (0..).zip(&history.log) {
            let Some(Stored { record: Record { token, .. }, pass }) = *stored else { continue };
            if pass.token != token {
                found.push(Violation::OtherToken { slot, token, shown: pass.token });
            }
        }
    }
    found
}

/// What is later has a later stamp: a write than its request, and what is behind in the log, of which each leader knows what
/// is before what it writes.
pub(super) fn causality(history: &History) -> Vec<Violation> {
    let mut found = Vec::new();
    for (_, before, record) in pairs(history) {
        if record.stamp <= before.stamp {
            let (earlier, later) = (before.op, record.op);
            found.push(Violation::StampsGoBack { earlier, later });
        }
    }
    let acknowledged = acknowledgements(history);
    for entry in &history.entries {
        let Note::Invoked { op, stamp, .. } = entry.note else { continue };
        if acknowledged.get(&op).is_some_and(|written| written.stamp <= stamp) {
            found.push(Violation::BeforeRequest { op });
        }
    }
    found
}

/// The client has one clock, whatever session writes: what it asks for comes after all that was acknowledged to it before, by
/// the stamp of the request and by the place of the write. The write's own stamp then does so too, by the rules above.
pub(super) fn sessions(history: &History) -> Vec<Violation> {
    let mut found = Vec::new();
    let (acknowledged, places) = (acknowledgements(history), places(history));
    let mut heard = Heard::default();
    for entry in history.entries.iter().filter(|entry| entry.who == Who::Client) {
        match entry.note {
            Note::ClockRefused { .. } => heard.refuses_next = true,
            Note::Acknowledged { op, slot, stamp, .. } => heard.acknowledged(op, slot, stamp),
            Note::Invoked { op: later, stamp, .. } => {
                if let Some((known, earlier)) = heard.known
                    && stamp <= known
                {
                    found.push(Violation::RequestBehind { earlier, later });
                }
                let own = acknowledged.get(&later).map(|own| own.slot);
                let there = places.get(&later).into_iter().flatten().map(|(slot, _)| *slot);
                if let Some((last, earlier)) = heard.slot
                    && own.into_iter().chain(there).any(|slot| slot < last)
                {
                    found.push(Violation::OutOfOrder { earlier, later });
                }
            }
            _ => {}
        }
    }
    found
}

/// The last of all that was acknowledged to the client so far, and of which write it is.
#[derive(Default)]
struct Heard {
    slot: Option<(u64, Op)>,
    /// The greatest stamp that its clock took in.
    known: Option<(HybridTimestamp, Op)>,
    /// Its clock refused the stamp that it notes next, since that is too far ahead.
    refuses_next: bool,
}

impl Heard {
    fn acknowledged(&mut self, op: Op, slot: u64, stamp: HybridTimestamp) {
        self.slot = self.slot.max(Some((slot, op)));
        if !core::mem::take(&mut self.refuses_next) {
            self.known = self.known.max(Some((stamp, op)));
        }
    }
}

/// A read shows what was acknowledged before it began.
pub(super) fn reads(history: &History) -> Vec<Violation> {
    let by_slot: BTreeMap<u64, (u64, Op)> = acknowledgements(history)
        .into_iter()
        .map(|(op, acknowledged)| (acknowledged.slot, (acknowledged.at_ns, op)))
        .collect();
    let mut found = Vec::new();
    for entry in &history.entries {
        let Note::Read { slot, record, asked_ns, .. } = &entry.note else { continue };
        let Some((at_ns, op)) = by_slot.get(slot) else { continue };
        if at_ns <= asked_ns && record.as_ref().map(|record| record.op) != Some(*op) {
            let (slot, acknowledged, read) = (*slot, *op, *record);
            found.push(Violation::ReadOther { slot, acknowledged, read });
        }
    }
    found
}

/// What was said of a write.
#[derive(Clone, Copy)]
struct Acknowledgement {
    at_ns: u64,
    slot: u64,
    stamp: HybridTimestamp,
}

/// Returns what was said first of each write.
fn acknowledgements(history: &History) -> BTreeMap<Op, Acknowledgement> {
    let mut found = BTreeMap::new();
    for entry in &history.entries {
        if let Note::Acknowledged { op, slot, stamp, .. } = entry.note {
            let acknowledged = Acknowledgement { at_ns: entry.at_ns, slot, stamp };
            found.entry(op).or_insert(acknowledged);
        }
    }
    found
}

/// Returns where each write is.
fn places(history: &History) -> BTreeMap<Op, Vec<(u64, Record)>> {
    let mut places: BTreeMap<Op, Vec<(u64, Record)>> = BTreeMap::new();
    for (slot, stored) in (0..).zip(&history.log) {
        if let Some(Stored { record, .. }) = stored {
            places.entry(record.op).or_default().push((slot, *record));
        }
    }
    places
}

/// Returns each record with its place, and the one before it.
fn pairs(history: &History) -> impl Iterator<Item = (u64, &Record, &Record)> {
    let there = (0..).zip(&history.log);
    let there = there.filter_map(|(slot, stored)| Some((slot, &stored.as_ref()?.record)));
    there.clone().zip(there.skip(1)).map(|((_, before), (slot, record))| (slot, before, record))
}
