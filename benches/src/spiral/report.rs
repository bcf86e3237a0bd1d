use core::fmt;

use super::{Phase, Row, SLOWDOWNS};

/// Which share timed out, of all seeds and of the one where it was the most; and how long the timeouts
/// were, over all phases. To wait for ever lets nothing time out.
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
        writeln!(f, " {:>12}", "timeout/p99")?;
        for row in self.0 {
            write!(f, "{:46}", row.name)?;
            for (slowdown, phase) in [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2)] {
                let (mean, most) = row.timed_out(slowdown, phase);
                write!(f, " {:>6.2} {:>6.2}", 100.0 * mean, 100.0 * most)?;
            }
            writeln!(f, " {:>12.2}", row.wait())?;
        }
        Ok(())
    }
}

impl Row {
    /// Returns which share timed out in a phase, on average and of the seed where it was the most.
    fn timed_out(&self, slowdown: usize, phase: usize) -> (f64, f64) {
        let of_seed = |seed: &[[Phase; 3]; 2]| Some(seed.get(slowdown)?.get(phase)?.timed_out);
        let shares: Vec<f64> = self.phases.iter().filter_map(of_seed).collect();
        (mean(&shares), shares.iter().copied().fold(0.0, f64::max))
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
