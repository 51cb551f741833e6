//! The keys of recently stored updates, which identify repeated updates.
//!
//! Keys are kept as 128-bit hashes, on the disk in two generations that take turns. The most recent keys are also in
//! memory. A key contains the timestamp of its update, and updates arrive nearly in the order of time. So most updates
//! are recognized as new without a read from the disk.

use std::{collections::HashSet, hash::Hasher as _, time::Duration};

use rusqlite::Connection;
use siphasher::sip128::{Hasher128 as _, SipHasher13};

/// The minimum time for which a repeated key is recognized. A key is kept for up to twice this time, and longer while
/// nothing is written.
const KEY_TIME: Duration = Duration::from_secs(60 * 60);
/// The number of keys in memory at which the older half is removed from memory.
const RECENT: usize = 50_000;
/// The number of keys from which keys that are stored together share a row. Separate rows are faster to find, but
/// slower to write.
const PAGE: usize = 16;
/// The length of a hash, in bytes.
const HASH: usize = 16;

/// Each row of `pages_*` has the keys of updates that were stored together, and the range of their timestamps. Other
/// keys, such as those of late updates, have a row each in `keys_*`.
const TABLES: &str = "
    CREATE TABLE key_settings (secret BLOB NOT NULL, newer INTEGER NOT NULL, since INTEGER NOT NULL);
    CREATE TABLE pages_0 (id INTEGER PRIMARY KEY, oldest INTEGER NOT NULL, newest INTEGER NOT NULL, hashes BLOB NOT NULL);
    CREATE TABLE pages_1 (id INTEGER PRIMARY KEY, oldest INTEGER NOT NULL, newest INTEGER NOT NULL, hashes BLOB NOT NULL);
    CREATE INDEX newest_0 ON pages_0 (newest, oldest);
    CREATE INDEX newest_1 ON pages_1 (newest, oldest);
    CREATE TABLE keys_0 (timestamp INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (timestamp, hash)) WITHOUT ROWID;
    CREATE TABLE keys_1 (timestamp INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (timestamp, hash)) WITHOUT ROWID;
";

/// Hashes keys. Each journal has its own secret for the hash function.
#[derive(Clone, Copy)]
pub(super) struct KeyHasher(SipHasher13);

/// The hash of a key, and the timestamp of its update.
#[derive(Clone, Copy)]
pub(super) struct KeyHash {
    /// `i64::MIN` without a timestamp. Such an update is always late.
    timestamp: i64,
    hash: u128,
}

pub(super) struct Keys {
    hasher: KeyHasher,
    /// The number of the generation that takes new keys.
    newer: usize,
    /// The time from which it takes new keys, in Unix milliseconds.
    since: i64,
    /// The keys in memory: the newer and the older half.
    recent: [Recent; 2],
    /// The newest timestamp of the keys that are only on the disk. An update that is not newer is late.
    horizon: i64,
}

struct Recent {
    hashes: HashSet<u128>,
    newest: i64,
}

impl KeyHasher {
    pub(super) fn hash(mut self, key: &str, timestamp: Option<i64>) -> KeyHash {
        self.0.write(key.as_bytes());
        KeyHash { timestamp: timestamp.unwrap_or(i64::MIN), hash: self.0.finish128().as_u128() }
    }
}

impl Recent {
    fn new() -> Self {
        Self { hashes: HashSet::new(), newest: i64::MIN }
    }
}

impl Keys {
    /// Creates the tables.
    pub(super) fn create(connection: &Connection, now: i64) -> rusqlite::Result<()> {
        connection.execute_batch(TABLES)?;
        connection.execute("INSERT INTO key_settings VALUES (randomblob(16), 0, ?)", [now]).map(drop)
    }

    /// Reads the settings. The keys stay on the disk.
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let select = "SELECT secret, newer, since FROM key_settings";
        let (secret, newer, since): ([u8; 16], i64, i64) =
            connection.query_row(select, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(Self {
            hasher: KeyHasher(SipHasher13::new_with_key(&secret)),
            newer: usize::from(newer == 1),
            since,
            recent: [Recent::new(), Recent::new()],
            horizon: Self::newest(connection)?,
        })
    }

