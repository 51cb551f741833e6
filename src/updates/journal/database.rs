//! The journal's file, an SQLite database: opens, checks, reads and writes it.

use std::{
    cell::{RefCell, RefMut},
    collections::{BTreeMap, HashMap},
    fs::{self, File},
    io::{ErrorKind, Read as _},
    iter,
    ops::Range,
    path::{Path, PathBuf},
};

use rusqlite::{
    Connection, OpenFlags, OptionalExtension as _, Params, Row,
    config::DbConfig,
    ffi, params,
    types::{FromSql, ToSql},
};
use serde::{Serialize, Serializer};

use super::{
    error::Problem,
    gauge::{Contents, unix_now},
    keys::{KeyHash, KeyHasher, Keys},
    settings::Durability,
};
use crate::{
    redaction::printable,
    updates::{
        atomic_write::sync_directory,
        file_lock::{FileLock, private},
        lane::Lane,
    },
};

/// Marks an SQLite database as a journal: "tamj" in ASCII.
const APPLICATION_ID: i32 = 0x7461_6d6a;
/// The version of the tables.
const FORMAT: i32 = 1;
/// The first bytes of an SQLite database.
const SQLITE_MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// The offset of the application id in the header, in bytes.
const APPLICATION_ID_AT: usize = 68;
/// Pages of 4 KiB in the write-ahead log after which they are moved into the database: 16 MiB. Each move waits for the
/// disk twice. SQLite's default of 4 MiB costs a quarter of the speed, and more than 16 MiB gains nothing.
const CHECKPOINT_PAGES: i32 = 4000;
/// Updates are stored in batches, in one row each. `lanes` is a JSON array of their lanes. `json` is their JSON, one
/// after the other, and `ends` is where each of them ends in it (little-endian `u32`, in bytes). `settled` has a row
/// for each batch with settled updates: bit `n` is set if update `n` is settled. The rows of `batches` never change.
const TABLES: &str = "
    CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
    CREATE TABLE batches (first INTEGER PRIMARY KEY, stored_at INTEGER NOT NULL, lanes TEXT NOT NULL, ends BLOB NOT NULL,
        json TEXT NOT NULL);
    CREATE TABLE settled (first INTEGER PRIMARY KEY, bits INTEGER NOT NULL);
    CREATE TABLE attempts (seq INTEGER PRIMARY KEY, attempts INTEGER NOT NULL);
    CREATE TABLE dead (id INTEGER PRIMARY KEY AUTOINCREMENT, stored_at INTEGER NOT NULL, died_at INTEGER NOT NULL,
        lane TEXT NOT NULL, json TEXT NOT NULL, attempts INTEGER NOT NULL, cause TEXT NOT NULL);
";
/// The most updates in a batch: one for each bit of an integer.
const BATCH: usize = 64;
/// The number of updates in settled batches from which the rows of these batches are deleted. A larger number is
/// slower: SQLite then cycles through more pages than fit into the processor's cache.
const SWEEP: usize = 4 * BATCH;

/// An open journal, locked for this process. All times are Unix milliseconds.
pub(super) struct Database {
    connection: Connection,
    /// `None` at the start, and after a rollback.
    state: RefCell<Option<State>>,
    _lock: FileLock,
}

/// The contents of the file that every change needs, in memory.
struct State {
    /// The number of the next update. A number is reused only after a rollback.
    next_seq: i64,
    /// The batches with updates that are not settled, by the number of their first update.
    batches: BTreeMap<i64, Batch>,
    /// Batches whose updates are all settled. Their rows are deleted later.
    finished: Vec<(i64, Batch)>,
    keys: Keys,
    /// The batch that was read last. The next update is often in it, too.
    last_read: Option<(i64, BatchRow)>,
    /// The number of updates that are not settled.
    depth: usize,
    /// The number of dead letters.
    dead: usize,
}

/// Which updates of a batch are settled: one bit for each.
#[derive(Clone, Copy)]
struct Batch {
    stored_at: i64,
    len: usize,
    settled: u64,
}

/// An update to be stored.
pub(super) struct NewRow<'a> {
    pub(super) lane: &'a Lane,
    /// Without a key, the update is always stored.
    pub(super) key: Option<KeyHash>,
    pub(super) json: &'a str,
}

/// A stored update without its JSON.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct StoredRow {
    pub(super) seq: i64,
    pub(super) lane: Lane,
    pub(super) attempts: u32,
}

/// A dead letter.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DeadRow {
    pub(super) id: i64,
    pub(super) stored_at: i64,
    pub(super) died_at: i64,
    pub(super) json: String,
    pub(super) attempts: u32,
    pub(super) cause: String,
}

