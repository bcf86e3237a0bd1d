//! The command line of the laboratory.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use surmise_lab::record::{self, RecordArgs, Stop};

#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Records heartbeats over UDP and writes the trace
    Record(RecordArgs),
}

fn main() -> ExitCode {
    let Command::Record(args) = Cli::parse().command;
    let outcome = Stop::on_interrupt().and_then(|stop| record::run(&args, &stop));
    match outcome {
        Ok(summary) => {
            println!("{summary}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
