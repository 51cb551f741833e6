//! Lowers the document to a form that `progenitor` turns into good Rust: flat structs, plain types, no constraints.
//!
//! - Inheritance by `allOf` is merged, and the tag of a union is removed from its variants.
//! - Aliases of scalars, lists and maps are inlined.
//! - Unions, enums and ids become references to types of the crate.
//! - Nullable and not required mean the same.
//! - Limits move into the descriptions. Without `x-check`, only the server checks them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{
    docs,
    error::{Error, Result},
    model::{self, Model, Operation},
    names::{self, Scope},
    node::{at, entries, flag, items, resolve, text},
    yaml::{self, join},
};

/// The extension of a schema with a list of properties. At least one of these must be set.
pub(super) const AT_LEAST_ONE: &str = "x-at-least-one-of";

/// The extension of a property that adds it to the key of its object or excludes it. In the lowered document, all
/// properties of a key have it.
pub(super) const KEY: &str = "x-key";

/// The extension of a string that is joined from other properties if it is missing.
pub(super) const JOIN: &str = "x-join";

/// The services that have an operation, parameter or property, if not all have it.
pub(super) const SERVICES: &str = "x-services";
/// The extension of a text whose links to users become those of the service. Its value is the property with the format.
pub(super) const MENTIONS: &str = "x-mentions";
/// The extension of an optional property that is never left out, because the request would then do something else.
pub(super) const NEEDED: &str = "x-needed";
/// The extension of the rows of a keyboard, which are checked against the limits of the service.
pub(super) const KEYBOARD: &str = "x-keyboard";
/// Marks a property in the lowered document if a part of its value has one of the extensions for services.
pub(super) const ADAPTS_INSIDE: &str = "x-adapts-inside";

/// The document for `progenitor`, with facts for the emitting code.
#[derive(Debug)]
pub(super) struct Lowered {
    pub(super) document: Value,
    /// Operations (by id) whose body is checked before it is sent.
    pub(super) checked_bodies: BTreeSet<String>,
    /// Operations (by id) whose body is adapted to the service before it is sent.
    pub(super) adapted_bodies: BTreeSet<String>,
    /// The schemas that become structs.
    pub(super) objects: Vec<String>,
    /// The paths of Rust types that replace schemas, by the names of the schemas.
    pub(super) replacements: BTreeMap<String, String>,
}

pub(super) fn lower(document: &Value, model: &Model) -> Result<Lowered> {
    let mut lowering = Lowering { document, model, replacements: BTreeMap::new() };
    let mut schemas = Map::new();
    let mut objects = Vec::new();
    for (name, node) in at(document, &["components"]).into_iter().flat_map(|components| entries(components, "schemas"))
    {
        let place = format!("components.schemas.{name}");
        if model.union(name).is_some() || model.is_enum(name) {
            lowering.replace(name, format!("crate::api::types::{}", names::type_ident(name)), &place)?;
        } else if model::is_object(document, node) {
            schemas.insert(name.clone(), lowering.object(name, node, &place)?);
            objects.push(name.clone());
        } else if flag(node, "x-boxed") {
            return Err(Error::new(place, "`x-boxed` on a schema that is an alias"));
        } else {
            // Aliases are inlined where they are used. Reading them here finds mistakes in unused ones.
            lowering.schema(node, &place)?;
        }
    }
    let mut paths = Map::new();
    for operation in &model.operations {
        let lowered = lowering.operation(operation)?;
        if let Value::Object(item) = paths.entry(&operation.path).or_insert_with(|| json!({})) {
            item.insert(operation.method.clone(), lowered);
        }
    }
    // `progenitor` needs a schema for each replaced type. The shape of the schema does not matter.
    for name in lowering.replacements.keys() {
        if schemas.insert(name.clone(), json!({"type": "object"})).is_some() {
            return Err(taken(name));
        }
    }
    let mut scope = Scope::default();
    for name in schemas.keys() {
        scope.add(&names::type_ident(name), name, &format!("components.schemas.{name}"))?;
    }
    let info = json!({
        "title": at(document, &["info", "title"]).and_then(Value::as_str).unwrap_or("API"),
        "version": at(document, &["info", "version"]).and_then(Value::as_str).ok_or_else(|| Error::new("info", "has no `version`"))?,
    });
    let lowered = json!({"openapi": "3.0.3", "info": info, "paths": paths, "components": {"schemas": schemas}});
    let bodies = |leads: &dyn Fn(&Value) -> bool| {
        let with_it = model.operations.iter().filter(|operation| operation.body.as_ref().is_some_and(leads));
        with_it.map(|operation| operation.id.clone()).collect()
    };
    let checked_bodies = bodies(&|body| lowering.leads_to_checks(body));
    let adapted_bodies = bodies(&|body| lowering.leads_to_adaptions(body));
    Ok(Lowered { document: lowered, checked_bodies, adapted_bodies, objects, replacements: lowering.replacements })
}

