//! Looking into an update that the crate does not know: it may still look like the rest.

use std::{borrow::Cow, collections::HashMap};

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::model::union::Unknown;

/// The first value of this type in these places.
pub(super) fn find<T: DeserializeOwned>(unknown: &Unknown, places: &[&str]) -> Option<T> {
    places.iter().find_map(|place| serde_json::from_str(at(unknown.raw.get(), place)?).ok())
}

/// What stands in a place, as it came. Whatever is strange elsewhere does not matter.
fn at<'a>(json: &'a str, place: &str) -> Option<&'a str> {
    place.split('/').skip(1).try_fold(json, |json, name| {
        let members: HashMap<Cow<'a, str>, &'a RawValue> = serde_json::from_str(json).ok()?;
        members.get(name).map(|raw| raw.get())
    })
}
