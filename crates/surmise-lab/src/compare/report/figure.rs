//! Figures as inline SVG, drawn once for the light and the dark theme.

use core::{fmt::Write as _, ops::Range};
use std::io;

use maud::{Markup, PreEscaped, html};
use plotters::{
    chart::MeshStyle,
    coord::{
        Shift,
        ranged1d::{DefaultFormatting, KeyPointHint, Ranged},
    },
    prelude::{
        DrawingArea, DrawingAreaErrorKind, IntoDrawingArea as _, IntoFont as _, RGBColor,
        SVGBackend, TextStyle,
    },
    style::Color as _,
};

use super::super::{
    catalogue::Kind,
    number::{float, round},
};
use crate::page::{self, Alternative, Screen};

/// What a figure is drawn on.
pub(crate) type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Why a figure could not be drawn.
pub(crate) type DrawError = DrawingAreaErrorKind<io::Error>;

/// A linear axis that labels just the values it is given.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    range: Range<f64>,
    labels: Vec<f64>,
}

// The backend writes colours into the SVG, where a stylesheet cannot choose by theme. So each role has a
// colour that no eye shall see, and the stylesheet selects the elements by it.
pub(crate) const TEXT: RGBColor = RGBColor(1, 2, 1);
const GRID: RGBColor = RGBColor(1, 2, 2);
const AXIS: RGBColor = RGBColor(1, 2, 3);
pub(crate) const FRONT: RGBColor = RGBColor(1, 2, 4);
pub(crate) const BAND: RGBColor = RGBColor(1, 2, 5);
pub(crate) const BAR: RGBColor = RGBColor(1, 2, 6);
pub(crate) const MARK: RGBColor = RGBColor(1, 2, 7);
pub(crate) const BED: RGBColor = RGBColor(1, 2, 8);

const ROLES: [(RGBColor, &str); 8] = [
    (TEXT, "text"),
    (GRID, "grid"),
    (AXIS, "axis"),
    (FRONT, "front"),
    (BAND, "band"),
    (BAR, "bar"),
    (MARK, "mark"),
    (BED, "bed"),
];

/// The size of a figure in CSS pixels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Size {
    /// Returns whether the figure is for a narrow screen.
    pub(crate) fn is_narrow(self) -> bool {
        self.width < 500
    }
}

/// The backend draws at whole pixels: so many to one of CSS.
pub(crate) const PIXELS: u32 = 2;

/// Draws a figure for wide and for narrow screens.
pub(crate) fn figure(
    alternative: Alternative<'_>,
    height: u32,
    draw: &dyn Fn(&Canvas<'_>, Size) -> Result<(), DrawError>,
) -> Result<Markup, DrawError> {
    let [wide, narrow] = Screen::ALL.map(|screen| {
        let size = Size { width: screen.width(), height };
        let content = PreEscaped(render(size, draw)?);
        let pixels = [size.width * PIXELS, size.height * PIXELS].map(f64::from);
        Ok::<_, DrawError>(page::figure(alternative, screen, pixels, &content))
    });
    Ok(html! { (wide?) (narrow?) })
}

fn render(
    size: Size,
    draw: &dyn Fn(&Canvas<'_>, Size) -> Result<(), DrawError>,
) -> Result<String, DrawError> {
    let mut svg = String::new();
    {
        let pixels = (size.width * PIXELS, size.height * PIXELS);
        let canvas = SVGBackend::with_string(&mut svg, pixels).into_drawing_area();
        draw(&canvas, size)?;
        canvas.present()?;
    }
    // The outer element is the page's own, which names the figure and adapts to the screen.
    let content = svg.split_once('>').map_or("", |(_, content)| content);
    Ok(content.trim_end().trim_end_matches("</svg>").to_owned())
}

/// Returns the colour of a detector's marks.
pub(crate) fn series(kind: Kind) -> RGBColor {
    let index = Kind::ALL.iter().position(|&other| other == kind).unwrap_or_default();
    RGBColor(1, 1, u8::try_from(index).unwrap_or_default())
}

/// Gives the lines and labels of a figure's axes their colours.
pub(crate) fn style_mesh(mesh: &mut MeshStyle<'_, '_, Axis, Axis, SVGBackend<'_>>) {
    mesh.bold_line_style(GRID.stroke_width(PIXELS))
        .light_line_style(GRID.mix(0.0))
        .axis_style(AXIS.stroke_width(PIXELS))
        .label_style(label_style());
}

/// Returns the style of a figure's texts.
fn label_style() -> TextStyle<'static> {
    ("sans-serif", 13 * PIXELS).into_font().color(&TEXT)
}

/// Returns the style of texts in another role's colour.
pub(crate) fn label_style_in(color: RGBColor) -> TextStyle<'static> {
    ("sans-serif", 13 * PIXELS).into_font().color(&color.to_rgba())
}

