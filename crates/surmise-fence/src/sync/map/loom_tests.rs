use loom::{sync::Arc, thread};

use super::*;
use crate::FencingToken;

type Map = FencedMap<u64, [u64; 2]>;

fn grant(epoch: u64) -> Pass {
    FencingToken::first(epoch).into()
}

fn map(capacity: usize) -> Arc<Map> {
    Arc::new(FencedMap::new(NonZeroUsize::new(capacity).unwrap()))
}

/// Returns a key of each shard. The shards of a key that is chosen otherwise are others in each run, as the seed is, and
/// loom's models have to repeat themselves.
fn keys(map: &Map) -> [u64; SHARDS] {
    keys_from(map, 0)
}

/// Returns a key of each shard that is not less than the first one.
fn keys_from(map: &Map, first: u64) -> [u64; SHARDS] {
    array::from_fn(|shard| {
        let is_there = |key: &u64| {
            core::ptr::eq(map.shard(map.hasher.hash_one(key)), &raw const map.shards[shard])
        };
        (first..).find(is_there).unwrap()
    })
}

fn spawn<R: 'static>(
    map: &Arc<Map>,
    act: impl FnOnce(&Map) -> R + 'static,
) -> thread::JoinHandle<R> {
    let map = Arc::clone(map);
    thread::spawn(move || act(&map))
}

/// Writes as [`FencedMap::write`] does, or as a mutant does.
type Write = fn(&Map, u64, Pass) -> bool;

/// Raises as [`FencedMap::raise`] does, or as a mutant does.
type Raise = fn(&Map, Pass);

fn write(map: &Map, key: u64, pass: Pass) -> bool {
    map.write(key, [pass.token.epoch(); 2], pass).is_ok()
}

fn raise(map: &Map, pass: Pass) {
    map.raise(pass).unwrap();
}

/// What a new holder reads after its raise stays true, whichever key the old one writes.
fn no_stale_write_lands_after_a_raise(write: Write, raise: Raise) {
    for shard in 0..SHARDS {
        loom::model(move || {
            let map = map(9);
            let keys = keys(&map);
            raise(&map, grant(1));
            let old = spawn(&map, move |map| write(map, keys[shard], grant(1)));
            raise(&map, grant(2));
            let read = map.get(&keys[shard]);
            let landed = old.join().unwrap();
            assert_eq!(map.get(&keys[shard]), read, "a stale write");
            assert_eq!(read, landed.then_some([1; 2]));
        });
    }
}

#[test]
fn loom_no_stale_write_lands_once_a_raise_returned() {
    no_stale_write_lands_after_a_raise(write, raise);
}

#[test]
#[should_panic(expected = "a stale write")]
fn loom_catches_a_check_and_a_write_in_two_steps() {
    no_stale_write_lands_after_a_raise(
        |map, key, pass| {
            let hash = map.hasher.hash_one(key);
            let check = |table: &Table<_, _>| {
                pass.check_floor(table.floor()).and(pass.check(table.pass(hash, &key))).is_ok()
            };
            let may = check(&map.shard(hash).lock());
            if may {
                map.write(key, [pass.token.epoch(); 2], FencingToken::MAX.into()).unwrap();
            }
            may
        },
        raise,
    );
}

#[test]
#[should_panic(expected = "a stale write")]
fn loom_catches_a_raise_that_leaves_a_shard_out() {
    no_stale_write_lands_after_a_raise(write, |map, pass| {
        map.shards[0].lock().raise(pass).unwrap();
    });
}

/// A holder that was refused once is refused everywhere from then on.
fn a_raise_is_at_one_moment(raise: Raise) {
    loom::model(move || {
        let map = map(9);
        let keys = keys(&map);
        let old = spawn(&map, move |map| keys.map(|key| write(map, key, grant(1))));
        raise(&map, grant(2));
        let landed = old.join().unwrap();
        assert!(landed.is_sorted_by(|earlier, later| earlier >= later), "refused, then {landed:?}");
    });
}

#[test]
fn loom_a_raise_is_at_one_moment_for_all_shards() {
    a_raise_is_at_one_moment(raise);
}

#[test]
#[should_panic(expected = "refused, then")]
fn loom_catches_a_raise_of_one_shard_after_the_other() {
    a_raise_is_at_one_moment(|map, pass| {
        for shard in &*map.shards {
            shard.lock().raise(pass).unwrap();
        }
    });
}

