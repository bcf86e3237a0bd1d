use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body::Body;

use super::{IdempotentBody, problem::Problem};

/// What is remembered of an execution.
///
/// As bytes: the version, what it is, the status as two bytes, the number of headers as two bytes; each header's name
/// and value after their lengths, two bytes and four; then the body. Numbers are little-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    Response {
        status: StatusCode,
        headers: Vec<(HeaderName, HeaderValue)>,
        body: Bytes,
    },
    /// There was a response, which could not be kept.
    NotKept {
        status: StatusCode,
    },
    /// Nobody knows how far it came.
    OutcomeUnknown,
}

const VERSION: u8 = 1;
const RESPONSE: u8 = 0;
const NOT_KEPT: u8 = 1;
const OUTCOME_UNKNOWN: u8 = 2;

impl Record {
    /// Creates what is remembered of a response, with those of its headers that are named.
    pub(super) fn of(
        status: StatusCode,
        headers: &HeaderMap,
        names: &[HeaderName],
        body: Bytes,
    ) -> Self {
        let values = |name| headers.get_all(name).iter().cloned();
        let headers = names.iter().flat_map(|name| values(name).map(|value| (name.clone(), value)));
        Self::Response { status, headers: headers.collect(), body }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Response { status, headers, body } => response_bytes(*status, headers, body)
                .unwrap_or_else(|| Self::NotKept { status: *status }.to_bytes()),
            Self::NotKept { status } => head(NOT_KEPT, *status),
            Self::OutcomeUnknown => vec![VERSION, OUTCOME_UNKNOWN],
        }
    }

    /// Returns what [`to_bytes`](Self::to_bytes) made these of, if they are such.
    pub(super) fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        let bytes = Bytes::from(bytes);
        let mut reader = Reader(bytes);
        let [version, kind] = reader.array()?;
        if version != VERSION {
            return None;
        }
        let record = match kind {
            RESPONSE => Self::Response {
                status: reader.status()?,
                headers: reader.headers()?,
                body: core::mem::take(&mut reader.0),
            },
            NOT_KEPT => Self::NotKept { status: reader.status()? },
            OUTCOME_UNKNOWN => Self::OutcomeUnknown,
            _ => return None,
        };
        reader.0.is_empty().then_some(record)
    }

    /// Returns the response to a retry.
    pub(super) fn replay<B: Body>(self) -> Response<IdempotentBody<B>> {
        match self {
            Self::Response { status, headers, body } => {
                let mut response = Response::new(IdempotentBody::whole(body));
                *response.status_mut() = status;
                for (name, value) in headers {
                    response.headers_mut().append(name, value);
                }
                response
            }
            Self::NotKept { status } => Problem::NotKept { status }.into_response(),
            Self::OutcomeUnknown => Problem::OutcomeUnknown.into_response(),
        }
    }
}

fn head(kind: u8, status: StatusCode) -> Vec<u8> {
    let [low, high] = status.as_u16().to_le_bytes();
    vec![VERSION, kind, low, high]
}

/// Returns nothing if there are more headers, or longer ones, than can be written.
fn response_bytes(
    status: StatusCode,
    headers: &[(HeaderName, HeaderValue)],
    body: &[u8],
) -> Option<Vec<u8>> {
    let mut bytes = head(RESPONSE, status);
    bytes.extend(u16::try_from(headers.len()).ok()?.to_le_bytes());
    for (name, value) in headers {
        bytes.extend(u16::try_from(name.as_str().len()).ok()?.to_le_bytes());
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend(u32::try_from(value.len()).ok()?.to_le_bytes());
        bytes.extend_from_slice(value.as_bytes());
    }
    bytes.extend_from_slice(body);
    Some(bytes)
}

/// What is left to be read.
struct Reader(Bytes);

impl Reader {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let array = *self.0.first_chunk()?;
        drop(self.0.split_to(N));
        Some(array)
    }

    fn bytes(&mut self, length: usize) -> Option<Bytes> {
        (length <= self.0.len()).then(|| self.0.split_to(length))
    }

    fn status(&mut self) -> Option<StatusCode> {
        StatusCode::from_u16(u16::from_le_bytes(self.array()?)).ok()
    }

    fn headers(&mut self) -> Option<Vec<(HeaderName, HeaderValue)>> {
        let count = u16::from_le_bytes(self.array()?);
        (0..count).map(|_| self.header()).collect()
    }

    fn header(&mut self) -> Option<(HeaderName, HeaderValue)> {
        let length = u16::from_le_bytes(self.array()?);
        let name = HeaderName::from_bytes(&self.bytes(length.into())?).ok()?;
        let length = usize::try_from(u32::from_le_bytes(self.array()?)).ok()?;
        let value = HeaderValue::from_maybe_shared(self.bytes(length)?).ok()?;
        Some((name, value))
    }
}

#[cfg(test)]
mod tests {
    use http::header::{LINK, LOCATION, SET_COOKIE};

    use super::*;

    fn response() -> Record {
        let mut headers = HeaderMap::new();
        for (name, value) in [(LINK, "</a>"), (SET_COOKIE, "secret"), (LINK, "</b>")] {
            headers.append(name, HeaderValue::from_static(value));
        }
        let body = Bytes::from_static(b"paid");
        Record::of(StatusCode::CREATED, &headers, &[LOCATION, LINK], body)
    }

    #[test]
    fn records_come_back_from_their_bytes_and_nothing_shorter_or_longer_does() {
        let records =
            [response(), Record::NotKept { status: StatusCode::OK }, Record::OutcomeUnknown];
        for record in records {
            let bytes = record.to_bytes();
            assert_eq!(Record::from_bytes(bytes.clone()).as_ref(), Some(&record));
            for length in 0..bytes.len() {
                // A body can be cut, and nothing else.
                let is_cut_body = bytes.len() - length <= 4 && bytes.len() > 4;
                assert_eq!(Record::from_bytes(bytes[..length].to_vec()).is_some(), is_cut_body);
            }
            let longer = Record::from_bytes([bytes.as_slice(), b"!"].concat());
            assert_eq!(longer.is_some(), matches!(record, Record::Response { .. }));
            for (at, byte) in [(0, 0), (0, 2), (1, 3)] {
                let mut other = bytes.clone();
                other[at] = byte;
                assert_eq!(Record::from_bytes(other), None);
            }
        }
    }

    #[test]
    fn the_bytes_are_those_of_version_1() {
        let bytes = b"\x01\x00\xc9\x00\x02\x00\x04\x00link\x04\x00\x00\x00</a>\x04\x00link\x04\x00\x00\x00</b>paid";
        assert_eq!(response().to_bytes(), bytes);
        assert_eq!(Record::NotKept { status: StatusCode::OK }.to_bytes(), b"\x01\x01\xc8\x00");
        assert_eq!(Record::OutcomeUnknown.to_bytes(), b"\x01\x02");
    }
}