impl Lowered {
    /// Whether a schema that becomes a struct is adapted to the service.
    pub(super) fn adapts(&self, schema: &str) -> bool {
        let node = &self.document["components"]["schemas"][schema];
        entries(node, "properties").any(|(_, property)| is_adapted(property) || flag(property, ADAPTS_INSIDE))
    }
}

/// Whether a property itself depends on the service.
fn is_adapted(property: &Value) -> bool {
    [SERVICES, MENTIONS, KEYBOARD].iter().any(|key| property.get(key).is_some())
}

/// Returns the error for a schema with a reserved name.
fn taken(name: &str) -> Error {
    Error::new(format!("components.schemas.{name}"), "this name is reserved for a type of the crate")
}

struct Lowering<'a> {
    document: &'a Value,
    model: &'a Model,
    replacements: BTreeMap<String, String>,
}

/// An object schema with its inherited properties.
#[derive(Default)]
struct FlatSchema<'a> {
    properties: Vec<(&'a str, &'a Value)>,
    required: BTreeSet<&'a str>,
}

impl<'a> Lowering<'a> {
    /// Returns a reference to a Rust type that `progenitor` does not generate.
    fn replace(&mut self, name: &str, path: String, place: &str) -> Result<Value> {
        if syn::parse_str::<syn::Type>(&path).is_err() {
            return Err(Error::new(place, format!("`{name}` is not the name of a Rust type")));
        }
        match self.replacements.insert(name.to_owned(), path.clone()) {
            Some(other) if other != path => Err(taken(name)),
            _ => Ok(json!({"$ref": format!("#/components/schemas/{name}")})),
        }
    }

