use core::time::Duration;

use maud::{Markup, html};

use crate::{
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

/// Says what the figure shows to those who do not see it.
fn describe(story: &Story) -> String {
    let mut parts = Vec::new();
    for (node, lane) in story.lanes.iter().enumerate() {
        for Span { from_ns, to_ns, state } in &lane.spans {
            let what = match state {
                State::Leads { token } => format!("leads with token {token}"),
                State::Stopped => "is stopped".to_owned(),
                State::Gone => "is gone".to_owned(),
            };
            let [from, to] = [from_ns, to_ns].map(|at| seconds(*at));
            parts.push(format!("node-{node} {what} from {from:.2} to {to:.2} s"));
        }
    }
    format!("{}.", parts.join("; "))
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
