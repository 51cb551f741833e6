//! Operations: methods of `Api`, request builders, and the code that sends them.

use super::{Code, DONE, code, error, operation, request, schemas};

#[test]
fn required_parameters_are_arguments_in_the_order_of_the_document_and_the_body_comes_last() {
    let code = code(
        "paths: {'/chats/{zeta}/x/{alpha}': {post: {operationId: doIt, parameters: [
            {name: omega, in: query, required: true, schema: {type: boolean}},
            {name: zeta, in: path, required: true, schema: {type: integer}},
            {name: beta, in: query, schema: {type: string}},
            {name: alpha, in: path, required: true, schema: {type: string}}],
            requestBody: {content: {application/json: {schema: {type: array, items: {type: string}}}}},
            responses: {200: {description: Done}}}}}\n",
    );
    assert_eq!(
        code.api(),
        ["do_it(omega: bool, zeta: i64, alpha: implInto<String>, body: implIntoIterator<Item=implInto<String>>)"]
    );
    assert_eq!(code.setters("DoIt"), ["beta(beta: implInto<String>)"]);
    assert!(
        code.sending("DoIt").contains(").do_it(self.zeta,&self.alpha,self.beta.as_deref(),self.omega,&self.body)"),
        "progenitor orders the arguments differently: {}",
        code.sending("DoIt")
    );
}

#[test]
fn optional_parameters_are_setters() {
    let code = code(&operation(&format!(
        "parameters: [{{name: chatId, in: query, schema: {{type: integer, x-id: ChatId}}}},
                      {{name: count, in: query, schema: {{type: integer, format: int32}}}}], {DONE}"
    )));
    assert_eq!(code.api(), ["do_it()"]);
    assert_eq!(code.setters("DoIt"), ["chat_id(chat_id: implInto<ChatId>)", "count(count: i32)"]);
    assert_eq!(code.state("DoIt")[2..], ["chat_id: Option<ChatId>", "count: Option<i32>"]);
}

#[test]
fn a_list_in_the_query_is_one_string_with_commas_for_any_style() {
    let code = code(&format!(
        "{}{}",
        operation(&format!(
            "parameters: [{{name: ids, in: query, required: true, style: simple,
                            schema: {{type: array, items: {{type: integer, x-id: UserId}}}}}},
                          {{name: words, in: query, style: form, explode: true,
                            schema: {{type: array, items: {{type: string}}}}}},
                          {{name: numbers, in: query, schema: {{type: array, items: {{type: integer, format: int32}}}}}},
                          {{name: kinds, in: query,
                            schema: {{type: array, items: {{$ref: '#/components/schemas/Kind'}}}}}}], {DONE}"
        )),
        schemas("Kind: {type: string, enum: [a]}")
    ));
    assert_eq!(
        code.state("DoIt")[2..],
        [
            "ids: CommaSeparated<UserId>",
            "words: Option<CommaSeparated<String>>",
            "numbers: Option<CommaSeparated<i64>>",
            "kinds: Option<CommaSeparated<Kind>>"
        ]
    );
    assert_eq!(code.api(), ["do_it(ids: implIntoIterator<Item=implInto<UserId>>)"]);
}

#[test]
fn an_answer_has_the_type_of_its_schema() {
    let answer = |schema: &str| {
        let keys = format!("responses: {{200: {{content: {{application/json: {{schema: {schema}}}}}}}}}");
        let code = code(&format!("{}{}", operation(&keys), schemas("Chat: {properties: {id: {type: integer}}}")));
        code.sending("DoIt").split("typeOutput=").nth(1).and_then(|rest| rest.split(';').next()).map(str::to_owned)
    };
    assert_eq!(answer("{$ref: '#/components/schemas/Chat'}").as_deref(), Some("Chat"));
    assert_eq!(answer("{type: array, items: {$ref: '#/components/schemas/Chat'}}").as_deref(), Some("Vec<Chat>"));
    assert_eq!(answer("{type: string}").as_deref(), Some("String"));
    assert_eq!(answer("{}").as_deref(), Some("Value"));
}

#[test]
fn parameters_and_bodies_of_an_operation_are_optional() {
    for status in ["200", "204", "2XX"] {
        let code = code(&operation(&format!("responses: {{{status}: {{description: Done}}}}")));
        assert_eq!(code.api(), ["do_it()"]);
        assert_eq!(code.setters("DoIt"), [""; 0]);
        assert!(code.sending("DoIt").contains("typeAnswer=();typeOutput=();"), "{status}");
    }
}

