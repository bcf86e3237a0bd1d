use anyhow::{Context as _, Result};

use super::callgrind::Measurement;

/// What something of ours may take.
#[derive(Debug)]
pub(super) struct Budget {
    name: &'static str,
    /// An operation, or `bytes`.
    what: &'static str,
    limit: Limit,
}

#[derive(Debug)]
enum Limit {
    /// So many instructions a call on average, or bytes in all, and no more.
    AtMost { with_avx2: f64, without_avx2: f64 },
    /// So many times fewer than a peer takes for the same.
    TimesFewer { times: f64, peer: &'static str },
}

/// Allows so many instructions a call on average, or bytes in all.
pub(super) const fn at_most(name: &'static str, what: &'static str, most: f64) -> Budget {
    at_most_by_avx2(name, what, most, most)
}

/// Allows so many where AVX2 is taken, and another number where it is not.
pub(super) const fn at_most_by_avx2(
    name: &'static str,
    what: &'static str,
    with_avx2: f64,
    without_avx2: f64,
) -> Budget {
    Budget { name, what, limit: Limit::AtMost { with_avx2, without_avx2 } }
}

/// Asks for so many times fewer than a peer takes for the same.
pub(super) const fn times_fewer(
    name: &'static str,
    what: &'static str,
    times: f64,
    peer: &'static str,
) -> Budget {
    Budget { name, what, limit: Limit::TimesFewer { times, peer } }
}

impl Budget {
    /// Returns whether two limit the same, so that one of them would be overlooked.
    #[cfg(test)]
    pub(super) fn is_for_the_same(&self, other: &Self) -> bool {
        let peer = |budget: &Self| match budget.limit {
            Limit::AtMost { .. } => None,
            Limit::TimesFewer { peer, .. } => Some(peer),
        };
        (self.name, self.what, peer(self)) == (other.name, other.what, peer(other))
    }
}

/// Puts every measurement beside its budget, if it has one; every budget must be for a measurement.
pub(super) fn judge(
    measurements: &[&Measurement],
    budgets: &[Budget],
    avx2: bool,
) -> Result<Vec<Entry>> {
    let find = |name: &str, what: &str| {
        let mut found = measurements.iter().filter(|measurement| measurement.is(name, what));
        let measured = found.next();
        measured.with_context(|| format!("a budget needs {name} {what}, which was not measured"))
    };
    let mut at_most = Vec::new();
    let mut ratios = Vec::new();
    for &Budget { name, what, ref limit } in budgets {
        let amount = find(name, what)?.amount;
        match *limit {
            Limit::AtMost { with_avx2, without_avx2 } => {
                at_most.push((name, what, if avx2 { with_avx2 } else { without_avx2 }));
            }
            Limit::TimesFewer { times, peer } => ratios.push(Entry {
                heading: format!("{what}: how many times fewer than {peer}"),
                name: name.to_owned(),
                amount: find(peer, what)?.amount / amount,
                bound: Bound::AtLeast(times),
            }),
        }
    }
    let entry = |measurement: &&Measurement| {
        let budget = at_most.iter().find(|(name, what, _)| measurement.is(name, what));
        let bound = match budget {
            Some(&(.., most)) => Bound::AtMost(most),
            None if measurement.ours => Bound::Missing,
            None => Bound::Peer,
        };
        let Measurement { name, what, amount, .. } = measurement;
        Entry { heading: what.clone(), name: name.clone(), amount: *amount, bound }
    };
    Ok(measurements.iter().map(entry).chain(ratios).collect())
}

/// What was measured, and what it may be.
#[derive(Debug)]
pub(super) struct Entry {
    /// Those of one heading are shown together.
    heading: String,
    name: String,
    amount: f64,
    bound: Bound,
}

#[derive(Debug)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
    /// It is ours, and nobody gave it a budget.
    Missing,
    /// It is a peer's, which may take what it will.
    Peer,
}

impl Entry {
    /// Returns what is wrong, if anything is.
    pub(super) fn complaint(&self) -> Option<String> {
        let Self { heading, name, amount, bound } = self;
        match bound {
            Bound::AtMost(most) if amount > most => {
                Some(format!("{name} {heading} may take {most}, but takes {amount:.1}"))
            }
            Bound::AtLeast(least) if amount < least => {
                Some(format!("{name} {heading} must be {least}, but is {amount:.1}"))
            }
            Bound::Missing => {
                Some(format!("{name} {heading} takes {amount:.1}, and has no budget"))
            }
            _ => None,
        }
    }

