//! What etcd is asked and what it answers, in the JSON of its gateway.
//!
//! Bytes are base64 there, and 64-bit numbers are strings; what is zero, empty or false is left out.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::SerializeMap as _,
};

/// A transaction: if all compares hold, some operations, else others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Txn {
    #[serde(rename = "compare")]
    pub(super) compares: Vec<Compare>,
    #[serde(rename = "success")]
    pub(super) then: Vec<Op>,
    #[serde(rename = "failure")]
    pub(super) otherwise: Vec<Op>,
}

/// A condition on a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Compare {
    pub(super) key: Vec<u8>,
    pub(super) is: Is,
}

/// What a key is to be. No condition on a value holds for a key that is absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Is {
    /// The key is there, or not.
    Present(bool),
    /// Neither this key nor any until the end of the range is there.
    AbsentUntil(Vec<u8>),
    ModifiedAt(u64),
    Equal(Vec<u8>),
    Greater(Vec<u8>),
    Less(Vec<u8>),
}

impl Compare {
    pub(super) fn new(key: &[u8], is: Is) -> Self {
        Self { key: key.to_vec(), is }
    }
}

impl Serialize for Compare {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (target, operand, result) = match &self.is {
            Is::Present(true) => ("VERSION", "version", "GREATER"),
            Is::Present(false) | Is::AbsentUntil(_) => ("VERSION", "version", "EQUAL"),
            Is::ModifiedAt(_) => ("MOD", "mod_revision", "EQUAL"),
            Is::Equal(_) => ("VALUE", "value", "EQUAL"),
            Is::Greater(_) => ("VALUE", "value", "GREATER"),
            Is::Less(_) => ("VALUE", "value", "LESS"),
        };
        let mut fields = serializer.serialize_map(None)?;
        fields.serialize_entry("key", &Base64(&self.key))?;
        fields.serialize_entry("target", target)?;
        fields.serialize_entry("result", result)?;
        match &self.is {
            Is::Present(_) => fields.serialize_entry(operand, "0")?,
            Is::AbsentUntil(end) => {
                fields.serialize_entry(operand, "0")?;
                fields.serialize_entry("range_end", &Base64(end))?;
            }
            Is::ModifiedAt(at) => fields.serialize_entry(operand, &at.to_string())?,
            Is::Equal(value) | Is::Greater(value) | Is::Less(value) => {
                fields.serialize_entry(operand, &Base64(value))?;
            }
        }
        fields.end()
    }
}

/// A step of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Op {
    #[serde(rename = "request_put")]
    Put {
        #[serde(serialize_with = "encode")]
        key: Vec<u8>,
        #[serde(serialize_with = "encode")]
        value: Vec<u8>,
        #[serde(serialize_with = "decimal")]
        lease: u64,
    },
    #[serde(rename = "request_range", serialize_with = "one_key")]
    Get(Vec<u8>),
    #[serde(rename = "request_delete_range", serialize_with = "one_key")]
    Delete(Vec<u8>),
    #[serde(rename = "request_txn")]
    Txn(Txn),
}

/// A request for one key. It is linearizable, as all are that do not ask for less.
#[derive(Debug, Serialize)]
pub(super) struct Get<'a> {
    #[serde(serialize_with = "encode")]
    pub(super) key: &'a [u8],
}

/// Bytes, as they are written. A request is written at once, without a tree of its parts.
struct Base64<'a>(&'a [u8]);

impl Serialize for Base64<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(self.0))
    }
}

fn encode<S: Serializer>(bytes: &impl AsRef<[u8]>, serializer: S) -> Result<S::Ok, S::Error> {
    Base64(bytes.as_ref()).serialize(serializer)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "so serde wants it")]
fn decimal<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