#[test]
fn responses_parameters_and_bodies_may_be_in_components() {
    let code = code(
        "paths: {/things: {post: {operationId: doIt, parameters: [{$ref: '#/components/parameters/count'}],
            requestBody: {$ref: '#/components/requestBodies/Name'},
            responses: {200: {$ref: '#/components/responses/Ok'}, 404: {$ref: '#/components/responses/Lost'}}}}}
components: {parameters: {count: {name: count, in: query, required: true, schema: {type: integer}}},
    requestBodies: {Name: {content: {application/json: {schema: {type: string}}}}},
    responses: {Ok: {content: {application/json: {schema: {type: boolean}}}}, Lost: {description: It is lost}}}\n",
    );
    assert_eq!(code.api(), ["do_it(count: i64, body: implInto<String>)"]);
    assert!(code.sending("DoIt").contains("typeOutput=bool;"));
    assert!(code.api_doc("do_it").contains("- 404 ([`NotFound`](crate::ErrorKind::NotFound)): It is lost."));
}

#[test]
fn parameters_of_a_path_apply_to_its_operations_unless_overridden() {
    let code = code(&format!(
        "paths: {{/things: {{summary: Things., parameters: [
            {{name: a, in: query, schema: {{type: string}}}}, {{name: b, in: query, schema: {{type: string}}}}],
            get: {{operationId: getIt, parameters: [{{name: b, in: query, schema: {{type: integer}}}}], {DONE}}},
            put: {{operationId: putIt, {DONE}}}}}}}\n"
    ));
    assert_eq!(code.setters("GetIt"), ["a(a: implInto<String>)", "b(b: i64)"]);
    assert_eq!(code.setters("PutIt"), ["a(a: implInto<String>)", "b(b: implInto<String>)"]);
}

#[test]
fn operations_are_in_the_order_of_the_document() {
    let code = code(&format!(
        "paths: {{/z: {{post: {{operationId: zebra, {DONE}}}, get: {{operationId: yak, {DONE}}}}},
                  /a: {{get: {{operationId: ant, {DONE}}}}}}}\n"
    ));
    assert_eq!(code.api(), ["zebra()", "yak()", "ant()"]);
}

#[test]
fn path_parameters_of_string_types_are_checked() {
    for schema in ["{type: string}", "{$ref: '#/components/schemas/alias'}", "{type: string, x-id: MessageId}"] {
        let code = code(&format!(
            "paths: {{'/m/{{id}}': {{get: {{operationId: getIt, {DONE},
                parameters: [{{name: id, in: path, required: true, schema: {schema}}}]}}}}}}\n{}",
            schemas("alias: {type: string}")
        ));
        let sending = code.sending("GetIt");
        assert!(sending.contains("crate::validation::path_segment(value.as_str(),"), "{schema}: {sending}");
    }
}

#[test]
fn an_id_in_the_query_is_checked_to_be_not_empty() {
    let code = code(&operation(&format!(
        "parameters: [{{name: mid, in: query, schema: {{type: string, x-id: MessageId}}}}], {DONE}"
    )));
    assert!(code.sending("DoIt").contains("ifletSome(value)=&self.mid{crate::validation::id(value,"));
}

#[test]
fn x_acknowledgement_turns_the_answer_into_unit_or_an_error() {
    let code = code(&format!(
        "{}{}",
        operation("responses: {200: {content: {application/json: {schema: {$ref: '#/components/schemas/Ok'}}}}}"),
        schemas(
            "Ok: {x-acknowledgement: {success: done, message: why}, required: [done],
                properties: {done: {type: boolean}, why: {type: string}}}"
        )
    ));
    let sending = code.sending("DoIt");
    assert!(sending.contains("typeAnswer=Ok;typeOutput=();"), "{sending}");
    assert!(
        sending.contains("ifanswer.done{Ok(())}else{Err(crate::error::Refusal::new(None,answer.why.into()))}"),
        "{sending}"
    );
    assert!(code.api_doc("do_it").contains("`success: false`"), "and its documentation says so");
}

#[test]
fn an_answer_that_extends_an_acknowledgement_is_returned_or_an_error() {
    let more = |more: &str| {
        let code = code(&format!(
            "{}{}",
            operation("responses: {200: {content: {application/json: {schema: {$ref: '#/components/schemas/More'}}}}}"),
            schemas(&format!(
                "Ok: {{x-acknowledgement: {{success: done, message: why}}, required: [done],
                    properties: {{done: {{type: boolean}}, why: {{type: string}}}}}},
                 More: {{allOf: [{{$ref: '#/components/schemas/Ok'}}, {{properties: {{{more}}}}}]}}"
            ))
        ));
        assert!(code.api_doc("do_it").contains("`success: false`"), "and its documentation says so");
        code.sending("DoIt")
    };
    let sending = more("failed: {type: array, items: {type: integer}}");
    assert!(sending.contains("typeAnswer=More;typeOutput=More;"), "{sending}");
    assert!(
        sending.contains("ifanswer.done{Ok(answer)}else{Err(crate::error::Refusal::new(None,answer.why.into()))}"),
        "{sending}"
    );
    assert!(more("").contains("typeAnswer=More;typeOutput=();"));
}

