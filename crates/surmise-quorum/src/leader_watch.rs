use core::mem;

/// Watches who leads in which term, and tells when two do, or when one that was replaced still acts.
///
/// That there is at most one leader in a term is what elections promise ("Election Safety" in Ongaro and Ousterhout, "In
/// Search of an Understandable Consensus Algorithm", USENIX ATC 2014,
/// <https://www.usenix.org/conference/atc14/technical-sessions/presentation/ongaro>). This is a check from
/// outside that it holds, for any system whose terms only grow: epochs, views and generations are other names for them.
///
/// * Two leaders in one term are a split brain: state was lost, a member was counted twice, a term was given out
///   twice. That is [`Sighting::TwoLeaders`].
/// * A leader of an earlier term that still acts was replaced without noticing: it was paused or cut off, or what it
///   sent came late. That is [`Sighting::StaleLeader`], and what it does must be refused where it takes effect, by a
///   fencing token.
///
/// [`claim`](Self::claim) takes what anybody says of who leads in a term, which may come late and prove nothing by
/// that. [`act`](Self::act) takes what a leader does in its term, and is a claim too.
///
/// The watch remembers the leaders of the current term and of up to `N` terms before it: the greatest that were seen. The
/// leader that was seen first stays the one of its term. Nothing is authenticated: whoever can make up a claim can
/// make up the greatest term there is.
///
/// # Examples
///
/// ```
/// use surmise_quorum::{LeaderWatch, Sighting};
///
/// let mut watch = LeaderWatch::new();
/// assert_eq!(watch.claim(7, "a"), Sighting::NewTerm { term: 7, previous: None });
/// assert_eq!(watch.act(7, "a"), Sighting::Known);
/// assert_eq!(watch.act(8, "b"), Sighting::NewTerm { term: 8, previous: Some(7) });
///
/// // `a` was paused, and goes on as if nothing had happened.
/// let stale = watch.act(7, "a");
/// assert_eq!(stale, Sighting::StaleLeader { leader: "a", term: 7, current_term: 8 });
///
/// // Both halves of the cluster have elected somebody.
/// let two = watch.claim(8, "c");
/// assert_eq!(two, Sighting::TwoLeaders { term: 8, first: "b", second: "c" });
/// assert!(two.is_alarm());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaderWatch<L, const N: usize = 4> {
    current: Option<Reign<L>>,
    /// The terms before, the latest first, and after them only `None`.
    past: [Option<Reign<L>>; N],
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Reign<L> {
    term: u64,
    leader: L,
}

/// What a [`LeaderWatch`] makes of a claim or an act.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sighting<L> {
    /// The term is later than all that were seen: it is the current one from now on.
    NewTerm {
        /// The term.
        term: u64,
        /// The one that was current before.
        previous: Option<u64>,
    },
    /// It is the current leader.
    Known,
    /// An earlier term was claimed, and nothing that is remembered speaks against it: the claim came late.
    Late {
        /// The term.
        term: u64,
        /// The current one.
        current_term: u64,
    },
    /// A term was claimed that is earlier than all that are remembered: nothing can be said of it.
    Forgotten {
        /// The term.
        term: u64,
        /// The earliest one that is remembered.
        earliest: u64,
    },
    /// An alarm: another leader was seen in the same term before.
    TwoLeaders {
        /// The term, which may be the current one or an earlier one.
        term: u64,
        /// The leader that was seen first.
        first: L,
        /// The one that is seen now.
        second: L,
    },
    /// An alarm: a leader acts in an earlier term than the current one.
    StaleLeader {
        /// The leader. It may be the current one, if what it did before came late.
        leader: L,
        /// The term in which it acts.
        term: u64,
        /// The current one.
        current_term: u64,
    },
}

impl<L> Sighting<L> {
    /// Returns whether something is wrong: two leaders, or one that was replaced.
    #[must_use]
    pub const fn is_alarm(&self) -> bool {
        matches!(self, Self::TwoLeaders { .. } | Self::StaleLeader { .. })
    }
}

impl<L> LeaderWatch<L> {
    /// Creates a watch that has heard of no leader, and remembers four terms before the current one.
    #[must_use]
    pub const fn new() -> Self {
        Self::remembering()
    }
}

