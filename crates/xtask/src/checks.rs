//! The steps that are one cargo command, or nearly.

use anyhow::Result;
use xshell::cmd;

use crate::{
    chrony::{self, Chrony},
    context::{Context, Missing},
    toolchain::{self, package_flags},
};

/// The workspaces besides the root's. Each has a lock file of its own.
const OTHER_WORKSPACES: [&str; 3] = ["fuzz", "crates/xtask/no-std", "crates/xtask/cortex-m"];

pub(crate) fn fmt(context: &Context) -> Result<()> {
    let shell = &context.shell;
    cmd!(shell, "cargo fmt --all --check").run()?;
    for workspace in OTHER_WORKSPACES {
        cmd!(shell, "cargo fmt --manifest-path {workspace}/Cargo.toml --check").run()?;
    }
    Ok(())
}

pub(crate) fn clippy(context: &Context) -> Result<()> {
    let shell = &context.shell;
    cmd!(shell, "cargo clippy --workspace --all-targets --all-features -- -D warnings").run()?;
    let target = context.target_directory();
    let locked = context.locked();
    for workspace in OTHER_WORKSPACES {
        // Their tests cannot be built: each brings an entry point or a panic handler of its own.
        cmd!(shell, "cargo clippy --manifest-path {workspace}/Cargo.toml --target-dir {target}")
            .args(locked)
            .args(["--", "-D", "warnings"])
            .run()?;
    }
    Ok(())
}

pub(crate) fn test(context: &Context) -> Result<()> {
    let shell = &context.shell;
    let chrony = match chrony::find(context) {
        Ok(chrony) => chrony,
        // The tests that want it say that they are skipped.
        Err(error) if error.is::<Missing>() && !context.ci => {
            eprintln!("{error:#}");
            Chrony::default()
        }
        Err(error) => return Err(error),
    };
    // The stores have a step of their own, which brings their servers.
    cmd!(shell, "cargo test --workspace --exclude surmise-store --all-features --all-targets")
        .envs(chrony.variables())
        .run()?;
    Ok(())
}

pub(crate) fn doctest(context: &Context) -> Result<()> {
    cmd!(context.shell, "cargo test --workspace --all-features --doc").run()?;
    Ok(())
}

pub(crate) fn doc(context: &Context) -> Result<()> {
    cmd!(context.shell, "cargo doc --no-deps --workspace")
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()?;
    Ok(())
}

pub(crate) fn docs_rs(context: &Context) -> Result<()> {
    let shell = &context.shell;
    let nightly = toolchain::nightly(shell)?;
    let published = package_flags(context.published());
    let target = context.target("docs-rs");
    cmd!(
        shell,
        "cargo +{nightly} doc --no-deps --all-features {published...} --target-dir {target}"
    )
    .env("RUSTDOCFLAGS", "--cfg docsrs -D warnings")
    .run()?;
    Ok(())
}