#[test]
fn x_hold_names_the_parameter_and_its_default_in_seconds() {
    let hold = |schema: &str| {
        let code = code(&operation(&format!(
            "parameters: [{{name: timeout, in: query, x-hold: true, schema: {schema}}}], {DONE}"
        )));
        code.sending("DoIt")
    };
    assert!(hold("{type: integer, default: 30}").contains("hold:Some((\"timeout\",30u64))"));
    assert!(hold("{type: integer}").contains("hold:Some((\"timeout\",0u64))"));
    assert!(code(&operation(DONE)).sending("DoIt").contains("hold:None"));
}

#[test]
fn x_exactly_one_of_checks_the_set_parameters() {
    let code = code(&operation(&format!(
        "x-exactly-one-of: [userId, chatId], parameters: [{{name: userId, in: query, schema: {{type: integer}}}},
            {{name: chatId, in: query, schema: {{type: integer}}}}], {DONE}"
    )));
    let sending = code.sending("DoIt");
    let expected =
        "crate::validation::exactly_one(&[(\"userId\",self.user_id.is_some()),(\"chatId\",self.chat_id.is_some())])?;";
    assert!(sending.contains(expected), "{sending}");
}

#[test]
fn an_operation_lists_the_parameters_that_name_its_chat() {
    let code = code(&operation(&format!(
        "x-paced-by: [chatId], parameters: [{{name: chatId, in: query, schema: {{type: integer}}}}], {DONE}"
    )));
    assert!(code.sending("DoIt").contains("paced_by:&[\"chatId\"]"));
    assert!(self::code(&operation(DONE)).sending("DoIt").contains("paced_by:&[]"));
}

#[test]
fn a_request_builder_is_named_after_its_operation() {
    let code = code(&operation(DONE));
    assert!(code.sending("DoIt").contains("id:\"doIt\""));
    let request = "crate::client::request::request!(DoIt,do_it,\"[`BotBuilder::timeout`]";
    assert!(dense(&code).contains(request), "{}", code.text);
    let default = |retry: &str| dense(&self::code(&operation(&format!("{retry}{DONE}"))));
    assert!(default("").contains("\"`false`.With`true`,theservermayapplytherequesttwice.\"->());"), "{}", code.text);
    assert!(default("x-retry: read, ").contains("\"`true`,becausetherequestonlyreadsdata.\"->());"));
    assert!(default("x-retry: remove, ").contains("\"`true`,becauseapplyingtherequesttwice"));
}

#[test]
fn a_body_argument_accepts_convertible_types() {
    let code = code(&request("{$ref: '#/components/schemas/Body'}", "Body: {properties: {a: {type: string}}}"));
    assert_eq!(code.api(), ["do_it(body: implInto<Body>)"]);
    assert!(code.sending("DoIt").contains(").do_it(&self.body)"));
}

/// Returns generated code without white space and without the paths of used items.
fn dense(code: &Code) -> String {
    let text: String = code.text.split_whitespace().collect();
    let text = ["crate::redaction::", "::std::option::Option::", "::std::option::"]
        .iter()
        .fold(text, |text, path| text.replace(path, ""));
    text.replace(",)", ")")
}

#[test]
fn x_secret_hides_a_parameter_from_debug_and_from_errors() {
    let keys = |required: bool, kind: &str| {
        let schema = format!("{{type: string, x-secret: {kind}}}");
        format!("parameters: [{{name: hookUrl, in: query, required: {required}, schema: {schema}}}], {DONE}")
    };
    for (required, kind, secret, shown) in [
        (true, "url", "letvalue=&self.hook_url;Secret::beyond_the_origin(value)", "&HiddenUrl(&self.hook_url)"),
        (true, "value", "letvalue=&self.hook_url;Some(Secret::new(value,\"...\"))", "&Hidden"),
        (false, "url", "Secret::beyond_the_origin(value)", "&self.hook_url.as_deref().map(HiddenUrl)"),
        (false, "value", "Some(Secret::new(value,\"...\"))", "&self.hook_url.as_ref().map(|_|Hidden)"),
    ] {
        let text = dense(&code(&operation(&keys(required, kind))));
        assert!(text.contains("fnsecret(&self)->Option<Secret>{Secret::all(["), "{text}");
        assert!(text.contains(secret), "{text}");
        assert!(text.contains(&format!("\"hook_url\",{shown}")), "{text}");
        assert!(!text.contains("#[derive(Debug,Clone)]#[must_use"), "{text}");
    }
    assert!(!dense(&code(&operation(&format!("summary: Does it, {DONE}")))).contains("fnsecret"));
}

