//! Stores in Redis, for the tests of them.

#![expect(clippy::unwrap_used, reason = "without a server there is no test")]
#![allow(dead_code, reason = "each test uses some of them")]
#![allow(clippy::allow_attributes, reason = "there is no telling which")]

use core::time::Duration;
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
};

use surmise_store::redis::{RedisConfig, RedisStore};

use super::servers::Server;

/// Returns a configuration for a server, which waits for long, since the machine may be slow.
pub(crate) fn config(server: &Server) -> RedisConfig {
    RedisConfig {
        address: format!("127.0.0.1:{}", server.port()),
        connect_timeout: Duration::from_secs(60),
        request_timeout: Duration::from_secs(60),
        ..RedisConfig::default()
    }
}

/// Returns a store that waits for long.
pub(crate) async fn patient(server: &Server) -> RedisStore {
    RedisStore::connect(config(server)).await.unwrap().durable().unwrap()
}

/// A connection of the test's own, without the client library.
#[derive(Debug)]
pub(crate) struct Bare(BufReader<TcpStream>);

impl Bare {
    pub(crate) fn new(server: &Server) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Self(BufReader::new(stream))
    }

    /// Asks for something, and returns the answer: texts and numbers as they are, errors and all else as they come.
    pub(crate) fn ask(&mut self, words: &[&str]) -> String {
        let mut request = format!("*{}\r\n", words.len());
        words.iter().for_each(|word| request += &format!("${}\r\n{word}\r\n", word.len()));
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
        self.answer()
    }

    fn answer(&mut self) -> String {
        let line = self.line();
        let (kind, rest) = line.split_at(1);
        match kind {
            "$" if rest == "-1" => "nil".to_owned(),
            "$" => {
                let mut bytes = vec![0; rest.parse::<usize>().unwrap() + 2];
                self.0.read_exact(&mut bytes).unwrap();
                bytes.truncate(bytes.len() - 2);
                String::from_utf8_lossy(&bytes).into_owned()
            }
            "*" => {
                let count = rest.parse().unwrap();
                (0..count).map(|_| self.answer()).collect::<Vec<_>>().join(" ")
            }
            _ => rest.to_owned(),
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}
