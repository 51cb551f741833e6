//! A JSON writer with random formatting.

use serde_json::Value;

use super::Random;

/// A writer of JSON with random white space, escapes and notations of floats.
pub(crate) struct Writer<'r> {
    random: &'r mut Random,
    /// Chance of white space at each place where it is allowed, in percent.
    spaces: usize,
    /// Chance of an escape at each character that does not need one, in percent.
    escapes: usize,
    text: String,
}

impl<'r> Writer<'r> {
    /// Creates a writer. `spaces` and `escapes` are the chances of optional white space and of unnecessary escapes, in
    /// percent.
    pub(crate) fn new(random: &'r mut Random, spaces: usize, escapes: usize) -> Self {
        Self { random, spaces, escapes, text: String::new() }
    }

    pub(crate) fn write(mut self, value: &Value) -> String {
        self.value(value);
        self.text
    }

    fn value(&mut self, value: &Value) {
        self.space();
        match value {
            Value::Null | Value::Bool(_) => self.text += &value.to_string(),
            Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
                Some(float) => self.float(float),
                None => self.text += &number.to_string(),
            },
            Value::String(text) => self.string(text),
            Value::Array(list) => {
                self.text.push('[');
                for (index, value) in list.iter().enumerate() {
                    self.separate(index);
                    self.value(value);
                }
                self.text.push(']');
            }
            Value::Object(object) => {
                self.text.push('{');
                for (index, (key, value)) in object.iter().enumerate() {
                    self.separate(index);
                    self.space();
                    self.string(key);
                    self.space();
                    self.text.push(':');
                    self.value(value);
                }
                self.text.push('}');
            }
        }
        self.space();
    }

    fn separate(&mut self, index: usize) {
        if index > 0 {
            self.text.push(',');
        }
    }

    fn space(&mut self) {
        if self.random.percent(self.spaces) {
            self.text += self.random.pick(&[" ", "\n", "\t", "\r\n", "  \n\t "]);
        }
    }

    fn float(&mut self, float: f64) {
        // The standard library writes exact digits at any precision. A reader must get the same number, even from more
        // digits than needed.
        let text = match self.random.below(5) {
            0 => format!("{float:?}"),
            1 => format!("{float:e}"),
            2 => format!("{float:E}"),
            3 => format!("{float:.25e}"),
            _ => format!("{float}"),
        };
        self.text += &text;
        if !text.contains(['.', 'e', 'E']) {
            self.text += ".0";
        }
    }

    fn string(&mut self, text: &str) {
        let plain = |text: &str| serde_json::to_string(text).expect("a string can be written as JSON");
        if self.escapes == 0 {
            self.text += &plain(text);
            return;
        }
        self.text.push('"');
        for char in text.chars() {
            let mut buffer = [0; 4];
            let plain = plain(char.encode_utf8(&mut buffer));
            match self.random.percent(self.escapes) {
                true if char == '/' => self.text += "\\/",
                true => {
                    for unit in char.encode_utf16(&mut [0; 2]) {
                        self.text += &format!("\\u{unit:04x}");
                    }
                }
                false => self.text += &plain[1..plain.len() - 1],
            }
        }
        self.text.push('"');
    }
}
