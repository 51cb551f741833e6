//! Errors in the document: the message names the file, the place and the problem.

use super::{DONE, HEAD, NO_ACTIONS, Service, code, error, from_files, operation, schemas};

/// Asserts that the error of a document begins with its name and `expected`.
#[track_caller]
fn assert_error(document: &str, expected: &str) {
    let error = error(document);
    assert!(error.starts_with(&format!("doc.yaml: {expected}")), "{error}\nexpected: {expected}");
    assert!(!error.contains('\n'), "cargo shows only the first line: {error}");
}

/// Like [`assert_error`], for a document with its head.
#[track_caller]
fn assert_file_error(document: &str, expected: &str) {
    let error = from_files(("doc.yaml", document), ("overlay.yaml", NO_ACTIONS)).map(|code| code.text).unwrap_err();
    assert!(error.starts_with(&format!("doc.yaml: {expected}")), "{error}\nexpected: {expected}");
}

#[test]
fn invalid_yaml_is_reported_with_line_and_column() {
    assert_file_error("openapi: 3.0.0\ninfo: [a\npaths: {}\n", "line 3, column 6: not YAML: ");
    assert_file_error("a: b\n  c: d\n", "line 2, column 4: not YAML: ");
    assert_file_error("info: !secret x\n", "info: the YAML tag !secret");
    assert_file_error("info: {? [a] : b}\n", "info: a key that is not a string");
    assert_file_error("info: .inf\n", "info: a number that JSON cannot hold");
}

#[test]
fn a_duplicate_key_is_refused() {
    assert_error(&schemas("A: {type: string}, B: {type: string}, A: {type: integer}"), "line 3, column");
    assert!(error(&schemas("A: {type: string}, A: {type: integer}")).contains("duplicate entry with key \"A\""));
    let responses = "responses: {200: {description: a}, '200': {description: b}}";
    assert_error(&operation(responses), "paths./things.post.responses.200: occurs twice");
}

#[test]
fn the_root_must_be_a_mapping() {
    assert_file_error("- a\n", "the root is a list, expected a mapping");
    assert_file_error("", "the root is null, expected a mapping");
    assert_file_error("text\n", "the root is a string, expected a mapping");
}

#[test]
fn only_openapi_3_0_is_accepted() {
    assert_file_error("swagger: '2.0'\n", "openapi: missing");
    assert_file_error("openapi: 3.1.0\ninfo: {version: '1'}\n", "openapi: is 3.1.0, the generator reads 3.0");
    assert_file_error("openapi: 3.0\ninfo: {version: '1'}\n", "openapi: is a number, expected a string");
    assert_file_error("openapi: 3.0.0\n", "info: has no `version`");
    assert_file_error("openapi: 3.0.0\ninfo: {version: 1.0}\n", "info.version: is a number, expected a string");
}

