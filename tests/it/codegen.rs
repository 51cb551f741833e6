//! The code generator: small documents, and the generated items or the error.

#[path = "../../codegen/mod.rs"]
#[allow(dead_code)]
mod generator;

mod accessors;
mod code;
mod docs;
mod documents;
mod errors;
mod jsonpath;
mod keys;
mod merge;
mod names;
mod operations;
mod overlay;
mod requests;
mod schemas;
mod unions;

use code::Code;
use generator::Service;

const HEAD: &str = "openapi: 3.0.0\ninfo: {title: Test, version: '1'}\n";
const NO_ACTIONS: &str = "info: {version: '1'}\nactions: []\n";

/// Generates code from a document without its head, as `doc.yaml`.
fn result(document: &str) -> Result<Code, String> {
    overlaid(document, NO_ACTIONS)
}

/// Like [`result`], with an overlay, as `overlay.yaml`.
fn overlaid(document: &str, overlay: &str) -> Result<Code, String> {
    from_files(("doc.yaml", &format!("{HEAD}{document}")), ("overlay.yaml", overlay))
}

fn from_files(document: (&str, &str), overlay: (&str, &str)) -> Result<Code, String> {
    merged(&[Service { document, overlay: ("none.yaml", NO_ACTIONS) }], overlay)
}

/// Generates code from several documents, with the overlays of their services and an overlay of the merged document.
fn merged(services: &[Service<(&str, &str)>], overlay: (&str, &str)) -> Result<Code, String> {
    generator::generate_from_text(services, overlay, None).map(Code::new).map_err(|error| error.to_string())
}

/// Returns the code of a valid document.
#[track_caller]
fn code(document: &str) -> Code {
    result(document).unwrap_or_else(|error| panic!("{error}\n{document}"))
}

/// Returns the error of an invalid document.
#[track_caller]
fn error(document: &str) -> String {
    result(document).map(|code| code.text).expect_err("the document should be refused")
}

/// Returns a document of these schemas.
fn schemas(schemas: &str) -> String {
    format!("components: {{schemas: {{{schemas}}}}}\n")
}

/// Returns a document of one operation, `doIt`, with these keys.
fn operation(keys: &str) -> String {
    format!("paths: {{/things: {{post: {{operationId: doIt, {keys}}}}}}}\n")
}

/// Returns a document of one operation with a JSON body of this schema, and these other schemas.
fn request(body: &str, others: &str) -> String {
    let keys = format!("requestBody: {{content: {{application/json: {{schema: {body}}}}}}}, {DONE}");
    format!("{}{}", operation(&keys), schemas(others))
}

/// An answer without a body.
const DONE: &str = "responses: {200: {description: Done}}";
