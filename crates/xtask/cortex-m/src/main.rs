//! Prints what [`scenario::run`] computes: to standard output on a host, and over semihosting on a
//! microcontroller. The two must not differ in a single bit.

#![cfg_attr(target_os = "none", no_std, no_main)]

extern crate alloc;

#[cfg(target_os = "none")]
mod firmware;
mod scenario;

#[cfg(not(target_os = "none"))]
fn main() -> core::fmt::Result {
    let mut results = String::new();
    scenario::run(&mut results)?;
    print!("{results}");
    Ok(())
}
