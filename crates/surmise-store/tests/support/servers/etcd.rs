use core::time::Duration;
use std::{
    io::{Read, Write},
    net::TcpStream,
    path::PathBuf,
};

use rustix::process::Signal;

use super::{Plan, Server, find, free_ports, places, wait_until};

/// The program of etcd.
#[derive(Clone, Debug)]
pub(crate) struct Etcd(PathBuf);

impl Etcd {
    pub(crate) fn find() -> Option<Self> {
        find("SURMISE_ETCD", "etcd", places("etcd")).map(Self)
    }

    /// Starts a cluster of one.
    pub(crate) fn start(&self) -> Server {
        self.start_with(&[])
    }

    /// Starts a cluster of one with options of its own.
    pub(crate) fn start_with(&self, options: &[&str]) -> Server {
        Server::start(|| {
            let [client, peer] = free_ports();
            let mut plan = self.plan(0, client, &[peer]);
            plan.arguments.extend(options.iter().map(ToString::to_string));
            plan
        })
    }

    /// Starts a cluster of three.
    pub(crate) fn start_cluster(&self) -> [Server; 3] {
        self.start_cluster_with(&[])
    }

    /// Starts a cluster of three with options of its own.
    pub(crate) fn start_cluster_with(&self, options: &[&str]) -> [Server; 3] {
        for _ in 0..5 {
            let [first, second, third, peers @ ..] = free_ports::<6>();
            let plans = [(0, first), (1, second), (2, third)];
            let mut members = plans.map(|(at, client)| {
                let mut plan = self.plan(at, client, &peers);
                plan.arguments.extend(options.iter().map(ToString::to_string));
                Server { plan, running: None, stop: Signal::KILL }
            });
            // Each answers only once most of them are there.
            members.iter_mut().for_each(Server::run);
            let ready = |server: &mut Server| {
                wait_until(|| is_ready(&server.plan) || server.has_ended()) && !server.has_ended()
            };
            if members.iter_mut().all(ready) {
                return members;
            }
            members.iter().for_each(Server::print_log);
        }
        panic!("the cluster does not start; its output is above");
    }

    /// Plans a member of a cluster: where its clients find it, and where all members find each other.
    fn plan(&self, at: usize, client: u16, peers: &[u16]) -> Plan {
        let url = |port: &u16| format!("http://127.0.0.1:{port}");
        let peer = peers.get(at).map(url).expect("each member has a port for the others");
        let cluster: Vec<String> =
            (0..).zip(peers).map(|(at, port)| format!("m{at}={}", url(port))).collect();
        let arguments = [
            ("--name", format!("m{at}")),
            ("--data-dir", "data".into()),
            ("--listen-client-urls", url(&client)),
            ("--advertise-client-urls", url(&client)),
            ("--listen-peer-urls", peer.clone()),
            ("--initial-advertise-peer-urls", peer),
            ("--initial-cluster", cluster.join(",")),
            ("--initial-cluster-state", "new".into()),
        ];
        Plan {
            directory: tempfile::tempdir().unwrap(),
            program: self.0.clone(),
            arguments: arguments.into_iter().flat_map(|(key, value)| [key.into(), value]).collect(),
            user: None,
            port: client,
            url: url(&client),
            is_ready,
        }
    }
}

fn is_ready(plan: &Plan) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(("127.0.0.1", plan.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"GET /health HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        std::io::Result::Ok(answer.contains(r#""health":"true""#))
    };
    ask().unwrap_or(false)
}
