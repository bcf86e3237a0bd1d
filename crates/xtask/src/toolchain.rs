use anyhow::Result;
use cargo_metadata::Package;
use xshell::{Shell, cmd};

use crate::context::Missing;

/// Returns the name of an installed nightly toolchain.
pub(crate) fn nightly(shell: &Shell) -> Result<String> {
    let missing = || Missing("no nightly toolchain is installed".into());
    let list = cmd!(shell, "rustup toolchain list").quiet().read().map_err(|_| missing())?;
    // The undated one is the newest.
    let names = list.split_whitespace().filter(|name| name.starts_with("nightly"));
    let name = names.min_by_key(|name| name.starts_with("nightly-2"));
    Ok(name.ok_or_else(missing)?.to_owned())
}

/// Returns the flags that make cargo choose these packages.
pub(crate) fn package_flags<'a>(packages: impl Iterator<Item = &'a Package>) -> Vec<String> {
    packages.flat_map(|package| ["--package".into(), package.name.to_string()]).collect()
}
