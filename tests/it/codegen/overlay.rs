//! The overlay: the effects of its actions, and its errors.

use super::{Code, HEAD, from_files, overlaid, schemas};

const CHAT: &str = "Chat: {required: [a, b, c, d], properties: {a: {type: string}, b: {type: string},
    c: {type: string}, d: {type: string, description: Of the document.}}}";

/// Applies these actions to a document with the schema `Chat`.
fn applied(actions: &str) -> Result<Code, String> {
    overlaid(&schemas(CHAT), &format!("info: {{version: '1'}}\nactions:\n{actions}"))
}

#[track_caller]
fn fields(actions: &str) -> Vec<String> {
    applied(actions).unwrap_or_else(|error| panic!("{error}")).fields("Chat")
}

#[track_caller]
fn error(actions: &str) -> String {
    applied(actions).map(|code| code.text).unwrap_err()
}

fn action(target: &str, rest: &str) -> String {
    format!("- {{target: \"{target}\", description: A reason., {rest}}}\n")
}

const REQUIRED: &str = "$.components.schemas.Chat.required";
const PROPERTIES: &str = "$.components.schemas.Chat.properties";

#[test]
fn several_items_are_removed_from_a_list_in_any_order() {
    let optional = |path: &str| {
        let fields = fields(&action(&format!("{REQUIRED}{path}"), "remove: true"));
        fields.iter().filter(|field| field.contains("Option")).map(|field| field[..1].to_owned()).collect::<String>()
    };
    assert_eq!(optional("[?@ == 'b']"), "b");
    assert_eq!(optional("[?@ == 'a' || @ == 'c']"), "ac");
    assert_eq!(optional("[1, 2]"), "bc");
    assert_eq!(optional("[3, 0]"), "ad", "the last item first");
    assert_eq!(optional("[0, 0]"), "a", "an item matched twice is removed once");
    assert_eq!(optional("[*]"), "abcd");
    assert_eq!(optional(""), "abcd", "the list itself is removed");
}

#[test]
fn several_keys_are_removed_from_a_mapping() {
    assert_eq!(fields(&action(&format!("{PROPERTIES}['d', 'a']"), "remove: true")), ["b: String", "c: String"]);
    let nested = action("$..['properties', 'required', 'a']", "remove: true");
    assert_eq!(applied(&nested).err(), None, "nested keys are removed, too");
}

#[test]
fn keys_with_slashes_and_tildes_are_found() {
    let document = "paths: {/a/b~c: {get: {}}, /d: {}}\n";
    let actions = format!("info: {{version: '1'}}\nactions:\n{}", action("$.paths['/a/b~c'].get", "remove: true"));
    assert_eq!(overlaid(document, &actions).err(), None, "the operation without an id is gone");
}

#[test]
fn mappings_are_merged_lists_are_extended_and_other_values_are_replaced() {
    let merged = action(PROPERTIES, "update: {d: {description: Of the overlay.}, e: {type: boolean}}");
    let code = applied(&merged).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(code.fields("Chat"), ["a: String", "b: String", "c: String", "d: String", "e: Option<bool>"]);
    assert_eq!(code.field_doc("Chat", "d"), "Of the overlay.");
    let chat = "$.components.schemas.Chat";
    let grown = action(chat, "update: {properties: {e: {type: boolean}}, required: [e]}");
    assert_eq!(fields(&grown)[3..], ["d: String", "e: bool"]);
    assert_eq!(
        fields(&(action(PROPERTIES, "update: {e: {type: boolean}}") + &action(REQUIRED, "update: e"))),
        fields(&grown)
    );
    assert_eq!(fields(&action(&format!("{PROPERTIES}.a.type"), "update: integer"))[0], "a: i64");
    assert_eq!(fields(&action(&format!("{PROPERTIES}.a"), "update: {type: integer, format: int32}"))[0], "a: i32");
}

#[test]
fn an_action_applies_to_all_matches_of_its_target() {
    let all = action(&format!("{PROPERTIES}['a', 'c']"), "update: {x-id: ChatId}");
    assert_eq!(fields(&all), ["a: ChatId", "b: String", "c: ChatId", "d: String"]);
}

