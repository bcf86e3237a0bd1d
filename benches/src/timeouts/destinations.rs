use alloc::vec;
use core::{iter::Cycle, num::NonZeroUsize, ops::Range};

use lru::LruCache;
use surmise_timeout::{Destinations, sync::SharedDestinations};

use crate::{Made, Meter, Operation, Origin, Subject, allocations, footprint};

/// Shows tables of destinations to a meter: ours first, then the map that they are made of.
pub(super) fn measure(meter: &mut impl Meter) -> Made<()> {
    visit::<Destinations<String, u64>>(meter, "destinations")?;
    visit::<SharedDestinations<String, u64>>(meter, "destinations-shared")?;
    visit::<LruCache<String, u64>>(meter, "lru")
}

/// Checks that what is there is found, which does not allocate, and that what is not makes something else leave.
pub(super) fn check() {
    fn check<C: TableContender>() {
        let [old, new] = [0..ROOM, ROOM..2 * ROOM].map(|which| names(which).collect::<Vec<_>>());
        let mut table = full::<C>(&old, ROOM);
        let allocated = allocations(|| {
            for name in &old {
                assert!(table.get(name).is_some() && table.get_or_create(name) == 0, "{name}");
            }
        });
        assert!(allocated == 0, "to find a destination allocates");
        for name in &new {
            table.get_or_create(name);
        }
        assert!(old.iter().all(|name| table.get(name).is_none()));
        assert!(new.iter().all(|name| table.get(name).is_some()));
    }
    check::<Destinations<String, u64>>();
    check::<SharedDestinations<String, u64>>();
    check::<LruCache<String, u64>>();
}

/// For how many destinations there is room, where that matters. Tables that threads share have one shard then.
const ROOM: usize = 100;

/// A table that is measured.
trait TableContender {
    const ORIGIN: Origin = Origin::Ours;

    fn with_room(room: NonZeroUsize) -> Self;

    fn get(&mut self, name: &str) -> Option<u64>;

    fn get_or_create(&mut self, name: &str) -> u64;
}

impl TableContender for Destinations<String, u64> {
    fn with_room(room: NonZeroUsize) -> Self {
        Self::new(room)
    }

    #[inline]
    fn get(&mut self, name: &str) -> Option<u64> {
        Self::get(self, name).copied()
    }

    #[inline]
    fn get_or_create(&mut self, name: &str) -> u64 {
        *Self::get_or_create(self, name, || 0)
    }
}

impl TableContender for SharedDestinations<String, u64> {
    fn with_room(room: NonZeroUsize) -> Self {
        Self::new(room)
    }

    #[inline]
    fn get(&mut self, name: &str) -> Option<u64> {
        Self::get(self, name).map(|value| *value)
    }

    #[inline]
    fn get_or_create(&mut self, name: &str) -> u64 {
        *Self::get_or_create(self, name, || 0)
    }
}

impl TableContender for LruCache<String, u64> {
    const ORIGIN: Origin = Origin::Peer;

    fn with_room(room: NonZeroUsize) -> Self {
        Self::new(room)
    }

    #[inline]
    fn get(&mut self, name: &str) -> Option<u64> {
        Self::get(self, name).copied()
    }

    #[inline]
    fn get_or_create(&mut self, name: &str) -> u64 {
        *self.get_or_insert_ref(name, || 0)
    }
}

/// Returns names that live for as long as the program, so that they are passed in registers.
fn names(which: Range<usize>) -> impl Iterator<Item = &'static str> {
    which.map(|nth| &*format!("db-{nth}:5432").leak())
}

/// Returns a table that is full, of the last of these names.
fn full<C: TableContender>(names: &[&str], room: usize) -> C {
    let mut table = C::with_room(NonZeroUsize::new(room).unwrap_or(NonZeroUsize::MIN));
    for name in names {
        table.get_or_create(name);
    }
    table
}

fn visit<C: TableContender>(meter: &mut impl Meter, name: &str) -> Made<()> {
    let subject = Subject { table: "destinations", name, origin: C::ORIGIN };
    let names: Vec<&str> = names(0..ROOM).collect();
    let (_, bytes) = footprint(|| Made::Ok(full::<C>(&names, ROOM)))?;
    meter.bytes(subject, bytes);
    // Hashes are seeded at random: with others in the table, no two runs would take the same.
    meter.operation(subject, "get", Gets(Visits::<C>::to(1, 1)));
    meter.operation(subject, "get or create", Creates(Visits::<C>::to(1, 1)));
    if meter.reads_clocks() {
        // Of twice as many as there is room for, each makes the one leave that comes next.
        meter.operation(subject, "make room", Creates(Visits::<C>::to(2 * ROOM, ROOM)));
    }
    Ok(())
}

/// A full table, and the destinations that are visited, over and over.
struct Visits<C> {
    table: C,
    names: Cycle<vec::IntoIter<&'static str>>,
}

impl<C: TableContender> Visits<C> {
    fn to(destinations: usize, room: usize) -> Self {
        let names: Vec<&str> = names(0..destinations).collect();
        Self { table: full(&names, room), names: names.into_iter().cycle() }
    }

    fn next(&mut self) -> &'static str {
        self.names.next().expect("there are destinations, and they never end")
    }
}

struct Gets<C>(Visits<C>);

impl<C: TableContender> Operation for Gets<C> {
    type Subject = C;

    type Input = &'static str;

    type Output = Option<u64>;

    fn subject(&mut self) -> &mut C {
        &mut self.0.table
    }

    fn next_input(&mut self) -> &'static str {
        self.0.next()
    }

    #[inline]
    fn call(table: &mut C, name: &'static str) -> Option<u64> {
        table.get(name)
    }
}

struct Creates<C>(Visits<C>);

impl<C: TableContender> Operation for Creates<C> {
    type Subject = C;

    type Input = &'static str;

    type Output = u64;

    fn subject(&mut self) -> &mut C {
        &mut self.0.table
    }

    fn next_input(&mut self) -> &'static str {
        self.0.next()
    }

    #[inline]
    fn call(table: &mut C, name: &'static str) -> u64 {
        table.get_or_create(name)
    }
}
