//! The reports as a browser lays them out: on a wide screen in light and in dark, and on a narrow one.
//!
//! A script beside the report looks for what is cut off, cannot be read or cannot be reached. The pictures are for people,
//! who see what no script does.

use std::{ffi::OsString, path::Path};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use xshell::{Cmd, cmd};

use crate::{context::Context, debian};

/// What the laboratory writes, by the name of the picture.
const REPORTS: [(&str, &[&str]); 11] = [
    ("compare", &["compare", "--report"]),
    ("failover", &["failover", "--pause", "leader@1s+2s", "--kill", "leader@4s+1s", "--html"]),
    ("lost-reply", &["scenario", "lost-reply", "--html"]),
    ("timeout-dilemma", &["scenario", "timeout-dilemma", "--html"]),
    ("clock-drift", &["scenario", "clock-drift", "--html"]),
    ("confidence-intervals", &["scenario", "confidence-intervals", "--html"]),
    ("gc-pause", &["scenario", "gc-pause", "--html"]),
    ("byzantine", &["scenario", "byzantine", "--html"]),
    ("quorum", &["scenario", "quorum", "--html"]),
    ("tail-latency", &["scenario", "tail-latency", "--html"]),
    ("failure-arithmetic", &["scenario", "failure-arithmetic", "--html"]),
];

/// What a reader may have.
const SCREENS: [Screen; 3] = [
    Screen { name: "light", width: 1100, dark: false },
    Screen { name: "dark", width: 1100, dark: true },
    Screen { name: "narrow", width: 360, dark: false },
];

#[derive(Clone, Copy)]
struct Screen {
    name: &'static str,
    width: u32,
    dark: bool,
}

/// What is wrong with a report, and how high it is.
#[derive(Debug, PartialEq)]
struct Findings {
    /// As it comes.
    height: u64,
    /// With all unfolded.
    opened: u64,
    wrong: Vec<String>,
}

/// What a whole report is drawn as.
#[derive(Clone, Copy)]
struct Picture<'a> {
    name: &'a str,
    screen: Screen,
    height: u64,
    /// Whether all is unfolded.
    is_open: bool,
}

/// How a report is in its frame.
#[derive(Clone, Copy)]
struct Shown {
    height: u64,
    /// How much of it is above what is seen.
    top: u64,
    is_open: bool,
}

/// The browser draws no picture that is higher: what is, is drawn in parts.
const HIGHEST: u64 = 16_000;

/// Writes each report, looks at it on each screen, and leaves a picture of it.
pub(crate) fn run(context: &Context) -> Result<()> {
    let shell = &context.shell;
    debian::install(context, &["chromium"])?;
    let directory = context.target("screenshots");
    // What an earlier run has left must not pass for what this one draws.
    shell.remove_path(&directory)?;
    shell.create_dir(&directory)?;
    check_that_it_looks(context, &directory)?;
    cmd!(shell, "cargo build --package surmise-lab").run()?;
    let program = context.target("debug").join("surmise-lab");
    let mut wrong = Vec::new();
    let mut pictures = 0;
    for (name, arguments) in REPORTS {
        let file = directory.join(name).with_extension("html");
        cmd!(shell, "{program} {arguments...} {file}").quiet().ignore_stdout().run()?;
        let report = shell.read_file(&file)?;
        for screen in SCREENS {
            let found = look(context, &directory, &report, screen)?;
            let picture = Picture { name, screen, height: found.height, is_open: false };
            let unfolded = Picture { height: found.opened, is_open: true, ..picture };
            let has_more = found.opened > found.height;
            let place = format!("{name}, {}", screen.name);
            println!("{place}: {} pixels high, unfolded {}", found.height, found.opened);
            for picture in [Some(picture), has_more.then_some(unfolded)].into_iter().flatten() {
                pictures += draw(context, &directory, &report, picture)?;
            }
            wrong.extend(found.wrong.into_iter().map(|what| format!("{place}: {what}")));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{pictures} pictures in {}", directory.display());
    Ok(())
}

/// Shows the script a page on which everything is wrong.
fn check_that_it_looks(context: &Context, directory: &Path) -> Result<()> {
    for screen in SCREENS {
        let found = look(context, directory, include_str!("screenshots/wrong.html"), screen)?;
        for expected in [
            "it has to be scrolled sideways",
            "keys do not scroll it: <div>",
            "its contrast is 2.",
            "its contrast is 1.00: <text>",
            "it is cut off: <text> Far out",
            "its contrast is 1.61: <p> Folded",
            "the head of its table is not on top: <div>",
            "not just one drawing is shown",
            "it is seen before it is reached",
            "it fetches ",
            "the console: ",
        ] {
            let is_found = found.wrong.iter().any(|what| what.starts_with(expected));
            ensure!(is_found, "{}: not found: {expected}, but {:?}", screen.name, found.wrong);
        }
    }
    Ok(())
}

/// Lays a report out, and returns what the script finds.
fn look(context: &Context, directory: &Path, report: &str, screen: Screen) -> Result<Findings> {
    // As high as a telephone: what is below can be scrolled to.
    let page = frame(report, screen, Shown { height: 800, top: 0, is_open: false });
    let output = browser(context, directory, &page, screen, 800)?.arg("--dump-dom");
    let output = browser_output(output, directory)?;
    let mut found = findings(&output.0)?;
    let console = output.1.lines().filter(|line| line.contains("CONSOLE"));
    found.wrong.extend(console.map(|line| format!("the console: {line}")));
    Ok(found)
}

/// Leaves pictures of the whole report, and returns how many.
fn draw(
    context: &Context,
    directory: &Path,
    report: &str,
    Picture { name, screen, height, is_open }: Picture<'_>,
) -> Result<usize> {
    let suffix = if is_open { "-unfolded" } else { "" };
    let mut pictures = 0;
    for (top, part) in parts(height) {
        let page = frame(report, screen, Shown { height, top, is_open });
        pictures += 1;
        let number = if top > 0 { format!("-{pictures}") } else { String::new() };
        let mut argument = OsString::from("--screenshot=");
        argument.push(directory.join(format!("{name}-{}{suffix}{number}.png", screen.name)));
        let command = browser(context, directory, &page, screen, part)?.arg(argument);
        browser_output(command, directory)?;
    }
    Ok(pictures)
}

/// Returns where the pictures of a report of this height begin, and how high each is.
fn parts(height: u64) -> impl Iterator<Item = (u64, u64)> {
    (0..)
        .map(|nth| nth * HIGHEST)
        .take_while(move |top| *top < height)
        .map(move |top| (top, HIGHEST.min(height - top)))
}

/// Puts a report into a frame as wide as the screen. A window of the browser is no narrower than 500 pixels.
fn frame(report: &str, screen: Screen, shown: Shown) -> String {
    let report = report.replace('&', "&amp;").replace('"', "&quot;");
    include_str!("screenshots/frame.html")
        .replace("@WIDTH@", &screen.width.to_string())
        .replace("@HEIGHT@", &shown.height.to_string())
        .replace("@TOP@", &shown.top.to_string())
        .replace("@DARK@", &screen.dark.to_string())
        .replace("@OPEN@", &shown.is_open.to_string())
        // The last, for it may have any of these in it.
        .replace("@REPORT@", &report)
}

fn browser<'a>(
    context: &'a Context,
    directory: &Path,
    page: &str,
    screen: Screen,
    height: u64,
) -> Result<Cmd<'a>> {
    context.shell.write_file(directory.join("frame.html"), page)?;
    let profile = directory.join("profile");
    let size = format!("--window-size={},{height}", screen.width.max(500));
    let scheme = format!("--blink-settings=preferredColorScheme={}", u8::from(!screen.dark));
    let mut data = OsString::from("--user-data-dir=");
    data.push(profile);
    // As root it has no sandbox; it sees no page but ours.
    Ok(cmd!(context.shell, "chromium --headless --no-sandbox --disable-gpu --hide-scrollbars")
        .args(["--enable-logging=stderr", &size, &scheme])
        .arg(data)
        .quiet())
}

