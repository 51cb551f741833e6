//! Merges the documents of several services into one, and notes which services have each part.
//!
//! An operation is identified by its method and path, a schema by its name. Properties, parameters, enum values and tags of
//! unions are united. A property is required only if every document with the schema requires it. Limits are the laxest.
//! Names come from the first document, descriptions from the last. Two types for one thing are an error with both places.
//!
//! A part that only some of the documents have gets `x-services` with the names of their services (`x-services-by-value`
//! for enum values and tags).

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    docs,
    error::{Error, Result},
    model::{self, SCHEMA_PREFIX},
    node::{at, entries, flag, items, resolve, text},
    yaml::join,
};

/// A document with the overlay of its service applied.
#[derive(Debug)]
pub(super) struct Source {
    /// The name of its file, for messages.
    pub(super) file: String,
    pub(super) document: Value,
}

impl Source {
    /// The name of the service, as `x-service` has it, else that of the file.
    pub(super) fn service(&self) -> &str {
        at(&self.document, &["x-service", "name"]).and_then(Value::as_str).unwrap_or(&self.file)
    }

    fn schema(&self, name: &str) -> Option<&Value> {
        at(&self.document, &["components", "schemas", name])
    }
}

/// What one document says of something.
#[derive(Clone, Copy)]
struct Part<'a> {
    source: &'a Source,
    node: &'a Value,
    /// Whether it is from a schema with `x-same-as`, whose words are not those of the target.
    is_alias: bool,
}

impl<'a> Part<'a> {
    fn child(self, key: &str) -> Option<Self> {
        Some(Self { node: self.node.get(key)?, ..self })
    }

    fn at(self, path: &[&str]) -> Option<Self> {
        path.iter().try_fold(self, |part, key| part.child(key))
    }

    /// The same part behind a `$ref` to a parameter, body or response.
    fn resolved(self) -> Self {
        Self { node: resolve(&self.source.document, self.node), ..self }
    }
}

const LIMITS: [(&str, bool); 6] = [
    ("minLength", false),
    ("maxLength", true),
    ("minItems", false),
    ("maxItems", true),
    ("minimum", false),
    ("maximum", true),
];
/// The parts of a schema that make its type.
const STRUCTURE: [&str; 4] = ["$ref", "allOf", "properties", "required"];

/// The formats that make another type in Rust.
const NUMBERS: [&str; 4] = ["int32", "int64", "float", "double"];

/// Merges the documents. A single one stays as it is.
pub(super) fn merge(sources: &[Source]) -> Result<Value> {
    if let [only] = sources {
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

/// The schema with `x-same-as`: another name of its target.
fn alias(target: &str, node: &Value) -> Value {
    json!({
        "$ref": format!("{SCHEMA_PREFIX}{target}"),
        "description": text(node, "description").unwrap_or_default(),
        "x-same-as": target,
    })
}

/// The schemas of a document that are the same as this one.
fn same_as<'a>(source: &'a Source, name: &'a str) -> impl Iterator<Item = Part<'a>> {
    let schemas =
        at(&source.document, &["components"]).into_iter().flat_map(|components| entries(components, "schemas"));
    schemas.filter(move |(_, node)| text(node, "x-same-as") == Some(name)).map(move |(_, node)| Part {
        source,
        node,
        is_alias: true,
    })
}

/// A document in which every reference to a schema with `x-same-as` leads to that schema.
fn with_same_types(source: &Source) -> Result<Source> {
    let mut document = source.document.clone();
    let schemas =
        at(&source.document, &["components"]).into_iter().flat_map(|components| entries(components, "schemas"));
    for (name, node) in schemas {
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

fn children<'a>(parts: &[Part<'a>], key: &str) -> Vec<Part<'a>> {
    parts.iter().filter_map(|part| part.child(key)).collect()
}

/// The keys of all parts in the order of their first appearance, with the parts that have them.
fn united<'a>(parts: &[Part<'a>]) -> Vec<(String, Vec<Part<'a>>)> {
    let mut keys: Vec<&String> = Vec::new();
    for key in parts.iter().filter_map(|part| part.node.as_object()).flat_map(Map::keys) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys.into_iter().map(|key| (key.clone(), children(parts, key))).collect()
}

