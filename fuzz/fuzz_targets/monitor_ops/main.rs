//! Any heartbeats, polls and pauses: a monitor finds what a naive one finds.

#![no_main]

#[path = "../../../crates/surmise-monitor/tests/monitor_laws/naive.rs"]
mod naive;
#[path = "../../../crates/surmise-monitor/tests/monitor_laws/world.rs"]
mod world;

use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use surmise_monitor::{CorrelatedExpiry, Grace, MonitorConfig};

use crate::world::{Op, PEERS, World};

#[derive(Arbitrary, Debug)]
struct Input {
    max_poll_gap: Time,
    settle: Time,
    first_heartbeat: Option<Time>,
    grace: Option<(Time, Time, u8)>,
    correlated_expiry: Option<(u8, u8, Time, Time)>,
    health_recovery: Time,
    max_peers: u8,
    steps: Vec<(Time, Option<Time>, AnyOp)>,
}

/// Up to a minute or so, and as often short as long.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Time {
    nanos: u32,
    shift: u8,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum AnyOp {
    Watch(u8),
    Unwatch(u8),
    Heartbeat { peer: u8, incarnation: u8, sequence: u8 },
    Heartbeats { count: u8, incarnation: u8, sequence: u8 },
    Refute { peer: u8, incarnation: u8 },
    Confirm { peer: u8, incarnation: u8, observer: u8 },
    WorsenHealth,
    Poll,
    PollSome(u8),
}

fuzz_target!(|input: Input| {
    let mut world = World::new(input.config());
    // The naive one looks at everybody at each step.
    for (forth, back, op) in input.steps.into_iter().take(300) {
        let back = back.map_or(Duration::ZERO, Time::duration);
        world.step(forth.duration(), back, op.into());
    }
});

impl Input {
    fn config(&self) -> MonitorConfig {
        let positive = |time: Time| time.duration() + Duration::from_nanos(1);
        MonitorConfig {
            max_poll_gap: self.max_poll_gap.duration() + Duration::from_millis(1),
            settle: self.settle.duration(),
            first_heartbeat: self.first_heartbeat.map(positive),
            grace: self.grace.map(|(min, longer, confirmations)| Grace {
                min: positive(min),
                max: positive(min) + longer.duration(),
                confirmations: confirmations % 65,
            }),
            correlated_expiry: self.correlated_expiry.map(|(peers, percent, within, hold)| {
                CorrelatedExpiry {
                    peers: peers.into(),
                    percent: percent % 100 + 1,
                    within: within.duration(),
                    hold: positive(hold),
                }
            }),
            health_recovery: positive(self.health_recovery),
            max_peers: self.max_peers.into(),
        }
    }
}

impl Time {
    fn duration(self) -> Duration {
        Duration::from_nanos((u64::from(self.nanos) << 4) >> (self.shift % 36))
    }
}

impl From<AnyOp> for Op {
    fn from(op: AnyOp) -> Self {
        let peer = |peer: u8| peer % PEERS;
        match op {
            AnyOp::Watch(of) => Self::Watch(peer(of)),
            AnyOp::Unwatch(of) => Self::Unwatch(peer(of)),
            AnyOp::Heartbeat { peer: of, incarnation, sequence } => Self::Heartbeat {
                peer: peer(of),
                incarnation: (incarnation / 100).into(),
                sequence: sequence.into(),
            },
            AnyOp::Heartbeats { count, incarnation, sequence } => Self::Heartbeats {
                count: count % 80,
                incarnation: (incarnation / 100).into(),
                sequence: sequence.into(),
            },
            AnyOp::Refute { peer: of, incarnation } => {
                Self::Refute { peer: peer(of), incarnation: (incarnation / 100).into() }
            }
            AnyOp::Confirm { peer: of, incarnation, observer } => {
                Self::Confirm { peer: peer(of), incarnation: (incarnation / 100).into(), observer }
            }
            AnyOp::WorsenHealth => Self::WorsenHealth,
            AnyOp::Poll => Self::Poll,
            AnyOp::PollSome(events) => Self::PollSome(events.into()),
        }
    }
}
