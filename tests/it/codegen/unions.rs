//! Discriminated unions, and enums of their tags.

use super::{code, request, schemas};

/// A base with a mapping, as in the official document.
const UPDATES: &str = "
    Update: {description: \"Something happened.\\n\\n- `created`: a message came\\n- `gone`: the message\\n  went away\",
        required: [kind, at], properties: {kind: {type: string}, at: {type: integer}},
        discriminator: {propertyName: kind, mapping: {created: '#/components/schemas/Created', gone: Gone}}},
    Created: {description: Of the schema., allOf: [{$ref: '#/components/schemas/Update'},
        {required: [text], properties: {text: {type: string}}}]},
    Gone: {allOf: [{$ref: '#/components/schemas/Update'}]}";

#[test]
fn a_base_with_a_mapping_is_a_union_of_its_leaves() {
    let code = code(&schemas(UPDATES));
    let update = code.enumeration("Update");
    assert_eq!(update.tag.as_deref(), Some("kind"));
    assert_eq!(update.listed(), ["Created(Created) = created", "Gone(Gone) = gone"]);
    assert_eq!(update.from, ["Created", "Gone"]);
    assert_eq!(code.types(), ["Created", "Gone", "Update"], "the base itself is not a struct");
}

#[test]
fn leaves_inherit_all_properties_except_the_tag() {
    let code = code(&schemas(UPDATES));
    assert_eq!(code.fields("Created"), ["at: i64", "text: String"]);
    assert_eq!(code.fields("Gone"), ["at: i64"]);
}

#[test]
fn one_of_with_a_mapping_is_a_union_too() {
    let code = code(&schemas(
        "Shape: {oneOf: [{$ref: '#/components/schemas/Dot'}, {$ref: '#/components/schemas/Line'}],
            discriminator: {propertyName: type, mapping: {dot: '#/components/schemas/Dot', long_line: Line}}},
         Dot: {required: [type], properties: {type: {type: string}, x: {type: number}}},
         Line: {properties: {length: {type: number}}},
         Picture: {required: [shapes], properties: {
            shapes: {type: array, items: {$ref: '#/components/schemas/Shape'}}}}",
    ));
    assert_eq!(code.enumeration("Shape").listed(), ["Dot(Dot) = dot", "LongLine(Line) = long_line"]);
    assert_eq!(code.fields("Dot"), ["x: Option<f64>"]);
    assert_eq!(code.fields("Picture"), ["shapes: Vec<Shape>"]);
}

#[test]
fn differently_typed_properties_with_one_name_share_one_slot() {
    let code = code(&schemas(
        "U: {discriminator: {propertyName: t, mapping: {a: A, b: B}}, properties: {same: {type: boolean}}},
         A: {allOf: [{$ref: '#/components/schemas/U'},
            {properties: {clash: {type: integer}, object: {$ref: '#/components/schemas/X'}}}]},
         B: {allOf: [{$ref: '#/components/schemas/U'},
            {properties: {clash: {type: string}, object: {$ref: '#/components/schemas/Y'}}}]},
         X: {properties: {x: {type: integer}, deep: {type: integer}}},
         Y: {properties: {y: {type: integer}, deep: {type: array, items: {type: integer}}}}",
    ));
    let mut slots = code.slots("U");
    slots.sort();
    let raw = "Option<&'avalue::RawValue>";
    assert_eq!(
        slots,
        [
            vec![format!("deep: {raw}"), "x: Option<i64>".to_owned(), "y: Option<i64>".to_owned()],
            vec![
                "tag_: ::std::borrow::Cow<'a,str>".to_owned(),
                format!("clash: {raw}"),
                "object: Option<crate::json::union::Object<Flat_1<'a>>>".to_owned(),
                "same: Option<bool>".to_owned()
            ],
        ]
    );
    assert!(code.text.contains("from_str(value.get()).ok()?"), "read when the tag is known\n{}", code.text);
}

#[test]
fn a_leaf_may_inherit_from_a_union_that_has_no_properties() {
    let code = code(&schemas(
        "U: {discriminator: {propertyName: t, mapping: {a: A}}}, A: {allOf: [{$ref: '#/components/schemas/U'}]}",
    ));
    assert_eq!(code.types(), ["A", "U"]);
    assert_eq!(code.fields("A"), [""; 0]);
}

#[test]
fn variants_are_documented_by_the_union_their_schema_or_their_name() {
    let update = code(&schemas(UPDATES)).enumeration("Update");
    assert_eq!(update.variants[0].doc, "A message came.");
    assert_eq!(update.variants[1].doc, "The message went away.", "a text over two lines");
    assert_eq!(update.doc, "Something happened.", "the list is not repeated");
    let unlisted = code(&schemas(&UPDATES.replace("- `created`", "- `other`").replace("- `gone`", "- `more`")));
    let unlisted = unlisted.enumeration("Update");
    assert_eq!(unlisted.variants[0].doc, "Of the schema.");
    assert_eq!(unlisted.variants[1].doc, "Gone.");
}

#[test]
fn a_schema_under_two_tags_does_not_convert_into_the_union() {
    let union = code(&schemas(
        "Mark: {discriminator: {propertyName: t, mapping: {em: Plain, strong: Plain, link: Link}}},
         Plain: {properties: {t: {type: string}}}, Link: {properties: {url: {type: string}}}",
    ));
    let union = union.enumeration("Mark");
    assert_eq!(union.listed(), ["Em(Plain) = em", "Strong(Plain) = strong", "Link(Link) = link"]);
    assert_eq!(union.from, ["Link"]);
}

#[test]
fn x_tag_of_generates_a_documented_enum_of_the_tags() {
    let code = code(&schemas(&format!(
        "{UPDATES}, Hook: {{properties: {{kinds: {{type: array, items: {{type: string, x-tag-of: Update}}}}}}}}"
    )));
    assert_eq!(code.fields("Hook"), ["kinds: Option<Vec<UpdateType>>"]);
    let tags = code.enumeration("UpdateType");
    assert_eq!((tags.tag.as_deref(), tags.listed()), (None, vec!["Created = created".into(), "Gone = gone".into()]));
    assert_eq!(tags.variants[0].doc, "A message came.");
    assert_eq!(tags.doc, "A kind of [`Update`](crate::api::types::Update): the value of `kind` in JSON.");
}

#[test]
fn an_existing_tag_enum_is_used_unchanged() {
    let code = code(&schemas(&format!(
        "{UPDATES}, UpdateType: {{type: string, enum: [created, other]}},
         Hook: {{required: [kind], properties: {{kind: {{x-tag-of: Update}}}}}}"
    )));
    assert_eq!(code.fields("Hook"), ["kind: UpdateType"]);
    assert_eq!(code.enumeration("UpdateType").listed(), ["Created = created", "Other = other"]);
}

#[test]
fn members_of_a_union_in_a_request_have_constructors_without_the_tag() {
    let code = code(&request("{$ref: '#/components/schemas/Update'}", UPDATES));
    assert_eq!(code.methods("Created")[0], "new(at: i64, text: implInto<String>)");
    assert_eq!(code.api(), ["do_it(body: implInto<Update>)"]);
}

#[test]
fn checks_of_a_union_call_the_checks_of_its_members() {
    let checked = UPDATES.replace("{text: {type: string}}", "{text: {type: string, maxLength: 9, x-check: length}}");
    let code = code(&request("{$ref: '#/components/schemas/Update'}", &checked));
    let checks = code.checks("Update").expect("a union with checks");
    assert!(checks.contains("Self::Created(value)=>crate::validation::Check::check(value,at),_=>Ok(())"), "{checks}");
}
