//! Real PostgreSQL servers on loopback ports, in temporary folders.

#![expect(
    clippy::std_instead_of_core,
    reason = "these keep libraries honest that do without std; a test has it"
)]

use std::{
    env,
    fs::{self, File},
    io::{self, Write},
    net::TcpListener,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    thread,
    time::Duration,
};

use surmise_time::{BootClock, MonotonicClock};
use tempfile::TempDir;
use tokio_postgres::{Client, Config, NoTls};

/// The programs of PostgreSQL.
#[derive(Clone, Debug)]
pub(crate) struct Postgres {
    programs: PathBuf,
}

impl Postgres {
    /// Finds them by the variable `SURMISE_POSTGRES`, which is the folder that they are in, or else where Debian and
    /// others put them.
    ///
    /// Without them, a test is skipped and says so; but not on CI.
    pub(crate) fn find() -> Option<Self> {
        let found = match env::var_os("SURMISE_POSTGRES") {
            Some(path) => Some(PathBuf::from(path)),
            None => search(),
        };
        let Some(programs) = found else {
            let ci = env::var("CI").is_ok_and(|ci| ci == "true");
            assert!(!ci, "there is no PostgreSQL, without which nothing is tested");
            // Not by a macro, whose output is shown only for tests that fail.
            io::stderr().write_all(SKIPPED).unwrap();
            return None;
        };
        Some(Self { programs })
    }

    /// Returns a server for all tests of this process. It is stopped after them.
    pub(crate) fn shared() -> Option<&'static Server> {
        static SERVER: OnceLock<Option<Server>> = OnceLock::new();
        SERVER.get_or_init(|| Some(Self::find()?.start_with("", true))).as_ref()
    }

    /// Makes an empty server and starts it, with some lines of configuration besides those for where it listens.
    pub(crate) fn start(&self, configuration: &str) -> Server {
        self.start_with(configuration, false)
    }

    fn start_with(&self, configuration: &str, shared: bool) -> Server {
        let directory = tempfile::tempdir().unwrap();
        let user = User::find();
        chown(directory.path(), Some(user.id), Some(user.group)).unwrap();
        let data = directory.path().join("data");
        let mut initdb = user.command(&self.programs.join("initdb"));
        initdb.args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale", "C", "--no-sync"]);
        let output = initdb.arg("-D").arg(&data).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let config = "max_connections = 50\nshared_buffers = 16MB\nfsync = on\n";
        let mut file = File::options().append(true).open(data.join("postgresql.conf")).unwrap();
        file.write_all(format!("{config}{configuration}\n").as_bytes()).unwrap();
        let mut server = Server {
            programs: self.programs.clone(),
            user,
            child: None,
            port: free_port(),
            directory,
            shared,
        };
        // A port that is free now can be taken a moment later.
        for _ in 0..10 {
            if server.try_start() {
                return server;
            }
            server.port = free_port();
        }
        panic!("PostgreSQL does not start; its output is above");
    }
}

/// A PostgreSQL server, which is stopped when this is dropped or this process ends.
#[derive(Debug)]
pub(crate) struct Server {
    programs: PathBuf,
    user: User,
    /// A shell that stops the server when its input ends, as it does when this process is killed.
    child: Option<Child>,
    pub(crate) port: u16,
    directory: TempDir,
    /// Whether nobody will drop it, so that the shell has to remove the folder.
    shared: bool,
}

impl Server {
    /// Starts it again, on the same port.
    pub(crate) fn start(&mut self) {
        // What the killed one left behind goes away by itself.
        assert!(wait_until(|| self.try_start()), "PostgreSQL does not start again");
    }

    fn try_start(&mut self) -> bool {
        let log = self.path().join("log");
        let file = File::options().create(true).append(true).open(&log).unwrap();
        let mut shell = self.user.command(Path::new("/bin/sh"));
        shell.arg("-c").arg(KEEP).arg(self.programs.join("postgres"));
        shell.arg("-D").arg(self.data()).args(["-p", &self.port.to_string()]);
        shell.args(["-c", "listen_addresses=127.0.0.1", "-c"]);
        shell.arg(format!("unix_socket_directories={}", self.data().display()));
        if self.shared {
            shell.env("REMOVE", self.path());
        }
        shell.stdin(Stdio::piped()).stdout(file.try_clone().unwrap()).stderr(file);
        let mut child = shell.spawn().unwrap();
        let up = wait_until(|| self.is_ready() || child.try_wait().unwrap().is_some());
        if up && child.try_wait().unwrap().is_none() {
            self.child = Some(child);
            return true;
        }
        _ = child.kill();
        _ = child.wait();
        false
    }