    fn schema_named(&self, name: &str) -> &'a Value {
        at(self.document, &["components", "schemas", name]).unwrap_or(&Value::Null)
    }

    /// Lowers a type, without its prose, limits and default.
    fn schema(&mut self, node: &Value, place: &str) -> Result<Value> {
        if let Some(id) = text(node, "x-id") {
            return self.replace(id, format!("crate::id::{id}"), place);
        }
        if let Some(union) = text(node, "x-tag-of") {
            let name = model::tag_enum_name(union);
            return self.replace(&name, format!("crate::api::types::{}", names::type_ident(&name)), place);
        }
        if let Some(name) = model::reference(node) {
            return self.reference(name, place);
        }
        if let Some(element) = node.get("items") {
            return Ok(json!({"type": "array", "items": self.element(element, &format!("{place}.items"))?}));
        }
        if let Some(extra @ Value::Object(_)) = node.get("additionalProperties") {
            let value = self.element(extra, &format!("{place}.additionalProperties"))?;
            return Ok(json!({"type": "object", "additionalProperties": value}));
        }
        if node.get("properties").is_some() || node.get("allOf").is_some() {
            return Err(Error::new(
                place,
                "an object without a name: move it to `components.schemas`, and refer to it here",
            ));
        }
        let kind = match text(node, "type") {
            Some(kind @ ("string" | "integer" | "number" | "boolean" | "object")) => kind,
            Some("array") => return Err(Error::new(place, "an array without `items`")),
            Some(other) => return Err(Error::new(place, format!("`type: {other}` is not a type of OpenAPI 3.0"))),
            None if node.get("enum").is_some() => "string",
            None => return Ok(json!({})),
        };
        let mut lowered = json!({"type": kind});
        if let (Value::Object(lowered), Some(format @ ("int32" | "int64" | "float" | "double"))) =
            (&mut lowered, text(node, "format"))
        {
            lowered.insert("format".to_owned(), format.into());
        }
        Ok(lowered)
    }

    /// Lowers the type of the items of a list or the values of a map.
    fn element(&mut self, node: &Value, place: &str) -> Result<Value> {
        match keyword(self.document, node, "x-check") {
            Some(_) => Err(Error::new(place, "`x-check` is for properties and parameters, not for items")),
            None => self.schema(node, place),
        }
    }

    fn reference(&mut self, name: &str, place: &str) -> Result<Value> {
        let target = self.schema_named(name);
        let stays =
            self.model.union(name).is_some() || self.model.is_enum(name) || model::is_object(self.document, target);
        if stays { Ok(json!({"$ref": format!("#/components/schemas/{name}")})) } else { self.schema(target, place) }
    }

    /// Lowers the type of a field. Large members are boxed. An optional list or map is `None` if missing, not empty.
    fn field(&mut self, node: &Value, optional: bool, place: &str) -> Result<Value> {
        let is_boxed = |name: &&str| flag(node, "x-boxed") || flag(self.schema_named(name), "x-boxed");
        let boxed = model::reference(node).filter(is_boxed);
        let mut lowered = match boxed {
            Some(name) => self.replace(
                &format!("Boxed{name}"),
                format!("::std::boxed::Box<crate::api::types::{}>", names::type_ident(name)),
                place,
            )?,
            None => self.schema(node, place)?,
        };
        if let Value::Object(lowered) = &mut lowered {
            if optional && matches!(lowered.get("type").and_then(Value::as_str), Some("array" | "object")) {
                lowered.insert("nullable".to_owned(), true.into());
            }
            lowered.insert("description".to_owned(), docs::described(text(node, "description"), &[node]).into());
            if let Some(check) = check(self.document, node, place)? {
                lowered.insert("x-check".to_owned(), check);
            }
            if let Some(secret) = secret(self.document, node, place)? {
                lowered.insert("x-secret".to_owned(), secret.into());
            }
            match (node.get("x-default"), optional) {
                (Some(_), true) => {
                    return Err(Error::new(join(place, "x-default"), "on a property that is not required"));
                }
                (Some(default), false) => {
                    lowered.insert("x-default".to_owned(), default.clone());
                }
                (None, _) => {}
            }
            if let Some(join) = node.get(JOIN) {
                if optional || lowered.get("type").and_then(Value::as_str) != Some("string") {
                    return Err(Error::new(yaml::join(place, JOIN), "on a property that is not a required string"));
                }
                lowered.insert(JOIN.to_owned(), join.clone());
            }
            for key in [SERVICES, MENTIONS, NEEDED, KEYBOARD] {
                if let Some(value) = node.get(key) {
                    lowered.insert(key.to_owned(), value.clone());
                }
            }
            if self.leads_to_adaptions(node) {
                lowered.insert(ADAPTS_INSIDE.to_owned(), true.into());
            }
            if self.leads_to_checks(node) {
                lowered.insert("x-checks-inside".to_owned(), true.into());
            }
            let is_plain = matches!(lowered.get("type").and_then(Value::as_str), Some("string" | "integer"));
            if self.is_in_key(node, is_plain, place)? {
                lowered.insert(KEY.to_owned(), true.into());
            }
        }
        Ok(lowered)
    }

    /// Whether a schema that is reachable from a node has a property that is checked before sending.
    fn leads_to_checks(&self, node: &Value) -> bool {
        let is_checked = |property: &Value| matches!(check(self.document, property, ""), Ok(Some(_)));
        self.leads_to(node, |_, schema| schema.get(AT_LEAST_ONE).is_some(), is_checked)
    }

    /// Whether a schema that is reachable from a node depends on the service.
    fn leads_to_adaptions(&self, node: &Value) -> bool {
        let is_limited_union = |name: &str, schema: &Value| {
            self.model.union(name).is_some() && schema.get("x-services-by-value").is_some()
        };
        self.leads_to(node, is_limited_union, is_adapted)
    }

    /// Whether a schema that is reachable from a node matches, or has a property that matches.
    fn leads_to(
        &self,
        node: &Value,
        is_schema: impl Fn(&str, &Value) -> bool,
        is_property: impl Fn(&Value) -> bool,
    ) -> bool {
        let mut reached = BTreeSet::new();
        model::reach(self.document, &self.model.unions, node, &mut reached);
        reached.iter().any(|name| {
            let schema = self.schema_named(name);
            let mut flat = FlatSchema::default();
            flatten(self.document, schema, &mut flat);
            is_schema(name, schema) || flat.properties.iter().any(|(_, property)| is_property(property))
        })
    }

    /// Whether a property is part of its object's key. `is_plain`: whether it is a string or an integer.
    fn is_in_key(&self, node: &Value, is_plain: bool, place: &str) -> Result<bool> {
        match keyword(self.document, node, KEY).and_then(Value::as_bool) {
            Some(false) => Ok(false),
            Some(true) if !is_plain && !self.may_have_id(node) => {
                let message = "`true` on a property that is neither a string, an integer nor an object";
                Err(Error::new(join(place, KEY), message))
            }
            Some(true) => Ok(true),
            None => Ok(self.may_have_id(node)),
        }
    }

    /// Whether a schema is an id, an object, a union, or a list of these.
    fn may_have_id(&self, node: &Value) -> bool {
        if node.get("x-id").is_some() {
            return true;
        }
        if let Some(name) = model::reference(node) {
            let target = self.schema_named(name);
            return self.model.union(name).is_some()
                || model::is_object(self.document, target)
                || self.may_have_id(target);
        }
        node.get("items").is_some_and(|element| self.may_have_id(element))
    }

    fn object(&mut self, name: &str, node: &'_ Value, place: &str) -> Result<Value> {
        let mut flat = FlatSchema::default();
        flatten(self.document, node, &mut flat);
        for union in &self.model.unions {
            if union.variants.iter().any(|(_, schema)| schema == name) {
                flat.properties.retain(|(property, _)| *property != union.tag);
            }
        }
        let mut properties = Map::new();
        let mut required = Vec::new();
        for (property, schema) in flat.properties {
            let place = join(&join(place, "properties"), property);
            let optional = !flat.required.contains(property) || model::nullable(self.document, schema);
            properties.insert(property.to_owned(), self.field(schema, optional, &place)?);
            if !optional {
                required.push(property.to_owned());
            }
        }
        for (property, join) in properties.iter().filter_map(|(name, node)| Some((name, node.get(JOIN)?))) {
            let place = yaml::join(&yaml::join(place, "properties"), property);
            check_joined(join, &properties, &required)
                .map_err(|message| Error::new(yaml::join(&place, JOIN), message))?;
        }
        let group = at_least_one(node, &properties, &required, place)?;
        let description = docs::with_paragraph(docs::described(text(node, "description"), &[]), docs::provenance(node));
        // Without this, an object without properties would be a map, not a struct.
        let is_open = !properties.is_empty();
        Ok(json!({
            "type": "object",
            "description": description,
            "properties": properties,
            "required": required,
            "additionalProperties": is_open,
            AT_LEAST_ONE: group,
        }))
    }

    fn operation(&mut self, operation: &Operation) -> Result<Value> {
        let mut parameters = Vec::new();
        for parameter in &operation.parameters {
            let (place, node) = (&parameter.place, &parameter.node);
            let mut schema = self.schema(&node["schema"], place)?;
            if let Some(element) = schema.get("items").filter(|_| !parameter.in_path()).cloned() {
                schema = self.comma_separated(&element, place)?;
            } else if !self.is_plain(&schema) {
                let message = format!("`{}` is neither a string, a number nor a boolean", parameter.name());
                return Err(Error::new(place, message));
            }
            parameters.push(json!({
                "name": node["name"],
                "in": node["in"],
                "required": flag(node, "required"),
                "schema": schema,
            }));
        }
        let mut lowered =
            json!({"operationId": operation.id, "parameters": parameters, "responses": {"200": {"description": ""}}});
        if let Some(body) = &operation.body {
            let schema = self.schema(body, &format!("{}.requestBody", operation.place))?;
            lowered["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": schema}}});
        }
        if let Some(answer) = &operation.answer {
            let schema = self.schema(answer, &format!("{}.responses", operation.place))?;
            lowered["responses"]["200"]["content"] = json!({"application/json": {"schema": schema}});
        }
        Ok(lowered)
    }

    /// Whether a lowered schema is written as one string, as a URL requires.
    fn is_plain(&self, lowered: &Value) -> bool {
        match model::reference(lowered) {
            Some(name) => self.replacements.contains_key(name) && self.model.union(name).is_none(),
            None => matches!(text(lowered, "type"), Some("string" | "integer" | "number" | "boolean")),
        }
    }

    /// Lowers a list in the query to one string with commas. Its `style` is ignored.
    fn comma_separated(&mut self, element: &Value, place: &str) -> Result<Value> {
        let (name, path) = match (model::reference(element), text(element, "type")) {
            (Some(name), _) if self.is_plain(element) => (name, self.replacements[name].clone()),
            (None, Some("string")) => ("String", "::std::string::String".to_owned()),
            (None, Some("integer")) => ("Integer", "i64".to_owned()),
            _ => return Err(Error::new(place, "a list in the query holds strings or integers only")),
        };
        self.replace(&format!("CommaSeparated{name}"), format!("crate::client::request::CommaSeparated<{path}>"), place)
    }
}