impl Database {
    /// Opens or creates the file, and locks it. A file that is not a whole journal is not changed.
    pub(super) fn open(path: &Path, durability: Durability) -> Result<Self, Problem> {
        let lock = FileLock::take(path)?;
        check_header(path)?;
        let sqlite = |error: rusqlite::Error| Problem::of_open(path, &error);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(sqlite)?;
        // A database that turns out to be damaged must not be written when it is closed.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(sqlite)?;
        // SQLite locks the file until the connection is closed, so it needs no memory that processes share.
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE").map_err(sqlite)?;
        connection.execute_batch("BEGIN IMMEDIATE; COMMIT").map_err(sqlite)?;
        let database = Self { connection, state: RefCell::default(), _lock: lock };
        let tables: i64 = database.value("SELECT count(*) FROM sqlite_schema").map_err(sqlite)?;
        if tables == 0 {
            // Before the write-ahead log is used, so that the file itself has the application id at once.
            database.transaction(Self::create).map_err(sqlite)?;
            sync_directory(path).map_err(|error| Problem::of_io(path, &error))?;
        } else {
            database.check(path)?;
        }
        write_ahead(&database.connection, durability).map_err(sqlite)?;
        database.sweep().map_err(sqlite)?;
        database.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(sqlite)?;
        Ok(database)
    }

    fn create(&self) -> rusqlite::Result<()> {
        self.connection.execute_batch(TABLES)?;
        Keys::create(&self.connection, unix_now())?;
        self.connection.pragma_update(None, "user_version", FORMAT)?;
        self.connection.pragma_update(None, "application_id", APPLICATION_ID)
    }

    fn check(&self, path: &Path) -> Result<(), Problem> {
        let sqlite = |error: rusqlite::Error| Problem::of_open(path, &error);
        let is_whole: String = self.value("PRAGMA quick_check(1)").map_err(sqlite)?;
        if is_whole != "ok" {
            return Err(Problem::Damaged { path: path.to_owned(), reason: is_whole });
        }
        match self.value("PRAGMA user_version").map_err(sqlite)? {
            FORMAT => Ok(()),
            format => Err(Problem::Newer { path: path.to_owned(), format }),
        }
    }

    /// Runs `work` in one transaction, which is rolled back if `work` fails.
    pub(super) fn transaction<T>(&self, work: impl FnOnce(&Self) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let transact = || {
            let transaction = self.connection.unchecked_transaction()?;
            let done = work(self)?;
            transaction.commit()?;
            Ok(done)
        };
        transact().inspect_err(|_| self.forget())
    }

