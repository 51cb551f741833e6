//! The way to the server: a name that resolves to it, or to where no connection comes about. Real sockets all of it.

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

/// The server's name. The base URLs have no port, so that the one of the address counts.
pub(crate) const NAME: &str = "tamtam.test";

/// Where a name can lead.
pub(crate) struct Network {
    chance: Arc<Chance>,
    faults: Mutex<BTreeMap<ConnectionFault, usize>>,
    /// The server, without TLS and with.
    plain: SocketAddr,
    tls: SocketAddr,
    /// The same over HTTP/2, without TLS.
    http2: SocketAddr,
    /// What a client has to trust to talk to the server over TLS.
    certificate: Certificate,
    /// Nobody listens there. It is bound for as long as the test runs, so that nobody else gets the port.
    refusing: TcpSocket,
    /// Plain HTTP.
    no_tls: SocketAddr,
    /// TLS with a certificate of somebody else's making.
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

    /// How often each fault has happened.
    pub(crate) fn faults(&self) -> BTreeMap<ConnectionFault, usize> {
        self.faults.lock().unwrap().clone()
    }

    /// Puts a client that does without TLS on the way to the server.
    pub(crate) fn plain(self: &Arc<Self>, http: ClientBuilder) -> ClientBuilder {
        self.resolving(http, self.plain, &[ConnectionFault::UnknownName, ConnectionFault::Refused])
    }

    /// Puts a client that speaks HTTP/2 on the way to the server.
    pub(crate) fn http2(self: &Arc<Self>, http: ClientBuilder) -> ClientBuilder {
        let possible = &[ConnectionFault::UnknownName, ConnectionFault::Refused];
        self.resolving(http, self.http2, possible).http2_prior_knowledge()
    }

    /// Puts a client that uses TLS on the way to the server.
    pub(crate) fn tls(self: &Arc<Self>, http: ClientBuilder) -> ClientBuilder {
        self.resolving(http, self.tls, &CONNECTION_FAULTS).tls_certs_only([self.certificate.clone()])
    }

    fn resolving(
        self: &Arc<Self>,
        http: ClientBuilder,
        server: SocketAddr,
        possible: &'static [ConnectionFault],
    ) -> ClientBuilder {
        // A proxy of the environment would be asked in the resolver's place.
        http.no_proxy().dns_resolver(Arc::new(Resolver { network: Arc::clone(self), server, possible }))
    }
}

/// Asked at the beginning of each connection, it decides what becomes of it.
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

/// What the resolver says of a name that it does not know.
#[derive(Debug)]
pub(crate) struct UnknownName;

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such name")
    }
}

impl std::error::Error for UnknownName {}

/// Serves every connection to a port of its own.
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

/// TLS with a new certificate for the server's name, signed by itself.
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

/// Tries to take the server's place.
async fn mislead(tls: TlsAcceptor, connection: TcpStream, ledger: Arc<Ledger>) {
    if tls.accept(connection).await.is_ok() {
        ledger.misled();
    }
}

/// What a server without TLS says to a client that begins with it.
async fn speak_http(mut connection: TcpStream) {
    let _ = connection.read(&mut [0; 1024]).await;
    let _ = connection.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    // Closed with something unread, the connection would be reset, and the answer lost.
    let _ = copy(&mut connection, &mut sink()).await;
}
