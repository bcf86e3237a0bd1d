use crossbeam_utils::CachePadded;
use surmise_time::Instant;

use super::loom::{AtomicU64, Mutex, Ordering};
use crate::{Beat, FailureDetector, Verdict, arrivals::Deadline};

/// A detector that many threads share: heartbeats take a lock, verdicts do not.
///
/// The deadline is published while the lock is held, so that what readers see never falls behind what
/// the last heartbeat decided. It lies on a cache line of its own: reading it does not contend with the
/// lock.
///
/// Verdicts are wait-free. One given during a heartbeat is that of before or after it.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use surmise_detector::{PhiAccrual, PhiConfig, Verdict, sync::Shared};
/// use surmise_time::Instant;
///
/// let config = PhiConfig::for_interval(Duration::from_millis(100));
/// let peer = Shared::new(PhiAccrual::<[u32; 128]>::new(config)?);
/// std::thread::scope(|scope| {
///     scope.spawn(|| peer.heartbeat(1, Instant::ORIGIN));
/// });
/// assert_eq!(peer.verdict(Instant::ORIGIN), Verdict::Trust);
/// # Ok::<(), surmise_detector::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct Shared<D> {
    detector: Mutex<D>,
    /// The bits of a [`Deadline`].
    deadline: CachePadded<AtomicU64>,
}

impl<D: FailureDetector> Shared<D> {
    /// Shares a detector, as it is.
    #[must_use]
    pub fn new(detector: D) -> Self {
        let deadline = CachePadded::new(AtomicU64::new(bits(&detector)));
        Self { detector: Mutex::new(detector), deadline }
    }

    /// Takes in the heartbeat with this sequence number, which arrived at `now`.
    ///
    /// Read the clock before the call: the wait for the lock is no delay of the peer's.
    pub fn heartbeat(&self, sequence: u64, now: Instant) -> Beat {
        self.update(|detector| detector.heartbeat(sequence, now))
    }

    /// Forgets the sequence numbers, because the peer has restarted and counts anew.
    pub fn restart(&self) {
        self.update(FailureDetector::restart);
    }

    /// Changes the detector under the lock, and publishes its deadline before the lock is free again.
    ///
    /// For what is not a heartbeat or a restart, as
    /// [`Incarnated::heartbeat_of`](crate::Incarnated::heartbeat_of). From within `change`, other
    /// methods of this value that lock would wait for ever.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::time::Duration;
    /// use surmise_detector::{FixedTimeout, Incarnated, sync::Shared};
    /// use surmise_time::Instant;
    ///
    /// let detector = FixedTimeout::new(Duration::from_secs(1))?;
    /// let peer = Shared::new(Incarnated::new(detector));
    /// peer.update(|peer| peer.heartbeat_of(7, 1, Instant::ORIGIN));
    /// assert!(peer.deadline().is_some());
    /// # Ok::<(), surmise_detector::ConfigError>(())
    /// ```
    pub fn update<R>(&self, change: impl FnOnce(&mut D) -> R) -> R {
        let mut detector = self.detector.lock();
        let result = change(&mut detector);
        // Release and acquire, so that whoever sees the deadline also sees what led to it.
        self.deadline.store(bits(&*detector), Ordering::Release);
        result
    }

    /// Returns the last instant at which the peer is trusted, or `None` before the first heartbeat.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        Deadline::from_bits(self.deadline.load(Ordering::Acquire)).get()
    }

    /// Returns what to think of the peer at `now`: one load, one comparison.
    #[must_use]
    pub fn verdict(&self, now: Instant) -> Verdict {
        Verdict::by(self.deadline(), now)
    }

    /// Looks at the detector under the lock, as for its level of suspicion.
    ///
    /// From within `look`, other methods of this value that lock would wait for ever.
    pub fn with<R>(&self, look: impl FnOnce(&D) -> R) -> R {
        look(&self.detector.lock())
    }

    /// Takes the detector back.
    #[must_use]
    pub fn into_inner(self) -> D {
        self.detector.into_inner()
    }
}