#[test]
fn a_value_of_another_kind_is_refused_and_not_ignored() {
    for (document, expected) in [
        ("paths: 5\n", "paths: is a number, expected a mapping"),
        ("paths: {/a: [get]}\n", "paths./a: is a list, expected a mapping"),
        ("paths: {/a: {get: true}}\n", "paths./a.get: is a boolean, expected a mapping"),
        ("components: []\n", "components: is a list, expected a mapping"),
        ("components: {schemas: 5}\n", "components.schemas: is a number, expected a mapping"),
        ("components: {schemas: {A: }}\n", "components.schemas.A: is null, expected a mapping"),
        ("components: {responses: {A: 5}}\n", "components.responses.A: is a number, expected a mapping"),
    ] {
        assert_error(document, expected);
    }
    for (schema, expected) in [
        ("properties: [a]", "properties: is a list, expected a mapping"),
        ("properties: {a: }", "properties.a: is null, expected a mapping"),
        ("properties: {a: {nullable: 1}}", "properties.a.nullable: is a number, expected true or false"),
        ("required: a", "required: is a string, expected a list"),
        ("required: [a, 5]", "required[1]: is a number, expected a string"),
        ("allOf: {}", "allOf: is a mapping, expected a list"),
        ("allOf: [5]", "allOf[0]: is a number, expected a mapping"),
        ("enum: a", "enum: is a string, expected a list"),
        ("type: [string, 'null']", "type: is a list, expected a string"),
        ("additionalProperties: a", "additionalProperties: is a string, expected a mapping"),
        ("maxLength: '5'", "maxLength: is a string, expected a number"),
        ("discriminator: type", "discriminator: is a string, expected a mapping"),
        ("discriminator: {mapping: {a: 5}}", "discriminator.mapping.a: is a number, expected a string"),
        ("x-boxed: 'yes'", "x-boxed: is a string, expected true or false"),
        ("x-id: 5", "x-id: is a number, expected a string"),
    ] {
        assert_error(&schemas(&format!("A: {{{schema}}}")), &format!("components.schemas.A.{expected}"));
    }
    for (keys, expected) in [
        ("responses: []", "responses: is a list, expected a mapping"),
        ("responses: {200: }", "responses.200: is null, expected a mapping"),
        ("parameters: {name: a}", "parameters: is a mapping, expected a list"),
        ("parameters: [5]", "parameters[0]: is a number, expected a mapping"),
        ("parameters: [{name: 5}]", "parameters[0].name: is a number, expected a string"),
        ("requestBody: 5", "requestBody: is a number, expected a mapping"),
        ("requestBody: {content: 5}", "requestBody.content: is a number, expected a mapping"),
        ("x-exactly-one-of: a", "x-exactly-one-of: is a string, expected a list"),
    ] {
        assert_error(&operation(keys), &format!("paths./things.post.{expected}"));
    }
}

#[test]
fn a_reference_must_have_a_target() {
    let missing = "{$ref: '#/components/schemas/Missing'}";
    assert_error(
        &schemas(&format!("A: {{properties: {{a: {missing}}}}}")),
        "components.schemas.A.properties.a: `$ref` to `#/components/schemas/Missing`, which is not in the document",
    );
    assert_error(
        &schemas(&format!("A: {{allOf: [{{properties: {{}}}}, {missing}]}}")),
        "components.schemas.A.allOf[1]: `$ref` to ",
    );
    for (keys, place) in [
        ("parameters: [{$ref: '#/components/parameters/p'}]", "parameters[0]"),
        ("requestBody: {$ref: '#/components/requestBodies/b'}", "requestBody"),
        ("responses: {200: {$ref: '#/components/responses/r'}}", "responses.200"),
        ("responses: {200: {$ref: 'other.yaml#/r'}}", "responses.200"),
    ] {
        assert_error(&operation(keys), &format!("paths./things.post.{place}: `$ref` to "));
    }
}

#[test]
fn a_reference_must_not_lead_back_to_itself() {
    assert_error(
        &schemas("A: {$ref: '#/components/schemas/B'}, B: {$ref: '#/components/schemas/A'}"),
        "components.schemas.A: `$ref` to `#/components/schemas/B` leads back to itself",
    );
    let circles = [
        "A: {allOf: [{$ref: '#/components/schemas/B'}]}, B: {allOf: [{$ref: '#/components/schemas/A'}]}",
        "A: {properties: {}, allOf: [{$ref: '#/components/schemas/B'}]}, B: {$ref: '#/components/schemas/A'}",
        "A: {type: array, items: {$ref: '#/components/schemas/B'}},
         B: {type: object, additionalProperties: {$ref: '#/components/schemas/A'}}",
    ];
    for circle in circles {
        assert_error(&schemas(circle), "components.schemas.A: consists of itself: A -> B -> A");
    }
    assert_error(
        &schemas(
            "A: {type: array, items: {$ref: '#/components/schemas/B'}}, B: {allOf: [{$ref: '#/components/schemas/B'}]}",
        ),
        "components.schemas.B: consists of itself: B -> B",
    );
}

