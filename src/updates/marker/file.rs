//! A marker store in a file, which each save replaces as a whole.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::store::{MarkerKey, MarkerStore};
use crate::updates::{atomic_write, store_io::off_the_runtime};

/// The value of the first property, which identifies a marker file.
const FORMAT: &str = "tamtam-marker-1";
/// The largest file that is read, in bytes. A marker file has about 100 bytes plus the length of its base URL.
const MOST_BYTES: u64 = 64 * 1024;
/// The age from which a `.new` file counts as left behind by a killed process. Another bot, in a deployment that
/// overlaps, writes its file in far less time. An hour also allows for the clocks of file servers.
const LEFT_BEHIND: Duration = Duration::from_secs(60 * 60);

/// A [`MarkerStore`] in a file, for one bot. Passed to
/// [`Updates::marker_store`](crate::updates::Updates::marker_store).
///
/// The file contains the marker of the bot. A marker is a number that identifies a position in the updates of the bot.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let tamtam = tamtam_sandbox::Sandbox::start().await;
/// # let bot = tamtam.bot();
/// # let directory = std::env::temp_dir().join(format!("tamtam-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&directory)?;
/// # let path = directory.join("marker.json");
/// # tamtam.user("Alice").starts();
/// use tamtam::updates::FileStore;
///
/// let mut updates = bot.updates().marker_store(FileStore::new(&path));
/// let first = updates.try_next().await?;
/// # assert!(first.is_some());
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok(())
/// # }
/// ```
///
/// # How a save works
///
/// A save creates a file such as `marker.json.0123456789abcdef.new` in the same directory. When the new file is on the
/// disk, the new file replaces the old file. The replacement has these effects:
///
/// - If the process is killed or the power fails, the file contains either the old marker or the new marker. A `.new`
///   file can remain. Each start removes `.new` files that are at least one hour old.
/// - The permissions of the old file are lost. If the path is a symbolic link, the new file replaces the link.
///
/// # Errors at the start
///
/// The stream of updates ends with an error ([`ErrorKind::MarkerStore`](crate::ErrorKind::MarkerStore)) before its
/// first poll (request for updates) in these cases:
///
/// - The file cannot be read, is damaged, or belongs to another bot or program. The store does not change this file.
/// - The store cannot save a marker at the path, for example because the directory is not writable.
///
/// After a reset of the server, the server may refuse an old marker. The stream then ends with an error, and the
/// message of the error contains the marker. In this case, remove the file.
#[derive(Debug, Clone)]
pub struct FileStore {
    path: PathBuf,
    /// Held while the file is replaced, so that the later of two saves is kept.
    saving: Arc<Mutex<()>>,
}

/// An error of a [`FileStore`], with the path of the file.
///
/// A `FileStore` stores the marker of one bot in a file. A marker is a number that identifies a position in the updates
/// of the bot.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileStoreError {
    /// The file cannot be read or written.
    #[error("{path}: {error}", path = path.display())]
    Io {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        error: io::Error,
    },
    /// The file is damaged, or is not a file of a [`FileStore`]. If you remove the file, the bot starts with the
    /// oldest update that the server has kept.
    #[error(
        "{path} is not a valid marker file ({problem}): look at it, and remove it to start from the last commit",
        path = path.display()
    )]
    NotAMarker {
        /// The path of the file.
        path: PathBuf,
        /// A description of the problem.
        problem: String,
    },
    /// The file contains the marker of another bot, or of the same bot on another server. Each bot needs a file of its
    /// own.
    #[error("{path} has the marker of {found}, not of {expected}: give each bot a file of its own", path = path.display())]
    OtherBot {
        /// The path of the file.
        path: PathBuf,
        /// The key of the bot whose marker is in the file.
        found: MarkerKey,
        /// The key of the bot that reads or writes the file.
        expected: MarkerKey,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    format: String,
    base_url: String,
    bot_id: i64,
    marker: i64,
}

