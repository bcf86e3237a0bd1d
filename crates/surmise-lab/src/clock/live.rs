use core::time::Duration;
use std::io::{self, Write as _};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use surmise_time::{MonotonicClock, WallClock};

use super::{
    survey::{Moment, Survey},
    table,
};
use crate::record::Stop;

/// Asks and shows, again and again, until the signal or until nobody reads on.
pub(super) fn run(
    survey: &mut Survey,
    clock: &(impl MonotonicClock + Sync),
    wall_clock: &impl WallClock,
    interval: Duration,
    stop: &Stop,
) -> io::Result<()> {
    let screen = Screen::new();
    loop {
        let next = clock.now() + interval;
        survey.ask(clock);
        let view = survey.view(Moment::read(clock, wall_clock));
        if !screen.show(&table::describe(&view))? || stop.wait(next - clock.now()) {
            screen.bar.abandon();
            return Ok(());
        }
    }
}

/// The standard output, on which a terminal shows a table in the place of the last.
struct Screen {
    bar: ProgressBar,
}

impl Screen {
    fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout());
        let style = ProgressStyle::with_template("{msg}");
        Self { bar: bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner())) }
    }

    /// Shows a table, and returns whether anybody can have seen it.
    fn show(&self, text: &str) -> io::Result<bool> {
        if !self.bar.is_hidden() {
            self.bar.set_message(text.to_owned());
            return Ok(true);
        }
        let mut output = io::stdout().lock();
        match writeln!(output, "{text}").and_then(|()| output.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            result => result.map(|()| true),
        }
    }
}
