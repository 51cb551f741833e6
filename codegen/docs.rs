//! Turns descriptions of the document into rustdoc: adds limits and defaults, links names, keeps code blocks out of
//! doctests.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{names, node::flag};

/// Returns a description with the limits, default, services and versions of these nodes.
pub(super) fn described(description: Option<&str>, nodes: &[&Value]) -> String {
    let mut out = description.unwrap_or_default().trim().to_owned();
    let facts: Vec<String> = nodes.iter().flat_map(|node| facts(node).into_iter().chain(provenance(node))).collect();
    if !facts.is_empty() {
        if !out.is_empty() {
            out.push_str("\n\n");
        }
        out.push_str(&facts.join(" "));
    }
    out
}

fn facts(schema: &Value) -> Vec<String> {
    let number = |key: &str| schema.get(key).filter(|value| value.is_number());
    let between = |low: &str, high: &str, unit: &str| match (number(low), number(high)) {
        (Some(low), Some(high)) => Some(format!("From {low} to {high}{unit}.")),
        (Some(low), None) if low == 1 && unit == " items" => Some("The list contains at least one item.".to_owned()),
        (Some(low), None) if low == 1 && !unit.is_empty() => Some("Not an empty string.".to_owned()),
        (Some(low), None) => Some(format!("At least {low}{unit}.")),
        (None, Some(high)) => Some(format!("At most {high}{unit}.")),
        (None, None) => None,
    };
    let mut facts: Vec<String> = [
        between("minLength", "maxLength", " characters"),
        between("minimum", "maximum", ""),
        between("minItems", "maxItems", " items"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if flag(schema, "uniqueItems") {
        facts.push("The list contains no duplicates.".to_owned());
    }
    let if_missing = match &schema["x-default"] {
        // The description says what replaces the value.
        _ if !schema["x-join"].is_null() => None,
        Value::String(text) if text.is_empty() && schema["type"] == "string" => Some("Empty".to_owned()),
        default @ (Value::Number(_) | Value::Bool(_)) => Some(format!("`{default}`")),
        _ => None,
    };
    if let Some(default) = if_missing {
        facts.push(format!("{default} if the server does not send the value."));
    }
    if let Some(default) = schema.get("default") {
        let default =
            match (default.as_str(), schema["allOf"][0]["$ref"].as_str().and_then(|path| path.rsplit_once('/'))) {
                (Some(value), Some((_, name))) => format!("{}::{}", names::type_ident(name), names::type_ident(value)),
                (Some(value), None) => value.to_owned(),
                (None, _) => default.to_string(),
            };
        facts.push(format!("Defaults to `{default}`."));
    }
    facts
}

/// Returns the documentation of a setter from the description of its field or parameter. For example, `Title of the
/// chat; null or absent if not set.` becomes `Sets the title of the chat.`
pub(super) fn setter(name: &str, description: &str) -> String {
    let description = &requirement(description.trim());
    if description.starts_with("Sets ") {
        return description.clone();
    }
    if description.is_empty() {
        return format!("Sets `{name}`.");
    }
    if !description.starts_with(|first: char| first.is_ascii_uppercase()) {
        return format!("Sets `{name}`.\n\n{description}");
    }
    let paragraph = description.split("\n\n").next().unwrap_or_default();
    let end = [". ", ".\n"].iter().filter_map(|end| paragraph.find(end)).min();
    let (sentence, rest) = description.split_at(end.unwrap_or_else(|| paragraph.trim_end_matches('.').len()));
    let sentence = sentence.split("; `None`").next().and_then(|text| text.split("; null").next()).unwrap_or_default();
    let rest = rest.strip_prefix('.').unwrap_or(rest);
    let article = match sentence.split_whitespace().next() {
        Some("Whether" | "The" | "A" | "An" | "All") => "",
        _ => "the ",
    };
    format!("Sets {article}{}.{rest}", decapitalized(sentence))
}

/// Words the facts about a value as requirements on the caller.
pub(super) fn requirement(description: &str) -> String {
    let description = description.replace("Not an empty string.", "Must not be an empty string.");
    let description = description.replace("The list contains at least", "The list must contain at least");
    description.replace("The list contains no duplicates.", "The list must not contain duplicates.")
}

/// Returns the indefinite article of a name: `an Update`, but `a User`.
pub(super) fn article(name: &str) -> &'static str {
    let is_vowel = name.starts_with(['A', 'E', 'I', 'O', 'U']) && !name.starts_with("User") && !name.starts_with("Uni");
    if is_vowel { "an" } else { "a" }
}

/// Returns a text that can continue a sentence. An abbreviation at the start keeps its capital letters.
pub(super) fn decapitalized(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) if !chars.clone().next().is_some_and(char::is_uppercase) => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}

/// Returns the services that have an item, and the version that added it, as sentences.
pub(super) fn provenance(node: &Value) -> Option<String> {
    let only = services(node.get("x-services"));
    let since = node.get("x-since").and_then(Value::as_object).into_iter().flatten();
    let since = since.map(|(service, version)| {
        format!("Added to the {service} API in version {}.", version.as_str().unwrap_or_default())
    });
    let all: Vec<String> = only.into_iter().chain(since).collect();
    (!all.is_empty()).then(|| all.join(" "))
}

/// Returns a sentence such as `MAX only.`
pub(super) fn services(services: Option<&Value>) -> Option<String> {
    let names: Vec<&str> = services?.as_array()?.iter().filter_map(Value::as_str).collect();
    (!names.is_empty()).then(|| format!("{} only.", names.join(" and ")))
}

