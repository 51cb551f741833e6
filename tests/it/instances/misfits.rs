//! Insertion of values that do not fit into valid instances.

use serde_json::{Map, Value};

use super::{Instances, ROOM};
use crate::{
    document::{Field, Shape},
    models::meaning::fits,
};

/// The minimum depth of a deep misfit: an element of a list in a message in an update has this depth.
const DEEP: usize = 5;

impl Instances<'_> {
    /// Inserts values that do not fit into an instance of a schema. Each affects only itself.
    pub(crate) fn mar(&mut self, value: &mut Value, schema: &str) {
        self.room = ROOM;
        self.mar_inside(value, self.tolerant.schema(schema), schema, 0);
    }

    fn mar_inside(&mut self, value: &mut Value, shape: &Shape, place: &str, depth: usize) {
        match (shape, value) {
            (Shape::Named(name), value) => self.mar_inside(value, self.tolerant.schema(name), name, depth),
            (Shape::Union(union), value) => {
                if let Some(member) = union.member_of(value) {
                    self.mar_inside(value, self.tolerant.schema(member), member, depth);
                }
            }
            (Shape::List(elements), Value::Array(list)) => {
                let place = format!("{place}[]");
                list.iter_mut().for_each(|value| self.mar_inside(value, &elements.shape, &place, depth + 1));
                while elements.received && self.random.percent(50) {
                    let Some((kind, misfit)) = self.misfit(&elements.shape) else { break };
                    self.note_misfit("an element of a list", kind, &place, depth + 1);
                    list.insert(self.random.below(list.len() + 1), misfit);
                }
            }
            (Shape::Map(elements), Value::Object(map)) => {
                let place = format!("{place}[]");
                map.values_mut().for_each(|value| self.mar_inside(value, &elements.shape, &place, depth + 1));
                while elements.received && self.random.percent(50) {
                    let (key, misfit) = (self.map_key(), self.misfit(&elements.shape));
                    let Some((kind, misfit)) = misfit.filter(|_| !map.contains_key(&key)) else { break };
                    self.note_misfit("an entry of a map", kind, &place, depth + 1);
                    map.insert(key, misfit);
                }
            }
            (Shape::Object(fields), Value::Object(object)) => {
                for field in fields {
                    let place = format!("{place}.{}", field.name);
                    if field.may_misfit() && self.random.percent(25) {
                        self.mar_property(object, field, &place, depth + 1);
                    } else if let Some(value) = object.get_mut(&field.name) {
                        self.mar_inside(value, &field.shape, &place, depth + 1);
                    }
                }
            }
            _ => {}
        }
    }

    fn mar_property(&mut self, object: &mut Map<String, Value>, field: &Field, place: &str, depth: usize) {
        let what = if field.needed { "a property with a default" } else { "an optional property" };
        if field.needed && self.random.percent(30) {
            object.remove(&field.name);
            return self.note_misfit(what, "missing", place, depth);
        }
        // A null fits an optional property.
        let misfit = self.misfit(&field.shape).filter(|(_, value)| field.needed || !value.is_null());
        if let Some((kind, value)) = misfit {
            self.note_misfit(what, kind, place, depth);
            object.insert(field.name.clone(), value);
        }
    }

    fn note_misfit(&mut self, what: &str, kind: &str, place: &str, depth: usize) {
        self.note(format!("{what} that is {kind}"));
        if depth >= DEEP {
            self.note("a misfit deep inside");
        }
        self.marred.insert(place.to_owned());
    }

    /// Returns a value that does not fit a received schema, and the kind of its error. Returns `None` for a union,
    /// which accepts every value.
    fn misfit(&mut self, shape: &Shape) -> Option<(&'static str, Value)> {
        let shape = self.tolerant.resolve(shape);
        let (kind, misfit) = match (shape, self.random.below(6)) {
            (Shape::Union(_), _) => return None,
            (Shape::Object(_), 0) => {
                let fields = self.fields(shape);
                ("a list for an object", fields.into_iter().map(|(_, value)| value).collect())
            }
            (Shape::Object(fields), 1..4) if fields.iter().any(|field| field.needed && !field.may_misfit()) => {
                self.bad_object(fields, shape)
            }
            (_, 4) => ("null", Value::Null),
            _ => match self.wrong(shape) {
                Value::Null => ("null", Value::Null),
                wrong => ("of a wrong type", wrong),
            },
        };
        assert!(!fits(self.tolerant, shape, &misfit), "the value fits, although it is {kind}: {misfit}");
        Some((kind, misfit))
    }

    /// Returns an object in which one required property is missing or invalid.
    fn bad_object(&mut self, fields: &[Field], shape: &Shape) -> (&'static str, Value) {
        let needed: Vec<&Field> = fields.iter().filter(|field| field.needed && !field.may_misfit()).collect();
        let field = self.random.pick(&needed);
        let mut object = self.fields(shape);
        object.remove(&field.name);
        let misfit = if self.random.percent(50) { self.misfit(&field.shape) } else { None };
        let kind = match misfit {
            Some((_, misfit)) => {
                object.insert(field.name.clone(), misfit);
                "an object with a bad required property"
            }
            None => "an object without a required property",
        };
        (kind, self.finish(object, shape, None))
    }
}
