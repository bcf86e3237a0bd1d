/// What a line of `ping` output says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A request was answered.
    Reply(Reply),
    /// A request is mentioned that has no answer, at least not yet.
    Missing {
        /// The request's number, as printed.
        sequence: u64,
        /// Whether the line is one that comes in the order of requests. Errors that routers report
        /// do not.
        in_order: bool,
    },
    /// A run of `ping` begins or ends here.
    Boundary,
    /// Nothing of interest.
    Other,
}

/// The answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    /// The request's number, as printed.
    pub(super) sequence: u64,
    /// When the answer came, if the line has a stamp, and how long it took, if it says so; both in
    /// nanoseconds. One of the two is known.
    pub(super) stamp: Option<u64>,
    pub(super) round_trip: Option<u64>,
    /// Whether `ping` marked it as a duplicate.
    pub(super) duplicate: bool,
}

/// A field that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadField<'a> {
    pub(super) name: &'static str,
    pub(super) text: &'a str,
    pub(super) expected: &'static str,
}

const SECOND: u64 = 1_000_000_000;

impl Line {
    pub(super) fn parse(line: &str) -> Result<Self, BadField<'_>> {
        // These words are in every English reply and in no other line.
        let is_reply = line.contains("bytes from ");
        let Some((before, number)) = split_at_sequence(line, is_reply) else {
            return Ok(Self::boundary(line));
        };
        let digits = leading_digits(number);
        let sequence = digits.parse().map_err(|_no_number| BadField {
            name: "icmp_seq",
            text: first_word(number),
            expected: "a whole number of at most 64 bits",
        });
        let rest = number.get(digits.len()..).unwrap_or_default();
        match round_trip(rest) {
            Some(round_trip) => Ok(Self::Reply(Reply {
                sequence: sequence?,
                stamp: stamp(before)?,
                round_trip: Some(round_trip),
                duplicate: rest.contains("DUP!"),
            })),
            None if is_reply => Ok(Self::Reply(Reply {
                sequence: sequence?,
                stamp: match (stamp(before)?, field(rest, "time")) {
                    (Some(stamp), None) => Some(stamp),
                    (_, time) => return Err(bad_time(time)),
                },
                round_trip: None,
                duplicate: rest.contains("DUP!"),
            })),
            // Whatever this line is, it needs no number to be passed over.
            None => Ok(sequence.map_or(Self::Other, |sequence| Self::Missing {
                sequence,
                in_order: before.contains("no answer") || before.contains("timeout"),
            })),
        }
    }

    fn boundary(line: &str) -> Self {
        // The words between differ with the language, the address in parentheses does not.
        let begins = line
            .split_once("PING")
            .is_some_and(|(_, rest)| rest.starts_with([' ', '6']) && rest.contains('('));
        if begins || line.contains("ping statistics ---") || line.contains("ping6 statistics ---") {
            Self::Boundary
        } else {
            Self::Other
        }
    }
}

/// Returns what stands before the sequence number's name, and what stands from the number on.
fn split_at_sequence(line: &str, is_reply: bool) -> Option<(&str, &str)> {
    let split = |name| {
        let (before, after) = line.split_once(name)?;
        after.strip_prefix(['=', ' ']).map(|number| (before, number))
    };
    // Without its prefix, the name is that of many things, so it counts in replies only.
    split("icmp_seq").or_else(|| split("icmp_req")).or_else(|| split(" seq").filter(|_| is_reply))
}

/// Returns the first duration in milliseconds or another unit that an `=` or a `<` introduces.
fn round_trip(text: &str) -> Option<u64> {
    text.match_indices(['=', '<']).find_map(|(index, _)| {
        let value = text.get(index + 1..)?;
        let number = value.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ','));
        let (number, unit) = value.split_at_checked(number?)?;
        let unit = unit.trim_start_matches(' ');
        let unit = unit.split(|c: char| !c.is_alphabetic()).next()?;
        let nanos = match unit {
            "ms" | "msec" => 1_000_000,
            "us" | "usec" | "µs" | "μs" => 1_000,
            "s" | "sec" => SECOND,
            _ => return None,
        };
        decimal(number, nanos)
    })
}

