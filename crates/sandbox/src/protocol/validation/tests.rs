//! Tests with a small document that has every kind of schema, and with every kind of mistake.

use serde_json::json;

use super::*;

const EVERYTHING: [&str; 6] = [
    "any-content-type",
    "unknown-parameters",
    "empty-parameters",
    "booleans-in-any-case",
    "encoded-commas",
    "repeated-lists",
];

fn parameter(place: &str, name: &str, required: bool, schema: Value) -> Value {
    json!({ "in": place, "name": name, "required": required, "schema": schema })
}

fn document(tolerates: &[&str]) -> Document {
    let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let query = |name, required, schema| parameter("query", name, required, schema);
    let document = json!({
        "operations": { "doIt": {
            "parameters": [
                parameter("path", "id", true, json!({ "type": "integer", "format": "int64" })),
                query("kind", true, json!({ "enum": ["a", "b"] })),
                query("count", false, json!({ "type": "integer", "minimum": 1, "maximum": 100 })),
                query("marker", false, json!({ "type": "integer", "nullable": true })),
                query("flag", false, json!({ "type": "boolean" })),
                query("ids", false, json!({ "items": { "type": "integer" } })),
            ],
            "body": reference("Body"),
        } },
        "schemas": {
            "Body": { "required": ["name", "note"], "properties": {
                "name": { "type": "string", "minLength": 1, "maxLength": 3 },
                "note": { "type": "string", "nullable": true },
                "shape": { "allOf": [reference("Shape")] },
                "maybe": { "nullable": true, "allOf": [reference("Round")] },
                "rows": { "type": "array", "maxItems": 2, "items": { "type": "array", "minLength": 1, "items":
                    { "type": "number" } } },
                "map": { "type": "object", "additionalProperties": reference("Round") },
            } },
            "Shape": {
                "type": "object",
                "discriminator": { "propertyName": "type", "mapping": {
                    "round": "#/components/schemas/Round", "plain": "#/components/schemas/Plain",
                } },
                "required": ["type"],
                "properties": { "type": { "type": "string" }, "label": { "type": "string", "maxLength": 2 } },
            },
            "Round": { "allOf": [reference("Shape"), {
                "required": ["radius"], "properties": { "radius": { "type": "integer", "format": "int32" } },
            }] },
            "Plain": { "allOf": [reference("Shape")] },
        },
        "tolerates": tolerates,
    });
    Document::read(document)
}

fn judge(tolerates: &[&str], id: &str, query: &str, content_type: Option<&str>, body: &str) -> Result<(), String> {
    let path = [("id", id.to_owned())];
    let asked = Asked { operation: "doIt", path: &path, query, content_type, body: body.as_bytes() };
    let said = |error: ApiError| error.json()["message"].as_str().unwrap_or_default().to_owned();
    document(tolerates).check(&asked).map_err(said)
}

#[test]
fn bodies_are_validated_by_their_schema() {
    let round = json!({ "type": "round", "radius": 1 });
    let base = json!({ "name": "a" });
    let with = |key: &str, value: Value| {
        let mut body = base.clone();
        body[key] = value;
        judge(&EVERYTHING, "1", "kind=a", None, &body.to_string())
    };
    for (key, value) in [
        ("name", json!("😀😀😀")),
        ("note", json!(null)),
        ("note", json!("n")),
        ("unknown", json!([1])),
        ("shape", round.clone()),
        ("shape", json!({ "type": "plain", "label": "ab" })),
        ("maybe", json!(null)),
        ("rows", json!([[1, 2.5], [3]])),
        ("map", json!({ "k": round })),
    ] {
        assert_eq!(with(key, value.clone()), Ok(()), "{key}: {value}");
    }
    for (key, value, message) in [
        ("name", json!(null), "Missing name"),
        ("name", json!(5), "Can't deserialize body: name is not a string"),
        ("name", json!(""), "name: size must be between 1 and 3"),
        ("name", json!("abcd"), "name: size must be between 1 and 3"),
        ("note", json!(true), "Can't deserialize body: note is not a string"),
        ("shape", json!(null), "Can't deserialize body: shape is not an object"),
        ("shape", json!({}), "Missing shape.type"),
        ("shape", json!({ "type": 1 }), "Can't deserialize body: shape.type is not a string"),
        ("shape", json!({ "type": "square" }), "Can't deserialize body: shape.type square is unknown"),
        ("shape", json!({ "type": "round" }), "Missing shape.radius"),
        ("shape", json!({ "type": "plain", "label": "abc" }), "shape.label: size must be between 0 and 2"),
        ("maybe", json!({ "type": "round", "radius": "1" }), "Can't deserialize body: maybe.radius is not an integer"),
        (
            "maybe",
            json!({ "type": "round", "radius": 1_i64 << 31 }),
            "maybe.radius: must be between -2147483648 and 2147483647",
        ),
        ("rows", json!([[], [1]]), "rows[0]: size must be between 1 and 2147483647"),
        ("rows", json!([[1], [1], [1]]), "rows: size must be between 0 and 2"),
        ("rows", json!([[1], ["1"]]), "Can't deserialize body: rows[1][0] is not a number"),
        ("map", json!({ "k": {} }), "Missing map.k.type"),
    ] {
        assert_eq!(with(key, value.clone()), Err(message.to_owned()), "{key}: {value}");
    }
    for body in ["", "[]", "null", "\"a\"", "{"] {
        assert_eq!(judge(&EVERYTHING, "1", "kind=a", None, body), Err("Can't deserialize body".to_owned()), "{body}");
    }
}

