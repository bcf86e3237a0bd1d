//! Executions: a record for each key, which lives as long as a lease of etcd.
//!
//! Whoever claims or settles reads the record, and puts the next one in its place if it did not change in the meantime.
//! Each change but a checkpoint is under a new lease of etcd, whose time begins then, for the same reason as a renewal of
//! [leases](super::lease): what a majority wrote, no leader ends before its time.
//!
//! A token is the revision of the transaction that claimed the key, and so is known only once that was done: a late one,
//! that nobody waits for any more, has a later token than all that were done before it, even if it finds a key that was
//! forgotten in between. A number that was read before would not do.

mod kept;

use core::{num::NonZeroU64, time::Duration};

use surmise_fence::FencingToken;
use surmise_idempotency::Key;
use surmise_time::Instant;

use self::kept::{Kept, Origin};
use super::{
    client::Client,
    keys::Keys,
    native::{Committed, TRIES, seconds},
    open::{check_epoch, values},
    wire::{Compare, Is, Op, Txn},
};
use crate::{
    Claim, Claimed, Settled, Settlement, StoreError, Ticket,
    idempotency_store::{Next, Record, State as RecordState, Verb},
};

/// The executions of one store.
#[derive(Debug)]
pub(super) struct Executions<'a> {
    pub(super) client: &'a Client,
    pub(super) keys: &'a Keys,
}

/// What there is to be changed.
#[derive(Debug)]
struct State {
    key: Vec<u8>,
    epoch: u64,
    kept: Option<Kept>,
}

