//! The code generator: small documents in, the items of the generated code or the error out.

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

/// What becomes of a document without its head, as `doc.yaml`.
fn result(document: &str) -> Result<Code, String> {
    overlaid(document, NO_ACTIONS)
}

/// The same with an overlay, as `overlay.yaml`.
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

/// The code of a document that is right.
#[track_caller]
fn code(document: &str) -> Code {
    result(document).unwrap_or_else(|error| panic!("{error}\n{document}"))
}

/// The message about a document that is wrong.
#[track_caller]
fn error(document: &str) -> String {
    result(document).map(|code| code.text).expect_err("the document should be refused")
}

/// A document of these schemas.
fn schemas(schemas: &str) -> String {
    format!("components: {{schemas: {{{schemas}}}}}\n")
}

/// A document of one operation, `doIt`, with these keys.
fn operation(keys: &str) -> String {
    format!("paths: {{/things: {{post: {{operationId: doIt, {keys}}}}}}}\n")
}

/// A document of one operation with a JSON body of this schema, and these schemas.
fn request(body: &str, others: &str) -> String {
    let keys = format!("requestBody: {{content: {{application/json: {{schema: {body}}}}}}}, {DONE}");
    format!("{}{}", operation(&keys), schemas(others))
}

/// An answer without a body.
const DONE: &str = "responses: {200: {description: Done}}";
