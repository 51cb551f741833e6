//! The TLS configuration that bots share.
//!
//! Reading and parsing the system's root certificates takes nearly all the time and memory that a bot needs. Only the
//! configuration and its resumable TLS sessions are shared. Connections are not shared: each one ends with the runtime
//! that opened it.

use reqwest::ClientBuilder;

#[cfg(any(feature = "rustls", feature = "native-tls"))]
pub(crate) use with_tls::share;

/// Without TLS there is nothing to share.
#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
pub(crate) fn share(http: ClientBuilder) -> ClientBuilder {
    http
}

#[cfg(any(feature = "rustls", feature = "native-tls"))]
mod with_tls {
    use std::sync::OnceLock;

    use super::ClientBuilder;

    // With both features, `reqwest` takes the system's library by default.
    #[cfg(feature = "native-tls")]
    type Config = native_tls::TlsConnector;
    #[cfg(not(feature = "native-tls"))]
    type Config = rustls::ClientConfig;

    /// The protocols that the client speaks, by preference.
    const ALPN: [&str; 2] = ["h2", "http/1.1"];

    /// Sets the shared configuration, which replaces all TLS settings of the builder. Without a shared one, the
    /// client sets up its own, and returns the error if that fails.
    pub(crate) fn share(http: ClientBuilder) -> ClientBuilder {
        static SHARED: OnceLock<Config> = OnceLock::new();
        // A failure is not kept: the next bot may succeed.
        let shared = SHARED.get().cloned().or_else(|| {
            let config = configure().filter(is_accepted)?;
            Some(SHARED.get_or_init(|| config).clone())
        });
        match shared {
            Some(config) => http.tls_backend_preconfigured(config),
            None => http,
        }
    }

    /// `reqwest` refuses the configuration of another version of the TLS library than its own.
    fn is_accepted(config: &Config) -> bool {
        ClientBuilder::new().tls_backend_preconfigured(config.clone()).build().is_ok()
    }

    /// The configuration that `reqwest` sets up by default.
    #[cfg(feature = "native-tls")]
    fn configure() -> Option<Config> {
        Config::builder().request_alpns(&ALPN).build().ok()
    }

    /// The configuration that `reqwest` sets up by default.
    #[cfg(not(feature = "native-tls"))]
    fn configure() -> Option<Config> {
        use rustls::crypto::{CryptoProvider, aws_lc_rs};
        use rustls_platform_verifier::BuilderVerifierExt as _;

        let provider = CryptoProvider::get_default().cloned();
        let provider = provider.unwrap_or_else(|| aws_lc_rs::default_provider().into());
        let config = Config::builder_with_provider(provider).with_safe_default_protocol_versions().ok()?;
        let mut config = config.with_platform_verifier().ok()?.with_no_client_auth();
        config.alpn_protocols = ALPN.map(Into::into).into();
        Some(config)
    }
}