impl Executions<'_> {
    pub(super) async fn claim(&self, claim: Claim<'_>) -> Result<Claimed, StoreError> {
        for _ in 0..TRIES {
            let state = self.state(claim.key()).await?;
            let is_timed = |kept: &Kept| kept.is_in_flight() || kept.outlasts_its_record();
            let Some(now) = self.now(&state, is_timed).await? else { continue };
            let record = state.kept.as_ref().map(|kept| kept.record.clone());
            // Which token it is, the transaction says.
            let unknown = FencingToken::first(state.epoch);
            let (claimed, next) = Record::claim(record, claim, unknown, now);
            let Next::Changed(record) = next else { return Ok(claimed) };
            let epoch = state.epoch;
            match self.begin(state, (record, now), Origin::Claim).await? {
                Committed::Done(revision) => {
                    let Some(counter) = NonZeroU64::new(revision) else {
                        let none = "it says that nothing was ever written";
                        return Ok(Claimed::Indeterminate(self.client.lost(none)));
                    };
                    return Ok(claimed.with_token(FencingToken::new(epoch, counter)));
                }
                Committed::Not => {}
                Committed::Lost(error) => {
                    return Ok(Claimed::Indeterminate(self.client.lost(error)));
                }
            }
        }
        Err(self.client.contended())
    }

    pub(super) async fn settle(
        &self,
        ticket: &Ticket,
        settlement: Settlement<'_>,
    ) -> Result<Settled, StoreError> {
        for _ in 0..TRIES {
            let state = self.state(ticket.key()).await?;
            // In flight, it is not forgotten: that would be for a claim to say, which then changes it.
            let is_timed = |kept: &Kept| !kept.is_in_flight() && kept.outlasts_its_record();
            let Some(now) = self.now(&state, is_timed).await? else { continue };
            let record = state.kept.as_ref().map(|kept| kept.record.clone());
            let (settled, next) = Record::settle(record, ticket, settlement, now);
            let Next::Changed(record) = next else { return Ok(settled) };
            let committed = match (settlement.0, &record.state) {
                (Verb::Save { .. }, _) => self.save(state, record).await?,
                // What is given back keeps its time, and only its lease is over, at any age.
                (Verb::Release, RecordState::InFlight { .. }) => self.save(state, record).await?,
                _ => self.begin(state, (record, now), Origin::Earlier).await?,
            };
            match committed {
                Committed::Done(_) => return Ok(settled),
                Committed::Not => {}
                Committed::Lost(error) => {
                    return Ok(Settled::Indeterminate(self.client.lost(error)));
                }
            }
        }
        Err(self.client.contended())
    }

    async fn state(&self, key: &Key) -> Result<State, StoreError> {
        let key = self.keys.execution(key);
        let read =
            Txn { then: vec![Op::Get(self.keys.epoch()), Op::Get(key.clone())], ..Txn::default() };
        let [epoch, found] = values(self.client.anyone("/v3/kv/txn", &read).await?);
        let epoch = check_epoch(self.client, self.keys, epoch.as_ref())?;
        let kept = match found {
            Some(found) => Some(
                Kept::new(&found)
                    .ok_or_else(|| self.client.corrupt(&key, "the record of a request"))?,
            ),
            None => None,
        };
        Ok(State { key, epoch, kept })
    }

    /// Returns the time that a record is to be judged by, in which its lease of etcd began at the origin; or none, if
    /// that is over by now, and the record gone.
    ///
    /// The age of the lease is asked for only if it counts. Else the record is there, and so is not to be forgotten yet.
    async fn now(
        &self,
        state: &State,
        is_timed: impl Fn(&Kept) -> bool,
    ) -> Result<Option<Instant>, StoreError> {
        let Some(kept) = state.kept.as_ref().filter(|kept| is_timed(kept)) else {
            return Ok(Some(Instant::ORIGIN));
        };
        let left = self.client.time_to_live(kept.lease).await?;
        if left.granted == 0 {
            return Ok(None);
        }
        // What is left is rounded down; and a leader that has just been elected may say that it is more than ever.
        let age = left.granted.saturating_sub(left.ttl.saturating_add(1));
        Ok(Some(Instant::ORIGIN + Duration::from_secs(age)))
    }

    /// Puts a record under a new lease of etcd in the place of another, unless that changed in the meantime.
    async fn begin(
        &self,
        state: State,
        (record, now): (Record, Instant),
        origin: Origin,
    ) -> Result<Committed, StoreError> {
        let record = kept::beginning_at(record, now);
        let lasts = seconds(record.forgotten_at - Instant::ORIGIN);
        let lease = self.client.begin_lease(lasts).await?;
        let before = state.kept.as_ref().map(|kept| kept.lease);
        let value = kept::to_bytes(&record, lease.ttl, origin);
        let committed = self.client.commit(state.put(value, lease.id, self.keys)).await;
        match &committed {
            // Else each change would leave one behind for its whole time, which may be a year.
            Ok(Committed::Done(_)) => {
                if let Some(before) = before {
                    self.client.end_lease(before).await;
                }
            }
            Ok(Committed::Not) | Err(_) => self.client.end_lease(lease.id).await,
            // It may have the record, or come to have it.
            Ok(Committed::Lost(_)) => {}
        }
        committed
    }

    /// Puts a record in the place of another under the same lease of etcd, whose time goes on.
    async fn save(&self, state: State, record: Record) -> Result<Committed, StoreError> {
        let Some(Kept { lease, ttl, .. }) = state.kept else { return Ok(Committed::Not) };
        let value = kept::to_bytes(&record, ttl, Origin::Earlier);
        self.client.commit(state.put(value, lease, self.keys)).await
    }
}

impl State {
    /// Returns the transaction that writes a key, unless it or the epoch changed since they were read.
    fn put(self, value: Vec<u8>, lease: u64, keys: &Keys) -> Txn {
        // What is not there was never modified.
        let modified_at = self.kept.map_or(0, |kept| kept.modified_at);
        Txn {
            compares: vec![
                Compare::new(&self.key, Is::ModifiedAt(modified_at)),
                Compare::new(&keys.epoch(), Is::Equal(self.epoch.to_be_bytes().to_vec())),
            ],
            then: vec![Op::Put { key: self.key, value, lease }],
            otherwise: Vec::new(),
        }
    }
}
