//! The configuration as Rust, to be pasted into a service.

use core::{fmt::Write as _, mem::size_of, time::Duration};

use surmise_detector::{
    Bertier, Capped, Chen, Exponential, FixedTimeout, JitterScaled, PhiAccrual, RateTarget,
    Satzger, TwoWindow,
};

use super::search::Setting;
use crate::compare::{
    catalogue::{Kind, WINDOW},
    number::round,
};

/// Returns the bytes that a detector takes for each peer, its window and the limit included.
pub(crate) fn size(kind: Kind) -> usize {
    match kind {
        Kind::Fixed => size_of::<FixedTimeout>(),
        Kind::Chen => size_of::<Capped<Chen<[i64; WINDOW]>>>(),
        Kind::Bertier => size_of::<Capped<Bertier<[i64; WINDOW]>>>(),
        Kind::TwoWindow => size_of::<Capped<TwoWindow<[i64; WINDOW]>>>(),
        Kind::Phi => size_of::<Capped<PhiAccrual<[u64; WINDOW]>>>(),
        Kind::Exponential => size_of::<Capped<Exponential<[u64; WINDOW]>>>(),
        Kind::Satzger => size_of::<Capped<Satzger<[u64; WINDOW]>>>(),
        Kind::RateTarget => size_of::<Capped<RateTarget>>(),
        Kind::JitterScaled => size_of::<Capped<JitterScaled>>(),
    }
}

/// Returns Rust code that makes the detector for heartbeats at this interval.
pub(crate) fn rust(setting: Setting, interval: Duration) -> String {
    let kind = setting.point.kind;
    let detector = detector(kind);
    let mut code = String::new();
    let _ = writeln!(
        code,
        "// needs the crate surmise-detector (or surmise, and write `surmise::detector`)"
    );
    let _ = writeln!(code, "use core::time::Duration;\n");
    code.push_str(&import(&imports(kind)));
    if kind == Kind::Fixed {
        // Its timeout is the limit.
        let timeout = duration(nanos(setting.point.parameter));
        let _ = write!(
            code,
            "
/// Creates the detector for one peer.
pub fn detector() -> Result<FixedTimeout, ConfigError> {{
    FixedTimeout::new({timeout})
}}
"
        );
        return code;
    }
    let limit = duration(Duration::from_nanos(setting.limit));
    let construction = construction(setting, interval);
    let _ = write!(
        code,
        "
/// Creates the detector for one peer.
pub fn detector() -> Result<Capped<{detector}>, ConfigError> {{
{construction}    // No heartbeat vouches for the peer for longer, whatever is learned.
    Capped::new(detector, {limit})
}}
"
    );
    code
}

/// Returns the detector's type.
fn detector(kind: Kind) -> String {
    match kind {
        Kind::Fixed => "FixedTimeout".to_owned(),
        Kind::Chen => format!("Chen<[i64; {WINDOW}]>"),
        Kind::Bertier => format!("Bertier<[i64; {WINDOW}]>"),
        Kind::TwoWindow => format!("TwoWindow<[i64; {WINDOW}]>"),
        Kind::Phi => format!("PhiAccrual<[u64; {WINDOW}]>"),
        Kind::Exponential => format!("Exponential<[u64; {WINDOW}]>"),
        Kind::Satzger => format!("Satzger<[u64; {WINDOW}]>"),
        Kind::RateTarget => "RateTarget".to_owned(),
        Kind::JitterScaled => "JitterScaled".to_owned(),
    }
}

/// Returns what the code needs of `surmise_detector`.
fn imports(kind: Kind) -> Vec<&'static str> {
    let own: &[&str] = match kind {
        Kind::Fixed => return vec!["ConfigError", "FixedTimeout"],
        Kind::Chen => &["Chen", "ChenConfig"],
        Kind::Bertier => &["Bertier", "BertierConfig"],
        Kind::TwoWindow => &["TwoWindow", "TwoWindowConfig"],
        Kind::Phi => &["LateIntervals", "MinStdDeviation", "PhiAccrual", "PhiConfig", "PhiScale"],
        Kind::Exponential => {
            &["Exponential", "ExponentialConfig", "ExponentialScale", "LateIntervals"]
        }
        Kind::Satzger => &["LateIntervals", "Satzger", "SatzgerConfig"],
        Kind::RateTarget => &["RateTarget", "RateTargetConfig"],
        Kind::JitterScaled => &["JitterScaled", "JitterScaledConfig"],
    };
    let mut imports = vec!["Capped", "ConfigError"];
    imports.extend(own);
    imports.sort_unstable();
    imports
}

