//! Real servers on loopback ports, each with its data in a temporary folder, which end when they are dropped, and when this
//! process ends in another way.
//!
//! `SURMISE_ETCD` and `SURMISE_REDIS_SERVER` are the paths of programs, and `SURMISE_POSTGRES` that of the folder which
//! has `postgres` and `initdb`; what is not given is looked for where programs are. Without it, a test is
//! skipped and says so; but not on CI.

#![allow(clippy::unwrap_used, reason = "without a server there is no test")]
#![allow(dead_code, unused_imports, reason = "each test uses some of them")]
#![allow(clippy::allow_attributes, reason = "there is no telling which")]

#[path = "servers/etcd.rs"]
mod etcd;
#[path = "servers/ourselves.rs"]
mod ourselves;
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

use rustix::{
    io::Errno,
    process::{Pid, Signal, kill_process},
};
use surmise_time::{BootClock, MonotonicClock};
use tempfile::TempDir;

pub(crate) use self::{etcd::Etcd, ourselves::Ourselves, postgres::Postgres, redis::Redis};

/// A server that runs, or was killed and can run again on its data and its port.
#[derive(Debug)]
pub(crate) struct Server {
    plan: Plan,
    running: Option<Running>,
    /// What ends it without leaving anything behind.
    stop: Signal,
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

/// The process of a server.
#[derive(Debug)]
struct Running {
    child: Child,
    /// A shell that waits for the end of this process, and then ends the server and removes its data.
    keeper: Child,
}

impl Server {
    /// Starts what a plan says, with ports that are free now, until one of them gets its port.
    fn start(plan: impl FnMut() -> Plan) -> Self {
        Self::start_to_stop_by(Signal::KILL, plan)
    }

    fn start_to_stop_by(stop: Signal, mut plan: impl FnMut() -> Plan) -> Self {
        for _ in 0..5 {
            let mut server = Self { plan: plan(), running: None, stop };
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
        self.end(Signal::KILL);
    }

    /// Ends it at once, without leaving anything behind but its data.
    pub(crate) fn stop(&mut self) {
        self.end(self.stop);
    }

    /// Starts it again, on the same data and the same port, and waits until it answers.
    pub(crate) fn restart(&mut self) {
        self.kill();
        // What the last one left may be there for a moment yet.
        assert!(wait_until(|| self.try_run()), "the server does not start again");
    }

    /// Stops it with all its processes, so that it neither answers nor closes a connection.
    pub(crate) fn pause(&self) {
        // The first starts the others, and so begins.
        signal(self.pid(), Signal::STOP);
        children(self.pid()).for_each(|child| signal(child, Signal::STOP));
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        children(self.pid()).for_each(|child| signal(child, Signal::CONT));
        signal(self.pid(), Signal::CONT);
    }

    /// Waits until it answers, as after [`run`](Self::run).
    pub(crate) fn wait_until_ready(&self) {
        assert!(wait_until(|| (self.plan.is_ready)(&self.plan)), "the server never answers");
    }

    /// Starts it, and does not wait until it answers.
    pub(crate) fn run(&mut self) {
        self.kill();
        self.running = Some(self.plan.run(self.stop));
    }

    /// Starts it, and returns whether it came to answer before it ended.
    fn try_run(&mut self) -> bool {
        self.run();
        wait_until(|| (self.plan.is_ready)(&self.plan) || self.has_ended()) && !self.has_ended()
    }

    fn has_ended(&mut self) -> bool {
        self.running.as_mut().is_none_or(|it| it.child.try_wait().unwrap().is_some())
    }

    fn end(&mut self, how: Signal) {
        let Some(mut running) = self.running.take() else { return };
        // Before its number can be another's.
        running.keeper.kill().unwrap();
        running.keeper.wait().unwrap();
        if running.child.try_wait().unwrap().is_none() {
            signal(pid(&running.child), how);
        }
        running.child.wait().unwrap();
    }

    fn pid(&self) -> Pid {
        pid(&self.running.as_ref().expect("the server runs").child)
    }

    fn print_log(&self) {
        let log = fs::read(self.plan.log()).unwrap_or_default();
        let end = log.len().saturating_sub(8192);
        eprintln!("{}", String::from_utf8_lossy(log.get(end..).unwrap_or_default()));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        if thread::panicking() {
            self.print_log();
        }
    }
}

impl Plan {
    fn log(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    fn run(&self, stop: Signal) -> Running {
        let child = self.spawn();
        let mut keeper = Command::new("/bin/sh");
        keeper.args(["-c", KEEP, &stop.as_raw().to_string(), &child.id().to_string()]);
        keeper.arg(self.directory.path()).stdin(Stdio::piped());
        let keeper = keeper.spawn().expect("there is a shell");
        Running { child, keeper }
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

/// Waits until the other end of its input is closed, then stops a server, and removes its data when it is gone.
const KEEP: &str = r#"
    trap "" INT TERM HUP
    read -r _
    kill -"$0" "$1"
    for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$1" && sleep 0.1; done 2>/dev/null
    rm -rf "$2"
"#;

fn pid(child: &Child) -> Pid {
    Pid::from_raw(child.id().try_into().unwrap()).unwrap()
}

fn signal(pid: Pid, signal: Signal) {
    match kill_process(pid, signal) {
        // One of the server's own can end at any time.
        Ok(()) | Err(Errno::SRCH) => {}
        Err(error) => panic!("{error}"),
    }
}

/// Returns the processes that another one started.
fn children(parent: Pid) -> impl Iterator<Item = Pid> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let started_by = move |process: &Path| -> Option<Pid> {
        let stat = fs::read_to_string(process.join("stat")).ok()?;
        // After the name, which may have any characters: the state, and the parent.
        let started_by = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?;
        Pid::from_raw(started_by.parse().ok()?)
    };
    let is_child = move |process: &PathBuf| started_by(process) == Some(parent);
    let number = |process: PathBuf| process.file_name()?.to_str()?.parse().ok();
    processes
        .map(|entry| entry.path())
        .filter(is_child)
        .filter_map(number)
        .filter_map(Pid::from_raw)
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
        thread::park_timeout(Duration::from_millis(10));
    }
    false
}
