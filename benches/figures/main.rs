//! Measures the cost of the crate over expert hand-written code, as ratios.
//!
//! `cargo bench --bench figures` measures all parts and prints the table. Needs Linux, `valgrind`, and `curl` for
//! uploads.
//!
//! - `-- keep` also writes the table into `benches/RESULTS.md`.
//! - `-- cheap` measures the part that counts instructions, and fails if a figure is 10 % worse than in that file.
//! - `-- dispatch` measures polling, handlers and sends on the multi-thread runtime, beside the same work by hand.
//! - `-- journal` measures the journal on the disk of the build directory.
//! - `-- timed`, `-- bots`, `-- pace`, `-- uploads` and `-- build` measure the other parts.

mod bots;
mod calls;
mod clean_build;
mod corpus;
mod dispatch;
mod figure;
mod journal;
mod measure;
mod model;
mod pace;
mod parse;
mod report;
mod server;
mod upload;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["server"] => server::serve(),
        ["upload-server"] => upload::serve(),
        ["upload", url, path, protocol] => upload::upload(url, path, protocol == "resumable"),
        ["parse", name, page, times] => parse::work(name, page, times.parse().unwrap()),
        ["make", name, "", times] => bots::work(name, times.parse().unwrap()),
        ["call", name, url, times] => calls::work(name, url, times.parse().unwrap()),
        ["dispatch", name, url, times] => dispatch::work(name, url, times.parse().unwrap()),
        ["journal", name, url, times] => journal::work(name, url, times.parse().unwrap()),
        ["pace", name, url, times] => pace::work(name, url, times.parse().unwrap()),
        [] => println!("{}", report::all()),
        ["keep"] => report::keep(&report::all()),
        ["cheap"] => report::cheap(),
        ["timed"] => println!("{}", figure::table(&report::timed())),
        ["dispatch"] => println!("{}", figure::table(&dispatch::figures())),
        ["journal"] => println!("{}", figure::table(&journal::figures())),
        ["bots"] => println!("{}", figure::table(&bots::figures())),
        ["pace"] => println!("{}", figure::table(&pace::figures())),
        ["uploads"] => println!("{}", figure::table(&upload::figures())),
        ["build"] => println!("{}", figure::table(&clean_build::figures())),
        _ => panic!("expected nothing or one of: keep, cheap, timed, dispatch, journal, bots, pace, uploads, build"),
    }
}
