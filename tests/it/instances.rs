//! Random instances of the document's schemas, determined by a seed.

mod misfits;
mod random;
mod writer;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

pub(crate) use self::random::Random;
use self::writer::Writer;
use crate::{
    document::{Document, Shape, Union},
    models::meaning::fits,
};

/// The number of objects and lists after which an instance gets only its needed parts.
const ROOM: usize = 60;

/// Texts that are often handled incorrectly.
const TEXTS: &[&str] = &[
    "",
    " ",
    "hi",
    "null",
    "0",
    "Привет, мир! Съешь же ещё этих мягких французских булок",
    "👨‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇺🇦 😀",
    "\"quoted\" 'back\\slash' and/or {\"json\": [1]}",
    "\u{0}\u{1}\u{8}\u{c}\u{1f}\u{7f}\u{80}",
    "one\ntwo\r\n\tthree",
    "\u{2028}\u{2029}\u{feff}\u{200b}\u{202e}abc",
    "e\u{301} \u{e9} ﷽ 漢字 עברית",
    "\u{d7ff}\u{e000}\u{fffd}\u{ffff}\u{10000}\u{10ffff}",
    "a+b/c==",
    "mid.ffffffffffffffff0000000000000001",
];

/// Keys that are in no schema.
const FOREIGN_KEYS: &[&str] =
    &["", "новое_поле", "🦀", "new_field", "Type", "$ref", "a.b", "key\u{0}", "\"", "__proto__"];

/// Keys of maps: photo ids in base64, user ids, and other strings.
const MAP_KEYS: &[&str] = &["AbC+/dEf==", "+/=", "", "0", "-9223372036854775808", "ключ 😀", "token", "\"\\\n"];

const INTEGERS: &[i64] = &[
    i64::MIN,
    i64::MIN + 1,
    -(1 << 53) - 1,
    i32::MIN as i64 - 1,
    i32::MIN as i64,
    -1,
    0,
    1,
    i32::MAX as i64,
    i32::MAX as i64 + 1,
    (1 << 53) + 1,
    i64::MAX - 1,
    i64::MAX,
];

/// Numbers that a fast but inexact parser reads incorrectly, and the ends of the range.
const FLOATS: &[f64] = &[
    0.0,
    -0.0,
    0.1 + 0.2,
    -1.5,
    1e22,
    1e23,
    8.41e21,
    55.755_826,
    9_007_199_254_740_993.0,
    2.225_073_858_507_201e-308,
    f64::MIN_POSITIVE,
    5e-324,
    -5e-324,
    f64::EPSILON,
    f64::MAX,
    f64::MIN,
];

const UNKNOWN_TAGS: &[&str] =
    &["", "message_created ", "IMAGE", "новый_тип", "🎲", "poll", "dialog_archived", "a\"b\\c", "null"];

/// A generator of instances of a document's schemas.
pub(crate) struct Instances<'d> {
    /// The document whose schemas are instantiated.
    document: &'d Document,
    /// The document that decides whether a spoilt instance still fits.
    tolerant: &'d Document,
    pub(crate) random: Random,
    /// Names of properties, used as unknown keys of other objects.
    keys: Vec<&'d str>,
    room: usize,
    /// Whether the instances contain only kinds, values and keys of the document.
    is_clean: bool,
    /// The generated features and their counts. Tests check that each feature was generated.
    pub(crate) made: BTreeMap<String, usize>,
    /// The places of values that do not fit: `Schema.property`, or `Schema.property[]` for an element.
    pub(crate) marred: BTreeSet<String>,
}

impl<'d> Instances<'d> {
    pub(crate) fn new(document: &'d Document, tolerant: &'d Document, random: Random) -> Self {
        // Names that only the tolerant document has would be known keys to a reader.
        let known: BTreeSet<_> = document.properties().collect();
        let added: Vec<_> = tolerant.properties().filter(|property| !known.contains(property)).map(|it| it.1).collect();
        let keys: BTreeSet<_> = known.into_iter().map(|(_, name)| name).filter(|name| !added.contains(name)).collect();
        let keys = keys.into_iter().chain(FOREIGN_KEYS.iter().copied()).collect();
        Self {
            document,
            tolerant,
            random,
            keys,
            room: ROOM,
            is_clean: false,
            made: BTreeMap::new(),
            marred: BTreeSet::new(),
        }
    }

