//! What the crate costs over what an expert would write by hand, as ratios.
//!
//! `cargo bench --bench figures --bench upload` measures all but the clean build, which is `cargo bench --bench figures --
//! build`. `cargo bench --bench figures -- cheap` measures what is counted in instructions, and fails when one figure is
//! 10 % worse than `benches/RESULTS.md` says. It needs `valgrind`, and a system with `/proc`.

mod calls;
mod corpus;
mod measure;
mod model;
mod parse;
mod report;
mod server;

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
        ["server"] => server::serve(),
        ["parse", name, page, times] => parse::work(name, page, times.parse().unwrap()),
        ["call", name, url, times] => calls::work(name, url, times.parse().unwrap()),
        [] => report::all(),
        ["cheap"] => report::cheap(),
        ["build"] => report::build(),
        _ => panic!("nothing, `cheap` or `build`"),
    }
}

/// How many allocations there were so far.
fn allocations() -> u64 {
    ALLOCATIONS.load(Relaxed)
}
