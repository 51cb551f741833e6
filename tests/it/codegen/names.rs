//! Names that are not Rust identifiers, or become the same identifier.

use super::{DONE, code, error, operation, request, schemas};

#[test]
fn any_property_name_becomes_a_field_renamed_to_it_in_json() {
    let names = ["type", "ref", "self", "crate", "match", "async", "gen", "a-b", "1x", "$y", "имя", "chatID", "a.b.c"];
    let properties: Vec<String> = names.iter().map(|name| format!("'{name}': {{type: boolean}}")).collect();
    let body = format!("A: {{required: ['gen', '1x'], properties: {{{}}}}}", properties.join(", "));
    let code = code(&request("{$ref: '#/components/schemas/A'}", &body));
    let idents: Vec<String> =
        code.fields("A").iter().filter_map(|field| Some(field.split_once(':')?.0.to_owned())).collect();
    assert_eq!(
        idents,
        ["type_", "ref_", "self_", "crate_", "match_", "async_", "gen_", "a_b", "x1x", "y", "имя", "chat_id", "a_b_c"]
    );
    assert_eq!(code.renames("A"), names.iter().copied().filter(|name| *name != "имя").collect::<Vec<_>>());
    assert_eq!(code.methods("A")[0], "new(gen_: bool, x1x: bool)");
}

#[test]
fn any_name_becomes_a_parameter_an_operation_and_a_type() {
    for (name, value, ty) in [
        ("type", "type_", "Type"),
        ("self", "self_", "Self_"),
        ("gen", "gen_", "Gen"),
        ("a-b", "a_b", "AB"),
        ("2fa", "_2fa", "X2fa"),
        ("$y", "y", "Y"),
        ("имяЧата", "имя_чата", "ИмяЧата"),
        ("HTTPServer", "http_server", "HttpServer"),
        ("it's", "its", "Its"),
        ("+", "x", "X"),
    ] {
        let name = name.replace('\'', "''");
        let parameter = format!("parameters: [{{name: '{name}', in: query, schema: {{type: string}}}}], {DONE}");
        assert_eq!(code(&operation(&parameter)).setters("DoIt"), [format!("{value}({value}: implInto<String>)")]);
        let operations = code(&format!("paths: {{/a: {{get: {{operationId: '{name}', {DONE}}}}}}}\n"));
        assert_eq!(operations.api(), [format!("{value}()")]);
        assert!(operations.sending(ty).contains(&format!(".{value}()")));
        let types = code(&schemas(&format!("'{name}': {{type: object}}, E: {{enum: ['{name}']}}")));
        assert_eq!(types.types(), [ty, "E"]);
        assert!(types.text.contains("#[non_exhaustive]\n    #[derive(::serde::Deserialize"), "{}", types.text);
        assert_eq!(types.enumeration("E").variants[0].name, ty);
        let field = format!("A: {{required: [a], properties: {{a: {{$ref: '#/components/schemas/{name}'}}}}}}");
        let enums = code(&schemas(&format!("'{name}': {{enum: [a]}}, {field}")));
        assert_eq!((enums.types(), enums.fields("A")), (vec!["A".into(), ty.into()], vec![format!("a: {ty}")]));
        let union = "{discriminator: {propertyName: t, mapping: {b: B}}}, B: {type: object}";
        let unions = code(&schemas(&format!("'{name}': {union}, {field}")));
        assert_eq!(
            (unions.types(), unions.fields("A")),
            (vec!["A".into(), "B".into(), ty.into()], vec![format!("a: {ty}")])
        );
    }
}

/// The error names the place of the second name.
#[test]
fn names_that_become_the_same_identifier_are_refused() {
    let two = |first: &str, second: &str| format!("{first}: {{type: string}}, {second}: {{type: string}}");
    for (document, expected) in [
        (
            schemas(&format!("A: {{properties: {{{}}}}}", two("chatId", "chat_id"))),
            "components.schemas.A.properties.chat_id: `chat_id` is `chat_id` in Rust, and so is `chatId`",
        ),
        (
            schemas(&format!("A: {{properties: {{{}}}}}", two("'+'", "'-'"))),
            "components.schemas.A.properties.-: `-` is `x` in Rust, and so is `+`",
        ),
        (
            schemas("foo_bar: {type: object}, FooBar: {type: object}"),
            "components.schemas.FooBar: `FooBar` is `FooBar` in Rust, and so is `foo_bar`",
        ),
        (
            schemas("foo_bar: {type: object}, FooBar: {enum: [a]}"),
            "components.schemas.FooBar: `FooBar` is `FooBar` in Rust, and so is `foo_bar`",
        ),
        (
            schemas("Kind: {enum: [a-b, c, a_b]}"),
            "components.schemas.Kind.enum: `a_b` is `AB` in Rust, and so is `a-b`",
        ),
        (
            schemas("U: {discriminator: {propertyName: t, mapping: {a-b: A, a_b: A}}}, A: {type: object}"),
            "components.schemas.U.discriminator.mapping.a_b: `a_b` is `AB` in Rust, and so is `a-b`",
        ),
        (
            schemas("U: {discriminator: {propertyName: t, mapping: {unknown: A}}}, A: {type: object}"),
            "components.schemas.U.discriminator.mapping.unknown: `unknown` is `Unknown` in Rust, which the generated",
        ),
        (
            format!("paths: {{/a: {{get: {{operationId: getIt, {DONE}}}, put: {{operationId: get_it, {DONE}}}}}}}\n"),
            "paths./a.put: `get_it` is `get_it` in Rust, and so is `getIt`",
        ),
        (
            format!("paths: {{/a: {{get: {{operationId: a1, {DONE}}}, put: {{operationId: a_1, {DONE}}}}}}}\n"),
            "paths./a.put: `a_1` is `A1` in Rust, and so is `a1`",
        ),
        (
            operation(&format!(
                "parameters: [{{name: aB, in: query, schema: {{type: string}}}},
                    {{name: a_b, in: query, schema: {{type: string}}}}], {DONE}"
            )),
            "paths./things.post.parameters[1]: `a_b` is `a_b` in Rust, and so is `aB`",
        ),
    ] {
        let error = error(&document);
        assert!(error.starts_with(&format!("doc.yaml: {expected}")), "{error}\nexpected: {expected}");
    }
}

