//! The journal's file, an SQLite database: opening and checking it, and what is read and written.

use std::{
    cell::Cell,
    fs::{self, File},
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{
    Connection, OpenFlags, OptionalExtension as _, Row,
    config::DbConfig,
    params,
    types::{FromSql, ToSql},
};

use super::{
    lock::{Lock, private},
    problem::Problem,
    settings::Durability,
};
use crate::updates::atomic_write::sync_directory;

/// Marks an SQLite database as a journal: "tamj" in ASCII.
const APPLICATION_ID: i32 = 0x7461_6d6a;
/// The version of the tables.
const FORMAT: i32 = 1;
/// The first bytes of an SQLite database.
const SQLITE_MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Where the application id stands in its header, in bytes.
const APPLICATION_ID_AT: usize = 68;
/// Pages of 4 KiB in the write-ahead log after which they are moved into the database: 16 MiB. Each move waits for the
/// disk twice. SQLite's default of 4 MiB costs a quarter of the speed, and more than 16 MiB gains nothing.
const CHECKPOINT_PAGES: i32 = 4000;
/// The least time for which a repeated key is recognized. Two tables take turns, at the next store after this time. So a key
/// is kept for up to twice this time, and longer while nothing is stored.
const KEY_TIME: Duration = Duration::from_secs(60 * 60);

const TABLES: &str = "
    CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
    CREATE TABLE updates (seq INTEGER PRIMARY KEY, stored_at INTEGER NOT NULL, lane TEXT NOT NULL, json TEXT NOT NULL);
    CREATE TABLE settled (seq INTEGER PRIMARY KEY);
    CREATE TABLE attempts (seq INTEGER PRIMARY KEY, attempts INTEGER NOT NULL);
    CREATE TABLE dead (id INTEGER PRIMARY KEY AUTOINCREMENT, stored_at INTEGER NOT NULL, died_at INTEGER NOT NULL,
        lane TEXT NOT NULL, json TEXT NOT NULL, attempts INTEGER NOT NULL, cause TEXT NOT NULL);
    CREATE TABLE keys_0 (timestamp INTEGER NOT NULL, key TEXT NOT NULL, PRIMARY KEY (timestamp, key)) WITHOUT ROWID;
    CREATE TABLE keys_1 (timestamp INTEGER NOT NULL, key TEXT NOT NULL, PRIMARY KEY (timestamp, key)) WITHOUT ROWID;
";
/// The number of settled updates after which their rows are deleted. Until then, only their numbers are written to
/// `settled`. Deleting many rows at a time frees whole pages, which need not be written again.
const SWEEP: usize = 1000;

/// An open journal, locked for this process. All times are Unix milliseconds.
pub(super) struct Database {
    connection: Connection,
    /// The number of the next update. No number is used twice.
    next_seq: Cell<i64>,
    /// How many numbers are in `settled`.
    settled: Cell<usize>,
    /// How many dead letters there are.
    dead: Cell<usize>,
    _lock: Lock,
}

/// An update to be stored.
pub(super) struct NewRow<'a> {
    pub(super) lane: &'a str,
    /// The timestamp of the update and its key. The timestamp comes first, so new keys are written next to each other. Without
    /// a key, the update is always stored.
    pub(super) key: Option<(i64, &'a str)>,
    pub(super) json: &'a str,
}

/// A stored update without its JSON.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct StoredRow {
    pub(super) seq: i64,
    pub(super) stored_at: i64,
    pub(super) lane: String,
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
        let lock = Lock::take(path)?;
        check_header(path)?;
        let sqlite = |error: rusqlite::Error| Problem::of_open(path, &error);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(sqlite)?;
        // A database that turns out to be damaged must not be written when it is closed.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(sqlite)?;
        // SQLite's own lock, until the connection is closed. It then needs no memory that processes share.
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE").map_err(sqlite)?;
        connection.execute_batch("BEGIN IMMEDIATE; COMMIT").map_err(sqlite)?;
        let (next_seq, settled, dead) = (Cell::new(1), Cell::new(0), Cell::new(0));
        let database = Self { connection, next_seq, settled, dead, _lock: lock };
        let tables: i64 = database.value("SELECT count(*) FROM sqlite_schema").map_err(sqlite)?;
        if tables == 0 {
            // Before the write-ahead log is used: so the file itself has the application id at once.
            database.transaction(Self::create).map_err(sqlite)?;
            sync_directory(path).map_err(|error| Problem::of_io(path, &error))?;
        } else {
            database.check(path)?;
        }
        write_ahead(&database.connection, durability).map_err(sqlite)?;
        database.transaction(Self::prepare).map_err(sqlite)?;
        database.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(sqlite)?;
        Ok(database)
    }

    /// Reads what is kept in memory.
    fn prepare(&self) -> rusqlite::Result<()> {
        self.sweep()?;
        let last: i64 = self.value("SELECT coalesce(max(seq), 0) FROM updates")?;
        self.next_seq.set(last.max(self.meta("last_seq")?.unwrap_or(0)) + 1);
        self.count_dead()
    }

    fn count_dead(&self) -> rusqlite::Result<()> {
        let dead: i64 = self.value("SELECT count(*) FROM dead")?;
        self.dead.set(usize::try_from(dead).unwrap_or_default());
        Ok(())
    }

    fn create(&self) -> rusqlite::Result<()> {
        self.connection.execute_batch(TABLES)?;
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

    /// Runs `work` in one transaction, which is undone if it fails.
    pub(super) fn transaction<T>(&self, work: impl FnOnce(&Self) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let transaction = self.connection.unchecked_transaction()?;
        let done = work(self)?;
        transaction.commit()?;
        Ok(done)
    }

    /// Runs `work` within a transaction. If it fails, only its own changes are undone.
    pub(super) fn part<T>(&self, work: impl FnOnce(&Self) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let execute = |sql| self.connection.prepare_cached(sql)?.execute([]).map(drop);
        execute("SAVEPOINT part")?;
        let done = work(self);
        if done.is_err() {
            execute("ROLLBACK TO part")?;
            self.count_dead()?;
        }
        execute("RELEASE part")?;
        done
    }

    /// Stores updates, and returns the `seq` of each; `None` for an update whose key is there.
    pub(super) fn store(&self, rows: &[NewRow<'_>], now: i64) -> rusqlite::Result<Vec<Option<i64>>> {
        let (newer, older) = self.key_tables(now)?;
        let mut insert = self.connection.prepare_cached("INSERT INTO updates VALUES (?, ?, ?, ?)")?;
        let mut add_key = self.connection.prepare_cached(&format!("INSERT OR IGNORE INTO {newer} VALUES (?, ?)"))?;
        let mut has_key =
            self.connection.prepare_cached(&format!("SELECT 1 FROM {older} WHERE timestamp = ? AND key = ?"))?;
        let has_older: bool = self.value(&format!("SELECT EXISTS (SELECT 1 FROM {older})"))?;
        let store = |row: &NewRow<'_>| {
            if let Some(key) = row.key
                && (has_older && has_key.exists(key)? || add_key.execute(key)? == 0)
            {
                return Ok(None);
            }
            let seq = self.next_seq.replace(self.next_seq.get() + 1);
            insert.execute(params![seq, now, row.lane, row.json])?;
            Ok(Some(seq))
        };
        let seqs = rows.iter().map(store).collect();
        self.set_meta("last_seq", self.next_seq.get() - 1)?;
        seqs
    }

    /// The table that takes new keys, and the other one. After each [`KEY_TIME`] the older is emptied and takes the turn.
    fn key_tables(&self, now: i64) -> rusqlite::Result<(&'static str, &'static str)> {
        let mut turn: i64 = self.meta("key_turn")?.unwrap_or(0);
        let since: i64 = self.meta("keys_since")?.unwrap_or(now);
        let key_time = i64::try_from(KEY_TIME.as_millis()).unwrap_or(i64::MAX);
        let is_over = now.saturating_sub(since) >= key_time;
        if is_over {
            turn = 1 - turn;
            self.connection.execute(&format!("DELETE FROM keys_{turn}"), [])?;
            self.set_meta("key_turn", turn)?;
        }
        // The time begins anew also when the clock was set back.
        if is_over || now <= since {
            self.set_meta("keys_since", now)?;
        }
        Ok(if turn == 0 { ("keys_0", "keys_1") } else { ("keys_1", "keys_0") })
    }

    /// Removes updates that are settled. The order of `seqs` has no meaning, but sorted ones are faster.
    pub(super) fn settle(&self, seqs: &[i64]) -> rusqlite::Result<()> {
        let mut settle = self.connection.prepare_cached("INSERT OR IGNORE INTO settled VALUES (?)")?;
        for seq in seqs {
            settle.execute([seq])?;
        }
        self.settled.set(self.settled.get() + seqs.len());
        Ok(())
    }

    /// Removes the rows of what is settled, if they are many. In a transaction of its own: with a savepoint, SQLite would write
    /// the pages that get free.
    pub(super) fn sweep_if_needed(&self) -> rusqlite::Result<()> {
        if self.settled.get() >= SWEEP { self.transaction(Self::sweep) } else { Ok(()) }
    }

    /// Removes the rows of what is settled.
    fn sweep(&self) -> rusqlite::Result<()> {
        for sql in [
            "DELETE FROM updates WHERE seq IN (SELECT seq FROM settled)",
            "DELETE FROM attempts WHERE seq IN (SELECT seq FROM settled)",
            "DELETE FROM settled",
        ] {
            self.connection.prepare_cached(sql)?.execute([])?;
        }
        self.settled.set(0);
        Ok(())
    }

    /// Keeps how often an update was handed out, if it is there.
    pub(super) fn set_attempts(&self, seq: i64, attempts: u32) -> rusqlite::Result<()> {
        let set = "INSERT OR REPLACE INTO attempts SELECT ?1, ?2 WHERE EXISTS (SELECT 1 FROM updates WHERE seq = ?1)";
        self.connection.prepare_cached(set)?.execute(params![seq, attempts]).map(drop)
    }

    /// Returns all updates that are not settled, in the order in which they came.
    pub(super) fn stored(&self) -> rusqlite::Result<Vec<StoredRow>> {
        self.sweep()?;
        let mut select = self.connection.prepare(
            "SELECT seq, stored_at, lane, coalesce(attempts, 0) FROM updates LEFT JOIN attempts USING (seq) ORDER BY seq",
        )?;
        let read = |row: &Row<'_>| {
            Ok(StoredRow { seq: row.get(0)?, stored_at: row.get(1)?, lane: row.get(2)?, attempts: row.get(3)? })
        };
        select.query_map([], read)?.collect()
    }

    /// Returns the JSON of an update; `None` if it is settled.
    pub(super) fn json(&self, seq: i64) -> rusqlite::Result<Option<String>> {
        let select = "SELECT json FROM updates WHERE seq = ?1 AND NOT EXISTS (SELECT 1 FROM settled WHERE seq = ?1)";
        self.connection.prepare_cached(select)?.query_row([seq], |row| row.get(0)).optional()
    }

    /// Makes an update a dead letter, and removes the oldest dead letters beyond `most`. Returns how many were removed.
    pub(super) fn bury(&self, seq: i64, attempts: u32, cause: &str, now: i64, most: usize) -> rusqlite::Result<usize> {
        let insert = "INSERT INTO dead (stored_at, died_at, lane, json, attempts, cause)
            SELECT stored_at, ?, lane, json, ?, ? FROM updates WHERE seq = ?";
        let added = self.connection.prepare_cached(insert)?.execute(params![now, attempts, cause, seq])?;
        self.settle(&[seq])?;
        let (dead, mut removed) = (self.dead.get() + added, 0);
        if let Some(excess) = dead.checked_sub(most).filter(|excess| *excess > 0) {
            let trim = "DELETE FROM dead WHERE id IN (SELECT id FROM dead ORDER BY id LIMIT ?)";
            let excess = i64::try_from(excess).unwrap_or(i64::MAX);
            removed = self.connection.prepare_cached(trim)?.execute([excess])?;
        }
        self.dead.set(dead - removed);
        Ok(removed)
    }

    /// How many dead letters there are.
    pub(super) fn dead_count(&self) -> usize {
        self.dead.get()
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

    /// Stores a dead letter again, as the newest update. Returns its `seq` and its lane; `None` if it is not there.
    pub(super) fn replay(&self, id: i64, now: i64) -> rusqlite::Result<Option<(i64, String)>> {
        let lane = self.connection.query_row("SELECT lane FROM dead WHERE id = ?", [id], |row| row.get(0));
        let Some(lane) = lane.optional()? else { return Ok(None) };
        let seq = self.next_seq.replace(self.next_seq.get() + 1);
        let insert = "INSERT INTO updates SELECT ?, ?, lane, json FROM dead WHERE id = ?";
        self.connection.execute(insert, params![seq, now, id])?;
        self.set_meta("last_seq", seq)?;
        self.discard(id)?;
        Ok(Some((seq, lane)))
    }

    /// Removes a dead letter. Returns whether it was there.
    pub(super) fn discard(&self, id: i64) -> rusqlite::Result<bool> {
        let removed = self.connection.execute("DELETE FROM dead WHERE id = ?", [id])?;
        self.dead.set(self.dead.get() - removed);
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
        let mut set = self.connection.prepare_cached("INSERT OR REPLACE INTO meta VALUES (?, ?)")?;
        set.execute(params![name, value]).map(drop)
    }

    fn value<T: FromSql>(&self, query: &str) -> rusqlite::Result<T> {
        self.connection.query_row(query, [], |row| row.get(0))
    }
}

