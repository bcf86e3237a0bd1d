use core::{error::Error, fmt};

use crate::StoreError;

/// What a server does, or may do, that loses what it acknowledged.
///
/// [`Connected`](super::Connected) has what was found. Each is to be accepted by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Weakness {
    /// It keeps no log: `appendonly` is `no`. When it ends, all since its last snapshot is lost.
    NoLog,
    /// It answers before what was written is on the disk: `appendfsync` is not `always`. When it is killed, or its machine
    /// crashes, the last seconds are lost.
    LateSync,
    /// It writes nothing to the disk while it rewrites its log or takes a snapshot: `no-appendfsync-on-rewrite` is `yes`.
    SyncPauses,
    /// It does not say how it is set up: `CONFIG GET` or parts of `INFO` are withheld, as services that others operate do.
    Hidden,
    /// It has replicas. One that is promoted lacks what it was not yet sent.
    Replicas,
    /// It was a replica itself, and was promoted. What its master acknowledged last may be lacking.
    Promoted,
    /// It removes keys when its memory is full: `maxmemory-policy` is one of all keys. A floor that is removed lets
    /// everybody pass, a lease that is removed has its tokens granted again, and so have executions if their counter is removed.
    Evicts,
    /// It removes keys that expire when its memory is full: `maxmemory-policy` is one of the `volatile-` ones. Executions do, so
    /// that what was done is done again, and what is being done is done beside itself. Leases, floors and values do not: where no executions are kept, nothing is lost.
    EvictsExecutions,
    /// It is part of a cluster, which promotes replicas by itself.
    Cluster,
}

/// What can be lost, and what to set.
impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoLog => "it keeps no log, and loses all when it ends (set appendonly yes, and wait for its log)",
            Self::LateSync => {
                "it answers before it has synced, and loses the last seconds when it crashes (set appendfsync \
                 always)"
            }
            Self::SyncPauses => {
                "it does not sync while it rewrites its log (set no-appendfsync-on-rewrite no)"
            }
            Self::Hidden => {
                "it does not say how it is set up, so that nobody knows what it loses (allow CONFIG GET and INFO)"
            }
            Self::Replicas => {
                "it has replicas, which lack the last writes if they are promoted"
            }
            Self::Promoted => {
                "it was a replica, and may lack what its master acknowledged"
            }
            Self::Evicts => {
                "it removes keys when its memory is full, and fences and leases with them (set maxmemory-policy noeviction)"
            }
            Self::EvictsExecutions => {
                "it removes keys that expire when its memory is full, as executions do (set maxmemory-policy noeviction)"
            }
            Self::Cluster => {
                "its cluster promotes replicas, which lack the last writes"
            }
        })
    }
}

/// A server has weaknesses that were not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Weakened {
    store: String,
    weaknesses: Vec<Weakness>,
}

impl Weakened {
    pub(super) const fn new(store: String, weaknesses: Vec<Weakness>) -> Self {
        Self { store, weaknesses }
    }

    /// Returns all that were found and not accepted, in order.
    #[must_use]
    pub fn weaknesses(&self) -> &[Weakness] {
        &self.weaknesses
    }
}

impl fmt::Display for Weakened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} can lose what it acknowledged: ", self.store)?;
        f.write_str(&list(&self.weaknesses))
    }
}

impl Error for Weakened {}

impl From<Weakened> for StoreError {
    fn from(weakened: Weakened) -> Self {
        let Weakened { store, weaknesses } = weakened;
        Self::Unusable {
            store,
            problem: format!("it can lose what it acknowledged: {}", list(&weaknesses)),
            remedy: "set it up so, or accept what it loses by name, with `Connected::accept`",
        }
    }
}

pub(super) fn list(weaknesses: &[Weakness]) -> String {
    weaknesses.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