impl<L, const N: usize> LeaderWatch<L, N> {
    /// Creates a watch that has heard of no leader, and remembers N terms before the current one:
    /// `LeaderWatch::<_, 16>::remembering()`.
    #[must_use]
    pub const fn remembering() -> Self {
        Self { current: None, past: [const { None }; N] }
    }

    /// Returns the latest term that was seen.
    #[must_use]
    pub const fn current_term(&self) -> Option<u64> {
        match &self.current {
            Some(reign) => Some(reign.term),
            None => None,
        }
    }

    /// Returns the leader that was seen first in a term, if that is remembered.
    #[must_use]
    pub fn leader_of(&self, term: u64) -> Option<&L> {
        self.reigns().find(|reign| reign.term == term).map(|reign| &reign.leader)
    }

    /// Returns the terms that are remembered with the leaders that were seen first in them, the latest first: at most
    /// `N` + 1.
    pub fn terms(&self) -> impl Iterator<Item = (u64, &L)> {
        self.reigns().map(|reign| (reign.term, &reign.leader))
    }

    fn reigns(&self) -> impl Iterator<Item = &Reign<L>> {
        self.current.iter().chain(self.past.iter().flatten())
    }
}

impl<L: Clone + Eq, const N: usize> LeaderWatch<L, N> {
    /// Takes what somebody says: that `leader` leads, or led, in `term`. In O(`N`).
    ///
    /// Who is named first in a term is taken for its leader. If that was a rumour, the true leader raises the alarm:
    /// [`TwoLeaders`](Sighting::TwoLeaders) says that there are two, not which of them is one.
    pub fn claim(&mut self, term: u64, leader: L) -> Sighting<L> {
        let Some(current_term) = self.current_term().filter(|&current| term <= current) else {
            let previous = self.current_term();
            self.begin(term, leader);
            return Sighting::NewTerm { term, previous };
        };
        match self.leader_of(term) {
            Some(first) if *first != leader => {
                Sighting::TwoLeaders { term, first: first.clone(), second: leader }
            }
            Some(_) if term == current_term => Sighting::Known,
            Some(_) => Sighting::Late { term, current_term },
            None => match self.remember(Reign { term, leader }) {
                Ok(()) => Sighting::Late { term, current_term },
                Err(earliest) => Sighting::Forgotten { term, earliest },
            },
        }
    }

    /// Takes what a leader does in its term: a request, a write, a heartbeat. In O(`N`).
    ///
    /// It is a [`claim`](Self::claim), and an alarm if the term is not the current one.
    pub fn act(&mut self, term: u64, leader: L) -> Sighting<L> {
        match self.claim(term, leader.clone()) {
            Sighting::Late { current_term, .. } => {
                Sighting::StaleLeader { leader, term, current_term }
            }
            Sighting::Forgotten { earliest, .. } => {
                let current_term = self.current_term().unwrap_or(earliest);
                Sighting::StaleLeader { leader, term, current_term }
            }
            other => other,
        }
    }

    /// Begins a term that is later than the current one.
    fn begin(&mut self, term: u64, leader: L) {
        if let Some(before) = self.current.replace(Reign { term, leader }) {
            // It is later than all in the past, so that there is a place for it unless there is none at all.
            let _ = self.remember(before);
        }
    }

    /// Puts an earlier term into its place, and forgets the earliest if there are too many.
    ///
    /// Says which is the earliest if that would be forgotten itself.
    fn remember(&mut self, reign: Reign<L>) -> Result<(), u64> {
        let term = reign.term;
        let is_place =
            |known: &Option<Reign<L>>| known.as_ref().is_none_or(|known| known.term < term);
        let Some(place) = self.past.iter().position(is_place) else {
            return Err(self.reigns().last().map_or(term, |reign| reign.term));
        };
        let mut moving = Some(reign);
        for known in self.past.iter_mut().skip(place) {
            mem::swap(known, &mut moving);
        }
        Ok(())
    }
}

impl<L, const N: usize> Default for LeaderWatch<L, N> {
    fn default() -> Self {
        Self::remembering()
    }
}
