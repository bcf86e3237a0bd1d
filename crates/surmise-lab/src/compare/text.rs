//! How numbers are written for people.

use super::{
    number::{float, round},
    summary::Summary,
};

/// Describes a trace in two lines.
pub(crate) fn summary(name: &str, summary: &Summary) -> String {
    format!(
        "{name}: {} heartbeats, one every {}, over {}\n{} lost ({}), {} stale or duplicate; longest silence {}",
        integer(summary.sent),
        time(summary.interval),
        time(summary.span),
        integer(summary.lost),
        loss(summary),
        integer(summary.stale),
        time(summary.worst_silence),
    )
}

/// Writes the share of heartbeats that were lost.
pub(crate) fn loss(summary: &Summary) -> String {
    percentage(float(summary.lost.into()) / float(summary.sent.into()))
}

/// Writes a time with three significant digits, in the unit that suits it.
pub(crate) fn time(seconds: f64) -> String {
    with_unit(seconds, significant)
}

/// Writes a round time, such as stands at an axis. It stays in seconds, where it is round, up to a
/// thousand.
pub(crate) fn short_time(seconds: f64) -> String {
    if (59.0..999.5).contains(&seconds) {
        return format!("{} s", short(seconds));
    }
    with_unit(seconds, short)
}

fn with_unit(seconds: f64, write: fn(f64) -> String) -> String {
    if seconds == 0.0 {
        return "0 s".to_owned();
    }
    let units = [(3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs")];
    // Hours and minutes only from one and a half of them.
    let suits = |size: f64| seconds.abs() >= if size >= 60.0 { size * 1.5 } else { size * 0.9995 };
    let (size, unit) = units.into_iter().find(|&(size, _)| suits(size)).unwrap_or((1e-9, "ns"));
    format!("{} {unit}", write(seconds / size))
}

/// Writes a round number, such as stands at an axis.
pub(crate) fn short(number: f64) -> String {
    let rounded = (number * 1000.0).round() / 1000.0;
    if rounded.abs() >= 10_000.0 { integer(round(rounded)) } else { rounded.to_string() }
}

/// Writes a number with three significant digits.
pub(crate) fn significant(number: f64) -> String {
    let size = number.abs();
    if size == 0.0 {
        "0".to_owned()
    } else if size >= 99.95 {
        integer(round(size))
    } else if size >= 9.995 {
        format!("{number:.1}")
    } else if size >= 0.9995 {
        format!("{number:.2}")
    } else if size >= 0.000_999_5 {
        format!("{number:.4}").trim_end_matches('0').to_owned()
    } else {
        format!("{number:.2e}")
    }
}

/// Writes names one after the other, with an “and” before the last.
pub(crate) fn list(names: &[&str]) -> String {
    match names {
        [] => "none".to_owned(),
        [name] => (*name).to_owned(),
        [names @ .., last] => format!("{} and {last}", names.join(", ")),
    }
}

/// Writes an integer with a thin space between thousands.
pub(crate) fn integer(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) && digits.len() > 4 {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

/// Writes how many times as much something is as expected.
pub(crate) fn factor(ratio: f64) -> String {
    if ratio < 9.95 { format!("{ratio:.2}") } else { significant(ratio) }
}

/// Writes a share of one as a percentage with three significant digits.
pub(crate) fn percentage(share: f64) -> String {
    format!("{} %", significant(share * 100.0))
}

/// Writes a share near one as a percentage, rounded down so that only one itself is 100 %.
pub(crate) fn accuracy(share: f64) -> String {
    format!("{:.4} %", (share * 1e6).floor() / 1e4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_take_the_unit_that_suits_them() {
        let times = [
            (0.0, "0 s"),
            (1.5e-9, "1.50 ns"),
            (0.000_25, "250 µs"),
            (0.1, "100 ms"),
            (0.9996, "1.00 s"),
            (59.96, "60.0 s"),
            (89.0, "89.0 s"),
            (90.0, "1.50 min"),
            (7_200.0, "2.00 h"),
        ];
        for (seconds, text) in times {
            assert_eq!(time(seconds), text);
        }
    }

    #[test]
    fn numbers_keep_three_digits() {
        let numbers = [
            (0.0, "0"),
            (123.4, "123"),
            (12_345.6, "12\u{202f}346"),
            (12.34, "12.3"),
            (1.234, "1.23"),
            (0.1, "0.1"),
            (0.012_34, "0.0123"),
            (0.000_012_3, "1.23e-5"),
        ];
        for (number, text) in numbers {
            assert_eq!(significant(number), text);
        }
    }

    #[test]
    fn only_perfect_accuracy_is_a_hundred_percent() {
        assert_eq!(accuracy(1.0), "100.0000 %");
        assert_eq!(accuracy(0.999_999_999), "99.9999 %");
        assert_eq!(accuracy(0.5), "50.0000 %");
        assert_eq!(percentage(0.0333), "3.33 %");
    }
}
