//! `shutdown_signal`, in a separate process.

use std::{
    future::poll_fn,
    io::{BufRead as _, BufReader},
    pin::pin,
    process::{Command, Stdio},
    task::Poll,
};

use crate::common::CHILD;

/// Runs only in a separate process.
#[tokio::test]
async fn waits_for_a_signal() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let mut signal = pin!(tamtam::shutdown_signal());
    // The first poll registers the signals.
    poll_fn(|context| {
        assert!(signal.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
    println!("\nwaiting");
    signal.await;
    println!("\nshut down");
}

#[test]
fn sigterm_and_ctrl_c_shut_a_bot_down() {
    for signal in ["-TERM", "-INT"] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["shutdown::waits_for_a_signal", "--exact", "--nocapture"])
            .env(CHILD, "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line == "waiting"), "{signal}");
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        assert!(lines.any(|line| line == "shut down"), "{signal}");
        assert!(child.wait().unwrap().success(), "{signal}");
    }
}
