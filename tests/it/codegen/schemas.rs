//! Object schemas: inheritance, aliases, optional values, constraints and extensions.

use super::{code, error, operation, request, schemas};

const ALIASES: &str = "bigint: {type: integer, format: int64}, name: {type: string, nullable: true},
    names: {type: array, items: {$ref: '#/components/schemas/name'}}";

#[test]
fn fields_are_in_the_order_of_the_document() {
    let code = code(&schemas(
        "Chat: {required: [zoo, ant], properties: {zoo: {type: string}, owner: {type: string}, ant: {type: string}}}",
    ));
    assert_eq!(code.fields("Chat"), ["zoo: String", "owner: Option<String>", "ant: String"]);
}

#[test]
fn inherited_fields_come_first_and_can_be_overridden() {
    let code = code(&schemas(
        "Base: {required: [id], properties: {id: {type: integer}, at: {type: integer}}},
         Middle: {allOf: [{$ref: '#/components/schemas/Base'}, {required: [name], properties: {name: {type: string}}}]},
         Leaf: {allOf: [{$ref: '#/components/schemas/Middle'}], required: [own],
                properties: {own: {type: boolean}, id: {type: string, description: Another id.}}}",
    ));
    assert_eq!(code.fields("Middle"), ["id: i64", "at: Option<i64>", "name: String"]);
    assert_eq!(code.fields("Leaf"), ["id: String", "at: Option<i64>", "name: String", "own: bool"]);
    assert_eq!(code.field_doc("Leaf", "id"), "Another id.");
}

#[test]
fn a_schema_that_only_inherits_is_a_struct() {
    let code = code(&schemas(
        "Base: {properties: {id: {type: integer}}}, Leaf: {allOf: [{$ref: '#/components/schemas/Base'}]}",
    ));
    assert_eq!(code.fields("Leaf"), ["id: Option<i64>"]);
}

#[test]
fn a_struct_may_hold_itself() {
    let code = code(&schemas(
        "Node: {properties: {next: {$ref: '#/components/schemas/Node'},
                             all: {type: array, items: {$ref: '#/components/schemas/Node'}}},
                additionalProperties: {$ref: '#/components/schemas/Node'}}",
    ));
    assert_eq!(code.fields("Node"), ["next: Option<Box<Node>>", "all: Option<Vec<Node>>"]);
}

#[test]
fn aliases_are_replaced_by_their_targets() {
    let code = code(&schemas(&format!(
        "{ALIASES}, Chat: {{required: [id, name, names], properties: {{
            id: {{$ref: '#/components/schemas/bigint'}}, name: {{$ref: '#/components/schemas/name'}},
            names: {{$ref: '#/components/schemas/names'}},
            wrapped: {{description: Wrapped., allOf: [{{$ref: '#/components/schemas/bigint'}}]}}}}}}"
    )));
    assert_eq!(code.types(), ["Chat"]);
    assert_eq!(
        code.fields("Chat"),
        ["id: i64", "name: Option<String>", "names: Vec<String>", "wrapped: Option<i64>"],
        "a nullable property is optional, also by an alias"
    );
    assert_eq!(code.field_doc("Chat", "wrapped"), "Wrapped.");
}

#[test]
fn a_reference_in_all_of_wins_over_the_type_beside_it() {
    let code = code(&schemas(
        "Icon: {properties: {url: {type: string}}},
         Chat: {required: [icon], properties: {icon: {type: string, allOf: [{$ref: '#/components/schemas/Icon'}]}}}",
    ));
    assert_eq!(code.fields("Chat"), ["icon: Icon"]);
}

#[test]
fn a_required_name_without_a_property_is_dropped() {
    let code = code(&schemas("Chat: {required: [ghost, id], properties: {id: {type: integer}}}"));
    assert_eq!(code.fields("Chat"), ["id: i64"]);
}

#[test]
fn a_nullable_property_is_optional_even_if_required() {
    let code = code(&schemas("Chat: {required: [id], properties: {id: {type: integer, nullable: true}}}"));
    assert_eq!(code.fields("Chat"), ["id: Option<i64>"]);
}

#[test]
fn optional_lists_and_maps_are_options() {
    let properties = "list: {type: array, items: {type: string}},
        map: {type: object, additionalProperties: {type: integer}}, free: {type: object}";
    let optional = code(&schemas(&format!("A: {{properties: {{{properties}}}}}")));
    assert_eq!(
        optional.fields("A"),
        ["list: Option<Vec<String>>", "map: Option<BTreeMap<String,i64>>", "free: Option<Map<String,Value>>"]
    );
    let required = code(&schemas(&format!("A: {{required: [list, map, free], properties: {{{properties}}}}}")));
    assert_eq!(required.fields("A"), ["list: Vec<String>", "map: BTreeMap<String,i64>", "free: Map<String,Value>"]);
}

