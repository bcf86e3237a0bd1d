use super::{Trace, parse_csv};

/// Returns the traces that come with this crate: `calm`, `contended` and `bursty`.
///
/// They were recorded with [`record`](crate::record) on real sockets, at ten heartbeats a second, for
/// 36 minutes in all. The file `traces/README.md` says exactly how.
///
/// # Examples
///
/// ```
/// let names: Vec<_> = surmise_lab::trace::shipped().into_iter().map(|trace| trace.name).collect();
/// assert_eq!(names, ["calm", "contended", "bursty"]);
/// ```
#[must_use]
pub fn shipped() -> Vec<Trace> {
    let files = [
        ("calm", include_str!("../../traces/calm.csv")),
        ("contended", include_str!("../../traces/contended.csv")),
        ("bursty", include_str!("../../traces/bursty.csv")),
    ];
    // All of them parse: they are constants, and the test below reads them.
    files.into_iter().filter_map(|(name, text)| parse_csv(name, text).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Counts;

    #[test]
    fn the_shipped_traces_are_those_of_the_readme() {
        let readme = include_str!("../../traces/README.md");
        let traces = shipped();
        assert_eq!(traces.len(), 3);
        for trace in traces {
            let Counts { heartbeats, lost, stale, duplicate, .. } = Counts::of(&trace);
            let row =
                format!("| `{}.csv` | {heartbeats} | {lost} | {stale} | {duplicate} |", trace.name);
            assert!(readme.contains(&row), "{row}");
        }
    }
}
