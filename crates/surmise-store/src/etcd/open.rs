//! What is under the prefix before anything else is: the version of the layout, and the epoch.

use super::{
    client::Client,
    keys::Keys,
    record,
    wire::{Compare, Is, KeyValue, Op, Txn, TxnAnswer},
};
use crate::StoreError;

/// Checks that what is under the prefix is ours, and of this version; if nothing is there, it is made.
pub(super) async fn open(client: &Client, keys: &Keys) -> Result<(), StoreError> {
    let (first, end) = keys.range();
    let create = Txn {
        compares: vec![Compare { key: first, is: Is::AbsentUntil(end) }],
        then: vec![put(keys.format(), FORMAT.to_vec()), put(keys.epoch(), FIRST_EPOCH.to_vec())],
        otherwise: vec![Op::Get(keys.format()), Op::Get(keys.epoch())],
    };
    // If it is done twice, the second finds what the first made.
    let answer: TxnAnswer = client.anyone("/v3/kv/txn", &create).await?;
    if answer.succeeded {
        return Ok(());
    }
    let [format, epoch] = values(answer);
    let unusable = |problem: String, remedy| StoreError::Unusable {
        store: client.name().to_owned(),
        problem,
        remedy,
    };
    let Some(format) = format else {
        let problem = "there are keys under its prefix that are not of surmise-store".to_owned();
        return Err(unusable(problem, "choose another `prefix`"));
    };
    if format.value == FORMAT {
        return check_epoch(client, keys, epoch.as_ref()).map(|_| ());
    }
    if !format.value.starts_with(FAMILY) {
        return Err(client.corrupt(&keys.format(), "the version of a layout"));
    }
    let problem = format!("its layout is {:?}", format.value.escape_ascii().to_string());
    Err(unusable(
        problem,
        "use the version of surmise-store that made it, or choose another `prefix`",
    ))
}

/// Returns the epoch that was read.
pub(super) fn check_epoch(
    client: &Client,
    keys: &Keys,
    found: Option<&KeyValue>,
) -> Result<u64, StoreError> {
    let Some(found) = found else {
        return Err(StoreError::Unusable {
            store: client.name().to_owned(),
            problem: "the epoch is not there any more, which only a loss of data can explain"
                .to_owned(),
            remedy: "restore a backup and call advance_epoch, or choose another `prefix`",
        });
    };
    record::epoch_from_bytes(&found.value).ok_or_else(|| client.corrupt(&keys.epoch(), "an epoch"))
}

/// Returns what steps that got one key each found.
pub(super) fn values<const N: usize>(answer: TxnAnswer) -> [Option<KeyValue>; N] {
    let mut found = answer.responses.into_iter().map(|step| step.response_range?.kvs.pop());
    [(); N].map(|()| found.next().flatten())
}

fn put(key: Vec<u8>, value: Vec<u8>) -> Op {
    Op::Put { key, value, lease: 0 }
}

const FAMILY: &[u8] = b"surmise-store/";
const FORMAT: &[u8] = b"surmise-store/1";
const FIRST_EPOCH: [u8; 8] = 1_u64.to_be_bytes();
