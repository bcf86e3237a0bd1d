//! What is under the prefix before anything else is: the version of the layout, the epoch, and who had them last.

use alloc::sync::Arc;

use super::{
    client::Client,
    connection::Connection,
    reply::{Answer, foreign},
    server::Server,
};
use crate::StoreError;

/// Checks that what is under the prefix is ours, and of this version, and begins the next epoch where another process had
/// it last. If nothing is there, it is made, or missed by who `knows` which store it has to be.
///
/// Returns which store it is.
pub(super) async fn open(
    client: &Client,
    connection: &Arc<Connection>,
    server: &Server,
    knows: Option<&[u8]>,
) -> Result<Vec<u8>, StoreError> {
    let keys = client.keys();
    let [format_key, epoch_key, process_key] = [keys.format(), keys.epoch(), keys.process()];
    let new = new_id().map_err(|error| client.unavailable(error))?;
    let arguments = [FORMAT, new.as_bytes(), knows.unwrap_or_default(), server.process.as_bytes()];
    let keys: [&[u8]; 3] = [&format_key, &epoch_key, &process_key];
    let answer = client.run(connection, |scripts| &scripts.open, &keys, &arguments).await;
    // If it is done twice, the second finds what the first made.
    let answer = answer.map_err(|failed| failed.harmless(client.name()))?;
    let Answer::Found { format, process } = answer else {
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
    let Some(id) = process.first_chunk::<ID_BYTES>().map(|id| id.to_vec()) else {
        return Err(foreign(client.name(), &process_key));
    };
    connection.is_to(process);
    Ok(id)
}

/// Returns the id of a store, which no other has.
fn new_id() -> Result<String, getrandom::Error> {
    Ok(format!("{:016x}{:016x}", getrandom::u64()?, getrandom::u64()?))
}

const ID_BYTES: usize = 32;
const FAMILY: &[u8] = b"surmise-store/";
const FORMAT: &[u8] = b"surmise-store/1";
