//! Selection among sources: published cases, and every point of time asked one by one.

use quickcheck::quickcheck;
use surmise_interval::{
    Interval, order,
    select::{Candidate, SelectionError, Smearing, intersection, majority, marzullo, tolerating},
};
use surmise_time::WallTime;

/// What the sources say, what is selected, and which sources are not believed.
type Case = (&'static [(u64, u64)], (u64, u64), &'static [usize]);

fn interval(earliest: u64, latest: u64) -> Interval {
    let ends = [earliest, latest].map(WallTime::from_nanos);
    Interval::new(ends[0], ends[1]).expect("it begins before it ends")
}

fn candidates(intervals: &[(u64, u64)]) -> Vec<Candidate<usize>> {
    let named = intervals.iter().enumerate();
    named
        .map(|(name, &(earliest, latest))| Candidate {
            name,
            interval: interval(earliest, latest),
            smearing: Smearing::Stepped,
        })
        .collect()
}

#[test]
fn published_cases_of_marzullo() {
    let cases: [Case; 6] = [
        (&[(8, 12), (11, 13), (10, 12)], (11, 12), &[]),
        (&[(8, 12), (11, 13), (14, 15)], (11, 12), &[2]),
        // A tie: two agree on [8, 9] and two on [10, 12].
        (&[(8, 9), (8, 12), (10, 12)], (8, 12), &[]),
        (&[(5, 7)], (5, 7), &[]),
        // They touch.
        (&[(1, 4), (4, 9)], (4, 4), &[]),
        // Four agree on [0, 2] and four on [18, 20], but the last with only two of them.
        (&[(0, 20), (0, 20), (0, 2), (0, 2), (18, 20), (18, 20), (9, 10)], (0, 20), &[6]),
    ];
    for (sources, selected, falsetickers) in cases {
        let selection = marzullo(&candidates(sources)).expect("most agree");
        assert_eq!(selection.interval, interval(selected.0, selected.1), "{sources:?}");
        assert_eq!(selection.falsetickers, falsetickers, "{sources:?}");
        assert_eq!(selection.truechimers.len() + falsetickers.len(), sources.len());
    }
}

/// RFC 5905 keeps the middles in: three that agree, and one that does not.
#[test]
fn cases_of_the_intersection() {
    let cases: [Case; 4] = [
        (&[(8, 12), (11, 13), (10, 12)], (10, 12), &[]),
        (&[(0, 10), (2, 12), (1, 11), (40, 50)], (2, 10), &[3]),
        (&[(0, 10), (2, 12), (100, 110)], (2, 10), &[2]),
        (&[(5, 7)], (5, 7), &[]),
    ];
    for (sources, selected, falsetickers) in cases {
        let selection = intersection(&candidates(sources)).expect("most agree");
        assert_eq!(selection.interval, interval(selected.0, selected.1), "{sources:?}");
        assert_eq!(selection.falsetickers, falsetickers, "{sources:?}");
    }
}

/// All three share some time, but not all of it is near the middle of two: RFC 5905 finds no majority.
#[test]
fn an_intersection_away_from_the_middles_is_none() {
    let sources = candidates(&[(0, 10), (4, 12), (6, 20), (40, 50)]);
    assert_eq!(marzullo(&sources).map(|selection| selection.interval), Ok(interval(6, 10)));
    let error = SelectionError::NoMiddles { sources: 4, agreeing: 3 };
    assert_eq!(intersection(&sources).err(), Some(error));
}

#[test]
fn errors_read_as_what_the_sources_did() {
    for (error, text) in [
        (SelectionError::NoSources, "no time source says what time it is"),
        (
            SelectionError::MixedSmearing { smeared: 1, stepped: 2 },
            "of the time sources 1 smear leap seconds and 2 do not",
        ),
        (
            SelectionError::TooFew { sources: 1, falsetickers: 1 },
            "only one time source says what time it is, and it may be wrong",
        ),
        (
            SelectionError::TooFew { sources: 2, falsetickers: 3 },
            "2 time sources say what time it is, and 3 may be wrong",
        ),
        (
            SelectionError::NoMajority { sources: 2, agreeing: 1 },
            "the two time sources contradict each other, and either may be wrong",
        ),
        (SelectionError::NoMajority { sources: 3, agreeing: 1 }, "no two of 3 time sources agree"),
        (
            SelectionError::NoMajority { sources: 4, agreeing: 2 },
            "no more than 2 of 4 time sources agree, too few",
        ),
    ] {
        assert_eq!(error.to_string(), text);
    }
}

/// Two that are right and one that is not, and agrees with both where the truth, 5, is not.
#[test]
fn a_liar_excludes_the_truth_from_marzullos_but_not_from_the_majoritys() {
    let sources = candidates(&[(0, 10), (2, 12), (9, 11)]);
    assert_eq!(marzullo(&sources).map(|selection| selection.interval), Ok(interval(9, 10)));
    assert_eq!(majority(&sources).map(|selection| selection.interval), Ok(interval(2, 11)));
}

