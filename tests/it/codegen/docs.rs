//! Generated documentation, from descriptions and keywords of the document.

use tamtam::settings::RetryPolicy;
use wiremock::ResponseTemplate;

use super::{DONE, code, operation, request, schemas};
use crate::common::{answering, bot_at};

#[test]
fn limits_and_defaults_are_documented_as_sentences() {
    let facts = |schema: &str| code(&schemas(&format!("A: {{properties: {{a: {schema}}}}}"))).field_doc("A", "a");
    assert_eq!(facts("{type: string, description: Text., maxLength: 4000}"), "Text.\n\nAt most 4000 characters.");
    assert_eq!(facts("{type: string, minLength: 1}"), "Not an empty string.");
    assert_eq!(facts("{type: string, minLength: 1, maxLength: 64}"), "From 1 to 64 characters.");
    assert_eq!(facts("{type: integer, minimum: 1, maximum: 100, default: 50}"), "From 1 to 100. Defaults to `50`.");
    assert_eq!(facts("{type: integer, minimum: 1}"), "At least 1.");
    assert_eq!(
        facts("{type: array, items: {}, minItems: 2, maxItems: 3, uniqueItems: true}"),
        "From 2 to 3 items. The list contains no duplicates."
    );
    assert_eq!(facts("{type: string, default: on}"), "Defaults to `on`.");
    assert_eq!(facts("{type: boolean, default: true}"), "Defaults to `true`.");
    assert_eq!(facts("{type: string, pattern: '^mid$'}"), "A.", "a pattern is not believed");
    let choice = "Intent: {type: string, enum: [positive]}, \
                  A: {properties: {a: {allOf: [{$ref: '#/components/schemas/Intent'}], default: positive}}}";
    assert_eq!(code(&schemas(choice)).field_doc("A", "a"), "Defaults to `Intent::Positive`.");
}

#[test]
fn the_value_of_a_missing_property_is_documented() {
    let fact = |schema: &str| {
        code(&schemas(&format!("A: {{required: [a], properties: {{a: {schema}}}}}"))).field_doc("A", "a")
    };
    assert_eq!(fact("{type: integer, x-default: 0}"), "`0` if the server does not send the value.");
    assert_eq!(fact("{type: boolean, x-default: false}"), "`false` if the server does not send the value.");
    assert_eq!(fact("{type: string, x-default: ''}"), "Empty if the server does not send the value.");
}

#[test]
fn null_and_absent_become_none_outside_code() {
    let doc = |description: &str| {
        code(&schemas(&format!("A: {{properties: {{a: {{type: string, description: \"{description}\"}}}}}}")))
            .field_doc("A", "a")
    };
    assert_eq!(doc("Title; null or absent if not set."), "Title; `None` if not set.");
    assert_eq!(doc("Null, if there is no title, or\\nnull or\\nabsent."), "`None`, if there is no title, or\n`None`.");
    assert_eq!(doc("Empty, null or absent without text."), "`None` or empty without text.");
    assert_eq!(doc("With `title: null`, the title is removed."), "With `title: null`, the title is removed.");
}

#[test]
fn a_missing_description_is_derived_from_the_name() {
    let code = code(&schemas("ChatMember: {properties: {lastAccessTime: {type: integer}}}"));
    assert_eq!(code.doc("ChatMember"), "Chat member.");
    assert_eq!(code.field_doc("ChatMember", "last_access_time"), "Last access time.");
}

#[test]
fn names_of_schemas_properties_and_operations_are_linked() {
    let code = code(&format!(
        "{}{}",
        operation(DONE),
        schemas(
            "Kind: {type: string, enum: [a]}, plain: {type: string},
             U: {oneOf: [], discriminator: {propertyName: t, mapping: {b: B}}}, B: {type: object},
             A: {description: 'See `Kind`, `U`, `B`, `A.type`, `doIt`, [`Kind`], `plain`, `A.no` and `other`.',
                 properties: {type: {type: string}}}"
        )
    ));
    assert_eq!(
        code.doc("A"),
        "See [`Kind`](crate::api::types::Kind), [`U`](crate::api::types::U), [`B`](crate::api::types::B), \
         [`A::type_`](crate::api::types::A::type_), [`Api::do_it`](crate::api::Api::do_it), [`Kind`], `plain`, `A.no` \
         and `other`.",
        "aliases, which are not types, and existing links are not linked"
    );
}

