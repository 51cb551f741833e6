//! Reads the parts of the document that `progenitor` does not support: unions, enums, request and answer schemas,
//! operations.

mod operations;

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    error::{Error, Result},
    names::{self, Scope},
    node::{at, entries, find, flag, items, text},
    yaml::join,
};

pub(super) use operations::{Operation, Parameter};

/// The prefix of a reference to a schema.
pub(super) const SCHEMA_PREFIX: &str = "#/components/schemas/";
/// The unions, enums and operations of a document.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) unions: Vec<Union>,
    pub(super) enums: Vec<StringEnum>,
    pub(super) operations: Vec<Operation>,
    /// Schemas reachable from a request body: these get constructors and setters.
    pub(super) requests: BTreeSet<String>,
    /// Schemas reachable from an answer: these are read with tolerance for values that do not fit.
    pub(super) answers: BTreeSet<String>,
}

/// A schema whose variants are distinguished by the value of one property, the tag.
#[derive(Debug)]
pub(super) struct Union {
    pub(super) name: String,
    pub(super) tag: String,
    /// Tag values, each with its schema.
    pub(super) variants: Vec<(String, String)>,
}

/// A string schema with listed values. It is open, because servers add values without notice. A listed value `unknown`
/// gets no variant of its own.
#[derive(Debug)]
pub(super) struct StringEnum {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) values: Vec<String>,
}

impl Model {
    pub(super) fn union(&self, name: &str) -> Option<&Union> {
        self.unions.iter().find(|union| union.name == name)
    }

    pub(super) fn is_enum(&self, name: &str) -> bool {
        self.enums.iter().any(|known| known.name == name)
    }
}

/// Returns the name of the enum with the tags of a union (`x-tag-of`).
pub(super) fn tag_enum_name(union: &str) -> String {
    format!("{union}Type")
}

/// Returns the target of a node that is only a reference: `$ref`, or `allOf` of one `$ref`.
pub(super) fn reference(node: &Value) -> Option<&str> {
    let target = match text(node, "$ref") {
        Some(target) => target,
        None if node.get("properties").is_none() => match node.get("allOf")?.as_array()?.as_slice() {
            [only] => text(only, "$ref")?,
            _ => return None,
        },
        None => return None,
    };
    target.strip_prefix(SCHEMA_PREFIX)
}

/// Reads the model. Fails at the first invalid place.
pub(super) fn read(document: &Value) -> Result<Model> {
    check_references(document, document, "")?;
    for (name, node) in schemas(document) {
        check_composition(document, node, &mut vec![name])?;
    }
    let mut model = Model {
        unions: unions(document)?,
        enums: enums(document)?,
        operations: vec![],
        requests: BTreeSet::new(),
        answers: BTreeSet::new(),
    };
    add_tag_enums(document, &mut model)?;
    model.operations = operations::read(document)?;
    for operation in &model.operations {
        if let Some(body) = &operation.body {
            reach(document, &model.unions, body, &mut model.requests);
        }
        if let Some(answer) = &operation.answer {
            reach(document, &model.unions, answer, &mut model.answers);
        }
    }
    Ok(model)
}

/// Fails on a local reference without a target, or in a circle.
fn check_references(document: &Value, node: &Value, place: &str) -> Result<()> {
    match node {
        Value::Object(object) => {
            if let Some(Value::String(target)) = object.get("$ref") {
                let mut seen = BTreeSet::new();
                let mut next = Some(target.as_str());
                while let Some(target) = next {
                    if !seen.insert(target) {
                        return Err(Error::new(place, format!("`$ref` to `{target}` leads back to itself")));
                    }
                    let found = find(document, target).ok_or_else(|| {
                        Error::new(place, format!("`$ref` to `{target}`, which is not in the document"))
                    })?;
                    next = text(found, "$ref");
                }
            }
            object.iter().try_for_each(|(key, value)| check_references(document, value, &join(place, key)))
        }
        Value::Array(list) => list
            .iter()
            .enumerate()
            .try_for_each(|(index, value)| check_references(document, value, &format!("{place}[{index}]"))),
        _ => Ok(()),
    }
}

/// Fails if a schema inherits from itself, or is a list or map of itself: its type would be infinite.
fn check_composition<'a>(document: &'a Value, node: &'a Value, within: &mut Vec<&'a str>) -> Result<()> {
    if let Some(name) = text(node, "$ref").and_then(|target| target.strip_prefix(SCHEMA_PREFIX)) {
        if let Some(start) = within.iter().position(|known| *known == name) {
            let message = format!("consists of itself: {} -> {name}", within[start..].join(" -> "));
            return Err(Error::new(format!("components.schemas.{name}"), message));
        }
        let Some(target) = at(document, &["components", "schemas", name]) else { return Ok(()) };
        within.push(name);
        check_composition(document, target, within)?;
        within.pop();
    }
    items(node, "allOf").try_for_each(|part| check_composition(document, part, within))?;
    // A struct ends the recursion: its properties refer to other types by name.
    if node.get("properties").is_some() || node.get("allOf").is_some() {
        return Ok(());
    }
    let elements = [node.get("items"), node.get("additionalProperties")];
    elements.into_iter().flatten().try_for_each(|element| check_composition(document, element, within))
}

fn schemas(document: &Value) -> impl Iterator<Item = (&String, &Value)> {
    at(document, &["components"]).into_iter().flat_map(|components| entries(components, "schemas"))
}

