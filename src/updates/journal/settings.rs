//! The settings of a journal.

/// The kind of failure that a [`Journal`](crate::updates::Journal) survives without loss of data. Set by
/// [`JournalBuilder::durability`](crate::updates::JournalBuilder::durability).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// Loses nothing if the process ends, for example by `kill -9`. This is the default.
    ///
    /// After a power loss or a crash of the operating system, the journal is intact, but the last changes can be
    /// missing. Updates can then be lost, and handled updates can be handled again.
    #[default]
    ProcessKill,
    /// Loses nothing if the power fails, the operating system crashes, or the process ends.
    ///
    /// Each change waits until the disk has stored the change. So writes are several times slower. The disk must not
    /// report a write as complete before the data is durable.
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
