//! Collects all figures, keeps them in a file, and compares the cheap ones with the kept ones.

use std::fs;

use crate::{
    bots, clean_build,
    corpus::PAGE,
    dispatch,
    figure::{Figure, table},
    journal,
    measure::{Pages, Server, allocations, instructions, printed},
    pace, upload,
};

/// The file with the kept figures.
const RESULTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/RESULTS.md");
/// The lines around the kept figures.
const KEPT: [&str; 2] = ["<!-- figures -->\n", "<!-- end of figures -->\n"];
/// The maximum ratio of a figure to the committed one.
const WORSE: f64 = 1.10;

/// Measures everything.
pub(crate) fn all() -> String {
    table(
        &[
            counted(),
            timed(),
            dispatch::figures(),
            journal::figures(),
            bots::figures(),
            pace::figures(),
            upload::figures(),
            clean_build::figures(),
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>(),
    )
}

/// Writes a table into the file.
pub(crate) fn keep(table: &str) {
    let text = fs::read_to_string(RESULTS).unwrap();
    let [before, after] = KEPT.map(|line| text.find(line).expect(line));
    let text = [&text[..before + KEPT[0].len()], table, &text[after..]].concat();
    fs::write(RESULTS, text).unwrap();
}

/// Measures the figures that count instructions, and fails if one is worse than the committed figure.
pub(crate) fn cheap() {
    let figures = counted();
    println!("{}", table(&figures));
    let committed = fs::read_to_string(RESULTS).unwrap();
    let worse = figures.iter().filter(|figure| {
        let line = committed.lines().find(|line| line.starts_with(&format!("| {} |", figure.name)));
        let Some(before) = line.and_then(|line| line.split('|').nth(3)?.trim().parse::<f64>().ok()) else {
            panic!("{RESULTS} has no figure: {}", figure.name);
        };
        let is_worse = figure.is > before * WORSE || figure.is.is_nan();
        if is_worse {
            eprintln!("{} was {before} and is {:.3}", figure.name, figure.is);
        }
        is_worse
    });
    let worse = worse.count();
    assert!(worse == 0, "{worse} figures are worse than in {RESULTS}");
}

/// Measures the figures that count instructions, which hardly vary between runs.
pub(crate) fn counted() -> Vec<Figure> {
    let (pages, server) = (Pages::write(), Server::start("server"));
    let parse = |name: &str, page: &str| instructions(["parse", name, &pages.path(page)], (1, 3));
    let last = parse("ours", "last");
    let mut figures = vec![
        Figure::most("page parse, tags last / tags known", 1.15, last / parse("known", "last")),
        Figure::most("page parse, tags first / tags known", 1.15, parse("ours", "first") / parse("known", "first")),
        Figure::most("page parse, tags mixed / tags known", 1.15, parse("ours", "mixed") / parse("known", "mixed")),
        Figure::most("page parse / scan only", 2.5, last / parse("scan", "last")),
        Figure::most("page parse / serde internally tagged", 0.72, last / parse("tagged", "last")),
        Figure::most("page with 10 % unknown / clean page", 1.10, parse("ours", "unknown") / last),
    ];
    let allocations = allocations(["parse", "ours", &pages.path("last")], (1, 3));
    figures.push(Figure::most("allocations per update", 11.5, allocations / PAGE as f64));
    let send = |name: &str| instructions(["call", name, &server.url], (50, 250));
    let run = |name: &str| instructions(["call", name, &server.url], (1, 4));
    let bare = send("bare-send");
    figures.push(Figure::most("send_message / bare reqwest", 1.05, send("send") / bare));
    figures.push(Figure::most(
        "send_message within the pace / without a pace",
        1.02,
        send("paced-send") / send("send"),
    ));
    figures.push(Figure::most("send_message traced at INFO / bare reqwest", 1.10, send("traced-send") / bare));
    figures.push(Figure::most("run / fetch and parse by hand", 1.10, run("run") / run("bare-run")));
    figures
}

/// Measures the figures that depend on the clock and the system.
pub(crate) fn timed() -> Vec<Figure> {
    let server = Server::start("server");
    let idle = |name: &str| printed(["call", name, &server.url], 100);
    let (ours, bare) = (idle("idle"), idle("bare-idle"));
    vec![
        Figure::most("idle bot / bare poll loop, context switches", 1.1, ours[0] / bare[0]),
        Figure::most("idle bot / bare poll loop, resident memory", 1.1, ours[1] / bare[1]),
    ]
}
