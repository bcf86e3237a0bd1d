use core::time::Duration;

use super::{
    Contender, Latencies, P99, TimeoutContender, Visitor, WINDOW, destinations, hedging,
    operations::warm,
    peers::S2nQuic,
    rtt::{RttContender, rfc_6298, rfc_9002, round_trips},
    visit_all,
};
use crate::{Made, Origin, allocations};

/// Checks what the benches take for granted: what everything says of the latencies that it saw, that ours
/// never allocate, and what hedges and tables do.
///
/// Counts wrongly while another thread allocates.
///
/// # Panics
///
/// If something is not as it should be.
pub fn check() {
    visit_all(&mut Check).expect("every configuration is in its range");
    check_round_trips();
    hedging::check().expect("the limits are in order");
    destinations::check();
}

struct Check;

impl Visitor for Check {
    fn visit_timeout<C: TimeoutContender>(
        &mut self,
        name: &'static str,
        make: impl Fn() -> Made<C>,
    ) -> Made<()> {
        // The first of them wait for the prior.
        let mut latencies = Latencies::new();
        let mut contender = warm(make()?, &mut latencies);
        let read = C::duration(contender.read());
        let least = if name == "twice-p99-100" { ONE_SECOND } else { P99 * 9 / 10 };
        assert!(read >= least && read <= 2 * P99.max(least), "{name} waits {read:?}");

        let mut given_up = 0;
        let calls = latencies.take(CALLS).map(|call| C::input(call)).collect::<Vec<_>>();
        let allocations = allocations(|| {
            given_up = calls.into_iter().map(|call| usize::from(contender.call(call))).sum();
        });
        if C::ORIGIN == Origin::Ours {
            assert!(allocations == 0, "{name} allocates");
        }
        // Who forgets what timed out has more of it, but is not to be measured while all does.
        let most = if C::ORIGIN == Origin::Ours { CALLS / 60 } else { CALLS / 8 };
        assert!(given_up <= most, "{name} gives up {given_up} of {CALLS}");
        let is_adaptive = name.starts_with("timeout");
        assert!(!is_adaptive || given_up >= CALLS / 300, "{name} gives up {given_up} of {CALLS}");
        Ok(())
    }

    fn visit_window<C: Contender>(
        &mut self,
        name: &'static str,
        make: impl Fn() -> Made<C>,
    ) -> Made<()> {
        let mut latencies = Latencies::new();
        let mut contender = warm(make()?, &mut latencies);
        // Of those that never forget, too, as they are distributed alike.
        let read = C::duration(contender.read());
        assert!(read >= P99 * 8 / 10 && read <= P99 * 5 / 4, "{name} has {read:?}");

        let calls = latencies.take(WINDOW).map(|call| C::input(call)).collect::<Vec<_>>();
        let allocations = allocations(|| {
            for call in calls {
                contender.record(call);
                contender.read();
            }
        });
        if C::ORIGIN == Origin::Ours {
            assert!(allocations == 0, "{name} allocates");
        }
        Ok(())
    }
}

/// Checks that timeouts of round-trip times are about the same, or their work would not be.
fn check_round_trips() {
    let mut tcp = rfc_6298().expect("the configuration is in its range");
    let mut quic = rfc_9002().expect("the configuration is in its range");
    let mut peer = S2nQuic::new();
    let allocations = allocations(|| {
        for trip in round_trips().take(WINDOW) {
            let [ours, theirs] =
                [RttContender::update(&mut quic, trip), RttContender::update(&mut peer, trip)];
            assert!(ours.abs_diff(theirs) < Duration::from_micros(50), "{ours:?}, {theirs:?}");
            let rto = RttContender::update(&mut tcp, trip);
            assert!(rto > tcp.smoothed_rtt().unwrap_or_default(), "{rto:?}");
        }
    });
    // The latencies, and nothing else.
    assert!(allocations <= 1, "estimators allocate");
}

const ONE_SECOND: Duration = Duration::from_secs(1);

const CALLS: usize = 6000;
