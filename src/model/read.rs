//! How JSON text is read: in one pass, and if that fails, part by part, so that one bad value costs only itself.

use std::{borrow::Cow, cell::Cell};

use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::value::RawValue;

use super::{
    error_path::at_its_place,
    misfit::{self, Misfits},
    repair::repair,
};

thread_local! {
    /// Whether this thread reads in one pass.
    ///
    /// Design note. A value is read in two ways: in one pass, which is fast and fails on anything unusual, and part by part.
    /// The way is decided by the outermost reader, and unions and optional fields lie deep within structs whose
    /// `Deserialize` is derived. So it has to come from the reader's context. The alternatives cost more: a second set of
    /// all structs doubles the generated code and the time to compile it; `DeserializeSeed` cannot be derived. Reading is
    /// synchronous, so the flag is set and reset on one stack, also if a reader panics.
    static IN_ONE_PASS: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread reads in one pass at the moment.
pub(crate) fn is_in_one_pass() -> bool {
    IN_ONE_PASS.get()
}

/// Reads in one pass: an unknown member of a union and every value that does not fit is an error. For JSON text only,
/// because the caller then reads it again.
pub(crate) fn in_one_pass<T>(read: impl FnOnce() -> serde_json::Result<T>) -> serde_json::Result<T> {
    let (_in_one_pass, found) = (OnePass::begin(), misfit::found());
    read().inspect_err(|_| misfit::forget(found))
}

/// While it lives, this thread reads in one pass.
pub(crate) struct OnePass {
    before: bool,
}

impl OnePass {
    pub(crate) fn begin() -> Self {
        Self { before: IN_ONE_PASS.replace(true) }
    }
}

/// Also when something panics.
impl Drop for OnePass {
    fn drop(&mut self) {
        IN_ONE_PASS.set(self.before);
    }
}

/// The value that a text begins with, and how many bytes it takes.
pub(crate) fn read_prefix<'de, T: Deserialize<'de>>(json: &'de str) -> serde_json::Result<(T, usize)> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let value = T::deserialize(&mut deserializer)?;
    Ok((value, bytes_read(deserializer)))
}

/// How much of its text a deserializer has read.
pub(crate) fn bytes_read<'de>(deserializer: serde_json::Deserializer<serde_json::de::StrRead<'de>>) -> usize {
    deserializer.into_iter::<IgnoredAny>().byte_offset()
}

/// Reads JSON, and logs what does not fit the models. An error says where it is.
pub(crate) fn read<T: DeserializeOwned>(json: &str) -> serde_json::Result<T> {
    let (value, misfits) = read_text(json, |json| {
        in_one_pass(|| serde_json::from_str(json)).or_else(|_| {
            check_strict(json)?;
            serde_json::from_str(json)
        })
    })?;
    misfit::report(&misfits);
    Ok(value)
}

/// Reads JSON as a type of the caller's, and logs what does not fit the models inside of it. It is not read in one pass: the
/// type may take an error there for its answer, as `#[serde(untagged)]` does.
pub(crate) fn read_foreign<T: DeserializeOwned>(json: &str) -> serde_json::Result<T> {
    let (value, misfits) = read_text(json, |json| {
        check_strict(json)?;
        serde_json::from_str(json)
    })?;
    misfit::report(&misfits);
    Ok(value)
}

/// The text as JSON, repaired if it must be.
pub(crate) fn read_raw(json: &str) -> serde_json::Result<Box<RawValue>> {
    RawValue::from_string(repair(json).into_owned())
}

/// Calls `read` with a text, and if it fails, with the repaired text. Returns the misfits, too. An error says where it is.
pub(crate) fn read_text<T>(
    json: &str,
    read: impl Fn(&str) -> serde_json::Result<T>,
) -> serde_json::Result<(T, Misfits)> {
    let error = match misfit::collect(json, || read(json)) {
        (Ok(value), misfits) => return Ok((value, misfits)),
        (Err(error), _) => error,
    };
    match repair(json) {
        Cow::Borrowed(_) => Err(at_its_place(json, error)),
        Cow::Owned(repaired) => {
            let (value, mut misfits) = misfit::collect(&repaired, || read(&repaired));
            misfits.add_repaired();
            Ok((value.map_err(|error| at_its_place(&repaired, error))?, misfits))
        }
    }
}

/// Fails if a JSON text has half a surrogate pair. Much faster than [`check_strict`] for text that is known to be JSON.
pub(crate) fn check_surrogates(json: &str) -> serde_json::Result<()> {
    let is_surrogate = |(at, _)| matches!(json.as_bytes().get(at + 1..at + 3), Some([b'u', b'd' | b'D']));
    if json.match_indices('\\').any(is_surrogate) { check_strict(json) } else { Ok(()) }
}

/// Fails if a text needs repair. Call it before reading part by part: otherwise half a surrogate pair would cost the
/// whole string around it.
pub(crate) fn check_strict(json: &str) -> serde_json::Result<()> {
    match repair(json) {
        Cow::Borrowed(_) => Ok(()),
        Cow::Owned(_) => Err(serde::de::Error::custom("not strict JSON")),
    }
}
