//! What JSON Schema cannot say and `progenitor` does not read: unions, enums, requests, operations; checked as a whole.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Error, Result, at, entries, flag, items, text, yaml::join};

const SCHEMA_PREFIX: &str = "#/components/schemas/";
const METHODS: [&str; 7] = ["get", "put", "post", "delete", "patch", "head", "options"];

/// The document beyond its plain structs.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) unions: Vec<Union>,
    pub(super) enums: Vec<StringEnum>,
    pub(super) operations: Vec<Operation>,
    /// Schemas reachable from a request body: these get constructors and setters.
    pub(super) requests: BTreeSet<String>,
}

/// A schema whose instances are told apart by the value of one property.
#[derive(Debug)]
pub(super) struct Union {
    pub(super) name: String,
    pub(super) tag: String,
    /// Tag value and the schema it stands for.
    pub(super) variants: Vec<(String, String)>,
}

/// A string schema with listed values. Open: the server adds values without notice, and a listed value that is called
/// `unknown` needs no variant of its own.
#[derive(Debug)]
pub(super) struct StringEnum {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) values: Vec<String>,
}

/// One operation, its parameters resolved and in the document's order.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) id: String,
    pub(super) place: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) parameters: Vec<Value>,
    pub(super) body: Option<Value>,
    pub(super) answer: Option<Value>,
    pub(super) node: Value,
}

impl Model {
    pub(super) fn union(&self, name: &str) -> Option<&Union> {
        self.unions.iter().find(|union| union.name == name)
    }

    pub(super) fn is_enum(&self, name: &str) -> bool {
        self.enums.iter().any(|known| known.name == name)
    }
}

/// The name of the enum of a union's tags, as `x-tag-of` asks for it.
pub(super) fn tag_enum_name(union: &str) -> String {
    format!("{union}Type")
}

/// The schema that a node stands for, when it is nothing but a reference: `$ref`, or `allOf` of one `$ref`.
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

/// A node behind a `$ref` of any kind (response, parameter, request body).
pub(super) fn resolve<'a>(document: &'a Value, mut node: &'a Value) -> &'a Value {
    while let Some(target) = text(node, "$ref").and_then(|target| find(document, target)) {
        node = target;
    }
    node
}

fn find<'a>(document: &'a Value, target: &str) -> Option<&'a Value> {
    document.pointer(target.strip_prefix('#')?)
}

/// Reads the model, or tells the first place that makes no sense.
pub(super) fn read(document: &Value) -> Result<Model> {
    check_references(document, document, "")?;
    let mut model =
        Model { unions: unions(document)?, enums: enums(document), operations: vec![], requests: BTreeSet::new() };
    add_tag_enums(document, &mut model)?;
    model.operations = operations(document)?;
    for operation in &model.operations {
        if let Some(body) = &operation.body {
            reach(document, &model.unions, body, &mut model.requests);
        }
    }
    Ok(model)
}

/// Every local reference must lead somewhere, and not in a circle.
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
        for (value, target) in entries(discriminator, "mapping") {
            let schema = target.as_str().map(|target| target.strip_prefix(SCHEMA_PREFIX).unwrap_or(target));
            match schema.filter(|schema| at(document, &["components", "schemas", schema]).is_some()) {
                Some(schema) => variants.push((value.clone(), schema.to_owned())),
                None => {
                    let message = format!("maps to {target}, which is not a schema of the document");
                    return Err(Error::new(format!("{place}.mapping.{value}"), message));
                }
            }
        }
        if variants.is_empty() {
            return Err(Error::new(place, "has no `mapping`: name the schema of every tag"));
        }
        unions.push(Union { name: name.clone(), tag: tag.to_owned(), variants });
    }
    Ok(unions)
}

fn enums(document: &Value) -> Vec<StringEnum> {
    schemas(document)
        .filter_map(|(name, node)| {
            let values: Option<Vec<String>> = node
                .get("enum")?
                .as_array()?
                .iter()
                .filter(|value| !value.is_null())
                .map(|value| Some(value.as_str()?.to_owned()))
                .collect();
            let description = text(node, "description").unwrap_or_default().to_owned();
            Some(StringEnum { name: name.clone(), description, values: values? })
        })
        .collect()
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
        let description = format!("The kinds of `{}`, as its `{}` names them.", union.name, union.tag);
        let values = union.variants.iter().map(|(tag, _)| tag.clone()).collect();
        model.enums.push(StringEnum { name, description, values });
    }
    Ok(())
}

/// Every string value of a key, anywhere in the document, with its place.
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

fn operations(document: &Value) -> Result<Vec<Operation>> {
    let mut operations: Vec<Operation> = Vec::new();
    for (path, item) in entries(document, "paths") {
        for method in METHODS {
            let Some(node) = item.get(method) else { continue };
            let place = format!("paths.{path}.{method}");
            let id = text(node, "operationId").ok_or_else(|| Error::new(&place, "has no `operationId`"))?;
            if let Some(other) = operations.iter().find(|other| other.id == id) {
                return Err(Error::new(place, format!("`operationId: {id}` is taken by {}", other.place)));
            }
            operations.push(Operation {
                id: id.to_owned(),
                method: method.to_owned(),
                path: path.clone(),
                parameters: parameters(document, item, node, &place)?,
                body: body(document, node, &place)?,
                answer: answer(document, node, &place)?,
                node: node.clone(),
                place,
            });
        }
    }
    Ok(operations)
}

fn parameters(document: &Value, item: &Value, node: &Value, place: &str) -> Result<Vec<Value>> {
    let mut found = Vec::new();
    for (index, parameter) in items(item, "parameters").chain(items(node, "parameters")).enumerate() {
        let parameter = resolve(document, parameter);
        let place = format!("{place}.parameters[{index}]");
        let name = text(parameter, "name").ok_or_else(|| Error::new(&place, "has no `name`"))?;
        if !matches!(text(parameter, "in"), Some("path" | "query")) {
            return Err(Error::new(place, format!("`{name}` is in neither `path` nor `query`")));
        }
        if parameter.get("schema").is_none() {
            return Err(Error::new(place, format!("`{name}` has no `schema`")));
        }
        found.push(parameter.clone());
    }
    Ok(found)
}

fn body(document: &Value, node: &Value, place: &str) -> Result<Option<Value>> {
    let Some(body) = node.get("requestBody").map(|body| resolve(document, body)) else { return Ok(None) };
    match at(body, &["content", "application/json", "schema"]) {
        Some(schema) => Ok(Some(schema.clone())),
        None => Err(Error::new(format!("{place}.requestBody"), "has no schema for `application/json`")),
    }
}

/// The schema of the successful answer, if it has a body.
fn answer(document: &Value, node: &Value, place: &str) -> Result<Option<Value>> {
    let Some((status, answer)) = entries(node, "responses").find(|(status, _)| status.starts_with('2')) else {
        return Err(Error::new(format!("{place}.responses"), "has no successful response"));
    };
    let answer = resolve(document, answer);
    match (answer.get("content"), at(answer, &["content", "application/json", "schema"])) {
        (_, Some(schema)) => Ok(Some(schema.clone())),
        (None, None) => Ok(None),
        _ => Err(Error::new(format!("{place}.responses.{status}"), "has no schema for `application/json`")),
    }
}

/// Adds to `reached` every schema that a node leads to, unions with all their variants.
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
