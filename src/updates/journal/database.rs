//! The journal's file, an SQLite database: opening and checking it, and what is read and written.

use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Read as _},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension as _, Row,
    config::DbConfig,
    params,
    types::{FromSql, ToSql},
};

use super::{problem::Problem, settings::Durability};
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
/// How long the file's lock is waited for: a process, or a handle, that has ended lets go of it a moment later.
const LOCK_TIME: Duration = Duration::from_secs(1);
/// The wait between two looks at the lock.
const LOCK_PAUSE: Duration = Duration::from_millis(10);
/// How long a repeated key is recognized at least. Two tables take turns, so a key is kept for twice as long at most.
const KEY_TIME: Duration = Duration::from_secs(60 * 60);

const TABLES: &str = "
    CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
    CREATE TABLE updates (seq INTEGER PRIMARY KEY AUTOINCREMENT, stored_at INTEGER NOT NULL, lane TEXT NOT NULL,
        json TEXT NOT NULL);
    CREATE TABLE attempts (seq INTEGER PRIMARY KEY, attempts INTEGER NOT NULL);
    CREATE TABLE dead (seq INTEGER PRIMARY KEY, stored_at INTEGER NOT NULL, died_at INTEGER NOT NULL,
        lane TEXT NOT NULL, json TEXT NOT NULL, attempts INTEGER NOT NULL, cause TEXT NOT NULL);
    CREATE TABLE keys_0 (timestamp INTEGER NOT NULL, key TEXT NOT NULL, PRIMARY KEY (timestamp, key)) WITHOUT ROWID;
    CREATE TABLE keys_1 (timestamp INTEGER NOT NULL, key TEXT NOT NULL, PRIMARY KEY (timestamp, key)) WITHOUT ROWID;
";

/// An open journal, locked for this process. All times are Unix milliseconds.
pub(super) struct Database {
    connection: Connection,
}

/// An update to be stored.
pub(super) struct NewRow<'a> {
    pub(super) lane: String,
    /// The timestamp of the update, which stands before the key: so new keys are written next to each other.
    pub(super) timestamp: i64,
    pub(super) key: String,
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
    pub(super) seq: i64,
    pub(super) stored_at: i64,
    pub(super) died_at: i64,
    pub(super) json: String,
    pub(super) attempts: u32,
    pub(super) cause: String,
}

impl Database {
    /// Opens or creates the file, and locks it. A file that is not a whole journal is not changed.
    pub(super) fn open(path: &Path, durability: Durability) -> Result<Self, Problem> {
        check_header(path)?;
        let sqlite = |error: rusqlite::Error| Problem::of_open(path, &error);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(sqlite)?;
        // A database that turns out to be damaged must not be written when it is closed.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(sqlite)?;
        lock(&connection).map_err(sqlite)?;
        let database = Self { connection };
        let tables: i64 = database.value("SELECT count(*) FROM sqlite_schema").map_err(sqlite)?;
        if tables == 0 {
            // Before the write-ahead log is used: so the file itself has the application id at once.
            database.transaction(Self::create).map_err(sqlite)?;
            sync_directory(path).map_err(|error| Problem::of_io(path, &error))?;
        } else {
            database.check(path)?;
        }
        write_ahead(&database.connection, durability).map_err(sqlite)?;
        database.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(sqlite)?;
        Ok(database)
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
    pub(super) fn transaction<T, E: From<rusqlite::Error>>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let transaction = self.connection.unchecked_transaction()?;
        let done = work(self)?;
        transaction.commit()?;
        Ok(done)
    }

