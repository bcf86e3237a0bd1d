/// How many keys there still is room for: in one cache, or in all shards of one.
pub(crate) trait Room {
    /// Whether others have keys in it as well, some of which may be over.
    const IS_SHARED: bool;

    /// Takes the room of a key, if there is any.
    fn take(&mut self) -> bool;

    /// Gives back the room of a key that is forgotten.
    fn give_back(&mut self);
}

/// The room of a cache that has no shards.
pub(super) struct Left(pub(super) usize);

impl Room for Left {
    const IS_SHARED: bool = false;

    fn take(&mut self) -> bool {
        let left = self.0.checked_sub(1);
        self.0 = left.unwrap_or(0);
        left.is_some()
    }

    fn give_back(&mut self) {
        self.0 += 1;
    }
}
