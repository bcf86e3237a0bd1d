use core::time::Duration;

use surmise_store::StoreError;
use surmise_time::{BootClock, MonotonicClock as _};

use crate::{
    failover::{
        history::{History, Note},
        message::{Record, key},
    },
    processes::{RunError, StoreHost},
    record::Stop,
    stores::OpenError,
};

/// Tries something again for some time where the store is not there: a server may be busy with many runs.
pub(super) fn patiently<T>(
    stop: &Stop,
    patience: Duration,
    mut what: impl FnMut() -> Result<T, RunError>,
) -> Result<T, RunError> {
    let give_up = BootClock.now() + patience;
    loop {
        match what() {
            Err(RunError::Store(StoreError::Unavailable { .. }))
            | Err(RunError::Open(OpenError::Store(StoreError::Unavailable { .. })))
                if BootClock.now() < give_up =>
            {
                if stop.wait(AGAIN) {
                    return Err(RunError::Interrupted);
                }
            }
            result => return result,
        }
    }
}

/// Returns what is in the store: up to where nothing is, and as far as anybody wrote.
pub(super) fn read_log(
    host: &StoreHost,
    history: &History,
) -> Result<Vec<Option<Record>>, RunError> {
    let written = history.entries.iter().filter_map(|entry| match entry.note {
        Note::Applied { slot, .. } | Note::Acknowledged { slot, .. } => Some(slot),
        _ => None,
    });
    let last = written.max();
    let mut log = Vec::new();
    for slot in 0.. {
        let entry = host.read(&key(slot))?;
        let record = entry.and_then(|entry| Record::from_bytes(&entry.value?));
        if record.is_none() && last.is_none_or(|last| slot > last) {
            break;
        }
        log.push(record);
    }
    Ok(log)
}

/// How long after that a store is asked again.
const AGAIN: Duration = Duration::from_millis(500);
