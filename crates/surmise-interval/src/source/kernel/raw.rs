/// What `adjtimex` returned, in the kernel's own numbers and under its own names.
///
/// [`Timex::decode`](super::Timex::decode) makes sense of it. It is for whoever gets these numbers
/// otherwise than by the call, as from a trace or another machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by naming fields; a new one is a new version")]
pub struct RawTimex {
    /// What the call returned: 0 (`TIME_OK`) to 5 (`TIME_ERROR`).
    pub state: i32,
    /// The status bits, `STA_…`.
    pub status: i32,
    /// The maximum error, in microseconds.
    pub maxerror: i64,
    /// The estimated error, in microseconds.
    pub esterror: i64,
    /// What is yet to be corrected, in nanoseconds with `STA_NANO` and in microseconds without.
    pub offset: i64,
    /// The correction of the frequency, in 2⁻¹⁶ ppm.
    pub freq: i64,
    /// By which power of two the offset is divided for what is corrected of it in a second, less 2.
    pub constant: i64,
    /// How much the frequency may be corrected at most, in 2⁻¹⁶ ppm.
    pub tolerance: i64,
    /// How many microseconds the clock counts in a hundredth of a second.
    pub tick: i64,
    /// The seconds of the system clock since the Unix epoch.
    pub tv_sec: i64,
    /// The fraction of a second, in nanoseconds with `STA_NANO` and in microseconds without.
    pub tv_usec: i64,
    /// International atomic time less this clock's, in seconds.
    pub tai: i32,
}

impl RawTimex {
    pub(super) fn new(state: i32, timex: &libc::timex) -> Self {
        Self {
            state,
            status: timex.status,
            maxerror: wide(timex.maxerror),
            esterror: wide(timex.esterror),
            offset: wide(timex.offset),
            freq: wide(timex.freq),
            constant: wide(timex.constant),
            tolerance: wide(timex.tolerance),
            tick: wide(timex.tick),
            tv_sec: wide(timex.time.tv_sec),
            tv_usec: wide(timex.time.tv_usec),
            tai: timex.tai,
        }
    }
}

/// The width of the kernel's numbers depends on the platform.
fn wide(number: impl Into<i64>) -> i64 {
    number.into()
}
