//! Tells the linker how the microcontroller's memory is laid out.

use std::{env, fs, path::Path};

fn main() {
    println!("cargo::rerun-if-changed=memory.x");
    let target = env::var("CARGO_CFG_TARGET_OS").expect("cargo sets it");
    if target == "none" {
        let out = env::var("OUT_DIR").expect("cargo sets it");
        fs::copy("memory.x", Path::new(&out).join("memory.x")).expect("both are ours");
        println!("cargo::rustc-link-search={out}");
        println!("cargo::rustc-link-arg=-Tlink.x");
    }
}
