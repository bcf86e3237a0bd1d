use core::{error::Error, fmt, time::Duration};

use crate::processes::RunError;

/// A run that could not be made, or did not keep what it promised.
#[derive(Debug)]
#[non_exhaustive]
pub enum FailoverError {
    /// It could not be made.
    Run(RunError),
    /// The arguments do not go together.
    Usage(String),
    /// A partition begins before the one before it has ended, which would end both.
    Overlap {
        /// The one that begins first.
        first: String,
        /// The one that begins before it has ended.
        second: String,
    },
    /// So many nodes are killed and do not come back that no majority is left.
    NoMajority {
        /// How many are killed for ever.
        killed: usize,
        /// Of how many.
        nodes: usize,
    },
    /// The faults, or what is asked for, take too long.
    TooLong {
        /// How long a run would be.
        duration: Duration,
        /// How long it may be.
        longest: Duration,
    },
    /// Clocks are further apart than hybrid clocks bear.
    Spread {
        /// How far.
        spread: Duration,
        /// How far they may be.
        max_offset: Duration,
    },
    /// Runs did not keep what was promised.
    Violated {
        /// In how many runs.
        runs: u64,
        /// Of how many.
        of: u64,
    },
    /// Runs broke nothing, and did not come to their end.
    Unfinished {
        /// How many runs.
        runs: u64,
        /// Of how many.
        of: u64,
    },
    /// Without a fence, most runs must show what the fence is for.
    NothingFound {
        /// How many runs showed it.
        runs: u64,
        /// Of how many.
        of: u64,
    },
}

impl FailoverError {
    /// Returns whether the command was given wrongly, so that nothing was begun.
    #[must_use]
    pub const fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Run(RunError::Lease(_))
                | Self::Usage(_)
                | Self::Overlap { .. }
                | Self::NoMajority { .. }
                | Self::TooLong { .. }
                | Self::Spread { .. }
        )
    }

    /// Returns the exit status of the command: 3 if nothing was broken but not all was done, 2 if it was given wrongly, and
    /// else 1.
    #[must_use]
    pub const fn exit_status(&self) -> u8 {
        match self {
            Self::Unfinished { .. } => 3,
            error if error.is_usage() => 2,
            _ => 1,
        }
    }
}

impl fmt::Display for FailoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(error) => error.fmt(f),
            Self::Usage(why) => f.write_str(why),
            Self::Overlap { first, second } => write!(
                f,
                "--partition {second} begins before {first} is over, and there is one partition at a time; take a later \
                 start, or more sides"
            ),
            Self::NoMajority { killed, nodes } => write!(
                f,
                "{killed} of {nodes} nodes may be killed for ever, which leaves no majority, so that nothing goes on; \
                 take more --nodes, or let some come back, as in `--kill leader@5s+2s`"
            ),
            Self::TooLong { duration, longest } => write!(
                f,
                "the run would take {duration:?}, and may take {longest:?}; take a shorter --duration, or earlier faults"
            ),
            Self::Spread { spread, max_offset } => write!(
                f,
                "clocks are {spread:?} apart, more than --max-offset of {max_offset:?} lets hybrid clocks bear; raise it"
            ),
            Self::Violated { runs, of: 1 } if *runs == 1 => {
                f.write_str("the run did not keep what was promised")
            }
            Self::Violated { runs, of } => {
                write!(f, "{runs} of {of} runs did not keep what was promised")
            }
            Self::Unfinished { runs, of } => {
                match of {
                    1 => f.write_str("the run did not finish")?,
                    _ => write!(f, "{runs} of {of} runs did not finish")?,
                }
                f.write_str(
                    ", though nothing was broken: a write was not acknowledged before the client was given up; leave a \
                     majority of the nodes running and joined, make --lease or --work shorter, or give the machine less to \
                     do, with fewer --jobs",
                )
            }
            Self::NothingFound { runs, of } => write!(
                f,
                "without a fence, {runs} of {of} runs are corrupt; was any leader stopped for longer than its lease \
                 lasts?"
            ),
        }
    }
}

impl Error for FailoverError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Run(error) => error.source(),
            _ => None,
        }
    }
}

impl<E: Into<RunError>> From<E> for FailoverError {
    fn from(error: E) -> Self {
        Self::Run(error.into())
    }
}