impl FileStore {
    /// Returns a store for the file at `path`. The directory must exist. If the file does not exist, the first save
    /// creates the file.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), saving: Arc::default() }
    }

    fn io(&self, error: io::Error) -> FileStoreError {
        FileStoreError::Io { path: self.path.clone(), error }
    }

    /// Checks that the marker can be saved, and reads it. The check makes a bad path fail at the start, not at the
    /// first save.
    fn start(&self, key: &MarkerKey) -> Result<Option<i64>, FileStoreError> {
        atomic_write::check_place(&self.path).map_err(|error| self.io(error))?;
        atomic_write::remove_left_behind(&self.path, LEFT_BEHIND);
        self.read(key)
    }

    fn read(&self, key: &MarkerKey) -> Result<Option<i64>, FileStoreError> {
        let not_a_marker = |problem: String| FileStoreError::NotAMarker { path: self.path.clone(), problem };
        let bytes = match atomic_write::read(&self.path, MOST_BYTES) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => return Err(not_a_marker(error.to_string())),
            Err(error) => return Err(self.io(error)),
        };
        let contents: Contents = serde_json::from_slice(&bytes).map_err(|error| not_a_marker(error.to_string()))?;
        if contents.format != FORMAT {
            return Err(not_a_marker(format!("its format is not `{FORMAT}`")));
        }
        let found = MarkerKey::new(&contents.base_url, contents.bot_id.into());
        if found != *key {
            return Err(FileStoreError::OtherBot { path: self.path.clone(), found, expected: key.clone() });
        }
        Ok(Some(contents.marker))
    }

    fn write(&self, key: &MarkerKey, marker: i64) -> Result<(), FileStoreError> {
        let _saving = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        // The file may have been replaced since. A damaged file or another bot's file must not be overwritten.
        self.read(key)?;
        let contents =
            Contents { format: FORMAT.to_owned(), base_url: key.base_url().to_owned(), bot_id: key.bot_id().0, marker };
        let text = serde_json::to_string(&contents).map_err(|error| self.io(error.into()))?;
        atomic_write::replace(&self.path, text.as_bytes()).map_err(|error| self.io(error))
    }
}

impl MarkerStore for FileStore {
    type Error = FileStoreError;

    async fn load(&self, key: &MarkerKey) -> Result<Option<i64>, Self::Error> {
        let (store, key) = (self.clone(), key.clone());
        off_the_runtime(move || store.start(&key)).await
    }