/// Returns a keyword of a node, or of the schema that the node refers to.
fn keyword<'a>(document: &'a Value, node: &'a Value, key: &str) -> Option<&'a Value> {
    node.get(key).or_else(|| {
        let target = at(document, &["components", "schemas", model::reference(node)?])?;
        keyword(document, target, key)
    })
}

/// Whether a node is a string, also through an alias.
pub(super) fn is_string(document: &Value, node: &Value) -> bool {
    keyword(document, node, "type").and_then(Value::as_str) == Some("string")
}

/// Fails unless all joined properties that the document has are optional strings.
fn check_joined(join: &Value, properties: &Map<String, Value>, required: &[String]) -> std::result::Result<(), String> {
    let is_optional_string = |name: &str| {
        properties.get(name).is_none_or(|node| node["type"] == "string" && !required.iter().any(|other| other == name))
    };
    match join.as_array().into_iter().flatten().filter_map(Value::as_str).find(|name| !is_optional_string(name)) {
        Some(name) => Err(format!("`{name}` is not an optional string")),
        None => Ok(()),
    }
}

/// Returns the properties of `x-at-least-one-of`. Fails unless all of them are optional.
fn at_least_one(
    node: &Value,
    properties: &Map<String, Value>,
    required: &[String],
    place: &str,
) -> Result<Vec<String>> {
    let names: Vec<String> = items(node, AT_LEAST_ONE).filter_map(Value::as_str).map(str::to_owned).collect();
    let is_optional = |name: &String| properties.contains_key(name) && !required.contains(name);
    match names.iter().find(|name| !is_optional(name)) {
        Some(name) => Err(Error::new(join(place, AT_LEAST_ONE), format!("`{name}` is not an optional property"))),
        None => Ok(names),
    }
}