/// Returns the line that brings these in, or the lines where one would be too long.
fn import(names: &[&str]) -> String {
    let line = format!("use surmise_detector::{{{}}};\n", names.join(", "));
    if line.len() <= WIDTH {
        return line;
    }
    let mut lines = String::from("use surmise_detector::{\n   ");
    let mut column = 3;
    for name in names {
        if column + name.len() + 2 > WIDTH {
            lines.push_str("\n   ");
            column = 3;
        }
        let _ = write!(lines, " {name},");
        column += name.len() + 2;
    }
    lines + "\n};\n"
}

/// Returns the lines that make the detector within the limit: the catalogue's, in words.
fn construction(setting: Setting, interval: Duration) -> String {
    let kind = setting.point.kind;
    let value = setting.point.parameter;
    let interval = format!("interval: {}", duration(interval));
    let margin = || format!("safety_margin: {}", duration(nanos(value)));
    let learn = "late_intervals: LateIntervals::Learn".to_owned();
    let (name, fields) = match kind {
        Kind::Fixed => return String::new(),
        Kind::Chen => ("Chen", vec![interval, margin()]),
        Kind::TwoWindow => ("TwoWindow", vec![interval, margin()]),
        Kind::Bertier => {
            let weights = [
                "gain: 0.1".to_owned(),
                "delay_weight: 1.0".to_owned(),
                format!("deviation_weight: {value:?}"),
            ];
            ("Bertier", [vec![interval], weights.to_vec()].concat())
        }
        Kind::Phi => (
            "PhiAccrual",
            vec![
                format!("threshold: {value:?}"),
                "scale: PhiScale::Normal".to_owned(),
                interval,
                "min_std_deviation: MinStdDeviation::Absolute(Duration::ZERO)".to_owned(),
                "acceptable_pause: Duration::ZERO".to_owned(),
                learn,
            ],
        ),
        Kind::Exponential => (
            "Exponential",
            vec![
                format!("threshold: {value:?}"),
                "scale: ExponentialScale::Probability".to_owned(),
                interval,
                "prior_weight: 0".to_owned(),
                learn,
            ],
        ),
        Kind::Satzger => (
            "Satzger",
            vec![format!("threshold: {value:?}"), "stretch: 1.5".to_owned(), interval, learn],
        ),
        Kind::RateTarget => {
            ("RateTarget", vec![interval, format!("rate: {value:?}"), "gain: 1.0".to_owned()])
        }
        Kind::JitterScaled => ("JitterScaled", vec![interval, format!("factor: {value:?}")]),
    };
    let config = if name == "PhiAccrual" { "Phi" } else { name };
    let fields: String = fields.iter().map(|field| format!("        {field},\n")).collect();
    format!("    let detector = {name}::new({config}Config {{\n{fields}    }})?;\n")
}

/// Returns the expression for a duration, in the largest unit in which it is whole.
fn duration(time: Duration) -> String {
    let nanos = time.as_nanos();
    let units = [(1_000_000_000, "secs"), (1_000_000, "millis"), (1_000, "micros")];
    let whole = units.into_iter().find(|&(size, _)| nanos.is_multiple_of(size));
    let (size, unit) = whole.unwrap_or((1, "nanos"));
    format!("Duration::from_{unit}({})", grouped(nanos / size))
}

/// Writes an integer as Rust does, with underscores from five digits on.
fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) && digits.len() > 4 {
            text.push('_');
        }
        text.push(digit);
    }
    text
}

fn nanos(seconds: f64) -> Duration {
    Duration::from_nanos(round(seconds * 1e9))
}

/// The widest line, so that it fits the screen when it is indented.
const WIDTH: usize = 94;

#[cfg(test)]
mod tests;
