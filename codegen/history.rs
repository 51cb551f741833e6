//! Adds to a document the versions that introduced its parts (`x-since`), from `openapi/history.yaml`.

use serde_json::{Map, Value, json};

use super::node::{at, entries, items};

/// Adds `x-since: {service: version}` to the operations, parameters, schemas and properties that the history lists.
pub(super) fn apply(document: &mut Value, history: &Value) {
    let Some(service) = at(document, &["x-service", "name"]).and_then(Value::as_str).map(str::to_owned) else { return };
    let Some(history) = history.get(service.to_lowercase()) else { return };
    let note = |node: Option<&mut Value>, version: &Value| {
        if let Some(Value::Object(node)) = node {
            node.insert("x-since".to_owned(), json!({ (service.as_str()): version }));
        }
    };
    if let Some(versions) = history.get("versions") {
        document["x-service"]["versions"] = versions.clone();
    }
    for (name, version) in entries(history, "operations") {
        note(operation(document, name), version);
    }
    for (name, parameters) in entries(history, "parameters") {
        for (parameter, version) in parameters.as_object().into_iter().flatten() {
            let all = operation(document, name).and_then(|operation| operation.get_mut("parameters")?.as_array_mut());
            note(all.into_iter().flatten().find(|node| node["name"] == parameter.as_str()), version);
        }
    }
    for (name, version) in entries(history, "schemas") {
        note(schema(document, name), version);
    }
    for (name, properties) in entries(history, "properties") {
        for (property, version) in properties.as_object().into_iter().flatten() {
            note(schema(document, name).and_then(|schema| own_property(schema, property)), version);
        }
    }
}

/// Returns the operation with this method and path, such as `GET /me`.
fn operation<'a>(document: &'a mut Value, name: &str) -> Option<&'a mut Value> {
    let (method, path) = name.split_once(' ')?;
    document["paths"].get_mut(path)?.get_mut(method.to_lowercase())
}

fn schema<'a>(document: &'a mut Value, name: &str) -> Option<&'a mut Value> {
    document["components"]["schemas"].get_mut(name)
}

fn own_property<'a>(schema: &'a mut Value, property: &str) -> Option<&'a mut Value> {
    let index = items(schema, "allOf").position(|part| at(part, &["properties", property]).is_some());
    let object = match index {
        Some(index) => &mut schema["allOf"][index],
        None => schema,
    };
    object.get_mut("properties").and_then(Value::as_object_mut).and_then(|own: &mut Map<_, _>| own.get_mut(property))
}
