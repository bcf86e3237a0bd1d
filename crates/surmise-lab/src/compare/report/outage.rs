//! The figure of what was suspected around the longest silence.

use core::{ops::Range, time::Duration};

use maud::{Markup, html};
use plotters::{
    chart::{ChartBuilder, ChartContext},
    element::{EmptyElement, PathElement, Rectangle, Text},
    prelude::{Cartesian2d, LineSeries, SVGBackend},
    style::Color as _,
};
use surmise_detector::{
    AccrualDetector, ConfigError, Exponential, ExponentialConfig, FailureDetector, PhiAccrual,
    PhiConfig,
};
use surmise_time::Instant;

use super::{
    super::{
        catalogue::{Kind, WINDOW, window},
        comparison::Comparison,
        defaults::{Origin, presets},
        number::float,
        text,
        timeline::Timeline,
    },
    details,
    figure::{
        Axis, BAND, Canvas, DrawError, MARK, PIXELS, Size, TEXT, axis, figure, label_style_in,
        linear_labels, series, style_mesh,
    },
};
use crate::page::Alternative;

type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

/// Both curves are on the scale of φ: −log₁₀ of the probability of such a silence.
const THRESHOLD: f64 = 8.0;

/// The greatest suspicion that is shown.
const CEILING: f64 = 12.0;

/// How far an axis' last label, or its name, may reach beyond it on either side.
const MARGIN: u32 = 12 * PIXELS;

/// How many times the suspicion is read.
const SAMPLES: u32 = 480;

/// What is drawn. Times are in seconds after the last heartbeat before the silence.
struct Outage {
    shown: Range<f64>,
    silence: f64,
    lost: u64,
    arrivals: Vec<f64>,
    phi: Vec<(f64, f64)>,
    exponential: Vec<(f64, f64)>,
    deadlines: Vec<(&'static str, Kind, f64)>,
}

/// Draws the figure, with its numbers below.
pub(crate) fn outage(index: usize, comparison: &Comparison) -> Result<Markup, DrawError> {
    let Ok(outage) = Outage::new(comparison) else {
        return Ok(html! { p { "The default detectors do not take this trace's interval." } });
    };
    let alternative = Alternative {
        id: &format!("silence-{index}"),
        title: &format!("Suspicion around the longest silence on {}", comparison.name),
        description: &outage.describe(),
    };
    let height = 300 + 22 * u32::try_from(outage.deadlines.len()).unwrap_or(0);
    let plot = figure(alternative, height, &|canvas, size| outage.draw(canvas, size))?;
    let rows = outage.phi.iter().zip(&outage.exponential).step_by(8).map(|(phi, exponential)| {
        vec![format!("{:.4}", phi.0), format!("{:.3}", phi.1), format!("{:.3}", exponential.1)]
    });
    let deadlines = outage.deadlines.iter().map(|(name, _, deadline)| {
        let mistake = (outage.silence - deadline).max(0.0);
        vec![(*name).to_owned(), format!("{deadline:.6}"), format!("{mistake:.6}")]
    });
    Ok(html! {
        p.note {
            "The longest silence lasted " (text::time(outage.silence)) ", with " (losses(outage.lost))
            " lost in it. Above, how the suspicion of " b { "phi" }
            " and " b { "exponential" } " rises, both as −log₁₀ of the probability of such a silence, "
            "with each arrival as a tick on the axis. Below, our defaults: trust until the deadline, "
            "then suspicion, which is a mistake because the peer was alive."
        }
        (plot)
        (details(&format!("The deadlines on {}", comparison.name), &["default", "deadline (s)", "mistake (s)"], deadlines))
        (details(&format!("The curves on {}", comparison.name), &["time (s)", "phi", "exponential"], rows))
    })
}

impl Outage {
    fn new(comparison: &Comparison) -> Result<Self, ConfigError> {
        let timeline = &comparison.timeline;
        let scale = timeline.scale();
        let silence = comparison.summary.outage;
        let margin = (silence.ticks() / 2).max(4 * ticks(timeline.interval()));
        let start = silence.from.saturating_sub(margin);
        let end = silence.to.saturating_add(margin);
        let seconds = |at: u64| scale.seconds(i128::from(at) - i128::from(silence.from));
        let phi = PhiAccrual::with_storage(
            PhiConfig { threshold: THRESHOLD, ..PhiConfig::for_interval(timeline.interval()) },
            window(WINDOW),
        )?;
        let exponential = ExponentialConfig {
            threshold: THRESHOLD,
            ..ExponentialConfig::cassandra(timeline.interval())
        };
        let exponential = Exponential::with_storage(exponential, window(WINDOW))?;
        let curve = |detector| suspicions(timeline, detector, start..end);
        let place = |points: Vec<(u64, f64)>| {
            points.into_iter().map(|(at, level)| (seconds(at), level)).collect()
        };
        let fresh = timeline.beats().iter().filter(|beat| beat.fresh);
        Ok(Self {
            shown: seconds(start)..seconds(end),
            silence: scale.seconds(silence.ticks().into()),
            lost: silence.lost,
            arrivals: fresh
                .filter(|beat| (start..=end).contains(&beat.at))
                .map(|beat| seconds(beat.at))
                .collect(),
            phi: place(curve(Curve::Phi(phi))),
            exponential: place(curve(Curve::Exponential(exponential))),
            deadlines: deadlines(timeline, silence.from)?
                .into_iter()
                .map(|(name, kind, at)| (name, kind, seconds(at)))
                .collect(),
        })
    }