#[test]
fn a_union_needs_a_tag_and_an_object_for_each_of_its_values() {
    let union = |discriminator: &str| {
        schemas(&format!(
            "U: {{discriminator: {discriminator}}}, A: {{properties: {{}}}}, S: {{type: string}}, E: {{enum: [a]}}"
        ))
    };
    let place = "components.schemas.U.discriminator";
    for (discriminator, expected) in [
        ("{mapping: {a: A}}", ": has no `propertyName`"),
        ("{propertyName: t}", ": has no `mapping`"),
        ("{propertyName: t, mapping: {}}", ": has no `mapping`"),
        (
            "{propertyName: t, mapping: {a: A, b: '#/components/schemas/B'}}",
            ".mapping.b: maps to \"#/components/schemas/B\"",
        ),
        ("{propertyName: t, mapping: {a: S}}", ".mapping.a: maps to `S`, which is not an object of its own"),
        ("{propertyName: t, mapping: {a: E}}", ".mapping.a: maps to `E`, which is not an object of its own"),
        ("{propertyName: t, mapping: {a: U}}", ".mapping.a: maps to `U`, which is not an object of its own"),
    ] {
        assert_error(&union(discriminator), &format!("{place}{expected}"));
    }
}

#[test]
fn an_unused_schema_must_have_a_type_of_openapi_3_0() {
    for (schema, expected) in [
        ("{type: text}", "`type: text` is not a type of OpenAPI 3.0"),
        ("{type: 'null'}", "`type: null` is not a type of OpenAPI 3.0"),
        ("{type: array}", "an array without `items`"),
    ] {
        assert_error(&schemas(&format!("A: {schema}")), &format!("components.schemas.A: {expected}"));
        assert_error(
            &schemas(&format!("A: {{properties: {{a: {{type: array, items: {schema}}}}}}}")),
            &format!("components.schemas.A.properties.a.items: {expected}"),
        );
    }
}

#[test]
fn an_object_within_another_needs_a_name() {
    let object = "{type: object, properties: {a: {type: string}}}";
    let expected = ": an object without a name: move it to `components.schemas`";
    assert_error(
        &schemas(&format!("A: {{properties: {{b: {object}}}}}")),
        &format!("components.schemas.A.properties.b{expected}"),
    );
    assert_error(
        &operation(&format!("responses: {{200: {{content: {{application/json: {{schema: {object}}}}}}}}}")),
        &format!("paths./things.post.responses{expected}"),
    );
}

#[test]
fn an_operation_needs_a_unique_id_an_answer_and_json() {
    for (keys, expected) in [
        ("responses: {}", ".responses: has no successful response"),
        ("responses: {400: {description: a}, default: {description: b}}", ".responses: has no successful response"),
        ("tags: [a]", ".responses: has no successful response"),
        ("responses: {200: {content: {text/html: {}}}}", ".responses.200: has no schema for `application/json`"),
        (
            "responses: {200: {}}, requestBody: {content: {text/plain: {schema: {type: string}}}}",
            ".requestBody: has no schema for `application/json`",
        ),
    ] {
        assert_error(&operation(keys), &format!("paths./things.post{expected}"));
    }
    assert_error(&format!("paths: {{/a: {{get: {{{DONE}}}}}}}\n"), "paths./a.get: has no `operationId`");
    assert_error(
        &format!("paths: {{/a: {{get: {{operationId: x, {DONE}}}}}, /b: {{put: {{operationId: x, {DONE}}}}}}}\n"),
        "paths./b.put: `operationId: x` is taken by paths./a.get",
    );
}

#[test]
fn a_path_has_only_methods() {
    assert_error(
        &format!("paths: {{/a: {{gett: {{operationId: x, {DONE}}}}}}}\n"),
        "paths./a.gett: not an HTTP method that the generator supports",
    );
    assert_error(
        "paths: {/a: {$ref: '#/paths/~1b'}, /b: {}}\n",
        "paths./a.$ref: not an HTTP method that the generator supports",
    );
    assert_error("paths: {a: {}}\n", "paths.a: a path begins with a slash");
    code("paths: {/a: {summary: A, description: Of a, servers: [], parameters: [], x-mine: 1}}\n");
}