    /// Runs `work` within a transaction. If `work` fails, only its own changes are rolled back.
    pub(super) fn part<T>(&self, work: impl FnOnce(&Self) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        // After some errors, for example of the disk, SQLite itself rolls back the whole transaction. A savepoint would
        // then start and commit a transaction of its own.
        if self.connection.is_autocommit() {
            let reason = "an earlier failure rolled the transaction back".to_owned();
            return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_ABORT), Some(reason)));
        }
        self.execute("SAVEPOINT part", [])?;
        let done = work(self);
        if done.is_err() {
            self.forget();
        }
        if self.connection.is_autocommit() {
            return done;
        }
        let undo = || if done.is_err() { self.execute("ROLLBACK TO part", []) } else { Ok(0) };
        let end = undo().and_then(|_| self.execute("RELEASE part", []));
        if let Err(error) = end {
            // The part may be half done, so nothing may be committed.
            let _ = self.connection.execute_batch("ROLLBACK");
            return done.and(Err(error));
        }
        done
    }

    /// Drops the state in memory after a rollback. It is then read from the file again.
    fn forget(&self) {
        self.state.replace(None);
    }

    /// Returns the state. Reads it from the file first if it is not in memory.
    fn state(&self) -> rusqlite::Result<RefMut<'_, State>> {
        let read = self.state.borrow().is_none().then(|| self.read_state()).transpose()?;
        Ok(RefMut::map(self.state.borrow_mut(), |state| match read {
            Some(read) => state.insert(read),
            None => state.as_mut().expect("the state is in memory unless it was read above"),
        }))
    }

    fn read_state(&self) -> rusqlite::Result<State> {
        let mut select = self.connection.prepare(
            "SELECT first, stored_at, length(ends) / 4, bits FROM batches LEFT JOIN settled USING (first)
                ORDER BY first",
        )?;
        let read = |row: &Row<'_>| {
            let settled = row.get::<_, Option<i64>>(3)?.unwrap_or_default().cast_unsigned();
            Ok((row.get::<_, i64>(0)?, Batch { stored_at: row.get(1)?, len: BATCH.min(size(row.get(2)?)), settled }))
        };
        let rows: Vec<_> = select.query_map([], read)?.collect::<rusqlite::Result<_>>()?;
        let last = rows.last().map_or(0, |(first, batch)| batch.end(*first).saturating_sub(1));
        let (finished, unfinished): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(_, batch)| batch.is_finished());
        let depth = unfinished.iter().map(|(_, batch)| batch.unsettled()).sum();
        Ok(State {
            next_seq: last.max(self.meta("last_seq")?.unwrap_or(0)).saturating_add(1),
            batches: unfinished.into_iter().collect(),
            finished,
            keys: Keys::read(&self.connection)?,
            last_read: None,
            depth,
            dead: size(self.value("SELECT count(*) FROM dead")?),
        })
    }

    pub(super) fn key_hasher(&self) -> rusqlite::Result<KeyHasher> {
        Ok(self.state()?.keys.hasher())
    }

    /// Stores updates. Returns the `seq` of each update, or `None` if its key is already stored.
    pub(super) fn store(&self, rows: &[NewRow<'_>], now: i64) -> rusqlite::Result<Vec<Option<i64>>> {
        let keys: Vec<_> = rows.iter().map(|row| row.key).collect();
        let are_new = self.state()?.keys.store(&self.connection, &keys)?;
        let new: Vec<&NewRow<'_>> =
            rows.iter().zip(&are_new).filter(|(_, is_new)| **is_new).map(|(row, _)| row).collect();
        let mut seqs = self.insert(&new, now)?;
        Ok(are_new.into_iter().map(|is_new| is_new.then(|| seqs.next()).flatten()).collect())
    }

    /// Stores updates without a check of their keys. Returns their numbers.
    fn insert(&self, rows: &[&NewRow<'_>], now: i64) -> rusqlite::Result<Range<i64>> {
        let mut state = self.state()?;
        let start = state.next_seq;
        for rows in rows.chunks(BATCH) {
            let (first, batch) = (state.next_seq, Batch { stored_at: now, len: rows.len(), settled: 0 });
            let row = BatchRow::new(rows, now);
            let insert = "INSERT INTO batches VALUES (?, ?, ?, ?, ?)";
            self.execute(insert, params![first, row.stored_at, row.lanes, row.ends, row.json])?;
            state.next_seq = batch.end(first);
            state.depth += rows.len();
            state.batches.insert(first, batch);
        }
        Ok(start..state.next_seq)
    }

    /// Marks updates as settled. `seqs` can have any order, but sorted numbers are faster.
    pub(super) fn settle(&self, seqs: &[i64]) -> rusqlite::Result<()> {
        let mut state = self.state()?;
        let mut seqs = seqs.iter().peekable();
        while let Some(seq) = seqs.next() {
            let Some((first, batch)) = state.batch_mut(*seq) else { continue };
            let before = batch.unsettled();
            batch.settle(*seq - first);
            while let Some(seq) = seqs.next_if(|seq| (first..batch.end(first)).contains(*seq)) {
                batch.settle(*seq - first);
            }
            let batch = *batch;
            state.depth -= before - batch.unsettled();
            let set = "INSERT OR REPLACE INTO settled VALUES (?, ?)";
            self.execute(set, params![first, batch.settled.cast_signed()])?;
            if batch.is_finished() {
                state.batches.remove(&first);
                state.finished.push((first, batch));
            }
        }
        Ok(())
    }

    /// Deletes the rows of settled batches, if there are many, and the oldest keys, if they have expired. Uses
    /// transactions of its own: within a savepoint, SQLite would write the freed pages.
    pub(super) fn clean_up(&self, now: i64) -> rusqlite::Result<()> {
        let is_much = self.state()?.finished.iter().map(|(_, batch)| batch.len).sum::<usize>() >= SWEEP;
        if is_much {
            self.sweep()?;
        }
        if self.state()?.keys.is_turn(now) {
            self.transaction(|_| self.state()?.keys.take_turns(&self.connection, now))?;
        }
        Ok(())
    }

    fn sweep(&self) -> rusqlite::Result<()> {
        self.transaction(|_| {
            let mut state = self.state()?;
            if state.finished.is_empty() {
                return Ok(());
            }
            state.last_read = None;
            for (first, batch) in std::mem::take(&mut state.finished) {
                self.execute("DELETE FROM batches WHERE first = ?", [first])?;
                self.execute("DELETE FROM settled WHERE first = ?", [first])?;
                self.execute("DELETE FROM attempts WHERE seq >= ? AND seq < ?", [first, batch.end(first)])?;
            }
            self.set_meta("last_seq", state.next_seq - 1)
        })
    }

    /// Stores the number of attempts of an update. Does nothing if the update is settled.
    pub(super) fn set_attempts(&self, seq: i64, attempts: u32) -> rusqlite::Result<()> {
        if self.state()?.batch_mut(seq).is_some() {
            self.execute("INSERT OR REPLACE INTO attempts VALUES (?, ?)", params![seq, attempts])?;
        }
        Ok(())
    }

    /// Returns all updates that are not settled, in the order in which they were stored.
    pub(super) fn stored(&self) -> rusqlite::Result<Vec<StoredRow>> {
        let mut select = self.connection.prepare("SELECT seq, attempts FROM attempts")?;
        let attempts = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let attempts: HashMap<i64, u32> = attempts.collect::<rusqlite::Result<_>>()?;
        let (state, mut stored) = (self.state()?, Vec::new());
        let mut select = self.connection.prepare("SELECT first, lanes FROM batches ORDER BY first")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let (first, lanes): (i64, String) = (row.get(0)?, row.get(1)?);
            let Some(batch) = state.batches.get(&first) else { continue };
            let lanes = read_lanes(&lanes).into_iter().chain(iter::repeat(String::new()));
            let seqs = (first..batch.end(first)).zip(lanes);
            stored.extend(seqs.filter(|(seq, _)| batch.has(seq - first)).map(|(seq, lane)| {
                let attempts = attempts.get(&seq).copied().unwrap_or_default();
                StoredRow { seq, lane: parse_lane(&lane), attempts }
            }));
        }
        Ok(stored)
    }

    /// Returns the JSON of an update. `None` if the update is settled.
    pub(super) fn json(&self, seq: i64) -> rusqlite::Result<Option<String>> {
        self.with_row(seq, |row, place| row.json(place).to_owned())
    }

    /// Calls `read` with the batch of an update and its place in the batch. Returns `None` if the update is settled.
    fn with_row<T>(&self, seq: i64, read: impl FnOnce(&BatchRow, usize) -> T) -> rusqlite::Result<Option<T>> {
        let mut state = self.state()?;
        let Some((first, _)) = state.batch_mut(seq) else { return Ok(None) };
        let row = match state.last_read.take() {
            Some((last_first, row)) if last_first == first => row,
            _ => {
                let select = "SELECT stored_at, lanes, ends, json FROM batches WHERE first = ?";
                self.connection.prepare_cached(select)?.query_row([first], BatchRow::read)?
            }
        };
        let read = read(&row, usize::try_from(seq - first).unwrap_or_default());
        state.last_read = Some((first, row));
        Ok(Some(read))
    }

    /// Makes an update a dead letter, and removes the oldest dead letters beyond `most`. Returns how many were removed.
    pub(super) fn bury(&self, seq: i64, attempts: u32, cause: &str, now: i64, most: usize) -> rusqlite::Result<usize> {
        let insert = "INSERT INTO dead (stored_at, died_at, lane, json, attempts, cause) VALUES (?, ?, ?, ?, ?, ?)";
        let bury = |row: &BatchRow, place| {
            self.execute(insert, params![row.stored_at, now, row.lane(place), row.json(place), attempts, cause])
        };
        let added = self.with_row(seq, bury)?.transpose()?.unwrap_or_default();
        self.settle(&[seq])?;
        let (dead, mut removed) = (self.state()?.dead + added, 0);
        if let Some(excess) = dead.checked_sub(most).filter(|excess| *excess > 0) {
            let trim = "DELETE FROM dead WHERE id IN (SELECT id FROM dead ORDER BY id LIMIT ?)";
            removed = self.execute(trim, [i64::try_from(excess).unwrap_or(i64::MAX)])?;
        }
        self.state()?.dead = dead - removed;
        Ok(removed)
    }

    /// Returns the amounts that are stored.
    pub(super) fn contents(&self) -> rusqlite::Result<Contents> {
        let state = self.state()?;
        let oldest = state.batches.first_key_value().map(|(_, batch)| batch.stored_at);
        Ok(Contents { depth: state.depth, oldest, dead: state.dead })
    }

    /// Returns the dead letters, oldest first.
    pub(super) fn dead(&self) -> rusqlite::Result<Vec<DeadRow>> {
        let select = "SELECT id, stored_at, died_at, json, attempts, cause FROM dead ORDER BY id";
        let read = |row: &Row<'_>| {
            Ok(DeadRow {
                id: row.get(0)?,
                stored_at: row.get(1)?,
                died_at: row.get(2)?,
                json: row.get(3)?,
                attempts: row.get(4)?,
                cause: row.get(5)?,
            })
        };
        self.connection.prepare(select)?.query_map([], read)?.collect()
    }

    /// Stores a dead letter again, as the newest update. Returns its `seq` and its lane. `None` if it does not exist.
    pub(super) fn replay(&self, id: i64, now: i64) -> rusqlite::Result<Option<(i64, Lane)>> {
        let select = "SELECT lane, json FROM dead WHERE id = ?";
        let dead = self.connection.query_row(select, [id], |row| Ok((row.get(0)?, row.get(1)?)));
        let Some((lane, json)): Option<(String, String)> = dead.optional()? else { return Ok(None) };
        let lane = parse_lane(&lane);
        let seqs = self.insert(&[&NewRow { lane: &lane, key: None, json: &json }], now)?;
        self.discard(id)?;
        Ok(Some((seqs.start, lane)))
    }

    /// Removes a dead letter. Returns whether it existed.
    pub(super) fn discard(&self, id: i64) -> rusqlite::Result<bool> {
        let mut state = self.state()?;
        let removed = self.execute("DELETE FROM dead WHERE id = ?", [id])?;
        state.dead = state.dead.saturating_sub(removed);
        Ok(removed > 0)
    }

    pub(super) fn marker(&self) -> rusqlite::Result<Option<i64>> {
        self.meta("marker")
    }

    pub(super) fn set_marker(&self, marker: i64) -> rusqlite::Result<()> {
        self.set_meta("marker", marker)
    }

    /// Returns the base URL and the id of the bot that owns the journal; `None` if the journal has no owner yet.
    pub(super) fn bot(&self) -> rusqlite::Result<Option<(String, i64)>> {
        Ok(self.meta("base_url")?.zip(self.meta("bot_id")?))
    }

    pub(super) fn set_bot(&self, base_url: &str, bot_id: i64) -> rusqlite::Result<()> {
        self.set_meta("base_url", base_url)?;
        self.set_meta("bot_id", bot_id)
    }

    fn meta<T: FromSql>(&self, name: &str) -> rusqlite::Result<Option<T>> {
        let mut select = self.connection.prepare_cached("SELECT value FROM meta WHERE name = ?")?;
        select.query_row([name], |row| row.get(0)).optional()
    }

    fn set_meta(&self, name: &str, value: impl ToSql) -> rusqlite::Result<()> {
        self.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", params![name, value]).map(drop)
    }

    fn execute(&self, sql: &str, params: impl Params) -> rusqlite::Result<usize> {
        self.connection.prepare_cached(sql)?.execute(params)
    }

    fn value<T: FromSql>(&self, query: &str) -> rusqlite::Result<T> {
        self.connection.query_row(query, [], |row| row.get(0))
    }
}

