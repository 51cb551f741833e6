//! The signal that ends a process.

/// Waits until the process receives Ctrl-C or, on Unix, the signal SIGTERM. Service managers and `docker stop` send
/// SIGTERM.
///
/// After the first poll of the future, these signals no longer end the process, even after the future has completed. So
/// your program must end by itself. A second signal during a shutdown has no effect.
/// [`Run::shutdown_deadline`](crate::updates::Run::shutdown_deadline) limits the time of a shutdown.
///
/// If one of the signals is not available, the event `signal not available` is logged at ERROR, and the
/// future waits for the other signal. If no signal is available, the future never completes.
///
/// ```no_run
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// # async fn echo(_: tamtam::Bot, _: tamtam::Update) {}
/// tamtam::Bot::from_env()?
///     .run(echo)
///     .graceful_shutdown_on(tamtam::shutdown_signal())
///     .await
/// # }
/// ```
///
/// # Cancel safety
///
/// You can drop the future. If the future was polled before the drop, a signal after the drop does not end the process.
/// The signal is lost unless another future of this function is waiting.
pub async fn shutdown_signal() {
    #[cfg(unix)]
    tokio::select! {
        () = interrupted() => {}
        () = terminated() => {}
    }
    #[cfg(not(unix))]
    interrupted().await;
}

async fn interrupted() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        unavailable("Ctrl-C", &error).await;
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};

    match signal(SignalKind::terminate()) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(error) => unavailable("SIGTERM", &error).await,
    }
}

async fn unavailable(signal: &str, error: &std::io::Error) {
    tracing::error!(signal, error = %error, "signal not available");
    std::future::pending().await
}
