//! The store in a file, as its users see it: alone and in many threads, until it is closed.

#![cfg(feature = "redb")]
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]
#![expect(
    clippy::std_instead_of_alloc,
    reason = "this keeps libraries honest that do without std; a test has it"
)]

mod support {
    pub(crate) mod redb;
    #[cfg(feature = "conformance")]
    pub(crate) mod soak;
    pub(crate) mod wait;
}

use core::{
    future::Future,
    task::{Context, Poll, Waker},
    time::Duration,
};
use std::{pin::pin, sync::Arc, thread};

use surmise_fence::Pass;
use surmise_store::{
    FencedStore, LeaseStore, Outcome, StoreError,
    redb::{RedbConfig, RedbStore},
};

use self::support::{
    redb::{Folder, token, value, write},
    wait::wait,
};

const IN_CALLER: RedbConfig = RedbConfig {
    create: true,
    verify: true,
    write_in_caller: true,
    lock_delay: Duration::ZERO,
    max_leases: core::num::NonZeroUsize::new(100).unwrap(),
    max_executions: core::num::NonZeroU64::new(1000).unwrap(),
    max_waiting_bytes: 1 << 20,
    cache_bytes: 1 << 20,
};

#[cfg(feature = "conformance")]
mod conforms {
    use surmise_store::conformance;

    use super::{support::soak::RealTime, *};

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn it_conforms() {
        conforms(RedbConfig::default()).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn so_it_does_where_callers_write() {
        conforms(IN_CALLER).await;
    }

    async fn conforms(config: RedbConfig) {
        let folder = Folder::new();
        let store = RedbStore::open(folder.path("store"), config).unwrap();
        conformance::run(&store, &RealTime)
            .await
            .unwrap_or_else(|violations| panic!("{violations}"));
    }
}

#[test]
fn closing_answers_all_and_refuses_the_rest() {
    let folder = Folder::new();
    let store = Arc::new(folder.open("store").unwrap());
    let keys: Vec<[u8; 1]> = (0..100).map(|key| [key]).collect();
    let mut pending: Vec<_> =
        keys.iter().map(|key| Box::pin(store.write("ledger", key, b"1", token(1, 1)))).collect();
    // Polled once, each waits for the disk, or was fast.
    let mut context = Context::from_waker(Waker::noop());
    let polled: Vec<_> =
        pending.iter_mut().map(|future| future.as_mut().poll(&mut context)).collect();
    store.close().unwrap();
    store.close().unwrap();
    for (future, polled) in pending.into_iter().zip(polled) {
        let outcome = match polled {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => wait(future),
        };
        assert!(matches!(outcome, Ok(Outcome::Applied)), "{outcome:?}");
    }
    for error in [
        wait(store.write("ledger", b"a", b"2", token(1, 1))).unwrap_err(),
        wait(store.read("ledger", b"a")).unwrap_err(),
        wait(store.advance_epoch()).unwrap_err(),
    ] {
        assert!(
            matches!(&error, StoreError::Unusable { remedy, .. } if remedy.contains("open")),
            "{error}"
        );
    }
    let store = folder.open("store").unwrap();
    for key in &keys {
        assert_eq!(value(&store, key), Some(b"1".to_vec()));
    }
}

#[test]
fn of_many_threads_each_reads_what_it_wrote() {
    let folder = Folder::new();
    many_threads_write(&folder.open("store").unwrap());
}

#[test]
fn so_it_does_where_callers_write() {
    let folder = Folder::new();
    let store = RedbStore::open(folder.path("store"), IN_CALLER).unwrap();
    many_threads_write(&store);
    store.close().unwrap();
    let written = wait(store.write("ledger", b"a", b"1", token(1, 2)));
    assert!(matches!(written, Err(StoreError::Unusable { .. })), "{written:?}");
}

#[test]
fn a_caller_that_writes_has_its_answer_at_once() {
    let folder = Folder::new();
    let store = RedbStore::open(folder.path("store"), IN_CALLER).unwrap();
    for value in [b"1", b"2", b"3"] {
        let mut future = pin!(store.write("ledger", b"a", value, token(1, 1)));
        assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
    }
}

fn many_threads_write(store: &RedbStore) {
    const WRITES: u64 = 100;
    thread::scope(|scope| {
        for thread in 0..8_u8 {
            scope.spawn(move || {
                for sequence in 1..=WRITES {
                    let pass = Pass::from(token(1, 1)).with_sequence(sequence);
                    let value = sequence.to_be_bytes();
                    let written = wait(store.write("ledger", &[thread], &value, pass)).unwrap();
                    assert!(matches!(written, Outcome::Applied), "{written:?}");
                    assert_eq!(self::value(store, &[thread]), Some(value.to_vec()));
                }
            });
        }
    });
    assert!(wait(store.raise("ledger", token(1, 2))).unwrap().is_done());
    assert!(matches!(write(store, &[0], b"late", token(1, 1)), Outcome::Stale { .. }));
}

#[test]
fn the_last_owner_can_be_dropped_by_its_own_waker() {
    struct Owner(parking_lot::Mutex<Option<Arc<RedbStore>>>);
    impl std::task::Wake for Owner {
        fn wake(self: Arc<Self>) {
            self.0.lock().take();
        }
    }
    let folder = Folder::new();
    let store = Arc::new(folder.open("store").unwrap());
    let owner = Arc::new(Owner(parking_lot::Mutex::new(None)));
    let waker = Waker::from(Arc::clone(&owner));
    let theirs = Arc::clone(&store);
    *owner.0.lock() = Some(store);
    // Something else owns the future, and only borrows from what the waker drops.
    let task = thread::spawn(move || {
        let mut future = pin!(theirs.write("ledger", b"a", b"1", token(1, 1)));
        future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()
    });
    assert!(task.join().unwrap());
    drop(owner);
    let opened = || folder.open("store").ok();
    let store = loop {
        match opened() {
            Some(store) => break store,
            None => thread::yield_now(),
        }
    };
    assert!(matches!(value(&store, b"a").as_deref(), None | Some(b"1")));
}
