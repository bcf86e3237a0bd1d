//! The stores, against the servers that they are for.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;
use xshell::cmd;

use crate::{
    context::{Context, Missing},
    debian,
};

/// A server that the tests start for themselves.
struct Server {
    name: &'static str,
    /// What Debian calls it.
    package: &'static str,
    /// What the tests find it by.
    variable: &'static str,
    find: fn() -> Option<PathBuf>,
}

const SERVERS: [Server; 3] = [
    Server {
        name: "etcd",
        package: "etcd-server",
        variable: "SURMISE_ETCD",
        find: || program("etcd"),
    },
    Server {
        name: "Redis",
        package: "redis-server",
        variable: "SURMISE_REDIS_SERVER",
        find: || program("redis-server"),
    },
    Server {
        name: "PostgreSQL",
        package: "postgresql",
        variable: "SURMISE_POSTGRES",
        find: || postgresql(Path::new("/usr/lib/postgresql")),
    },
];

/// Runs the tests of the stores. Those whose server cannot be had say that they are skipped, and then so does this.
pub(crate) fn run(context: &Context) -> Result<()> {
    let shell = &context.shell;
    let absent: Vec<&str> = SERVERS
        .iter()
        .filter(|server| (server.find)().is_none())
        .map(|server| server.package)
        .collect();
    let installed = match &absent[..] {
        [] => Ok(()),
        packages => debian::install_stopped(context, packages),
    };
    match installed {
        Err(error) if !error.is::<Missing>() => return Err(error),
        Err(error) => eprintln!("{error:#}"),
        Ok(()) => {}
    }
    let found = SERVERS
        .map(|server| (server.find)().ok_or(server.name).map(|path| (server.variable, path)));
    let missing: Vec<&str> =
        found.iter().filter_map(|server| server.as_ref().err()).copied().collect();
    if context.ci && !missing.is_empty() {
        return Err(cannot_get(&missing).into());
    }
    let variables = found.into_iter().flatten();
    let variables: Vec<(&str, OsString)> =
        variables.map(|(variable, path)| (variable, path.into_os_string())).collect();
    cmd!(shell, "cargo test --package surmise-store --all-features --all-targets")
        .envs(variables.clone())
        .env("RUST_TEST_THREADS", TEST_THREADS)
        .run()?;
    cmd!(
        shell,
        "cargo test --package surmise-lab --all-features --test fence_servers --test failover_servers -- --ignored --skip two_hundred"
    )
    .envs(variables)
    .run()?;
    if missing.is_empty() { Ok(()) } else { Err(cannot_get(&missing).into()) }
}

/// More than most machines have cores: the tests wait, for servers to come back and for leases to end.
const TEST_THREADS: &str = "8";

fn cannot_get(missing: &[&str]) -> Missing {
    Missing(format!("cannot get {}, without which its store is not tested", missing.join(", ")))
}

fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let directories = env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/bin".into()]);
    directories.map(|directory| directory.join(name)).find(|path| path.exists())
}

/// Returns the programs of the newest version, which Debian keeps in a directory of its own.
fn postgresql(versions: &Path) -> Option<PathBuf> {
    let versions = fs::read_dir(versions).ok()?.flatten();
    let complete = versions
        .filter(|version| version.path().join("bin/initdb").exists())
        .filter_map(|version| Some((version.file_name().to_str()?.parse().ok()?, version.path())));
    let (_, newest): (u32, PathBuf) = complete.max()?;
    Some(newest.join("bin"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_postgresql_that_is_complete_is_taken() {
        let versions = tempfile::tempdir().unwrap();
        assert_eq!(postgresql(versions.path()), None);
        for (version, program) in [("9", "initdb"), ("15", "initdb"), ("16", "psql")] {
            let bin = versions.path().join(version).join("bin");
            fs::create_dir_all(&bin).unwrap();
            fs::write(bin.join(program), "").unwrap();
        }
        fs::create_dir(versions.path().join("common")).unwrap();
        assert_eq!(postgresql(versions.path()), Some(versions.path().join("15/bin")));
    }
}
