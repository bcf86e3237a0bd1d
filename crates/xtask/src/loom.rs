//! Model checking of the code with atomics.

use anyhow::{Result, ensure};
use cargo_metadata::Package;
use xshell::cmd;

use crate::context::Context;

/// Runs the tests named after loom in every crate that depends on it.
///
/// Only those crates are built: under `--cfg loom` others' atomics are models too, which panic
/// outside of one.
pub(crate) fn run(context: &Context) -> Result<()> {
    let shell = &context.shell;
    let target = context.target("loom");
    // More preemptions cost hours and, says the literature, find next to nothing.
    let _preemptions = shell.push_env("LOOM_MAX_PREEMPTIONS", "2");
    let _flags = shell.push_env("RUSTFLAGS", "--cfg loom -D warnings");
    let crates: Vec<&Package> = context.members().filter(|package| has_loom(package)).collect();
    ensure!(!crates.is_empty(), "no crate has loom tests");
    for package in crates {
        let name = package.name.as_str();
        let test = ["test", "--release", "--package", name, "--lib", "loom"];
        let list = cmd!(shell, "cargo {test...} --target-dir {target} -- --list").read()?;
        let tests = list.lines().filter(|line| line.ends_with(": test")).count();
        ensure!(tests > 0, "{name} depends on loom, but has no test with `loom` in its name");
        cmd!(shell, "cargo {test...} --target-dir {target}").run()?;
    }
    Ok(())
}

fn has_loom(package: &Package) -> bool {
    package.dependencies.iter().any(|dependency| dependency.name == "loom")
}
