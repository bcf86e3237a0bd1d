use std::{
    cell::OnceCell,
    error::Error,
    fmt,
    path::{Path, PathBuf},
};

use cargo_metadata::{Metadata, MetadataCommand, Package};
use xshell::Shell;

/// What every step has at hand.
pub(crate) struct Context {
    /// Runs commands in the root of the repository.
    pub(crate) shell: Shell,
    /// Whether a step that cannot run counts as failed.
    pub(crate) ci: bool,
    /// How long each fuzz target runs.
    pub(crate) fuzz_seconds: u32,
    /// Whether the lists of Debian's packages are fresh, once something asked for them.
    pub(crate) package_lists: OnceCell<()>,
    metadata: Metadata,
}

impl Context {
    pub(crate) fn new(ci: bool, fuzz_seconds: u32) -> anyhow::Result<Self> {
        let metadata = MetadataCommand::new().no_deps().exec()?;
        let shell = Shell::new()?;
        shell.change_dir(&metadata.workspace_root);
        // A check must not change the machine's toolchains, nor wait for a download of one.
        shell.set_var("RUSTUP_DIST_SERVER", "http://127.0.0.1:1");
        shell.set_var("RUSTUP_UPDATE_ROOT", "http://127.0.0.1:1");
        shell.set_var("RUSTUP_AUTO_INSTALL", "0");
        Ok(Self { shell, ci, fuzz_seconds, package_lists: OnceCell::new(), metadata })
    }

    /// Returns the flag that keeps cargo from bringing a lock file up to date, where that would hide
    /// that it was forgotten.
    pub(crate) fn locked(&self) -> Option<&'static str> {
        self.ci.then_some("--locked")
    }

    /// Returns the crates that are, or will be, on a registry.
    pub(crate) fn published(&self) -> impl Iterator<Item = &Package> {
        self.members().filter(|package| package.publish.as_ref().is_none_or(|to| !to.is_empty()))
    }

    /// Returns the crates that are never published.
    pub(crate) fn unpublished(&self) -> impl Iterator<Item = &Package> {
        self.members().filter(|package| package.publish.as_ref().is_some_and(Vec::is_empty))
    }

    /// Returns the crates of the workspace.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.metadata.packages.iter()
    }

    /// Returns a directory of our own below cargo's target directory.
    pub(crate) fn target(&self, name: &str) -> PathBuf {
        self.target_directory().join(name)
    }

    /// Returns cargo's target directory.
    pub(crate) fn target_directory(&self) -> &Path {
        self.metadata.target_directory.as_std_path()
    }
}

/// Something that a step needs and that cannot be had here.
#[derive(Debug)]
pub(crate) struct Missing(pub(crate) String);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Missing {}
