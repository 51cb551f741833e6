//! The JSONPath of the generator: it matches the same nodes as a library, or names the unsupported syntax.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::generator::jsonpath::JsonPath;

/// Returns the matches of the library.
#[track_caller]
fn expected(query: &str, document: &Value) -> BTreeSet<String> {
    let path = serde_json_path::JsonPath::parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
    path.query_located(document).locations().map(|location| location.to_json_pointer()).collect()
}

#[track_caller]
fn found(query: &str, document: &Value) -> BTreeSet<String> {
    JsonPath::parse(query).unwrap_or_else(|error| panic!("{query}: {error}")).pointers(document)
}

#[test]
fn every_target_of_our_overlays_matches_like_the_library() {
    let read = |text: &str| yaml_serde::from_str::<Value>(text).expect("YAML");
    let documents = [include_str!("../../../openapi/tamtam.yaml"), include_str!("../../../openapi/max.yaml")].map(read);
    let overlays = [
        include_str!("../../../openapi/overlay.yaml"),
        include_str!("../../../openapi/tamtam.overlay.yaml"),
        include_str!("../../../openapi/max.overlay.yaml"),
        include_str!("../../../openapi/tolerance.yaml"),
    ];
    let mut queries = BTreeSet::new();
    for overlay in overlays.map(read) {
        let actions = overlay["actions"].as_array().expect("actions");
        queries.extend(actions.iter().filter_map(|action| Some(action["target"].as_str()?.to_owned())));
    }
    // The merge adds these keys, so neither document has them.
    queries.retain(|query: &String| !query.contains("x-services"));
    assert!(queries.len() > 40, "{}", queries.len());
    for query in queries {
        let expected = documents.each_ref().map(|document| expected(&query, document));
        assert!(expected.iter().any(|found| !found.is_empty()), "{query}");
        assert_eq!(documents.each_ref().map(|document| found(&query, document)), expected, "{query}");
    }
}

#[test]
fn every_supported_path_matches_like_the_library() {
    let document = json!({
        "a": {"b": [{"name": "x", "n": 1}, {"name": "y", "n": null}, "x", 2, [3]], "c/d": {"~": true}},
        "b": {"b": {"name": "y"}, "\u{444}": "x", "e": []}, "n": [0, 1, 1.0, 100, 1.5, 9007199254740993_i64], "": "x", "it's": 5,
    });
    for query in [
        "$",
        "$.a",
        "$.a.b",
        "$.none.b",
        "$.*",
        "$.a.*",
        "$..*",
        "$..b",
        "$..['b', 'name']",
        "$..[0]",
        "$.a.b[0, 2,0]",
        "$.a.b[9]",
        "$.a.b.name",
        "$.a['c/d'][ \"~\" ]",
        "$.b.\u{444}",
        "$['']",
        "$[\"it's\"]",
        "$.a.b[*].n",
        "$.a.b[?@ == 'x']",
        "$.a.b[?@ == 2 || @==\"x\"]",
        "$.a.b[?@.name == 'y']",
        "$..[?@.name=='x' || @.n == null]",
        "$[?@.b.name == 'y']",
        "$.a['c/d'][?@ == true]",
        "$.a.b[?@ == 'x', 0]",
        "$.b..name",
        "$.a[0]",
        "$.a.b['0']",
        "$.n[?@ == 1]",
        "$.n[?@ == 1.0]",
        "$.n[?@ == 1e2]",
        "$.n[?@ == -0]",
        "$.n[?@ == 1.5]",
        "$.n[?@ == 9007199254740993]",
    ] {
        assert_eq!(found(query, &document), expected(query, &document), "{query}");
    }
}

#[test]
fn unsupported_syntax_is_named() {
    for (query, error) in [
        ("", "expected `$` at its end"),
        ("a", "expected `$` at `a`"),
        ("$a", "expected `.`, `..` or `[` at `a`"),
        ("$.", "expected a name at its end"),
        ("$..", "expected a name at its end"),
        ("$.200", "expected a name, or an index in brackets, at `200`"),
        ("$[?@.0 == 1]", "expected a name, or an index in brackets, at `0 == 1]`"),
        ("$.a[", "expected a string, a number, true, false or null at its end"),
        ("$.a['b'", "expected `]` at its end"),
        ("$['b", "expected `'` at `b`"),
        ("$[1:2]", "expected `]` at `:2]`"),
        ("$[-1]", "neither a name nor an index: -1"),
        ("$[a]", "expected a string, a number, true, false or null at `a]`"),
        ("$[?@.a > 1]", "expected `==` at `> 1]`"),
        ("$[?length(@) == 1]", "expected `@` at `length(@) == 1]`"),
        ("$[?@ == 1 && @ == 2]", "expected `]` at `&& @ == 2]`"),
        ("$['\\u0061']", "escapes are not supported: \\u0061"),
    ] {
        assert_eq!(JsonPath::parse(query).err().as_deref(), Some(error), "{query}");
    }
}
