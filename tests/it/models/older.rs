//! Instances of older versions of the API are read completely.

use tracing::level_filters::LevelFilter;

use super::{INSTANCES_AT_LEAST, SCHEMAS, Source, kept, meaning, seed, table, union, values};
use crate::{
    document::Document,
    instances::{Instances, Random},
    models::meaning::difference,
    traced::Traced,
};

/// Uses the official documents if `openapi/older` has them, as in `.ci/run`.
#[test]
fn instances_of_older_documents_have_nothing_unknown_and_no_misfit() {
    let seed = seed();
    println!("TAMTAM_SEED={seed}");
    let tolerant = Document::with_overlays();
    let older = Document::older();
    assert!(older.len() >= 3);
    for (version, document) in &older {
        let mut count = 0;
        for schema in document.types() {
            let random = Random::for_name(seed, &format!("{schema}, {version}"));
            let mut instances = Instances::new(document, &tolerant, random).clean();
            for value in values(&mut instances, schema, union(document, schema)) {
                let json = instances.write(&value);
                let (traced, guard) = Traced::start(LevelFilter::DEBUG);
                let read = table(SCHEMAS, schema)(&json, Source::Text);
                drop(guard);
                let written = read.unwrap_or_else(|error| panic!("{schema} of {version}: {error}\n{json}"));
                assert_eq!(traced.text(), "", "{schema} of {version}:\n{json}");
                let shape = tolerant.schema(schema);
                assert!(kept(&tolerant, shape, &json).is_empty(), "{schema} of {version}:\n{json}");
                let written = serde_json::from_str(&written).expect("JSON");
                let difference = difference(&meaning(&tolerant, shape, &value), &written, "");
                assert_eq!(difference, None, "{schema} of {version}:\n{json}");
                count += 1;
            }
        }
        println!("{count} instances of version {version}");
        assert!(count >= INSTANCES_AT_LEAST / 2, "{count} instances of version {version} are too few");
    }
}
