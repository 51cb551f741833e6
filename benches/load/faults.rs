//! What goes wrong: the faults, how often they come, and what each means for a request.

use std::sync::atomic::{AtomicU64, Ordering};

/// One request in so many fails, and one connection in so many is not made.
const FAILING: usize = 5;

/// What happens to a request.
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
    /// A 503 with `Retry-After` by a cache, after it forwarded the request.
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
    /// HTTP/2: the connection stays, and nothing is read or written on it any more.
    Frozen,
}

/// What can happen to a request over HTTP/1.1.
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

/// What can happen to a request over HTTP/2, a frozen connection aside.
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
    /// Whether the server carries the request out: never, always, or by chance where nobody can tell.
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

    /// Whether nobody can tell after it if the request was carried out.
    pub(crate) fn is_ambiguous(self) -> bool {
        !self.allows_resending() && self != Self::ResetBeforeReading
    }

    /// Whether a message may be sent again after it.
    pub(crate) fn allows_resending(self) -> bool {
        matches!(
            self,
            Self::TooMany | Self::TooManyWithRetryAfter | Self::UnavailableByApi | Self::NotReady | Self::RefusedStream
        )
    }
}

/// Why there is no connection. The request has not been sent then, so that every call may be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ConnectionFault {
    /// The name does not resolve.
    UnknownName,
    /// Nobody listens.
    Refused,
    /// Plain HTTP is spoken where TLS is expected.
    NoTls,
    /// The server's certificate is not one that the client trusts.
    WrongCertificate,
}

pub(crate) const CONNECTION_FAULTS: [ConnectionFault; 4] =
    [ConnectionFault::UnknownName, ConnectionFault::Refused, ConnectionFault::NoTls, ConnectionFault::WrongCertificate];

/// Chooses what fails: every fault is as likely as another.
pub(crate) struct Chance(AtomicU64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// What fails this time, of all that can.
    pub(crate) fn fault<F: Copy>(&self, possible: &[F]) -> Option<F> {
        (self.random(FAILING) == 0).then(|| possible[self.random(possible.len())])
    }

    /// What happens to an HTTP/2 request.
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
