//! What `--help` prints.

#![expect(clippy::unwrap_used, reason = "tests, where a panic is a failure")]

use std::process::Command;

/// Returns the help of a command, as it is where there is no terminal.
fn help(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_surmise-lab"));
    let output = command.args(arguments).arg("--help").env_remove("COLUMNS").output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn fits_a_hundred_columns_and_has_examples() {
    let mut commands = vec![[].as_slice(), &["clock"], &["compare"], &["record"]];
    commands.extend([["scenario"].as_slice(), &["tune"]]);
    if cfg!(target_os = "linux") {
        commands.extend([["failover"].as_slice(), &["fence"]]);
    }
    for arguments in commands {
        let text = help(arguments);
        for line in text.lines() {
            assert!(line.chars().count() <= 100, "{arguments:?}: {line}");
        }
        assert!(text.contains("\nExamples:\n"), "{text}");
    }
}
