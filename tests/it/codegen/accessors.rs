//! Accessors of unions: their paths and return types.

use super::{code, error, schemas};

/// Returns a union of three events: one with a chat, one with a chat in its message, and one with neither.
fn union(accessors: &str) -> String {
    schemas(&format!(
        "U: {{discriminator: {{propertyName: t, mapping: {{plain: Plain, deep: Deep, bare: Bare}}}},
            x-accessors: {{{accessors}}}}},
         Who: {{required: [id], properties: {{id: {{type: integer}}, name: {{type: string}}}}}},
         Rich: {{allOf: [{{$ref: '#/components/schemas/Who'}}, {{properties: {{photo: {{type: string}}}}}}]}},
         Message: {{properties: {{chat: {{type: integer, format: int64}}, tags: {{type: array, items: {{type: string}}}}}}}},
         Plain: {{required: [chat, who], properties: {{chat: {{type: integer, format: int64}}, who: {{$ref: '#/components/schemas/Who'}}}}}},
         Deep: {{properties: {{message: {{$ref: '#/components/schemas/Message'}}, who: {{$ref: '#/components/schemas/Rich'}}}}}},
         Bare: {{properties: {{chat: {{type: string}}}}}}"
    ))
}

/// Returns the generated method without white space.
#[track_caller]
fn method(accessors: &str, name: &str) -> String {
    let text = code(&union(accessors)).text;
    let start = text.find(&format!("fn {name}(&self)")).unwrap_or_else(|| panic!("no method {name}"));
    let end = text[start..].find("\n        }\n").expect("the end of the method");
    text[start..start + end].split_whitespace().collect()
}

#[test]
fn paths_are_tried_in_order_and_paths_to_other_types_are_skipped() {
    let chat = method("chat: {description: Returns the chat., paths: [chat, message.chat]}", "chat");
    assert!(chat.starts_with("fnchat(&self)->::std::option::Option<i64>{matchself{Self::Plain("), "{chat}");
    assert!(chat.contains("Self::Deep("), "{chat}");
    assert!(!chat.contains("Self::Bare("), "its chat is a string: {chat}");
    assert!(chat.contains(r#"Self::Unknown(unknown)=>unknown.find(&["/chat","/message/chat"])"#), "{chat}");
    assert!(chat.ends_with("_=>::std::option::Option::None,}"), "{chat}");
}

#[test]
fn texts_and_structs_are_borrowed_and_lists_are_slices() {
    let name = method("name: {description: Returns the name., paths: [who.name]}", "name");
    assert!(name.starts_with("fnname(&self)->::std::option::Option<&str>"), "{name}");
    assert!(name.contains("filter(|text|!text.is_empty())") && !name.contains("Self::Unknown"), "{name}");
    let who = method("who: {description: Returns who., type: Who, paths: [who]}", "who");
    assert!(who.starts_with("fnwho(&self)->::std::option::Option<&Who>"), "{who}");
    assert!(!who.contains("Self::Deep("), "a Rich is not a Who: {who}");
    let tags = method("tags: {description: Returns the tags., paths: [message.tags]}", "tags");
    assert!(tags.starts_with("fntags(&self)->&[") && tags.ends_with("}.unwrap_or_default()"), "{tags}");
}

#[test]
fn with_cow_a_struct_with_all_its_properties_is_converted() {
    let who = method("who: {description: Returns who., type: Who, cow: true, paths: [who]}", "who");
    assert!(who.starts_with("fnwho(&self)->::std::option::Option<::std::borrow::Cow<'_,Who>>"), "{who}");
    assert!(who.contains("Owned(Who{id:at.id.clone(),name:at.name.clone(),})"), "{who}");
    assert!(who.contains("unknown.find(&[\"/who\"]).map(::std::borrow::Cow::Owned)"), "{who}");
    let message = error(&union("chat: {description: No., cow: true, paths: [chat]}"));
    assert!(message.contains("components.schemas.U.x-accessors: `cow` on `i64`, which is not a struct"), "{message}");
}

#[test]
fn internal_accessors_are_pub_crate_and_accessors_without_a_property_are_omitted() {
    let text = code(&union(
        "hidden: {description: Internal., internal: true, paths: [chat]}, nothing: {description: Nothing., paths: [nowhere.at_all]}",
    ))
    .text;
    assert!(text.contains("pub(crate) fn hidden(&self)"), "{text}");
    assert!(!text.contains("fn nothing("), "a document of another version may lack the property");
}