    /// Stores updates, and returns the `seq` of each; `None` for an update whose key is there.
    pub(super) fn store(&self, rows: &[NewRow<'_>], now: i64) -> rusqlite::Result<Vec<Option<i64>>> {
        let (newer, older) = self.key_tables(now)?;
        let mut insert =
            self.connection.prepare_cached("INSERT INTO updates (stored_at, lane, json) VALUES (?, ?, ?)")?;
        let mut add_key = self.connection.prepare_cached(&format!("INSERT OR IGNORE INTO {newer} VALUES (?, ?)"))?;
        let mut has_key =
            self.connection.prepare_cached(&format!("SELECT 1 FROM {older} WHERE timestamp = ? AND key = ?"))?;
        let mut store = |row: &NewRow<'_>| {
            let key = params![row.timestamp, row.key];
            if has_key.exists(key)? || add_key.execute(key)? == 0 {
                return Ok(None);
            }
            insert.execute(params![now, row.lane, row.json])?;
            Ok(Some(self.connection.last_insert_rowid()))
        };
        rows.iter().map(&mut store).collect()
    }

    /// The table that takes new keys, and the other one. After each [`KEY_TIME`] the older is emptied and takes the turn.
    fn key_tables(&self, now: i64) -> rusqlite::Result<(&'static str, &'static str)> {
        let mut turn: i64 = self.meta("key_turn")?.unwrap_or(0);
        let since: i64 = self.meta("keys_since")?.unwrap_or(i64::MIN);
        let key_time = i64::try_from(KEY_TIME.as_millis()).unwrap_or(i64::MAX);
        // A clock that was set back starts the time anew.
        if now.saturating_sub(since) >= key_time || now < since {
            turn = 1 - turn;
            self.connection.execute(&format!("DELETE FROM keys_{turn}"), [])?;
            self.set_meta("key_turn", turn)?;
            self.set_meta("keys_since", now)?;
        }
        Ok(if turn == 0 { ("keys_0", "keys_1") } else { ("keys_1", "keys_0") })
    }

    /// Removes updates that are settled. `seqs` are sorted: those that follow each other are removed at a time.
    pub(super) fn remove_all(&self, seqs: &[i64]) -> rusqlite::Result<()> {
        let mut updates = self.connection.prepare_cached("DELETE FROM updates WHERE seq BETWEEN ? AND ?")?;
        let mut attempts = self.connection.prepare_cached("DELETE FROM attempts WHERE seq BETWEEN ? AND ?")?;
        for run in seqs.chunk_by(|seq, next| seq + 1 == *next) {
            if let [first, ..] = run {
                let range = [*first, first + i64::try_from(run.len()).unwrap_or(i64::MAX) - 1];
                updates.execute(range)?;
                attempts.execute(range)?;
            }
        }
        Ok(())
    }

    /// Keeps how often an update was handed out.
    pub(super) fn set_attempts(&self, seq: i64, attempts: u32) -> rusqlite::Result<()> {
        let mut set = self.connection.prepare_cached("INSERT OR REPLACE INTO attempts VALUES (?, ?)")?;
        set.execute(params![seq, attempts]).map(drop)
    }

