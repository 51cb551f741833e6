//! A program that simulates TamTam or MAX on this machine: see `tamtam-sandbox --help`.

#![forbid(unsafe_code)]

mod log;
mod options;

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Parser as _;
use serde::Serialize;
use tamtam_sandbox::{Demo, Sandbox, StartError};

use log::Log;
use options::{Options, Seed};

/// The first line of output, as JSON with the fields in this order.
#[derive(Serialize)]
struct Ready<'a> {
    service: &'a str,
    base_url: &'a str,
    upload_url: String,
    token: &'a str,
    #[serde(flatten)]
    demo: Option<Demo>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = runtime.map_err(|error| error.to_string()).and_then(|runtime| runtime.block_on(run(&options)));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            // An error means that stderr is closed, so there is no place to report it.
            let _ = writeln!(io::stderr(), "tamtam-sandbox: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the sandbox until a signal arrives.
async fn run(options: &Options) -> Result<(), String> {
    let to_text = |error: io::Error| error.to_string();
    // Installed before the line is printed, because a reader of the line may send a signal.
    let end = signals().map_err(to_text)?;
    let tamtam = options.builder().try_start().await.map_err(|error| explain(&error, options))?;
    let (log, written) = Log::start().map_err(to_text)?;
    let is_unsaved = keep_told(&tamtam, &log);
    let demo = (options.seed == Seed::Demo).then(|| tamtam.demo());
    if !options.quiet {
        log.listen(&tamtam);
    }
    let (base_url, upload_url, token) = (tamtam.base_url(), tamtam.uploads().base_url(), tamtam.token());
    let service = tamtam.service();
    print(&Ready { service: service.name(), base_url, upload_url, token, demo })
        .map_err(|error| format!("stdout: {error}"))?;
    end.await;
    drop((tamtam, log));
    written.wait();
    if is_unsaved.load(Ordering::Relaxed) { Err("the state is not saved".to_owned()) } else { Ok(()) }
}

/// Logs each failed write of the state. The returned flag is true while the last write has failed.
fn keep_told(tamtam: &Sandbox, log: &Log) -> Arc<AtomicBool> {
    let is_unsaved = Arc::<AtomicBool>::default();
    let (set, log) = (Arc::clone(&is_unsaved), log.clone());
    tamtam.on_save(move |saved| {
        set.store(saved.is_err(), Ordering::Relaxed);
        if let Err(error) = saved {
            log.line(&format!("the state is not saved: {error}"));
        }
    });
    is_unsaved
}

fn print(ready: &Ready<'_>) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{}", serde_json::to_string(ready)?)?;
    stdout.flush()
}

/// Returns the message of an error, with the option that can fix it.
fn explain(error: &StartError, options: &Options) -> String {
    match error {
        StartError::Port { port, .. } if options.upload_port == Some(*port) && *port == options.port => {
            format!("{error}; --upload-port and --port must differ")
        }
        StartError::Port { port, .. } if *port == options.port && *port != 0 => {
            format!("{error}; choose another port with --port")
        }
        StartError::Port { .. } => format!("{error}; choose another port with --upload-port"),
        _ => error.to_string(),
    }
}

/// Returns a future that ends with the first signal to stop the program. Signals count from this call on.
#[cfg(unix)]
fn signals() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn signals() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
