use anyhow::Result;
use tempfile::Builder;
use xshell::cmd;

use crate::context::Context;

/// Packages every published crate, and builds each from its package.
///
/// Cargo takes the family's crates from one another's packages, so nothing need be published before.
pub(crate) fn run(context: &Context) -> Result<()> {
    let shell = &context.shell;
    let excluded = context.unpublished().flat_map(|package| ["--exclude", package.name.as_str()]);
    // Before a commit there are changes to check; what is published must be committed.
    let dirty = if context.ci { None } else { Some("--allow-dirty") };
    // Cargo keeps what it unpacked from the family's packages by the path of the directory they are
    // in and by their version: in a directory used before, it would build against older sources.
    let target = context.target_directory();
    shell.create_dir(target)?;
    let fresh = Builder::new().prefix("package-").tempdir_in(target)?;
    let fresh = fresh.path();
    cmd!(shell, "cargo package --workspace {excluded...} {dirty...} --target-dir {fresh}").run()?;
    Ok(())
}
