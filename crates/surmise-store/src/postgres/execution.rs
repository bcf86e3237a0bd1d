//! What each operation on executions comes to, in statements.

use surmise_fence::FencingToken;
use surmise_idempotency::Fingerprint;
use surmise_time::Instant;
use tokio_postgres::{Error, Row};

use super::{
    column::{
        CounterColumn, FingerprintColumn, NumberColumn, StateColumn, TimeColumn, columns, micros,
    },
    run::Run,
    sql::Which,
};
use crate::{
    Claim, Claimed, Settled, Settlement, Terms, Ticket,
    idempotency_store::{Next, Record, State, Verb},
};

/// Answers a claim, and forgets up to so many rows that are over, if its key is new.
pub(super) async fn claim(
    on: &impl Run,
    claim: Claim<'_>,
    forgotten: i64,
) -> Result<Claimed, Error> {
    let fingerprint = claim.fingerprint().to_bytes();
    let (key, fingerprint) = (claim.key().as_bytes(), fingerprint.as_slice());
    let (nonce, [lease, whole]) = (claim.nonce().cast_signed(), times(claim.terms()));
    loop {
        let asked =
            on.run(Which::Claim, &[&key, &fingerprint, &nonce, &lease, &whole, &forgotten]).await?;
        // The statement always has a row; without one there is nothing to be lost by asking again.
        let Some(row) = asked else { continue };
        if row.try_get::<_, Option<i64>>("new_counter")?.is_some() {
            let token = token(&row, ["new_epoch", "new_counter"])?;
            return Ok(Claimed::Execute(ticket(claim, token, None)));
        }
        // Where there is nothing either, a concurrent claim made a row.
        let Some((record, version, now)) = seen(&row)? else { continue };
        let before = record.token;
        let recovers = match Record::claim(Some(record), claim, before, now) {
            (claimed, Next::Same) => return Ok(claimed),
            (claimed, Next::Changed(_)) => matches!(claimed, Claimed::Recover(_)),
        };
        let Some((epoch, counter)) = columns(before) else { continue };
        let taken = on
            .run(
                Which::Take,
                &[
                    &key,
                    &epoch,
                    &counter,
                    &version,
                    &fingerprint,
                    &nonce,
                    &recovers,
                    &lease,
                    &whole,
                ],
            )
            .await?;
        // Without a row, another was faster.
        let Some(row) = taken else { continue };
        let ticket = ticket(claim, token(&row, ["epoch", "counter"])?, row.try_get("value")?);
        return Ok(if recovers { Claimed::Recover(ticket) } else { Claimed::Execute(ticket) });
    }
}

/// What became of a settlement, and whether that is this statement's doing.
///
/// Who says the same once more is told that it is done; but if it comes with an effect, then that is done twice.
pub(super) async fn settle(
    on: &impl Run,
    ticket: &Ticket,
    settlement: Settlement<'_>,
) -> Result<(Settled, bool), Error> {
    // What no column can have was never granted here.
    let Some((epoch, counter)) = columns(ticket.token()) else {
        return Ok((Settled::Fenced, false));
    };
    let [lease, whole] = times(ticket.terms());
    let brief_retention = micros(ticket.terms().brief_retention);
    let (state, value, lease, forgotten) = match settlement.0 {
        Verb::Complete { result, retention } => {
            (COMPLETED, Some(result), None, Some(micros(retention)))
        }
        Verb::Release => (RELEASED, None, None, Some(brief_retention)),
        Verb::Renew => (IN_FLIGHT, None, Some(lease), Some(whole)),
        Verb::Save { checkpoint } => (IN_FLIGHT, Some(checkpoint), None, None),
    };
    let key = ticket.key().as_bytes();
    loop {
        let settled = on
            .run(Which::Settle, &[&key, &epoch, &counter, &state, &value, &lease, &forgotten])
            .await?;
        let Some(row) = settled else { return Ok((Settled::Fenced, false)) };
        if row.try_get("done")? {
            return Ok((Settled::Done, true));
        }
        let TimeColumn(now) = row.try_get("now")?;
        let TimeColumn(forgotten_at) = row.try_get("forgotten_at")?;
        let StateColumn(mut state) = row.try_get("state")?;
        if let State::Completed { result } = &mut state {
            *result = row.try_get::<_, Option<Vec<u8>>>("value")?.unwrap_or_default();
        }
        let token = ticket.token();
        // Of what else is there, nothing matters to who was refused.
        let record = Record { fingerprint: Fingerprint::NONE, token, forgotten_at, state };
        if let (settled, Next::Same) = Record::settle(Some(record), ticket, settlement, now) {
            return Ok((settled, false));
        }
    }
}

/// Deletes rows that are over, up to so many, and returns how many there were.
pub(super) async fn forget(on: &impl Run, limit: i64) -> Result<u64, Error> {
    let Some(row) = on.run(Which::Forget, &[&limit]).await? else { return Ok(0) };
    let NumberColumn(count) = row.try_get("count")?;
    Ok(count)
}

pub(super) const IN_FLIGHT: &str = "in flight";
pub(super) const COMPLETED: &str = "completed";
pub(super) const RELEASED: &str = "released";

/// Returns the lease, and how long after its beginning a record is forgotten.
fn times(terms: Terms) -> [i64; 2] {
    [micros(terms.lease), micros(terms.lease).saturating_add(micros(terms.retention))]
}

/// Returns the record of a row, if it has one, and its version, and what the time was.
fn seen(row: &Row) -> Result<Option<(Record, i64, Instant)>, Error> {
    let Some(StateColumn(mut state)) = row.try_get("state")? else { return Ok(None) };
    match &mut state {
        State::InFlight { nonce, lease_ends, recovers, checkpoint } => {
            *nonce = row.try_get::<_, i64>("nonce")?.cast_unsigned();
            TimeColumn(*lease_ends) = row.try_get("lease_ends")?;
            *recovers = row.try_get("recovers")?;
            *checkpoint = row.try_get("value")?;
        }
        State::Completed { result } => {
            *result = row.try_get::<_, Option<Vec<u8>>>("value")?.unwrap_or_default();
        }
        State::Released => {}
    }
    let FingerprintColumn(fingerprint) = row.try_get("fingerprint")?;
    let TimeColumn(forgotten_at) = row.try_get("forgotten_at")?;
    let TimeColumn(now) = row.try_get("now")?;
    let token = token(row, ["epoch", "counter"])?;
    let record = Record { fingerprint, token, forgotten_at, state };
    Ok(Some((record, row.try_get("version")?, now)))
}

fn token(row: &Row, [epoch, counter]: [&str; 2]) -> Result<FencingToken, Error> {
    let NumberColumn(epoch) = row.try_get(epoch)?;
    let CounterColumn(counter) = row.try_get(counter)?;
    Ok(FencingToken::new(epoch, counter))
}

fn ticket(claim: Claim<'_>, token: FencingToken, checkpoint: Option<Vec<u8>>) -> Ticket {
    Ticket::new(claim.key().clone(), token, claim.terms(), checkpoint)
}
