//! Leases: a key that lives as long as a lease of etcd.
//!
//! None of etcd's leases is ever kept alive. A keepalive is answered by the member that takes itself for the leader,
//! without asking the others; and a leader that was deposed while its disk hung goes on to answer, and to end
//! leases that the next one kept alive (etcd issues 12528 and 15247, and pull request 16822). A lease that is granted,
//! instead, is written by a majority, and no leader ends it before its time. So a renewal is a new lease of
//! etcd for the same key, whose revision of creation, the token, stays as it was.

use core::{num::NonZeroU64, time::Duration};

use surmise_fence::{FencingToken, Grant};
use surmise_time::{OsWallClock, WallClock as _};

use super::{
    client::Client,
    keys::Keys,
    native::{Committed, TRIES, seconds},
    open::{check_epoch, values},
    record::Holder,
    wire::{Compare, Is, KeyValue, Op, Txn},
};
use crate::{Extended, Granted, Holding, LeaseRequest, Resource, Revoked, StoreError, Ttl, epoch};

/// The leases of one store.
#[derive(Debug)]
pub(super) struct Leases<'a> {
    pub(super) client: &'a Client,
    pub(super) keys: &'a Keys,
}

/// What is known of a resource.
#[derive(Debug)]
struct State {
    epoch: u64,
    held: Option<Held>,
}

/// The key of a lease.
#[derive(Debug)]
struct Held {
    token: FencingToken,
    modified_at: u64,
    lease: u64,
    holder: Holder,
}

