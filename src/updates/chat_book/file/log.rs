//! The log: reading, appending and rewriting. Its methods block the thread.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
    fs::{self, File},
    io::{self, ErrorKind, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::error::FileChatsError;
use crate::{
    id::ChatId,
    updates::{atomic_write, chat_book::record::ChatRecord, file_lock::FileLock},
};

/// The value of the first line, which identifies the file.
const FORMAT: &str = "tamtam-chats-1";
/// The largest file that is read, in bytes. A million chats have about 250 MB, and as much again can be outdated.
const MOST_BYTES: u64 = 1024 * 1024 * 1024;
/// The age from which a `.new` file counts as left behind by a killed process. The lock keeps other bots out, so an
/// hour is for the clocks of file servers.
const LEFT_BEHIND: Duration = Duration::from_secs(60 * 60);
/// The minimum number of lines for a rewrite while the file is open. A shorter file would be rewritten too often.
const SHORTEST_REWRITTEN: usize = 1000;

/// A line of the file.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line<'a> {
    Format(Cow<'a, str>),
    /// The new record of a chat.
    Chat(Cow<'a, ChatRecord>),
    /// The record of this chat was removed.
    Gone(ChatId),
}

/// The file, while it is open.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    /// The length of its whole lines, in bytes.
    length: u64,
    /// The number of lines after the first.
    lines: usize,
    /// The chats with a record.
    chats: HashSet<ChatId>,
    /// Whether a failed write may have left bytes after the whole lines.
    is_torn: bool,
    _lock: FileLock,
}

/// The contents of a file.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) records: BTreeMap<ChatId, ChatRecord>,
    /// The length of an incomplete last line, in bytes. 0 without one.
    pub(super) torn_bytes: usize,
    length: u64,
    lines: usize,
}

impl<'a> Line<'a> {
    pub(super) fn of(chat_id: ChatId, record: Option<&'a ChatRecord>) -> Self {
        record.map_or(Self::Gone(chat_id), |record| Self::Chat(Cow::Borrowed(record)))
    }

    /// Returns the line with its end.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write_to(&mut bytes);
        bytes
    }

    fn write_to(&self, bytes: &mut Vec<u8>) {
        // Cannot fail: it writes to memory.
        let _ = serde_json::to_writer(&mut *bytes, self);
        bytes.push(b'\n');
    }
}

impl Log {
    /// Opens or creates the file, and locks it. A file that cannot be read is not changed.
    pub(super) fn open(path: PathBuf) -> Result<(Self, Found), FileChatsError> {
        atomic_write::check_place(&path).map_err(|error| io_error(&path, error))?;
        let lock = FileLock::take(&path)?;
        atomic_write::remove_left_behind(&path, LEFT_BEHIND);
        let found = read(&path)?;
        let mut log = Self { path, length: 0, lines: 0, chats: HashSet::new(), is_torn: false, _lock: lock };
        match &found {
            Some(found) if found.torn_bytes == 0 && found.lines == found.records.len() => {
                (log.length, log.lines) = (found.length, found.lines);
                log.chats = found.records.keys().copied().collect();
            }
            Some(found) => log.rewrite(&found.records)?,
            None => log.rewrite(&BTreeMap::new())?,
        }
        Ok((log, found.unwrap_or_default()))
    }

    /// Appends a line about a chat. `is_kept` is whether the chat has a record after it.
    pub(super) fn save(&mut self, chat_id: ChatId, line: &[u8], is_kept: bool) -> Result<(), FileChatsError> {
        self.check_unchanged()?;
        if self.lines >= SHORTEST_REWRITTEN && self.lines > 2 * self.chats.len() {
            let found = read(&self.path)?.unwrap_or_default();
            self.rewrite(&found.records)?;
        }
        self.append(line).map_err(|error| io_error(&self.path, error))?;
        if is_kept {
            self.chats.insert(chat_id);
        } else {
            self.chats.remove(&chat_id);
        }
        Ok(())
    }

    /// Fails if the file has changed: the lock keeps other bots out, but not an editor.
    fn check_unchanged(&self) -> Result<(), FileChatsError> {
        let length = match fs::metadata(&self.path) {
            Ok(found) if found.is_file() => found.len(),
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(io_error(&self.path, error)),
            _ => return Err(FileChatsError::Changed { path: self.path.clone() }),
        };
        if length == self.length || (self.is_torn && length > self.length) {
            Ok(())
        } else {
            Err(FileChatsError::Changed { path: self.path.clone() })
        }
    }

