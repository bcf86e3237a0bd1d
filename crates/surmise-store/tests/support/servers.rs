//! Real servers on loopback ports, each with its data in a temporary folder, which end when they are dropped.
//!
//! `SURMISE_ETCD` and `SURMISE_REDIS_SERVER` are the paths of programs, and `SURMISE_POSTGRES` that of the folder which
//! has `postgres` and `initdb`; what is not given is looked for where programs are. Without it, a test is
//! skipped and says so; but not on CI.

#![expect(clippy::unwrap_used, reason = "without a server there is no test")]
#![allow(dead_code, unused_imports, reason = "each test uses some of them")]
#![allow(clippy::allow_attributes, reason = "there is no telling which")]

#[path = "servers/etcd.rs"]
mod etcd;
#[path = "servers/postgres.rs"]
mod postgres;
#[path = "servers/redis.rs"]
mod redis;

use core::time::Duration;
use std::{
    env,
    fs::{self, File},
    io::{self, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
};

use rustix::process::{Pid, Signal, kill_process};
use surmise_time::{BootClock, MonotonicClock};
use tempfile::TempDir;

pub(crate) use self::{etcd::Etcd, postgres::Postgres, redis::Redis};

/// A server that runs, or was killed and can run again on its data and its port.
#[derive(Debug)]
pub(crate) struct Server {
    plan: Plan,
    child: Option<Child>,
}

/// How a server is started.
#[derive(Debug)]
struct Plan {
    directory: TempDir,
    program: PathBuf,
    arguments: Vec<String>,
    /// Whom it runs as, if not as ourselves.
    user: Option<(u32, u32)>,
    port: u16,
    url: String,
    is_ready: fn(&Self) -> bool,
}

impl Server {
    /// Starts what a plan says, with ports that are free now, until one of them gets its port.
    fn start(mut plan: impl FnMut() -> Plan) -> Self {
        for _ in 0..5 {
            let mut server = Self { plan: plan(), child: None };
            if server.try_run() {
                return server;
            }
            server.print_log();
        }
        panic!("the server does not start; its output is above");
    }

    /// Returns where clients find it.
    pub(crate) fn url(&self) -> &str {
        &self.plan.url
    }

    /// Returns the port where clients find it.
    pub(crate) fn port(&self) -> u16 {
        self.plan.port
    }

    /// Returns the folder of its data.
    pub(crate) fn directory(&self) -> &Path {
        self.plan.directory.path()
    }

    /// Kills it, as `kill -9` would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts it again, on the same data and the same port, and waits until it answers.
    pub(crate) fn restart(&mut self) {
        self.kill();
        // What the last one left may be there for a moment yet.
        assert!(wait_until(|| self.try_run()), "the server does not start again");
    }

    /// Stops it, so that it neither answers nor closes a connection.
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Waits until it answers, as after [`run`](Self::run).
    pub(crate) fn wait_until_ready(&self) {
        assert!(wait_until(|| (self.plan.is_ready)(&self.plan)), "the server never answers");
    }

    fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().expect("the server runs");
        let pid = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Starts it, and does not wait until it answers.
    pub(crate) fn run(&mut self) {
        self.kill();
        self.child = Some(self.plan.spawn());
    }

    /// Starts it, and returns whether it came to answer before it ended.
    fn try_run(&mut self) -> bool {
        self.run();
        let Self { plan, child } = self;
        let mut ended = || child.as_mut().is_none_or(|child| child.try_wait().unwrap().is_some());
        wait_until(|| (plan.is_ready)(plan) || ended()) && !ended()
    }

    fn print_log(&self) {
        let log = fs::read(self.plan.log()).unwrap_or_default();
        let end = log.len().saturating_sub(8192);
        eprintln!("{}", String::from_utf8_lossy(log.get(end..).unwrap_or_default()));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            _ = child.kill();
            _ = child.wait();
        }
        if thread::panicking() {
            self.print_log();
        }
    }
}

impl Plan {
    fn log(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    fn spawn(&self) -> Child {
        let log = File::options().create(true).append(true).open(self.log()).unwrap();
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).current_dir(self.directory.path());
        run_as(&mut command, self.user);
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("the server can be executed")
    }
}

/// Has a command run as somebody else.
fn run_as(command: &mut Command, user: Option<(u32, u32)>) {
    use std::os::unix::process::CommandExt;
    if let Some((user, group)) = user {
        command.uid(user).gid(group);
    }
}

/// Returns a path from the environment, or the first of some that is there.
fn find(variable: &str, name: &str, usual: impl IntoIterator<Item = PathBuf>) -> Option<PathBuf> {
    if let Some(path) = env::var_os(variable) {
        return Some(PathBuf::from(path));
    }
    let found = usual.into_iter().find(|path| path.exists());
    if found.is_none() {
        let ci = env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!ci, "there is no {name}, without which nothing is tested; set {variable}");
        // Not by a macro, whose output is shown only for tests that fail.
        let skipped = format!("SKIPPED: there is no {name}; install it, or set {variable}\n");
        io::stderr().write_all(skipped.as_bytes()).unwrap();
    }
    found
}

/// Returns where a program may be.
fn places(program: &'static str) -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut directories: Vec<PathBuf> = env::split_paths(&path).collect();
    directories.extend(["/usr/bin".into(), "/usr/sbin".into(), "/usr/local/bin".into()]);
    directories.into_iter().map(move |directory| directory.join(program))
}

/// Returns ports that are free now, and differ.
fn free_ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// Tries until something is so, and returns whether it came to be so before long.
pub(crate) fn wait_until(mut condition: impl FnMut() -> bool) -> bool {
    let start = BootClock.now();
    while BootClock.now() - start < Duration::from_secs(60) {
        if condition() {
            return true;
        }
        thread::park_timeout(Duration::from_millis(20));
    }
    false
}
