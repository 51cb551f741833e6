//! A figure with its bar, and the table of figures.

use std::{fs, process::Command};

pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) bar: Bar,
    pub(crate) is: f64,
}

/// The bound that a figure should keep.
pub(crate) enum Bar {
    Most(f64),
    Least(f64),
}

impl Figure {
    pub(crate) fn most(name: &str, bar: f64, is: f64) -> Self {
        Self { name: name.to_owned(), bar: Bar::Most(bar), is }
    }

    pub(crate) fn least(name: &str, bar: f64, is: f64) -> Self {
        Self { name: name.to_owned(), bar: Bar::Least(bar), is }
    }

    fn row(&self) -> String {
        let (bar, reached) = match self.bar {
            Bar::Most(bar) => (format!("<= {bar}"), self.is <= bar),
            Bar::Least(bar) => (format!(">= {bar}"), self.is >= bar),
        };
        format!("| {} | {bar} | {:.3} | {} |", self.name, self.is, if reached { "yes" } else { "no" })
    }
}

/// Returns the figures in Markdown, with the commit and the machine.
pub(crate) fn table(figures: &[Figure]) -> String {
    let said = |program: &str, arguments: &[&str]| {
        let out = Command::new(program).args(arguments).output().map(|out| out.stdout).unwrap_or_default();
        String::from_utf8_lossy(&out).trim().to_owned()
    };
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let lines = [
        format!("Commit {}, {},", said("git", &["describe", "--always", "--dirty"]), said("rustc", &["--version"])),
        format!("{} on {} ({cores} cores).", said("uname", &["-sm"]), cpu.trim_start_matches(['\t', ':', ' '])),
        String::new(),
        "| figure | bar | measured | reached |".to_owned(),
        "|---|---|---|---|".to_owned(),
    ];
    lines.into_iter().chain(figures.iter().map(Figure::row)).map(|line| line + "\n").collect()
}
