//! The planned updates, made from a seed, so that the server and the ledger have the same ones.

/// One of this number of updates has an unknown kind, or a known kind with a body that cannot be read.
const STRANGE: u64 = 50;
/// The handler of one of this number of updates panics the first time.
const PANICKING: u32 = 97;

/// All updates, in order.
pub(crate) struct Plan {
    /// The chat of each update, and its number in the chat.
    updates: Vec<(u32, u32)>,
    /// The number of updates of each chat.
    totals: Vec<u32>,
    seed: u64,
}

/// The form of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Message,
    /// An unknown kind.
    Unknown,
    /// A known kind whose body does not fit.
    Malformed,
}

impl Plan {
    pub(crate) fn new(seed: u64, updates: usize, chats: usize) -> Self {
        let mut chance = fastrand::Rng::with_seed(seed);
        let mut totals = vec![0; chats];
        let update = |_| {
            let chat = chance.usize(..chats);
            let number = totals[chat];
            totals[chat] += 1;
            (chat as u32, number)
        };
        let updates = (0..updates).map(update).collect();
        Self { updates, totals, seed }
    }

    pub(crate) fn len(&self) -> usize {
        self.updates.len()
    }

    pub(crate) fn totals(&self) -> &[u32] {
        &self.totals
    }

    /// Returns the chat of an update, and its number in the chat.
    pub(crate) fn update(&self, index: usize) -> (u32, u32) {
        self.updates[index]
    }

    pub(crate) fn kind(&self, index: usize) -> Kind {
        match fastrand::Rng::with_seed(self.seed ^ index as u64).u64(..STRANGE * 2) {
            0 => Kind::Unknown,
            1 => Kind::Malformed,
            _ => Kind::Message,
        }
    }

    pub(crate) fn strange(&self) -> usize {
        (0..self.len()).filter(|index| self.kind(*index) != Kind::Message).count()
    }

    pub(crate) fn panics(&self) -> usize {
        self.updates.iter().filter(|(chat, number)| panics(*chat, *number)).count()
    }
}

/// Whether the handler of an update panics the first time.
pub(crate) fn panics(chat: u32, number: u32) -> bool {
    (chat + number).is_multiple_of(PANICKING)
}
