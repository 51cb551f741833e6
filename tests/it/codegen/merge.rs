//! Merging documents: united parts, their descriptions, and conflicts.

use super::{Code, NO_ACTIONS, Service, merged, operation, schemas};

const SERVICE: &str = "base_url: 'https://a.example', token_source: A form, token_parameter: token,
    links: 'https://a.example', start_link: '/{bot}', mention: 'a://'";

/// Returns a document of a service.
fn document(name: &str, text: &str) -> String {
    format!(
        "openapi: 3.0.0\ninfo: {{title: {name}, version: '1'}}\nx-service: {{name: {name}, {SERVICE}, reference: 'https://{name}.example/{{METHOD}}{{path}}'}}\n{text}"
    )
}

/// Merges the documents of the services A and B.
fn both(a: &str, b: &str) -> Result<Code, String> {
    let (a, b) = (document("A", a), document("B", b));
    let service = |file, text| Service { document: (file, text), overlay: ("none.yaml", NO_ACTIONS) };
    merged(&[service("a.yaml", &a), service("b.yaml", &b)], ("overlay.yaml", "info: {version: '0'}\nactions: []\n"))
}

#[track_caller]
fn code(a: &str, b: &str) -> Code {
    both(a, b).unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn error(a: &str, b: &str) -> String {
    both(a, b).map(|code| code.text).expect_err("the documents should not agree")
}

#[test]
fn merged_properties_are_required_only_if_all_documents_require_them() {
    let code = code(
        &schemas(
            "T: {required: [both, mine, lax], properties: {both: {type: string}, mine: {type: string}, lax: {type: string}}}",
        ),
        &schemas(
            "T: {required: [both], properties: {both: {type: string}, lax: {type: string}, theirs: {type: string}}}",
        ),
    );
    assert_eq!(
        code.fields("T"),
        ["both: String", "mine: Option<String>", "lax: Option<String>", "theirs: Option<String>"]
    );
    assert_eq!(code.field_doc("T", "mine"), "A only.");
    assert_eq!(code.field_doc("T", "theirs"), "B only.");
    assert_eq!(code.field_doc("T", "both"), "Both.");
}

#[test]
fn a_property_that_is_nullable_in_one_document_is_optional() {
    let code = code(
        &schemas("T: {required: [a], properties: {a: {type: string}}}"),
        &schemas("T: {required: [a], properties: {a: {type: string, nullable: true}}}"),
    );
    assert_eq!(code.fields("T"), ["a: Option<String>"]);
}

#[test]
fn an_alias_equals_its_target() {
    let code = code(
        &schemas(
            "Id: {type: integer, format: int64}, T: {required: [a], properties: {a: {$ref: '#/components/schemas/Id'}}}",
        ),
        &schemas("T: {required: [a], properties: {a: {type: integer, format: int64}}}"),
    );
    assert_eq!(code.fields("T"), ["a: i64"]);
}

#[test]
fn merged_enums_and_unions_have_all_values_and_document_their_services() {
    let union = |tag: &str| {
        schemas(&format!(
            "E: {{type: string, enum: [both, {tag}]}}, U: {{discriminator: {{propertyName: t, mapping: {{both: S, {tag}: S{tag}}}}}}},
             S: {{type: object}}, S{tag}: {{type: object}}"
        ))
    };
    let code = code(&union("mine"), &union("theirs"));
    assert_eq!(code.enumeration("E").listed(), ["Both = both", "Mine = mine", "Theirs = theirs"]);
    assert_eq!(code.enumeration("U").listed(), ["Both(S) = both", "Mine(Smine) = mine", "Theirs(Stheirs) = theirs"]);
    for name in ["E", "U"] {
        let docs = code.enumeration(name).variants.iter().map(|variant| variant.doc.clone()).collect::<Vec<_>>();
        assert_eq!(docs, ["Both.", "Mine.\n\nA only.", "Theirs.\n\nB only."], "{name}");
    }
}

#[test]
fn operations_are_matched_by_method_and_path_and_named_by_the_first_document() {
    let get = |id: &str, parameters: &str| {
        format!(
            "paths: {{/t: {{get: {{operationId: {id}, parameters: [{parameters}], responses: {{200: {{description: ok}}}}}}}}}}\n"
        )
    };
    let q = |name: &str, required: bool| {
        format!("{{name: {name}, in: query, required: {required}, schema: {{type: string}}}}")
    };
    let code = code(
        &get("getT", &[q("both", true), q("mine", true)].join(", ")),
        &get("fetchT", &[q("both", true), q("theirs", false)].join(", ")),
    );
    assert_eq!(code.api(), ["get_t(both: implInto<String>)"]);
    let sending = code.sending("GetT");
    assert!(
        sending.contains("ifself.mine.is_some()&&!service.has(crate::service::Documents(1)){self.mine="),
        "{sending}"
    );
    assert!(sending.contains("ifself.theirs.is_some()&&!service.has(crate::service::Documents(2)){"), "{sending}");
    assert!(!sending.contains("self.both.is_some()"), "{sending}");
    assert!(code.api_doc("get_t").contains("API: [`GET /t`](https://B.example/GET/t)."), "{}", code.api_doc("get_t"));
}

#[test]
fn an_operation_of_one_service_documents_that() {
    let code = code(&operation("responses: {200: {description: ok}}"), "");
    assert!(code.api_doc("do_it").contains("\n\nA only.\n\n"), "{}", code.api_doc("do_it"));
    assert!(code.sending("DoIt").contains("documents:crate::service::Documents(1)"));
}

#[test]
fn merged_limits_are_the_most_permissive() {
    let text = |limits: &str| {
        let body = "{$ref: '#/components/schemas/T'}";
        super::request(
            body,
            &format!("T: {{required: [a], properties: {{a: {{type: string, x-check: length, {limits}}}}}}}"),
        )
    };
    let code = code(&text("minLength: 2, maxLength: 10"), &text("minLength: 1, maxLength: 5"));
    let checks = code.checks("T").unwrap();
    assert!(checks.contains("min_length(value,1usize") && checks.contains("max_length(value,10usize"), "{checks}");
}

#[test]
fn a_response_that_extends_the_other_one_replaces_it() {
    let answer = |schema: &str| {
        operation(&format!(
            "responses: {{200: {{content: {{application/json: {{schema: {{$ref: '#/components/schemas/{schema}'}}}}}}}}}}"
        ))
    };
    let base = "Base: {properties: {a: {type: string}}}";
    let more = |required: &str| {
        format!(
            "{base}, More: {{allOf: [{{$ref: '#/components/schemas/Base'}}, {{{required} properties: {{b: {{type: string}}}}}}]}}"
        )
    };
    let code =
        code(&format!("{}{}", answer("Base"), schemas(base)), &format!("{}{}", answer("More"), schemas(&more(""))));
    assert!(code.sending("DoIt").contains("typeAnswer=More;"));
    let error = error(
        &format!("{}{}", answer("Base"), schemas(base)),
        &format!("{}{}", answer("More"), schemas(&more("required: [b],"))),
    );
    assert!(error.contains("`Base` in a.yaml, `More` in b.yaml"), "A does not send what More requires: {error}");
}

#[test]
fn a_schema_with_x_same_as_is_an_alias_of_the_other() {
    let code = code(
        &schemas("T: {required: [a], properties: {a: {type: string}}}"),
        &schemas(
            "T: {required: [a], properties: {a: {type: string}}},
             Twin: {x-same-as: T, description: Like T., required: [a], properties: {a: {type: string}, b: {type: string}}},
             R: {required: [twin], properties: {twin: {$ref: '#/components/schemas/Twin'}}}",
        ),
    );
    assert_eq!(code.fields("T"), ["a: String", "b: Option<String>"]);
    assert_eq!(code.fields("R"), ["twin: T"]);
    assert!(code.text.contains("pub type Twin = T;"), "{}", code.text);
    let twin = "T: {properties: {a: {type: string}}}, Twin: {x-same-as: T, properties: {a: {type: string}, b: {type: string}}}";
    let code = self::code(&schemas(twin), &schemas("T: {properties: {a: {type: string}, c: {type: string}}}"));
    for (field, doc) in [("a", "A."), ("b", "A only."), ("c", "B only.")] {
        assert_eq!(code.field_doc("T", field), doc, "with the twin in the first document");
    }
    let error = error("", &schemas("Twin: {x-same-as: T, properties: {}}"));
    assert!(error.contains("b.yaml: components.schemas.Twin.x-same-as: `T` is not a schema of its own"), "{error}");
}

#[test]
fn conflicting_types_are_an_error_with_both_places() {
    let property = |schema: &str| {
        schemas(&format!("S: {{properties: {{}}}}, O: {{properties: {{}}}}, T: {{properties: {{a: {schema}}}}}"))
    };
    let place = "a.yaml and b.yaml: components.schemas.T.properties.a";
    for (a, b, what) in [
        (
            "{type: string}",
            "{type: integer}",
            ".type: the documents do not agree: \"string\" in a.yaml, \"integer\" in b.yaml",
        ),
        (
            "{type: integer, format: int32}",
            "{type: integer, format: int64}",
            ".format: the documents do not agree: \"int32\" in a.yaml, \"int64\" in b.yaml",
        ),
        (
            "{$ref: '#/components/schemas/S'}",
            "{$ref: '#/components/schemas/O'}",
            ": the documents do not agree: `S` in a.yaml, `O` in b.yaml",
        ),
        (
            "{$ref: '#/components/schemas/S'}",
            "{type: string}",
            ": the documents do not agree: `S` in a.yaml, `string` in b.yaml",
        ),
    ] {
        let error = error(&property(a), &property(b));
        assert!(error.starts_with(&format!("{place}{what}")), "{error}");
        assert!(error.ends_with("fix it in the overlay of one of the services"), "{error}");
    }
    let inherits = |base: &str| schemas(&format!("S: {{properties: {{}}}}, T: {{{base} properties: {{}}}}"));
    let error = error(&inherits("allOf: [{$ref: '#/components/schemas/S'}],"), &inherits(""));
    assert!(error.contains("inherits `S` in a.yaml, inherits nothing in b.yaml"), "{error}");
}

#[test]
fn a_tag_with_two_schemas_and_a_body_in_one_document_only_are_errors() {
    let union = |schema: &str| {
        schemas(&format!(
            "U: {{discriminator: {{propertyName: t, mapping: {{a: {schema}}}}}}}, S: {{type: object}}, O: {{type: object}}"
        ))
    };
    let message = error(&union("S"), &union("O"));
    assert!(
        message.contains(
            "components.schemas.U.discriminator.mapping.a: the documents do not agree: `S` in a.yaml, `O` in b.yaml"
        ),
        "{message}"
    );
    let with_body = super::request("{type: string}", "");
    let message = error(&with_body, &operation(super::DONE));
    assert!(message.contains("a body in a.yaml, no body in b.yaml"), "{message}");
}
