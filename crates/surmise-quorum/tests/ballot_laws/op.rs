//! What is tried at random.

use quickcheck::{Arbitrary, Gen};
use surmise_quorum::Opinion;

use crate::world::{Action, OBSERVERS};

#[derive(Clone, Debug)]
pub(crate) struct Op {
    pub(crate) forth: u8,
    pub(crate) back: u8,
    pub(crate) action: Action,
}

impl Arbitrary for Op {
    fn arbitrary(random: &mut Gen) -> Self {
        let mut below = |end: u8| u8::arbitrary(random) % end;
        let observer = below(OBSERVERS);
        let action = match below(32) {
            0..14 => {
                let opinion = match below(8) {
                    0..4 => Opinion::Suspect,
                    4..7 => Opinion::Trust,
                    _ => Opinion::Unknown,
                };
                Action::Vote { observer, opinion, sequence: below(40).into() }
            }
            14 => Action::Withdraw { observer },
            15..17 => Action::Discount { observer },
            17..20 => Action::Reinstate { observer },
            20 => {
                let left_out = below(OBSERVERS);
                let mut observers: Vec<u8> =
                    (0..OBSERVERS).filter(|&observer| observer != left_out).collect();
                if below(4) == 0 {
                    observers.push(observer);
                }
                let votes = observers.len() + usize::from(below(8) / 7);
                Action::Change { observers, needed: usize::from(below(6)), votes }
            }
            _ => Action::Count,
        };
        let back = if below(12) == 0 { below(20) } else { 0 };
        Self { forth: below(4), back, action }
    }
}
