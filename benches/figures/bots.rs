//! Measures the cost of building bots, compared with building HTTP clients by hand.

use std::time::Instant;

use tamtam::Bot;

use crate::{
    figure::Figure,
    measure::{printed, status},
};

/// The number of bots and clients.
const MANY: usize = 1000;

/// Builds bots. Prints the time that this took, in seconds, and the growth of the resident memory, in KiB.
pub(crate) fn work(name: &str, times: usize) {
    let (began, resident) = (Instant::now(), status("VmRSS:"));
    let bot = || Bot::builder("token");
    match name {
        "bots" => print_costs(began, resident, (0..times).map(|_| bot().build().unwrap()).collect()),
        "own-tls-bots" => {
            print_costs(began, resident, (0..times).map(|_| bot().http(|http| http).build().unwrap()).collect())
        }
        "clients" => print_costs(began, resident, (0..times).map(|_| reqwest::Client::new()).collect()),
        _ => panic!("{name}"),
    }
}

fn print_costs<T>(began: Instant, resident: f64, all: Vec<T>) {
    println!("{} {}", began.elapsed().as_secs_f64(), status("VmRSS:") - resident);
    drop(all);
}

/// The first bot reads the system's certificates for all bots. Each client made by hand reads them again.
pub(crate) fn figures() -> Vec<Figure> {
    let [bots, clients] = ["bots", "clients"].map(|name| printed(["make", name, ""], MANY));
    vec![
        Figure::most("1000 bots / 1000 bare clients, time", 0.1, bots[0] / clients[0]),
        Figure::most("1000 bots / 1000 bare clients, resident memory", 0.4, bots[1] / clients[1]),
        Figure::most("1000 bots, seconds", 2.0, bots[0]),
        Figure::most("memory of one of 1000 bots in KiB", 40.0, bots[1] / MANY as f64),
    ]
}
