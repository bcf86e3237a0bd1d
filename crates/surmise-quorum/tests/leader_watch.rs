//! Who leads, and who still does.

use quickcheck::quickcheck;
use surmise_quorum::{LeaderWatch, Sighting};

/// All claims there were, and what they mean.
#[derive(Default)]
struct History {
    claims: Vec<(u64, u8)>,
}

impl History {
    /// Returns the greatest terms, the latest first.
    fn remembered(&self, at_most: usize) -> Vec<u64> {
        let mut terms: Vec<u64> = self.claims.iter().map(|&(term, _)| term).collect();
        terms.sort_unstable_by(|a, b| b.cmp(a));
        terms.dedup();
        terms.truncate(at_most);
        terms
    }

    fn first_leader(&self, term: u64) -> u8 {
        self.claims.iter().find(|claim| claim.0 == term).expect("it was claimed").1
    }

    fn see(&mut self, term: u64, leader: u8, acts: bool, at_most: usize) -> Sighting<u8> {
        let remembered = self.remembered(at_most);
        self.claims.push((term, leader));
        let Some(&current_term) = remembered.first() else {
            return Sighting::NewTerm { term, previous: None };
        };
        if term > current_term {
            return Sighting::NewTerm { term, previous: Some(current_term) };
        }
        if remembered.contains(&term) {
            let first = self.first_leader(term);
            if first != leader {
                return Sighting::TwoLeaders { term, first, second: leader };
            }
            if term == current_term {
                return Sighting::Known;
            }
        }
        let earliest = remembered.last().copied().unwrap_or(term);
        match acts {
            true => Sighting::StaleLeader { leader, term, current_term },
            false if term < earliest && remembered.len() == at_most => {
                Sighting::Forgotten { term, earliest }
            }
            false => Sighting::Late { term, current_term },
        }
    }
}

fn check<const N: usize>(seen: &[(u8, u8, bool)]) {
    let mut watch = LeaderWatch::<u8, N>::remembering();
    let mut history = History::default();
    for (step, &(term, leader, acts)) in (0_u8..).zip(seen) {
        // Terms grow, and most claims are of one of the latest.
        let term = u64::from(step / 4 + term % 8);
        let leader = leader % 3;
        let sighting = if acts { watch.act(term, leader) } else { watch.claim(term, leader) };
        assert_eq!(sighting, history.see(term, leader, acts, N + 1));
        let terms = history.remembered(N + 1);
        let leaders = terms.iter().map(|&term| (term, history.first_leader(term)));
        assert_eq!(
            Vec::from_iter(watch.terms().map(|(term, &leader)| (term, leader))),
            Vec::from_iter(leaders)
        );
        assert_eq!(watch.current_term(), terms.first().copied());
        for &term in &terms {
            assert_eq!(watch.leader_of(term), Some(&history.first_leader(term)));
        }
    }
}

quickcheck! {
    fn a_watch_tells_what_all_of_its_last_terms_tell(seen: Vec<(u8, u8, bool)>) -> () {
        check::<0>(&seen);
        check::<1>(&seen);
        check::<4>(&seen);
    }

    /// Elections that work: each term has one leader, which acts only until the next one does.
    fn nothing_is_wrong_where_nothing_is(acts: Vec<(u8, bool)>) -> () {
        let mut watch = LeaderWatch::<u64>::new();
        let mut term = 0;
        for (back, is_over) in acts {
            term += u64::from(is_over);
            assert!(!watch.act(term, term * 7).is_alarm());
            // What others say of earlier terms is late, and true.
            let earlier = term.saturating_sub(back.into());
            assert!(!watch.claim(earlier, earlier * 7).is_alarm());
        }
    }
}

#[test]
fn a_second_leader_is_told_in_the_current_term_and_in_those_before() {
    let mut watch = LeaderWatch::<_, 2>::remembering();
    for (term, leader) in [(5, "a"), (7, "b"), (9, "c")] {
        assert!(matches!(watch.claim(term, leader), Sighting::NewTerm { .. }));
    }
    for (term, first) in [(5, "a"), (7, "b"), (9, "c")] {
        let two = Sighting::TwoLeaders { term, first, second: "x" };
        assert_eq!([watch.claim(term, "x"), watch.act(term, "x")], [two, two]);
        assert_eq!(watch.leader_of(term), Some(&first));
    }
    // The leader of a term that nobody had heard of is remembered in its place, and the earliest is not any more.
    assert_eq!(watch.claim(8, "d"), Sighting::Late { term: 8, current_term: 9 });
    assert!(watch.claim(8, "x").is_alarm());
    assert_eq!(watch.claim(5, "x"), Sighting::Forgotten { term: 5, earliest: 7 });
    assert_eq!(watch.leader_of(5), None);
}

#[test]
fn whoever_acts_in_an_earlier_term_is_stale_remembered_or_not() {
    let mut watch = LeaderWatch::<_, 1>::remembering();
    for (term, leader) in [(1, "a"), (2, "b"), (3, "a")] {
        assert!(matches!(watch.act(term, leader), Sighting::NewTerm { .. }));
    }
    for (term, leader) in [(0, "z"), (1, "a"), (2, "b")] {
        let stale = Sighting::StaleLeader { leader, term, current_term: 3 };
        assert_eq!(watch.act(term, leader), stale);
        assert!(stale.is_alarm() && !watch.claim(term, leader).is_alarm());
    }
    assert_eq!(watch.act(3, "a"), Sighting::Known);
}

#[test]
fn the_greatest_term_there_is_is_the_last() {
    let mut watch = LeaderWatch::<_>::default();
    assert_eq!(watch.act(u64::MAX, 1), Sighting::NewTerm { term: u64::MAX, previous: None });
    assert_eq!(watch.act(u64::MAX, 1), Sighting::Known);
    assert_eq!(watch.claim(0, 1), Sighting::Late { term: 0, current_term: u64::MAX });
}
