//! Prints how many fenced writes a second reach the disk, and how long each takes: of the current directory, or of
//! the one that is named.

use core::time::Duration;
use std::{env, path::PathBuf};

use benches::{
    Made,
    stores::{Contender, InCaller, TransactionEach, measure},
};
use surmise_store::redb::RedbStore;

const TIME: Duration = Duration::from_secs(3);

fn main() -> Made<()> {
    let directory = env::args_os().nth(1).map_or_else(|| PathBuf::from("."), PathBuf::from);
    println!("{:<26} {:>7} {:>10} {:>9} {:>9}", "", "writers", "writes/s", "p50 µs", "p99 µs");
    for writers in [1, 8, 64] {
        print::<RedbStore>(&directory, writers)?;
        print::<InCaller>(&directory, writers)?;
        print::<TransactionEach>(&directory, writers)?;
    }
    Ok(())
}

fn print<C: Contender>(directory: &std::path::Path, writers: u8) -> Made<()> {
    let measured = measure::<C>(directory, writers, TIME)?;
    let [p50, p99] = [measured.p50, measured.p99].map(|time| time.as_micros());
    println!("{:<26} {writers:>7} {:>10.0} {p50:>9} {p99:>9}", C::NAME, measured.per_second);
    Ok(())
}
