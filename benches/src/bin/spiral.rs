//! Prints which share of the calls times out while a service slows down and recovers.

use benches::{Made, spiral};

fn main() -> Made<()> {
    print!("{}", spiral::Table(&spiral::run(0..20)?));
    Ok(())
}
