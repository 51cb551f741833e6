//! Validates values by the schemas of the document. Supports only the parts of OpenAPI schemas that the documents use.
//!
//! `uniqueItems` is not enforced. A missing field is an error only if it is required and not nullable.

use std::collections::BTreeMap;

use regex_lite::Regex;
use serde_json::{Map, Value};

/// The upper limit that the server reports for a size without one.
const NO_LIMIT: usize = 2_147_483_647;

/// An invalid value: its path, such as `attachments[0].payload.token`, and the problem.
#[derive(Debug, PartialEq)]
pub(super) struct Wrong {
    pub(super) path: String,
    pub(super) what: What,
}

#[derive(Debug, PartialEq)]
pub(super) enum What {
    Missing,
    Type {
        expected: &'static str,
        value: String,
    },
    /// The value is not in the document's list.
    Unknown(String),
    /// The limits for the characters of a text, or for the items of a list.
    Size {
        least: usize,
        most: usize,
    },
    Range {
        least: i64,
        most: i64,
    },
    /// The regular expression that a text must match.
    Pattern(String),
}

/// The schemas of the document by name, and its compiled patterns by text.
pub(super) struct Schemas {
    named: Value,
    patterns: BTreeMap<String, Regex>,
}

impl Schemas {
    /// Reads the schemas, and compiles the patterns of the whole document.
    ///
    /// # Panics
    ///
    /// Panics if a pattern cannot be compiled. `openapi/tolerance.yaml` removes unsupported patterns.
    pub(super) fn new(document: &mut Value) -> Self {
        let mut patterns = BTreeMap::new();
        find_patterns(document, &mut patterns);
        Self { named: document["schemas"].take(), patterns }
    }

    pub(super) fn check(&self, schema: &Value, value: &Value, path: &str) -> Result<(), Wrong> {
        self.judge(schema, value, path, false)
    }

    /// Returns the type of a schema. Derives it if the document omits it.
    pub(super) fn type_of<'a>(&'a self, schema: &'a Value) -> &'a str {
        let schema = self.resolve(schema);
        match schema["type"].as_str() {
            Some(kind) => kind,
            None if schema.get("discriminator").is_some() => "object",
            None if schema.get("properties").is_some() => "object",
            None if schema.get("items").is_some() => "array",
            None if schema.get("enum").is_some() => "string",
            // A reference with a description or a limit is an `allOf` with one item.
            None => match schema["allOf"].as_array().map(Vec::as_slice) {
                Some([only]) => self.type_of(only),
                _ => "",
            },
        }
    }

    /// Returns the schema of the items of a list. `None` if the schema is not a list.
    pub(super) fn items<'a>(&'a self, schema: &'a Value) -> Option<&'a Value> {
        self.resolve(schema).get("items")
    }

    pub(super) fn is_nullable(&self, schema: &Value) -> bool {
        let schema = self.resolve(schema);
        schema["nullable"] == true
            // A reference with a description is an `allOf` with one item.
            || matches!(schema["allOf"].as_array().map(Vec::as_slice), Some([only]) if self.is_nullable(only))
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let target = schema["$ref"].as_str().and_then(name_of).and_then(|name| self.named.get(name));
        target.map_or(schema, |target| self.resolve(target))
    }

    /// Checks a value. `told_apart`: the tag of a union has already selected this member. The `allOf` of the member
    /// contains the union, which must not be resolved again.
    fn judge(&self, schema: &Value, value: &Value, path: &str, told_apart: bool) -> Result<(), Wrong> {
        let schema = self.resolve(schema);
        if value.is_null() && self.is_nullable(schema) {
            return Ok(());
        }
        check_type(self.type_of(schema), value, path)?;
        if let (Some(union), false) = (schema.get("discriminator"), told_apart) {
            return self.judge(self.member(union, value, path)?, value, path, true);
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.judge(part, value, path, told_apart)?;
        }
        check_listed(schema, value, path)?;
        check_limits(schema, value, path)?;
        self.check_pattern(schema, value, path)?;
        match value {
            Value::Object(fields) => self.judge_fields(schema, fields, path),
            Value::Array(items) => {
                let Some(schema) = schema.get("items") else { return Ok(()) };
                let mut items = items.iter().enumerate();
                items.try_for_each(|(index, item)| self.judge(schema, item, &format!("{path}[{index}]"), false))
            }
            _ => Ok(()),
        }
    }

    /// Returns the member of a union that the tag of the value names.
    fn member<'a>(&'a self, union: &'a Value, value: &Value, path: &str) -> Result<&'a Value, Wrong> {
        let tag = union["propertyName"].as_str().unwrap_or_default();
        let path = join(path, tag);
        match &value[tag] {
            Value::Null => Err(Wrong { path, what: What::Missing }),
            Value::String(name) => {
                let member = union["mapping"][name].as_str().and_then(name_of).and_then(|name| self.named.get(name));
                member.ok_or_else(|| Wrong { path, what: What::Unknown(name.clone()) })
            }
            other => Err(wrong_type("a string", other, &path)),
        }
    }

