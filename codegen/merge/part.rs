//! One node in several documents, side by side.

use serde_json::{Map, Value};

use super::super::{
    docs,
    error::Error,
    node::{at, resolve, text},
};

/// A document with the overlay of its service applied.
#[derive(Debug)]
pub(in super::super) struct Source {
    /// The name of its file, for messages.
    pub(in super::super) file: String,
    pub(in super::super) document: Value,
}

impl Source {
    /// Returns the name of the service in `x-service`. Defaults to the name of the file.
    pub(in super::super) fn service(&self) -> &str {
        at(&self.document, &["x-service", "name"]).and_then(Value::as_str).unwrap_or(&self.file)
    }

    pub(super) fn schema(&self, name: &str) -> Option<&Value> {
        at(&self.document, &["components", "schemas", name])
    }
}

/// A node in one of the documents.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) source: &'a Source,
    pub(super) node: &'a Value,
    /// Whether the part is from a schema with `x-same-as`. Its descriptions do not describe the target.
    pub(super) is_alias: bool,
}

impl<'a> Part<'a> {
    pub(super) fn child(self, key: &str) -> Option<Self> {
        Some(Self { node: self.node.get(key)?, ..self })
    }

    pub(super) fn at(self, path: &[&str]) -> Option<Self> {
        path.iter().try_fold(self, |part, key| part.child(key))
    }

    /// Follows a `$ref` to a parameter, body or response.
    pub(super) fn resolved(self) -> Self {
        Self { node: resolve(&self.source.document, self.node), ..self }
    }
}

pub(super) fn children<'a>(parts: &[Part<'a>], key: &str) -> Vec<Part<'a>> {
    parts.iter().filter_map(|part| part.child(key)).collect()
}

/// Returns the keys of all parts in the order of their first appearance, each with the parts that have it.
pub(super) fn united<'a>(parts: &[Part<'a>]) -> Vec<(String, Vec<Part<'a>>)> {
    let mut keys: Vec<&String> = Vec::new();
    for key in parts.iter().filter_map(|part| part.node.as_object()).flat_map(Map::keys) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys.into_iter().map(|key| (key.clone(), children(parts, key))).collect()
}

pub(super) fn first(parts: &[Part<'_>], key: &str) -> Value {
    children(parts, key).first().map(|part| part.node.clone()).unwrap_or_default()
}

/// Returns the services of `some`, unless `all` has the same services.
pub(super) fn provenance(some: &[Part<'_>], all: &[Part<'_>]) -> Option<Value> {
    let services = |parts: &[Part<'_>]| {
        let mut services: Vec<&str> = Vec::new();
        for service in parts.iter().map(|part| part.source.service()) {
            // With `x-same-as`, one document can have several parts.
            if !services.contains(&service) {
                services.push(service);
            }
        }
        services.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let (some, all) = (services(some), services(all));
    (some.len() < all.len()).then(|| some.into())
}

pub(super) fn annotate(node: &mut Value, provenance: Option<Value>) {
    if let (Value::Object(node), Some(services)) = (node, provenance) {
        node.insert("x-services".to_owned(), services);
    }
}

/// Returns the description of the last document that has one, with the listed values of all documents.
pub(super) fn description(parts: &[Part<'_>]) -> Option<Value> {
    let texts = |is_alias: bool| {
        let parts = parts.iter().filter(move |part| part.is_alias == is_alias);
        parts.filter_map(|part| text(part.node, "description")).collect::<Vec<_>>()
    };
    let (texts, of_aliases) = (texts(false), texts(true));
    let (last, others) = texts.split_last().or(of_aliases.split_last())?;
    Some(others.iter().fold((*last).to_owned(), |all, other| docs::with_list_of(&all, other)).into())
}

/// Returns the error for a conflict, which names all files.
pub(super) fn conflict(parts: &[Part<'_>], place: &str, what: impl Fn(&Part<'_>) -> String) -> Error {
    let found: Vec<String> = parts.iter().map(|part| format!("{} in {}", what(part), part.source.file)).collect();
    let advice = "fix it in the overlay of one of the services";
    Error::new(place, format!("the documents do not agree: {}; {advice}", found.join(", ")))
}

/// Merges `x-since`: the first version by service. The `x-since` of an alias does not apply to its target.
pub(super) fn since(parts: &[Part<'_>]) -> Value {
    let mut all = Map::new();
    for part in parts.iter().filter(|part| !part.is_alias) {
        all.extend(
            part.node.as_object().into_iter().flatten().map(|(service, version)| (service.clone(), version.clone())),
        );
    }
    all.into()
}
