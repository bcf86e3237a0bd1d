//! Servers that are killed and stopped under those who use them, and networks that lose, double and delay requests.

#![cfg(all(target_os = "linux", feature = "conformance"))]
#![expect(
    clippy::std_instead_of_alloc,
    reason = "this keeps libraries honest that do without std; a test has it"
)]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a store that cannot be connected to is no test"
)]

mod support {
    pub(crate) mod backend;
    #[cfg(feature = "etcd")]
    pub(crate) mod etcd;
    pub(crate) mod remote;
    pub(crate) mod servers;
    pub(crate) mod soak;
    pub(crate) mod wait;
    pub(crate) mod wire;
}

use surmise_store::{
    FencedStore,
    conformance::{
        Timer as _,
        faults::Workload,
        history::{Answer, History},
    },
};
use surmise_time::{BootClock, MonotonicClock as _};
use tokio::task::spawn_blocking;

use self::support::{
    backend::{Backend, LIMIT, urls},
    remote,
    servers::Server,
    soak::{RealTime, count, soak},
};

/// Not a test: what the process of a store runs that has no server.
#[test]
fn host() {
    remote::host();
}

mod killed_and_stopped_servers_lose_nothing {
    use super::*;

    /// It cannot be killed, since nothing of it lasts.
    #[tokio::test]
    async fn of_memory() {
        check::<support::backend::Memory>(0, 5).await;
    }

    #[cfg(feature = "redb")]
    #[tokio::test]
    async fn of_redb() {
        check::<support::backend::Redb>(55, 5).await;
    }

    #[cfg(feature = "postgres")]
    #[tokio::test]
    async fn of_postgres() {
        check::<support::backend::Postgres>(55, 5).await;
    }

    #[cfg(feature = "redis")]
    #[tokio::test]
    async fn of_redis() {
        check::<support::backend::Redis>(30, 5).await;
    }

    #[cfg(feature = "etcd")]
    #[tokio::test]
    async fn of_etcd() {
        check::<support::backend::Etcd>(12, 4).await;
    }

    /// It is the leader of the three, each time.
    #[cfg(feature = "etcd")]
    #[tokio::test]
    async fn of_a_cluster_of_etcd() {
        check::<support::backend::EtcdCluster>(10, 6).await;
    }

    async fn check<B: Backend>(kills: u64, pauses: u64) {
        let Some(mut servers) = B::start() else { return };
        let store = B::connect(&urls(&servers)).await.unwrap();
        let rounds = kills + pauses;
        let mut random = fastrand::Rng::with_seed(rounds);
        let mut begun = Vec::new();
        let chaos = async |round: u64| {
            let leader = B::leader(&servers);
            // So soon that there is something to lose.
            RealTime.sleep(LIMIT * random.u32(..100) / 1000).await;
            begun.push(BootClock.now());
            // Spread evenly over the rounds.
            if (round + 1) * pauses / rounds > round * pauses / rounds {
                pause(&servers, leader, &store).await;
            } else {
                kill(&mut servers, leader, &store).await;
            }
            answers(&store).await;
        };
        let workload = Workload { ttl: B::TTL, turns: 3, ..Workload::new(0x6b69_6c6c) };
        let histories = soak(&store, &workload, rounds, chaos).await;
        much_was_done(&histories);
        let [short @ .., long] = &histories[..] else { panic!("there is a long history") };
        let amid = (0..).zip(begun).filter(|&(round, begun)| {
            let mut asked = long.events().iter().filter(|event| event.client >> 32 == round);
            let before = asked.next().is_some_and(|event| event.invoked < begun);
            before && asked.any(|event| event.invoked > begun && event.answer == Answer::Done)
        });
        let amid = amid.count();
        // Nothing else gets lost in the short ones.
        let lost = |answer: &Answer| matches!(answer, Answer::Unknown | Answer::Failed);
        let noticed = short.iter().filter(|&history| count([history], lost) > 0).count();
        println!("of {rounds} outages, {amid} were amid the work, and {noticed} noticed");
        assert!(amid * 2 > short.len() && noticed > 0, "{amid} and {noticed} of {rounds}");
    }

    async fn kill<S: FencedStore>(servers: &mut Vec<Server>, leader: usize, store: &S) {
        let mut leader = servers.swap_remove(leader);
        leader.kill();
        if !servers.is_empty() {
            // Another comes to lead.
            answers(store).await;
        }
        // Whoever asks goes on meanwhile.
        let start = move || {
            leader.restart();
            leader
        };
        servers.push(spawn_blocking(start).await.unwrap());
    }

    async fn pause<S: FencedStore>(servers: &[Server], leader: usize, store: &S) {
        let leader = &servers[leader];
        leader.pause();
        RealTime.sleep(LIMIT * 5 / 4).await;
        if servers.len() > 1 {
            answers(store).await;
        }
        leader.resume();
    }

    /// Waits until a store answers again.
    async fn answers<S: FencedStore>(store: &S) {
        let start = BootClock.now();
        while let Err(error) = store.read("any", b"key").await {
            assert!(BootClock.now() - start < LIMIT * 60, "the server does not come back: {error}");
            RealTime.sleep(LIMIT / 100).await;
        }
    }
}

/// Where also holders are paused, and their clocks go wrong.
mod lost_doubled_and_late_requests_do_no_harm {
    use super::*;

    #[tokio::test]
    async fn in_memory() {
        check::<support::backend::Memory>(8).await;
    }

    #[cfg(feature = "redb")]
    #[tokio::test]
    async fn in_redb() {
        check::<support::backend::Redb>(8).await;
    }

    #[cfg(feature = "postgres")]
    #[tokio::test]
    async fn in_postgres() {
        check::<support::backend::Postgres>(8).await;
    }

    #[cfg(feature = "redis")]
    #[tokio::test]
    async fn in_redis() {
        check::<support::backend::Redis>(8).await;
    }

    #[cfg(feature = "etcd")]
    #[tokio::test]
    async fn in_etcd() {
        check::<support::backend::Etcd>(4).await;
    }

    #[cfg(feature = "etcd")]
    #[tokio::test]
    async fn in_a_cluster_of_etcd() {
        check::<support::backend::EtcdCluster>(4).await;
    }

    async fn check<B: Backend>(rounds: u64) {
        let Some(servers) = B::start() else { return };
        let store = B::connect(&urls(&servers)).await.unwrap();
        let workload = Workload { ttl: B::TTL, ..Workload::new(0x6c6f_7374) };
        let histories = soak(&store, &workload, rounds, async |_| {}).await;
        much_was_done(&histories);
        let refused = count(&histories, |answer| matches!(answer, Answer::Refused(_)));
        let lost = count(&histories, |answer| *answer == Answer::Unknown);
        println!("{refused} were refused, and {lost} lost");
        // In a few rounds it can be that nobody comes too late.
        assert!(lost > 0 && (refused > 0 || rounds < 8), "{refused}, {lost}");
    }
}

fn much_was_done(histories: &[History]) {
    let done = count(histories, |answer| *answer == Answer::Done);
    println!("{done} requests were acknowledged");
    assert!(done > 3 * histories.len(), "{done} in {} rounds", histories.len());
}
