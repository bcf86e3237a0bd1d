//! A program without std that links every primitive.
//!
//! Should one of them, or what it depends on, bring std along, then std's panic handler comes into
//! conflict with ours, and the compiler says so (E0152).

#![no_std]

extern crate surmise as _;
extern crate surmise_clock as _;
extern crate surmise_detector as _;
extern crate surmise_fence as _;
#[cfg(feature = "alloc")]
extern crate surmise_idempotency as _;
extern crate surmise_interval as _;
#[cfg(feature = "alloc")]
extern crate surmise_monitor as _;
extern crate surmise_quorum as _;
extern crate surmise_time as _;
extern crate surmise_timeout as _;

use core::panic::PanicInfo;

#[cfg(feature = "alloc")]
#[global_allocator]
static HEAP: emballoc::Allocator<4096> = emballoc::Allocator::new();

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
