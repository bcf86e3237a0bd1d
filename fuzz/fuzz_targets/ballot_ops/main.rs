//! Any votes, discounts and electorates at any times: a ballot does what a naive one does.

#![no_main]

#[path = "../../../crates/surmise-quorum/tests/ballot_laws/naive.rs"]
mod naive;
#[path = "../../../crates/surmise-quorum/tests/ballot_laws/world.rs"]
mod world;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use surmise_fuzz::Span;
use surmise_quorum::{Ballot, BallotError, Opinion, Threshold};

use crate::world::{Action, OBSERVERS, World};

#[derive(Arbitrary, Debug)]
struct Input {
    needed: u8,
    freshness: Span,
    ops: Vec<Op>,
}

#[derive(Arbitrary, Debug)]
struct Op {
    forth: Span,
    back: Option<Span>,
    action: AnyAction,
}

#[derive(Arbitrary, Debug)]
enum AnyAction {
    Vote { observer: u8, opinion: AnyOpinion, sequence: Sequence },
    Withdraw { observer: u8 },
    Discount { observer: u8 },
    Reinstate { observer: u8 },
    Change { observers: Vec<u8>, needed: u8, votes: Votes },
    Count,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum AnyOpinion {
    Suspect,
    Trust,
    Unknown,
}

/// The number of a vote: any there is, or one that others are near to.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Sequence {
    Any(u64),
    Low(u8),
}

/// Of how many votes a threshold is: as many as there are observers, or any number.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Votes {
    Any(usize),
    AsObservers,
}

fuzz_target!(|input: Input| {
    let voters = usize::from(OBSERVERS) - 1;
    let needed = usize::from(input.needed) % voters + 1;
    let threshold = Threshold::new(needed, voters).expect("so many can be had");
    let freshness = input.freshness.duration();
    if freshness.is_zero() {
        let made = Ballot::new(0..OBSERVERS - 1, threshold, freshness);
        assert_eq!(made.err(), Some(BallotError::ZeroFreshness));
        return;
    }
    let mut world = World::new(threshold, freshness);
    // The naive one takes time in the square of the votes.
    for op in input.ops.into_iter().take(200) {
        world.step(op.forth.nanos(), op.back.map_or(0, Span::nanos), op.action.into());
    }
});

impl From<AnyAction> for Action {
    fn from(action: AnyAction) -> Self {
        // Of those that may vote, or one that may not.
        let known = |observer: u8| observer % OBSERVERS;
        match action {
            AnyAction::Vote { observer, opinion, sequence } => Self::Vote {
                observer: known(observer),
                opinion: opinion.into(),
                sequence: sequence.into(),
            },
            AnyAction::Withdraw { observer } => Self::Withdraw { observer: known(observer) },
            AnyAction::Discount { observer } => Self::Discount { observer: known(observer) },
            AnyAction::Reinstate { observer } => Self::Reinstate { observer: known(observer) },
            AnyAction::Change { observers, needed, votes } => {
                let votes = match votes {
                    Votes::Any(votes) => votes,
                    Votes::AsObservers => observers.len(),
                };
                Self::Change { observers, needed: needed.into(), votes }
            }
            AnyAction::Count => Self::Count,
        }
    }
}

impl From<AnyOpinion> for Opinion {
    fn from(opinion: AnyOpinion) -> Self {
        match opinion {
            AnyOpinion::Suspect => Self::Suspect,
            AnyOpinion::Trust => Self::Trust,
            AnyOpinion::Unknown => Self::Unknown,
        }
    }
}

impl From<Sequence> for u64 {
    fn from(sequence: Sequence) -> Self {
        match sequence {
            Sequence::Any(sequence) => sequence,
            Sequence::Low(sequence) => sequence.into(),
        }
    }
}
