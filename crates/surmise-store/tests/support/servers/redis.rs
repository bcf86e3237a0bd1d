use core::time::Duration;
use std::{
    io::{Read, Write},
    net::TcpStream,
    path::PathBuf,
};

use super::{Plan, Server, find, free_ports, places};

/// The program of Redis.
#[derive(Clone, Debug)]
pub(crate) struct Redis(PathBuf);

impl Redis {
    pub(crate) fn find() -> Option<Self> {
        find("SURMISE_REDIS_SERVER", "redis-server", places("redis-server")).map(Self)
    }

    /// Starts a server that syncs each write to the disk before it answers.
    pub(crate) fn start(&self) -> Server {
        self.start_with(&["--appendonly", "yes", "--appendfsync", "always", "--save", ""])
    }

    /// Starts a server with options of its own.
    pub(crate) fn start_with(&self, options: &[&str]) -> Server {
        Server::start(|| {
            let directory = tempfile::tempdir().unwrap();
            let [port] = free_ports();
            let number = port.to_string();
            let arguments = ["--port", &number, "--bind", "127.0.0.1", "--dir", "."];
            Plan {
                directory,
                program: self.0.clone(),
                arguments: arguments.iter().chain(options).map(ToString::to_string).collect(),
                user: None,
                port,
                url: format!("redis://127.0.0.1:{port}"),
                is_ready,
            }
        })
    }
}

fn is_ready(plan: &Plan) -> bool {
    let ping = || {
        let mut stream = TcpStream::connect(("127.0.0.1", plan.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"PING\r\n")?;
        let mut answer = [0; 7];
        stream.read_exact(&mut answer)?;
        // While it reads its data, it answers otherwise.
        std::io::Result::Ok(answer == *b"+PONG\r\n")
    };
    ping().unwrap_or(false)
}
