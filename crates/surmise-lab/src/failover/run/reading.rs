use core::time::Duration;

use surmise_store::{FencedStore as _, StoreError};
use surmise_time::{BootClock, MonotonicClock as _};

use crate::{
    failover::{
        cast::Host,
        error::FailoverError,
        history::{History, Stored},
        message::key,
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

/// Returns what is in the store.
pub(super) fn read_log(
    host: &Host,
    history: &History,
) -> Result<Vec<Option<Stored>>, FailoverError> {
    history.read_log(|slot| {
        let place = key(slot);
        let read = host.opened.store().read(&host.resource, &place);
        Ok(host.opened.runtime().block_on(read)?)
    })
}

/// How long after that a store is asked again.
const AGAIN: Duration = Duration::from_millis(500);
