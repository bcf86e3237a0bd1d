//! Holders in processes of their own, which are stopped for longer than their leases last, and killed.

#![cfg(all(target_os = "linux", feature = "conformance"))]
#![expect(
    clippy::std_instead_of_alloc,
    reason = "this keeps libraries honest that do without std; a test has it"
)]

mod support {
    pub(crate) mod backend;
    #[cfg(feature = "etcd")]
    pub(crate) mod etcd;
    pub(crate) mod processes;
    pub(crate) mod remote;
    pub(crate) mod servers;
    pub(crate) mod soak;
    pub(crate) mod wait;
    pub(crate) mod wire;
}

use core::time::Duration;

use surmise_fence::{FencingToken, Grant, Pass, Refusal};
use surmise_store::{
    Entry,
    conformance::{
        faults::Workload,
        history::{Action, Answer, Event},
    },
};
use surmise_time::Instant;

use self::support::{
    backend::{Backend, Memory},
    processes::{self, Harm},
    remote,
    wire::{event_from_line, event_to_line},
};

/// Not a test: what the processes of holders run.
#[tokio::test]
async fn holder() {
    processes::serve::<Memory>().await;
    #[cfg(feature = "redb")]
    processes::serve::<support::backend::Redb>().await;
    #[cfg(feature = "postgres")]
    processes::serve::<support::backend::Postgres>().await;
    #[cfg(feature = "redis")]
    processes::serve::<support::backend::Redis>().await;
    #[cfg(feature = "etcd")]
    processes::serve::<support::backend::Etcd>().await;
    #[cfg(feature = "etcd")]
    processes::serve::<support::backend::EtcdCluster>().await;
}

/// Not a test either: what the process of a store runs that has no server.
#[test]
fn host() {
    remote::host();
}

mod stopped_and_killed_holders_do_no_harm {
    use super::*;

    #[tokio::test]
    async fn in_memory() {
        check::<Memory>(Harm { stopped: 15, killed: 25 }).await;
    }

    #[cfg(feature = "redb")]
    #[tokio::test]
    async fn in_redb() {
        check::<support::backend::Redb>(Harm { stopped: 25, killed: 55 }).await;
    }

    #[cfg(feature = "postgres")]
    #[tokio::test]
    async fn in_postgres() {
        check::<support::backend::Postgres>(Harm { stopped: 25, killed: 55 }).await;
    }

    #[cfg(feature = "redis")]
    #[tokio::test]
    async fn in_redis() {
        check::<support::backend::Redis>(Harm { stopped: 25, killed: 55 }).await;
    }

    #[cfg(feature = "etcd")]
    #[tokio::test]
    async fn in_etcd() {
        check::<support::backend::Etcd>(Harm { stopped: 6, killed: 12 }).await;
    }

    #[cfg(feature = "etcd")]
    #[tokio::test]
    async fn in_a_cluster_of_etcd() {
        check::<support::backend::EtcdCluster>(Harm { stopped: 6, killed: 12 }).await;
    }

    async fn check<B: Backend>(harm: Harm) {
        let workload = Workload { ttl: B::TTL, ..Workload::new(6) };
        let Some(history) = processes::run::<B>(&workload, harm).await else { return };
        let count = |wanted: fn(&Event) -> bool| {
            history.events().iter().filter(|&event| wanted(event)).count()
        };
        let written = count(|event| {
            matches!(event.action, Action::Write { .. }) && event.answer == Answer::Done
        });
        let stale = count(|event| matches!(event.answer, Answer::Refused(Refusal::Stale { .. })));
        println!("{} events, {written} writes, {stale} refused", history.events().len());
        // Of a few it can be that none comes too late.
        assert!(written > 50 && (stale > 0 || harm.stopped < 15), "{written}, {stale}");
    }
}

#[test]
fn what_is_sent_is_received() {
    let token = FencingToken::MAX;
    let pass = Pass { token, nonce: u64::MAX, sequence: 7 };
    let (key, value) = (vec![0xff, 0], Some(Vec::new()));
    let actions = [
        Action::Grant { nonce: 7 },
        Action::Extend { token },
        Action::Revoke { token },
        Action::Holding,
        Action::Raise { pass },
        Action::Floor,
        Action::Write { key: key.clone(), value: value.clone(), pass },
        Action::Write { key: key.clone(), value: None, pass },
        Action::Read { key },
    ];
    let answers = [
        Answer::Unknown,
        Answer::Failed,
        Answer::Granted(Grant { token, valid_for: Duration::from_nanos(1) }),
        Answer::Held { token, nonce: 7 },
        Answer::Free,
        Answer::Done,
        Answer::Refused(Refusal::Stale { offered: FencingToken::first(0), highest: token }),
        Answer::Refused(Refusal::Collision { token, offered: 1, seen: 2 }),
        Answer::Refused(Refusal::Duplicate { sequence: 3 }),
        Answer::Refused(Refusal::OutOfOrder { offered: 4, highest: 5 }),
        Answer::Floor(None),
        Answer::Floor(Some(pass)),
        Answer::Read(None),
        Answer::Read(Some(Entry::new(None, pass))),
        Answer::Read(Some(Entry::new(value, pass))),
    ];
    let invoked = Instant::from_nanos(1);
    for (action, answer) in
        actions.iter().flat_map(|action| answers.iter().map(move |answer| (action, answer)))
    {
        let (action, answer) = (action.clone(), answer.clone());
        let resource = "a ß".into();
        let event =
            Event { client: 1, number: 2, resource, invoked, returned: None, action, answer };
        let returned = Event { returned: Some(Instant::MAX), ..event.clone() };
        for event in [event, returned] {
            assert_eq!(event_from_line(&event_to_line(&event)), Some(event));
        }
    }
}
