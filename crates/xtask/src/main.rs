//! The project's chores: `cargo xtask --help`.

#![expect(
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "these keep libraries honest that do without std; a program has it"
)]

mod budgets;
mod checks;
mod chrony;
mod compare;
mod context;
mod cortex_m;
mod debian;
mod features;
mod fuzz;
mod loom;
mod no_std;
mod package;
mod runner;
mod screenshots;
mod steps;
mod stores;
mod toolchain;

use std::process::ExitCode;

use clap::{Parser, Subcommand, builder::PossibleValuesParser};

use crate::context::Context;

/// The project's chores.
///
/// `cargo xtask test` is all that continuous integration does, for use before a commit: every check
/// of the project as a named step, with a summary at the end. `cargo xtask test --list` names the
/// steps, and `cargo xtask test --only loom` runs one of them.
///
/// Steps fetch what they need. Some need more than a stable Rust: a nightly toolchain, or root on
/// Debian for packages. Where that cannot be had, the step is skipped and the summary says why.
/// Nothing here lets rustup download a toolchain.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Runs every check of the project, or some of them.
    Test {
        /// Names the steps and does nothing else.
        #[arg(long)]
        list: bool,
        /// Runs only these steps, in the usual order.
        #[arg(
            long,
            value_name = "STEP",
            value_delimiter = ',',
            value_parser = PossibleValuesParser::new(steps::ALL.iter().map(|step| step.name)),
            hide_possible_values = true,
        )]
        only: Vec<String>,
        /// Counts a skipped step as a failed one, and packages nothing that is not committed.
        #[arg(long, env = "CI")]
        ci: bool,
        /// How long each fuzz target runs.
        #[arg(long, value_name = "SECONDS", default_value_t = 8)]
        fuzz_seconds: u32,
    },
    /// Counts the instructions and bytes of every detector, and fails where a budget is exceeded.
    Budgets,
    /// Draws every report in a browser, and fails where something is cut off or cannot be read.
    Screenshots,
}

fn main() -> anyhow::Result<ExitCode> {
    match Cli::parse().chore {
        Chore::Test { list: true, .. } => {
            for step in steps::ALL {
                println!("{:<10} {}", step.name, step.about);
            }
            Ok(ExitCode::SUCCESS)
        }
        Chore::Test { only, ci, fuzz_seconds, .. } => {
            let context = Context::new(ci, fuzz_seconds)?;
            let chosen = |name| only.is_empty() || only.iter().any(|chosen| chosen == name);
            Ok(runner::run(&context, steps::ALL.iter().filter(|step| chosen(step.name))))
        }
        Chore::Budgets => {
            budgets::run(&Context::new(false, 0)?)?;
            Ok(ExitCode::SUCCESS)
        }
        Chore::Screenshots => {
            screenshots::run(&Context::new(false, 0)?)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
