//! The part of JSONPath (RFC 9535) that overlays use: names, indices, wildcards, descendants, filters of `==` and `||`.
//!
//! Written by hand, because every dependent crate compiles the dependencies of the generator, and a JSONPath library
//! would add seven crates. The tests read the same targets with such a library.

use std::collections::BTreeSet;

use serde_json::Value;

/// A query.
pub(crate) struct JsonPath(Vec<Segment>);

/// A step from a node to some of its children. If it `descends`, also from all descendants of the node.
struct Segment {
    descends: bool,
    selectors: Vec<Selector>,
}

enum Selector {
    Name(String),
    Index(usize),
    All,
    /// Children that match at least one of these.
    Filter(Vec<Equal>),
}

/// `@.a.b == value`.
struct Equal {
    names: Vec<String>,
    value: Value,
}

impl JsonPath {
    /// Parses a query. The error names the expected token and its place.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader { rest: text.trim() };
        reader.expect("$")?;
        let mut segments = Vec::new();
        while !reader.rest.is_empty() {
            segments.push(reader.segment()?);
        }
        Ok(Self(segments))
    }

    /// Returns the JSON pointers to all matches.
    pub(crate) fn pointers(&self, root: &Value) -> BTreeSet<String> {
        let mut found = vec![(String::new(), root)];
        for segment in &self.0 {
            if segment.descends {
                found = found.into_iter().flat_map(with_descendants).collect();
            }
            let children = |node| segment.selectors.iter().flat_map(move |selector| selector.select(&node));
            found = found.into_iter().flat_map(children).collect();
        }
        found.into_iter().map(|(pointer, _)| pointer).collect()
    }
}

/// A value, and the pointer to it.
type Node<'a> = (String, &'a Value);

fn children<'a>((pointer, value): &Node<'a>) -> Vec<Node<'a>> {
    let child = |key: &str, value| (format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")), value);
    match value {
        Value::Object(object) => object.iter().map(|(key, value)| child(key, value)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(index, value)| child(&index.to_string(), value)).collect(),
        _ => Vec::new(),
    }
}

fn with_descendants(node: Node<'_>) -> Vec<Node<'_>> {
    let below: Vec<Node<'_>> = children(&node).into_iter().flat_map(with_descendants).collect();
    [node].into_iter().chain(below).collect()
}

impl Selector {
    fn select<'a>(&self, node: &Node<'a>) -> Vec<Node<'a>> {
        let mut children = children(node);
        let index = match (self, node.1) {
            (Self::Name(name), Value::Object(object)) => object.keys().position(|key| key == name),
            (Self::Index(index), Value::Array(_)) => Some(*index),
            (Self::Name(_) | Self::Index(_), _) => None,
            (Self::All, _) => return children,
            (Self::Filter(equals), _) => {
                children.retain(|(_, value)| equals.iter().any(|equal| equal.is_true_of(value)));
                return children;
            }
        };
        index.filter(|index| *index < children.len()).map(|index| vec![children.swap_remove(index)]).unwrap_or_default()
    }
}

impl Equal {
    fn is_true_of(&self, value: &Value) -> bool {
        match (self.names.iter().try_fold(value, |value, name| value.get(name)), &self.value) {
            // 1 equals 1.0. Two integers are compared exactly, because a large one loses precision as a float.
            (Some(Value::Number(found)), Value::Number(number)) if found.is_f64() || number.is_f64() => {
                found.as_f64() == number.as_f64()
            }
            (found, value) => found == Some(value),
        }
    }
}

/// The unread rest of a query.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn takes(&mut self, what: &str) -> bool {
        let rest = self.rest.strip_prefix(what);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Like `takes`, but skips white space first, which is allowed between the parts of a bracket.
    fn takes_next(&mut self, what: &str) -> bool {
        self.rest = self.rest.trim_start();
        self.takes(what)
    }

    fn expect(&mut self, what: &str) -> Result<(), String> {
        if self.takes_next(what) { Ok(()) } else { Err(self.expected(&format!("`{what}`"))) }
    }

    fn expected(&self, what: &str) -> String {
        if self.rest.is_empty() {
            format!("expected {what} at its end")
        } else {
            format!("expected {what} at `{}`", self.rest)
        }
    }

    /// Takes characters while `is_part` returns true. Fails if the first character is not a part. `what`: the name of
    /// the characters in the error message.
    fn while_(&mut self, is_part: impl Fn(char) -> bool, what: &str) -> Result<&'a str, String> {
        let (part, rest) = self.rest.split_at(self.rest.find(|letter| !is_part(letter)).unwrap_or(self.rest.len()));
        if part.is_empty() {
            return Err(self.expected(what));
        }
        self.rest = rest;
        Ok(part)
    }

    fn segment(&mut self) -> Result<Segment, String> {
        let descends = self.takes("..");
        let selectors = if self.takes("[") {
            let selectors = self.separated(",", Self::selector)?;
            self.expect("]")?;
            selectors
        } else if !descends && !self.takes(".") {
            return Err(self.expected("`.`, `..` or `[`"));
        } else if self.takes("*") {
            vec![Selector::All]
        } else {
            vec![Selector::Name(self.name()?)]
        };
        Ok(Segment { descends, selectors })
    }

    fn name(&mut self) -> Result<String, String> {
        if self.rest.starts_with(|first: char| first.is_ascii_digit()) {
            return Err(self.expected("a name, or an index in brackets,"));
        }
        self.while_(|letter| letter == '_' || letter.is_alphanumeric(), "a name").map(str::to_owned)
    }

    /// Reads one or more items between separators.
    fn separated<T>(&mut self, separator: &str, read: fn(&mut Self) -> Result<T, String>) -> Result<Vec<T>, String> {
        let mut all = vec![read(self)?];
        while self.takes_next(separator) {
            all.push(read(self)?);
        }
        Ok(all)
    }

    fn selector(&mut self) -> Result<Selector, String> {
        if self.takes_next("*") {
            return Ok(Selector::All);
        }
        if self.takes("?") {
            return self.separated("||", Self::equal).map(Selector::Filter);
        }
        match self.literal()? {
            Value::String(name) => Ok(Selector::Name(name)),
            value => match value.as_u64().and_then(|index| usize::try_from(index).ok()) {
                Some(index) => Ok(Selector::Index(index)),
                None => Err(format!("neither a name nor an index: {value}")),
            },
        }
    }

    fn equal(&mut self) -> Result<Equal, String> {
        self.expect("@")?;
        let mut names = Vec::new();
        while self.takes(".") {
            names.push(self.name()?);
        }
        self.expect("==")?;
        Ok(Equal { names, value: self.literal()? })
    }

    /// Reads a string in single or double quotes, or a number or a word of JSON.
    fn literal(&mut self) -> Result<Value, String> {
        for quote in ["'", "\""] {
            if self.takes_next(quote) {
                let (text, rest) = self.rest.split_once(quote).ok_or_else(|| self.expected(&format!("`{quote}`")))?;
                if text.contains('\\') {
                    return Err(format!("escapes are not supported: {text}"));
                }
                self.rest = rest;
                return Ok(text.into());
            }
        }
        let what = "a string, a number, true, false or null";
        let before = self.expected(what);
        let word = self.while_(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter), what)?;
        serde_json::from_str(word).map_err(|_| before)
    }
}
