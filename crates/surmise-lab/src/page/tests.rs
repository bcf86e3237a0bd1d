use std::collections::BTreeMap;

use maud::html;

use super::{check::complaints, *};

/// Returns a page with a bit of everything.
fn page() -> String {
    let body = html! {
        thead { tr { th scope="col" { "who" } th scope="col" { "how many" } } }
        tbody { tr { th scope="row" { "a" } td { "1" } } }
    };
    let alternative = Alternative { id: "one", title: "A line", description: "It is straight." };
    let drawn = html! { line x1="0" y1="0" x2="9" y2="9" fill="url(#one)" {} };
    let main = html! {
        section id="one" {
            h2 { "One" }
            (table("Of all:", &body))
            h3 { "More" }
            (headed_table("The same", &body))
            @for screen in Screen::ALL { (figure(alternative, screen, [9.0, 9.0], &drawn)) }
            a href="https://doi.org/1" { "to read on" }
        }
    };
    let contents = [("one".to_owned(), "One".to_owned())];
    let lead = html! { p.lead { "It is about <nothing>." } };
    Page { title: "t", heading: "H", lead, contents: &contents, main, style: "p { margin: 0 }" }
        .into_html()
}

#[test]
fn a_page_is_as_it_should_be() {
    assert_eq!(complaints(&page()), Vec::<String>::new());
    assert!(page().contains("<title>surmise: t</title>"));
    assert!(page().contains("&lt;nothing&gt;"));
}

#[test]
fn what_is_wrong_is_found() {
    for (right, wrong) in [
        ("<!DOCTYPE html>", ""),
        (" lang=\"en\"", ""),
        ("<h1>H</h1>", ""),
        ("main id=\"main\"", "main id=\"one\""),
        ("href=\"#one\"", "href=\"#two\""),
        ("url(#one)", "url(#two)"),
        ("class=\"skip\" href=\"#main\"", "class=\"skip\" href=\"#one\""),
        ("<h3>More</h3>", "<h4>More</h4>"),
        ("<h3>More</h3>", "<h3> </h3>"),
        ("<caption><span>Of all:</span></caption>", ""),
        ("<caption><span>Of all:</span></caption>", "<caption><span></span></caption>"),
        ("<th scope=\"col\">who</th>", "<th>who</th>"),
        ("<th scope=\"col\">who</th>", "<th scope=\"column\">who</th>"),
        ("<th scope=\"col\">who</th>", "<th scope=\"col\"></th>"),
        ("<th scope=\"col\">who</th>", ""),
        ("<th scope=\"row\">a</th>", "<td>a</td>"),
        (" tabindex=\"0\"", ""),
        (" role=\"region\"", ""),
        (" aria-label=\"Of all:\"", ""),
        (" aria-label=\"Of all:\"", " aria-label=\"\""),
        ("class=\"scroll\"", "class=\"wide\""),
        (" role=\"img\"", ""),
        ("<title id=\"one-wide-title\">A line</title>", ""),
        ("<desc id=\"one-wide-description\">It is straight.</desc>", ""),
        (">It is straight.<", "> <"),
        (">It is straight.<", ">.<"),
        (" aria-describedby=\"one-narrow-description\"", ""),
        ("one-narrow-title", "one-wide-title"),
        ("https://doi", "http://doi"),
        ("<h2>", "<img src=\"a.png\"/><h2>"),
        ("<h2>", "<h2 onclick=\"go()\">"),
        ("<h2>", "<script></script><h2>"),
        ("margin: 0", "background: url(https://a)"),
        ("margin: 0", "color: var(--softer)"),
        ("</main>", ""),
        ("</h2>", "</h3>"),
    ] {
        assert!(page().contains(right), "{right}");
        assert_ne!(
            complaints(&page().replacen(right, wrong, 1)),
            Vec::<String>::new(),
            "{right} → {wrong}"
        );
    }
}

