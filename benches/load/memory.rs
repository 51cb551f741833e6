//! The memory of this process, in KiB. 0 if the system does not report it.

/// Returns the present resident memory.
pub(crate) fn resident() -> u64 {
    figure("VmRSS:")
}

/// Returns the peak of the resident memory.
pub(crate) fn peak() -> u64 {
    figure("VmHWM:")
}

fn figure(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let figure = status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok());
    figure.unwrap_or_default()
}