#[test]
fn parameters_are_validated_by_their_schema() {
    let judge = |id, query| judge(&EVERYTHING, id, query, None, r#"{"name":"a"}"#);
    for (id, query) in [
        ("-7", "kind=b&count=100"),
        ("1", "kind=a&count=&marker=null&flag=&ids="),
        ("1", "kind=%61&flag=True&ids=1,2%2c3&ids=4&v=0.5.6&other=1"),
    ] {
        assert_eq!(judge(id, query), Ok(()), "{id} {query}");
    }
    for (id, query, message) in [
        ("x", "kind=a", "id: x is not a number"),
        ("1", "", "kind: must not be empty"),
        ("1", "kind=", "kind: must not be empty"),
        ("1", "kind=%20", "kind: must not be empty"),
        ("1", "kind=c", "kind: c is unknown"),
        ("1", "kind=a&count=0", "count: must be between 1 and 100"),
        ("1", "kind=a&count=101", "count: must be between 1 and 100"),
        ("1", "kind=a&count=null", "count: null is not a number"),
        ("1", "kind=a&marker=9223372036854775808", "marker: 9223372036854775808 is not a number"),
        ("1", "kind=a&flag=1", "flag: 1 is not a boolean"),
        ("1", "kind=a&ids=1,b", "ids: b is not a number"),
    ] {
        assert_eq!(judge(id, query), Err(message.to_owned()), "{id} {query}");
    }
}

#[test]
fn each_tolerated_mistake_is_refused_without_its_entry() {
    const JSON_TYPE: Option<&str> = Some("application/json; charset=utf-8");
    for (entry, query, content_type, message) in [
        ("any-content-type", "kind=a", None, "Content-Type: must be application/json"),
        ("unknown-parameters", "kind=a&other=1", JSON_TYPE, "other: no such parameter"),
        ("empty-parameters", "kind=a&count=", JSON_TYPE, "count:  is not a number"),
        ("empty-parameters", "kind=a&ids=", JSON_TYPE, "ids:  is not a number"),
        ("booleans-in-any-case", "kind=a&flag=True", JSON_TYPE, "flag: True is not a boolean"),
        ("encoded-commas", "kind=a&ids=1%2C2", JSON_TYPE, "ids: 1%2C2 is not a list with plain commas"),
        ("repeated-lists", "kind=a&ids=1&ids=2", JSON_TYPE, "ids: 1&2 is not a list"),
    ] {
        let body = r#"{"name":"a"}"#;
        assert_eq!(judge(&[entry], "1", query, content_type, body), Ok(()), "{entry}");
        let others: Vec<_> = EVERYTHING.into_iter().filter(|other| *other != entry).collect();
        assert_eq!(judge(&others, "1", query, content_type, body), Err(message.to_owned()), "{entry}");
    }
    assert_eq!(judge(&[], "1", "kind=a&v=0.5.6&ids=1,2&access_token=t", JSON_TYPE, r#"{"name":"a"}"#), Ok(()));
}
