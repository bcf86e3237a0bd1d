//! Debian's packages, for what Rust's own tools do not bring.

use std::{
    env::consts::ARCH,
    ffi::OsString,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::Result;
use xshell::cmd;

use crate::context::{Context, Missing};

/// Installs the packages that are not there yet.
pub(crate) fn install(context: &Context, packages: &[&str]) -> Result<()> {
    let shell = &context.shell;
    let missing: Vec<&str> =
        packages.iter().copied().filter(|package| !is_installed(context, package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    update_lists(context)?;
    cmd!(shell, "apt-get install --yes --no-install-recommends {missing...}")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .run()
        .map_err(|error| Missing(error.to_string()))?;
    Ok(())
}

/// Installs the packages that are not there yet, and has none of them start its service.
pub(crate) fn install_stopped(context: &Context, packages: &[&str]) -> Result<()> {
    // Debian asks this program, if there is one, whether a service may be started.
    let policy = Path::new("/usr/sbin/policy-rc.d");
    if policy.exists() {
        return install(context, packages);
    }
    update_lists(context)?;
    // 101: no, and that is as it should be.
    fs::write(policy, "#!/bin/sh\nexit 101\n")?;
    let installed = fs::set_permissions(policy, Permissions::from_mode(0o755))
        .map_err(Into::into)
        .and_then(|()| install(context, packages));
    fs::remove_file(policy)?;
    installed
}

/// Downloads a package, and those of its dependencies that are not installed, into a directory.
fn download(context: &Context, package: &str, to: &Path) -> Result<Vec<PathBuf>> {
    let shell = &context.shell;
    update_lists(context)?;
    let plan = cmd!(shell, "apt-get install --simulate --no-install-recommends {package}");
    let packages = planned(&plan.quiet().read()?);
    shell.create_dir(to)?;
    let _directory = shell.push_dir(to);
    // As root, because apt's own user may not write here.
    let fetch = || {
        let packages = &packages;
        cmd!(shell, "apt-get download --option APT::Sandbox::User=root {packages...}").run()
    };
    fetch().or_else(|_| fetch())?;
    Ok(shell.read_dir(to)?)
}

/// Unpacks a package, and those of its dependencies that are not installed, into an empty
/// directory.
pub(crate) fn unpack(context: &Context, package: &str, home: &Path) -> Result<()> {
    let shell = &context.shell;
    shell.remove_path(home)?;
    shell.create_dir(home)?;
    for package in download(context, package, &home.join("packages"))? {
        cmd!(shell, "dpkg --extract {package} {home}").quiet().run()?;
    }
    Ok(())
}

/// Returns where unpacked packages have their libraries, as the linker's search path.
pub(crate) fn libraries(home: &Path) -> OsString {
    let libraries = ["usr/lib", "lib"]
        .map(|directory| home.join(directory).join(format!("{ARCH}-linux-gnu")))
        .map(PathBuf::into_os_string);
    libraries.join(":".as_ref())
}

/// Fetches the lists of packages, once for all steps.
pub(crate) fn update_lists(context: &Context) -> Result<()> {
    let shell = &context.shell;
    if context.package_lists.get().is_some() {
        return Ok(());
    }
    let root = cmd!(shell, "id -u").quiet().read().is_ok_and(|id| id == "0");
    let debian = cmd!(shell, "apt-get --version").quiet().ignore_stdout().run().is_ok();
    if !root || !debian {
        return Err(Missing("packages can be installed only as root on Debian".into()).into());
    }
    // Apt checks signatures as a user of its own, who must be able to write to the directory.
    let scratch =
        tempfile::Builder::new().permissions(Permissions::from_mode(0o1777)).tempdir_in("/tmp")?;
    let update = || cmd!(shell, "apt-get update").env("TMPDIR", scratch.path()).run();
    update().or_else(|_| update()).map_err(|error| Missing(error.to_string()))?;
    _ = context.package_lists.set(());
    Ok(())
}

/// Returns the packages that apt would install, from what it prints when it only simulates that.
fn planned(simulation: &str) -> Vec<String> {
    let lines = simulation.lines().filter_map(|line| line.strip_prefix("Inst "));
    lines.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

fn is_installed(context: &Context, package: &str) -> bool {
    let format = "--showformat=${db:Status-Status}";
    let query = cmd!(context.shell, "dpkg-query --show {format} {package}");
    query.quiet().ignore_stderr().read().is_ok_and(|status| status == "installed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulation_names_what_would_be_installed() {
        let simulation = "Reading package lists...\n\
            Remv qemu-utils [1:10.0.2]\n\
            Inst libfdt1 (1.6.1-4+b1 Debian:12.15/oldstable [amd64])\n\
            Inst qemu-system-arm [1:7.1] (1:7.2 Debian:12.15/oldstable [amd64]) []\n\
            Conf libfdt1 (1.6.1-4+b1 Debian:12.15/oldstable [amd64])";
        assert_eq!(planned(simulation), ["libfdt1", "qemu-system-arm"]);
    }
}
