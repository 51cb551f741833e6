//! TLS: the settings and sessions that bots share, against a server that records each handshake.

use std::{
    future::Future,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tamtam::{Bot, ErrorKind, Service, settings::RetryPolicy};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};
use tokio_rustls::{
    LazyConfigAcceptor,
    rustls::{HandshakeKind, ServerConfig, pki_types::PrivateKeyDer},
};

#[cfg(all(feature = "rustls", not(feature = "native-tls"), target_os = "linux"))]
use crate::common::{CHILD, in_a_process_of_its_own};
use crate::common::{RawServer, bot_at, bot_info, http_answer};

/// The offer of a client at the start of a handshake.
#[derive(Debug, Clone, PartialEq)]
struct Offer {
    alpn: Vec<String>,
    server_name: Option<String>,
    cipher_suites: Vec<u16>,
    signature_schemes: Vec<u16>,
}

/// The record of a server.
#[derive(Debug, Default)]
struct Seen {
    offers: Vec<Offer>,
    /// The completed handshakes.
    handshakes: Vec<HandshakeKind>,
    requests: usize,
}

/// A server with a self-signed certificate. It answers every request with the bot's profile.
struct TlsServer {
    address: SocketAddr,
    pem: String,
    seen: Arc<Mutex<Seen>>,
}

impl TlsServer {
    async fn start() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let pem = made.cert.pem();
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![made.cert.into()], key);
        let config = Arc::new(config.unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<Seen>>::default();
        let server = Self { address, pem, seen: Arc::clone(&seen) };
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(connection, Arc::clone(&config), Arc::clone(&seen)));
            }
        });
        server
    }

    fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    fn offers(&self) -> Vec<Offer> {
        self.seen.lock().unwrap().offers.clone()
    }
}