fn bits(detector: &impl FailureDetector) -> u64 {
    detector.deadline().map_or(Deadline::NONE, Deadline::at).to_bits()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use core::time::Duration;

    use super::*;
    use crate::FixedTimeout;

    #[test]
    fn a_shared_detector_answers_as_the_core_does() {
        let mut core = FixedTimeout::new(Duration::from_nanos(10)).unwrap();
        let shared = Shared::new(core.clone());
        assert_eq!(shared.verdict(Instant::ORIGIN), Verdict::Unknown);
        for (sequence, nanos) in [(1, 0), (2, 8), (2, 9), (4, 30), (3, 31), (5, 29)] {
            let now = Instant::from_nanos(nanos);
            assert_eq!(shared.heartbeat(sequence, now), core.heartbeat(sequence, now));
            for now in (0..60).map(Instant::from_nanos) {
                assert_eq!(shared.verdict(now), core.verdict(now));
            }
            assert_eq!(shared.deadline(), core.deadline());
        }
        shared.restart();
        assert_eq!(shared.deadline(), None);
        assert_eq!(shared.into_inner().deadline(), None);
    }

    #[test]
    fn a_detector_that_has_begun_can_be_shared() {
        let mut core = FixedTimeout::new(Duration::from_nanos(10)).unwrap();
        core.heartbeat(1, Instant::from_nanos(5));
        assert_eq!(Shared::new(core).deadline(), Some(Instant::from_nanos(15)));
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use core::time::Duration;

    use loom::{sync::Arc, thread};

    use super::*;
    use crate::FixedTimeout;

    fn shared() -> Arc<Shared<FixedTimeout>> {
        Arc::new(Shared::new(FixedTimeout::new(Duration::from_nanos(10)).unwrap()))
    }

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    #[test]
    fn loom_published_deadline_is_the_detectors() {
        loom::model(|| {
            let peer = shared();
            let writers = [(1, 100), (2, 200)].map(|(sequence, nanos)| {
                let peer = Arc::clone(&peer);
                thread::spawn(move || peer.heartbeat(sequence, at(nanos)))
            });
            for writer in writers {
                writer.join().unwrap();
            }
            // Whichever came first, the newer heartbeat decides.
            assert_eq!(peer.deadline(), Some(at(210)));
            assert_eq!(peer.with(FailureDetector::deadline), Some(at(210)));
        });
    }

    #[test]
    fn loom_readers_never_see_a_deadline_go_back() {
        loom::model(|| {
            let peer = shared();
            let writer = {
                let peer = Arc::clone(&peer);
                thread::spawn(move || {
                    peer.heartbeat(1, at(100));
                    peer.heartbeat(2, at(200));
                })
            };
            let first = peer.deadline();
            let second = peer.deadline();
            assert!(first <= second);
            assert!([None, Some(at(110)), Some(at(210))].contains(&second));
            writer.join().unwrap();
            assert_eq!(peer.verdict(at(211)), Verdict::Suspect);
        });
    }

    #[test]
    fn loom_restart_and_heartbeat_leave_one_truth() {
        loom::model(|| {
            let peer = shared();
            peer.heartbeat(7, at(50));
            let restarter = {
                let peer = Arc::clone(&peer);
                thread::spawn(move || peer.restart())
            };
            peer.heartbeat(8, at(60));
            restarter.join().unwrap();
            assert_eq!(peer.deadline(), peer.with(FailureDetector::deadline));
        });
    }

    /// The mistake that the lock's scope prevents: publishing after it is free again.
    fn racy_heartbeat(peer: &Shared<FixedTimeout>, sequence: u64, now: Instant) {
        let published = {
            let mut detector = peer.detector.lock();
            detector.heartbeat(sequence, now);
            bits(&*detector)
        };
        peer.deadline.store(published, Ordering::Release);
    }

    #[test]
    #[should_panic(expected = "fell behind")]
    fn loom_catches_publishing_outside_the_lock() {
        loom::model(|| {
            let peer = shared();
            let writer = {
                let peer = Arc::clone(&peer);
                thread::spawn(move || racy_heartbeat(&peer, 1, at(100)))
            };
            racy_heartbeat(&peer, 2, at(200));
            writer.join().unwrap();
            assert_eq!(peer.deadline(), Some(at(210)), "the deadline fell behind");
        });
    }
}
