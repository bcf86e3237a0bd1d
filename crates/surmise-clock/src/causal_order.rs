use core::cmp::Ordering;

/// How two events, or two sets of events, stand to each other in causal order.
///
/// Happened-before is a partial order (Lamport, "Time, Clocks, and the Ordering of Events in a
/// Distributed System", CACM 1978): of two events that could not have known of each other neither is
/// the earlier.
///
/// # Examples
///
/// ```
/// use core::cmp::Ordering;
/// use surmise_clock::CausalOrder;
///
/// assert_eq!(CausalOrder::Before.reverse(), CausalOrder::After);
/// assert_eq!(Option::<Ordering>::from(CausalOrder::Before), Some(Ordering::Less));
/// assert_eq!(Option::<Ordering>::from(CausalOrder::Concurrent), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[expect(
    clippy::exhaustive_enums,
    reason = "two sets of events stand in one of these four relations"
)]
pub enum CausalOrder {
    /// The first has seen less: all that it has seen, the second has seen too.
    Before,
    /// The first has seen more: all that the second has seen, and something else.
    After,
    /// Both have seen the same.
    Equal,
    /// Each has seen something that the other has not.
    Concurrent,
}

impl CausalOrder {
    /// Returns the order of the second to the first.
    #[must_use]
    pub const fn reverse(self) -> Self {
        match self {
            Self::Before => Self::After,
            Self::After => Self::Before,
            Self::Equal | Self::Concurrent => self,
        }
    }

    /// Returns the order of two things of which the first has, and the second has, something that the
    /// other lacks.
    pub(crate) const fn of(first_has_more: bool, second_has_more: bool) -> Self {
        match (first_has_more, second_has_more) {
            (false, false) => Self::Equal,
            (false, true) => Self::Before,
            (true, false) => Self::After,
            (true, true) => Self::Concurrent,
        }
    }
}

impl From<CausalOrder> for Option<Ordering> {
    /// Concurrent things have no order, as [`PartialOrd`] has it.
    fn from(order: CausalOrder) -> Self {
        match order {
            CausalOrder::Before => Some(Ordering::Less),
            CausalOrder::After => Some(Ordering::Greater),
            CausalOrder::Equal => Some(Ordering::Equal),
            CausalOrder::Concurrent => None,
        }
    }
}
