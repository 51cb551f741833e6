//! The faults: their probability, and the effect of each on a request.

use std::sync::atomic::{AtomicU64, Ordering};

/// One of this number of requests fails, and one of this number of connections.
const FAILING: usize = 5;

/// A fault of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    ResetBeforeReading,
    ResetAfterReading,
    Silence,
    CutBody,
    CutBodyOfUnknownLength,
    StalledBody,
    GarbageBody,
    MisfitBody,
    TooMany,
    TooManyWithRetryAfter,
    UnavailableByApi,
    UnavailableByProxy,
    /// A 503 with `Retry-After` from a cache that has forwarded the request.
    UnavailableByCache,
    EndlessBody,
    Internal,
    BadGateway,
    RequestTimeout,
    NotReady,
    /// HTTP/2: the stream is refused unprocessed.
    RefusedStream,
    /// HTTP/2: the stream is reset for another reason.
    ResetStream,
    /// HTTP/2: the connection stays open, but nothing is read or written on it.
    Frozen,
}

/// The faults of requests over HTTP/1.1.
pub(crate) const FAULTS: [Fault; 18] = [
    Fault::ResetBeforeReading,
    Fault::ResetAfterReading,
    Fault::Silence,
    Fault::CutBody,
    Fault::CutBodyOfUnknownLength,
    Fault::StalledBody,
    Fault::GarbageBody,
    Fault::MisfitBody,
    Fault::TooMany,
    Fault::TooManyWithRetryAfter,
    Fault::UnavailableByApi,
    Fault::UnavailableByProxy,
    Fault::UnavailableByCache,
    Fault::EndlessBody,
    Fault::Internal,
    Fault::BadGateway,
    Fault::RequestTimeout,
    Fault::NotReady,
];

/// The faults of requests over HTTP/2, except frozen connections.
pub(crate) const HTTP2_FAULTS: [Fault; 6] = [
    Fault::RefusedStream,
    Fault::ResetStream,
    Fault::TooMany,
    Fault::UnavailableByApi,
    Fault::UnavailableByCache,
    Fault::EndlessBody,
];
/// One in `FREEZING` HTTP/2 requests freezes its connection. Its calls wait until the client closes the connection.
const FREEZING: usize = 1000;

impl Fault {
    /// Whether the server applies the request: never, always, or by `chance` if the client cannot find out.
    pub(crate) fn applies(self, chance: bool) -> bool {
        match self {
            Self::ResetBeforeReading
            | Self::TooMany
            | Self::TooManyWithRetryAfter
            | Self::UnavailableByApi
            | Self::NotReady
            | Self::RefusedStream => false,
            Self::CutBody
            | Self::CutBodyOfUnknownLength
            | Self::StalledBody
            | Self::GarbageBody
            | Self::MisfitBody
            | Self::EndlessBody => true,
            _ => chance,
        }
    }

    /// Whether the client cannot find out if the request was applied.
    pub(crate) fn is_ambiguous(self) -> bool {
        !self.allows_resending() && self != Self::ResetBeforeReading
    }

    /// Whether the retry contract allows a message to be sent again after the fault.
    pub(crate) fn allows_resending(self) -> bool {
        matches!(
            self,
            Self::TooMany | Self::TooManyWithRetryAfter | Self::UnavailableByApi | Self::NotReady | Self::RefusedStream
        )
    }
}

/// A fault of a connection. The request was not sent, so every call may be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ConnectionFault {
    /// The name does not resolve.
    UnknownName,
    /// The port is closed.
    Refused,
    /// The server speaks plain HTTP instead of TLS.
    NoTls,
    /// The client does not trust the certificate of the server.
    WrongCertificate,
}

pub(crate) const CONNECTION_FAULTS: [ConnectionFault; 4] =
    [ConnectionFault::UnknownName, ConnectionFault::Refused, ConnectionFault::NoTls, ConnectionFault::WrongCertificate];

/// Chooses faults at random, all with the same probability.
pub(crate) struct Chance(AtomicU64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// Returns one of these faults, or `None`.
    pub(crate) fn fault<F: Copy>(&self, possible: &[F]) -> Option<F> {
        (self.random(FAILING) == 0).then(|| possible[self.random(possible.len())])
    }

    /// Returns the fault of an HTTP/2 request, or `None`.
    pub(crate) fn http2_fault(&self) -> Option<Fault> {
        if self.random(FREEZING) == 0 { Some(Fault::Frozen) } else { self.fault(&HTTP2_FAULTS) }
    }

    pub(crate) fn coin(&self) -> bool {
        self.random(2) == 0
    }

    /// splitmix64, shared by all connections: the order is not repeatable, the distribution is.
    fn random(&self, below: usize) -> usize {
        let state = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % below as u64).unwrap_or(0)
    }
}
