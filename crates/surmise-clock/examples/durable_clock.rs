//! A node whose stamps are never given twice, whatever becomes of it: the whole of what drives a
//! [`DurableHybridClock`], with the ceiling in a file.
//!
//! Each run gives some stamps and then ends as if it had crashed. Run it again, set the clock back in
//! between if you like, and the stamps go on above those of the last run. A service does the same with a
//! thread that asks for the ceiling some times a second, and
//! [`sync::AtomicDurableHybridClock`](surmise_clock::sync::AtomicDurableHybridClock).

use core::{error::Error, time::Duration};
use std::{
    env,
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

use surmise_clock::{DurableHybridClock, HybridTimestamp};
use surmise_time::{OsWallClock, WallClock as _};

/// How far apart the wall clocks of any two nodes are, at most.
const MAX_OFFSET: Duration = Duration::from_millis(500);

/// How far ceilings lie ahead: one is written about every second.
const WINDOW: Duration = Duration::from_secs(2);

fn main() -> Result<(), Box<dyn Error>> {
    let directory = env::args_os().nth(1).map_or_else(env::temp_dir, Into::into);
    let file = directory.join("surmise-clock-ceiling");

    let mut clock = match read_ceiling(&file)? {
        None => DurableHybridClock::new(MAX_OFFSET, WINDOW),
        Some(ceiling) => {
            println!("the last run gave no stamp after {ceiling}");
            DurableHybridClock::resume(MAX_OFFSET, WINDOW, ceiling)?
        }
    };
    let ahead = clock.ahead(OsWallClock.now());
    if ahead > MAX_OFFSET {
        println!("other nodes would refuse our stamps for another {:?}", ahead - MAX_OFFSET);
    }

    let mut last = None;
    for _ in 0..5 {
        let now = OsWallClock.now();
        if let Some(ceiling) = clock.ceiling(now) {
            write_ceiling(&file, ceiling)?;
            clock.raise_ceiling(ceiling);
        }
        let stamp = clock.tick(now)?;
        assert!(Some(stamp) > last);
        println!("{stamp}");
        last = Some(stamp);
    }
    Ok(())
}

fn read_ceiling(file: &Path) -> io::Result<Option<HybridTimestamp>> {
    let bytes = match fs::read(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes?,
    };
    let ceiling = bytes.try_into().ok().and_then(HybridTimestamp::from_be_bytes);
    // To begin anew instead would repeat stamps.
    ceiling.map(Some).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not a ceiling"))
}

/// Replaces the file in one step, and returns when that is on stable storage.
fn write_ceiling(file: &Path, ceiling: HybridTimestamp) -> io::Result<()> {
    let new = file.with_extension("new");
    let mut contents = File::create(&new)?;
    contents.write_all(&ceiling.to_be_bytes())?;
    contents.sync_all()?;
    fs::rename(&new, file)?;
    // The name is the directory's, which only some systems let one write through.
    #[cfg(unix)]
    if let Some(directory) = file.parent() {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}
