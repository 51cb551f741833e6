//! The network: a name that resolves to the server, or to an address without a connection. All sockets are real.

use std::{
    collections::BTreeMap,
    fmt,
    future::ready,
    iter::once,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tamtam::reqwest::{
    Certificate, ClientBuilder,
    dns::{Addrs, Name, Resolve, Resolving},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy, sink},
    net::{TcpListener, TcpSocket, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
};

use crate::{
    faults::{CONNECTION_FAULTS, Chance, ConnectionFault},
    ledger::Ledger,
    server::Server,
};

/// The name of the server. The base URLs have no port, so that the port of the resolved address is used.
pub(crate) const NAME: &str = "tamtam.test";

/// The addresses that the name can resolve to.
pub(crate) struct Network {
    chance: Arc<Chance>,
    faults: Mutex<BTreeMap<ConnectionFault, usize>>,
    /// The server without TLS, and with TLS.
    plain: SocketAddr,
    tls: SocketAddr,
    /// The server over HTTP/2, without TLS.
    http2: SocketAddr,
    /// The certificate that a client must trust to reach the server over TLS.
    certificate: Certificate,
    /// A closed port. The socket stays bound, so that no other program gets the port.
    refusing: TcpSocket,
    /// A server that speaks plain HTTP instead of TLS.
    no_tls: SocketAddr,
    /// A server with a certificate that the client does not trust.
    impostor: SocketAddr,
}

impl Network {
    pub(crate) async fn start(server: Server) -> Self {
        let (good, certificate) = identity();
        let (bad, _) = identity();
        let refusing = TcpSocket::new_v4().expect("a socket");
        refusing.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
        let (in_plain, over_tls, over_http2) = (server.clone(), server.clone(), server.clone());
        let ledger = Arc::clone(&server.ledger);
        Self {
            chance: server.chance,
            faults: Mutex::default(),
            plain: listen(move |connection| in_plain.clone().serve(connection)).await,
            tls: listen(move |connection| accept(good.clone(), connection, over_tls.clone())).await,
            http2: listen(move |connection| over_http2.clone().serve_http2(connection)).await,
            certificate,
            refusing,
            no_tls: listen(speak_http).await,
            impostor: listen(move |connection| mislead(bad.clone(), connection, Arc::clone(&ledger))).await,
        }
    }

    /// Returns the number of times that each fault has happened.
    pub(crate) fn faults(&self) -> BTreeMap<ConnectionFault, usize> {
        self.faults.lock().unwrap().clone()
    }

    /// Connects a client without TLS to the server.
    pub(crate) fn plain(self: &Arc<Self>, http: ClientBuilder) -> ClientBuilder {
        self.resolving(http, self.plain, &[ConnectionFault::UnknownName, ConnectionFault::Refused])
    }

    /// Connects a client with HTTP/2 to the server.
    pub(crate) fn http2(self: &Arc<Self>, http: ClientBuilder) -> ClientBuilder {
        let possible = &[ConnectionFault::UnknownName, ConnectionFault::Refused];
        self.resolving(http, self.http2, possible).http2_prior_knowledge()
    }

    /// Connects a client with TLS to the server.
    pub(crate) fn tls(self: &Arc<Self>, http: ClientBuilder) -> ClientBuilder {
        self.resolving(http, self.tls, &CONNECTION_FAULTS).tls_certs_only([self.certificate.clone()])
    }

    fn resolving(
        self: &Arc<Self>,
        http: ClientBuilder,
        server: SocketAddr,
        possible: &'static [ConnectionFault],
    ) -> ClientBuilder {
        // A proxy from the environment would replace the resolver.
        http.no_proxy().dns_resolver(Arc::new(Resolver { network: Arc::clone(self), server, possible }))
    }
}

/// A resolver that chooses the fault of each connection.
struct Resolver {
    network: Arc<Network>,
    server: SocketAddr,
    possible: &'static [ConnectionFault],
}

impl Resolve for Resolver {
    fn resolve(&self, _: Name) -> Resolving {
        let fault = self.network.chance.fault(self.possible);
        if let Some(fault) = fault {
            *self.network.faults.lock().unwrap().entry(fault).or_default() += 1;
        }
        let address = match fault {
            None => self.server,
            Some(ConnectionFault::UnknownName) => return Box::pin(ready(Err(UnknownName.into()))),
            Some(ConnectionFault::Refused) => self.network.refusing.local_addr().expect("an address"),
            Some(ConnectionFault::NoTls) => self.network.no_tls,
            Some(ConnectionFault::WrongCertificate) => self.network.impostor,
        };
        Box::pin(ready(Ok(Box::new(once(address)) as Addrs)))
    }
}

/// The error of the resolver for an unknown name.
#[derive(Debug)]
pub(crate) struct UnknownName;

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such name")
    }
}

impl std::error::Error for UnknownName {}

/// Serves every connection to a new port. Returns the address.
async fn listen<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(serve(connection));
        }
    });
    address
}

/// Returns TLS with a new self-signed certificate for the server's name.
fn identity() -> (TlsAcceptor, Certificate) {
    let made = rcgen::generate_simple_self_signed([NAME.to_owned()]).expect("a certificate");
    let certificate = Certificate::from_der(made.cert.der()).expect("a certificate");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.into()], key)
        .expect("a certificate and its key");
    (TlsAcceptor::from(Arc::new(config)), certificate)
}

/// Serves a client that trusts the certificate.
async fn accept(tls: TlsAcceptor, connection: TcpStream, server: Server) {
    if let Ok(connection) = tls.accept(connection).await {
        server.serve(connection).await;
    }
}

/// Impersonates the server, and records each client that accepts the certificate.
async fn mislead(tls: TlsAcceptor, connection: TcpStream, ledger: Arc<Ledger>) {
    if tls.accept(connection).await.is_ok() {
        ledger.misled();
    }
}

/// Answers a TLS handshake like a server without TLS.
async fn speak_http(mut connection: TcpStream) {
    let _ = connection.read(&mut [0; 1024]).await;
    let _ = connection.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    // A connection that is closed with unread bytes is reset, and the answer lost.
    let _ = copy(&mut connection, &mut sink()).await;
}
