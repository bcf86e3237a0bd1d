//! What a process says to the one that started it, and hears from it: lines of JSON by the standard output and input.

use std::io::{self, Write as _};

use serde::{Serialize, de::DeserializeOwned};

/// Says something.
pub(crate) fn send(message: &impl Serialize) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(&line(message)?)?;
    output.flush()
}

/// Waits for what is said; nothing more, if the other has ended.
pub(crate) fn receive<M: DeserializeOwned>() -> io::Result<Option<M>> {
    let mut line = String::new();
    if io::stdin().read_line(&mut line)? == 0 {
        return Ok(None);
    }
    Ok(Some(serde_json::from_str(&line)?))
}

/// Returns a message as one line.
pub(crate) fn line(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    Ok(line)
}
