//! Fenced writes that reach the disk, by some writers who each wait for one before the next: how many a second, and
//! how long each takes.
//!
//! `RedbStore` has the writes of all that wait share a transaction and a sync. Beside it, the same check and
//! write in a transaction of redb for each, as one would do it by hand. Time is that of one disk; what is compared must have
//! been measured on the same.

use alloc::{sync::Arc, task::Wake};
use core::{
    future::Future,
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll, Waker},
    time::Duration,
};
use std::{
    path::Path,
    sync::Barrier,
    thread::{self, Thread},
};

use hdrhistogram::Histogram;
use redb::{Database, ReadableTable as _, TableDefinition};
use surmise_fence::{FencingToken, Pass};
use surmise_store::{
    FencedStore, Outcome,
    redb::{RedbConfig, RedbStore},
};
use surmise_time::{MonotonicClock as _, OsClock};

use crate::Made;

/// Keeps values behind a fence, on a disk.
pub trait Contender: Sync + Sized {
    /// What it is called.
    const NAME: &'static str;

    /// Opens a new file.
    ///
    /// # Errors
    ///
    /// If it cannot be created.
    fn open(path: &Path) -> Made<Self>;

    /// Writes a value with a token, which is not stale, and waits until it is durable.
    ///
    /// # Errors
    ///
    /// If it is not.
    fn write(&self, key: &[u8], value: &[u8], token: FencingToken) -> Made<()>;
}

/// What was measured of a contender.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Measured {
    /// Writes in a second.
    pub per_second: f64,
    /// How long half of the writes took at most.
    pub p50: Duration,
    /// How long all but a hundredth of the writes took at most.
    pub p99: Duration,
}

/// Has writers write to a new file in a directory for some time, each to a hundred keys of its own, 100 bytes each.
///
/// # Errors
///
/// If a write is not done.
pub fn measure<C: Contender>(directory: &Path, writers: u8, time: Duration) -> Made<Measured> {
    let folder = tempfile::tempdir_in(directory)?;
    let contender = C::open(&folder.path().join("store"))?;
    let (is_over, begin) = (AtomicBool::new(false), Barrier::new(usize::from(writers) + 1));
    let (spent, histogram) = thread::scope(|scope| {
        let writers: Vec<_> = (0..writers)
            .map(|writer| {
                let (contender, is_over, begin) = (&contender, &is_over, &begin);
                scope.spawn(move || {
                    begin.wait();
                    write(contender, writer, is_over).map_err(|error| error.to_string())
                })
            })
            .collect();
        begin.wait();
        let before = OsClock.now();
        let left = || time.saturating_sub(OsClock.now() - before);
        // It can return early, for any reason.
        while !left().is_zero() {
            thread::park_timeout(left());
        }
        is_over.store(true, Ordering::Relaxed);
        let mut all = Histogram::new(3)?;
        for writer in writers {
            all.add(writer.join().map_err(|_| "a writer panicked")??)?;
        }
        Made::Ok((OsClock.now() - before, all))
    })?;
    let quantile = |quantile| Duration::from_nanos(histogram.value_at_quantile(quantile));
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let per_second = histogram.len() as f64 / spent.as_secs_f64();
    Ok(Measured { per_second, p50: quantile(0.5), p99: quantile(0.99) })
}

fn write(contender: &impl Contender, writer: u8, is_over: &AtomicBool) -> Made<Histogram<u64>> {
    let mut histogram = Histogram::new(3)?;
    for number in (0..100_u8).cycle() {
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        let before = OsClock.now();
        contender.write(&[writer, number], &[number; 100], FencingToken::first(1))?;
        let taken = OsClock.now() - before;
        histogram.record(u64::try_from(taken.as_nanos())?)?;
    }
    Ok(histogram)
}

/// `RedbStore`: a transaction for all that wait.
impl Contender for RedbStore {
    const NAME: &'static str = "surmise-store";

    fn open(path: &Path) -> Made<Self> {
        Ok(Self::open(path, RedbConfig::default())?)
    }

    fn write(&self, key: &[u8], value: &[u8], token: FencingToken) -> Made<()> {
        match wait(FencedStore::write(self, "ledger", key, value, token))? {
            Outcome::Applied => Ok(()),
            other => Err(format!("{other:?}").into()),
        }
    }
}

/// `RedbStore` for threads that may be blocked: who is alone writes.
#[derive(Debug)]
pub struct InCaller(RedbStore);

impl Contender for InCaller {
    const NAME: &'static str = "surmise-store, in caller";

    fn open(path: &Path) -> Made<Self> {
        let config = RedbConfig { write_in_caller: true, ..RedbConfig::default() };
        Ok(Self(RedbStore::open(path, config)?))
    }

    fn write(&self, key: &[u8], value: &[u8], token: FencingToken) -> Made<()> {
        Contender::write(&self.0, key, value, token)
    }
}

/// redb by hand: a transaction for each write.
#[derive(Debug)]
pub struct TransactionEach(Database);

const FLOORS: TableDefinition<'_, &str, &[u8; 32]> = TableDefinition::new("floors");
type Row = (&'static [u8; 32], &'static [u8]);
const ENTRIES: TableDefinition<'_, (&str, &[u8]), Row> = TableDefinition::new("entries");

impl Contender for TransactionEach {
    const NAME: &'static str = "redb, a transaction each";

    fn open(path: &Path) -> Made<Self> {
        Ok(Self(Database::create(path)?))
    }

    fn write(&self, key: &[u8], value: &[u8], token: FencingToken) -> Made<()> {
        let pass = Pass::from(token);
        let transaction = self.0.begin_write()?;
        {
            let floors = transaction.open_table(FLOORS)?;
            let floor =
                floors.get("ledger")?.map(|row| Pass::from_bytes(*row.value())).transpose()?;
            pass.check_floor(floor).map_err(|refusal| refusal.to_string())?;
            let mut entries = transaction.open_table(ENTRIES)?;
            let last = entries.get(("ledger", key))?;
            let last = last.map(|row| Pass::from_bytes(*row.value().0)).transpose()?;
            pass.check(last).map_err(|refusal| refusal.to_string())?;
            entries.insert(("ledger", key), (&pass.to_bytes(), value))?;
        }
        Ok(transaction.commit()?)
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn wait<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
