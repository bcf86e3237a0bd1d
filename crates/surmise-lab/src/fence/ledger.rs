use core::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The value that the processes write: every deposit, so that it shows which one is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ledger(Vec<Deposit>);

/// What one process adds. Nobody adds the same amount twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Deposit {
    pub(super) by: String,
    pub(super) amount: u32,
}

/// Its key in the store.
pub(super) const KEY: &[u8] = b"ledger";

impl Ledger {
    /// Reads a ledger from what is in the store.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, ParseLedgerError> {
        let error = || ParseLedgerError { text: String::from_utf8_lossy(bytes).into_owned() };
        core::str::from_utf8(bytes).map_err(|_| error())?.parse()
    }

    pub(super) fn with(mut self, deposit: Deposit) -> Self {
        self.0.push(deposit);
        self
    }

    pub(super) fn contains(&self, deposit: &Deposit) -> bool {
        self.0.contains(deposit)
    }

    pub(super) fn deposits(&self) -> &[Deposit] {
        &self.0
    }

    pub(super) fn balance(&self) -> u64 {
        self.0.iter().map(|deposit| u64::from(deposit.amount)).sum()
    }
}

/// As it is stored: `node-a+100 node-b+30`.
impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, Deposit { by, amount }) in self.0.iter().enumerate() {
            let space = if at > 0 { " " } else { "" };
            write!(f, "{space}{by}+{amount}")?;
        }
        Ok(())
    }
}

impl FromStr for Ledger {
    type Err = ParseLedgerError;

    fn from_str(text: &str) -> Result<Self, ParseLedgerError> {
        let deposit = |word: &str| {
            let (by, amount) = word.split_once('+')?;
            Some(Deposit { by: by.to_owned(), amount: amount.parse().ok()? })
        };
        let deposits = text.split_whitespace().map(deposit).collect::<Option<_>>();
        deposits.map(Self).ok_or_else(|| ParseLedgerError { text: text.to_owned() })
    }
}

/// The store holds a value that no process wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ParseLedgerError {
    text: String,
}

impl fmt::Display for ParseLedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is in the store, which nobody here wrote", self.text)
    }
}

impl core::error::Error for ParseLedgerError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_is_read_as_it_was_written() {
        let deposit = |by: &str, amount| Deposit { by: by.to_owned(), amount };
        let ledger = Ledger::default().with(deposit("node-a", 100)).with(deposit("node-b", 30));
        let text = ledger.to_string();
        assert_eq!(text, "node-a+100 node-b+30");
        assert_eq!(Ledger::from_bytes(text.as_bytes()), Ok(ledger.clone()));
        assert_eq!(Ledger::from_bytes(b""), Ok(Ledger::default()));
        assert_eq!(ledger.balance(), 130);
        for foreign in [&b"7"[..], b"a+", b"a+-1", b"\xff"] {
            assert!(Ledger::from_bytes(foreign).is_err(), "{foreign:?}");
        }
    }
}
