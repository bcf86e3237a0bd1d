//! A service that does what a script says, and notes what becomes of each call.

use alloc::sync::Arc;
use core::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use std::sync::Mutex;

use tokio::time::Instant;
use tower::Service;

/// What becomes of a call. Times are in milliseconds since it was made.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Line {
    Answer(u64),
    Fail(u64),
    Hang,
    /// In the future, when it is polled after so long.
    Panic(u64),
    PanicWhenCalled,
}

/// What became of a call, and when. Times are in milliseconds since the script began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Played {
    pub(crate) from: u64,
    pub(crate) end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    UnderWay,
    /// It was answered, well or badly.
    At(u64),
    /// Its future was dropped before that.
    Dropped(u64),
}

/// The nth call plays the nth line; its answer is n.
#[derive(Debug)]
pub(crate) struct Script {
    stage: Arc<Stage>,
    /// Whether this clone was asked, as it must be before it is called.
    is_ready: bool,
}

#[derive(Debug)]
struct Stage {
    began: Instant,
    lines: Vec<Line>,
    played: Mutex<Vec<Played>>,
}

impl Script {
    pub(crate) fn new(lines: impl Into<Vec<Line>>) -> Self {
        let (lines, played) = (lines.into(), Mutex::default());
        Self { stage: Arc::new(Stage { began: Instant::now(), lines, played }), is_ready: false }
    }

    pub(crate) fn played(&self) -> Vec<Played> {
        self.stage.played.lock().unwrap().clone()
    }
}

impl Clone for Script {
    fn clone(&self) -> Self {
        Self { stage: Arc::clone(&self.stage), is_ready: false }
    }
}

impl Service<&'static str> for Script {
    type Response = usize;
    type Error = &'static str;
    type Future = Pin<Box<dyn Future<Output = Result<usize, &'static str>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: &'static str) -> Self::Future {
        assert!(core::mem::take(&mut self.is_ready), "called without having been found ready");
        let role = self.stage.enter();
        let line = role.stage.lines[role.nth];
        assert!(!matches!(line, Line::PanicWhenCalled), "in the call");
        Box::pin(async move {
            let millis = match line {
                Line::Answer(millis) | Line::Fail(millis) | Line::Panic(millis) => millis,
                Line::Hang | Line::PanicWhenCalled => core::future::pending().await,
            };
            tokio::time::sleep(Duration::from_millis(millis)).await;
            assert!(!matches!(line, Line::Panic(_)), "in the future");
            let nth = role.end();
            if let Line::Fail(_) = line { Err("as scripted") } else { Ok(nth) }
        })
    }
}

impl Stage {
    fn enter(self: &Arc<Self>) -> Role {
        let mut played = self.played.lock().unwrap();
        played.push(Played { from: self.millis(), end: End::UnderWay });
        Role { stage: Arc::clone(self), nth: played.len() - 1 }
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap()
    }
}

/// A call under way.
struct Role {
    stage: Arc<Stage>,
    nth: usize,
}

impl Role {
    fn end(self) -> usize {
        self.leave(End::At(self.stage.millis()));
        self.nth
    }

    fn leave(&self, end: End) {
        let noted = &mut self.stage.played.lock().unwrap()[self.nth].end;
        if *noted == End::UnderWay {
            *noted = end;
        }
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        self.leave(End::Dropped(self.stage.millis()));
    }
}
