//! What etcd is asked and what it answers, in the JSON of its gateway.
//!
//! Bytes are base64 there, and 64-bit numbers are strings; what is zero, empty or false is left out.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Value, json};

/// A transaction: if all compares hold, some operations, else others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Txn {
    pub(super) compares: Vec<Compare>,
    pub(super) then: Vec<Op>,
    pub(super) otherwise: Vec<Op>,
}

impl Txn {
    pub(super) fn to_json(&self) -> Value {
        let operations = |operations: &[Op]| operations.iter().map(Op::to_json).collect();
        json!({
            "compare": self.compares.iter().map(Compare::to_json).collect::<Value>(),
            "success": Value::Array(operations(&self.then)),
            "failure": Value::Array(operations(&self.otherwise)),
        })
    }
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

    fn to_json(&self) -> Value {
        let (target, operand, result, value) = match &self.is {
            Is::Present(true) => ("VERSION", "version", "GREATER", json!("0")),
            Is::Present(false) | Is::AbsentUntil(_) => ("VERSION", "version", "EQUAL", json!("0")),
            Is::ModifiedAt(at) => ("MOD", "mod_revision", "EQUAL", json!(at.to_string())),
            Is::Equal(value) => ("VALUE", "value", "EQUAL", encode(value)),
            Is::Greater(value) => ("VALUE", "value", "GREATER", encode(value)),
            Is::Less(value) => ("VALUE", "value", "LESS", encode(value)),
        };
        let mut compare = json!({
            "key": encode(&self.key), "target": target, "result": result, operand: value,
        });
        if let (Is::AbsentUntil(end), Some(fields)) = (&self.is, compare.as_object_mut()) {
            fields.insert("range_end".to_owned(), encode(end));
        }
        compare
    }
}

/// A step of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Put { key: Vec<u8>, value: Vec<u8>, lease: u64 },
    Get(Vec<u8>),
    Delete(Vec<u8>),
    Txn(Txn),
}

impl Op {
    fn to_json(&self) -> Value {
        match self {
            Self::Put { key, value, lease } => json!({"request_put": {
                "key": encode(key), "value": encode(value), "lease": lease.to_string(),
            }}),
            Self::Get(key) => json!({"request_range": get(key)}),
            Self::Delete(key) => json!({"request_delete_range": {"key": encode(key)}}),
            Self::Txn(txn) => json!({"request_txn": txn.to_json()}),
        }
    }
}

/// Returns a request for one key. It is linearizable, as all are that do not ask for less.
pub(super) fn get(key: &[u8]) -> Value {
    json!({"key": encode(key)})
}

fn encode(bytes: &[u8]) -> Value {
    Value::String(STANDARD.encode(bytes))
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
