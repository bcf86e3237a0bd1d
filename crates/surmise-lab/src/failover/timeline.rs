use surmise_fence::FencingToken;

use super::{
    error::FailoverError,
    faults,
    history::{Entry, Level, Note, Who, Why},
    verdict::time,
};
use crate::{printer::Printer, processes::RunError};

/// What happens, printed as it happens. What happens a hundred times a second is summed up once a second.
#[derive(Debug)]
pub(super) struct Timeline {
    printer: Printer,
    /// When the first thing happened.
    start_ns: Option<u64>,
    second: u64,
    client: Client,
    /// The latest lease by which somebody leads, and since when.
    latest: Option<(FencingToken, u64)>,
    /// Whether the store checks tokens.
    fenced: bool,
}

/// What the client did in a second.
#[derive(Debug, Default)]
struct Client {
    acknowledged: u64,
    replayed: u64,
    repeated: u64,
    reads: u64,
    hedged: u64,
}

impl Timeline {
    pub(super) fn new(printer: Printer, fenced: bool) -> Self {
        Self { printer, start_ns: None, second: 0, client: Client::default(), latest: None, fenced }
    }

    /// Prints what happened, if that is something to be printed.
    pub(super) fn note(&mut self, entry: &Entry) -> Result<(), FailoverError> {
        let start = match self.start_ns {
            Some(start) => start,
            None => {
                self.say(&format!("\n{:>9}  {:8}  what", "at", "who"))?;
                *self.start_ns.insert(entry.at_ns)
            }
        };
        let at_ns = entry.at_ns.saturating_sub(start);
        if at_ns / SECOND > self.second {
            self.second = at_ns / SECOND;
            self.sum_up()?;
        }
        self.client.count(&entry.note);
        if let Note::Leads { token, .. } = entry.note {
            self.latest = self.latest.max(Some((token, entry.at_ns)));
        }
        if let Some(text) = self.stale(&entry.note) {
            self.line(at_ns, &who(entry), &text)?;
        }
        match line(entry) {
            Some((who, text)) => self.line(at_ns, &who, &text),
            None => Ok(()),
        }
    }

    fn sum_up(&mut self) -> Result<(), FailoverError> {
        let at_ns = self.second * SECOND;
        let client = core::mem::take(&mut self.client);
        if let Some(text) = client.describe() {
            self.line(at_ns, "client", &text)?;
        }
        Ok(())
    }

    /// Tells of a write that a fence would have refused, where there is none.
    fn stale(&self, note: &Note) -> Option<String> {
        let Note::Applied { slot, record, sent_ns } = note else { return None };
        let (latest, since_ns) = self.latest.filter(|_| !self.fenced)?;
        let is_stale = record.token < latest && since_ns < *sent_ns;
        is_stale.then(|| {
            let (op, token) = (record.op, record.token);
            format!("write {op} to place {slot}: ACCEPTED of lease {token}, though {latest} has led since")
        })
    }

    fn line(&self, at_ns: u64, who: &str, text: &str) -> Result<(), FailoverError> {
        let seconds = core::time::Duration::from_nanos(at_ns).as_secs_f64();
        self.say(&format!("{:>9}  {who:8}  {text}", format!("{seconds:.3} s")))
    }

    fn say(&self, text: &str) -> Result<(), FailoverError> {
        let said = self.printer.say(text);
        said.map_err(|error| RunError::Write { file: "-".into(), error }.into())
    }
}

impl Client {
    fn count(&mut self, note: &Note) {
        match *note {
            Note::Acknowledged { replayed, attempts, .. } => {
                self.acknowledged += 1;
                self.replayed += u64::from(replayed);
                self.repeated += u64::from(attempts > 1);
            }
            Note::Read { hedged, .. } => {
                self.reads += 1;
                self.hedged += u64::from(hedged);
            }
            _ => {}
        }
    }

    fn describe(&self) -> Option<String> {
        let Self { acknowledged, replayed, repeated, reads, hedged } = self;
        if acknowledged + reads == 0 {
            return Some("no write acknowledged".to_owned());
        }
        Some(format!(
            "{acknowledged} writes acknowledged, {repeated} after more than one attempt, {replayed} replayed; {reads} \
             reads, {hedged} hedged"
        ))
    }
}

/// Returns who did what, if it is something to be printed by itself.
pub(super) fn line(entry: &Entry) -> Option<(String, String)> {
    Some((who(entry), describe(&entry.note)?))
}

