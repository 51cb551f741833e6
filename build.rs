//! Turns `openapi/` into `OUT_DIR/tamtam.rs`, which `src/api.rs` includes, and into `OUT_DIR/requests.json`, which the
//! sandbox judges requests by. The work is in `codegen/`.

mod codegen;

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
    let out_dir = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: build.rs is run by cargo only")?;
    let write = |name: &str, text: String| {
        let path = Path::new(&out_dir).join(name);
        fs::write(&path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
    };
    let document = Path::new("openapi/tamtam.yaml");
    write("tamtam.rs", codegen::generate(document, Path::new("openapi/overlay.yaml"))?)?;
    write("requests.json", codegen::requests(document, Path::new("openapi/tolerance.yaml"))?)?;
    Ok(())
}
