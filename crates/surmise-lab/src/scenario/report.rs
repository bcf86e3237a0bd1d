//! Stories for the browser.

use maud::{Markup, html};

use super::{
    story::{Bars, Figure, Source, Table, Told, Value},
    text::shown,
};
use crate::page::{Page, table};

/// Returns a story as a page.
pub(super) fn report(told: &Told) -> String {
    let story = &told.story;
    let page = Page {
        title: &told.title,
        heading: &told.title,
        lead: html! { p.lead { (prose(&story.setting)) } (command(told)) },
        contents: &[],
        main: html! {
            section {
                h2 { "What came of it" }
                @for figure in &story.figures { (drawn(figure)) }
            }
            section { h2 { "What that shows" } p.lesson { (prose(&story.lesson)) } }
            section { h2 { "To read on" } (sources(story.sources)) }
        },
        style: include_str!("report/style.css"),
    };
    page.into_html()
}

/// Says how to tell the same again.
fn command(told: &Told) -> Markup {
    html! {
        p.note {
            "Told by a run of the crates: "
            code {
                "surmise-lab scenario " (told.name)
                @if let Some(seed) = told.seed { " --seed " (seed) }
            }
        }
    }
}

fn drawn(figure: &Figure) -> Markup {
    match figure {
        Figure::Table(Table { caption, columns, rows }) => rows_of(caption, columns, rows),
        Figure::Bars(bars) => bars_of(bars),
    }
}

fn rows_of(caption: &str, columns: &[String], rows: &[Vec<Value>]) -> Markup {
    let longest = |column: usize| {
        let texts = rows.iter().filter_map(|row| match row.get(column) {
            Some(Value::Text(text)) => Some(text.chars().count()),
            _ => None,
        });
        texts.max()
    };
    let is_words = |column| longest(column).is_some();
    let is_long = |column| longest(column) > Some(LINE);
    let content = html! {
        thead {
            tr {
                @for (index, column) in columns.iter().enumerate() {
                    th.words[is_words(index)] scope="col" { (lines(column)) }
                }
            }
        }
        tbody {
            @for row in rows {
                tr {
                    @for (index, value) in row.iter().enumerate() {
                        @if index == 0 {
                            th.words[is_words(index)] scope="row" { (shown(value)) }
                        } @else {
                            td.words[is_words(index)].long[is_long(index)] { (shown(value)) }
                        }
                    }
                }
            }
        }
    };
    table(caption, &content)
}

/// How many letters of a text stand in one line of a table.
const LINE: usize = 24;

/// Returns a table with a bar in each row: who does not see it hears the value.
fn bars_of(Bars { caption, columns, bars }: &Bars) -> Markup {
    let most = bars.iter().map(|bar| bar.value.size()).fold(0.0, f64::max);
    let share = |value: &Value| if most > 0.0 { value.size() / most } else { 0.0 };
    let content = html! {
        thead {
            tr { @for column in columns { th scope="col" { span.unseen { (column) } } } }
        }
        tbody {
            @for bar in bars {
                tr {
                    th.words scope="row" { (bar.label) }
                    td.bar {
                        span aria-hidden="true" style=(format!("--share:{:.4}", share(&bar.value))) {}
                        (shown(&bar.value))
                    }
                }
            }
        }
    };
    html! { div.bars { (table(caption, &content)) } }
}

fn sources(sources: &[Source]) -> Markup {
    html! {
        ul {
            @for Source { title, url } in sources { li { a href=(url) { (title) } } }
        }
    }
}

/// Breaks a column's name where it is broken on the terminal.
fn lines(name: &str) -> Markup {
    html! {
        @for (index, line) in name.lines().enumerate() {
            @if index > 0 { " " br; }
            (line)
        }
    }
}

/// Returns a text in which names of the program stand between backticks.
fn prose(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::names::Scenario, *};
    use crate::page::check::complaints;

    #[test]
    fn each_story_is_a_page_that_all_can_read() {
        for scenario in Scenario::ALL {
            let told = scenario.tell(0);
            let page = report(&told);
            assert_eq!(complaints(&page), Vec::<String>::new(), "{scenario:?}");
            assert_eq!(page.matches("<table>").count(), told.story.figures.len(), "{scenario:?}");
            let links = page.matches("<a href=\"https://").count();
            assert_eq!(links, told.story.sources.len(), "{scenario:?}");
            assert_eq!(page.contains("--seed 0"), told.seed.is_some(), "{scenario:?}");
            assert!(!page.contains('`'), "{scenario:?}");
        }
    }

    #[test]
    fn names_of_the_program_are_set_apart() {
        assert_eq!(
            prose("ask `a<b>` or `c`").into_string(),
            "ask <code>a&lt;b&gt;</code> or <code>c</code>"
        );
        assert_eq!(lines("two\nlines").into_string(), "two <br>lines");
    }

    #[test]
    fn the_longest_bar_is_that_of_the_greatest_value() {
        let bars = [("a", 1.0), ("b", 4.0)]
            .map(|(label, value)| (label.to_owned(), Value::Seconds(value)));
        let drawn = drawn(&Figure::bars("Waits:", ["who", "wait"], bars)).into_string();
        assert!(drawn.contains("style=\"--share:0.2500\"></span>1.00 s"), "{drawn}");
        assert!(drawn.contains("style=\"--share:1.0000\"></span>4.00 s"), "{drawn}");
        assert!(drawn.contains("<span class=\"unseen\">wait</span>"), "{drawn}");
    }
}
