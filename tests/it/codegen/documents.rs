//! Whole documents: ours, an empty one, and an older one.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Code, HEAD, NO_ACTIONS, Service, from_files, merged};

const OURS: &str = include_str!("../../../openapi/tamtam.yaml");
const MAX: &str = include_str!("../../../openapi/max.yaml");
const OVERLAY: &str = include_str!("../../../openapi/overlay.yaml");
const TAMTAM_OVERLAY: &str = include_str!("../../../openapi/tamtam.overlay.yaml");
const MAX_OVERLAY: &str = include_str!("../../../openapi/max.overlay.yaml");

/// Generates code from a document with our overlay.
#[track_caller]
pub(super) fn generated(name: &str, document: &str) -> Code {
    from_files((name, document), ("overlay.yaml", OVERLAY)).unwrap_or_else(|error| panic!("{error}"))
}

/// Generates code from documents of both services with all overlays, as for the crate.
#[track_caller]
fn both(tamtam: &str, max: &str) -> Code {
    let services = [
        Service { document: ("tamtam.yaml", tamtam), overlay: ("tamtam.overlay.yaml", TAMTAM_OVERLAY) },
        Service { document: ("max.yaml", max), overlay: ("max.overlay.yaml", MAX_OVERLAY) },
    ];
    merged(&services, ("overlay.yaml", OVERLAY)).unwrap_or_else(|error| panic!("{error}"))
}

pub(super) fn ours() -> Value {
    yaml_serde::from_str(OURS).expect("our document is YAML")
}

/// Returns a document as JSON, which is also YAML.
pub(super) fn text(document: &Value) -> String {
    serde_json::to_string(document).expect("JSON")
}

/// Returns the overlay for another version, so that actions without a match are skipped.
fn for_another_version() -> String {
    OVERLAY.replacen("version: 0.5.6 and 0.0.33", "version: another", 1)
}

#[test]
fn both_documents_generate_the_operations_of_both() {
    let code = both(OURS, MAX);
    assert_eq!(code.api().len(), 37);
    let variants = |union: &str| code.enumeration(union).variants.len();
    assert_eq!((variants("Update"), variants("Button"), variants("MarkupElement")), (22, 8, 11));
    assert_eq!(code.fields("User")[..2], ["user_id: UserId", "name: String"]);
}

#[test]
fn our_document_generates_all_its_operations() {
    let code = generated("tamtam.yaml", OURS);
    assert_eq!(code.api().len(), 28);
    assert_eq!(code.enumeration("Update").tag.as_deref(), Some("update_type"));
}

#[test]
fn the_document_of_max_generates_all_its_operations() {
    let max = Service { document: ("max.yaml", MAX), overlay: ("max.overlay.yaml", MAX_OVERLAY) };
    let code = merged(&[max], ("overlay.yaml", &for_another_version())).unwrap_or_else(|error| panic!("{error}"));
    assert!(code.text.contains("pub type CommentMessage = Message;"), "a comment is a message");
    assert!(!code.text.contains("pub struct CommentMessage "));
    assert_eq!(code.api().len(), 33);
    assert_eq!(code.enumeration("Button").tag.as_deref(), Some("type"));
    for (union, variant) in [("Update", "DialogMuted"), ("Button", "OpenApp"), ("MarkupElement", "Quote")] {
        assert!(code.enumeration(union).variants.iter().any(|found| found.name == variant), "{union}::{variant}");
    }
}

#[test]
fn an_empty_document_generates() {
    for empty in ["", "paths: {}\n", "components: {}\n", "paths: {}\ncomponents: {schemas: {}}\n"] {
        let code = from_files(("empty.yaml", &format!("{HEAD}{empty}")), ("overlay.yaml", NO_ACTIONS));
        let code = code.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((code.types().len(), code.api().len()), (0, 0));
    }
    let code = from_files(("empty.yaml", HEAD), ("overlay.yaml", &for_another_version()));
    assert!(code.is_ok(), "with our overlay, too");
}

/// A removed schema is removed together with all references to it. The generator must not require any of them.
#[test]
fn schemas_that_no_extension_names_may_be_absent() {
    /// Removing one schema at a time would take minutes. Each schema is absent in one of these rounds.
    const ROUNDS: usize = 8;
    let (ours, overlay) = (ours(), for_another_version());
    let names: Vec<&String> =
        ours["components"]["schemas"].as_object().into_iter().flat_map(|all| all.keys()).collect();
    assert!(names.len() > 80, "{}", names.len());
    for round in 0..ROUNDS {
        // The schemas that an extension of the overlay names must exist.
        let mut gone: BTreeSet<String> = names.iter().skip(round).step_by(ROUNDS).map(|name| (*name).clone()).collect();
        for named in ["Update", "NewMessageBody"] {
            gone.remove(named);
        }
        let removed = format!("{gone:?}");
        let mut document = ours.clone();
        while without(&mut document, &mut gone) {}
        let result = from_files(("without.yaml", &text(&document)), ("overlay.yaml", &overlay));
        assert!(result.is_ok(), "without {removed}: {}", result.err().unwrap_or_default());
    }
}

