//! What no well-kept crate offers without unsafe code: a call that only reads.

#![deny(unsafe_op_in_unsafe_fn)]
#![expect(unsafe_code, reason = "see each block; nowhere else in this crate is there any")]

use std::io;

/// Returns how the kernel's clock is disciplined, and its state: `TIME_OK` to `TIME_ERROR`.
///
/// It changes nothing and needs no privilege.
pub(super) fn adjtimex() -> io::Result<(i32, libc::timex)> {
    // SAFETY: a `timex` is made of integers, for all of which zero is a value. Zero in `modes`
    // means that nothing is to be set.
    let mut timex: libc::timex = unsafe { core::mem::zeroed() };
    // SAFETY: the kernel writes one `timex`, to which this points and nothing else does.
    let state = unsafe { libc::adjtimex(&raw mut timex) };
    if state < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok((state, timex))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adjtimex_reads() {
        let (state, timex) = adjtimex().unwrap();
        assert!((libc::TIME_OK..=libc::TIME_ERROR).contains(&state), "{state}");
        assert_ne!(timex.tick, 0, "the kernel wrote it");
    }
}
