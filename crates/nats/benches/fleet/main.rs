//! A fleet under load: receivers, workers and servers run as processes, and some of them are killed.
//!
//! `cargo bench -p tamtam-nats` measures all figures and prints them; with `-- keep`, it writes them into
//! `benches/RESULTS.md`. `-- small` runs all scenarios except the rates, with fewer updates. It fails if a figure
//! misses its bar, for example if an update is lost or out of order. Needs a NATS server, see `tests/it/server.rs`.

mod fleet;
mod history;
mod process;
mod scenarios;
#[path = "../../tests/it/server.rs"]
mod server;

use std::{env, fs, path::Path};

use scenarios::{Figure, Size};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["receive"] => runtime.block_on(process::receive()),
        ["work"] => runtime.block_on(process::work()),
        [] => println!("{}", table(&runtime.block_on(scenarios::all(Size::FULL)))),
        ["keep"] => keep(&table(&runtime.block_on(scenarios::all(Size::FULL)))),
        ["small"] => {
            let figures = runtime.block_on(scenarios::counted(Size::SMALL));
            println!("{}", table(&figures));
            let missed = figures.iter().filter(|figure| !figure.is_reached()).count();
            assert!(missed == 0, "{missed} figures miss their bars");
        }
        [name] => println!("{}", table(&runtime.block_on(scenarios::one(name, Size::FULL)))),
        _ => panic!("unknown arguments: use no argument, `keep`, `small`, or the name of a scenario"),
    }
}

fn table(figures: &[Figure]) -> String {
    let rows = figures.iter().map(Figure::row).collect::<String>();
    format!("| figure | bar | measured | reached |\n|---|---|---|---|\n{rows}")
}

/// Writes the table between the marks in `RESULTS.md`.
fn keep(table: &str) {
    const MARKS: [&str; 2] = ["<!-- figures -->\n", "<!-- end of figures -->"];
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/RESULTS.md");
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(MARKS[0]).unwrap();
    let (_, after) = rest.split_once(MARKS[1]).unwrap();
    fs::write(path, format!("{before}{}{table}{}{after}", MARKS[0], MARKS[1])).unwrap();
    println!("{table}");
}
