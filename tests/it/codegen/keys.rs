//! Keys of received values: the properties that they contain.

use serde_json::json;

use super::{code, documents, operation, request, result, schemas};

/// Returns a document that receives `Thing`, with these schemas.
fn received(others: &str) -> String {
    let answer = "content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}";
    let responses = format!("responses: {{200: {{description: Done, {answer}}}}}");
    format!("{}{}", operation(&responses), schemas(others))
}

/// Returns the properties of `Thing` that are in its key.
fn in_key(properties: &str) -> Vec<String> {
    code(&received(&format!(
        "Thing: {{properties: {{{properties}}}}}, Part: {{properties: {{size: {{type: integer}}}}}},
         Choice: {{discriminator: {{propertyName: t, mapping: {{a: Part}}}}}}, Kind: {{type: string, enum: [a]}},
         Alias: {{type: string, x-id: MessageId}}, Parts: {{type: array, items: {{$ref: '#/components/schemas/Part'}}}}"
    )))
    .in_key("Thing")
}

#[test]
fn the_key_contains_ids_and_values_that_may_hold_ids() {
    assert_eq!(
        in_key(
            "plain: {type: string}, id: {type: integer, x-id: ChatId}, alias: {$ref: '#/components/schemas/Alias'},
             object: {$ref: '#/components/schemas/Part'}, union: {nullable: true, allOf: [{$ref: '#/components/schemas/Choice'}]},
             kind: {$ref: '#/components/schemas/Kind'}, list: {$ref: '#/components/schemas/Parts'},
             ids: {type: array, items: {type: integer, x-id: UserId}}, names: {type: array, items: {type: string}},
             map: {type: object, additionalProperties: {$ref: '#/components/schemas/Part'}}"
        ),
        ["id", "alias", "object", "union", "list", "ids"]
    );
}

#[test]
fn x_key_includes_or_excludes_a_property() {
    assert_eq!(
        in_key(
            "title: {type: string, x-key: true}, time: {type: integer, x-key: true}, big: {type: integer, format: int32, x-key: true},
             id: {type: integer, x-id: ChatId, x-key: false}, object: {x-key: false, allOf: [{$ref: '#/components/schemas/Part'}]},
             payload: {x-key: true, allOf: [{$ref: '#/components/schemas/Part'}]}, plain: {type: string, x-key: false}"
        ),
        ["title", "time", "big", "payload"]
    );
}

#[test]
fn x_key_is_refused_on_properties_that_a_key_cannot_contain() {
    for schema in ["{type: number", "{type: boolean", "{type: array, items: {type: string}", "{type: object"] {
        let error = result(&received(&format!("Thing: {{properties: {{a: {schema}, x-key: true}}}}}}")));
        let error = error.map(|code| code.text).unwrap_err();
        assert!(
            error.contains("components.schemas.Thing.properties.a.x-key: `true` on a property that is neither"),
            "{error}"
        );
    }
}

#[test]
fn types_that_are_only_sent_have_no_key() {
    let code = code(&request("{$ref: '#/components/schemas/Thing'}", "Thing: {properties: {a: {x-id: ChatId}}}"));
    assert!(!code.text.contains("Keyed"), "{}", code.text);
}

#[test]
fn a_new_kind_of_update_has_a_key_with_known_and_new_ids() {
    let mut document = documents::ours();
    let schemas = &mut document["components"]["schemas"];
    schemas["Update"]["discriminator"]["mapping"]["dialog_muted"] = json!("#/components/schemas/DialogMutedUpdate");
    schemas["DialogMutedUpdate"] = json!({
        "description": "A user muted a dialog.",
        "allOf": [{"$ref": "#/components/schemas/Update"}, {"properties": {
            "chat_id": {"type": "integer", "format": "int64"},
            "until": {"type": "integer", "format": "int64"},
            "users": {"type": "array", "items": {"$ref": "#/components/schemas/User"}},
            "title": {"type": "string"},
            "moderator": {"type": "integer", "format": "int64", "x-id": "UserId"},
        }}],
    });
    schemas["User"]["properties"]["guest"] = json!({"type": "string", "x-id": "SessionId"});
    let code = documents::generated("new.yaml", &documents::text(&document));
    assert_eq!(code.in_key("DialogMutedUpdate"), ["timestamp", "chat_id", "users", "title", "moderator"]);
    assert_eq!(code.in_key("User"), ["user_id", "guest"]);
    let update = code.key("Update");
    assert!(update.contains("key.value(self.tag())"), "{update}");
    assert!(update.contains("Self::DialogMuted(value)=>crate::json::key::Keyed::add_to(value,key)"), "{update}");
}
