//! The OpenAPI documents as data. They are read and merged without the generator in `codegen/`, so that a bug of the
//! generator does not recur in the tests of its output.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::{Map, Value};
use serde_json_path::JsonPath;

const SCHEMA_PREFIX: &str = "#/components/schemas/";

/// A document: its schemas, each as the shape of its instances.
pub(crate) struct Document {
    schemas: BTreeMap<String, Shape>,
    /// The schemas that can be part of an answer.
    received: BTreeSet<String>,
}

/// The shape of the instances of a schema.
pub(crate) enum Shape {
    Boolean,
    Text,
    /// A string with listed values. Servers also send other values.
    Enum(Vec<String>),
    Integer {
        min: i64,
        max: i64,
    },
    Number,
    List(Elements),
    Map(Elements),
    Object(Vec<Field>),
    Union(Union),
    /// Another schema of the document.
    Named(String),
}

/// The elements of a list or map.
pub(crate) struct Elements {
    pub(crate) shape: Box<Shape>,
    /// Whether the list or map is received. If so, an element that does not fit is left out.
    pub(crate) received: bool,
}

/// A property of an object, inherited or declared by the object.
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) shape: Shape,
    /// Whether the document requires the property. Its value may be null.
    pub(crate) required: bool,
    /// Whether an instance is invalid if the property is missing or null.
    pub(crate) needed: bool,
    /// Whether the object is received. If so, a value that does not fit affects only the smallest optional part around
    /// it.
    pub(crate) received: bool,
    /// The default from the overlay.
    default: Option<Value>,
    /// The properties that are joined into its value if it is missing or empty.
    pub(crate) join: Vec<String>,
    /// Whether the object is a member of a union, identified by its tag.
    pub(crate) tagged: bool,
}

impl Field {
    /// Returns the value of the property if it is missing or does not fit.
    pub(crate) fn default(&self) -> Option<&Value> {
        self.default.as_ref().filter(|_| self.received && self.needed)
    }

    /// Returns whether the object can be read if the property is missing or does not fit.
    pub(crate) fn may_misfit(&self) -> bool {
        self.received && (!self.needed || self.default.is_some())
    }
}

/// A schema whose instances are distinguished by the value of one property.
pub(crate) struct Union {
    pub(crate) tag: String,
    /// The value of the tag and the name of its schema, for each member.
    pub(crate) members: Vec<(String, String)>,
}

impl Union {
    /// Returns the tag of a value.
    pub(crate) fn tag_of<'v>(&self, value: &'v Value) -> Option<&'v str> {
        value.get(&self.tag).and_then(Value::as_str)
    }

    /// Returns the schema of a value, by its tag.
    pub(crate) fn member_of(&self, value: &Value) -> Option<&str> {
        let tag = self.tag_of(value)?;
        self.members.iter().find(|(known, _)| known == tag).map(|(_, schema)| schema.as_str())
    }
}

