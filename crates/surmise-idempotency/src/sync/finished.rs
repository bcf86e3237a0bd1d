use crate::Keep;

/// A result, and what is to become of it: what a closure may return that is executed.
///
/// A result that is returned as it is counts as [kept](Self::kept).
///
/// # Examples
///
/// ```
/// use surmise_idempotency::sync::Finished;
///
/// fn judged(response: Result<u16, &'static str>) -> Finished<Result<u16, &'static str>> {
///     match response {
///         Ok(_) => Finished::kept(response),
///         Err("declined") => Finished::kept_briefly(response), // not asked again at once
///         Err(_) => Finished::released(response),              // nothing was done: anybody may try
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Finished<V> {
    value: V,
    /// `None` if it is not kept at all.
    keep: Option<Keep>,
}

impl<V> Finished<V> {
    /// Creates a result that is kept for the retention.
    pub const fn kept(value: V) -> Self {
        Self { value, keep: Some(Keep::Long) }
    }

    /// Creates a result that is kept for the brief retention.
    pub const fn kept_briefly(value: V) -> Self {
        Self { value, keep: Some(Keep::Briefly) }
    }

    /// Creates a result that is not kept, as nothing was done: the next caller executes.
    pub const fn released(value: V) -> Self {
        Self { value, keep: None }
    }

    pub(super) fn into_parts(self) -> (V, Option<Keep>) {
        (self.value, self.keep)
    }
}

impl<V> From<V> for Finished<V> {
    fn from(value: V) -> Self {
        Self::kept(value)
    }
}
