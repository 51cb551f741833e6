//! Reads document nodes. A node that is missing or has another type is treated as absent.

use serde_json::Value;

/// The value at a path of keys, if all are there.
pub(super) fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, key| value.get(key))
}

/// The entries of an object-valued key, in the document's order; nothing when the key is absent.
pub(super) fn entries<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.get(key).and_then(Value::as_object).into_iter().flatten()
}

/// The items of an array-valued key; nothing when the key is absent.
pub(super) fn items<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// A string-valued key.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

/// A boolean key; absent is false.
pub(super) fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or(false)
}

/// A node behind a `$ref` of any kind (response, parameter, request body).
pub(super) fn resolve<'a>(document: &'a Value, mut node: &'a Value) -> &'a Value {
    while let Some(target) = text(node, "$ref").and_then(|target| find(document, target)) {
        node = target;
    }
    node
}

/// The node that a reference within the document leads to.
pub(super) fn find<'a>(document: &'a Value, target: &str) -> Option<&'a Value> {
    document.pointer(target.strip_prefix('#')?)
}
