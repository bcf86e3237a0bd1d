//! The figure of how long the intervals between arrivals are.

use core::ops::Range;

use maud::{Markup, html};
use plotters::{
    chart::ChartBuilder,
    element::{PathElement, Rectangle},
    style::Color as _,
};

use super::{
    super::{
        comparison::Comparison,
        number::{count, float, round},
        text,
        timeline::Timeline,
    },
    details,
    figure::{
        BAR, Canvas, DrawError, MARK, PIXELS, Size, axis, figure, label_style_in, log_labels,
        style_mesh,
    },
};
use crate::page::Alternative;

/// About how many bars there are.
const BARS: f64 = 70.0;

/// One bar: the logarithms of its bounds in seconds, and how many intervals lie within.
struct Bar {
    from: f64,
    to: f64,
    intervals: usize,
}

/// Draws the figure, with its numbers below.
pub(crate) fn histogram(index: usize, comparison: &Comparison) -> Result<Markup, DrawError> {
    let bars = bars(&comparison.timeline);
    let interval = comparison.summary.interval;
    let alternative = Alternative {
        id: &format!("intervals-{index}"),
        title: &format!("Intervals between fresh arrivals on {}", comparison.name),
        description: &describe(&bars, interval),
    };
    let plot = figure(alternative, 260, &|canvas, size| draw(canvas, size, &bars, interval))?;
    let rows = bars.iter().filter(|bar| bar.intervals > 0).map(|bar| {
        let bound = |logarithm: f64| text::time(10_f64.powf(logarithm));
        vec![bound(bar.from), bound(bar.to), bar.intervals.to_string()]
    });
    Ok(html! {
        (plot)
        (details(&format!("The numbers of intervals on {}", comparison.name), &["from", "to", "intervals"], rows))
    })
}

fn describe(bars: &[Bar], interval: f64) -> String {
    let time = |logarithm: f64| text::time(10_f64.powf(logarithm));
    let sent = format!("A histogram. Heartbeats are sent every {}", text::time(interval));
    let most = bars.iter().max_by_key(|bar| bar.intervals);
    match (bars.first(), most, bars.last()) {
        (Some(first), Some(most), Some(last)) => format!(
            "{sent}. The intervals are of {} to {}; the most, {}, of {} to {}.",
            time(first.from),
            time(last.to),
            text::integer(u64::try_from(most.intervals).unwrap_or(u64::MAX)),
            time(most.from),
            time(most.to),
        ),
        _ => format!("{sent}, and no interval is of any length."),
    }
}

fn draw(canvas: &Canvas<'_>, size: Size, bars: &[Bar], interval: f64) -> Result<(), DrawError> {
    let most = bars.iter().map(|bar| bar.intervals).max().unwrap_or(1);
    let (x, y) = (range(bars), -0.3..count(most.max(2)).log10() + 0.15);
    let x_labels = log_labels(&x, if size.is_narrow() { 5 } else { 12 });
    let y_labels = log_labels(&(-0.01..y.end), 6);
    let mut chart = ChartBuilder::on(canvas)
        .margin(8 * PIXELS)
        .margin_right(16 * PIXELS)
        .margin_top(20 * PIXELS)
        .x_label_area_size(40 * PIXELS)
        .y_label_area_size(60 * PIXELS)
        .build_cartesian_2d(axis(x, x_labels), axis(y.clone(), y_labels))?;
    let mut mesh = chart.configure_mesh();
    style_mesh(&mut mesh);
    mesh.disable_x_mesh()
        .x_desc("interval between arrivals")
        .y_desc("intervals")
        .x_label_formatter(&|x| text::short_time(10_f64.powf(*x)))
        .y_label_formatter(&|y| text::short(10_f64.powf(*y)))
        .draw()?;
    let filled = bars.iter().filter(|bar| bar.intervals > 0).map(|bar| {
        let gap = (bar.to - bar.from) * 0.06;
        let top = count(bar.intervals).log10();
        Rectangle::new([(bar.from + gap, y.start), (bar.to - gap, top)], BAR.filled())
    });
    chart.draw_series(filled)?;
    let eta = interval.log10();
    chart.draw_series([PathElement::new(
        vec![(eta, y.start), (eta, y.end)],
        MARK.stroke_width(PIXELS + 1),
    )])?;
    let (left, _) = chart.backend_coord(&(eta, y.end));
    canvas.draw_text("η", &label_style_in(MARK), (left - 6, 2))?;
    Ok(())
}

fn range(bars: &[Bar]) -> Range<f64> {
    let start = bars.first().map_or(-1.0, |bar| bar.from);
    let end = bars.last().map_or(0.0, |bar| bar.to);
    start - 0.02..end + 0.02
}

/// Counts the intervals between fresh arrivals by their logarithm; those of no length are left out.
fn bars(timeline: &Timeline) -> Vec<Bar> {
    let fresh: Vec<u64> =
        timeline.beats().iter().filter(|beat| beat.fresh).map(|beat| beat.at).collect();
    let logarithms: Vec<f64> = fresh
        .windows(2)
        .filter_map(|pair| match pair {
            [before, after] if after > before => {
                Some(timeline.scale().seconds((after - before).into()).log10())
            }
            _ => None,
        })
        .collect();
    let least = logarithms.iter().copied().fold(f64::INFINITY, f64::min);
    let most = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if least > most {
        return Vec::new();
    }
    let per_decade = (BARS / (most - least).max(0.1)).round();
    let index = |logarithm: f64| (logarithm * per_decade).floor();
    let first = index(least);
    let bars = round(index(most) - first) + 1;
    let mut counted: Vec<Bar> = (0..bars)
        .map(|bar| {
            let from = (first + float(bar.into())) / per_decade;
            Bar { from, to: from + 1.0 / per_decade, intervals: 0 }
        })
        .collect();
    for logarithm in logarithms {
        let bar = usize::try_from(round(index(logarithm) - first)).unwrap_or(usize::MAX);
        if let Some(bar) = counted.get_mut(bar) {
            bar.intervals += 1;
        }
    }
    counted
}
