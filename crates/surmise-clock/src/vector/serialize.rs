//! Clocks for serde: pairs of a replica and its counter in strictly ascending order, or an array of
//! counters. Whatever else is read is refused.

use core::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, IgnoredAny, SeqAccess, Visitor},
    ser::SerializeTuple,
};

#[cfg(feature = "alloc")]
use super::VectorClock;
use super::{BoundedVectorClock, DenseVectorClock, error::AppendError};

#[cfg(feature = "alloc")]
impl<Id: Serialize, const N: usize> Serialize for VectorClock<Id, N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

#[cfg(feature = "alloc")]
impl<'de, Id: Deserialize<'de> + Ord, const N: usize> Deserialize<'de> for VectorClock<Id, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Pairs { clock: Self::default(), append: Self::append })
    }
}

impl<Id: Serialize, const N: usize> Serialize for BoundedVectorClock<Id, N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de, Id: Deserialize<'de> + Ord, const N: usize> Deserialize<'de>
    for BoundedVectorClock<Id, N>
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Pairs { clock: Self::default(), append: Self::append })
    }
}

/// As a tuple, which is what serde makes of an array.
impl<const N: usize> Serialize for DenseVectorClock<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(N)?;
        for counter in self.counters() {
            tuple.serialize_element(counter)?;
        }
        tuple.end()
    }
}

impl<'de, const N: usize> Deserialize<'de> for DenseVectorClock<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple(N, Counters)
    }
}

/// Reads the entries of a clock, which grows by what is read and not by what was announced.
struct Pairs<Id, Clock> {
    clock: Clock,
    append: fn(&mut Clock, Id, u64) -> Result<(), AppendError>,
}

impl<'de, Id: Deserialize<'de>, Clock> Visitor<'de> for Pairs<Id, Clock> {
    type Value = Clock;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("pairs of a replica and its counter")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut pairs: A) -> Result<Clock, A::Error> {
        while let Some((replica, counter)) = pairs.next_element()? {
            (self.append)(&mut self.clock, replica, counter).map_err(A::Error::custom)?;
        }
        Ok(self.clock)
    }
}

struct Counters<const N: usize>;

impl<'de, const N: usize> Visitor<'de> for Counters<N> {
    type Value = DenseVectorClock<N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{N} counters")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut counters: A) -> Result<Self::Value, A::Error> {
        let mut clock = [0; N];
        for (at, counter) in clock.iter_mut().enumerate() {
            *counter =
                counters.next_element()?.ok_or_else(|| A::Error::invalid_length(at, &self))?;
        }
        if counters.next_element::<IgnoredAny>()?.is_some() {
            return Err(A::Error::invalid_length(N + 1, &self));
        }
        Ok(clock.into())
    }
}

impl fmt::Display for AppendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zero => f.write_str("a counter is zero"),
            Self::NotAscending => f.write_str("the replicas are not strictly ascending"),
            Self::Full(full) => full.fmt(f),
        }
    }
}
