use anyhow::Result;
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
    cmd!(shell, "cargo package --workspace {excluded...} {dirty...}").run()?;
    Ok(())
}