/// Of two raises that meet, the higher holds, and each that failed changed nothing.
fn raises_that_meet_leave_the_highest(raise: fn(&Map, Pass) -> bool) {
    loom::model(move || {
        let map = map(9);
        let nonces = [1, 2].map(|nonce| grant(2).with_nonce(nonce));
        let others = nonces.map(|pass| spawn(&map, move |map| raise(map, pass)));
        let lowest = raise(&map, grant(1));
        let [first, second] = others.map(|other| other.join().unwrap());
        assert!(first != second, "of one token, {first} and {second}");
        let floor = Some(nonces[usize::from(second)]);
        assert!(map.shards.iter().all(|shard| shard.lock().floor() == floor), "floors differ");
        assert!(!write(&map, keys(&map)[0], grant(1)) && !raise(&map, grant(1)));
        assert_eq!(map.floor(), floor, "{lowest}");
    });
}

#[test]
fn loom_of_raises_that_meet_the_highest_holds() {
    raises_that_meet_leave_the_highest(|map, pass| map.raise(pass).is_ok());
}

#[test]
#[should_panic(expected = "of one token")]
fn loom_catches_a_raise_that_checks_before_it_locks_all() {
    raises_that_meet_leave_the_highest(|map, pass| {
        let may = pass.check_floor(map.floor()).is_ok();
        if may {
            for shard in &*map.shards {
                _ = shard.lock().raise(pass);
            }
        }
        may
    });
}

/// No reader sees the value of one write with the pass of another, or half of a value.
#[test]
fn loom_a_value_is_read_whole_and_with_its_pass() {
    loom::model(|| {
        let map = map(1);
        let [key, _] = keys(&map);
        write(&map, key, grant(1));
        let writers =
            [grant(2), grant(3)].map(|pass| spawn(&map, move |map| write(map, key, pass)));
        let (value, pass) = map.get_with_pass(&key).unwrap();
        assert_eq!(value, [pass.token.epoch(); 2]);
        let [_, highest] = writers.map(|writer| writer.join().unwrap());
        assert!(highest && map.get(&key) == Some([3; 2]));
    });
}

#[test]
fn loom_where_there_is_room_for_one_one_comes_in() {
    loom::model(|| {
        let map = map(1);
        let keys = keys(&map);
        let other = spawn(&map, move |map| write(map, keys[1], grant(1)));
        let landed = [write(&map, keys[0], grant(1)), other.join().unwrap()];
        assert!(landed[0] != landed[1]);
        assert_eq!(keys.map(|key| map.get(&key).is_some()), landed);
        assert_eq!(map.len(), 1);
    });
}

/// Whoever comes too late to prune finds what the other one pruned.
fn room_for_two_that_a_raise_made_is_found_by_two(write: Write) {
    loom::model(move || {
        let map = map(2);
        let keys = keys(&map);
        assert_eq!(keys.map(|key| map.remove(&key, grant(1))), [Ok(None); SHARDS]);
        raise(&map, grant(2));
        let [ours, theirs] = keys_from(&map, keys.into_iter().max().unwrap() + 1);
        let other = spawn(&map, move |map| write(map, theirs, grant(2)));
        let landed = [write(&map, ours, grant(2)), other.join().unwrap()];
        assert_eq!(landed, [true; 2], "room was not found");
        assert_eq!((map.len(), map.tombstones()), (2, 0));
    });
}

#[test]
fn loom_room_for_two_that_a_raise_made_is_found_by_two() {
    room_for_two_that_a_raise_made_is_found_by_two(write);
}

/// Who comes second believes that all is pruned, and is refused.
#[test]
#[should_panic(expected = "room was not found")]
fn loom_catches_a_map_that_is_said_to_be_pruned_before_it_is() {
    room_for_two_that_a_raise_made_is_found_by_two(|map, key, pass| {
        let is_free = || map.room.free.load(Ordering::Relaxed) > 0;
        let raises = map.room.raises.load(Ordering::Relaxed);
        let is_due = || map.room.pruned.fetch_max(raises, Ordering::AcqRel) < raises;
        if !is_free() && is_due() {
            map.prune_by(Table::prune_if_due);
        }
        is_free() && write(map, key, pass)
    });
}
