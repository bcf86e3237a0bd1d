/// What an observer says of the subject.
///
/// It has the cases of a failure detector's verdict, and is a type of its own so that this crate is of use with any
/// detector, or without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(clippy::exhaustive_enums, reason = "observers say one, the other, or nothing")]
pub enum Opinion {
    /// The subject has failed, as far as the observer can tell.
    Suspect,
    /// The subject is working, as far as the observer can tell.
    Trust,
    /// The observer cannot tell: it abstains, and takes back what it said before.
    Unknown,
}
