//! Short stories of uncertainty, each told by a run of the real crates on simulated time.
//!
//! [`run`] is the command `surmise-lab scenario`. A scenario simulates the world: networks, clocks, liars. What the crates
//! do in it, the crates do; only what people do without them is written here.

mod args;
mod byzantine;
mod clock_drift;
mod confidence_intervals;
mod error;
mod failure_arithmetic;
mod gc_pause;
mod lost_reply;
mod names;
mod quantiles;
mod quorum;
mod report;
mod story;
mod tail_latency;
mod text;
mod timeout_dilemma;

use std::{
    io::{self, Write as _},
    path::Path,
};

use serde::Serialize;

pub use self::{args::ScenarioArgs, error::ScenarioError};
use self::{names::Scenario, story::Told};
use crate::{
    compare::output::{is_same_file, write_whole},
    printer::{Printer, write_json},
};

/// Tells a scenario, or lists them all if none is named.
///
/// # Errors
///
/// [`ScenarioError`] if a result cannot be written, or two of them would go to one file.
pub fn run(args: &ScenarioArgs) -> Result<(), ScenarioError> {
    let Some(name) = args.name else {
        let entries: Vec<_> = Scenario::ALL.into_iter().map(Entry::of).collect();
        return print(&text::list(&entries), &entries, args.json.as_deref());
    };
    if let (Some(html), Some(json)) = (&args.html, &args.json)
        && is_same_file(json, html)
    {
        return Err(ScenarioError::SameOutput { file: json.clone() });
    }
    let told = name.tell(args.seed.unwrap_or_default());
    if args.seed.is_some() && told.seed.is_none() {
        let name = &told.name;
        let _ = writeln!(io::stderr(), "surmise-lab: {name} draws nothing: --seed is ignored");
    }
    if let Some(file) = &args.html {
        let page = report::report(&told);
        write_whole(file, page.as_bytes()).map_err(ScenarioError::write(file))?;
    }
    print(&text::describe(&told), &told, args.json.as_deref())
}

/// A line of the list.
#[derive(Clone, Debug, Serialize)]
struct Entry {
    name: String,
    title: String,
}

impl Entry {
    fn of(scenario: Scenario) -> Self {
        Self { name: scenario.name(), title: scenario.title() }
    }
}

impl Scenario {
    /// Runs the scenario.
    fn tell(self, seed: u64) -> Told {
        let story = match self {
            Self::Byzantine => byzantine::tell(),
            Self::ClockDrift => clock_drift::tell(seed),
            Self::ConfidenceIntervals => confidence_intervals::tell(seed),
            Self::FailureArithmetic => failure_arithmetic::tell(seed),
            Self::GcPause => gc_pause::tell(seed),
            Self::LostReply => lost_reply::tell(seed),
            Self::Quorum => quorum::tell(seed),
            Self::TailLatency => tail_latency::tell(seed),
            Self::TimeoutDilemma => timeout_dilemma::tell(seed),
        };
        // That one tries all that there is to try.
        let seed = (self != Self::Byzantine).then_some(seed);
        Told { name: self.name(), title: self.title(), seed, story }
    }
}

fn print(text: &str, value: &impl Serialize, json: Option<&Path>) -> Result<(), ScenarioError> {
    if let Some(file) = json {
        write_json(file, value).map_err(ScenarioError::write(file))?;
    }
    Printer::beside(json).say(text).map_err(ScenarioError::write(Path::new("-")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_tells_the_same_story_again() {
        for scenario in Scenario::ALL {
            let told = [1, 1, 2].map(|seed| scenario.tell(seed));
            let [first, again, other] =
                told.each_ref().map(|told| serde_json::to_string(&told.story).unwrap());
            assert_eq!(first, again, "{scenario:?}");
            assert_eq!(first == other, told[0].seed.is_none(), "{scenario:?}");
        }
    }

    #[test]
    fn every_story_is_whole_and_fits_a_hundred_columns() {
        for scenario in Scenario::ALL {
            let told = scenario.tell(0);
            let text = text::describe(&told);
            for line in text.lines() {
                assert!(line.chars().count() <= 100, "{scenario:?}: {line}");
            }
            let story = &told.story;
            assert!(!story.setting.is_empty() && !story.lesson.is_empty(), "{scenario:?}");
            assert!(!story.figures.is_empty() && !story.sources.is_empty(), "{scenario:?}");
            for source in story.sources {
                assert!(source.url.starts_with("https://"), "{scenario:?}: {}", source.url);
            }
            assert!(story.figures.iter().all(|figure| figure.is_rectangular()), "{scenario:?}");
        }
    }
}
