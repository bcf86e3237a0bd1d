//! The figure that the comparison is about: mistakes against detection time.

use core::ops::Range;

use maud::{Markup, html};
use plotters::{
    chart::{ChartBuilder, ChartContext},
    element::{EmptyElement, Polygon},
    prelude::{Cartesian2d, LineSeries, SVGBackend},
    style::{Color as _, ShapeStyle},
};

use super::{
    super::{
        catalogue::Kind,
        comparison::{Comparison, Outcome},
        number::float,
        text,
    },
    figure::{
        Axis, BED, Canvas, DrawError, FRONT, PIXELS, Size, axis, figure, log_labels, series,
        style_mesh,
    },
};
use crate::page::Alternative;

type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

/// Where a logarithmic axis puts no mistakes at all: as far below one as two is above it.
const NONE: f64 = -core::f64::consts::LOG10_2;

/// Draws the figure with its keys.
pub(crate) fn curves(index: usize, comparison: &Comparison) -> Result<Markup, DrawError> {
    let alternative = Alternative {
        id: &format!("curves-{index}"),
        title: &format!("Mistakes against mean detection time on {}", comparison.name),
        description: &describe(comparison),
    };
    let plot = figure(alternative, 430, &|canvas, size| draw(canvas, size, comparison))?;
    Ok(html! {
        (keys(comparison))
        (plot)
        p.note {
            "★ marks the Pareto-optimal detectors; the broad line joins the results that no other beats. \
            Point at a name to see its line alone."
        }
    })
}

/// Says of each line where it begins and ends.
fn describe(comparison: &Comparison) -> String {
    let lines = comparison.kinds().filter_map(|kind| {
        let mut outcomes: Vec<&Outcome> = comparison.of(kind).collect();
        outcomes.sort_by(|a, b| a.merit().0.total_cmp(&b.merit().0));
        let end = shown(comparison, kind).len().checked_sub(1)?;
        let [from, to] = [outcomes.first()?, outcomes.get(end)?].map(|outcome| {
            let mistakes = text::integer(outcome.quality.mistakes());
            format!("{mistakes} at {}", text::time(outcome.quality.detection_time()))
        });
        Some(format!("{} goes from {from} to {to}", kind.name()))
    });
    let lines: Vec<String> = lines.collect();
    let statement = super::super::table::pareto_statement(comparison);
    format!(
        "A line for each detector, of mistakes at a mean detection time: {}. {statement}",
        lines.join("; ")
    )
}

fn draw(canvas: &Canvas<'_>, size: Size, comparison: &Comparison) -> Result<(), DrawError> {
    let (x, y) = ranges(comparison);
    let x_labels = log_labels(&x, if size.is_narrow() { 5 } else { 11 });
    let mut y_labels = log_labels(&(0.0..y.end), 8);
    y_labels.insert(0, NONE);
    let mut chart = ChartBuilder::on(canvas)
        .margin(8 * PIXELS)
        .margin_right(16 * PIXELS)
        .x_label_area_size(40 * PIXELS)
        .y_label_area_size(52 * PIXELS)
        .build_cartesian_2d(axis(x, x_labels), axis(y, y_labels))?;
    let mut mesh = chart.configure_mesh();
    style_mesh(&mut mesh);
    mesh.x_desc("mean detection time")
        .y_desc("mistakes")
        .x_label_formatter(&|x| text::short_time(10_f64.powf(*x)))
        .y_label_formatter(&|y| {
            if *y < 0.0 { "0".to_owned() } else { text::short(10_f64.powf(*y)) }
        })
        .draw()?;
    draw_front(&mut chart, comparison)?;
    for kind in comparison.kinds() {
        let points = shown(comparison, kind);
        let style = ShapeStyle { color: series(kind).to_rgba(), filled: false, stroke_width: 4 };
        chart.draw_series(LineSeries::new(points.iter().map(|(place, _)| *place), style))?;
        for (index, (place, on_front)) in points.iter().enumerate() {
            if *on_front || index % 6 == 3 || index + 1 == points.len() {
                draw_marker(&mut chart, kind, *place, if *on_front { 5 } else { 4 })?;
            }
        }
    }
    Ok(())
}

/// Draws the front as a staircase: what is above and right of it is beaten by something on it.
fn draw_front(chart: &mut Chart<'_, '_>, comparison: &Comparison) -> Result<(), DrawError> {
    let front = comparison.results.iter().filter(|outcome| outcome.on_front);
    let mut corners: Vec<(f64, f64)> = front.map(place).collect();
    corners.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut stairs: Vec<(f64, f64)> = Vec::new();
    for corner in corners {
        if let Some(&(_, height)) = stairs.last() {
            stairs.push((corner.0, height));
        }
        stairs.push(corner);
    }
    // Its edges are seen, and the lines of the detectors on what is between them.
    for (color, stroke_width) in [(FRONT, 19), (BED, 14)] {
        let style = ShapeStyle { color: color.to_rgba(), filled: false, stroke_width };
        chart.draw_series(LineSeries::new(stairs.iter().copied(), style))?;
    }
    Ok(())
}