/// Returns the methods that `request!` of the crate gives to every request builder.
fn methods_of_every_request() -> Vec<&'static str> {
    let source = include_str!("../../../src/client/request.rs");
    let names = source.lines().filter_map(|line| {
        let function = line.trim().strip_prefix("pub fn ").or_else(|| line.trim().strip_prefix("pub async fn "))?;
        function.split_once('(').map(|(name, _)| name)
    });
    let names: Vec<&str> = names.collect();
    assert!(names.contains(&"send"), "{names:?}");
    names
}

#[test]
fn names_reserved_for_the_generated_code_are_refused() {
    for name in ["bot", "options", "body"].into_iter().chain(methods_of_every_request()) {
        let error = error(&operation(&format!(
            "parameters: [{{name: {name}, in: query, schema: {{type: string}}}}],
             requestBody: {{content: {{application/json: {{schema: {{}}}}}}}}, {DONE}"
        )));
        assert!(error.starts_with("doc.yaml: paths./things.post.parameters[0]: "), "{error}");
        assert!(error.contains("which the generated code reserves"), "{error}");
    }
    let body = code(&operation(&format!("parameters: [{{name: body, in: query, schema: {{type: string}}}}], {DONE}")));
    assert_eq!(body.setters("DoIt"), ["body(body: implInto<String>)"], "without a request body, the name is free");
    let new = request("{$ref: '#/components/schemas/A'}", "A: {properties: {new: {type: string}}}");
    assert!(error(&new).starts_with("doc.yaml: components.schemas.A.properties.new: `new` is `new` in Rust, which"));
    assert_eq!(code(&schemas("A: {properties: {new: {type: string}}}")).fields("A"), ["new: Option<String>"]);
    let api = error(&format!("paths: {{/a: {{get: {{operationId: api, {DONE}}}}}}}\n"));
    assert!(api.starts_with("doc.yaml: paths./a.get: `api` is `Api` in Rust, which"), "{api}");
}

#[test]
fn a_schema_cannot_have_the_name_of_a_type_of_the_crate() {
    for document in [
        schemas("ChatId: {type: object}, A: {properties: {id: {x-id: ChatId}}}"),
        schemas("ChatId: {enum: [a]}, A: {properties: {id: {x-id: ChatId}}}"),
        schemas("chat_id: {type: object}, A: {properties: {id: {x-id: ChatId}}}"),
    ] {
        let error = error(&document);
        assert!(error.starts_with("doc.yaml: components.schemas.ChatId: "), "{error}");
    }
    let boxed =
        error(&schemas("BoxedA: {enum: [a]}, A: {x-boxed: true, properties: {a: {$ref: '#/components/schemas/A'}}}"));
    assert!(boxed.starts_with("doc.yaml: components.schemas.BoxedA: this name is reserved"), "{boxed}");
    let tags = error(&schemas(
        "UType: {type: object}, A: {properties: {kind: {x-tag-of: U}}},
         U: {discriminator: {propertyName: t, mapping: {a: A}}}",
    ));
    assert!(tags.starts_with("doc.yaml: components.schemas.UType: this name is reserved"), "{tags}");
    let alias = code(&schemas("ChatId: {type: integer}, A: {properties: {id: {x-id: ChatId}}}"));
    assert_eq!(alias.fields("A"), ["id: Option<ChatId>"], "an alias does not reserve its name");
}

#[test]
fn a_schema_can_have_another_name_in_the_code() {
    let renamed = "Error: {x-name: ApiError, properties: {code: {type: string}}}, A: {properties: {error: {$ref: '#/components/schemas/Error'}}}";
    let code = code(&schemas(renamed));
    assert_eq!(code.fields("A"), ["error: Option<ApiError>"]);
    assert_eq!(code.fields("ApiError"), ["code: Option<String>"]);
    let taken = "Error: {x-name: A, properties: {code: {type: string}}}, A: {properties: {a: {type: string}}}";
    let error = error(&schemas(taken));
    assert!(error.contains("components.schemas.Error.x-name: there is another schema `A`"), "{error}");
}