    /// Writes a line to the disk. If that fails, the next write begins at the same place.
    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        let mut file = File::options().write(true).open(&self.path)?;
        if self.is_torn {
            file.set_len(self.length)?;
        }
        self.is_torn = true;
        file.seek(SeekFrom::Start(self.length))?;
        file.write_all(line)?;
        file.sync_data()?;
        self.is_torn = false;
        self.length += line.len() as u64;
        self.lines += 1;
        Ok(())
    }

    /// Replaces the file by one with these records only.
    fn rewrite(&mut self, records: &BTreeMap<ChatId, ChatRecord>) -> Result<(), FileChatsError> {
        let mut bytes = Line::Format(FORMAT.into()).to_bytes();
        for record in records.values() {
            Line::Chat(Cow::Borrowed(record)).write_to(&mut bytes);
        }
        atomic_write::replace(&self.path, &bytes).map_err(|error| io_error(&self.path, error))?;
        (self.length, self.lines, self.is_torn) = (bytes.len() as u64, records.len(), false);
        self.chats = records.keys().copied().collect();
        Ok(())
    }
}

/// Reads a file. Returns `None` if it does not exist.
fn read(path: &Path) -> Result<Option<Found>, FileChatsError> {
    let foreign = |problem: String| FileChatsError::NotAChatBook { path: path.to_owned(), problem };
    let bytes = match atomic_write::read(path, MOST_BYTES) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(None),
        Err(error) if error.kind() == ErrorKind::FileTooLarge => return Err(foreign(error.to_string())),
        Err(error) => return Err(io_error(path, error)),
    };
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let (whole, torn) = bytes.split_at(end);
    let mut lines = whole.split_inclusive(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    if !matches!(serde_json::from_slice(first), Ok(Line::Format(format)) if format == FORMAT) {
        return Err(foreign(format!("its first line is not of the format `{FORMAT}`")));
    }
    let mut found = Found { length: end as u64, torn_bytes: torn.len(), ..Found::default() };
    for line in lines {
        found.lines += 1;
        // Without the line's end: otherwise serde counts the column of an error from there.
        match serde_json::from_slice(line.trim_ascii_end()) {
            Ok(Line::Chat(record)) => {
                found.records.insert(record.chat_id(), record.into_owned());
            }
            Ok(Line::Gone(chat_id)) => {
                found.records.remove(&chat_id);
            }
            Ok(Line::Format(_)) => return Err(damaged(path, found.lines, "it is the first line of another file")),
            Err(error) => return Err(damaged(path, found.lines, &error.to_string())),
        }
    }
    Ok(Some(found))
}

/// Returns the error for a damaged line. `lines` is the number of lines after the first, up to the damaged one.
fn damaged(path: &Path, lines: usize, problem: &str) -> FileChatsError {
    // The column stays. "line 1" would contradict the number of the line.
    let problem = problem.replacen(" at line 1 column", " at column", 1);
    FileChatsError::Damaged { path: path.to_owned(), line: lines + 1, problem }
}

