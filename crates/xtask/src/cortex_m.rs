//! The proof that a microcontroller computes what the host computes, to the bit.

mod qemu;

use std::path::PathBuf;

use anyhow::{Result, bail, ensure};
use xshell::cmd;

use crate::{context::Context, debian};

const MANIFEST: &str = "crates/xtask/cortex-m/Cargo.toml";
const TARGET: &str = "thumbv7m-none-eabi";
const PROGRAM: &str = "cortex-m-run";

/// Runs one program on the host and on an emulated Cortex-M3, and compares what they print.
pub(crate) fn run(context: &Context) -> Result<()> {
    let firmware = build_firmware(context)?;
    let qemu = qemu::find(context)?;

    let shell = &context.shell;
    let target = context.target("cortex-m");
    let flags = ["--quiet", "--release", "--manifest-path", MANIFEST];
    let host =
        cmd!(shell, "cargo run {flags...} --target-dir {target}").args(context.locked()).read()?;
    let device = qemu.run(shell, &firmware)?;
    let lines = compare(&host, &device)?;
    let last = host.lines().last().unwrap_or_default();
    println!("the Cortex-M3 printed the same {lines} lines as the host; the last: {last}");
    Ok(())
}

/// Builds the program for the microcontroller and returns its path.
///
/// No rustup toolchain need have that target, or the sources of `core`: Debian's compiler comes with
/// the sources, and builds `core` from them.
fn build_firmware(context: &Context) -> Result<PathBuf> {
    install_compiler(context)?;
    let shell = &context.shell;
    let target = context.target("cortex-m");
    let flags = ["--release", "--manifest-path", MANIFEST, "-Zbuild-std=core,alloc"];
    cmd!(shell, "/usr/bin/cargo build {flags...} --target {TARGET} --target-dir {target}")
        .args(context.locked())
        .env("RUSTC", "/usr/bin/rustc")
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_THUMBV7M_NONE_EABI_LINKER", "ld.lld")
        // Ours was started by rustup, and leads to another compiler's libraries.
        .env_remove("LD_LIBRARY_PATH")
        .run()?;
    Ok(target.join(TARGET).join("release").join(PROGRAM))
}

fn install_compiler(context: &Context) -> Result<()> {
    let shell = &context.shell;
    let source = "/usr/lib/rustlib/src/rust/library/core/src/lib.rs";
    let paths = ["/usr/bin/rustc", "/usr/bin/cargo", "/usr/bin/ld.lld", source];
    if paths.iter().all(|path| shell.path_exists(path)) {
        // A stable Debian's own compiler may be older than the edition.
        let version = cmd!(shell, "/usr/bin/rustc --version").quiet().read()?;
        if minor_version(&version) >= Some(OLDEST_MINOR) {
            return Ok(());
        }
    }
    debian::update_lists(context)?;
    // Where Debian's compiler is too old to build browsers, it has a newer one for them.
    let for_browsers = cmd!(shell, "apt-cache show rustc-web");
    if for_browsers.quiet().ignore_stdout().ignore_stderr().run().is_ok() {
        debian::install(context, &["rustc-web", "cargo-web", "rust-web-src", "lld"])
    } else {
        debian::install(context, &["rustc", "cargo", "rust-src", "lld"])
    }
}

/// Returns the 85 of `rustc 1.85.0 (…)`.
fn minor_version(version: &str) -> Option<u32> {
    version.strip_prefix("rustc 1.")?.split('.').next()?.parse().ok()
}

/// The first compiler that knows edition 2024 is 1.85.
const OLDEST_MINOR: u32 = 85;

/// Returns how many lines there are, if all of them are the same.
fn compare(host: &str, device: &str) -> Result<usize> {
    let lines = host.lines().count();
    ensure!(lines > 0, "the program printed nothing");
    for (number, (host, device)) in (1..).zip(host.lines().zip(device.lines())) {
        if host != device {
            bail!("line {number} differs: `{host}` on the host, `{device}` on the Cortex-M3");
        }
    }
    let printed = device.lines().count();
    ensure!(printed == lines, "{lines} lines on the host, but {printed} on the Cortex-M3");
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compilers_are_told_apart_by_their_version() {
        assert_eq!(minor_version("rustc 1.63.0"), Some(63));
        assert_eq!(minor_version("rustc 1.96.1 (4b6f4b4b9 2026-06-25)"), Some(96));
        assert_eq!(minor_version("rustc 2.0.0"), None);
    }

    #[test]
    fn equal_output_is_counted() {
        assert_eq!(compare("a 1\nb 2", "a 1\nb 2\n").unwrap(), 2);
    }

    #[test]
    fn a_difference_names_its_line() {
        let error = compare("a 1\nb 2\nc 3", "a 1\nb 3\nc 4").unwrap_err();
        assert!(error.to_string().starts_with("line 2 differs: `b 2`"), "{error}");
    }

    #[test]
    fn lines_too_many_too_few_or_none_are_errors() {
        compare("a\nb", "a").unwrap_err();
        compare("a", "a\nb").unwrap_err();
        compare("", "").unwrap_err();
    }
}
