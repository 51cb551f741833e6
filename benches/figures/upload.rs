//! Measures uploads over loopback, by `curl -F` and by the crate in turns. Both and the server are separate processes.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use tamtam::Bot;

use crate::{
    figure::{Bar, Figure},
    measure::{Server, children_cpu, median, status, this},
};

const GIB: u64 = 1 << 30;
const PAIRS: usize = 5;

/// The cost of a process.
#[derive(Clone, Copy)]
struct Took {
    seconds: f64,
    cpu: f64,
    /// The peak of its resident memory in MiB. 0 if the process did not print it.
    memory: f64,
}

/// Measures speed, CPU time and memory of uploads of a sparse file, by multipart and in ranges.
pub(crate) fn figures() -> Vec<Figure> {
    let server = Server::start("upload-server");
    let (one, four) = (Sparse::new(GIB), Sparse::new(4 * GIB));
    let upload = |protocol: &str, file: &Sparse| took(ours(&server.url, protocol, file.path()));
    let curl = || took(curl(&server.url, one.path()));
    let mut figures = Vec::new();
    for protocol in ["multipart", "resumable"] {
        // A warm-up, after which the file is in the page cache.
        curl();
        upload(protocol, &one);
        let pairs: Vec<(Took, Took)> = (0..PAIRS).map(|_| (curl(), upload(protocol, &one))).collect();
        let memory = pairs.iter().map(|(_, ours)| ours.memory).fold(upload(protocol, &four).memory, f64::max);
        assert!(memory > 0.0, "an upload did not print its memory");
        let mut add =
            |name: &str, bar, is| figures.push(Figure { name: format!("upload, {protocol}, {name}"), bar, is });
        add(
            "1 GiB, speed / curl",
            Bar::Least(0.9),
            median(pairs.iter().map(|(curl, ours)| curl.seconds / ours.seconds)),
        );
        add("1 GiB, CPU seconds / curl", Bar::Most(1.2), median(pairs.iter().map(|(curl, ours)| ours.cpu / curl.cpu)));
        add("1 GiB and 4 GiB, peak memory in MiB", Bar::Most(20.0), memory);
    }
    figures
}

/// A sparse file of zeros, which takes no space on the disk.
struct Sparse(PathBuf);

impl Sparse {
    fn new(size: u64) -> Self {
        let path = std::env::temp_dir().join(format!("tamtam-bench-{}-{size}.bin", std::process::id()));
        File::create(&path).expect("a file").set_len(size).expect("a file system with sparse files");
        Self(path)
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Sparse {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn ours(url: &str, protocol: &str, path: &Path) -> Command {
    let mut command = Command::new(this());
    command.args(["upload", url]).arg(path).arg(protocol);
    command
}

fn curl(url: &str, path: &Path) -> Command {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--fail", "--noproxy", "*", "-F"]);
    command.arg(format!("data=@{}", path.display())).arg(format!("{url}/up"));
    command
}

/// Runs a process to its end.
fn took(mut command: Command) -> Took {
    let (before, started) = (children_cpu(), Instant::now());
    let output = command.stderr(Stdio::inherit()).output().expect("a process");
    let seconds = started.elapsed().as_secs_f64();
    assert!(output.status.success(), "{command:?} failed");
    let memory = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap_or_default();
    Took { seconds, cpu: children_cpu() - before, memory }
}

/// Uploads a file with a bot, and prints the peak of the memory in MiB.
#[tokio::main]
pub(crate) async fn upload(url: &str, path: &str, resumable: bool) {
    let bot = Bot::builder("token").base_url(url).http(|http| http.no_proxy()).build().expect("a bot");
    bot.upload_file(path).resumable(resumable).await.expect("an upload");
    println!("{}", status("VmHWM:") / 1024.0);
}

/// Serves the API and the upload host. Reads as fast as possible, and stores nothing.
pub(crate) fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    println!("{url}");
    for stream in listener.incoming() {
        let (Ok(stream), url) = (stream, url.clone()) else { continue };
        std::thread::spawn(move || {
            let _ = answer_all(stream, &url);
        });
    }
}

fn answer_all(stream: TcpStream, url: &str) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::with_capacity(1 << 20, stream.try_clone()?);
    let mut writer = stream;
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if reader.read_until(b'\n', &mut head)? == 0 {
                return Ok(());
            }
        }
        let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
        let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        if header("expect").is_some() {
            writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let length = header("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
        throw_away(&mut reader, length)?;
        // `bytes 0-2047999/6291456`
        let range = header("content-range").and_then(|range| range.split_once('-')?.1.split_once('/'));
        let number = |text: &str| text.parse::<u64>().unwrap_or_default();
        let (status, body) = match range {
            _ if head.starts_with("post /uploads") => ("200 OK", format!("{{\"url\": \"{url}/up\"}}")),
            Some((last, total)) if number(last) + 1 < number(total) => ("201 Created", format!("0-{last}/{total}")),
            _ => ("200 OK", "{\"fileId\": 1, \"token\": \"t\"}".to_owned()),
        };
        // One write, because the client waits for the whole answer.
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        writer.write_all(answer.as_bytes())?;
    }
}

fn throw_away(reader: &mut BufReader<TcpStream>, mut length: u64) -> std::io::Result<()> {
    while length > 0 {
        let there = reader.fill_buf()?.len() as u64;
        if there == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let taken = there.min(length);
        reader.consume(usize::try_from(taken).unwrap_or(usize::MAX));
        length -= taken;
    }
    Ok(())
}
