//! Recording of heartbeat traces over UDP.
//!
//! A *sender* sends a [`Datagram`] at a fixed interval, a *receiver* notes when each arrives and
//! writes a [`Trace`](crate::trace::Trace); a *relay* between them can lose, delay, reorder and
//! duplicate. [`run`] plays the part that [`RecordArgs`] names, on sockets of this machine.
//!
//! # Limits
//!
//! One recording holds at most 5 000 000 heartbeats, which is five days at ten a second; to ask for
//! more is an error. Times are taken in user space, just before a datagram is sent and just after it
//! was received: what the scheduler and the socket's queue add is in the trace, as it is for any
//! service. A receiver records the first session that it hears; a sender that is started again is
//! another, which the receiver says and ignores. Datagrams are not authenticated: whoever knows a
//! session's number can add to its trace.

mod args;
mod clock;
mod collection;
mod datagram;
mod delay;
mod error;
mod journal;
mod link;
mod probability;
mod receiver;
mod relay;
mod sender;
mod socket;
mod stop;
mod summary;

use core::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use std::{path::Path, thread};

use indicatif::{ProgressBar, ProgressStyle};

pub use self::{
    args::RecordArgs,
    datagram::{Datagram, DatagramKind, DecodeError},
    error::RecordError,
    stop::{Stop, Stopper},
    summary::{Counts, Summary},
};
pub(crate) use self::{
    delay::DelayLaw,
    link::{Impairment, Link},
    probability::Probability,
};
use self::{
    journal::Journal,
    receiver::{Keep, Receiver},
    relay::Relay,
    sender::Sender,
};

/// The most heartbeats in a recording: half of a trace, so that the lost ones fit as well.
const MAX_HEARTBEATS: u64 = crate::trace::MAX_BEATS as u64 / 2;

/// Sends, receives or relays, until its end or until `stop`.
///
/// Progress is shown on the standard error if that is a terminal. A receiver says there where it
/// listens, which port 0 leaves open.
///
/// # Errors
///
/// [`RecordError`] if more heartbeats are asked for than fit, an address or a socket cannot be used,
/// the output exists or cannot be written, or not one heartbeat arrived. Whatever has been recorded until then is in the output or in its
/// `.partial` file.
///
/// # Examples
///
/// ```
/// use clap::Parser;
/// use surmise_lab::record::{RecordArgs, Stop, Summary, run};
///
/// #[derive(Parser)]
/// struct Cli {
///     #[command(flatten)]
///     record: RecordArgs,
/// }
///
/// let folder = tempfile::tempdir()?;
/// let output = folder.path().join("my.csv");
/// let arguments = ["record", "--loopback", "--count=3", "--interval=1ms", "--linger=10ms", "-o"];
/// let cli = Cli::parse_from(arguments.map(Into::into).into_iter().chain([output.into_os_string()]));
///
/// let (_stopper, stop) = Stop::new();
/// let Summary::Recorded { counts, .. } = run(&cli.record, &stop)? else { unreachable!() };
/// assert_eq!(counts.heartbeats, 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn run(args: &RecordArgs, stop: &Stop) -> Result<Summary, RecordError> {
    match args {
        RecordArgs { send: Some(to), .. } => send(args, to, stop),
        RecordArgs { receive: Some(at), .. } => receive(args, at, stop),
        RecordArgs { relay_listen: Some(at), relay_to: Some(to), .. } => relay(args, at, to, stop),
        _ => loopback(args, stop),
    }
}

fn send(args: &RecordArgs, to: &str, stop: &Stop) -> Result<Summary, RecordError> {
    let failed = |error| RecordError::Socket { address: to.to_owned(), error };
    let schedule = args.schedule()?;
    let sender = Sender::new(socket::resolve(to)?, schedule).map_err(failed)?;
    let progress = progress(args, "sent");
    let sent = sender.run(stop, |sequence| progress.set_position(sequence + 1)).map_err(failed)?;
    progress.finish_and_clear();
    let heartbeats = u64::try_from(sent.times.len()).unwrap_or(u64::MAX);
    Ok(Summary::Sent { heartbeats, refused: sent.refused, unheard: sent.unheard })
}