#[test]
fn a_parameter_needs_a_name_a_place_and_a_scalar_schema() {
    for (parameter, expected) in [
        ("{in: query, schema: {type: string}}", "has no `name`"),
        ("{name: a, in: header, schema: {type: string}}", "`a` is in neither `path` nor `query`"),
        ("{name: a, in: cookie, schema: {type: string}}", "`a` is in neither `path` nor `query`"),
        ("{name: a, schema: {type: string}}", "`a` is in neither `path` nor `query`"),
        ("{name: a, in: query}", "`a` has no `schema`"),
        ("{name: a, in: query, schema: {}}", "`a` is neither a string, a number nor a boolean"),
        ("{name: a, in: query, schema: {type: object}}", "`a` is neither a string, a number nor a boolean"),
        ("{name: a, in: query, schema: {$ref: '#/components/schemas/O'}}", "`a` is neither a string, a number nor"),
        ("{name: a, in: query, schema: {$ref: '#/components/schemas/U'}}", "`a` is neither a string, a number nor"),
        ("{name: a, in: query, schema: {type: array, items: {$ref: '#/components/schemas/O'}}}", "a list in the query"),
        ("{name: a, in: query, schema: {type: array, items: {$ref: '#/components/schemas/U'}}}", "a list in the query"),
        ("{name: a, in: query, schema: {type: array, items: {type: array, items: {}}}}", "a list in the query"),
        ("{name: a, in: path, required: true, schema: {type: string}}", "`{a}` is not in the path"),
    ] {
        let document = format!(
            "{}{}",
            operation(&format!("parameters: [{{name: ok, in: query, schema: {{type: string}}}}, {parameter}], {DONE}")),
            schemas("O: {properties: {}}, U: {discriminator: {propertyName: t, mapping: {o: O}}}"),
        );
        assert_error(&document, &format!("paths./things.post.parameters[1]: {expected}"));
    }
}

#[test]
fn the_placeholders_of_a_path_are_its_required_parameters() {
    let path = |path: &str, parameters: &str| {
        format!("paths: {{'{path}': {{get: {{operationId: x, parameters: [{parameters}], {DONE}}}}}}}\n")
    };
    let id = "{name: id, in: path, required: true, schema: {type: string}}";
    assert_error(&path("/a/{id}", ""), "paths./a/{id}.get: `{id}` of the path is not among the parameters");
    assert_error(&path("/a/{id", id), "paths./a/{id: `{` without `}`");
    assert_error(&path("/a/{id}/{id}", id), "paths./a/{id}/{id}.get: `{id}` of the path is not among the parameters");
    assert_error(
        &path("/a/{id}", "{name: id, in: path, schema: {type: string}}"),
        "paths./a/{id}.get.parameters[0]: `id` is in the path and not `required`",
    );
    assert_error(
        &path("/a/{id}", "{name: id, in: path, required: true, schema: {type: array, items: {type: string}}}"),
        "paths./a/{id}.get.parameters[0]: `id` is neither a string, a number nor a boolean",
    );
    assert_error(&path("/a/{id}", &format!("{id}, {id}")), "paths./a/{id}.get.parameters[1]: `id` occurs twice");
}

#[test]
fn an_error_in_a_parameter_of_a_path_names_its_place() {
    assert_error(
        &format!("paths: {{/a: {{parameters: [{{name: p, in: body}}], get: {{operationId: x, {DONE}}}}}}}\n"),
        "paths./a.parameters[0]: `p` is in neither",
    );
}

