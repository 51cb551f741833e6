//! Reads a page of updates with each model.

use std::{fs, hint::black_box};

use serde::de::IgnoredAny;

use crate::{
    corpus::PAGE,
    model::{self, known, tagged},
};

/// Reads the page in the file `page`, `times` times.
pub(crate) fn work(name: &str, page: &str, times: usize) {
    let text = fs::read_to_string(page).unwrap();
    if name == "known" {
        model::know(&text);
    }
    for _ in 0..times {
        match name {
            "ours" => assert_eq!(tamtam::internals::read_page(&text), PAGE),
            "known" => {
                model::rewind();
                assert_eq!(serde_json::from_str::<known::Page>(&text).unwrap().updates.len(), PAGE);
            }
            "tagged" => assert_eq!(serde_json::from_str::<tagged::Page>(&text).unwrap().updates.len(), PAGE),
            "scan" => drop(black_box(serde_json::from_str::<IgnoredAny>(&text).unwrap())),
            _ => panic!("{name}"),
        }
    }
}
