//! SipHash with 128 bits as its definition has it, for as many rounds as are asked for.

/// Returns the hash under a key of 16 bytes, with so many rounds for each word and so many at the end.
pub(crate) fn siphash_128(rounds: (u32, u32), key: [u8; 16], message: &[u8]) -> [u8; 16] {
    let (k0, k1) = key.split_at(8);
    let (k0, k1) = (word(k0), word(k1));
    let mut state = State {
        v0: k0 ^ 0x736f_6d65_7073_6575,
        v1: k1 ^ 0x646f_7261_6e64_6f6d ^ 0xee,
        v2: k0 ^ 0x6c79_6765_6e65_7261,
        v3: k1 ^ 0x7465_6462_7974_6573,
    };
    // The last word has what is left of the message, and its length modulo 256.
    let (whole, rest) = message.split_at(message.len() / 8 * 8);
    let last = word(rest) | (message.len() as u64) << 56;
    for word in whole.chunks(8).map(word).chain([last]) {
        state.v3 ^= word;
        state.mix(rounds.0);
        state.v0 ^= word;
    }
    state.v2 ^= 0xee;
    state.mix(rounds.1);
    let first = state.half();
    state.v1 ^= 0xdd;
    state.mix(rounds.1);
    (u128::from(state.half()) << 64 | u128::from(first)).to_le_bytes()
}

struct State {
    v0: u64,
    v1: u64,
    v2: u64,
    v3: u64,
}

impl State {
    fn mix(&mut self, rounds: u32) {
        for _ in 0..rounds {
            let Self { v0, v1, v2, v3 } = self;
            half_round(v0, v1, 13);
            *v0 = v0.rotate_left(32);
            half_round(v2, v3, 16);
            half_round(v0, v3, 21);
            half_round(v2, v1, 17);
            *v2 = v2.rotate_left(32);
        }
    }

    fn half(&self) -> u64 {
        self.v0 ^ self.v1 ^ self.v2 ^ self.v3
    }
}

fn half_round(a: &mut u64, b: &mut u64, bits: u32) {
    *a = a.wrapping_add(*b);
    *b = b.rotate_left(bits) ^ *a;
}

fn word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
}