impl State {
    /// Returns the batch of an update that is not settled, and the number of its first update.
    fn batch_mut(&mut self, seq: i64) -> Option<(i64, &mut Batch)> {
        let (first, batch) = self.batches.range_mut(..=seq).next_back()?;
        batch.has(seq.saturating_sub(*first)).then_some((*first, batch))
    }
}

impl Batch {
    /// Returns whether the batch has an update at this place that is not settled.
    fn has(&self, place: i64) -> bool {
        usize::try_from(place).is_ok_and(|place| place < self.len && self.settled >> place & 1 == 0)
    }

    fn settle(&mut self, place: i64) {
        self.settled |= 1 << place;
    }

    /// Returns the number of updates that are not settled.
    fn unsettled(&self) -> usize {
        let rest = self.settled.checked_shr(u32::try_from(self.len).unwrap_or(u32::MAX)).unwrap_or(0);
        self.len + rest.count_ones() as usize - self.settled.count_ones() as usize
    }

    fn is_finished(&self) -> bool {
        self.unsettled() == 0
    }

    /// Returns the number after its last update. `first` is the number of its first update.
    fn end(&self, first: i64) -> i64 {
        first.saturating_add(i64::try_from(self.len).unwrap_or(i64::MAX))
    }
}

/// A row of `batches`.
struct BatchRow {
    stored_at: i64,
    lanes: String,
    ends: Vec<u8>,
    json: String,
}

