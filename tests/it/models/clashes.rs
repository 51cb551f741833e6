//! Properties of the same name but different types in the variants of a union. A new or invalid property of one variant
//! must not affect the others.

use serde::{Deserialize, de::value::MapDeserializer};
use serde_json::json;
use tamtam::{Attachment, Button, Update, types::MarkupElement};

#[test]
fn a_new_property_may_have_the_name_of_a_differently_typed_one_in_another_variant() {
    let user = json!({"user_id": 17, "name": "Анна"});
    for (property, value) in [
        ("title", json!({"new": true})),
        ("callback", json!("c")),
        ("message", json!([1, 2])),
        ("input", json!(5)),
        ("inviter_id", json!("17")),
        ("chat", json!([])),
    ] {
        let mut json = json!({"timestamp": 5, "chat_id": 17, "user": user});
        json[property] = value;
        json["update_type"] = json!("bot_started");
        let update: Update = serde_json::from_str(&json.to_string()).unwrap();
        let Update::BotStarted(started) = update else { panic!("{property}: {update:?}") };
        assert_eq!((started.timestamp, started.user.name.as_str()), (5, "Анна"));
    }
    let attachment = json!({"payload": {"url": "u", "token": "t", "photo_id": "new", "buttons": 5}, "width": "5px",
        "type": "audio"});
    let attachment: Attachment = serde_json::from_str(&attachment.to_string()).unwrap();
    assert!(
        matches!(&attachment, Attachment::Audio(audio) if audio.payload.token.as_deref() == Some("t")),
        "{attachment:?}"
    );
    let button: Button = serde_json::from_str(r#"{"text":"x","url":{"href":"y"},"type":"request_contact"}"#).unwrap();
    assert!(matches!(button, Button::RequestContact(_)), "{button:?}");
    let markup: MarkupElement =
        serde_json::from_str(r#"{"from":0,"length":1,"url":null,"user_id":"@x","type":"strong"}"#).unwrap();
    assert!(matches!(markup, MarkupElement::Strong(_)), "{markup:?}");
}

#[test]
fn a_property_of_another_variant_may_be_repeated() {
    let twice = r#"{"timestamp":5,"chat_id":17,"title":"a","title":"b","user":{"user_id":1,"name":""},"update_type":"bot_started"}"#;
    assert!(matches!(serde_json::from_str(twice).unwrap(), Update::BotStarted(_)));
    let own =
        r#"{"timestamp":5,"timestamp":5,"chat_id":17,"user":{"user_id":1,"name":""},"update_type":"bot_started"}"#;
    let Update::Unknown(unknown) = serde_json::from_str(own).unwrap() else { panic!() };
    assert!(unknown.error.unwrap().starts_with("duplicate field `timestamp`"));
}

#[test]
fn a_list_is_not_read_as_an_object() {
    // serde itself reads a list as the fields of a struct in their order, here of a photo.
    let attachment: Attachment = serde_json::from_str(r#"{"payload":[1,"t","u"],"type":"image"}"#).unwrap();
    let Attachment::Unknown(unknown) = attachment else { panic!("{attachment:?}") };
    let error = unknown.error.unwrap();
    assert!(error.starts_with("invalid type: sequence, expected an object"), "{error}");
}

#[test]
fn a_list_is_not_read_as_the_properties_of_all_variants() {
    // One element of a fitting type for each property of the payloads of all kinds of attachments.
    let json = r#"{"payload":[null,null,"t","u",null,5,null],"type":"image"}"#;
    let attachment: Attachment = serde_json::from_str(json).unwrap();
    assert!(matches!(attachment, Attachment::Unknown(_)), "{attachment:?}");
}

#[test]
fn an_unreadable_value_names_its_property() {
    let json = r#"{"timestamp":1,"message":{"timestamp":1,"recipient":{"chat_type":"chat"},
        "body":{"mid":"mid.1","seq":"x"}},"update_type":"message_created"}"#;
    // `seq` has a default.
    let Update::MessageCreated(created) = serde_json::from_str(json).unwrap() else { panic!() };
    assert_eq!(created.message.unwrap().body.unwrap().seq, 0);
    let json = r#"{"timestamp":1,"chat_id":17,
        "user":{"user_id":"x","name":"Анна"},"update_type":"bot_started"}"#;
    let Update::Unknown(unknown) = serde_json::from_str(json).unwrap() else { panic!() };
    let error = unknown.error.unwrap();
    assert_eq!(error, "invalid type: string, expected i64 at line 2 column 29, in user.user_id");
}

/// Types of other crates that look at a value before its type is known. serde buffers the value for them in an internal
/// form.
#[test]
fn an_update_can_be_read_inside_foreign_types() {
    #[derive(serde::Deserialize)]
    struct Flattened {
        #[serde(flatten)]
        update: Update,
    }
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        Update(Update),
    }
    #[derive(serde::Deserialize)]
    #[serde(tag = "of", rename_all = "lowercase")]
    enum Tagged {
        Tamtam(Update),
    }
    let read = |json: &str| {
        let Untagged::Update(untagged) = serde_json::from_str(json).unwrap();
        let Flattened { update: flattened } = serde_json::from_str(json).unwrap();
        let Tagged::Tamtam(tagged) = serde_json::from_str(json).unwrap();
        [untagged, flattened, tagged]
    };
    let json =
        r#"{"of":"tamtam","timestamp":5,"chat_id":17,"user":{"user_id":1,"name":""},"update_type":"bot_started"}"#;
    let value: serde_json::Value = serde_json::from_str(json).unwrap();
    let object = value.as_object().unwrap();
    let maps = [
        Update::deserialize(object).unwrap(),
        Update::deserialize(object.clone()).unwrap(),
        Update::deserialize(MapDeserializer::new(object.clone().into_iter())).unwrap(),
        Update::deserialize(&value).unwrap(),
    ];
    for update in read(json).into_iter().chain(maps) {
        assert!(matches!(&update, Update::BotStarted(started) if started.chat_id.0 == 17), "{update:?}");
    }
    for update in read(r#"{"of":"tamtam","new":[1.5,null],"update_type":"weather"}"#) {
        let Update::Unknown(unknown) = update else { panic!("{update:?}") };
        assert_eq!((unknown.tag.as_str(), &unknown.to_value()["new"]), ("weather", &json!([1.5, null])));
    }
}
