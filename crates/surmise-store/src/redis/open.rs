//! What is under the prefix before anything else is: the version of the layout, and the epoch.

use alloc::sync::Arc;

use super::{
    client::Client,
    connection::Connection,
    record,
    reply::{Answer, foreign, lost},
    scripts::Which,
};
use crate::StoreError;

/// Checks that what is under the prefix is ours, and of this version; if nothing is there, it is made or missed.
pub(super) async fn open(
    client: &Client,
    connection: &Arc<Connection>,
    make: bool,
) -> Result<(), StoreError> {
    let [format_key, epoch_key] = [client.keys().format(), client.keys().epoch()];
    let made: &[u8] = if make { FORMAT } else { b"" };
    let answer = client.run(connection, Which::Open, &[&format_key, &epoch_key], &[made]).await;
    // If it is done twice, the second finds what the first made.
    let answer = answer.map_err(|failed| failed.harmless(client.name()))?;
    let Answer::Found { format, epoch } = answer else {
        return Err(client.unavailable("what it answered is not to what was asked"));
    };
    let unusable = |problem: String, remedy| {
        Err(StoreError::Unusable { store: client.name().to_owned(), problem, remedy })
    };
    if format.is_empty() {
        let problem = "there are keys under its prefix that are not of surmise-store".to_owned();
        return unusable(problem, "choose another `prefix`");
    }
    if !format.starts_with(FAMILY) {
        return Err(foreign(client.name(), &format_key));
    }
    if format != FORMAT {
        let problem = format!("its layout is {:?}", format.escape_ascii().to_string());
        return unusable(
            problem,
            "use the version of surmise-store that made it, or choose another `prefix`",
        );
    }
    if epoch.is_empty() {
        return Err(lost(client.name()));
    }
    match record::number_from_bytes(&epoch) {
        Some(_) => Ok(()),
        None => Err(foreign(client.name(), &epoch_key)),
    }
}

const FAMILY: &[u8] = b"surmise-store/";
const FORMAT: &[u8] = b"surmise-store/1";
