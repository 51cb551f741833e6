//! The OpenAPI documents as data. They are read and merged here without the generator in `codegen/`: its mistakes must not
//! repeat themselves in the tests of what it generates.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::{Map, Value};
use serde_json_path::JsonPath;

const SCHEMA_PREFIX: &str = "#/components/schemas/";

/// The schemas of the document, each as the shape of its instances.
pub(crate) struct Document {
    schemas: BTreeMap<String, Shape>,
    /// Schemas that an answer leads to.
    received: BTreeSet<String>,
}

/// What an instance of a schema looks like.
pub(crate) enum Shape {
    Boolean,
    Text,
    /// A string with listed values; servers send others as well.
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

/// What is in a list or map.
pub(crate) struct Elements {
    pub(crate) shape: Box<Shape>,
    /// Whether it is received: an element that does not fit is then left out.
    pub(crate) received: bool,
}

/// A property of an object, inherited or its own.
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) shape: Shape,
    /// Whether the document asks for it, be it as null.
    pub(crate) required: bool,
    /// Whether an instance without it, or with null in its place, is wrong.
    pub(crate) needed: bool,
    /// Whether its object is received: a value that does not fit then costs no more than it must.
    pub(crate) received: bool,
    /// The overlay's default.
    default: Option<Value>,
    /// The properties that make it if it is missing or empty.
    pub(crate) join: Vec<String>,
    /// Whether its object is a member of a union, known by its tag.
    pub(crate) tagged: bool,
}

impl Field {
    /// What the property is when it is missing or does not fit.
    pub(crate) fn default(&self) -> Option<&Value> {
        self.default.as_ref().filter(|_| self.received && self.needed)
    }

    /// Whether its object can be read without it, or with a value that does not fit.
    pub(crate) fn may_misfit(&self) -> bool {
        self.received && (!self.needed || self.default.is_some())
    }
}

/// A schema whose instances are told apart by the value of one property.
pub(crate) struct Union {
    pub(crate) tag: String,
    /// Value of the tag and name of the schema it stands for.
    pub(crate) members: Vec<(String, String)>,
}

impl Union {
    /// The tag of a value.
    pub(crate) fn tag_of<'v>(&self, value: &'v Value) -> Option<&'v str> {
        value.get(&self.tag).and_then(Value::as_str)
    }

    /// The schema that the tag of a value stands for.
    pub(crate) fn member_of(&self, value: &Value) -> Option<&str> {
        let tag = self.tag_of(value)?;
        self.members.iter().find(|(known, _)| known == tag).map(|(_, schema)| schema.as_str())
    }
}

