//! What is said of many runs.

use super::{
    outage::{Loss, Outage, Promise, Spread},
    verdict::{Outcome, Verdict, time},
};

/// Says how many runs kept what was promised, and how soon lost leaders were found out and replaced.
pub(super) fn sum_up(verdicts: &[Verdict]) -> String {
    let count = |outcome| verdicts.iter().filter(|verdict| verdict.outcome == outcome).count();
    let mut said = format!("{} of {} runs are clean", count(Outcome::Clean), verdicts.len());
    for (outcome, are) in [
        (Outcome::Unfinished, "did not finish"),
        (Outcome::Broken, "are broken"),
        (Outcome::Corrupt, "are corrupt"),
    ] {
        match count(outcome) {
            0 => {}
            count => said += &format!(", {count} {are}"),
        }
    }
    said.push('.');
    for how in [Loss::Killed, Loss::Stopped, Loss::CutOff] {
        let lost = verdicts.iter().flat_map(|verdict| {
            let outages = verdict.outages.iter().filter(move |outage| outage.how == how);
            outages.map(|outage| (&verdict.promise, outage))
        });
        let lost: Vec<_> = lost.collect();
        if !lost.is_empty() {
            said += &format!(" {}", describe(how, &lost));
        }
    }
    said
}

fn describe(how: Loss, lost: &[(&Promise, &Outage)]) -> String {
    let how = match (how, lost.len()) {
        (how, 1) => format!("1 leader {}", how.describe()),
        (Loss::Killed, count) => format!("{count} leaders were killed"),
        (Loss::Stopped, count) => format!("{count} leaders were stopped"),
        (Loss::CutOff, count) => format!("{count} leaders were cut off"),
    };
    let detections: Spread =
        lost.iter().flat_map(|(promise, outage)| outage.detections(promise)).collect();
    let convictions: Spread =
        lost.iter().filter_map(|(promise, outage)| outage.conviction(promise)).collect();
    let failovers: Spread = lost.iter().filter_map(|(_, outage)| outage.failover()).collect();
    let mut parts = Vec::new();
    if detections.count > 0 {
        let late: usize = lost.iter().map(|(promise, outage)| outage.late(promise)).sum();
        let late = match late {
            0 => String::new(),
            late => format!(" (LATER THAN PROMISED: {late} of {})", detections.count),
        };
        let promised = promised(lost);
        parts.push(format!(
            "the time until an observer suspected it was {detections}, where the contract promises {promised}{late}"
        ));
    }
    if convictions.count > 0 {
        parts.push(format!("that until a majority did was {convictions}"));
    }
    if failovers.count > 0 {
        parts.push(format!("that until the next one had a write acknowledged was {failovers}"));
    }
    let on = lost.iter().filter(|(_, outage)| outage.went_on).count();
    if on > 0 {
        parts.push(format!("{on} went on leading when back"));
    }
    format!("{how}: {}.", parts.join("; "))
}

/// Returns what was promised, which only differs by what the network adds.
fn promised(lost: &[(&Promise, &Outage)]) -> String {
    let promises = || lost.iter().map(|(promise, _)| *promise);
    let Some(first) = promises().next() else { return String::new() };
    if promises().all(|promise| promise == first) {
        return first.to_string();
    }
    format!("{} plus, in some runs, the mean delay of a heartbeat", time(first.detection_ns))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failover::{outage::Observer, verdict::Counts};

    const MS: u64 = 1_000_000;

    fn killed(suspected: [Option<u64>; 2], replaced: Option<u64>) -> Outage {
        let [one, two] = suspected.map(|ms| ms.map(|ms| ms * MS));
        Outage {
            node: 0,
            how: Loss::Killed,
            nodes: 3,
            observers: vec![
                Observer { node: 1, suspected_ns: one },
                Observer { node: 2, suspected_ns: two },
            ],
            convicted_ns: one.max(two),
            lasted_ns: 5000 * MS,
            is_back: false,
            went_on: false,
            replaced_ns: replaced.map(|ms| ms * MS),
        }
    }

    fn verdict(outcome: Outcome, outages: Vec<Outage>) -> Verdict {
        Verdict {
            outcome,
            violations: Vec::new(),
            drained: true,
            promise: Promise { detection_ns: 500 * MS, plus_delay: None },
            outages,
            counts: Counts::default(),
        }
    }

    #[test]
    fn what_never_came_and_what_came_late_is_said() {
        let said = sum_up(&[
            verdict(Outcome::Clean, vec![killed([Some(450), Some(470)], Some(520))]),
            verdict(Outcome::Clean, vec![killed([Some(480), Some(510)], Some(560))]),
            verdict(Outcome::Unfinished, vec![killed([Some(490), None], None)]),
        ]);
        assert_eq!(
            said,
            "2 of 3 runs are clean, 1 did not finish. 3 leaders were killed: the time until an observer suspected it was \
             485 ms in the median, 510 ms at worst (but endless in 1 of 6), where the contract promises 500 ms \
             (LATER THAN PROMISED: 2 of 6); that until a majority did was 490 ms in the median, 510 ms at worst; that \
             until the next one had a write acknowledged was 560 ms in the median, 560 ms at worst (but endless in 1 of 3)."
        );
    }

    #[test]
    fn who_was_back_before_anybody_had_to_notice_is_no_failover() {
        let pause = Outage {
            how: Loss::Stopped,
            observers: vec![Observer { node: 1, suspected_ns: None }],
            lasted_ns: 300 * MS,
            is_back: true,
            went_on: true,
            ..killed([None, None], None)
        };
        let said = sum_up(&[verdict(Outcome::Clean, vec![pause])]);
        let expected = "1 of 1 runs are clean. 1 leader was stopped: 1 went on leading when back.";
        assert_eq!(said, expected);
    }
}
