//! Merges the definitions of a schema in several documents.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    super::{
        error::Result,
        model::{self, SCHEMA_PREFIX},
        node::{entries, items, text},
        yaml::join,
    },
    part::{Part, Source, annotate, children, conflict, description, first, provenance, since, united},
};

const LIMITS: [(&str, bool); 6] = [
    ("minLength", false),
    ("maxLength", true),
    ("minItems", false),
    ("maxItems", true),
    ("minimum", false),
    ("maximum", true),
];

/// The keywords of a schema that define its type.
const STRUCTURE: [&str; 4] = ["$ref", "allOf", "properties", "required"];

/// The formats that change the type in Rust.
const NUMBERS: [&str; 4] = ["int32", "int64", "float", "double"];

/// Merges a schema at its place of use: a reference or an inline type.
pub(super) fn schema(parts: &[Part<'_>], place: &str) -> Result<Value> {
    let expanded: Vec<Value> = parts.iter().map(|part| without_alias(*part)).collect();
    let parts: Vec<Part<'_>> = parts.iter().zip(&expanded).map(|(part, node)| Part { node, ..*part }).collect();
    let targets: Vec<&str> = parts.iter().filter_map(|part| model::reference(part.node)).collect();
    if targets.is_empty() {
        return composed(&parts, place);
    }
    if targets.len() < parts.len() {
        return Err(conflict(&parts, place, |part| {
            let kind = text(part.node, "type").unwrap_or("no type");
            model::reference(part.node).map_or_else(|| format!("`{kind}`"), |target| format!("`{target}`"))
        }));
    }
    let target = widest(&parts, &targets).ok_or_else(|| {
        conflict(&parts, place, |part| format!("`{}`", model::reference(part.node).unwrap_or_default()))
    })?;
    let mut merged = facts(&parts, place)?;
    merged.insert("allOf".to_owned(), json!([{"$ref": format!("{SCHEMA_PREFIX}{target}")}]));
    Ok(merged.into())
}

/// Replaces an alias by its target, so that documents with and without the alias agree.
fn without_alias(part: Part<'_>) -> Value {
    let target = model::reference(part.node).and_then(|name| part.source.schema(name));
    let Some(target) = target.filter(|target| is_alias(&part.source.document, target)) else {
        return part.node.clone();
    };
    let mut node = without_alias(Part { node: target, ..part });
    for (key, value) in
        part.node.as_object().into_iter().flatten().filter(|(key, _)| !STRUCTURE.contains(&key.as_str()))
    {
        node[key] = value.clone();
    }
    node
}

/// Whether a schema is an alias of a scalar, list or map.
fn is_alias(document: &Value, node: &Value) -> bool {
    !model::is_object(document, node) && node.get("enum").is_none() && node.get("discriminator").is_none()
}

/// Returns the target that inherits from all others, if it adds no required property.
fn widest<'a>(parts: &[Part<'_>], targets: &[&'a str]) -> Option<&'a str> {
    targets
        .iter()
        .copied()
        .find(|candidate| targets.iter().all(|other| parts.iter().any(|part| extends(part.source, candidate, other))))
}

/// Whether a schema is `other`, or inherits from it without more required properties.
fn extends(source: &Source, name: &str, other: &str) -> bool {
    if name == other {
        return true;
    }
    let Some(node) = source.schema(name) else { return false };
    let requires = |node: &Value| items(node, "required").next().is_some();
    !requires(node)
        && !items(node, "allOf").any(requires)
        && items(node, "allOf").filter_map(model::reference).any(|base| extends(source, base, other))
}

/// Merges an inline type: inherited schemas, properties, and their keywords.
pub(super) fn composed(parts: &[Part<'_>], place: &str) -> Result<Value> {
    let bases: Vec<Vec<&str>> =
        parts.iter().map(|part| items(part.node, "allOf").filter_map(model::reference).collect()).collect();
    if bases.iter().any(|base| *base != bases[0]) {
        return Err(conflict(parts, place, |part| {
            let bases: Vec<_> = items(part.node, "allOf").filter_map(model::reference).collect();
            if bases.is_empty() { "inherits nothing".to_owned() } else { format!("inherits `{}`", bases.join("`, `")) }
        }));
    }
    let mut merged = facts(parts, place)?;
    let own: Vec<Value> = parts.iter().map(|part| own_properties(part.node)).collect();
    let own: Vec<Part<'_>> = parts.iter().zip(&own).map(|(part, node)| Part { node, ..*part }).collect();
    let own = properties(&own, place)?;
    if bases[0].is_empty() {
        merged.extend(own);
    } else {
        let mut all: Vec<Value> =
            bases[0].iter().map(|base| json!({"$ref": format!("{SCHEMA_PREFIX}{base}")})).collect();
        if !own.is_empty() {
            all.push(Value::Object(own));
        }
        merged.insert("allOf".to_owned(), all.into());
    }
    Ok(merged.into())
}

/// Returns the properties of an object and of the objects in its `allOf`, with the list of required ones.
fn own_properties(node: &Value) -> Value {
    let objects = items(node, "allOf").filter(|part| part.get("$ref").is_none()).chain([node]);
    let (mut properties, mut required) = (Map::new(), BTreeSet::new());
    for object in objects {
        properties.extend(entries(object, "properties").map(|(name, node)| (name.clone(), node.clone())));
        required.extend(items(object, "required").filter_map(Value::as_str));
    }
    json!({"properties": properties, "required": required})
}

fn properties(own: &[Part<'_>], place: &str) -> Result<Map<String, Value>> {
    let mut properties = Map::new();
    for (name, found) in united(&children(own, "properties")) {
        let mut property = schema(&found, &join(&join(place, "properties"), &name))?;
        annotate(&mut property, provenance(&found, own));
        properties.insert(name, property);
    }
    let mut merged = Map::new();
    let is_required = |name: &&Value| own.iter().all(|part| items(part.node, "required").any(|other| other == *name));
    let required: Vec<Value> = items(own[0].node, "required").filter(is_required).cloned().collect();
    if !properties.is_empty() {
        merged.insert("type".to_owned(), "object".into());
        merged.insert("properties".to_owned(), properties.into());
    }
    if !required.is_empty() {
        merged.insert("required".to_owned(), required.into());
    }
    Ok(merged)
}

/// Merges the keywords of a type beyond its structure.
fn facts(parts: &[Part<'_>], place: &str) -> Result<Map<String, Value>> {
    let mut merged = Map::new();
    let has_base = parts.iter().any(|part| part.node.get("allOf").is_some());
    for (key, found) in united(parts) {
        let limit = LIMITS.iter().find(|(limit, _)| *limit == key);
        let place = join(place, &key);
        let value = match key.as_str() {
            key if STRUCTURE.contains(&key) || key == "x-same-as" => continue,
            // With `allOf`, only some documents have `type`.
            "type" if has_base => continue,
            "type" if differ(&found) => return Err(conflict(&found, &place, |part| part.node.to_string())),
            "format" if differ(&found) || found.len() < parts.len() => {
                if found.iter().any(|part| NUMBERS.iter().any(|format| part.node == format)) {
                    return Err(conflict(parts, &place, |part| first(&[*part], "format").to_string()));
                }
                continue;
            }
            "description" => description(parts).unwrap_or_default(),
            "nullable" => found.iter().any(|part| part.node == true).into(),
            "uniqueItems" if found.len() < parts.len() => continue,
            "items" => schema(&found, &place)?,
            "additionalProperties" if found.iter().all(|part| part.node.is_object()) => schema(&found, &place)?,
            "enum" => {
                let (values, services) = enumeration(&found);
                if let Some(services) = services {
                    merged.insert("x-services-by-value".to_owned(), services);
                }
                values
            }
            "discriminator" => {
                let (discriminator, services) = discriminator(&found, &place)?;
                if let Some(services) = services {
                    merged.insert("x-services-by-value".to_owned(), services);
                }
                discriminator
            }
            "x-since" => since(&found),
            _ => match limit {
                // A limit that one document does not have is dropped.
                Some(_) if found.len() < parts.len() => continue,
                Some((_, is_max)) => laxest(&found, *is_max),
                None => found[0].node.clone(),
            },
        };
        merged.insert(key, value);
    }
    Ok(merged)
}

fn differ(parts: &[Part<'_>]) -> bool {
    parts.iter().any(|part| part.node != parts[0].node)
}

fn laxest(parts: &[Part<'_>], is_max: bool) -> Value {
    let number = |part: &&Part<'_>| part.node.as_f64().map_or(0, |number| number as i64);
    let found = if is_max { parts.iter().max_by_key(number) } else { parts.iter().min_by_key(number) };
    found.map(|part| part.node.clone()).unwrap_or_default()
}

fn enumeration(parts: &[Part<'_>]) -> (Value, Option<Value>) {
    let mut values: Vec<Value> = Vec::new();
    let mut services = Map::new();
    for value in parts.iter().filter_map(|part| part.node.as_array()).flatten() {
        if values.contains(value) {
            continue;
        }
        values.push(value.clone());
        let with_it: Vec<_> = parts
            .iter()
            .copied()
            .filter(|part| part.node.as_array().is_some_and(|list| list.contains(value)))
            .collect();
        if let (Some(name), Some(limited)) = (value.as_str(), provenance(&with_it, parts)) {
            services.insert(name.to_owned(), limited);
        }
    }
    (values.into(), (!services.is_empty()).then_some(services.into()))
}

fn discriminator(parts: &[Part<'_>], place: &str) -> Result<(Value, Option<Value>)> {
    let tags = children(parts, "propertyName");
    if tags.len() < parts.len() || tags.iter().any(|tag| tag.node != tags[0].node) {
        return Err(conflict(parts, &join(place, "propertyName"), |part| first(&[*part], "propertyName").to_string()));
    }
    let (mut mapping, mut services) = (Map::new(), Map::new());
    for (tag, found) in united(&children(parts, "mapping")) {
        let name = |part: &Part<'_>| {
            part.node.as_str().map(|target| target.strip_prefix(SCHEMA_PREFIX).unwrap_or(target).to_owned())
        };
        if found.iter().any(|part| name(part) != name(&found[0])) {
            let place = join(&join(place, "mapping"), &tag);
            return Err(conflict(&found, &place, |part| format!("`{}`", name(part).unwrap_or_default())));
        }
        if let Some(limited) = provenance(&found, parts) {
            services.insert(tag.clone(), limited);
        }
        mapping.insert(tag, found[0].node.clone());
    }
    let discriminator = json!({"propertyName": tags[0].node, "mapping": mapping});
    Ok((discriminator, (!services.is_empty()).then_some(services.into())))
}