/// Returns an axis that labels just these values.
pub(crate) fn axis(range: Range<f64>, labels: Vec<f64>) -> Axis {
    Axis { range, labels }
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (start, end): (i32, i32)) -> i32 {
        let share = (value - self.range.start) / (self.range.end - self.range.start);
        let place = f64::from(start) + f64::from(end - start) * share;
        // Far outside of the figure is outside all the same.
        #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, after clamping")]
        let pixel = place.clamp(-1e6, 1e6).round() as i32;
        pixel
    }

    fn key_points<H: KeyPointHint>(&self, _: H) -> Vec<f64> {
        self.labels.clone()
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

/// Returns the logarithms of 1, 2 and 5 times the powers of ten in a range of logarithms; of the powers
/// alone where the range is long, and of any round numbers where it is short.
pub(crate) fn log_labels(range: &Range<f64>, most: usize) -> Vec<f64> {
    let candidates = |steps: &[f64]| -> Vec<f64> {
        let decades = (-12..12).flat_map(|decade| {
            steps.iter().map(move |step| f64::from(decade) + step.log10()).collect::<Vec<f64>>()
        });
        decades.filter(|label| range.contains(label)).collect()
    };
    let steps = [1.0, 2.0, 5.0].as_slice();
    if candidates(steps).len() < 3 {
        let range = 10_f64.powf(range.start)..10_f64.powf(range.end);
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        return linear_labels(&range, most).into_iter().map(f64::log10).collect();
    }
    [steps, &[1.0, 3.0], &[1.0]]
        .into_iter()
        .map(candidates)
        .find(|labels| labels.len() <= most)
        .unwrap_or_else(|| candidates(&[1.0]))
}

/// Returns round numbers in a range, at most so many.
pub(crate) fn linear_labels(range: &Range<f64>, most: u32) -> Vec<f64> {
    let rough = (range.end - range.start) / f64::from(most);
    let power = 10_f64.powf(rough.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    let step = steps.into_iter().find(|step| *step >= rough).unwrap_or(rough);
    let first = (range.start / step).ceil();
    let labels = round((range.end / step).floor() - first);
    (0..=labels.min(100)).map(|label| (first + float(label.into())) * step).collect()
}

/// Returns the part of the stylesheet that gives the drawn colours their meaning.
pub(crate) fn stylesheet() -> String {
    let mut css = String::new();
    let roles = ROLES.iter().map(|&(color, name)| (color, name.to_owned()));
    let kinds = Kind::ALL.into_iter().map(|kind| (series(kind), kind.name().to_owned()));
    for (RGBColor(red, green, blue), name) in roles.chain(kinds) {
        let hex = format!("#{red:02X}{green:02X}{blue:02X}");
        let _ = write!(css, "[stroke=\"{hex}\"]{{stroke:var(--{name})}}");
        let _ = writeln!(css, "[fill=\"{hex}\"]{{fill:var(--{name})}}");
    }
    for kind in Kind::ALL {
        // Pointing at a detector's key, or tabbing to it, leaves only its line as it is.
        let RGBColor(red, green, blue) = series(kind);
        let hex = format!("#{red:02X}{green:02X}{blue:02X}");
        let name = kind.name();
        let _ = writeln!(
            css,
            "figure:has(.key-{name}:is(:hover,:focus)) :is([stroke^=\"#0101\"]:not([stroke=\"{hex}\"]),\
             [fill^=\"#0101\"]:not([fill=\"{hex}\"])){{opacity:.12}}\
             polyline[stroke=\"{hex}\"],.key-{name} line{{{}}}",
            line_style(kind)
        );
    }
    css
}

/// Returns how a detector's line is drawn, so that it can be told apart without its colour.
fn line_style(kind: Kind) -> &'static str {
    match kind {
        Kind::Fixed => "stroke-width:5",
        Kind::Chen => "stroke-width:4;stroke-dasharray:16 8",
        Kind::Bertier => "stroke-width:4;stroke-dasharray:4 6",
        Kind::TwoWindow => "stroke-width:4;stroke-dasharray:20 6 4 6",
        Kind::Phi | Kind::Satzger => "stroke-width:4",
        Kind::Exponential => "stroke-width:4;stroke-dasharray:10 5",
        Kind::RateTarget => "stroke-width:4;stroke-dasharray:2 5",
        Kind::JitterScaled => "stroke-width:4;stroke-dasharray:30 8",
    }
}
