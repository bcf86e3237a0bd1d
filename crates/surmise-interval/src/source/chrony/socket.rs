use core::time::Duration;
use std::{
    fs::{self, Permissions},
    io,
    os::unix::{fs::PermissionsExt, net::UnixDatagram},
    path::{Path, PathBuf},
    process,
};

use crate::source::{
    SourceError,
    datagram::{self, Datagram},
};

/// A Unix socket with a path of its own, which is removed with it.
///
/// The path is beside the server's socket: that is where `chronyd` may write, as its own user, and
/// where others may not. It cannot answer to a socket of Linux's that has a name but no path.
#[derive(Debug)]
pub(super) struct UnixSocket {
    socket: UnixDatagram,
    path: PathBuf,
}

impl UnixSocket {
    pub(super) fn connect(server: &Path) -> Result<Self, SourceError> {
        let tag = u64::from_ne_bytes(datagram::random()?);
        let path = server.with_file_name(alloc::format!("surmise-{}-{tag:016x}", process::id()));
        let socket = UnixDatagram::bind(&path)
            .map_err(SourceError::io(format_args!("create the socket {}", path.display())))?;
        // From here on the path is removed whatever happens.
        let this = Self { socket, path };
        fs::set_permissions(&this.path, Permissions::from_mode(0o666)).map_err(SourceError::io(
            format_args!("let chronyd write to {}", this.path.display()),
        ))?;
        this.socket
            .connect(server)
            .map_err(SourceError::io(format_args!("connect to {}", server.display())))?;
        Ok(this)
    }
}

impl Datagram for UnixSocket {
    fn send(&self, datagram: &[u8]) -> io::Result<usize> {
        self.socket.send(datagram)
    }

    fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.recv(buffer)
    }

    fn set_patience(&self, patience: Duration) -> io::Result<()> {
        self.socket.set_read_timeout(Some(patience))?;
        // A daemon that was stopped takes no requests either, once there are some.
        self.socket.set_write_timeout(Some(patience))
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        // If it is gone already, so much the better.
        _ = fs::remove_file(&self.path);
    }
}
