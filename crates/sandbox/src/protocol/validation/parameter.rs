//! Parameters of the path and the query. Their text is parsed by the schema, then validated like other values.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::schema::{Schemas, What, Wrong};
use super::tolerance::Tolerance;

const COMMA: char = ',';

pub(super) struct Parameter {
    pub(super) name: String,
    place: Place,
    required: bool,
    schema: Value,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Path,
    Query,
}

impl Parameter {
    pub(super) fn read(node: &Value) -> Self {
        Self {
            name: node["name"].as_str().unwrap_or_default().to_owned(),
            place: if node["in"] == "path" { Place::Path } else { Place::Query },
            required: node["required"] == true,
            schema: node["schema"].clone(),
        }
    }

    pub(super) fn is_in_query(&self) -> bool {
        self.place == Place::Query
    }

    /// Returns the values of the parameter in a request. Values in the path are decoded, values in the query are not.
    pub(super) fn find<'a>(&self, path: &'a [(&'static str, String)], query: &'a [(String, &'a str)]) -> Vec<&'a str> {
        match self.place {
            Place::Path => path.iter().filter(|(name, _)| *name == self.name).map(|(_, text)| text.as_str()).collect(),
            Place::Query => query.iter().filter(|(name, _)| *name == self.name).map(|(_, text)| *text).collect(),
        }
    }

    pub(super) fn check(&self, given: &[&str], schemas: &Schemas, tolerance: Tolerance) -> Result<(), Wrong> {
        let value = match schemas.items(&self.schema) {
            Some(items) => self.read_list(given, items, schemas, tolerance)?,
            None => self.read_one(given, schemas, tolerance)?,
        };
        match value {
            Some(value) => schemas.check(&self.schema, &value, &self.name),
            None if self.required => Err(self.wrong(What::Missing)),
            None => Ok(()),
        }
    }

    fn read_list(
        &self,
        given: &[&str],
        items: &Value,
        schemas: &Schemas,
        tolerance: Tolerance,
    ) -> Result<Option<Value>, Wrong> {
        let is_encoded = |text: &&&str| text.to_ascii_lowercase().contains("%2c");
        if !tolerance.encoded_commas
            && let Some(text) = given.iter().find(is_encoded)
        {
            return Err(self.is_not("a list with plain commas", text));
        }
        if !tolerance.repeated_lists && given.len() > 1 {
            return Err(self.is_not("a list", &given.join("&")));
        }
        let texts = given.iter().map(|text| decode(text)).collect::<Vec<_>>();
        let texts = texts.iter().flat_map(|text| text.split(COMMA)).map(str::trim);
        // Splitting an empty list gives one empty item.
        let texts = texts.filter(|text| !text.is_empty() || !tolerance.empty_parameters);
        let values = texts.map(|text| self.value(text, items, schemas, tolerance)).collect::<Result<Vec<_>, _>>()?;
        Ok(Some(values).filter(|values| !values.is_empty()).map(Value::from))
    }

    fn read_one(&self, given: &[&str], schemas: &Schemas, tolerance: Tolerance) -> Result<Option<Value>, Wrong> {
        let Some(text) = given.first() else { return Ok(None) };
        let text = if self.is_in_query() { decode(text) } else { (*text).to_owned() };
        // A blank value of a required parameter counts as missing. An optional parameter may be empty.
        let is_absent = if self.required { text.trim().is_empty() } else { text.is_empty() };
        if is_absent && (self.required || tolerance.empty_parameters)
            || text == "null" && schemas.is_nullable(&self.schema)
        {
            return Ok(None);
        }
        self.value(&text, &self.schema, schemas, tolerance).map(Some)
    }

    fn value(&self, text: &str, schema: &Value, schemas: &Schemas, tolerance: Tolerance) -> Result<Value, Wrong> {
        match schemas.type_of(schema) {
            "integer" => text.trim().parse::<i64>().map(Value::from).map_err(|_| self.is_not("a number", text)),
            "boolean" => {
                let text = if tolerance.booleans_in_any_case { text.to_ascii_lowercase() } else { text.to_owned() };
                text.parse::<bool>().map(Value::from).map_err(|_| self.is_not("a boolean", &text))
            }
            _ => Ok(text.into()),
        }
    }

    fn is_not(&self, expected: &'static str, value: &str) -> Wrong {
        self.wrong(What::Type { expected, value: value.to_owned() })
    }

    fn wrong(&self, what: What) -> Wrong {
        Wrong { path: self.name.clone(), what }
    }
}

/// Decodes a value of the query, where a plus is a space.
fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}
