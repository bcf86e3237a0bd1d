//! A task that owns a `Monitor`: it waits for the next heartbeat or the monitor's deadline, whichever comes first.
//!
//! Two nodes are tasks here as well, one of which stops after a second. Run it with
//! `cargo run -p surmise-monitor --example tokio`.

use core::{error::Error, future, time::Duration};

use surmise_detector::{PhiAccrual, PhiConfig};
use surmise_monitor::{Event, Grace, Monitor, MonitorConfig};
use surmise_time::{Instant, MonotonicClock, OsClock};
use tokio::{sync::mpsc, time};

/// The time from one heartbeat to the next.
pub(crate) const INTERVAL: Duration = Duration::from_millis(100);

/// What a node sends, and whatever receives it puts into the channel.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    pub(crate) node: &'static str,
    pub(crate) incarnation: u64,
    pub(crate) sequence: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (sender, receiver) = mpsc::channel(1000);
    tokio::spawn(send("a", 40, sender.clone()));
    tokio::spawn(send("b", 10, sender));
    watch(&["a", "b"], receiver, |event| println!("{event:?}")).await
}

/// Watches nodes until nobody is left who could send a heartbeat, and tells what it found out.
pub(crate) async fn watch(
    nodes: &[&'static str],
    mut heartbeats: mpsc::Receiver<Heartbeat>,
    mut tell: impl FnMut(Event<&'static str>),
) -> Result<(), Box<dyn Error>> {
    let grace = Some(Grace::fixed(10 * INTERVAL));
    let mut monitor = Monitor::new(MonitorConfig { grace, ..MonitorConfig::default() })?;
    for node in nodes {
        let detector = PhiAccrual::<[u32; 128]>::new(PhiConfig::for_interval(INTERVAL))?;
        monitor.watch(*node, detector, OsClock.now())?;
    }
    loop {
        // It is asked anew each time, for a heartbeat or an event may have moved it.
        let deadline = monitor.deadline();
        tokio::select! {
            heartbeat = heartbeats.recv() => {
                let Some(Heartbeat { node, incarnation, sequence }) = heartbeat else {
                    return Ok(());
                };
                // What an unknown node sends, or a former incarnation, is ignored.
                let _ = monitor.heartbeat(&node, incarnation, sequence, OsClock.now());
            }
            () = sleep_until(deadline) => {}
        }
        monitor.poll(OsClock.now()).for_each(&mut tell);
    }
}

/// Sleeps until then, or for ever if there is nothing to wake up for.
async fn sleep_until(deadline: Option<Instant>) {
    match deadline.and_then(|deadline| OsClock.to_std(deadline)) {
        Some(deadline) => time::sleep_until(deadline.into()).await,
        None => future::pending().await,
    }
}

async fn send(node: &'static str, beats: u64, heartbeats: mpsc::Sender<Heartbeat>) {
    let mut ticks = time::interval(INTERVAL);
    for sequence in 1..=beats {
        ticks.tick().await;
        if heartbeats.send(Heartbeat { node, incarnation: 1, sequence }).await.is_err() {
            return;
        }
    }
}
