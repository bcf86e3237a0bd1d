//! What the tests of executions in etcd ask for.

#![expect(clippy::unwrap_used, reason = "what is not as expected is a failure of the test")]
#![allow(dead_code, reason = "each test uses some of it")]
#![allow(clippy::allow_attributes, reason = "there is no telling which")]

use core::time::Duration;

use surmise_idempotency::{Fingerprint, Key};
use surmise_store::{
    Claim, Claimed, IdempotencyStore, Settled, StoreError, Terms, Ticket, etcd::EtcdStore,
};
use tokio::time::sleep;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) fn key(name: &str) -> Key {
    Key::new("tenant", "charge", name).unwrap()
}

pub(crate) async fn claim(store: &EtcdStore, name: &str, nonce: u64, terms: Terms) -> Claimed {
    let key = key(name);
    store.claim(Claim::new(&key, Fingerprint::NONE, nonce, terms).unwrap()).await.unwrap()
}

pub(crate) async fn execute(store: &EtcdStore, name: &str, nonce: u64, terms: Terms) -> Ticket {
    match claim(store, name, nonce, terms).await {
        Claimed::Execute(ticket) => ticket,
        other => panic!("{other:?}"),
    }
}

/// Takes over, once the lease of another is over.
pub(crate) async fn recover(store: &EtcdStore, name: &str, nonce: u64, terms: Terms) -> Ticket {
    loop {
        match claim(store, name, nonce, terms).await {
            Claimed::Recover(ticket) => return ticket,
            Claimed::InFlight { retry_after } => sleep(retry_after).await,
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) async fn replayed(store: &EtcdStore, name: &str) -> Vec<u8> {
    match claim(store, name, u64::MAX, Terms::default()).await {
        Claimed::Replay(result) => result,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn done(settled: Result<Settled, StoreError>) {
    assert!(matches!(settled, Ok(Settled::Done)), "{settled:?}");
}

pub(crate) fn lost(settled: Result<Settled, StoreError>) {
    assert!(matches!(settled, Ok(Settled::Indeterminate(_))), "{settled:?}");
}
