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

use std::path::Path;

use serde::Serialize;
use surmise_time::OsWallClock;

pub use self::{args::ClockArgs, error::ClockError};
use self::{
    simulate::Simulation,
    survey::{Boot, Moment, Survey},
};
use crate::{
    printer::{Printer, write_json},
    record::Stop,
};

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
    if let Some(file) = &args.json {
        write_json(file, value).map_err(ClockError::write(file))?;
    }
    let said = Printer::beside(args.json.as_deref()).say(text.trim_end());
    said.map_err(ClockError::write(Path::new("-")))
}
