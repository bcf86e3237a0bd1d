//! A short run of every fuzz target.

use std::{env, ffi::OsString, num::NonZeroUsize, path::Path, str::Lines, sync::Mutex, thread};

use anyhow::{Context as _, Result, bail, ensure};
use xshell::{Shell, cmd};

use crate::{
    context::{Context, Missing},
    debian, toolchain,
};

/// Fuzzes each target for a while, from the committed seeds and what earlier runs have found.
pub(crate) fn run(context: &Context) -> Result<()> {
    let shell = &context.shell;
    let nightly = toolchain::nightly(shell)?;
    find_compiler(context)?;
    let _path = shell.push_env("PATH", install(context)?);
    // `cargo fuzz` cannot be told to leave the lock file alone, so that is checked before.
    cmd!(shell, "cargo fetch --manifest-path fuzz/Cargo.toml").args(context.locked()).run()?;

    let target_dir = context.target("fuzz");
    let list = cmd!(shell, "cargo +{nightly} fuzz list").read()?;
    ensure!(!list.is_empty(), "there are no fuzz targets");
    cmd!(shell, "cargo +{nightly} fuzz build {FLAGS...} {target_dir}").run()?;
    let limit = format!("-max_total_time={}", context.fuzz_seconds);
    let fuzzer = Fuzzer { nightly: &nightly, target_dir: &target_dir, limit: &limit };
    let targets = Mutex::new(list.lines());
    let workers = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    thread::scope(|scope| {
        // A target takes one thread, and a shell cannot be shared by threads.
        let workers: Vec<_> = (0..workers)
            .map(|_| shell.clone())
            .map(|shell| scope.spawn(|| fuzzer.work(shell, &targets)))
            .collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker does not panic"))
    })
}

/// There is no unsafe code for the address sanitizer to watch, and without it runs are faster.
const FLAGS: [&str; 3] = ["--sanitizer", "none", "--target-dir"];

/// Runs targets that were built.
struct Fuzzer<'a> {
    nightly: &'a str,
    target_dir: &'a Path,
    limit: &'a str,
}

impl Fuzzer<'_> {
    /// Runs one target after another that nobody else has taken.
    fn work(&self, shell: Shell, targets: &Mutex<Lines<'_>>) -> Result<()> {
        let next = || targets.lock().expect("a worker does not panic").next();
        while let Some(target) = next() {
            self.run(&shell, target)?;
        }
        Ok(())
    }

    fn run(&self, shell: &Shell, target: &str) -> Result<()> {
        let &Self { nightly, target_dir, limit } = self;
        let corpus = target_dir.join("corpus").join(target);
        shell.create_dir(&corpus)?;
        let seeds = Some(format!("fuzz/seeds/{target}")).filter(|path| shell.path_exists(path));
        let fuzz = cmd!(
            shell,
            "cargo +{nightly} fuzz run {FLAGS...} {target_dir} {target} {corpus} {seeds...}"
        );
        let output = fuzz.args(["--", limit]).quiet().ignore_status().output()?;
        let log = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            eprintln!("{log}");
            bail!("{target} found an input that breaks a promise");
        }
        // Of all that a fuzzer has to say, one line matters when it finds nothing.
        let last = log.lines().rfind(|line| line.starts_with("Done "));
        println!("{target}: {}", last.context("the fuzzer was cut short")?);
        Ok(())
    }
}

/// Installs a compiler of C++, the language of libFuzzer, unless there is one.
fn find_compiler(context: &Context) -> Result<()> {
    let there = cmd!(context.shell, "c++ --version").quiet().ignore_stdout().ignore_stderr().run();
    there.or_else(|_| debian::install(context, &["g++"]))
}

/// Installs cargo-fuzz unless it is there, and returns the search path that leads to it.
fn install(context: &Context) -> Result<OsString> {
    let shell = &context.shell;
    let tools = context.target("tools");
    let paths = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(env::split_paths(&paths).chain([tools.join("bin")]))?;
    let there = cmd!(shell, "cargo fuzz --version").env("PATH", &path);
    if there.quiet().ignore_stdout().ignore_stderr().run().is_err() {
        cmd!(shell, "cargo install --quiet --locked --root {tools} cargo-fuzz")
            .run()
            .map_err(|error| Missing(error.to_string()))?;
    }
    Ok(path)
}
