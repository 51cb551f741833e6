//! From the OpenAPI document to Rust: read, overlay, check, model, lower, `progenitor`, emit.
//!
//! Nothing here knows a schema or an operation by name: what the real server taught stands in the overlay, as `x-`
//! extensions that any schema may carry (its head explains them).

mod docs;
mod document_check;
mod emit;
mod error;
pub(crate) mod jsonpath;
mod lower;
mod model;
mod names;
mod node;
mod overlay;
mod request_schemas;
mod yaml;

use std::{fs, path::Path};

use error::{Error, Result};

/// Reads the document and the overlay from files and returns the crate's generated code.
pub(crate) fn generate(document: &Path, overlay: &Path) -> Result<String> {
    generate_from_text(
        (&document.display().to_string(), &read(document)?),
        (&overlay.display().to_string(), &read(overlay)?),
    )
}

/// Reads the document and the tolerance from files and returns what requests must be like, as JSON.
pub(crate) fn requests(document: &Path, tolerance: &Path) -> Result<String> {
    requests_from_text(
        (&document.display().to_string(), &read(document)?),
        (&tolerance.display().to_string(), &read(tolerance)?),
    )
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path)
        .map_err(|error| Error::new("", format!("cannot read: {error}")).in_file(&path.display().to_string()))
}

/// The same from `(file name, YAML text)`; the names are for messages only.
pub(crate) fn requests_from_text(document: (&str, &str), tolerance: (&str, &str)) -> Result<String> {
    let in_tolerance = |error: Error| error.in_file(tolerance.0);
    let mut doc = yaml::read(document.1).map_err(|error| error.in_file(document.0))?;
    let actions = yaml::read(tolerance.1).map_err(in_tolerance)?;
    overlay::apply(&mut doc, &actions, &[request_schemas::TOLERATES]).map_err(in_tolerance)?;
    Ok(request_schemas::read(&doc).map_err(in_tolerance)?.to_string())
}

/// The same from `(file name, YAML text)`; the names are for messages only.
pub(crate) fn generate_from_text(document: (&str, &str), overlay: (&str, &str)) -> Result<String> {
    let (doc_name, overlay_name) = (document.0, overlay.0);
    let in_document = |error: Error| error.in_file(doc_name);
    let in_overlay = |error: Error| error.in_file(overlay_name);

    let mut doc = yaml::read(document.1).map_err(in_document)?;
    let actions = yaml::read(overlay.1).map_err(in_overlay)?;
    overlay::apply(&mut doc, &actions, &document_check::EXTENSIONS).map_err(in_overlay)?;

    document_check::check(&doc).map_err(in_document)?;
    let model = model::read(&doc).map_err(in_document)?;
    let lowered = lower::lower(&doc, &model).map_err(in_document)?;
    let tokens = progenitor_code(&lowered).map_err(in_document)?;
    emit::emit(&doc, &model, &lowered, tokens).map_err(in_document)
}

/// What `progenitor` makes of the lowered document: plain structs, and a `Client` with a method per operation.
fn progenitor_code(lowered: &lower::Lowered) -> Result<syn::File> {
    let fail = |message: String| Error::new("", message);
    let spec: openapiv3::OpenAPI = serde_json::from_value(lowered.document.clone())
        .map_err(|error| fail(format!("not an OpenAPI 3.0 document: {error}")))?;
    let mut settings = progenitor::GenerationSettings::new();
    settings.with_map_type("::std::collections::BTreeMap").with_derive("PartialEq");
    // `progenitor` knows the types by their Rust names.
    let mut open_ended = progenitor::TypePatch::default();
    open_ended.with_attr("#[non_exhaustive]");
    for name in &lowered.objects {
        settings.with_patch(names::type_ident(name).to_string(), &open_ended);
    }
    for (name, path) in &lowered.replacements {
        settings.with_replacement(
            names::type_ident(name).to_string(),
            path,
            std::iter::once(progenitor::TypeImpl::Display),
        );
    }
    let tokens = progenitor::Generator::new(&settings)
        .generate_tokens(&spec)
        .map_err(|error| fail(format!("progenitor: {error}")))?;
    syn::parse2(tokens).map_err(|error| fail(format!("progenitor wrote what is not Rust: {error}")))
}