fn first(parts: &[Part<'_>], key: &str) -> Value {
    children(parts, key).first().map(|part| part.node.clone()).unwrap_or_default()
}

/// The services of `some`, unless these are the services of `all`.
fn provenance(some: &[Part<'_>], all: &[Part<'_>]) -> Option<Value> {
    let services = |parts: &[Part<'_>]| {
        let mut services: Vec<String> = parts.iter().map(|part| part.source.service().to_owned()).collect();
        services.dedup();
        services
    };
    let services_of_some = services(some);
    (services_of_some != services(all)).then(|| services_of_some.into())
}

fn annotate(node: &mut Value, provenance: Option<Value>) {
    if let (Value::Object(node), Some(services)) = (node, provenance) {
        node.insert("x-services".to_owned(), services);
    }
}

/// The description of the last document that has one, with the listed values of all.
fn description(parts: &[Part<'_>]) -> Option<Value> {
    let texts = |is_alias: bool| {
        let parts = parts.iter().filter(move |part| part.is_alias == is_alias);
        parts.filter_map(|part| text(part.node, "description")).collect::<Vec<_>>()
    };
    let (texts, of_aliases) = (texts(false), texts(true));
    let (last, others) = texts.split_last().or(of_aliases.split_last())?;
    Some(others.iter().fold((*last).to_owned(), |all, other| docs::with_list_of(&all, other)).into())
}

/// A conflict, with both places.
fn conflict(parts: &[Part<'_>], place: &str, what: impl Fn(&Part<'_>) -> String) -> Error {
    let found: Vec<String> = parts.iter().map(|part| format!("{} in {}", what(part), part.source.file)).collect();
    let mended = "mend it in the overlay of one of the services";
    Error::new(place, format!("the documents do not agree: {}; {mended}", found.join(", ")))
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

/// A body or a response.
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
        // The parameters of a path are those of each of its operations, unless the operation has its own.
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

/// A schema where it is used: a reference, or a type of its own.
fn schema(parts: &[Part<'_>], place: &str) -> Result<Value> {
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

/// A node in which an alias is replaced by what it stands for, so that documents with and without it agree.
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

/// Whether a schema is no type of its own.
fn is_alias(document: &Value, node: &Value) -> bool {
    !model::is_object(document, node) && node.get("enum").is_none() && node.get("discriminator").is_none()
}

/// The target that inherits from all others, if it adds no required property.
fn widest<'a>(parts: &[Part<'_>], targets: &[&'a str]) -> Option<&'a str> {
    targets
        .iter()
        .copied()
        .find(|candidate| targets.iter().all(|other| parts.iter().any(|part| extends(part.source, candidate, other))))
}

/// Whether a schema is another one, or inherits from it and requires nothing more.
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

/// A type of its own: inherited schemas, properties, and what is said of them.
fn composed(parts: &[Part<'_>], place: &str) -> Result<Value> {
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

/// The properties of an object and of the objects in its `allOf`, with what is required of them.
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

/// What is said of a type beyond its structure.
fn facts(parts: &[Part<'_>], place: &str) -> Result<Map<String, Value>> {
    let mut merged = Map::new();
    let has_base = parts.iter().any(|part| part.node.get("allOf").is_some());
    for (key, found) in united(parts) {
        let limit = LIMITS.iter().find(|(limit, _)| *limit == key);
        let place = join(place, &key);
        let value = match key.as_str() {
            key if STRUCTURE.contains(&key) || key == "x-same-as" => continue,
            // With `allOf`, some documents say it and some do not.
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
                // What one document does not limit is not limited.
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

/// Since which version of its service something exists.
fn since(parts: &[Part<'_>]) -> Value {
    let mut all = Map::new();
    for part in parts {
        all.extend(
            part.node.as_object().into_iter().flatten().map(|(service, version)| (service.clone(), version.clone())),
        );
    }
    all.into()
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