async fn serve(connection: TcpStream, config: Arc<ServerConfig>, seen: Arc<Mutex<Seen>>) {
    let Ok(start) = LazyConfigAcceptor::new(Default::default(), connection).await else { return };
    let hello = start.client_hello();
    seen.lock().unwrap().offers.push(Offer {
        alpn: hello.alpn().into_iter().flatten().map(|name| String::from_utf8_lossy(name).into_owned()).collect(),
        server_name: hello.server_name().map(ToOwned::to_owned),
        cipher_suites: hello.cipher_suites().iter().map(|&suite| suite.into()).collect(),
        signature_schemes: hello.signature_schemes().iter().map(|&scheme| scheme.into()).collect(),
    });
    // A client that does not trust the certificate disconnects.
    let Ok(mut stream) = start.into_stream(config).await else { return };
    let kind = stream.get_ref().1.handshake_kind().unwrap();
    seen.lock().unwrap().handshakes.push(kind);
    let answer = http_answer("200 OK", &[], &bot_info().to_string());
    let mut request = Vec::new();
    while stream.read_buf(&mut request).await.is_ok_and(|length| length > 0) {
        if request.ends_with(b"\r\n\r\n") {
            seen.lock().unwrap().requests += 1;
            request.clear();
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

#[tokio::test]
async fn shared_and_own_tls_configurations_offer_the_same() {
    let server = TlsServer::start().await;
    // The shared configuration does not trust the server, but the offer is sent before the certificate is checked.
    assert_eq!(bot_at(server.url()).build().unwrap().me().await.unwrap_err().kind(), ErrorKind::Connect);
    let own = bot_at(server.url()).root_certificates(server.pem.clone()).build().unwrap();
    own.me().await.unwrap();
    let [shared, own] = &server.offers()[..] else { panic!("{:?}", server.offers()) };
    assert_eq!(shared.alpn, ["h2", "http/1.1"]);
    assert_eq!(shared.server_name.as_deref(), Some("localhost"));
    assert_eq!(shared, own);
}

#[tokio::test]
async fn certificates_and_tls_settings_apply_to_one_bot_only() {
    let server = TlsServer::start().await;
    let trusting = bot_at(server.url()).root_certificates(server.pem.clone()).build().unwrap();
    trusting.me().await.unwrap();
    let closure = |http: tamtam::reqwest::ClientBuilder| http.no_proxy().danger_accept_invalid_certs(true);
    bot_at(server.url()).http(closure).build().unwrap().me().await.unwrap();
    let (pem, url) = (server.pem.clone(), server.url());
    let closure = move |http: tamtam::reqwest::ClientBuilder| {
        let certificate = tamtam::reqwest::Certificate::from_pem(pem.as_bytes()).unwrap();
        http.no_proxy().add_root_certificate(certificate)
    };
    bot_at(url).http(closure).build().unwrap().me().await.unwrap();
    assert_eq!(
        bot_at(server.url()).build().unwrap().me().await.unwrap_err().kind(),
        ErrorKind::Connect,
        "other bots do not trust it"
    );
    assert_eq!(server.seen.lock().unwrap().handshakes, [HandshakeKind::Full; 3], "the bots share no sessions");
}

/// Runs only in a separate process, in which the system trusts the server's certificate.
#[cfg(all(feature = "rustls", not(feature = "native-tls"), target_os = "linux"))]
#[test]
fn calls_two_bots_in_two_runtimes() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    for _ in 0..2 {
        Runtime::new().unwrap().block_on(async { Bot::from_env().unwrap().me().await.unwrap() });
    }
}

/// The second bot resumes the session of the first one, because they share a configuration. They do not share
/// connections. With the TLS library of the system, the client does not resume sessions.
#[cfg(all(feature = "rustls", not(feature = "native-tls"), target_os = "linux"))]
#[tokio::test]
async fn bots_share_one_tls_configuration_and_no_connections() {
    let server = TlsServer::start().await;
    let pem = std::env::temp_dir().join(format!("tamtam-it-tls-{}.pem", std::process::id()));
    std::fs::write(&pem, &server.pem).unwrap();
    let variables = [
        ("TAMTAM_TOKEN", "token".to_owned()),
        ("TAMTAM_BASE_URL", server.url()),
        ("SSL_CERT_FILE", pem.display().to_string()),
    ];
    in_a_process_of_its_own("tls::calls_two_bots_in_two_runtimes", &variables).await;
    std::fs::remove_file(pem).unwrap();
    assert_eq!(server.seen.lock().unwrap().handshakes, [HandshakeKind::Full, HandshakeKind::Resumed]);
}

/// Runs a future in a runtime that is dropped after it.
fn in_a_runtime_of_its_own<T>(future: impl Future<Output = T>) -> T {
    Runtime::new().unwrap().block_on(future)
}

#[test]
fn a_bot_works_in_a_second_runtime_after_the_first_was_dropped() {
    let servers = Runtime::new().unwrap();
    let tls = servers.block_on(TlsServer::start());
    let plain = servers.block_on(RawServer::answering_and_waiting(http_answer("200 OK", &[], &bot_info().to_string())));
    let tls_bot = || Bot::builder("token").base_url(tls.url()).root_certificates(tls.pem.clone());
    let plain_bot = || Bot::builder("token").base_url(plain.url());
    for builder in [&tls_bot as &dyn Fn() -> tamtam::BotBuilder, &plain_bot] {
        // Without retries: a connection of a dropped runtime must not be used.
        let bot = builder().no_proxy().retry(RetryPolicy::none()).build().unwrap();
        for _ in 0..3 {
            in_a_runtime_of_its_own(async { bot.me().await.unwrap() });
        }
        let another = builder().no_proxy().retry(RetryPolicy::none()).build().unwrap();
        in_a_runtime_of_its_own(async { another.me().await.unwrap() });
    }
    assert_eq!(tls.seen.lock().unwrap().requests, 4);
    assert_eq!(plain.requests().len(), 4);
}

/// The Russian Trusted Root CA, by its published fingerprint (SHA-256).
#[test]
fn the_root_certificate_of_max_is_the_published_one() {
    use sha2::{Digest as _, Sha256};
    use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject as _};

    let pem = include_bytes!("../../openapi/max-root-ca.pem");
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().unwrap();
    let [certificate] = &certificates[..] else { panic!("{} certificates", certificates.len()) };
    let fingerprint: String = Sha256::digest(certificate).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(fingerprint, "d26d2d0231b7c39f92cc738512ba54103519e4405d68b5bd703e9788ca8ecf31");
}

#[tokio::test]
async fn only_bots_of_a_service_trust_its_certificate() {
    let server = TlsServer::start().await;
    let service = Service::Max.with_root_certificate(server.pem.clone());
    let bot = || bot_at(server.url()).service(service.clone());
    bot().build().unwrap().me().await.unwrap();
    bot().build().unwrap().me().await.unwrap();
    // With additional certificates or a closure, a bot has a separate configuration.
    bot().http(|http| http.no_proxy()).build().unwrap().me().await.unwrap();
    let other = rcgen::generate_simple_self_signed(["other".to_owned()]).unwrap().cert.pem();
    bot().root_certificates(other).build().unwrap().me().await.unwrap();
    for (bot, which) in [
        (bot().trust_service(false), "a bot that does not trust its service"),
        (bot_at(server.url()).service(Service::Max), "a bot of MAX itself"),
        (bot_at(server.url()), "a bot of TamTam"),
        (bot_at(server.url()).service(service.clone().without_root_certificate()), "a service without a certificate"),
    ] {
        assert_eq!(bot.build().unwrap().me().await.unwrap_err().kind(), ErrorKind::Connect, "{which}");
    }
    // With the TLS library of the system, the client does not resume sessions.
    #[cfg(not(feature = "native-tls"))]
    assert_eq!(
        server.seen.lock().unwrap().handshakes[..2],
        [HandshakeKind::Full, HandshakeKind::Resumed],
        "the first two bots share a configuration"
    );
}

#[test]
fn a_certificate_that_is_not_pem_is_an_error() {
    let service = Service::Max.with_root_certificate("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n");
    let error = Bot::builder("token").service(service.clone()).build().unwrap_err();
    assert!(
        error.kind() == ErrorKind::Build
            && error.to_string().contains("the certificate of the service cannot be trusted"),
        "{error}"
    );
    assert!(Bot::builder("token").service(service.clone()).trust_service(false).build().is_ok());
    let empty = Service::Max.with_root_certificate("");
    let error = Bot::builder("token").service(empty).base_url("http://localhost:1").build().unwrap_err();
    assert!(error.to_string().contains("no certificate found"), "uploads may need it: {error}");
}
