use maud::{Markup, html};

/// What a figure says to those who do not see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alternative<'a> {
    /// Tells it from all other figures of the page, as a part of ids.
    pub(crate) id: &'a str,
    /// What it is called.
    pub(crate) title: &'a str,
    /// What it shows.
    pub(crate) description: &'a str,
}

/// For which screens a figure is drawn. The other one is not shown, nor is it read out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Screen {
    Wide,
    Narrow,
}

impl Screen {
    pub(crate) const ALL: [Self; 2] = [Self::Wide, Self::Narrow];

    /// Returns how wide a figure is there, in CSS pixels.
    pub(crate) const fn width(self) -> u32 {
        match self {
            Self::Wide => 820,
            Self::Narrow => 370,
        }
    }

    /// Returns what its class is called, and the end of its ids.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Wide => "wide",
            Self::Narrow => "narrow",
        }
    }
}

/// Returns a drawing, with its name and what it shows, as large as these units of its own.
pub(crate) fn figure(
    alternative: Alternative<'_>,
    screen: Screen,
    [width, height]: [f64; 2],
    content: &Markup,
) -> Markup {
    let Alternative { id, title, description } = alternative;
    let name = screen.name();
    let [titled, described] = ["title", "description"].map(|part| format!("{id}-{name}-{part}"));
    html! {
        svg class=(name) viewBox={ "0 0 " (width) " " (height) } role="img"
            aria-labelledby=(titled) aria-describedby=(described) {
            title id=(titled) { (title) }
            desc id=(described) { (description) }
            (content)
        }
    }
}
