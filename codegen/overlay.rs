//! Applies an OpenAPI Overlay (1.0) to a document.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    error::{Error, Result},
    jsonpath::JsonPath,
    node::{at, flag, text},
    yaml,
};

/// Applies every action in order.
///
/// Each action needs a reason (`description`), and may set only these `extensions`. If the overlay and the document
/// have the same `info.version`, an action that matches nothing is an error. Otherwise, such an action is skipped.
pub(super) fn apply(document: &mut Value, overlay: &Value, extensions: &[&str]) -> Result<()> {
    let same_version = at(document, &["info", "version"]) == Some(version(overlay)?);
    let unmatched = apply_where_found(document, overlay, extensions)?;
    match unmatched.first_key_value() {
        Some((_, place)) if same_version => Err(Error::new(place, "matches nothing in the document")),
        _ => Ok(()),
    }
}

/// Applies one overlay to several documents. If the overlay has their versions (`info.version`, joined by " and "), an
/// action that matches nothing in all of them is an error.
pub(super) fn apply_to_each(documents: &mut [Value], overlay: &Value, extensions: &[&str]) -> Result<()> {
    let versions: Vec<_> = documents.iter().filter_map(|document| text(&document["info"], "version")).collect();
    let same_versions = version(overlay)?.as_str() == Some(&versions.join(" and "));
    let mut unmatched: Option<Unmatched> = None;
    for document in documents {
        let here = apply_where_found(document, overlay, extensions)?;
        unmatched = Some(match unmatched {
            Some(before) => before.into_iter().filter(|(index, _)| here.contains_key(index)).collect(),
            None => here,
        });
    }
    match unmatched.unwrap_or_default().first_key_value() {
        Some((_, place)) if same_versions => Err(Error::new(place, "matches nothing in any document")),
        _ => Ok(()),
    }
}

/// The indexes and places of the actions that matched nothing.
type Unmatched = BTreeMap<usize, String>;

fn version(overlay: &Value) -> Result<&Value> {
    at(overlay, &["info", "version"])
        .ok_or_else(|| Error::new("info", "has no `version`: add the version of the document"))
}

fn apply_where_found(document: &mut Value, overlay: &Value, extensions: &[&str]) -> Result<Unmatched> {
    let mut unmatched = Unmatched::new();
    let actions = match overlay.get("actions") {
        Some(Value::Array(actions)) => actions,
        Some(other) => return Err(Error::new("actions", format!("is {}, expected a list", yaml::kind(other)))),
        None => return Err(Error::new("actions", "missing: an overlay needs a list of actions")),
    };
    for (index, action) in actions.iter().enumerate() {
        let place = format!("actions[{index}]");
        let target = text(action, "target").ok_or_else(|| Error::new(&place, "has no `target`"))?;
        let place = format!("{place} (target {target})");
        if text(action, "description").is_none_or(|reason| reason.trim().is_empty()) {
            return Err(Error::new(place, "has no `description`: add the reason for the action"));
        }
        let path = JsonPath::parse(target).map_err(|error| Error::new(&place, format!("not a JSONPath: {error}")))?;
        let found = path.pointers(document);
        if found.is_empty() {
            unmatched.insert(index, place.clone());
        }
        match (flag(action, "remove"), action.get("update")) {
            (true, None) if found.contains("") => return Err(Error::new(place, "removes the whole document")),
            (true, None) => remove(document, "", &found),
            (false, Some(update)) => {
                check_extensions(update, extensions, &place)?;
                for pointer in &found {
                    if let Some(node) = document.pointer_mut(pointer) {
                        merge(node, update);
                    }
                }
            }
            _ => return Err(Error::new(place, "has neither or both of `update` and `remove: true`")),
        }
    }
    Ok(unmatched)
}

/// Removes every node below this one whose pointer is in `pointers`.
fn remove(node: &mut Value, pointer: &str, pointers: &BTreeSet<String>) {
    let keep = |key: &str, value: &mut Value| {
        let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
        remove(value, &pointer, pointers);
        !pointers.contains(&pointer)
    };
    match node {
        Value::Object(object) => object.retain(|key, value| keep(key, value)),
        Value::Array(list) => {
            let mut indices = 0..;
            list.retain_mut(|value| indices.next().is_some_and(|index: usize| keep(&index.to_string(), value)));
        }
        _ => {}
    }
}

/// Fails on an unknown extension, which would have no effect.
fn check_extensions(update: &Value, known: &[&str], place: &str) -> Result<()> {
    match update {
        Value::Object(object) => object.iter().try_for_each(|(key, value)| {
            if key.starts_with("x-") && !known.contains(&key.as_str()) {
                return Err(Error::new(place, format!("sets `{key}`, which is not an extension of the generator")));
            }
            check_extensions(value, known, place)
        }),
        Value::Array(list) => list.iter().try_for_each(|value| check_extensions(value, known, place)),
        _ => Ok(()),
    }
}

/// Merges by the Overlay specification: objects key by key, lists by appending, other values by replacing.
fn merge(node: &mut Value, update: &Value) {
    match (node, update) {
        (Value::Object(node), Value::Object(update)) => {
            for (key, value) in update {
                match node.get_mut(key) {
                    Some(present) => merge(present, value),
                    None => {
                        node.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (Value::Array(node), Value::Array(update)) => node.extend(update.iter().cloned()),
        (Value::Array(node), update) => node.push(update.clone()),
        (node, update) => *node = update.clone(),
    }
}
