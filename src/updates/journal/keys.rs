//! The keys of updates that were stored lately, by which repeated updates are recognized.
//!
//! They are kept in memory as hashes of 128 bits, and on the disk in two tables that take turns. The hash function has a secret
//! key for each journal, so nobody can find two keys with the same hash.

use std::{collections::HashSet, hash::Hasher as _, time::Duration};

use rusqlite::Connection;
use siphasher::sip128::{Hasher128 as _, SipHasher13};

/// The least time for which a repeated key is recognized. A key is kept for up to twice this time, and longer while nothing is
/// written.
const KEY_TIME: Duration = Duration::from_secs(60 * 60);
/// The length of a hash, in bytes.
const HASH: usize = 16;

pub(super) const TABLES: &str = "
    CREATE TABLE key_settings (secret BLOB NOT NULL, newer INTEGER NOT NULL, since INTEGER NOT NULL);
    CREATE TABLE keys_0 (id INTEGER PRIMARY KEY, hashes BLOB NOT NULL);
    CREATE TABLE keys_1 (id INTEGER PRIMARY KEY, hashes BLOB NOT NULL);
";

/// Hashes keys. The hash function has a secret of its own for each journal.
#[derive(Clone, Copy)]
pub(super) struct KeyHasher(SipHasher13);

/// The hash of a key.
#[derive(Clone, Copy)]
pub(super) struct KeyHash(u128);

impl KeyHasher {
    pub(super) fn hash(mut self, key: &str) -> KeyHash {
        self.0.write(key.as_bytes());
        KeyHash(self.0.finish128().as_u128())
    }
}

pub(super) struct Keys {
    hasher: KeyHasher,
    /// The number of the table that takes new keys.
    newer: usize,
    /// Since when it takes them, in Unix milliseconds.
    since: i64,
    /// The hashes in both tables.
    hashes: [HashSet<u128>; 2],
    /// The last row in the table that takes new keys. What was added after the last commit is also in `uncommitted`.
    last: i64,
    committed: i64,
    uncommitted: Vec<u128>,
}

impl Keys {
    /// Makes the tables.
    pub(super) fn create(connection: &Connection, now: i64) -> rusqlite::Result<()> {
        connection.execute_batch(TABLES)?;
        connection.execute("INSERT INTO key_settings VALUES (randomblob(16), 0, ?)", [now]).map(drop)
    }

    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let select = "SELECT secret, newer, since FROM key_settings";
        let (secret, newer, since): ([u8; 16], i64, i64) =
            connection.query_row(select, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let mut keys = Self {
            hasher: KeyHasher(SipHasher13::new_with_key(&secret)),
            newer: usize::from(newer == 1),
            since,
            hashes: Default::default(),
            last: 0,
            committed: 0,
            uncommitted: Vec::new(),
        };
        keys.read_table(connection, 1 - keys.newer)?;
        keys.read_table(connection, keys.newer)?;
        keys.committed();
        Ok(keys)
    }

    /// Reads the rows of a table that are not known.
    fn read_table(&mut self, connection: &Connection, table: usize) -> rusqlite::Result<()> {
        let mut select =
            connection.prepare(&format!("SELECT id, hashes FROM keys_{table} WHERE id > ? ORDER BY id"))?;
        let mut rows = select.query([if table == self.newer { self.last } else { 0 }])?;
        while let Some(row) = rows.next()? {
            let hashes = row.get_ref(1)?.as_blob()?.as_chunks::<HASH>().0;
            let hashes = hashes.iter().map(|hash| u128::from_le_bytes(*hash));
            if table == self.newer {
                self.last = row.get(0)?;
                self.uncommitted.extend(hashes.clone());
            }
            self.hashes[table].extend(hashes);
        }
        Ok(())
    }

    pub(super) fn hasher(&self) -> KeyHasher {
        self.hasher
    }

    /// Stores the keys that are not there. Returns for each whether it was stored. `None` is not stored, and is always new.
    pub(super) fn store(&mut self, connection: &Connection, keys: &[Option<KeyHash>]) -> rusqlite::Result<Vec<bool>> {
        let known = self.uncommitted.len();
        let are_new = keys.iter().map(|key| key.is_none_or(|key| self.add(key))).collect();
        let added: Vec<u8> = self.uncommitted[known..].iter().flat_map(|hash| hash.to_le_bytes()).collect();
        if !added.is_empty() {
            let insert = format!("INSERT INTO keys_{} (hashes) VALUES (?)", self.newer);
            self.last = connection.prepare_cached(&insert)?.insert([added])?;
        }
        Ok(are_new)
    }

    fn add(&mut self, KeyHash(hash): KeyHash) -> bool {
        let is_new = !self.hashes[1 - self.newer].contains(&hash) && self.hashes[self.newer].insert(hash);
        if is_new {
            self.uncommitted.push(hash);
        }
        is_new
    }

    /// Takes note that the transaction was committed.
    pub(super) fn committed(&mut self) {
        self.committed = self.last;
        self.uncommitted.clear();
    }

    /// Takes note that changes were undone. Forgets all that is not committed, until it is [read again](Self::read_again).
    pub(super) fn undone(&mut self) {
        for hash in std::mem::take(&mut self.uncommitted) {
            self.hashes[self.newer].remove(&hash);
        }
        self.last = self.committed;
    }

    /// Reads what was stored after the last commit, after some of it was undone.
    pub(super) fn read_again(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.read_table(connection, self.newer)
    }

    /// Whether the tables are to take turns, or the clock was set back.
    pub(super) fn is_turn(&self, now: i64) -> bool {
        now < self.since || now.saturating_sub(self.since) >= i64::try_from(KEY_TIME.as_millis()).unwrap_or(i64::MAX)
    }

    /// Forgets the older keys, unless the clock was set back: then the time begins anew. In a transaction of its own.
    pub(super) fn take_turns(&mut self, connection: &Connection, now: i64) -> rusqlite::Result<()> {
        let transaction = connection.unchecked_transaction()?;
        let is_over = now >= self.since;
        let newer = if is_over { 1 - self.newer } else { self.newer };
        if is_over {
            transaction.execute(&format!("DELETE FROM keys_{newer}"), [])?;
        }
        transaction.execute("UPDATE key_settings SET newer = ?, since = ?", (i64::from(newer == 1), now))?;
        transaction.commit()?;
        if is_over {
            self.hashes[newer] = HashSet::new();
            (self.last, self.committed) = (0, 0);
        }
        (self.newer, self.since) = (newer, now);
        Ok(())
    }
}
