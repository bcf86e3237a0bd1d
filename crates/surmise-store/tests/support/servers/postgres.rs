use std::{
    fs,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rustix::process::Signal;

use super::{Plan, Server, find, free_ports, places, run_as};

/// The programs of PostgreSQL.
#[derive(Clone, Debug)]
pub(crate) struct Postgres(PathBuf);

impl Postgres {
    pub(crate) fn find() -> Option<Self> {
        // Debian keeps the server off the path, in a folder for each version.
        let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let mut folders: Vec<PathBuf> =
            versions.map(|version| version.path().join("bin")).collect();
        folders.sort();
        let path = places("").filter(|folder| folder.join("initdb").exists());
        let usual = folders.into_iter().rev().chain(path);
        find("SURMISE_POSTGRES", "PostgreSQL", usual).map(Self)
    }

    /// Starts a server whose superuser is `postgres`, and trusted.
    pub(crate) fn start(&self) -> Server {
        self.start_with(&[])
    }

    /// Starts a server with settings of its own, such as `fsync=off`. There are few connections.
    pub(crate) fn start_with(&self, settings: &[&str]) -> Server {
        // Killed, it would leave a segment of shared memory behind.
        Server::start_to_stop_by(Signal::QUIT, || {
            let directory = tempfile::tempdir().unwrap();
            let user = other_user();
            if let Some((user, group)) = user {
                chown(directory.path(), Some(user), Some(group)).unwrap();
            }
            self.init(directory.path(), user);
            let [port] = free_ports();
            let own = [
                "listen_addresses=127.0.0.1",
                "unix_socket_directories=..",
                "max_connections=50",
                // Less takes less time to start.
                "shared_buffers=16MB",
            ];
            let settings = own.iter().chain(settings).flat_map(|&setting| ["-c", setting]);
            let mut arguments: Vec<String> = settings.map(Into::into).collect();
            arguments.extend(["-D".into(), "data".into(), "-p".into(), port.to_string()]);
            Plan {
                directory,
                program: self.0.join("postgres"),
                arguments,
                user,
                port,
                url: format!("postgres://postgres@127.0.0.1:{port}/postgres"),
                is_ready,
            }
        })
    }

    fn init(&self, directory: &Path, user: Option<(u32, u32)>) {
        let mut init = Command::new(self.0.join("initdb"));
        init.args(["-D", "data", "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8"]);
        init.args(["--locale", "C"]).current_dir(directory).stdin(Stdio::null());
        run_as(&mut init, user);
        let output = init.output().expect("initdb can be executed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

fn is_ready(plan: &Plan) -> bool {
    let port = plan.port.to_string();
    let check = Command::new(plan.program.with_file_name("pg_isready"))
        .args(["-q", "-h", "127.0.0.1", "-p", &port, "-t", "1"])
        .status();
    check.is_ok_and(|status| status.success())
}

/// Returns whom the server can run as if we are root, whom it refuses.
fn other_user() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse().ok()
    };
    if id(&["--user"]) != Some(0) {
        return None;
    }
    let user = |name| Some((id(&["--user", name])?, id(&["--group", name])?));
    Some(user("postgres").or_else(|| user("nobody")).expect("there is a user besides root"))
}
