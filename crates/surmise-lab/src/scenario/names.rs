use clap::ValueEnum;

/// What can be told.
///
/// The first line of each comment is its title, in the list and in the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Scenario {
    /// Five faults, one silence: why a retry needs an idempotency key
    LostReply,
    /// Every timeout is wrong: too short for the slow, too long for the dead
    TimeoutDilemma,
    /// Last write wins, and the later write loses: clocks that drift
    ClockDrift,
    /// How sure is a mistake rate that was measured on a trace
    ConfidenceIntervals,
    /// A pause between the check and the write, and a pause of who watches
    GcPause,
    /// Why three nodes cannot agree when one of them lies and none can sign, and four can
    Byzantine,
    /// Why reads and writes must overlap, and what that costs
    Quorum,
    /// A second request takes the tail away, unless it is what makes the tail
    TailLatency,
    /// Something is always down: servers times uptime
    FailureArithmetic,
}

impl Scenario {
    pub(super) const ALL: [Self; 9] = [
        Self::LostReply,
        Self::TimeoutDilemma,
        Self::ClockDrift,
        Self::ConfidenceIntervals,
        Self::GcPause,
        Self::Byzantine,
        Self::Quorum,
        Self::TailLatency,
        Self::FailureArithmetic,
    ];

    /// Returns what it is called on the command line.
    pub(super) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Returns what it is about, in one line.
    pub(super) fn title(self) -> String {
        let value = self.to_possible_value();
        value.and_then(|value| Some(value.get_help()?.to_string())).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_listed_once_and_has_a_title() {
        assert_eq!(Scenario::ALL.as_slice(), Scenario::value_variants());
        assert_eq!(Scenario::LostReply.name(), "lost-reply");
        assert!(Scenario::ALL.iter().all(|scenario| !scenario.title().is_empty()));
    }
}
