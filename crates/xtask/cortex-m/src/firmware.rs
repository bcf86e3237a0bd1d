use core::{fmt::Write, panic::PanicInfo};

use cortex_m_rt::entry;
use cortex_m_semihosting::{
    debug::{self, EXIT_FAILURE, EXIT_SUCCESS},
    hio,
};

use crate::scenario;

/// Half of the memory, which leaves the other half to the stack.
#[global_allocator]
static HEAP: emballoc::Allocator<{ 32 * 1024 }> = emballoc::Allocator::new();

#[entry]
fn main() -> ! {
    let written = hio::hstdout().is_ok_and(|mut out| scenario::run(&mut out).is_ok());
    exit(written)
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    if let Ok(mut out) = hio::hstderr() {
        // There is no one left to tell if this fails.
        _ = writeln!(out, "{info}");
    }
    exit(false)
}

fn exit(success: bool) -> ! {
    loop {
        debug::exit(if success { EXIT_SUCCESS } else { EXIT_FAILURE });
    }
}
