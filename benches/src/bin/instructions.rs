//! Performs every operation under callgrind, for `cargo xtask budgets`.
//!
//! Prints CSV: for each operation its calls, in the order in which callgrind writes their profiles,
//! and for each detector its bytes.

use core::{fmt::Display, hint::black_box};

use benches::{
    AccrualContender, Contender, Heartbeats, Made, Origin, PHI_VALUES, Visitor, footprint,
    query_times, visit_all, warm,
};

/// How often each operation is performed.
const CALLS: u32 = 5000;

fn main() -> Made<()> {
    println!("origin,name,what,count");
    visit_all(&mut Instructions)?;
    for (z, _) in PHI_VALUES {
        for _ in 0..CALLS {
            black_box(counted::phi_from_z(z));
        }
        write_profile();
        report(Origin::Ours, format_args!("z = {z}"), "phi_from_z", CALLS);
    }
    Ok(())
}

struct Instructions;

impl Visitor for Instructions {
    fn visit<C: Contender>(&mut self, name: &'static str, make: impl Fn() -> Made<C>) -> Made<()> {
        let (mut contender, footprint) = footprint(&make)?;
        report(C::ORIGIN, name, "bytes", footprint);
        let mut heartbeats = Heartbeats::new();
        let mut last = warm(&mut contender, &mut heartbeats);

        for beat in heartbeats.take(CALLS as usize) {
            black_box(counted::heartbeat(&mut contender, beat.sequence, beat.at));
            last = beat.at;
        }
        write_profile();
        report(C::ORIGIN, name, "heartbeat", CALLS);

        for now in query_times(last, CALLS) {
            black_box(counted::verdict(&contender, now));
        }
        write_profile();
        report(C::ORIGIN, name, "verdict", CALLS);
        Ok(())
    }

    fn visit_level<C: AccrualContender>(
        &mut self,
        name: &'static str,
        make: impl Fn() -> Made<C>,
    ) -> Made<()> {
        let mut contender = make()?;
        let last = warm(&mut contender, &mut Heartbeats::new());
        for now in query_times(last, CALLS) {
            black_box(counted::suspicion_level(&contender, now));
        }
        write_profile();
        report(C::ORIGIN, name, "suspicion_level", CALLS);
        Ok(())
    }
}

fn report(origin: Origin, name: impl Display, what: &str, count: impl Display) {
    let origin = match origin {
        Origin::Ours => "ours",
        Origin::Peer => "peer",
    };
    println!("{origin},{name},{what},{count}");
}

/// Makes callgrind, which is told to look for it, write what it has counted and start from zero.
#[inline(never)]
fn write_profile() {
    black_box(());
}

/// The functions that callgrind counts the instructions of, with all that they call.
///
/// Each stands for a function of a user's that makes the call and has its arguments in registers.
mod counted {
    use benches::{AccrualContender, Contender};
    use surmise_detector::Verdict;
    use surmise_time::Instant;

    #[inline(never)]
    pub(crate) fn heartbeat<C: Contender>(
        contender: &mut C,
        sequence: u64,
        now: Instant,
    ) -> C::Beat {
        contender.heartbeat(sequence, now)
    }

    #[inline(never)]
    pub(crate) fn verdict<C: Contender>(contender: &C, now: Instant) -> Verdict {
        contender.verdict(now)
    }

    #[inline(never)]
    pub(crate) fn suspicion_level<C: AccrualContender>(contender: &C, now: Instant) -> f64 {
        contender.suspicion_level(now)
    }

    #[inline(never)]
    pub(crate) fn phi_from_z(z: f64) -> f64 {
        surmise_detector::phi_from_z(z)
    }
}
