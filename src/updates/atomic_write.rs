//! Files that are replaced as a whole. After a kill or a power loss, a file has either its old or its new contents.

use std::{
    ffi::OsStr,
    fs::{self, File, Metadata},
    io::{self, ErrorKind, Read as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

/// The suffix of a file that is being written. The full name is the name of the replaced file, a number of
/// [`RANDOM_DIGITS`] hexadecimal digits, and this suffix.
const NEW: &str = ".new";
const RANDOM_DIGITS: usize = 16;

/// Reads a file of at most `limit` bytes. Returns `None` if the file does not exist.
///
/// # Errors
///
/// Returns an error if it is not a regular file, has more bytes, or cannot be read.
pub fn read(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match check_kind(path).and_then(|()| File::open(path)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    // The file may have been replaced since the first check.
    check_regular(&file.metadata()?)?;
    let mut bytes = Vec::new();
    // The size from `metadata` is not used, because the file may grow.
    match file.take(limit.saturating_add(1)).read_to_end(&mut bytes)? {
        count if count as u64 > limit => {
            Err(io::Error::new(ErrorKind::FileTooLarge, format!("it has more than {limit} bytes")))
        }
        _ => Ok(Some(bytes)),
    }
}

/// Creates or replaces a file, and returns when it is on the disk. Uses a temporary file in the same directory, whose
/// name ends in `.new`.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = new_name(path)?;
    let replaced = write_through(&new, bytes).and_then(|()| fs::rename(&new, path));
    if replaced.is_err() {
        let _ = fs::remove_file(&new);
    }
    replaced?;
    sync_directory(path)
}

/// Fails if [`replace`] cannot work at a path: the path exists and is not a regular file, or no file can be created in
/// its directory. Creates and removes a file there to find out.
pub fn check_place(path: &Path) -> io::Result<()> {
    match check_kind(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let probe = new_name(path)?;
    let made = File::options().write(true).create_new(true).open(&probe);
    let tried = made.and_then(|_| match fs::remove_file(&probe) {
        // Another process may have removed it as a leftover file.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    });
    tried.map_err(|error| {
        let problem = format!("cannot create a file in its directory ({error}): make the directory writable");
        io::Error::new(error.kind(), problem)
    })
}

/// Removes the files that killed processes left behind while they replaced a file, if they were last written at least
/// `age` ago. Other files are kept, also if their names end in `.new`.
pub fn remove_left_behind(path: &Path, age: Duration) {
    let Some(name) = path.file_name() else { return };
    // Leftover files do no harm, so errors are ignored.
    for entry in fs::read_dir(directory(path)).into_iter().flatten().flatten() {
        let is_left_behind = is_new_name(&entry.file_name(), name)
            && entry.metadata().is_ok_and(|found| found.is_file() && is_older(&found, age));
        if is_left_behind && fs::remove_file(entry.path()).is_ok() {
            tracing::info!(file = ?entry.file_name(), "leftover file removed");
        }
    }
}

fn is_older(file: &Metadata, age: Duration) -> bool {
    file.modified().is_ok_and(|modified| modified.elapsed().is_ok_and(|elapsed| elapsed >= age))
}

/// Returns a name for the file that replaces the file at `path`. The name is random, because another process may write
/// at the same time, in a deployment that overlaps.
fn new_name(path: &Path) -> io::Result<PathBuf> {
    let mut name = path.file_name().ok_or(ErrorKind::InvalidInput)?.to_owned();
    name.push(format!(".{:0RANDOM_DIGITS$x}{NEW}", fastrand::u64(..)));
    Ok(path.with_file_name(name))
}

/// Returns whether [`new_name`] may have made this name for a file named `of`.
fn is_new_name(name: &OsStr, of: &OsStr) -> bool {
    let random = name.as_encoded_bytes().strip_prefix(of.as_encoded_bytes()).and_then(|rest| rest.strip_prefix(b"."));
    let random = random.and_then(|rest| rest.strip_suffix(NEW.as_bytes()));
    random.is_some_and(|digits| {
        digits.len() == RANDOM_DIGITS && digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// Fails if the path is not a regular file. Opening a pipe may block forever, and a device may have no end.
fn check_kind(path: &Path) -> io::Result<()> {
    check_regular(&fs::metadata(path)?)
}

fn check_regular(found: &Metadata) -> io::Result<()> {
    if found.is_file() {
        return Ok(());
    }
    Err(io::Error::new(ErrorKind::InvalidInput, "not a regular file: remove it, or choose another path"))
}

/// Writes a new file, and returns when it is on the disk. Fails if the file exists.
fn write_through(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes the directory of a file to the disk, and with it a new name of the file. Does nothing where this is not
/// possible: only Unix opens directories, and not every file system writes them through.
#[cfg(unix)]
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    use ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    match File::open(directory(path)).and_then(|directory| directory.sync_all()) {
        Err(error) if matches!(error.kind(), InvalidInput | PermissionDenied | Unsupported) => Ok(()),
        synced => synced,
    }
}

#[cfg(not(unix))]
pub(crate) fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognizes_only_names_made_by_new_name() {
        let path = Path::new("/a/marker.json");
        let is_own = |name: &str| is_new_name(OsStr::new(name), path.file_name().unwrap());
        for _ in 0..100 {
            assert!(is_own(new_name(path).unwrap().file_name().unwrap().to_str().unwrap()));
        }
        assert!(is_own("marker.json.0123456789abcdef.new"));
        for foreign in [
            "marker.json",
            "marker.json.new",
            "marker.json.0123456789abcde.new",
            "marker.json.0123456789abcdef0.new",
            "marker.json.0123456789ABCDEF.new",
            "marker.json.0123456789abcdeg.new",
            "marker.json.0123456789abcdef.new.bak",
            "marker.json0123456789abcdef.new",
            "other.json.0123456789abcdef.new",
            "my-marker.json.0123456789abcdef.new",
        ] {
            assert!(!is_own(foreign), "{foreign}");
        }
    }
}
