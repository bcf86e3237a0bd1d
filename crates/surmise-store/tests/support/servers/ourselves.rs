use std::{env, net::TcpStream};

use super::{Plan, Server, free_ports};

/// This program, whose test `host` serves a store of one process to others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ourselves;

impl Ourselves {
    /// What tells the test `host` which port it is to serve.
    pub(crate) const PORT: &str = "SURMISE_TEST_PORT";
    /// What tells it which store.
    pub(crate) const STORE: &str = "SURMISE_TEST_STORE";

    /// Starts it with a store, which is in the folder that it is started in.
    pub(crate) fn start(store: &str) -> Server {
        Server::start(|| {
            let [port] = free_ports();
            let program = env::current_exe().unwrap().into_os_string().into_string().unwrap();
            Plan {
                directory: tempfile::tempdir().unwrap(),
                // It becomes the program that it starts.
                program: "env".into(),
                arguments: vec![
                    format!("{}={port}", Self::PORT),
                    format!("{}={store}", Self::STORE),
                    program,
                    "host".into(),
                    "--exact".into(),
                    "--nocapture".into(),
                ],
                user: None,
                port,
                url: format!("127.0.0.1:{port}"),
                is_ready: |plan| TcpStream::connect(("127.0.0.1", plan.port)).is_ok(),
            }
        })
    }
}
