use core::num::NonZeroUsize;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use surmise_fence::{FencedMap, FencingToken, Pass, sync};

use super::peers::{MutexHashMap, UnflooredDashMap};
use crate::{Meter, Operation, Origin, Subject, footprint};

/// A map that is measured: one of ours or a peer's.
pub trait MapContender {
    /// Who wrote it.
    const ORIGIN: Origin = Origin::Ours;

    /// Raises the floor, where there is one.
    fn raise(&mut self, pass: Pass);

    /// Returns whether a value was written.
    fn write(&mut self, key: u64, value: u64, pass: Pass) -> bool;

    /// Returns the value of a key, which is not measured.
    fn get(&self, key: u64) -> Option<u64>;
}

/// Does something with every map, whatever its type.
pub trait MapVisitor {
    /// Visits a map.
    fn visit<C: MapContender>(&mut self, name: &'static str, make: impl Fn() -> C);
}

/// Shows every map, with room for so many keys, to a visitor: ours first, then the peers.
pub fn visit_maps(visitor: &mut impl MapVisitor, keys: usize) {
    let room = NonZeroUsize::MIN.saturating_add(keys);
    visitor.visit("map-sharded", || sync::FencedMap::new(room));
    visitor.visit("map", || FencedMap::new(room));
    visitor.visit("dashmap", UnflooredDashMap::default);
    visitor.visit("mutex-hashmap", MutexHashMap::default);
}

/// Returns the pass of the holder that writes.
#[must_use]
pub fn ours() -> Pass {
    FencingToken::first(2).into()
}

/// Returns the pass of the holder before.
#[must_use]
pub fn stale() -> Pass {
    FencingToken::first(1).into()
}

impl MapContender for sync::FencedMap<u64, u64> {
    fn raise(&mut self, pass: Pass) {
        Self::raise(self, pass).expect("no raise is stale");
    }

    #[inline]
    fn write(&mut self, key: u64, value: u64, pass: Pass) -> bool {
        Self::write(self, key, value, pass).is_ok()
    }

    fn get(&self, key: u64) -> Option<u64> {
        Self::get(self, &key)
    }
}

impl MapContender for FencedMap<u64, u64> {
    fn raise(&mut self, pass: Pass) {
        Self::raise(self, pass).expect("no raise is stale");
    }

    #[inline]
    fn write(&mut self, key: u64, value: u64, pass: Pass) -> bool {
        Self::write(self, key, value, pass).is_ok()
    }

    fn get(&self, key: u64) -> Option<u64> {
        Self::get(self, &key).copied()
    }
}

impl MapContender for UnflooredDashMap {
    const ORIGIN: Origin = Origin::Peer;

    fn raise(&mut self, _: Pass) {}

    #[inline]
    fn write(&mut self, key: u64, value: u64, pass: Pass) -> bool {
        Self::write(self, key, value, pass)
    }

    fn get(&self, key: u64) -> Option<u64> {
        Self::get(self, key)
    }
}

impl MapContender for MutexHashMap {
    const ORIGIN: Origin = Origin::Peer;

    fn raise(&mut self, pass: Pass) {
        Self::raise(self, pass);
    }

    #[inline]
    fn write(&mut self, key: u64, value: u64, pass: Pass) -> bool {
        Self::write(self, key, value, pass)
    }

    fn get(&self, key: u64) -> Option<u64> {
        Self::get(self, key)
    }
}

/// Shows the operations of each map with so many keys to a meter.
pub(super) struct Maps<'a, M> {
    pub(super) meter: &'a mut M,
    pub(super) size: &'static str,
    pub(super) keys: usize,
}

impl<M: Meter> MapVisitor for Maps<'_, M> {
    fn visit<C: MapContender>(&mut self, name: &'static str, make: impl Fn() -> C) {
        let (table, name) =
            (format!("fenced maps, {}", self.size), format!("{name}-{}", self.size));
        let subject = Subject { table: &table, name: &name, origin: C::ORIGIN };
        let keys = self.keys as u64;
        let filled = || Ok::<_, core::convert::Infallible>(filled(make(), keys));
        let Ok((map, bytes)) = footprint(filled);
        self.meter.bytes(subject, bytes);
        let writes = Writes::<C, true>::new(map, keys);
        self.meter.operation(subject, "write", writes);
        if keys == 1000 {
            let Ok(map) = filled();
            self.meter.operation(subject, "refuse", Writes::<C, false>::new(map, keys));
        }
    }
}

/// Writes all keys, after a raise.
pub(super) fn filled<C: MapContender>(mut map: C, keys: u64) -> C {
    map.raise(ours());
    for key in 0..keys {
        assert!(map.write(key, 0, ours()), "a new key is refused");
    }
    map
}

/// Draws keys at random, out of so many.
pub fn random_keys(keys: u64) -> impl Iterator<Item = u64> {
    let mut random = ChaCha8Rng::seed_from_u64(0x5eed);
    core::iter::repeat_with(move || random.random_range(0..keys))
}

/// Writes as the latest holder, or as a stale one.
struct Writes<C, const IS_LATEST: bool> {
    subject: Written<C>,
    keys: Box<dyn Iterator<Item = u64>>,
}

/// A map and the pass that is shown to it.
struct Written<C> {
    map: C,
    pass: Pass,
}

impl<C, const IS_LATEST: bool> Writes<C, IS_LATEST> {
    fn new(map: C, keys: u64) -> Self {
        let pass = if IS_LATEST { ours() } else { stale() };
        Self { subject: Written { map, pass }, keys: Box::new(random_keys(keys)) }
    }
}

impl<C: MapContender, const IS_LATEST: bool> Operation for Writes<C, IS_LATEST> {
    type Subject = Written<C>;

    /// The key, which is the value too.
    type Input = u64;

    type Output = bool;

    fn subject(&mut self) -> &mut Written<C> {
        &mut self.subject
    }

    fn next_input(&mut self) -> u64 {
        self.keys.next().expect("they never end")
    }

    #[inline]
    fn call(subject: &mut Written<C>, key: u64) -> bool {
        subject.map.write(key, key, subject.pass)
    }
}
