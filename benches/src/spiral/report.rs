use core::fmt;

use super::{MOMENTS, Phase, Row, SLOWDOWNS};

/// Which share timed out, of all seeds and of the one where it was the most; which share did in the worst
/// phase apart from its first [`MOMENTS`]; and how long the timeouts were, over all phases. To wait for ever
/// lets nothing time out.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "what to show, and nothing else")]
pub struct Table<'a>(pub &'a [Row]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [slow, slower] = SLOWDOWNS.map(|slowdown| format!("{slowdown} times"));
        write!(f, "{:46}", "% timed out, and of the worst seed")?;
        for phase in ["normal", &slow, "recovered", &slower, "recovered"] {
            write!(f, " {phase:>13}")?;
        }
        writeln!(f, " {:>9} {:>12}", format!("from {MOMENTS}"), "timeout/p99")?;
        for row in self.0 {
            write!(f, "{:46}", row.name)?;
            let mut later = 0.0_f64;
            for (slowdown, phase) in [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2)] {
                let shares = row.shares(slowdown, phase, |phase| phase.timed_out);
                let most = shares.iter().copied().fold(0.0, f64::max);
                write!(f, " {:>6.2} {:>6.2}", 100.0 * mean(&shares), 100.0 * most)?;
                later =
                    later.max(mean(&row.shares(slowdown, phase, |phase| phase.timed_out_later)));
            }
            writeln!(f, " {:>9.2} {:>12.2}", 100.0 * later, row.wait())?;
        }
        Ok(())
    }
}

impl Row {
    /// Returns which share timed out in a phase, for each seed.
    fn shares(&self, slowdown: usize, phase: usize, share: fn(&Phase) -> f64) -> Vec<f64> {
        let of_seed = |seed: &[[Phase; 3]; 2]| seed.get(slowdown)?.get(phase).map(share);
        self.phases.iter().filter_map(of_seed).collect()
    }

    /// Returns the geometric mean of all timeouts, in terms of the 99th percentile at the time.
    fn wait(&self) -> f64 {
        let phases = self.phases.iter().flatten().flatten();
        let logarithms: Vec<f64> = phases.map(|phase| phase.wait.ln()).collect();
        mean(&logarithms).exp()
    }
}

fn mean(numbers: &[f64]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "few numbers")]
    let count = numbers.len() as f64;
    numbers.iter().sum::<f64>() / count
}