#[test]
fn a_union_named_by_x_tag_of_must_exist() {
    let mut document = ours();
    let mut gone = BTreeSet::from(["Update".to_owned()]);
    while without(&mut document, &mut gone) {}
    let error = from_files(("without.yaml", &text(&document)), ("overlay.yaml", &for_another_version()));
    let error = error.map(|code| code.text).unwrap_err();
    assert!(
        error.starts_with("without.yaml: paths./updates.get.parameters[3].schema.items: `x-tag-of: Update`"),
        "{error}"
    );
}

/// Removes these schemas and all references to them. Returns whether there are now more schemas to remove.
fn without(document: &mut Value, gone: &mut BTreeSet<String>) -> bool {
    let before = gone.len();
    if let Some(schemas) = object(document, "/components/schemas") {
        schemas.retain(|name, _| !gone.contains(name));
        for (name, schema) in schemas {
            let parts = schema.get_mut("allOf").and_then(Value::as_array_mut).into_iter().flatten();
            parts
                .filter_map(|part| object(part, "/properties"))
                .for_each(|own| own.retain(|_, node| !mentions(node, gone)));
            if let Some(own) = object(schema, "/properties") {
                own.retain(|_, node| !mentions(node, gone));
            }
            let mapping = object(schema, "/discriminator/mapping").map(|mapping| {
                mapping.retain(|_, target| !refers(target, gone));
                mapping.len()
            });
            if mapping == Some(0) || mentions(schema, gone) {
                gone.insert(name.clone());
            }
        }
    }
    for path in object(document, "/paths").into_iter().flat_map(|paths| paths.values_mut()) {
        if let Some(methods) = path.as_object_mut() {
            methods.retain(|_, operation| !mentions(operation, gone));
        }
    }
    for response in object(document, "/components/responses").into_iter().flat_map(|responses| responses.values_mut()) {
        if mentions(response, gone) {
            *response = serde_json::json!({"description": "Gone."});
        }
    }
    gone.len() > before
}

fn object<'a>(node: &'a mut Value, pointer: &str) -> Option<&'a mut serde_json::Map<String, Value>> {
    node.pointer_mut(pointer)?.as_object_mut()
}

fn refers(target: &Value, gone: &BTreeSet<String>) -> bool {
    target.as_str().and_then(|target| target.rsplit('/').next()).is_some_and(|name| gone.contains(name))
}

fn mentions(node: &Value, gone: &BTreeSet<String>) -> bool {
    match node {
        Value::Object(object) => {
            object.iter().any(|(key, value)| if key == "$ref" { refers(value, gone) } else { mentions(value, gone) })
        }
        Value::Array(list) => list.iter().any(|item| mentions(item, gone)),
        _ => false,
    }
}

#[test]
fn an_older_document_applies_the_matching_actions_of_our_overlay() {
    let code = generated("tamtam-0.5.0.yaml", OLDER);
    assert_eq!(code.api(), ["get_my_info()", "get_updates()", "send_message(body: implInto<NewMessageBody>)"]);
    assert_eq!(code.fields("User")[0], "user_id: UserId");
    assert_eq!(code.enumeration("Update").listed(), ["MessageCreated(MessageCreatedUpdate) = message_created"]);
    assert_eq!(code.fields("MessageCreatedUpdate"), ["timestamp: i64", "message: Option<Box<Message>>"]);
    assert!(code.sending("GetUpdates").contains("hold:Some((\"timeout\",30u64))"));
    assert!(code.checks("NewMessageBody").is_some_and(|checks| checks.contains("4000usize")));
}

/// A small version 0.5.0: fewer operations, no `Subscription`, ids without an alias, a query list in `simple` style.
const OLDER: &str = "
openapi: 3.0.0
info: {title: TamTam Bot API, version: 0.5.0}
paths:
  /me:
    get:
      operationId: getMyInfo
      responses:
        '200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/User'}}}}
  /updates:
    get:
      operationId: getUpdates
      parameters:
        - {name: timeout, in: query, schema: {type: integer, default: 30, minimum: 0, maximum: 90}}
        - name: types
          in: query
          style: simple
          schema: {type: array, items: {type: string}}
      responses:
        '200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/UpdateList'}}}}
  /messages:
    post:
      operationId: sendMessage
      parameters:
        - {name: user_id, in: query, schema: {type: integer, format: int64}}
        - {name: chat_id, in: query, schema: {type: integer, format: int64}}
      requestBody:
        content: {application/json: {schema: {$ref: '#/components/schemas/NewMessageBody'}}}
      responses:
        '200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Message'}}}}
components:
  schemas:
    User:
      required: [user_id, name]
      properties: {user_id: {type: integer, format: int64}, name: {type: string}}
    Message:
      required: [text]
      properties: {text: {type: string}, sender: {$ref: '#/components/schemas/User'}}
    NewMessageBody:
      properties: {text: {type: string, nullable: true, maxLength: 4000}}
    UpdateList:
      required: [updates]
      properties: {updates: {type: array, items: {$ref: '#/components/schemas/Update'}}}
    Update:
      required: [update_type, timestamp]
      discriminator:
        propertyName: update_type
        mapping: {message_created: '#/components/schemas/MessageCreatedUpdate'}
      properties: {update_type: {type: string}, timestamp: {type: integer, format: int64}}
    MessageCreatedUpdate:
      allOf:
        - $ref: '#/components/schemas/Update'
        - required: [message]
          properties: {message: {$ref: '#/components/schemas/Message'}}
";
