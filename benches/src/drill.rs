//! Which cache loses which race, as a table: each race is run on ours and on what one would take instead.
//!
//! A race is lost if something is executed twice that should be once, if somebody gets the result of another
//! request, or if somebody waits for what does not come. Who waits is given up after a while, and its thread left alone.
//! Nothing of this is about speed.
//!
//! A dash is where there is no such race: where there is no clock that could be set, where an executor is a closure that
//! can but return or unwind, or where no bound makes anybody forget (and where all memory may go). A cache that is full may
//! refuse what is new, which breaks no promise. Ours does so unless told to evict; then it forgets what was completed
//! first, and counts it.

mod layers;
mod races;
mod threads;

use core::fmt;

use dashmap::DashMap;
use moka::sync::Cache as Moka;
use quick_cache::sync::Cache as QuickCache;

pub use self::layers::{Answer, Effect, Evicting, Layer, NothingDone, Ours, Step};
use self::{
    layers::{Group, Tutorial},
    races::{Outcome, RACES, Race},
};

/// What came of all races, by layer.
#[derive(Debug)]
pub struct Table {
    layers: Vec<(&'static str, [Outcome; RACES.len()])>,
}

/// Runs all races on ours and on the peers.
#[must_use]
pub fn run() -> Table {
    let mut table = Table { layers: Vec::new() };
    table.add::<Ours>("surmise");
    table.add::<Evicting>("surmise, evicting");
    table.add::<Moka<u64, u64>>("moka");
    table.add::<QuickCache<u64, u64>>("quick_cache");
    table.add::<Group>("singleflight");
    table.add::<DashMap<u64, u64>>("dashmap entry");
    table.add::<Tutorial>("textbook");
    table
}

/// Returns the races that a layer loses, and how.
#[must_use]
pub fn lost<L: Layer>() -> Vec<(&'static str, String)> {
    let outcomes = RACES.iter().map(|race| (race.name(), race.run::<L>()));
    let lost = |(name, outcome)| match outcome {
        Outcome::Lost(how) => Some((name, how)),
        _ => None,
    };
    outcomes.filter_map(lost).collect()
}

impl Table {
    fn add<L: Layer>(&mut self, name: &'static str) {
        self.layers.push((name, RACES.map(Race::run::<L>)));
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:24}", "")?;
        for (layer, _) in &self.layers {
            write!(f, " {layer:24}")?;
        }
        for (nth, race) in RACES.iter().enumerate() {
            write!(f, "\n{:24}", race.name())?;
            for outcome in self.layers.iter().filter_map(|(_, outcomes)| outcomes.get(nth)) {
                write!(f, " {outcome:24}")?;
            }
        }
        writeln!(f)
    }
}
