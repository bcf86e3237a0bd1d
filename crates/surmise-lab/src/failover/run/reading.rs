use core::time::Duration;

use surmise_store::{FencedStore as _, StoreError};
use surmise_time::{BootClock, MonotonicClock as _};

use crate::{
    failover::{
        cast::Host,
        error::FailoverError,
        history::{History, Note},
        message::{Record, key},
    },
    record::Stop,
    stores::OpenError,
};

/// Tries something again for some time where the store is not there: a server may be busy with many runs.
pub(super) fn patiently<T>(
    stop: &Stop,
    patience: Duration,
    mut what: impl FnMut() -> Result<T, FailoverError>,
) -> Result<T, FailoverError> {
    let give_up = BootClock.now() + patience;
    loop {
        match what() {
            Err(FailoverError::Store(StoreError::Unavailable { .. }))
            | Err(FailoverError::Open(OpenError::Store(StoreError::Unavailable { .. })))
                if BootClock.now() < give_up =>
            {
                if stop.wait(AGAIN) {
                    return Err(FailoverError::Interrupted);
                }
            }
            result => return result,
        }
    }
}

/// Returns what is in the store: up to where nothing is, and as far as anybody wrote.
pub(super) fn read_log(
    host: &Host,
    history: &History,
) -> Result<Vec<Option<Record>>, FailoverError> {
    let written = history.entries.iter().filter_map(|entry| match entry.note {
        Note::Applied { slot, .. } | Note::Acknowledged { slot, .. } => Some(slot),
        _ => None,
    });
    let last = written.max();
    let mut log = Vec::new();
    for slot in 0.. {
        let place = key(slot);
        let read = host.opened.store().read(&host.resource, &place);
        let entry = host.opened.runtime().block_on(read)?;
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
