//! `Update::key` against the document: what is in it, and what must not be.
//!
//! What belongs into a key is told by the names of properties here, and not by the overlay, from which it is generated.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tamtam::Update;

use super::{Case, meaning::fits, seed, union};
use crate::{
    document::{Document, Shape},
    instances::{Instances, Random},
};

/// Instances of every kind of update. More are made until each property was there.
const INSTANCES_EACH: usize = 32;

/// A property that no instance has by then is no bad luck.
const INSTANCES_AT_MOST: usize = 5_000;

/// What has ids but may change between two deliveries, or is large.
const VOLATILE: &[&str] = &["message_chat_created.chat.pinned_message"];

/// What a text gets to be another one: signs that divide a key, and what stands for them.
const SUFFIXES: &[&str] = &["x", "/", "=", ".", "%", "%2F", " ", "\u{0}", "\r\n", "é", "😀"];

/// A value inside of an update.
struct Leaf {
    /// A JSON pointer to it.
    pointer: String,
    /// The path to it, with the kind of update first.
    place: String,
    in_key: bool,
    /// Whether the update can be read without it.
    optional: bool,
}

/// Whether a property belongs into the key by its name, unless something around it does not.
fn identifies(place: &str, shape: &Shape) -> bool {
    let (parent, name) = place.rsplit_once('.').expect("a property has a parent");
    match shape {
        Shape::Text => name.ends_with("_id") || matches!(name, "mid" | "title" | "payload" | "start_payload"),
        Shape::Integer { .. } => name.ends_with("_id") || (name == "timestamp" && !parent.contains('.')),
        _ => false,
    }
}

/// Collects the properties that are no objects: those of a `value`, or without one all that there can be.
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

/// The leaves of an update of this kind.
fn leaves_of(document: &Document, kind: &str, member: &str, value: Option<&Value>) -> Vec<Leaf> {
    let mut found = Vec::new();
    let root = Leaf { pointer: String::new(), place: kind.to_owned(), in_key: true, optional: false };
    leaves(document, document.schema(member), value, &root, &mut found);
    found
}

/// Whether there is nothing in a value that could be another.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => false,
    }
}

/// Another value of the same type.
fn other(value: &Value, random: &mut Random) -> Value {
    match value {
        Value::Bool(value) => (!value).into(),
        Value::String(value) => format!("{value}{}", random.pick(SUFFIXES)).into(),
        Value::Number(value) => {
            // Within the range of an `int32` if the number is. A number that is not whole stands where none belongs.
            value.as_i64().map_or(0, |value| if value > 0 { value - 1 } else { value + 1 }).into()
        }
        Value::Array(_) => json!([]),
        Value::Object(_) => json!({}),
        Value::Null => unreachable!("a null is no leaf"),
    }
}

/// The key of an update that the crate can read.
fn key(json: &str) -> String {
    let update: Update = serde_json::from_str(json).expect("an update is always read");
    assert!(!matches!(update, Update::Unknown(_)), "not read: {update:?}");
    let key = update.key();
    assert!(!key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic()), "{key}");
    key
}

/// Changes and removes every value of an update, one at a time, and asks for the key.
fn check(update: &Value, leaves: &[Leaf], instances: &mut Instances<'_>) {
    let original = key(&instances.write(update));
    assert_eq!(key(&instances.write(update)), original, "the same update, written in another way");
    for leaf in leaves {
        let mut changed = update.clone();
        let value = changed.pointer_mut(&leaf.pointer).expect("a leaf is there");
        *value = other(value, &mut instances.random);
        let json = instances.write(&changed);
        assert_eq!(key(&json) != original, leaf.in_key, "{} in another way, from {original}: {json}", leaf.place);
        if leaf.optional {
            *changed.pointer_mut(&leaf.pointer).expect("a leaf is there") = Value::Null;
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
            // More of what was there often enough proves nothing more.
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
    // The measure itself, by hand.
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
