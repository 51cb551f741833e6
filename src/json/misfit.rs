//! Misfits: values that do not fit the models. Their paths, reasons and log events.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    fmt,
    sync::{Mutex, PoisonError},
};

use super::error_path::{Paths, byte_of};
use crate::redaction::{Printable, without_strings};

/// The maximum number of remembered paths. They are paths of the models, so this is rarely reached.
const MOST_PATHS: usize = 1024;

/// The maximum number of logged misfits of one text. Others are only counted: a text of several MiB can have a million.
const MOST_LISTED: usize = 100;

/// The paths for which a warning was logged.
static WARNED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

thread_local! {
    /// The misfits found since the start of [`collect`]. `None` outside of `collect`.
    static FOUND: RefCell<Option<FoundList>> = const { RefCell::new(None) };
}

#[derive(Default)]
struct FoundList {
    /// The first misfits, at most [`MOST_LISTED`].
    first: Vec<Found>,
    count: usize,
}

/// A misfit in a text that is still being read.
struct Found {
    place: Place,
    reason: String,
}

enum Place {
    /// The address of a byte after the value. Parts of a text are read as slices of it, so the address gives the
    /// position in the whole text.
    Address(usize),
    /// A property of a schema, such as `User.name`.
    Property(&'static str),
}

/// A value that does not fit the models.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    /// The path, such as `updates[3].message.sender.name`. Empty if it is unknown.
    path: String,
    /// The reason why the value does not fit.
    reason: String,
}

/// The misfits of a text.
#[derive(Debug, Default)]
pub(crate) struct Misfits {
    /// The first misfits.
    list: Vec<Misfit>,
    /// The number of all misfits.
    pub(crate) count: usize,
}

/// Calls `read` and returns the misfits that it finds in `json`.
pub(crate) fn collect<T>(json: &str, read: impl FnOnce() -> T) -> (T, Misfits) {
    /// Restores the list of an outer text, also if `read` panics.
    struct Outer(Option<FoundList>);
    impl Drop for Outer {
        fn drop(&mut self) {
            FOUND.set(self.0.take());
        }
    }
    let outer = Outer(FOUND.replace(Some(FoundList::default())));
    let value = read();
    let FoundList { first, count } = FOUND.take().unwrap_or_default();
    drop(outer);
    let mut places = Vec::new();
    let misfits = first.into_iter().enumerate().map(|(index, Found { place, reason })| {
        let path = match place {
            Place::Property(property) => property.to_owned(),
            Place::Address(address) => {
                let at = address.checked_sub(json.as_ptr().addr()).filter(|at| *at <= json.len());
                places.extend(at.map(|at| (at, index)));
                String::new()
            }
        };
        Misfit { path, reason }
    });
    let mut list: Vec<Misfit> = misfits.collect();
    // Sorted, so that one pass over the text finds all paths: a page may have a misfit in every update.
    places.sort_unstable();
    let mut paths = Paths::of(json);
    for (at, index) in places {
        list[index].path = paths.path_at(at);
    }
    (value, Misfits { list, count })
}

/// Records that the value `json` does not fit because of `error`.
pub(crate) fn record(json: &str, error: &serde_json::Error) {
    add(Found { place: Place::Address(json.as_ptr().addr() + byte_of(json, error)), reason: reason(error) });
}

/// Records that a required property is missing.
pub(crate) fn record_missing(property: &'static str) {
    add(Found { place: Place::Property(property), reason: "missing".to_owned() });
}

fn add(found: Found) {
    let alone = FOUND.with_borrow_mut(|list| match list {
        Some(list) => {
            list.count += 1;
            if list.first.len() < MOST_LISTED {
                list.first.push(found);
            }
            None
        }
        None => Some(found),
    });
    // Outside of `collect`, for example when the caller deserializes a model: log it now.
    if let Some(Found { place, reason }) = alone {
        let path = if let Place::Property(property) = place { property.to_owned() } else { String::new() };
        report(&Misfits { list: vec![Misfit { path, reason }], count: 1 });
    }
}