    /// Restricts the generator to known kinds, values and keys.
    pub(crate) fn clean(mut self) -> Self {
        self.is_clean = true;
        self
    }

    /// Generates an instance of a schema.
    pub(crate) fn of(&mut self, name: &str) -> Value {
        self.room = ROOM;
        self.value(self.document.schema(name))
    }

    /// Generates an instance of a member of a union, with its tag.
    pub(crate) fn member_of(&mut self, union: &Union, tag: &str, member: &str) -> Value {
        self.room = ROOM;
        self.member(union, tag, member)
    }

    fn note(&mut self, what: impl Into<String>) {
        *self.made.entry(what.into()).or_default() += 1;
    }

    fn value(&mut self, shape: &Shape) -> Value {
        match self.document.resolve(shape) {
            Shape::Boolean => self.random.percent(50).into(),
            Shape::Text => self.text().into(),
            Shape::Enum(values) if !self.is_clean && self.random.percent(15) => self.unknown_enum_value(values).into(),
            Shape::Enum(values) => values[self.random.below(values.len())].as_str().into(),
            Shape::Integer { min, max } => self.integer(*min, *max).into(),
            Shape::Number if self.random.percent(15) => self.integer(i64::MIN, i64::MAX).into(),
            Shape::Number => self.float().into(),
            Shape::List(elements) => {
                let length = self.length();
                (0..length).map(|_| self.value(&elements.shape)).collect()
            }
            Shape::Map(elements) => {
                let length = self.length();
                (0..length).map(|_| (self.map_key(), self.value(&elements.shape))).collect()
            }
            Shape::Object(_) => {
                let object = self.fields(shape);
                self.finish(object, shape, None)
            }
            Shape::Union(union) => match if self.is_clean { 100 } else { self.random.below(100) } {
                0..12 => self.unknown_member(union),
                12..24 => self.spoilt_member(union),
                24..28 => {
                    self.note("a member without a tag");
                    self.anything(0)
                }
                _ => {
                    let (tag, member) = &union.members[self.random.below(union.members.len())];
                    self.member(union, tag, member)
                }
            },
            Shape::Named(_) => unreachable!("resolved"),
        }
    }

    /// Generates the properties of an object. Each is present, null or absent.
    fn fields(&mut self, shape: &Shape) -> Map<String, Value> {
        let Shape::Object(fields) = self.document.resolve(shape) else { panic!("only objects have fields") };
        self.room = self.room.saturating_sub(1);
        let mut object = Map::new();
        for field in fields {
            let (there, null) = match (field.needed, field.required) {
                (true, _) => (100, 0),
                (false, _) if self.room == 0 => (0, 0),
                (false, true) => (60, 25),
                (false, false) => (40, 20),
            };
            let choice = self.random.below(100);
            if choice < there {
                object.insert(field.name.clone(), self.value(&field.shape));
            } else if choice < there + null {
                self.note(if field.required { "a required null" } else { "an optional null" });
                object.insert(field.name.clone(), Value::Null);
            } else {
                self.note(if field.required { "an absent required field" } else { "an absent field" });
            }
        }
        object
    }

    /// Adds unknown keys to an object and shuffles its keys.
    fn finish(&mut self, mut object: Map<String, Value>, shape: &Shape, tag: Option<&str>) -> Value {
        let Shape::Object(fields) = self.document.resolve(shape) else { panic!("only objects have fields") };
        if !self.is_clean && self.random.percent(25) {
            for _ in 0..=self.random.below(3) {
                let key = self.random.pick(&self.keys);
                if Some(key) != tag && fields.iter().all(|field| field.name != key) {
                    self.note("an unknown key");
                    object.insert(key.to_owned(), self.anything(0));
                }
            }
        }
        let mut entries: Vec<_> = object.into_iter().collect();
        self.random.shuffle(&mut entries);
        match entries.iter().position(|(key, _)| Some(key.as_str()) == tag) {
            Some(0) => self.note("a tag in first position"),
            Some(at) if at + 1 == entries.len() => self.note("a tag in last position"),
            Some(_) => self.note("a tag in the middle"),
            None => {}
        }
        entries.into_iter().collect()
    }

