//! Generates a complete value from a schema of the document, and values that break each of its rules.

use serde_json::{Map, Value, json};

/// A body with one change at `path`.
pub(super) struct Breach {
    pub(super) path: String,
    pub(super) body: Value,
    pub(super) why: &'static str,
}

pub(super) struct Breaches {
    /// A value with all fields. A list of unions has one item of each type.
    pub(super) whole: Value,
    pub(super) breaches: Vec<Breach>,
    /// Valid values of the maximum length.
    pub(super) limits: Vec<Breach>,
}

impl Breaches {
    pub(super) fn of(document: &Value, schema: &Value) -> Self {
        let whole = Document(document).instance(schema);
        let mut found = Self { whole, breaches: Vec::new(), limits: Vec::new() };
        let whole = found.whole.clone();
        found.look(Document(document), &Document(document).flat(schema), &whole, "", "");
        found
    }

    fn look(&mut self, document: Document<'_>, rules: &Map<String, Value>, value: &Value, pointer: &str, path: &str) {
        if !path.is_empty() {
            let other = if value.is_string() { json!(5) } else { json!("x") };
            self.replace(pointer, path, other, "type");
            if rules.get("nullable") != Some(&json!(true)) {
                self.replace(pointer, path, Value::Null, "null");
            }
        }
        if rules.contains_key("enum") {
            self.replace(pointer, path, json!("invented"), "enum");
        }
        self.look_at_limits(rules, value, pointer, path);
        if let Some(fields) = value.as_object() {
            self.look_at_fields(document, rules, fields, pointer, path);
        }
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            let (pointer, path) = (format!("{pointer}/{index}"), format!("{path}[{index}]"));
            self.look(document, &document.flat_for(&rules["items"], item), item, &pointer, &path);
        }
    }

    fn look_at_limits(&mut self, rules: &Map<String, Value>, value: &Value, pointer: &str, path: &str) {
        let limit = |name: &str| rules.get(name).and_then(Value::as_u64).map(|limit| limit as usize);
        if limit("minLength").is_some_and(|least| least > 0) {
            let short = if value.is_array() { json!([]) } else { json!("") };
            self.replace(pointer, path, short, "minLength");
        }
        if limit("minItems").is_some_and(|least| least > 0) {
            self.replace(pointer, path, json!([]), "minItems");
        }
        if let Some(most) = limit("maxLength") {
            // One character, two UTF-16 code units, four bytes. No pattern of the documents allows it.
            let unit = if rules.contains_key("pattern") { "a" } else { "😀" };
            self.replace(pointer, path, json!(unit.repeat(most + 1)), "maxLength");
            let body = self.with(pointer, Some(json!(unit.repeat(most))));
            self.limits.push(Breach { path: path.to_owned(), body, why: "maxLength" });
        }
        if rules.contains_key("pattern") {
            // Within all limits of length.
            self.replace(pointer, path, json!("a blank"), "pattern");
        }
        if let Some(most) = limit("maxItems") {
            self.replace(pointer, path, vec![value[0].clone(); most + 1].into(), "maxItems");
            let body = self.with(pointer, Some(vec![value[0].clone(); most].into()));
            self.limits.push(Breach { path: path.to_owned(), body, why: "maxItems" });
        }
        match rules.get("format").and_then(Value::as_str) {
            Some("int32") => self.replace(pointer, path, json!(1_i64 << 31), "format"),
            Some("int64") => self.replace(pointer, path, json!(1_u64 << 63), "format"),
            _ => {}
        }
    }

    fn look_at_fields(
        &mut self,
        document: Document<'_>,
        rules: &Map<String, Value>,
        fields: &Map<String, Value>,
        pointer: &str,
        path: &str,
    ) {
        let join = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        for name in rules["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !document.is_nullable(&rules["properties"][name]) {
                let body = self.with(&format!("{pointer}/{name}"), None);
                self.breaches.push(Breach { path: join(name), body, why: "required" });
            }
        }
        if let Some(tag) = rules.get("tag").and_then(Value::as_str) {
            self.replace(&format!("{pointer}/{tag}"), &join(tag), json!("invented"), "tag");
        }
        for (name, value) in fields {
            let schema = rules["properties"].get(name).unwrap_or(&rules["additionalProperties"]);
            self.look(document, &document.flat(schema), value, &format!("{pointer}/{name}"), &join(name));
        }
    }

    fn replace(&mut self, pointer: &str, path: &str, value: Value, why: &'static str) {
        let body = self.with(pointer, Some(value));
        self.breaches.push(Breach { path: path.to_owned(), body, why });
    }

    /// Returns the whole value with `value` at `pointer`, or with nothing there if `value` is `None`.
    fn with(&self, pointer: &str, value: Option<Value>) -> Value {
        let mut body = self.whole.clone();
        match value {
            Some(value) => *body.pointer_mut(pointer).unwrap() = value,
            None => {
                let (parent, name) = pointer.rsplit_once('/').unwrap();
                body.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
            }
        }
        body
    }
}

