//! Generates Rust from the OpenAPI documents: read, overlay, check, merge, model, lower, `progenitor`, emit.
//!
//! This code contains no names of schemas or operations. The overlays describe the behavior of real servers as `x-`
//! extensions, which the head of `openapi/overlay.yaml` explains.

mod docs;
mod document_check;
mod emit;
mod error;
mod history;
pub(crate) mod jsonpath;
mod lower;
mod merge;
mod model;
mod names;
mod node;
mod overlay;
mod rename;
mod request_schemas;
mod yaml;

use std::{fs, path::Path};

use serde_json::Value;

use error::{Error, Result};

/// A document and the overlay of its service, as paths or as file names with their text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Service<T> {
    pub(crate) document: T,
    pub(crate) overlay: T,
}

/// Reads the documents and the overlays from files, and returns the generated code of the crate. `overlay` is applied
/// to the merged document.
pub(crate) fn generate(services: &[Service<&Path>], overlay: &Path, history: &Path) -> Result<String> {
    let read = |path: &Path| Ok((path.display().to_string(), read(path)?));
    let texts: Vec<Service<(String, String)>> = services
        .iter()
        .map(|service| Ok(Service { document: read(service.document)?, overlay: read(service.overlay)? }))
        .collect::<Result<_>>()?;
    fn borrowed(file: &(String, String)) -> (&str, &str) {
        (&file.0, &file.1)
    }
    let services: Vec<_> = texts
        .iter()
        .map(|service| Service { document: borrowed(&service.document), overlay: borrowed(&service.overlay) })
        .collect();
    generate_from_text(&services, borrowed(&read(overlay)?), Some(borrowed(&read(history)?)))
}

/// Reads the documents and the tolerance from files. Returns the request schemas of each document as JSON, under the
/// name of its file, such as `tamtam`.
pub(crate) fn requests(documents: &[&Path], tolerance: &Path) -> Result<String> {
    let texts = documents.iter().map(|path| Ok((path.file_stem().unwrap_or_default().to_string_lossy(), read(path)?)));
    let texts: Vec<_> = texts.collect::<Result<_>>()?;
    let documents: Vec<_> = texts.iter().map(|(name, text)| (&**name, text.as_str())).collect();
    requests_from_text(&documents, (&tolerance.display().to_string(), &read(tolerance)?))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path)
        .map_err(|error| Error::new("", format!("cannot read: {error}")).in_file(&path.display().to_string()))
}

/// Returns the request schemas from pairs of `(name, YAML text)`.
pub(crate) fn requests_from_text(documents: &[(&str, &str)], tolerance: (&str, &str)) -> Result<String> {
    let in_tolerance = |error: Error| error.in_file(tolerance.0);
    let read = |(name, text): &(&str, &str)| yaml::read(text).map_err(|error| error.in_file(name));
    let mut read: Vec<_> = documents.iter().map(read).collect::<Result<_>>()?;
    let actions = yaml::read(tolerance.1).map_err(in_tolerance)?;
    overlay::apply_to_each(&mut read, &actions, &[request_schemas::TOLERATES]).map_err(in_tolerance)?;
    let schemas = documents
        .iter()
        .zip(&read)
        .map(|((name, _), document)| Ok(((*name).to_owned(), request_schemas::read(document).map_err(in_tolerance)?)));
    Ok(Value::Object(schemas.collect::<Result<_>>()?).to_string())
}

/// Returns the generated code from pairs of `(file name, YAML text)`. The names are for messages only.
pub(crate) fn generate_from_text(
    services: &[Service<(&str, &str)>],
    overlay: (&str, &str),
    history: Option<(&str, &str)>,
) -> Result<String> {
    let history = history.map(|file| yaml::read(file.1).map_err(|error| error.in_file(file.0))).transpose()?;
    let mut sources = Vec::new();
    for Service { document: (file, text), overlay } in services {
        let mut document = yaml::read(text).map_err(|error| error.in_file(file))?;
        apply(&mut document, *overlay)?;
        document_check::check(&document).map_err(|error| error.in_file(file))?;
        let version = document["info"]["version"].clone();
        if let Some(service) = document.get_mut("x-service") {
            service["version"] = version;
        }
        if let Some(history) = &history {
            history::apply(&mut document, history);
        }
        sources.push(merge::Source { file: (*file).to_owned(), document });
    }
    let files = sources.iter().map(|source| source.file.as_str()).collect::<Vec<_>>().join(" and ");
    let in_documents = |error: Error| error.in_file(&files);

    let mut document = merge::merge(&sources).map_err(in_documents)?;
    apply(&mut document, overlay)?;
    document_check::check(&document).map_err(in_documents)?;
    rename::apply(&mut document).map_err(in_documents)?;
    let model = model::read(&document).map_err(in_documents)?;
    let lowered = lower::lower(&document, &model).map_err(in_documents)?;
    let tokens = progenitor_code(&lowered).map_err(in_documents)?;
    emit::emit(&document, &model, &lowered, tokens).map_err(in_documents)
}

fn apply(document: &mut Value, (file, text): (&str, &str)) -> Result<()> {
    let in_overlay = |error: Error| error.in_file(file);
    let actions = yaml::read(text).map_err(in_overlay)?;
    overlay::apply(document, &actions, &document_check::EXTENSIONS).map_err(in_overlay)
}

/// Returns the code that `progenitor` generates from the lowered document: plain structs, and a `Client` with a method
/// per operation.
fn progenitor_code(lowered: &lower::Lowered) -> Result<syn::File> {
    let fail = |message: String| Error::new("", message);
    let spec: openapiv3::OpenAPI = serde_json::from_value(lowered.document.clone())
        .map_err(|error| fail(format!("not an OpenAPI 3.0 document: {error}")))?;
    let mut settings = progenitor::GenerationSettings::new();
    settings.with_map_type("::std::collections::BTreeMap").with_derive("PartialEq");
    // `progenitor` takes the Rust names of the types.
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
    syn::parse2(tokens).map_err(|error| fail(format!("cannot parse the code of progenitor: {error}")))
}
