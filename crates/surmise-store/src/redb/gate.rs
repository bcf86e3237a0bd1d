//! What keeps a file as it is until it is known to be ours.

use alloc::sync::Arc;
use core::{
    ops::Bound,
    sync::atomic::{AtomicBool, Ordering},
};
use std::io;

use ::redb::{BackendError, StorageBackend};
use parking_lot::Mutex;

/// Storage whose content stays as it is until the gate is opened.
///
/// redb writes to a file when it opens it, be it only that it has. What it writes while the gate is closed is kept in
/// memory, and read from there; it is written in the same order, with the same syncs, when the gate is opened, and
/// forgotten if it never is. It is little even if redb repairs a file that was not closed: the file's header, and which
/// of its pages are in use.
#[derive(Debug)]
pub(super) struct Gate<B> {
    storage: B,
    is_open: AtomicBool,
    held: Mutex<Vec<Change>>,
}

/// redb's end of a gate.
#[derive(Debug)]
pub(super) struct Gated<B>(Arc<Gate<B>>);

#[derive(Debug)]
enum Change {
    Write(u64, Vec<u8>),
    SetLen(u64),
    Sync,
}

impl<B: StorageBackend> Gate<B> {
    pub(super) fn new(storage: B) -> (Arc<Self>, Gated<B>) {
        let is_open = AtomicBool::new(false);
        let gate = Arc::new(Self { storage, is_open, held: Mutex::new(Vec::new()) });
        (Arc::clone(&gate), Gated(gate))
    }

    /// Does all that was held back, and holds back nothing from now on.
    pub(super) fn open(&self) -> io::Result<()> {
        let mut held = self.held.lock();
        for change in held.drain(..) {
            match change {
                Change::Write(offset, data) => self.storage.write(offset, &data)?,
                Change::SetLen(len) => self.storage.set_len(len)?,
                Change::Sync => self.storage.sync_data()?,
            }
        }
        self.is_open.store(true, Ordering::Release);
        Ok(())
    }

    /// Returns whether there is nothing in the storage.
    pub(super) fn is_empty(&self) -> io::Result<bool> {
        Ok(self.storage.len()? == 0)
    }

    fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Acquire)
    }

    /// Does a change, or holds it back.
    fn change(
        &self,
        change: impl FnOnce() -> Change,
        now: impl FnOnce(&B) -> io::Result<()>,
    ) -> io::Result<()> {
        if !self.is_open() {
            let mut held = self.held.lock();
            // It may have been opened while this waited for the lock.
            if !self.is_open() {
                held.push(change());
                return Ok(());
            }
        }
        now(&self.storage)
    }

    fn held_len(&self, held: &[Change]) -> io::Result<u64> {
        held.iter().try_fold(self.storage.len()?, |len, change| {
            Ok(match change {
                Change::Write(offset, data) => len.max(end(*offset, data)),
                Change::SetLen(len) => *len,
                Change::Sync => len,
            })
        })
    }
}

impl<B: StorageBackend> StorageBackend for Gated<B> {
    fn len(&self) -> io::Result<u64> {
        if self.0.is_open() {
            return self.0.storage.len();
        }
        self.0.held_len(&self.0.held.lock())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let gate = &*self.0;
        if gate.is_open() {
            return gate.storage.read(offset, out);
        }
        let held = gate.held.lock();
        if end(offset, out) > gate.held_len(&held)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        out.fill(0);
        let stored = clamp(gate.storage.len()?.saturating_sub(offset), out.len());
        if let Some(stored) = out.get_mut(..stored)
            && !stored.is_empty()
        {
            gate.storage.read(offset, stored)?;
        }
        for change in &*held {
            match change {
                Change::Write(at, data) => overlay(offset, out, *at, data),
                // What lies beyond is zero, should the storage grow again.
                Change::SetLen(len) => {
                    let kept = clamp(len.saturating_sub(offset), out.len());
                    out.get_mut(kept..).unwrap_or_default().fill(0);
                }
                Change::Sync => {}
            }
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.change(|| Change::SetLen(len), |storage| storage.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.change(|| Change::Sync, B::sync_data)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0
            .change(|| Change::Write(offset, data.to_vec()), |storage| storage.write(offset, data))
    }

    fn close(&self) -> io::Result<()> {
        self.0.storage.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.storage.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.0.storage.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.storage.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.storage.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.storage.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.storage.query_lock_range(start, end)
    }
}

/// Copies that part of `data`, which begins `at` an offset, that lies in `out`, which begins at another.
fn overlay(offset: u64, out: &mut [u8], at: u64, data: &[u8]) {
    let skipped = clamp(offset.saturating_sub(at), data.len());
    let begin = clamp(at.saturating_sub(offset), out.len());
    let data = data.get(skipped..).unwrap_or_default();
    let out = out.get_mut(begin..).unwrap_or_default();
    for (out, byte) in out.iter_mut().zip(data) {
        *out = *byte;
    }
}

fn end(offset: u64, data: &[u8]) -> u64 {
    offset.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX))
}