    fn member(&mut self, union: &Union, tag: &str, member: &str) -> Value {
        let shape = self.document.schema(member);
        let mut object = self.fields(shape);
        object.insert(union.tag.clone(), tag.into());
        self.finish(object, shape, Some(&union.tag))
    }

    fn unknown_member(&mut self, union: &Union) -> Value {
        self.note("an unknown tag");
        let (tag, member) = &union.members[self.random.below(union.members.len())];
        // The fields of a known member, or any JSON. The tag is unknown, or a known one with an additional letter.
        let mut object = match self.random.below(3) {
            0 => self.fields(self.document.schema(member)),
            _ => self.object_of_anything(0),
        };
        let tag = if self.random.percent(20) { format!("{tag}s") } else { self.random.pick(UNKNOWN_TAGS).to_owned() };
        object.insert(union.tag.clone(), tag.into());
        let mut entries: Vec<_> = object.into_iter().collect();
        self.random.shuffle(&mut entries);
        entries.into_iter().collect()
    }

    /// Replaces or removes a part of an instance, so that it may no longer fit the schema.
    pub(crate) fn spoil_somewhere(&mut self, value: &mut Value, schema: &str) {
        self.spoil(value, self.tolerant.schema(schema));
    }

    /// Returns a value that does not fit a schema, or `None` for a union, which accepts every value.
    pub(crate) fn nothing_like(&mut self, schema: &str) -> Option<Value> {
        let shape = self.tolerant.schema(schema);
        (!matches!(shape, Shape::Union(_))).then(|| self.wrong(shape))
    }

    /// Generates a member of a union with an invalid body.
    fn spoilt_member(&mut self, union: &Union) -> Value {
        let (tag, member) = &union.members[self.random.below(union.members.len())];
        let mut value = self.member(union, tag, member);
        let shape = self.tolerant.schema(member);
        // Tries again if the spoilt value is inside a nested union, which accepts every value.
        for _ in 0..5 {
            self.spoil(&mut value, shape);
            if !fits(self.tolerant, shape, &value) {
                self.note("a known tag with an unreadable body");
                break;
            }
        }
        value
    }

    fn spoil(&mut self, value: &mut Value, shape: &Shape) {
        let descend = self.random.percent(60);
        match (self.tolerant.resolve(shape), &mut *value) {
            (Shape::Object(fields), Value::Object(object)) if descend || object.len() < 2 => {
                let present: Vec<_> = fields.iter().filter(|field| object.contains_key(&field.name)).collect();
                if !present.is_empty() {
                    let field = self.random.pick(&present);
                    if self.random.percent(20) {
                        object.remove(&field.name);
                    } else if let Some(value) = object.get_mut(&field.name) {
                        self.spoil(value, &field.shape);
                    }
                }
            }
            // The outermost object must stay an object to keep its tag, so only its fields are replaced.
            (Shape::Object(fields), Value::Object(object)) if !fields.is_empty() => {
                let field = &fields[self.random.below(fields.len())];
                object.insert(field.name.clone(), self.wrong(&field.shape));
            }
            (Shape::List(elements), Value::Array(list)) if descend && !list.is_empty() => {
                let index = self.random.below(list.len());
                self.spoil(&mut list[index], &elements.shape);
            }
            (Shape::Map(elements), Value::Object(map)) if descend && !map.is_empty() => {
                let index = self.random.below(map.len());
                if let Some(value) = map.values_mut().nth(index) {
                    self.spoil(value, &elements.shape);
                }
            }
            _ => *value = self.wrong(shape),
        }
    }

