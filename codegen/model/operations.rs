//! Reads the operations of the document: their parameters, bodies and answers.

use serde_json::Value;

use super::super::{
    error::{Error, Result},
    names::{self, Scope},
    node::{at, entries, flag, items, resolve, text},
};

const METHODS: [&str; 7] = ["get", "put", "post", "delete", "patch", "head", "options"];
/// The other keys of a path.
const BESIDE_METHODS: [&str; 4] = ["summary", "description", "servers", "parameters"];
/// The fields and methods of a request builder, from `emit` and the crate's `request!`. Only an operation with a body
/// has `body`, so it must be first.
const BUILDER_NAMES: [&str; 7] = ["body", "bot", "idempotent", "no_retry", "options", "request_timeout", "send"];

/// An operation, with its resolved parameters in the order of the document.
#[derive(Debug)]
pub(in super::super) struct Operation {
    pub(in super::super) id: String,
    pub(in super::super) place: String,
    pub(in super::super) method: String,
    pub(in super::super) path: String,
    pub(in super::super) parameters: Vec<Parameter>,
    pub(in super::super) body: Option<Value>,
    pub(in super::super) answer: Option<Value>,
    pub(in super::super) node: Value,
}

/// A parameter of an operation. `node` is its node in the document, with `name`, `in` and `schema`.
#[derive(Debug)]
pub(in super::super) struct Parameter {
    pub(in super::super) place: String,
    pub(in super::super) node: Value,
}

impl Parameter {
    pub(in super::super) fn name(&self) -> &str {
        text(&self.node, "name").unwrap_or_default()
    }

    pub(in super::super) fn in_path(&self) -> bool {
        text(&self.node, "in") == Some("path")
    }
}

/// Reads all operations, in the document's order.
pub(super) fn read(document: &Value) -> Result<Vec<Operation>> {
    let mut operations: Vec<Operation> = Vec::new();
    let (mut methods, mut builders) = (Scope::default(), Scope::with(&["Api"]));
    for (path, item) in entries(document, "paths") {
        if !path.starts_with('/') {
            return Err(Error::new(format!("paths.{path}"), "a path begins with a slash"));
        }
        for (method, node) in item.as_object().into_iter().flatten() {
            let place = format!("paths.{path}.{method}");
            if !METHODS.contains(&method.as_str()) {
                if BESIDE_METHODS.contains(&method.as_str()) || method.starts_with("x-") {
                    continue;
                }
                return Err(Error::new(place, "not an HTTP method that the generator supports"));
            }
            let id = text(node, "operationId").ok_or_else(|| Error::new(&place, "has no `operationId`"))?;
            if let Some(other) = operations.iter().find(|other| other.id == id) {
                return Err(Error::new(place, format!("`operationId: {id}` is taken by {}", other.place)));
            }
            methods.add(&names::value_ident(id), id, &place)?;
            builders.add(&names::type_ident(id), id, &place)?;
            let body = body(document, node, &place)?;
            operations.push(Operation {
                id: id.to_owned(),
                method: method.to_owned(),
                path: path.clone(),
                parameters: parameters(document, (path, item), node, &place, body.is_some())?,
                body,
                answer: answer(document, node, &place)?,
                node: node.clone(),
                place,
            });
        }
    }
    Ok(operations)
}

/// Returns the parameters of a path and of its operation. A parameter of the operation overrides one of the path.
fn parameters(
    document: &Value,
    (path, item): (&str, &Value),
    node: &Value,
    place: &str,
    has_body: bool,
) -> Result<Vec<Parameter>> {
    let mut found: Vec<Parameter> = Vec::new();
    for (node, place) in [(item, format!("paths.{path}")), (node, place.to_owned())] {
        let inherited = found.len();
        for (index, node) in items(node, "parameters").enumerate() {
            let node = resolve(document, node);
            let parameter = Parameter { place: format!("{place}.parameters[{index}]"), node: node.clone() };
            check_parameter(&parameter)?;
            match found.iter().position(|known| ["name", "in"].iter().all(|key| known.node[key] == node[key])) {
                Some(index) if index < inherited => found[index] = parameter,
                Some(_) => return Err(Error::new(&parameter.place, format!("`{}` occurs twice", parameter.name()))),
                None => found.push(parameter),
            }
        }
    }
    let mut scope = Scope::with(if has_body { &BUILDER_NAMES } else { &BUILDER_NAMES[1..] });
    let mut holes = path
        .split('{')
        .skip(1)
        .map(|hole| hole.split_once('}').map(|(name, _)| name))
        .collect::<Option<Vec<&str>>>()
        .ok_or_else(|| Error::new(format!("paths.{path}"), "`{` without `}`"))?;
    for parameter in &found {
        let name = parameter.name();
        scope.add(&names::value_ident(name), name, &parameter.place)?;
        if parameter.in_path() {
            let hole = holes.iter().position(|hole| *hole == name);
            let hole = hole.ok_or_else(|| Error::new(&parameter.place, format!("`{{{name}}}` is not in the path")))?;
            holes.remove(hole);
        }
    }
    match holes.first() {
        Some(hole) => Err(Error::new(place, format!("`{{{hole}}}` of the path is not among the parameters"))),
        None => Ok(found),
    }
}

fn check_parameter(parameter: &Parameter) -> Result<()> {
    let Parameter { place, node } = parameter;
    let name = text(node, "name").ok_or_else(|| Error::new(place, "has no `name`"))?;
    let message = match text(node, "in") {
        Some("path") if !flag(node, "required") => format!("`{name}` is in the path and not `required`"),
        Some("path" | "query") if node.get("schema").is_none() => format!("`{name}` has no `schema`"),
        Some("path" | "query") => return Ok(()),
        _ => format!("`{name}` is in neither `path` nor `query`"),
    };
    Err(Error::new(place, message))
}

fn body(document: &Value, node: &Value, place: &str) -> Result<Option<Value>> {
    let Some(body) = node.get("requestBody").map(|body| resolve(document, body)) else { return Ok(None) };
    match at(body, &["content", "application/json", "schema"]) {
        Some(schema) => Ok(Some(schema.clone())),
        None => Err(Error::new(format!("{place}.requestBody"), "has no schema for `application/json`")),
    }
}

/// Returns the schema of the successful answer, if it has a body.
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