impl BatchRow {
    fn new(rows: &[&NewRow<'_>], stored_at: i64) -> Self {
        let mut json = String::with_capacity(rows.iter().map(|row| row.json.len()).sum());
        let mut ends = Vec::with_capacity(rows.len() * 4);
        for row in rows {
            json.push_str(row.json);
            ends.extend(u32::try_from(json.len()).unwrap_or(u32::MAX).to_le_bytes());
        }
        let lanes: Vec<LaneText<'_>> = rows.iter().map(|row| LaneText(row.lane)).collect();
        // Serializing a list of strings cannot fail.
        let lanes = serde_json::to_string(&lanes).unwrap_or_default();
        Self { stored_at, lanes, ends, json }
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { stored_at: row.get(0)?, lanes: row.get(1)?, ends: row.get(2)?, json: row.get(3)? })
    }

    fn lane(&self, place: usize) -> String {
        read_lanes(&self.lanes).into_iter().nth(place).unwrap_or_default()
    }

    /// Returns the JSON of an update. Empty if `ends` is invalid, which only a change by hand can cause.
    fn json(&self, place: usize) -> &str {
        let mut ends =
            self.ends.chunks_exact(4).map(|end| u32::from_le_bytes([end[0], end[1], end[2], end[3]]) as usize);
        let start = place.checked_sub(1).map_or(Some(0), |before| ends.nth(before));
        let range = start.zip(ends.next());
        range.and_then(|(start, end)| self.json.get(start..end)).unwrap_or_default()
    }
}