#[test]
fn lists_and_maps_nest() {
    let code = code(&schemas(
        "Button: {properties: {text: {type: string}}},
         A: {required: [rows, maps], properties: {
            rows: {type: array, items: {type: array, items: {$ref: '#/components/schemas/Button'}}},
            maps: {type: object, additionalProperties: {type: object, additionalProperties: {type: boolean}}}}}",
    ));
    assert_eq!(code.fields("A"), ["rows: Vec<Vec<Button>>", "maps: BTreeMap<String,BTreeMap<String,bool>>"]);
}

#[test]
fn numbers_have_the_size_of_their_format() {
    let code = code(&schemas(
        "A: {required: [a, b, c, d, e, f, g], properties: {a: {type: integer}, b: {type: integer, format: int32},
            c: {type: integer, format: int64}, d: {type: number}, e: {type: number, format: double},
            f: {type: number, format: float}, g: {type: boolean}}}",
    ));
    assert_eq!(code.fields("A"), ["a: i64", "b: i32", "c: i64", "d: f64", "e: f64", "f: f32", "g: bool"]);
}

#[test]
fn an_empty_schema_is_any_json() {
    let code = code(&schemas(
        "Either: {oneOf: [{type: string}, {type: integer}]},
         A: {required: [any, either], properties: {any: {description: Whatever.},
            either: {$ref: '#/components/schemas/Either'}, list: {type: array, items: {}}}}",
    ));
    assert_eq!(code.fields("A"), ["any: Value", "either: Value", "list: Option<Vec<Value>>"]);
}

#[test]
fn formats_and_patterns_of_strings_are_left_to_the_server() {
    let code = code(&schemas(
        "A: {required: [a, b], properties: {a: {type: string, pattern: '^[a-z]+$', maxLength: 3, enum: [a, b]},
            b: {type: string, format: uuid}}}",
    ));
    assert_eq!(code.fields("A"), ["a: String", "b: String"], "an enum without a name is also a string");
}

#[test]
fn enum_schemas_are_open_enums() {
    let code = code(&schemas(
        "Kind: {type: string, description: 'Kind of a chat.', enum: [dialog, group_chat]},
         Chat: {required: [kind], properties: {kind: {$ref: '#/components/schemas/Kind'}}}",
    ));
    assert_eq!(code.fields("Chat"), ["kind: Kind"]);
    assert_eq!(code.enumeration("Kind").listed(), ["Dialog = dialog", "GroupChat = group_chat"]);
}

#[test]
fn an_enum_value_called_unknown_has_no_variant() {
    let kind = code(&schemas("Kind: {type: string, enum: [known, unknown]}")).enumeration("Kind");
    assert_eq!(kind.listed(), ["Known = known"], "`Unknown(String)` holds it");
}

#[test]
fn a_nullable_enum_is_an_optional_field() {
    let code = code(&schemas(
        "Kind: {type: string, nullable: true, enum: [a, null]},
         Chat: {required: [kind], properties: {kind: {$ref: '#/components/schemas/Kind'}}}",
    ));
    assert_eq!(code.fields("Chat"), ["kind: Option<Kind>"]);
    assert_eq!(code.enumeration("Kind").listed(), ["A = a"]);
}

#[test]
fn an_enum_of_numbers_is_a_number() {
    let code = code(&schemas(
        "Level: {type: integer, enum: [1, 2]}, A: {properties: {level: {$ref: '#/components/schemas/Level'}}}",
    ));
    assert_eq!(code.fields("A"), ["level: Option<i64>"]);
}

#[test]
fn x_id_names_the_type_of_an_id_everywhere() {
    let code = code(&schemas(
        "chat: {type: integer, x-id: ChatId},
         A: {required: [chat, users], properties: {chat: {$ref: '#/components/schemas/chat'},
            user: {type: integer, x-id: UserId, nullable: true},
            users: {type: array, items: {type: integer, x-id: UserId}}}}",
    ));
    assert_eq!(code.fields("A"), ["chat: ChatId", "user: Option<UserId>", "users: Vec<UserId>"]);
}

