//! Real `chronyd`s on loopback ports, which leave the machine's clock alone.

#![expect(clippy::unwrap_used, reason = "without a server there is no test")]

use core::time::Duration;
use std::{
    env,
    fs::{self, File, Permissions},
    io::{self, Write},
    net::UdpSocket,
    os::unix::fs::{PermissionsExt, chown},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
};

use surmise_time::{BootClock, MonotonicClock};
use tempfile::TempDir;

/// The programs of chrony.
#[derive(Clone, Debug)]
pub(crate) struct Chrony {
    chronyd: PathBuf,
    chronyc: PathBuf,
}

impl Chrony {
    /// Finds them by the variable `SURMISE_CHRONYD`, which is the path of `chronyd`, or else where
    /// programs are.
    ///
    /// Without them, a test is skipped and says so; but not on CI.
    pub(crate) fn find() -> Option<Self> {
        let found = match env::var_os("SURMISE_CHRONYD") {
            Some(path) => Some(PathBuf::from(path)),
            None => search("chronyd"),
        };
        let Some(chronyd) = found else {
            let ci = env::var("CI").is_ok_and(|ci| ci == "true");
            assert!(!ci, "there is no chronyd, without which nothing is tested");
            // Not by a macro, whose output is shown only for tests that fail.
            io::stderr().write_all(SKIPPED).unwrap();
            return None;
        };
        let beside = chronyd.with_file_name("chronyc");
        // Debian has the one in sbin and the other in bin.
        let sibling = chronyd.parent()?.with_file_name("bin").join("chronyc");
        let there = [beside, sibling].into_iter().find(|path| path.exists());
        let chronyc = there.or_else(|| search("chronyc")).expect("chronyc comes with chronyd");
        Some(Self { chronyd, chronyc })
    }

    /// Starts a `chronyd` with some lines of configuration besides those for where it listens.
    ///
    /// It serves time on a port of its own, on both loopback addresses as far as the machine has
    /// them.
    pub(crate) fn start(&self, configuration: &str) -> Chronyd {
        // A port that is free now can be taken a moment later.
        for _ in 0..10 {
            if let Some(chronyd) = self.try_start(configuration) {
                return chronyd;
            }
        }
        panic!("chronyd does not start; its output is above");
    }

    fn try_start(&self, configuration: &str) -> Option<Chronyd> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let user = User::find();
        // Otherwise `chronyd` does not open its socket there.
        fs::set_permissions(path, Permissions::from_mode(0o750)).unwrap();
        chown(path, Some(user.id), Some(user.group)).unwrap();
        let [port, command_port] = free_ports();
        let lines = format!(
            "port {port}\ncmdport {command_port}\nallow 127.0.0.1\nallow ::1\n\
             bindcmdaddress {0}/chronyd.sock\npidfile {0}/pid\n{configuration}\n",
            path.display(),
        );
        fs::write(path.join("conf"), lines).unwrap();
        let log = path.join("log");
        let child = Command::new(&self.chronyd)
            .args(["-x", "-U", "-d", "-u"])
            .arg(user.name)
            .arg("-f")
            .arg(path.join("conf"))
            .stdin(Stdio::null())
            .stdout(File::create(&log).unwrap())
            .stderr(File::options().append(true).open(&log).unwrap())
            .spawn()
            .expect("chronyd can be executed");
        let chronyc = self.chronyc.clone();
        let mut chronyd = Chronyd { child, directory, chronyc, port, command_port };
        let up = wait_until(|| chronyd.is_up() || chronyd.child.try_wait().unwrap().is_some());
        if up && chronyd.is_up() {
            return Some(chronyd);
        }
        eprintln!("{}", fs::read_to_string(log).unwrap());
        None
    }
}

/// A running `chronyd`, which is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Chronyd {
    child: Child,
    directory: TempDir,
    chronyc: PathBuf,
    /// Where it serves time.
    pub(crate) port: u16,
    /// Where it takes commands.
    pub(crate) command_port: u16,
}

impl Chronyd {
    /// Returns the path of its Unix socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join("chronyd.sock")
    }

    /// Returns what `chronyc -c tracking` prints, field by field, if it gets an answer.
    pub(crate) fn tracking(&self) -> Option<Vec<String>> {
        let output = Command::new(&self.chronyc)
            .args(["-h", "127.0.0.1", "-p", &self.command_port.to_string(), "-c", "tracking"])
            .output()
            .expect("chronyc can be executed");
        let line = String::from_utf8(output.stdout).unwrap();
        output.status.success().then(|| line.trim().split(',').map(str::to_owned).collect())
    }

    /// Kills it, as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn is_up(&self) -> bool {
        self.socket().exists() && self.tracking().is_some_and(|fields| fields.len() == 14)
    }
}

impl Drop for Chronyd {
    fn drop(&mut self) {
        // It may have ended by itself, or have been killed.
        _ = self.child.kill();
        _ = self.child.wait();
    }
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

const SKIPPED: &[u8] = b"SKIPPED: there is no chronyd; install chrony, or set SURMISE_CHRONYD\n";

/// Returns where a program is.
fn search(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let directories = env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/bin".into()]);
    directories.map(|directory| directory.join(program)).find(|path| path.exists())
}

/// Whom `chronyd` is to run as.
struct User {
    name: String,
    id: u32,
    group: u32,
}

impl User {
    /// Finds somebody else if we are root, as `chronyd` usually is, or else ourselves.
    fn find() -> Self {
        let id = |arguments: &[&str]| {
            let output = Command::new("id").args(arguments).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        let myself = id(&["--user", "--name"]);
        let name = if myself == "root" { "nobody".to_owned() } else { myself };
        let [id, group] = ["--user", "--group"].map(|kind| id(&[kind, &name]).parse().unwrap());
        Self { name, id, group }
    }
}

fn free_ports() -> [u16; 2] {
    // Both are held until both are known, so that they differ.
    let sockets = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
    sockets.map(|socket| socket.local_addr().unwrap().port())
}