impl Document {
    /// The documents as they are, each with its name.
    pub(crate) fn each() -> [(&'static str, Self); 2] {
        ["tamtam", "max"].map(|name| (name, Self::of(&load(name))))
    }

    /// Both documents in one, with what servers do beyond them: properties that may be missing, properties that may be
    /// there. Of the `x-` keys, `x-default`, `x-join` and `x-same-as` count.
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

    /// The documents of older versions of TamTam, each with its version: those in `openapi/older`, if there are any, else
    /// ours without what is newer by `openapi/history.yaml`.
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

    /// The shape of a schema by its name.
    pub(crate) fn schema(&self, name: &str) -> &Shape {
        self.schemas.get(name).unwrap_or_else(|| panic!("there is no schema {name}"))
    }

    /// The shape behind a name.
    pub(crate) fn resolve<'a>(&'a self, shape: &'a Shape) -> &'a Shape {
        match shape {
            Shape::Named(name) => self.resolve(self.schema(name)),
            shape => shape,
        }
    }

    /// The schemas that are types: objects, unions and enums; what names a scalar is none.
    pub(crate) fn types(&self) -> impl Iterator<Item = &str> {
        let is_type = |shape: &Shape| matches!(shape, Shape::Object(_) | Shape::Union(_) | Shape::Enum(_));
        self.schemas.iter().filter(move |(_, shape)| is_type(self.resolve(shape))).map(|(name, _)| name.as_str())
    }

    /// The schemas that are received: those that an answer leads to.
    pub(crate) fn received(&self) -> impl Iterator<Item = &str> {
        self.received.iter().map(String::as_str)
    }

    pub(crate) fn unions(&self) -> impl Iterator<Item = (&str, &Union)> {
        self.schemas.iter().filter_map(|(name, shape)| match shape {
            Shape::Union(union) => Some((name.as_str(), union)),
            _ => None,
        })
    }

    /// Schema and property name of every property that there is.
    pub(crate) fn properties(&self) -> impl Iterator<Item = (&str, &str)> {
        self.schemas.iter().flat_map(|(schema, shape)| match shape {
            Shape::Object(fields) => fields.iter().map(|field| (schema.as_str(), field.name.as_str())).collect(),
            _ => Vec::new(),
        })
    }
}

/// The names of the schemas that the answers of the operations lead to, unions with all their members.
fn received(document: &Value) -> BTreeSet<String> {
    let operations = document["paths"].as_object().into_iter().flatten().filter_map(|(_, path)| path.as_object());
    let responses = operations.flat_map(Map::values).filter_map(|operation| operation.get("responses")?.as_object());
    let answers = responses.flatten().filter(|(status, _)| status.starts_with('2'));
    let mut found = BTreeSet::new();
    answers.for_each(|(_, answer)| reach(document, answer, &mut found));
    found.iter().filter_map(|target| target.strip_prefix(SCHEMA_PREFIX)).map(str::to_owned).collect()
}

/// Adds everything that a node refers to, by `$ref` or in the mapping of a union.
fn reach(document: &Value, node: &Value, found: &mut BTreeSet<String>) {
    match node {
        Value::String(target) => {
            let is_new = target.starts_with("#/") && found.insert(target.clone());
            if is_new {
                reach(document, document.pointer(&target[1..]).expect("a reference leads somewhere"), found);
            }
        }
        Value::Object(object) => object.values().for_each(|node| reach(document, node, found)),
        Value::Array(list) => list.iter().for_each(|node| reach(document, node, found)),
        _ => {}
    }
}

/// Marks a schema's own objects, lists and maps as received.
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

/// The shape of a schema that stands by itself.
fn component(nodes: &Map<String, Value>, name: &str, node: &Value) -> Shape {
    if node.get("discriminator").is_some() {
        let (tag, members) = discriminator(node);
        return Shape::Union(Union { tag, members });
    }
    // `allOf` here is inheritance, even from one parent: in a property it is only another way to write `$ref`.
    if node.get("allOf").is_none() && node.get("properties").is_none() {
        return shape(nodes, node);
    }
    // A member of a union has no tag of its own: the union carries it.
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

/// The shape of any node that stands where a schema does.
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
        // An older document forgets the type of a description.
        (None, _) if node["description"].is_string() => Shape::Text,
        (Some("integer"), Some("int32")) => Shape::Integer { min: i32::MIN.into(), max: i32::MAX.into() },
        (Some("integer"), _) => Shape::Integer { min: i64::MIN, max: i64::MAX },
        (Some("number"), _) => Shape::Number,
        _ => panic!("the tests do not know what an instance of this looks like: {node}"),
    }
}

fn elements(nodes: &Map<String, Value>, node: &Value) -> Elements {
    Elements { shape: Box::new(shape(nodes, node)), received: false }
}

/// The properties of an object with all that it inherits.
fn fields(nodes: &Map<String, Value>, node: &Value) -> Vec<Field> {
    let mut family = Vec::new();
    inherit(nodes, node, &mut family);
    let required: Vec<&Value> =
        family.iter().flat_map(|node| node["required"].as_array().into_iter().flatten()).collect();
    let mut fields: Vec<Field> = Vec::new();
    for (name, node) in family.iter().flat_map(|node| node["properties"].as_object().into_iter().flatten()) {
        // A required name without a property says nothing; of two declarations the nearer one holds.
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

/// A node and all that it inherits from, the farthest first.
fn inherit<'a>(nodes: &'a Map<String, Value>, node: &'a Value, family: &mut Vec<&'a Value>) {
    let node = node.get("$ref").map_or(node, |target| &nodes[schema_name(target)]);
    node["allOf"].as_array().into_iter().flatten().for_each(|parent| inherit(nodes, parent, family));
    family.push(node);
}

/// The schema that a node refers to and adds nothing to; a `type` beside the reference yields to it.
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

/// A document as it is: `tamtam` or `max`.
pub(crate) fn load(name: &str) -> Value {
    read(&ours(&format!("{name}.yaml")))
}

fn version(document: &Value) -> String {
    document["info"]["version"].as_str().expect("a document has a version").to_owned()
}

/// A document without the schemas and properties that are newer than a version.
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
        // Of siblings in a list the last goes first, so that the places of the others stay what they are.
        for place in places.iter().rev() {
            if action["remove"] == true {
                remove(document, place);
            } else if let Some(node) = document.pointer_mut(place) {
                merge(node, &action["update"]);
            }
        }
    }
}

/// Makes each schema with `x-same-as` another name of its target.
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

/// Merges the same part of another document into a part: everything that either document allows is allowed.
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

/// The path of a file in `openapi/`, which is in the root of the workspace: the sandbox's tests have this module, too.
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
