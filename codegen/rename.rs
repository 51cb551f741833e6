//! Renames schemas: `x-name` is the name in the generated code.

use serde_json::{Map, Value};

use super::{
    error::{Error, Result},
    node::{at, entries, text},
};

const NAME: &str = "x-name";
const PREFIX: &str = "#/components/schemas/";
/// Extensions whose value is the name of a schema.
const BY_NAME: [&str; 2] = ["x-same-as", "x-tag-of"];

/// Gives each schema its name in the generated code, and adapts all references to it.
pub(super) fn apply(document: &mut Value) -> Result<()> {
    let schemas = at(document, &["components"]).into_iter().flat_map(|components| entries(components, "schemas"));
    let renamed: Vec<(String, String)> =
        schemas.filter_map(|(name, node)| Some((name.clone(), text(node, NAME)?.to_owned()))).collect();
    for (old, new) in renamed {
        let Some(schemas) = document["components"]["schemas"].as_object_mut() else { continue };
        if schemas.contains_key(&new) {
            let place = format!("components.schemas.{old}.{NAME}");
            return Err(Error::new(place, format!("there is another schema `{new}`: choose a free name")));
        }
        // Keeps the order of the document, so that the generated code keeps its order, too.
        let schemas = std::mem::take(schemas);
        let schemas = schemas.into_iter().map(|(name, node)| (if name == old { new.clone() } else { name }, node));
        document["components"]["schemas"] = Value::Object(schemas.collect::<Map<_, _>>());
        refer(document, &old, &new);
    }
    Ok(())
}

/// Replaces all references to the schema `old` in a node.
fn refer(node: &mut Value, old: &str, new: &str) {
    match node {
        Value::String(text) if text.strip_prefix(PREFIX) == Some(old) => *text = format!("{PREFIX}{new}"),
        Value::Array(nodes) => nodes.iter_mut().for_each(|node| refer(node, old, new)),
        Value::Object(fields) => {
            for (key, node) in fields {
                match node {
                    Value::String(name) if name == old && BY_NAME.contains(&key.as_str()) => new.clone_into(name),
                    node => refer(node, old, new),
                }
            }
        }
        _ => {}
    }
}
