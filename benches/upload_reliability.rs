//! Tests resumable uploads: 200 uploads of 64 MiB, through connections that break at a random byte, and killed
//! processes.
//!
//! `cargo bench --bench upload_reliability` sends each file in ranges, to a server that resets the connection once at a
//! random byte. The process of every fourth upload is killed at another random byte, and a new process resumes the
//! upload. All files must arrive unchanged, by their hash, with few bytes sent twice. The optional argument is a seed:
//! `cargo bench --bench upload_reliability -- 42`.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use sha2::{Digest as _, Sha256};
use tamtam::{Bot, settings::RetryPolicy, upload::Progress};
use tamtam_sandbox::{Sandbox, UploadFault, Uploads};

const UPLOADS: u64 = 200;
const SIZE: u64 = 64 << 20;
/// The process of one of this number of uploads is killed.
const KILLED: u64 = 4;
/// The maximum average of bytes sent over the size of the file.
const MOST_SENT: f64 = 1.15;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["client", url, token, path, session] => client(url, token, path, Path::new(session)),
        [seed] => try_all(seed.parse().expect("a seed is a number")),
        _ => try_all(1),
    }
}

#[tokio::main]
async fn try_all(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let folder = std::env::temp_dir().join(format!("tamtam-reliability-{}", std::process::id()));
    std::fs::create_dir(&folder).expect("a folder");
    let (file, session) = (folder.join("file.bin"), folder.join("session.json"));
    let tamtam = Sandbox::start().await;
    let host = tamtam.uploads();
    host.set_most_kept(0);
    let mut content = vec![0; SIZE as usize];
    let (mut kills, mut too_late, mut worst) = (0, 0, 0.0_f64);
    for number in 0..UPLOADS {
        random.fill(&mut content);
        std::fs::write(&file, &content).expect("a file");
        let hash = <[u8; 32]>::from(Sha256::digest(&content));
        host.fail_next(UploadFault::ResetAt(random.u64(..SIZE)));
        // The host keeps the received part of the interrupted range, or drops it.
        host.set_keep_partial(random.bool());
        let is_killed = number % KILLED == 0;
        let dies_at = is_killed.then(|| random.u64(..SIZE));
        let before = host.bytes_taken();
        let _ = std::fs::remove_file(&session);
        let has_arrived = |host: &Uploads| host.received().len() as u64 > number;
        if let Some(at) = dies_at {
            kills += u64::from(upload(&tamtam, &file, &session, Some(at)));
            too_late += u64::from(has_arrived(&host));
        }
        if !has_arrived(&host) {
            upload(&tamtam, &file, &session, None);
        }
        let received = host.received();
        let last = received.last().expect("a file");
        assert_eq!((last.size(), last.sha256()), (SIZE, hash), "upload {number} did not arrive unchanged");
        assert_eq!(received.len() as u64, number + 1, "upload {number} arrived twice");
        let sent = (host.bytes_taken() - before) as f64 / SIZE as f64;
        worst = worst.max(sent);
    }
    let sent = host.bytes_taken() as f64 / (UPLOADS * SIZE) as f64;
    println!("uploads               {UPLOADS} of {} MiB, seed {seed}", SIZE >> 20);
    println!("arrived, hashes equal {}", host.received().len());
    println!("connections reset     {UPLOADS}, processes killed {kills}, {too_late} of them after their work was done");
    println!("bytes sent / size     {sent:.3} on average, {worst:.3} at worst");
    std::fs::remove_dir_all(folder).expect("an end");
    assert!(host.leaks().is_empty(), "the host saw the token");
    assert!(sent <= MOST_SENT, "more bytes were sent than allowed");
}

/// Uploads in a separate process, which is killed after `dies_at` bytes. Returns whether it was killed.
fn upload(tamtam: &Sandbox, file: &Path, session: &Path, dies_at: Option<u64>) -> bool {
    let mut command = Command::new(std::env::current_exe().expect("this very program"));
    command.args(["client", tamtam.base_url(), tamtam.token()]).arg(file).arg(session);
    let mut process = command.stdout(Stdio::piped()).spawn().expect("a process");
    let output = BufReader::new(process.stdout.take().expect("its output"));
    let sent = output.lines().map_while(Result::ok).filter_map(|line| line.parse::<u64>().ok());
    let mut is_killed = false;
    for sent in sent {
        if dies_at.is_some_and(|at| sent >= at) && !is_killed {
            process.kill().expect("a kill");
            is_killed = true;
        }
    }
    let status = process.wait().expect("an end");
    assert!(is_killed || status.success(), "the upload failed");
    is_killed
}

/// Uploads a file, or resumes its upload, and prints the progress.
#[tokio::main]
async fn client(url: &str, token: &str, path: &str, session: &Path) {
    let patient = RetryPolicy::default().backoff(std::time::Duration::ZERO, std::time::Duration::ZERO);
    let builder = Bot::builder(token).base_url(url).retry(patient);
    let bot = builder.http(|http| http.no_proxy()).build().expect("a bot");
    let place = session.to_owned();
    let upload = bot.upload_file(path).resumable(true).on_progress(|Progress { sent, .. }| println!("{sent}"));
    let upload = upload.on_session(move |session| {
        // A rename, so that a kill in the middle leaves the previous session.
        let fresh = place.with_extension("fresh");
        std::fs::write(&fresh, serde_json::to_vec(session).expect("JSON")).expect("a file");
        std::fs::rename(fresh, &place).expect("a file");
    });
    let kept = std::fs::read(session).ok().map(|json| serde_json::from_slice(&json).expect("a session"));
    match kept {
        Some(kept) => upload.resume(kept).await,
        None => upload.await,
    }
    .expect("an upload");
}
