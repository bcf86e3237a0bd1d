use core::time::Duration;

use serde::{Deserialize, Serialize};
use surmise_fence::{FencingToken, Grant, Pass};
use surmise_store::{
    Change, Extended, FencedStore, Granted, Holding, LeaseRequest, LeaseStore, Outcome, Resource,
    Revoked, StoreError, Ttl,
};

/// A question to the store that another process has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Ask {
    Grant { holder: String, nonce: u64, ttl: Duration },
    Extend { token: FencingToken, ttl: Duration },
    Revoke { token: FencingToken },
    Holding,
    Apply { key: Vec<u8>, value: Option<Vec<u8>>, pass: Pass },
    RaiseFloor { pass: Pass },
    Floor,
    Read { key: Vec<u8> },
}

/// What it answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reply {
    Granted {
        token: FencingToken,
        valid_for: Duration,
    },
    Held {
        token: FencingToken,
        nonce: u64,
        holder: String,
        remaining: Duration,
    },
    Delayed {
        remaining: Duration,
    },
    /// Nobody holds it, or another does.
    Lost,
    Done,
    Stale {
        offered: FencingToken,
        highest: FencingToken,
    },
    Collision {
        token: FencingToken,
        offered: u64,
        seen: u64,
    },
    Duplicate {
        sequence: u64,
    },
    OutOfOrder {
        offered: u64,
        highest: u64,
    },
    Floor(Option<Pass>),
    Entry(Option<(Option<Vec<u8>>, Pass)>),
    /// It may have happened.
    Indeterminate(String),
    /// It did not happen.
    Failed(String),
}

/// Has a store do what a holder asks for.
pub(crate) async fn answer<S: LeaseStore + FencedStore>(
    store: &S,
    resource: &str,
    ask: Ask,
) -> Reply {
    let done = async {
        let name = Resource::new(resource)?;
        Ok::<_, StoreError>(match ask {
            Ask::Grant { holder, nonce, ttl } => {
                store.grant(LeaseRequest::new(resource, &holder, nonce, ttl)?).await?.into()
            }
            Ask::Extend { token, ttl } => store.extend(name, token, Ttl::new(ttl)?).await?.into(),
            Ask::Revoke { token } => store.revoke(name, token).await?.into(),
            Ask::Holding => store.holding(name).await?.map_or(Reply::Lost, Reply::from),
            Ask::Apply { key, value, pass } => {
                store.apply(Change::new(resource, &key, value.as_deref(), pass)?).await?.into()
            }
            Ask::RaiseFloor { pass } => store.raise_floor(name, pass).await?.into(),
            Ask::Floor => Reply::Floor(store.floor(name).await?),
            Ask::Read { key } => {
                let entry = store.read(resource, &key).await?;
                Reply::Entry(entry.map(|entry| (entry.value, entry.pass)))
            }
        })
    };
    done.await.unwrap_or_else(|error| Reply::Failed(error.to_string()))
}

impl From<Granted> for Reply {
    fn from(granted: Granted) -> Self {
        match granted {
            Granted::Granted(Grant { token, valid_for, .. }) => Self::Granted { token, valid_for },
            Granted::Held(holding) => holding.into(),
            Granted::Delayed { remaining } => Self::Delayed { remaining },
            other => Self::Indeterminate(format!("{other:?}")),
        }
    }
}

impl From<Holding> for Reply {
    fn from(Holding { token, nonce, holder, remaining, .. }: Holding) -> Self {
        Self::Held { token, nonce, holder, remaining }
    }
}

impl From<Extended> for Reply {
    fn from(extended: Extended) -> Self {
        match extended {
            Extended::Extended(Grant { token, valid_for, .. }) => {
                Self::Granted { token, valid_for }
            }
            Extended::Lost => Self::Lost,
            other => Self::Indeterminate(format!("{other:?}")),
        }
    }
}

impl From<Revoked> for Reply {
    fn from(revoked: Revoked) -> Self {
        match revoked {
            Revoked::Revoked => Self::Done,
            Revoked::Lost => Self::Lost,
            other => Self::Indeterminate(format!("{other:?}")),
        }
    }
}

impl From<Outcome> for Reply {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Applied => Self::Done,
            Outcome::Stale { offered, highest } => Self::Stale { offered, highest },
            Outcome::Collision { token, offered, seen } => Self::Collision { token, offered, seen },
            Outcome::Duplicate { sequence } => Self::Duplicate { sequence },
            Outcome::OutOfOrder { offered, highest } => Self::OutOfOrder { offered, highest },
            Outcome::Indeterminate(lost) => Self::Indeterminate(lost.to_string()),
            other => Self::Indeterminate(format!("{other:?}")),
        }
    }
}
