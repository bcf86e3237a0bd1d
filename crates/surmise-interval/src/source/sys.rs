//! What no well-kept crate offers without unsafe code: two calls that only read.

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

/// Reads the counter that ClockBound counts in: the time stamp counter.
#[cfg(target_arch = "x86_64")]
pub(super) fn counter() -> Option<u64> {
    use core::arch::x86_64::{_mm_lfence, _rdtsc};

    // SAFETY: every x86-64 CPU has these instructions, and they touch no memory. The fences keep
    // the reading between the clock readings before and after it.
    Some(unsafe {
        _mm_lfence();
        let counter = _rdtsc();
        _mm_lfence();
        counter
    })
}

/// Reads the counter that ClockBound counts in: the virtual counter.
#[cfg(target_arch = "aarch64")]
pub(super) fn counter() -> Option<u64> {
    let counter: u64;
    // SAFETY: Linux lets user space read this register, and reading it touches no memory. The
    // barriers keep the reading between the clock readings before and after it.
    unsafe {
        core::arch::asm!("isb", "mrs {}, cntvct_el0", "isb", out(reg) counter, options(nostack));
    }
    Some(counter)
}

/// ClockBound knows no counter here.
#[cfg(not(any(target_arch = "aarch64", target_arch = "x86_64")))]
pub(super) fn counter() -> Option<u64> {
    None
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

    #[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
    #[test]
    fn the_counter_goes_forward() {
        let readings = [(); 1000].map(|()| counter().unwrap());
        assert!(readings.is_sorted());
        assert!(readings[0] < readings[999]);
    }
}
