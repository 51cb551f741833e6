//! Reads JSON text in one pass, or part by part if one pass fails. So an invalid value does not affect other values.

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
    /// A thread-local, so that each model needs only one `Deserialize` impl.
    ///
    /// There are two ways to read a value: in one pass, which is fast but fails on unusual values, and part by part.
    /// The outermost reader selects the way. Unions and optional fields are deep within structs whose `Deserialize` is
    /// derived, so they cannot get it as a parameter. A second set of all structs would double the generated code and
    /// its compile time, and `DeserializeSeed` cannot be derived. Reading is synchronous, so the flag is set and reset
    /// on one stack, also if a reader panics.
    static IN_ONE_PASS: Cell<bool> = const { Cell::new(false) };
}

/// Returns whether this thread currently reads in one pass.
pub(crate) fn is_in_one_pass() -> bool {
    IN_ONE_PASS.get()
}

/// Reads in one pass: an unknown member of a union, or a value that does not fit, is an error. Only for JSON text,
/// because the caller then reads it again part by part.
pub(crate) fn in_one_pass<T>(read: impl FnOnce() -> serde_json::Result<T>) -> serde_json::Result<T> {
    let (_in_one_pass, found) = (OnePass::begin(), misfit::found());
    read().inspect_err(|_| misfit::forget(found))
}

/// A guard: this thread reads in one pass until it is dropped.
pub(crate) struct OnePass {
    before: bool,
}

impl OnePass {
    pub(crate) fn begin() -> Self {
        Self { before: IN_ONE_PASS.replace(true) }
    }
}

/// Restores the flag, also after a panic.
impl Drop for OnePass {
    fn drop(&mut self) {
        IN_ONE_PASS.set(self.before);
    }
}

/// Reads the value at the start of a text. Returns the value and its length in bytes.
pub(crate) fn read_prefix<'de, T: Deserialize<'de>>(json: &'de str) -> serde_json::Result<(T, usize)> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let value = T::deserialize(&mut deserializer)?;
    Ok((value, bytes_read(deserializer)))
}

/// Returns the number of bytes that a deserializer has read.
pub(crate) fn bytes_read<'de>(deserializer: serde_json::Deserializer<serde_json::de::StrRead<'de>>) -> usize {
    deserializer.into_iter::<IgnoredAny>().byte_offset()
}

/// Reads JSON, and logs values that do not fit the models. An error contains its path.
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

/// Reads JSON as a type of the caller, and logs values that do not fit the models within it. Does not read in one pass,
/// because the type may handle an error itself, as `#[serde(untagged)]` does.
pub(crate) fn read_foreign<T: DeserializeOwned>(json: &str) -> serde_json::Result<T> {
    let (value, misfits) = read_text(json, |json| {
        check_strict(json)?;
        serde_json::from_str(json)
    })?;
    misfit::report(&misfits);
    Ok(value)
}

/// Returns the text as JSON, repaired if necessary.
pub(crate) fn read_raw(json: &str) -> serde_json::Result<Box<RawValue>> {
    RawValue::from_string(repair(json).into_owned())
}

/// Calls `read` with a text. If it fails, calls `read` with the repaired text. Returns the value and the misfits. An
/// error contains its path.
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

/// Fails if a JSON text has half of a surrogate pair. Much faster than [`check_strict`], but only for valid JSON.
pub(crate) fn check_surrogates(json: &str) -> serde_json::Result<()> {
    let is_surrogate = |(at, _)| matches!(json.as_bytes().get(at + 1..at + 3), Some([b'u', b'd' | b'D']));
    if json.match_indices('\\').any(is_surrogate) { check_strict(json) } else { Ok(()) }
}

/// Fails if a text needs repair. Call it before reading part by part. Otherwise a string with half of a surrogate pair
/// would be lost.
pub(crate) fn check_strict(json: &str) -> serde_json::Result<()> {
    match repair(json) {
        Cow::Borrowed(_) => Ok(()),
        Cow::Owned(_) => Err(serde::de::Error::custom("not strict JSON")),
    }
}
