use core::time::Duration;

use maud::{Markup, html};

use crate::{
    compare::text,
    failover::story::{BIN_NS, Lane, Span, State, Story},
    page::{self, Alternative, Screen},
};

/// Returns the lanes of the nodes with the client's writes below, for wide and for narrow screens.
pub(super) fn figure(story: &Story) -> Markup {
    html! {
        @for screen in Screen::ALL { (drawn(story, screen)) }
    }
}

fn drawn(story: &Story, screen: Screen) -> Markup {
    let width = f64::from(screen.width());
    let lanes = LANE * float(story.lanes.len());
    let height = lanes + WRITES + AXIS;
    let hatch = format!("hatch-{}", screen.name());
    let scale = Scale { width: width - LEFT - RIGHT, length: seconds(story.length_ns).max(1e-3) };
    let alternative = Alternative {
        id: "lanes",
        title: "What each node was when, and the writes",
        description: &describe(story),
    };
    let content = html! {
        defs {
            // One of its own, since nothing of a figure that is not shown can be drawn with.
            pattern id=(hatch) width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                rect.behind width="6" height="6" {}
                line.hatch x1="0" y1="0" x2="0" y2="6" {}
            }
        }
        @for (node, lane) in story.lanes.iter().enumerate() {
            (lane_of(node, lane, &scale, &hatch))
        }
        (writes(story, &scale, lanes))
        @for second in ticks(scale.length) {
            text.tick x=(scale.x(second)) y=(height - 6.0) { (second) " s" }
        }
    };
    page::figure(alternative, screen, [width, height], &content)
}

fn lane_of(node: usize, lane: &Lane, scale: &Scale, hatch: &str) -> Markup {
    let middle = LANE * (float(node) + 0.5);
    html! {
        text x="0" y=(middle + 4.0) { "node-" (node) }
        line.track x1=(LEFT) x2=(LEFT + scale.width) y1=(middle) y2=(middle) {}
        @for span in &lane.spans { (bar(span, scale, middle, hatch)) }
        // Above all bars, for one that was stopped is hatched while it leads.
        @for span in &lane.spans { (label(span, lane, scale, middle)) }
        @for at in &lane.convicted_ns {
            text.mark x=(scale.x(seconds(*at))) y=(middle - 12.0) { "▼" }
        }
        @for at in &lane.refused_ns {
            text.mark x=(scale.x(seconds(*at))) y=(middle + 22.0) { "✕" }
        }
    }
}

fn bar(span: &Span, scale: &Scale, middle: f64, hatch: &str) -> Markup {
    let [from, to] = [span.from_ns, span.to_ns].map(|at| scale.x(seconds(at)));
    let width = (to - from).max(1.0);
    let class = match &span.state {
        State::Leads { .. } => "leads",
        State::Stopped => "stopped",
        State::Gone => "gone",
    };
    let fill = (span.state == State::Stopped).then(|| format!("url(#{hatch})"));
    html! {
        rect class=(class) fill=[fill] x=(from) y=(middle - 10.0) width=(width) height="20" rx="3" {}
    }
}

/// Returns the token with which it led, where there is room for it: what is hatched is not.
fn label(span: &Span, lane: &Lane, scale: &Scale, middle: f64) -> Markup {
    let later = lane.spans.iter().filter(|other| other.from_ns > span.from_ns);
    let to_ns = later.map(|other| other.from_ns).fold(span.to_ns, u64::min);
    let [from, to] = [span.from_ns, to_ns].map(|at| scale.x(seconds(at)));
    html! {
        @if let State::Leads { token } = &span.state {
            @if to - from > 70.0 { text.inside x=(from + 6.0) y=(middle + 4.0) { "leads, " (token) } }
        }
    }
}

/// Returns the writes that were acknowledged, a bar for each bin.
fn writes(story: &Story, scale: &Scale, top: f64) -> Markup {
    let most = story.writes.iter().copied().max().unwrap_or(1).max(1);
    let bottom = top + WRITES;
    let width = scale.width * seconds(BIN_NS) / scale.length;
    html! {
        text x="0" y=(bottom - WRITES / 2.0 + 4.0) { "writes" }
        line.track x1=(LEFT) x2=(LEFT + scale.width) y1=(bottom) y2=(bottom) {}
        @for (bin, count) in story.writes.iter().enumerate().filter(|(_, count)| **count > 0) {
            @let height = (WRITES - 12.0) * f64::from(*count) / f64::from(most);
            rect.writes x=(LEFT + width * float(bin)) y=(bottom - height) width=(width * 0.85) height=(height) {}
        }
    }
}

/// Says what the figure shows to those who do not see it: first what it is looked at for, then all else.
fn describe(story: &Story) -> String {
    let mut sentences = vec![describe_writes(story)];
    for (node, lane) in story.lanes.iter().enumerate() {
        let marks = [
            ("is suspected by a majority", &lane.convicted_ns),
            ("has a write refused", &lane.refused_ns),
        ];
        for (what, times) in marks.into_iter().filter(|(_, times)| !times.is_empty()) {
            let times: Vec<String> =
                times.iter().map(|at| format!("{:.2}", seconds(*at))).collect();
            sentences.push(format!("node-{node} {what} at {} s.", times.join(", ")));
        }
    }
    for (node, lane) in story.lanes.iter().enumerate() {
        for Span { from_ns, to_ns, state } in &lane.spans {
            let what = match state {
                State::Leads { token } => format!("leads with token {token}"),
                State::Stopped => "is stopped".to_owned(),
                State::Gone => "is gone".to_owned(),
            };
            let [from, to] = [from_ns, to_ns].map(|at| seconds(*at));
            sentences.push(format!("node-{node} {what} from {from:.2} to {to:.2} s."));
        }
    }
    sentences.join(" ")
}

