//! What comes between the requests of one write, if it has several.

#![expect(clippy::std_instead_of_alloc, reason = "a test has the standard library")]

use core::sync::atomic::{AtomicU64, Ordering};
use std::{io, sync::Arc};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::Notify,
};

use super::{LUA, Lua, Trial, ledger, open, pass};
use crate::{
    FencedStore as _,
    redis::{RedisStore, scripts::Scripts},
    servers::{Redis, Server},
    stream::{Connector, boxed},
};

/// A connection on which one request is kept waiting.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// How many requests go before it; none is kept once this is 0.
    pub(super) before: AtomicU64,
    pub(super) reached: Notify,
    pub(super) open: Notify,
}

impl Gate {
    /// Has the connection of a store go through it.
    pub(super) fn connector(self: &Arc<Self>) -> Connector {
        let gate = Arc::clone(self);
        boxed(move |address: String| {
            let gate = Arc::clone(&gate);
            async move {
                let (near, far) = tokio::io::duplex(1 << 16);
                let stream = TcpStream::connect(address).await?;
                tokio::spawn(async move { gate.carry(far, stream).await });
                io::Result::Ok(near)
            }
        })
    }

    async fn carry(&self, near: tokio::io::DuplexStream, far: TcpStream) {
        let (mut requests, mut answered) = tokio::io::split(near);
        let (mut answers, mut asked) = far.into_split();
        let there = async {
            let mut request = vec![0; 1 << 16];
            loop {
                let length = requests.read(&mut request).await.unwrap_or(0);
                if length == 0 {
                    return;
                }
                if self.before.load(Ordering::SeqCst) > 0
                    && self.before.fetch_sub(1, Ordering::SeqCst) == 1
                {
                    self.reached.notify_one();
                    self.open.notified().await;
                }
                asked.write_all(&request[..length]).await.unwrap();
            }
        };
        let back = tokio::io::copy(&mut answers, &mut answered);
        // Whichever end closes.
        tokio::select! { () = there => {} _ = back => {} }
    }
}

/// Whatever comes between the requests of a write.
async fn no_write_lands_after_a_raise(
    server: &Server,
    lua: &Lua,
    write: impl AsyncFn(&RedisStore) + Send + Sync + Copy + 'static,
) -> bool {
    for before in 1..=4 {
        let trial = Trial::new(server, &LUA).await;
        let gate = Arc::new(Gate::default());
        let gated = open(&trial.config, gate.connector(), lua).await;
        assert!(trial.store.raise("ledger", pass(1)).await.unwrap().is_done());
        // The server is to know the script.
        assert!(gated.write("ledger", b"key", b"first", pass(1)).await.unwrap().is_done());
        gate.before.store(before, Ordering::SeqCst);
        let mut late = core::pin::pin!(write(&gated));
        let kept = tokio::select! {
            () = &mut late => false,
            () = gate.reached.notified() => true,
        };
        assert!(trial.store.raise("ledger", pass(2)).await.unwrap().is_done());
        let seen = trial.store.read("ledger", b"key").await.unwrap();
        if kept {
            gate.open.notify_one();
            late.await;
        }
        if trial.store.read("ledger", b"key").await.unwrap() != seen {
            return false;
        }
    }
    true
}

/// Check, then write.
#[tokio::test]
async fn nothing_comes_between_the_check_and_the_write() {
    let Some(redis) = Redis::find() else { return };
    let server = redis.start_with(&[]);
    let write = async |store: &RedisStore| {
        _ = store.write("ledger", b"key", b"late", pass(1)).await.unwrap();
    };
    assert!(no_write_lands_after_a_raise(&server, &LUA, write).await);
    let unchecked = "redis.call('SET', KEYS[2], ARGV[2]) return {'done'}";
    let check_then_write = async |store: &RedisStore| {
        let floor = store.floor(ledger()).await.unwrap();
        let last = store.read("ledger", b"key").await.unwrap().map(|entry| entry.pass);
        if pass(1).check_floor(floor).and_then(|()| pass(1).check(last)).is_ok() {
            _ = store.write("ledger", b"key", b"late", pass(1)).await.unwrap();
        }
    };
    let lua = Scripts { write: unchecked, ..LUA };
    assert!(!no_write_lands_after_a_raise(&server, &lua, check_then_write).await);
}
