//! The settings of a journal.

/// The kind of failure that a [`Journal`](crate::updates::Journal) (a queue of updates in a file) survives without loss
/// of data. Set by [`JournalBuilder::durability`](crate::updates::JournalBuilder::durability).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// No data is lost if the process ends, for example by `kill -9`. This is the default.
    ///
    /// After a power loss or a crash of the operating system, the file is intact, but the last changes can be missing.
    /// Updates can then be lost, and handled updates can be handled again.
    #[default]
    ProcessKill,
    /// No data is lost if the process ends, the operating system crashes, or the power fails. This guarantee requires a
    /// disk that reports a write as complete only when the data is stored permanently.
    ///
    /// The journal waits for the disk at each change, so writes are several times slower than with `ProcessKill`.
    PowerLoss,
}

/// The settings of a journal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) durability: Durability,
    /// The number of stored updates at which the journal is full.
    pub(super) capacity: usize,
    /// The number of attempts after which an update becomes a dead letter.
    pub(super) attempts: u32,
    /// The maximum number of dead letters.
    pub(super) dead_letters: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { durability: Durability::default(), capacity: 100_000, attempts: 5, dead_letters: 10_000 }
    }
}
