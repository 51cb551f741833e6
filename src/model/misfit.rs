//! Values that do not fit the models: where they are, why, and their log events.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    fmt,
    sync::{Mutex, PoisonError},
};

use super::error_path::{Paths, byte_of};
use crate::redaction::{Printable, without_strings};

/// Paths that are remembered at most. They are paths of the models, so there are not many.
const MOST_PATHS: usize = 1024;

/// The paths that a warning was logged for.
static WARNED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

thread_local! {
    /// The misfits found since [`collect`] began, if it has.
    static FOUND: RefCell<Option<Vec<Found>>> = const { RefCell::new(None) };
}

/// A misfit in a text that is still being read.
struct Found {
    place: Place,
    reason: String,
}

enum Place {
    /// The address of a byte after the value. Parts of a text are read as slices of it, so the address says where in the
    /// whole text the part is.
    Address(usize),
    /// A property of a schema, such as `User.name`.
    Property(&'static str),
}

/// A value that does not fit the models.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    /// Where it is, such as `updates[3].message.sender.name`. Empty if that is not known.
    path: String,
    /// Why it does not fit.
    reason: String,
}

/// Calls `read` and returns the misfits that it finds in `json`.
pub(crate) fn collect<T>(json: &str, read: impl FnOnce() -> T) -> (T, Vec<Misfit>) {
    let before = FOUND.replace(Some(Vec::new()));
    let value = read();
    let found = FOUND.replace(before).unwrap_or_default();
    let mut places = Vec::new();
    let misfits = found.into_iter().enumerate().map(|(index, Found { place, reason })| {
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
    let mut misfits: Vec<Misfit> = misfits.collect();
    // In the order of the text, which is then gone through once: a page may have a misfit in every update.
    places.sort_unstable();
    let mut paths = Paths::of(json);
    for (at, index) in places {
        misfits[index].path = paths.path_at(at);
    }
    (value, misfits)
}

/// Records that a value, which is all of `json`, does not fit because of `error`.
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
            list.push(found);
            None
        }
        None => Some(found),
    });
    // A type of the caller's is being read: nobody collects.
    if let Some(Found { place, reason }) = alone {
        let path = if let Place::Property(property) = place { property.to_owned() } else { String::new() };
        report(&[Misfit { path, reason }]);
    }
}

/// How many misfits were found so far.
pub(crate) fn found() -> usize {
    FOUND.with_borrow(|list| list.as_ref().map_or(0, Vec::len))
}

/// Forgets all but the first misfits, because the text of the others is read again.
pub(crate) fn forget(found: usize) {
    FOUND.with_borrow_mut(|list| list.iter_mut().for_each(|list| list.truncate(found)));
}

/// serde's words without the place in the text, and without strings of the text, which may be secret.
pub(crate) fn reason(error: &serde_json::Error) -> String {
    let words = error.to_string();
    let words = words.split_once(" at line ").map_or(words.as_str(), |(words, _)| words);
    without_strings(words).into_owned()
}

/// Logs misfits: as a warning the first time in this process that one has its path, else at the level `DEBUG`.
pub(crate) fn report(misfits: &[Misfit]) {
    for Misfit { path, reason } in misfits {
        // Without the numbers of list elements.
        let general: String = path.chars().filter(|char| !char.is_ascii_digit()).collect();
        let mut warned = WARNED.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = warned.len() < MOST_PATHS && warned.insert(general);
        drop(warned);
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

impl Misfit {
    /// A text that had to be repaired.
    pub(crate) fn not_strict_json() -> Self {
        Self { path: String::new(), reason: "invalid JSON, repaired".to_owned() }
    }
}
