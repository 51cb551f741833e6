//! Start and shutdown of a sandbox.

use std::time::Duration;

use tamtam_sandbox::Sandbox;
use tokio::net::TcpStream;

use crate::client::{Api, dialog};

fn address(tamtam: &Sandbox) -> String {
    tamtam.base_url().strip_prefix("http://").unwrap().to_owned()
}

#[tokio::test]
async fn dropping_the_last_handle_stops_the_server_and_frees_its_port() {
    let (tamtam, api, alice) = dialog().await;
    let address = address(&tamtam);
    drop(tamtam);
    api.get("/me").await.ok();
    drop(alice);
    assert!(TcpStream::connect(&address).await.is_err());
    std::net::TcpListener::bind(&address).unwrap();
}

#[tokio::test]
async fn held_polls_and_idle_connections_end_with_the_sandbox() {
    let (tamtam, api, alice) = dialog().await;
    api.drain().await;
    let request = api.request("GET", "/updates?timeout=90");
    let poll = tokio::spawn(request.send());
    let silent = TcpStream::connect(address(&tamtam)).await.unwrap();
    // The server has one thread, so it holds the poll before it answers this later request.
    api.get("/me").await.ok();
    drop((tamtam, alice));
    let ended = tokio::time::timeout(Duration::from_secs(30), poll).await.expect("the poll must end early");
    assert!(ended.unwrap().is_err());
    let mut byte = [0];
    silent.readable().await.unwrap();
    assert!(!matches!(silent.try_read(&mut byte), Ok(1..)));
}

#[tokio::test]
async fn a_hook_can_drop_the_last_handle() {
    let (tamtam, api, _) = dialog().await;
    let kept = std::sync::Arc::new(std::sync::Mutex::new(Some(tamtam.clone())));
    tamtam.on_exchange(move |_| drop(kept.lock().unwrap().take()));
    let address = address(&tamtam);
    drop(tamtam);
    let _ = api.request("GET", "/me").send().await;
    let gone = async || TcpStream::connect(&address).await.is_err();
    for _ in 0..100 {
        if gone().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the server must stop within a second");
}

#[tokio::test]
async fn many_sandboxes_run_at_the_same_time() {
    let mut all = Vec::new();
    for _ in 0..20 {
        let tamtam = Sandbox::start().await;
        let api = Api::of(&tamtam);
        tamtam.user("Alice").says("hi");
        assert_eq!(api.kinds().await.len(), 2);
        all.push(tamtam);
    }
}

#[test]
fn a_sandbox_outlives_the_runtime_that_started_it() {
    let run = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let tamtam = run().block_on(Sandbox::start());
    let api = run().block_on(async { Api::of(&tamtam).get("/me").await.ok() });
    assert_eq!(api["is_bot"], true);
}