/// Returns invalid texts for a parameter.
pub(super) fn of_parameter(document: &Value, parameter: &Value) -> Vec<String> {
    let rules = Document(document).flat(&parameter["schema"]);
    let is_required = parameter["required"] == true && parameter["in"] == "query";
    let mut texts: Vec<String> = Vec::new();
    texts.extend(is_required.then(|| ["", "%20"].map(str::to_owned)).into_iter().flatten());
    texts.extend(rules.contains_key("enum").then(|| "invented".to_owned()));
    // A blank in the query counts as missing. A path segment that is not a link counts as the id of a chat.
    let has_pattern = rules.contains_key("pattern") && parameter["in"] == "path" && parameter["name"] != "chatLink";
    texts.extend(has_pattern.then(|| "~".to_owned()));
    match kind(&rules) {
        // Not `x`: it could make the path another known path.
        "integer" => texts.extend(["1x", "1.5", "9223372036854775808"].map(str::to_owned)),
        "boolean" => texts.extend(["1", "yes"].map(str::to_owned)),
        "array" if kind(&Document(document).flat(&rules["items"])) == "integer" => texts.push("1,x".to_owned()),
        _ => {}
    }
    let beyond = |name: &str, by: i64| rules.get(name).and_then(Value::as_i64).map(|limit| (limit + by).to_string());
    texts.extend(beyond("minimum", -1));
    texts.extend(beyond("maximum", 1));
    texts
}

#[derive(Clone, Copy)]
struct Document<'a>(&'a Value);

impl Document<'_> {
    /// Merges a schema with everything that it refers to and inherits. For a union, `tag` names the discriminator.
    fn flat(self, schema: &Value) -> Map<String, Value> {
        let mut flat = Map::from_iter([("properties".to_owned(), json!({})), ("required".to_owned(), json!([]))]);
        flat.insert("additionalProperties".to_owned(), Value::Null);
        self.merge(schema, &mut flat);
        flat
    }

    fn merge(self, schema: &Value, flat: &mut Map<String, Value>) {
        if let Some(target) = schema["$ref"].as_str() {
            return self.merge(self.0.pointer(target.trim_start_matches('#')).unwrap(), flat);
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.merge(part, flat);
        }
        for (key, value) in schema.as_object().into_iter().flatten() {
            match key.as_str() {
                "properties" => flat["properties"].as_object_mut().unwrap().extend(value.as_object().unwrap().clone()),
                "required" => flat["required"].as_array_mut().unwrap().extend(value.as_array().unwrap().clone()),
                "discriminator" => drop(flat.insert("tag".to_owned(), value["propertyName"].clone())),
                "allOf" => {}
                _ => drop(flat.insert(key.clone(), value.clone())),
            }
        }
    }

    /// Returns the rules for an item. For a union, returns the rules of the item's type.
    fn flat_for(self, schema: &Value, item: &Value) -> Map<String, Value> {
        let mapping = self.members(schema);
        let tag =
            self.flat(schema).get("tag").and_then(|tag| item[tag.as_str()?].as_str()).unwrap_or_default().to_owned();
        let member = mapping.iter().find(|(name, _)| *name == tag);
        member.map_or_else(|| self.flat(schema), |(_, member)| self.flat(member))
    }

    /// Returns the tags and types of a union. Returns an empty list for other schemas.
    fn members(self, schema: &Value) -> Vec<(String, Value)> {
        let target = schema["$ref"].as_str().and_then(|target| self.0.pointer(target.trim_start_matches('#')));
        let mapping = target.and_then(|target| target["discriminator"]["mapping"].as_object());
        let members = mapping.into_iter().flatten();
        members.map(|(tag, target)| (tag.clone(), json!({ "$ref": target }))).collect()
    }

    fn is_nullable(self, schema: &Value) -> bool {
        self.flat(schema).get("nullable") == Some(&json!(true))
    }

    fn instance(self, schema: &Value) -> Value {
        let rules = self.flat(schema);
        if let Some(values) = rules.get("enum") {
            return values[0].clone();
        }
        match kind(&rules) {
            "string" => json!("a".repeat(rules.get("minLength").and_then(Value::as_u64).unwrap_or(1).max(1) as usize)),
            "integer" => json!(1),
            "number" => json!(1.5),
            "boolean" => json!(true),
            "array" => {
                let members = self.members(&rules["items"]);
                if members.is_empty() {
                    return json!([self.instance(&rules["items"])]);
                }
                let tagged = |(tag, member): (String, Value)| {
                    let mut value = self.instance(&member);
                    value[self.flat(&member)["tag"].as_str().unwrap()] = tag.into();
                    value
                };
                members.into_iter().map(tagged).collect()
            }
            "object" => {
                let properties = rules["properties"].as_object().unwrap();
                let mut fields: Map<_, _> =
                    properties.iter().map(|(name, schema)| (name.clone(), self.instance(schema))).collect();
                if rules["additionalProperties"].is_object() {
                    fields.insert("key".to_owned(), self.instance(&rules["additionalProperties"]));
                }
                fields.into()
            }
            other => panic!("{other}: {rules:?}"),
        }
    }
}

/// Returns the type of a schema, even if the document omits it.
fn kind(rules: &Map<String, Value>) -> &str {
    match rules.get("type").and_then(Value::as_str) {
        Some(kind) => kind,
        None if rules.contains_key("items") => "array",
        None if rules.contains_key("enum") => "string",
        None => "object",
    }
}
