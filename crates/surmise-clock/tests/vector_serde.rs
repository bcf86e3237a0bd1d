//! Clocks and events for serde: what they look like, and what is refused.

#![cfg(all(feature = "alloc", feature = "serde"))]
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use serde::{
    Deserialize,
    de::{
        DeserializeOwned,
        value::{Error, MapDeserializer},
    },
};
use surmise_clock::{BoundedVectorClock, CausalOrder, DenseVectorClock, Dot, VectorClock};

fn refusal<T: DeserializeOwned>(json: &str) -> String {
    let error = serde_json::from_str::<T>(json).err().unwrap().to_string();
    error.split(" at line").next().unwrap().to_owned()
}

#[test]
fn clocks_are_ascending_pairs() {
    let clock: VectorClock<String, 2> =
        ["c", "a", "b"].into_iter().zip(1..).map(|(id, n)| (id.to_owned(), n)).collect();
    let json = serde_json::to_string(&clock).unwrap();
    assert_eq!(json, r#"[["a",2],["b",3],["c",1]]"#);
    assert_eq!(serde_json::from_str::<VectorClock<String, 2>>(&json).unwrap(), clock);
    let bounded: BoundedVectorClock<String, 3> = serde_json::from_str(&json).unwrap();
    assert_eq!(serde_json::to_string(&bounded).unwrap(), json);
    assert!(serde_json::from_str::<VectorClock<u8>>("[]").unwrap().is_empty());
}

#[test]
fn what_is_no_clock_is_refused() {
    let cases = [
        ("[[1,1],[1,2]]", "the replicas are not strictly ascending"),
        ("[[2,1],[1,2]]", "the replicas are not strictly ascending"),
        ("[[1,0]]", "a counter is zero"),
        ("[[1,1],[2,0]]", "a counter is zero"),
        ("{}", "invalid type: map, expected pairs of a replica and its counter"),
        ("[[1]]", "invalid length 1, expected a tuple of size 2"),
        ("[[1,-1]]", "invalid value: integer `-1`, expected u64"),
    ];
    for (json, message) in cases {
        assert_eq!(refusal::<VectorClock<u8>>(json), message, "{json}");
        assert_eq!(refusal::<VectorClock<u8, 1>>(json), message, "{json}");
        assert_eq!(refusal::<BoundedVectorClock<u8, 2>>(json), message, "{json}");
    }
    assert_eq!(
        refusal::<BoundedVectorClock<u8, 1>>("[[1,1],[2,1],[3,1]]"),
        "2 replicas do not fit into a clock of at most 1"
    );
}

/// Pairs that announce more than there is memory.
struct Boasting(u8);

impl Iterator for Boasting {
    type Item = (u8, u64);

    fn next(&mut self) -> Option<Self::Item> {
        self.0 = self.0.checked_add(1).filter(|next| *next < 20)?;
        Some((self.0, 1))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX, Some(usize::MAX))
    }
}

#[test]
fn an_announced_length_is_not_believed() {
    let pairs = MapDeserializer::<_, Error>::new(Boasting(0));
    assert_eq!(VectorClock::<u8>::deserialize(pairs).unwrap().len(), 19);
    let pairs = MapDeserializer::<_, Error>::new(Boasting(0));
    assert!(BoundedVectorClock::<u8, 18>::deserialize(pairs).is_err());
}

#[test]
fn clocks_of_fixed_members_are_arrays() {
    let clock = DenseVectorClock::from([3, 0, u64::MAX]);
    let json = serde_json::to_string(&clock).unwrap();
    assert_eq!(json, "[3,0,18446744073709551615]");
    assert_eq!(serde_json::from_str::<DenseVectorClock<3>>(&json).unwrap(), clock);
    assert_eq!(refusal::<DenseVectorClock<3>>("[1,2]"), "invalid length 2, expected 3 counters");
    let four = serde_json::json!([1, 2, 3, 4]);
    let error = DenseVectorClock::<3>::deserialize(&four).unwrap_err();
    assert_eq!(error.to_string(), "invalid length 4, expected 3 counters");
    assert!(serde_json::from_str::<DenseVectorClock<3>>("[1,2,3,4]").is_err());
    assert_eq!(serde_json::from_str::<DenseVectorClock<0>>("[]").unwrap().counters(), &[0; 0]);
}

#[test]
fn events_and_orders_are_named() {
    let json = serde_json::to_string(&Dot { replica: "a", counter: 3 }).unwrap();
    assert_eq!(json, r#"{"replica":"a","counter":3}"#);
    assert_eq!(serde_json::to_string(&CausalOrder::Concurrent).unwrap(), r#""concurrent""#);
    let order = serde_json::from_str::<CausalOrder>(r#""before""#).unwrap();
    assert_eq!(order, CausalOrder::Before);
}
