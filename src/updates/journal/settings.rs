//! What can be set on a journal.

/// What a [`Journal`](crate::updates::Journal) survives. Set by [`JournalBuilder::durability`](crate::updates::JournalBuilder::durability).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// The end of the process, by `kill -9` for example: nothing is lost. After a power loss or a crash of the operating
    /// system the journal is whole, but the last changes may be missing: updates of up to some seconds are lost, and handled
    /// updates may be handled again.
    #[default]
    ProcessKill,
    /// A power loss, too: each change waits until the disk has it. This is several times slower. It holds as far as the disk
    /// does what the system asks of it.
    PowerLoss,
}

/// The settings of a journal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) durability: Durability,
    /// The most updates that are stored before no more are taken.
    pub(super) capacity: usize,
    /// How often an update is handed out before it is a dead letter.
    pub(super) attempts: u32,
    /// The most dead letters that are kept.
    pub(super) dead_letters: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { durability: Durability::default(), capacity: 100_000, attempts: 5, dead_letters: 10_000 }
    }
}
