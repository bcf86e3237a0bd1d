//! A disk whose power fails, which is full, or whose syncs fail.

use alloc::{collections::BTreeMap, sync::Arc};
use core::mem;
use std::io;

use ::redb::StorageBackend;
use fastrand::Rng;
use parking_lot::Mutex;

/// Storage that keeps apart what was synced, and what a power loss may or may not leave.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// What reads return.
    content: Vec<u8>,
    /// What survives for certain.
    synced: Vec<u8>,
    /// Of each sector written since, what was in it after each write: one of these survives, or what was synced.
    unsynced: BTreeMap<usize, Vec<Vec<u8>>>,
    /// The lengths since: one of these survives, or that of what was synced.
    lengths: Vec<usize>,
    /// How many calls that change something are left before the power fails; it is decided then whether the last one
    /// still happens.
    calls_left: Option<u64>,
    last_happens: bool,
    is_off: bool,
    /// How long it can be.
    pub(super) max_len: Option<u64>,
    /// Whether syncs fail.
    sync_fails: bool,
}

const SECTOR: usize = 512;

impl Disk {
    /// Lets the power fail after so many calls.
    pub(super) fn fail_after(&self, calls: u64, rng: &mut Rng) {
        let mut state = self.0.lock();
        state.calls_left = Some(calls);
        state.last_happens = rng.bool();
    }

    pub(super) fn limit(&self, max_len: Option<u64>) {
        self.0.lock().max_len = max_len;
    }

    pub(super) fn fail_syncs(&self, fail: bool) {
        self.0.lock().sync_fails = fail;
    }

    pub(super) fn size(&self) -> u64 {
        len(&self.0.lock().content)
    }

    /// Returns the disk that is found when the power is back.
    pub(super) fn after_power_loss(&self, rng: &mut Rng) -> Self {
        let state = self.0.lock();
        let lengths = state.lengths.len();
        let kept = match rng.usize(..=lengths) {
            0 => state.synced.len(),
            at => state.lengths[at - 1],
        };
        let mut content = state.synced.clone();
        content.resize(kept, 0);
        for (sector, versions) in &state.unsynced {
            let at = sector * SECTOR;
            // Written sectors survive more often than not, so that whole transactions do.
            if at < kept && rng.u8(..) < 200 {
                let version = &versions[rng.usize(..versions.len())];
                let end = kept.min(at + version.len());
                content[at..end].copy_from_slice(&version[..end - at]);
            }
        }
        Self::with(content)
    }

    /// Returns the disk that is found by the next process on the same machine.
    pub(super) fn after_kill(&self) -> Self {
        Self::with(self.0.lock().content.clone())
    }

    pub(super) fn with(content: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(State { synced: content.clone(), content, ..State::default() })))
    }

    pub(super) fn content(&self) -> Vec<u8> {
        self.0.lock().content.clone()
    }
}

impl State {
    fn sync(&mut self) {
        self.synced.resize(self.content.len(), 0);
        if self.lengths.is_empty() {
            for sector in mem::take(&mut self.unsynced).into_keys() {
                let at = sector * SECTOR;
                let end = self.content.len().min(at + SECTOR);
                self.synced[at..end].copy_from_slice(&self.content[at..end]);
            }
        } else {
            self.synced.copy_from_slice(&self.content);
        }
        self.unsynced.clear();
        self.lengths.clear();
    }

    /// Counts a call, and returns whether it happens and whether it succeeds.
    fn call(&mut self) -> (bool, io::Result<()>) {
        let off = || Err(io::Error::other("the power failed"));
        if self.is_off {
            return (false, off());
        }
        match &mut self.calls_left {
            Some(0) => {
                self.is_off = true;
                (self.last_happens, off())
            }
            Some(left) => {
                *left -= 1;
                (true, Ok(()))
            }
            None => (true, Ok(())),
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(len(&self.0.lock().content))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.0.lock();
        let offset = usize::try_from(offset).unwrap();
        let stored = state.content.get(offset..offset + out.len());
        out.copy_from_slice(stored.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.0.lock();
        if state.max_len.is_some_and(|max| len > max) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let (happens, result) = state.call();
        if happens {
            let len = usize::try_from(len).unwrap();
            state.content.resize(len, 0);
            state.lengths.push(len);
        }
        result
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.0.lock();
        if state.sync_fails {
            return Err(io::Error::other("the sync failed"));
        }
        let (happens, result) = state.call();
        if happens {
            state.sync();
        }
        result
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.0.lock();
        let (happens, result) = state.call();
        if happens {
            let begin = usize::try_from(offset).unwrap();
            let end = begin + data.len();
            state.content[begin..end].copy_from_slice(data);
            for sector in begin / SECTOR..end.div_ceil(SECTOR) {
                let at = sector * SECTOR;
                let end = state.content.len().min(at + SECTOR);
                let version = state.content[at..end].to_vec();
                state.unsynced.entry(sector).or_default().push(version);
            }
        }
        result
    }
}

fn len(content: &[u8]) -> u64 {
    u64::try_from(content.len()).unwrap()
}
