//! What is wrong with a page for those who do not see it, have no mouse, or have no network.

use std::collections::BTreeSet;

/// An element, with what is in it.
#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Self>,
    /// Of it and of all in it.
    text: String,
}

/// Returns what is wrong with a page, which must be well-formed, as ours are.
pub(crate) fn complaints(html: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let page = match parse(html) {
        Ok(page) => page,
        Err(complaint) => return vec![complaint],
    };
    check_document(&page, &mut complaints);
    check_references(&page, &mut complaints);
    check_sources(html, &page, &mut complaints);
    check_headings(&page, &mut complaints);
    for element in page.all() {
        match element.name.as_str() {
            "table" => check_table(element, &mut complaints),
            "svg" => check_figure(element, &mut complaints),
            _ => {}
        }
        check_regions(element, &mut complaints);
    }
    complaints
}

fn check_document(page: &Element, complaints: &mut Vec<String>) {
    let lang = page.first("html").and_then(|html| html.attribute("lang"));
    if lang != Some("en") {
        complaints.push(format!("the language is {lang:?}"));
    }
    // Drawings have titles, too.
    let titles = page.first("head").map_or(0, |head| head.count("title"));
    let landmarks = ["h1", "header", "main", "footer"].map(|name| (name, page.count(name)));
    for (name, found) in [[("title", titles)].as_slice(), &landmarks].concat() {
        if found != 1 {
            complaints.push(format!("there are {found} of {name}"));
        }
    }
    let first = page.first("body").and_then(|body| body.children.first());
    if first.and_then(|link| link.attribute("href")) != Some("#main") {
        complaints.push("nothing leads past what stands before the content".to_owned());
    }
}

fn check_references(page: &Element, complaints: &mut Vec<String>) {
    let mut ids = BTreeSet::new();
    for id in page.all().filter_map(|element| element.attribute("id")) {
        if !ids.insert(id) {
            complaints.push(format!("two are called {id}"));
        }
    }
    for (name, value) in page.all().flat_map(|element| &element.attributes) {
        let references: Vec<&str> = match name.as_str() {
            "aria-labelledby" | "aria-describedby" | "for" => value.split(' ').collect(),
            "href" => value.strip_prefix('#').into_iter().collect(),
            _ => value
                .strip_prefix("url(#")
                .and_then(|id| id.strip_suffix(')'))
                .into_iter()
                .collect(),
        };
        for reference in references.into_iter().filter(|reference| !ids.contains(reference)) {
            complaints.push(format!("{name} leads to {reference:?}, which is not there"));
        }
    }
}

/// Looks for what a browser would fetch or run.
fn check_sources(html: &str, page: &Element, complaints: &mut Vec<String>) {
    for foreign in ["@import", "url(http", "url(/", "url(\"", "url(data", "javascript:"] {
        if html.contains(foreign) {
            complaints.push(format!("something is fetched: {foreign}"));
        }
    }
    let used = html.split("var(").skip(1).filter_map(|rest| rest.split(')').next());
    for name in used.filter(|name| !html.contains(&format!("{name}:"))) {
        complaints.push(format!("nothing is called {name}"));
    }
    for element in page.all() {
        let Element { name, attributes, .. } = element;
        let is_foreign =
            ["script", "link", "iframe", "img", "object", "embed", "base"].contains(&name.as_str());
        if is_foreign {
            complaints.push(format!("there is a {name}"));
        }
        for (attribute, value) in attributes {
            let is_link = name == "a" && attribute == "href" && value.starts_with("https://");
            let is_source =
                ["src", "srcset", "data", "action", "poster"].contains(&attribute.as_str());
            if is_source || attribute.starts_with("on") || value.contains("://") && !is_link {
                complaints.push(format!("{name} has {attribute}={value:?}"));
            }
        }
    }
}

fn check_headings(page: &Element, complaints: &mut Vec<String>) {
    let mut last = 0;
    for element in page.all() {
        let level = element.name.strip_prefix('h').and_then(|level| level.parse::<u32>().ok());
        let Some(level) = level else { continue };
        if level > last + 1 || element.text.trim().is_empty() {
            complaints.push(format!("{:?} is of level {level}, after {last}", element.text));
        }
        last = level;
    }
}

fn check_table(table: &Element, complaints: &mut Vec<String>) {
    let caption = table.children.first().filter(|first| first.name == "caption");
    let caption = caption.map_or("", |caption| caption.text.trim());
    if caption.is_empty() {
        complaints.push(format!("a table has no caption: {:.60}", table.text));
    }
    for header in table.all().filter(|element| element.name == "th") {
        let scope = header.attribute("scope");
        if !scope.is_some_and(|scope| ["col", "row", "rowgroup", "colgroup"].contains(&scope)) {
            complaints.push(format!("of {caption:?}, {:?} has the scope {scope:?}", header.text));
        }
        if header.text.trim().is_empty() {
            complaints.push(format!("of {caption:?}, a heading is empty"));
        }
    }
    for row in table.all().filter(|element| element.name == "tr") {
        if !row.children.iter().any(|cell| cell.name == "th") {
            complaints.push(format!("of {caption:?}, a row has no heading: {:?}", row.text));
        }
    }
    let widths = table.all().filter(|element| element.name == "tr").map(|row| {
        let span =
            |cell: &Element| cell.attribute("colspan").map_or(1, |span| span.parse().unwrap_or(0));
        row.children.iter().map(span).sum::<u32>()
    });
    if widths.collect::<BTreeSet<_>>().len() != 1 {
        complaints.push(format!("the rows of {caption:?} are not of one length"));
    }
}

