//! The settings of a journal.

/// The failures that a [`Journal`](crate::updates::Journal) survives without loss. Set by
/// [`JournalBuilder::durability`](crate::updates::JournalBuilder::durability).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// Survives the end of the process, for example by `kill -9`: nothing is lost. After a power loss or a crash of the
    /// operating system, the journal is intact, but the last changes can be missing. Updates can then be lost, and handled
    /// updates can be handled again.
    #[default]
    ProcessKill,
    /// Survives a power loss, too: each change waits until the disk has stored it. This is several times slower. It
    /// requires a disk that does not report a write before it is durable.
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
