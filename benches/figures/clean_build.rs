//! Measures clean builds of a crate that depends on this one, and of a crate with only the main dependencies of this
//! one.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    figure::{Bar, Figure},
    measure::{children_cpu, median},
};

const PAIRS: usize = 3;

/// The dependencies of hand-written code, with the features that this crate uses.
const BARE: &str = r#"
reqwest = { version = "0.13.4", default-features = false, features = ["gzip", "http2", "json", "query", "rustls", "stream"] }
serde = { version = "1", features = ["derive"] }
serde_json = { version = "1", features = ["float_roundtrip", "raw_value"] }
tokio = { version = "1", default-features = false, features = ["macros", "rt", "sync", "time"] }
"#;

/// Measures the CPU seconds of a clean build, with the same versions of all crates.
pub(crate) fn figures() -> Vec<Figure> {
    let directory = Directory(std::env::temp_dir().join(format!("tamtam-build-{}", std::process::id())));
    let crate_ = env!("CARGO_MANIFEST_DIR");
    let ours =
        format!("tamtam = {{ path = {crate_:?} }}\ntokio = {{ version = \"1\", features = [\"macros\", \"rt\"] }}\n");
    let (ours, bare) = (directory.dependent("ours", &ours), directory.dependent("bare", BARE));
    let pairs: Vec<(f64, f64)> = (0..PAIRS).map(|_| (seconds(&ours), seconds(&bare))).collect();
    for (ours, bare) in &pairs {
        eprintln!("clean build: {ours:.1} s of CPU time, bare {bare:.1} s");
    }
    let is = median(pairs.iter().map(|(ours, bare)| ours / bare));
    vec![Figure { name: "clean build of a dependent, CPU seconds / bare".to_owned(), bar: Bar::Most(1.5), is }]
}

/// A directory that is removed on drop.
struct Directory(PathBuf);

impl Directory {
    /// Writes a crate with these dependencies.
    fn dependent(&self, name: &str, dependencies: &str) -> PathBuf {
        let directory = self.0.join(name);
        fs::create_dir_all(directory.join("src")).unwrap();
        fs::write(directory.join("src/main.rs"), "fn main() {}\n").unwrap();
        let manifest =
            format!("[package]\nname = \"x\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n{dependencies}");
        fs::write(directory.join("Cargo.toml"), manifest).unwrap();
        fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock"), directory.join("Cargo.lock")).unwrap();
        directory
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn seconds(directory: &Path) -> f64 {
    let cargo = || {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        // Crates from a registry are not built incrementally, so this one must not be either.
        cargo.current_dir(directory).env("CARGO_TARGET_DIR", directory.join("target")).env("CARGO_INCREMENTAL", "0");
        cargo
    };
    // Downloads everything before the measurement.
    assert!(cargo().args(["fetch", "--quiet"]).status().unwrap().success());
    let _ = fs::remove_dir_all(directory.join("target"));
    let before = children_cpu();
    let out = cargo().args(["build", "--quiet", "--offline"]).stdout(Stdio::null()).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    children_cpu() - before
}
