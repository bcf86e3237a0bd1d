use core::{
    num::{NonZeroU64, NonZeroUsize},
    time::Duration,
};

/// How a [`RedbStore`](super::RedbStore) is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct RedbConfig {
    /// Whether a file that is not there is created; usually true. If it was there before, as on a disk that is not
    /// mounted, a new one issues the same tokens again; whoever knows that it must be there says false.
    pub create: bool,
    /// Whether all of the file is read when it is opened, and its checksums compared; usually true. It takes some two seconds for
    /// a gigabyte. Without it, a file that somebody else wrote to, or a broken disk, may be noticed late or not at all. A file
    /// that was not closed is read in any case.
    pub verify: bool,
    /// Whether a caller that is alone writes itself, in its own thread; usually false, so that no thread of
    /// an executor is blocked for a sync. True spares two switches between threads, which take some 10 µs, and on
    /// an idle virtual machine 100; it is for callers with threads of their own.
    pub write_in_caller: bool,
    /// For how long nobody is granted a lease that ended without being given back; usually zero, since all writes
    /// are fenced. More gives a holder time to stop what no fence protects.
    pub lock_delay: Duration,
    /// How many leases there can be; they are in memory, some 300 bytes each. When there are so many, no further resource's
    /// is granted. It cannot be lower than the number of those in the file.
    pub max_leases: NonZeroUsize,
    /// How many executions are remembered at a time; they are in the file, some 200 bytes each besides twice the key, and the
    /// result. When there are so many, a further key is [`Full`](crate::Claimed::Full).
    pub max_executions: NonZeroU64,
    /// How many bytes the operations that wait for the disk can have. What is beyond is refused.
    pub max_waiting_bytes: usize,
    /// How many bytes of the file are kept in memory. More makes reads and writes of what is not there faster.
    pub cache_bytes: usize,
}

impl Default for RedbConfig {
    /// Creates the file if need be, verifies it, and has no lock-delay, 100 000 leases, ten million executions, and 64 MiB
    /// each for the cache and what waits.
    fn default() -> Self {
        const MIB: usize = 1 << 20;
        Self {
            create: true,
            verify: true,
            write_in_caller: false,
            lock_delay: Duration::ZERO,
            max_leases: NonZeroUsize::new(100_000).expect("a hundred thousand is not 0"),
            max_executions: NonZeroU64::new(10_000_000).expect("ten million is not 0"),
            max_waiting_bytes: 64 * MIB,
            cache_bytes: 64 * MIB,
        }
    }
}
