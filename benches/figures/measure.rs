//! Instructions, CPU time and what else a process of this program takes.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::corpus::{self, Tags};

/// This program, to be run with other arguments.
fn this() -> PathBuf {
    std::env::current_exe().unwrap()
}

/// The user instructions of one more time: what the process needs to start does not count.
pub(crate) fn instructions(arguments: [&str; 3], times: (usize, usize)) -> f64 {
    let count = |times: usize| {
        let mut command = Command::new("valgrind");
        command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(this());
        let out = command.args(arguments).arg(times.to_string()).output().expect("valgrind can be run");
        let told = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "{told}");
        let count = told.lines().find_map(|line| line.split("Collected :").nth(1)).expect("callgrind counts");
        count.trim().parse::<f64>().unwrap()
    };
    (count(times.1) - count(times.0)) / (times.1 - times.0) as f64
}

/// What a process of this program prints.
pub(crate) fn printed(arguments: [&str; 3], times: usize) -> Vec<f64> {
    let out = Command::new(this()).args(arguments).arg(times.to_string()).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().split_whitespace().map(|word| word.parse().unwrap()).collect()
}

/// The server of canned answers; it ends with this value.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn start() -> Self {
        let mut child = Command::new(this()).arg("server").stdout(Stdio::piped()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self { child, url: url.trim().to_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The pages, as files.
pub(crate) struct Pages(PathBuf);

impl Pages {
    pub(crate) fn write() -> Self {
        let pages = Self(std::env::temp_dir().join(format!("tamtam-figures-{}", std::process::id())));
        fs::create_dir_all(&pages.0).unwrap();
        for (name, tags, strange) in
            [("last", Tags::Last, 0), ("first", Tags::First, 0), ("mixed", Tags::Mixed, 0), ("unknown", Tags::Last, 10)]
        {
            fs::write(pages.0.join(name), corpus::page(tags, strange)).unwrap();
        }
        pages
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The CPU seconds, of user and system, of a clean build in a directory.
pub(crate) fn build(directory: &Path) -> f64 {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // The second line that the shell's `times` prints is what its children took, and theirs.
    let script = "\"$0\" build --quiet --offline >&2 && times";
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(cargo).current_dir(directory).env("CARGO_TARGET_DIR", directory.join("target"));
    let out = command.output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let seconds = |time: &str| {
        let (minutes, seconds) = time.trim_end_matches('s').split_once('m').unwrap();
        minutes.parse::<f64>().unwrap() * 60.0 + seconds.parse::<f64>().unwrap()
    };
    String::from_utf8(out.stdout).unwrap().split_whitespace().skip(2).map(seconds).sum()
}
