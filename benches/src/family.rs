use crate::{Made, Meter, clocks, detectors, fences, idempotency, intervals, quorums, timeouts};

/// What is measured together, with a table of budgets of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Family {
    /// Failure detectors.
    Detectors,
    /// Logical clocks.
    Clocks,
    /// Interval clocks.
    Intervals,
    /// Timeouts, and what retries are made of.
    Timeouts,
    /// Fences and fenced maps.
    Fences,
    /// Idempotency caches.
    Idempotency,
    /// Ballots.
    Quorums,
}

impl Family {
    /// All there are.
    pub const ALL: [Self; 7] = [
        Self::Detectors,
        Self::Clocks,
        Self::Intervals,
        Self::Timeouts,
        Self::Fences,
        Self::Idempotency,
        Self::Quorums,
    ];

    /// Shows all that is measured of it to a meter.
    ///
    /// # Errors
    ///
    /// If a configuration is refused, which would be a mistake here, or a peer lacks what it needs.
    pub fn measure(self, meter: &mut impl Meter) -> Made<()> {
        match self {
            Self::Detectors => detectors::measure(meter)?,
            Self::Clocks => clocks::measure(meter),
            Self::Intervals => intervals::measure(meter)?,
            Self::Timeouts => timeouts::measure(meter)?,
            Self::Fences => fences::measure(meter),
            Self::Idempotency => idempotency::measure(meter)?,
            Self::Quorums => quorums::measure(meter)?,
        }
        Ok(())
    }

    /// Returns its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Detectors => "detectors",
            Self::Clocks => "clocks",
            Self::Intervals => "intervals",
            Self::Timeouts => "timeouts",
            Self::Fences => "fences",
            Self::Idempotency => "idempotency",
            Self::Quorums => "quorums",
        }
    }

    /// Returns the families that are named, or all where none is.
    ///
    /// # Errors
    ///
    /// If there is no family of a name.
    pub fn chosen(names: impl Iterator<Item = String>) -> Made<Vec<Self>> {
        let chosen: Vec<Self> = names.map(|name| Self::named(&name)).collect::<Made<_>>()?;
        Ok(if chosen.is_empty() { Self::ALL.to_vec() } else { chosen })
    }

    fn named(name: &str) -> Made<Self> {
        let family = Self::ALL.into_iter().find(|family| family.name() == name);
        family.ok_or_else(|| format!("there is no family {name}").into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(names: &[&str]) -> Made<Vec<Family>> {
        Family::chosen(names.iter().copied().map(str::to_owned))
    }

    #[test]
    fn families_are_chosen_by_name_and_all_by_none() {
        assert_eq!(chosen(&["detectors"]).unwrap(), [Family::Detectors]);
        assert_eq!(chosen(&[]).unwrap(), Family::ALL);
        assert!(chosen(&["detectors", "detector"]).is_err());
    }
}