/// Returns what the browser prints about the frame, and what it complains of.
fn browser_output(command: Cmd<'_>, directory: &Path) -> Result<(String, String)> {
    let output = command.arg(directory.join("frame.html")).ignore_status().output()?;
    let [printed, complaints] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    ensure!(output.status.success(), "the browser: {complaints}");
    Ok((printed, complaints))
}

/// Reads what the script has left in the page.
fn findings(page: &str) -> Result<Findings> {
    let json = page
        .split_once("id=\"findings\">")
        .and_then(|(_, rest)| rest.split_once("</script>"))
        .map(|(json, _)| json)
        .context("the page has no findings")?;
    let found: Value = serde_json::from_str(json).with_context(|| format!("in {json:?}"))?;
    let [height, opened] =
        ["height", "opened"].map(|name| found.get(name).and_then(Value::as_u64).context(name));
    let wrong = found.get("wrong").and_then(Value::as_array).context("no list")?.iter();
    let wrong = wrong.map(|what| what.as_str().map_or_else(|| what.to_string(), str::to_owned));
    Ok(Findings { height: height?, opened: opened?, wrong: wrong.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_within_its_frame() {
        let shown = Shown { height: 7, top: 5, is_open: true };
        let frame = frame("<p title=\"a\">&lt;@WIDTH@</p>", SCREENS[2], shown);
        assert!(frame.contains("srcdoc=\"<p title=&quot;a&quot;>&amp;lt;@WIDTH@</p>\""));
        assert!(frame.contains("width: 360px; height: 7px; margin-top: -5px"), "{frame}");
        assert!(frame.contains("360, false, true)") && !frame.contains("@DARK@"), "{frame}");
    }

    #[test]
    fn findings_are_read_and_their_absence_is_none() {
        let page = |json: &str| format!("<script id=\"findings\">{json}</script></html>");
        let found =
            findings(&page("{\"height\":9,\"opened\":11,\"wrong\":[\"a \\u003cb>\"]}")).unwrap();
        assert_eq!(found, Findings { height: 9, opened: 11, wrong: vec!["a <b>".to_owned()] });
        for none in [String::new(), page(""), page("{}"), page("{\"height\":9,\"opened\":9}")] {
            findings(&none).unwrap_err();
        }
    }

    #[test]
    fn no_part_of_a_report_is_left_out() {
        let parts = |height| parts(height).collect::<Vec<_>>();
        assert_eq!(parts(9), [(0, 9)]);
        assert_eq!(parts(HIGHEST), [(0, HIGHEST)]);
        assert_eq!(parts(2 * HIGHEST + 1), [(0, HIGHEST), (HIGHEST, HIGHEST), (2 * HIGHEST, 1)]);
    }
}
