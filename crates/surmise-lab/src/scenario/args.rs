use std::path::PathBuf;

use clap::Args;

use super::names::Scenario;

/// The arguments of `surmise-lab scenario`.
#[derive(Args, Clone, Debug)]
#[non_exhaustive]
#[command(after_help = EXAMPLES)]
pub struct ScenarioArgs {
    /// What to tell. Without it, the scenarios are listed
    pub(super) name: Option<Scenario>,

    /// Draws other failures, delays and clocks
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) seed: u64,

    /// Also writes all of it to FILE as JSON. `-`, which is what no FILE means, is the standard
    /// output, and the text then goes to the standard error
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true,
          default_missing_value = "-")]
    pub(super) json: Option<PathBuf>,
}

/// Stands below the options in `--help`.
const EXAMPLES: &str = "\
Examples:
  Which scenarios there are:
    surmise-lab scenario

  Why a client that got no answer needs an idempotency key:
    surmise-lab scenario lost-reply

  The same with other faults, and as JSON:
    surmise-lab scenario lost-reply --seed 7 --json=lost-reply.json

Each takes less than two seconds, and is the same again with the same seed.";
