//! How much memory this process has, in KiB; 0 where the system does not tell.

/// Now.
pub(crate) fn resident() -> u64 {
    figure("VmRSS:")
}

/// At most, so far.
pub(crate) fn peak() -> u64 {
    figure("VmHWM:")
}

fn figure(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let figure = status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok());
    figure.unwrap_or_default()
}
