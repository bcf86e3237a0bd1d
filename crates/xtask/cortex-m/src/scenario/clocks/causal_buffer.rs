use alloc::vec::Vec;
use core::{array, fmt};

use surmise_clock::{CausalBuffer, Stamped};

use super::{Random, Report, wire};

/// Reports what three members of a group deliver of messages that come late, again, or never.
pub(super) fn run(report: &mut Report<'_>) -> fmt::Result {
    let mut random = Random::new(13);
    let mut members: [CausalBuffer<u16, u64>; 3] =
        array::from_fn(|member| CausalBuffer::new(member as u16, 4));
    let mut sent: Vec<Stamped<u16, u64>> = Vec::new();
    for number in 0..STEPS {
        let at = random.below(3) as usize;
        match random.below(8) {
            0 => {
                let Ok(clock) = members[at].stamp() else { continue };
                let stamped = Stamped { sender: at as u16, clock, message: number };
                report.value("stamped", number, &stamped)?;
                wire::round_trip(report, number, &stamped)?;
                sent.push(stamped);
            }
            1 | 2 => {
                let Some(index) = sent.len().checked_sub(1 + random.below(8) as usize) else {
                    continue;
                };
                receive(report, number, &mut members[at], &sent[index])?;
            }
            3 | 4 => {
                // What is missing is asked for, and comes.
                for (sender, counters) in members[at].missing() {
                    let is_missing = |message: &&Stamped<u16, u64>| {
                        message.sender == sender && counters.contains(&message.clock.get(&sender))
                    };
                    for message in sent.iter().filter(is_missing) {
                        receive(report, number, &mut members[at], message)?;
                    }
                }
            }
            _ => report.value("delivered", number, &members[at].deliver())?,
        }
    }
    for (number, member) in (0..).zip(members) {
        report.value("buffer", number, &(member.delivered(), member.waiting(), member.held()))?;
    }
    Ok(())
}

fn receive(
    report: &mut Report<'_>,
    number: u64,
    member: &mut CausalBuffer<u16, u64>,
    message: &Stamped<u16, u64>,
) -> fmt::Result {
    let arrival = member.receive(message.clone()).map_err(|refused| refused.reason);
    report.value("arrival", number, &arrival)?;
    report.value("missing", number, &member.missing())
}

const STEPS: u64 = 300;
