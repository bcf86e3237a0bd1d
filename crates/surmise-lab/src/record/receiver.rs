use core::time::Duration;
use std::{io, net::UdpSocket, thread};

use crossbeam::channel::{self, RecvTimeoutError, Sender};
use indicatif::ProgressBar;
use surmise_time::Instant;

use super::{
    Counts, Datagram, DecodeError, Summary, announce, clock,
    collection::{Collection, Taken},
    error::RecordError,
    journal::Journal,
    socket::{self, Address},
    stop::Stop,
};

/// The most datagrams that wait to be written; above that, the socket's own queue fills.
const MAX_WAITING: usize = 65_536;

/// How often the end is looked for while nothing arrives.
const TICK: Duration = Duration::from_millis(50);

/// Said once, when the first datagram of another session arrives.
const OTHER_SESSION: &str = "another sender has started; this recording keeps to the first";

/// For how long a receiver receives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keep {
    /// From its start.
    pub(super) duration: Option<Duration>,
    /// From the sender's end.
    pub(super) linger: Duration,
}

/// Notes when heartbeats arrive.
#[derive(Debug)]
pub(super) struct Receiver {
    socket: UdpSocket,
    address: Address,
}

/// What arrived, not yet written as a whole.
#[derive(Debug)]
pub(super) struct Gathered {
    collection: Collection,
    journal: Journal,
    failure: Option<RecordError>,
}

struct Arrival {
    datagram: Result<Datagram, DecodeError>,
    received: Instant,
}

impl Receiver {
    pub(super) fn bind(address: Address) -> Result<Self, RecordError> {
        let bound = socket::bind(address)
            .and_then(|socket| Ok(Self { address: socket.local_addr()?, socket }));
        bound.map_err(|error| RecordError::Socket { address: address.to_string(), error })
    }

    pub(super) const fn address(&self) -> Address {
        self.address
    }

    /// Receives until the sender's end, the end of its time, or the signal.
    ///
    /// One thread does nothing but read the socket and the clock, so that no file and no terminal
    /// delays a time of arrival; this one keeps the journal.
    pub(super) fn run(
        &self,
        keep: &Keep,
        mut journal: Journal,
        stop: &Stop,
        progress: &ProgressBar,
    ) -> Gathered {
        let (arrivals, arrived) = channel::bounded(MAX_WAITING);
        let (ender, ended) = Stop::new();
        let mut collection = Collection::default();
        thread::scope(|scope| {
            let listening = scope.spawn(move || self.listen(&arrivals, &ended));
            let outcome = gather(keep, &mut journal, &mut collection, stop, progress, &arrived);
            drop(ender);
            // Ends when the listener does, and lets it go on if it waits for room.
            for Arrival { datagram, received } in arrived {
                collection.take(datagram, received.as_nanos());
            }
            let listened = socket::joined(listening.join()).map_err(|error| self.failed(error));
            let failure = outcome.and(listened).err();
            Gathered { collection, journal, failure }
        })
    }

    fn listen(&self, arrivals: &Sender<Arrival>, stop: &Stop) -> io::Result<()> {
        // One byte more than a datagram has, so that longer ones do not pass for ours.
        let mut buffer = [0; Datagram::LENGTH + 1];
        socket::receive(&self.socket, &mut buffer, stop, |bytes, received| {
            // The other end takes until this channel is closed.
            let _closed = arrivals.send(Arrival { datagram: Datagram::decode(bytes), received });
        })
    }

    fn failed(&self, error: io::Error) -> RecordError {
        RecordError::Socket { address: self.address.to_string(), error }
    }
}

impl Gathered {
    /// Writes the trace, whatever went wrong before, and then reports what went wrong.
    ///
    /// `sent` holds the times at which heartbeats 0, 1, … were sent, if they are known.
    pub(super) fn write(self, sent: Option<&[u64]>) -> Result<Summary, RecordError> {
        let Self { collection, journal, failure } = self;
        let foreign = collection.foreign();
        let other_sessions = collection.other_sessions();
        if collection.arrived() == 0 && sent.is_none_or(<[u64]>::is_empty) {
            journal.discard();
            return Err(failure.unwrap_or(RecordError::NothingArrived { foreign }));
        }
        let trace = collection.into_trace(&journal.name(), sent);
        let counts = Counts::of(&trace);
        let output = journal.finish(&trace)?;
        let summary = Summary::Recorded { output, counts, foreign, other_sessions };
        failure.map_or(Ok(summary), Err)
    }
}

fn gather(
    keep: &Keep,
    journal: &mut Journal,
    collection: &mut Collection,
    stop: &Stop,
    progress: &ProgressBar,
    arrived: &channel::Receiver<Arrival>,
) -> Result<(), RecordError> {
    let mut end = keep.duration.map_or(Instant::MAX, |duration| clock::now() + duration);
    while !stop.is_set() && !collection.is_full() && clock::now() < end {
        match arrived.recv_timeout(TICK) {
            Ok(Arrival { datagram, received }) => {
                match collection.take(datagram, received.as_nanos()) {
                    Taken::Heartbeat(beat) => {
                        journal.append(&beat)?;
                        progress.inc(1);
                    }
                    Taken::End => end = end.min(clock::now() + keep.linger),
                    Taken::OtherSession if collection.other_sessions() == 1 => {
                        progress.suspend(|| announce(OTHER_SESSION));
                    }
                    Taken::OtherSession | Taken::Foreign => {}
                }
                if arrived.is_empty() {
                    journal.flush()?;
                }
            }
            Err(RecvTimeoutError::Timeout) => progress.tick(),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    progress.finish_and_clear();
    Ok(())
}