fn check_figure(figure: &Element, complaints: &mut Vec<String>) {
    if figure.attribute("aria-hidden") == Some("true") {
        return;
    }
    for (name, attribute) in [("title", "aria-labelledby"), ("desc", "aria-describedby")] {
        let part = figure.children.iter().find(|child| child.name == name);
        let is_said = part.is_some_and(|part| part.text.contains(char::is_alphanumeric));
        let is_named = part.is_some_and(|part| figure.attribute(attribute) == part.attribute("id"));
        if !is_said || !is_named || figure.attribute("role") != Some("img") {
            complaints.push(format!("a figure has no {name}: {:.60}", figure.text));
        }
    }
}

/// What scrolls is reached by keys and has a name, and a table is in what scrolls.
fn check_regions(element: &Element, complaints: &mut Vec<String>) {
    let is_scrolled = element.attribute("class") == Some("scroll");
    if is_scrolled {
        let is_reached = element.attribute("tabindex") == Some("0");
        let is_region = element.attribute("role") == Some("region");
        let is_named = element.attribute("aria-label").is_some_and(|name| !name.is_empty());
        if !(is_reached && is_region && is_named) {
            complaints.push(format!("keys do not scroll {:.60}", element.text));
        }
    }
    if !is_scrolled && element.children.iter().any(|child| child.name == "table") {
        complaints.push(format!("nothing scrolls {:.60}", element.text));
    }
}

impl Element {
    /// Returns it and all in it, in order.
    fn all(&self) -> Box<dyn Iterator<Item = &Self> + '_> {
        Box::new(core::iter::once(self).chain(self.children.iter().flat_map(Self::all)))
    }

    fn first(&self, name: &str) -> Option<&Self> {
        self.all().find(|element| element.name == name)
    }

    fn count(&self, name: &str) -> usize {
        self.all().filter(|element| element.name == name).count()
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Takes in what is in one that has ended.
    fn take_in(&mut self, child: Self) {
        self.text.push_str(&child.text);
        self.children.push(child);
    }
}

/// Reads a page in which every element is ended, but for those that have no content.
fn parse(html: &str) -> Result<Element, String> {
    let mut open = vec![Element::default()];
    let mut rest = html.strip_prefix("<!DOCTYPE html>").ok_or("it is no HTML of today")?;
    while let Some((text, tagged)) = rest.split_once('<') {
        let (tag, after) =
            end_of_tag(tagged).ok_or_else(|| format!("a tag does not end: {tagged:.60}"))?;
        if let Some(top) = open.last_mut() {
            top.text.push_str(text);
        }
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            let ended = open.pop().filter(|top| top.name == name);
            let ended = ended.ok_or_else(|| format!("{name} ends where it is not open"))?;
            open.last_mut().ok_or("more ends than begins")?.take_in(ended);
            continue;
        }
        let element = element(tag.trim_end_matches('/'))?;
        if element.name == "style" {
            rest = rest.split_once("</style>").ok_or("a style does not end")?.1;
        }
        if tag.ends_with('/') || ["style", "meta", "br"].contains(&element.name.as_str()) {
            open.last_mut().ok_or("nothing is open")?.take_in(element);
        } else {
            open.push(element);
        }
    }
    match (open.pop(), open.is_empty()) {
        (Some(page), true) => Ok(page),
        (top, _) => Err(format!("{:?} does not end", top.map(|top| top.name))),
    }
}

/// Splits what follows a `<` at its `>`, which is not one in quotes.
fn end_of_tag(text: &str) -> Option<(&str, &str)> {
    let mut is_quoted = false;
    let end = text.find(|letter| {
        is_quoted ^= letter == '"';
        letter == '>' && !is_quoted
    })?;
    Some((&text[..end], &text[end + 1..]))
}

fn element(tag: &str) -> Result<Element, String> {
    let (name, mut rest) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
    let mut element = Element { name: name.to_owned(), ..Element::default() };
    while !rest.trim().is_empty() {
        let wrong = || format!("an attribute is not name=\"value\": {tag}");
        let (name, value) = rest.trim_start().split_once("=\"").ok_or_else(wrong)?;
        let (value, after) = value.split_once('"').ok_or_else(wrong)?;
        element.attributes.push((name.to_owned(), value.to_owned()));
        rest = after;
    }
    Ok(element)
}