    fn row(&self) -> String {
        let Self { name, amount, bound, .. } = self;
        let bound = match bound {
            Bound::AtMost(most) => most.to_string(),
            Bound::AtLeast(least) => format!("≥ {least}"),
            Bound::Missing => "none".to_owned(),
            Bound::Peer => "peer".to_owned(),
        };
        let mark = if self.complaint().is_some() { " !" } else { "" };
        format!("{name:<30} {amount:>10.1} {bound:>8}{mark}\n")
    }
}

/// Returns a table for each heading, in the order in which they first came up.
pub(super) fn to_table(entries: &[Entry]) -> String {
    let mut headings: Vec<&str> = Vec::new();
    for Entry { heading, .. } in entries {
        if !headings.contains(&heading.as_str()) {
            headings.push(heading);
        }
    }
    let mut table = String::new();
    for heading in headings {
        table += &format!("\n{heading:<30} {:>10} {:>8}\n", "measured", "budget");
        let rows = entries.iter().filter(|entry| entry.heading == heading);
        table.extend(rows.map(Entry::row));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measurement(ours: bool, what: &str, amount: f64) -> Measurement {
        let (family, name) = ("detectors".into(), if ours { "fixed" } else { "peer" }.into());
        Measurement { family, ours, name, what: what.into(), amount }
    }

    fn complaints(
        measurements: &[Measurement],
        budgets: &[Budget],
        avx2: bool,
    ) -> Vec<Option<String>> {
        let measurements: Vec<&Measurement> = measurements.iter().collect();
        judge(&measurements, budgets, avx2).unwrap().iter().map(Entry::complaint).collect()
    }

    #[test]
    fn a_budget_is_exceeded_from_the_first_instruction_above() {
        let measurements = [measurement(true, "verdict", 12.0), measurement(true, "bytes", 12.1)];
        let budgets = [at_most("fixed", "bytes", 12.0), at_most("fixed", "verdict", 12.0)];
        let complaint = "fixed bytes may take 12, but takes 12.1".to_owned();
        assert_eq!(complaints(&measurements, &budgets, true), [None, Some(complaint)]);
    }

    #[test]
    fn a_budget_may_depend_on_the_processor() {
        let measurements = [measurement(true, "compare", 400.0)];
        let budgets = [at_most_by_avx2("fixed", "compare", 350.0, 800.0)];
        assert!(complaints(&measurements, &budgets, true)[0].is_some());
        assert!(complaints(&measurements, &budgets, false)[0].is_none());
    }

    #[test]
    fn a_ratio_is_missed_from_the_first_instruction_above() {
        let budgets =
            [at_most("fixed", "verdict", 99.0), times_fewer("fixed", "verdict", 8.0, "peer")];
        let of = |ours, peers| {
            let measurements =
                [measurement(true, "verdict", ours), measurement(false, "verdict", peers)];
            complaints(&measurements, &budgets, true)
        };
        assert_eq!(of(10.0, 80.0), [None, None, None]);
        let complaint =
            "fixed verdict: how many times fewer than peer must be 8, but is 7.9".to_owned();
        assert_eq!(of(10.0, 79.0), [None, None, Some(complaint)]);
    }

    #[test]
    fn nothing_of_ours_goes_without_a_budget() {
        let measurements = [measurement(true, "verdict", 1.0), measurement(false, "verdict", 1e9)];
        let ratio = [times_fewer("fixed", "verdict", 8.0, "peer")];
        for budgets in [&[], ratio.as_slice()] {
            let complaints = complaints(&measurements, budgets, true);
            assert!(complaints[0].is_some());
            assert!(complaints[1..].iter().all(Option::is_none));
        }
    }

    #[test]
    fn no_budget_goes_unmeasured() {
        let measurement = measurement(true, "verdict", 1.0);
        let unmeasured = [
            at_most("fixed", "heartbeat", 1.0),
            times_fewer("fixed", "heartbeat", 1.0, "fixed"),
            times_fewer("fixed", "verdict", 1.0, "peer"),
        ];
        for budget in unmeasured {
            let budgets = [at_most("fixed", "verdict", 1.0), budget];
            assert!(judge(&[&measurement], &budgets, true).is_err());
        }
    }
}