fn io_error(path: &Path, error: io::Error) -> FileChatsError {
    FileChatsError::Io { path: path.to_owned(), error }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory that is removed after its test.
    struct Directory(PathBuf);

    impl Directory {
        fn new(test: &str) -> Self {
            let path = std::env::temp_dir().join(format!("tamtam-chats-{test}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn path(&self) -> PathBuf {
            self.0.join("chats.jsonl")
        }

        fn open(&self) -> (Log, Vec<i64>) {
            let (log, found) = Log::open(self.path()).unwrap();
            (log, found.records.into_keys().map(i64::from).collect())
        }

        fn text(&self) -> String {
            fs::read_to_string(self.path()).unwrap()
        }

        fn lines(&self) -> usize {
            self.text().lines().count()
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn put(log: &mut Log, chat: i64, at: i64) -> Result<(), FileChatsError> {
        let record = ChatRecord::new(ChatId(chat), at);
        log.save(ChatId(chat), &Line::of(ChatId(chat), Some(&record)).to_bytes(), true)
    }

    fn drop_record(log: &mut Log, chat: i64) -> Result<(), FileChatsError> {
        log.save(ChatId(chat), &Line::of(ChatId(chat), None).to_bytes(), false)
    }

    #[test]
    fn changes_are_appended_and_an_open_rewrites_them() {
        let directory = Directory::new("appended");
        let (mut log, chats) = directory.open();
        assert!(chats.is_empty());
        assert_eq!(directory.text(), "{\"format\":\"tamtam-chats-1\"}\n");
        for (chat, at) in [(1, 10), (2, 10), (1, 11), (3, 10)] {
            put(&mut log, chat, at).unwrap();
        }
        drop_record(&mut log, 2).unwrap();
        assert_eq!(directory.lines(), 6);
        drop(log);
        assert_eq!(directory.open().1, [1, 3]);
        assert_eq!(directory.lines(), 3);
        let found = read(&directory.path()).unwrap().unwrap();
        assert_eq!(found.records[&ChatId(1)], ChatRecord::new(ChatId(1), 11));
        let text = directory.text();
        directory.open();
        assert_eq!(directory.text(), text);
    }

    #[test]
    fn a_long_file_is_rewritten_while_it_is_open() {
        let directory = Directory::new("long");
        let (mut log, _) = directory.open();
        for at in 0..SHORTEST_REWRITTEN as i64 {
            put(&mut log, at % 2, at).unwrap();
        }
        assert_eq!(directory.lines(), 1 + SHORTEST_REWRITTEN);
        put(&mut log, 5, 1).unwrap();
        assert_eq!(directory.lines(), 1 + 2 + 1);
        drop(log);
        assert_eq!(directory.open().1, [0, 1, 5]);
    }

    #[test]
    fn a_torn_last_line_is_cut_off() {
        let directory = Directory::new("torn");
        let (mut log, _) = directory.open();
        put(&mut log, 1, 10).unwrap();
        let whole = directory.text();
        put(&mut log, 2, 10).unwrap();
        drop(log);
        let longer = directory.text();
        for length in whole.len() + 1..longer.len() {
            fs::write(directory.path(), &longer[..length]).unwrap();
            let (mut log, found) = Log::open(directory.path()).unwrap();
            assert_eq!(found.torn_bytes, length - whole.len());
            assert_eq!(directory.text(), whole);
            put(&mut log, 2, 10).unwrap();
            assert_eq!(directory.text(), longer);
        }
    }

    #[test]
    fn a_damaged_line_is_an_error_with_its_number_and_the_file_is_not_changed() {
        let directory = Directory::new("damaged");
        let (mut log, _) = directory.open();
        put(&mut log, 1, 10).unwrap();
        put(&mut log, 2, 10).unwrap();
        drop(log);
        let lines: Vec<String> = directory.text().lines().map(str::to_owned).collect();
        for broken in ["{\"chat\":{}}", "{\"chat\"", "", "{\"other\":5}", &lines[0]] {
            let text = format!("{}\n{}\n{broken}\n{}\n", lines[0], lines[1], lines[2]);
            fs::write(directory.path(), &text).unwrap();
            let error = Log::open(directory.path()).unwrap_err();
            assert!(matches!(error, FileChatsError::Damaged { line: 3, .. }), "{broken}: {error}");
            assert!(error.to_string().starts_with("line 3 of "), "{error}");
            assert!(!error.to_string().contains("line 1"), "{error}");
            assert_eq!(directory.text(), text);
        }
    }

    #[test]
    fn a_foreign_file_is_an_error_and_is_not_changed() {
        let directory = Directory::new("foreign");
        for text in
            ["", "somebody's notes\n", "{}\n", "{\"format\":\"tamtam-chats-2\"}\n", "{\"format\":\"tamtam-chats-1\"}"]
        {
            fs::write(directory.path(), text).unwrap();
            let error = Log::open(directory.path()).unwrap_err();
            assert!(matches!(error, FileChatsError::NotAChatBook { .. }), "{text}: {error}");
            assert_eq!(directory.text(), text);
        }
    }

    #[test]
    fn a_file_that_was_changed_meanwhile_is_not_written() {
        let directory = Directory::new("changed");
        let (mut log, _) = directory.open();
        put(&mut log, 1, 10).unwrap();
        let whole = directory.text();
        for text in ["", &whole[..whole.len() - 1], &format!("{whole}\n")] {
            fs::write(directory.path(), text).unwrap();
            let error = put(&mut log, 2, 10).unwrap_err();
            assert!(matches!(error, FileChatsError::Changed { .. }), "{error}");
            assert_eq!(directory.text(), text);
        }
        fs::remove_file(directory.path()).unwrap();
        assert!(matches!(put(&mut log, 2, 10).unwrap_err(), FileChatsError::Changed { .. }));
        assert!(!directory.path().exists());
    }

    #[test]
    fn bytes_of_a_failed_write_are_overwritten() {
        let directory = Directory::new("left");
        let (mut log, _) = directory.open();
        put(&mut log, 1, 10).unwrap();
        let whole = directory.text();
        fs::write(directory.path(), format!("{whole}{{\"chat\":{{\"chat_id\":2,")).unwrap();
        log.is_torn = true;
        drop_record(&mut log, 1).unwrap();
        assert_eq!(directory.text(), format!("{whole}{{\"gone\":1}}\n"));
    }

    #[test]
    fn a_file_is_opened_once_at_a_time() {
        let directory = Directory::new("once");
        let (log, _) = directory.open();
        let error = Log::open(directory.path()).unwrap_err();
        assert!(matches!(error, FileChatsError::InUse { .. }), "{error}");
        drop(log);
        directory.open();
    }
}
