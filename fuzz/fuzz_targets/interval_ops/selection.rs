//! Selection and order beside what follows point by point from their definitions.

use arbitrary::Arbitrary;
use surmise_interval::{
    Interval, order,
    select::{Candidate, Selection, SelectionError, Smearing, intersection, majority, marzullo},
};
use surmise_time::WallTime;

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) struct Source {
    ends: [u8; 2],
    /// One in 256, so that most inputs can be compared.
    smears: u8,
}

pub(crate) fn check(sources: &[Source]) {
    let sources = &sources[..sources.len().min(MOST)];
    let candidates: Vec<Candidate<usize>> = sources.iter().enumerate().map(candidate).collect();
    let intervals: Vec<Interval> = candidates.iter().map(|source| source.interval).collect();
    check_order(&intervals);

    let smeared = sources.iter().filter(|source| source.smears == u8::MAX).count();
    let stepped = sources.len() - smeared;
    let (by_most, by_middles) = (marzullo(&candidates), intersection(&candidates));
    let by_majority = majority(&candidates);
    if sources.is_empty() {
        assert_eq!(by_most, Err(SelectionError::NoSources));
        assert_eq!(by_middles, Err(SelectionError::NoSources));
        assert_eq!(by_majority, Err(SelectionError::NoSources));
    } else if smeared > 0 && stepped > 0 {
        let mixed = Err(SelectionError::MixedSmearing { smeared, stepped });
        assert_eq!(by_most, mixed);
        assert_eq!(by_middles, mixed);
        assert_eq!(by_majority, mixed);
    } else {
        check_held_by(most_holding(&intervals), &intervals, by_most);
        check_held_by(intervals.len() / 2 + 1, &intervals, by_majority);
        check_intersection(&intervals, by_middles);
    }
}

fn candidate((name, source): (usize, &Source)) -> Candidate<usize> {
    let smears = source.smears == u8::MAX;
    let smearing = if smears { Smearing::Smeared } else { Smearing::Stepped };
    let [a, b] = source.ends.map(point);
    let interval = Interval::new(a.min(b), a.max(b)).expect("it begins before it ends");
    Candidate { name, interval, smearing }
}

/// Checks that what is selected is what so many intervals hold, or that they are no majority.
fn check_held_by(
    least: usize,
    intervals: &[Interval],
    result: Result<Selection<usize>, SelectionError>,
) {
    let (sources, most) = (intervals.len(), most_holding(intervals));
    if 2 * most <= sources {
        assert_eq!(result, Err(SelectionError::NoMajority { sources, agreeing: most }));
        return;
    }
    let selection = result.expect("most agree");
    let held: Vec<WallTime> = points().filter(|&time| holding(intervals, time) >= least).collect();
    assert_eq!(Some(&selection.interval.earliest()), held.first());
    assert_eq!(Some(&selection.interval.latest()), held.last());
    check_names(intervals, &selection, |own| held.iter().any(|&time| own.contains(time)));
}

fn check_intersection(intervals: &[Interval], result: Result<Selection<usize>, SelectionError>) {
    let sources = intervals.len();
    let middles_where = |is_outside: &dyn Fn(WallTime) -> bool| {
        intervals.iter().filter(|own| is_outside(own.middle())).count()
    };
    let expected =
        (0..).take_while(|falsetickers| 2 * falsetickers < sources).find_map(|falsetickers| {
            let agree = |time: &WallTime| holding(intervals, *time) >= sources - falsetickers;
            let earliest = points().find(agree)?;
            let latest = points().filter(agree).last()?;
            let outside = middles_where(&|middle| middle < earliest || middle > latest);
            (outside <= falsetickers).then_some([earliest, latest])
        });
    let Some([earliest, latest]) = expected else {
        let agreeing = most_holding(intervals);
        let error = if 2 * agreeing > sources {
            SelectionError::NoMiddles { sources, agreeing }
        } else {
            SelectionError::NoMajority { sources, agreeing }
        };
        assert_eq!(result, Err(error));
        return;
    };
    let selection = result.expect("all but a minority agree");
    assert_eq!([selection.interval.earliest(), selection.interval.latest()], [earliest, latest]);
    check_names(intervals, &selection, |own| selection.interval.contains(own.middle()));
}

/// Checks that the sources are told apart, in the order in which they were given.
fn check_names(
    intervals: &[Interval],
    selection: &Selection<usize>,
    is_true: impl Fn(&Interval) -> bool,
) {
    let (truechimers, falsetickers): (Vec<usize>, Vec<usize>) =
        (0..intervals.len()).partition(|&source| is_true(&intervals[source]));
    assert_eq!(selection.truechimers, truechimers);
    assert_eq!(selection.falsetickers, falsetickers);
    assert!(2 * truechimers.len() > intervals.len(), "a minority is believed");
}

fn check_order(events: &[Interval]) {
    let all = (0..events.len()).flat_map(|a| (a + 1..events.len()).map(move |b| (a, b)));
    let concurrent = all.filter(|&(a, b)| {
        points().any(|time| events[a].contains(time) && events[b].contains(time))
    });
    assert!(order::concurrent_pairs(events).into_iter().eq(concurrent));

    // A cut is where nothing that has begun goes on.
    let groups = order::groups(events);
    let mut members = groups.concat();
    members.sort_unstable();
    assert!(members.into_iter().eq(0..events.len()));
    let begins: usize = points()
        .filter(|&time| {
            let begins = events.iter().any(|event| event.earliest() == time);
            let goes_on = |event: &Interval| event.contains(time) && event.earliest() < time;
            begins && !events.iter().any(goes_on)
        })
        .count();
    assert_eq!(groups.len(), begins);
    for pair in groups.windows(2) {
        for (&a, &b) in pair[0].iter().flat_map(|a| pair[1].iter().map(move |b| (a, b))) {
            assert!(events[a].definitely_before(&events[b]));
        }
    }
}

fn holding(intervals: &[Interval], time: WallTime) -> usize {
    intervals.iter().filter(|interval| interval.contains(time)).count()
}

fn most_holding(intervals: &[Interval]) -> usize {
    points().map(|time| holding(intervals, time)).max().unwrap_or(0)
}

fn points() -> impl Iterator<Item = WallTime> {
    (0..COORDINATES).map(point)
}

/// Few enough to ask each of them, and for ends to meet.
fn point(number: u8) -> WallTime {
    WallTime::from_nanos(u64::from(number % COORDINATES))
}

const COORDINATES: u8 = 40;

const MOST: usize = 12;
