//! What the reports share: a page that is one file, and is read by eye, by keyboard and by ear.
//!
//! Nothing in it runs, and nothing is fetched. Its colours are those of the reader's scheme.

mod figure;
mod table;

#[cfg(test)]
pub(crate) mod check;
#[cfg(test)]
mod tests;

use maud::{DOCTYPE, Markup, PreEscaped, html};

pub(crate) use self::{
    figure::{Alternative, Screen, figure},
    table::{headed_table, table},
};

/// A report.
#[derive(Clone, Debug)]
pub(crate) struct Page<'a> {
    /// What the window is called.
    pub(crate) title: &'a str,
    /// What the report is called, above all else.
    pub(crate) heading: &'a str,
    /// Below that, what it is about.
    pub(crate) lead: Markup,
    /// The sections by their ids, if there are enough of them to need a list.
    pub(crate) contents: &'a [(String, String)],
    /// The sections.
    pub(crate) main: Markup,
    /// What this report needs beside the style that all have.
    pub(crate) style: &'a str,
}

impl Page<'_> {
    /// Returns the page as a file has it.
    pub(crate) fn into_html(self) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { "surmise: " (self.title) }
                    style { (PreEscaped(STYLE)) (PreEscaped(self.style)) }
                }
                body {
                    a.skip href="#main" { "Skip to the content" }
                    header { h1 { (self.heading) } (self.lead) }
                    @if !self.contents.is_empty() {
                        nav aria-label="Contents" {
                            ul { @for (id, name) in self.contents { li { a href={ "#" (id) } { (name) } } } }
                        }
                    }
                    main id="main" tabindex="-1" { (self.main) }
                    footer { "Written by surmise-lab " (env!("CARGO_PKG_VERSION")) "." }
                }
            }
        };
        page.into_string()
    }
}

const STYLE: &str = include_str!("page/style.css");