#[test]
fn actions_apply_in_order() {
    let actions = action(PROPERTIES, "update: {e: {type: string}}")
        + &action(&format!("{PROPERTIES}.e"), "update: {type: integer}")
        + &action(&format!("{PROPERTIES}['a', 'b', 'c', 'd']"), "remove: true");
    assert_eq!(fields(&actions), ["e: Option<i64>"]);
}

#[test]
fn a_target_without_a_match_fails_in_the_version_of_the_overlay_only() {
    let actions = action(&format!("{PROPERTIES}.a"), "update: {type: integer}")
        + &action("$.components.schemas.Gone", "update: {x-boxed: true}");
    assert_eq!(
        error(&actions),
        "overlay.yaml: actions[1] (target $.components.schemas.Gone): matches nothing in the document"
    );
    let other = overlaid(&schemas(CHAT), &format!("info: {{version: '2'}}\nactions:\n{actions}"));
    assert_eq!(other.map(|code| code.fields("Chat")[0].clone()), Ok("a: i64".to_owned()), "other actions are applied");
}

#[test]
fn an_overlay_needs_the_version_of_its_document() {
    let error = overlaid(&schemas(CHAT), "actions: []\n").map(|code| code.text).unwrap_err();
    assert_eq!(error, "overlay.yaml: info: has no `version`: add the version of the document");
}

#[test]
fn an_overlay_must_be_a_list_of_actions() {
    let error =
        |overlay: &str| overlaid("", &format!("info: {{version: '1'}}\n{overlay}")).map(|code| code.text).unwrap_err();
    assert_eq!(error(""), "overlay.yaml: actions: missing: an overlay needs a list of actions");
    assert_eq!(error("actions: {}\n"), "overlay.yaml: actions: is a mapping, expected a list");
    assert_eq!(error("actions: 5\n"), "overlay.yaml: actions: is a number, expected a list");
    assert_eq!(error("actions: [5]\n"), "overlay.yaml: actions[0]: has no `target`");
}

#[test]
fn an_action_needs_a_target_a_description_and_one_change() {
    let chat = "target: $.components.schemas.Chat";
    let place = "actions[0] (target $.components.schemas.Chat)";
    for (action, expected) in [
        ("description: Why., remove: true".to_owned(), "actions[0]: has no `target`".to_owned()),
        (format!("{chat}, remove: true"), format!("{place}: has no `description`: add the reason")),
        (format!("{chat}, description: ' ', remove: true"), format!("{place}: has no `description`: add the reason")),
        (format!("{chat}, description: Why."), format!("{place}: has neither or both of")),
        (format!("{chat}, description: Why., remove: false"), format!("{place}: has neither or both of")),
        (format!("{chat}, description: Why., remove: true, update: {{}}"), format!("{place}: has neither or both of")),
        ("target: '$.[', description: Why., remove: true".into(), "actions[0] (target $.[): not a JSONPath: ".into()),
        (
            "target: components, description: Why., remove: true".into(),
            "actions[0] (target components): not a JSONPath".into(),
        ),
        (
            "target: $, description: Why., remove: true".into(),
            "actions[0] (target $): removes the whole document".into(),
        ),
    ] {
        let error = error(&format!("- {{{action}}}\n"));
        assert!(error.starts_with(&format!("overlay.yaml: {expected}")), "{error}\nexpected: {expected}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn an_unknown_extension_is_an_error() {
    let error = error(&action(PROPERTIES, "update: {a: {x-boxd: true}}"));
    assert_eq!(
        error,
        format!(
            "overlay.yaml: actions[0] (target {PROPERTIES}): sets `x-boxd`, which is not an extension of the generator"
        )
    );
}

#[test]
fn an_error_caused_by_an_action_names_its_place_in_the_document() {
    let error = error(&action(&format!("{PROPERTIES}.a"), "update: {type: text}"));
    assert_eq!(error, "doc.yaml: components.schemas.Chat.properties.a: `type: text` is not a type of OpenAPI 3.0");
}

#[test]
fn invalid_yaml_in_an_overlay_is_reported_with_line_and_column() {
    let result = from_files(("doc.yaml", HEAD), ("overlay.yaml", "actions: [\n"));
    let error = result.map(|code| code.text).unwrap_err();
    assert!(error.starts_with("overlay.yaml: line 2, column 1: not YAML: "), "{error}");
}