    async fn save(&self, key: &MarkerKey, marker: i64) -> Result<(), Self::Error> {
        let (store, key) = (self.clone(), key.clone());
        off_the_runtime(move || store.write(&key, marker)).await
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File},
        time::SystemTime,
    };

    use super::*;

    /// A directory that is removed after its test.
    struct Directory(PathBuf);

    impl Directory {
        fn new(test: &str) -> Self {
            let path = std::env::temp_dir().join(format!("tamtam-{test}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn store(&self) -> FileStore {
            FileStore::new(self.0.join("marker.json"))
        }

        fn names(&self) -> Vec<String> {
            fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn key(bot: i64) -> MarkerKey {
        MarkerKey::new("https://example.org", bot.into())
    }

    #[tokio::test]
    async fn keeps_the_marker_and_leaves_no_other_file() {
        let directory = Directory::new("keeps");
        let store = directory.store();
        assert_eq!(store.load(&key(1)).await.unwrap(), None);
        for marker in [5, i64::MAX, 7] {
            store.save(&key(1), marker).await.unwrap();
            assert_eq!(directory.store().load(&key(1)).await.unwrap(), Some(marker));
        }
        assert_eq!(directory.names(), ["marker.json"]);
    }

    #[tokio::test]
    async fn a_damaged_or_foreign_file_is_an_error_and_is_not_changed() {
        let directory = Directory::new("foreign");
        let store = directory.store();
        store.save(&key(1), 5).await.unwrap();
        let whole = fs::read_to_string(&store.path).unwrap();
        for text in ["", &whole[..whole.len() - 1], "{}", "5", "somebody's notes", &whole.replace("-1", "-2")] {
            fs::write(&store.path, text).unwrap();
            let error = store.load(&key(1)).await.unwrap_err();
            assert!(matches!(error, FileStoreError::NotAMarker { .. }), "{text}: {error}");
            assert!(error.to_string().contains("marker.json is not a valid marker file"), "{error}");
            store.save(&key(1), 6).await.unwrap_err();
            assert_eq!(fs::read_to_string(&store.path).unwrap(), text);
        }
    }

    #[tokio::test]
    async fn the_file_of_another_bot_or_server_is_an_error_and_is_not_changed() {
        let directory = Directory::new("other");
        let store = directory.store();
        store.save(&key(1), 5).await.unwrap();
        for other in [key(2), MarkerKey::new("https://example.com", 1.into())] {
            let error = store.load(&other).await.unwrap_err();
            assert!(matches!(error, FileStoreError::OtherBot { .. }), "{error}");
            store.save(&other, 6).await.unwrap_err();
        }
        assert_eq!(store.load(&key(1)).await.unwrap(), Some(5));
    }

    #[tokio::test]
    async fn a_file_that_a_kill_left_behind_does_no_harm() {
        let directory = Directory::new("left");
        let store = directory.store();
        fs::write(directory.0.join("marker.json.0123456789abcdef.new"), "{\"for").unwrap();
        assert_eq!(store.load(&key(1)).await.unwrap(), None);
        store.save(&key(1), 5).await.unwrap();
        assert_eq!(store.load(&key(1)).await.unwrap(), Some(5));
    }

    #[tokio::test]
    async fn an_impossible_path_is_an_error_at_the_start() {
        for path in ["/nowhere/at/all/marker.json", "/dev/null/marker.json", "", "/"] {
            let error = FileStore::new(path).load(&key(1)).await.unwrap_err();
            assert!(error.to_string().starts_with(&format!("{path}: ")), "{error}");
        }
    }

    /// In `/proc`, not even an administrator can create a file.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_directory_that_cannot_be_written_is_an_error_at_the_start() {
        for path in ["/proc/marker.json", "/proc/version"] {
            let error = FileStore::new(path).load(&key(1)).await.unwrap_err();
            let problem = format!("{path}: cannot create a file in its directory (");
            assert!(matches!(error, FileStoreError::Io { .. }) && error.to_string().starts_with(&problem), "{error}");
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_pipe_or_a_device_is_an_error_and_is_not_read() {
        let directory = Directory::new("pipe");
        let store = directory.store();
        let made = std::process::Command::new("mkfifo").arg(&store.path).status().unwrap();
        assert!(made.success());
        for store in [store, FileStore::new("/dev/zero"), FileStore::new("/dev/null")] {
            let error = store.load(&key(1)).await.unwrap_err();
            assert!(matches!(error, FileStoreError::Io { .. }), "{error}");
            assert!(error.to_string().ends_with(": not a regular file: remove it, or choose another path"), "{error}");
            store.save(&key(1), 5).await.unwrap_err();
        }
        assert_eq!(directory.names(), ["marker.json"]);
    }

    #[tokio::test]
    async fn a_file_that_is_too_large_is_an_error_and_is_not_changed() {
        let directory = Directory::new("large");
        let store = directory.store();
        // A sparse file, without blocks on the disk.
        File::create(&store.path).unwrap().set_len(1 << 40).unwrap();
        let error = store.load(&key(1)).await.unwrap_err();
        assert!(matches!(error, FileStoreError::NotAMarker { .. }), "{error}");
        assert!(error.to_string().contains("it has more than 65536 bytes"), "{error}");
        store.save(&key(1), 5).await.unwrap_err();
        assert_eq!(fs::metadata(&store.path).unwrap().len(), 1 << 40);
    }

    #[tokio::test]
    async fn a_start_removes_only_old_files_that_a_kill_left_behind() {
        let directory = Directory::new("left-behind");
        let (minute, old) = (Duration::from_secs(60), LEFT_BEHIND);
        for (name, age) in [
            ("marker.json.0123456789abcdef.new", old + minute),
            ("marker.json.fedcba9876543210.new", old - minute),
            ("marker.json.notes.new", old + minute),
            ("marker.json.new", old + minute),
            ("another.json.0123456789abcdef.new", old + minute),
        ] {
            let file = File::create(directory.0.join(name)).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
        }
        fs::create_dir(directory.0.join("marker.json.0000000000000000.new")).unwrap();
        assert_eq!(directory.store().load(&key(1)).await.unwrap(), None);
        let mut names = directory.names();
        names.sort();
        assert_eq!(
            names,
            [
                "another.json.0123456789abcdef.new",
                "marker.json.0000000000000000.new",
                "marker.json.fedcba9876543210.new",
                "marker.json.new",
                "marker.json.notes.new",
            ]
        );
    }

    #[tokio::test]
    async fn saves_that_overlap_leave_a_whole_file() {
        let directory = Directory::new("overlap");
        let saves = (0..8).map(|writer| {
            // A store for each writer: separate processes share only the file.
            let store = directory.store();
            tokio::spawn(async move {
                for marker in 0..30 {
                    store.save(&key(1), writer * 100 + marker).await.unwrap();
                }
            })
        });
        for save in saves.collect::<Vec<_>>() {
            save.await.unwrap();
        }
        assert_eq!(directory.store().load(&key(1)).await.unwrap().unwrap() % 100, 29);
        assert_eq!(directory.names(), ["marker.json"]);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_link_is_replaced_and_not_followed() {
        let directory = Directory::new("link");
        let elsewhere = directory.0.join("elsewhere.json");
        FileStore::new(&elsewhere).save(&key(1), 5).await.unwrap();
        std::os::unix::fs::symlink(&elsewhere, directory.0.join("marker.json")).unwrap();
        directory.store().save(&key(1), 6).await.unwrap();
        assert_eq!(FileStore::new(&elsewhere).load(&key(1)).await.unwrap(), Some(5));
        assert_eq!(directory.store().load(&key(1)).await.unwrap(), Some(6));
    }
}
