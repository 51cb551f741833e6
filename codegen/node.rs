//! Reads document nodes. A node that is missing or has another type is treated as absent.

use serde_json::Value;

/// Returns the value at a path of keys, if all of them exist.
pub(super) fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, key| value.get(key))
}

/// Returns the entries of the object at a key, in the order of the document. Empty if the key is absent.
pub(super) fn entries<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.get(key).and_then(Value::as_object).into_iter().flatten()
}

/// Returns the items of the list at a key. Empty if the key is absent.
pub(super) fn items<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// Returns the string at a key.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

/// Returns the boolean at a key. Defaults to false.
pub(super) fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or(false)
}

/// Follows `$ref`s of any kind (response, parameter, request body) to a node.
pub(super) fn resolve<'a>(document: &'a Value, mut node: &'a Value) -> &'a Value {
    while let Some(target) = text(node, "$ref").and_then(|target| find(document, target)) {
        node = target;
    }
    node
}

/// Returns the target of a reference within the document.
pub(super) fn find<'a>(document: &'a Value, target: &str) -> Option<&'a Value> {
    document.pointer(target.strip_prefix('#')?)
}
