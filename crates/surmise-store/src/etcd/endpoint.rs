use crate::StoreError;

/// Where a member listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) is_tls: bool,
    /// The host and the port.
    pub(super) authority: String,
}

impl Endpoint {
    /// Reads a client URL as etcd writes it.
    pub(super) fn parse(store: &str, url: &str) -> Result<Self, StoreError> {
        let wrong = || StoreError::Unusable {
            store: store.to_owned(),
            problem: format!("{url:?} is no client URL of etcd"),
            remedy: "write endpoints as http://HOST:PORT",
        };
        let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = authority.rsplit_once(':').ok_or_else(wrong)?;
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
        if host.is_empty() || !host.bytes().all(is_host) || port.parse::<u16>().is_err() {
            return Err(wrong());
        }
        let is_tls = match scheme {
            "http" => false,
            "https" => true,
            _ => return Err(wrong()),
        };
        Ok(Self { is_tls, authority: authority.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read() {
        for (url, authority, is_tls) in [
            ("http://127.0.0.1:2379", "127.0.0.1:2379", false),
            ("https://etcd-0.etcd:2379/", "etcd-0.etcd:2379", true),
            ("http://[::1]:1", "[::1]:1", false),
        ] {
            let endpoint = Endpoint { is_tls, authority: authority.to_owned() };
            assert_eq!(Endpoint::parse("it", url).unwrap(), endpoint);
        }
        let wrong = ["", "a:1", "http://", "http://a", "http://:1", "http://a:x", "unix://a:1"];
        for url in wrong.into_iter().chain(["http://a:1/v3", "http://a b:1", "http://u@a:1"]) {
            assert!(Endpoint::parse("it", url).is_err(), "{url}");
        }
    }
}