/// Returns the last stamp in brackets, `[1700000000.123456]`.
fn stamp(text: &str) -> Result<Option<u64>, BadField<'_>> {
    let mut close = None;
    for (index, bracket) in text.rmatch_indices(['[', ']']) {
        if bracket == "]" {
            close = Some(index);
            continue;
        }
        // A stamp holds no bracket, so no part of a line is looked at for two of them.
        let inside = close.take().and_then(|close| text.get(index + 1..close));
        let Some(inside) = inside else { continue };
        // A number without a fraction is not a stamp: syslog puts process numbers in brackets.
        let is_stamp = inside.split_once('.').is_some_and(|(seconds, fraction)| {
            [seconds, fraction].iter().all(|part| is_digits(part))
        });
        if is_stamp {
            let bad = BadField {
                name: "stamp",
                text: inside,
                expected: "a number of seconds of at most 64 bits in nanoseconds",
            };
            return decimal(inside, SECOND).map(Some).ok_or(bad);
        }
    }
    Ok(None)
}

/// Returns a decimal number times `unit`, which is a power of ten, without what is below one.
///
/// Never through a float: a stamp has more digits than an `f64`.
fn decimal(text: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let mut digit_unit = unit;
    let mut nanos = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    for digit in fraction.bytes() {
        digit_unit /= 10;
        nanos = nanos.checked_add(u64::from(digit - b'0') * digit_unit)?;
    }
    Some(nanos)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && leading_digits(text).len() == text.len()
}

fn leading_digits(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// Returns the word after `name`, if that is there.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.split_once(name).map(|(_, rest)| first_word(rest.trim_start_matches(['=', '<'])))
}

fn first_word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
}

fn bad_time(time: Option<&str>) -> BadField<'_> {
    BadField {
        name: "time",
        text: time.unwrap_or_default(),
        expected: "a round trip such as `=10.3 ms`, which a line without a stamp cannot do without",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_every_digit() {
        assert_eq!(decimal("1700000000.123456789", SECOND), Some(1_700_000_000_123_456_789));
        assert_eq!(decimal("0.1234567899", SECOND), Some(123_456_789));
        assert_eq!(decimal("12,3", 1_000_000), Some(12_300_000));
        assert_eq!(decimal("1003", 1_000_000), Some(1_003_000_000));
        assert_eq!(decimal("18446744073.709551615", SECOND), Some(u64::MAX));
        for text in ["18446744073.709551616", "99999999999999999999", "", ".", "1.", ".1", "1.2.3"]
        {
            assert_eq!(decimal(text, SECOND), None, "{text}");
        }
    }

    #[test]
    fn a_process_number_is_no_stamp() {
        assert_eq!(stamp("Nov 21 12:00:00 host ping[1234]: "), Ok(None));
        assert_eq!(stamp("ping[1234]: [12.5] 64 bytes from "), Ok(Some(12_500_000_000)));
        assert_eq!(stamp("[12.5"), Ok(None));
        assert_eq!(stamp("[[12.5]] [7]"), Ok(Some(12_500_000_000)));
        assert_eq!(stamp("[] [a.b] [1.] [.1]"), Ok(None));
        assert_eq!(stamp("[99999999999.5]").unwrap_err().text, "99999999999.5");
    }

    #[test]
    fn a_line_of_brackets_is_read_in_one_pass() {
        // Going to the line's end from each bracket would take hours.
        let open = "[".repeat(1 << 20);
        assert_eq!(stamp(&open), Ok(None));
        assert_eq!(stamp(&format!("{open}1.5]{open}]")), Ok(Some(1_500_000_000)));
        assert_eq!(stamp(&"]".repeat(1 << 20)), Ok(None));
    }
}