/// On what a colour stands, and by how much it has to differ from that, after WCAG 2.2: 4.5 for text, 3 for what is
/// drawn. What says nothing by itself (the grid, the lines between rows, what is between the edges of the front) is seen
/// less.
const CONTRASTS: [(&[&str], &[&str], f64); 7] = [
    (&["text", "soft", "link"], &["page", "panel", "band"], 4.5),
    // On what is drawn in a figure; the last is a name within a bar.
    (&["phi", "exponential", "mark"], &["page", "band"], 4.5),
    (&["star"], &["page", "panel"], 4.5),
    (&["page"], &["bar"], 4.5),
    (
        &[
            "axis",
            "bar",
            "fixed",
            "chen",
            "bertier",
            "two-window",
            "satzger",
            "rate-target",
            "jitter-scaled",
        ],
        &["page", "band"],
        3.0,
    ),
    (&["front"], &["page"], 3.0),
    (
        &[
            "fixed",
            "chen",
            "bertier",
            "two-window",
            "phi",
            "exponential",
            "satzger",
            "rate-target",
            "jitter-scaled",
        ],
        &["bed"],
        3.0,
    ),
];

#[test]
fn colours_are_far_enough_apart_in_both_schemes() {
    let [light, dark] = schemes();
    for scheme in [&light, &dark] {
        for (front, back, least) in CONTRASTS {
            for (front, back) in
                front.iter().flat_map(|front| back.iter().map(move |back| (front, back)))
            {
                let found = contrast(scheme[*front], scheme[*back]);
                // The axis is of the page, and is not drawn on the band.
                if (*front, *back) != ("axis", "band") {
                    assert!(found >= least, "{front} on {back}: {found:.2}");
                }
            }
        }
    }
    assert!(contrast([255; 3], [0; 3]) > 20.99 && contrast([119; 3], [255; 3]) < 4.5);
}

#[test]
fn a_colour_is_one_of_both_schemes() {
    let [light, dark] = schemes();
    assert!(light.keys().eq(dark.keys()));
    let used = STYLE.split("var(--").skip(1).filter_map(|rest| rest.split(')').next());
    for name in used {
        assert!(light.contains_key(name), "{name}");
    }
}

#[test]
fn all_that_is_drawn_is_in_the_table() {
    let [light, _] = schemes();
    let listed = |name: &str| {
        CONTRASTS
            .iter()
            .any(|(front, back, _)| [front, back].iter().any(|names| names.contains(&name)))
    };
    let left_out: Vec<&str> = light.into_keys().filter(|name| !listed(name)).collect();
    assert_eq!(left_out, ["grid", "line"]);
}

#[test]
fn what_is_unfolded_is_printed() {
    let (_, print) = STYLE.split_once("@media print").unwrap();
    let hidden = print.split('}').find(|rule| rule.contains("display: none")).unwrap();
    assert!(hidden.contains("details:not([open])") && !hidden.contains("details,"), "{hidden}");
}

#[test]
fn a_reader_has_the_last_word() {
    for wish in
        ["prefers-color-scheme: dark", "prefers-reduced-motion", "@media print", ":focus-visible"]
    {
        assert!(STYLE.contains(wish), "{wish}");
    }
}

/// Returns the colours of the light and the dark scheme, by name.
fn schemes() -> [BTreeMap<&'static str, [u8; 3]>; 2] {
    let mut blocks = STYLE.split(":root {").skip(1).map(|block| {
        let declarations =
            block.split('}').next().unwrap().split(';').filter_map(|one| one.split_once(':'));
        let colours = declarations.map(|(name, value)| {
            let [_, red, green, blue] =
                u32::from_str_radix(value.trim().strip_prefix('#').unwrap(), 16)
                    .unwrap()
                    .to_be_bytes();
            (name.trim().strip_prefix("--").unwrap(), [red, green, blue])
        });
        colours.collect()
    });
    let schemes = [blocks.next().unwrap(), blocks.next().unwrap()];
    assert!(blocks.next().is_none());
    schemes
}

/// Returns the contrast of two colours, of 1 to 21 (WCAG 2.2, “relative luminance”).
fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let [one, other] = [one, other].map(|colour| {
        let linear = colour.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    });
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}