fn receive(args: &RecordArgs, at: &str, stop: &Stop) -> Result<Summary, RecordError> {
    let receiver = Receiver::bind(socket::resolve(at)?)?;
    let journal = Journal::create(output(args), args.force)?;
    announce(&format!("receiving on {}", receiver.address()));
    let keep = Keep { duration: args.duration, linger: args.linger };
    receiver.run(&keep, journal, stop, &progress(args, "received")).write(None)
}

fn relay(args: &RecordArgs, at: &str, to: &str, stop: &Stop) -> Result<Summary, RecordError> {
    let failed = |error| RecordError::Socket { address: at.to_owned(), error };
    let near = socket::bind(socket::resolve(at)?).map_err(failed)?;
    announce(&format!("relaying from {}", near.local_addr().map_err(failed)?));
    let relay =
        Relay::new(near, socket::resolve(to)?, args.impairment.to_impairment()).map_err(failed)?;
    let (ender, ended) = Stop::new();
    thread::scope(|scope| {
        let relaying = scope.spawn(|| relay.run(&ended));
        stop.wait(args.duration.unwrap_or(Duration::MAX));
        drop(ender);
        socket::joined(relaying.join()).map_err(failed)
    })?;
    Ok(Summary::Relayed)
}

/// Runs a sender, a receiver and perhaps a relay, each in threads of its own.
///
/// The signal ends the sender only. The others go on for as long as heartbeats may be under way, or
/// until the next signal.
fn loopback(args: &RecordArgs, stop: &Stop) -> Result<Summary, RecordError> {
    let schedule = args.schedule()?;
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let failed = |error| RecordError::Socket { address: any.to_string(), error };
    let receiver = Receiver::bind(any)?;
    let mut entry = receiver.address();
    let mut relay = None;
    if args.relay {
        let near = socket::bind(any).map_err(failed)?;
        let far = entry;
        entry = near.local_addr().map_err(failed)?;
        let impairment = args.impairment.to_impairment();
        relay = Some(Relay::new(near, far, impairment).map_err(failed)?);
    }
    let sender = Sender::new(entry, schedule).map_err(failed)?;
    let journal = Journal::create(output(args), args.force)?;
    let keep = Keep { duration: None, linger: args.linger };
    let (ender, ended) = Stop::new();
    let (relay_ender, relay_ended) = Stop::new();
    thread::scope(|scope| {
        let relaying = scope.spawn(|| relay.map_or(Ok(()), |relay| relay.run(&relay_ended)));
        let sending = scope.spawn(move || {
            let sent = sender.run(stop, |_sequence| {});
            // For the case that the relay lost every announcement of the end.
            stop.next().wait(keep.linger);
            drop(ender);
            sent
        });
        let gathered = receiver.run(&keep, journal, &ended, &progress(args, "received"));
        let sent = socket::joined(sending.join()).map_err(failed);
        drop(relay_ender);
        let relayed = socket::joined(relaying.join()).map_err(failed);
        let times = sent.as_ref().ok().map(|sent| sent.times.as_slice());
        let summary = gathered.write(times);
        sent.map(drop).and(relayed).and(summary)
    })
}

fn output(args: &RecordArgs) -> &Path {
    // The command line does not parse without it where it is asked for.
    args.output.as_deref().unwrap_or(Path::new("trace.csv"))
}

fn announce(text: &str) {
    eprintln!("{text}");
}

fn progress(args: &RecordArgs, what: &'static str) -> ProgressBar {
    let count = args.schedule().map_or(MAX_HEARTBEATS, |schedule| schedule.count());
    let (bar, template) = if count < MAX_HEARTBEATS && args.receive.is_none() {
        (ProgressBar::new(count), "{wide_bar} {pos}/{len} {msg}, {eta} left")
    } else {
        (ProgressBar::new_spinner(), "{spinner} {pos} {msg} in {elapsed}")
    };
    let style = ProgressStyle::with_template(template);
    bar.with_style(style.unwrap_or_else(|_invalid| ProgressStyle::default_bar())).with_message(what)
}