#[test]
fn a_setter_is_documented_by_the_description_of_its_field() {
    let doc = |description: &str| {
        let body = format!("Body: {{properties: {{a: {{type: string, maxLength: 9, description: '{description}'}}}}}}");
        let doc = code(&request("{$ref: '#/components/schemas/Body'}", &body)).method_doc("Body", "a");
        doc.strip_suffix("\n\nAt most 9 characters.").unwrap_or_else(|| panic!("{doc}")).to_owned()
    };
    assert_eq!(doc("Title of the chat."), "Sets the title of the chat.");
    assert_eq!(doc("Title; null or absent if not set. Any text."), "Sets the title. Any text.");
    assert_eq!(doc("URL of the page."), "Sets the URL of the page.");
    assert_eq!(doc("Whether members are notified."), "Sets whether members are notified.");
    assert_eq!(
        doc("Names. Not an empty string. The list contains no duplicates."),
        "Sets the names. Must not be an empty string. The list must not contain duplicates."
    );
    assert_eq!(doc("Sets the list. An empty list is allowed."), "Sets the list. An empty list is allowed.");
    assert_eq!(doc("`a` is a text."), "Sets `a`.\n\n`a` is a text.");
}

#[test]
fn code_without_a_language_is_text_and_not_a_doctest() {
    let code = code(&schemas(
        "A: {description: \"Before `B`.\\n\\n```\\n`B`\\n```\\n\\n```json\\n{}\\n```\\n\\n  ```\\n  x\\n  ```\\n\\nAfter `B`.\"},
         B: {type: object}",
    ).replace("A: {", "A: {type: object, "));
    assert_eq!(
        code.doc("A"),
        "Before [`B`](crate::api::types::B).\n\n```text\n`B`\n```\n\n```json\n{}\n```\n\n  ```text\n  x\n  ```\n\n\
         After [`B`](crate::api::types::B)."
    );
}

#[test]
fn unbalanced_backticks_are_kept() {
    let doc = |text: &str| {
        code(&schemas(&format!("A: {{type: object, description: \"{text}\"}}, B: {{type: object}}"))).doc("A")
    };
    assert_eq!(doc("An `open one, `B`."), "An `open one, `B`.");
    assert_eq!(doc("`` `text` `` and ```` ``` ````"), "`` `text` `` and ```` ``` ````");
    assert_eq!(doc("```code``` in a sentence\\nand `B`"), "```code``` in a sentence\nand [`B`](crate::api::types::B)");
}

