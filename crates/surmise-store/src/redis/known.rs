//! What is known of a server from before, by which it is judged when it is looked at again.

use parking_lot::Mutex;

use super::{
    server::{Log, Server},
    weakness::{Weakness, list},
};
use crate::StoreError;

#[derive(Debug, Default)]
pub(super) struct Known {
    /// What the caller knows of the server, once it accepted it.
    accepted: Mutex<Option<Accepted>>,
    /// Why nothing is asked any more.
    refused: Mutex<Option<Refused>>,
}

#[derive(Debug)]
struct Accepted {
    run_id: String,
    weaknesses: Vec<Weakness>,
}

impl Accepted {
    /// Returns whether there is anything that a process can lose and another cannot know of. Who accepts that executions
    /// are evicted accepts it of all processes: none says when it does.
    fn may_lose_leases(&self) -> bool {
        self.weaknesses.iter().any(|weakness| *weakness != Weakness::EvictsExecutions)
    }
}

#[derive(Debug)]
struct Refused {
    problem: String,
    remedy: &'static str,
}

impl Known {
    pub(super) fn accept(&self, server: Server) {
        let Server { run_id, weaknesses, .. } = server;
        *self.accepted.lock() = Some(Accepted { run_id, weaknesses });
    }

    /// Checks that a server has its log, and no weaknesses but those that were accepted, if any were yet. One that has is not
    /// asked any more, since a weakness may be over while what it lost is lost: a server forgets that it was promoted.
    pub(super) fn check(&self, store: &str, server: &Server) -> Result<(), StoreError> {
        let mut accepted = self.accepted.lock();
        if server.log == Log::Begun || accepted.is_none() && server.log == Log::Rewritten {
            let source = "its log is only begun, or being rewritten".into();
            return Err(StoreError::Unavailable { store: store.to_owned(), source });
        }
        let Some(accepted) = accepted.as_mut() else { return Ok(()) };
        let mut new = server.weaknesses.clone();
        new.retain(|weakness| !accepted.weaknesses.contains(weakness));
        if !new.is_empty() {
            *self.refused.lock() = Some(Refused {
                problem: format!("it is weaker than when it was connected to: {}", list(&new)),
                remedy: "mend it and connect anew, or connect anew and accept that",
            });
        } else if server.run_id != accepted.run_id && accepted.may_lose_leases() {
            let problem = format!(
                "it began anew, or is another server, and may have lost something: {}",
                list(&accepted.weaknesses)
            );
            let remedy = "connect anew, and raise the floors that may be lost";
            *self.refused.lock() = Some(Refused { problem, remedy });
        }
        accepted.run_id.clone_from(&server.run_id);
        self.is_refused(store)
    }

    pub(super) fn is_refused(&self, store: &str) -> Result<(), StoreError> {
        match &*self.refused.lock() {
            Some(Refused { problem, remedy }) => Err(StoreError::Unusable {
                store: store.to_owned(),
                problem: problem.clone(),
                remedy,
            }),
            None => Ok(()),
        }
    }
}
