use core::{fmt, time::Duration};

use super::{GoesOn, Outcome, Row};

/// Whom each observer suspects, and how late it finds the dead one, as tables in Markdown.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "what to show, and nothing else")]
pub struct Table<'a>(pub &'a [Row]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "How many of 999 healthy peers are suspected at once, and in the minute after that;"
        )?;
        writeln!(f, "and after how many seconds the dead one is, from the end of the stall.")?;
        for goes_on in GoesOn::ALL {
            let stalls = goes_on.stalls().map(|stall| format!("{} s", stall.as_secs_f64()));
            let stalls = stalls.join(" | ");
            let name = goes_on.name();
            writeln!(f, "\n| {name} | {stalls} | found: no stall | {stalls} |")?;
            writeln!(f, "|{}", "---|".repeat(10))?;
            for Row { name, awake, stalled, .. } in self.0 {
                let outcomes = || stalled.get(&goes_on).into_iter().flatten();
                let suspected: String = outcomes().map(suspected).collect();
                let found: String = [awake].into_iter().chain(outcomes()).map(found).collect();
                writeln!(f, "| {name} |{suspected}{found}")?;
            }
        }
        Ok(())
    }
}

fn suspected(outcome: &Outcome) -> String {
    match (outcome.at_once, outcome.later) {
        (at_once, 0) => format!(" {at_once} |"),
        (at_once, later) => format!(" {at_once} + {later} |"),
    }
}

fn found(outcome: &Outcome) -> String {
    let seconds = |after: Duration| format!(" {:.1} |", after.as_secs_f64());
    outcome.found_after.map_or_else(|| " never |".to_owned(), seconds)
}
