use core::time::Duration;

use super::{FaultError, Grammar, Kill, Partition, Pause, Place, Skew, Target};

const PAUSE: Grammar = Grammar { form: "WHO@START+LENGTH", example: "leader@5s+8s" };
const KILL: Grammar =
    Grammar { form: "WHO@START, or WHO@START+TIME if it comes back", example: "leader@5s+2s" };
const PARTITION: Grammar = Grammar {
    form: "SIDE|SIDE@START+LENGTH, where a side is of nodes, `client` and `store`",
    example: "0,1|2,3,4,store@5s+5s",
};
const SKEW: Grammar = Grammar {
    form: "NODE=+TIME or NODE=-TIME, with @START if it is not at once",
    example: "1=+30s",
};

/// Reads `leader@5s+8s`.
pub(in crate::failover) fn pause(text: &str) -> Result<Pause, FaultError> {
    let error = |why| FaultError { text: text.to_owned(), why, grammar: PAUSE };
    let (who, when) = text.split_once('@').ok_or_else(|| error(NO_START))?;
    let (at, lasts) = when.split_once('+').ok_or_else(|| error(NO_LENGTH))?;
    Ok(Pause {
        target: target(who).ok_or_else(|| error(NOBODY))?,
        at: time(at).ok_or_else(|| error(NO_TIME))?,
        lasts: length(lasts).ok_or_else(|| error(NO_TIME))?,
    })
}

/// Reads `leader@5s` and `leader@5s+2s`.
pub(in crate::failover) fn kill(text: &str) -> Result<Kill, FaultError> {
    let error = |why| FaultError { text: text.to_owned(), why, grammar: KILL };
    let (who, when) = text.split_once('@').ok_or_else(|| error(NO_START))?;
    let (at, back) = match when.split_once('+') {
        Some((at, back)) => (at, Some(back)),
        None => (when, None),
    };
    let back_after = match back {
        Some(back) => Some(length(back).ok_or_else(|| error(NO_TIME))?),
        None => None,
    };
    Ok(Kill {
        target: target(who).ok_or_else(|| error(NOBODY))?,
        at: time(at).ok_or_else(|| error(NO_TIME))?,
        back_after,
    })
}

/// Reads `0,1|2,3,4,store@5s+5s`.
pub(in crate::failover) fn partition(text: &str) -> Result<Partition, FaultError> {
    let error = |why| FaultError { text: text.to_owned(), why, grammar: PARTITION };
    let (sides, when) = text.split_once('@').ok_or_else(|| error(NO_START))?;
    let (at, lasts) = when.split_once('+').ok_or_else(|| error(NO_LENGTH))?;
    let mut named = Vec::new();
    let mut found = Vec::new();
    for side in sides.split('|') {
        let mut places = Vec::new();
        for name in side.split(',') {
            let place = match name.trim() {
                "client" => Place::Client,
                "store" => Place::Store,
                node => Place::Node(node.parse().map_err(|_| error(NOBODY))?),
            };
            if named.contains(&place) {
                return Err(error("one is named twice"));
            }
            named.push(place);
            places.push(place);
        }
        found.push(places);
    }
    if found.len() < 2 {
        return Err(error("there is only one side"));
    }
    let at = time(at).ok_or_else(|| error(NO_TIME))?;
    Ok(Partition { sides: found, at, lasts: length(lasts).ok_or_else(|| error(NO_TIME))? })
}

/// Reads `1=+30s` and `1=-200ms@3s`.
pub(in crate::failover) fn skew(text: &str) -> Result<Skew, FaultError> {
    let error = |why| FaultError { text: text.to_owned(), why, grammar: SKEW };
    let (node, by) = text.split_once('=').ok_or_else(|| error("there is no `=`"))?;
    let (by, at) = match by.split_once('@') {
        Some((by, at)) => (by, time(at).ok_or_else(|| error(NO_TIME))?),
        None => (by, Duration::ZERO),
    };
    let (sign, by) = match (by.strip_prefix('+'), by.strip_prefix('-')) {
        (Some(by), _) => (1, by),
        (None, Some(by)) => (-1, by),
        (None, None) => return Err(error("there is no sign before the time")),
    };
    let by = time(by).and_then(|by| i64::try_from(by.as_nanos()).ok());
    Ok(Skew {
        node: node.trim().parse().map_err(|_| error(NOBODY))?,
        by_ns: sign * by.ok_or_else(|| error(NO_TIME))?,
        at,
    })
}

