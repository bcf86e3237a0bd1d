//! Prints whom an observer suspects that was stalled, with a monitor, without one, and by what others use.

use benches::{Made, stalls};

fn main() -> Made<()> {
    println!("{}", stalls::Table(&stalls::run()?));
    Ok(())
}