    /// Returns all updates that are not settled, in the order in which they came.
    pub(super) fn stored(&self) -> rusqlite::Result<Vec<StoredRow>> {
        let mut select = self.connection.prepare(
            "SELECT seq, stored_at, lane, coalesce(attempts, 0) FROM updates LEFT JOIN attempts USING (seq) ORDER BY seq",
        )?;
        let read = |row: &Row<'_>| {
            Ok(StoredRow { seq: row.get(0)?, stored_at: row.get(1)?, lane: row.get(2)?, attempts: row.get(3)? })
        };
        select.query_map([], read)?.collect()
    }

    /// Returns the JSON of an update.
    pub(super) fn json(&self, seq: i64) -> rusqlite::Result<String> {
        self.connection.prepare_cached("SELECT json FROM updates WHERE seq = ?")?.query_row([seq], |row| row.get(0))
    }

    /// Makes an update a dead letter, and removes the oldest dead letters beyond `most`. Returns how many there are.
    pub(super) fn bury(&self, seq: i64, attempts: u32, cause: &str, now: i64, most: usize) -> rusqlite::Result<usize> {
        let insert = "INSERT INTO dead SELECT seq, stored_at, ?, lane, json, ?, ? FROM updates WHERE seq = ?";
        self.connection.prepare_cached(insert)?.execute(params![now, attempts, cause, seq])?;
        self.remove_all(&[seq])?;
        let trim =
            "DELETE FROM dead WHERE seq IN (SELECT seq FROM dead ORDER BY died_at DESC, seq DESC LIMIT -1 OFFSET ?)";
        self.connection.prepare_cached(trim)?.execute([i64::try_from(most).unwrap_or(i64::MAX)])?;
        self.dead_count()
    }

    pub(super) fn dead_count(&self) -> rusqlite::Result<usize> {
        self.value::<i64>("SELECT count(*) FROM dead").map(|count| usize::try_from(count).unwrap_or_default())
    }

    /// Returns the dead letters, oldest first.
    pub(super) fn dead(&self) -> rusqlite::Result<Vec<DeadRow>> {
        let mut select = self
            .connection
            .prepare("SELECT seq, stored_at, died_at, json, attempts, cause FROM dead ORDER BY died_at, seq")?;
        let read = |row: &Row<'_>| {
            Ok(DeadRow {
                seq: row.get(0)?,
                stored_at: row.get(1)?,
                died_at: row.get(2)?,
                json: row.get(3)?,
                attempts: row.get(4)?,
                cause: row.get(5)?,
            })
        };
        select.query_map([], read)?.collect()
    }

    /// Stores a dead letter again, as the newest update. Returns its new `seq` and its lane; `None` if it is not there.
    pub(super) fn replay(&self, seq: i64, now: i64) -> rusqlite::Result<Option<(i64, String)>> {
        let lane = self.connection.query_row("SELECT lane FROM dead WHERE seq = ?", [seq], |row| row.get(0));
        let Some(lane) = lane.optional()? else { return Ok(None) };
        let insert = "INSERT INTO updates (stored_at, lane, json) SELECT ?, lane, json FROM dead WHERE seq = ?";
        self.connection.execute(insert, params![now, seq])?;
        let new = self.connection.last_insert_rowid();
        self.discard(seq)?;
        Ok(Some((new, lane)))
    }

    /// Removes a dead letter. Returns whether it was there.
    pub(super) fn discard(&self, seq: i64) -> rusqlite::Result<bool> {
        self.connection.execute("DELETE FROM dead WHERE seq = ?", [seq]).map(|removed| removed > 0)
    }

    pub(super) fn marker(&self) -> rusqlite::Result<Option<i64>> {
        self.meta("marker")
    }

    pub(super) fn set_marker(&self, marker: i64) -> rusqlite::Result<()> {
        self.set_meta("marker", marker)
    }

    /// Returns the base URL and the id of the bot whose journal it is; `None` if it is nobody's yet.
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

/// Locks the database for this process, until the connection is closed. SQLite then needs no memory that processes share.
fn lock(connection: &Connection) -> rusqlite::Result<()> {
    // SQLite's own wait does not hold for this lock.
    connection.busy_timeout(Duration::ZERO)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    let deadline = Instant::now() + LOCK_TIME;
    loop {
        match connection.execute_batch("BEGIN IMMEDIATE; COMMIT") {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && Instant::now() < deadline => {
                thread::sleep(LOCK_PAUSE);
            }
            locked => return locked,
        }
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
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            // The journal has what people write to the bot.
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            options.open(path).map_err(io)?;
        }
        Err(error) => return Err(io(error)),
    }
    let id = header.get(APPLICATION_ID_AT..APPLICATION_ID_AT + 4);
    if header.is_empty() {
        return Ok(());
    }
    if !header.starts_with(SQLITE_MAGIC) {
        return foreign("it is not an SQLite database");
    }
    if id != Some(&APPLICATION_ID.to_be_bytes()) {
        return foreign("it is the SQLite database of another program");
    }
    Ok(())
}
