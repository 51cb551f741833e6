//! Merges the documents of several services into one, and records which services have each part.
//!
//! An operation is identified by its method and path, a schema by its name. Properties, parameters, enum values and
//! tags of unions are united. A property is required only if every document with the schema requires it. The laxest
//! limit applies. Names come from the first document, descriptions from the last. A conflict of types is an error that
//! names both files.
//!
//! A part that only some of the documents have gets `x-services` with the names of their services
//! (`x-services-by-value` for enum values and tags).

mod part;
mod schema;

use serde_json::{Map, Value, json};

use super::{
    error::{Error, Result},
    model::SCHEMA_PREFIX,
    node::{at, entries, flag, items, text},
    yaml::join,
};
use part::{Part, annotate, children, conflict, description, first, provenance, since, united};
use schema::{composed, schema};

pub(super) use part::Source;

/// Merges the documents. A single document without `x-same-as` is returned unchanged.
pub(super) fn merge(sources: &[Source]) -> Result<Value> {
    if let [only] = sources
        && !schemas(only).any(|(_, node)| node.get("x-same-as").is_some())
    {
        return Ok(only.document.clone());
    }
    let sources: Vec<Source> = sources.iter().map(with_same_types).collect::<Result<_>>()?;
    let roots: Vec<Part<'_>> =
        sources.iter().map(|source| Part { source, node: &source.document, is_alias: false }).collect();
    let info = |key| {
        let texts = roots.iter().filter_map(|root| root.at(&["info", key])?.node.as_str());
        texts.collect::<Vec<_>>().join(" and ")
    };
    let mut merged = json!({
        "openapi": first(&roots, "openapi"),
        "info": {"title": info("title"), "version": info("version")},
        "paths": {},
        "components": {"schemas": {}},
        "x-services": roots.iter().filter_map(|root| root.node.get("x-service")).collect::<Vec<_>>(),
    });
    for (path, item) in united(&children(&roots, "paths")) {
        for (method, operations) in united(&item).into_iter().filter(|(_, found)| found[0].node.is_object()) {
            let place = format!("paths.{path}.{method}");
            merged["paths"][&path][&method] = operation(&roots, &item, &operations, &place)?;
        }
    }
    let components = children(&roots, "components");
    for (name, parts) in united(&children(&components, "schemas")) {
        let place = format!("components.schemas.{name}");
        merged["components"]["schemas"][&name] = match text(parts[0].node, "x-same-as") {
            Some(target) => {
                let mut alias = alias(target, parts[0].node);
                annotate(&mut alias, provenance(&parts, &roots));
                alias
            }
            None => {
                let others = roots.iter().flat_map(|root| same_as(root.source, &name));
                let parts: Vec<_> = parts.iter().copied().chain(others).collect();
                let mut schema = composed(&parts, &place)?;
                annotate(&mut schema, provenance(&parts, &roots));
                schema
            }
        };
    }
    Ok(merged)
}

/// Returns the merged node of a schema with `x-same-as`: another name of its target.
fn alias(target: &str, node: &Value) -> Value {
    json!({
        "$ref": format!("{SCHEMA_PREFIX}{target}"),
        "description": text(node, "description").unwrap_or_default(),
        "x-same-as": target,
    })
}

/// Returns the schemas of a document whose `x-same-as` is `name`.
fn same_as<'a>(source: &'a Source, name: &'a str) -> impl Iterator<Item = Part<'a>> {
    schemas(source).filter(move |(_, node)| text(node, "x-same-as") == Some(name)).map(move |(_, node)| Part {
        source,
        node,
        is_alias: true,
    })
}

fn schemas(source: &Source) -> impl Iterator<Item = (&String, &Value)> {
    at(&source.document, &["components"]).into_iter().flat_map(|components| entries(components, "schemas"))
}

/// Returns a document in which references to a schema with `x-same-as` lead to the target of `x-same-as`.
fn with_same_types(source: &Source) -> Result<Source> {
    let mut document = source.document.clone();
    for (name, node) in schemas(source) {
        let Some(target) = text(node, "x-same-as") else { continue };
        if source.schema(target).is_none_or(|schema| schema.get("x-same-as").is_some()) {
            let message = format!("`{target}` is not a schema of its own");
            let place = format!("components.schemas.{name}.x-same-as");
            return Err(Error::new(place, message).in_file(&source.file));
        }
        redirect(&mut document, &format!("{SCHEMA_PREFIX}{name}"), &format!("{SCHEMA_PREFIX}{target}"));
    }
    Ok(Source { file: source.file.clone(), document })
}