#[test]
fn what_cannot_be_selected_from_says_why() {
    let none: [Candidate<()>; 0] = [];
    assert_eq!(marzullo(&none).err(), Some(SelectionError::NoSources));
    assert_eq!(intersection(&none).err(), Some(SelectionError::NoSources));

    let apart = candidates(&[(0, 1), (5, 6)]);
    let error = Some(SelectionError::NoMajority { sources: 2, agreeing: 1 });
    assert_eq!(marzullo(&apart).err(), error);
    assert_eq!(intersection(&apart).err(), error);

    let mut mixed = candidates(&[(0, 5), (1, 6), (2, 7)]);
    mixed[1].smearing = Smearing::Smeared;
    let error = Some(SelectionError::MixedSmearing { smeared: 1, stepped: 2 });
    assert_eq!(marzullo(&mixed).err(), error);
    assert_eq!(intersection(&mixed).err(), error);
    mixed.iter_mut().for_each(|source| source.smearing = Smearing::Smeared);
    assert!(marzullo(&mixed).is_ok());
}

/// Returns how many intervals hold this point of time.
fn holding(intervals: &[(u64, u64)], time: u64) -> usize {
    intervals.iter().filter(|(earliest, latest)| (*earliest..=*latest).contains(&time)).count()
}

fn in_order(ends: &[(u8, u8)]) -> Vec<(u64, u64)> {
    ends.iter().map(|&(a, b)| (u64::from(a.min(b)), u64::from(a.max(b)))).collect()
}

