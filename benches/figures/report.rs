//! The table: each figure with its bar, and for the cheap ones with what was committed.

use std::{fs, path::Path, process::Command};

use crate::{
    corpus::PAGE,
    measure::{Pages, Server, build as build_in, instructions, printed},
    parse,
};

/// Where the last figures are kept.
const RESULTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/RESULTS.md");
/// How much worse a figure may be than the committed one.
const WORSE: f64 = 1.10;

struct Figure {
    name: &'static str,
    bar: f64,
    is: f64,
}

impl Figure {
    fn row(&self) -> String {
        let verdict = if self.is <= self.bar { "yes" } else { "no" };
        format!("| {} | {} | {:.3} | {verdict} |", self.name, self.bar, self.is)
    }
}

/// Measures everything but the clean build.
pub(crate) fn all() {
    let mut figures = counted();
    figures.extend(timed());
    print(&figures);
}

/// Measures what is counted in instructions, and compares it with what is committed.
pub(crate) fn cheap() {
    let figures = counted();
    print(&figures);
    let committed = fs::read_to_string(RESULTS).unwrap_or_default();
    let mut worse = 0;
    for figure in &figures {
        let line = committed.lines().find(|line| line.starts_with(&format!("| {} |", figure.name)));
        let Some(before) = line.and_then(|line| line.split('|').nth(3)?.trim().parse::<f64>().ok()) else {
            panic!("{RESULTS} does not have: {}", figure.name);
        };
        if figure.is > before * WORSE {
            eprintln!("{} was {before} and is {:.3}", figure.name, figure.is);
            worse += 1;
        }
    }
    assert!(worse == 0, "{worse} figures are worse than {RESULTS} says");
}

fn print(figures: &[Figure]) {
    let said = |program: &str, arguments: &[&str]| {
        let out = Command::new(program).args(arguments).output().map(|out| out.stdout).unwrap_or_default();
        String::from_utf8_lossy(&out).trim().to_owned()
    };
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    println!("Commit {}, {},", said("git", &["rev-parse", "--short", "HEAD"]), said("rustc", &["--version"]));
    println!("{} on {}.\n", said("uname", &["-sm"]), cpu.trim_start_matches(['\t', ':', ' ']));
    println!("| figure | bar | measured | reached |\n|---|---|---|---|");
    figures.iter().for_each(|figure| println!("{}", figure.row()));
}

fn counted() -> Vec<Figure> {
    let (pages, server) = (Pages::write(), Server::start());
    let parse = |name: &str, page: &str| instructions(["parse", name, &pages.path(page)], (1, 3));
    let last = parse("ours", "last");
    let mut figures = vec![
        Figure { name: "page parse, tags last / tags known", bar: 1.15, is: last / parse("known", "last") },
        Figure {
            name: "page parse, tags first / tags known",
            bar: 1.15,
            is: parse("ours", "first") / parse("known", "first"),
        },
        Figure {
            name: "page parse, tags mixed / tags known",
            bar: 1.15,
            is: parse("ours", "mixed") / parse("known", "mixed"),
        },
        Figure { name: "page parse / scan only", bar: 2.5, is: last / parse("scan", "last") },
        Figure { name: "page parse / serde internally tagged", bar: 0.72, is: last / parse("tagged", "last") },
        Figure { name: "page with 10 % unknown / clean page", bar: 1.10, is: parse("ours", "unknown") / last },
    ];
    let allocations = printed(["parse", "ours", &pages.path("last")], 1)[0] / PAGE as f64;
    figures.push(Figure { name: "allocations per update", bar: 11.5, is: allocations });
    let send = |name: &str| instructions(["call", name, &server.url], (50, 250));
    let run = |name: &str| instructions(["call", name, &server.url], (1, 4));
    let bare = send("bare-send");
    figures.push(Figure { name: "send_message / bare reqwest", bar: 1.05, is: send("send") / bare });
    figures.push(Figure {
        name: "send_message traced at INFO / bare reqwest",
        bar: 1.10,
        is: send("traced-send") / bare,
    });
    figures.push(Figure { name: "run / fetch and parse by hand", bar: 1.10, is: run("run") / run("bare-run") });
    figures
}

fn timed() -> Vec<Figure> {
    let (pages, server) = (Pages::write(), Server::start());
    let first = parse::first_of_all(&pages.text("last"));
    let idle = |name: &str| printed(["call", name, &server.url], 100);
    let (ours, bare) = (idle("idle"), idle("bare-idle"));
    vec![
        Figure { name: "time to the first update / whole page", bar: 0.05, is: first },
        Figure { name: "idle bot / bare poll loop, context switches", bar: 1.1, is: ours[0] / bare[0] },
        Figure { name: "idle bot / bare poll loop, resident memory", bar: 1.1, is: ours[1] / bare[1] },
    ]
}

/// Measures the clean build of a crate that depends on this one, and of one that uses what this one is made of.
pub(crate) fn build() {
    let directory = std::env::temp_dir().join(format!("tamtam-build-{}", std::process::id()));
    let build = |name: &str, dependencies: &str| {
        let directory = directory.join(name);
        fs::create_dir_all(directory.join("src")).unwrap();
        fs::write(directory.join("src/main.rs"), "fn main() {}\n").unwrap();
        let manifest =
            format!("[package]\nname = \"x\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n{dependencies}");
        fs::write(directory.join("Cargo.toml"), manifest).unwrap();
        // The same versions as here.
        fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock"), directory.join("Cargo.lock")).unwrap();
        build_in(&directory)
    };
    let ours = build(
        "ours",
        &format!(
            "tamtam = {{ path = {:?} }}\ntokio = {{ version = \"1\", features = [\"macros\", \"rt\"] }}\n",
            env!("CARGO_MANIFEST_DIR")
        ),
    );
    let bare = build("bare", BARE);
    let _ = fs::remove_dir_all(&directory);
    println!("{ours:.1} s and {bare:.1} s of CPU time");
    print(&[Figure { name: "clean build of a dependent / of a bare one", bar: 1.5, is: ours / bare }]);
}

const BARE: &str = r#"
reqwest = { version = "0.13.4", default-features = false, features = ["gzip", "http2", "json", "query", "rustls", "stream"] }
serde = { version = "1", features = ["derive"] }
serde_json = { version = "1", features = ["float_roundtrip", "raw_value"] }
tokio = { version = "1", default-features = false, features = ["macros", "rt", "sync", "time"] }
"#;
