//! Performs every operation under callgrind, for `cargo xtask budgets`.
//!
//! Prints CSV: the instruction set, then for each operation its calls, in the order in which
//! callgrind writes their profiles, and for each thing that is measured its bytes. The families to perform are named on the command
//! line: without a name, all are.

use core::hint::black_box;
use std::env;

use benches::{Family, Made, Meter, Operation, Origin, Subject};

/// How often the inputs of an operation are made anew.
const BATCHES: u32 = 5;

fn main() -> Made<()> {
    println!("cpu,{}", if takes_avx2() { "avx2" } else { "other" });
    println!("family,origin,name,what,count");
    for family in Family::chosen(env::args().skip(1))? {
        family.measure(&mut Instructions(family))?;
    }
    Ok(())
}

struct Instructions(Family);

impl Meter for Instructions {
    /// Under valgrind there is no vDSO, and rustix, which looks for one, does not survive that.
    fn reads_clocks(&self) -> bool {
        false
    }

    fn bytes(&mut self, subject: Subject<'_>, bytes: usize) {
        self.report(subject, "bytes", bytes);
    }

    fn operation<O: Operation>(
        &mut self,
        subject: Subject<'_>,
        what: &'static str,
        mut operation: O,
    ) {
        let calls = BATCHES * O::BATCH;
        for _ in 0..calls {
            let input = operation.next_input();
            black_box(counted::call::<O>(operation.subject(), input));
        }
        write_profile();
        self.report(subject, what, calls);
    }
}

impl Instructions {
    fn report(&self, subject: Subject<'_>, what: &str, count: impl core::fmt::Display) {
        let family = self.0.name();
        let origin = match subject.origin {
            Origin::Ours => "ours",
            Origin::Peer => "peer",
        };
        println!("{family},{origin},{},{what},{count}", subject.name);
    }
}

/// Returns whether AVX2 is taken, if the processor, as valgrind shows it, has it.
fn takes_avx2() -> bool {
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    return std::is_x86_feature_detected!("avx2");
    #[cfg(not(all(feature = "std", target_arch = "x86_64")))]
    return false;
}

/// Makes callgrind, which is told to look for it, write what it has counted and start from zero.
#[inline(never)]
fn write_profile() {
    black_box(());
}

/// The function that callgrind counts the instructions of, with all that it calls.
mod counted {
    use benches::Operation;

    /// Stands for a function of a user's that makes the call and has its arguments in registers.
    #[inline(never)]
    pub(crate) fn call<O: Operation>(subject: &mut O::Subject, input: O::Input) -> O::Output {
        O::call(subject, input)
    }
}