/// Returns the number of misfits found so far.
pub(crate) fn found() -> usize {
    FOUND.with_borrow(|list| list.as_ref().map_or(0, |list| list.count))
}

/// Removes all but the first `found` misfits, because the text of the others is read again.
pub(crate) fn forget(found: usize) {
    FOUND.with_borrow_mut(|list| {
        if let Some(list) = list {
            list.first.truncate(found);
            list.count = found;
        }
    });
}

/// Formats an error of serde without the position and without values, which may be private.
pub(crate) fn reason(error: &serde_json::Error) -> String {
    let words = error.to_string();
    let words = without_strings(&words);
    let words = words.rsplit_once(" at line ").map_or(&*words, |(words, _)| words);
    // For example: integer `5`, expected a string.
    match words.split_once("`, expected ").map(|(before, expected)| (before.split_once(" `"), expected)) {
        Some((Some((kind, _)), expected)) => format!("{kind}, expected {expected}"),
        _ => words.to_owned(),
    }
}

/// Logs misfits. The first misfit of a path in this process is logged at `WARN`, and others at `DEBUG`.
pub(crate) fn report(misfits: &Misfits) {
    for Misfit { path, reason } in &misfits.list {
        // Without the indexes of list elements.
        let general: String = path.chars().filter(|char| !char.is_ascii_digit()).collect();
        let mut warned = WARNED.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = warned.len() < MOST_PATHS && warned.insert(general);
        let is_full = is_new && warned.len() == MOST_PATHS;
        drop(warned);
        if is_full {
            tracing::warn!(paths = MOST_PATHS, "misfits of further paths logged at DEBUG");
        }
        let path = Printable(path);
        if is_new {
            tracing::warn!(%path, reason, "value does not fit the model");
        } else {
            tracing::debug!(%path, reason, "value does not fit the model");
        }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", Printable(&self.path), self.reason)
    }
}

impl Misfits {
    /// Adds a misfit for the repair of the text.
    pub(crate) fn add_repaired(&mut self) {
        self.list.push(Misfit { path: String::new(), reason: "invalid JSON, repaired".to_owned() });
        self.count += 1;
    }

    #[cfg(test)]
    pub(crate) fn words(&self) -> Vec<String> {
        self.list.iter().map(ToString::to_string).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn misfit(json: &str) -> serde_json::Error {
        serde_json::from_str::<bool>(json).unwrap_err()
    }

    #[test]
    fn a_reason_does_not_show_the_value() {
        for (json, words) in [
            (r#""my pin 1234 at line 5""#, "invalid type: string, expected a boolean"),
            (r#""\", expected x at line 1""#, "invalid type: string, expected a boolean"),
            ("79991234567", "invalid type: integer, expected a boolean"),
            ("-1.5", "invalid type: floating point, expected a boolean"),
            ("[]", "invalid type: sequence, expected a boolean"),
        ] {
            assert_eq!(reason(&misfit(json)), words, "{json}");
        }
        let missing: serde_json::Error = serde::de::Error::custom("missing field `user_id`");
        assert_eq!(reason(&missing), "missing field `user_id`");
    }

    #[test]
    fn counts_all_misfits_and_lists_the_first_ones() {
        let json = "[5]";
        let ((), misfits) = collect(json, || (0..1000).for_each(|_| record(&json[1..2], &misfit("5"))));
        assert_eq!((misfits.count, misfits.list.len()), (1000, MOST_LISTED));
        assert_eq!(misfits.words()[0], "[0]: invalid type: integer, expected a boolean");
    }

    #[test]
    fn a_panic_while_reading_resets_the_list() {
        let panicked = std::panic::catch_unwind(|| collect("5", || panic!("in a type of the caller's")));
        assert!(panicked.is_err() && FOUND.with_borrow(Option::is_none));
    }
}