impl Leases<'_> {
    pub(super) async fn grant(&self, request: LeaseRequest<'_>) -> Result<Granted, StoreError> {
        let resource = request.resource();
        for _ in 0..TRIES {
            let State { epoch, held } = self.state(resource).await?;
            let Some(held) = held else {
                match self.create(request, epoch).await? {
                    Some(granted) => return Ok(granted),
                    None => continue,
                }
            };
            if request.nonce() == 0 || held.holder.nonce != request.nonce() {
                return Ok(Granted::Held(self.describe(held).await?));
            }
            match self.renew(resource, held, request.ttl()).await? {
                Some(Extended::Extended(grant)) => return Ok(Granted::Granted(grant)),
                Some(Extended::Indeterminate(lost)) => return Ok(Granted::Indeterminate(lost)),
                _ => {}
            }
        }
        Err(self.client.contended())
    }

    pub(super) async fn extend(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
        ttl: Ttl,
    ) -> Result<Extended, StoreError> {
        for _ in 0..TRIES {
            let held = match self.state(resource).await?.held {
                Some(held) if held.token == token => held,
                _ => return Ok(Extended::Lost),
            };
            if let Some(extended) = self.renew(resource, held, ttl).await? {
                return Ok(extended);
            }
        }
        Err(self.client.contended())
    }

    pub(super) async fn revoke(
        &self,
        resource: Resource<'_>,
        token: FencingToken,
    ) -> Result<Revoked, StoreError> {
        for _ in 0..TRIES {
            let held = match self.state(resource).await?.held {
                Some(held) if held.token == token => held,
                _ => return Ok(Revoked::Lost),
            };
            let key = self.keys.lease(resource);
            let txn = Txn {
                compares: vec![Compare::new(&key, Is::ModifiedAt(held.modified_at))],
                then: vec![Op::Delete(key)],
                otherwise: Vec::new(),
            };
            match self.client.commit(txn).await? {
                Committed::Done(_) => {
                    self.client.end_lease(held.lease).await;
                    return Ok(Revoked::Revoked);
                }
                Committed::Not => {}
                Committed::Lost(error) => {
                    return Ok(Revoked::Indeterminate(self.client.lost(error)));
                }
            }
        }
        Err(self.client.contended())
    }

    pub(super) async fn holding(
        &self,
        resource: Resource<'_>,
    ) -> Result<Option<Holding>, StoreError> {
        match self.state(resource).await?.held {
            Some(held) => self.describe(held).await.map(Some),
            None => Ok(None),
        }
    }

    pub(super) async fn advance_epoch(&self) -> Result<u64, StoreError> {
        let key = self.keys.epoch();
        for _ in 0..TRIES {
            let read = Txn { then: vec![Op::Get(key.clone())], ..Txn::default() };
            let [found] = values(self.client.anyone("/v3/kv/txn", &read).await?);
            let epoch = check_epoch(self.client, self.keys, found.as_ref())?;
            let next = epoch::after(epoch, OsWallClock.now());
            let next = next.ok_or(StoreError::TokensExhausted { epoch })?;
            let [old, new] = [epoch, next].map(|epoch| epoch.to_be_bytes().to_vec());
            let advance = Txn {
                compares: vec![Compare::new(&key, Is::Equal(old))],
                then: vec![Op::Put { key: key.clone(), value: new, lease: 0 }],
                otherwise: Vec::new(),
            };
            match self.client.commit(advance).await? {
                Committed::Done(_) => return Ok(next),
                Committed::Not => {}
                // An epoch that nobody heard of does no harm.
                Committed::Lost(source) => {
                    return Err(StoreError::Unanswered {
                        store: self.client.name().to_owned(),
                        source,
                    });
                }
            }
        }
        Err(self.client.contended())
    }

    async fn state(&self, resource: Resource<'_>) -> Result<State, StoreError> {
        let key = self.keys.lease(resource);
        let read =
            Txn { then: vec![Op::Get(self.keys.epoch()), Op::Get(key.clone())], ..Txn::default() };
        let [epoch, held] = values(self.client.anyone("/v3/kv/txn", &read).await?);
        let epoch = check_epoch(self.client, self.keys, epoch.as_ref())?;
        let held = match held {
            Some(found) => Some(
                Held::new(&found)
                    .ok_or_else(|| self.client.corrupt(&key, "the holder of a lease"))?,
            ),
            None => None,
        };
        Ok(State { epoch, held })
    }

    /// Creates the key of a lease, unless somebody else is quicker.
    async fn create(
        &self,
        request: LeaseRequest<'_>,
        epoch: u64,
    ) -> Result<Option<Granted>, StoreError> {
        let lease = self.client.begin_lease(seconds(request.ttl().get())).await?;
        let key = self.keys.lease(request.resource());
        let name = request.holder().to_owned();
        let holder = Holder { epoch, nonce: request.nonce(), ttl: lease.ttl, name };
        let txn = Txn {
            compares: vec![
                Compare::new(&key, Is::Present(false)),
                Compare::new(&self.keys.epoch(), Is::Equal(epoch.to_be_bytes().to_vec())),
            ],
            then: vec![Op::Put { key, value: holder.to_bytes(), lease: lease.id }],
            otherwise: Vec::new(),
        };
        Ok(match self.client.commit(txn).await? {
            Committed::Done(revision) => {
                let Some(counter) = NonZeroU64::new(revision) else {
                    let none = "it says that nothing was ever written";
                    return Ok(Some(Granted::Indeterminate(self.client.lost(none))));
                };
                let token = FencingToken::new(epoch, counter);
                Some(Granted::Granted(Grant { token, valid_for: Duration::from_secs(lease.ttl) }))
            }
            Committed::Not => {
                self.client.end_lease(lease.id).await;
                None
            }
            Committed::Lost(error) => Some(Granted::Indeterminate(self.client.lost(error))),
        })
    }

    /// Puts the key of a lease under a new lease of etcd, unless it changed in the meantime.
    async fn renew(
        &self,
        resource: Resource<'_>,
        held: Held,
        ttl: Ttl,
    ) -> Result<Option<Extended>, StoreError> {
        let mut asked = seconds(ttl.get());
        if asked < held.holder.ttl {
            // What its holder was told is not taken back. What remains is rounded down.
            asked = asked.max(self.time_to_live(held.lease).await?.saturating_add(1));
        }
        let lease = self.client.begin_lease(asked).await?;
        let key = self.keys.lease(resource);
        let holder = Holder { ttl: lease.ttl, ..held.holder };
        let txn = Txn {
            compares: vec![Compare::new(&key, Is::ModifiedAt(held.modified_at))],
            then: vec![Op::Put { key, value: holder.to_bytes(), lease: lease.id }],
            otherwise: Vec::new(),
        };
        Ok(match self.client.commit(txn).await? {
            Committed::Done(_) => {
                // Else each renewal would leave one behind for its whole time, which may be a day.
                self.client.end_lease(held.lease).await;
                let valid_for = Duration::from_secs(lease.ttl);
                Some(Extended::Extended(Grant { token: held.token, valid_for }))
            }
            Committed::Not => {
                self.client.end_lease(lease.id).await;
                None
            }
            Committed::Lost(error) => Some(Extended::Indeterminate(self.client.lost(error))),
        })
    }

    async fn describe(&self, held: Held) -> Result<Holding, StoreError> {
        let remaining = Duration::from_secs(self.time_to_live(held.lease).await?);
        Ok(Holding::new(held.token, held.holder.nonce, held.holder.name, remaining))
    }

    /// Returns for how many seconds a lease of etcd still lasts at least, 0 if it is over.
    async fn time_to_live(&self, lease: u64) -> Result<u64, StoreError> {
        let answer = self.client.time_to_live(lease).await?;
        // A leader that has just been elected may say that it lasts for ever.
        Ok(answer.ttl.min(answer.granted))
    }
}

impl Held {
    fn new(found: &KeyValue) -> Option<Self> {
        let holder = Holder::from_bytes(&found.value)?;
        let counter = NonZeroU64::new(found.create_revision)?;
        let token = FencingToken::new(holder.epoch, counter);
        Some(Self { token, modified_at: found.mod_revision, lease: found.lease, holder })
    }
}