/// Returns the check of a value before it is sent: the `x-check` of the overlay. The default for ids: not empty.
pub(super) fn check(document: &Value, node: &Value, place: &str) -> Result<Option<Value>> {
    let keyword = |key| keyword(document, node, key);
    let Some(name) = keyword("x-check").and_then(Value::as_str) else {
        let is_id = is_string(document, node) && keyword("x-id").is_some();
        return Ok(is_id.then(|| json!({"kind": "id"})));
    };
    let (kind, limits) = match name {
        "length" | "url" | "http-url" => ("string", ["minLength", "maxLength"]),
        "items" => ("array", ["minItems", "maxItems"]),
        "range" => ("integer", ["minimum", "maximum"]),
        other => {
            let known = "`length`, `items`, `range`, `url`, `http-url`";
            return Err(Error::new(place, format!("`x-check: {other}` is not one of {known}")));
        }
    };
    if keyword("type").and_then(Value::as_str) != Some(kind) {
        return Err(Error::new(place, format!("`x-check: {name}` on a schema that is not of type `{kind}`")));
    }
    // A length is never negative.
    let limit = |key| keyword(key).and_then(Value::as_i64).filter(|limit| kind == "integer" || *limit >= 0);
    match limits.map(limit) {
        [None, None] if !name.ends_with("url") => {
            let [low, high] = limits;
            Err(Error::new(place, format!("`x-check: {name}` on a schema without `{low}` and `{high}`")))
        }
        [min, max] => Ok(Some(json!({"kind": name, "min": min, "max": max}))),
    }
}

/// Returns the kind of secret: `x-secret: url` shows the origin of a URL, `x-secret: value` shows nothing.
pub(super) fn secret<'a>(document: &'a Value, node: &'a Value, place: &str) -> Result<Option<&'a str>> {
    match keyword(document, node, "x-secret").and_then(Value::as_str) {
        None => Ok(None),
        Some(kind) if !is_string(document, node) => {
            Err(Error::new(join(place, "x-secret"), format!("`{kind}` on a schema that is not a string")))
        }
        Some(kind @ ("url" | "value")) => Ok(Some(kind)),
        Some(other) => Err(Error::new(join(place, "x-secret"), format!("`{other}` is neither `url` nor `value`"))),
    }
}

/// Collects properties depth first: inherited before own ones, in the order of the document.
fn flatten<'a>(document: &'a Value, node: &'a Value, flat: &mut FlatSchema<'a>) {
    let node = resolve(document, node);
    for part in items(node, "allOf") {
        flatten(document, part, flat);
    }
    for (name, schema) in entries(node, "properties") {
        match flat.properties.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = schema,
            None => flat.properties.push((name, schema)),
        }
    }
    flat.required.extend(items(node, "required").filter_map(Value::as_str));
}
