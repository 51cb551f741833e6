//! The operations in the document of a service.

use std::{collections::BTreeSet, sync::LazyLock};

use serde_json::Value;
use tamtam::{Service, http::Method};

/// Returns the names of all operations.
pub(crate) fn all(service: &Service) -> BTreeSet<String> {
    let methods = load(service)["paths"].as_object().into_iter().flat_map(|paths| paths.values());
    let operations = methods.filter_map(|methods| methods.as_object()).flat_map(|methods| methods.values());
    operations.filter_map(|operation| operation["operationId"].as_str().map(str::to_owned)).collect()
}

/// Returns the name of the operation that a request calls, or `None` if the document has no such operation.
pub(crate) fn find(service: &Service, method: &Method, path: &str) -> Option<String> {
    let paths = load(service)["paths"].as_object()?;
    let fitting = paths.iter().filter(|(template, _)| fits(template, path));
    let named = fitting.filter_map(|(template, operations)| {
        let id = operations[method.as_str().to_lowercase()]["operationId"].as_str()?;
        Some((template, id.to_owned()))
    });
    // `/chats/-1` also fits the template of a link.
    named.min_by_key(|(template, _)| template.contains("{chatLink}")).map(|(_, id)| id)
}

/// Returns whether a path matches a template. The id of a chat is a number.
fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template.iter().zip(path).all(|(expected, found)| match *expected {
            "{chatId}" => found.parse::<i64>().is_ok(),
            parameter if parameter.starts_with('{') => !found.is_empty(),
            literal => literal == found,
        })
}

fn load(service: &Service) -> &'static Value {
    static TAMTAM: LazyLock<Value> = LazyLock::new(|| crate::document::load("tamtam"));
    static MAX: LazyLock<Value> = LazyLock::new(|| crate::document::load("max"));
    if *service == Service::Max { &MAX } else { &TAMTAM }
}
