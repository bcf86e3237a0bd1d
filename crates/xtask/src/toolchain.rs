use anyhow::Result;
use cargo_metadata::Package;
use xshell::{Shell, cmd};

use crate::context::Missing;

/// Returns the name of an installed nightly toolchain.
pub(crate) fn nightly(shell: &Shell) -> Result<String> {
    let missing = || Missing("no nightly toolchain is installed".into());
    let list = cmd!(shell, "rustup toolchain list").quiet().read().map_err(|_| missing())?;
    let name = list.split_whitespace().find(|name| name.starts_with("nightly"));
    Ok(name.ok_or_else(missing)?.to_owned())
}

/// Returns the flags that make cargo choose these packages.
pub(crate) fn package_flags<'a>(packages: impl Iterator<Item = &'a Package>) -> Vec<String> {
    packages.flat_map(|package| ["--package".into(), package.name.to_string()]).collect()
}
