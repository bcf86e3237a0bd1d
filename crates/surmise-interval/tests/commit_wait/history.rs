//! Histories of transactions, and what is wrong with them.

use surmise_time::WallTime;

/// A transaction: when it began and was over, in true time, and its timestamp.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Transaction {
    pub(crate) begin: u64,
    pub(crate) end: u64,
    pub(crate) timestamp: WallTime,
}

/// Counts the transactions whose timestamp is not greater than that of each one that was over before.
///
/// Takes O(n log n): of those that were over, only the greatest timestamp matters.
pub(crate) fn anomalies(history: &[Transaction]) -> usize {
    let mut by_begin: Vec<&Transaction> = history.iter().collect();
    by_begin.sort_by_key(|transaction| transaction.begin);
    let mut by_end = by_begin.clone();
    by_end.sort_by_key(|transaction| transaction.end);
    let mut over = by_end.into_iter().peekable();
    let mut greatest = None;
    let is_anomaly = |transaction: &&&Transaction| {
        while let Some(earlier) = over.next_if(|earlier| earlier.end < transaction.begin) {
            greatest = greatest.max(Some(earlier.timestamp));
        }
        greatest >= Some(transaction.timestamp)
    };
    by_begin.iter().filter(is_anomaly).count()
}

/// Counts the transactions during which others began.
pub(crate) fn overlapping(history: &[Transaction]) -> usize {
    let mut begins: Vec<u64> = history.iter().map(|transaction| transaction.begin).collect();
    begins.sort_unstable();
    let began_by = |time| begins.partition_point(|&begin| begin <= time);
    let overlaps =
        |transaction: &&Transaction| began_by(transaction.end) > began_by(transaction.begin);
    history.iter().filter(overlaps).count()
}
