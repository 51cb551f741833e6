//! Tests of `Update::key` against the document: the properties that are in the key, and those that must not be.
//!
//! These tests select the properties of a key by their names, not by the overlay from which the key is generated.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tamtam::Update;

use super::{Case, meaning::fits, seed, union};
use crate::{
    document::{Document, Shape},
    instances::{Instances, Random},
};

/// Minimum number of instances of every kind of update. More are made until each property has occurred.
const INSTANCES_EACH: usize = 32;

/// Maximum number of instances. A property that has not occurred by then is a bug of the generator.
const INSTANCES_AT_MOST: usize = 5_000;

/// Objects that have ids but are not in the key: they may change between two deliveries, or are large.
const VOLATILE: &[&str] = &["message_chat_created.chat.pinned_message"];

/// Suffixes that make another text: separators of a key, and their escapes.
const SUFFIXES: &[&str] = &["x", "/", "=", ".", "%", "%2F", " ", "\u{0}", "\r\n", "é", "😀"];

/// A value inside of an update.
struct Leaf {
    /// A JSON pointer to the value.
    pointer: String,
    /// The path to the value. It begins with the kind of update.
    place: String,
    in_key: bool,
    /// Whether the update can be read without the value.
    optional: bool,
}

/// Returns whether a property belongs in the key by its name, if the objects around it do.
fn identifies(place: &str, shape: &Shape) -> bool {
    let (parent, name) = place.rsplit_once('.').expect("a property has a parent");
    match shape {
        Shape::Text => name.ends_with("_id") || matches!(name, "mid" | "title" | "payload" | "start_payload"),
        Shape::Integer { .. } => name.ends_with("_id") || (name == "timestamp" && !parent.contains('.')),
        _ => false,
    }
}

/// Collects the properties that are not objects: those of `value`, or all possible ones if it is `None`.
fn leaves(document: &Document, shape: &Shape, value: Option<&Value>, at: &Leaf, found: &mut Vec<Leaf>) {
    match document.resolve(shape) {
        Shape::Object(fields) => {
            for field in fields {
                let inner = value.map(|value| &value[&field.name]);
                if inner.is_some_and(is_empty) {
                    continue;
                }
                let place = format!("{}.{}", at.place, field.name);
                let leaf = Leaf {
                    pointer: format!("{}/{}", at.pointer, field.name),
                    in_key: at.in_key && !VOLATILE.contains(&place.as_str()),
                    optional: !field.needed,
                    place,
                };
                leaves(document, &field.shape, inner, &leaf, found);
            }
        }
        Shape::Union(union) => {
            let members = union.members.iter().map(|(_, member)| document.schema(member));
            match value {
                None => members.for_each(|member| leaves(document, member, None, at, found)),
                Some(value) => {
                    let member = union.member_of(value).map(|member| document.schema(member));
                    if let Some(member) = member.filter(|member| fits(document, member, value)) {
                        leaves(document, member, Some(value), at, found);
                    }
                }
            }
        }
        shape => found.push(Leaf {
            pointer: at.pointer.clone(),
            place: at.place.clone(),
            in_key: at.in_key && identifies(&at.place, shape),
            optional: at.optional,
        }),
    }
}

/// Returns the leaves of an update of this kind.
fn leaves_of(document: &Document, kind: &str, member: &str, value: Option<&Value>) -> Vec<Leaf> {
    let mut found = Vec::new();
    let root = Leaf { pointer: String::new(), place: kind.to_owned(), in_key: true, optional: false };
    leaves(document, document.schema(member), value, &root, &mut found);
    found
}

/// Returns whether a value has no part that could change.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => false,
    }
}