fn target(text: &str) -> Option<Target> {
    match text.trim() {
        "leader" => Some(Target::Leader),
        node => node.parse().ok().map(Target::Node),
    }
}

fn time(text: &str) -> Option<Duration> {
    humantime::parse_duration(text).ok().filter(|time| *time <= LONGEST)
}

fn length(text: &str) -> Option<Duration> {
    time(text).filter(|length| !length.is_zero())
}

/// A run is for people to look at.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

const NO_START: &str = "there is no `@` with the time at which it begins";
const NO_LENGTH: &str = "there is no `+` with the time for which it lasts";
const NO_TIME: &str =
    "a time is a number and a unit, more than nothing for what lasts, and at most a day";
const NOBODY: &str = "a node is a number from 0";

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn faults_are_as_the_examples_have_them() {
        assert_eq!(
            pause(PAUSE.example),
            Ok(Pause { target: Target::Leader, at: seconds(5), lasts: seconds(8) })
        );
        assert_eq!(
            kill(KILL.example),
            Ok(Kill { target: Target::Leader, at: seconds(5), back_after: Some(seconds(2)) })
        );
        assert_eq!(
            kill("3@500ms"),
            Ok(Kill { target: Target::Node(3), at: Duration::from_millis(500), back_after: None })
        );
        let sides = vec![
            vec![Place::Node(0), Place::Node(1)],
            vec![Place::Node(2), Place::Node(3), Place::Node(4), Place::Store],
        ];
        assert_eq!(super::super::describe(&sides), "0,1|2,3,4,store");
        assert_eq!(
            partition(PARTITION.example),
            Ok(Partition { sides, at: seconds(5), lasts: seconds(5) })
        );
        assert_eq!(
            skew(SKEW.example),
            Ok(Skew { node: 1, by_ns: 30_000_000_000, at: Duration::ZERO })
        );
        assert_eq!(skew("2=-200ms@3s"), Ok(Skew { node: 2, by_ns: -200_000_000, at: seconds(3) }));
    }

    #[test]
    fn what_is_none_says_why_and_how_it_is_written() {
        for (error, why) in [
            (pause("leader").unwrap_err(), NO_START),
            (pause("leader@5s").unwrap_err(), NO_LENGTH),
            (pause("leader@5s+0s").unwrap_err(), NO_TIME),
            (pause("leader@5+8s").unwrap_err(), NO_TIME),
            (pause("leder@5s+8s").unwrap_err(), NOBODY),
            (kill("-1@5s").unwrap_err(), NOBODY),
            (kill("1").unwrap_err(), NO_START),
            (kill("1@5s+").unwrap_err(), NO_TIME),
            (partition("0,1@5s+5s").unwrap_err(), "there is only one side"),
            (partition("0,1|1@5s+5s").unwrap_err(), "one is named twice"),
            (partition("0,|1@5s+5s").unwrap_err(), NOBODY),
            (partition("0|1@5s").unwrap_err(), NO_LENGTH),
            (partition("0|1@5s+25h").unwrap_err(), NO_TIME),
            (skew("1").unwrap_err(), "there is no `=`"),
            (skew("1=30s").unwrap_err(), "there is no sign before the time"),
            (skew("one=+30s").unwrap_err(), NOBODY),
            (skew("1=+30").unwrap_err(), NO_TIME),
        ] {
            assert_eq!(error.why, why);
            let text = error.to_string();
            assert!(text.contains(error.grammar.example) && text.contains(error.grammar.form));
        }
    }
}
