//! The processes, as the one that started them sees them.

use core::time::Duration;
use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    process::{ChildStdin, ChildStdout},
    thread,
};

use crossbeam::channel::{self, Receiver, RecvTimeoutError, Sender};
use surmise_time::{BootClock, Instant, MonotonicClock as _};

use super::{
    error::FenceError,
    wire::{FromHolder, ToHolder},
};
use crate::processes::{ChildProcess, pipe};

/// A process. It is killed when this is dropped, also if it is stopped.
#[derive(Debug)]
pub(super) struct Node {
    name: &'static str,
    child: ChildProcess,
    input: ChildStdin,
}

/// What this process hears: what the others say, and Ctrl-C.
#[derive(Debug)]
pub(super) struct Inbox {
    messages: Receiver<Message>,
    sender: Sender<Message>,
}

#[derive(Debug)]
enum Message {
    Said { by: &'static str, what: FromHolder },
    Ended { by: &'static str, error: Option<io::Error> },
    Interrupted,
}

impl Node {
    /// Starts this program again.
    pub(super) fn start(name: &'static str, inbox: &Inbox) -> Result<Self, FenceError> {
        let failed = |error| FenceError::Process { name, error };
        let (child, input, output) = ChildProcess::start(COMMAND).map_err(failed)?;
        let messages = inbox.sender.clone();
        thread::spawn(move || listen(name, output, &messages));
        Ok(Self { name, child, input })
    }

    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the process's number.
    pub(super) fn process(&self) -> u32 {
        self.child.process()
    }

    /// Says something to it, which it hears when it goes on.
    pub(super) fn send(&mut self, message: &ToHolder) -> Result<(), FenceError> {
        let sent = pipe::line(message).and_then(|line| self.input.write_all(&line));
        sent.map_err(|error| FenceError::Process { name: self.name, error })
    }

    /// Stops it, and waits until it stands still.
    pub(super) fn stop(&self) -> Result<(), FenceError> {
        self.child.stop().map_err(|error| FenceError::Process { name: self.name, error })
    }

    /// Has it go on.
    pub(super) fn resume(&self) -> Result<(), FenceError> {
        self.child.resume().map_err(|error| FenceError::Process { name: self.name, error })
    }
}

impl Inbox {
    /// Creates what hears Ctrl-C, and requests to terminate.
    pub(super) fn on_interrupt() -> Result<Self, FenceError> {
        let inbox = Self::new();
        let sender = inbox.sender.clone();
        // Nobody listens any more once the run has ended.
        ctrlc::set_handler(move || _ = sender.send(Message::Interrupted))
            .map_err(|error| FenceError::Interrupt { message: error.to_string() })?;
        Ok(inbox)
    }

    fn new() -> Self {
        let (sender, messages) = channel::unbounded();
        Self { messages, sender }
    }

    /// Waits for what a process says, of which no other has anything to say.
    pub(super) fn receive(&self, name: &'static str) -> Result<FromHolder, FenceError> {
        match self.messages.recv_timeout(PATIENCE) {
            Ok(message) => match message.heard()? {
                (by, what) if by == name => Ok(what),
                (by, what) => Err(FenceError::Unexpected { name: by, what: format!("{what:?}") }),
            },
            Err(_) => Err(FenceError::Silent { name, patience: PATIENCE }),
        }
    }

    /// Waits until a time, while nobody has anything to say.
    pub(super) fn wait_until(&self, time: Instant) -> Result<(), FenceError> {
        match self.messages.recv_timeout(time - BootClock.now()) {
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Ok(()),
            Ok(message) => {
                let (name, what) = message.heard()?;
                Err(FenceError::Unexpected { name, what: format!("{what:?}") })
            }
        }
    }
}

impl Message {
    fn heard(self) -> Result<(&'static str, FromHolder), FenceError> {
        match self {
            Self::Said { by, what } => Ok((by, what)),
            Self::Ended { by, error: Some(error) } => Err(FenceError::Process { name: by, error }),
            Self::Ended { by, error: None } => Err(FenceError::Ended { name: by }),
            Self::Interrupted => Err(FenceError::Interrupted),
        }
    }
}

/// Passes on what a process says, until it ends.
fn listen(name: &'static str, output: ChildStdout, messages: &Sender<Message>) {
    for line in BufReader::new(output).lines() {
        let said = line.and_then(|line| Ok(serde_json::from_str(&line)?));
        let message = match said {
            Ok(what) => Message::Said { by: name, what },
            Err(error) => Message::Ended { by: name, error: Some(error) },
        };
        if messages.send(message).is_err() {
            return;
        }
    }
    let _ = messages.send(Message::Ended { by: name, error: None });
}

/// The hidden command of a process.
const COMMAND: &str = "fence-holder";

/// For how long an answer is waited for. Every store has its own, shorter limits.
const PATIENCE: Duration = Duration::from_secs(30);