#[test]
fn x_boxed_schemas_are_boxed_where_a_field_holds_one() {
    let code = code(&request(
        "{$ref: '#/components/schemas/A'}",
        "Big: {x-boxed: true, properties: {text: {type: string}}},
         A: {required: [one], properties: {one: {$ref: '#/components/schemas/Big'},
            maybe: {$ref: '#/components/schemas/Big'}, many: {type: array, items: {$ref: '#/components/schemas/Big'}}}}",
    ));
    assert_eq!(code.fields("A"), ["one: Box<Big>", "maybe: Option<Box<Big>>", "many: Option<Vec<Big>>"]);
    assert_eq!(code.methods("A")[..2], ["new(one: implInto<Big>)", "one(one: implInto<Big>)"], "callers do not box");
}

#[test]
fn only_types_in_request_bodies_have_constructors_and_setters() {
    let code = code(&request(
        "{$ref: '#/components/schemas/Body'}",
        "Body: {required: [text], properties: {text: {type: string}, inner: {$ref: '#/components/schemas/Inner'},
            count: {type: integer, format: int32}, tags: {type: array, items: {type: string}}}},
         Inner: {properties: {flag: {type: boolean}}}, Other: {properties: {flag: {type: boolean}}}",
    ));
    assert_eq!(
        code.methods("Body"),
        [
            "new(text: implInto<String>)",
            "text(text: implInto<String>)",
            "inner(inner: implInto<Inner>)",
            "count(count: i32)",
            "tags(tags: implIntoIterator<Item=implInto<String>>)",
        ]
    );
    assert_eq!(code.methods("Inner"), ["new()", "flag(flag: bool)"]);
    assert_eq!(code.methods("Other"), [""; 0]);
}

#[test]
fn constructors_take_required_properties_in_the_order_of_the_document() {
    let code = code(&request(
        "{$ref: '#/components/schemas/Body'}",
        "Body: {required: [alpha, zeta], properties: {zeta: {type: integer}, middle: {type: integer},
            alpha: {type: boolean}}}",
    ));
    assert_eq!(code.methods("Body")[0], "new(zeta: i64, alpha: bool)");
}

#[test]
fn x_check_length_and_http_url_and_ids_are_checked_before_sending() {
    let code = code(&request(
        "{$ref: '#/components/schemas/Body'}",
        "Short: {type: string, minLength: 2, maxLength: 5, x-check: length},
         Body: {required: [text], properties: {text: {type: string, maxLength: 4000, x-check: length},
            short: {$ref: '#/components/schemas/Short'}, url: {type: string, x-check: http-url},
            mid: {type: string, x-id: MessageId}, chat: {type: integer, x-id: ChatId}, plain: {type: string}}}",
    ));
    let checks = code.checks("Body").expect("a body with checks");
    assert!(
        checks.contains("{letvalue=&self.text;crate::validation::max_length(value,4000usize,&at.field(\"text\"))?;}")
    );
    assert!(
        checks.contains("ifletSome(value)=&self.url{crate::validation::http_url(value,&at.field(\"url\"))?;}"),
        "{checks}"
    );
    for limit in ["min_length(value,2usize", "max_length(value,5usize"] {
        let check = format!("crate::validation::{limit},&at.field(\"short\"))?;");
        assert!(checks.contains(&check), "properties by an alias are checked, too: {checks}");
    }
    assert!(checks.contains("crate::validation::id(value,&at.field(\"mid\"))"), "{checks}");
    assert!(!checks.contains("\"chat\"") && !checks.contains("\"plain\""), "{checks}");
}

#[test]
fn x_check_items_range_and_url_are_checked_before_sending() {
    let code = code(&request(
        "{$ref: '#/components/schemas/Body'}",
        "Part: {properties: {link: {type: string, maxLength: 9, x-check: url}}},
         Body: {required: [count], properties: {
            parts: {type: array, maxItems: 32, x-check: items, items: {$ref: '#/components/schemas/Part'}},
            count: {type: integer, minimum: 0, maximum: 90, x-check: range}}}",
    ));
    let checks = code.checks("Body").expect("a body with checks");
    for check in [
        "ifletSome(value)=&self.parts{crate::validation::items(value.len(),None,Some(32usize),&at.field(\"parts\"))?;}",
        "crate::validation::Check::check(&self.parts,&at.field(\"parts\"))?;",
        "{letvalue=&self.count;crate::validation::range((*value).into(),Some(0i64),Some(90i64),&at.field(\"count\"))?;}",
    ] {
        assert!(checks.contains(check), "{check} is not in {checks}");
    }
    let checks = code.checks("Part").expect("a part with checks");
    let url = "crate::validation::max_length(value,9usize,&at.field(\"link\"))?;crate::validation::url(value,&at.field(\"link\"))?;";
    assert!(checks.contains(url), "{checks}");
}

