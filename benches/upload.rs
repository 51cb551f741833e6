//! Uploads of 1 GiB over loopback against `curl -F`: speed, CPU time and memory, as ratios of one run.
//!
//! `cargo bench --bench upload` sends a sparse file to a server that throws it away, by curl and by this crate in turns,
//! both as processes of their own, the server as a third. It prints the medians of five pairs, and fails when a figure is
//! worse than promised. It needs `curl` and a system with `/proc`.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tamtam::Bot;

const GIB: u64 = 1 << 30;
const PAIRS: usize = 5;
/// What is promised: speed and CPU time over curl's, and the peak of resident memory in KiB.
const LEAST_SPEED: f64 = 0.9;
const MOST_CPU: f64 = 1.2;
const MOST_MEMORY: u64 = 24 * 1024;
/// How long a tick of `/proc/self/stat` is (`USER_HZ`, 100 on every Linux).
const TICK: Duration = Duration::from_millis(10);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["server"] => serve(),
        ["client", url, path, protocol] => client(url, path, protocol == "resumable"),
        _ => compare(),
    }
}

/// What a process took.
#[derive(Clone, Copy)]
struct Took {
    seconds: f64,
    cpu: f64,
    /// The peak of its resident memory in KiB, if it told.
    memory: u64,
}

fn compare() {
    let mut server = Server::start();
    let one = Sparse::new(GIB);
    let four = Sparse::new(4 * GIB);
    let upload = |protocol: &str, file: &Sparse| took(ours(&server.url, protocol, file.path()));
    let curl = || took(curl(&server.url, one.path()));
    for protocol in ["multipart", "resumable"] {
        // Once to warm up: the file then is in the page cache.
        curl();
        upload(protocol, &one);
        let pairs: Vec<(Took, Took)> = (0..PAIRS).map(|_| (curl(), upload(protocol, &one))).collect();
        let speed = median(pairs.iter().map(|(curl, ours)| curl.seconds / ours.seconds));
        let cpu = median(pairs.iter().map(|(curl, ours)| ours.cpu / curl.cpu));
        let (theirs, ours): (Vec<Took>, Vec<Took>) = pairs.into_iter().unzip();
        let rate = |took: &[Took]| 1024.0 / median(took.iter().map(|took| took.seconds));
        let spent = |took: &[Took]| median(took.iter().map(|took| took.cpu));
        let memory = ours.iter().map(|took| took.memory).max().unwrap_or_default();
        let large = upload(protocol, &four).memory;
        println!("{protocol}, 1 GiB, medians of {PAIRS} pairs");
        println!("  speed  {speed:.2} of curl's ({:.0} MiB/s to {:.0} MiB/s)", rate(&ours), rate(&theirs));
        println!("  CPU    {cpu:.2} of curl's ({:.2} s to {:.2} s)", spent(&ours), spent(&theirs));
        println!("  memory {:.1} MiB at its peak, {:.1} MiB with 4 GiB", mib(memory), mib(large));
        assert!(speed >= LEAST_SPEED, "slower than promised");
        assert!(cpu <= MOST_CPU, "more CPU time than promised");
        assert!(memory.max(large) < MOST_MEMORY, "more memory than promised");
    }
    server.stop();
}

fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A file of zeros that takes no room.
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

fn myself() -> Command {
    Command::new(std::env::current_exe().expect("this very program"))
}

fn ours(url: &str, protocol: &str, path: &Path) -> Command {
    let mut command = myself();
    command.args(["client", url]).arg(path).arg(protocol);
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
    let told = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap_or_default();
    Took { seconds, cpu: (children_cpu() - before).as_secs_f64(), memory: told }
}

/// The CPU time of all processes that this one has waited for.
fn children_cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("/proc");
    // The name, in parentheses, may have spaces; `cutime` and `cstime` are the 14th and 15th value behind it.
    let values = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u32 = values.skip(13).take(2).filter_map(|value| value.parse::<u32>().ok()).sum();
    TICK * ticks
}

/// Uploads a file as a bot does, and tells the peak of its memory.
#[tokio::main]
async fn client(url: &str, path: &str, resumable: bool) {
    let bot = Bot::builder("token").base_url(url).http(|http| http.no_proxy()).build().expect("a bot");
    bot.upload_file(path).resumable(resumable).await.expect("an upload");
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the peak");
    println!("{}", peak.trim().trim_end_matches("kB").trim());
}

/// The server's process.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start() -> Self {
        let mut process = myself().arg("server").stdout(Stdio::piped()).spawn().expect("a process");
        let mut url = String::new();
        let output = process.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut url).expect("its address");
        Self { process, url: url.trim().to_owned() }
    }

    fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// API and upload host in one, which reads as fast as it can and keeps nothing.
fn serve() {
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
        // In one piece: the client waits for it.
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