#[test]
fn x_secret_hides_a_property_of_the_body() {
    let body = "requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Hook'}}}}";
    let url = "url: {type: string, x-secret: url}";
    let hook = schemas(&format!("Hook: {{required: [url], properties: {{{url}, name: {{type: string}}}}}}"));
    let text = dense(&code(&format!("{}{hook}", operation(&format!("{body}, {DONE}")))));
    assert!(text.contains("letvalue=&self.body.url;Secret::beyond_the_origin(value)"), "{text}");
    assert!(text.contains(".field(\"url\",&HiddenUrl(&self.url)).field(\"name\",&self.name)"), "{text}");
}

#[test]
fn x_secret_has_two_values_and_applies_to_strings() {
    for (schema, problem) in [
        ("{type: string, x-secret: all}", "`all` is neither `url` nor `value`"),
        ("{type: integer, x-secret: value}", "`value` on a schema that is not a string"),
    ] {
        let error = error(&schemas(&format!("Hook: {{properties: {{url: {schema}}}}}")));
        assert!(error.contains("components.schemas.Hook.properties.url") && error.contains(problem), "{error}");
    }
}

#[test]
fn x_default_is_a_value_of_a_required_property() {
    let read = operation(
        "responses: {'200': {description: '', content: {application/json: {schema: {$ref: '#/components/schemas/Hook'}}}}}",
    );
    for (properties, problem) in [
        ("url: {type: string, x-default: 5}", "5 is not a value of this property"),
        ("url: {type: integer, x-default: ''}", "\"\" is not a value of this property"),
        ("url: {type: integer, x-default: 1.5}", "1.5 is not a value of this property"),
        ("url: {type: string, nullable: true, x-default: ''}", "on a property that is not required"),
    ] {
        let error =
            error(&format!("{read}{}", schemas(&format!("Hook: {{required: [url], properties: {{{properties}}}}}"))));
        assert!(error.contains("components.schemas.Hook.properties.url") && error.contains(problem), "{error}");
    }
    let hooks = "Hook: {required: [on], properties: {on: {$ref: '#/components/schemas/On', x-default: {}}}}, On: {required: [a], properties: {a: {type: boolean}}}";
    let error = error(&format!("{read}{}", schemas(hooks)));
    assert!(error.contains("components.schemas.On.properties.a") && error.contains("needs `x-default`"), "{error}");
}

#[test]
fn x_default_applies_to_received_types() {
    let hook = "Hook: {required: [url, on], properties: {url: {type: string, x-default: none}, on: {type: boolean, x-default: true}}}";
    let reference = "{application/json: {schema: {$ref: '#/components/schemas/Hook'}}}";
    let received = operation(&format!("responses: {{'200': {{description: '', content: {reference}}}}}"));
    let text = dense(&code(&format!("{received}{}", schemas(hook))));
    assert!(text.contains("fnvalue()->::std::string::String{::std::convert::From::from(\"none\")}"), "{text}");
    assert!(text.contains("constPROPERTY:&'staticstr=\"Hook.on\";fnvalue()->bool{true}"), "{text}");
    let sent = operation(&format!("requestBody: {{content: {reference}}}, {DONE}"));
    assert!(!dense(&code(&format!("{sent}{}", schemas(hook)))).contains("DefaultValue"));
}

#[test]
fn x_retry_sets_the_effect_of_repeating_an_operation() {
    for (keys, class) in [
        ("x-retry: read,", "Read"),
        ("x-retry: repeat,", "Repeat"),
        ("x-retry: remove,", "Remove"),
        ("x-retry: act,", "Act"),
        ("", "Act"),
    ] {
        let sending = code(&operation(&format!("{keys} {DONE}"))).sending("DoIt");
        assert!(sending.contains(&format!("class:crate::client::retry::Class::{class},")), "{keys} {sending}");
    }
    let error = error(&operation(&format!("x-retry: never, {DONE}")));
    assert!(error.starts_with("doc.yaml: paths./things.post.x-retry: `never` is not one of `read`"), "{error}");
}
