//! What the crate costs over what an expert would write by hand, as ratios.
//!
//! `cargo bench --bench figures` measures and prints all; `cargo bench --bench figures -- cheap` prints those that are
//! instruction counts, and fails when one is 10 % worse than `benches/RESULTS.md` says. It needs `valgrind`.

mod corpus;
mod model;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// Counts what is allocated.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: all is done by the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["corpus", name] => print!("{}", corpus(name)),
        ["work", name, path, times] => work(name, &std::fs::read_to_string(path).unwrap(), times.parse().unwrap()),
        _ => {
            for tags in [corpus::Tags::Last, corpus::Tags::First, corpus::Tags::Mixed] {
                println!("{}", corpus::page(tags, 0).len());
            }
        }
    }
}

fn corpus(name: &str) -> String {
    match name {
        "last" => corpus::page(corpus::Tags::Last, 0),
        "first" => corpus::page(corpus::Tags::First, 0),
        "mixed" => corpus::page(corpus::Tags::Mixed, 0),
        "unknown" => corpus::page(corpus::Tags::Last, 10),
        _ => corpus::sent(),
    }
}

fn work(name: &str, text: &str, times: usize) {
    if name == "known" {
        model::know(text);
    }
    let before = ALLOCATIONS.load(Relaxed);
    for _ in 0..times {
        match name {
            "ours" => assert_eq!(tamtam::figures::read_page(text), corpus::PAGE),
            "first" => assert!(tamtam::figures::read_first(text)),
            "known" => {
                model::rewind();
                let page: model::known::Page = serde_json::from_str(text).unwrap();
                assert_eq!(page.updates.len(), corpus::PAGE);
            }
            "tagged" => {
                let page: model::tagged::Page = serde_json::from_str(text).unwrap();
                assert_eq!(page.updates.len(), corpus::PAGE);
            }
            "scan" => {
                std::hint::black_box(serde_json::from_str::<serde::de::IgnoredAny>(text).unwrap());
            }
            _ => panic!("{name}"),
        }
    }
    println!("{}", ALLOCATIONS.load(Relaxed) - before);
}
