//! What each operation on fences and fenced values comes to, in statements.

use surmise_fence::{Pass, Refusal};
use tokio_postgres::Error;

use super::{column::PassColumn, run::Run, sql::Which};
use crate::{Change, Entry, Resource};

/// What a raise came to.
pub(super) enum Raised {
    Done,
    Refused(Refusal),
    /// It was not tried at this isolation level.
    Isolated(String),
}

pub(super) async fn write(on: &impl Run, change: Change<'_>) -> Result<Result<(), Refusal>, Error> {
    let (pass, resource) = (change.pass(), change.resource().as_str());
    let bytes = pass.to_bytes();
    let (key, value, shown) = (change.key(), change.value(), bytes.as_slice());
    loop {
        let row = on.run(Which::Write, &[&resource, &key, &value, &shown]).await?;
        let Some(row) = row else {
            on.run(Which::Lay, &[&resource]).await?;
            continue;
        };
        if row.try_get("done")? {
            return Ok(Ok(()));
        }
        let [floor, last] = [seen(&row, "floor")?, seen(&row, "last")?];
        if let Err(refusal) = pass.check_floor(floor).and_then(|()| pass.check(last)) {
            return Ok(Err(refusal));
        }
    }
}

pub(super) async fn raise(
    on: &impl Run,
    resource: Resource<'_>,
    pass: Pass,
) -> Result<Raised, Error> {
    let bytes = pass.with_sequence(0).to_bytes();
    loop {
        let raised = on.run(Which::Raise, &[&resource.as_str(), &bytes.as_slice()]).await?;
        // The statement always has a row; without one there is nothing to be lost by asking again.
        let Some(row) = raised else { continue };
        if row.try_get("done")? {
            return Ok(Raised::Done);
        }
        if let Some(level) = row.try_get("level")? {
            return Ok(Raised::Isolated(level));
        }
        if let Err(refusal) = pass.check_floor(seen(&row, "floor")?) {
            return Ok(Raised::Refused(refusal));
        }
    }
}

pub(super) async fn check(
    on: &impl Run,
    resource: Resource<'_>,
    pass: Pass,
) -> Result<Result<(), Refusal>, Error> {
    loop {
        if let Some(row) = on.run(Which::Check, &[&resource.as_str()]).await? {
            return Ok(pass.check_floor(seen(&row, "floor")?));
        }
        on.run(Which::Lay, &[&resource.as_str()]).await?;
    }
}

pub(super) async fn floor(on: &impl Run, resource: Resource<'_>) -> Result<Option<Pass>, Error> {
    match on.run(Which::Floor, &[&resource.as_str()]).await? {
        Some(row) => seen(&row, "floor"),
        None => Ok(None),
    }
}

pub(super) async fn read(
    on: &impl Run,
    resource: Resource<'_>,
    key: &[u8],
) -> Result<Option<Entry>, Error> {
    let Some(row) = on.run(Which::Read, &[&resource.as_str(), &key]).await? else {
        return Ok(None);
    };
    let PassColumn(pass) = row.try_get("pass")?;
    Ok(Some(Entry::new(row.try_get("value")?, pass)))
}

fn seen(row: &tokio_postgres::Row, column: &str) -> Result<Option<Pass>, Error> {
    Ok(row.try_get::<_, Option<PassColumn>>(column)?.map(|PassColumn(pass)| pass))
}
