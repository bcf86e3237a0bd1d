//! Prints what it costs to watch a fleet of a thousand to a million peers, at one heartbeat a second each.

use benches::{
    Made,
    fleet::{self, Arrival},
};

fn main() -> Made<()> {
    println!("                                     ns a heartbeat   of a core   µs a poll");
    println!(
        "   heard     peers  bytes  heartbeat   polls                   p50       p99   longest  found"
    );
    for arrival in [Arrival::Alone, Arrival::Together] {
        for peers in [1_000, 10_000, 100_000, 1_000_000] {
            println!("{}", fleet::cost(peers, arrival)?);
        }
    }
    Ok(())
}
