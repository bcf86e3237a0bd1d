//! What the order of timeouts and hedges comes to, with retries outside of both: which share is given up, and how
//! steady the timeout is. Prints what it finds with `--nocapture`.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "what fails here fails the test")]

extern crate alloc;

#[path = "support/simulation.rs"]
mod simulation;

use core::time::Duration;

use simulation::{Order, Phase, Setting, Straggler, simulate};
use surmise_timeout::{AdaptiveTimeoutConfig, Quantile, Ratio};

const SEEDS: u64 = 3;

fn timeout(quantile: Quantile, factor: u16) -> AdaptiveTimeoutConfig {
    let [floor, ceiling] = [1, CEILING].map(Duration::from_millis);
    let config = AdaptiveTimeoutConfig::of(quantile, floor, ceiling);
    AdaptiveTimeoutConfig { factor: Ratio::from_percent(factor), ..config }
}

const CEILING: u64 = 30_000;

/// Twice the 99th percentile, outside of the hedge.
fn recommended(straggler: Straggler) -> Setting {
    Setting {
        order: Order::TimeoutHedge,
        timeout: timeout(Quantile::P99, 200),
        budget: Ratio::from_percent(10),
        straggler,
    }
}

/// Simulates with all seeds.
fn phases(name: &str, setting: Setting) -> Vec<Phase> {
    println!("{name}, budget {}, {:?}", setting.budget, setting.straggler);
    let phases: Vec<Phase> = (0..SEEDS).flat_map(|seed| simulate(setting, seed)).collect();
    for Phase { slowdown, timed_out, extra_load, p99, p999, timeouts } in &phases {
        print!("×{slowdown:<2}: {timed_out:.2} % given up, load +{extra_load:.1} %, ");
        println!("p99 {p99} ms, p99.9 {p999} ms, timeouts {timeouts:?} ms");
    }
    phases
}

/// Asserts that the timeouts are between so many milliseconds, times how much slower the service is.
#[track_caller]
fn assert_timeouts(phases: &[Phase], least: f64, most: f64) {
    for Phase { slowdown, timeouts, .. } in phases {
        let within = |&timeout: &f64| (least..=most).contains(&(timeout / slowdown));
        assert!(timeouts.iter().all(within), "×{slowdown}: {timeouts:?}");
    }
}

/// Whether all backups that the hedge wants are paid for, half of them or none.
#[test]
fn outside_of_the_hedge_the_share_that_is_given_up_is_what_was_asked_for() {
    for (percent, factor, shares) in [
        (10, 100, 0.2..=1.7),
        (2, 100, 0.2..=1.7),
        (0, 100, 0.2..=1.7),
        (2, 200, 0.0..=1.2),
        (0, 200, 0.0..=1.2),
    ] {
        let setting = Setting {
            timeout: timeout(Quantile::P99, factor),
            budget: Ratio::from_percent(percent),
            ..recommended(Straggler::Slow)
        };
        for phase in phases(&format!("p99 × {factor} % outside of the hedge"), setting) {
            assert!(shares.contains(&phase.timed_out), "{phase:?}");
        }
    }
}

/// A request and its backup are hardly ever both slow.
#[test]
fn twice_the_p99_outside_of_the_hedge_is_steady_and_gives_up_little() {
    for straggler in [Straggler::Slow, Straggler::Stuck] {
        let phases = phases("twice the p99 outside of the hedge", recommended(straggler));
        // The 99th percentile of the faster of two is 92 ms.
        assert_timeouts(&phases, 130.0, 280.0);
        for phase in phases {
            assert!(phase.timed_out <= 0.5, "{phase:?}");
            assert!((3.0..=6.5).contains(&phase.extra_load), "{phase:?}");
            // Unhedged it is half a second.
            assert!(phase.p99 <= 110.0 * phase.slowdown, "{phase:?}");
        }
    }
}

/// The answers that would tell are those that the hedge does not wait for. It waits for too long, not too little, and
/// for as long as it may if some are never answered.
#[test]
fn inside_of_the_hedge_nobody_knows_the_p99() {
    for (straggler, most) in [(Straggler::Slow, 1000.0), (Straggler::Stuck, 4000.0)] {
        let setting = Setting {
            order: Order::HedgeTimeout,
            timeout: timeout(Quantile::P99, 100),
            ..recommended(straggler)
        };
        let phases = phases("p99 inside of the hedge", setting);
        assert!(phases.iter().all(|phase| phase.timed_out <= 0.5));
        let usual = phases.iter().filter(|phase| phase.slowdown < 2.0);
        let timeouts = usual.flat_map(|phase| phase.timeouts);
        let [shortest, longest] = timeouts.fold([f64::MAX, 0.0], |[shortest, longest], timeout| {
            [timeout.min(shortest), timeout.max(longest)]
        });
        assert!(shortest < 150.0 && longest >= most, "from {shortest} to {longest} ms");
    }
}

/// What comes before the hedge's delay, the hedge does not hide. Which share is given up is not asked for, then.
#[test]
fn inside_of_the_hedge_a_quantile_below_its_own_is_steady() {
    for (percent, straggler, shares) in [
        (10, Straggler::Slow, 0.0..=0.7),
        (10, Straggler::Stuck, 0.0..=0.7),
        (0, Straggler::Slow, 1.2..=3.0),
    ] {
        let setting = Setting {
            order: Order::HedgeTimeout,
            timeout: timeout(Quantile::P90, 400),
            budget: Ratio::from_percent(percent),
            straggler,
        };
        let phases = phases("four times the p90 inside of the hedge", setting);
        assert_timeouts(&phases, 130.0, 280.0);
        assert!(phases.iter().all(|phase| shares.contains(&phase.timed_out)));
    }
}
