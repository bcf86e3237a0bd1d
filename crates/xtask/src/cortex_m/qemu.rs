//! An emulator of Arm machines.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use xshell::{Cmd, Shell, cmd};

use crate::{
    context::{Context, Missing},
    debian,
};

const PACKAGE: &str = "qemu-system-arm";
/// No run takes a second; firmware that hangs is stopped.
const PATIENCE: &str = "120";

/// The emulator, and where its libraries are unless the system has them.
pub(crate) struct Qemu {
    program: PathBuf,
    libraries: Option<OsString>,
}

/// Returns the machine's emulator, or else one unpacked below the target directory.
///
/// To install Debian's would remove other packages where those come from backports.
pub(crate) fn find(context: &Context) -> Result<Qemu> {
    let shell = &context.shell;
    let installed = Qemu { program: PACKAGE.into(), libraries: None };
    if installed.works(shell) {
        return Ok(installed);
    }
    let home = context.target("qemu");
    let unpacked = Qemu::unpacked(&home);
    if !unpacked.works(shell) {
        debian::unpack(context, PACKAGE, &home)
            .map_err(|error| Missing(format!("cannot get QEMU: {error:#}")))?;
        if !unpacked.works(shell) {
            return Err(Missing("QEMU as unpacked from its packages does not start".into()).into());
        }
    }
    Ok(unpacked)
}

impl Qemu {
    fn unpacked(home: &Path) -> Self {
        let program = home.join("usr/bin").join(PACKAGE);
        Self { program, libraries: Some(debian::libraries(home)) }
    }

    /// Runs a program for a Cortex-M3 to its end, and returns what it printed over semihosting.
    pub(crate) fn run(&self, shell: &Shell, firmware: &Path) -> Result<String> {
        let program = &self.program;
        let machine = ["-machine", "lm3s6965evb", "-nographic", "-monitor", "none"];
        let semihosting = ["-serial", "none", "-semihosting-config", "enable=on,target=native"];
        let qemu = cmd!(shell, "timeout {PATIENCE} {program} {machine...} {semihosting...}");
        self.with_libraries(qemu).arg("-kernel").arg(firmware).read().context("the firmware failed")
    }

    fn works(&self, shell: &Shell) -> bool {
        let program = &self.program;
        let version = self.with_libraries(cmd!(shell, "{program} --version"));
        version.quiet().ignore_stdout().ignore_stderr().run().is_ok()
    }

    fn with_libraries<'a>(&self, command: Cmd<'a>) -> Cmd<'a> {
        match &self.libraries {
            Some(libraries) => command.env("LD_LIBRARY_PATH", libraries),
            None => command,
        }
    }
}