    fn check_pattern(&self, schema: &Value, value: &Value, path: &str) -> Result<(), Wrong> {
        let pattern = schema["pattern"].as_str().and_then(|pattern| self.patterns.get_key_value(pattern));
        match (pattern, value.as_str()) {
            (Some((pattern, regex)), Some(text)) if !regex.is_match(text) => {
                Err(Wrong { path: path.to_owned(), what: What::Pattern(pattern.clone()) })
            }
            _ => Ok(()),
        }
    }

    fn judge_fields(&self, schema: &Value, fields: &Map<String, Value>, path: &str) -> Result<(), Wrong> {
        let properties = &schema["properties"];
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let is_given = fields.get(name).is_some_and(|value| !value.is_null());
            let is_needed = properties.get(name).is_some_and(|property| !self.is_nullable(property));
            if is_needed && !is_given {
                return Err(Wrong { path: join(path, name), what: What::Missing });
            }
        }
        for (name, value) in fields {
            let property = properties.get(name).or_else(|| schema.get("additionalProperties"));
            if let Some(property) = property {
                self.judge(property, value, &join(path, name), false)?;
            }
        }
        Ok(())
    }
}

fn find_patterns(node: &Value, patterns: &mut BTreeMap<String, Regex>) {
    match node {
        Value::Object(fields) => {
            if let Some(pattern) = fields.get("pattern").and_then(Value::as_str) {
                let regex =
                    Regex::new(pattern).unwrap_or_else(|error| panic!("cannot compile the pattern {pattern}: {error}"));
                patterns.insert(pattern.to_owned(), regex);
            }
            fields.values().for_each(|node| find_patterns(node, patterns));
        }
        Value::Array(items) => items.iter().for_each(|node| find_patterns(node, patterns)),
        _ => {}
    }
}

/// Returns the name of the schema in a reference.
fn name_of(reference: &str) -> Option<&str> {
    reference.rsplit('/').next()
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn wrong_type(expected: &'static str, value: &Value, path: &str) -> Wrong {
    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Wrong { path: path.to_owned(), what: What::Type { expected, value } }
}

fn check_type(kind: &str, value: &Value, path: &str) -> Result<(), Wrong> {
    let (fits, expected) = match kind {
        "object" => (value.is_object(), "an object"),
        "array" => (value.is_array(), "an array"),
        "string" => (value.is_string(), "a string"),
        "boolean" => (value.is_boolean(), "a boolean"),
        "integer" => (value.as_i64().is_some(), "an integer"),
        "number" => (value.is_number(), "a number"),
        _ => return Ok(()),
    };
    if fits { Ok(()) } else { Err(wrong_type(expected, value, path)) }
}

fn check_listed(schema: &Value, value: &Value, path: &str) -> Result<(), Wrong> {
    let (Some(listed), Some(text)) = (schema["enum"].as_array(), value.as_str()) else { return Ok(()) };
    if listed.iter().any(|known| known == text) {
        return Ok(());
    }
    Err(Wrong { path: path.to_owned(), what: What::Unknown(text.to_owned()) })
}

fn check_limits(schema: &Value, value: &Value, path: &str) -> Result<(), Wrong> {
    let size = match value {
        Value::String(text) => Some(text.chars().count()),
        Value::Array(items) => Some(items.len()),
        _ => None,
    };
    let wrong = |what| Err(Wrong { path: path.to_owned(), what });
    if let Some(size) = size {
        // The document also uses `minLength` and `maxLength` for lists.
        let limit = |one: &str, other: &str| schema.get(one).or_else(|| schema.get(other)).and_then(Value::as_u64);
        let limit = |one, other| limit(one, other).and_then(|limit| usize::try_from(limit).ok());
        let least = limit("minLength", "minItems").unwrap_or(0);
        let most = limit("maxLength", "maxItems").unwrap_or(NO_LIMIT);
        if !(least..=most).contains(&size) {
            return wrong(What::Size { least, most });
        }
    }
    if let Some(number) = value.as_i64() {
        let (least, most) = match schema["format"].as_str() {
            Some("int32") => (i32::MIN.into(), i32::MAX.into()),
            _ => (i64::MIN, i64::MAX),
        };
        let least = schema["minimum"].as_i64().unwrap_or(least);
        let most = schema["maximum"].as_i64().unwrap_or(most);
        if !(least..=most).contains(&number) {
            return wrong(What::Range { least, most });
        }
    }
    Ok(())
}