impl Document {
    /// Returns the documents without overlays, each with its name.
    pub(crate) fn each() -> [(&'static str, Self); 2] {
        ["tamtam", "max"].map(|name| (name, Self::of(&load(name))))
    }

    /// Returns both documents merged, with the deviations of real servers: properties that may be missing, and
    /// additional properties. Of the `x-` keys, only `x-default`, `x-join` and `x-same-as` are used.
    pub(crate) fn with_overlays() -> Self {
        let [mut merged, max] = ["tamtam", "max"].map(|name| {
            let mut document = load(name);
            overlay(&mut document, &format!("{name}.overlay.yaml"));
            unite_same_schemas(&mut document);
            document
        });
        unite(&mut merged, &max);
        overlay(&mut merged, "overlay.yaml");
        Self::of(&merged)
    }

    /// Returns the documents of older versions of TamTam, each with its version. If the directory `openapi/older` is
    /// missing, they are derived from our document by removing the parts that `openapi/history.yaml` lists as newer.
    pub(crate) fn older() -> Vec<(String, Self)> {
        if let Ok(files) = fs::read_dir(ours("older")) {
            let paths = files.map(|file| file.expect("a file").path().display().to_string());
            return paths.map(|path| read(&path)).map(|document| (version(&document), Self::of(&document))).collect();
        }
        let history = &read(&ours("history.yaml"))["tamtam"];
        let versions = history["versions"].as_array().expect("versions").iter().filter_map(Value::as_str);
        versions
            .map(|version| (version.to_owned(), Self::of(&without_newer(load("tamtam"), history, version))))
            .collect()
    }

    fn of(document: &Value) -> Self {
        let nodes = document["components"]["schemas"].as_object().expect("the document has schemas");
        let received = received(document);
        let schema = |(name, node): (&String, &Value)| {
            let mut shape = component(nodes, name, node);
            if received.contains(name) {
                receive(&mut shape);
            }
            (name.clone(), shape)
        };
        Self { schemas: nodes.iter().map(schema).collect(), received }
    }

    /// Returns the shape of a schema by its name.
    pub(crate) fn schema(&self, name: &str) -> &Shape {
        self.schemas.get(name).unwrap_or_else(|| panic!("no schema {name}"))
    }

    /// Returns the shape that a name refers to.
    pub(crate) fn resolve<'a>(&'a self, shape: &'a Shape) -> &'a Shape {
        match shape {
            Shape::Named(name) => self.resolve(self.schema(name)),
            shape => shape,
        }
    }

    /// Returns the schemas that are types: objects, unions and enums, but not aliases of scalars.
    pub(crate) fn types(&self) -> impl Iterator<Item = &str> {
        let is_type = |shape: &Shape| matches!(shape, Shape::Object(_) | Shape::Union(_) | Shape::Enum(_));
        self.schemas.iter().filter(move |(_, shape)| is_type(self.resolve(shape))).map(|(name, _)| name.as_str())
    }

    /// Returns the schemas that can be part of an answer.
    pub(crate) fn received(&self) -> impl Iterator<Item = &str> {
        self.received.iter().map(String::as_str)
    }

    pub(crate) fn unions(&self) -> impl Iterator<Item = (&str, &Union)> {
        self.schemas.iter().filter_map(|(name, shape)| match shape {
            Shape::Union(union) => Some((name.as_str(), union)),
            _ => None,
        })
    }

    /// Returns the schema name and property name of every property.
    pub(crate) fn properties(&self) -> impl Iterator<Item = (&str, &str)> {
        self.schemas.iter().flat_map(|(schema, shape)| match shape {
            Shape::Object(fields) => fields.iter().map(|field| (schema.as_str(), field.name.as_str())).collect(),
            _ => Vec::new(),
        })
    }
}

/// Returns the names of the schemas that can be part of an answer, including all members of unions.
fn received(document: &Value) -> BTreeSet<String> {
    let operations = document["paths"].as_object().into_iter().flatten().filter_map(|(_, path)| path.as_object());
    let responses = operations.flat_map(Map::values).filter_map(|operation| operation.get("responses")?.as_object());
    let answers = responses.flatten().filter(|(status, _)| status.starts_with('2'));
    let mut found = BTreeSet::new();
    answers.for_each(|(_, answer)| reach(document, answer, &mut found));
    found.iter().filter_map(|target| target.strip_prefix(SCHEMA_PREFIX)).map(str::to_owned).collect()
}

/// Adds all schemas that a node refers to, by `$ref` or in the mapping of a union.
fn reach(document: &Value, node: &Value, found: &mut BTreeSet<String>) {
    match node {
        Value::String(target) => {
            let is_new = target.starts_with("#/") && found.insert(target.clone());
            if is_new {
                reach(document, document.pointer(&target[1..]).expect("a reference has a target"), found);
            }
        }
        Value::Object(object) => object.values().for_each(|node| reach(document, node, found)),
        Value::Array(list) => list.iter().for_each(|node| reach(document, node, found)),
        _ => {}
    }
}

/// Marks the objects, lists and maps of a schema as received.
fn receive(shape: &mut Shape) {
    match shape {
        Shape::List(elements) | Shape::Map(elements) => {
            elements.received = true;
            receive(&mut elements.shape);
        }
        Shape::Object(fields) => {
            for field in fields {
                field.received = true;
                receive(&mut field.shape);
            }
        }
        _ => {}
    }
}

/// Returns the shape of a named schema.
fn component(nodes: &Map<String, Value>, name: &str, node: &Value) -> Shape {
    if node.get("discriminator").is_some() {
        let (tag, members) = discriminator(node);
        return Shape::Union(Union { tag, members });
    }
    // In a named schema `allOf` is inheritance, even from one parent. In a property it is another way to write `$ref`.
    if node.get("allOf").is_none() && node.get("properties").is_none() {
        return shape(nodes, node);
    }
    // The tag belongs to the union, not to its members.
    let tags = nodes.values().filter(|node| node.get("discriminator").is_some()).map(discriminator);
    let tags: Vec<String> =
        tags.filter(|(_, members)| members.iter().any(|(_, member)| member == name)).map(|(tag, _)| tag).collect();
    let mut fields = fields(nodes, node);
    fields.iter_mut().for_each(|field| field.tagged = !tags.is_empty());
    Shape::Object(fields.into_iter().filter(|field| !tags.contains(&field.name)).collect())
}

fn discriminator(node: &Value) -> (String, Vec<(String, String)>) {
    let node = &node["discriminator"];
    let tag = node["propertyName"].as_str().expect("a discriminator names its property");
    let mapping = node["mapping"].as_object().expect("a discriminator has a mapping");
    (tag.to_owned(), mapping.iter().map(|(tag, target)| (tag.clone(), schema_name(target).to_owned())).collect())
}

/// Returns the shape of any node that is a schema.
fn shape(nodes: &Map<String, Value>, node: &Value) -> Shape {
    if let Some(name) = reference(node) {
        return Shape::Named(name.to_owned());
    }
    if node.get("properties").is_some() || node.get("allOf").is_some() {
        return Shape::Object(fields(nodes, node));
    }
    if let Some(element) = node.get("items") {
        return Shape::List(elements(nodes, element));
    }
    if let Some(value @ Value::Object(_)) = node.get("additionalProperties") {
        return Shape::Map(elements(nodes, value));
    }
    if let Some(values) = node.get("enum").and_then(Value::as_array) {
        return Shape::Enum(values.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    }
    match (node["type"].as_str(), node["format"].as_str()) {
        (Some("boolean"), _) => Shape::Boolean,
        (Some("string"), _) => Shape::Text,
        // An older document omits the type of a text property.
        (None, _) if node["description"].is_string() => Shape::Text,
        (Some("integer"), Some("int32")) => Shape::Integer { min: i32::MIN.into(), max: i32::MAX.into() },
        (Some("integer"), _) => Shape::Integer { min: i64::MIN, max: i64::MAX },
        (Some("number"), _) => Shape::Number,
        _ => panic!("unsupported schema: {node}"),
    }
}

fn elements(nodes: &Map<String, Value>, node: &Value) -> Elements {
    Elements { shape: Box::new(shape(nodes, node)), received: false }
}

/// Returns the properties of an object, including inherited ones.
fn fields(nodes: &Map<String, Value>, node: &Value) -> Vec<Field> {
    let mut family = Vec::new();
    inherit(nodes, node, &mut family);
    let required: Vec<&Value> =
        family.iter().flat_map(|node| node["required"].as_array().into_iter().flatten()).collect();
    let mut fields: Vec<Field> = Vec::new();
    for (name, node) in family.iter().flat_map(|node| node["properties"].as_object().into_iter().flatten()) {
        // A required name without a property has no effect. The last of several declarations wins.
        let required = required.iter().any(|required| *required == name);
        let nullable = node["nullable"] == true || reference(node).is_some_and(|name| nodes[name]["nullable"] == true);
        fields.retain(|field| field.name != *name);
        fields.push(Field {
            name: name.clone(),
            shape: shape(nodes, node),
            required,
            needed: required && !nullable,
            received: false,
            default: node.get("x-default").cloned(),
            join: node["x-join"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            tagged: false,
        });
    }
    fields
}

/// Collects a node and its ancestors, the most distant ancestor first.
fn inherit<'a>(nodes: &'a Map<String, Value>, node: &'a Value, family: &mut Vec<&'a Value>) {
    let node = node.get("$ref").map_or(node, |target| &nodes[schema_name(target)]);
    node["allOf"].as_array().into_iter().flatten().for_each(|parent| inherit(nodes, parent, family));
    family.push(node);
}

/// Returns the schema that a node refers to without adding properties. The reference wins over a `type` beside it.
fn reference(node: &Value) -> Option<&str> {
    let target = match (node.get("$ref"), node.get("allOf").and_then(Value::as_array).map(Vec::as_slice)) {
        (Some(target), _) => target,
        (None, Some([only])) if node.get("properties").is_none() => only.get("$ref")?,
        _ => return None,
    };
    Some(schema_name(target))
}

fn schema_name(target: &Value) -> &str {
    let target = target.as_str().expect("a reference is a string");
    target.strip_prefix(SCHEMA_PREFIX).unwrap_or(target)
}

/// Loads a document without overlays: `tamtam` or `max`.
pub(crate) fn load(name: &str) -> Value {
    read(&ours(&format!("{name}.yaml")))
}

fn version(document: &Value) -> String {
    document["info"]["version"].as_str().expect("a document has a version").to_owned()
}

/// Returns a document without the schemas and properties that are newer than `version`.
fn without_newer(mut document: Value, history: &Value, version: &str) -> Value {
    let number = |text: &str| text.split('.').map(|part| part.parse().expect("a number")).collect::<Vec<u32>>();
    let is_newer = |since: &Value| number(since.as_str().expect("a version")) > number(version);
    let gone: Vec<&String> = history["schemas"]
        .as_object()
        .expect("schemas")
        .iter()
        .filter(|(_, since)| is_newer(since))
        .map(|(name, _)| name)
        .collect();
    let refers = |node: &Value| {
        let text = node.to_string();
        gone.iter().any(|name| text.contains(&format!("\"{SCHEMA_PREFIX}{name}\"")))
    };
    let newer = |schema: &str, property: &str| history["properties"][schema].get(property).is_some_and(&is_newer);
    for (path, item) in document["paths"].as_object_mut().expect("paths") {
        let operations = item.as_object_mut().expect("operations");
        operations.retain(|method, _| {
            let name = format!("{} {path}", method.to_uppercase());
            !history["operations"].get(name).is_some_and(&is_newer)
        });
    }
    let schemas = document["components"]["schemas"].as_object_mut().expect("schemas");
    schemas.retain(|name, _| !gone.contains(&name));
    for (name, schema) in schemas {
        if let Some(mapping) = schema.pointer_mut("/discriminator/mapping").and_then(Value::as_object_mut) {
            mapping.retain(|_, target| !gone.iter().any(|name| *target == format!("{SCHEMA_PREFIX}{name}")));
        }
        let parts = schema.get("allOf").and_then(Value::as_array).map_or(0, Vec::len);
        for place in (0..parts).map(|part| format!("/allOf/{part}/properties")).chain(["/properties".to_owned()]) {
            if let Some(properties) = schema.pointer_mut(&place).and_then(Value::as_object_mut) {
                properties.retain(|property, node| !newer(name, property) && !refers(node));
            }
        }
    }
    document
}

/// Applies an overlay to a document.
fn overlay(document: &mut Value, name: &str) {
    for action in read(&ours(name))["actions"].as_array().expect("an overlay is a list of actions") {
        let target = action["target"].as_str().expect("an action has a target");
        let path = JsonPath::parse(target).unwrap_or_else(|error| panic!("{target}: {error}"));
        let places: Vec<String> =
            path.query_located(document).locations().map(|place| place.to_json_pointer()).collect();
        // Removes the last items of a list first, so that the indexes of the others stay valid.
        for place in places.iter().rev() {
            if action["remove"] == true {
                remove(document, place);
            } else if let Some(node) = document.pointer_mut(place) {
                merge(node, &action["update"]);
            }
        }
    }
}

/// Replaces each schema with `x-same-as` by an alias of its target.
fn unite_same_schemas(document: &mut Value) {
    let schemas = document["components"]["schemas"].as_object().expect("the document has schemas").clone();
    for (name, node) in &schemas {
        let Some(target) = node["x-same-as"].as_str() else { continue };
        let text = document.to_string();
        let text = text.replace(&format!("\"{SCHEMA_PREFIX}{name}\""), &format!("\"{SCHEMA_PREFIX}{target}\""));
        *document = serde_json::from_str(&text).expect("JSON");
    }
    for (name, node) in &schemas {
        let Some(target) = node["x-same-as"].as_str() else { continue };
        let node = document["components"]["schemas"][name].clone();
        unite(&mut document["components"]["schemas"][target], &node);
        document["components"]["schemas"][name] = serde_json::json!({"$ref": format!("{SCHEMA_PREFIX}{target}")});
    }
}

/// Merges the same part of another document into a part, which then allows everything that either document allows.
fn unite(one: &mut Value, other: &Value) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let required = |node: &Map<String, Value>| node.get("required").and_then(Value::as_array).cloned();
            if let (Some(required), other) | (other, Some(required)) = (required(one), required(other)) {
                let both: Vec<Value> =
                    required.into_iter().filter(|name| other.iter().flatten().any(|other| other == name)).collect();
                one.insert("required".to_owned(), both.into());
            }
            for (key, value) in other.iter().filter(|(key, value)| *key != "required" || !value.is_array()) {
                match one.get_mut(key) {
                    Some(known) => unite(known, value),
                    None => drop(one.insert(key.clone(), value.clone())),
                }
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            // An `enum`, or the parts of an `allOf`.
            let is_enum = one.iter().all(Value::is_string);
            for (index, value) in other.iter().enumerate() {
                if is_enum && one.contains(value) {
                    continue;
                }
                match one.get_mut(index).filter(|_| !is_enum) {
                    Some(known) => unite(known, value),
                    None => one.push(value.clone()),
                }
            }
        }
        (Value::Bool(one), Value::Bool(other)) => *one |= other,
        _ => {}
    }
}

/// Returns the path of a file in `openapi/` in the root of the workspace. The tests of the sandbox include this module,
/// too.
fn ours(name: &str) -> String {
    let mut directories = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|directory| directory.join("openapi"));
    let found = directories.find(|directory| directory.is_dir()).expect("a directory `openapi`");
    found.join(name).display().to_string()
}

fn read(path: &str) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    yaml_serde::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn remove(document: &mut Value, place: &str) {
    let (parent, key) = place.rsplit_once('/').expect("the root is never removed");
    match document.pointer_mut(parent) {
        Some(Value::Array(list)) => drop(list.remove(key.parse().expect("an index"))),
        Some(Value::Object(object)) => drop(object.remove(key)),
        _ => {}
    }
}

fn merge(node: &mut Value, update: &Value) {
    match (node, update) {
        (Value::Object(node), Value::Object(update)) => {
            for (key, value) in update {
                merge(node.entry(key).or_insert(Value::Null), value);
            }
        }
        (Value::Array(node), Value::Array(update)) => node.extend(update.iter().cloned()),
        (node, update) => *node = update.clone(),
    }
}
