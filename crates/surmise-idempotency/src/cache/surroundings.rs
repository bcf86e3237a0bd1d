use core::num::NonZeroU64;

/// What a table has in common with the others of its cache, and who waits for what is in flight in it.
pub(crate) trait Surroundings {
    /// Takes the room of a key, if there is any.
    fn take_room(&mut self) -> bool;

    /// Gives back the room of a key that is forgotten.
    fn give_room_back(&mut self);

    /// Returns the counter of the next token. At a thousand million a second they last for 584 years.
    fn next_counter(&mut self) -> NonZeroU64;

    /// Returns a number that is higher when more tokens were drawn, for 2³² of them.
    fn order(&self) -> u32;

    /// Notes that what was in flight in a slot is no longer, or is another's.
    fn ended(&mut self, slot: u32);
}

/// The surroundings of the only table of a cache.
pub(super) struct Alone {
    room: usize,
    latest: u64,
}

impl Alone {
    pub(super) const fn new(capacity: usize) -> Self {
        Self { room: capacity, latest: 0 }
    }
}

impl Surroundings for Alone {
    fn take_room(&mut self) -> bool {
        let left = self.room.checked_sub(1);
        self.room = left.unwrap_or(0);
        left.is_some()
    }

    fn give_room_back(&mut self) {
        self.room += 1;
    }

    fn next_counter(&mut self) -> NonZeroU64 {
        let counter = NonZeroU64::MIN.saturating_add(self.latest);
        self.latest = counter.get();
        counter
    }

    /// There are no others among which to be ordered.
    fn order(&self) -> u32 {
        0
    }

    fn ended(&mut self, _: u32) {}
}
