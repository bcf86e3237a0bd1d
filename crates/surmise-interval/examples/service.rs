//! A service that asks several time sources in the background, and knows when it does not know the time.
//!
//! ```console
//! $ cargo run -p surmise-interval --example service -- 10 kernel chrony ntp.example.org:123 192.0.2.1:123/16
//! ```
//!
//! For ten seconds it prints once a second what time it is at least and at most, what that rests on, and what
//! the sources said. The kernel and chrony are asked each second, NTP servers once in 64 s or in as many as
//! stand behind the slash.

#![expect(clippy::std_instead_of_alloc, clippy::std_instead_of_core, reason = "a service has std")]

use std::{
    env,
    error::Error,
    net::ToSocketAddrs,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

#[cfg(target_os = "linux")]
use surmise_interval::source::kernel::KernelClock;
use surmise_interval::{
    IntervalClockConfig,
    sampler::{Background, Sampler},
    select::Smearing,
    source::{
        chrony::{ChronyConfig, ChronySource},
        ntp::{NtpConfig, NtpSource},
    },
    sync::SharedIntervalClock,
};
#[cfg(any(target_os = "linux", target_os = "android"))]
use surmise_time::BootClock as Boot;
use surmise_time::MonotonicClock;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
use surmise_time::OsClock as Boot;

const USAGE: &str = "usage: service SECONDS [kernel | chrony | HOST:PORT[/PAUSE]]…";
const EVERY: Duration = Duration::from_secs(1);

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let seconds: u32 = arguments.next().ok_or(USAGE)?.parse().map_err(|_| USAGE)?;
    let mut sources = arguments.try_fold(Sampler::new(), add)?;

    // The first round is asked here, so that the service begins with the time, or with the reason why not.
    let clock = Arc::new(SharedIntervalClock::new(IntervalClockConfig::default()));
    let round = sources.ask(&Boot);
    round.feed(&clock);
    let mut reason = round.to_string();

    let (reports, rounds) = mpsc::channel();
    let report = move |round: &_, _| _ = reports.send(ToString::to_string(round));
    let asking = Background::spawn(sources, Arc::clone(&clock), Boot, EVERY, report)?;

    for _ in 0..seconds {
        reason = rounds.try_iter().last().unwrap_or(reason);
        let now = Boot.now();
        let status = clock.status(now);
        match clock.now(now) {
            Ok(now) => println!("{status:?}: {now}\n    {reason}"),
            Err(error) => println!("{status:?}: {error}\n    {reason}"),
        }
        if !asking.is_running() {
            return Err("nobody asks the time sources any more".into());
        }
        #[expect(clippy::disallowed_methods, reason = "a service would have something to do")]
        thread::sleep(EVERY);
    }
    Ok(())
}

/// Adds a source by its name on the command line.
fn add(sources: Sampler, name: String) -> Result<Sampler, Box<dyn Error>> {
    // Say so of servers that smear leap seconds, and of a daemon that follows such.
    let smearing = Smearing::Stepped;
    Ok(match name.as_str() {
        #[cfg(target_os = "linux")]
        "kernel" => sources.with(KernelClock::new(), smearing),
        "chrony" => sources.with(ChronySource::new(ChronyConfig::default()), smearing),
        server => {
            let (host, pause) = server.split_once('/').unwrap_or((server, "64"));
            let pause = pause.parse().map_err(|_| format!("{pause} is no number of seconds"))?;
            let found = host.to_socket_addrs().map_err(|error| format!("{host}: {error}"))?.next();
            let address = found.ok_or_else(|| format!("{host} has no address"))?;
            let source = NtpSource::new(address, NtpConfig::default());
            sources.with_pause(source, smearing, Duration::from_secs(pause))
        }
    })
}