#[test]
fn an_operation_documents_its_effect_parameters_and_errors() {
    let code = code(
        "x-service: {name: Test, reference: 'https://api.example/#operation/{operationId}', base_url: 'https://api.example',
    token_source: A form, token_parameter: token, links: 'https://a.example', start_link: '/{bot}', mention: 'a://'}
paths: {/things: {get: {operationId: getThings, summary: Get things, description: All of them.,
    parameters: [{name: chatId, in: query, required: true, description: \"The chat.\\n\\nOr channel.\", schema: {type: integer, minimum: 1}}],
    responses: {200: {description: Things}, 404: {description: \"No\\nsuch chat\"}}}}}\n",
    );
    let doc = code.api_doc("get_things");
    let (what, how) = doc.split_once("\n\n# Errors\n\n").unwrap_or_else(|| panic!("{doc}"));
    assert_eq!(
        what,
        "Get things.\n\nAll of them.\n\nAPI: [`GET /things`](https://api.example/#operation/getThings).\n\n\
         # Parameters\n\n- `chat_id`: The chat.\n\n  Or channel.\n\n  At least 1.",
    );
    let statuses = "with one of these statuses:\n  - 404 ([`NotFound`](crate::ErrorKind::NotFound)): No such chat.\n\n";
    assert!(how.contains(statuses), "{doc}");
    assert!(how.contains("\n\n# Cancel safety\n\nDropping the future abandons the call. Nothing changes"), "{doc}");
}

#[tokio::test]
async fn the_documented_kind_of_a_status_is_the_kind_of_the_error() {
    for status in [400, 401, 403, 404, 405, 408, 409, 415, 422, 429, 500, 502, 503] {
        let responses = format!("responses: {{200: {{description: Done}}, {status}: {{description: No}}}}");
        let doc = code(&operation(&responses)).api_doc("do_it");
        let server = answering(ResponseTemplate::new(status)).await;
        let bot = bot_at(server.uri()).retry(RetryPolicy::none()).build().unwrap();
        let kind = bot.me().await.unwrap_err().kind();
        assert!(
            doc.contains(&format!("- {status} ([`{kind:?}`](crate::ErrorKind::{kind:?})): No.")),
            "{kind:?}: {doc}"
        );
    }
}

#[test]
fn a_description_replaces_a_summary_that_starts_with_the_same_verb() {
    let code = code(&operation(&format!(
        "summary: Lists things, description: \"Lists things, newest first.\\n\\n# Limits\\n\\nAt most 9.\",
         parameters: [{{name: a, in: query, required: true, description: First., schema: {{type: string}}}}], {DONE}"
    )));
    let doc = code.api_doc("do_it");
    let expected = "Lists things, newest first.\n\nAPI: `POST /things`.\n\n# Parameters\n\n- `a`: First.\n\n\
                    # Limits\n\nAt most 9.\n\n# Errors\n\n";
    assert!(doc.starts_with(expected), "{doc}");
    let request = "A request that lists things.\n\nCreated by [`Api::do_it`]. To send the request, `.await` it or call \
                   [`send`](Self::send).";
    assert_eq!(code.request_doc("DoIt"), request);
}

#[test]
fn a_setter_documents_what_it_sets() {
    let doc = |parameter: &str| {
        let parameters = format!("parameters: [{{name: a, in: query, schema: {{type: string}}{parameter}}}]");
        code(&operation(&format!("{parameters}, {DONE}"))).setter_doc("DoIt", "a")
    };
    assert_eq!(doc(", description: Maximum number of things."), "Sets the maximum number of things.");
    assert_eq!(doc(", description: Whether to wait."), "Sets whether to wait.");
    assert_eq!(doc(", description: URL of the thing."), "Sets the URL of the thing.");
    assert_eq!(doc(""), "Sets `a`.");
}

#[test]
fn an_operation_documents_its_path_without_a_service() {
    assert!(code(&operation(DONE)).api_doc("do_it").contains("\n\nAPI: `POST /things`.\n\n"));
}

#[test]
fn x_example_is_a_doctest_in_the_example_frame() {
    let code = code(&format!(
        "x-example-frame: \"# fn main() {{\\n{{example}}\\n# }}\"\n{}",
        operation(&format!("x-example: \"bot.api().do_it().await?;\", {DONE}"))
    ));
    let example = "# Example\n\n```rust\n# fn main() {\nbot.api().do_it().await?;\n# }\n```";
    for doc in [code.api_doc("do_it"), code.request_doc("DoIt")] {
        assert!(doc.contains(example), "{doc}");
    }
}

#[test]
fn values_of_an_enum_are_documented_by_the_list_in_its_description() {
    let kind = code(&schemas(
        "Kind: {type: string, enum: [a, b_c], description: \"Kinds.\\n\\n- `a`: the first,\\n  of all\\n\\nMore.\"}",
    ))
    .enumeration("Kind");
    assert_eq!(kind.variants[0].doc, "The first, of all.");
    assert_eq!(kind.variants[1].doc, "B c.");
    assert_eq!(kind.doc, "Kinds.\n\n\nMore.");
}

#[test]
fn any_description_generates_valid_rust() {
    let long = "Слово 😀 ".repeat(3000);
    for text in [
        r#"A \"quote\" and a back\\slash \\"#,
        "*/ ends /* begins */",
        "/// slashes //! bangs",
        "/ first",
        "* first",
        "#![attr] {braces} #(tokens)* $x `$crate`",
        "```",
        "bare\\rreturn",
        "windows\\r\\nlines\\r\\n",
        "tab\\there, nul-like \\u0001, bom \\uFEFF, line\\u2028separator",
        "- `value`:",
        "",
        " ",
        &long,
    ] {
        let code = code(&format!(
            "{}{}",
            operation(&format!(
                "description: \"{text}\", summary: \"{text}\",
                 parameters: [{{name: a, in: query, description: \"{text}\", schema: {{type: string, default: \"{text}\"}}}}],
                 responses: {{200: {{description: \"{text}\"}}, 400: {{description: \"{text}\"}}}}"
            )),
            schemas(&format!(
                "A: {{description: \"{text}\", properties: {{a: {{type: string, description: \"{text}\"}}}}}},
                 E: {{description: \"{text}\", type: string, enum: [value]}},
                 U: {{description: \"{text}\", discriminator: {{propertyName: t, mapping: {{a: A}}}}}}"
            ))
        ));
        assert_eq!(code.types(), ["A", "U", "E"]);
    }
}

#[test]
fn a_schema_a_union_and_the_tags_of_a_union_have_examples() {
    let document = "x-example-frame: \"# fn main() {\\n{example}\\n# }\"\n".to_owned()
        + &schemas(
            "A: {description: An A., x-example: let a = 1;, properties: {kind: {x-tag-of: U}}},
             U: {x-example: let v = 3;, x-tag-example: let u = 2;, discriminator: {propertyName: t, mapping: {a: A}}}",
        );
    let code = code(&document);
    assert_eq!(code.doc("A"), "An A.\n\n# Example\n\n```rust\n# fn main() {\nlet a = 1;\n# }\n```");
    let union = code.enumeration("U").doc;
    assert!(union.ends_with("# Example\n\n```rust\n# fn main() {\nlet v = 3;\n# }\n```"), "{union}");
    let tags = code.enumeration("UType").doc;
    assert!(tags.ends_with("# Example\n\n```rust\n# fn main() {\nlet u = 2;\n# }\n```"), "{tags}");
}