quickcheck! {
    fn marzullo_selects_the_most_held_points(ends: Vec<(u8, u8)>) -> bool {
        let intervals = in_order(&ends);
        let most = (0..=255).map(|time| holding(&intervals, time)).max().unwrap_or(0);
        let held: Vec<u64> = (0..=255).filter(|&time| holding(&intervals, time) == most).collect();
        match marzullo(&candidates(&intervals)) {
            Err(SelectionError::NoSources) => intervals.is_empty(),
            Err(SelectionError::NoMajority { sources, agreeing }) => {
                (sources, agreeing) == (intervals.len(), most) && 2 * most <= sources
            }
            Err(_) => false,
            Ok(selection) => {
                let truechimers = (0..intervals.len()).filter(|&source| {
                    let (earliest, latest) = intervals[source];
                    held.iter().any(|time| (earliest..=latest).contains(time))
                });
                2 * most > intervals.len()
                    && selection.interval == interval(held[0], held[held.len() - 1])
                    && selection.truechimers.iter().copied().eq(truechimers)
            }
        }
    }

    fn a_majority_selects_what_more_than_half_hold(ends: Vec<(u8, u8)>) -> bool {
        let intervals = in_order(&ends);
        let held: Vec<u64> =
            (0..=255).filter(|&time| 2 * holding(&intervals, time) > intervals.len()).collect();
        match majority(&candidates(&intervals)) {
            Err(SelectionError::NoSources) => intervals.is_empty(),
            Err(SelectionError::NoMajority { sources, agreeing }) => {
                let most = (0..=255).map(|time| holding(&intervals, time)).max();
                held.is_empty() && (sources, Some(agreeing)) == (intervals.len(), most)
            }
            Err(_) => false,
            Ok(selection) => {
                let truechimers = (0..intervals.len()).filter(|&source| {
                    let (earliest, latest) = intervals[source];
                    held.iter().any(|time| (earliest..=latest).contains(time))
                });
                selection.interval == interval(held[0], held[held.len() - 1])
                    && selection.truechimers.iter().copied().eq(truechimers)
            }
        }
    }

    /// If fewer than half are wrong, whatever they say, the truth is selected.
    fn a_minority_cannot_exclude_the_truth(right: Vec<(u8, u8)>, wrong: Vec<(u8, u8)>) -> bool {
        const TRUTH: u64 = 128;
        let held = |&(a, b): &(u8, u8)| (TRUTH - u64::from(a) % 100, TRUTH + u64::from(b) % 100);
        let mut intervals: Vec<(u64, u64)> = right.iter().map(held).collect();
        let liars = wrong.len().min(intervals.len().saturating_sub(1));
        intervals.extend(in_order(&wrong[..liars]));
        majority(&candidates(&intervals))
            .is_ok_and(|selection| selection.interval.contains(WallTime::from_nanos(TRUTH)))
            || intervals.is_empty()
    }

    /// Every point that enough intervals hold, and no more than from the first to the last.
    fn tolerating_selects_what_all_but_so_many_hold(ends: Vec<(u8, u8)>, falsetickers: u8) -> bool {
        let intervals = in_order(&ends);
        let (sources, falsetickers) = (intervals.len(), usize::from(falsetickers) % 12);
        let found = tolerating(&candidates(&intervals), falsetickers);
        if falsetickers >= sources {
            let too_few = SelectionError::TooFew { sources, falsetickers };
            let error = if sources == 0 { SelectionError::NoSources } else { too_few };
            return found == Err(error);
        }
        let agreed = |time: &u64| holding(&intervals, *time) >= sources - falsetickers;
        match ((0..256).find(agreed), (0..256).rfind(agreed)) {
            (Some(first), Some(last)) => {
                found.is_ok_and(|selection| selection.interval == interval(first, last))
            }
            _ => {
                let agreeing = (0..256).map(|time| holding(&intervals, time)).max().unwrap_or(0);
                found == Err(SelectionError::NoMajority { sources, agreeing })
            }
        }
    }

    /// RFC 5905's words, of few points, so that ends and middles meet.
    fn intersection_holds_all_middles_but_those_of_falsetickers(ends: Vec<(u8, u8)>) -> bool {
        let ends: Vec<(u8, u8)> = ends.iter().take(9).map(|&(a, b)| (a % 16, b % 16)).collect();
        let intervals = in_order(&ends);
        let sources = intervals.len();
        let middles: Vec<u64> = intervals.iter().map(|(a, b)| a + (b - a) / 2).collect();
        let mut allowed = (0..sources).take_while(|falsetickers| 2 * falsetickers < sources);
        let expected = allowed.find_map(|falsetickers| {
            let agreed = |time: &u64| holding(&intervals, *time) >= sources - falsetickers;
            let (earliest, latest) = ((0..16).find(agreed)?, (0..16).rfind(agreed)?);
            let outside = middles.iter().filter(|time| !(earliest..=latest).contains(time)).count();
            (outside <= falsetickers).then_some((earliest, latest))
        });
        match (intersection(&candidates(&intervals)), expected) {
            (Ok(selection), Some((earliest, latest))) => {
                let truechimers =
                    (0..sources).filter(|&source| (earliest..=latest).contains(&middles[source]));
                selection.interval == interval(earliest, latest)
                    && selection.truechimers.iter().copied().eq(truechimers)
                    && selection.truechimers.len() + selection.falsetickers.len() == sources
            }
            (Err(SelectionError::NoMajority { agreeing, .. }), None) => {
                2 * agreeing <= sources
                    && (0..16).map(|time| holding(&intervals, time)).max() == Some(agreeing)
            }
            (Err(SelectionError::NoMiddles { agreeing, .. }), None) => {
                2 * agreeing > sources
                    && (0..16).map(|time| holding(&intervals, time)).max() == Some(agreeing)
            }
            (error, _) => sources == 0 && error == Err(SelectionError::NoSources),
        }
    }

    /// Sources that hold the truth select an interval that holds it, and liars far off change nothing.
    fn a_minority_of_liars_is_outvoted(right: Vec<(u8, u8)>, liars: u8) -> bool {
        const TRUTH: u64 = 128;
        let held = |&(a, b): &(u8, u8)| (TRUTH - u64::from(a) % 100, TRUTH + u64::from(b) % 100);
        let mut intervals: Vec<(u64, u64)> = right.iter().map(held).collect();
        let honest = marzullo(&candidates(&intervals)).ok();
        let agreed = intersection(&candidates(&intervals)).ok();
        let liars = usize::from(liars).min(intervals.len().saturating_sub(1) / 2);
        intervals.extend((0..liars as u64).map(|liar| (1000 + 10 * liar, 1005 + 10 * liar)));
        let sources = candidates(&intervals);

        let holds_truth = |interval: Interval| interval.contains(WallTime::from_nanos(TRUTH));
        let by_most = marzullo(&sources).ok();
        let unchanged = by_most.as_ref().map(|selection| selection.interval)
            == honest.map(|selection| selection.interval);
        let found_out = by_most.is_none_or(|selection| {
            holds_truth(selection.interval)
                && selection.falsetickers.into_iter().eq(right.len()..intervals.len())
        });
        let by_middles = intersection(&sources).ok().or(agreed);
        unchanged && found_out && by_middles.is_none_or(|selection| holds_truth(selection.interval))
    }

    fn certain_order_and_its_absence_cover_all_pairs(ends: Vec<(u8, u8)>) -> bool {
        let events: Vec<Interval> =
            in_order(&ends).into_iter().map(|(earliest, latest)| interval(earliest, latest)).collect();
        let pairs = order::concurrent_pairs(&events);
        let all = (0..events.len()).flat_map(|a| (a + 1..events.len()).map(move |b| (a, b)));
        let uncertain = all.filter(|&(a, b)| order::certain(&events[a], &events[b]).is_none());
        pairs.iter().copied().eq(uncertain)
    }

    fn groups_are_as_many_as_certainty_allows(ends: Vec<(u8, u8)>) -> bool {
        let events: Vec<Interval> =
            in_order(&ends).into_iter().map(|(earliest, latest)| interval(earliest, latest)).collect();
        let groups = order::groups(&events);
        let certainly = |earlier: &[usize], later: &[usize]| {
            earlier.iter().all(|&a| later.iter().all(|&b| events[a].definitely_before(&events[b])))
        };
        let mut members = groups.concat();
        members.sort_unstable();
        let cuts = groups.windows(2).all(|pair| certainly(&pair[0], &pair[1]));
        // No group can be cut: whoever begins first is connected with all by overlaps.
        let whole = groups.iter().all(|group| {
            (1..group.len()).all(|cut| !certainly(&group[..cut], &group[cut..]))
        });
        members.into_iter().eq(0..events.len()) && cuts && whole
    }
}
