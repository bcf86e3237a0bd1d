//! What time it really is, and what a monotonic clock makes of it.

use surmise_interval::Drift;

/// True time, and a monotonic clock whose rate is within the stated drift.
pub(crate) struct World {
    pub(crate) drift: Drift,
    pub(crate) moments: Vec<Moment>,
}

#[derive(Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) truth: u64,
    pub(crate) boot: u64,
}

impl World {
    pub(crate) fn new(drift: Drift) -> Self {
        Self { drift, moments: vec![Moment { truth: 1 << 60, boot: 1 << 40 }] }
    }

    pub(crate) fn now(&self) -> Moment {
        *self.moments.last().expect("there is one from the beginning")
    }

    /// Lets time pass, unless it would pass the end of time.
    pub(crate) fn pass(&mut self, nanos: u64, wrong_ppb: i32) {
        let most = i128::from(self.drift.as_ppb());
        let wrong_ppb = i128::from(wrong_ppb).clamp(-most, most);
        let counted = i128::from(nanos) + i128::from(nanos) * wrong_ppb / 1_000_000_000;
        let Moment { truth, boot } = self.now();
        let counted = u64::try_from(counted).ok().and_then(|counted| boot.checked_add(counted));
        if let (Some(truth), Some(boot)) = (truth.checked_add(nanos), counted) {
            self.moments.push(Moment { truth, boot });
        }
    }

    /// Moves the machine, whose monotonic clock stands still meanwhile.
    pub(crate) fn disrupt(&mut self, away: u64) {
        let Moment { truth, boot } = self.now();
        if let Some(truth) = truth.checked_add(away) {
            self.moments.push(Moment { truth, boot });
        }
    }

    /// Returns the last few moments.
    pub(crate) fn recent(&self) -> impl Iterator<Item = Moment> {
        self.moments.iter().rev().take(4).copied()
    }
}
