//! Sandboxes release all files, threads and tasks. Linux lists those of a process in `/proc`.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use tamtam::Service;
use tamtam_sandbox::Sandbox;

use crate::common::{CHILD, SERVICES, in_a_process_of_its_own};

const A_THOUSAND: &str = "leaks::a_thousand_sandboxes_leave_no_files_threads_or_tasks";
/// Among this number of sandboxes, one of each service is busy. Busy sandboxes take longer.
const BUSY: usize = 20;
/// Files and threads of the last few sandboxes that may still be open.
const SLACK: usize = 50;

/// Returns the numbers of open files and sockets, of threads, and of tasks of this runtime.
fn held() -> (usize, usize, usize) {
    let count = |directory: &str| std::fs::read_dir(directory).unwrap().count();
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    (count("/proc/self/fd"), count("/proc/self/task"), tasks)
}

/// Starts a sandbox and drops it while it holds a poll and an idle connection. If `is_busy`, an upload is also half
/// sent, and an update waits for its redelivery to a webhook that is down.
async fn live(service: &Service, is_busy: bool) {
    let builder = Sandbox::builder().service(service.clone());
    let tamtam = builder.redelivery(Duration::from_millis(1)).start().await;
    let alice = tamtam.user("Alice");
    alice.says("hi");
    let connect = || TcpStream::connect(tamtam.base_url().strip_prefix("http://").unwrap()).unwrap();
    let ask = |token: &str, method: &str, path: &str, body: &str| {
        let (mut stream, length) = (connect(), body.len());
        let (query, header) = if *service == Service::Max {
            (String::new(), format!("Authorization: {token}\r\n"))
        } else {
            (format!("access_token={token}"), String::new())
        };
        let head = format!("{method} {path}{query} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n{header}");
        stream.write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes()).unwrap();
        stream
    };
    let answer = |mut stream: TcpStream| {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
        text
    };
    let page = answer(ask(tamtam.token(), "GET", "/updates?timeout=0&", ""));
    assert!(page.contains("message_created"), "{page}");
    let marker = page.rsplit_once("\"marker\":").unwrap().1.trim_end_matches('}').to_owned();
    let held = ask(tamtam.token(), "GET", &format!("/updates?timeout=90&marker={marker}&"), "");
    let idle = connect();
    let mut streams = vec![held, idle];
    if is_busy {
        let begun = answer(ask(tamtam.token(), "POST", "/uploads?type=file&", ""));
        let place = begun.split_once("http://").unwrap().1.trim_end_matches("\"}");
        let (host, path) = place.split_once('/').unwrap();
        let mut upload = TcpStream::connect(host).unwrap();
        let head = "Content-Range: bytes 0-9/10\r\nContent-Length: 10\r\n";
        upload.write_all(format!("POST /{path} HTTP/1.1\r\nHost: x\r\n{head}\r\nhalf").as_bytes()).unwrap();
        let nobody = r#"{"url":"http://127.0.0.1:1/nobody","update_types":["message_removed"]}"#;
        let helper = tamtam.add_bot("Helper", "helper_bot");
        answer(ask(helper.token(), "POST", "/subscriptions?", nobody));
        let alice = alice.with_bot(&helper);
        let said = alice.says("hi");
        alice.deletes(said);
        streams.push(upload);
    }
    drop((tamtam, alice));
    // The server has closed all connections.
    for mut stream in streams {
        assert!(!matches!(stream.read(&mut [0]), Ok(1..)));
    }
}

#[tokio::test]
async fn a_thousand_sandboxes_leave_no_files_threads_or_tasks() {
    if std::env::var_os(CHILD).is_none() {
        in_a_process_of_its_own(A_THOUSAND, &[]).await;
        return;
    }
    // The first sandboxes create everything that the process keeps, for example in libraries.
    for service in SERVICES.iter().cycle().take(4) {
        live(service, true).await;
    }
    let before = held();
    for (number, service) in SERVICES.iter().cycle().take(1_000).enumerate() {
        // A few sandboxes of each service are busy.
        live(service, number % BUSY < SERVICES.len()).await;
        let now = held();
        assert!(now.0 <= before.0 + SLACK && now.1 <= before.1 + SLACK, "{before:?} became {now:?} after {number}");
    }
    let deadline = Instant::now() + Duration::from_secs(10);
    // The host of a webhook is looked up on a separate thread, which ends later.
    while held() != before && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(held(), before, "files, threads, tasks");
}
