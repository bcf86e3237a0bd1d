use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    process::{ChildStdin, ChildStdout},
    thread::{self, JoinHandle},
};

use crossbeam::channel::{self, Receiver, Sender};
use serde::{Serialize, de::DeserializeOwned};

use super::{child::ChildProcess, error::RunError, pipe};

/// This program, started again. When this is dropped, it is killed, also if it is stopped, and all that it said was heard.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: ChildProcess,
    is_stopped: bool,
    voice: Voice,
    listener: Option<JoinHandle<()>>,
}

/// Says something to a process, by a thread that may have to wait for one that is stopped.
#[derive(Clone, Debug)]
pub(crate) struct Voice(Sender<Vec<u8>>);

/// What was heard of a process.
#[derive(Debug)]
pub(crate) enum Heard<M> {
    Said(M),
    /// It ended, or says what nobody understands. Nothing more is heard of it.
    Ended(Option<io::Error>),
}

impl Process {
    /// Starts this program with a hidden command. A thread hears what it says, and may answer.
    pub(crate) fn start<M: DeserializeOwned>(
        command: &str,
        name: String,
        hear: impl Fn(Heard<M>, &Voice) + Send + 'static,
    ) -> Result<Self, RunError> {
        let (child, input, output) = match ChildProcess::start(command) {
            Ok(started) => started,
            Err(error) => return Err(RunError::Process { name, error }),
        };
        let (told, lines) = channel::unbounded();
        thread::spawn(move || tell(input, &lines));
        let voice = Voice(told);
        let answers = voice.clone();
        let listener = thread::spawn(move || listen(output, |heard| hear(heard, &answers)));
        Ok(Self { name, child, is_stopped: false, voice, listener: Some(listener) })
    }

    /// Returns its number.
    pub(crate) fn number(&self) -> u32 {
        self.child.process()
    }

    pub(crate) const fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// Says something to it, which it hears when it goes on. One that has ended hears nothing.
    pub(crate) fn tell(&self, message: &impl Serialize) -> Result<(), RunError> {
        self.voice.tell(message).map_err(|error| self.failed(error))
    }

    /// Stops it, and waits until it stands still.
    pub(crate) fn stop(&mut self) -> Result<(), RunError> {
        self.is_stopped = true;
        self.child.stop().map_err(|error| self.failed(error))
    }

    /// Has it go on.
    pub(crate) fn resume(&mut self) -> Result<(), RunError> {
        self.is_stopped = false;
        self.child.resume().map_err(|error| self.failed(error))
    }

    fn failed(&self, error: io::Error) -> RunError {
        RunError::Process { name: self.name.clone(), error }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill();
        if let Some(listener) = self.listener.take() {
            // It does not panic, and nothing would follow from it.
            let _ = listener.join();
        }
    }
}

impl Voice {
    pub(crate) fn tell(&self, message: &impl Serialize) -> io::Result<()> {
        // Nobody is there any more to be told otherwise.
        let _ = self.0.send(pipe::line(message)?);
        Ok(())
    }
}

impl<M> Heard<M> {
    /// Returns what a process said; an error if it ended.
    pub(crate) fn said(self, name: &str) -> Result<M, RunError> {
        let name = name.to_owned();
        match self {
            Self::Said(said) => Ok(said),
            Self::Ended(Some(error)) => Err(RunError::Process { name, error }),
            Self::Ended(None) => Err(RunError::Ended { name }),
        }
    }
}

fn tell(mut input: ChildStdin, lines: &Receiver<Vec<u8>>) {
    for line in lines {
        if input.write_all(&line).is_err() {
            return;
        }
    }
}

/// Hears what a process says until it ends.
fn listen<M: DeserializeOwned>(output: ChildStdout, hear: impl Fn(Heard<M>)) {
    for line in BufReader::new(output).lines() {
        match line.and_then(|line| Ok(serde_json::from_str(&line)?)) {
            Ok(said) => hear(Heard::Said(said)),
            Err(error) => return hear(Heard::Ended(Some(error))),
        }
    }
    hear(Heard::Ended(None));
}
