//! Turns `openapi/` into `OUT_DIR/tamtam.rs`, which `src/api.rs` includes. The work is in `codegen/`.

mod codegen;

use std::{env, fs, path::Path, process::ExitCode};

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=openapi");
    println!("cargo::rerun-if-changed=codegen");
    let generated = codegen::generate(Path::new("openapi/tamtam.yaml"), Path::new("openapi/overlay.yaml"));
    let code = match generated {
        Ok(code) => code,
        Err(error) => {
            println!("cargo::error={error}");
            return ExitCode::FAILURE;
        }
    };
    let Some(out_dir) = env::var_os("OUT_DIR") else {
        println!("cargo::error=OUT_DIR is not set: build.rs is run by cargo only");
        return ExitCode::FAILURE;
    };
    let path = Path::new(&out_dir).join("tamtam.rs");
    if let Err(error) = fs::write(&path, code) {
        println!("cargo::error=cannot write {}: {error}", path.display());
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
