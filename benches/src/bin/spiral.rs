//! Prints which share of the calls times out while a service slows down and recovers, by how many are under
//! way at once.

use benches::{Made, spiral};

fn main() -> Made<()> {
    for in_flight in spiral::IN_FLIGHT {
        println!("{in_flight} in flight");
        println!("{}", spiral::Table(&spiral::run(0..20, in_flight)?));
    }
    Ok(())
}
