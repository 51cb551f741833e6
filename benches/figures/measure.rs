//! Measures instructions, CPU time and other resources of processes of this program.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Instant,
};

use crate::corpus::{self, Tags};

/// Returns the path of this program, to run it with other arguments.
pub(crate) fn this() -> PathBuf {
    std::env::current_exe().unwrap()
}

/// Returns the user-space instructions of one additional repetition.
pub(crate) fn instructions(arguments: [&str; 3], times: (usize, usize)) -> f64 {
    counted(&["--tool=callgrind", "--callgrind-out-file=/dev/null"], "Collected :", arguments, times)
}

/// Returns the allocations of one additional repetition. A reallocation counts again.
pub(crate) fn allocations(arguments: [&str; 3], times: (usize, usize)) -> f64 {
    counted(&["--tool=memcheck"], "total heap usage:", arguments, times)
}

/// Returns the count of valgrind for one additional repetition, without the start of the process.
fn counted(tool: &[&str], label: &str, arguments: [&str; 3], times: (usize, usize)) -> f64 {
    let count = |times: usize| {
        let mut command = Command::new("valgrind");
        command.args(tool).arg(this());
        let out = command.args(arguments).arg(times.to_string()).output().expect("valgrind is installed");
        let told = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "{told}");
        let count = told.lines().find_map(|line| line.split(label).nth(1)).expect("valgrind counts");
        let count = count.split_whitespace().next().expect("a number").replace(',', "");
        count.parse::<f64>().unwrap()
    };
    (count(times.1) - count(times.0)) / (times.1 - times.0) as f64
}

/// Returns the numbers that a process of this program prints.
pub(crate) fn printed(arguments: [&str; 3], times: usize) -> Vec<f64> {
    let out = Command::new(this()).args(arguments).arg(times.to_string()).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().split_whitespace().map(|word| word.parse().unwrap()).collect()
}

/// A server process of this program, which is killed on drop.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn start(name: &str) -> Self {
        let mut child = Command::new(this()).arg(name).stdout(Stdio::piped()).spawn().unwrap();
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
}

impl Drop for Pages {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Returns the user and system CPU seconds of all processes that this one has waited for, and of their children.
pub(crate) fn children_cpu() -> f64 {
    cpu(2)
}

/// Returns the sum of two values of `/proc/self/stat`, `skipped` values after `utime`, in seconds.
fn cpu(skipped: usize) -> f64 {
    /// Ticks per second in `/proc/self/stat` (`USER_HZ`, 100 on every Linux).
    const TICKS: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    // The name, in parentheses, may have spaces. `utime`, `stime`, `cutime` and `cstime` begin at the 12th value behind
    // it.
    let values = stat.rsplit(')').next().unwrap().split_whitespace();
    values.skip(11 + skipped).take(2).map(|value| value.parse::<f64>().unwrap()).sum::<f64>() / TICKS
}

/// The resources that this process has used at a point in time.
#[derive(Debug)]
pub(crate) struct Usage {
    at: Instant,
    cpu: f64,
    switches: f64,
}

impl Usage {
    pub(crate) fn now() -> Self {
        // Threads that have ended do not count, but the workers of a runtime end with it.
        let threads = fs::read_dir("/proc/self/task").unwrap();
        let switches = threads.map(|thread| value(&thread.unwrap().path().join("status"), "voluntary_ctxt_switches:"));
        Self { at: Instant::now(), cpu: cpu(0), switches: switches.sum() }
    }

    /// Prints the wall seconds, CPU seconds and voluntary context switches since then.
    pub(crate) fn print_since(&self) {
        let now = Self::now();
        println!("{} {} {}", (now.at - self.at).as_secs_f64(), now.cpu - self.cpu, now.switches - self.switches);
    }
}

/// Returns a value of `/proc/self/status`.
pub(crate) fn status(name: &str) -> f64 {
    value(Path::new("/proc/self/status"), name)
}

fn value(status: &Path, name: &str) -> f64 {
    let status = fs::read_to_string(status).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