fn clamp(len: u64, max: usize) -> usize {
    usize::try_from(len).map_or(max, |len| len.min(max))
}

#[cfg(test)]
mod tests {
    use ::redb::backends::InMemoryBackend;
    use quickcheck::quickcheck;

    use super::*;

    fn content(storage: &impl StorageBackend) -> Vec<u8> {
        let mut content = vec![0xAA; usize::try_from(storage.len().unwrap()).unwrap()];
        storage.read(0, &mut content).unwrap();
        content
    }

    fn filled(content: &[u8]) -> InMemoryBackend {
        let storage = InMemoryBackend::new();
        storage.set_len(u64::try_from(content.len()).unwrap()).unwrap();
        storage.write(0, content).unwrap();
        storage
    }

    quickcheck! {
        fn what_is_held_back_is_read_and_done_as_if_it_were_not(
            before: Vec<u8>, changes: Vec<(u8, Option<Vec<u8>>)>, from: u8
        ) -> bool {
            let plain = filled(&before);
            let (gate, gated) = Gate::new(filled(&before));
            let matches = |gated: &Gated<InMemoryBackend>| {
                let (expected, from) = (content(&plain), usize::from(from).min(content(&plain).len()));
                let mut tail = vec![0xAA; expected.len() - from];
                gated.read(u64::try_from(from).unwrap(), &mut tail).unwrap();
                content(gated) == expected && tail == expected[from..]
                    && gated.read(plain.len().unwrap(), &mut [0]).is_err()
            };
            for (at, data) in changes {
                match data {
                    // redb writes within the length only.
                    Some(data) if u64::from(at) + u64::try_from(data.len()).unwrap() <= plain.len().unwrap() => {
                        plain.write(at.into(), &data).unwrap();
                        gated.write(at.into(), &data).unwrap();
                    }
                    Some(_) => gated.sync_data().unwrap(),
                    None => {
                        plain.set_len(at.into()).unwrap();
                        gated.set_len(at.into()).unwrap();
                    }
                }
                if !matches(&gated) {
                    return false;
                }
            }
            let untouched = content(&gate.storage) == before;
            gate.open().unwrap();
            untouched && matches(&gated) && content(&gate.storage) == content(&plain)
        }
    }

    /// Notes what is asked of it.
    #[derive(Debug, Default)]
    struct Notes(Mutex<Vec<String>>);

    impl StorageBackend for Notes {
        fn len(&self) -> io::Result<u64> {
            Ok(0)
        }

        fn read(&self, _: u64, _: &mut [u8]) -> io::Result<()> {
            Ok(())
        }

        fn set_len(&self, len: u64) -> io::Result<()> {
            self.0.lock().push(format!("length {len}"));
            Ok(())
        }

        fn sync_data(&self) -> io::Result<()> {
            self.0.lock().push("sync".to_owned());
            Ok(())
        }

        fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
            self.0.lock().push(format!("{data:?} at {offset}"));
            Ok(())
        }
    }

    #[test]
    fn what_was_held_back_is_done_in_its_order_with_its_syncs() {
        let (gate, gated) = Gate::new(Notes::default());
        gated.set_len(9).unwrap();
        gated.write(8, &[1]).unwrap();
        gated.sync_data().unwrap();
        gated.write(7, &[2]).unwrap();
        gated.sync_data().unwrap();
        assert!(gate.storage.0.lock().is_empty());
        gate.open().unwrap();
        let expected = ["length 9", "[1] at 8", "sync", "[2] at 7", "sync"];
        assert_eq!(*gate.storage.0.lock(), expected);
    }

    #[test]
    fn an_open_gate_holds_nothing_back() {
        let (gate, gated) = Gate::new(filled(b"before"));
        gate.open().unwrap();
        gated.write(0, b"after!").unwrap();
        assert_eq!(content(&gate.storage), b"after!");
    }
}
