/// `SplitMix64`: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
#[derive(Debug)]
pub(super) struct Draws(u64);

impl Draws {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns whether something is so that is so once in as many times as this.
    pub(super) fn one_in(&mut self, times: u8) -> bool {
        self.below(times) == 0
    }

    /// Returns a number below a small one.
    pub(super) fn below(&mut self, bound: u8) -> u8 {
        let [highest, ..] = self.next().to_be_bytes();
        highest % bound.max(1)
    }
}