fn redirect(node: &mut Value, from: &str, to: &str) {
    match node {
        Value::Object(object) => {
            for (key, value) in object {
                match value {
                    Value::String(target) if key == "$ref" && target == from => to.clone_into(target),
                    value => redirect(value, from, to),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| redirect(value, from, to)),
        _ => {}
    }
}

fn operation(roots: &[Part<'_>], item: &[Part<'_>], parts: &[Part<'_>], place: &str) -> Result<Value> {
    let mut merged = Map::new();
    for (key, found) in united(parts) {
        let value = match key.as_str() {
            "parameters" | "requestBody" | "responses" => continue,
            "summary" => found[found.len() - 1].node.clone(),
            "description" => description(parts).unwrap_or_default(),
            "x-since" => since(&found),
            _ => found[0].node.clone(),
        };
        merged.insert(key, value);
    }
    merged.insert("parameters".to_owned(), parameters(item, parts, place)?.into());
    let bodies: Vec<_> = children(parts, "requestBody").into_iter().map(Part::resolved).collect();
    if !bodies.is_empty() {
        if bodies.len() < parts.len() {
            let has_body = |part: &Part<'_>| if part.child("requestBody").is_some() { "a body" } else { "no body" };
            return Err(conflict(parts, place, |part| has_body(part).to_owned()));
        }
        let body = answer(&bodies, &format!("{place}.requestBody"))?;
        merged.insert("requestBody".to_owned(), body);
    }
    let mut responses = Map::new();
    for (status, found) in united(&children(parts, "responses")) {
        let found: Vec<_> = found.into_iter().map(Part::resolved).collect();
        responses.insert(status.clone(), answer(&found, &format!("{place}.responses.{status}"))?);
    }
    merged.insert("responses".to_owned(), responses.into());
    let mut merged = Value::Object(merged);
    annotate(&mut merged, provenance(parts, roots));
    Ok(merged)
}

/// Merges bodies or responses.
fn answer(parts: &[Part<'_>], place: &str) -> Result<Value> {
    let mut merged = json!({"description": description(parts).unwrap_or_else(|| "".into())});
    let schemas: Vec<_> = parts.iter().filter_map(|part| part.at(&["content", "application/json", "schema"])).collect();
    if !schemas.is_empty() {
        merged["content"] = json!({"application/json": {"schema": schema(&schemas, place)?}});
    }
    Ok(merged)
}

fn parameters(item: &[Part<'_>], parts: &[Part<'_>], place: &str) -> Result<Vec<Value>> {
    fn of<'a>(part: &Part<'a>) -> Vec<Part<'a>> {
        items(part.node, "parameters").map(|node| Part { node, ..*part }.resolved()).collect()
    }
    let key = |part: &Part<'_>| (first(&[*part], "in"), first(&[*part], "name"));
    let mut groups: Vec<Vec<Part<'_>>> = Vec::new();
    for part in parts {
        let own: Vec<Part<'_>> = of(part);
        // An operation inherits the parameters of its path, unless it has a parameter with the same name and place.
        let of_path: Vec<Part<'_>> =
            item.iter().filter(|item| std::ptr::eq(item.source, part.source)).flat_map(of).collect();
        let inherited = of_path.into_iter().filter(|inherited| !own.iter().any(|own| key(own) == key(inherited)));
        for parameter in inherited.chain(own.iter().copied()) {
            match groups.iter_mut().find(|group| key(&group[0]) == key(&parameter)) {
                Some(group) => group.push(parameter),
                None => groups.push(vec![parameter]),
            }
        }
    }
    groups
        .iter()
        .enumerate()
        .map(|(index, group)| parameter(group, parts, &format!("{place}.parameters[{index}]")))
        .collect()
}

fn parameter(parts: &[Part<'_>], all: &[Part<'_>], place: &str) -> Result<Value> {
    let mut merged = Map::new();
    for (key, found) in united(parts) {
        let value = match key.as_str() {
            "schema" => schema(&found, &join(place, "schema"))?,
            "description" => description(parts).unwrap_or_default(),
            "required" => (parts.len() == all.len() && parts.iter().all(|part| flag(part.node, "required"))).into(),
            "x-since" => since(&found),
            _ => found[0].node.clone(),
        };
        merged.insert(key, value);
    }
    let mut merged = Value::Object(merged);
    annotate(&mut merged, provenance(parts, all));
    Ok(merged)
}
