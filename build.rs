//! Generates `OUT_DIR/tamtam.rs`, which `src/api.rs` includes, and `OUT_DIR/requests.json`, by which the sandbox
//! validates requests, from the documents in `openapi/`. The generator is in `codegen/`.

mod codegen;

use codegen::Service;
use std::{env, error::Error, fs, path::Path, process::ExitCode};

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=openapi");
    println!("cargo::rerun-if-changed=codegen");
    match write() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={error}");
            ExitCode::FAILURE
        }
    }
}

fn write() -> Result<(), Box<dyn Error>> {
    let out_dir = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: run build.rs with cargo")?;
    let write = |name: &str, text: String| {
        let path = Path::new(&out_dir).join(name);
        fs::write(&path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
    };
    let path = |name: &'static str| Path::new(name);
    let services = [
        Service { document: path("openapi/tamtam.yaml"), overlay: path("openapi/tamtam.overlay.yaml") },
        Service { document: path("openapi/max.yaml"), overlay: path("openapi/max.overlay.yaml") },
    ];
    let code = codegen::generate(&services, path("openapi/overlay.yaml"), path("openapi/history.yaml"))?;
    write("tamtam.rs", code)?;
    let documents = services.map(|service| service.document);
    write("requests.json", codegen::requests(&documents, path("openapi/tolerance.yaml"))?)?;
    Ok(())
}
