//! A machine of which the truth is known: its clocks drift, sleep, are slewed, stepped and restored.

use core::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How far the rate of the boot clock is from the true one at most, in parts per billion: the crystal's
/// error and what a daemon slews it by, half each.
pub(crate) const DRIFT_PPB: u32 = 2 * HALF_DRIFT_PPB;
pub(crate) const HALF_DRIFT_PPB: u32 = 100_000;

const SECOND: u64 = 1_000_000_000;

pub(crate) struct World {
    random: ChaCha8Rng,
    truth: u64,
    clocks: Clocks,
    /// How much too fast the crystal goes, and how much faster the daemon makes it go.
    crystal_ppb: i64,
    slew_ppb: i64,
    /// What the daemon stated when it last corrected the system clock: how far it was from the truth at
    /// most. And what the boot clock showed then.
    stated: (u64, u64),
    /// When that was, by the clock that stops in suspend. The daemon does it once a second at most: of two steps
    /// that make up for each other, who reads the clocks before and after sees nothing.
    corrected: u64,
    /// Until when no source answers.
    silent_until: u64,
}

/// What all clocks of the machine show, in nanoseconds.
#[derive(Clone, Copy)]
pub(crate) struct Clocks {
    /// Counts on in suspend.
    pub(crate) boot: u64,
    /// Does not.
    pub(crate) awake: u64,
    /// The system clock: goes as the boot clock does, and is stepped.
    pub(crate) system: u64,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let truth = 1_795_230_725 * SECOND;
        Self {
            random: ChaCha8Rng::seed_from_u64(seed),
            truth,
            clocks: Clocks { boot: 0, awake: 0, system: truth },
            crystal_ppb: 0,
            slew_ppb: 0,
            stated: (0, 0),
            corrected: 0,
            silent_until: 0,
        }
    }

    /// Lets up to so much time pass, in which what happens to machines may happen.
    pub(crate) fn pass(&mut self, most: Duration) {
        let nanos = self.up_to(most);
        let first = self.random.random_range(0..=nanos);
        self.count(first, false);
        match self.below(1000) {
            0 => {
                let asleep = self.up_to(Duration::from_secs(600));
                self.count(asleep, true);
            }
            1..5 => self.crystal_ppb = self.rate(),
            5..35 if self.clocks.awake - self.corrected >= SECOND => self.correct_system_clock(),
            _ => {}
        }
        self.count(nanos - first, false);
    }

    /// Takes all sources away, for up to twice as long as a sample is relied on.
    pub(crate) fn lose_sources(&mut self, relied_on: Duration) {
        let nanos = 2 * u64::try_from(relied_on.as_nanos()).expect("it is no century");
        self.silent_until = self.truth + self.random.random_range(0..=nanos);
    }

    /// Restores the machine from a snapshot, or moves it to another.
    ///
    /// Time passes that no clock counts, and clocks count time that does not pass.
    pub(crate) fn restore(&mut self) {
        self.truth += self.up_to(Duration::from_secs(3600));
        let jump = self.up_to(Duration::from_secs(5)) + 1;
        self.clocks.boot += jump;
        self.clocks.awake += jump;
        self.clocks.system += jump;
        // The daemon sees that as well. Until then it would state what is wrong.
        self.correct_system_clock();
    }

    /// Returns the interval that a right server states at this moment.
    pub(crate) fn serve(&mut self) -> (u64, u64) {
        let [early, late] = [(); 2].map(|()| self.up_to(Duration::from_millis(2)));
        (self.truth - early, self.truth + late)
    }

    /// Returns how far the system clock is from the truth at most, as the daemon states it.
    pub(crate) fn system_bound(&self) -> u64 {
        let (bound, since) = self.stated;
        bound + growth(self.clocks.boot - since)
    }

    pub(crate) const fn clocks(&self) -> Clocks {
        self.clocks
    }

    pub(crate) const fn truth(&self) -> u64 {
        self.truth
    }

    pub(crate) const fn is_silent(&self) -> bool {
        self.truth < self.silent_until
    }

    /// Returns up to so many nanoseconds, of which short times are as frequent as long ones.
    pub(crate) fn up_to(&mut self, most: Duration) -> u64 {
        let nanos = u64::try_from(most.as_nanos()).expect("it is no century");
        let scale = self.random.random_range(0..=nanos.ilog2());
        self.random.random_range(0..=nanos >> scale)
    }

    /// Returns a number below this one.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.random.random_range(0..limit)
    }

    /// Steps the system clock, or slews all clocks, and states how far it now is from the truth.
    ///
    /// A daemon that changes to a worse server also steps away from the truth, and as often as not slews
    /// away from it: all that it promises is the bound.
    fn correct_system_clock(&mut self) {
        if self.below(2) == 0 || self.clocks.system.abs_diff(self.truth) > SECOND / 10 {
            let error = self.up_to(Duration::from_millis(50));
            let is_early = self.below(2) == 0;
            self.clocks.system = if is_early { self.truth - error } else { self.truth + error };
        }
        self.slew_ppb = self.rate();
        let spare = self.up_to(Duration::from_millis(1));
        let error = self.clocks.system.abs_diff(self.truth);
        self.stated = (error + spare, self.clocks.boot);
        self.corrected = self.clocks.awake;
    }

    /// Returns how much too fast something goes; often it is as much as it can be.
    fn rate(&mut self) -> i64 {
        let most = i64::from(HALF_DRIFT_PPB);
        match self.below(3) {
            0 => -most,
            1 => most,
            _ => self.random.random_range(-most..=most),
        }
    }

    /// Lets time pass, which the clocks count in their way.
    fn count(&mut self, nanos: u64, suspended: bool) {
        let rate = i128::from(self.crystal_ppb + self.slew_ppb);
        let wrong = i128::from(nanos) * rate / i128::from(SECOND);
        let counted = u64::try_from(i128::from(nanos) + wrong).expect("clocks never go back");
        self.truth += nanos;
        self.clocks.boot += counted;
        self.clocks.system += counted;
        self.clocks.awake += if suspended { 0 } else { counted };
    }
}

/// Returns how far a clock can go wrong while it counts so many nanoseconds.
fn growth(counted: u64) -> u64 {
    let (ppb, whole) = (u128::from(DRIFT_PPB), u128::from(SECOND));
    let most = (u128::from(counted) * ppb).div_ceil(whole - ppb);
    u64::try_from(most).expect("it is less than what was counted")
}