    /// Returns the newest timestamp on the disk.
    fn newest(connection: &Connection) -> rusqlite::Result<i64> {
        let select = "SELECT max(newest) FROM (SELECT max(newest) AS newest FROM pages_0
            UNION ALL SELECT max(newest) FROM pages_1
            UNION ALL SELECT max(timestamp) FROM keys_0
            UNION ALL SELECT max(timestamp) FROM keys_1)";
        let newest: Option<i64> = connection.query_row(select, [], |row| row.get(0))?;
        Ok(newest.unwrap_or(i64::MIN))
    }

    pub(super) fn hasher(&self) -> KeyHasher {
        self.hasher
    }

    /// Stores the new keys. Returns for each key whether it is new. `None` is always new, and is not stored.
    pub(super) fn store(&mut self, connection: &Connection, keys: &[Option<KeyHash>]) -> rusqlite::Result<Vec<bool>> {
        let mut are_new = Vec::with_capacity(keys.len());
        // In chunks, so that all keys of a chunk are still in memory when its page is written.
        for keys in keys.chunks(RECENT / 2) {
            self.store_page(connection, keys, &mut are_new)?;
        }
        Ok(are_new)
    }

    fn store_page(
        &mut self,
        connection: &Connection,
        keys: &[Option<KeyHash>],
        are_new: &mut Vec<bool>,
    ) -> rusqlite::Result<()> {
        let mut page = Vec::new();
        let (mut oldest, mut newest) = (i64::MAX, i64::MIN);
        for key in keys {
            let Some(key) = key else {
                are_new.push(true);
                continue;
            };
            let is_late = key.timestamp <= self.horizon;
            let is_new = self.add(key) && !(is_late && self.is_stored(connection, *key)?);
            are_new.push(is_new);
            if is_new && (is_late || keys.len() < PAGE) {
                let insert = format!("INSERT OR IGNORE INTO keys_{} VALUES (?, ?)", self.newer);
                connection.prepare_cached(&insert)?.execute((key.timestamp, key.hash.to_le_bytes()))?;
            } else if is_new {
                page.extend(key.hash.to_le_bytes());
                (oldest, newest) = (oldest.min(key.timestamp), newest.max(key.timestamp));
            }
        }
        if !page.is_empty() {
            let insert = format!("INSERT INTO pages_{} (oldest, newest, hashes) VALUES (?, ?, ?)", self.newer);
            connection.prepare_cached(&insert)?.execute((oldest, newest, page))?;
        }
        Ok(())
    }

    /// Adds a key in memory. Returns whether it is new there.
    fn add(&mut self, key: &KeyHash) -> bool {
        let [newer, older] = &mut self.recent;
        if older.hashes.contains(&key.hash) || !newer.hashes.insert(key.hash) {
            return false;
        }
        newer.newest = newer.newest.max(key.timestamp);
        if newer.hashes.len() >= RECENT / 2 {
            self.forget_half();
        }
        true
    }

    /// Removes the older half of the keys from memory.
    fn forget_half(&mut self) {
        let [newer, older] = &mut self.recent;
        let forgotten = std::mem::replace(older, std::mem::replace(newer, Recent::new()));
        self.horizon = self.horizon.max(forgotten.newest);
    }

    /// Returns whether a key is on the disk.
    fn is_stored(&self, connection: &Connection, key: KeyHash) -> rusqlite::Result<bool> {
        let hash = key.hash.to_le_bytes();
        for generation in 0..2 {
            let select = format!("SELECT 1 FROM keys_{generation} WHERE timestamp = ? AND hash = ?");
            if connection.prepare_cached(&select)?.exists((key.timestamp, hash))? {
                return Ok(true);
            }
            let select = format!("SELECT hashes FROM pages_{generation} WHERE newest >= ?1 AND oldest <= ?1");
            let mut select = connection.prepare_cached(&select)?;
            let mut rows = select.query([key.timestamp])?;
            while let Some(row) = rows.next()? {
                let hashes = row.get_ref(0)?.as_blob()?.as_chunks::<HASH>().0;
                if hashes.contains(&hash) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Returns whether the generations must take turns, or the clock was set back.
    pub(super) fn is_turn(&self, now: i64) -> bool {
        now < self.since || now.saturating_sub(self.since) >= i64::try_from(KEY_TIME.as_millis()).unwrap_or(i64::MAX)
    }

    /// Deletes the older keys and starts a new generation. If the clock was set back, only restarts the time.
    pub(super) fn take_turns(&mut self, connection: &Connection, now: i64) -> rusqlite::Result<()> {
        if now >= self.since {
            self.forget_half();
            self.newer = 1 - self.newer;
            connection.execute(&format!("DELETE FROM pages_{}", self.newer), [])?;
            connection.execute(&format!("DELETE FROM keys_{}", self.newer), [])?;
        }
        self.since = now;
        // The deleted generation may have had a timestamp far in the future.
        self.horizon = self.horizon.min(Self::newest(connection)?);
        let set = "UPDATE key_settings SET newer = ?, since = ?";
        connection.execute(set, (i64::from(self.newer == 1), self.since)).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> (Connection, Keys) {
        let connection = Connection::open_in_memory().unwrap();
        Keys::create(&connection, 0).unwrap();
        let keys = Keys::read(&connection).unwrap();
        (connection, keys)
    }

    fn keys(keys: &Keys, timestamps: impl Iterator<Item = i64>) -> Vec<Option<KeyHash>> {
        timestamps.map(|timestamp| Some(keys.hasher().hash(&format!("a/{timestamp}"), Some(timestamp)))).collect()
    }

    #[test]
    fn keys_are_found_in_memory_and_on_the_disk() {
        let (connection, mut known) = open();
        // Three times as many keys as are kept in memory, in batches with descending timestamps.
        let batches: Vec<_> = (0..30)
            .map(|batch| keys(&known, (0..RECENT as i64 / 10).rev().map(move |at| batch * 10_000 + at)))
            .collect();
        for batch in &batches {
            assert!(known.store(&connection, batch).unwrap().into_iter().all(|is_new| is_new));
        }
        let mut reopened = Keys::read(&connection).unwrap();
        for batch in &batches {
            let sample: Vec<_> = batch.iter().step_by(997).copied().collect();
            for keys in [&mut known, &mut reopened] {
                assert!(!keys.store(&connection, &sample).unwrap().into_iter().any(|is_new| is_new));
            }
        }
        let in_memory: usize = known.recent.iter().map(|recent| recent.hashes.len()).sum();
        assert!(in_memory <= RECENT, "{in_memory}");
        let late = keys(&known, [5_000, 295_000, -1].into_iter());
        assert_eq!(known.store(&connection, &late).unwrap(), [true; 3]);
        let mut reopened = Keys::read(&connection).unwrap();
        assert_eq!(reopened.store(&connection, &late).unwrap(), [false; 3], "the disk has them now");
    }

    #[test]
    fn keys_without_a_timestamp_are_found_and_deleted_with_their_generation() {
        let (connection, mut known) = open();
        let some: Vec<_> = (0..100).map(|number| Some(known.hasher().hash(&format!("a/{number}"), None))).collect();
        let hour = i64::try_from(KEY_TIME.as_millis()).unwrap();
        assert!(known.store(&connection, &some).unwrap().into_iter().all(|is_new| is_new));
        for turns in 0..2 {
            let mut reopened = Keys::read(&connection).unwrap();
            assert!(!reopened.store(&connection, &some).unwrap().into_iter().any(|is_new| is_new), "{turns}");
            assert!(known.is_turn((turns + 1) * hour));
            known.take_turns(&connection, (turns + 1) * hour).unwrap();
        }
        assert!(known.store(&connection, &some).unwrap().into_iter().all(|is_new| is_new));
    }

    #[test]
    fn a_key_at_both_ends_of_a_huge_batch_is_new_once() {
        let (connection, mut known) = open();
        let count = RECENT as i64 * 2;
        let mut all = keys(&known, 0..count);
        all.push(all[0]);
        let are_new = known.store(&connection, &all).unwrap();
        assert_eq!(are_new.iter().filter(|is_new| **is_new).count(), count as usize);
    }

    #[test]
    fn a_timestamp_far_in_the_future_makes_updates_late_for_two_turns_at_most() {
        let (connection, mut known) = open();
        known.store(&connection, &keys(&known, [i64::MAX].into_iter())).unwrap();
        let hour = i64::try_from(KEY_TIME.as_millis()).unwrap();
        let horizons = (1..=3).map(|turn| {
            known.take_turns(&connection, turn * hour).unwrap();
            known.store(&connection, &keys(&known, [turn].into_iter())).unwrap();
            known.horizon
        });
        assert_eq!(horizons.collect::<Vec<_>>(), [i64::MIN, 1, 1]);
    }

    #[test]
    fn a_key_twice_in_a_batch_is_new_once_and_none_is_always_new() {
        let (connection, mut known) = open();
        let [one, two] = keys(&known, 1..3)[..] else { panic!("two") };
        assert_eq!(known.store(&connection, &[one, one, None, two, None]).unwrap(), [true, false, true, true, true]);
    }
}
