//! What the types promise: the traits and sizes that users rely on.

use surmise_quorum::{
    ByzantineQuorum, LeaderWatch, Majority, NoNodes, ReadWriteError, ReadWriteQuorum,
    ReadWriteSizes, Sighting, Threshold, ThresholdError, TooFewNodes, TooManyFaults,
    WeightedQuorum, WeightedReadWriteQuorum, Weights, WeightsError,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Quorums {
    byzantine: ByzantineQuorum,
    majority: Majority,
    read_write: ReadWriteQuorum,
    sizes: ReadWriteSizes,
    threshold: Threshold,
    weighted: WeightedQuorum<'static>,
    weighted_read_write: WeightedReadWriteQuorum<'static>,
    weights: Weights<'static>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Watches {
    watch: LeaderWatch<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Results {
    sighting: Sighting<u32>,
}

#[test]
fn types_are_shareable_and_small() {
    fn shareable<T: Send + Sync + Unpin + 'static>() {}
    shareable::<Quorums>();
    shareable::<Watches>();
    shareable::<Results>();
    assert_eq!(size_of::<Majority>(), size_of::<usize>());
    assert_eq!(size_of::<Threshold>(), 2 * size_of::<usize>());
}

#[test]
fn errors_are_errors() {
    fn error<E: core::error::Error + Copy + PartialEq>() {}
    error::<NoNodes>();
    error::<ReadWriteError>();
    error::<ThresholdError>();
    error::<TooFewNodes>();
    error::<TooManyFaults>();
    error::<WeightsError>();
}

/// A cluster whose size is known when it is compiled cannot be wrong when it runs.
#[test]
fn quorums_are_constants() {
    const FIVE: Majority = match Majority::new(5) {
        Ok(majority) => majority,
        Err(_) => panic!(),
    };
    const SIZES: ReadWriteSizes = ReadWriteSizes { read: 2, write: 4 };
    const READ_WRITE: ReadWriteQuorum = match ReadWriteQuorum::new(FIVE.nodes(), SIZES) {
        Ok(quorum) => quorum,
        Err(_) => panic!(),
    };
    const BYZANTINE: ByzantineQuorum = match ByzantineQuorum::tolerating(FIVE.tolerates()) {
        Ok(quorum) => quorum,
        Err(_) => panic!(),
    };
    const WEIGHTS: Weights<'static> = match Weights::new(&[2, 1, 1]) {
        Ok(weights) => weights,
        Err(_) => panic!(),
    };
    const TOLERATED: [usize; 4] = [
        READ_WRITE.write().tolerates(),
        BYZANTINE.threshold().tolerates(),
        WEIGHTS.majority().tolerates(),
        WEIGHTS.votes_of(&[true, false, true]),
    ];
    assert_eq!(TOLERATED, [1, 2, 0, 3]);
    static WATCH: LeaderWatch<u32> = LeaderWatch::new();
    assert_eq!(WATCH.current_term(), None);
}

#[cfg(feature = "alloc")]
#[test]
fn ballots_are_shareable_and_their_errors_are_errors() {
    use surmise_quorum::{
        Ballot, BallotError, ElectorateError, Opinion, Outcome, Receipt, Tally, UnknownObserver,
    };

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct BallotValues {
        opinion: Opinion,
        outcome: Outcome,
        receipt: Receipt,
        tally: Tally,
    }

    fn shareable<T: Send + Sync + Unpin + Clone + core::fmt::Debug + 'static>() {}
    shareable::<Ballot<u32>>();
    shareable::<BallotValues>();

    fn error<E: core::error::Error + Clone + PartialEq>() {}
    error::<BallotError<u32>>();
    error::<ElectorateError<u32>>();
    error::<UnknownObserver<u32>>();
}

#[cfg(feature = "serde")]
#[test]
fn quorums_are_read_as_they_are_written_and_no_others_are() {
    use core::fmt::Debug;

    use serde_json::{from_str, to_string};

    fn check<T>(value: T, text: &str, wrong: &[&str])
    where
        T: serde::Serialize + for<'de> serde::Deserialize<'de> + PartialEq + Debug,
    {
        assert_eq!(to_string(&value).expect("it is a plain value"), text);
        assert_eq!(from_str::<T>(text).expect("it was written"), value);
        for wrong in wrong {
            assert!(from_str::<T>(wrong).is_err(), "{wrong}");
        }
    }

    check(Majority::new(5).unwrap(), "5", &["0", "-1"]);
    check(
        Threshold::new(2, 5).unwrap(),
        r#"{"size":2,"total":5}"#,
        &[r#"{"size":6,"total":5}"#, r#"{"size":0,"total":5}"#, r#"{"size":2,"total":5,"x":1}"#],
    );
    let sizes = ReadWriteSizes { read: 2, write: 4 };
    check(sizes, r#"{"read":2,"write":4}"#, &[r#"{"read":2,"write":4,"x":1}"#]);
    check(
        ReadWriteQuorum::new(5, sizes).unwrap(),
        r#"{"nodes":5,"read":2,"write":4}"#,
        &[r#"{"nodes":5,"read":2,"write":3}"#, r#"{"nodes":5,"read":2,"write":4,"x":1}"#],
    );
    check(
        ByzantineQuorum::with_faults(5, 1).unwrap(),
        r#"{"nodes":5,"faults":1}"#,
        &[r#"{"nodes":3,"faults":1}"#, r#"{"nodes":5,"faults":1,"x":1}"#],
    );
}
