use core::{error::Error, fmt, net::SocketAddr};
use std::{io, net::ToSocketAddrs};

use super::probe::Silence;

/// A host, by name or by address, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HostPort {
    host: String,
    port: u16,
}

impl HostPort {
    /// Parses `HOST[:PORT]`, where an IPv6 address with a port stands in brackets.
    pub(super) fn parse(text: &str, default_port: u16) -> Result<Self, HostPortError> {
        let (host, port) = match text.strip_prefix('[') {
            Some(bracketed) => {
                let (host, rest) = bracketed.split_once(']').ok_or(HostPortError::Bracket)?;
                match rest.strip_prefix(':') {
                    _ if rest.is_empty() => (host, None),
                    Some(port) => (host, Some(port)),
                    None => return Err(HostPortError::Bracket),
                }
            }
            None => match text.split_once(':') {
                // More than one colon: an IPv6 address as it is.
                Some((_, rest)) if rest.contains(':') => (text, None),
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        if host.is_empty() {
            return Err(HostPortError::NoHost);
        }
        let invalid = |port: &str| HostPortError::Port { port: port.to_owned() };
        let parse =
            |port: &str| port.parse().ok().filter(|&port| port > 0).ok_or_else(|| invalid(port));
        Ok(Self { host: host.to_owned(), port: port.map_or(Ok(default_port), parse)? })
    }

    /// Returns the first address of the host.
    pub(super) fn resolve(&self) -> Result<SocketAddr, Silence> {
        let failed = |error| Silence::Host { host: self.host.clone(), error };
        let mut found = (self.host.as_str(), self.port).to_socket_addrs().map_err(failed)?;
        found.next().ok_or_else(|| failed(io::Error::other("the host has no address")))
    }

    /// Returns the host, and the port too if it is not the usual one.
    pub(super) fn name(&self, usual_port: u16) -> String {
        let Self { host, port } = self;
        match host.contains(':') {
            _ if *port == usual_port => host.clone(),
            true => format!("[{host}]:{port}"),
            false => format!("{host}:{port}"),
        }
    }
}

/// A text that is no `HOST[:PORT]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HostPortError {
    /// Nothing stands where the host should.
    NoHost,
    /// A bracket is not closed, or followed by something else than a port.
    Bracket,
    /// What follows the colon is no port.
    Port { port: String },
}

impl fmt::Display for HostPortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHost => f.write_str("there is no host in it"),
            Self::Bracket => {
                f.write_str("an address in brackets reads [ADDRESS] or [ADDRESS]:PORT")
            }
            Self::Port { port } => write!(f, "the port is {port:?}, but must be from 1 to 65535"),
        }
    }
}

impl Error for HostPortError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_may_have_ports_and_addresses_brackets() {
        for (text, host, port) in [
            ("example.org", "example.org", 123),
            ("example.org:1123", "example.org", 1123),
            ("192.0.2.1:65535", "192.0.2.1", 65_535),
            ("::1", "::1", 123),
            ("[::1]", "::1", 123),
            ("host:1", "host", 1),
            ("[2001:db8::1]:7", "2001:db8::1", 7),
        ] {
            let expected = HostPort { host: host.to_owned(), port };
            assert_eq!(HostPort::parse(text, 123), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_host_or_port_says_so() {
        let port = |port: &str| HostPortError::Port { port: port.to_owned() };
        for (text, error) in [
            ("", HostPortError::NoHost),
            (":123", HostPortError::NoHost),
            ("[]:123", HostPortError::NoHost),
            ("[::1", HostPortError::Bracket),
            ("[::1]123", HostPortError::Bracket),
            ("host:", port("")),
            ("host:0", port("0")),
            ("host:65536", port("65536")),
            ("host:-1", port("-1")),
            ("[::1]:x", port("x")),
            ("[::1]:", port("")),
        ] {
            assert_eq!(HostPort::parse(text, 123), Err(error), "{text}");
        }
    }

    #[test]
    fn addresses_resolve_to_themselves() {
        let server = HostPort::parse("[::1]:7", 123).unwrap();
        assert_eq!(server.resolve().unwrap(), "[::1]:7".parse().unwrap());
        assert_eq!((server.name(7), server.name(123)), ("::1".to_owned(), "[::1]:7".to_owned()));
        assert_eq!(HostPort::parse("host", 123).unwrap().name(7), "host:123");
    }
}
