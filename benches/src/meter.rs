use core::error::Error;

/// An operation that is measured, with the value that it is performed on.
pub trait Operation {
    /// How many inputs are made before the calls that take them.
    const BATCH: u32 = 1000;

    /// What it is performed on.
    type Subject;

    /// What a call takes: where it fits, in registers.
    type Input;

    /// What a call returns, and what must not be dropped while something is measured.
    type Output;

    /// Returns what it is performed on.
    fn subject(&mut self) -> &mut Self::Subject;

    /// Makes the input of a coming call, which is not measured.
    fn next_input(&mut self) -> Self::Input;

    /// Performs the operation, which is all that is measured.
    fn call(subject: &mut Self::Subject, input: Self::Input) -> Self::Output;
}

/// Measures operations of any type.
pub trait Meter {
    /// Returns whether it can measure what reads the operating system's clocks.
    fn reads_clocks(&self) -> bool {
        true
    }

    /// Takes note of the bytes that a subject takes.
    fn bytes(&mut self, subject: Subject<'_>, bytes: usize);

    /// Measures one operation of a subject.
    fn operation<O: Operation>(&mut self, subject: Subject<'_>, what: &'static str, operation: O);
}

/// Of whom something is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a plain record")]
pub struct Subject<'a> {
    /// The table that it has a row in. The others are compared with the table's first row.
    pub table: &'a str,
    /// The row's name, which only one row of the family has.
    pub name: &'a str,
    /// Who wrote it.
    pub origin: Origin,
}

/// Who wrote what is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are no others")]
pub enum Origin {
    /// It is one of this family.
    Ours,
    /// Somebody else did, or it follows what somebody else wrote.
    Peer,
}

/// What comes of making something to measure: each has its own way to refuse a configuration.
pub type Made<C> = Result<C, Box<dyn Error>>;