    fn describe(&self) -> String {
        let (time, lost) = (text::time(self.silence), losses(self.lost));
        let deadline = |(name, _, at): &(_, _, f64)| format!("{name} after {}", text::time(*at));
        let deadlines: Vec<String> = self.deadlines.iter().map(deadline).collect();
        format!("The silence is of {time} with {lost} lost. Deadlines: {}.", deadlines.join(", "))
    }

    fn draw(&self, canvas: &Canvas<'_>, size: Size) -> Result<(), DrawError> {
        let rows = u32::try_from(self.deadlines.len()).unwrap_or(0);
        let split = (size.height - 40 - 22 * rows) * PIXELS;
        let (upper, lower) = canvas.split_vertically(split);
        self.draw_curves(&upper, size)?;
        self.draw_deadlines(&lower, size)
    }

    fn draw_curves(&self, canvas: &Canvas<'_>, size: Size) -> Result<(), DrawError> {
        let labels = linear_labels(&self.shown, if size.is_narrow() { 4 } else { 9 });
        let mut chart = ChartBuilder::on(canvas)
            .margin_top(10 * PIXELS)
            .margin_left(MARGIN)
            .margin_right(2 * MARGIN)
            .y_label_area_size(left(size))
            .build_cartesian_2d(
                axis(self.shown.clone(), labels),
                axis(0.0..CEILING, vec![0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0]),
            )?;
        self.draw_silence(&mut chart, CEILING)?;
        let mut mesh = chart.configure_mesh();
        style_mesh(&mut mesh);
        mesh.y_desc("suspicion").y_label_formatter(&|y| format!("{y:.0}")).draw()?;
        let threshold = vec![(self.shown.start, THRESHOLD), (self.shown.end, THRESHOLD)];
        chart.draw_series([PathElement::new(threshold, MARK.stroke_width(PIXELS))])?;
        for (kind, curve) in [(Kind::Phi, &self.phi), (Kind::Exponential, &self.exponential)] {
            let points = curve.iter().map(|&(at, level)| (at, level.min(CEILING)));
            let style = series(kind).stroke_width(2 * PIXELS);
            chart.draw_series(LineSeries::new(points, style))?;
            if let Some((at, level)) = self.label_place(curve) {
                let style = label_style_in(series(kind));
                // Where both curves stay low, their names stand one above the other.
                let above = if kind == Kind::Phi && level < CEILING / 4.0 { -44 } else { -8 };
                let label = Text::new(kind.name(), (12, above), style);
                chart.draw_series([EmptyElement::at((at, level)) + label])?;
            }
        }
        let ticks = self.arrivals.iter().map(|&at| {
            PathElement::new(vec![(at, 0.0), (at, CEILING / 25.0)], TEXT.stroke_width(PIXELS))
        });
        chart.draw_series(ticks)?;
        let label = Text::new("threshold", (8, -30), label_style_in(MARK));
        chart.draw_series([EmptyElement::at((self.shown.start, THRESHOLD)) + label])?;
        Ok(())
    }

    /// Returns where a curve's name stands: where it leaves the figure, or is highest.
    fn label_place(&self, curve: &[(f64, f64)]) -> Option<(f64, f64)> {
        let during = || curve.iter().copied().filter(|(at, _)| (0.0..self.silence).contains(at));
        let out = during().find(|(_, level)| *level >= CEILING * 0.85);
        out.or_else(|| during().max_by(|a, b| a.1.total_cmp(&b.1)))
            .map(|(at, level)| (at, level.min(CEILING * 0.9)))
    }

