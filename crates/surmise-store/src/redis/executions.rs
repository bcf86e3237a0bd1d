//! Executions that are claimed and settled: what becomes of a record is found out here, by the rules of all stores, and kept if
//! nobody changed it meanwhile. Who finds it changed has been told what it is now; and somebody else was done.

mod kept;

use surmise_fence::FencingToken;
use surmise_time::Instant;

use self::kept::{Head, Kept, NO_TOKEN};
use super::{
    client::Client,
    failed::Failed,
    record::{digits, token_digits},
    reply::Answer,
};
use crate::{
    Claim, Claimed, Settled, Settlement, StoreError, Ticket,
    idempotency_store::{Next, Record, Verb},
};

/// How often a record may change under one request. Once is rare; but a server that answers nonsense is not asked for ever.
const ROUNDS: u32 = 100;

pub(super) async fn claim(client: &Client, claim: Claim<'_>) -> Result<Claimed, StoreError> {
    let key = client.keys().execution(claim.key());
    // That nobody did it is tried without a look, since it is so most of the time.
    let (mut before, mut record, mut now) = (None, None, Instant::ORIGIN);
    for _ in 0..ROUNDS {
        let (claimed, next) = Record::claim(record, claim, NO_TOKEN, now);
        let Next::Changed(next) = next else { return Ok(claimed) };
        // The token is new, and the times begin when it is kept.
        let change =
            Change { before: before.as_ref(), token: None, begins: None, record: next, now };
        match change.make(client, &key).await {
            Ok(Answer::Changed(token)) => return Ok(claimed.with_token(token)),
            Ok(Answer::Kept(bytes, at)) => {
                let kept = Kept::from_bytes(client.name(), &key, &bytes)?;
                (before, record) = kept.map(|kept| (kept.head, kept.record)).unzip();
                now = at;
            }
            Ok(_) => return Ok(Claimed::Indeterminate(client.lost())),
            Err(Failed::Full(_)) => return Ok(Claimed::Full),
            Err(failed) => return failed.telling(client.name()).map(Claimed::Indeterminate),
        }
    }
    Err(client.unavailable(RESTLESS))
}

pub(super) async fn settle(
    client: &Client,
    ticket: &Ticket,
    settlement: Settlement<'_>,
) -> Result<Settled, StoreError> {
    let key = client.keys().execution(ticket.key());
    let Answer::Kept(mut bytes, mut now) = client.look(|scripts| &scripts.look_up, &[&key]).await?
    else {
        return Err(client.unavailable("what it answered is not to what was asked"));
    };
    for _ in 0..ROUNDS {
        let Some(Kept { head, record }) = Kept::from_bytes(client.name(), &key, &bytes)? else {
            return Ok(Settled::Fenced);
        };
        let (settled, next) = Record::settle(Some(record), ticket, settlement, now);
        let Next::Changed(record) = next else { return Ok(settled) };
        // Times that stay what they were begin when they did. A lease that is given back ends now, which may be before it
        // began if the clock was set back.
        let begins = matches!(settlement.0, Verb::Save { .. }).then_some(head.begins);
        let change =
            Change { before: Some(&head), token: Some(ticket.token()), begins, record, now };
        match change.make(client, &key).await {
            Ok(Answer::Changed(_)) => return Ok(settled),
            Ok(Answer::Kept(found, at)) => (bytes, now) = (found, at),
            Ok(_) => return Ok(Settled::Indeterminate(client.lost())),
            Err(failed) => return failed.telling(client.name()).map(Settled::Indeterminate),
        }
    }
    Err(client.unavailable(RESTLESS))
}

const RESTLESS: &str = "what it keeps of the execution was another each time it was to be changed";

/// What a record is to become.
struct Change<'a> {
    /// What is to be there still.
    before: Option<&'a Head>,
    /// The next one, if it has none.
    token: Option<FencingToken>,
    /// When its times begin: when it is kept, unless it is said here.
    begins: Option<Instant>,
    record: Record,
    /// The time by which the record was made.
    now: Instant,
}

impl Change<'_> {
    async fn make(self, client: &Client, key: &[u8]) -> Result<Answer, Failed> {
        let expected = self.before.map_or(&[][..], Head::as_bytes);
        let token = self.token.map(token_digits).unwrap_or_default();
        let begins = self.begins.map(|time| digits(kept::micros(time))).unwrap_or_default();
        let record = kept::since(self.record, self.begins.unwrap_or(self.now));
        let lasts = kept::micros(record.forgotten_at).to_string();
        let bytes = Record { token: NO_TOKEN, ..record }.to_bytes();
        let keys = client.keys();
        let [last, epoch] = [keys.executions(), keys.epoch()];
        let arguments = [expected, token.as_bytes(), begins.as_bytes(), lasts.as_bytes(), &bytes];
        client.once(|scripts| &scripts.exchange, &[key, &last, &epoch], &arguments).await
    }
}
