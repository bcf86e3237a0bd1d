use std::path::{Path, PathBuf};

use clap::{
    Args,
    builder::{PathBufValueParser, TypedValueParser as _},
};

use super::names::Scenario;
use crate::arguments::seed;

/// The arguments of `surmise-lab scenario`.
#[derive(Args, Clone, Debug)]
#[non_exhaustive]
#[command(after_help = EXAMPLES)]
pub struct ScenarioArgs {
    /// What to tell. Without it, the scenarios are listed
    pub(super) name: Option<Scenario>,

    /// Draws other failures, delays and clocks [default: 0]
    #[arg(long, value_name = "N", requires = "name", value_parser = seed)]
    pub(super) seed: Option<u64>,

    /// Also writes all of it to FILE as JSON. `-`, which is what no FILE means, is the standard
    /// output, and the text then goes to the standard error
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true,
          default_missing_value = "-")]
    pub(super) json: Option<PathBuf>,

    /// Also writes the story to FILE as a page for the browser, which needs nothing but that file
    #[arg(long, value_name = "FILE", requires = "name",
          value_parser = PathBufValueParser::new().try_map(html_file))]
    pub(super) html: Option<PathBuf>,
}

fn html_file(file: PathBuf) -> Result<PathBuf, &'static str> {
    if file == Path::new("-") {
        Err("the page is a file; only --json goes to the standard output")
    } else {
        Ok(file)
    }
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

  As a page for the browser:
    surmise-lab scenario tail-latency --html tail-latency.html

Each takes less than two seconds, and is the same again with the same seed.";
