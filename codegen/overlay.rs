//! Applies an OpenAPI Overlay (1.0) to the document: what the real server taught, each action with its reason.

use serde_json::Value;
use serde_json_path::JsonPath;

use super::{Error, Result, at, flag, text, yaml};

/// Applies every action in order.
///
/// An action must say why (`description`). Its target must be found when the overlay was written for this version of
/// the document (`info.version` of both); in another version what is not there is left out.
pub(super) fn apply(document: &mut Value, overlay: &Value) -> Result<()> {
    let same_version = at(document, &["info", "version"]) == at(overlay, &["info", "version"]);
    let actions = match overlay.get("actions") {
        Some(Value::Array(actions)) => actions,
        Some(other) => return Err(Error::new("actions", format!("is {}, expected a list", yaml::kind(other)))),
        None => return Err(Error::new("actions", "missing: an overlay is a list of actions")),
    };
    for (index, action) in actions.iter().enumerate() {
        let place = format!("actions[{index}]");
        let target = text(action, "target").ok_or_else(|| Error::new(&place, "has no `target`"))?;
        let place = format!("{place} (target {target})");
        if text(action, "description").is_none_or(|reason| reason.trim().is_empty()) {
            return Err(Error::new(place, "has no `description`: say why the action is there"));
        }
        let path = JsonPath::parse(target).map_err(|error| Error::new(&place, format!("not a JSONPath: {error}")))?;
        let found: Vec<String> =
            path.query_located(document).locations().map(|location| location.to_json_pointer()).collect();
        if found.is_empty() && same_version {
            return Err(Error::new(place, "matches nothing in the document"));
        }
        match (flag(action, "remove"), action.get("update")) {
            (true, None) => remove(document, &found),
            (false, Some(update)) => {
                for pointer in &found {
                    if let Some(node) = document.pointer_mut(pointer) {
                        merge(node, update);
                    }
                }
            }
            _ => return Err(Error::new(place, "has neither or both of `update` and `remove: true`")),
        }
    }
    Ok(())
}

/// Removes the nodes, last first, so that the indices of the others stay true.
fn remove(document: &mut Value, pointers: &[String]) {
    for pointer in pointers.iter().rev() {
        let Some((parent, key)) = pointer.rsplit_once('/') else { continue };
        let key = key.replace("~1", "/").replace("~0", "~");
        match document.pointer_mut(parent) {
            Some(Value::Object(object)) => {
                object.shift_remove(&key);
            }
            Some(Value::Array(list)) => {
                if let Ok(index) = key.parse::<usize>() {
                    list.remove(index);
                }
            }
            _ => {}
        }
    }
}

/// Merges as the Overlay specification says: objects key by key, lists by appending, anything else by replacing.
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
