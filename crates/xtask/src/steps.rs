use crate::{
    budgets, checks, compare, context::Context, cortex_m, features, fuzz, loom, no_std, package,
    stores,
};

/// One check of the project, which can be run alone.
pub(crate) struct Step {
    /// What `--only` calls it.
    pub(crate) name: &'static str,
    /// What it makes sure of, for `--list`.
    pub(crate) about: &'static str,
    /// Runs it. An error that is a [`Missing`](crate::context::Missing) says that it could not run.
    pub(crate) run: fn(&Context) -> anyhow::Result<()>,
}

/// Every step, in the order in which they run: the quick ones that fail most often come first.
pub(crate) const ALL: &[Step] = &[
    Step { name: "fmt", about: "every file is formatted", run: checks::fmt },
    Step { name: "clippy", about: "no lint fires on any target", run: checks::clippy },
    Step { name: "test", about: "unit and integration tests pass", run: checks::test },
    Step {
        name: "stores",
        about: "the stores do what they have to, on etcd, Redis and PostgreSQL",
        run: stores::run,
    },
    Step { name: "doctest", about: "the examples in the documentation pass", run: checks::doctest },
    Step { name: "doc", about: "the documentation builds without a warning", run: checks::doc },
    Step {
        name: "docs-rs",
        about: "so it does as docs.rs builds it (nightly)",
        run: checks::docs_rs,
    },
    Step {
        name: "features",
        about: "published crates build with every subset of their features",
        run: features::run,
    },
    Step { name: "package", about: "published crates can be packaged", run: package::run },
    Step { name: "no-std", about: "the primitives build without std", run: no_std::run },
    Step {
        name: "cortex-m",
        about: "a Cortex-M3 in QEMU computes what the host computes, to the bit",
        run: cortex_m::run,
    },
    Step { name: "loom", about: "the shared forms hold under every interleaving", run: loom::run },
    Step {
        name: "budgets",
        about: "nothing takes more instructions or bytes than it may",
        run: budgets::run,
    },
    Step {
        name: "compare",
        about: "the first command of the README compares the detectors on the recorded traces",
        run: compare::run,
    },
    Step { name: "fuzz", about: "no fuzz target finds anything in a short run", run: fuzz::run },
];
