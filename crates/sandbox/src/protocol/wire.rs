//! Writes JSON as TamTam does: the tag of an object comes last.

use serde_json::Value;

/// The keys that identify the kind of an object. Captured payloads have them last, at every level. This order detects
/// clients that expect the tag first.
const TAGS: [&str; 3] = ["type", "update_type", "input_type"];

/// The `Content-Type` of answers and webhook requests.
pub(crate) const MEDIA_TYPE: &str = "application/json; charset=utf-8";

/// Returns a value as JSON text.
pub(crate) fn to_text(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            let (tags, others): (Vec<_>, Vec<_>) = map.iter().partition(|(key, _)| TAGS.contains(&key.as_str()));
            out.push('{');
            for (index, (key, member)) in others.into_iter().chain(tags).enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(&Value::from(key.as_str()), out);
                out.push(':');
                write(member, out);
            }
            out.push('}');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_tag_is_the_last_key_at_every_level() {
        let value = json!({ "update_type": "u", "z": [{ "type": "t", "zz": 1 }], "a": null });
        let text = to_text(&value);
        assert!(text.ends_with(r#""update_type":"u"}"#), "{text}");
        assert!(text.contains(r#"{"zz":1,"type":"t"}"#), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).ok(), Some(value));
    }

    #[test]
    fn strings_are_escaped() {
        let value = json!({ "\"\n": "\u{0}\\ ё" });
        assert_eq!(serde_json::from_str::<Value>(&to_text(&value)).ok(), Some(value));
    }
}
