//! The control endpoints refuse requests that a web page can make a browser send.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Client, id};

const EVIL: &str = "Origin: http://evil.example";
const JSON: &str = "Content-Type: application/json";
const SAYS: &str = r#"{"text": "I was not here"}"#;
/// Longer than any response takes on the slowest machine.
const ENOUGH: Duration = Duration::from_secs(60);

/// A sandbox with Alice, who has not written anything yet.
struct Target {
    client: Client,
    says: String,
}

impl Target {
    async fn start() -> Self {
        let client = Client::start().await;
        let alice = client.post("/users", json!({ "name": "Alice" })).await;
        let says = format!("POST /sandbox/users/{}/says", id(&alice, "user_id"));
        Self { client, says }
    }

    fn address(&self) -> &str {
        self.client.tamtam.base_url().strip_prefix("http://").unwrap()
    }

    /// Returns the header with the address of the sandbox.
    fn host(&self) -> String {
        format!("Host: {}", self.address())
    }

    /// Sends the head and the body as they are, over a new connection. Returns the status and the whole response.
    async fn send_raw(&self, head: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address()).await.unwrap();
        stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).await.unwrap();
        let mut response = Vec::new();
        // A server that refuses a request may reset the connection after its response.
        let _ = timeout(ENOUGH, stream.read_to_end(&mut response)).await.expect("a response");
        let response = String::from_utf8(response).unwrap();
        let status = response.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.unwrap_or_else(|| panic!("no status: {response}")), response)
    }

    /// Sends a request with these headers, and with `Content-Length` if it has a body.
    async fn send(&self, request: &str, headers: &[&str], body: &str) -> (u16, String) {
        let length = if body.is_empty() { String::new() } else { format!("\r\nContent-Length: {}", body.len()) };
        let head = [&[&format!("{request} HTTP/1.1"), "Connection: close"], headers].concat().join("\r\n");
        self.send_raw(&(head + &length), body).await
    }

    /// Asserts that a request is refused with this status, and that the response has no token and no CORS header.
    async fn refuses(&self, status: u16, request: &str, headers: &[&str], body: &str) -> String {
        let (told, response) = self.send(request, headers, body).await;
        assert_eq!(told, status, "{request} {headers:?}: {response}");
        self.check_refusal(&response)
    }

    /// Returns the error of a refusal.
    fn check_refusal(&self, response: &str) -> String {
        assert!(!response.contains(self.client.tamtam.token()), "{response}");
        assert!(!response.to_ascii_lowercase().contains("access-control-"), "{response}");
        let (_, body) = response.split_once("\r\n\r\n").unwrap();
        let refusal: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("no JSON: {response}"));
        refusal["error"].as_str().unwrap().to_owned()
    }

    async fn has_no_events(&self) {
        assert_eq!(self.client.transcript().await, "");
    }
}

#[tokio::test]
async fn a_text_plain_post_from_another_origin_is_refused_and_does_nothing() {
    let target = Target::start().await;
    let error = target.refuses(403, &target.says, &[&target.host(), EVIL, "Content-Type: text/plain"], SAYS).await;
    assert!(error.starts_with("Origin `http://evil.example` is refused: "), "{error}");
    target.has_no_events().await;
}

#[tokio::test]
async fn a_json_post_from_another_origin_is_refused_and_does_nothing() {
    let target = Target::start().await;
    let https = format!("Origin: https://{}", target.address());
    let (others_port, lookalike) = ("Origin: http://127.0.0.1:1", format!("Origin: http://{}.evil", target.address()));
    for origin in [EVIL, &https, others_port, &lookalike, "Origin: http://localhost"] {
        target.refuses(403, &target.says, &[&target.host(), origin, JSON], SAYS).await;
    }
    target.has_no_events().await;
}

#[tokio::test]
async fn a_post_without_a_body_from_another_origin_is_refused() {
    let target = Target::start().await;
    let starts = target.says.replace("/says", "/starts");
    target.refuses(403, &starts, &[&target.host(), EVIL, "Content-Length: 0"], "").await;
    target.has_no_events().await;
    assert_eq!(target.send(&starts, &[&target.host(), "Content-Length: 0"], "").await.0, 200);
}

#[tokio::test]
async fn a_null_origin_is_refused() {
    let target = Target::start().await;
    target.refuses(403, &target.says, &[&target.host(), "Origin: null", JSON], SAYS).await;
    target.has_no_events().await;
}

#[tokio::test]
async fn two_origins_are_refused() {
    let target = Target::start().await;
    let own = format!("Origin: http://{}", target.address());
    for second in [&own, EVIL] {
        target.refuses(403, &target.says, &[&target.host(), &own, second, JSON], SAYS).await;
    }
    target.has_no_events().await;
}