fn one_key<S: Serializer>(key: &impl AsRef<[u8]>, serializer: S) -> Result<S::Ok, S::Error> {
    Get { key: key.as_ref() }.serialize(serializer)
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct TxnAnswer {
    #[serde(default)]
    pub(super) header: Header,
    #[serde(default)]
    pub(super) succeeded: bool,
    #[serde(default)]
    pub(super) responses: Vec<OpAnswer>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Header {
    #[serde(default, deserialize_with = "number")]
    pub(super) revision: u64,
}

/// What a step gave: one of these, or nothing that is of interest.
#[derive(Debug, Default, Deserialize)]
pub(super) struct OpAnswer {
    pub(super) response_put: Option<PutAnswer>,
    pub(super) response_range: Option<RangeAnswer>,
    pub(super) response_txn: Option<TxnAnswer>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct PutAnswer {}

#[derive(Debug, Default, Deserialize)]
pub(super) struct RangeAnswer {
    #[serde(default)]
    pub(super) kvs: Vec<KeyValue>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct KeyValue {
    #[serde(default, deserialize_with = "bytes")]
    pub(super) key: Vec<u8>,
    #[serde(default, deserialize_with = "bytes")]
    pub(super) value: Vec<u8>,
    #[serde(default, deserialize_with = "number")]
    pub(super) create_revision: u64,
    #[serde(default, deserialize_with = "number")]
    pub(super) mod_revision: u64,
    #[serde(default, deserialize_with = "number")]
    pub(super) lease: u64,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct LeaseGrantAnswer {
    #[serde(default, rename = "ID", deserialize_with = "number")]
    pub(super) id: u64,
    #[serde(default, rename = "TTL", deserialize_with = "number")]
    pub(super) ttl: u64,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct TimeToLiveAnswer {
    /// In seconds, rounded down; less than 0 if there is no such lease.
    #[serde(default, rename = "TTL", deserialize_with = "number_or_none")]
    pub(super) ttl: u64,
    #[serde(default, rename = "grantedTTL", deserialize_with = "number_or_none")]
    pub(super) granted: u64,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct AuthenticateAnswer {
    #[serde(default)]
    pub(super) token: String,
}

/// What an error says of itself.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ErrorAnswer {
    /// The status of gRPC.
    pub(super) code: u16,
    #[serde(default)]
    pub(super) message: String,
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    signed(deserializer)?.try_into().map_err(|_| D::Error::custom("a number is less than 0"))
}

fn number_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Ok(signed(deserializer)?.try_into().unwrap_or(0))
}

fn signed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| D::Error::custom("a number was expected"))
}

fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    STANDARD.decode(text).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// One of each, as etcd's own documentation writes them.
    #[test]
    fn requests_are_what_the_gateway_reads() {
        let compare = |is| Compare::new(b"k", is);
        let bytes = b"\x00\xff?>".to_vec();
        let txn = Txn {
            compares: vec![
                compare(Is::Present(true)),
                compare(Is::Present(false)),
                compare(Is::AbsentUntil(bytes.clone())),
                compare(Is::ModifiedAt(u64::MAX)),
                compare(Is::Equal(bytes.clone())),
                compare(Is::Greater(Vec::new())),
                compare(Is::Less(bytes.clone())),
            ],
            then: vec![
                Op::Put { key: b"k".to_vec(), value: bytes, lease: 7 },
                Op::Delete(b"k".to_vec()),
            ],
            otherwise: vec![Op::Txn(Txn { then: vec![Op::Get(b"k".to_vec())], ..Txn::default() })],
        };
        let version =
            |result| json!({"key": "aw==", "target": "VERSION", "result": result, "version": "0"});
        let value = |result, value| json!({"key": "aw==", "target": "VALUE", "result": result, "value": value});
        let mut absent = version("EQUAL");
        absent["range_end"] = json!("AP8/Pg==");
        let expected = json!({
            "compare": [
                version("GREATER"),
                version("EQUAL"),
                absent,
                {"key": "aw==", "target": "MOD", "result": "EQUAL", "mod_revision": "18446744073709551615"},
                value("EQUAL", "AP8/Pg=="),
                value("GREATER", ""),
                value("LESS", "AP8/Pg=="),
            ],
            "success": [
                {"request_put": {"key": "aw==", "value": "AP8/Pg==", "lease": "7"}},
                {"request_delete_range": {"key": "aw=="}},
            ],
            "failure": [{"request_txn": {
                "compare": [], "success": [{"request_range": {"key": "aw=="}}], "failure": [],
            }}],
        });
        assert_eq!(serde_json::to_value(&txn).unwrap(), expected);
    }
}
