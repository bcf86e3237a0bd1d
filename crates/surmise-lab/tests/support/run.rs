//! Runs of `fence` and `failover` that are ended before they end by themselves.

use core::time::Duration;
use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread,
};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::Value;

/// Returns a command that knows nothing of the store that the tests' user prefers.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_surmise-lab"));
    command.args(arguments).env_remove("SURMISE_LAB_STORE");
    command
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Returns what stood on the standard output as JSON, and on the standard error as text.
pub(crate) fn json(mut command: Command) -> (Value, String) {
    let Output { status, stdout, stderr } = command.arg("--json").output().unwrap();
    let said = text(&stderr);
    assert!(status.success(), "{said}");
    (serde_json::from_slice(&stdout).unwrap(), said)
}

/// A run, which ends with this.
pub(crate) struct Run(Child);

impl Drop for Run {
    fn drop(&mut self) {
        // A test that failed has not ended it.
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

impl Run {
    /// Starts a run that has its files in a folder.
    pub(crate) fn start(mut command: Command, folder: &Path) -> Self {
        command.env("TMPDIR", folder).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    /// Reads until a line has a text in it.
    pub(crate) fn read_until(&mut self, part: &str) {
        let mut output = BufReader::new(self.0.stdout.as_mut().unwrap());
        let mut line = String::new();
        while !line.contains(part) {
            line.clear();
            assert!(output.read_line(&mut line).unwrap() > 0, "it ended");
        }
    }

    /// Waits until there are so many processes of it, one of which is stopped, and returns them.
    pub(crate) fn processes(&mut self, count: usize) -> Vec<Pid> {
        loop {
            assert!(self.0.try_wait().unwrap().is_none(), "it ended");
            let children: Vec<_> = fs::read_dir("/proc")
                .unwrap()
                .filter_map(|entry| state(&entry.ok()?.path(), self.0.id()))
                .collect();
            if children.len() == count && children.iter().any(|&(_, state)| state == 'T') {
                return children.into_iter().map(|(process, _)| process).collect();
            }
            #[expect(
                clippy::disallowed_methods,
                reason = "what others do is looked at now and then"
            )]
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends it by a signal, and checks that it leaves none of its processes, and nothing in its folder.
    pub(crate) fn interrupt(mut self, signal: Signal, processes: &[Pid], folder: &Path) {
        let child = &mut self.0;
        kill_process(Pid::from_child(child), signal).unwrap();
        let mut errors = String::new();
        child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(1), "{errors}");
        assert!(errors.contains("interrupted"), "{errors}");
        for &process in processes {
            test_kill_process(process).unwrap_err();
        }
        assert_eq!(fs::read_dir(folder).unwrap().count(), 0);
    }

    /// Kills it, and waits until its processes have ended as well.
    pub(crate) fn kill(mut self) {
        let child = &mut self.0;
        let mut errors = child.stderr.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        // Theirs too: it ends when nobody has it any more.
        errors.read_to_string(&mut String::new()).unwrap();
    }
}

/// Returns the number and the state of a process, if another started it.
fn state(folder: &Path, parent: u32) -> Option<(Pid, char)> {
    let process = folder.file_name()?.to_str()?.parse().ok()?;
    let stat = fs::read_to_string(folder.join("stat")).ok()?;
    // The name of the program stands before, in parentheses.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?.chars().next()?;
    (fields.next()? == parent.to_string()).then_some((Pid::from_raw(process)?, state))
}