fn draw_marker(
    chart: &mut Chart<'_, '_>,
    kind: Kind,
    place: (f64, f64),
    size: i32,
) -> Result<(), DrawError> {
    let scaled = |&(x, y): &(i32, i32)| (x * size / 6, y * size / 6);
    let outline: Vec<(i32, i32)> = marker(kind).iter().map(scaled).collect();
    chart.draw_series([EmptyElement::at(place) + Polygon::new(outline, series(kind).filled())])?;
    Ok(())
}

/// Returns the outline of a detector's marker, within 12 of the origin.
fn marker(kind: Kind) -> &'static [(i32, i32)] {
    match kind {
        Kind::Fixed => {
            &[(-5, -12), (5, -12), (12, -5), (12, 5), (5, 12), (-5, 12), (-12, 5), (-12, -5)]
        }
        Kind::Chen => &[(-10, -10), (10, -10), (10, 10), (-10, 10)],
        Kind::Bertier => &[
            (-12, -8),
            (-8, -12),
            (0, -4),
            (8, -12),
            (12, -8),
            (4, 0),
            (12, 8),
            (8, 12),
            (0, 4),
            (-8, 12),
            (-12, 8),
            (-4, 0),
        ],
        Kind::TwoWindow => &[(0, -12), (12, 10), (-12, 10)],
        Kind::Phi => &[(0, -13), (13, 0), (0, 13), (-13, 0)],
        Kind::Exponential => &[
            (-3, -12),
            (3, -12),
            (3, -3),
            (12, -3),
            (12, 3),
            (3, 3),
            (3, 12),
            (-3, 12),
            (-3, 3),
            (-12, 3),
            (-12, -3),
            (-3, -3),
        ],
        Kind::Satzger => &[(0, 12), (12, -10), (-12, -10)],
        Kind::RateTarget => &[(-4, -13), (4, -13), (4, 13), (-4, 13)],
        Kind::JitterScaled => &[(-10, -12), (12, 0), (-10, 12)],
    }
}

/// Returns a detector's points up to its first without a mistake, after which nothing happens.
fn shown(comparison: &Comparison, kind: Kind) -> Vec<((f64, f64), bool)> {
    let mut outcomes: Vec<&Outcome> = comparison.of(kind).collect();
    outcomes.sort_by(|a, b| a.merit().0.total_cmp(&b.merit().0));
    let clean = outcomes.iter().position(|outcome| outcome.quality.mistakes() == 0);
    let end = clean.map_or(outcomes.len(), |first| first + 1);
    outcomes.iter().take(end).map(|outcome| (place(outcome), outcome.on_front)).collect()
}

fn place(outcome: &Outcome) -> (f64, f64) {
    let (detection_time, mistakes) = outcome.merit();
    let height = if mistakes == 0 { NONE } else { float(mistakes.into()).log10() };
    (detection_time.max(1e-9).log10(), height)
}

fn ranges(comparison: &Comparison) -> (Range<f64>, Range<f64>) {
    let points: Vec<(f64, f64)> = comparison
        .kinds()
        .flat_map(|kind| shown(comparison, kind))
        .map(|(place, _)| place)
        .collect();
    let least = points.iter().map(|point| point.0).fold(f64::INFINITY, f64::min);
    let most = points.iter().map(|point| point.0).fold(f64::NEG_INFINITY, f64::max);
    let height = points.iter().map(|point| point.1).fold(0.5, f64::max);
    (least - 0.02..most.max(least + 0.02) + 0.02, NONE - 0.12..height + 0.12)
}

/// Returns the keys to the lines; pointing at one, or tabbing to it, dims the others.
fn keys(comparison: &Comparison) -> Markup {
    html! {
        ul.keys {
            @for kind in comparison.kinds() {
                @let optimal = comparison.of(kind).any(|outcome| outcome.on_front);
                li class=(format!("key-{}", kind.name())) title=(kind.parameter_name()) tabindex="0" {
                    svg viewBox="0 0 88 24" aria-hidden="true" {
                        line x1="0" y1="12" x2="88" y2="12"
                            style=(format!("stroke:var(--{})", kind.name())) {}
                        polygon points=(key_marker(kind))
                            style=(format!("fill:var(--{})", kind.name())) {}
                    }
                    (kind.name())
                    @if optimal { span.optimal role="img" aria-label="Pareto-optimal" { "★" } }
                }
            }
        }
    }
}

/// Returns the corners of a detector's marker, in the middle of its key.
fn key_marker(kind: Kind) -> String {
    let corner = |(x, y): &(i32, i32)| format!("{},{}", 44 + x * 3 / 4, 12 + y * 3 / 4);
    marker(kind).iter().map(corner).collect::<Vec<_>>().join(" ")
}
