use core::time::Duration;

use surmise_store::StoreError;
use surmise_time::{BootClock, MonotonicClock as _};

use crate::{
    failover::{
        history::{History, Stored},
        message::key,
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

/// Returns what is in the store.
pub(super) fn read_log(
    host: &StoreHost,
    history: &History,
) -> Result<Vec<Option<Stored>>, RunError> {
    history.read_log(|slot| host.read(&key(slot)))
}

/// How long after that a store is asked again.
const AGAIN: Duration = Duration::from_millis(500);
