//! Disks that are full, or whose syncs fail; and files that are not ours.

use super::{super::RedbStore, *};
use crate::{FencedStore, LeaseStore};

/// Waits for a future in this thread: the stores need no runtime.
fn wait<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl alloc::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = core::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

fn store(disk: &Disk) -> Result<RedbStore, StoreError> {
    let database = file::open_storage(disk.clone(), &CONFIG, "test")?;
    RedbStore::over(database, &CONFIG, "test".to_owned())
}

fn created() -> Disk {
    let disk = Disk::default();
    file::initialise(disk.clone(), &CONFIG, 1, "test").unwrap().close().unwrap();
    disk
}

fn token(counter: u64) -> FencingToken {
    FencingToken::new(1, NonZeroU64::new(counter).unwrap())
}

fn asks_to_be_opened_again<T: core::fmt::Debug>(result: Result<T, StoreError>) {
    match result {
        Err(StoreError::Unusable { remedy, .. }) => {
            assert!(remedy.contains("open it again"), "{remedy}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn after_a_sync_that_failed_the_store_does_nothing_before_it_is_opened_again() {
    let disk = created();
    let store = store(&disk).unwrap();
    assert!(wait(store.write("ledger", b"a", b"1", token(2))).unwrap().is_done());
    disk.fail_syncs(true);
    let lost = wait(store.write("ledger", b"a", b"2", token(3))).unwrap();
    assert!(matches!(lost, Outcome::Indeterminate(_)), "{lost:?}");
    disk.fail_syncs(false);
    asks_to_be_opened_again(wait(store.write("ledger", b"a", b"3", token(3))));
    asks_to_be_opened_again(wait(store.read("ledger", b"a")));
    asks_to_be_opened_again(wait(store.advance_epoch()));
    let request = LeaseRequest::new("ledger", "me", 7, Duration::from_secs(1)).unwrap();
    asks_to_be_opened_again(wait(store.grant(request)));
    drop(store);

    for disk in [disk.after_kill(), disk.after_power_loss(&mut Rng::with_seed(1))] {
        let store = self::store(&disk).unwrap();
        let value = wait(store.read("ledger", b"a")).unwrap().unwrap().value.unwrap();
        assert!(value == b"1" || value == b"2", "{value:?}");
        assert!(wait(store.write("ledger", b"a", b"4", token(3))).unwrap().is_done());
    }
}

#[test]
fn a_refused_write_in_a_batch_whose_sync_fails_did_not_happen() {
    let disk = created();
    let database = file::open_storage(disk.clone(), &CONFIG, "test").unwrap();
    let shared = Arc::new(Shared::new(database, "test".to_owned()));
    let mut engine = Engine::new(shared, &CONFIG, Reading::at(Instant::ORIGIN)).unwrap();
    let write = |counter| {
        let change = Change::new("ledger", b"a", Some(b"1"), token(counter).into());
        ask(Write::from(change.unwrap()))
    };
    let ((first, applied), (second, refused)) = (write(2), write(1));
    disk.fail_syncs(true);
    engine.run(vec![first, second], Reading::at(Instant::ORIGIN)).send();
    assert!(matches!(wait(applied), Some(Ok(Outcome::Indeterminate(_)))));
    asks_to_be_opened_again(wait(refused).unwrap());
}

#[test]
fn a_full_disk_loses_nothing_and_is_said_to_be_full() {
    let disk = created();
    let store = store(&disk).unwrap();
    let value = vec![7; 200_000];
    disk.limit(Some(disk.size() + 500_000));
    let mut applied = 0_u64;
    let end = loop {
        match wait(store.write("ledger", &applied.to_be_bytes(), &value, token(1))) {
            Ok(Outcome::Applied) => applied += 1,
            other => break other,
        }
    };
    assert!(matches!(end, Ok(Outcome::Indeterminate(_)) | Err(_)), "{end:?}");
    asks_to_be_opened_again(wait(store.write("ledger", b"small", b"", token(1))));
    drop(store);

    let disk = disk.after_power_loss(&mut Rng::with_seed(2));
    let store = self::store(&disk).unwrap();
    for key in 0..applied {
        let entry = wait(store.read("ledger", &key.to_be_bytes())).unwrap().unwrap();
        assert_eq!(entry.value.as_deref(), Some(&*value), "{key} of {applied}");
    }
    let unsure = wait(store.read("ledger", &applied.to_be_bytes())).unwrap();
    assert!(unsure.is_none_or(|entry| entry.value.as_deref() == Some(&*value)));
    assert!(wait(store.write("ledger", b"small", b"", token(1))).unwrap().is_done());
}

#[test]
fn a_file_that_is_not_ours_stays_as_it_is() {
    let ours = created().content();
    let mut damaged = ours.clone();
    let middle = damaged.len() / 2;
    damaged[4096..middle].fill(0x5A);
    let text = b"not a database at all".repeat(1000);
    for content in [text, ours[..5000].to_vec(), ours[..7].to_vec(), damaged, Vec::new()] {
        let disk = Disk::with(content.clone());
        let error = store(&disk).unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
        assert_eq!(disk.content(), content);
    }
}

#[test]
fn a_flipped_byte_is_an_error_or_does_not_matter() {
    let disk = created();
    let store = store(&disk).unwrap();
    for key in 0..50_u8 {
        assert!(wait(store.write("ledger", &[key], &[key; 300], token(1))).unwrap().is_done());
    }
    store.close().unwrap();
    let content = disk.content();
    let mut rng = Rng::with_seed(3);
    let mut errors = 0;
    for _ in 0..60 {
        let mut flipped = content.clone();
        flipped[rng.usize(..content.len().min(60_000))] ^= 1 << rng.u8(..8);
        let disk = Disk::with(flipped.clone());
        match self::store(&disk) {
            Ok(store) => {
                for key in 0..50 {
                    let entry = wait(store.read("ledger", &[key])).unwrap().unwrap();
                    assert_eq!(entry.value, Some(vec![key; 300]));
                }
            }
            Err(StoreError::Corrupt { .. }) => {
                errors += 1;
                assert_eq!(disk.content(), flipped);
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!(errors > 10, "{errors}");
}

#[test]
fn another_format_is_refused_and_stays_as_it_is() {
    use ::redb::TableDefinition;
    let written = |version: Option<u64>| {
        let disk = Disk::default();
        let database = file::empty(disk.clone(), &CONFIG, "test").unwrap();
        let transaction = database.begin_write().unwrap();
        const FORMAT: TableDefinition<'_, (), u64> = TableDefinition::new("surmise.format");
        const OTHER: TableDefinition<'_, u64, u64> = TableDefinition::new("somebody's");
        transaction.open_table(OTHER).unwrap().insert(1, 1).unwrap();
        if let Some(version) = version {
            transaction.open_table(FORMAT).unwrap().insert((), version).unwrap();
        }
        transaction.commit().unwrap();
        database.close().unwrap();
        disk
    };
    for (version, is_newer) in [(None, false), (Some(0), false), (Some(1), false), (Some(2), true)]
    {
        let disk = written(version);
        let before = disk.content();
        match store(&disk).unwrap_err() {
            StoreError::Unusable { remedy, .. } => assert!(is_newer && remedy.contains("newer")),
            StoreError::Corrupt { .. } => assert!(!is_newer),
            other => panic!("{other}"),
        }
        assert_eq!(disk.content(), before);
    }
}

/// The disk of a backup is not the store's.
#[test]
fn a_backup_that_does_not_fit_is_blamed_on_its_own_disk() {
    let store = store(&created()).unwrap();
    for key in 0..8_u8 {
        let written = wait(store.write("ledger", &[key], &vec![7; 500_000], token(1)));
        assert!(written.unwrap().is_done());
    }
    let theirs = Disk::default();
    let database = file::empty(theirs.clone(), &CONFIG, "the backup").unwrap();
    theirs.limit(Some(theirs.size()));
    let error = store.copy(&database, "the backup").unwrap_err();
    assert!(error.to_string().starts_with("the backup "), "{error}");
    assert!(wait(store.write("ledger", b"a", b"2", token(1))).unwrap().is_done());
}
