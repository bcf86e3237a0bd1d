//! What the time sources of this machine know, and what it costs that they do not know more.
//!
//! [`run`] is the command `surmise-lab clock`. It asks each source of `surmise-interval`, or
//! simulates clocks whose error only the simulation knows.

mod address;
mod args;
mod error;
mod live;
mod probe;
pub(crate) mod simulate;
mod sources;
mod survey;
mod table;
mod view;

use std::{
    io::{self, Write as _},
    path::Path,
};

use serde::Serialize;
use surmise_time::OsWallClock;

pub use self::{args::ClockArgs, error::ClockError};
use self::{
    simulate::Simulation,
    survey::{Boot, Moment, Survey},
};
use crate::{compare::output::write_whole, record::Stop};

/// Asks the sources once, or until Ctrl-C, or simulates; and prints what comes of it.
///
/// That a source says nothing is no error: the table says why. Nor is it that nothing is selected,
/// unless that is to be checked.
///
/// # Errors
///
/// [`ClockError`] if a result cannot be written, if Ctrl-C cannot be handled, or if the check fails.
pub fn run(args: &ClockArgs) -> Result<(), ClockError> {
    if args.simulate {
        let simulation = Simulation::run(args.seed, args.writes);
        return print(&simulate::describe(&simulation), &simulation, args);
    }
    let mut survey = Survey::new(sources::probes(args));
    if let Some(interval) = args.live {
        let stop = Stop::on_interrupt().map_err(ClockError::Interrupt)?;
        let shown = live::run(&mut survey, &Boot, &OsWallClock, interval, &stop);
        return shown.map_err(ClockError::write(Path::new("-")));
    }
    survey.ask(&Boot);
    let view = survey.view(Moment::read(&Boot, &OsWallClock));
    print(&format!("{}\n{}", table::describe(&view), table::legend()), &view, args)?;
    match view.selection_error {
        Some(why) if args.check => Err(ClockError::NothingSelected { why }),
        _ => Ok(()),
    }
}

fn print(text: &str, value: &impl Serialize, args: &ClockArgs) -> Result<(), ClockError> {
    let Some(file) = &args.json else {
        return write_out(text);
    };
    let mut json = serde_json::to_string_pretty(value).expect("plain numbers and names");
    json.push('\n');
    if file == Path::new("-") {
        // Like notes, it is lost where nobody can read it.
        let _ = io::stderr().write_all(text.as_bytes());
        return write_out(&json);
    }
    write_whole(file, json.as_bytes()).map_err(ClockError::write(file))?;
    write_out(text)
}

fn write_out(text: &str) -> Result<(), ClockError> {
    match io::stdout().write_all(text.as_bytes()) {
        // Whoever reads the output has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(ClockError::write(Path::new("-"))),
    }
}
