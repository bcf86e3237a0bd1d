//! Windows for serde: the epoch, the last sequence, and the results that are remembered, the oldest first.

use alloc::vec::Vec;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::ProducerWindow;

#[derive(Serialize, Deserialize)]
#[serde(rename = "ProducerWindow", deny_unknown_fields)]
struct Form<T> {
    epoch: u64,
    last: Option<u64>,
    results: Vec<T>,
}

impl<T: Serialize, const N: usize> Serialize for ProducerWindow<T, N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let results: Vec<_> = self.remembered().map(|(_, result)| result).collect();
        Form { epoch: self.epoch, last: self.last, results }.serialize(serializer)
    }
}

/// A window that is smaller than the one that was written remembers the last of its results.
impl<'de, T: Deserialize<'de>, const N: usize> Deserialize<'de> for ProducerWindow<T, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Form { epoch, last, results } = Form::<T>::deserialize(deserializer)?;
        let mut window = Self { epoch, last, ..Self::new() };
        for (age, result) in (0..).zip(results.into_iter().rev()) {
            let sequence = last.and_then(|last| last.checked_sub(age));
            let sequence = sequence.ok_or_else(|| D::Error::custom(MORE_RESULTS))?;
            if usize::try_from(age).is_ok_and(|age| age < N) {
                window.put(sequence, result);
            }
        }
        Ok(window)
    }
}

const MORE_RESULTS: &str = "there are more results than messages";