#[test]
fn invalid_extensions_are_refused() {
    let place = "components.schemas.A.properties.a";
    for (schema, expected) in [
        ("{x-tag-of: B}", "`x-tag-of: B`, which is not a union of the document"),
        ("{x-tag-of: A}", "`x-tag-of: A`, which is not a union of the document"),
        ("{type: string, x-check: max}", "`x-check: max` is not one of `length`, `items`, `range`, `url`, `http-url`"),
        ("{type: string, x-check: length}", "`x-check: length` on a schema without `minLength` and `maxLength`"),
        ("{type: string, maxLength: -1, x-check: length}", "`x-check: length` on a schema without `minLength`"),
    ] {
        assert_error(&schemas(&format!("A: {{properties: {{a: {schema}}}}}")), &format!("{place}: {expected}"));
    }
    for property in ["b", "c"] {
        let schema = format!(
            "A: {{required: [b], properties: {{a: {{type: string}}, b: {{type: string}}}}, x-at-least-one-of: [a, {property}]}}"
        );
        let expected = format!("components.schemas.A.x-at-least-one-of: `{property}` is not an optional property");
        assert_error(&schemas(&schema), &expected);
    }
    let group = |keys: &str| {
        operation(&format!(
            "{keys}, parameters: [{{name: a, in: query, schema: {{type: string}}}},
                {{name: b, in: query, required: true, schema: {{type: string}}}}], {DONE}"
        ))
    };
    let place = "paths./things.post.x-exactly-one-of";
    assert_error(&group("x-exactly-one-of: [a, c]"), &format!("{place}: `c` is not an optional parameter"));
    assert_error(&group("x-exactly-one-of: [a, b]"), &format!("{place}: `b` is not an optional parameter"));
    assert_error(&group("x-exactly-one-of: [a]"), &format!("{place}: names fewer than two parameters"));
}

#[test]
fn x_paced_by_names_query_parameters() {
    let place = "paths./things.post.x-paced-by";
    assert_error(
        &operation("x-paced-by: [chat], responses: {200: {}}"),
        &format!("{place}: `chat` is not a query parameter of the operation"),
    );
}

#[test]
fn the_limits_of_a_service_are_whole_numbers_from_1() {
    for (limit, number) in [("requests_per_second", "0"), ("polls_per_second", "0.5"), ("text", "-1")] {
        let document = format!(
            "x-service: {{name: A, base_url: 'https://a.example', token_source: A form, token_parameter: token,
                links: 'https://a.example', start_link: '/{{bot}}', mention: 'a://', {limit}: {number}}}\n"
        );
        assert_error(&document, &format!("x-service.{limit}: must be a whole number from 1"));
    }
}

#[test]
fn an_acknowledgement_names_a_flag_and_a_message() {
    let document = |mark: &str| {
        format!(
            "{}{}",
            operation("responses: {200: {content: {application/json: {schema: {$ref: '#/components/schemas/Ok'}}}}}"),
            schemas(&format!(
                "Ok: {{x-acknowledgement: {mark}, required: [done], properties: {{
                    done: {{type: boolean}}, maybe: {{type: boolean}}, why: {{type: string}}}}}}"
            ))
        )
    };
    let place = "components.schemas.Ok.x-acknowledgement";
    for (mark, expected) in [
        ("{success: done}", "has no `message`"),
        ("{message: why}", "has no `success`"),
        ("{success: gone, message: why}", "`gone` is not a property of type boolean"),
        ("{success: why, message: why}", "`why` is not a property of type boolean"),
        ("{success: done, message: done}", "`done` is not a property of type string"),
        ("{success: maybe, message: why}", "`maybe` is not required"),
    ] {
        assert_error(&document(mark), &format!("{place}: {expected}"));
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let missing = std::path::Path::new("openapi/no-such.yaml");
    let error = super::generator::generate(&[Service { document: missing, overlay: missing }], missing, missing)
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("openapi/no-such.yaml: cannot read: "), "{error}");
}

#[test]
fn errors_name_the_file_of_the_document_or_overlay() {
    let document = format!("{HEAD}paths: {{}}\n");
    let error = from_files(("a.yaml", &document), ("b.yaml", "- no\n")).map(|code| code.text).unwrap_err();
    assert_eq!(error, "b.yaml: the root is a list, expected a mapping");
    let error = from_files(("a.yaml", "- no\n"), ("b.yaml", NO_ACTIONS)).map(|code| code.text).unwrap_err();
    assert_eq!(error, "a.yaml: the root is a list, expected a mapping");
}
