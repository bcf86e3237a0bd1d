//! The proof that the primitives do without std, on a host that has it.

use anyhow::{Result, bail, ensure};
use cargo_metadata::MetadataCommand;
use xshell::cmd;

use crate::context::Context;

const MANIFEST: &str = "crates/xtask/no-std/Cargo.toml";
const PROGRAM: &str = "crates/xtask/no-std/src/lib.rs";

/// Links the primitives into a program whose panic handler comes into conflict with std's.
///
/// With std switched on, that must fail: otherwise the proof proves nothing.
pub(crate) fn run(context: &Context) -> Result<()> {
    check_coverage(context)?;
    let shell = &context.shell;
    let target = context.target("no-std");
    let build = ["build", "--manifest-path", MANIFEST];
    let locked = context.locked();
    for features in ["", "alloc"] {
        cmd!(shell, "cargo {build...} {locked...} --target-dir {target} --features={features}")
            .run()?;
    }
    let control = cmd!(shell, "cargo {build...} {locked...} --target-dir {target} --features=std");
    let output = control.ignore_status().output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        bail!("the program links although std is switched on: this proves nothing");
    }
    ensure!(errors.contains("E0152"), "the control failed for another reason:\n{errors}");
    println!("as it must, it fails with std switched on: duplicate lang item (E0152)");
    Ok(())
}

/// Makes sure that no crate which claims to do without std is left out: a dependency that the program
/// does not name is not linked.
fn check_coverage(context: &Context) -> Result<()> {
    let program = context.shell.read_file(PROGRAM)?;
    let metadata = MetadataCommand::new().manifest_path(MANIFEST).no_deps().exec()?;
    let covered = |name: &str| {
        let mut dependencies = metadata.packages.iter().flat_map(|package| &package.dependencies);
        dependencies.any(|dependency| dependency.name == name)
    };
    for package in context.published() {
        let claims = package.categories.iter().any(|category| category == "no-std");
        ensure!(
            !claims || covered(&package.name),
            "{} is in the category no-std, but {MANIFEST} does not depend on it",
            package.name
        );
        let line = format!("extern crate {} as _;", package.name.replace('-', "_"));
        ensure!(!claims || program.contains(&line), "{PROGRAM} lacks `{line}`");
    }
    Ok(())
}