#[tokio::test]
async fn a_request_that_the_browser_marks_as_cross_site_is_refused() {
    let target = Target::start().await;
    for site in ["cross-site", "same-site"] {
        let site = format!("Sec-Fetch-Site: {site}");
        target.refuses(403, &target.says, &[&target.host(), &site, JSON], SAYS).await;
        target.refuses(403, "GET /sandbox", &[&target.host(), &site], "").await;
    }
    target.has_no_events().await;
}

#[tokio::test]
async fn forms_and_plain_text_are_refused_even_without_an_origin() {
    let target = Target::start().await;
    for kind in
        ["text/plain", "text/plain; application/json", "application/x-www-form-urlencoded", "multipart/form-data"]
    {
        let error = target.refuses(415, &target.says, &[&target.host(), &format!("Content-Type: {kind}")], SAYS).await;
        assert!(error.ends_with("send the header Content-Type: application/json"), "{error}");
    }
    target.refuses(415, &target.says, &[&target.host(), JSON, "Content-Type: text/plain"], SAYS).await;
    target.has_no_events().await;
}

#[tokio::test]
async fn a_body_without_a_content_type_is_refused() {
    let target = Target::start().await;
    target.refuses(415, &target.says, &[&target.host()], SAYS).await;
    let chunks = format!("{:x}\r\n{SAYS}\r\n0\r\n\r\n", SAYS.len());
    let head = format!("{} HTTP/1.1\r\n{}\r\nConnection: close\r\n", target.says, target.host());
    let (status, response) = target.send_raw(&format!("{head}Transfer-Encoding: chunked"), &chunks).await;
    assert_eq!(status, 415, "{response}");
    target.check_refusal(&response);
    target.has_no_events().await;
    let (status, _) = target.send_raw(&format!("{head}{JSON}\r\nTransfer-Encoding: chunked"), &chunks).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_foreign_host_gets_no_token() {
    let target = Target::start().await;
    let (_, port) = target.address().split_once(':').unwrap();
    for name in [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "localhost@evil.example",
        "evil.example@localhost",
        "[::1]evil.example",
        "[::ffff:127.0.0.1]",
        "192.168.0.1",
        "0.0.0.0",
    ] {
        for host in [format!("Host: {name}"), format!("Host: {name}:{port}")] {
            for request in ["GET /sandbox", "GET /sandbox?x", "GET /sandbox/transcript"] {
                target.refuses(403, request, &[&host], "").await;
            }
            // After DNS rebinding, the browser sees the page as same-origin.
            let own = host.replace("Host: ", "Origin: http://");
            target.refuses(403, &target.says, &[&host, &own, "Sec-Fetch-Site: same-origin", JSON], SAYS).await;
        }
    }
    let (status, response) = target.send("HEAD /sandbox", &["Host: evil.example"], "").await;
    assert_eq!(status, 403, "{response}");
    target.has_no_events().await;
}

#[tokio::test]
async fn the_host_of_an_absolute_url_is_checked_too() {
    let target = Target::start().await;
    target.refuses(403, "GET http://evil.example/sandbox", &[&target.host()], "").await;
    target.refuses(403, &format!("GET http://{}/sandbox", target.address()), &["Host: evil.example"], "").await;
    let (status, response) =
        target.send(&format!("GET http://{}/sandbox", target.address()), &[&target.host()], "").await;
    assert_eq!(status, 200, "{response}");
}

#[tokio::test]
async fn a_name_that_resolves_to_this_machine_is_refused_by_http_1_and_2() {
    let target = Target::start().await;
    let address = target.address().parse().unwrap();
    for is_2 in [false, true] {
        let ask = async |name: &str| {
            let http = reqwest::Client::builder().no_proxy().resolve(name, address);
            let http = if is_2 { http.http2_prior_knowledge() } else { http.http1_only() }.build().unwrap();
            let url = format!("http://{name}:{}/sandbox", address.port());
            let about = http.get(&url).send().await.unwrap();
            let users = http.post(format!("{url}/users")).body("{}").send().await.unwrap();
            (about.status().as_u16(), users.status().as_u16(), about.text().await.unwrap())
        };
        let (about, users, text) = ask("evil.example").await;
        assert_eq!((about, users), (403, 403), "{text}");
        assert!(!text.contains(target.client.tamtam.token()), "{text}");
        let (about, users, text) = ask("localhost").await;
        assert_eq!((about, users), (200, 415), "{text}");
    }
}

#[tokio::test]
async fn two_hosts_and_no_host_are_refused() {
    let target = Target::start().await;
    let own = target.host();
    for hosts in [&[&*own, "Host: evil.example"][..], &["Host: evil.example", &own], &[&own, &own], &[], &["Host:"]] {
        target.refuses(403, "GET /sandbox", hosts, "").await;
    }
    let (status, response) = target.send_raw("GET /sandbox HTTP/1.0", "").await;
    assert_eq!(status, 403, "{response}");
}

#[tokio::test]
async fn a_delete_from_another_origin_removes_nothing() {
    let target = Target::start().await;
    target.client.post("/faults", json!({ "operation": "getMyInfo", "fault": "status", "status": 500 })).await;
    target.refuses(403, "DELETE /sandbox/faults", &[&target.host(), EVIL], "").await;
    assert!(target.client.tamtam.bot().me().no_retry().await.is_err(), "the fault is still there");
}

#[tokio::test]
async fn unknown_paths_and_methods_are_checked_before_anything_else() {
    let target = Target::start().await;
    let foreign = "Host: evil.example";
    for request in ["GET /sandbox/nothing", "GET /sandbox/x/y/z", "PUT /sandbox/transcript", "BREW /sandbox"] {
        target.refuses(403, request, &[foreign], "").await;
        target.refuses(403, request, &[&target.host(), EVIL], "").await;
        target.refuses(415, request, &[&target.host()], "a body").await;
    }
    for request in ["GET /sandbox/", "GET //sandbox", "GET /%73andbox", "GET /SANDBOX"] {
        // Paths outside `/sandbox` belong to the API, which requires a token.
        let (status, response) = target.send(request, &[foreign], "").await;
        assert_eq!(status, 401, "{request}: {response}");
    }
}

#[tokio::test]
async fn a_preflight_is_refused() {
    let target = Target::start().await;
    let says = target.says.replace("POST", "OPTIONS");
    let asks = ["Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type"];
    let error = target.refuses(403, &says, &[&[&target.host(), EVIL][..], &asks].concat(), "").await;
    assert!(error.starts_with("Origin `http://evil.example` is refused: "), "{error}");
    let own = format!("Origin: http://{}", target.address());
    target.refuses(405, &says, &[&[&target.host(), &*own][..], &asks].concat(), "").await;
}

#[tokio::test]
async fn a_refused_body_is_not_read() {
    let target = Target::start().await;
    // The body is never sent.
    let length = "Content-Length: 1000";
    target.refuses(403, &target.says, &["Host: evil.example", JSON, length], "").await;
    target.refuses(415, &target.says, &[&target.host(), "Content-Type: text/plain", length], "").await;
}

#[tokio::test]
async fn requests_of_programs_and_of_the_same_origin_are_served() {
    let target = Target::start().await;
    let (_, port) = target.address().split_once(':').unwrap();
    for name in ["127.0.0.1", "localhost", "LOCALHOST.", "tamtam.localhost", "127.1.2.3", "[::1]"] {
        let (host, own) = (format!("Host: {name}:{port}"), format!("Origin: http://{name}:{port}"));
        for headers in [&[&*host][..], &[&host, &own, "Sec-Fetch-Site: same-origin"], &[&host, "Sec-Fetch-Site: none"]]
        {
            let (status, response) = target.send("GET /sandbox", headers, "").await;
            assert_eq!((status, response.contains(target.client.tamtam.token())), (200, true), "{headers:?}");
            let headers = [headers, &["content-type: Application/JSON; charset=utf-8"]].concat();
            let (status, response) = target.send(&target.says, &headers, SAYS).await;
            assert_eq!(status, 200, "{headers:?}: {response}");
        }
    }
    assert_eq!(target.send("GET /sandbox", &["Host: localhost"], "").await.0, 200);
}

#[tokio::test]
async fn a_refused_request_is_reported_like_any_other() {
    let target = Target::start().await;
    let (tell, told) = std::sync::mpsc::channel();
    target.client.tamtam.on_exchange(move |exchange| {
        drop(tell.send((exchange.method().to_owned(), exchange.path().to_owned(), exchange.status())));
    });
    target.refuses(403, "GET /sandbox", &["Host: evil.example"], "").await;
    assert_eq!(told.recv().unwrap(), ("GET".to_owned(), "/sandbox".to_owned(), 403));
    target.refuses(415, "POST /sandbox/users", &[&target.host()], "{}").await;
    assert_eq!(told.recv().unwrap(), ("POST".to_owned(), "/sandbox/users".to_owned(), 415));
}
