#!/usr/bin/env python3
"""Extends the documents of a copy of the crate by additions of every kind, and writes a test of the result.

Each document gets an operation, an update type, a button, a markup element, an enum value and a property. The crate must
build without changes by hand, and the accessors of the new update must work. Usage: extend.py COPY
"""

import sys
from pathlib import Path

import yaml

TEST = """//! Tests the additions to the documents. Written by .ci/extend.py.

use tamtam::{Bot, Button, ErrorKind, Update, types};

#[test]
fn both_documents_are_extended() {
    for (name, tag) in [("tamtam", "tamtam_archived"), ("max", "max_archived")] {
        let json = format!(
            r#"{{"update_type": "{tag}", "timestamp": 1, "chat_id": -5, "user": {{"user_id": 7, "name": "A", "is_bot": false}}}}"#
        );
        let update: Update = serde_json::from_str(&json).unwrap();
        assert!(!matches!(update, Update::Unknown(_)), "{tag}");
        assert_eq!(update.chat_id().map(|chat| chat.0), Some(-5), "{tag}");
        assert_eq!(update.user_id().map(|user| user.0), Some(7), "{tag}");
        assert_eq!(update.user().map(|user| user.name.clone()).as_deref(), Some("A"), "{tag}");
        assert_eq!(update.lane().to_string(), "chat:-5", "{tag}");
        assert_eq!(update.key(), format!("{tag}/timestamp=1/chat_id=-5/user.user_id=7"));

        let button: Button = serde_json::from_str(&format!(r#"{{"type": "{name}_dice", "text": "Roll", "sides": 6}}"#)).unwrap();
        assert!(!matches!(button, Button::Unknown(_)), "{name}");
        assert_eq!(button.text(), Some("Roll"));

        let markup: types::MarkupElement =
            serde_json::from_str(&format!(r#"{{"type": "{name}_blink", "from": 2, "length": 3}}"#)).unwrap();
        assert_eq!((markup.start(), markup.length()), (Some(2), Some(3)));
    }
    let user: types::User =
        serde_json::from_str(r#"{"user_id": 1, "name": "A", "tamtam_mood": "good", "max_mood": "better"}"#).unwrap();
    assert_eq!((user.tamtam_mood.as_deref(), user.max_mood.as_deref()), (Some("good"), Some("better")));
    assert_eq!(types::ChatType::from("tamtam_room"), types::ChatType::TamtamRoom);
    assert_eq!(types::ChatType::from("max_room"), types::ChatType::MaxRoom);
}

#[tokio::test]
async fn each_service_has_its_own_operation() {
    let (tamtam, max) = (Bot::new("token").unwrap(), Bot::max("token").unwrap());
    assert_eq!(tamtam.api().max_archive(1).await.unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(max.api().tamtam_archive(1).await.unwrap_err().kind(), ErrorKind::Unsupported);
}
"""


def component(name):
    return f"#/components/schemas/{name}"


def extend(document, name):
    title = name.capitalize()
    schemas = document["components"]["schemas"]
    done = {"content": {"application/json": {"schema": {"$ref": component("SimpleQueryResult")}}}, "description": "Done."}
    document["paths"][f"/{name}/archive"] = {
        "post": {
            "operationId": f"{name}Archive",
            "summary": "Archives a chat",
            "parameters": [
                {"name": "chat_id", "in": "query", "required": True, "schema": {"type": "integer", "format": "int64"}}
            ],
            "responses": {"200": done},
        }
    }
    properties = {"chat_id": {"type": "integer", "format": "int64"}, "user": {"$ref": component("User")}}
    members = {
        "Update": (f"{name}_archived", f"{title}ArchivedUpdate", properties, ["chat_id", "user"]),
        "Button": (f"{name}_dice", f"{title}DiceButton", {"sides": {"type": "integer"}}, ["sides"]),
        "MarkupElement": (f"{name}_blink", f"{title}BlinkMarkup", {"speed": {"type": "integer", "nullable": True}}, []),
    }
    for union, (tag, schema, own, required) in members.items():
        schemas[union]["discriminator"]["mapping"][tag] = component(schema)
        part = {"type": "object", "properties": own}
        if required:
            part["required"] = required
        schemas[schema] = {"allOf": [{"$ref": component(union)}, part]}
    schemas["ChatType"]["enum"].append(f"{name}_room")
    schemas["User"]["properties"][f"{name}_mood"] = {"type": "string", "nullable": True}


def main():
    copy = Path(sys.argv[1])
    for name in ("tamtam", "max"):
        path = copy / "openapi" / f"{name}.yaml"
        document = yaml.safe_load(path.read_text())
        extend(document, name)
        path.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
    (copy / "tests" / "extended.rs").write_text(TEST)


main()
