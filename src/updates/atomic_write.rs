//! Files that are replaced as a whole: they hold the old contents or the new ones, whatever happens to process or machine.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

/// Replaces a file, or makes it, and returns when that is on the disk. Beside it a file with `.new` at the end of its
/// name comes and goes.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    // Another process may be writing at this moment, in a deployment that overlaps.
    name.push(format!(".{:016x}.new", fastrand::u64(..)));
    let new = path.with_file_name(name);
    let replaced = write_through(&new, bytes).and_then(|()| fs::rename(&new, path));
    if replaced.is_err() {
        let _ = fs::remove_file(&new);
    }
    replaced?;
    sync_directory(path)
}

/// Refuses a path at which there can be no file.
pub fn check_place(path: &Path) -> io::Result<()> {
    let is_usable = fs::metadata(directory(path))?.is_dir() && path.file_name().is_some();
    if is_usable { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
}

/// Writes a file that is not there yet, and returns when it is on the disk.
fn write_through(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A new name is on the disk when its directory is. Only Unix opens directories, and not every file system writes them
/// through: where it cannot be done, the name is as safe as it can be.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    match File::open(directory(path)).and_then(|directory| directory.sync_all()) {
        Err(error) if matches!(error.kind(), InvalidInput | PermissionDenied | Unsupported) => Ok(()),
        synced => synced,
    }
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}