/// Appends a paragraph.
pub(super) fn with_paragraph(text: String, paragraph: Option<String>) -> String {
    match paragraph {
        Some(paragraph) if text.is_empty() => paragraph,
        Some(paragraph) => format!("{text}\n\n{paragraph}"),
        None => text,
    }
}

/// The names of Rust items in links, with their paths, by the names of the items in the document.
#[derive(Debug, Default)]
pub(super) struct Links(BTreeMap<String, (String, String)>);

impl Links {
    /// Adds an item. `shown`: its name in Rust, such as `Api::send_message`.
    pub(super) fn add(&mut self, name: &str, shown: String, path: String) {
        self.0.insert(name.to_owned(), (shown, path));
    }

    /// Links `` `Name` ``, `` `Name.property` `` and `` `operationId` `` outside code blocks, and marks code blocks
    /// without a language as text. An operation is shown as its method of `Api`.
    pub(super) fn rustdoc(&self, description: &str) -> String {
        let description = in_words_of_rust(description.trim());
        let mut out = Vec::new();
        let mut in_code = false;
        for line in description.lines() {
            // A backtick after the fence means inline code, such as ```` ```text``` ````.
            if let Some(language) = line.trim_start().strip_prefix("```").filter(|rest| !rest.contains('`')) {
                let opens = !in_code;
                in_code = opens;
                out.push(if opens && language.trim().is_empty() { format!("{line}text") } else { line.to_owned() });
            } else if in_code {
                out.push(line.to_owned());
            } else {
                out.push(self.link(line));
            }
        }
        out.join("\n")
    }

    fn link(&self, line: &str) -> String {
        if line.matches('`').count() % 2 == 1 {
            return line.to_owned();
        }
        let mut out = String::new();
        for (index, part) in line.split('`').enumerate() {
            let is_code = index % 2 == 1;
            match self.0.get(part).filter(|_| is_code) {
                Some((shown, path)) if !out.ends_with('[') => out.push_str(&format!("[`{shown}`]({path})")),
                _ if is_code => out.push_str(&format!("`{part}`")),
                _ => out.push_str(part),
            }
        }
        out
    }
}

/// Replaces the states `null` and `absent` of JSON by `None`, outside code.
fn in_words_of_rust(description: &str) -> String {
    const PHRASES: [(&str, &str); 10] = [
        ("null, absent or empty", "`None` or empty"),
        ("Empty, null or absent", "`None` or empty"),
        ("absent or empty", "`None` or empty"),
        ("empty or null", "`None` or empty"),
        ("null or absent", "`None`"),
        ("Null or absent", "`None`"),
        ("absent", "`None`"),
        ("null", "`None`"),
        ("Null", "`None`"),
        ("Absent", "`None`"),
    ];
    let outside_code = |part: &str| {
        PHRASES.iter().fold(part.to_owned(), |part, (phrase, rust)| {
            // A line can end within a phrase.
            let ends = phrase.match_indices(' ').map(|(at, _)| format!("{}\n{}", &phrase[..at], &phrase[at + 1..]));
            ends.fold(part.replace(phrase, rust), |part, phrase| part.replace(&phrase, rust))
        })
    };
    let parts = description.split('`').enumerate();
    let parts: Vec<_> =
        parts.map(|(index, part)| if index % 2 == 0 { outside_code(part) } else { part.to_owned() }).collect();
    parts.join("`")
}

/// Removes the list of these values from a description, because each value has its own documentation.
pub(super) fn without_list<'a>(description: &str, values: impl Iterator<Item = &'a str> + Clone) -> String {
    let mut in_item = false;
    let kept = description.lines().filter(|line| {
        let line = line.trim();
        if line.starts_with("- ") {
            in_item = values.clone().any(|value| line.starts_with(&format!("- `{value}`:")));
        } else if line.is_empty() {
            in_item = false;
        }
        !in_item
    });
    kept.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// Adds the list items (``- `value`: text``) of `other` that `description` does not have.
pub(super) fn with_list_of(description: &str, other: &str) -> String {
    let values = other.lines().filter_map(|line| line.trim().strip_prefix("- `")?.split_once("`:"));
    let missing = values.filter(|(value, _)| listed(description, value).is_none());
    missing.fold(description.to_owned(), |all, (value, _)| {
        let separator =
            if all.lines().last().is_some_and(|line| line.trim_start().starts_with("- ")) { "\n" } else { "\n\n" };
        let text = listed(other, value).unwrap_or_default();
        format!("{}{separator}- `{value}`: {text}", all.trim_end())
    })
}

/// Returns the text of one value in the list of a description (``- `value`: text``).
pub(super) fn listed(description: &str, value: &str) -> Option<String> {
    let marker = format!("- `{value}`:");
    let mut lines = description.lines().map(str::trim);
    let mut found = lines.find_map(|line| line.strip_prefix(&marker))?.trim().to_owned();
    for line in lines.take_while(|line| !line.is_empty() && !line.starts_with("- ")) {
        found.push(' ');
        found.push_str(line);
    }
    let mut chars = found.chars();
    let first = chars.next()?.to_uppercase().to_string();
    let mut out = first + chars.as_str();
    if !out.ends_with(['.', '!', '?']) {
        out.push('.');
    }
    Some(out)
}

/// Returns a name in words, for items without a description.
pub(super) fn words(name: &str) -> String {
    let words = names::snake(name).replace('_', " ");
    let mut chars = words.chars();
    match chars.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), chars.as_str()),
        None => format!("`{name}`."),
    }
}
