use core::time::Duration;

use surmise_timeout::rtt::{QuicRtt, QuicRttConfig, RttConfig, RttEstimator};

use super::{Latencies, peers::S2nQuic};
use crate::{Made, Meter, Operation, Origin, Subject, footprint};

/// Shows what estimates round-trip times to a meter: ours first, then the peer's.
pub(super) fn measure(meter: &mut impl Meter) -> Made<()> {
    visit(meter, "rtt-tcp", rfc_6298)?;
    visit(meter, "rtt-quic", rfc_9002)?;
    visit(meter, "s2n-quic-core", || Ok(S2nQuic::new()))
}

/// Returns the estimator of TCP without its floor of a second, which no latency here would exceed.
pub(super) fn rfc_6298() -> Made<RttEstimator> {
    let min_rto = Duration::from_millis(1);
    Ok(RttEstimator::new(RttConfig { min_rto, ..RttConfig::default() })?)
}

/// Returns the estimator of QUIC, after the handshake.
pub(super) fn rfc_9002() -> Made<QuicRtt> {
    let mut estimator = QuicRtt::new(QuicRttConfig::default())?;
    estimator.confirm_handshake();
    Ok(estimator)
}

/// Something that makes a timeout of round-trip times.
pub(super) trait RttContender {
    const ORIGIN: Origin = Origin::Ours;

    /// Takes in a round trip, and returns the timeout.
    fn update(&mut self, trip: RoundTrip) -> Duration;
}

/// A round trip, with the delay of its acknowledgement.
pub(super) type RoundTrip = (Duration, Duration);

/// Returns the round trips that every bench sees: an eighth of each is the other side's delay.
pub(super) fn round_trips() -> impl Iterator<Item = RoundTrip> {
    Latencies::new().map(|call| (call.took, call.took / 8))
}

impl RttContender for RttEstimator {
    #[inline]
    fn update(&mut self, (rtt, _): RoundTrip) -> Duration {
        Self::update(self, rtt, 1);
        self.rto()
    }
}

impl RttContender for QuicRtt {
    #[inline]
    fn update(&mut self, (rtt, ack_delay): RoundTrip) -> Duration {
        Self::update(self, rtt, ack_delay);
        self.pto()
    }
}

impl RttContender for S2nQuic {
    const ORIGIN: Origin = Origin::Peer;

    #[inline]
    fn update(&mut self, (rtt, ack_delay): RoundTrip) -> Duration {
        Self::update(self, rtt, ack_delay);
        self.pto()
    }
}

fn visit<C: RttContender>(
    meter: &mut impl Meter,
    name: &str,
    make: impl Fn() -> Made<C>,
) -> Made<()> {
    let subject = Subject { table: "round-trip times", name, origin: C::ORIGIN };
    let (contender, bytes) = footprint(make)?;
    meter.bytes(subject, bytes);
    let trips = Box::new(round_trips());
    meter.operation(subject, "update and read", Updates { contender, trips });
    Ok(())
}

struct Updates<C> {
    contender: C,
    trips: Box<dyn Iterator<Item = RoundTrip>>,
}

impl<C: RttContender> Operation for Updates<C> {
    type Subject = C;

    type Input = RoundTrip;

    type Output = Duration;

    fn subject(&mut self) -> &mut C {
        &mut self.contender
    }

    fn next_input(&mut self) -> RoundTrip {
        self.trips.next().expect("round trips never end")
    }

    #[inline]
    fn call(contender: &mut C, trip: RoundTrip) -> Duration {
        contender.update(trip)
    }
}
