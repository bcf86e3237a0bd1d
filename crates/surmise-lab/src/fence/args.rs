use core::time::Duration;
use std::path::PathBuf;

use clap::Args;
use surmise_store::Ttl;

use super::error::FenceError;
use crate::{
    arguments::time,
    compare::{table::wrap, text},
    processes::RunError,
    stores::{StoreChoice, StoreParser},
};

/// The arguments of `surmise-lab fence`.
#[derive(Args, Clone, Debug)]
#[non_exhaustive]
#[command(after_help = EXAMPLES)]
pub struct FenceArgs {
    /// Where leases and values are: `memory` or `redb`, for which the processes ask this one;
    /// `redb:PATH`, which is kept; or a server, if built in: `etcd://HOST:PORT,…`, `postgres://…`,
    /// `redis://HOST:PORT`
    #[arg(long, value_name = "STORE", default_value = "redb", value_parser = StoreParser)]
    #[arg(env = "SURMISE_LAB_STORE", hide_env_values = true)]
    pub(super) store: StoreChoice,

    /// For how long the lease is asked
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = time)]
    pub(super) lease: Duration,

    /// For how long the first process is stopped, at least: longer than the lease lasts
    #[arg(long, value_name = "TIME", default_value = "4s", value_parser = time)]
    pub(super) pause: Duration,

    /// Shows what happens without a fence: all writers show the same token, and no floor is raised
    #[arg(long)]
    pub(super) unfenced: bool,

    /// Also writes all of it to FILE as JSON. `-`, which is what no FILE means, is the standard
    /// output, and the timeline then goes to the standard error
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    pub(super) json: Option<PathBuf>,
}

/// Stands below the options in `--help`.
const EXAMPLES: &str = "\
Examples:
  A process that was stopped for longer than its lease lasts is refused:
    surmise-lab fence

  The same without a fence: what the other wrote is lost:
    surmise-lab fence --unfenced

  On a file that is kept, in half a second:
    surmise-lab fence --store redb:ledger.redb --lease 300ms --pause 500ms

Exit status:
  0 if it happened as it was to be shown: the late write was refused and nothing lost, or with
  --unfenced a write that was acknowledged is lost; 1 if not, or if the store cannot be used; 2 if
  the arguments make no sense

A run leaves a resource of its own behind in a store that is kept, some hundred bytes: the first
line names it";

impl FenceArgs {
    /// Checks that one argument suits the other.
    ///
    /// # Errors
    ///
    /// If no store grants such a lease, or the pause does not outlast it.
    pub fn check(&self) -> Result<(), FenceError> {
        Ttl::new(self.lease).map_err(RunError::Lease)?;
        if self.pause <= self.lease {
            return Err(FenceError::PauseTooShort { pause: self.pause, lease: self.lease });
        }
        Ok(())
    }

    /// Says what is going to be shown.
    pub(super) fn describe(&self, resource: &str) -> String {
        let [lease, pause] =
            [self.lease, self.pause].map(|duration| text::short_time(duration.as_secs_f64()));
        let how = if self.unfenced {
            "Unfenced: a store of this family writes nothing without a token, so every writer shows the \
             same one, 0.1, and no floor is raised. The store then cannot tell the writers apart, and \
             does what a store without a fence does: the last write wins."
        } else {
            "Fenced: every writer shows the token of its lease."
        };
        let run = format!("Store {}, resource {resource}.", self.store);
        let how = format!("Lease {lease}, pause {pause}. {how}");
        [wrap(&run), wrap(&how)].join("\n")
    }
}