fn who(entry: &Entry) -> String {
    match (entry.who, &entry.note) {
        (Who::Node(node), _) => format!("node-{node}"),
        (
            Who::Director,
            Note::Paused { node }
            | Note::Resumed { node }
            | Note::Killed { node }
            | Note::Restarted { node }
            | Note::Skewed { node, .. },
        ) => format!("node-{node}"),
        (Who::Client, _) => "client".to_owned(),
        (Who::Director, Note::Store { .. }) => "store".to_owned(),
        (Who::Director, Note::Missed { .. }) => "nobody".to_owned(),
        (Who::Director, _) => "network".to_owned(),
    }
}

fn describe(note: &Note) -> Option<String> {
    Some(match note {
        Note::Started { process } => format!("is there, as process {process}"),
        Note::Stalled { gap_ns } => {
            format!("did nothing for {}, and suspects nobody for it", time(*gap_ns))
        }
        Note::Suspected { peer, silent_ns, phi } => {
            format!("suspects node-{peer}, silent for {}, phi {}", time(*silent_ns), level(*phi))
        }
        Note::Trusted { peer, again: true } => format!("trusts node-{peer} again"),
        Note::Convicted { subject, suspecting, nodes } => {
            format!("counts {suspecting} of {nodes} votes that node-{subject} failed")
        }
        Note::Held { by, remaining_ns } => {
            format!("asks for the lease: {by} holds it for another {}", time(*remaining_ns))
        }
        Note::Granted { token, valid_ns } => {
            format!("lease granted, with token {token}, for {}", time(*valid_ns))
        }
        Note::FloorRaised { token } => format!("floor raised to {token}"),
        Note::Leads { token, records } => {
            format!("LEADS with token {token}, after {records} writes")
        }
        Note::Refused { slot, op, offered, highest } => {
            format!("write {op} to place {slot}: REFUSED, offered {offered}, highest {highest}")
        }
        Note::Replayed { op, slot } => {
            format!("write {op} had been done, at place {slot}: replayed")
        }
        Note::SteppedDown { token, why } => {
            let why = match why {
                Why::Refused => "it was refused",
                Why::Expired => "its lease is over",
                Why::Superseded => "another leads by a later lease",
                Why::CutOff => "it hears of no majority, and gives the lease back",
                Why::Unusable => "it cannot go on from what is there",
            };
            format!("STEPS DOWN, token {token}: {why}")
        }
        Note::Alarm { leader, term } => {
            format!("hears that node-{leader} leads in term {term}, which is over or another's")
        }
        Note::ClockRefused { of: Some(peer) } => {
            format!("node-{peer}'s clock is ahead by more than the bound")
        }
        Note::ClockRefused { of: None } => "a clock is ahead by more than the bound".to_owned(),
        Note::Paused { .. } => "PAUSED with SIGSTOP".to_owned(),
        Note::Resumed { .. } => "RESUMED with SIGCONT".to_owned(),
        Note::Killed { .. } => "KILLED with SIGKILL".to_owned(),
        Note::Restarted { .. } => "STARTED again".to_owned(),
        Note::Cut { sides } => format!("PARTITIONED: {}", faults::describe(sides)),
        Note::Healed => "HEALED: all reach all".to_owned(),
        Note::Skewed { by_ns, .. } => {
            let sign = if *by_ns < 0 { "back" } else { "forward" };
            format!("wall clock set {sign} by {}", time(by_ns.unsigned_abs()))
        }
        Note::Store { note } => format!("NOTE: {note}"),
        Note::Missed { fault, node: Some(node) } => {
            format!("is met by a {fault}: node-{node} is stopped or killed already")
        }
        Note::Missed { fault, node: None } => {
            format!("is met by a {fault}: there is no leader")
        }
        Note::Drained => "has no write under way any more".to_owned(),
        Note::Phi { levels } => {
            let level = |Level { peer, phi }: &Level| format!("node-{peer} {}", level(*phi));
            format!("phi: {}", levels.iter().map(level).collect::<Vec<_>>().join(", "))
        }
        Note::Trusted { again: false, .. }
        | Note::Applied { .. }
        | Note::Invoked { .. }
        | Note::Acknowledged { .. }
        | Note::Read { .. } => return None,
    })
}

/// Returns a suspicion level as far as it says something.
fn level(phi: f64) -> String {
    if phi < 100.0 { format!("{phi:.1}") } else { "above 100".to_owned() }
}

const SECOND: u64 = 1_000_000_000;
