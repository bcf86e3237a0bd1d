//! chrony, for the tests of what reads it.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use anyhow::Result;
use xshell::{Cmd, Shell, cmd};

use crate::{
    context::{Context, Missing},
    debian,
};

/// Where chrony was unpacked, unless the system has it.
#[derive(Default)]
pub(crate) struct Chrony {
    home: Option<PathBuf>,
}

/// Returns the machine's chrony, or else one unpacked below the target directory.
///
/// To install Debian's would start it as the machine's time service, in place of the one that is
/// there.
pub(crate) fn find(context: &Context) -> Result<Chrony> {
    let shell = &context.shell;
    let installed = Chrony::default();
    if installed.works(shell) {
        return Ok(installed);
    }
    let home = context.target("chrony");
    let unpacked = Chrony { home: Some(home.clone()) };
    if !unpacked.works(shell) {
        debian::unpack(context, "chrony", &home)
            .map_err(|error| Missing(format!("cannot get chrony: {error:#}")))?;
        if !unpacked.works(shell) {
            return Err(
                Missing("chrony as unpacked from its packages does not start".into()).into()
            );
        }
    }
    Ok(unpacked)
}

impl Chrony {
    /// Returns the variables by which the tests find it.
    pub(crate) fn variables(&self) -> Vec<(&'static str, OsString)> {
        let Some(home) = &self.home else { return Vec::new() };
        let program = home.join("usr/sbin/chronyd").into_os_string();
        vec![("SURMISE_CHRONYD", program), ("LD_LIBRARY_PATH", debian::libraries(home))]
    }

    fn works(&self, shell: &Shell) -> bool {
        // Debian's is not on the path of most users.
        let system = Path::new("/");
        let directory = self.home.as_deref().unwrap_or(system).join("usr");
        let runs = |program: Cmd<'_>| {
            let version = program.arg("--version").envs(self.variables());
            version.quiet().ignore_stdout().ignore_stderr().run().is_ok()
        };
        let (daemon, client) = (directory.join("sbin/chronyd"), directory.join("bin/chronyc"));
        runs(cmd!(shell, "{daemon}")) && runs(cmd!(shell, "{client}"))
    }
}
