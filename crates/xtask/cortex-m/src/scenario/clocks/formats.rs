use core::fmt;

use surmise_clock::{HybridTimestamp, WallLogical};
use surmise_time::WallTime;

use super::{Random, Report, wall::Wall};

/// Reports stamps in the forms of other systems and as text, and what is read from texts.
pub(super) fn run(report: &mut Report<'_>) -> fmt::Result {
    let mut wall = Wall::new(7);
    let mut random = Random::new(8);
    for number in 0..150 {
        let stamp = wall.remote();
        report.text("stamp", number, format_args!("{stamp}"))?;
        report.value("stamp_bytes", number, &stamp.to_be_bytes())?;
        report.value("stamp_neighbours", number, &(stamp.previous(), stamp.next()))?;
        report.bits("to_ms48_16", number, stamp.to_ms48_16())?;
        report.value("to_ntp64", number, &stamp.to_ntp64())?;
        report.value("to_wall_logical", number, &stamp.to_wall_logical())?;

        let foreign = random.next() >> random.below(64);
        report.value("from_ms48_16", number, &HybridTimestamp::from_ms48_16(foreign))?;
        report.value("from_ntp64", number, &HybridTimestamp::from_ntp64(foreign))?;
        let (wall, logical) = (WallTime::from_nanos(foreign), (random.next() >> 32) as u32);
        let theirs = WallLogical::new(wall, logical);
        report.value("wall_logical", number, &theirs)?;
        if let Ok(theirs) = theirs {
            let from = HybridTimestamp::from_wall_logical(theirs);
            report.text("wall_logical_text", number, format_args!("{theirs}"))?;
            report.value("from_wall_logical", number, &from)?;
        }
        texts(report, number, &mut random)?;
    }
    Ok(())
}

/// Reads digits and points as they come.
fn texts(report: &mut Report<'_>, number: u64, random: &mut Random) -> fmt::Result {
    let mut bytes = [b'0'; 24];
    for byte in &mut bytes {
        *byte = *b"0123456789012345678901234567890123456789...-,"
            .get(random.below(45) as usize)
            .unwrap_or(&b'?');
    }
    let length = random.below(25) as usize;
    let text = bytes.get(..length).map(str::from_utf8);
    let Some(Ok(text)) = text else { panic!("the characters are in ASCII, and 24 of them") };
    report.value("stamp_of_text", number, &(text, text.parse::<HybridTimestamp>()))?;
    report.value("wall_logical_of_text", number, &(text, text.parse::<WallLogical>()))
}
