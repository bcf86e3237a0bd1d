/// 128 bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Fingerprint([u8; 16]);
impl Fingerprint {
    /// None.
    pub const NONE: Self = Self([0; 16]);
}