    fn draw_deadlines(&self, canvas: &Canvas<'_>, size: Size) -> Result<(), DrawError> {
        let rows = float(i128::try_from(self.deadlines.len()).unwrap_or(0));
        let labels = linear_labels(&self.shown, if size.is_narrow() { 4 } else { 9 });
        let mut chart = ChartBuilder::on(canvas)
            .margin_left(MARGIN)
            .margin_right(2 * MARGIN)
            .x_label_area_size(40 * PIXELS)
            .y_label_area_size(left(size))
            .build_cartesian_2d(axis(self.shown.clone(), labels), axis(0.0..rows, vec![]))?;
        self.draw_silence(&mut chart, rows)?;
        let mut mesh = chart.configure_mesh();
        style_mesh(&mut mesh);
        mesh.x_desc("time since the last heartbeat before the silence")
            .x_label_formatter(&|x| text::short_time(*x))
            .draw()?;
        for (row, (name, kind, deadline)) in self.deadlines.iter().enumerate() {
            let middle = rows - float(i128::try_from(row).unwrap_or(0)) - 0.5;
            let (top, bottom) = (middle + 0.28, middle - 0.28);
            let trusted = deadline.min(self.silence).min(self.shown.end);
            let bar = [(0.0, top), (trusted, bottom)];
            chart.draw_series([Rectangle::new(bar, series(*kind).mix(0.35).filled())])?;
            if *deadline < self.silence {
                let bar = [(*deadline, top), (self.silence, bottom)];
                chart.draw_series([Rectangle::new(bar, series(*kind).filled())])?;
            }
            let (x, y) = chart.backend_coord(&(self.shown.start, middle));
            let label = label_style_in(TEXT).pos(plotters::style::text_anchor::Pos::new(
                plotters::style::text_anchor::HPos::Right,
                plotters::style::text_anchor::VPos::Center,
            ));
            let (left, top) = canvas.get_base_pixel();
            canvas.draw_text(name, &label, (x - left - 12, y - top))?;
        }
        Ok(())
    }

    fn draw_silence(&self, chart: &mut Chart<'_, '_>, height: f64) -> Result<(), DrawError> {
        let area = [(0.0, 0.0), (self.silence, height)];
        chart.draw_series([Rectangle::new(area, BAND.filled())])?;
        Ok(())
    }
}

/// A detector whose suspicion is drawn.
enum Curve {
    Phi(PhiAccrual<Box<[u64]>>),
    Exponential(Exponential<Box<[u64]>>),
}

impl Curve {
    fn heartbeat(&mut self, sequence: u64, now: Instant) {
        match self {
            Self::Phi(detector) => detector.heartbeat(sequence, now),
            Self::Exponential(detector) => detector.heartbeat(sequence, now),
        };
    }

    fn level(&self, at: u64) -> f64 {
        let now = Instant::from_nanos(at);
        match self {
            Self::Phi(detector) => detector.suspicion_level(now),
            Self::Exponential(detector) => detector.suspicion_level(now),
        }
    }
}

/// Returns the suspicion over a range of ticks: at even steps, and just before and after each arrival.
fn suspicions(timeline: &Timeline, mut detector: Curve, shown: Range<u64>) -> Vec<(u64, f64)> {
    let step = ((shown.end - shown.start) / u64::from(SAMPLES)).max(1);
    let mut curve = Vec::new();
    let mut next = shown.start;
    for beat in timeline.beats() {
        while next < beat.at && next <= shown.end {
            curve.push((next, detector.level(next)));
            next += step;
        }
        if beat.at > shown.end {
            break;
        }
        let visible = beat.at >= shown.start && beat.fresh;
        if visible {
            curve.push((beat.at, detector.level(beat.at)));
        }
        detector.heartbeat(beat.sequence, Instant::from_nanos(beat.at));
        if visible {
            curve.push((beat.at, detector.level(beat.at)));
        }
    }
    while next <= shown.end {
        curve.push((next, detector.level(next)));
        next += step;
    }
    curve
}

/// Returns the deadlines of our defaults after the beat at `last`, in ticks.
fn deadlines(
    timeline: &Timeline,
    last: u64,
) -> Result<Vec<(&'static str, Kind, u64)>, ConfigError> {
    let mut deadlines = Vec::new();
    for mut preset in presets(timeline)?.into_iter().filter(|one| one.origin == Origin::Ours) {
        // Of beats that arrive together, the silence follows the last.
        for beat in timeline.beats().iter().take_while(|beat| beat.at <= last) {
            preset.detector.heartbeat(beat.sequence, Instant::from_nanos(beat.at));
        }
        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == preset.name);
        if let (Some(kind), Some(deadline)) = (kind, preset.detector.deadline()) {
            deadlines.push((preset.name, kind, deadline.as_nanos()));
        }
    }
    Ok(deadlines)
}

fn left(size: Size) -> u32 {
    (if size.is_narrow() { 80 } else { 92 }) * PIXELS
}

fn ticks(interval: Duration) -> u64 {
    u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX)
}

fn losses(lost: u64) -> String {
    match lost {
        0 => "no heartbeat".to_owned(),
        1 => "one heartbeat".to_owned(),
        _ => format!("{} heartbeats", text::integer(lost)),
    }
}