/// Says how many writes were acknowledged, and when none was for longest.
fn describe_writes(story: &Story) -> String {
    let writes: u64 = story.writes.iter().map(|count| u64::from(*count)).sum();
    let counted = match writes {
        1 => "1 write is acknowledged".to_owned(),
        _ => format!("{} writes are acknowledged", text::integer(writes)),
    };
    let calm = counts(story).into_iter().filter(|count| count.writes == 0);
    // Of those that are as long as each other, the first.
    let longest = calm.reduce(|a, b| if b.to_ns - b.from_ns > a.to_ns - a.from_ns { b } else { a });
    let Some(Count { from_ns, to_ns, .. }) = longest else { return format!("{counted}.") };
    let [from, to] = [from_ns, to_ns].map(seconds);
    format!("{counted}; for longest, none is from {from:.1} to {to:.1} s.")
}

/// How many writes were acknowledged over some time.
pub(super) struct Count {
    pub(super) from_ns: u64,
    pub(super) to_ns: u64,
    pub(super) writes: u32,
}

/// Returns the writes of each bin up to the end of the run; the empty ones that follow each other are one.
pub(super) fn counts(story: &Story) -> Vec<Count> {
    let mut counts: Vec<Count> = Vec::new();
    let starts = (0..).map(|bin: u64| bin * BIN_NS);
    for (bin, from_ns) in starts.enumerate() {
        let writes = match story.writes.get(bin) {
            Some(writes) => *writes,
            None if from_ns < story.length_ns => 0,
            None => break,
        };
        // The last one ends with the run.
        let to_ns = (from_ns + BIN_NS).min(story.length_ns);
        match counts.last_mut() {
            Some(last) if last.writes == 0 && writes == 0 => last.to_ns = to_ns,
            _ => counts.push(Count { from_ns, to_ns, writes }),
        }
    }
    counts
}

/// Where times are.
struct Scale {
    width: f64,
    /// In seconds.
    length: f64,
}

impl Scale {
    fn x(&self, seconds: f64) -> f64 {
        // A hundredth of a pixel is enough for any eye.
        ((LEFT + self.width * seconds / self.length) * 100.0).round() / 100.0
    }
}

/// Returns round numbers of seconds, about eight.
fn ticks(length: f64) -> impl Iterator<Item = f64> {
    let rough = length / 8.0;
    let power = 10_f64.powf(rough.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    let step = steps.into_iter().find(|step| *step >= rough).unwrap_or(rough);
    let rounded = |tick: f64| (tick * 1e6).round() / 1e6;
    (0..20_u32)
        .map(move |number| rounded(f64::from(number) * step))
        .take_while(move |at| *at <= length)
}

fn seconds(nanos: u64) -> f64 {
    Duration::from_nanos(nanos).as_secs_f64()
}

fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

const LEFT: f64 = 60.0;
const RIGHT: f64 = 14.0;
const LANE: f64 = 54.0;
const WRITES: f64 = 60.0;
const AXIS: f64 = 26.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn story(length_ns: u64, writes: Vec<u32>) -> Story {
        let lead = State::Leads { token: "1.7".to_owned() };
        let spans = vec![Span { from_ns: 0, to_ns: 400_000_000, state: lead }];
        let lane = Lane {
            spans,
            convicted_ns: vec![250_000_000],
            refused_ns: vec![310_000_000, 320_000_000],
        };
        Story { length_ns, lanes: vec![Lane::default(), lane], writes }
    }

    #[test]
    fn who_does_not_see_it_is_told_all() {
        assert_eq!(
            describe(&story(900_000_000, vec![3, 0, 2, 0, 0, 0, 900, 100])),
            "1005 writes are acknowledged; for longest, none is from 0.3 to 0.6 s. node-1 is suspected by a \
             majority at 0.25 s. node-1 has a write refused at 0.31, 0.32 s. node-1 leads with token 1.7 from \
             0.00 to 0.40 s."
        );
        let told = |length_ns, writes| describe_writes(&story(length_ns, writes));
        assert_eq!(told(200_000_000, vec![1, 4]), "5 writes are acknowledged.");
        assert_eq!(
            told(350_000_000, vec![1]),
            "1 write is acknowledged; for longest, none is from 0.1 to 0.3 s."
        );
        assert_eq!(told(0, vec![]), "0 writes are acknowledged.");
    }

    #[test]
    fn what_is_empty_is_counted_as_one_and_nothing_is_lost() {
        let counted = |length_ns, writes| -> Vec<(u64, u64, u32)> {
            let counts = counts(&story(length_ns, writes)).into_iter();
            counts
                .map(|count| (count.from_ns / 1_000_000, count.to_ns / 1_000_000, count.writes))
                .collect()
        };
        assert_eq!(
            counted(650_000_000, vec![0, 0, 5, 5]),
            [(0, 200, 0), (200, 300, 5), (300, 400, 5), (400, 650, 0)]
        );
        // An entry at the end of the run is in a bin of its own where the one before is full.
        assert_eq!(counted(100_000_000, vec![5, 1]), [(0, 100, 5), (100, 100, 1)]);
        assert_eq!(counted(0, vec![1]), [(0, 0, 1)]);
    }
}
