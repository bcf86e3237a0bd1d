//! What each operation on leases comes to, in scripts.

use surmise_fence::{FencingToken, Grant};

use super::{
    client::Client,
    failed::Failed,
    record::{Holder, digits, token_digits},
    reply::Answer,
};
use crate::{Extended, Granted, Holding, LeaseRequest, Resource, Revoked, StoreError, Ttl};

pub(super) async fn grant(
    client: &Client,
    request: LeaseRequest<'_>,
) -> Result<Granted, StoreError> {
    let [lease, epoch] = [client.keys().lease(request.resource()), client.keys().epoch()];
    let (nonce, time) = (digits(request.nonce()), micros(request.ttl()));
    let arguments = [nonce.as_bytes(), time.as_bytes(), request.holder().as_bytes()];
    match client.once(|scripts| &scripts.grant, &[&lease, &epoch], &arguments).await {
        Ok(Answer::Granted(Holder { token, .. }, valid_for)) => {
            Ok(Granted::Granted(Grant { token, valid_for }))
        }
        Ok(Answer::Held(Holder { token, nonce, name }, left)) => {
            Ok(Granted::Held(Holding::new(token, nonce, name, left)))
        }
        Ok(_) => Ok(Granted::Indeterminate(client.lost())),
        Err(failed) => failed.telling(client.name()).map(Granted::Indeterminate),
    }
}

pub(super) async fn extend(
    client: &Client,
    resource: Resource<'_>,
    token: FencingToken,
    ttl: Ttl,
) -> Result<Extended, StoreError> {
    let lease = client.keys().lease(resource);
    let (shown, time) = (token_digits(token), micros(ttl));
    match client
        .once(|scripts| &scripts.extend, &[&lease], &[shown.as_bytes(), time.as_bytes()])
        .await
    {
        Ok(Answer::Granted(Holder { token, .. }, valid_for)) => {
            Ok(Extended::Extended(Grant { token, valid_for }))
        }
        Ok(Answer::Free) => Ok(Extended::Lost),
        Ok(_) => Ok(Extended::Indeterminate(client.lost())),
        Err(failed) => failed.telling(client.name()).map(Extended::Indeterminate),
    }
}

pub(super) async fn revoke(
    client: &Client,
    resource: Resource<'_>,
    token: FencingToken,
) -> Result<Revoked, StoreError> {
    let lease = client.keys().lease(resource);
    match client.once(|scripts| &scripts.revoke, &[&lease], &[token_digits(token).as_bytes()]).await
    {
        Ok(Answer::Done) => Ok(Revoked::Revoked),
        Ok(Answer::Free) => Ok(Revoked::Lost),
        Ok(_) => Ok(Revoked::Indeterminate(client.lost())),
        Err(failed) => failed.telling(client.name()).map(Revoked::Indeterminate),
    }
}

pub(super) async fn holding(
    client: &Client,
    resource: Resource<'_>,
) -> Result<Option<Holding>, StoreError> {
    let lease = client.keys().lease(resource);
    match client.look(|scripts| &scripts.holding, &[&lease]).await? {
        Answer::Held(Holder { token, nonce, name }, left) => {
            Ok(Some(Holding::new(token, nonce, name, left)))
        }
        Answer::Free => Ok(None),
        _ => Err(client.unavailable("what it answered is not to what was asked")),
    }
}

pub(super) async fn advance_epoch(client: &Client) -> Result<u64, StoreError> {
    // An epoch that nobody heard of does no harm.
    let epoch = client.keys().epoch();
    let unanswered =
        |source| Err(StoreError::Unanswered { store: client.name().to_owned(), source });
    match client.again(|scripts| &scripts.advance_epoch, &[&epoch], &[]).await {
        Ok(Answer::Epoch(epoch)) => Ok(epoch),
        Ok(_) => unanswered("what it answered is not to what was asked".into()),
        Err(Failed::Lost(source) | Failed::Ended(source)) => unanswered(source),
        Err(Failed::Refused(error) | Failed::Full(error) | Failed::Anew(error)) => Err(error),
    }
}

/// Returns a time in microseconds, rounded up.
fn micros(ttl: Ttl) -> String {
    ttl.get().as_nanos().div_ceil(1_000).to_string()
}
