use surmise_detector::{AccrualDetector, Beat, Chen, ConfigError, FailureDetector, PhiAccrual};
use surmise_time::Instant;

use crate::failover::setup::Timing;

/// A detector whose verdicts keep a contract on the detection time, which is Chen's, and whose suspicion level is phi, for
/// people to see.
#[derive(Clone, Debug)]
pub(super) struct Contracted {
    chen: Chen<[i64; 32]>,
    phi: PhiAccrual<[u32; 32]>,
}

impl Contracted {
    pub(super) fn new(timing: Timing) -> Result<Self, ConfigError> {
        Ok(Self { chen: Chen::new(timing.chen())?, phi: PhiAccrual::new(timing.phi())? })
    }
}

impl FailureDetector for Contracted {
    fn heartbeat(&mut self, sequence: u64, now: Instant) -> Beat {
        self.phi.heartbeat(sequence, now);
        self.chen.heartbeat(sequence, now)
    }

    fn queued_heartbeat(&mut self, sequence: u64, now: Instant) -> Beat {
        self.phi.queued_heartbeat(sequence, now);
        self.chen.queued_heartbeat(sequence, now)
    }

    fn restart(&mut self) {
        self.phi.restart();
        self.chen.restart();
    }

    fn deadline(&self) -> Option<Instant> {
        self.chen.deadline()
    }
}

impl AccrualDetector for Contracted {
    fn suspicion_level(&self, now: Instant) -> f64 {
        self.phi.suspicion_level(now)
    }
}
