use serde::Serialize;

use super::ledger::{Deposit, Ledger};

/// What is in the store at the end, beside what it acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Verdict {
    #[serde(skip)]
    fenced: bool,
    /// What is in the store.
    stored: Ledger,
    balance: u64,
    /// The writes that it acknowledged.
    acknowledged: Vec<Deposit>,
    /// Those of them that are not there.
    lost: Vec<Deposit>,
    /// What is there though it was not acknowledged.
    unacknowledged: Vec<Deposit>,
    late_write: Fate,
}

/// What became of the late write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Fate {
    Acknowledged,
    Refused,
    Unclear,
}

impl Verdict {
    pub(super) fn new(
        fenced: bool,
        stored: Ledger,
        acknowledged: Vec<Deposit>,
        late_write: Fate,
    ) -> Self {
        let lost = acknowledged.iter().filter(|deposit| !stored.contains(deposit));
        let lost = lost.cloned().collect();
        let unacknowledged =
            stored.deposits().iter().filter(|deposit| !acknowledged.contains(deposit));
        let unacknowledged = unacknowledged.cloned().collect();
        let balance = stored.balance();
        Self { fenced, stored, balance, acknowledged, lost, unacknowledged, late_write }
    }

    /// Says what is there, and what is not.
    pub(super) fn describe(&self) -> String {
        let Self { balance, acknowledged, lost, unacknowledged, .. } = self;
        let mut text = format!("In the store: {balance}, from {}.", list(self.stored.deposits()));
        text += &match lost.as_slice() {
            [] => format!(" None of the {} acknowledged writes is missing.", acknowledged.len()),
            lost => format!(
                " LOST: {}, which was acknowledged, and overwritten by a process that had read what was \
                 there before.",
                list(lost)
            ),
        };
        if !unacknowledged.is_empty() {
            text += &format!(" Not acknowledged, and there: {}.", list(unacknowledged));
        }
        text += match self.late_write {
            Fate::Refused => " The late write was refused.",
            Fate::Acknowledged => " The late write was acknowledged.",
            Fate::Unclear => " What became of the late write is not known.",
        };
        text
    }

    /// Checks that it is what was to be shown; says why not.
    pub(super) fn check(&self) -> Result<(), String> {
        if !self.unacknowledged.is_empty() {
            return Err("the store holds what it did not acknowledge".to_owned());
        }
        match (self.fenced, self.late_write, self.lost.is_empty()) {
            (true, Fate::Refused, true) | (false, Fate::Acknowledged, false) => Ok(()),
            (true, Fate::Refused, false) => {
                Err("a write that was acknowledged is lost, though the late one was refused".into())
            }
            (true, Fate::Acknowledged, _) => Err("the fence let the late write pass".into()),
            (false, Fate::Acknowledged, true) => Err("nothing was lost without a fence".into()),
            (false, Fate::Refused, _) => {
                Err("the late write was refused, though nobody showed a token of their own".into())
            }
            (_, Fate::Unclear, _) => {
                Err("the store did not say what became of the late write".into())
            }
        }
    }
}

fn list(deposits: &[Deposit]) -> String {
    let names: Vec<_> =
        deposits.iter().map(|Deposit { by, amount }| format!("{amount} by {by}")).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(" and ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(text: &str) -> Ledger {
        text.parse().unwrap()
    }

    fn verdict(fenced: bool, stored: &str, acknowledged: &str, late: Fate) -> Verdict {
        let acknowledged = ledger(acknowledged).deposits().to_vec();
        Verdict::new(fenced, ledger(stored), acknowledged, late)
    }

    #[test]
    fn only_what_was_to_be_shown_is_well() {
        use Fate::{Acknowledged, Refused, Unclear};
        for (fenced, stored, acknowledged, late, shown) in [
            (true, "a+100 b+30", "a+100 b+30", Refused, true),
            (true, "a+100 a+5", "a+100 b+30", Refused, false),
            (true, "a+100", "a+100 b+30", Refused, false),
            (true, "a+100 b+30 a+5", "a+100 b+30", Refused, false),
            (true, "a+100 a+5", "a+100 b+30 a+5", Acknowledged, false),
            (true, "a+100 b+30", "a+100 b+30", Unclear, false),
            (false, "a+100 a+5", "a+100 b+30 a+5", Acknowledged, true),
            (false, "a+100 b+30 a+5", "a+100 b+30 a+5", Acknowledged, false),
            (false, "a+100 b+30", "a+100 b+30", Refused, false),
            (false, "a+100 a+5", "a+100 b+30", Unclear, false),
        ] {
            let verdict = verdict(fenced, stored, acknowledged, late);
            assert_eq!(verdict.check().is_ok(), shown, "{verdict:?}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let lost = verdict(false, "a+100 a+5", "a+100 b+30 a+5", Fate::Acknowledged);
        assert_eq!(lost.lost, ledger("b+30").deposits());
        assert!(lost.describe().contains("LOST: 30 by b, which was acknowledged"), "{lost:?}");
        let forged = verdict(true, "a+100 c+1", "a+100", Fate::Refused);
        assert_eq!(forged.unacknowledged, ledger("c+1").deposits());
        assert!(forged.describe().contains("Not acknowledged, and there: 1 by c."), "{forged:?}");
    }
}