/// Sets how the database is written.
fn write_ahead(connection: &Connection, durability: Durability) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    let synchronous = match durability {
        Durability::ProcessKill => "NORMAL",
        Durability::PowerLoss => "FULL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)
}

/// Checks that the file is a journal or empty, without SQLite, which might write to it. Creates it if it is not there.
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
            let reason = format!("it is empty or missing, and its log {} is not", log.display());
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

/// The write-ahead log of a database.
fn log_of(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60 * 1000;

    /// A journal that goes with its test.
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
        let row = NewRow { lane: "chat:1", key: Some((1, key)), json: "{}" };
        database.store(&[row], now).unwrap()[0]
    }

    #[test]
    fn a_repeated_key_is_recognized_for_an_hour_at_least_and_then_forgotten() {
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
        // Each hour in which something is stored begins a new table.
        for hours in 2..4 {
            store(&database, "other", (1_000_000 + hours * 60) * MINUTE);
        }
        assert!(store(&database, "0", (1_000_000 + 181) * MINUTE).is_some());
    }

    #[test]
    fn a_clock_that_is_set_back_forgets_no_key() {
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
        let rows = || [(); 2].map(|()| NewRow { lane: "other", key: None, json: "5" });
        assert_eq!(database.store(&rows(), 1).unwrap(), [Some(1), Some(2)]);
    }

    #[test]
    fn what_is_settled_is_gone_at_once_and_its_number_is_not_used_again() {
        let place = Place::new("settled");
        let database = place.open();
        let seqs: Vec<i64> = (0..SWEEP * 2).map(|number| store(&database, &number.to_string(), 1).unwrap()).collect();
        database.set_attempts(seqs[0], 3).unwrap();
        database.settle(&seqs[..1]).unwrap();
        assert_eq!(database.json(seqs[0]).unwrap(), None);
        assert_eq!(database.json(seqs[1]).unwrap().as_deref(), Some("{}"));
        database.sweep_if_needed().unwrap();
        database.settle(&seqs[1..]).unwrap();
        database.sweep_if_needed().unwrap();
        assert_eq!(database.stored().unwrap(), []);
        database.set_attempts(seqs[0], 4).unwrap();
        drop(database);
        let database = place.open();
        assert!(store(&database, "new", 1).unwrap() > *seqs.last().unwrap());
        let attempts: Vec<u32> = database.stored().unwrap().iter().map(|row| row.attempts).collect();
        assert_eq!(attempts, [0]);
    }

    #[test]
    fn a_part_that_fails_undoes_its_own_changes_only() {
        let place = Place::new("part");
        let database = place.open();
        let failed = database.transaction(|database| {
            database.part(|database| database.set_marker(1))?;
            let failed = database.part(|database| {
                database.set_marker(2)?;
                database.bury(7, 1, "", 1, 10)?;
                database.connection.execute("INSERT INTO missing VALUES (1)", [])
            });
            assert!(failed.is_err());
            database.part(|database| database.set_attempts(1, 1))
        });
        failed.unwrap();
        assert_eq!((database.marker().unwrap(), database.dead_count()), (Some(1), 0));
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
        assert_eq!((database.dead_count(), database.stored().unwrap().len()), (1, 1));
        assert!(database.discard(fourth.id).unwrap());
        assert_eq!(database.dead_count(), 0);
    }
}
