use core::time::Duration;

use s2n_quic_core::{
    packet::number::PacketNumberSpace,
    recovery::RttEstimator,
    time::{Clock, NoopClock, Timestamp},
    transport::parameters::MaxAckDelay,
};

/// The estimator of `s2n-quic-core` 0.72, after the handshake.
#[derive(Clone, Debug)]
pub struct S2nQuic {
    estimator: RttEstimator,
    /// It keeps the time of the first round trip, and none of the others.
    now: Timestamp,
}

impl S2nQuic {
    /// Creates an estimator with what the RFC recommends.
    #[must_use]
    pub fn new() -> Self {
        let mut estimator = RttEstimator::new(Duration::from_millis(333));
        estimator.on_max_ack_delay(MaxAckDelay::RECOMMENDED);
        Self { estimator, now: NoopClock.get_time() }
    }

    /// Takes in a round-trip time and the delay of its acknowledgement.
    #[inline]
    pub fn update(&mut self, rtt: Duration, ack_delay: Duration) {
        self.estimator.update_rtt(ack_delay, rtt, self.now, true, SPACE);
    }

    /// Returns the probe timeout.
    #[must_use]
    #[inline]
    pub fn pto(&self) -> Duration {
        self.estimator.pto_period(1, SPACE)
    }
}

impl Default for S2nQuic {
    fn default() -> Self {
        Self::new()
    }
}

const SPACE: PacketNumberSpace = PacketNumberSpace::ApplicationData;
