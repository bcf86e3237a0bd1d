//! What a fenced map is meant to do, as slow as it may be.

use core::num::NonZeroU64;

use surmise_fence::{FencingToken, Pass};

/// How many keys there are, from 0.
pub(crate) const KEYS: u8 = 4;

/// Returns one of few passes, so that they meet.
pub(crate) fn pass(token: u8, nonce: u8, sequence: u8) -> Pass {
    let counter = NonZeroU64::MIN.saturating_add((token % 4).into());
    let token = FencingToken::new((token / 128).into(), counter);
    Pass { token, nonce: (nonce % 8 / 7).into(), sequence: (sequence % 3).into() }
}

/// All that was accepted, from the first on.
#[derive(Default)]
pub(crate) struct History(Vec<Accepted>);

struct Accepted {
    pass: Pass,
    what: What,
}

enum What {
    Raise,
    /// The key, and its value if it was not removed.
    Write(u8, Option<u32>),
}

impl History {
    /// Returns whether a grant may raise the floor: if no raise before it was of a later one, or of another one with
    /// this token.
    pub(crate) fn admits_raise(&self, pass: Pass) -> bool {
        self.raises().all(|raise| pass.token > raise.token || is_same_grant(pass, raise))
    }

    /// Returns whether a write may follow all raises, and all writes to its key.
    pub(crate) fn admits_write(&self, key: u8, pass: Pass) -> bool {
        self.admits_raise(pass)
            && self.writes(key).all(|(earlier, _)| {
                let is_later =
                    pass.sequence > earlier.sequence || pass.sequence == 0 && earlier.sequence == 0;
                pass.token > earlier.token || is_same_grant(pass, earlier) && is_later
            })
    }

    /// Takes note of a raise.
    pub(crate) fn raise(&mut self, pass: Pass) {
        self.0.push(Accepted { pass, what: What::Raise });
    }

    /// Takes note of a write, or of a removal where there is no value.
    pub(crate) fn write(&mut self, key: u8, value: Option<u32>, pass: Pass) {
        self.0.push(Accepted { pass, what: What::Write(key, value) });
    }

    /// Returns the value of a key, and the pass that it was written with.
    pub(crate) fn get(&self, key: u8) -> Option<(u32, Pass)> {
        let (pass, value) = self.writes(key).last()?;
        Some((value?, pass))
    }

    /// Returns which keys a map must remember: those with a value, and those that were removed and of which some pass
    /// would be accepted otherwise.
    pub(crate) fn remembered(&self) -> Vec<u8> {
        let matters = |key| {
            let is_removed = self.writes(key).next().is_some();
            let mut passes = all_passes();
            let refuses = |pass| !self.admits_write(key, pass) && self.admits_raise(pass);
            self.get(key).is_some() || is_removed && passes.any(refuses)
        };
        (0..KEYS).filter(|&key| matters(key)).collect()
    }

    fn raises(&self) -> impl Iterator<Item = Pass> {
        self.0.iter().filter(|accepted| matches!(accepted.what, What::Raise)).map(|it| it.pass)
    }

    fn writes(&self, key: u8) -> impl Iterator<Item = (Pass, Option<u32>)> {
        self.0.iter().filter_map(move |accepted| match accepted.what {
            What::Write(written, value) if written == key => Some((accepted.pass, value)),
            _ => None,
        })
    }
}

fn is_same_grant(a: Pass, b: Pass) -> bool {
    (a.token, a.nonce) == (b.token, b.nonce)
}

/// Every pass that [`pass`] returns, and for each token a nonce that none has.
fn all_passes() -> impl Iterator<Item = Pass> {
    let tokens = (0..4).chain(128..132);
    tokens.flat_map(|token| {
        let known = [0, 7].map(|nonce| [0, 1, 2].map(|sequence| pass(token, nonce, sequence)));
        known.into_iter().flatten().chain([pass(token, 0, 0).with_nonce(0xbad)])
    })
}