#[test]
fn checks_include_nested_types_that_have_checks() {
    let code = code(&request(
        "{$ref: '#/components/schemas/Body'}",
        "Body: {properties: {parts: {type: array, items: {$ref: '#/components/schemas/Part'}},
            plain: {$ref: '#/components/schemas/Plain'}}},
         Part: {properties: {url: {type: string, x-check: http-url}}}, Plain: {properties: {a: {type: string}}}",
    ));
    let checks = code.checks("Body").expect("a body with checks inside");
    assert!(checks.contains("crate::validation::Check::check(&self.parts,&at.field(\"parts\"))?;"), "{checks}");
    assert!(!checks.contains("plain"), "{checks}");
    assert!(code.checks("Plain").is_none());
    assert!(code.sending("DoIt").contains("Check::check(value,&crate::validation::Place::root(\"body\"))"));
}

#[test]
fn groups_of_properties_are_checked_before_sending() {
    let code = code(&request(
        "{$ref: '#/components/schemas/Outer'}",
        "Outer: {required: [body], properties: {body: {$ref: '#/components/schemas/Body'}}},
         Body: {properties: {a: {type: string}, type: {type: integer}}, x-at-least-one-of: [a, type]}",
    ));
    let checks = code.checks("Body").expect("a body with a group");
    let group = "crate::validation::at_least_one(&[(\"a\",self.a.is_some()),(\"type\",self.type_.is_some())],at)?;";
    assert!(checks.contains(group), "{checks}");
    assert!(code.checks("Outer").expect("a body with checks inside").contains("Check::check(&self.body"));
}

#[test]
fn a_document_without_checks_has_no_code_for_them() {
    let code = code(&request("{$ref: '#/components/schemas/A'}", "A: {properties: {a: {type: string}}}"));
    assert!(code.checks("A").is_none());
    assert!(!code.sending("DoIt").contains("Check::check"));
}

#[test]
fn an_extension_in_the_wrong_place_is_an_error() {
    for (document, expected) in [
        (schemas("A: {x-boxed: true, type: string}"), "components.schemas.A: `x-boxed` on a schema that is an alias"),
        (
            schemas("A: {properties: {a: {type: array, items: {type: string, x-check: http-url}}}}"),
            "components.schemas.A.properties.a.items: `x-check` is for properties and parameters",
        ),
        (
            schemas("A: {properties: {a: {type: integer, x-check: http-url}}}"),
            "components.schemas.A.properties.a: `x-check: http-url` on a schema that is not of type `string`",
        ),
        (
            schemas("A: {properties: {a: {type: string, maximum: 5, x-check: range}}}"),
            "components.schemas.A.properties.a: `x-check: range` on a schema that is not of type `integer`",
        ),
        (
            schemas("A: {properties: {a: {type: array, maxLength: 5, items: {type: string}, x-check: items}}}"),
            "components.schemas.A.properties.a: `x-check: items` on a schema without `minItems` and `maxItems`",
        ),
        (
            operation(
                "parameters: [{name: a, in: query, schema: {type: array, maxItems: 5, items: {type: string}, x-check: items}}],
                responses: {200: {description: ''}}",
            ),
            "paths./things.post.parameters[0]: `x-check: items` is for properties, not for parameters",
        ),
        (
            schemas("A: {properties: {a: {x-id: not an id}}}"),
            "components.schemas.A.properties.a: `not an id` is not the name of a Rust type",
        ),
        (format!("x-example-frame: fn main\n{}", operation(super::DONE)), "x-example-frame: has no `{example}`"),
    ] {
        let error = error(&document);
        assert!(error.starts_with(&format!("doc.yaml: {expected}")), "{error}");
    }
}

#[test]
fn an_object_without_properties_is_an_empty_struct() {
    let code = code(&request(
        "{$ref: '#/components/schemas/U'}",
        "U: {required: [t], properties: {t: {type: string}}, discriminator: {propertyName: t, mapping: {a: A}}},
         A: {allOf: [{$ref: '#/components/schemas/U'}]}",
    ));
    assert_eq!(code.fields("A"), [""; 0]);
    assert_eq!(code.methods("A"), ["new()"]);
    assert!(code.text.contains("pub struct A {}"), "a map would contain the tag, too: {}", code.text);
    assert!(!code.text.contains("deny_unknown_fields"));
}