fn unions(document: &Value) -> Result<Vec<Union>> {
    let mut unions = Vec::new();
    for (name, node) in schemas(document) {
        let Some(discriminator) = node.get("discriminator") else { continue };
        let place = format!("components.schemas.{name}.discriminator");
        let tag = text(discriminator, "propertyName").ok_or_else(|| Error::new(&place, "has no `propertyName`"))?;
        let mut variants = Vec::new();
        let mut scope = Scope::with(&["Unknown"]);
        for (value, target) in entries(discriminator, "mapping") {
            let place = format!("{place}.mapping.{value}");
            let schema = target.as_str().map(|target| target.strip_prefix(SCHEMA_PREFIX).unwrap_or(target));
            let found = schema.and_then(|schema| Some((schema, at(document, &["components", "schemas", schema])?)));
            let Some((schema, node)) = found else {
                return Err(Error::new(place, format!("maps to {target}, which is not a schema of the document")));
            };
            if !is_object(document, node) || node.get("discriminator").is_some() {
                return Err(Error::new(place, format!("maps to `{schema}`, which is not an object of its own")));
            }
            scope.add(&names::type_ident(value), value, &place)?;
            variants.push((value.clone(), schema.to_owned()));
        }
        if variants.is_empty() {
            return Err(Error::new(place, "has no `mapping`: name the schema of every tag"));
        }
        unions.push(Union { name: name.clone(), tag: tag.to_owned(), variants });
    }
    Ok(unions)
}

/// Whether a component becomes a struct of its own: it has or inherits properties, or is an object without values.
pub(super) fn is_object(document: &Value, node: &Value) -> bool {
    if node.get("properties").is_some() {
        return true;
    }
    match reference(node).and_then(|name| at(document, &["components", "schemas", name])) {
        // `allOf` of one object or union is a struct that inherits everything. `allOf` of another type is an alias.
        Some(target) => {
            node.get("allOf").is_some() && (is_object(document, target) || target.get("discriminator").is_some())
        }
        None => {
            let is_open = ["additionalProperties", "oneOf", "anyOf"].iter().any(|key| node.get(key).is_some());
            node.get("allOf").is_some() || (text(node, "type") == Some("object") && !is_open)
        }
    }
}

fn enums(document: &Value) -> Result<Vec<StringEnum>> {
    let mut enums = Vec::new();
    for (name, node) in schemas(document).filter(|(_, node)| node.get("enum").is_some()) {
        let listed = items(node, "enum").filter(|value| !value.is_null());
        let values: Option<Vec<String>> = listed.map(|value| Some(value.as_str()?.to_owned())).collect();
        // An enum with values that are not strings has the type of its `type`.
        let Some(values) = values else { continue };
        let mut scope = Scope::default();
        for value in values.iter().filter(|value| !is_unknown(value)) {
            scope.add(&names::type_ident(value), value, &format!("components.schemas.{name}.enum"))?;
        }
        let description = text(node, "description").unwrap_or_default().to_owned();
        enums.push(StringEnum { name: name.clone(), description, values });
    }
    Ok(enums)
}

/// Whether a value of an enum would have the name of the variant for unknown values.
pub(super) fn is_unknown(value: &str) -> bool {
    names::type_ident(value) == "Unknown"
}

/// Adds an enum of tags for every union that an `x-tag-of` names.
fn add_tag_enums(document: &Value, model: &mut Model) -> Result<()> {
    let mut wanted = Vec::new();
    collect(document, "", "x-tag-of", &mut wanted);
    for (place, union) in wanted {
        let Some(union) = model.union(&union) else {
            return Err(Error::new(place, format!("`x-tag-of: {union}`, which is not a union of the document")));
        };
        let name = tag_enum_name(&union.name);
        if model.is_enum(&name) {
            continue;
        }
        if at(document, &["components", "schemas", &name]).is_some() {
            let message = format!("this name is reserved for the tags of `{}`", union.name);
            return Err(Error::new(format!("components.schemas.{name}"), message));
        }
        let description = format!("A kind of `{}`: the value of `{}` in JSON.", union.name, union.tag);
        let values = union.variants.iter().map(|(tag, _)| tag.clone()).collect();
        model.enums.push(StringEnum { name, description, values });
    }
    Ok(())
}

/// Collects every string value of a key in the document, with its place.
fn collect(node: &Value, place: &str, key: &str, found: &mut Vec<(String, String)>) {
    match node {
        Value::Object(object) => {
            if let Some(value) = text(node, key) {
                found.push((place.to_owned(), value.to_owned()));
            }
            object.iter().for_each(|(name, value)| collect(value, &join(place, name), key, found));
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(index, value)| collect(value, &format!("{place}[{index}]"), key, found));
        }
        _ => {}
    }
}

/// Adds to `reached` every schema that is reachable from a node, including all variants of unions.
pub(super) fn reach(document: &Value, unions: &[Union], node: &Value, reached: &mut BTreeSet<String>) {
    match node {
        Value::Object(object) => {
            if let Some(name) = text(node, "$ref").and_then(|target| target.strip_prefix(SCHEMA_PREFIX)) {
                reach_schema(document, unions, name, reached);
            }
            object.values().for_each(|value| reach(document, unions, value, reached));
        }
        Value::Array(list) => list.iter().for_each(|value| reach(document, unions, value, reached)),
        _ => {}
    }
}

fn reach_schema(document: &Value, unions: &[Union], name: &str, reached: &mut BTreeSet<String>) {
    if !reached.insert(name.to_owned()) {
        return;
    }
    if let Some(schema) = at(document, &["components", "schemas", name]) {
        reach(document, unions, schema, reached);
    }
    for (_, variant) in unions.iter().filter(|union| union.name == name).flat_map(|union| &union.variants) {
        reach_schema(document, unions, variant, reached);
    }
}

/// Whether a node may be null, also through an alias.
pub(super) fn nullable(document: &Value, node: &Value) -> bool {
    flag(node, "nullable")
        || reference(node)
            .and_then(|name| at(document, &["components", "schemas", name]))
            .is_some_and(|target| flag(target, "nullable"))
}
