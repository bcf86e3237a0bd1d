use alloc::sync::Arc;
use core::{iter::repeat_n, time::Duration};

use surmise_store::{Claim, Claimed, IdempotencyStore, Settled, StoreError, Ticket};

use super::{Retain, telemetry};

/// For how long to wait before what was not done, or may not have been, is tried again while the client waits.
pub(super) const PAUSES: [Duration; 3] =
    [Duration::from_millis(50), Duration::from_millis(200), Duration::from_millis(800)];

/// How often it is tried while nobody waits, over as long as a lease.
const TRIES: u32 = 16;

/// A ticket, and what is to become of it.
#[derive(Debug)]
pub(super) struct Settling<S> {
    pub(super) store: Arc<S>,
    pub(super) ticket: Ticket,
    pub(super) retain: Retain,
    /// What is kept, if something is.
    pub(super) bytes: Vec<u8>,
}

impl<S: IdempotencyStore> Settling<S> {
    /// Settles the ticket while the client waits, and returns whether more can be made of it.
    pub(super) async fn try_now(&self) -> bool {
        let mut pauses = PAUSES.into_iter();
        while self.attempt().await.is_err() {
            let Some(pause) = pauses.next() else { return true };
            tokio::time::sleep(pause).await;
        }
        false
    }

    /// Goes on for as long as a lease: nobody else takes over before it ends, and may not for longer.
    ///
    /// If that is of no use, the ticket is left, and others learn that the outcome is unknown.
    pub(super) async fn go_on(self) {
        let mut why = String::new();
        for _ in 0..TRIES {
            tokio::time::sleep(self.ticket.terms().lease / TRIES).await;
            match self.attempt().await {
                Ok(()) => return,
                Err(error) => why = error,
            }
        }
        telemetry::unkept(&self.ticket, &why);
    }

    /// Tries once, and returns why it should be tried again, if it should.
    async fn attempt(&self) -> Result<(), String> {
        let Self { store, ticket, retain, bytes } = self;
        let settled = match retain {
            Retain::Long | Retain::Marker => store.complete(ticket, bytes).await,
            Retain::Briefly => store.complete_briefly(ticket, bytes).await,
            Retain::Nothing => store.release(ticket).await,
        };
        match settled {
            Ok(Settled::Done) => {}
            Ok(Settled::Fenced) => {
                telemetry::unkept(ticket, &"another execution took over, or it was settled");
            }
            Ok(Settled::AlreadyCompleted) => {
                telemetry::unkept(ticket, &"it was completed with another");
            }
            Err(StoreError::Limit(limit)) => telemetry::unkept(ticket, &limit),
            Ok(Settled::Indeterminate(lost)) => return Err(lost.to_string()),
            Ok(_) => return Err("the store says what this version does not know".to_owned()),
            Err(error) => return Err(error.to_string()),
        }
        Ok(())
    }
}

/// Asks on, under its nonce, for a claim of which nobody heard and nothing was executed, and gives back what was granted.
pub(super) async fn give_back<S: IdempotencyStore>(store: &S, claim: Claim<'_>) {
    let pause = claim.terms().lease / TRIES;
    for pause in PAUSES.into_iter().chain(repeat_n(pause, 16)) {
        tokio::time::sleep(pause).await;
        match store.claim(claim).await {
            // If the reply to the release is lost, it is granted once more, or anew, and given back again.
            Ok(Claimed::Execute(ticket) | Claimed::Recover(ticket)) => {
                if let Ok(Settled::Done | Settled::Fenced) = store.release(&ticket).await {
                    return;
                }
            }
            Ok(Claimed::Indeterminate(_)) | Err(_) => {}
            Ok(_) => return,
        }
    }
}