/// Returns another value of the same type.
fn other(value: &Value, random: &mut Random) -> Value {
    match value {
        Value::Bool(value) => (!value).into(),
        Value::String(value) => format!("{value}{}", random.pick(SUFFIXES)).into(),
        Value::Number(value) => {
            // Stays within the range of an `int32` if the number does. A fraction is in a place for another type.
            value.as_i64().map_or(0, |value| if value > 0 { value - 1 } else { value + 1 }).into()
        }
        Value::Array(_) => json!([]),
        Value::Object(_) => json!({}),
        Value::Null => unreachable!("a null is not a leaf"),
    }
}

/// Returns the key of an update, which must be readable.
fn key(json: &str) -> String {
    let update: Update = serde_json::from_str(json).expect("an update is always read");
    assert!(!matches!(update, Update::Unknown(_)), "not read: {update:?}");
    let key = update.key();
    assert!(!key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic()), "{key}");
    key
}

/// Changes and removes every value of an update, one at a time, and checks the effect on the key.
fn check(update: &Value, leaves: &[Leaf], instances: &mut Instances<'_>) {
    let original = key(&instances.write(update));
    assert_eq!(key(&instances.write(update)), original, "the key depends on the notation of the update");
    for leaf in leaves {
        let mut changed = update.clone();
        let value = changed.pointer_mut(&leaf.pointer).expect("the leaf exists");
        *value = other(value, &mut instances.random);
        let json = instances.write(&changed);
        assert_eq!(key(&json) != original, leaf.in_key, "with another {}, from {original}: {json}", leaf.place);
        if leaf.optional {
            *changed.pointer_mut(&leaf.pointer).expect("the leaf exists") = Value::Null;
            assert_eq!(key(&instances.write(&changed)) != original, leaf.in_key, "without {}: {original}", leaf.place);
        }
    }
}

#[test]
fn the_key_of_an_update_depends_only_on_its_identifying_values() {
    let seed = seed();
    println!("TAMTAM_SEED={seed}");
    let document = Document::with_overlays();
    let union = union(&document, "Update").expect("updates are a union");
    let (mut in_keys, mut in_none) = (BTreeSet::new(), BTreeSet::new());
    for (kind, member) in &union.members {
        let mut instances = Instances::new(&document, &document, Random::for_name(seed, &format!("{kind}, its key")));
        let mut unseen: BTreeSet<String> =
            leaves_of(&document, kind, member, None).into_iter().map(|leaf| leaf.place).collect();
        for count in 0.. {
            if count >= INSTANCES_EACH && unseen.is_empty() {
                break;
            }
            assert!(count < INSTANCES_AT_MOST, "TAMTAM_SEED={seed} made no update with {unseen:?}");
            let update = instances.member_of(union, kind, member);
            let leaves = leaves_of(&document, kind, member, Some(&update));
            // Skips updates without new properties after the minimum number.
            if count >= INSTANCES_EACH && leaves.iter().all(|leaf| !unseen.contains(&leaf.place)) {
                continue;
            }
            let _case = Case { seed, schema: member, json: &update.to_string() };
            check(&update, &leaves, &mut instances);
            for leaf in leaves {
                unseen.remove(&leaf.place);
                if leaf.in_key { &mut in_keys } else { &mut in_none }.insert(leaf.place);
            }
        }
    }
    // Checks the selection by name against some known places.
    for place in [
        "user_added.user.user_id",
        "user_added.inviter_id",
        "message_edited.message.link.message.mid",
        "bot_started.payload",
        "message_construction_request.input.payload",
        "message_callback.callback.callback_id",
        "message_callback.message.body.mid",
        "message_chat_created.start_payload",
        "chat_title_changed.title",
    ] {
        assert!(in_keys.contains(place), "{place} is not in {in_keys:#?}");
    }
    for place in [
        "bot_added.user.last_activity_time",
        "message_created.message.stat.views",
        "message_created.message.url",
        "message_created.message.body.attachments",
        "message_chat_created.chat.participants",
        "message_construction_request.user.avatar_url",
    ] {
        assert!(in_none.contains(place), "{place} is not in {in_none:#?}");
    }
}
