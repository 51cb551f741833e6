//! Connections that the server can reset, so that a client sees a broken network.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use super::world::World;

/// Accepts connections that can be reset.
pub(crate) struct Breakable {
    pub(crate) listener: TcpListener,
    pub(crate) world: Arc<World>,
}

/// A connection that its [`Breaker`] can reset.
pub(crate) struct Connection {
    inner: TcpStream,
    broken: Breaker,
    /// Dropped when the connection is closed.
    open: Option<Arc<()>>,
    world: Arc<World>,
}

/// A handle that resets the connection of a request.
#[derive(Clone)]
pub(crate) struct Breaker {
    is_broken: Arc<AtomicBool>,
    open: Weak<()>,
}

impl Breaker {
    /// Resets the connection at its next read or write. So the answer of the current request is not sent.
    pub(crate) fn reset(&self) {
        self.is_broken.store(true, Ordering::Relaxed);
    }

    /// Returns a pointer that dangles after the connection is closed.
    pub(crate) fn connection(&self) -> Weak<()> {
        self.open.clone()
    }

    fn check(&self) -> io::Result<()> {
        if self.is_broken.load(Ordering::Relaxed) { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

impl Listener for Breakable {
    type Io = Connection;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Connection, Self::Addr) {
        let (inner, address) = Listener::accept(&mut self.listener).await;
        // Disables Nagle's algorithm, so that a small answer does not wait for the acknowledgement of the previous one.
        let _ = inner.set_nodelay(true);
        let open = Arc::new(());
        let broken = Breaker { is_broken: Arc::default(), open: Arc::downgrade(&open) };
        (Connection { inner, broken, open: Some(open), world: Arc::clone(&self.world) }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, Breakable>> for Breaker {
    fn connect_info(stream: IncomingStream<'_, Breakable>) -> Self {
        stream.io().broken.clone()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.broken.check().is_err() {
            // With a linger time of zero, closing sends a reset.
            let _ = self.inner.set_zero_linger();
        }
        // Another poll may wait for updates that this connection got and did not commit.
        drop(self.open.take());
        self.world.wake();
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.broken.check()?;
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.broken.check()?;
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.broken.check()?;
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.broken.check()?;
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