/// Parses a lane. An unknown lane, for example after a change by hand, becomes the lane of updates without an id.
fn parse_lane(lane: &str) -> Lane {
    Lane::parse(lane).unwrap_or_else(|| {
        tracing::error!(lane = printable(lane).as_ref(), "journal has an unknown lane");
        Lane::other()
    })
}

/// Parses the lanes of a batch. Returns an empty list for invalid JSON, which only a change by hand can cause.
fn read_lanes(lanes: &str) -> Vec<String> {
    serde_json::from_str(lanes).unwrap_or_default()
}

/// A lane as JSON.
struct LaneText<'a>(&'a Lane);

impl Serialize for LaneText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

/// Converts a count from SQLite. A negative number becomes 0.
fn size(number: i64) -> usize {
    usize::try_from(number).unwrap_or_default()
}

/// Turns the write-ahead log on, and sets when SQLite waits for the disk.
fn write_ahead(connection: &Connection, durability: Durability) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    let synchronous = match durability {
        Durability::ProcessKill => "NORMAL",
        Durability::PowerLoss => "FULL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)
}

/// Checks that the file is a journal or empty, or creates it. Does not use SQLite, which might write to the file.
fn check_header(path: &Path) -> Result<(), Problem> {
    let io = |error| Problem::of_io(path, &error);
    let foreign = |reason| Err(Problem::Foreign { path: path.to_owned(), reason });
    let mut header = Vec::new();
    match fs::metadata(path) {
        Ok(file) if !file.is_file() => return foreign("it is not a regular file"),
        Ok(_) => File::open(path).and_then(|file| file.take(100).read_to_end(&mut header)).map(drop).map_err(io)?,
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(io(error)),
    }
    if header.is_empty() {
        // SQLite would remove the log of an empty database.
        let log = log_of(path);
        if fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
            let reason = format!("it is empty or missing, but its log {} has data", log.display());
            return Err(Problem::Damaged { path: path.to_owned(), reason });
        }
        return private().truncate(false).open(path).map(drop).map_err(io);
    }
    let id = header.get(APPLICATION_ID_AT..APPLICATION_ID_AT + 4);
    if !header.starts_with(SQLITE_MAGIC) {
        return foreign("it is not an SQLite database");
    }
    if id != Some(&APPLICATION_ID.to_be_bytes()) {
        return foreign("it is the SQLite database of another program");
    }
    Ok(())
}