    /// Returns a value that does not fit a schema, or null if every value fits.
    fn wrong(&mut self, shape: &Shape) -> Value {
        let beyond = i64::MAX as u64 + 1;
        let far = i64::from(i32::MAX) + 1;
        let mut wrong = [
            json!(null),
            json!(true),
            json!("x"),
            json!(1),
            json!(0.5),
            json!(beyond),
            json!(far),
            json!([]),
            json!({}),
        ];
        self.random.shuffle(&mut wrong);
        // serde reads a list as a struct that is only sent. Neither the document nor the crate specifies this.
        let is_sent =
            matches!(self.tolerant.resolve(shape), Shape::Object(fields) if fields.iter().any(|it| !it.received));
        let mut wrong = wrong.into_iter().filter(|value| !(is_sent && value.is_array()));
        wrong.find(|value| !fits(self.tolerant, shape, value)).unwrap_or(Value::Null)
    }

    fn length(&mut self) -> usize {
        self.room = self.room.saturating_sub(1);
        let length = if self.room == 0 { 0 } else { self.random.pick(&[0, 0, 1, 1, 1, 2, 2, 3, 4]) };
        if length == 0 {
            self.note("an empty list or map");
        }
        length
    }

    fn text(&mut self) -> String {
        match self.random.below(200) {
            0 => {
                self.note("a very long text");
                self.random.pick(TEXTS).repeat(500)
            }
            1..120 => self.random.pick(TEXTS).to_owned(),
            _ => (0..self.random.below(12)).map(|_| self.char()).collect(),
        }
    }

    fn char(&mut self) -> char {
        let limit = self.random.pick(&[0x80, 0x800, 0x1_0000, 0x11_0000]);
        let code = u32::try_from(self.random.below(limit)).expect("a code point");
        // A Rust string cannot hold half a surrogate pair.
        char::from_u32(code).unwrap_or('\u{fffd}')
    }

    fn map_key(&mut self) -> String {
        if self.random.percent(70) { self.random.pick(MAP_KEYS).to_owned() } else { self.text() }
    }

    fn unknown_enum_value(&mut self, values: &[String]) -> String {
        let text = self.text();
        if values.contains(&text) {
            return self.unknown_enum_value(values);
        }
        self.note("an unknown value of an enum");
        text
    }

    fn integer(&mut self, min: i64, max: i64) -> i64 {
        let number = match self.random.below(3) {
            0 => self.random.pick(INTEGERS),
            1 => i64::try_from(self.random.below(1000)).expect("a small number"),
            _ => self.random.next().cast_signed() >> self.random.below(64),
        };
        let number = number.clamp(min, max);
        if number == i64::MIN || number == i64::MAX {
            self.note("an integer at an end of its range");
        }
        number
    }

    fn float(&mut self) -> f64 {
        if self.random.percent(40) {
            return self.random.pick(FLOATS);
        }
        let number = f64::from_bits(self.random.next());
        if number.is_finite() { number } else { self.float() }
    }

    /// Generates any JSON.
    fn anything(&mut self, depth: usize) -> Value {
        match self.random.below(if depth > 3 { 6 } else { 8 }) {
            0 => Value::Null,
            1 => self.random.percent(50).into(),
            2 => self.integer(i64::MIN, i64::MAX).into(),
            3 => (self.random.next() | 1 << 63).into(),
            4 => self.float().into(),
            5 => self.text().into(),
            6 => (0..self.random.below(4)).map(|_| self.anything(depth + 1)).collect(),
            _ => self.object_of_anything(depth).into(),
        }
    }

    fn object_of_anything(&mut self, depth: usize) -> Map<String, Value> {
        (0..self.random.below(5)).map(|_| (self.random.pick(&self.keys).to_owned(), self.anything(depth + 1))).collect()
    }

    /// Writes an instance as JSON with random white space, escapes and notations of floats.
    pub(crate) fn write(&mut self, value: &Value) -> String {
        let spaces = if self.random.percent(50) { 0 } else { 40 };
        let escapes = self.random.pick(&[0, 0, 30, 100]);
        Writer::new(&mut self.random, spaces, escapes).write(value)
    }
}
