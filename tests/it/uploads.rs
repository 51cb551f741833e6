//! Uploads: to the sandbox for the behavior of TamTam, to mock servers for faults.

mod failures;
mod hosts;
mod names;
mod ranges;
mod sending;
mod sessions;
mod sources;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tamtam::{
    Bot,
    settings::RetryPolicy,
    upload::{Media, Source, Upload},
};
use tamtam_sandbox::Sandbox;

use crate::{conformance, fault_server::quick};

/// Both upload protocols: forms (`false`) and ranges (`true`).
const PROTOCOLS: [bool; 2] = [false, true];

/// Starts a sandbox whose answers are checked, and a bot with short delays between retries.
async fn sandbox() -> (conformance::Checked, Bot) {
    let tamtam = conformance::start().await;
    let bot = bot(&tamtam, quick());
    (tamtam, bot)
}

fn bot(tamtam: &Sandbox, retry: RetryPolicy) -> Bot {
    let builder = Bot::builder(tamtam.token()).base_url(tamtam.base_url()).retry(retry);
    builder.http(|http| http.no_proxy()).build().unwrap()
}

/// Returns bytes that differ from place to place.
fn content(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place * 31 % 251) as u8).collect()
}

/// A file that is removed at the end of its test.
struct TempFile(PathBuf);

impl TempFile {
    fn new(name: &str, content: &[u8]) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("tamtam-uploads-{}-{number}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let file = Self(folder.join(name));
        std::fs::write(&file.0, content).unwrap();
        file
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.0.parent().unwrap());
    }
}

/// Collects the names of the called operations from now on.
fn operations(tamtam: &Sandbox) -> Arc<Mutex<Vec<String>>> {
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let seen = Arc::clone(&asked);
    tamtam.on_exchange(move |exchange| seen.lock().unwrap().push(exchange.operation().unwrap_or("?").to_owned()));
    asked
}

/// Uploads a source as every kind, by both protocols.
async fn as_everything<R>(bot: &Bot, source: impl Fn() -> R)
where
    R: Into<Source>,
{
    async fn all<M: Media + std::fmt::Debug>(upload: impl Fn() -> Upload<M>) {
        for resumable in PROTOCOLS {
            upload().resumable(resumable).chunk_size(1000).await.unwrap();
        }
    }
    all(|| bot.upload_photo(source())).await;
    all(|| bot.upload_video(source())).await;
    all(|| bot.upload_audio(source())).await;
    all(|| bot.upload_file(source())).await;
}
