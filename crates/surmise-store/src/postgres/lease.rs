//! What each operation on leases comes to, in statements.

use core::num::NonZeroU64;

use surmise_fence::{FencingToken, Grant, TokensExhausted};
use tokio_postgres::{Error, Row};

use super::{
    column::{CounterColumn, NumberColumn, columns, from_micros, micros},
    run::Run,
    sql::Which,
};
use crate::{Extended, Granted, Holding, LeaseRequest, Resource, Revoked, Ttl};

/// What a request for a lease came to, when the server did answer.
pub(super) enum Answer {
    Granted(Granted),
    Exhausted(TokensExhausted),
}

pub(super) async fn grant(on: &impl Run, request: LeaseRequest<'_>) -> Result<Answer, Error> {
    let ttl = request.ttl();
    let (resource, holder) = (request.resource().as_str(), request.holder());
    let (nonce, time) = (request.nonce().cast_signed(), micros(ttl.get()));
    loop {
        let row = on.run(Which::Grant, &[&resource, &holder, &nonce, &time]).await?;
        // Without a row, a concurrent request made one.
        let Some(row) = row else { continue };
        let token = token(&row)?;
        if row.try_get("granted")? {
            // Of a longer time that is left of the lease, no more than was asked for: the clock may have been set back.
            let grant = Grant { token, valid_for: ttl.get() };
            return Ok(Answer::Granted(Granted::Granted(grant)));
        }
        if row.try_get::<_, Option<bool>>("exhausted")? == Some(true)
            && let Err(exhausted) = FencingToken::new(token.epoch(), NonZeroU64::MAX).next()
        {
            return Ok(Answer::Exhausted(exhausted));
        }
        if let Some(holding) = held(&row, token)?
            && (holding.nonce == 0 || holding.nonce != request.nonce())
        {
            return Ok(Answer::Granted(Granted::Held(holding)));
        }
    }
}

pub(super) async fn extend(
    on: &impl Run,
    resource: Resource<'_>,
    token: FencingToken,
    ttl: Ttl,
) -> Result<Extended, Error> {
    // What no column can have was never granted here.
    let Some((epoch, counter)) = columns(token) else { return Ok(Extended::Lost) };
    let (resource, time) = (resource.as_str(), micros(ttl.get()));
    match on.run(Which::Extend, &[&resource, &epoch, &counter, &time]).await? {
        Some(_) => Ok(Extended::Extended(Grant { token, valid_for: ttl.get() })),
        None => Ok(Extended::Lost),
    }
}

pub(super) async fn revoke(
    on: &impl Run,
    resource: Resource<'_>,
    token: FencingToken,
) -> Result<Revoked, Error> {
    let Some((epoch, counter)) = columns(token) else { return Ok(Revoked::Lost) };
    let revoked = on.run(Which::Revoke, &[&resource.as_str(), &epoch, &counter]).await?;
    Ok(if revoked.is_some() { Revoked::Revoked } else { Revoked::Lost })
}

pub(super) async fn holding(
    on: &impl Run,
    resource: Resource<'_>,
) -> Result<Option<Holding>, Error> {
    let Some(row) = on.run(Which::Holding, &[&resource.as_str()]).await? else { return Ok(None) };
    held(&row, token(&row)?)
}

pub(super) async fn advance_epoch(on: &impl Run) -> Result<Option<u64>, Error> {
    let Some(row) = on.run(Which::AdvanceEpoch, &[]).await? else { return Ok(None) };
    let NumberColumn(epoch) = row.try_get("epoch")?;
    Ok(Some(epoch))
}

fn token(row: &Row) -> Result<FencingToken, Error> {
    let NumberColumn(epoch) = row.try_get("epoch")?;
    let CounterColumn(counter) = row.try_get("counter")?;
    Ok(FencingToken::new(epoch, counter))
}

/// Returns whose the lease of a row is, if it is not over.
fn held(row: &Row, token: FencingToken) -> Result<Option<Holding>, Error> {
    let micros: Option<i64> = row.try_get("remaining")?;
    let Some(remaining) = micros.and_then(from_micros) else { return Ok(None) };
    let nonce = row.try_get::<_, i64>("nonce")?.cast_unsigned();
    Ok(Some(Holding::new(token, nonce, row.try_get("holder")?, remaining)))
}
