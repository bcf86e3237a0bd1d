use serde::Serialize;
use surmise_time::Instant;

use super::{args::FenceArgs, error::FenceError, ledger::Ledger, wire::What};
use crate::{
    compare::text,
    printer::Printer,
    processes::{RunError, nanos},
};

/// What happened, printed as it happens.
#[derive(Debug)]
pub(super) struct Timeline {
    /// When the first thing happened.
    start: Option<Instant>,
    entries: Vec<Entry>,
    printer: Printer,
    unfenced: bool,
}

/// Something that happened.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Entry {
    /// Since the first thing.
    pub(super) at_ns: u64,
    pub(super) who: &'static str,
    #[serde(flatten)]
    pub(super) what: What,
}

impl Timeline {
    pub(super) fn new(args: &FenceArgs) -> Self {
        let printer = Printer::beside(args.json.as_deref());
        Self { start: None, entries: Vec::new(), printer, unfenced: args.unfenced }
    }

    /// Notes that something happened, and prints it.
    pub(super) fn note(
        &mut self,
        who: &'static str,
        at: Instant,
        what: What,
    ) -> Result<(), FenceError> {
        let start = *self.start.get_or_insert(at);
        if self.entries.is_empty() {
            self.say(&format!("\n{:>9}  {:6}  what", "at", "who"))?;
        }
        let seconds = (at - start).as_secs_f64();
        let text = describe(&what, self.unfenced);
        self.say(&format!("{:>9}  {who:6}  {text}", format!("{seconds:.3} s")))?;
        self.entries.push(Entry { at_ns: nanos(at - start), who, what });
        Ok(())
    }

    /// Prints a line or more.
    pub(super) fn say(&self, text: &str) -> Result<(), FenceError> {
        let said = self.printer.say(text);
        said.map_err(|error| RunError::Write { file: "-".into(), error }.into())
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

fn describe(what: &What, unfenced: bool) -> String {
    match what {
        What::Ready { process } => format!("is there, as process {process}"),
        What::Held { by, token, remaining_ns } => format!(
            "asks for the lease: {by} holds it, with token {token}, for another {}",
            time(*remaining_ns)
        ),
        What::Delayed { remaining_ns } => {
            format!("asks for the lease: nobody is granted it for another {}", time(*remaining_ns))
        }
        What::Granted { token, valid_for_ns } => {
            format!("lease granted, with token {token}, and valid for {}", time(*valid_for_ns))
        }
        What::TakenOver { token, valid_for_ns } => {
            format!(
                "TAKES OVER: lease granted, with token {token}, and valid for {}",
                time(*valid_for_ns)
            )
        }
        What::FloorRaised { token } => format!("floor raised to {token}"),
        What::Prepared { read, value, remaining_ns } => format!(
            "reads {}, is about to write {}; its lease is valid for {}",
            amount(read),
            amount(value),
            time(*remaining_ns)
        ),
        What::Acknowledged { value, shown, .. } => {
            let as_all = if unfenced { ", as all do" } else { "" };
            format!("writes {} with token {shown}{as_all}: acknowledged", amount(value))
        }
        What::Refused { value, offered, highest } => format!(
            "writes {} with token {offered}: REFUSED, offered {offered}, highest {highest}",
            amount(value)
        ),
        What::Paused { process } => {
            format!("PAUSED before it writes: SIGSTOP to process {process}")
        }
        What::LeaseOver { token } => {
            format!("lease with token {token} over, which a stopped process does not notice")
        }
        What::Resumed { process, paused_ns } => {
            format!("RESUMED after {}: SIGCONT to process {process}", time(*paused_ns))
        }
        What::Looked { remaining_ns: 0 } => "looks at its lease again: it is over".to_owned(),
        What::Looked { remaining_ns } => {
            format!("looks at its lease again: it is valid for {}", time(*remaining_ns))
        }
        What::Released => "gives the lease back".to_owned(),
        What::Unclear { why } => why.clone(),
    }
}

fn amount(ledger: &Ledger) -> String {
    if ledger.deposits().is_empty() { "nothing".to_owned() } else { ledger.balance().to_string() }
}

fn time(nanos: u64) -> String {
    text::time(core::time::Duration::from_nanos(nanos).as_secs_f64())
}
