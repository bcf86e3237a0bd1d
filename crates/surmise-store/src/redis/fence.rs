//! What each operation on fences and fenced values comes to, in scripts.

use surmise_fence::{Pass, Refusal};

use super::{
    client::Client,
    failed::Failed,
    record,
    reply::{Answer, foreign},
};
use crate::{Change, Entry, Outcome, Resource, StoreError};

pub(super) async fn write(client: &Client, change: Change<'_>) -> Result<Outcome, StoreError> {
    let floor = client.keys().floor(change.resource());
    let value = client.keys().value(change.resource(), change.key());
    let shown = record::pass_digits(change.pass());
    let entry = record::entry_to_bytes(change.value(), change.pass());
    let answer =
        client.once(|scripts| &scripts.write, &[&floor, &value], &[shown.as_bytes(), &entry]).await;
    outcome(client, change.pass(), answer)
}

pub(super) async fn raise(
    client: &Client,
    resource: Resource<'_>,
    pass: Pass,
) -> Result<Outcome, StoreError> {
    let key = client.keys().floor(resource);
    let shown = record::pass_digits(pass.with_sequence(0));
    let floor = record::floor_to_bytes(pass);
    let answer = client.once(|scripts| &scripts.raise, &[&key], &[shown.as_bytes(), &floor]).await;
    outcome(client, pass, answer)
}

pub(super) async fn floor(
    client: &Client,
    resource: Resource<'_>,
) -> Result<Option<Pass>, StoreError> {
    let key = client.keys().floor(resource);
    let Some(found) = client.get(&key).await? else { return Ok(None) };
    let floor = record::floor_from_bytes(&found);
    floor.map(Some).ok_or_else(|| foreign(client.name(), &key))
}

pub(super) async fn read(
    client: &Client,
    resource: Resource<'_>,
    key: &[u8],
) -> Result<Option<Entry>, StoreError> {
    let key = client.keys().value(resource, key);
    let Some(found) = client.get(&key).await? else { return Ok(None) };
    let entry = record::entry_from_bytes(&found);
    entry.map(Some).ok_or_else(|| foreign(client.name(), &key))
}

fn outcome(
    client: &Client,
    pass: Pass,
    answer: Result<Answer, Failed>,
) -> Result<Outcome, StoreError> {
    match answer {
        Ok(Answer::Done) => Ok(Outcome::Applied),
        Ok(answer) => Ok(match refusal(pass, &answer) {
            Some(refusal) => refusal.into(),
            None => Outcome::Indeterminate(client.lost()),
        }),
        Err(failed) => failed.telling(client.name()).map(Outcome::Indeterminate),
    }
}

/// Says what a pass lacks, by what stands in the way; `None` if nothing does, which the script and the rule then see
/// otherwise.
pub(super) fn refusal(pass: Pass, answer: &Answer) -> Option<Refusal> {
    match answer {
        Answer::Floor(floor) => pass.check_floor(Some(*floor)).err(),
        Answer::Last(last) => pass.check(Some(*last)).err(),
        _ => None,
    }
}