/// Returns the path of the write-ahead log of a database.
fn log_of(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60 * 1000;

    /// A directory for a journal, removed after its test.
    struct Place(PathBuf);

    impl Place {
        fn new(test: &str) -> Self {
            let path = std::env::temp_dir().join(format!("tamtam-database-{test}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn open(&self) -> Database {
            Database::open(&self.0.join("bot.journal"), Durability::PowerLoss).unwrap()
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn store(database: &Database, key: &str, now: i64) -> Option<i64> {
        let key = database.key_hasher().unwrap().hash(key, Some(1));
        let row = NewRow { lane: &Lane::other(), key: Some(key), json: "{}" };
        let seq = database.store(&[row], now).unwrap()[0];
        database.clean_up(now).unwrap();
        seq
    }

    #[test]
    fn a_repeated_key_is_recognized_for_at_least_an_hour_and_later_removed() {
        let place = Place::new("keys");
        let database = place.open();
        for begins in [0, 30, 59] {
            let key = begins.to_string();
            let begins = (1_000_000 + begins) * MINUTE;
            assert!(store(&database, &key, begins).is_some());
            for later in [0, 1, 59] {
                assert_eq!(store(&database, &key, begins + later * MINUTE), None, "{later} minutes after {key}");
            }
        }
        // Storing something after an hour starts a new generation of keys.
        for hours in 2..4 {
            store(&database, "other", (1_000_000 + hours * 60) * MINUTE);
        }
        assert!(store(&database, "0", (1_000_000 + 181) * MINUTE).is_some());
    }

    #[test]
    fn keeps_all_keys_if_the_clock_is_set_back() {
        let place = Place::new("clock");
        let database = place.open();
        let now = 1_000_000 * MINUTE;
        assert!(store(&database, "a", now).is_some());
        for back in [now - 1, now - 600 * MINUTE, now - 599 * MINUTE, now - 601 * MINUTE] {
            assert_eq!(store(&database, "a", back), None);
        }
    }

    #[test]
    fn an_update_without_a_key_is_always_stored() {
        let place = Place::new("no-key");
        let database = place.open();
        let lane = Lane::other();
        let rows = || [(); 2].map(|()| NewRow { lane: &lane, key: None, json: "5" });
        assert_eq!(database.store(&rows(), 1).unwrap(), [Some(1), Some(2)]);
    }

    #[test]
    fn a_settled_update_is_removed_at_once_and_its_number_is_not_reused() {
        let place = Place::new("settled");
        let database = place.open();
        let lane = Lane::other();
        let rows: Vec<_> = (0..SWEEP * 2 * BATCH).map(|_| NewRow { lane: &lane, key: None, json: "{}" }).collect();
        let seqs: Vec<i64> = database.store(&rows, 1).unwrap().into_iter().flatten().collect();
        database.set_attempts(seqs[0], 3).unwrap();
        database.settle(&seqs[..1]).unwrap();
        assert_eq!(database.json(seqs[0]).unwrap(), None);
        assert_eq!(database.json(seqs[1]).unwrap().as_deref(), Some("{}"));
        database.clean_up(1).unwrap();
        database.settle(&seqs[1..]).unwrap();
        database.clean_up(1).unwrap();
        assert_eq!(database.stored().unwrap(), []);
        database.set_attempts(seqs[0], 4).unwrap();
        drop(database);
        let database = place.open();
        assert!(store(&database, "new", 1).unwrap() > *seqs.last().unwrap());
        let attempts: Vec<u32> = database.stored().unwrap().iter().map(|row| row.attempts).collect();
        assert_eq!(attempts, [0]);
    }

    #[test]
    fn each_update_of_a_batch_is_read_and_settled_on_its_own() {
        let place = Place::new("batch");
        let database = place.open();
        let jsons: Vec<String> = (0..2 * BATCH + 2).map(|number| format!("\"{}\"", "ä".repeat(number))).collect();
        let lane = Lane::other();
        let rows: Vec<_> = jsons.iter().map(|json| NewRow { lane: &lane, key: None, json }).collect();
        let seqs: Vec<i64> = database.store(&rows, 1).unwrap().into_iter().flatten().collect();
        let odd: Vec<i64> = seqs.iter().copied().filter(|seq| seq % 2 == 1).collect();
        database.settle(&odd).unwrap();
        database.set_attempts(seqs[3], 3).unwrap();
        let check = |database: &Database| {
            for (seq, json) in seqs.iter().zip(&jsons) {
                assert_eq!(database.json(*seq).unwrap().as_ref(), (!odd.contains(seq)).then_some(json), "{seq}");
            }
            let stored: Vec<(i64, u32)> =
                database.stored().unwrap().iter().map(|row| (row.seq, row.attempts)).collect();
            let expected = seqs.iter().filter(|seq| !odd.contains(seq));
            assert_eq!(stored, expected.map(|seq| (*seq, if *seq == seqs[3] { 3 } else { 0 })).collect::<Vec<_>>());
        };
        check(&database);
        drop(database);
        check(&place.open());
    }

    #[test]
    fn invalid_ends_give_empty_json() {
        let row = |ends: &[u32], json: &str| BatchRow {
            stored_at: 1,
            lanes: "chat:1".to_owned(),
            ends: ends.iter().flat_map(|end| end.to_le_bytes()).collect(),
            json: json.to_owned(),
        };
        assert_eq!([0, 1].map(|place| row(&[1, 2], "45").json(place).to_owned()), ["4", "5"]);
        for (ends, place) in [(&[1, 3][..], 1), (&[2, 1], 1), (&[1], 1), (&[], 0), (&[u32::MAX], 0)] {
            assert_eq!(row(ends, "45").json(place), "");
        }
        assert_eq!(row(&[1, 2], "ä").json(0), "");
    }

    #[test]
    fn a_failed_part_rolls_back_only_its_own_changes() {
        let place = Place::new("part");
        let database = place.open();
        let seq = store(&database, "a", 1).unwrap();
        let failed = database.transaction(|database| {
            database.part(|database| database.set_marker(1))?;
            let failed = database.part(|database| {
                database.set_marker(2)?;
                database.bury(seq, 1, "", 1, 10)?;
                store(database, "b", 1).unwrap();
                database.connection.execute("INSERT INTO missing VALUES (1)", [])
            });
            assert!(failed.is_err());
            database.part(|database| database.set_attempts(1, 1))
        });
        failed.unwrap();
        assert_eq!((database.marker().unwrap(), database.contents().unwrap().dead), (Some(1), 0));
        assert_eq!(database.json(seq).unwrap().as_deref(), Some("{}"));
        assert_eq!(store(&database, "b", 1), Some(seq + 1));
    }

    #[test]
    fn no_later_part_is_committed_after_sqlite_rolled_the_transaction_back() {
        let place = Place::new("undone");
        let database = place.open();
        let undone = database.transaction(|database| {
            let failed = database.part(|database| {
                database.connection.execute_batch("ROLLBACK")?;
                database.connection.execute("INSERT INTO missing VALUES (1)", [])
            });
            assert!(failed.unwrap_err().to_string().contains("missing"), "the first error is reported");
            assert!(database.part(|database| database.set_marker(2)).is_err());
            Ok(())
        });
        assert!(undone.is_err());
        assert_eq!(database.marker().unwrap(), None);
    }

    #[test]
    fn a_dead_letter_discarded_after_a_failed_part_is_counted_once() {
        let place = Place::new("discarded");
        let database = place.open();
        let seq = store(&database, "a", 1).unwrap();
        database.bury(seq, 1, "", 1, 10).unwrap();
        let id = database.dead().unwrap()[0].id;
        let discarded = database.transaction(|database| {
            assert!(database.part(|database| database.connection.execute("nonsense", [])).is_err());
            database.part(|database| database.discard(id))
        });
        assert!(discarded.unwrap());
        assert_eq!(database.contents().unwrap().dead, 0);
    }

    #[test]
    fn lanes_are_read_as_they_were_written() {
        let place = Place::new("lanes");
        let database = place.open();
        let lanes = ["session:a\nchat:5", "session:\"\\", "chat:-1", "user:2"].map(|lane| Lane::parse(lane).unwrap());
        let rows: Vec<_> = lanes.iter().map(|lane| NewRow { lane, key: None, json: "{}" }).collect();
        let seqs = database.store(&rows, 1).unwrap();
        let stored: Vec<Lane> = database.stored().unwrap().into_iter().map(|row| row.lane).collect();
        assert_eq!(stored, lanes);
        database.bury(seqs[1].unwrap(), 1, "", 1, 10).unwrap();
        let replayed = database.replay(database.dead().unwrap()[0].id, 1).unwrap();
        assert_eq!(replayed.unwrap().1, lanes[1]);
    }

    #[test]
    fn bits_without_an_update_do_not_count() {
        for (len, settled, unsettled) in [(2, 0b1100, 2), (2, 0b1110, 1), (2, u64::MAX, 0), (64, 1, 63), (0, 1, 0)] {
            let batch = Batch { stored_at: 1, len, settled };
            assert_eq!((batch.unsettled(), batch.is_finished()), (unsettled, unsettled == 0), "{len} {settled:b}");
        }
    }

    #[test]
    fn the_oldest_dead_letters_are_removed_and_counted() {
        let place = Place::new("dead");
        let database = place.open();
        let bury = |number: i64| {
            let seq = store(&database, &number.to_string(), number).unwrap();
            database.bury(seq, 1, &number.to_string(), number, 2).unwrap()
        };
        assert_eq!((1..=4).map(bury).collect::<Vec<_>>(), [0, 0, 1, 1]);
        let causes =
            |database: &Database| database.dead().unwrap().into_iter().map(|row| row.cause).collect::<Vec<_>>();
        assert_eq!(causes(&database), ["3", "4"]);
        let [third, fourth] = &database.dead().unwrap()[..] else { panic!("two") };
        assert!(database.replay(third.id, 9).unwrap().is_some());
        assert!(database.replay(third.id, 9).unwrap().is_none());
        assert_eq!((database.contents().unwrap().dead, database.stored().unwrap().len()), (1, 1));
        assert!(database.discard(fourth.id).unwrap());
        assert_eq!(database.contents().unwrap().dead, 0);
    }
}