    fn is_ready(&self) -> bool {
        let mut ready = Command::new(self.programs.join("pg_isready"));
        ready.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
        ready.status().unwrap().success()
    }

    /// Kills the server, as if its machine had lost its power but for what the kernel still writes.
    pub(crate) fn kill(&mut self) {
        self.signal("-KILL");
        self.reap();
    }

    /// Has the server drop all connections and stop without a checkpoint.
    pub(crate) fn stop_immediately(&mut self) {
        self.signal("-QUIT");
        self.reap();
    }

    /// Sends a signal to the server's first process.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.pid();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Sends a signal to the process that serves one connection.
    pub(crate) fn signal_backend(&self, signal: &str, pid: i32) {
        assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    pub(crate) fn config(&self, database: &str) -> Config {
        let mut config = Config::new();
        config.host("127.0.0.1").port(self.port).user("postgres").dbname(database);
        config
    }

    pub(crate) async fn client(&self, database: &str) -> Client {
        let (client, connection) = self.config(database).connect(NoTls).await.unwrap();
        tokio::spawn(async { _ = connection.await });
        client
    }

    /// Makes an empty database of a name that no other test has.
    pub(crate) async fn database(&self, name: &str) -> Config {
        let client = self.client("postgres").await;
        client.batch_execute(&format!("CREATE DATABASE \"{name}\"")).await.unwrap();
        self.config(name)
    }

    fn pid(&self) -> String {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        file.lines().next().unwrap().to_owned()
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn reap(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.stdin.take());
            child.wait().unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.reap();
    }
}

/// Returns how many connections to the same database wait for locks.
pub(crate) async fn waiters(client: &Client) -> i64 {
    let waiting = "SELECT count(*) FROM pg_stat_activity \
         WHERE wait_event_type = 'Lock' AND datname = current_database()";
    client.query_one(waiting, &[]).await.unwrap().get(0)
}

/// Tries until something is so, and returns whether it came to be so before long.
pub(crate) fn wait_until(mut condition: impl FnMut() -> bool) -> bool {
    let start = BootClock.now();
    while BootClock.now() - start < Duration::from_secs(60) {
        if condition() {
            return true;
        }
        thread::park_timeout(Duration::from_millis(5));
    }
    false
}

const SKIPPED: &[u8] =
    b"SKIPPED: there is no PostgreSQL; install postgresql, or set SURMISE_POSTGRES\n";

/// Runs a program until the input ends, then stops it at once, and removes the folder that is named in `REMOVE`.
///
/// The shell ends with the program.
const KEEP: &str = "exec 3<&0; \"$0\" \"$@\" </dev/null 3<&- & server=$!; \
     { read -r _ <&3; kill -QUIT $server; \
       if [ -n \"$REMOVE\" ]; then wait $server; while kill -0 $server; do :; done; rm -rf \"$REMOVE\"; fi; \
     } 2>/dev/null & keeper=$!; exec 3<&-; wait $server; \
     if [ -n \"$REMOVE\" ]; then wait $keeper; else kill $keeper 2>/dev/null; fi";

fn search() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let debian = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    let mut debian: Vec<_> = debian.collect();
    debian.sort();
    let path = env::var_os("PATH").unwrap_or_default();
    let others = env::split_paths(&path).collect::<Vec<_>>();
    debian.into_iter().rev().chain(others).find(|folder| folder.join("initdb").exists())
}

/// Whom the server is to run as: not root, whom it refuses.
#[derive(Debug)]
struct User {
    id: u32,
    group: u32,
    is_root: bool,
}

impl User {
    fn find() -> Self {
        let id = |arguments: &[&str]| {
            let output = Command::new("id").args(arguments).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        let myself = id(&["--user", "--name"]);
        let is_root = myself == "root";
        let name = if is_root { "postgres".to_owned() } else { myself };
        let [id, group] = ["--user", "--group"].map(|kind| id(&[kind, &name]).parse().unwrap());
        Self { id, group, is_root }
    }

    fn command(&self, program: &Path) -> Command {
        if !self.is_root {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        command.arg(format!("--reuid={}", self.id)).arg(format!("--regid={}", self.group));
        command.arg("--clear-groups").arg(program);
        command
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
