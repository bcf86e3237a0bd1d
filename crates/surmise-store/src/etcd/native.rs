//! What leases and executions are made of alike: etcd's own leases, and transactions that count.

use core::time::Duration;

use serde_json::json;

use super::{
    client::Client,
    wire::{LeaseGrantAnswer, TimeToLiveAnswer, Txn, TxnAnswer},
};
use crate::{BoxError, StoreError};

/// What a transaction that counts came to.
#[derive(Debug)]
pub(super) enum Committed {
    /// Its compares held; this is its revision.
    Done(u64),
    /// They did not.
    Not,
    Lost(BoxError),
}

/// How often it is tried again if others are quicker. Each time, one of them succeeded.
pub(super) const TRIES: u32 = 16;

impl Client {
    /// Begins a lease of etcd, which lasts for what is asked or longer. If nobody hears of it, it ends by itself.
    pub(super) async fn begin_lease(&self, seconds: u64) -> Result<LeaseGrantAnswer, StoreError> {
        let body = json!({"TTL": seconds.to_string()});
        let lease: LeaseGrantAnswer = self.anyone("/v3/lease/grant", &body).await?;
        if lease.id == 0 || lease.ttl == 0 {
            return Err(StoreError::Unavailable {
                store: self.name().to_owned(),
                source: format!("it granted a lease that is none: {lease:?}").into(),
            });
        }
        Ok(lease)
    }

    /// Ends a lease of etcd that has no key any more. If that fails, it ends by itself.
    pub(super) async fn end_lease(&self, lease: u64) {
        let body = json!({"ID": lease.to_string()});
        _ = self.once::<serde_json::Value>("/v3/lease/revoke", &body).await;
    }

    /// Returns for how many seconds a lease of etcd still lasts, and for how many it was granted.
    pub(super) async fn time_to_live(&self, lease: u64) -> Result<TimeToLiveAnswer, StoreError> {
        let body = json!({"ID": lease.to_string()});
        self.anyone("/v3/lease/timetolive", &body).await
    }

    /// Runs a transaction that is to be done once.
    pub(super) async fn commit(&self, txn: Txn) -> Result<Committed, StoreError> {
        match self.once::<TxnAnswer>("/v3/kv/txn", &txn).await {
            Ok(answer) if answer.succeeded => Ok(Committed::Done(answer.header.revision)),
            Ok(_) => Ok(Committed::Not),
            Err(failed) => failed.telling(self.name()).map(Committed::Lost),
        }
    }

    pub(super) fn contended(&self) -> StoreError {
        StoreError::Unavailable {
            store: self.name().to_owned(),
            source: format!("others were quicker {TRIES} times").into(),
        }
    }
}

/// Returns a time in the seconds that etcd counts in, rounded up.
pub(super) fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}
