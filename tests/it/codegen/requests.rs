//! The data of the sandbox: the rules of the document for requests, without prose, and the tolerance.

use serde_json::{Value, json};

use super::{HEAD, generator};

const DOCUMENT: &str = "paths: {'/things/{id}': {
    parameters: [{name: id, in: path, required: true, schema: {type: integer, pattern: a, description: Which.}}],
    post: {operationId: doIt, description: Does it., parameters: [{$ref: '#/components/parameters/Count'}],
        requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Body'}}}}}}}
components: {
    parameters: {Count: {name: count, in: query, schema: {type: integer, maximum: 5}}},
    schemas: {Body: {description: A body., required: [description], properties: {
        description: {type: string, description: Its own field.}}}}}
";

fn requests(actions: &str) -> Result<Value, String> {
    let (document, tolerance) = (format!("{HEAD}{DOCUMENT}"), format!("info: {{version: '1'}}\nactions:{actions}\n"));
    let json = generator::requests_from_text(&[("doc", &document)], ("tolerance.yaml", &tolerance));
    let read = |json: String| serde_json::from_str::<Value>(&json).unwrap()["doc"].take();
    json.map(read).map_err(|error| error.to_string())
}

#[test]
fn requests_keep_rules_and_drop_prose() {
    let requests = requests(" []").unwrap();
    assert_eq!(
        requests["operations"]["doIt"]["parameters"],
        json!([
            { "name": "id", "in": "path", "required": true, "schema": { "type": "integer", "pattern": "a" } },
            { "name": "count", "in": "query", "required": false, "schema": { "type": "integer", "maximum": 5 } },
        ])
    );
    assert_eq!(requests["operations"]["doIt"]["body"], json!({ "$ref": "#/components/schemas/Body" }));
    let body = json!({ "required": ["description"], "properties": { "description": { "type": "string" } } });
    assert_eq!(requests["schemas"]["Body"], body);
    assert_eq!(requests["tolerates"], json!([]));
}

#[test]
fn the_tolerance_changes_schemas_and_sets_flags_for_the_rest() {
    let requests = requests(
        "
- {target: $.components.schemas.Body.properties.description, description: Why., update: {nullable: true}}
- {target: $, description: Why., update: {x-tolerates: [empty-parameters]}}
- {target: $, description: Why., update: {x-tolerates: [repeated-lists]}}",
    );
    let requests = requests.unwrap();
    assert_eq!(requests["schemas"]["Body"]["properties"]["description"]["nullable"], true);
    assert_eq!(requests["tolerates"], json!(["empty-parameters", "repeated-lists"]));
}

#[test]
fn an_invalid_tolerance_entry_is_an_error() {
    let error = |action: &str| requests(&format!("\n- {{target: {action}}}")).unwrap_err();
    let unknown = error("$, description: Why., update: {x-tolerates: [typos]}");
    assert_eq!(unknown, "tolerance.yaml: x-tolerates: names \"typos\", which is not a tolerance of the sandbox");
    let misspelt = error("$, description: Why., update: {x-tolerate: [typos]}");
    assert!(misspelt.contains("sets `x-tolerate`, which is not an extension of the generator"), "{misspelt}");
    assert!(error("$, update: {x-tolerates: [repeated-lists]}").contains("has no `description`"));
    assert!(error("$.components.schemas.Nobody, description: Why., remove: true").contains("matches nothing"));
}

#[test]
fn an_entry_must_match_one_of_the_documents() {
    let other = format!("{HEAD}{}", DOCUMENT.replace("Body", "Other"));
    let (one, tolerance) = (format!("{HEAD}{DOCUMENT}"), "info: {version: '1 and 1'}\nactions:");
    let requests = |target: &str| {
        let action = format!("{tolerance} [{{target: {target}, description: Why., update: {{nullable: true}}}}]");
        generator::requests_from_text(&[("one", &one), ("other", &other)], ("tolerance.yaml", &action))
    };
    let json: Value = serde_json::from_str(&requests("$.components.schemas.Other").unwrap()).unwrap();
    assert_eq!(json["other"]["schemas"]["Other"]["nullable"], true);
    assert_eq!(json["one"]["schemas"]["Body"]["nullable"], Value::Null);
    assert!(requests("$.components.schemas.Nobody").unwrap_err().to_string().contains("matches nothing"));
}
